/*
 * world.h - a network of nodes in virtual time
 *
 * What:  a clock, one heap of events ordered by time and then by creation, actors (nodes and
 *        attackers) at addresses, and what goes on between each two of them.
 * Why:   the nodes are the product's own code; everything around them is here, moves only by
 *        the clock and one seed, and so any run can be had again.
 * Keeps: world_same_seed_same_trace; world_other_seed_other_trace;
 * world_swallows_unknown_addresses; world_events_keep_their_order.
 *
 * Every node has its own monotonic clock (the virtual time and an offset) and its own calendar
 * (SIM_WALL_MS at the start, and a skew). A datagram to any address passes the link between the
 * two actors; one to an address that nobody has is lost. Whatever a node must never do, whoever
 * watches, ends up in sim_world.broken: deliver a datagram twice, deliver what was not sent, ask
 * for ticks without rest.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <omerta/buf.h>
#include <omerta/node.h>
#include <omerta/prng.h>
#include <omerta/table.h>
#include <omerta/timers.h>

#include "link.h"
#include "pipe.h"
#include "trace.h"

enum {
    SIM_ACTORS_MAX = 16384,
    SIM_NETWORKS_MAX = OM_NETWORKS_MAX,
    SIM_NAME_MAX = 31,
    SIM_EVENTS_MAX = 1 << 20, /* waiting at a time; then the run is broken */
    SIM_STEPS_MAX = 1 << 26,  /* events in a run unless less is set; then it is broken */
    SIM_TICKS_MAX = 10000,    /* of one node; then the run is broken: it does not rest, */
    SIM_TICKS_MS = 100,       /* in so long */
    SIM_POOL_MAX = 1 << 17,   /* datagrams of all nodes */
    SIM_BATCH_MAX = 64,       /* datagrams that arrive together are given to a node together */
    SIM_PAIRS_MAX = 1 << 22,
    SIM_NECKS_MAX = 64, /* pipes */
    SIM_ROUTERS_MAX = 1024,
    SIM_PORT = 18002
};

#define SIM_WALL_MS INT64_C(1795219200000) /* 2026-11-21 00:00 UTC, when every world begins */

struct sim_actor;
struct sim_flight;
struct sim_neck;
struct sim_router;
struct sim_flow;
struct sim_sockets;
struct sim_tape;
struct sim_watch;

struct sim_network {
    char name[SIM_NAME_MAX + 1];
    struct om_id id;
    bool is_open;
    bool is_closed; /* members have certificates (member.h); neither: nobody is one */
    uint32_t epoch; /* that nodes join with */
    struct om_id authority;
    uint8_t authority_seed[32];
    uint32_t said; /* entries of the authority's log, and the hash of the last */
    uint8_t said_last[32];
};

/* What one actor knows and has done about another; the link is the way from the one to the other.
 */
struct sim_pair {
    struct sim_actor *self, *other;
    struct sim_link link;
    struct sim_link_model model; /* unless is_default */
    bool is_default;             /* sim_world.model holds for this pair */
    bool is_cut;
    struct sim_neck *neck;   /* the pipe before the link; NULL: none */
    struct sim_tape *tape;   /* shared by both directions; NULL: not recorded */
    uint64_t sent;           /* datagrams put on the wire to the other */
    uint64_t seq;            /* application datagrams given to the node for the other */
    uint64_t got;            /* application datagrams delivered from the other */
    uint64_t top, depth;     /* greatest sequence delivered; how far behind one came */
    struct sim_watch *watch; /* of what the other sends, owned; NULL: nobody asked */
    uint8_t *seen;           /* bit per sequence, owned */
    size_t seen_bytes;
    struct om_addr came_from;        /* from which the other's last came; port 0: none came */
    om_time rtt;                     /* of the last PONG; 0 none */
    uint64_t events[OM_EVENT_COUNT]; /* that self noted about the other */
};

enum sim_note_kind { SIM_NOTE_DELIVER, SIM_NOTE_PONG, SIM_NOTE_EVENT };

/* Something a reader of the run wants to see. */
struct sim_note {
    enum sim_note_kind kind;
    om_time at;
    struct sim_actor *self, *other; /* other may be NULL */
    const struct om_act *act;
    struct om_bytes text; /* delivered; lent */
    om_time age;          /* since it was sent */
};

struct sim_world {
    uint64_t seed;
    om_time now;
    struct om_timers events;
    uint64_t steps, steps_max; /* events so far, and at most */
    struct om_prng prng;       /* of the links */
    struct om_pool *pool;
    struct sim_flight *spare; /* memory of datagrams that have arrived */
    struct sim_neck *necks[SIM_NECKS_MAX];
    unsigned neck_count;
    struct sim_trace trace;
    struct sim_link_model model; /* between all that have none of their own */
    struct sim_network networks[SIM_NETWORKS_MAX];
    unsigned network_count;
    struct sim_actor **actors; /* in order of creation */
    unsigned actor_count, actor_cap;
    struct om_table by_addr; /* IP and port -> actor */
    struct om_table by_id;   /* public key -> actor; old keys stay */
    struct sim_router *routers[SIM_ROUTERS_MAX];
    unsigned router_count;
    struct om_table by_outside; /* IP -> router */
    unsigned hops;              /* of the public network (router.h) */
    uint64_t expired;           /* datagrams whose TTL ended on the public network */
    struct om_table pairs;      /* two indices -> struct sim_pair */
    struct om_table texts;      /* receiver, sender, hash of text -> count */
    struct sim_flow **flows;    /* owned, in order of creation */
    unsigned flow_count;
    void (*on_note)(void *self, const struct sim_note *note); /* may be NULL */
    void *on_note_self;
    /* A datagram leaves @who for @remote, or came from it to @who; may be NULL. */
    void (*on_wire)(void *self, const struct sim_actor *who, const struct om_addr *remote,
                    bool is_out);
    void *on_wire_self;
    int64_t (*cpu_ns)(void);      /* set to learn what junk costs; NULL: not measured */
    uint64_t junk_count, junk_ns; /* datagrams of attackers that nodes were given, and their cost */
    bool is_verbose;              /* nodes log their debug lines to the trace's file */
    char broken[OM_ERROR_MSG_MAX]; /* the first thing that must never happen; "" is well */
};

/**
 * sim_world_new() - an empty world at time 0
 * @seed:  decides everything that is left to chance
 * @out:   readable lines for every event, or NULL; borrowed
 *
 * Return: the world, owned by the caller; the process ends when memory is out.
 */
struct sim_world *sim_world_new(uint64_t seed, FILE *out);

/** sim_world_free() - release @w and everything in it; NULL is fine. */
void sim_world_free(struct sim_world *w);

/**
 * sim_network_add() - another network; its id and secrets follow from the world's seed and @name
 * @w:      the world
 * @name:   1 to SIM_NAME_MAX characters
 * @open:   bare keys are members
 * @epoch:  that nodes join with
 *
 * Return: the network, or NULL when there are SIM_NETWORKS_MAX.
 */
struct sim_network *sim_network_add(struct sim_world *w, const char *name, bool open,
                                    uint32_t epoch);

/**
 * sim_network_secret() - what members of a network know
 * @w:       the world
 * @n:       the network
 * @epoch:   number
 * @wrong:   a secret that is not it
 * @out:     32 bytes
 */
void sim_network_secret(const struct sim_world *w, const struct sim_network *n, uint32_t epoch,
                        bool wrong, uint8_t out[static 32]);

/** sim_pair() - what @a knows of @b in @w; made when first asked for. */
struct sim_pair *sim_pair(struct sim_world *w, struct sim_actor *a, struct sim_actor *b);

/** sim_pair_model() - the link properties of @p in @w, to be changed for this pair alone. */
struct sim_link_model *sim_pair_model(const struct sim_world *w, struct sim_pair *p);

/** sim_pair_measure() - begin now the window of the meter of @p's link in @w; lends it. */
struct sim_meter *sim_pair_measure(const struct sim_world *w, struct sim_pair *p);

/** sim_actor_at() - who has address @a in @w; NULL for nobody. */
struct sim_actor *sim_actor_at(const struct sim_world *w, const struct om_addr *a);

/** sim_actor_by_id() - whose key @id is or was, in any network of @w; NULL for nobody. */
struct sim_actor *sim_actor_by_id(const struct sim_world *w, const struct om_id *id);

/** sim_actor_named() - the actor called @name in @w; NULL for none. */
struct sim_actor *sim_actor_named(const struct sim_world *w, const char *name);

/** sim_arm() - let @t fire at @at; a full heap breaks @w. */
void sim_arm(struct sim_world *w, struct om_timer *t, om_time at);

/**
 * sim_step() - let the next event happen
 * @w:      the world; its clock moves to the event
 * @until:  what is later stays
 *
 * Return: false when there is none, or the world is broken; the clock has then not moved.
 */
bool sim_step(struct sim_world *w, om_time until);

/** sim_run() - let everything in @w happen up to @until, where the clock then stands. */
void sim_run(struct sim_world *w, om_time until);

/** sim_text_count() - how often @a was delivered exactly @text by @b in @w. */
uint64_t sim_text_count(const struct sim_world *w, const struct sim_actor *a,
                        const struct sim_actor *b, struct om_bytes text);

/** sim_text_note() - count one delivery of @text from @b to @a in @w. */
void sim_text_note(struct sim_world *w, const struct sim_actor *a, const struct sim_actor *b,
                   struct om_bytes text);

/** sim_break() - write down by @fmt what must never happen in @w; the first time counts. */
void sim_break(struct sim_world *w, const char *fmt, ...) OM_PRINTF(2, 3);

/** sim_alloc() - @n zeroed bytes, owned by the caller; ends the process when memory is out. */
void *sim_alloc(size_t n);

#endif
