/*
 * association.h - what two nodes share beyond any key: one counter, one memory of what arrived
 *
 * What:  owns the send counter, the ACK state and up to four receiving sessions of a peer;
 *        decides which session carries; tells a restarted peer from a rekey.
 * Why:   keys change every two minutes and addresses at any time; streams must notice neither.
 * Keeps: association_counter_survives_rekey; association_restart_resets_counters;
 *        association_lower_key_carries_simultaneous_open; association_newest_carries_later;
 *        association_keeps_four_receiving_keys; association_old_key_gets_grace_only;
 *        association_knocks_until_it_is_heard.
 *
 * Source: PROTOCOL sections 3 (Order) and 4.
 */
#ifndef OM_CRYPTO_ASSOCIATION_H
#define OM_CRYPTO_ASSOCIATION_H

#include <omerta/bucket.h>

#include "crypto/acks.h"
#include "crypto/sessions.h"
#include "path/rtt.h"

enum {
    OM_RECEIVING_MAX = 4,  /* confirmed keys that open packets */
    OM_PONGS_PER_S = 50,   /* answers to PINGs, and as many at once; what is beyond gets none */
    OM_PINGS_MAX = 8,      /* PINGs waiting for their PONG; then the oldest is forgotten */
    OM_SIMULTANEOUS_S = 5, /* sessions confirmed this close are one simultaneous open */
    OM_KNOCKS_MAX = 4      /* PINGs of an initiator that is not heard: at 0.5, 1.5, 3.5, 7.5 s */
};

struct om_ping {
    uint64_t token;
    om_time sent_at; /* 0: free */
    bool is_asked;   /* by om_node_ping(), and not only by ourselves */
};

struct om_association {
    uint8_t local_id[OM_ASSOCIATION_ID_BYTES];
    uint8_t remote_id[OM_ASSOCIATION_ID_BYTES];
    bool has_remote;
    bool we_are_lower;                              /* our key is the lower one of the two */
    uint64_t counter;                               /* next to be sealed; across rekeys */
    struct om_session *carry;                       /* one of receiving, or NULL */
    struct om_session *receiving[OM_RECEIVING_MAX]; /* newest first */
    unsigned count;
    struct om_session *unconfirmed; /* as responder */
    struct om_acks acks;
    struct om_rtt rtt;
    struct om_ping pings[OM_PINGS_MAX];
    struct om_bucket pongs;   /* no congestion control holds them back */
    om_time unanswered_since; /* first that wants an answer since the last one came; OM_NEVER */
    om_time cleared_at;       /* its path was found to live, or left: older debts do not count */
    om_time idle_since;       /* the last key died; OM_NEVER while there is one */
};

struct om_confirmed {
    bool restarted; /* the peer had lost everything */
    bool first;     /* no session could carry before */
    bool carries;   /* the new session carries */
};

/**
 * om_association_init() - a new association
 * @a:             zeroed storage
 * @rng:           for its id
 * @now:           time
 * @we_are_lower:  memcmp(our key, theirs) < 0
 */
void om_association_init(struct om_association *a, const struct om_rng *rng, om_time now,
                         bool we_are_lower);

/** om_association_fini() - end every session of @a in store @s. */
void om_association_fini(struct om_association *a, struct om_sessions *s);

/**
 * om_association_offer() - a session made as responder: it waits for its first packet
 * @a:        the association; takes @session, ends an earlier unconfirmed one
 * @s:        the store
 * @session:  new
 */
void om_association_offer(struct om_association *a, struct om_sessions *s,
                          struct om_session *session);

/**
 * om_association_confirm() - the peer has proven that it holds a session's keys
 * @a:        the association
 * @s:        the store
 * @now:      time
 * @session:  the unconfirmed one, or a new one made as initiator (taken)
 *
 * Return: what that changed.
 */
struct om_confirmed om_association_confirm(struct om_association *a, struct om_sessions *s,
                                           om_time now, struct om_session *session);

/**
 * om_association_tick() - end sessions whose time is over
 * @a:    the association
 * @s:    the store
 * @now:  time
 *
 * Return: true when the last session that could carry ended.
 */
bool om_association_tick(struct om_association *a, struct om_sessions *s, om_time now);

/**
 * om_association_knock() - must a session that we began be tried once more?
 * @a:    the association
 * @now:  time
 *
 * The first packet under a session is what its responder waits for; should it be lost, neither
 * side would know. So it is repeated until something comes back under the same keys. A session
 * that nobody answers dies: the responder has dropped its half by then.
 *
 * Return: true when the carrying session wants a PING now.
 */
bool om_association_knock(struct om_association *a, om_time now);

/** om_association_deadline() - when om_association_tick() of @a or its ACK is due, with @limits. */
om_time om_association_deadline(const struct om_association *a, const struct om_limits *limits);

/** om_association_sealing() - the session of @a to seal with at @now, or NULL. */
struct om_session *om_association_sealing(const struct om_association *a, om_time now);

/** om_association_sent() - @a sent at @now a packet that wants an ACK, or a PONG. */
void om_association_sent(struct om_association *a, om_time now);

/** om_association_answered() - an ACK of @a's packets came, or a PONG: the peer is not silent. */
void om_association_answered(struct om_association *a);

/**
 * om_association_pinged() - remember a PING that was sent
 * @a:      the association
 * @now:    time
 * @token:  its token
 * @asked:  a person or program wants to hear of the answer
 */
void om_association_pinged(struct om_association *a, om_time now, uint64_t token, bool asked);

/**
 * om_association_on_pong() - a PONG arrived
 * @a:      the association
 * @now:    time
 * @p:      decoded
 * @rtt:    receives the round trip
 *
 * Return: true when om_node_ping() asked for it.
 */
bool om_association_on_pong(struct om_association *a, om_time now, const struct om_frame_pong *p,
                            om_time *rtt);

/** om_association_silence() - when @a's peer counts as silent; OM_NEVER while nothing is owed. */
om_time om_association_silence(const struct om_association *a);

#endif
