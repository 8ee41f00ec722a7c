/*
 * nat.h - what this node knows of the NATs in front of it, for one address family
 *
 * What:  keeps samples of how others see us, fits them when asked (nat_fit.h), and holds what else
 *        is learnt: filtering, hairpin, how many hops to the outside, how long mappings live.
 * Why:   peers are the only observers there are, and some of them lie.
 * Keeps: nat_fits_on_demand; nat_renewed_sample_keeps_its_place; nat_full_ring_drops_the_loudest;
 *        nat_closed_sockets_give_way_first; nat_network_change_forgets; nat_refuses_nonsense;
 *        nat_old_samples_end; nat_silence_is_death; nat_filter_needs_two_to_miss;
 *        nat_hops_are_bounded; nat_one_witness_may_have_seen_random_ports;
 *        nat_model_fits_what_it_met; nat_model_survives_liars.
 *
 * One for IPv4 and one for IPv6: their routers have nothing in common. A sample carries the
 * generation in which its question was asked: what was asked on the last network says nothing of
 * this one. Peers on our own links do not see us through the NAT: their word does not belong here.
 *
 * Source: RFC 4787 sections 4 to 6; PROTOCOL section 10 (NAT kind).
 */
#ifndef OM_PATH_NAT_H
#define OM_PATH_NAT_H

#include "path/nat_fit.h"
#include "path/nat_life.h"

enum {
    OM_NAT_PER_PEER_MAX = 3, /* samples of one peer; its oldest gives way */
    OM_NAT_SAMPLE_LIFE_S = 600,
    OM_NAT_FRESH_S = 25,  /* below that nobody need be asked again */
    OM_NAT_WANTED = 8,    /* samples that a fit is sought from, to stand one liar */
    OM_NAT_DEAD_ASKS = 6, /* unanswered, over at least OM_NAT_DEAD_S */
    OM_NAT_DEAD_S = 5,
    OM_NAT_HOPS_MAX = 16,
    OM_NAT_HAIRPIN_MISSES = 3
};

enum om_nat_filter { OM_FILTER_UNKNOWN, OM_FILTER_NONE, OM_FILTER_ADDRESS, OM_FILTER_PORT };

/* From where an unasked datagram came to a mapping of ours. */
enum om_nat_from { OM_FROM_OTHER_PORT, OM_FROM_OTHER_IP };

enum om_nat_hairpin { OM_HAIRPIN_UNKNOWN, OM_HAIRPIN_YES, OM_HAIRPIN_NO };

/* What became of a sample. */
enum om_nat_take { OM_NAT_TAKEN, OM_NAT_STALE, OM_NAT_FOREIGN, OM_NAT_NONSENSE, OM_NAT_TAKES };

struct om_nat_trials {
    bool arrived;
    bool is_missed_twice;
    struct om_id missed_by; /* the first peer whose word did not arrive; zero: none */
};

struct om_nat {
    bool is_v6;
    bool is_dirty;
    uint32_t generation; /* of the network we are on */
    unsigned count;
    struct om_nat_sample samples[OM_NAT_SAMPLES_MAX]; /* by at, oldest first */
    om_time heard[OM_NAT_SAMPLES_MAX];                /* when each was last said */
    struct om_nat_fit fit;
    unsigned asked; /* since anything was heard */
    om_time asked_since;
    struct om_nat_trials from[2]; /* by enum om_nat_from */
    enum om_nat_hairpin hairpin;
    uint8_t hairpin_misses;
    uint8_t hops_inside;  /* the farthest router with an inside address */
    uint8_t hops_outside; /* the nearest with an outside one; 0: none yet */
    struct om_nat_life life;
    uint64_t took[OM_NAT_TAKES]; /* by enum om_nat_take */
};

/** om_nat_init() - @n knows nothing; it is for IPv6 if @is_v6. */
void om_nat_init(struct om_nat *n, bool is_v6);

/** om_nat_reset() - the network of @n changed: all is forgotten but the counts. */
void om_nat_reset(struct om_nat *n);

/** om_nat_asked() - at @now a peer was sent something that @n should hear of. */
void om_nat_asked(struct om_nat *n, om_time now);

/** om_nat_heard() - an authenticated datagram came to @n's family. */
void om_nat_heard(struct om_nat *n);

/**
 * om_nat_sample() - a peer says where it sees us
 * @n:           the knowledge
 * @now:         when
 * @generation:  n's, when the question was asked
 * @s:           what it says; the same flow again renews it
 *
 * A full ring drops the oldest of whoever has most in it.
 *
 * Return: OM_NAT_TAKEN, or why not; each is counted.
 */
enum om_nat_take om_nat_sample(struct om_nat *n, om_time now, uint32_t generation,
                               const struct om_nat_sample *s);

/**
 * om_nat_judge() - what all this means
 * @n:    the knowledge; samples over OM_NAT_SAMPLE_LIFE_S old are dropped
 * @now:  when
 *
 * Return: the fit, lent until the next om_nat_*() of @n.
 */
const struct om_nat_fit *om_nat_judge(struct om_nat *n, om_time now);

/**
 * om_nat_wants() - how many more samples are worth asking for
 * @n:    the knowledge
 * @now:  when; asked before a punch, not at rest: samples are fresh for OM_NAT_FRESH_S only
 *
 * Return: a number of flows to peers that have not told lately, 0 when enough is known.
 */
unsigned om_nat_wants(const struct om_nat *n, om_time now);

/**
 * om_nat_tried_filter() - an unasked datagram was announced
 * @n:        the knowledge
 * @peer:     who said that it would send it
 * @from:     from where, by the addresses that this mapping has sent to
 * @arrived:  true is a fact; false is @peer's word, and takes another's
 *
 * A NAT that let in another port is taken to want the address, until it let in another one.
 */
void om_nat_tried_filter(struct om_nat *n, const struct om_id *peer, enum om_nat_from from,
                         bool arrived);

/**
 * om_nat_may_be_random() - does all that is known look like ports that cannot be told?
 * @n:  the knowledge
 *
 * For where there is one witness alone, so that no fit is believed: it cannot tell a port for each
 * destination from one for each socket. So this is no verdict, but what to try next when taking the
 * port it saw for ours was in vain.
 *
 * Return: true when several sockets were seen, none of them with its own port as far as that is
 * known, and further apart than in any block.
 */
bool om_nat_may_be_random(const struct om_nat *n);

/** om_nat_filter() - whom the NAT of @n lets in. */
enum om_nat_filter om_nat_filter(const struct om_nat *n);

/** om_nat_tried_hairpin() - @n sent to its own outside address; it @arrived, or not in time. */
void om_nat_tried_hairpin(struct om_nat *n, bool arrived);

/**
 * om_nat_hop() - a router said that a datagram of ours came to its end there
 * @n:       the knowledge
 * @ttl:     with which it left; out of range is ignored
 * @router:  who says so
 */
void om_nat_hop(struct om_nat *n, unsigned ttl, const struct om_addr *router);

/** om_nat_hops() - a TTL that passes all NATs of @n by what is known, 0 when nothing is. */
unsigned om_nat_hops(const struct om_nat *n);

#endif
