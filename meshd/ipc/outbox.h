/*
 * outbox.h - what one client has not read yet
 *
 * What:  lines in the order in which they are to be sent: answers all of them, events while there
 *        is room.
 * Why:   a client that stands still must not make the daemon hold ever more for it, nor miss events
 *        without being told.
 * Keeps: outbox_keeps_the_order; outbox_drops_events_and_says_so; outbox_too_many_answers_is_full;
 *        outbox_consumes_in_pieces.
 *
 * Full: events over OM_OUTBOX_EVENT_BYTES waiting are dropped and counted, and the next one that
 * fits comes after {"jsonrpc":"2.0","method":"event.gap","params":{"lost":N}}; an answer over
 * OM_OUTBOX_BYTES is refused, which ends the client.
 */
#ifndef OM_IPC_OUTBOX_H
#define OM_IPC_OUTBOX_H

#include <stdint.h>

#include <omerta/bytes.h>
#include <omerta/err.h>

enum { OM_OUTBOX_EVENT_BYTES = 256 << 10, OM_OUTBOX_BYTES = 4 << 20 };

/* Zeroed: empty. */
struct om_outbox {
    char *bytes; /* owned */
    size_t n, cap, at;
    uint64_t lost; /* events since the last one that was put */
};

/** om_outbox_fini() - release @o, which is empty then. */
void om_outbox_fini(struct om_outbox *o);

/** om_outbox_put_response() - queue @line and a newline in @o. Return: OM_OK, OM_E_FULL,
 *  OM_E_NO_MEM. */
OM_MUST enum om_err om_outbox_put_response(struct om_outbox *o, const char *line);

/** om_outbox_put_event() - queue @line and a newline in @o, or drop and count it. */
void om_outbox_put_event(struct om_outbox *o, const char *line);

/** om_outbox_peek() - what @o has to send next, lent until the next call; empty: nothing. */
struct om_bytes om_outbox_peek(const struct om_outbox *o);

/** om_outbox_consume() - @n bytes of om_outbox_peek() of @o were sent. */
void om_outbox_consume(struct om_outbox *o, size_t n);

#endif
