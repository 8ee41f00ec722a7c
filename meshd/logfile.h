/*
 * logfile.h - where log lines go: standard error, the journal, or a file
 *
 * What:  the sink of a struct om_log. It puts the time in front, or for the journal the priority,
 *        which knows the time itself.
 * Why:   whoever starts the daemon should see the log at the place where they look for it.
 * Keeps: logfile_line_begins_with_the_time; logfile_journal_gets_priorities;
 *        logfile_takes_the_journal_only_for_its_own_descriptor; logfile_rotates_and_reopens;
 *        logfile_counts_lines_it_could_not_write.
 * Full:  a line that cannot be written is counted and forgotten; logging never fails.
 *
 * Source: systemd.exec(5) $JOURNAL_STREAM; sd-daemon(3) "<N>" prefixes; RFC 3339 (times).
 */
#ifndef OM_MESHD_LOGFILE_H
#define OM_MESHD_LOGFILE_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/log.h>
#include <omerta/time.h>

#include "rotfile.h"

enum { OM_WALL_TEXT = 32 }; /* "2026-11-21T10:00:00.123Z", with the terminator, rounded up */

enum om_logfile_kind { OM_LOGFILE_PLAIN, OM_LOGFILE_JOURNAL, OM_LOGFILE_FILE };

struct om_logfile {
    enum om_logfile_kind kind;
    int fd; /* of the first two kinds; borrowed */
    struct om_rotfile file;
    struct om_wall (*wall)(void); /* calendar time of a line */
    uint64_t lost;                /* on the descriptor; a file counts its own */
};

/**
 * om_wall_print() - calendar time as RFC 3339 has it, in UTC with milliseconds
 * @wall:  the time; what is before the year 0 or after 9999 is shown as the nearest in between
 * @out:   OM_WALL_TEXT bytes, terminated
 *
 * Return: @out.
 */
char *om_wall_print(struct om_wall wall, char out[static OM_WALL_TEXT]);

/**
 * om_logfile_to_fd() - log to a descriptor, as the journal wants it when $JOURNAL_STREAM names it
 * @l:     filled in
 * @fd:    borrowed: standard error
 * @wall:  tells the calendar time
 */
void om_logfile_to_fd(struct om_logfile *l, int fd, struct om_wall (*wall)(void));

/**
 * om_logfile_to_file() - log to a file that rotates
 * @l:      filled in on success, untouched on failure
 * @path:   copied
 * @limit:  as of om_rotfile_open()
 * @keep:   as of om_rotfile_open()
 * @wall:   tells the calendar time
 * @err:    sentence for a person; may be NULL
 *
 * Return: as om_rotfile_open().
 */
OM_MUST enum om_err om_logfile_to_file(struct om_logfile *l, const char *path, uint64_t limit,
                                       unsigned keep, struct om_wall (*wall)(void),
                                       struct om_error *err);

/** om_logfile_sink() - the sink for struct om_log, with a struct om_logfile as @self: @line of
 *  @level. */
void om_logfile_sink(void *self, enum om_level level, const char *line);

/**
 * om_logfile_reopen() - on SIGHUP: whoever rotates from outside has moved the file away
 * @l:    a descriptor stays as it is
 * @err:  sentence for a person; may be NULL
 *
 * Return: OM_OK or, with the old file still in use, why not.
 */
OM_MUST enum om_err om_logfile_reopen(struct om_logfile *l, struct om_error *err);

/** om_logfile_close() - close the file of @l; a descriptor is left open. */
void om_logfile_close(struct om_logfile *l);

/** om_logfile_lost() - lines that @l could not write. */
uint64_t om_logfile_lost(const struct om_logfile *l);

#endif
