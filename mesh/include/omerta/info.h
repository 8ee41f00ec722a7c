/*
 * info.h - what a node knows about itself and its peers, as numbers
 *
 * What:  snapshots for status, metrics and tests.
 * Why:   nobody outside reads the node's structs.
 */
#ifndef OMERTA_INFO_H
#define OMERTA_INFO_H

#include <omerta/drop.h>
#include <omerta/node.h>

struct om_traffic {
    uint64_t datagrams, bytes;
};

struct om_node_info {
    unsigned networks, peers, sessions, indices;
    uint64_t datagrams_in, bytes_in, datagrams_out, bytes_out;
    uint64_t initiations_in, initiations_out, responses_in, responses_out;
    uint64_t cookies_in, cookies_out;
    uint64_t hellos_in, hellos_out, hello_starts; /* starts: initiations they led to */
    uint64_t sessions_made, rekeys, restarts;
    uint64_t candidates_out, candidates_again; /* told to peers; of them, because they were lost */
    uint64_t sealed_handshake, sealed_data;    /* encryption audit: makers' counts by kind */
    uint64_t audited, audit_refused;           /* datagrams the audit verified, and refused */
    bool under_load;
    bool is_relay;
    unsigned lanes, lanes_carried;       /* ours, and of others through us */
    uint64_t relayed, relayed_bytes;     /* datagrams of others sent on */
    uint64_t lane_offers, lane_refusals; /* of others: made to us, and what we refused: */
    uint64_t lanes_unwilling, lanes_full, lanes_stranger, lanes_rate, lanes_silent, lanes_denied;
    uint64_t lanes_ended;         /* of others: idle, closed by an end, or that lost one */
    uint64_t relay_dropped;       /* datagrams that came on lanes of others: */
    uint64_t relay_over_rate;     /* of them, those beyond the lane's rate */
    uint64_t mtu_probes, refused; /* sizes asked for; datagrams refused as too long here */
    uint64_t ip_in, ip_out;       /* IP packets delivered, and taken for sending */
    uint64_t slices_in, slices_out;
    uint64_t keepalives;              /* PINGs that kept a way open at rest */
    uint64_t keepalive_asks;          /* datagrams that tried how long a NAT remembers */
    uint64_t keepalive_losses;        /* times that nothing answered them */
    om_time nat_life_v4, nat_life_v6; /* the longest silence outlived; 0: not known */
    uint64_t drops[OM_DROP_COUNT];
};

struct om_peer_info {
    bool has_session;          /* one that can carry data */
    bool initiated;            /* by us */
    const char *cipher;        /* of the carrying session, else "" */
    uint32_t epoch;            /* number of the carrying session's epoch */
    unsigned receiving;        /* keys that still open packets */
    uint64_t counter;          /* next send counter: continues across rekeys */
    uint64_t handshakes;       /* sessions confirmed with this peer */
    om_time key_age;           /* of the carrying session */
    om_time srtt;              /* 0: no sample yet */
    unsigned mtu;              /* largest datagram sent to it now; 0: no path */
    bool mtu_done;             /* larger ones were tried for */
    struct om_via via;         /* of the newest authenticated datagram */
    bool is_relayed;           /* that came over a lane, through */
    struct om_id relay;        /* this one; zero: over none */
    unsigned waiting;          /* datagrams waiting for a session or for room on the path */
    bool is_heard;             /* via is not empty */
    om_time heard_at;          /* when the newest authentic datagram came; 0: never */
    struct om_traffic in, out; /* data and keep-alives of sessions, as datagrams */
};

/** om_node_info() - counters and table sizes of @n into @out. */
void om_node_info(const struct om_node *n, struct om_node_info *out);

/**
 * om_node_peer_info() - what is known about one peer
 * @n:        the node
 * @now:      time, for ages
 * @network:  network id
 * @peer:     peer id
 * @out:      filled on success
 *
 * Return: OM_OK or OM_E_MISSING.
 */
OM_MUST enum om_err om_node_peer_info(const struct om_node *n, om_time now,
                                      const struct om_id *network, const struct om_id *peer,
                                      struct om_peer_info *out);

/**
 * om_node_peers() - who is known in a network: by session, endpoint or record; ourselves not
 * @n:        the node
 * @network:  one that was joined
 * @out:      filled in order of keys; where @max is too small, with the lowest
 * @max:      room
 *
 * Return: how many there are, which may be more than @max.
 */
unsigned om_node_peers(const struct om_node *n, const struct om_id *network, struct om_id *out,
                       unsigned max);

/**
 * om_node_record() - what a peer says of itself, as gossip brought it
 * @n:        the node
 * @network:  one that was joined with gossip
 * @peer:     whose; ours is there, too
 * @out:      filled on success; name and services are the peer's words: escape them
 * @made_ms:  receives its sequence, milliseconds of its maker's calendar; may be NULL
 *
 * Return: OM_OK or OM_E_MISSING.
 */
OM_MUST enum om_err om_node_record(const struct om_node *n, const struct om_id *network,
                                   const struct om_id *peer, struct om_announce *out,
                                   uint64_t *made_ms);

#endif
