/*
 * mtu.h - how large a datagram one path carries
 *
 * What:  packetization-layer path MTU discovery: probes of chosen sizes, and the size to send with
 *        meanwhile. Sizes are UDP payloads; a lane's are smaller by what it adds.
 * Why:   too large vanishes without a word, too small wastes the link; ICMP, which would tell, is
 *        filtered or forged.
 * Keeps: mtu_finds_the_usual_path; mtu_finds_jumbo; mtu_works_below_base;
 *        mtu_black_hole_falls_back; mtu_random_loss_is_no_black_hole; mtu_emsgsize_needs_no_retry;
 *        mtu_raises_when_used; mtu_probe_lost_once_is_sent_again; mtu_ends_probing;
 *        mtu_believes_what_arrives; mtu_model_follows_the_path; mtu_inside_a_lane_is_smaller;
 *        mtu_refusals_of_old_sizes_are_no_news; mtu_interface_is_found_by_refusals.
 *
 *        start()      1200 confirmed            nothing left to try
 *   IDLE -------> BASE -------------> SEARCH ----------------------> DONE
 *                  |  lost 3 times      ^ ^                           |
 *                  +--------------------+ +---------------------------+
 *                     from the floor        raise time, when packets flow
 *
 * Of any state: 3 packets above the base (or at the base, above the floor) lost and none
 * acknowledged that left after the first of them: back to BASE, or to the floor. Whoever drives it
 * calls start() again when a path that was silent lives again: without an answer to anything a
 * probe that is too large looks like one that is lost.
 *
 * Source: RFC 8899 section 5 (states, MAX_PROBES, PMTU_RAISE_TIMER); RFC 9000 section 14; PROTOCOL
 *         section 5 (base, floor, three lost).
 */
#ifndef OM_PATH_MTU_H
#define OM_PATH_MTU_H

#include <stdbool.h>

#include <omerta/time.h>

enum {
    OM_MTU_BASE = 1200,
    OM_MTU_FLOOR = 548, /* IPv4 576 */
    OM_MTU_LINK_MAX = 9000,
    OM_MTU_LINK_USUAL = 1500,
    OM_MTU_HEAD_V4 = 28,
    OM_MTU_HEAD_V6 = 48,
    OM_MTU_GRAIN = 8,           /* bytes at which the search ends */
    OM_MTU_PROBES = 3,          /* RFC 8899 section 5.1.2: MAX_PROBES */
    OM_MTU_LOSSES = 3,          /* PROTOCOL section 5 */
    OM_MTU_RAISE_S = 600,       /* RFC 8899 section 5.1.1: PMTU_RAISE_TIMER */
    OM_MTU_PROBE_WAIT_MS = 1000 /* RFC 8899 section 5.1.1: PROBE_TIMER is no less */
};

enum om_mtu_state { OM_MTU_IDLE, OM_MTU_AT_BASE, OM_MTU_SEARCH, OM_MTU_DONE };

struct om_mtu {
    enum om_mtu_state state;
    uint16_t head;  /* of IP and UDP, and of a lane */
    uint16_t lane;  /* of these, the lane's */
    uint16_t limit; /* no larger size is tried */
    uint16_t size;  /* to send with */
    uint16_t low;   /* largest confirmed */
    uint16_t high;  /* smallest that fails; limit + 1 when none did */
    uint16_t hint;  /* to be tried first; 0: none */
    uint16_t probe; /* on its way; 0: none */
    uint8_t tries;  /* of this size, lost */
    uint8_t losses; /* large packets, since one was acknowledged */
    bool is_raising;
    om_time due;      /* the probe counts as lost then */
    om_time raise_at; /* DONE: when a larger size may be tried */
    om_time proven;   /* when the newest acknowledged large packet left */
};

/**
 * om_mtu_init() - a path not yet in use
 * @m:      the machine
 * @is_v6:  the family of the outer packets
 * @link:   the largest packet that is tried, in bytes of IP; 0: OM_MTU_LINK_MAX
 */
void om_mtu_init(struct om_mtu *m, bool is_v6, unsigned link);

/** om_mtu_carry() - every datagram of @m, not yet started, goes inside one larger by @bytes. */
void om_mtu_carry(struct om_mtu *m, unsigned bytes);

/** om_mtu_start() - from @now the path of @m answers, for the first time or again. */
void om_mtu_start(struct om_mtu *m, om_time now);

/** om_mtu_size() - the largest UDP payload to send over @m's path. */
unsigned om_mtu_size(const struct om_mtu *m);

/** om_mtu_base() - the size that @m begins with: any sound path carries it. */
unsigned om_mtu_base(const struct om_mtu *m);

/** om_mtu_floor() - the size below which @m never goes. */
unsigned om_mtu_floor(const struct om_mtu *m);

/**
 * om_mtu_next() - is a probe to be sent?
 * @m:     the machine
 * @now:   when; call it when the deadline is reached and when something is sent anyway
 * @pto:   how long an answer may take
 * @size:  receives the UDP payload of an MTU_PROBE datagram
 *
 * Return: true when one is to be sent now; it is taken for sent.
 */
bool om_mtu_next(struct om_mtu *m, om_time now, om_time pto, unsigned *size);

/** om_mtu_tick() - time has come to @now for @m. */
void om_mtu_tick(struct om_mtu *m, om_time now);

/** om_mtu_deadline() - when to call om_mtu_tick() and om_mtu_next() of @m; OM_NEVER: no need. */
om_time om_mtu_deadline(const struct om_mtu *m);

/**
 * om_mtu_acked() - a datagram arrived
 * @m:     the machine
 * @now:   when
 * @size:  its UDP payload, probe or not
 * @sent:  when it left
 */
void om_mtu_acked(struct om_mtu *m, om_time now, unsigned size, om_time sent);

/**
 * om_mtu_lost() - a datagram is taken for lost
 * @m:     the machine
 * @now:   when
 * @size:  its UDP payload, probe or not
 * @sent:  when it left
 */
void om_mtu_lost(struct om_mtu *m, om_time now, unsigned size, om_time sent);

/** om_mtu_refused() - @now the system would not send @size of @m (EMSGSIZE). */
void om_mtu_refused(struct om_mtu *m, om_time now, unsigned size);

#endif
