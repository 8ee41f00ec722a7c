/* ledger_note.c - certificates noted for their invite, and the one-use rule over them. */
#include <stdlib.h>

#include "network/ledger_parts.h"

unsigned om_ledger_invite_uses(const uint8_t invite[static OM_CERT_INVITE])
{
    static const uint8_t none[OM_CERT_INVITE] = {0};
    unsigned uses = (unsigned)invite[0] << 8 | invite[1];

    if (memcmp(invite, none, sizeof none) == 0)
        return 0;
    return uses > 0 ? uses : 1;
}

struct om_ledger_note om_ledger_note_of(struct om_bytes cert, const struct om_node_cert *c,
                                        const struct om_id *issuer)
{
    struct om_ledger_note n = {.issued = c->issued,
                               .expires = c->expires,
                               .issuer = *issuer,
                               .key = c->key,
                               .counts = true};

    memcpy(n.invite, c->invite, sizeof n.invite);
    om_hash(n.hash, cert, om_bytes(NULL, 0));
    return n;
}

/* Who came first, whatever the invite; the hash tells apart what is otherwise alike. */
static int cmp_age(const struct om_ledger_note *a, const struct om_ledger_note *b)
{
    int c = (a->issued > b->issued) - (a->issued < b->issued);

    if (c == 0)
        c = om_id_cmp(&a->issuer, &b->issuer);
    if (c == 0)
        c = om_id_cmp(&a->key, &b->key);
    return c != 0 ? c : memcmp(a->hash, b->hash, sizeof a->hash);
}

static int cmp(const struct om_ledger_note *a, const struct om_ledger_note *b)
{
    int c = memcmp(a->invite, b->invite, sizeof a->invite);

    return c != 0 ? c : cmp_age(a, b);
}

/* The place of the first note that is not below @n. */
static unsigned place(const struct om_ledger *l, const struct om_ledger_note *n)
{
    unsigned low = 0, high = l->note_count;

    while (low < high) {
        unsigned mid = low + (high - low) / 2;
        if (cmp(&l->notes[mid], n) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void drop(struct om_ledger *l, unsigned at)
{
    memmove(&l->notes[at], &l->notes[at + 1], (--l->note_count - at) * sizeof *l->notes);
}

/* Makes room by the oldest; false when @n would be that. */
static bool make_room(struct om_ledger *l, const struct om_ledger_note *n)
{
    unsigned oldest = 0;

    if (l->note_count < OM_LEDGER_NOTES_MAX)
        return true;
    for (unsigned i = 1; i < l->note_count; i++)
        if (cmp_age(&l->notes[i], &l->notes[oldest]) < 0)
            oldest = i;
    if (cmp_age(n, &l->notes[oldest]) < 0)
        return false;
    drop(l, oldest);
    return true;
}

static bool judge(const struct om_ledger *l, const struct om_ledger_log *log,
                  const struct om_ledger_note *n)
{
    return !log || !log->is_revoked || om_ledger_has_issued(l, log, n->hash);
}

enum om_err om_ledger_note(struct om_ledger *l, struct om_bytes cert, const struct om_node_cert *c,
                           const struct om_id *issuer)
{
    struct om_ledger_note n;

    if (om_ledger_invite_uses(c->invite) == 0)
        return OM_OK;
    n = om_ledger_note_of(cert, c, issuer);
    unsigned at = place(l, &n);
    if (at < l->note_count && cmp(&l->notes[at], &n) == 0)
        return OM_OK;
    if (!make_room(l, &n))
        return OM_OK;
    struct om_ledger_note *notes =
        om_ledger_grow(l->notes, l->note_count, &l->note_cap, sizeof *notes);
    if (!notes)
        return OM_E_NO_MEM;
    l->notes = notes;
    n.counts = judge(l, om_ledger_log(l, issuer), &n);
    at = place(l, &n);
    memmove(&l->notes[at + 1], &l->notes[at], (l->note_count++ - at) * sizeof n);
    l->notes[at] = n;
    l->change++;
    return OM_OK;
}

void om_ledger_expire(struct om_ledger *l, uint32_t now_s)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < l->note_count; i++)
        if ((uint64_t)l->notes[i].expires + OM_LEDGER_RENEW_S + OM_CERT_SKEW_S >= now_s)
            l->notes[kept++] = l->notes[i];
    if (kept < l->note_count)
        l->change++;
    l->note_count = kept;
}

void om_ledger_judge_notes(struct om_ledger *l, const struct om_ledger_log *log)
{
    for (unsigned i = 0; i < l->note_count; i++)
        if (om_id_equal(&l->notes[i].issuer, &log->owner))
            l->notes[i].counts = judge(l, log, &l->notes[i]);
}

void om_ledger_note_issued(struct om_ledger *l, const struct om_ledger_log *log,
                           const uint8_t hash[static OM_HASH_BYTES])
{
    for (unsigned i = 0; i < l->note_count; i++)
        if (memcmp(l->notes[i].hash, hash, OM_HASH_BYTES) == 0 &&
            om_id_equal(&l->notes[i].issuer, &log->owner))
            l->notes[i].counts = true;
}

/* Is the key of the note at @at that of one before it, from @first on, that counts? */
static bool is_repeated(const struct om_ledger *l, unsigned first, unsigned at)
{
    for (unsigned i = first; i < at; i++)
        if (l->notes[i].counts && om_id_equal(&l->notes[i].key, &l->notes[at].key))
            return true;
    return false;
}

bool om_ledger_superseded(const struct om_ledger *l, const struct om_ledger_note *n)
{
    struct om_ledger_note lowest = {.issued = 0};
    unsigned uses = om_ledger_invite_uses(n->invite), others = 0;

    memcpy(lowest.invite, n->invite, sizeof lowest.invite);
    unsigned first = place(l, &lowest);
    if (place(l, n) - first < uses)
        return false; /* nearly always: fewer than may be come before it */
    for (unsigned i = first; uses > 0 && i < l->note_count && cmp(&l->notes[i], n) < 0; i++) {
        const struct om_ledger_note *o = &l->notes[i];
        if (memcmp(o->invite, n->invite, sizeof n->invite) != 0)
            break;
        if (!o->counts)
            continue;
        if (om_id_equal(&o->key, &n->key)) /* it ranks by its first certificate */
            return false;
        if (!is_repeated(l, first, i) && ++others >= uses)
            return true;
    }
    return false;
}

unsigned om_ledger_noted(const struct om_ledger *l, const uint8_t invite[static OM_CERT_INVITE])
{
    struct om_ledger_note lowest = {.issued = 0}, highest;

    memset(&highest, 0xff, sizeof highest);
    memcpy(lowest.invite, invite, sizeof lowest.invite);
    memcpy(highest.invite, invite, sizeof highest.invite);
    return place(l, &highest) - place(l, &lowest);
}

const struct om_id *om_ledger_user(const struct om_ledger *l,
                                   const uint8_t invite[static OM_CERT_INVITE], unsigned *at)
{
    struct om_ledger_note lowest = {.issued = 0};

    memcpy(lowest.invite, invite, sizeof lowest.invite);
    unsigned first = place(l, &lowest);
    for (unsigned i = *at > first ? *at : first; i < l->note_count; i++) {
        if (memcmp(l->notes[i].invite, invite, OM_CERT_INVITE) != 0)
            break;
        *at = i + 1;
        if (l->notes[i].counts && !is_repeated(l, first, i))
            return &l->notes[i].key;
    }
    return NULL;
}
