/*
 * herd.h - thousands of gossip machines without nodes under them
 *
 * What:  om_gossip machines, one queue of what is under way between them, virtual time. PUSH is a
 *        datagram that may be lost; CALL is answered or times out; who has no live key with the
 *        other pays a handshake first, in time and in bytes.
 * Why:   gossip must hold at ten thousand nodes, and whole nodes (crowd.h) are too large for that.
 *
 * Bytes are counted where they leave, headers of IP and UDP included, by the sizes below.
 */
#ifndef SIM_HERD_H
#define SIM_HERD_H

#include <omerta/lru.h>
#include <omerta/prng.h>

#include "gossip/gossip.h"

enum {
    HERD_DATAGRAM = 28 + 28,              /* seal; IP and UDP */
    HERD_PUSH_HEAD = 3 + 1 + 9,           /* frame and name of the channel */
    HERD_ACK = HERD_DATAGRAM + 31,        /* one a push, one for two packets of a call */
    HERD_CALL_JSON = 60,                  /* around the blob, each way */
    HERD_PACKET = 1150,                   /* bytes of a stream in one packet */
    HERD_STREAM_HEAD = 16,                /* of each */
    HERD_HANDSHAKE_SIDE = 512 + 28,       /* msg1 or msg2 */
    HERD_CONFIRM = HERD_DATAGRAM + 9 + 3, /* what confirms it: PING */
    HERD_KEY_LIFE_S = 120                 /* then the next packet makes a new key */
};

/* What a member does that it should not. */
enum herd_vice {
    HERD_HONEST,
    HERD_SILENT, /* takes rumours and tells none, answers no call */
    HERD_LIAR    /* floods anybody with forged, old, oversized, future news, and forges answers */
};

struct herd_node {
    struct om_gossip *g; /* NULL: down */
    struct om_identity self;
    struct om_addr addr;
    unsigned side; /* of a partition */
    enum herd_vice vice;
    unsigned life; /* counts starts: what was under way to an earlier life is lost */
    om_time tick_at;
    uint64_t bytes_out, handshakes, datagrams, calls;
    uint64_t changed; /* records reported as new */
    uint64_t items;   /* of subscribed channels */
    uint64_t sought, found;
    uint64_t told_twice;   /* rumours about the watched record, beyond the first round of telling */
    om_time told_at;       /* when it first told the watched record on */
    uint64_t has_sequence; /* of the watched record, by CHANGED or told to it */
};

struct herd_event;

struct sim_herd {
    struct herd_node *nodes;
    unsigned count;
    struct om_id network;
    struct om_prng prng;
    om_time now;
    struct herd_event *heap;
    unsigned queued, room;
    uint64_t order;
    struct om_lru keys; /* pair -> when the two agreed on a key */
    unsigned records_max;
    double loss;
    unsigned watched; /* whose record is followed; == count: nobody's */
    uint64_t watched_after;
    bool members_only;   /* only keys of the herd are members */
    struct om_lru index; /* id -> number of the node + 1 */
    uint64_t lies, lost, calls_failed;
};

/**
 * sim_herd_init() - a herd, all down
 * @h:            storage
 * @seed:         of everything
 * @count:        nodes
 * @records_max:  of each store; 0: the default
 */
void sim_herd_init(struct sim_herd *h, uint64_t seed, unsigned count, unsigned records_max);

/** sim_herd_fini() - release @h. */
void sim_herd_fini(struct sim_herd *h);

/** sim_herd_up() - start node @i of @h, which knows nobody. */
void sim_herd_up(struct sim_herd *h, unsigned i);

/** sim_herd_down() - stop node @i of @h at once. */
void sim_herd_down(struct sim_herd *h, unsigned i);

/** sim_herd_meet() - node @i of @h makes a session with @j, as one bootstraps. */
void sim_herd_meet(struct sim_herd *h, unsigned i, unsigned j);

/** sim_herd_any() - a node of @h that is up, honest, not @i, and on its side if there is an @i. */
unsigned sim_herd_any(struct sim_herd *h, unsigned i);

/** sim_herd_gather() - start all of @h, @every apart; each meets one that is there before it. */
void sim_herd_gather(struct sim_herd *h, om_time every);

/**
 * sim_herd_preload() - start all of @h as if they had long gossiped
 * @h:     the herd
 * @over:  they start evenly over this time, so that renewals do not come all at once
 *
 * Each is given what its store would keep: the nearest keys and as many others at random.
 */
void sim_herd_preload(struct sim_herd *h, om_time over);

/** sim_herd_run() - let @h live until @until. */
void sim_herd_run(struct sim_herd *h, om_time until);

/** sim_herd_move() - node @i of @h has another address, and says so. */
void sim_herd_move(struct sim_herd *h, unsigned i);

/** sim_herd_seek() - node @i of @h looks for @j; false when it may not ask now. */
bool sim_herd_seek(struct sim_herd *h, unsigned i, unsigned j);

/** sim_herd_watch() - follow the next record of node @i of @h. */
void sim_herd_watch(struct sim_herd *h, unsigned i);

/** sim_herd_aware() - honest nodes of @h that are up and have heard of the watched record. */
unsigned sim_herd_aware(const struct sim_herd *h);

/** sim_herd_alive() - honest nodes of @h that are up. */
unsigned sim_herd_alive(const struct sim_herd *h);

/** sim_herd_known() - of the @h nodes that are up, how many does the store of @i hold? */
unsigned sim_herd_known(const struct sim_herd *h, unsigned i);

/** sim_herd_bytes() - what all honest nodes of @h have sent. */
uint64_t sim_herd_bytes(const struct sim_herd *h);

/** sim_herd_drops() - what honest nodes of @h dropped for @why. */
uint64_t sim_herd_drops(const struct sim_herd *h, enum om_gossip_drop why);

#endif
