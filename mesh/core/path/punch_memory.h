/*
 * punch_memory.h - which style of punching worked between two NATs
 *
 * What:  a score for each style (punch_plan.h) and pair of our outside address and the peer's
 *        neighbourhood (IPv4 /24, IPv6 /64), which fades.
 * Why:   how a carrier's box treats early datagrams cannot be asked; but what worked yesterday
 *        towards the next house mostly works today.
 * Keeps: memory_turns_after_a_failure; memory_prefers_what_worked; memory_fades;
 *        memory_is_of_the_pair; memory_is_bounded.
 *
 * Full: the pair used longest ago gives way. Out of memory: nothing is learnt.
 */
#ifndef OM_PATH_PUNCH_MEMORY_H
#define OM_PATH_PUNCH_MEMORY_H

#include <omerta/lru.h>

#include "path/punch_plan.h"

enum {
    OM_PUNCH_MEMORY_MAX = 256,
    OM_PUNCH_MEMORY_HALF_S = 86400, /* in which a score halves */
    OM_PUNCH_MEMORY_WIN = 4,
    OM_PUNCH_MEMORY_LOSS = 2,
    OM_PUNCH_MEMORY_TOP = 8 /* of a score, either way */
};

struct om_punch_memory {
    struct om_lru pairs;
};

/** om_punch_memory_init() - @m is empty; @sip: 16 secret bytes. */
void om_punch_memory_init(struct om_punch_memory *m, const uint8_t sip[static OM_SIP_KEY]);

/** om_punch_memory_fini() - release @m. */
void om_punch_memory_fini(struct om_punch_memory *m);

/**
 * om_punch_memory_style() - how to try
 * @m:       the memory
 * @now:     when
 * @ours:    our outside address; ports do not matter
 * @theirs:  the peer's
 *
 * Return: the style with the better score; OM_PUNCH_PLAIN when they are even.
 */
enum om_punch_style om_punch_memory_style(const struct om_punch_memory *m, om_time now,
                                          const struct om_addr *ours, const struct om_addr *theirs);

/**
 * om_punch_memory_tell() - how an attempt that fired ended
 * @m:       the memory
 * @now:     when
 * @ours:    our outside address
 * @theirs:  the peer's
 * @style:   what was tried
 * @worked:  whether a way was found
 */
void om_punch_memory_tell(struct om_punch_memory *m, om_time now, const struct om_addr *ours,
                          const struct om_addr *theirs, enum om_punch_style style, bool worked);

#endif
