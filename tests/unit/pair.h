/*
 * pair.h - two nodes and a wire between them, for tests that need no world
 *
 * What:  virtual time, 10 ms each way, and a tape of every datagram; a test may look at each
 *        datagram, drop it, or send one of its own.
 * Why:   node tests, fuzzers and benches share one small driver; scenarios use tests/sim.
 */
#ifndef OM_TESTS_PAIR_H
#define OM_TESTS_PAIR_H

#include <omerta/info.h>
#include <omerta/node.h>
#include <omerta/prng.h>

#include "crypto/identity.h"

enum { PAIR_TAPE_MAX = 20480, PAIR_DELAY_MS = 10, PAIR_WALL_MS = 1700000000 };

struct pair_dgram {
    om_time at; /* arrival */
    int to;     /* 0: a, 1: b */
    uint8_t *bytes;
    size_t len;
};

struct pair_side {
    struct om_node *node;
    struct om_id id;
    struct om_addr addr;
    struct om_prng prng;
    uint8_t seed[32];
    unsigned delivered;
    unsigned packets; /* IP packets, the last of so many bytes: */
    size_t packet_bytes;
    char last[64]; /* last datagram delivered, as text */
    unsigned pongs;
    unsigned events[OM_EVENT_COUNT];
    struct om_act_remember clock, peer; /* last remembered values */
    uint8_t drawn[64][32];              /* 32-byte draws from the random source, oldest first */
    unsigned drawn_count;
};

struct pair {
    struct pair_side side[2];
    struct om_id network;
    struct om_pool *pool;
    om_time now;
    struct pair_dgram *tape; /* everything ever sent */
    unsigned sent;           /* on the tape */
    unsigned arrived;        /* delivered so far, in tape order */
    bool (*filter)(struct pair *p, const struct pair_dgram *d); /* false: lost */
    void *filter_arg;
    void (*on_call)(struct pair *p, int side, const struct om_act *act); /* may be NULL */
    void *on_call_arg;
};

struct pair_options {
    uint64_t seed;
    struct om_limits limits;
    uint8_t ciphers[2];
    uint8_t version[2];
    bool audit;
    bool lock_secrets;
    uint32_t epoch[2];      /* number; the secret follows from it and wrong_secret */
    bool wrong_secret;      /* b has another secret under the same network id */
    bool closed;            /* the network is not open: bare keys are no credential */
    struct om_id authority; /* of a closed one */
    struct om_cert_chain chain[2];
    int64_t wall_skew_ms[2];
};

/** pair_defaults() - equal nodes of an open network, all ciphers, audit on. */
struct pair_options pair_defaults(void);

/** pair_identity() - the key that @side will have in the network of a pair; wiped by the caller. */
struct om_identity pair_identity(int side);

/**
 * pair_init() - two nodes that have not met
 * @p:  filled
 * @o:  borrowed
 *
 * Return: false when memory ran out; then everything is released.
 */
bool pair_init(struct pair *p, const struct pair_options *o);

/** pair_fini() - release @p, also after a failed pair_init(). */
void pair_fini(struct pair *p);

/**
 * pair_restart() - a node again after a crash: same seed and address
 * @p:       the pair
 * @side:    0 or 1
 * @o:       its options from now on
 * @recall:  give it back what it asked to remember
 *
 * Return: false when memory ran out.
 */
bool pair_restart(struct pair *p, int side, const struct pair_options *o, bool recall);

/** pair_connect() - in @p, side @from knows the other's address and asks for a session. */
enum om_err pair_connect(struct pair *p, int from);

/** pair_send() - in @p, side @from sends @text to the other. */
enum om_err pair_send(struct pair *p, int from, const char *text);

/** pair_run() - let time pass in @p up to @until. */
void pair_run(struct pair *p, om_time until);

/** pair_inject() - in @p, @len @bytes arrive at @to now, as if from the other side. */
void pair_inject(struct pair *p, int to, const void *bytes, size_t len);

/** pair_inject_from() - in @p, @len @bytes arrive at @to now from the address @from. */
void pair_inject_from(struct pair *p, int to, const struct om_addr *from, const void *bytes,
                      size_t len);

/** pair_peer() - what @side of @p knows of the other. */
struct om_peer_info pair_peer(const struct pair *p, int side);

/** pair_info() - the counters of @side of @p. */
struct om_node_info pair_info(const struct pair *p, int side);

#endif
