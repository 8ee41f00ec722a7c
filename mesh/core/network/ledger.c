/* ledger.c - what is kept of the logs. */
#include "network/ledger.h"

#include <stdlib.h>

#include "network/ledger_parts.h"

enum { FIRST_CAP = 16, AUTHORITY = 0 };

enum om_err om_ledger_init(struct om_ledger *l, const struct om_id *network,
                           const struct om_id *authority)
{
    struct om_ledger_log *log = calloc(1, sizeof *log);

    if (!log)
        return OM_E_NO_MEM;
    log->owner = *authority;
    log->is_authority = true;
    *l = (struct om_ledger){.network = *network, .authority = *authority};
    l->logs[l->log_count++] = log;
    return OM_OK;
}

void om_ledger_fini(struct om_ledger *l)
{
    for (unsigned i = 0; i < l->log_count; i++) {
        for (unsigned k = 0; k < l->logs[i]->count; k++)
            free(l->logs[i]->entries[k]);
        free(l->logs[i]->entries);
        free(l->logs[i]);
    }
    free(l->said);
    free(l->notes);
    *l = (struct om_ledger){.log_count = 0};
}

struct om_ledger_log *om_ledger_log(const struct om_ledger *l, const struct om_id *owner)
{
    for (unsigned i = 0; i < l->log_count; i++)
        if (om_id_equal(&l->logs[i]->owner, owner))
            return l->logs[i];
    return NULL;
}

unsigned om_ledger_at(const struct om_ledger_log *log, uint32_t number)
{
    unsigned low = 0, high = log->count;

    while (low < high) {
        unsigned mid = low + (high - low) / 2;
        if (log->entries[mid]->number < number)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct om_admin_entry om_ledger_decode(const struct om_ledger_entry *e)
{
    struct om_admin_entry out;
    enum om_err err = om_admin_entry_decode(&out, om_bytes(e->bytes, e->len));

    OM_BUG_IF(err != OM_OK);
    return out;
}

static bool is_said(const struct om_ledger_entry *e)
{
    return e->kind == OM_ADMIN_ISSUED || e->kind == OM_ADMIN_KEY_REVOKED ||
           e->kind == OM_ADMIN_INVITE_VOID;
}

/* The place in the index for what @subject names: before all of it. */
static unsigned said_at(const struct om_ledger *l, const uint8_t subject[static 32])
{
    unsigned low = 0, high = l->said_count;

    while (low < high) {
        unsigned mid = low + (high - low) / 2;
        if (memcmp(l->said[mid].subject, subject, 32) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void said_add(struct om_ledger *l, const struct om_ledger_log *log,
                     const struct om_ledger_entry *e)
{
    struct om_ledger_said s = {.kind = e->kind, .log = log, .entry = e};

    memcpy(s.subject, om_ledger_decode(e).subject, sizeof s.subject);
    unsigned at = said_at(l, s.subject);
    memmove(&l->said[at + 1], &l->said[at], (l->said_count++ - at) * sizeof s);
    l->said[at] = s;
}

static void said_remove(struct om_ledger *l, const struct om_ledger_entry *e)
{
    unsigned at = said_at(l, om_ledger_decode(e).subject);

    while (l->said[at].entry != e)
        at++;
    memmove(&l->said[at], &l->said[at + 1], (--l->said_count - at) * sizeof *l->said);
}

/* Does anybody, or the owner of @by alone, say that of @subject, and does it count? */
static bool said_counts(const struct om_ledger *l, const struct om_ledger_log *by,
                        const uint8_t subject[static 32], uint8_t kind)
{
    for (unsigned i = said_at(l, subject);
         i < l->said_count && memcmp(l->said[i].subject, subject, 32) == 0; i++)
        if (l->said[i].kind == kind && (!by || l->said[i].log == by) &&
            om_ledger_counts(l->said[i].log, l->said[i].entry))
            return true;
    return false;
}

bool om_ledger_is_admin(const struct om_ledger *l, const struct om_id *key)
{
    const struct om_ledger_log *log = om_ledger_log(l, key);

    return log && !log->is_authority && !log->is_revoked;
}

/* Whose word it takes to put @key out: the authority's for an admin, NULL for anybody's. */
static const struct om_ledger_log *judge_of(const struct om_ledger *l, const struct om_id *key)
{
    return om_ledger_is_admin(l, key) ? om_ledger_log(l, &l->authority) : NULL;
}

bool om_ledger_revoked(const struct om_ledger *l, const struct om_id *key)
{
    return said_counts(l, judge_of(l, key), key->b, OM_ADMIN_KEY_REVOKED);
}

const struct om_id *om_ledger_revoker(const struct om_ledger *l, const struct om_id *key)
{
    const struct om_ledger_log *judge = judge_of(l, key);
    const struct om_id *by = NULL;

    for (unsigned i = said_at(l, key->b);
         i < l->said_count && memcmp(l->said[i].subject, key->b, sizeof key->b) == 0; i++) {
        const struct om_ledger_said *s = &l->said[i];
        if (s->kind == OM_ADMIN_KEY_REVOKED && om_ledger_counts(s->log, s->entry) &&
            (!judge || s->log == judge) && (!by || om_id_cmp(&s->log->owner, by) < 0))
            by = &s->log->owner;
    }
    return by;
}

bool om_ledger_void(const struct om_ledger *l, const uint8_t invite[static OM_CERT_INVITE])
{
    uint8_t subject[32] = {0};

    memcpy(subject, invite, OM_CERT_INVITE);
    return said_counts(l, NULL, subject, OM_ADMIN_INVITE_VOID);
}

bool om_ledger_has_issued(const struct om_ledger *l, const struct om_ledger_log *log,
                          const uint8_t hash[static OM_HASH_BYTES])
{
    return said_counts(l, log, hash, OM_ADMIN_ISSUED);
}

/* Drops the entry of @log at @at. Return: whether the end of an admin went with it. */
static bool drop(struct om_ledger *l, struct om_ledger_log *log, unsigned at)
{
    struct om_ledger_entry *e = log->entries[at];
    bool is_end = log->is_authority && e->kind == OM_ADMIN_REVOKED;

    if (is_said(e))
        said_remove(l, e);
    log->count--;
    for (unsigned k = at; k < log->count; k++)
        log->entries[k] = log->entries[k + 1];
    free(e);
    return is_end;
}

/* Drops of @number what two lower hashes outrank, unless it is honoured. Return: as drop(). */
static bool trim(struct om_ledger *l, struct om_ledger_log *log, uint32_t number)
{
    unsigned first = om_ledger_at(log, number), i = first;
    bool went = false;

    while (i < log->count && log->entries[i]->number == number) {
        if (i - first < OM_LEDGER_TWINS_MAX || log->entries[i]->is_honoured)
            i++;
        else
            went |= drop(l, log, i);
    }
    return went;
}

/* Which entry comes next on the way down from the last one honoured; 0 and @hash untouched at its
 * end. */
static uint32_t next_honoured(const struct om_ledger_log *log, uint8_t hash[static OM_HASH_BYTES])
{
    if (!log->is_revoked)
        return 0;
    if (!log->honoured) {
        memcpy(hash, log->last_hash, OM_HASH_BYTES);
        return log->last;
    }
    memcpy(hash, om_ledger_decode(log->honoured).previous, OM_HASH_BYTES);
    return log->honoured->number - 1;
}

static struct om_ledger_entry *find(const struct om_ledger_log *log, uint32_t number,
                                    const uint8_t hash[static OM_HASH_BYTES])
{
    for (unsigned i = om_ledger_at(log, number);
         i < log->count && log->entries[i]->number == number; i++)
        if (memcmp(log->entries[i]->hash, hash, OM_HASH_BYTES) == 0)
            return log->entries[i];
    return NULL;
}

/* Follows the chain down as far as there are entries, and says so to the notes unless they are all
 * judged anew. */
static void honour(struct om_ledger *l, struct om_ledger_log *log, bool tells_notes)
{
    uint8_t hash[OM_HASH_BYTES];
    uint32_t number;

    while ((number = next_honoured(log, hash)) != 0) {
        struct om_ledger_entry *e = find(log, number, hash);
        if (!e)
            return;
        e->is_honoured = true;
        log->honoured = e;
        if (tells_notes && e->kind == OM_ADMIN_ISSUED)
            om_ledger_note_issued(l, log, om_ledger_decode(e).subject);
    }
}

/* Finds the strictest head that the authority named for the owner of @log. */
static bool find_end(const struct om_ledger *l, const struct om_ledger_log *log,
                     struct om_admin_entry *out)
{
    const struct om_ledger_log *by = l->logs[AUTHORITY];
    bool found = false;

    for (unsigned i = 0; i < by->count; i++) {
        if (by->entries[i]->kind != OM_ADMIN_REVOKED)
            continue;
        struct om_admin_entry e = om_ledger_decode(by->entries[i]);
        if (memcmp(e.subject, log->owner.b, sizeof e.subject) != 0)
            continue;
        if (!found || e.last < out->last ||
            (e.last == out->last && memcmp(e.last_hash, out->last_hash, OM_HASH_BYTES) < 0))
            *out = e;
        found = true;
    }
    return found;
}

/* See anew whether an admin is revoked, and from where on. */
static void judge_admin(struct om_ledger *l, struct om_ledger_log *log)
{
    struct om_admin_entry end = {.number = 0};
    bool is_revoked = find_end(l, log, &end);

    if (log->is_revoked == is_revoked && log->last == end.last &&
        memcmp(log->last_hash, end.last_hash, OM_HASH_BYTES) == 0)
        return;
    log->is_revoked = is_revoked;
    log->last = end.last;
    memcpy(log->last_hash, end.last_hash, OM_HASH_BYTES);
    log->honoured = NULL;
    for (unsigned i = 0; i < log->count; i++)
        log->entries[i]->is_honoured = false;
    honour(l, log, false);
    for (unsigned i = 0; i < log->count;) {
        uint32_t number = log->entries[i]->number;
        (void)trim(l, log, number);
        i = om_ledger_at(log, number + 1);
    }
    log->has_sum = false;
    om_ledger_judge_notes(l, log);
}

/* All admins anew, where @is_due. */
static void judge_admins(struct om_ledger *l, bool is_due)
{
    for (unsigned i = AUTHORITY + 1; is_due && i < l->log_count; i++)
        judge_admin(l, l->logs[i]);
}

static enum om_err add_admin(struct om_ledger *l, const struct om_id *key,
                             struct om_ledger_log **out)
{
    unsigned at = AUTHORITY + 1;

    if (l->log_count == OM_LEDGER_LOGS_MAX)
        return OM_E_FULL;
    *out = calloc(1, sizeof **out);
    if (!*out)
        return OM_E_NO_MEM;
    (*out)->owner = *key;
    while (at < l->log_count && om_id_cmp(&l->logs[at]->owner, key) < 0)
        at++;
    for (unsigned i = l->log_count++; i > at; i--)
        l->logs[i] = l->logs[i - 1];
    l->logs[at] = *out;
    judge_admin(l, *out);
    l->change++;
    return OM_OK;
}

enum om_err om_ledger_admin(struct om_ledger *l, struct om_bytes cert)
{
    struct om_admin_cert c, old;

    if (!om_admin_cert_verify(&c, &l->network, &l->authority, cert))
        return OM_E_CRYPTO;
    struct om_ledger_log *log = om_ledger_log(l, &c.key);
    if (!log) {
        enum om_err e = add_admin(l, &c.key, &log);
        if (e != OM_OK)
            return e;
        memcpy(log->cert, cert.p, sizeof log->cert);
        return OM_OK;
    }
    if (!log->is_authority &&
        om_admin_cert_decode(&old, om_bytes(log->cert, sizeof log->cert)) == OM_OK &&
        (c.issued > old.issued ||
         (c.issued == old.issued && memcmp(cert.p, log->cert, sizeof log->cert) > 0)))
        memcpy(log->cert, cert.p, sizeof log->cert);
    return OM_OK;
}

void *om_ledger_grow(void *list, unsigned used, unsigned *cap, size_t size)
{
    unsigned more = *cap ? 2 * *cap : FIRST_CAP;

    if (list && used < *cap)
        return list;
    list = realloc(list, more * size);
    if (list)
        *cap = more;
    return list;
}

/* Room for one more; the index is enlarged for entries that will not be in it, too. */
static bool reserve(struct om_ledger *l, struct om_ledger_log *log)
{
    struct om_ledger_entry **entries =
        om_ledger_grow(log->entries, log->count, &log->cap, sizeof(void *));
    if (!entries)
        return false;
    log->entries = entries;
    struct om_ledger_said *said =
        om_ledger_grow(l->said, l->said_count, &l->said_cap, sizeof *said);
    if (!said)
        return false;
    l->said = said;
    return true;
}

/* Would an entry of that number and hash be kept? Decided before its signature is looked at. */
static enum om_ledger_put rank_of(const struct om_ledger_log *log, uint32_t number,
                                  const uint8_t hash[static OM_HASH_BYTES])
{
    uint8_t next[OM_HASH_BYTES];
    unsigned lower = 0;

    if (number > OM_LEDGER_NUMBERS_MAX)
        return OM_LEDGER_FULL;
    if (find(log, number, hash))
        return OM_LEDGER_KNOWN;
    if (next_honoured(log, next) == number && memcmp(next, hash, sizeof next) == 0)
        return OM_LEDGER_NEW;
    for (unsigned i = om_ledger_at(log, number);
         i < log->count && log->entries[i]->number == number; i++)
        lower += memcmp(log->entries[i]->hash, hash, OM_HASH_BYTES) < 0;
    return lower < OM_LEDGER_TWINS_MAX ? OM_LEDGER_NEW : OM_LEDGER_OUTRANKED;
}

static void insert(struct om_ledger_log *log, struct om_ledger_entry *e)
{
    unsigned at = om_ledger_at(log, e->number);

    while (at < log->count && log->entries[at]->number == e->number &&
           memcmp(log->entries[at]->hash, e->hash, OM_HASH_BYTES) < 0)
        at++;
    for (unsigned i = log->count++; i > at; i--)
        log->entries[i] = log->entries[i - 1];
    log->entries[at] = e;
    for (at = om_ledger_at(log, log->whole + 1);
         at < log->count && log->entries[at]->number <= log->whole + 1; at++)
        log->whole = log->entries[at]->number;
    log->has_sum = false;
}

enum om_ledger_put om_ledger_put(struct om_ledger *l, const struct om_id *owner, struct om_bytes in)
{
    struct om_ledger_log *log = om_ledger_log(l, owner);
    uint8_t hash[OM_HASH_BYTES];
    struct om_admin_entry e;

    if (!log)
        return OM_LEDGER_STRANGER;
    if (om_admin_entry_decode(&e, in) != OM_OK)
        return OM_LEDGER_FORGED;
    om_admin_entry_hash(hash, in);
    enum om_ledger_put put = rank_of(log, e.number, hash);
    if (put != OM_LEDGER_NEW)
        return put;
    if (!om_admin_entry_verify(in, owner, &l->network))
        return OM_LEDGER_FORGED;
    struct om_ledger_entry *kept = reserve(l, log) ? malloc(sizeof *kept + in.n) : NULL;
    if (!kept)
        return OM_LEDGER_NO_MEM;
    *kept = (struct om_ledger_entry){.number = e.number, .kind = e.kind, .len = (uint16_t)in.n};
    memcpy(kept->hash, hash, sizeof hash);
    memcpy(kept->bytes, in.p, in.n);
    insert(log, kept);
    if (is_said(kept))
        said_add(l, log, kept);
    honour(l, log, true);
    bool ends = log->is_authority && kept->kind == OM_ADMIN_REVOKED;
    ends |= trim(l, log, e.number);
    judge_admins(l, ends);
    l->change++;
    return OM_LEDGER_NEW;
}

enum om_err om_ledger_sign(struct om_ledger *l, const struct om_identity *self,
                           struct om_admin_entry *e, struct om_bytes *out)
{
    struct om_ledger_log *log = om_ledger_log(l, &self->id);
    uint8_t bytes[OM_ADMIN_ENTRY_MAX], hash[OM_HASH_BYTES];

    if (!log)
        return OM_E_MISSING;
    if (log->count > 0 && log->entries[log->count - 1]->number != log->whole)
        return OM_E_STATE;
    if (log->whole == OM_LEDGER_NUMBERS_MAX)
        return OM_E_FULL;
    e->number = log->whole + 1;
    memset(e->previous, 0, sizeof e->previous);
    if (log->whole > 0)
        memcpy(e->previous, log->entries[om_ledger_at(log, log->whole)]->hash, OM_HASH_BYTES);
    struct om_bytes in = om_bytes(bytes, om_admin_entry_encode(bytes, e, self, &l->network));
    if (om_ledger_put(l, &self->id, in) != OM_LEDGER_NEW)
        return OM_E_NO_MEM;
    om_admin_entry_hash(hash, in);
    const struct om_ledger_entry *kept = find(log, e->number, hash);
    OM_BUG_IF(!kept);
    *out = om_bytes(kept->bytes, kept->len);
    return OM_OK;
}

void om_ledger_unsign(struct om_ledger *l, const struct om_id *owner, uint32_t from)
{
    struct om_ledger_log *log = om_ledger_log(l, owner);
    bool ends = false;

    /* What the authority honours it has heard, so it was not in vain. */
    while (log && log->count > 0 && log->entries[log->count - 1]->number >= from &&
           !log->entries[log->count - 1]->is_honoured) {
        ends |= drop(l, log, log->count - 1);
        log->whole = log->count > 0 ? log->entries[log->count - 1]->number : 0;
        log->has_sum = false;
        l->change++;
    }
    judge_admins(l, ends);
}

uint32_t om_ledger_fork(const struct om_ledger_log *log)
{
    for (unsigned i = 0; i < log->count; i++) {
        const struct om_ledger_entry *e = log->entries[i];
        if (i + 1 < log->count && log->entries[i + 1]->number == e->number)
            return e->number;
        if (i > 0 && log->entries[i - 1]->number + 1 == e->number &&
            memcmp(om_ledger_decode(e).previous, log->entries[i - 1]->hash, OM_HASH_BYTES) != 0)
            return e->number;
    }
    return 0;
}
