/*
 * peer.h - another node of one network
 *
 * What:  its key, where it may be reached, the association and handshake with it, and what waits
 *        for a session.
 * Why:   sessions know no address and associations no endpoint; this is where they meet.
 * Keeps: peer_names_each_way_once; peer_waiting_is_bounded; peer_refuses_unusable_keys.
 *
 * Full: OM_WAITING_MAX datagrams wait; then the oldest is dropped and counted.
 */
#ifndef OM_PEER_PEER_H
#define OM_PEER_PEER_H

#include <omerta/bucket.h>
#include <omerta/info.h>
#include <omerta/node.h>
#include <omerta/timers.h>

#include "crypto/association.h"
#include "crypto/handshake.h"
#include "path/keepalive.h"
#include "path/paths.h"
#include "stream/carrier.h"

struct node_probe;
struct node_punch;
struct om_probe_echo;
struct om_relay_end;
struct om_lane_relay;
struct om_attempts;
struct om_slices;

enum { OM_WAYS_MAX = OM_PATHS_MAX + OM_ENDPOINTS_MAX };

/* How its way is kept open at rest: node/keep.h. */
struct om_peer_keep {
    struct om_keepalive run;
    struct om_via via; /* the way */
    uint32_t spare;    /* socket of a trial; 0: none */
    uint64_t asked;    /* token of the trial's last question */
    uint64_t pinged;   /* of the last keepalive */
    om_time lost_at;   /* the way; 0: it was heard since */
    om_time renewed;   /* when new keys were last asked for, for its sake; 0 never */
};

struct om_peer {
    struct om_id id;
    uint8_t dh[32]; /* its X25519 key */
    struct om_network *net;
    struct om_addr ends[OM_ENDPOINTS_MAX]; /* where it was said to be, best first */
    unsigned end_count;
    uint32_t told, said; /* sequences of our candidates told to it, and of its own */
    bool said_any;
    bool is_typed;       /* the user, or a link, named where it is */
    bool is_direct_only; /* its handshake asks no relay for a lane */
    bool is_beside;      /* on our side of the NAT: it sees us as we are */
    bool is_wanted;      /* om_node_connect(): try until a session stands */
    bool is_held;        /* a program wants its way to stay open */
    bool sees_own;       /* it sees us at an address of ours, with nothing between that forgets */
    bool has_outside;
    struct om_addr outside;                /* its best candidate that others see */
    struct om_paths *paths;                /* owned; NULL until a handshake needs it */
    struct om_association *assoc;          /* owned; NULL until a handshake needs it */
    struct om_carrier *carrier;            /* owned; lives as long as assoc */
    struct om_handshake *handshake;        /* owned; NULL when none is on its way */
    struct om_buf *waiting, *waiting_last; /* frames, oldest first; owned */
    unsigned waiting_count;
    struct om_buf *ip, *ip_last; /* IP packets that wait, as frames, oldest first; owned */
    unsigned ip_count;
    struct om_buf *cut; /* owned: too large, and on its way in slices */
    size_t cut_at;      /* so much of it left */
    uint32_t cut_id;
    unsigned large_count;             /* packets as large as the floor, without a pause */
    om_time large_at;                 /* the last of them left; 0: none did */
    bool may_ip;                      /* its IP packets are wanted */
    struct om_slices *slices;         /* owned; NULL: none came */
    struct node_punch *punch;         /* owned; NULL: no direct way was tried for */
    struct om_attempts *attempts;     /* owned; NULL: nothing was tried yet */
    struct node_probe *probe;         /* owned; NULL: it is not being probed */
    struct om_probe_echo *echo;       /* owned; NULL: it never probed us */
    struct om_relay_end *relaying;    /* owned; NULL: it never asked us for a lane */
    struct om_lane_relay *lane_relay; /* owned; NULL: no lane of ours was to lead through it */
    struct om_list calls;             /* struct node_call.of_peer */
    uint64_t stamp_in;                /* greatest initiation timestamp accepted, ms */
    uint64_t stamp_floor;             /* ours for it must be greater: it named what it holds */
    om_time stamp_due;                /* when stamp_in must be on disk; OM_NEVER when it is */
    om_time stale_at;                 /* last initiation that answered a stale one; 0 never */
    uint32_t last_epoch;              /* of the last session */
    bool had_session;
    uint64_t sessions_made;
    uint64_t ledger_at;        /* version of our ledger that it has, too; 0: not known to */
    om_time ledger_again;      /* it gave no answer about its own: not before; OM_NEVER: it lied */
    om_time heard_at;          /* its newest authentic datagram; 0 never */
    om_time flow_began;        /* since when it speaks without a pause (node_path.c); 0 never */
    om_time flow_last;         /* its newest word */
    om_time used_at;           /* a program last wanted something of it; 0 never */
    om_time owed_since;        /* the first word to it since it was heard; OM_NEVER none */
    om_time last_asked;        /* for the last time, before its calls end; 0 not yet */
    unsigned impatient;        /* of its calls, those that do not wait for ever */
    struct om_traffic in, out; /* authentic datagrams of this peer */
    om_time spare_at;          /* no second relay is asked for a lane to it before */
    om_time warm_until;        /* it is a relay that is wanted; in the past: it is not */
    bool ledger_failed;        /* nothing came of the last question to it: the others come first */
    bool ledger_claims;        /* it said since we began to ask it that it has more */
    bool is_caught_up;         /* it was behind with its epoch, and is no more: met anew */
    struct om_peer_keep keep;
    struct om_bucket ledger_asks; /* its questions about our ledger; zeroed: none came */
    struct om_timer timer;
};

/**
 * om_peer_init() - a peer of which nothing is known but its key
 * @p:    zeroed storage
 * @net:  its network
 * @id:   its key
 *
 * Return: OM_OK, or OM_E_RANGE when @id is no key that can be talked to, or our own.
 */
OM_MUST enum om_err om_peer_init(struct om_peer *p, struct om_network *net, const struct om_id *id);

/**
 * om_peer_path() - the @i-th way to reach @p: the path that carries, other proven ones, endpoints
 * @p:    the peer
 * @i:    from 0
 * @out:  filled on success
 *
 * Return: false when there are fewer.
 */
bool om_peer_path(const struct om_peer *p, unsigned i, struct om_via *out);

/** om_peer_session() - the session under which to send to @p at @now; NULL: none that may seal. */
struct om_session *om_peer_session(const struct om_peer *p, om_time now);

/** om_peer_via() - where data for @p goes, lent; NULL when it was never heard. */
const struct om_via *om_peer_via(const struct om_peer *p);

/** om_peer_path_count() - how many om_peer_path() has for @p. */
unsigned om_peer_path_count(const struct om_peer *p);

/** om_peer_knows() - is @addr one of the endpoints that @p was said to have? */
bool om_peer_knows(const struct om_peer *p, const struct om_addr *addr);

/**
 * om_peer_wait() - queue frames for the next session
 * @p:    the peer
 * @buf:  taken
 *
 * Return: the oldest buffer when the queue was full, for the caller to give back, else NULL.
 */
struct om_buf *om_peer_wait(struct om_peer *p, struct om_buf *buf);

/** om_peer_unwait() - the oldest waiting buffer of @p, handed to the caller, or NULL. */
struct om_buf *om_peer_unwait(struct om_peer *p);

#endif
