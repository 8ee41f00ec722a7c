/*
 * reader.h - what the host writes to the port: orders, and the bytes that follow some of them
 *
 * What:  bytes of the port, in any pieces, to lines of words and bodies.
 * Why:   a host may go away in the middle of a body, and its successor is not to wait until that is
 *        full. The port tells of it; where nobody looked in time, the successor is known by what it
 *        says: its greeting comes alone, and comes again.
 * Keeps: reader_gives_lines_and_bodies; reader_bytes_may_come_in_any_pieces;
 *        reader_long_lines_are_said; reader_forgets_what_was_cut;
 *        reader_knows_a_new_host_by_its_greeting; reader_takes_a_body_like_a_greeting.
 *
 * Full: a line over GUEST_LINE_MAX bytes is skipped to its end, and told as one that is too long.
 *
 * Source: the protocol at the head of vm/guest/main.c.
 */
#ifndef OM_GUEST_READER_H
#define OM_GUEST_READER_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/bytes.h>
#include <omerta/time.h>

enum {
    GUEST_LINE_MAX = 4096, /* a host's longest is a path of 1024 bytes in base64 */
    GUEST_INPUT = 64 * 1024,
    GUEST_GREETING_MAX = 40, /* newline, "hello ", a name of 32, newline */
    GUEST_GREETING_MS = 500  /* between two of a host that nobody answers; it says one a second */
};

enum guest_item_kind {
    GUEST_NOTHING,
    GUEST_LINE, /* text, without its end */
    GUEST_LONG, /* a line that was too long */
    GUEST_BODY, /* bytes of the body that was announced */
    GUEST_CUT   /* that body ends here: its host is gone */
};

struct guest_item {
    enum guest_item_kind kind;
    struct om_bytes bytes; /* lent until the next call */
};

/* Read freely; write only through guest_reader_*(). */
struct guest_reader {
    uint8_t in[GUEST_INPUT];
    size_t n, at;
    uint64_t body; /* bytes of it to come */
    bool is_skipping, is_cut;
    uint8_t greeting[GUEST_GREETING_MAX]; /* what came at last, if it looked like one */
    size_t greeting_n;
    om_time greeting_at;
};

/** guest_reader_room() - where in @r the port is read to, and how much. */
struct om_mut guest_reader_room(struct guest_reader *r);

/** guest_reader_fed() - one read of the port gave @n bytes, at most the room of @r, at @now. */
void guest_reader_fed(struct guest_reader *r, om_time now, size_t n);

/** guest_reader_body() - the line that @r gave last has a body of @n bytes. */
void guest_reader_body(struct guest_reader *r, uint64_t n);

/** guest_reader_gone() - the host of @r went away: what it began is forgotten. */
void guest_reader_gone(struct guest_reader *r);

/** guest_reader_next() - the next thing that came to @r. */
struct guest_item guest_reader_next(struct guest_reader *r);

#endif
