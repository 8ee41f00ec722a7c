/*
 * keyring.h - every epoch of every network, in the order in which a datagram tries them
 *
 * What:  owns the epochs; finds which one masked a datagram: the one its source used last,
 *        then most recently used first.
 * Why:   datagrams say nothing about their network. With one network this is one hash per
 *        datagram; with many the right key is nearly always the first.
 * Keeps: keyring_tries_the_hint_first; keyring_bounds_trials; keyring_tries_only_what_may_fit;
 *        keyring_keeps_epochs_with_sessions; keyring_retains_eight_for_thirty_days;
 *        keyring_joins_by_a_link_for_eight_changes_or_thirty_days; keyring_past_comes_back.
 *
 * Source: PROTOCOL section 2 (Demultiplexing), section 3 (Epochs).
 */
#ifndef OM_NETWORK_KEYRING_H
#define OM_NETWORK_KEYRING_H

#include <omerta/bucket.h>
#include <omerta/lru.h>
#include <omerta/rng.h>
#include <omerta/via.h>

#include "crypto/vault.h"
#include "network/network.h"

enum {
    OM_KEYRING_MAX = 304,      /* 16 networks x (current, previous, 8 retained; 9 to join it) */
    OM_TRIES_DATA_MAX = 32,    /* keys tried for a datagram of an unknown source */
    OM_TRIES_PER_S = 20000,    /* over all datagrams of unknown sources */
    OM_HINTS_MAX = 4096,       /* sources remembered; then the least recent is forgotten */
    OM_EPOCH_PREVIOUS_S = 600, /* a superseded epoch's handshakes are accepted 10 min more */
    OM_EPOCH_JOIN_S = 30 * 24 * 3600,   /* and by those who join, 30 days */
    OM_EPOCH_BEHIND_S = 30 * 24 * 3600, /* and of members of a closed network who are behind */
    OM_VIA_KEY = 26
};

struct om_keyring {
    struct om_epoch *epochs[OM_KEYRING_MAX]; /* most recently used first */
    unsigned count;
    struct om_lru hints; /* via -> serial of the epoch it used last */
    struct om_bucket tries;
    struct om_vault *vault;
    uint32_t serial;
};

/* One datagram's walk over the keyring. The ring may change between two steps: then an epoch may be
 * passed over, no more. */
struct om_trial {
    struct om_epoch *hint;
    unsigned next;
    unsigned tried;
    bool maybe_handshake;
    bool hint_done;
};

/**
 * om_keyring_init() - empty ring
 * @k:        zeroed storage
 * @sip_key:  16 random bytes for the hint table
 * @locked:   keep the keys in locked memory where limits allow
 * @now:      time
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_keyring_init(struct om_keyring *k, const uint8_t sip_key[static 16],
                                    bool locked, om_time now);

/** om_keyring_fini() - wipe and release every epoch of @k. */
void om_keyring_fini(struct om_keyring *k);

/**
 * om_keyring_add() - derive an epoch and make it its network's current one
 * @k:       the ring
 * @now:     time
 * @net:     its network; the present epoch becomes previous, the one before that goes; where it is
 *           closed that one is retained, of which there are OM_RETAINED_EPOCHS_MAX, then the oldest
 *           goes, and the keys to join it come, too. One that comes back is no longer of the past
 * @number:  epoch number
 * @secret:  32 bytes; copied
 *
 * Return: OM_OK, OM_E_FULL or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_keyring_add(struct om_keyring *k, om_time now, struct om_network *net,
                                   uint32_t number, const uint8_t secret[static 32]);

/**
 * om_keyring_past() - an epoch of the past again, after a restart
 * @k:       the ring
 * @now:     time
 * @net:     its network, closed; has a current epoch. The newest comes first
 * @number:  epoch number
 * @secret:  32 bytes; copied
 * @age:     since it was the current one
 *
 * Return: OM_OK, also for one that is too old to be needed; OM_E_FULL or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_keyring_past(struct om_keyring *k, om_time now, struct om_network *net,
                                    uint32_t number, const uint8_t secret[static 32], om_time age);

/** om_keyring_expire() - forget the epochs of @net in @k that are too old at @now, or one too many
 *  because the previous one counts as one of the retained by now. */
void om_keyring_expire(struct om_keyring *k, om_time now, struct om_network *net);

/**
 * om_keyring_add_join() - derive the keys by which others join an epoch
 * @k:       the ring
 * @now:     time
 * @net:     its network: a member answers under them, and one that joins has no others
 * @number:  epoch number
 * @secret:  J, 32 bytes; not kept
 *
 * Those of the oldest epoch give way at OM_JOIN_EPOCHS_MAX, as they do after OM_EPOCH_JOIN_S. Where
 * there is no current epoch they are it.
 *
 * Return: OM_OK, OM_E_FULL or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_keyring_add_join(struct om_keyring *k, om_time now, struct om_network *net,
                                        uint32_t number, const uint8_t secret[static 32]);

/** om_keyring_unref() - a session of @e ended; frees an epoch of @k that nothing needs any more. */
void om_keyring_unref(struct om_keyring *k, struct om_epoch *e);

/** om_keyring_leave() - wipe every epoch of @net in @k; no session may be left in any of them. */
void om_keyring_leave(struct om_keyring *k, struct om_network *net);

/** om_epoch_accepts() - true while handshakes under @e are answered at @now. */
bool om_epoch_accepts(const struct om_epoch *e, om_time now);

/** om_epoch_is_behind() - would who speaks under @e at @now first have to be told the current one,
 *  and nothing else? */
bool om_epoch_is_behind(const struct om_epoch *e, om_time now);

/**
 * om_trial_begin() - start trying keys for a datagram
 * @t:    filled
 * @k:    the ring
 * @via:  where the datagram came from
 * @maybe_handshake: by its size it may be one; else only epochs with sessions are tried, and at
 *        most OM_TRIES_DATA_MAX of them
 */
void om_trial_begin(struct om_trial *t, struct om_keyring *k, const struct om_via *via,
                    bool maybe_handshake);

/**
 * om_trial_next() - the next epoch to try
 * @t:    the trial
 * @k:    the ring it began on
 * @now:  time, for the budget of tries
 * @spent: set when the budget of tries ended the trial, else untouched
 *
 * Only what is returned, and is not the hint, counts against budget and maximum.
 *
 * Return: an epoch, or NULL when none is left.
 */
struct om_epoch *om_trial_next(struct om_trial *t, struct om_keyring *k, om_time now, bool *spent);

/** om_keyring_hit() - @e of @k was right for a datagram from @via: try it first next time. */
void om_keyring_hit(struct om_keyring *k, struct om_epoch *e, const struct om_via *via);

#endif
