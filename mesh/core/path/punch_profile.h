/*
 * punch_profile.h - what the other side must know of our NAT to meet us half way
 *
 * What:  the part of nat.h's knowledge that plans are made from, and its 12 bytes.
 * Why:   both sides must come to the same plan; so both see the same two profiles.
 * Keeps: profile_round_trips; profile_refuses_bad_bytes; profile_says_no_more_than_is_believed.
 *
 *     0               1               2               3
 *     0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
 *    +-------+---+---+-----------+-+-+---------------+---------------+
 *  0 | class |fil|reu|hairpin|0 0|a|p|     style     |     hops      |
 *    +-------+---+---+-----------+-+-+---------------+---------------+
 *  4 |  stride (i8)  |     skip      |           last port           |
 *    +---------------+---------------+-------------------------------+
 *  8 |          first port           |     last port of the range    |
 *    +-------------------------------+-------------------------------+
 *
 * The class is that of the record's "NAT kind". Bits count from the right: class in bits 0 to 3,
 * filter 4 and 5, reuse 6 and 7; then hairpin in bits 0 and 1, mapping per address in bit 6,
 * several outside addresses in bit 7. In the PUNCH frame it follows the 13 bytes of a plan step.
 *
 * Source: PROTOCOL sections 4 (PUNCH), 5 and 10 (NAT kind).
 */
#ifndef OM_PATH_PUNCH_PROFILE_H
#define OM_PATH_PUNCH_PROFILE_H

#include "envelope/frame_path.h"
#include "path/nat.h"

enum { OM_PUNCH_PROFILE_BYTES = OM_PUNCH_PLAN_BYTES };

struct om_punch_profile {
    enum om_nat_class class; /* OM_NAT_UNKNOWN when it is not believed */
    enum om_nat_filter filter;
    enum om_nat_reuse reuse;
    enum om_nat_hairpin hairpin;
    bool is_per_address;
    bool is_pooled;
    uint8_t style; /* which way to try first (punch_plan.h); the leader's counts */
    uint8_t hops;  /* a TTL that passes our NATs; 0: not known */
    uint8_t skip;
    int stride;
    uint16_t last;                  /* stride: the newest port */
    uint16_t first_port, last_port; /* block: its bounds; easy: the first is that of a fresh socket,
                                     * to be met in place of the one that was said; 0: none */
};

/** om_punch_profile_of() - @n as it is at @now, for the other side, into @out. */
void om_punch_profile_of(struct om_punch_profile *out, struct om_nat *n, om_time now);

/** om_punch_profile_encode() - the bytes of @p to @w. */
void om_punch_profile_encode(struct om_wr *w, const struct om_punch_profile *p);

/**
 * om_punch_profile_decode() - what a peer says of its NAT
 * @out:  untouched on failure
 * @r:    cursor; exactly these bytes are taken
 *
 * Return: OM_OK; OM_E_PARSE when it is cut, or no NAT can be so.
 */
OM_MUST enum om_err om_punch_profile_decode(struct om_punch_profile *out, struct om_rd *r);

#endif
