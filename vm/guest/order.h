/*
 * order.h - what one line of the host asks for
 *
 * What:  a line to a word, a name, numbers and a path, or to the reason why it is refused.
 * Why:   what it means is looked at in one place, before anything is done.
 * Keeps: order_reads_each_word; order_refuses_what_it_does_not_know; order_paths_begin_at_work.
 *
 * Source: the protocol at the head of vm/guest/main.c.
 */
#ifndef OM_GUEST_ORDER_H
#define OM_GUEST_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/bytes.h>

enum {
    GUEST_ID = 33,          /* with the terminator */
    GUEST_WORD = 24,        /* of a language; the same */
    GUEST_PATH = 2048,      /* absolute; the same */
    GUEST_PUT_MAX = 1 << 30 /* bytes of a body */
};

enum guest_order_kind {
    GUEST_NO_ORDER, /* an empty line */
    GUEST_REFUSED,  /* why */
    GUEST_HELLO,
    GUEST_RUN,
    GUEST_CANCEL,
    GUEST_PUT,
    GUEST_GET,
    GUEST_TIME,
    GUEST_ENTROPY
};

struct guest_order {
    enum guest_order_kind kind;
    char id[GUEST_ID];         /* "-" where there was none */
    char language[GUEST_WORD]; /* "" for one that cannot be one */
    uint64_t number;           /* bytes of the body; seconds of time */
    unsigned mode;             /* of put */
    char path[GUEST_PATH];     /* of put and get; "" of put: no place for a file */
    const char *why;
};

/** guest_order_read() - what @line, without its end, asks for. */
struct guest_order guest_order_read(struct om_bytes line);

/** guest_order_has_body() - do @o->number bytes follow it? */
bool guest_order_has_body(const struct guest_order *o);

#endif
