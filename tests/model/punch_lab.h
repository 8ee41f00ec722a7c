/*
 * punch_lab.h - two punch machines, a NAT or two in front of each, and the links between
 *
 * What:  carries what two machines ask for: words by way of a relay, datagrams through simulated
 *        boxes, with latency, loss and routers that count down the TTL.
 * Why:   whether a plan works is decided by boxes, and these are the simulator's.
 */
#ifndef OM_TESTS_PUNCH_LAB_H
#define OM_TESTS_PUNCH_LAB_H

#include "natbox.h"
#include "natkind.h"
#include "path/nat_share.h"
#include "path/punch.h"

enum {
    LAB_EVENTS_MAX = 4096,
    LAB_SENT_MAX = 8192, /* datagrams of a side in one run */
    LAB_LATENCY_MS = 40,
    LAB_LOSS_PERCENT = 1,
    LAB_HOPS = 4, /* routers between the NATs */
    LAB_TTL = 64,
    LAB_PORT = 40000
};

/* What a kind of box is to those who know it. */
struct lab_sort {
    const char *name, *kind; /* of natkind.h; NULL: no box at all */
    const char *word;        /* and what is different; NULL: nothing */
    const char *outer;       /* another one around it; NULL: none */
    struct om_punch_profile is;
    bool is_hard, is_shared; /* shared: a block of which ports are reused */
};

struct lab_side {
    const struct lab_sort *sort;
    struct om_id key;
    struct sim_natbox box, outer;
    struct om_addr outside; /* port 0 */
    struct om_addr said;    /* where others see its main socket */
    uint32_t inside;
    struct om_punch_profile profile;
    struct om_punch m;
    struct om_reach reach;
    unsigned open, kept; /* sockets beside the main one */
    bool is_closed;      /* all of them but the kept one */
    om_time done;
    om_time sent[LAB_SENT_MAX]; /* when each datagram left */
    unsigned count;
};

struct lab_event {
    om_time at;
    uint64_t order;
    unsigned to; /* side */
    bool is_word;
    struct sim_nat_packet packet;
    struct om_punch_word word;
};

struct lab {
    struct lab_side side[2];
    struct lab_event events[LAB_EVENTS_MAX];
    unsigned count;
    uint64_t order;
    struct om_prng prng;
    om_time now;
    om_time extra[2];   /* how much later words to this side arrive */
    bool has_no_opener; /* openers get lost */
};

/** lab_init() - @l with @a and @b, whose boxes have seen a few datagrams; @seed decides all. */
void lab_init(struct lab *l, const struct lab_sort *a, const struct lab_sort *b, uint64_t seed);

/** lab_fini() - release @l. */
void lab_fini(struct lab *l);

/** lab_know() - side @i of @l knows its box; if @is_vague, neither filter nor hops. */
void lab_know(struct lab *l, unsigned i, bool is_vague);

/** lab_observe() - the profile of side @i of @l by what a dozen peers see of it. */
void lab_observe(struct lab *l, unsigned i);

/** lab_share() - side @i of @l asks four peers from many sockets whether ports are shared. */
void lab_share(struct lab *l, unsigned i);

/** lab_attest() - a relay says to both sides of @l where the other is. */
void lab_attest(struct lab *l);

/** lab_start() - side @i of @l asks for an attempt in @style with @nonce. */
void lab_start(struct lab *l, unsigned i, enum om_punch_style style, uint64_t nonce);

/** lab_run() - @l goes on until @until. */
void lab_run(struct lab *l, om_time until);

/** lab_met() - have both sides of @l the same way, and does it carry both ways? */
bool lab_met(struct lab *l);

#endif
