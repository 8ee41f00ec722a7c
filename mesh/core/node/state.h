/*
 * state.h - the node's parts, shared by the files of this folder and nobody else
 *
 * What:  struct om_node and the functions by which node_*.c hand work to one another.
 * Why:   the node only routes: each part is a machine of its own, and this is where they hang.
 */
#ifndef OM_NODE_STATE_H
#define OM_NODE_STATE_H

#include <omerta/info.h>
#include <omerta/node.h>
#include <omerta/ring.h>
#include <omerta/where.h>

#include "crypto/responder.h"
#include "crypto/sessions.h"
#include "envelope/envelope.h"
#include "gossip/gossip.h"
#include "gossip/hello.h"
#include "network/verified.h"
#include "node/sockets.h"
#include "path/endpoint.h"
#include "path/nat.h"
#include "path/punch_memory.h"
#include "path/punch.h"
#include "path/reach.h"
#include "peer/peers.h"
#include "relay/relay_client.h"
#include "relay/relay_server.h"
#include "service/message.h"
#include "service/probe.h"

enum {
    OM_ACTS_MAX = 4096,          /* actions a driver may leave undrained */
    OM_ACTS_RESERVED = 1024,     /* of them for what must leave, or be remembered */
    OM_STAMP_RESERVE_MS = 60000, /* initiation timestamps reserved on disk at a time */
    OM_STAMP_WRITE_S = 5,        /* write-behind of peers' timestamps */
    OM_STALE_ANSWER_S = 30,      /* between initiations that answer stale ones */
    OM_BACK_MS = 2000,           /* a silence after which a peer that is heard is back */
    OM_STRANDED_S = 1,   /* until a handshake is tried again for which there was no memory */
    OM_LAST_WORD_S = 30, /* that a peer asked for the last time has */
    OM_LATERS_MAX = 256, /* PINGs to be answered later, of all peers */
    OM_LATERS_PER_PEER = 2,
    OM_ELSEWHERE_PER_S = 20,   /* PINGs answered from a socket of their own, of all peers */
    OM_FILTER_PEERS = 4,       /* that are asked for such an answer on one network */
    OM_RESPONSES_PER_S = 1000, /* responses whose curve arithmetic is done; two products each */
    OM_PLAIN_MAX = OM_DGRAM_MAX - OM_OVERHEAD
};

/* Gossip of one network. */
struct node_gossip {
    struct om_node *node;
    struct om_network *net;
    struct om_gossip *gossip;
    struct om_timer timer;
    struct om_announce said; /* what our record says beside our certificates */
    bool has_said;
};

/* Messages of one network. */
struct node_service {
    struct om_node *node;
    struct om_network *net;
    struct om_message message;
    struct om_timer timer;
};

/* A probe of a peer that is under way. */
struct node_probe {
    struct om_node *node;
    struct om_peer *peer;
    struct om_probe run;
    size_t size; /* of each datagram */
    struct om_timer timer;
};

#define OM_PROBE_CHANNEL "om.probe"

struct node_select;
struct node_join;
struct node_ledger;

/* What of one family was asked of far addresses and is unanswered. */
struct node_udp {
    unsigned asked;
    om_time since; /* the first of them */
    bool is_blocked;
};

/* What flows of many sockets told of a block of ports (study.h). */
struct node_shared {
    om_time at; /* 0: not asked yet */
    enum om_nat_reuse reuse;
    uint16_t first_port, last_port;
};

struct node_study;

/* Whose attempt sends much, and who is to be next, each until when at the latest (turn.h). */
struct node_turn {
    const struct om_peer *of, *next; /* NULL: nobody */
    om_time until, next_until;
};

/* Is what we send to our own outside address turned round? One for each family. */
struct node_hairpin {
    struct om_node *node;
    unsigned family;
    bool is_waiting;
    uint8_t token[16]; /* of the datagram that is to come back */
    unsigned sent;     /* since then */
    om_time window;
    struct om_timer timer;
};

/* Where we are. */
struct node_where {
    struct om_where at;
    om_time since;         /* at holds from then on; 0: nobody told yet */
    struct om_nat nats[2]; /* IPv4, IPv6 */
    om_time hops_at[2];    /* when it was last asked how far away they end; 0: not yet */
    om_time studied_at;    /* when the last study ended; 0: none yet on this network */
    struct node_shared shared;
    struct om_endpoints ours; /* what peers are told */
    uint64_t verdicts[OM_ENDPOINT_VERDICTS];
    struct node_udp udp[2];          /* IPv4, IPv6 */
    enum om_nat_class class_told[2]; /* by an event */
};

struct node_later;

/* Answers that are owed. */
struct node_laters {
    struct node_later *all; /* OM_LATERS_MAX; NULL until the first */
    unsigned count;
    struct om_timer timer;
    struct om_bucket elsewhere; /* of those that take a socket */
};

/* Does our NAT let in another port of an address we sent to? */
struct node_filter {
    bool is_waiting;
    bool is_alive; /* the control of this try was answered */
    uint8_t tries, misses, peer_count;
    uint64_t token;                      /* of the question; the control's is one more */
    struct om_id peers[OM_FILTER_PEERS]; /* asked; the last one, if we wait, now */
    struct om_network *net;              /* of that one */
    struct om_via via;                   /* where it is */
    struct om_timer timer;
};

struct om_node {
    struct om_rng rng;
    struct om_prng prng; /* jitter only */
    struct om_pool *pool;
    struct om_pool *wide;  /* owned: for what is larger than its blocks */
    struct om_ring joined; /* of uint8_t *: wholes that came in slices, until the next input */
    struct om_log *log;
    struct om_limits limits;
    struct om_vault *networks_vault;
    struct om_network *networks[OM_NETWORKS_MAX];
    unsigned network_count;
    struct om_vault *seed_vault;
    uint8_t *home_seed;          /* 32 bytes, in seed_vault */
    struct om_vault *handshakes; /* ours; each holds our static key */
    uint8_t sip_key[16];
    struct om_keyring keyring;
    struct om_verified verified;
    struct node_join *joins[OM_NETWORKS_MAX];     /* NULL: nothing to do with joining */
    struct node_ledger *ledgers[OM_NETWORKS_MAX]; /* NULL: of an open network */
    struct om_sessions sessions;
    struct om_peers peers;
    struct om_responder responder;
    struct om_bucket responses; /* to bound what forged ones cost */
    struct om_timers timers;
    struct om_relay relay;                        /* lanes of others */
    struct om_lanes lanes;                        /* ours */
    struct om_timer lane_timer;                   /* of both */
    struct node_select *selects[OM_NETWORKS_MAX]; /* NULL: no relay is known */
    struct om_timer load_timer; /* armed while under load: to say when it is over */
    struct om_ring acts;
    struct node_sockets sockets;
    struct om_wall wall; /* at wall_at */
    om_time wall_at;
    uint64_t stamp_last;     /* our greatest initiation timestamp, ms */
    uint64_t stamp_reserved; /* timestamps below are ours after a restart too */
    const struct om_cc_ops *congestion;
    struct node_service *services[OM_NETWORKS_MAX];
    om_time clock_told; /* that somebody's calendar is not ours; 0: never */
    om_time born_at;
    struct node_gossip *gossips[OM_NETWORKS_MAX]; /* NULL: joined without */
    struct node_hello *hellos[OM_NETWORKS_MAX];   /* NULL: never announced */
    struct om_hello_budget hello_budget;
    struct om_table calls; /* u64 -> struct node_call */
    struct om_list ready;  /* calls whose programs have to be told something */
    uint64_t calls_made;
    uint8_t ciphers, version_min, version_max;
    struct node_where where;
    struct node_study *study;        /* NULL: none is under way */
    struct node_hairpin hairpins[2]; /* IPv4, IPv6 */
    struct node_filter filter;       /* of IPv4 */
    struct om_reach reach;
    struct om_punch_memory punches;
    struct node_turn turn;
    struct om_peer *learners[2]; /* who make trials, by IPv4 and by IPv6; NULL: nobody */
    struct node_laters laters;
    om_time now; /* of the last input or tick, for snapshots */
    bool audit;
    bool lock_secrets;
    struct om_node_info counts;
};

/* node.c */

/** node_network() - the network of @n with @id, or NULL. */
struct om_network *node_network(const struct om_node *n, const struct om_id *id);

/**
 * node_find_reachable() - the peer a program names, when it can be talked to at all; it is in use
 * @n:        the node
 * @network:  network id
 * @id:       peer id
 * @out:      the peer, NULL when it is unknown
 *
 * Return: OM_OK, OM_E_MISSING, or OM_E_NO_ROUTE for a peer without endpoint.
 */
enum om_err node_find_reachable(const struct om_node *n, const struct om_id *network,
                                const struct om_id *id, struct om_peer **out);

/** node_unix_ms() - calendar time of @n at @now, in milliseconds. */
int64_t node_unix_ms(const struct om_node *n, om_time now);

/* node_out.c: actions for the driver */

/** node_drop() - count in @n that something was thrown away, and @why. */
void node_drop(struct om_node *n, enum om_drop why);

/** node_event() - report @e, which happened at @now, to the driver and the log of @n. */
void node_event(struct om_node *n, om_time now, const struct om_event *e);

/** node_act() - a new action of @kind for the driver of @n, lent until the next; NULL when full. */
struct om_act *node_act(struct om_node *n, enum om_act_kind kind);

/** node_plain() - an empty packet from the pool of @n, or NULL. */
struct om_buf *node_plain(struct om_node *n);

/** node_emit_data() - @n sends @d, sealed under @s, over @via; takes @d. */
void node_emit_data(struct om_node *n, struct om_session *s, struct om_sealed *d,
                    const struct om_via *via);

/** node_copy() - the same as @d once more, to be emitted by @n; NULL when memory was out. */
struct om_sealed *node_copy(struct om_node *n, const struct om_sealed *d);

/**
 * node_emit_carried() - send on what others sealed, over a hop of a lane
 * @n:     the node
 * @hop:   that wrote the outer header of @d; NULL: none did, which no audit lets pass
 * @mask:  under which it did
 * @d:     taken
 * @via:   where to
 */
void node_emit_carried(struct om_node *n, const struct om_hop *hop,
                       const uint8_t mask[static OM_MASK_KEY_BYTES], struct om_sealed *d,
                       const struct om_via *via);

/**
 * node_emit_handshake() - make and send a handshake datagram
 * @n:        the node
 * @epoch:    whose outer keys seal it
 * @f:        the fields
 * @bind:     what T is bound to
 * @via:      the path
 * @sent_by:  our initiation, which notes @via and the T; NULL for answers
 *
 * Return: false when it could not be made or queued, which is counted.
 */
bool node_emit_handshake(struct om_node *n, const struct om_epoch *epoch,
                         const struct om_handshake_fields *f, struct om_bytes bind,
                         const struct om_via *via, struct om_handshake *sent_by);

/* node_send.c: packets */

/** node_is_waiting() - does anything but bytes of streams wait to leave for @p? */
bool node_is_waiting(const struct om_peer *p);

/** node_has_output() - is there anything that wants to leave for @p? */
bool node_has_output(const struct om_peer *p);

/** node_flush() - send at @now what waits for @p in @n, or see to a session for it. */
void node_flush(struct om_node *n, om_time now, struct om_peer *p);

/**
 * node_send_datagram() - one datagram on a channel, also on those kept for the node itself
 * @n:        the node
 * @now:      time
 * @p:        reachable
 * @channel:  1 to OM_CHANNEL_MAX bytes
 * @data:     copied
 *
 * Return: OM_OK, OM_E_RANGE, OM_E_BUSY.
 */
enum om_err node_send_datagram(struct om_node *n, om_time now, struct om_peer *p,
                               const char *channel, struct om_bytes data);

/** node_send_frames() - queue @frames of @n for @p at @now and flush; takes @frames. */
void node_send_frames(struct om_node *n, om_time now, struct om_peer *p, struct om_buf *frames);

/**
 * node_send_now() - seal and send a packet of our own making, outside the queue
 * @n:    the node
 * @now:  time
 * @p:    the peer
 * @s:    session to seal with; NULL when none can: then @b is given back
 * @b:    frames; taken; NULL when memory was out, which is counted
 */
void node_send_now(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s,
                   struct om_buf *b);

/** node_send_ping() - @n sends @p a PING under @s at @now, of which nobody wants to hear. */
void node_send_ping(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s);

/** node_send_ack() - @n sends @p the ACK that is owed at @now. */
void node_send_ack(struct om_node *n, om_time now, struct om_peer *p);

/**
 * node_send_over() - as node_send_now(), over a path of the caller's choice, and without an ACK
 * @n:    the node
 * @now:  time
 * @p:    the peer
 * @s:    session to seal with; NULL when none can: then @b is given back
 * @b:    frames; taken; NULL when memory was out, which is counted
 * @via:  the path
 */
void node_send_over(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s,
                    struct om_buf *b, const struct om_via *via);

/** node_send_short() - as node_send_over(), of @n to @p at @now under @s, of @b over @via, to die
 *  after @ttl routers; 0: as usual. */
void node_send_short(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s,
                     struct om_buf *b, const struct om_via *via, uint8_t ttl);

/* node_punch.c: direct ways through NATs */

/** node_punch_run() - @n does at @now what is due to reach @p directly. */
void node_punch_run(struct om_node *n, om_time now, struct om_peer *p);

/** node_punch_all() - @n knows at @now more of its NAT: go on with every peer. */
void node_punch_all(struct om_node *n, om_time now);

/** node_punch_deadline() - when node_punch_run() of @p in @n is due, by what is known @now. */
om_time node_punch_deadline(const struct om_node *n, const struct om_peer *p, om_time now);

/** node_punch_frame() - @p said @f to @n at @now over @via. */
void node_punch_frame(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                      const struct om_frame_punch *f);

/** node_punch_pong() - @p says @pong to @n at @now. Return: true when an attempt waited for it. */
bool node_punch_pong(struct om_node *n, om_time now, struct om_peer *p,
                     const struct om_frame_pong *pong);

/** node_punch_anew() - @p restarted at @now: what was tried with its old life ends. */
void node_punch_anew(struct om_peer *p, om_time now);

/** node_punch_end() - @p of @n goes, or its association: whatever was tried ends. */
void node_punch_end(struct om_node *n, struct om_peer *p);

/* node_path.c: the ways to a peer */

/** node_path_heard() - @n heard @bytes of @p at @now over @via; @is_moving: it may have moved. */
void node_path_heard(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                     size_t bytes, bool is_moving);

/** node_path_confirmed() - the first packet of @p under @s, of @bytes, came at @now over @via. */
void node_path_confirmed(struct om_peer *p, om_time now, const struct om_session *s,
                         const struct om_via *via, size_t bytes);

/** node_path_on_challenge() - @p asked @n at @now over @via for @token back. */
void node_path_on_challenge(struct om_node *n, om_time now, struct om_peer *p,
                            const struct om_via *via, uint64_t token);

/** node_path_on_response() - @p gave @n at @now @token back. */
void node_path_on_response(struct om_node *n, om_time now, struct om_peer *p, uint64_t token);

/** node_path_run() - @n does at @now for the paths of @p what is due. */
void node_path_run(struct om_node *n, om_time now, struct om_peer *p);

/** node_may_reach() - may @n send at @now one datagram over @via, where only somebody's word says
 *  that @p is? It is counted. */
bool node_may_reach(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via);

/**
 * node_path_asked() - a peer asks whether we are there
 * @n:    the node; who only answers owes nothing, and would not find that its own way is dead or
 *        slow: where @p came another way, both are measured
 * @now:  time
 * @p:    who asks
 * @via:  over which way
 *
 * Return: true when @via is proven and not what carries: the answer goes back over it.
 */
bool node_path_asked(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via);

/** node_path_used() - @n is about to send data to @p at @now: the path may change before. */
void node_path_used(struct om_node *n, om_time now, struct om_peer *p);

/** node_path_deadline() - when node_path_run() of @p is due, by what is known @now. */
om_time node_path_deadline(const struct om_peer *p, om_time now);

/* node_where.c: where we are, and peers say they are */

/** node_where_init() - @n knows nothing of where it is. */
void node_where_init(struct om_node *n);

/** node_where_is_near() - is @a on a link of @n, or what the user calls near? */
bool node_where_is_near(const struct om_node *n, const struct om_addr *a);

/** node_where_tell() - @n tells @p at @now its candidates, if those told last were others or were
 *  lost. */
void node_where_tell(struct om_node *n, om_time now, struct om_peer *p);

/** node_where_on_candidates() - @p told @n at @now its candidates, as @body. Return: false when
 *  that is malformed. */
bool node_where_on_candidates(struct om_node *n, om_time now, struct om_peer *p,
                              struct om_bytes body);

/** node_where_seen() - @p says to @n at @now that it saw us at @seen; we had asked over @via, @rtt
 *  before. */
void node_where_seen(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                     const struct om_addr *seen, om_time rtt);

/**
 * node_where_flow() - a peer says where it saw one flow of ours, which it was asked about
 * @n:           the node
 * @now:         when
 * @generation:  of the network on which it was asked
 * @is_main:     our end is the main socket; its address is filled in
 * @s:           the rest
 *
 * Return: false when a neighbour sees us as we are, which says nothing of a NAT.
 */
bool node_where_flow(struct om_node *n, om_time now, uint32_t generation, bool is_main,
                     const struct om_nat_sample *s);

/** node_where_may_ask() - may @n speak to @a because a record names it? */
bool node_where_may_ask(const struct om_node *n, const struct om_addr *a);

/* node_init.c: handshakes that we begin */

/** node_send_copy() - @n sends the msg1 it has for @p over @via, at @now; false: it could not. */
bool node_send_copy(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via);

/** node_initiate() - @n sends @p a new msg1 at @now: on every path to @race, else the next one. */
void node_initiate(struct om_node *n, om_time now, struct om_peer *p, bool race);

/** node_stamp() - ms of @n's calendar at @now, greater than all before, a restart or not. */
uint64_t node_stamp(struct om_node *n, om_time now);

/** node_need_session() - @n begins a handshake with @p at @now unless one is on its way. */
void node_need_session(struct om_node *n, om_time now, struct om_peer *p);

/** node_is_back() - @p is heard at @now after a silence: a handshake of @n's that nobody answered
 *  begins anew, instead of waiting for its next try, which may be a minute away. */
void node_is_back(struct om_node *n, om_time now, struct om_peer *p);

/** node_end_handshake() - @n forgets its handshake with @p, if any. */
void node_end_handshake(struct om_node *n, struct om_peer *p);

/**
 * node_on_response() - a response whose T holds arrived
 * @n:      the node
 * @now:    time
 * @via:    where from
 * @epoch:  whose keys it is under
 * @plain:  its fields
 */
void node_on_response(struct om_node *n, om_time now, const struct om_via *via,
                      struct om_epoch *epoch, const struct om_handshake_plain *plain);

/**
 * node_on_cookie() - a cookie for an initiation of ours arrived
 * @n:      the node
 * @now:    time
 * @via:    where from
 * @p:      whom we asked
 * @plain:  its fields, verified
 */
void node_on_cookie(struct om_node *n, om_time now, const struct om_via *via, struct om_peer *p,
                    const struct om_handshake_plain *plain);

/* node_respond.c: handshakes that others begin */

/**
 * node_on_init() - an initiation whose T holds arrived
 * @n:      the node
 * @now:    time
 * @via:    where from
 * @size:   bytes of the datagram: no answer is longer
 * @epoch:  whose keys it is under
 * @plain:  its fields
 */
void node_on_init(struct om_node *n, om_time now, const struct om_via *via, size_t size,
                  struct om_epoch *epoch, const struct om_handshake_plain *plain);

/** node_load_tick() - at @now, is @n still under load? */
void node_load_tick(struct om_node *n, om_time now);

/* node_in.c */

/** node_input_inner() - @d came to @n at @now inside a lane, whose number its way has. */
void node_input_inner(struct om_node *n, om_time now, struct om_dgram *d);

/** node_confirmed() - @n learns at @now that @p holds the keys of @s; takes @s when new. */
void node_confirmed(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s);

/* node_call.c */

/** node_serve() - @n acts at @now on what happened on the streams of @p. */
void node_serve(struct om_node *n, om_time now, struct om_peer *p);

/** node_end_calls() - the association of @p in @n ends, and every call with it. */
void node_end_calls(struct om_node *n, struct om_peer *p);

/** node_call_next() - the next action of the calls of @n into @out; false when there is none. */
bool node_call_next(struct om_node *n, struct om_act *out);

/* node_probe.c */

/** node_probe_datagram() - is @d, had by @n at @now from @p, a probe or echo? It is taken then. */
bool node_probe_datagram(struct om_node *n, om_time now, struct om_peer *p,
                         const struct om_frame_datagram *d);

/** node_probe_end() - @p of @n goes: so does what probes it, and what it probes. */
void node_probe_end(struct om_node *n, struct om_peer *p);

/* node_hello.c */

/** node_hello_stop() - end all announcing of @n. */
void node_hello_stop(struct om_node *n);

/** node_hello_again() - @n speaks by another epoch in @net: it announces itself as at the start. */
void node_hello_again(struct om_node *n, const struct om_network *net);

/** node_hello_leave() - end announcing in the @i-th network of @n. */
void node_hello_leave(struct om_node *n, unsigned i);

/**
 * node_on_hello() - a hello whose T holds arrived
 * @n:      the node
 * @now:    time
 * @d:      as it came
 * @epoch:  whose keys it is under
 * @plain:  its fields
 */
void node_on_hello(struct om_node *n, om_time now, const struct om_dgram *d,
                   const struct om_epoch *epoch, const struct om_handshake_plain *plain);

/* node_peer.c: the life of one peer */

/**
 * node_add_peer() - find or create a peer, at the cost of an idle one when the table is full
 * @n:    the node
 * @net:  its network
 * @id:   its key
 * @out:  the peer
 *
 * Return: as om_peers_add(); OM_E_RANGE also for whom the pins of @net do not let in, and for who
 * was revoked there.
 */
enum om_err node_add_peer(struct om_node *n, struct om_network *net, const struct om_id *id,
                          struct om_peer **out);

/** node_associate() - @n sees at @now that @p has an association. Return: OM_OK or OM_E_NO_MEM. */
enum om_err node_associate(struct om_node *n, om_time now, struct om_peer *p);

/** node_close() - @n says goodbye to @p at @now, with @code and @text, and forgets its keys. */
void node_close(struct om_node *n, om_time now, struct om_peer *p, uint32_t code, const char *text);

/** node_forget_association() - @n ends every session with @p, and what outlived them. */
void node_forget_association(struct om_node *n, struct om_peer *p);

/** node_rearm() - set the timer of @p in @n to its next deadline after @now. */
void node_rearm(struct om_node *n, om_time now, struct om_peer *p);

/** node_peer_tick() - @n does for @p what is due at @now. */
void node_peer_tick(struct om_node *n, om_time now, struct om_peer *p);

/** node_peer_free() - @n forgets @p altogether. */
void node_peer_free(struct om_node *n, struct om_peer *p);

/** node_peer_evict() - @n forgets @p, but for the timestamp that has to be remembered. */
void node_peer_evict(struct om_node *n, struct om_peer *p);

#endif
