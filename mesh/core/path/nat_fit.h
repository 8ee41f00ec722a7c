/*
 * nat_fit.h - what kind of port translation explains what others saw of us
 *
 * What:  fits samples {local socket, destination, address seen} of one family to open, EIM, stride,
 *        block or random; a pure function of them.
 * Why:   whether and how two nodes can meet directly is decided by how their routers choose ports.
 * Keeps: fit_open; fit_eim_many_sockets; fit_stride_up_and_down; fit_stride_skips_and_wraps;
 *        fit_block_and_random; fit_block_knows_reuse; fit_needs_two_witnesses;
 *        fit_counts_one_machine_once; fit_one_liar_changes_nothing; fit_pooled_addresses;
 *        fit_nameless_sockets; where_one_word_waits_for_others.
 *
 * A witness is everybody whose word could be one party's: the same key, or the same address (v6:
 * /64). A fit is believed when two witnesses carry it, and for every one that it had to leave out
 * there are three that agree: a liar can repeat the port that another one saw.
 *
 * Source: RFC 4787 section 4 (mapping behaviour, port assignment, pooling), RFC 5780 section 4.3.
 */
#ifndef OM_PATH_NAT_FIT_H
#define OM_PATH_NAT_FIT_H

#include <omerta/addr.h>
#include <omerta/id.h>
#include <omerta/time.h>

enum {
    OM_NAT_SAMPLES_MAX = 32,
    OM_NAT_HARD_LEAST = 6, /* samples, before ports that differ are given a class */
    OM_NAT_SKIP_MAX = 32,  /* strides that strangers take between two of ours */
    OM_NAT_STRIDE_MAX = 64,
    OM_NAT_BLOCK_MAX = 8192,  /* a wider range counts as random */
    OM_NAT_TRUST_RATIO = 3,   /* witnesses that agree, for each one left out */
    OM_NAT_REUSE_EXPECTED = 3 /* coincidences missed, before ports are taken for exclusive */
};

/* Values are those of the record's "NAT kind" (PROTOCOL section 10). */
enum om_nat_class {
    OM_NAT_UNKNOWN,
    OM_NAT_OPEN,   /* seen as we are */
    OM_NAT_EIM,    /* one port per socket, for every destination */
    OM_NAT_STRIDE, /* the next port is the last plus k, for each new destination */
    OM_NAT_BLOCK,  /* anywhere in first..last */
    OM_NAT_RANDOM, /* anywhere */
    OM_NAT_DEAD,   /* no UDP comes back */
    OM_NAT_CLASS_COUNT
};

/* Is one outside port used towards several destinations at a time? */
enum om_nat_reuse { OM_NAT_REUSE_UNKNOWN, OM_NAT_REUSED, OM_NAT_EXCLUSIVE };

struct om_nat_sample {
    struct om_id peer;    /* who says so */
    struct om_addr local; /* our socket; nameless: no address, and any number for a port */
    struct om_addr to;    /* where we sent */
    struct om_addr seen;  /* where it came from, by the peer's word */
    om_time at;           /* when the first datagram of this flow left */
};

struct om_nat_fit {
    enum om_nat_class class;
    bool is_believed;
    bool is_preserved;   /* the outside port is the local one */
    bool is_per_address; /* ports of one destination share a mapping */
    bool is_pooled;      /* several outside addresses, each with two witnesses */
    bool is_uniform;     /* block: ports look evenly spread */
    uint8_t confidence;  /* 0 to 100 */
    uint8_t samples;     /* used */
    uint8_t outliers;    /* left out */
    uint8_t witnesses;   /* used */
    uint8_t skip;        /* stride: most strides seen between two of ours */
    enum om_nat_reuse reuse;
    int stride;          /* k, negative when ports fall */
    uint16_t last;       /* stride: the newest port */
    uint16_t first_port; /* block: estimated bounds; stride, random: what was seen */
    uint16_t last_port;
    uint8_t outside[16]; /* the outside address with the most witnesses */
};

/**
 * om_nat_fit() - the class that explains @s
 * @out:  zeroed and filled
 * @s:    samples of one family, oldest first
 * @n:    count, at most OM_NAT_SAMPLES_MAX
 */
void om_nat_fit(struct om_nat_fit *out, const struct om_nat_sample *s, unsigned n);

/** om_nat_is_one_party() - can @a and @b be one party's word? The same key, or the same address. */
bool om_nat_is_one_party(const struct om_nat_sample *a, const struct om_nat_sample *b);

/** om_nat_is_nameless() - is @local a socket of which only the driver knows the port? */
bool om_nat_is_nameless(const struct om_addr *local);

/** om_nat_class_name() - "eim", "block" ... for logs and JSON; "unknown" for any other @c. */
const char *om_nat_class_name(enum om_nat_class c);

#endif
