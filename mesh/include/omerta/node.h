/*
 * node.h - one node of the mesh, without I/O
 *
 * What:  keys, sessions and peers behind four verbs: datagrams and time go in, actions come out.
 * Why:   mesh/host drives one with real sockets, tests/sim thousands in virtual time; what the
 *        simulator shows is true of the product because it is the same code.
 * Keeps: node_same_seed_same_bytes; node_silent_to_strangers; node_audit_refuses_plaintext;
 *        node_audit_refuses_what_no_hop_wrote;
 *        network_default_matches_independent_figures; node_leave_says_goodbye_and_forgets;
 *        node_leave_leaves_other_networks_alone; node_id_ahead_is_that_of_joining;
 *        node_trim_gives_back_a_burst.
 *
 * A driver: give datagrams to om_node_input(), call om_node_tick() when om_node_deadline() is
 * reached, and after each of these (and after each request) drain om_node_next(). Memory lent
 * to the node by om_node_input() must stay until then.
 */
#ifndef OMERTA_NODE_H
#define OMERTA_NODE_H

#include <omerta/act.h>
#include <omerta/buf.h>
#include <omerta/drop.h>
#include <omerta/limits.h>
#include <omerta/log.h>
#include <omerta/member.h>
#include <omerta/rng.h>

struct om_node;

enum {
    OM_NETWORKS_MAX = 16,
    OM_PINS_MAX = 8,       /* keys of a direct network */
    OM_ENDPOINTS_MAX = 8,  /* per peer, given to om_node_connect() */
    OM_WAITING_MAX = 64,   /* datagrams per peer that wait to leave; then the oldest goes */
    OM_DGRAM_MAX = 1200,   /* UDP payload of data until a path proves more (PROTOCOL 5) */
    OM_WIDE_MAX = 256,     /* datagrams larger than OM_BLOCK_BYTES, beside those of the pool */
    OM_BLOCK_BYTES = 2048, /* smallest block of the datagram pool given to om_node_new() */
    OM_VERSION = 1
};

#define OM_CHANNEL_OURS "om." /* channels whose names begin so are the node's own */

/* Congestion control of everything the node sends. */
enum om_congestion { OM_CONGESTION_BBR, OM_CONGESTION_CUBIC };

struct om_node_config {
    const uint8_t *home_seed; /* 32 secret bytes (PROTOCOL 1); copied */
    struct om_rng rng;        /* secret randomness */
    struct om_pool *pool;     /* for outgoing datagrams; borrowed for the node's life */
    struct om_log *log;       /* borrowed; may be NULL */
    struct om_wall wall;      /* calendar time at creation */
    struct om_limits limits;
    uint8_t ciphers;     /* offered: 1 ChaCha, 2 AES; 0 = all that this machine has */
    uint8_t version_min; /* 0 = OM_VERSION */
    uint8_t version_max; /* 0 = OM_VERSION */
    enum om_congestion congestion;
    bool lock_secrets; /* keep keys in locked memory where limits allow */
    bool audit;        /* verify every outgoing datagram before it leaves */
};

/* Who may take part in a direct network (PROTOCOL 7): these keys, and the first few others. */
struct om_pins {
    bool is_on;     /* else everybody whose credential holds */
    unsigned count; /* of keys; with left at most OM_PINS_MAX */
    unsigned left;  /* keys that become pins by completing a handshake before any others do */
    struct om_id key[OM_PINS_MAX];
};

struct om_network_config {
    struct om_id id;
    bool open;          /* bare keys are members (open, direct and default networks) */
    uint32_t epoch;     /* number of the current epoch */
    uint8_t secret[32]; /* its secret; copied */
    bool gossip;        /* know its members, and be known to them (omerta/gossip.h) */
    /* Of a closed network alone (omerta/member.h): */
    struct om_id authority;     /* whose signature makes a member */
    struct om_cert_chain chain; /* ours; copied; empty: none yet */
    struct om_pins pins;
};

/**
 * om_network_default() - the built-in network `default`, which all who know this text can be in
 * @out:  filled: open, with gossip, epoch 0; its secret is published, so it hides nothing
 *
 * Source: PROTOCOL section 7, Network `default`.
 */
void om_network_default(struct om_network_config *out);

/**
 * om_node_new() - a node that is in no network yet
 * @out:     receives the node, owned by the caller
 * @config:  borrowed for the call, except what its fields say
 * @now:     the driver's monotonic clock
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_NO_MEM, OM_E_RANGE for a pool whose blocks are too small, or OM_E_CRYPTO
 * when a cipher fails its self-check.
 */
OM_MUST enum om_err om_node_new(struct om_node **out, const struct om_node_config *config,
                                om_time now, struct om_error *err);

/** om_node_free() - wipe and release @n and every datagram it still holds; NULL is fine. */
void om_node_free(struct om_node *n);

/**
 * om_node_set_wall() - calendar time, again whenever it was stepped
 * @n:     the node
 * @now:   monotonic time of the reading
 * @wall:  the reading
 */
void om_node_set_wall(struct om_node *n, om_time now, struct om_wall wall);

/**
 * om_node_join() - take part in a network
 * @n:       the node
 * @config:  borrowed; the secret is copied and derived from at once
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_EXISTS, OM_E_FULL at OM_NETWORKS_MAX, OM_E_NO_MEM, OM_E_CRYPTO for a
 * certificate that is not this node's.
 */
OM_MUST enum om_err om_node_join(struct om_node *n, const struct om_network_config *config,
                                 struct om_error *err);

/**
 * om_node_leave() - say goodbye to everybody in a network, and forget it and its keys
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 *
 * Calls with its peers end as if the peers had gone. Of its peers only their timestamps stay
 * remembered: whoever joins again has the same key, and old handshakes must not work then.
 *
 * Return: OM_OK or OM_E_MISSING.
 */
OM_MUST enum om_err om_node_leave(struct om_node *n, om_time now, const struct om_id *network);

/** om_node_set_pins() - from now on @pins say who may take part in @network of @n; sessions that
 *  stand stay. Return: OM_OK, OM_E_MISSING, OM_E_RANGE for more than OM_PINS_MAX. */
OM_MUST enum om_err om_node_set_pins(struct om_node *n, const struct om_id *network,
                                     const struct om_pins *pins);

/** om_node_pins() - the pins of @network of @n by now into @out. Return: OM_OK or OM_E_MISSING. */
OM_MUST enum om_err om_node_pins(const struct om_node *n, const struct om_id *network,
                                 struct om_pins *out);

/**
 * om_node_epoch() - make another secret current in a network; the present one becomes previous
 * @n:        the node
 * @now:      time; the previous epoch is accepted for 10 more minutes (PROTOCOL 3, Epochs)
 * @network:  one that was joined
 * @number:   greater than the present one
 * @secret:   32 bytes, copied
 *
 * Return: OM_OK, OM_E_MISSING for an unknown network, OM_E_STATE for a closed one (rotate.h),
 * OM_E_RANGE for a number not greater.
 */
OM_MUST enum om_err om_node_epoch(struct om_node *n, om_time now, const struct om_id *network,
                                  uint32_t number, const uint8_t secret[static 32]);

/**
 * om_node_set_relay() - carry datagrams between peers that cannot meet, or no longer
 * @n:         the node; a new one relays for nobody
 * @now:       time
 * @is_relay:  the lanes of others close when it is false
 *
 * Others learn of it by our record: om_announce.relays of omerta/gossip.h. In a closed network
 * whoever has not the role of a relay (omerta/member.h) refuses lanes all the same.
 */
void om_node_set_relay(struct om_node *n, om_time now, bool is_relay);

/**
 * om_node_id() - the key this node shows in a network; a different one in each
 * @n:        the node
 * @network:  network id
 *
 * Return: the peer id, lent for the node's life, or NULL for an unknown network.
 */
const struct om_id *om_node_id(const struct om_node *n, const struct om_id *network);

/** om_node_id_ahead() - the key that @n shows, or would show if it joined @network, into @out.
 *  Return: OM_OK, or OM_E_CRYPTO for a network in which it can have none. */
OM_MUST enum om_err om_node_id_ahead(const struct om_node *n, const struct om_id *network,
                                     struct om_id *out);

/**
 * om_node_connect() - know a peer's endpoints and hold a session with it
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @peer:     its key in that network
 * @ends:     where it may be reached, best first; copied
 * @count:    0 to OM_ENDPOINTS_MAX; 0 keeps what is known
 *
 * The first initiation goes to every endpoint; retransmissions take them in turn, at last once
 * a minute, until a session stands.
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_RANGE (our own key, one that is no key, or that the pins of the
 * network do not let in), OM_E_FULL.
 */
OM_MUST enum om_err om_node_connect(struct om_node *n, om_time now, const struct om_id *network,
                                    const struct om_id *peer, const struct om_addr *ends,
                                    unsigned count);

/**
 * om_node_send() - one unreliable datagram on a named channel
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @peer:     a peer that was connected or has connected
 * @channel:  1 to OM_CHANNEL_MAX bytes
 * @data:     at most om_node_send_max(@channel) bytes; copied
 *
 * Without a session it waits (OM_WAITING_MAX, then the oldest is dropped) and one is made; it waits
 * as long as the path takes no more, too. om_node_peer_info() tells how many wait.
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_RANGE, OM_E_NO_ROUTE for a peer without endpoint,
 * OM_E_BUSY when no datagram buffer is free, or, without a session, less than a quarter of them.
 */
OM_MUST enum om_err om_node_send(struct om_node *n, om_time now, const struct om_id *network,
                                 const struct om_id *peer, const char *channel,
                                 struct om_bytes data);

/**
 * om_node_keep() - shall the way to a peer stay open while nothing is said?
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @peer:     one that was connected or has connected
 * @is_kept:  a session is held with it, and its direct way kept as the NATs between need; false:
 *            no longer
 *
 * Relays that are warm and peers with open calls are kept without being asked. The next
 * om_node_close() ends it, too.
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_NO_ROUTE for a peer without endpoint.
 */
OM_MUST enum om_err om_node_keep(struct om_node *n, om_time now, const struct om_id *network,
                                 const struct om_id *peer, bool is_kept);

/** om_node_send_max() - greatest data, in bytes, that om_node_send() takes on @channel. */
size_t om_node_send_max(const char *channel);

/**
 * om_node_ping() - ask a peer for a PONG; answered by OM_ACT_PONG
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @peer:     a peer with or without a session (without, one is made first)
 * @token:    comes back in the answer
 *
 * Return: as om_node_send().
 */
OM_MUST enum om_err om_node_ping(struct om_node *n, om_time now, const struct om_id *network,
                                 const struct om_id *peer, uint64_t token);

/**
 * om_node_close() - say goodbye and forget every key shared with a peer
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @peer:     a known peer
 * @code:     PROTOCOL section 4, Codes
 * @text:     for the other side's log; may be NULL; cut at 100 bytes
 *
 * Return: OM_OK or OM_E_MISSING.
 */
OM_MUST enum om_err om_node_close(struct om_node *n, om_time now, const struct om_id *network,
                                  const struct om_id *peer, uint32_t code, const char *text);

/**
 * om_node_recall() - give back after a restart what OM_ACT_REMEMBER asked to keep
 * @n:  the node, before its first om_node_connect() and om_node_input()
 * @r:  one remembered value
 *
 * Return: OM_OK, OM_E_MISSING for a network not joined, OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_recall(struct om_node *n, const struct om_act_remember *r);

/**
 * om_node_input() - datagrams arrived
 * @n:      the node
 * @now:    time
 * @batch:  opened in place; the memory stays the caller's but must live until om_node_next() is
 *          drained
 * @count:  how many
 */
void om_node_input(struct om_node *n, om_time now, struct om_dgram *batch, unsigned count);

/** om_node_tick() - let timers of @n fire that are due at @now. */
void om_node_tick(struct om_node *n, om_time now);

/**
 * om_node_next() - the next action
 * @n:    the node
 * @out:  filled when there is one
 *
 * Return: false when nothing is left to do.
 */
bool om_node_next(struct om_node *n, struct om_act *out);

/**
 * om_node_hop() - a router said that a datagram came to its end there (ICMP: time exceeded)
 * @n:       the node
 * @now:     when
 * @ttl:     of the OM_ACT_SEND; the driver knows the datagram as one that it sent with it
 * @router:  who says so, which anybody on the way can forge; its port is not read
 *
 * What no router says (a TTL of 0 or above 255, an address that is nobody's) is counted and
 * ignored.
 */
void om_node_hop(struct om_node *n, om_time now, unsigned ttl, const struct om_addr *router);

/**
 * om_node_refused() - the system would not send a datagram of that size (EMSGSIZE)
 * @n:      the node
 * @now:    when
 * @via:    of its OM_ACT_SEND
 * @bytes:  of the datagram
 */
void om_node_refused(struct om_node *n, om_time now, const struct om_via *via, size_t bytes);

/** om_node_deadline() - when @n wants om_node_tick(); OM_NEVER when nothing is pending. */
om_time om_node_deadline(const struct om_node *n);

/**
 * om_node_trim() - give back the memory that was not needed since the last call
 * @n:  the node; its pool is the driver's own to trim
 *
 * What a burst of datagrams took is otherwise kept for the next one. A driver calls this now and
 * then, as seldom as a burst may come again: after two calls at rest nothing of it is left.
 */
void om_node_trim(struct om_node *n);

/** om_node_sent() - give datagram @s of an OM_ACT_SEND back to @n, sent or not. */
void om_node_sent(struct om_node *n, struct om_sealed *s);

#endif
