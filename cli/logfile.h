/*
 * logfile.h - the log of a daemon that no service manager keeps
 *
 * What:  HOME/logs/meshd.log with three older ones: opened for a new daemon, and read from its end.
 * Why:   a daemon started by hand must not fill the disk, and must not lose why it died.
 * Keeps: logfile_turns_over_at_its_size; logfile_tail_gives_the_last_lines.
 */
#ifndef OM_CLI_LOGFILE_H
#define OM_CLI_LOGFILE_H

#include <stddef.h>

#include <omerta/err.h>

enum { OM_LOGFILE_BYTES_MAX = 1 << 20, OM_LOGFILE_KEPT = 3, OM_LOGFILE_TAIL_MAX = 256 * 1024 };

/**
 * om_logfile_open() - the log for a daemon that is about to start
 * @home:  made (0700) when it is not there, as is its folder logs
 * @fd:    on success open for appending, owned by the caller
 * @err:   sentence for a person
 *
 * A log of OM_LOGFILE_BYTES_MAX or more becomes meshd.log.1, that one .2 and so on. A disk without
 * room for a few lines more is an error.
 *
 * Return: OM_OK or OM_E_STATE.
 */
OM_MUST enum om_err om_logfile_open(const char *home, int *fd, struct om_error *err);

/**
 * om_logfile_tail() - the last lines of the log
 * @home:   where
 * @lines:  how many at most; only those of the last OM_LOGFILE_TAIL_MAX bytes can be had
 * @out:    on success terminated text, to be freed by the caller
 * @err:    sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_MISSING without a log, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_logfile_tail(const char *home, size_t lines, char **out,
                                    struct om_error *err);

/**
 * om_logfile_since() - what was logged after a moment
 * @home:  where
 * @from:  size of the log at that moment
 * @out:   on success terminated text, to be freed by the caller: at most OM_LOGFILE_TAIL_MAX bytes
 * @err:   sentence for a person; may be NULL
 *
 * Return: as om_logfile_tail().
 */
OM_MUST enum om_err om_logfile_since(const char *home, long from, char **out, struct om_error *err);

#endif
