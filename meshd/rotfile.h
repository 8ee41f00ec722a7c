/*
 * rotfile.h - an append-only file of lines that never outgrows its share of the disk
 *
 * What:  FILE takes whole lines; when the next one would pass the limit, FILE becomes FILE.1,
 *        FILE.1 becomes FILE.2 and so on, and what would become FILE.(keep + 1) is deleted.
 * Why:   the log and the event log both run for years unwatched; neither may fill the disk, and
 *        neither may stop the daemon when the disk is full.
 * Keeps: rotfile_rotates_before_a_line_would_pass_the_limit; rotfile_mends_a_line_cut_by_a_crash;
 *        rotfile_follows_a_file_that_was_moved_away; rotfile_counts_what_it_could_not_write;
 *        rotfile_follows_no_symbolic_link.
 * Full:  a line that cannot be written whole is taken back and counted in "lost"; when the old
 *        files cannot be moved, lines are lost until they can be, so that the limit holds.
 *
 * A file that is no regular one (a device, a pipe) is written to and never rotated.
 */
#ifndef OM_MESHD_ROTFILE_H
#define OM_MESHD_ROTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/err.h>

enum {
    OM_ROTFILE_PATH = 4096 - 16,
    OM_ROTFILE_KEEP_MAX = 99,
    OM_ROTFILE_LIMIT_MIN = 4096 /* bytes; no file is smaller than a few lines */
};

/* Read freely; write only through om_rotfile_*(). */
struct om_rotfile {
    char path[OM_ROTFILE_PATH];
    int fd; /* -1: closed, all lines are lost */
    bool is_regular;
    unsigned keep;
    uint64_t limit; /* bytes of one file; 0: no limit */
    uint64_t bytes; /* in FILE now */
    uint64_t lines; /* written */
    uint64_t lost;
    uint64_t rotations;
};

/**
 * om_rotfile_open() - open or create (0600) the file
 * @f:      filled in, also on failure: then every line is lost and counted
 * @path:   copied
 * @limit:  bytes, 0 or at least OM_ROTFILE_LIMIT_MIN
 * @keep:   old files, 0 to OM_ROTFILE_KEEP_MAX; 0: a full file is deleted
 * @err:    sentence for a person; may be NULL
 *
 * A last line without its newline, as a crash leaves it, gets one.
 *
 * Return: OM_OK; OM_E_RANGE for an argument out of range; OM_E_STATE when it cannot be opened.
 */
OM_MUST enum om_err om_rotfile_open(struct om_rotfile *f, const char *path, uint64_t limit,
                                    unsigned keep, struct om_error *err);

/**
 * om_rotfile_reopen() - close and open again: somebody else moved the file away
 * @f:    opened before, with or without success
 * @err:  sentence for a person; may be NULL
 *
 * Return: as om_rotfile_open(); when it fails the old file stays in use.
 */
OM_MUST enum om_err om_rotfile_reopen(struct om_rotfile *f, struct om_error *err);

/** om_rotfile_close() - close @f; closing twice is fine. */
void om_rotfile_close(struct om_rotfile *f);

/**
 * om_rotfile_put() - append one line
 * @f:     opened before, with or without success
 * @head:  start of the line, terminated; may be empty
 * @line:  the rest, terminated, without a newline
 *
 * Return: false when it was lost.
 */
bool om_rotfile_put(struct om_rotfile *f, const char *head, const char *line);

#endif
