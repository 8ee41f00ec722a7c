/*
 * session.h - the two keys of one handshake
 *
 * What:  seals and opens under one pair of keys, with their replay window, limits and dates.
 * Why:   keys live three minutes, associations a day: what belongs to keys alone is here, so that
 *        a rekey replaces exactly this. A session knows no address.
 * Keeps: session_stops_at_its_limits; session_dates_follow_its_role; session_forgets_its_keys;
 *        session_window_grows_when_packets_pour; node_stops_sealing_a_quarter_past_the_limit.
 *
 *   (responder) UNCONFIRMED --first packet opens--> LIVE --superseded--> RECEIVING --+
 *   (initiator) ------------valid msg2------------> LIVE                             +--> dead
 *
 * Source: PROTOCOL sections 2 and 4.
 */
#ifndef OM_CRYPTO_SESSION_H
#define OM_CRYPTO_SESSION_H

#include <omerta/limits.h>
#include <omerta/via.h>

#include "crypto/cipher.h"
#include "crypto/replay.h"
#include "network/epoch.h"

enum {
    OM_KNOCK_MS = 500, /* from msg2 to the first repeated PING; the next after twice as long */
    OM_ASSOCIATION_ID_BYTES = 8,
    OM_POUR_PER_S = 50000 /* packets; above it the replay window grows (PROTOCOL 2) */
};

struct om_peer;

struct om_session {
    struct om_aead seal;
    struct om_aead open;
    struct om_aead *mirror; /* opens what we sealed; only when the node audits itself */
    struct om_replay replay;
    const struct om_cipher *cipher;
    struct om_epoch *epoch; /* whose mask key its headers carry; counted there */
    struct om_peer *peer;
    uint32_t local;  /* index that peers put into datagrams for us */
    uint32_t remote; /* index that we put into ours */
    uint8_t their_association[OM_ASSOCIATION_ID_BYTES];
    struct om_via offered; /* responder: where msg2 went */
    bool is_offered_once;  /* and nowhere else: who answers under it is there */
    uint8_t session_class; /* enum om_session_class: what may be said in it */
    bool initiated;        /* by us */
    bool is_confirmed;
    bool is_heard;    /* the peer has sealed something under it */
    unsigned knocks;  /* PINGs repeated, as initiator, to be heard */
    om_time knock_at; /* the next one */
    om_time confirmed_at;
    om_time born;          /* responder: arrival of msg1; initiator: of msg2 */
    om_time receive_until; /* dead from then on */
    uint64_t bytes_in;     /* of its datagrams */
    uint64_t sealed;
    uint64_t sealed_max; /* rekey is due; sealing stops a quarter later */
    uint64_t failed_opens;
    om_time counted_since; /* the second in which packets are counted */
    unsigned counted;
};

struct om_session_keys {
    const uint8_t *first;  /* 32 bytes, initiator to responder (Noise Split) */
    const uint8_t *second; /* 32 bytes, responder to initiator */
    const struct om_cipher *cipher;
    struct om_epoch *epoch;
    uint32_t local, remote;
    uint8_t session_class;
    bool initiated;
    bool audit; /* keep a mirror of the sealing key */
};

/**
 * om_session_init() - key a session
 * @s:      zeroed storage, from the node's vault
 * @k:      borrowed
 * @now:    time of birth
 * @limits: borrowed for the call
 *
 * Return: OM_OK, or OM_E_NO_MEM / OM_E_CRYPTO with @s as it was.
 */
OM_MUST enum om_err om_session_init(struct om_session *s, const struct om_session_keys *k,
                                    om_time now, const struct om_limits *limits);

/** om_session_fini() - release and wipe the keys of @s; its storage stays the caller's. */
void om_session_fini(struct om_session *s);

/** om_session_count() - @n packets arrived for @s at @now: widen its replay window if they pour. */
void om_session_count(struct om_session *s, om_time now, unsigned n);

/** om_session_left() - how many packets the key of @s may still seal before its hard limit. */
uint64_t om_session_left(const struct om_session *s);

/** om_session_can_seal() - true while @s may encrypt at @now: alive and below its hard limit. */
bool om_session_can_seal(const struct om_session *s, om_time now);

/**
 * om_session_wants_rekey() - true when the side that owns @s should start a new handshake
 * @s:       the carrying session
 * @now:     time of a send
 * @limits:  the node's
 *
 * Return: true after 120 s (initiator), 150 s (responder), or at the cipher's limit.
 */
bool om_session_wants_rekey(const struct om_session *s, om_time now,
                            const struct om_limits *limits);

#endif
