/*
 * ledger.h - all that a network's admins have signed, and what follows from it
 *
 * What:  keeps the logs of the authority and of every admin, from whoever brings them; tells
 *        whether a certificate holds beside what its signature says, what another ledger lacks,
 *        and which revocations an epoch leaves out.
 * Why:   truth is the union of the logs. Two members who have heard the same, in whatever order and
 *        through whatever partition, must come to the same verdict, also about an admin who lies.
 * Keeps: ledger_takes_entries_of_admins_only; ledger_keeps_gaps_and_says_how_far_it_is_whole;
 *        ledger_revokes_a_key_for_good; ledger_honours_a_revoked_admin_up_to_its_head;
 *        ledger_admins_are_the_authoritys_to_put_out;
 *        ledger_strictest_head_counts; ledger_only_the_authority_revokes_admins;
 *        ledger_fork_is_kept_as_proof; ledger_bounds_what_an_admin_can_store;
 *        ledger_full_of_admins_refuses; ledger_voids_invites; ledger_one_use_keeps_the_lowest;
 *        ledger_revoked_issuer_takes_no_use; ledger_notes_are_bounded_and_expire;
 *        ledger_heads_tell_what_is_lacking; ledger_sync_shows_a_fork; ledger_signs_its_own_log;
 *        ledger_takes_back_what_was_not_kept;
 *        ledger_lists_what_an_epoch_excludes; ledger_model_order_does_not_matter;
 *        ledger_model_partitions_heal.
 *
 * What is kept is a function of what was offered, not of the order: of each number of a log the
 * entries with the two lowest hashes (two are the proof that its owner forked it), and of a revoked
 * admin's log whatever lies on the chain back from the head that the authority named. Chains are
 * checked where they decide, which is there; revocations and voids of both twins count, so a fork
 * takes nothing back. A key once revoked comes never back: its holder joins with another.
 *
 * Full: an admin over OM_LEDGER_LOGS_MAX is refused, and a number over OM_LEDGER_NUMBERS_MAX (then
 * the authority certifies another key); of certificates noted for their invite the oldest goes.
 *
 * Source: PROTOCOL sections 3 (RESYNC) and 7 (Logs, One-use); plans/membership.md.
 */
#ifndef OM_NETWORK_LEDGER_H
#define OM_NETWORK_LEDGER_H

#include "network/admin_entry.h"

enum {
    OM_LEDGER_LOGS_MAX = 16,      /* the authority's and 15 admins': as many as an EPOCH lists */
    OM_LEDGER_NUMBERS_MAX = 4096, /* of a log */
    OM_LEDGER_TWINS_MAX = 2,      /* entries of one number */
    OM_LEDGER_NOTES_MAX = 4096,   /* certificates that bear an invite */
    OM_LEDGER_RENEW_S = 90 * 24 * 3600, /* that an expired certificate may be renewed */
    OM_LEDGER_HEAD_BYTES = 32 + 4 + OM_HASH_BYTES,
    OM_EXCLUDED_BYTES = 8 /* of a log's owner, in an EPOCH */
};

/* One entry kept. */
struct om_ledger_entry {
    uint32_t number;
    uint16_t len;
    uint8_t kind;
    bool is_honoured; /* on the chain back from the last entry honoured of a revoked admin */
    uint8_t hash[OM_HASH_BYTES];
    uint8_t bytes[];
};

/* One admin's log, or the authority's. */
struct om_ledger_log {
    struct om_id owner;
    bool is_authority;
    bool is_revoked; /* then only what is honoured counts */
    bool has_sum;
    uint8_t cert[OM_ADMIN_CERT_BYTES]; /* the newest; of the authority none */
    uint32_t whole;                    /* every number up to this one is there */
    uint32_t last;                     /* of a revoked admin: the last entry honoured */
    uint8_t last_hash[OM_HASH_BYTES];
    uint8_t sum[OM_HASH_BYTES];       /* over the hashes of all up to whole */
    struct om_ledger_entry *honoured; /* how far down the chain was followed; NULL: nowhere */
    struct om_ledger_entry **entries; /* by number, then hash */
    unsigned count, cap;
};

struct om_ledger_said;
struct om_ledger_note;

/* Read freely; write only through om_ledger_*(). */
struct om_ledger {
    struct om_id network, authority;
    struct om_ledger_log *logs[OM_LEDGER_LOGS_MAX]; /* the authority's, then by key */
    unsigned log_count;
    struct om_ledger_said *said; /* what was issued, revoked or made void, by subject */
    unsigned said_count, said_cap;
    struct om_ledger_note *notes; /* by invite, then as the one-use rule ranks them */
    unsigned note_count, note_cap;
    uint64_t change; /* differs whenever a verdict may */
};

/* What became of an entry that somebody brought. */
enum om_ledger_put {
    OM_LEDGER_NEW,
    OM_LEDGER_KNOWN,
    OM_LEDGER_OUTRANKED, /* two others of its number are kept */
    OM_LEDGER_STRANGER,  /* its owner is no admin that we know of: the certificate comes first */
    OM_LEDGER_FORGED,    /* malformed, or not signed by its owner */
    OM_LEDGER_FULL,      /* its number is over OM_LEDGER_NUMBERS_MAX */
    OM_LEDGER_NO_MEM
};

enum om_ledger_verdict {
    OM_LEDGER_HOLDS,
    OM_LEDGER_REVOKED,    /* its key is */
    OM_LEDGER_ISSUER,     /* its issuer is revoked, and it is not in what is honoured of him */
    OM_LEDGER_SUPERSEDED, /* its invite was used up by others */
    OM_LEDGER_VERDICTS
};

/* How far a ledger knows a log: two that are equal hold the same of it. */
struct om_ledger_head {
    struct om_id owner;
    uint32_t number; /* struct om_ledger_log's whole */
    uint8_t sum[OM_HASH_BYTES];
};

/* One thing to tell another ledger. */
struct om_ledger_told {
    const struct om_id *owner;
    bool is_cert; /* the owner's certificate, which comes before his first entry */
    struct om_bytes bytes;
};

/* A walk over what another ledger lacks. */
struct om_ledger_walk {
    const struct om_ledger_head *heads;
    unsigned head_count;
    unsigned log;   /* at which */
    unsigned given; /* of its entries, from either end */
    bool is_begun, is_downward;
    unsigned first; /* below it the other has all */
};

/* Up to which entry of a log the revoked got no secret. */
struct om_excluded {
    uint8_t owner[OM_EXCLUDED_BYTES];
    uint32_t number;
};

/** om_ledger_init() - an empty ledger in @l of @network, whose authority is @authority.
 *  Return: OM_OK or OM_E_NO_MEM. */
OM_MUST enum om_err om_ledger_init(struct om_ledger *l, const struct om_id *network,
                                   const struct om_id *authority);

/** om_ledger_fini() - release @l, which may be zeroed. */
void om_ledger_fini(struct om_ledger *l);

/**
 * om_ledger_admin() - there is an admin
 * @l:     the ledger
 * @cert:  his certificate; how old it is does not matter, for what he signed stays signed
 *
 * Return: OM_OK also when he was known; OM_E_CRYPTO for what the authority did not sign or what
 * gives no right over members, OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_ledger_admin(struct om_ledger *l, struct om_bytes cert);

/**
 * om_ledger_put() - take an entry from anybody
 * @l:      the ledger
 * @owner:  whose log it is said to be of
 * @in:     as received; copied
 *
 * Return: what became of it.
 */
OM_MUST enum om_ledger_put om_ledger_put(struct om_ledger *l, const struct om_id *owner,
                                         struct om_bytes in);

/**
 * om_ledger_sign() - add to our own log
 * @l:       the ledger
 * @self:    whose log it is: an admin's or the authority's
 * @e:       kind and subject; number and previous are filled in
 * @out:     receives the entry, lent until @l changes
 *
 * A log that came back from a backup is first to be synced: else this forks it.
 *
 * Return: OM_OK; OM_E_MISSING when @self has no log here, OM_E_STATE when ours has gaps, OM_E_FULL,
 * OM_E_NO_MEM.
 */
OM_MUST enum om_err om_ledger_sign(struct om_ledger *l, const struct om_identity *self,
                                   struct om_admin_entry *e, struct om_bytes *out);

/** om_ledger_unsign() - what om_ledger_sign() added to the log of @owner in @l, from number @from
 *  on, was never said: for who cannot keep what it signed, before anybody else has it. */
void om_ledger_unsign(struct om_ledger *l, const struct om_id *owner, uint32_t from);

/** om_ledger_log() - the log of @owner in @l, lent, or NULL. */
struct om_ledger_log *om_ledger_log(const struct om_ledger *l, const struct om_id *owner);

/** om_ledger_fork() - the first number at which the owner of @log told two stories, which proves
 *  him a liar or his backup old; 0: none. */
uint32_t om_ledger_fork(const struct om_ledger_log *log);

/** om_ledger_is_admin() - has @key a log in @l that was not ended? */
bool om_ledger_is_admin(const struct om_ledger *l, const struct om_id *key);

/** om_ledger_revoked() - may @key be a member no more, by what @l holds? An admin's that was not
 *  ended as one is the authority's to revoke: else the thief of an admin's key could put out all
 *  others, and who made the network. */
bool om_ledger_revoked(const struct om_ledger *l, const struct om_id *key);

/** om_ledger_revoker() - who of @l revoked @key, lent; of several the lowest key; NULL: nobody. */
const struct om_id *om_ledger_revoker(const struct om_ledger *l, const struct om_id *key);

/** om_ledger_void() - was @invite taken back, by what @l holds? */
bool om_ledger_void(const struct om_ledger *l, const uint8_t invite[static OM_CERT_INVITE]);

/** om_ledger_may_sign() - is @key the authority's or that of an admin of @l who is not revoked,
 *  neither as an admin nor as a member? */
bool om_ledger_may_sign(const struct om_ledger *l, const struct om_id *key);

/** om_ledger_rank() - the place of @key among those admins of @l, from 1, lowest key first; the
 *  authority's is 1, too; 0: it is none. */
unsigned om_ledger_rank(const struct om_ledger *l, const struct om_id *key);

/** om_ledger_invite_uses() - how many may join by @invite: its first two bytes say so; 0 only of
 *  no invite (zeros). */
unsigned om_ledger_invite_uses(const uint8_t invite[static OM_CERT_INVITE]);

/**
 * om_ledger_note() - a certificate was seen that om_node_cert_check() found to hold or expired
 * @l:       the ledger
 * @cert:    its bytes
 * @c:       decoded
 * @issuer:  who signed it
 *
 * Return: OM_OK, also for one without invite, which need not be noted; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_ledger_note(struct om_ledger *l, struct om_bytes cert,
                                   const struct om_node_cert *c, const struct om_id *issuer);

/** om_ledger_expire() - forget the notes of @l that nobody can renew at @now_s (Unix time). */
void om_ledger_expire(struct om_ledger *l, uint32_t now_s);

/** om_ledger_member() - what @l says of the certificate @cert, decoded @c, signed by @issuer; not
 *  what its signature and the calendar say. Good until l->change differs. */
enum om_ledger_verdict om_ledger_member(const struct om_ledger *l, struct om_bytes cert,
                                        const struct om_node_cert *c, const struct om_id *issuer);

/** om_ledger_of() - as om_ledger_member(), by @l, of one whose certificate was read before into
 *  @m. */
enum om_ledger_verdict om_ledger_of(const struct om_ledger *l, const struct om_member *m);

/** om_ledger_heads() - how far @l is, to @out. Return: how many heads. */
unsigned om_ledger_heads(struct om_ledger *l, struct om_ledger_head out[static OM_LEDGER_LOGS_MAX]);

/** om_ledger_head_write() - @h at the end of @w. */
void om_ledger_head_write(struct om_wr *w, const struct om_ledger_head *h);

/** om_ledger_head_read() - the next head of @r. */
struct om_ledger_head om_ledger_head_read(struct om_rd *r);

/** om_ledger_lacks() - may a ledger with these @n @heads have what @l has not? Then ask it. */
bool om_ledger_lacks(struct om_ledger *l, const struct om_ledger_head *heads, unsigned n);

/**
 * om_ledger_walk() - begin to tell another ledger what it lacks
 * @w:      filled
 * @heads:  its heads, borrowed by the walk; none: everything is told, which is also how a ledger
 *          is stored
 * @n:      how many
 */
void om_ledger_walk(struct om_ledger_walk *w, const struct om_ledger_head *heads, unsigned n);

/**
 * om_ledger_walk_next() - the next thing to tell
 * @w:    the walk
 * @l:    the ledger; when it changed in between something may be passed over until the next sync
 * @out:  lent until @l changes
 *
 * What revokes comes first: the authority's log, then the admins'; of a revoked admin's the last
 * entry comes first, since it is by the head that the ones before it are known.
 *
 * Return: false at the end.
 */
bool om_ledger_walk_next(struct om_ledger_walk *w, struct om_ledger *l, struct om_ledger_told *out);

/** om_ledger_excluded() - the list of an EPOCH that @l would make, to @out. Return: its length. */
unsigned om_ledger_excluded(const struct om_ledger *l,
                            struct om_excluded out[static OM_LEDGER_LOGS_MAX]);

/** om_ledger_beyond() - does @l hold a revocation that the @n items of @list do not cover? */
bool om_ledger_beyond(const struct om_ledger *l, const struct om_excluded *list, unsigned n);

#endif
