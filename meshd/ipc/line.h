/*
 * line.h - a byte stream cut into lines, none longer than the protocol allows
 *
 * What:  bytes in as they come, whole lines out.
 * Why:   the other end of a socket decides how its text is cut into reads, and must not decide how
 *        much memory it takes.
 * Keeps: line_cuts_as_sent_not_as_read; line_too_long_is_told_once; line_unfinished_is_told;
 *        line_memory_is_bounded.
 *
 * Full: a line over OM_IPC_FRAME_MAX ends it: nothing after it is given out.
 */
#ifndef OM_IPC_LINE_H
#define OM_IPC_LINE_H

#include <stdbool.h>

#include <omerta/bytes.h>
#include <omerta/err.h>

enum { OM_IPC_FRAME_MAX = 1 << 20 };

/* Zeroed: empty. Read nothing of it. */
struct om_line {
    char *bytes; /* owned */
    size_t n, cap;
    size_t at;   /* what is before it was given out */
    size_t seen; /* what is before it holds no newline */
    bool is_too_long;
};

/** om_line_fini() - release @l, which is empty then. */
void om_line_fini(struct om_line *l);

/**
 * om_line_feed() - bytes that came
 * @l:   the line
 * @in:  copied; what om_line_next() lent before is gone
 *
 * Return: OM_OK, OM_E_RANGE once the line is too long, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_line_feed(struct om_line *l, struct om_bytes in);

/** om_line_next() - the next whole line of @l into @out, without its end, lent until the next
 *  om_line_feed(); false when there is none. Empty lines are skipped. */
bool om_line_next(struct om_line *l, struct om_bytes *out);

/** om_line_rest() - what of @l was fed and not given out as a line, lent until the next feed. */
struct om_bytes om_line_rest(const struct om_line *l);

/** om_line_is_too_long() - the other end of @l sent a line over OM_IPC_FRAME_MAX. */
bool om_line_is_too_long(const struct om_line *l);

/** om_line_is_unfinished() - bytes of @l wait for the end of their line. */
bool om_line_is_unfinished(const struct om_line *l);

#endif
