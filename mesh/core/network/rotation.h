/*
 * rotation.h - which secret a closed network talks by, and when an admin makes the next
 *
 * What:  adopts the better of two epochs, keeps the ones before, makes a new one when a revocation
 *        is left out of the current one, and tells to whom it may be given.
 * Why:   a revoked member knows the secret; without a new one it goes on to read headers and to
 *        find everybody. Several admins may rotate at once, in partitions, or be revoked while they
 *        do: in the end all who are left must have the same.
 * Keeps: rotation_begins_with_the_authority; rotation_waits_by_rank;
 *        rotation_shares_one_within_an_hour; rotation_now_does_not_wait;
 *        rotation_needs_none_for_what_is_listed; rotation_smaller_hash_wins;
 *        rotation_refuses_revoked_and_forged; rotation_refuses_a_leap;
 *        rotation_of_a_revoked_maker_yields; rotation_keeps_eight_for_thirty_days;
 *        rotation_gives_nothing_to_the_revoked; rotation_fini_leaves_nothing;
 *        rotation_goes_on_from_a_bare_secret; rotation_comes_back_from_what_was_kept;
 *        rotation_model_converges.
 *
 *            a revocation beyond the list              30 k s, and an hour after the last
 *     QUIET ------------------------------> WAITING ---------------------------------> QUIET
 *            another's epoch lists it, or we are no admin any more: back to QUIET
 *
 * Which is better: the higher number, then the smaller BLAKE2b-256(secret); but one whose maker was
 * revoked yields to any that lists all that we know of. A new one is numbered above all ever seen.
 *
 * A network begins with a secret that nobody signed, and whoever joins is given one so: it lists
 * nothing, and is given to nobody from here.
 *
 * An epoch is given only to who holds a certificate that our ledger lets stand, and in the same
 * exchange after our logs: so who is given it has heard of every revocation that it lists.
 *
 * Source: PROTOCOL sections 3 (Epochs) and 7 (Rotation); plans/membership.md.
 */
#ifndef OM_NETWORK_ROTATION_H
#define OM_NETWORK_ROTATION_H

#include <omerta/rng.h>
#include <omerta/time.h>

#include "network/epoch_message.h"

enum {
    OM_ROTATION_WAIT_S = 30,      /* times the rank of the admin */
    OM_ROTATION_SHARE_S = 3600,   /* from one rotation to the next */
    OM_ROTATION_PREVIOUS_S = 600, /* the newest of the past counts as the previous one */
    OM_ROTATION_RETAINED_MAX = 8, /* besides it; then the oldest goes */
    OM_ROTATION_PAST_MAX = OM_ROTATION_RETAINED_MAX + 1,
    OM_ROTATION_RETAINED_S = 30 * 24 * 3600,
    OM_ROTATION_LEAP_MAX = 4096, /* numbers at once: no admin may use them all up */
    OM_EPOCH_PAST_BYTES = 4 + 4 + OM_EPOCH_SECRET_BYTES,
    OM_ROTATION_KEPT_MAX =
        1 + 4 + 1 + OM_ROTATION_PAST_MAX * OM_EPOCH_PAST_BYTES + OM_EPOCH_MESSAGE_MAX
};

/* An epoch of the past. */
struct om_epoch_past {
    uint32_t number;
    uint32_t ended_s; /* Unix time */
    uint8_t secret[OM_EPOCH_SECRET_BYTES];
};

/* Read freely; write only through om_rotation_*(). Belongs in a vault: it holds secrets. */
struct om_rotation {
    struct om_id network, authority;
    const struct om_identity *self; /* as an admin or the authority; NULL: we are neither */
    om_time due;                    /* when we rotate; OM_NEVER: not */
    om_time since;                  /* a revocation is left out; OM_NEVER: none is */
    om_time begun;      /* the current one took the place of another; OM_NEVER: not yet */
    struct om_id maker; /* of the current one */
    struct om_epoch_message current;
    uint8_t hash[OM_HASH_BYTES]; /* of the current secret */
    uint8_t bytes[OM_EPOCH_MESSAGE_MAX];
    uint16_t len;     /* 0: there is no current one, or it is bare */
    bool has_current; /* number and secret at least */
    bool is_news;     /* not yet told by om_rotation_next() */
    bool is_asked;
    bool has_admin;
    uint8_t admin[OM_ADMIN_CERT_BYTES]; /* ours */
    uint32_t highest;                   /* number of any that was well signed */
    unsigned past_count;
    struct om_epoch_past past[OM_ROTATION_PAST_MAX]; /* newest first */
};

/* What became of an EPOCH that somebody gave us. */
enum om_rotation_put {
    OM_ROTATION_ADOPTED,
    OM_ROTATION_KNOWN,   /* it is the current one */
    OM_ROTATION_WORSE,   /* ours is better: he should have it */
    OM_ROTATION_FORGED,  /* malformed, or not made by who may */
    OM_ROTATION_REVOKED, /* its maker may no more */
    OM_ROTATION_LEAP     /* its number is too far ahead */
};

/** om_rotation_init() - no epoch yet in @r, of @network, whose authority is @authority. */
void om_rotation_init(struct om_rotation *r, const struct om_id *network,
                      const struct om_id *authority);

/** om_rotation_fini() - wipe @r. */
void om_rotation_fini(struct om_rotation *r);

/**
 * om_rotation_admin() - we may rotate, as long as the ledger says so
 * @r:     the machine
 * @self:  the admin's keys, or the authority's; borrowed; NULL: no more
 * @cert:  the admin's certificate; empty for the authority
 */
void om_rotation_admin(struct om_rotation *r, const struct om_identity *self, struct om_bytes cert);

/**
 * om_rotation_begin() - make the first epoch of a new network
 * @r:      has none yet; om_rotation_admin() was called
 * @now:    time
 * @now_s:  Unix time
 * @l:      the ledger
 * @rng:    of secrets
 */
void om_rotation_begin(struct om_rotation *r, om_time now, uint32_t now_s,
                       const struct om_ledger *l, const struct om_rng *rng);

/** om_rotation_bare() - @r, which has none yet, goes by @secret of @number, which nobody signed. */
void om_rotation_bare(struct om_rotation *r, uint32_t number,
                      const uint8_t secret[static OM_EPOCH_SECRET_BYTES]);

/**
 * om_rotation_put() - an EPOCH came from another member, or from disk
 * @r:      the machine
 * @now:    time
 * @now_s:  Unix time
 * @l:      the ledger, which has heard what came with it
 * @in:     as received
 *
 * Return: what became of it.
 */
enum om_rotation_put om_rotation_put(struct om_rotation *r, om_time now, uint32_t now_s,
                                     const struct om_ledger *l, struct om_bytes in);

/** om_rotation_look() - at @now the ledger @l of @r has changed, or may have. */
void om_rotation_look(struct om_rotation *r, om_time now, const struct om_ledger *l);

/** om_rotation_ask() - rotate at @now and not later, if @l holds what the current epoch of @r does
 *  not list. */
void om_rotation_ask(struct om_rotation *r, om_time now, const struct om_ledger *l);

/** om_rotation_tick() - rotate if it is due; arguments as of om_rotation_begin(): @r, @now, @now_s,
 *  @l, @rng. */
void om_rotation_tick(struct om_rotation *r, om_time now, uint32_t now_s, const struct om_ledger *l,
                      const struct om_rng *rng);

/** om_rotation_deadline() - when @r wants to be ticked next; OM_NEVER: not by itself. */
om_time om_rotation_deadline(const struct om_rotation *r);

/** om_rotation_next() - is there another current epoch in @r since the last call? It goes on the
 *  keyring, to disk and to every member. */
bool om_rotation_next(struct om_rotation *r);

/** om_rotation_past() - the epochs of the past that @r keeps at @now_s, newest first, to @out.
 *  Return: how many. */
unsigned om_rotation_past(struct om_rotation *r, uint32_t now_s, const struct om_epoch_past **out);

/** om_rotation_give() - the current EPOCH of @r for @m, whose certificate held, and to whom the
 *  entries of @l were sent before. Return: its bytes, lent until the next call; empty when he must
 *  not have it or there is none. */
struct om_bytes om_rotation_give(const struct om_rotation *r, const struct om_ledger *l,
                                 const struct om_member *m);

/** om_rotation_keep() - the current EPOCH of @r and those of the past, for the disk, to @out; all
 *  of them secrets. Return: its bytes; 0 when the current one is bare. */
size_t om_rotation_keep(const struct om_rotation *r, uint8_t out[static OM_ROTATION_KEPT_MAX]);

/**
 * om_rotation_recall() - take back what om_rotation_keep() made
 * @r:      has nothing that was signed yet
 * @now:    time
 * @now_s:  Unix time
 * @in:     as it was kept
 *
 * Return: OM_OK; OM_E_PARSE when it is damaged, OM_E_CRYPTO when it is of another network; @r is as
 * it was then.
 */
OM_MUST enum om_err om_rotation_recall(struct om_rotation *r, om_time now, uint32_t now_s,
                                       struct om_bytes in);

#endif
