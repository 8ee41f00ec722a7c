/*
 * natbox.h - a NAT
 *
 * What:  a datagram goes in on one side and comes out on the other, rewritten; or it is dropped,
 *        and the reason counted.
 * Why:   what a node learns of its NAT, and every way through a pair of them, must be had again
 *        from a seed. It has no clock, no sockets and no thread: the simulator and the lab's probe
 *        ask the same box.
 * Keeps: natbox_mapping_has_its_scope; natbox_filtering_has_its_scope; natbox_preserves_the_port;
 *        natbox_counts_ports_up; natbox_random_ports_stay_in_range; natbox_block_per_subscriber;
 *        natbox_exclusive_ports_run_out; natbox_reuses_a_port_towards_others;
 *        natbox_hairpin_shows_the_outside; natbox_leave_ends_after_its_timeout;
 *        natbox_refresh_by_its_direction; natbox_early_probe_moves_the_flow;
 *        natbox_sticky_follows_the_latest; natbox_ttl_opener_claims_nothing; natbox_stacked_boxes;
 *        natbox_udp_blocked; natbox_full_table_refuses_the_new; natbox_same_seed_same_ports;
 *        natmap_matches_a_naive_one.
 *
 * States of an outside port towards a remote:
 *
 *   unknown  -- a datagram leaves ------------------------------->  open
 *   unknown  -- one comes, and the box takes such for itself ---->  claimed
 *   open     -- nothing refreshes it for the timeout ------------>  unknown
 *   claimed  -- none comes for the timeout ---------------------->  unknown
 *
 * While it is claimed, what leaves for that remote has another port: this is what Linux does with
 * "masquerade" and an INPUT chain that accepts. The claim is a flow of conntrack's, and two flows
 * may not have the same addresses and ports. Linux is sticky too: as long as the flow that moved
 * is the latest one of its socket, others follow it to the new port.
 *
 * Two things are coarser than conntrack. Where filtering is wider than a whole remote, flows within
 * that width are one. And the longer timeout holds from the first answer on; conntrack wants a flow
 * that is still used two seconds later.
 *
 * Full: natmap.h; a datagram that would need one more entry is dropped as SIM_NAT_FULL. One that
 * would need a port where none is left, or a block where none is left, as SIM_NAT_NO_PORT.
 *
 * Source: RFC 4787 (the names of what boxes do), RFC 6888 (carriers' boxes).
 */
#ifndef SIM_NATBOX_H
#define SIM_NATBOX_H

#include <omerta/lru.h>
#include <omerta/prng.h>

#include "natmap.h"

enum { SIM_NAT_HOSTS_MAX = 4096, SIM_TTL = 64 };

/* How a new mapping comes to its port. One that is taken is passed over. */
enum sim_nat_ports {
    SIM_NAT_PRESERVE, /* the inside's own; taken: a random one */
    SIM_NAT_STRIDE,   /* so many after the last one */
    SIM_NAT_RANDOM,
    SIM_NAT_BLOCK /* random in a block, of which every inside address has one */
};

enum sim_nat_refresh { SIM_NAT_BY_BOTH, SIM_NAT_BY_OUT, SIM_NAT_BY_IN };

/* Zeroed are a full cone's scopes; sim_nat_model_default() is a whole one. */
struct sim_nat_model {
    enum sim_nat_scope mapping, filtering;
    enum sim_nat_ports ports;
    unsigned stride;      /* of SIM_NAT_STRIDE; 1: the next port */
    unsigned block;       /* ports per inside address, of SIM_NAT_BLOCK */
    uint16_t first, last; /* outside ports */
    bool is_exclusive;    /* one mapping per port; else two may share it towards other remotes */
    bool is_sticky;       /* a new flow has the port of the latest one of its socket, if it can */
    bool is_hairpin;      /* the inside may use outside addresses */
    bool is_claiming;     /* what comes unasked is the box's own; else it is dropped */
    bool is_blocked;      /* no UDP passes */
    enum sim_nat_refresh refresh;
    om_time timeout;  /* without an answer so far */
    om_time answered; /* with one */
    unsigned entries; /* bound of natmap.h */
};

enum sim_nat_answer {
    SIM_NAT_OUT, /* goes on outside */
    SIM_NAT_IN,  /* goes on inside */
    SIM_NAT_BLOCKED,
    SIM_NAT_NO_HAIRPIN,
    SIM_NAT_EXPIRED, /* its TTL */
    SIM_NAT_FULL,
    SIM_NAT_NO_PORT,
    SIM_NAT_UNKNOWN,  /* no mapping has that port */
    SIM_NAT_FILTERED, /* one has, but not for this remote */
    SIM_NAT_CLAIMED,  /* the box took it */
    SIM_NAT_ANSWERS
};

/* As much of a datagram as a NAT sees. */
struct sim_nat_packet {
    struct om_addr from, to;
    unsigned ttl;
};

/* Read freely; write only through sim_natbox_*(). */
struct sim_natbox {
    struct sim_nat_model model;
    struct om_addr outside; /* its port is 0 */
    struct om_prng prng;
    struct sim_natmap map;
    struct om_lru blocks;         /* IP -> its block; none is ever taken away */
    unsigned block_first, cursor; /* of blocks; of SIM_NAT_STRIDE */
    uint64_t counts[SIM_NAT_ANSWERS];
};

/** sim_nat_model_default() - a full cone: ports 1024 up, 30 s, 120 s once answered. */
struct sim_nat_model sim_nat_model_default(void);

/**
 * sim_natbox_init() - a box that has seen nothing
 * @b:        storage
 * @m:        copied; a range, a block that fits into it, timeouts
 * @outside:  its outside address; the port does not matter
 * @seed:     decides its ports
 */
void sim_natbox_init(struct sim_natbox *b, const struct sim_nat_model *m,
                     const struct om_addr *outside, uint64_t seed);

/** sim_natbox_fini() - release the memory of @b. */
void sim_natbox_fini(struct sim_natbox *b);

/** sim_natbox_flush() - @b forgets its mappings and claims, as after a restart. */
void sim_natbox_flush(struct sim_natbox *b);

/** sim_natbox_is_outside() - true when @a has the outside IP of @b. */
bool sim_natbox_is_outside(const struct sim_natbox *b, const struct om_addr *a);

/**
 * sim_natbox_outbound() - a datagram from the inside
 * @b:    the box
 * @now:  not before that of any earlier call
 * @p:    rewritten when it goes on
 *
 * Return: SIM_NAT_OUT, SIM_NAT_IN for one that turned round, or why it was dropped.
 */
enum sim_nat_answer sim_natbox_outbound(struct sim_natbox *b, om_time now,
                                        struct sim_nat_packet *p);

/**
 * sim_natbox_inbound() - a datagram from the outside, to the outside IP
 * @b:    the box
 * @now:  not before that of any earlier call
 * @p:    rewritten when it goes on
 *
 * Return: SIM_NAT_IN, or why it was dropped.
 */
enum sim_nat_answer sim_natbox_inbound(struct sim_natbox *b, om_time now, struct sim_nat_packet *p);

/**
 * sim_natbox_peek() - who would get a datagram from the outside, without its being one
 * @b:    the box
 * @p:    the datagram
 * @out:  receives the inside endpoint
 *
 * Return: false for nobody. What has ended since the last datagram counts as there, and claims do
 * not count.
 */
bool sim_natbox_peek(const struct sim_natbox *b, const struct sim_nat_packet *p,
                     struct om_addr *out);

/** sim_nat_answer_name() - @a in a word. */
const char *sim_nat_answer_name(enum sim_nat_answer a);

#endif
