/*
 * ledger_parts.h - what the files of the ledger share
 *
 * What:  the index of what was said of whom, and the certificates noted for their invite.
 * Why:   keeping entries, judging by them and telling them are three things in one state.
 */
#ifndef OM_NETWORK_LEDGER_PARTS_H
#define OM_NETWORK_LEDGER_PARTS_H

#include "network/ledger.h"

/* Issued, revoked or void, said by an entry that is kept. */
struct om_ledger_said {
    uint8_t subject[32];
    uint8_t kind;
    const struct om_ledger_log *log;
    const struct om_ledger_entry *entry;
};

/* A certificate that bears an invite; the fields stand in the order in which they rank. */
struct om_ledger_note {
    uint8_t invite[OM_CERT_INVITE];
    uint32_t issued;
    uint32_t expires; /* does not rank */
    struct om_id issuer, key;
    uint8_t hash[OM_HASH_BYTES];
    bool counts; /* its issuer is not revoked, or it is in what is honoured of him */
};

/* Does @e of @log count for anything? */
static inline bool om_ledger_counts(const struct om_ledger_log *log,
                                    const struct om_ledger_entry *e)
{
    return !log->is_revoked || e->is_honoured;
}

/**
 * om_ledger_grow() - room for one more
 * @list:  the array; its owner forgets it for what is returned
 * @used:  elements in use
 * @cap:   elements that fit; updated
 * @size:  bytes of one
 *
 * Return: the array, or NULL when memory is out; then it is as it was.
 */
void *om_ledger_grow(void *list, unsigned used, unsigned *cap, size_t size);

/** om_ledger_at() - the place in @log of the first entry whose number is @number or more. */
unsigned om_ledger_at(const struct om_ledger_log *log, uint32_t number);

/** om_ledger_decode() - the fields of @e, whose body is lent from it. */
struct om_admin_entry om_ledger_decode(const struct om_ledger_entry *e);

/** om_ledger_has_issued() - is the certificate with this @hash in what counts of @log in @l? */
bool om_ledger_has_issued(const struct om_ledger *l, const struct om_ledger_log *log,
                          const uint8_t hash[static OM_HASH_BYTES]);

/** om_ledger_judge_notes() - see anew which notes of @l by the owner of @log count. */
void om_ledger_judge_notes(struct om_ledger *l, const struct om_ledger_log *log);

/** om_ledger_note_issued() - the certificate with this @hash by the owner of @log counts in @l. */
void om_ledger_note_issued(struct om_ledger *l, const struct om_ledger_log *log,
                           const uint8_t hash[static OM_HASH_BYTES]);

/** om_ledger_superseded() - do others of @l use up the invite of what would be the note @n? */
bool om_ledger_superseded(const struct om_ledger *l, const struct om_ledger_note *n);

/** om_ledger_noted() - how many notes of @l are of @invite, whether they count or not. */
unsigned om_ledger_noted(const struct om_ledger *l, const uint8_t invite[static OM_CERT_INVITE]);

/** om_ledger_user() - the next, from @at on, which is 0 at first, of those who came by @invite, as
 *  the notes of @l have it, lent; each key once; then NULL. */
const struct om_id *om_ledger_user(const struct om_ledger *l,
                                   const uint8_t invite[static OM_CERT_INVITE], unsigned *at);

/** om_ledger_note_of() - @cert, decoded @c, signed by @issuer, as a note that counts. */
struct om_ledger_note om_ledger_note_of(struct om_bytes cert, const struct om_node_cert *c,
                                        const struct om_id *issuer);

#endif
