/*
 * link_pace.h - when the next frames of a link are read
 *
 * What:  for how long its socket is left alone after a read.
 * Why:   what sends much writes packet by packet and would wake us for each: after a moment there
 *        are many at once, which go on, and are answered, as one. And what sends mostly what is
 *        refused must not have the processor for that: peers, and other links, wait beside it.
 * Keeps: link_pace_lets_a_little_through_at_once; link_pace_gathers_a_burst;
 *        link_pace_slows_what_is_refused; link_pace_forgives_a_few.
 *
 * Each refused frame costs its sender LINK_PACE_WASTE_US when more than half of at least
 * LINK_PACE_MANY are; so no more than 8,000 a second of them are looked at. What waits does so in
 * the socket, and then in the machine's card.
 */
#ifndef OM_LINKS_LINK_PACE_H
#define OM_LINKS_LINK_PACE_H

#include <stddef.h>
#include <stdint.h>

#include <omerta/time.h>

enum {
    LINK_PACE_MS = 1,                  /* a moment */
    LINK_PACE_BURST_BYTES = 16 * 1024, /* within a moment: more will come */
    LINK_PACE_MANY = 32,
    LINK_PACE_WASTE_US = 125,
    LINK_PACE_WASTE_MAX_MS = 100
};

/* Zeroed: nothing came yet. */
struct link_pace {
    om_time since; /* when what is below began to come */
    size_t bytes;
    uint64_t frames, waste;           /* the link's counters then */
    uint64_t last_frames, last_waste; /* and after the read before */
};

/**
 * link_pace_read() - something was read
 * @p:       of the link
 * @now:     current time
 * @bytes:   of it
 * @frames:  of the link so far
 * @waste:   how many of them were refused
 *
 * Return: when to read on; OM_NEVER: at once.
 */
om_time link_pace_read(struct link_pace *p, om_time now, size_t bytes, uint64_t frames,
                       uint64_t waste);

#endif
