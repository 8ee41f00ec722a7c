/*
 * actor.h - who lives in a world: nodes, which run the product's code, and attackers
 *
 * What:  makes a node as a driver would, gives it what arrives, carries out its actions, and
 *        keeps for it what it asks to be kept on disk.
 * Why:   this is the whole driver: what a host does with sockets and clocks, without them.
 * Keeps: actor_restart_recalls_what_was_kept; actor_clocks_differ.
 */
#ifndef SIM_ACTOR_H
#define SIM_ACTOR_H

#include <omerta/info.h>
#include <omerta/rotate.h>

#include "world.h"

enum {
    SIM_KEPT_MAX = 8192, /* values kept for a node; then the world is broken */
    SIM_TEXT_HEAD = 18   /* sequence, time sent, length: before the text of a datagram */
};

/* What a node of a closed network has to show. */
enum sim_cert {
    SIM_CERT_NONE,
    SIM_CERT_MEMBER,
    SIM_CERT_RELAY,   /* who may carry lanes of others */
    SIM_CERT_ADMIN,   /* and it answers those who join */
    SIM_CERT_EXPIRED, /* 10 days ago */
    SIM_CERT_OLD,     /* it has been for too long to be renewed */
    SIM_CERT_LINK,    /* it is not in yet */
    SIM_CERT_OPEN,    /* none, and it takes the network for an open one */
    /* It is a member, and shows instead what does not hold: */
    SIM_CERT_ALIEN,    /* of an admin whom another authority made one */
    SIM_CERT_BYMEMBER, /* of a member who is no admin */
    SIM_CERT_NORIGHT,  /* of an admin without the right */
    SIM_CERT_CHAIN,    /* of an admin whom an admin made one */
    SIM_CERT_STOLEN,   /* another's */
    SIM_CERT_COUNT
};

/* What a node is made of; zeroed is a plain member of the first network. */
struct sim_node_spec {
    unsigned networks[SIM_NETWORKS_MAX]; /* indices into sim_world.networks */
    unsigned network_count;              /* 0: the first network alone */
    bool wrong_secret;
    enum sim_cert cert;
    bool audit;
    uint8_t ciphers;                  /* 0: all that the machine has */
    uint8_t version_min, version_max; /* 0: the product's */
    enum om_congestion congestion;
    bool gossip;    /* in every network, announcing its address */
    bool relays;    /* carries lanes of others, and says so */
    bool remembers; /* what it hears by gossip, over a restart */
    unsigned records;
    om_time skew;                  /* of the calendar */
    om_time rekey;                 /* initiator's; the other key times follow; 0: default */
    uint64_t packets;              /* per key; 0: the cipher's limit */
    unsigned load, peers, indices; /* limits; 0: default */
    uint64_t carry_bits;           /* per second, that it carries on a lane; 0: default */
    unsigned lanes;                /* that it carries; likewise */
    unsigned offer;                /* most bytes of a handshake in an offer; likewise */
    unsigned router;               /* it is behind, counted from 1; 0: behind none */
};

/* What a node told of the epochs of its closed network; of several the last. */
struct sim_epochs {
    struct om_id network;
    uint32_t number;
    uint8_t secret[32];
    size_t len; /* 0: nothing */
    uint8_t kept[OM_EPOCHS_KEPT_MAX];
};

struct sim_actor {
    struct sim_world *world;
    char name[SIM_NAME_MAX + 1];
    unsigned index;
    bool is_attacker;
    bool is_insider;           /* an attacker that knows the secrets */
    bool is_let_in;            /* by a link, in this life */
    unsigned join_why;         /* enum om_join_why: of the last refusal */
    struct sim_epochs epochs;  /* on its disk */
    bool is_isolated;          /* cut off from everybody */
    unsigned lan;              /* segment, from 1; 0: on none */
    struct sim_router *router; /* it is behind; NULL: public */
    struct om_addr addr;
    struct sim_sockets *sockets;   /* owned; NULL: none but that of addr */
    const struct sim_actor *alibi; /* its handshakes to @misled claim to come from there (lie.h) */
    const struct sim_actor *misled;
    unsigned moves;
    unsigned lies;         /* told of its address: so many of its ports were named (lie.h) */
    struct sim_pair *last; /* that was asked for; the next is most often the same */
    struct sim_node_spec spec;
    uint8_t home_seed[32];
    unsigned keys;                      /* home seeds drawn so far */
    struct om_id ids[SIM_NETWORKS_MAX]; /* keys that follow from it, zero until asked for */
    struct om_prng prng;
    struct om_node *node; /* NULL: down, or an attacker */
    struct om_log log;
    om_time offset; /* of the node's monotonic clock */
    struct om_timer timer;
    om_time ticks_from; /* since when they are counted, and how many there were */
    unsigned ticks;
    struct om_act_remember *kept; /* owned */
    unsigned kept_count, kept_cap;
    struct sim_memory *memory;              /* owned; NULL: nothing was heard that is remembered */
    uint64_t records, items, found, sought; /* what gossip reported; seeks that found, that ended */
    char item[32];                          /* the last item, as text */
    unsigned messages, receipts[4];         /* by enum om_receipt */
    struct om_act_message mail;             /* the last that came, without its bytes */
    char mail_text[32];
    struct om_act_status status; /* the last answer to om_node_status() */
    unsigned statuses, probes;
    struct om_health_result probe;   /* of the last om_node_probe() */
    uint64_t out_bytes;              /* put on the wire, headers of IP and UDP included */
    uint64_t heard, heard_bytes;     /* datagrams an attacker received */
    uint64_t events[OM_EVENT_COUNT]; /* noted by the node, about whomever */
};

/**
 * sim_node_add() - a node, started
 * @w:     the world
 * @name:  unused so far
 * @spec:  copied; NULL for a plain one
 *
 * Return: the actor, owned by the world; NULL breaks the world, which says why.
 */
struct sim_actor *sim_node_add(struct sim_world *w, const char *name,
                               const struct sim_node_spec *spec);

/** sim_attacker_add() - an attacker @name in @w with an address; an @insider knows the secrets. */
struct sim_actor *sim_attacker_add(struct sim_world *w, const char *name, bool insider);

/** sim_actor_free() - release @a; worlds do it. */
void sim_actor_free(struct sim_actor *a);

/** sim_actor_behind() - @a has an address inside @r, or a public one when that is NULL. */
void sim_actor_behind(struct sim_actor *a, struct sim_router *r);

/** sim_actor_settle() - give @a, which has none or leaves its old one, its next address. */
void sim_actor_settle(struct sim_actor *a);

/** sim_node_draw_home() - give @a, which is down, another home seed, so other keys. */
void sim_node_draw_home(struct sim_actor *a);

/** sim_node_boot() - start @a, which is down, with what was kept; false breaks the world. */
bool sim_node_boot(struct sim_actor *a);

/** sim_node_halt() - stop @a as a crash does: its node gets no chance to say anything. */
void sim_node_halt(struct sim_actor *a);

/** sim_node_clock() - what @a's monotonic clock shows now. */
om_time sim_node_clock(const struct sim_actor *a);

/** sim_node_wall() - what @a's calendar shows now. */
struct om_wall sim_node_wall(const struct sim_actor *a);

/**
 * sim_node_arrive() - give a node datagrams
 * @a:      a node that is up
 * @batch:  opened in place
 * @count:  how many
 */
void sim_node_arrive(struct sim_actor *a, struct om_dgram *batch, unsigned count);

/** sim_node_announce() - @a's node, which gossips, says where it is and that it is called @name. */
void sim_node_announce(struct sim_actor *a, const char *name);

/** sim_node_where() - tell @a's node its address, and as near what all can reach, which 10.0.0.0/8
 *  is here, and what is behind the same box. */
void sim_node_where(struct sim_actor *a);

/** sim_node_hello() - @a's node, which is on a segment, announces itself there; or no longer. */
void sim_node_hello(struct sim_actor *a);

/** sim_node_drain() - carry out what @a's node asks for, and set its timer. */
void sim_node_drain(struct sim_actor *a);

/**
 * sim_common_network() - where two nodes meet
 * @a:  a node
 * @b:  another
 *
 * Return: the first network of @a that @b is in too; else @a's first.
 */
const struct sim_network *sim_common_network(const struct sim_actor *a, const struct sim_actor *b);

/** sim_actor_id() - the key of @a in network @n, up or down, member or not; lent. */
const struct om_id *sim_actor_id(struct sim_actor *a, const struct sim_network *n);

#endif
