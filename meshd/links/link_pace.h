/*
 * link_pace.h - when the next frames of a link are read
 *
 * What:  for how long its socket is left alone after a read.
 * Why:   what sends much writes packet by packet and would wake us for each: after a moment there
 *        are many at once, which go on, and are answered, as one. And what sends mostly what is
 *        refused must not have the processor for that: peers, and other links, wait beside it.
 * Keeps: link_pace_lets_a_little_through_at_once; link_pace_gathers_a_burst;
 *        link_pace_slows_what_is_refused; link_pace_slows_refused_connections_more;
 *        link_pace_forgives_a_few.
 *
 * What is refused is a debt that time pays: LINK_PACE_FRAME_US for a frame, LINK_PACE_CALL_US for a
 * connection that the peer was asked for in vain, as that costs both daemons messages. Nothing is
 * read while the debt is above LINK_PACE_FREE_MS: so no more than 8,000 such frames, or 500 such
 * connections, a second are looked at. What waits does so in the socket, and then in the machine's
 * card.
 */
#ifndef OM_LINKS_LINK_PACE_H
#define OM_LINKS_LINK_PACE_H

#include <stddef.h>
#include <stdint.h>

#include <omerta/time.h>

enum {
    LINK_PACE_MS = 1,                  /* a moment */
    LINK_PACE_BURST_BYTES = 16 * 1024, /* within a moment: more will come */
    LINK_PACE_FRAME_US = 125,
    LINK_PACE_CALL_US = 2000,
    LINK_PACE_FREE_MS = 16,
    LINK_PACE_REST_MAX_MS = 100
};

/* What came of a link in vain, so far. */
struct link_waste {
    uint64_t frames, calls;
};

/* Zeroed: nothing came yet. */
struct link_pace {
    om_time since; /* when what is below began to come */
    size_t bytes;
    struct link_waste waste; /* that is in the debt, or was */
    om_time debt, debt_at;   /* so many microseconds then */
};

/**
 * link_pace_read() - something was read
 * @p:      of the link
 * @now:    current time
 * @bytes:  of it
 * @waste:  what is counted by now
 *
 * Return: when to read on; OM_NEVER: at once.
 */
om_time link_pace_read(struct link_pace *p, om_time now, size_t bytes, struct link_waste waste);

#endif
