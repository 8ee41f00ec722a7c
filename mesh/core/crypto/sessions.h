/*
 * sessions.h - where sessions are kept
 *
 * What:  creates sessions in the vault under fresh receiver indices, and ends them.
 * Why:   keys, index and the count on the epoch must come and go together; one owner does it.
 * Keeps: sessions_end_leaves_nothing; sessions_refuse_when_indices_are_full;
 *        sessions_keep_room_for_another_network.
 *
 * Full:  as many indices as the node's limits say, of which handshakes that we began take some, or
 *        what is left are the shares of other networks (share.h): one more is refused.
 *
 * Source: PROTOCOL sections 1 (locked slab) and 2 (indices).
 */
#ifndef OM_CRYPTO_SESSIONS_H
#define OM_CRYPTO_SESSIONS_H

#include <omerta/share.h>

#include "crypto/index.h"
#include "crypto/session.h"
#include "crypto/vault.h"
#include "network/keyring.h"

struct om_sessions {
    struct om_vault *vault;
    struct om_indices indices; /* shared with outgoing handshakes */
    struct om_keyring *keyring;
    const struct om_limits *limits;
    const struct om_rng *rng;
    const unsigned *networks; /* that the node is in */
    struct om_shares shares;  /* the sessions by network */
    unsigned live;
};

/**
 * om_sessions_init() - an empty store
 * @s:        zeroed storage
 * @keyring:  whose epochs sessions count on; borrowed for the store's life, as are the next three
 * @limits:   the node's
 * @networks: how many the node is in
 * @rng:      secret randomness
 * @locked:   keep keys in locked memory where limits allow
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_sessions_init(struct om_sessions *s, struct om_keyring *keyring,
                                     const struct om_limits *limits, const unsigned *networks,
                                     const struct om_rng *rng, bool locked);

/** om_sessions_fini() - release the empty store @s; a live session is a bug. */
void om_sessions_fini(struct om_sessions *s);

/** om_sessions_fit() - is there an index in @s for a session or handshake more in @net? */
bool om_sessions_fit(const struct om_sessions *s, const struct om_network *net);

/**
 * om_session_begin() - a keyed session
 * @s:     the store
 * @now:   time of birth
 * @k:     keys; when its local index is 0 a new one is drawn, else that one changes hands
 * @peer:  whom it belongs to
 * @out:   the session, owned by the store until om_session_end()
 *
 * Return: OM_OK, OM_E_FULL, OM_E_NO_MEM, OM_E_CRYPTO; then a given index is still the caller's.
 */
OM_MUST enum om_err om_session_begin(struct om_sessions *s, om_time now,
                                     const struct om_session_keys *k, struct om_peer *peer,
                                     struct om_session **out);

/** om_session_end() - wipe @session of @s and free its index; NULL is fine. */
void om_session_end(struct om_sessions *s, struct om_session *session);

#endif
