/*
 * punch_plan.h - what each side sends, and when, to open two NATs to each other
 *
 * What:  from two profiles the plan of one side; the other side, from the same two, comes to its
 *        counterpart. A pure function.
 * Why:   one socket and a few probes do where ports can be told; where one side's cannot, many
 *        sockets on that side and a sweep on the other; more than that only inside small blocks.
 * Keeps: plan_sides_match; plan_easy_is_one_socket; plan_easy_from_a_fresh_socket;
 *        plan_spread_by_class;
 *        plan_both_only_in_shared_blocks; plan_exclusive_is_relay_unless_easy;
 *        plan_hairpin_or_relay; plan_budget_bounds_it; plan_never_over_its_limits;
 *        plan_ports_are_each_once; plan_openers_stay_short.
 *
 *     ours \ theirs   easy     stride, block, random     block, reuse shown, <= 2048
 *     easy            EASY     SPREAD (unless filter)    SPREAD (unless filter)
 *     hard            SPREAD   none                      BOTH if ours is such a one, too
 *
 * EASY    both: openers, a pause, then OM_PUNCH_PROBES_MAX probes to the address that was said;
 *         who says the port of a fresh socket is met there, and sends from it
 * SPREAD  the hard side: one opener from each of many sockets; the easy one then sweeps its ports
 * BOTH    each side sweeps the other's block from each of a few sockets; a datagram's source port
 *         and its destination are then a pair out of B x B, and four to nine times that many meet
 *
 * An opener is a datagram with a TTL that passes our NATs and does not reach theirs; where both
 * have one outside address it ends at the NAT that they share. A NAT that takes early datagrams for
 * its own (plain masquerade) moves the flow that is then made to another port; so nothing may
 * arrive before the other side has opened. In BOTH this means that one side (the one with less to
 * sweep; the lower key) only opens, and is nearly done when the other begins. Where blocks are too
 * large for that, both sweep at once, which works with boxes that merely drop. OM_PUNCH_TURNED is
 * the other choice of these, and sweeps where a filter was said to be open.
 *
 * A sweep uses up nothing of an easy side's NAT; a hard side's sockets are at most a quarter of its
 * block; where both sweep, ports must have been seen to be shared by destinations.
 *
 * Source: PROTOCOL section 5; ARCHITECTURE section 6; RFC 5128 section 3.3 (hole punching).
 */
#ifndef OM_PATH_PUNCH_PLAN_H
#define OM_PATH_PUNCH_PLAN_H

#include "path/punch_profile.h"

enum {
    OM_PUNCH_SOCKETS_MAX = 256,
    OM_PUNCH_BLOCK_SOCKETS = 32,
    OM_PUNCH_STRIDE_SOCKETS = 8,
    OM_PUNCH_STRIDE_MARGIN = 32, /* strides beyond those that our own sockets take */
    OM_PUNCH_BLOCK_MAX = 2048,   /* PROTOCOL section 5 */
    OM_PUNCH_SWEEP_LEAST = 500,  /* PROTOCOL section 5: less in the budget, no sweep */
    OM_PUNCH_RANDOM_PROBES = 2000,
    OM_PUNCH_PACE_US = 1060,    /* below 950 a second, the rate of reach.h */
    OM_PUNCH_STAGED_MAX = 4400, /* datagrams, from the opener's first to the prober's last */
    OM_PUNCH_STAGED_MEET = 320, /* hundredths of a meeting that must be expected of it: 96 % */
    OM_PUNCH_OPENERS = 2,
    OM_PUNCH_OPENER_GAP_MS = 20,
    OM_PUNCH_PAUSE_MS = 100, /* from the openers to the probes: how badly clocks may agree */
    OM_PUNCH_PROBES_MAX = 8,
    OM_PUNCH_TTL_UNKNOWN = 4 /* when no router of ours answered */
};

enum om_punch_way { OM_PUNCH_NONE, OM_PUNCH_EASY, OM_PUNCH_SPREAD, OM_PUNCH_BOTH, OM_PUNCH_WAYS };

enum om_punch_style { OM_PUNCH_PLAIN, OM_PUNCH_TURNED, OM_PUNCH_STYLES };

/* Why there is no way. */
enum om_punch_reason {
    OM_PUNCH_FINE,
    OM_PUNCH_NO_UDP,
    OM_PUNCH_HARD,     /* both sides, and one without a small block */
    OM_PUNCH_UNSHARED, /* ports are not known to be shared by destinations */
    OM_PUNCH_POOLED,   /* a hard side has several outside addresses */
    OM_PUNCH_HAIRPIN,  /* the same outside address, and the NAT does not turn round */
    OM_PUNCH_BUDGET,
    OM_PUNCH_REASONS
};

/* What both sides know. */
struct om_punch_case {
    struct om_punch_profile ours, theirs;
    enum om_punch_style style; /* the leader's */
    bool is_lower;             /* our key is the lower one */
    bool is_same_outside;      /* both are behind one outside address */
};

/* Our half. Datagram i of @count leaves at om_punch_plan_time(). */
struct om_punch_plan {
    enum om_punch_way way;
    enum om_punch_reason reason;
    unsigned sockets;      /* opened for it, numbered from 1; 0: the one there is, number 0 */
    unsigned count;        /* datagrams that we send */
    unsigned openers;      /* the first so many of them are */
    unsigned ttl;          /* of openers */
    om_time begin;         /* of ours, after the moment both agreed on */
    om_time lasts;         /* of both sides, until nothing can come any more */
    bool is_sweep;         /* to ports of the range below; else to the port that was said */
    int first;             /* lowest, or of a stride the first: may be no port */
    unsigned width;        /* ports in the range */
    int stride;            /* from one to the next */
    unsigned offset, jump; /* the order: begins at offset, goes on by jump, which is coprime */
};

/** om_punch_is_easy() - can the port of @p be told by what others saw? */
bool om_punch_is_easy(const struct om_punch_profile *p);

/** om_punch_fresh_port() - where a fresh socket of @p, an easy one, is to be met; 0: none is. */
uint16_t om_punch_fresh_port(const struct om_punch_profile *p);

/**
 * om_punch_plan() - our half of the plan
 * @out:   filled
 * @c:     the case
 * @left:  datagrams that the budgets let us send there
 * @salt:  random; decides the order of a sweep
 */
void om_punch_plan(struct om_punch_plan *out, const struct om_punch_case *c, unsigned left,
                   uint64_t salt);

/** om_punch_plan_time() - when datagram @i of @p leaves, after the moment both agreed on. */
om_time om_punch_plan_time(const struct om_punch_plan *p, unsigned i);

/** om_punch_plan_socket() - from which of our sockets datagram @i of @p leaves. */
unsigned om_punch_plan_socket(const struct om_punch_plan *p, unsigned i);

/**
 * om_punch_plan_port() - where datagram i goes
 * @p:     the plan
 * @i:     below its count
 * @said:  the port that the peer said
 *
 * Return: the port; 0 when a prediction left the range of ports, and nothing is sent.
 */
uint16_t om_punch_plan_port(const struct om_punch_plan *p, unsigned i, uint16_t said);

/** om_punch_way_name() - "easy", "spread" ... of @w; "unknown" for any other. */
const char *om_punch_way_name(enum om_punch_way w);

/** om_punch_reason_name() - "hard", "unshared" ... of @r; "unknown" for any other. */
const char *om_punch_reason_name(enum om_punch_reason r);

#endif
