/*
 * model_ledger.c - the ledger against what its rules say of a set, in random orders and partitions
 *
 * A network signs honest logs, forks, ends of admins, and certificates that share invites. The twin
 * judges by the whole set at once; a ledger hears it piece by piece, or through others.
 */
#include "ledgers.h"

#include "dice.h"

enum {
    ADMINS = 4,
    SAID_MAX = 96,
    LENGTH = 6, /* of a log */
    FIRST_MEMBER = 20,
    MEMBERS = 12,
    INVITES = 3,
    CERTS = 2 * MEMBERS,
    WORLDS = 8,
    ORDERS = 4,
    PASSES = 3 * LENGTH,
    PARTS = 3
};

struct world {
    struct said said[SAID_MAX];
    struct om_admin_entry read[SAID_MAX];
    unsigned count;
    struct member certs[CERTS];
    bool kept[SAID_MAX], honoured[SAID_MAX], is_revoked[ADMINS + 1];
};

static const uint8_t *invite(unsigned n)
{
    static uint8_t out[OM_CERT_INVITE];

    memset(out, 0, sizeof out);
    out[1] = (uint8_t)(1 + n % 2);
    out[7] = (uint8_t)(1 + n);
    return out;
}

static void add(struct world *w, const struct said *s)
{
    for (unsigned i = 0; i < w->count; i++) /* chance may say the same twice */
        if (w->said[i].by == s->by && memcmp(w->said[i].hash, s->hash, sizeof s->hash) == 0)
            return;
    CHECK(w->count < SAID_MAX);
    CHECK_OK(om_admin_entry_decode(&w->read[w->count], om_bytes(s->bytes, s->n)));
    w->said[w->count++] = *s;
}

/* What admin @by says at random. */
static struct said say_something(const struct world *w, struct dice *d, unsigned by,
                                 uint32_t number, const struct said *previous)
{
    unsigned who = FIRST_MEMBER + dice_below(d, MEMBERS);

    switch (dice_below(d, 4)) {
    case 0:
        return say(by, number, previous, OM_ADMIN_KEY_REVOKED,
                   key(dice_below(d, 8) ? who : 1 + dice_below(d, ADMINS))->id.b);
    case 1:
        return say(by, number, previous, OM_ADMIN_INVITE_VOID, invite(dice_below(d, INVITES)));
    default:
        return say(by, number, previous, OM_ADMIN_ISSUED, w->certs[dice_below(d, CERTS)].hash);
    }
}

/* A log, forked at random from some number on. */
static void make_log(struct world *w, struct dice *d, unsigned by, unsigned twins)
{
    struct said last = {.by = by}, twin = last;
    uint32_t fork = dice_below(d, 2) ? 1 + dice_below(d, LENGTH) : LENGTH + 1;

    for (uint32_t number = 1; number <= LENGTH; number++) {
        const struct said *before = number > 1 ? &last : NULL;
        const struct said *other = number > fork ? &twin : before;
        struct said s = say_something(w, d, by, number, before);
        for (unsigned i = 1; i < twins && number >= fork; i++) {
            struct said t = say_something(w, d, by, number, other);
            if (memcmp(t.hash, s.hash, sizeof t.hash) != 0) {
                add(w, &t);
                twin = t;
            } else {
                twin = s;
            }
        }
        add(w, &s);
        last = s;
    }
}

/* The authority ends an admin at some entry of his, or at none. */
static struct said end_somebody(const struct world *w, struct dice *d, uint32_t number,
                                const struct said *previous)
{
    unsigned i = dice_below(d, w->count), admin = 1 + dice_below(d, ADMINS);

    while (w->said[i].by != admin)
        i = (i + 1) % w->count;
    return say_admin(number, previous, admin, w->read[i].number,
                     dice_below(d, 4) ? &w->said[i] : NULL);
}

static void make_world(struct world *w, struct dice *d, unsigned twins)
{
    struct said last = {.by = 0};

    *w = (struct world){.count = 0};
    for (unsigned i = 0; i < CERTS; i++)
        w->certs[i] = member(FIRST_MEMBER + i % MEMBERS, 1 + dice_below(d, ADMINS), 0, 0, 0);
    for (unsigned i = 0; i < CERTS; i++) { /* now with an invite, and dates that often are equal */
        struct member *m = &w->certs[i];
        unsigned n = dice_below(d, INVITES + 1);
        *m = member(FIRST_MEMBER + i % MEMBERS, m->by, (uint16_t)(1 + n % 2),
                    n < INVITES ? (uint8_t)(1 + n) : 0, dice_below(d, 5));
    }
    for (unsigned by = 1; by <= ADMINS; by++)
        make_log(w, d, by, twins);
    for (uint32_t number = 1; number <= 4; number++) {
        const struct said *before = number > 1 ? &last : NULL;
        struct said s = dice_below(d, 2) ? end_somebody(w, d, number, before)
                                         : say_something(w, d, 0, number, before);
        add(w, &s);
        last = s;
    }
}

/* The twin: rules read off the whole set. */

static int cmp_hash(const struct world *w, unsigned a, unsigned b)
{
    return memcmp(w->said[a].hash, w->said[b].hash, OM_HASH_BYTES);
}

static bool is_one(const struct world *w, unsigned i, unsigned by, uint32_t number)
{
    return w->said[i].by == by && w->read[i].number == number;
}

static void follow(struct world *w, unsigned by, uint32_t number, const uint8_t *hash)
{
    for (unsigned i = 0; number > 0 && i < w->count; i++)
        if (is_one(w, i, by, number) && memcmp(w->said[i].hash, hash, OM_HASH_BYTES) == 0) {
            w->honoured[i] = w->kept[i] = true;
            hash = w->read[i].previous;
            number--;
            i = UINT32_MAX; /* from the beginning again */
        }
}

static void judge(struct world *w)
{
    memset(w->kept, 0, sizeof w->kept);
    memset(w->honoured, 0, sizeof w->honoured);
    for (unsigned i = 0; i < w->count; i++) {
        unsigned lower = 0;
        for (unsigned k = 0; k < w->count; k++)
            lower += is_one(w, k, w->said[i].by, w->read[i].number) && cmp_hash(w, k, i) < 0;
        w->kept[i] = lower < 2;
    }
    for (unsigned by = 1; by <= ADMINS; by++) {
        const struct om_admin_entry *end = NULL;
        for (unsigned i = 0; i < w->count; i++) {
            const struct om_admin_entry *e = &w->read[i];
            if (w->said[i].by != 0 || !w->kept[i] || e->kind != OM_ADMIN_REVOKED ||
                memcmp(e->subject, key(by)->id.b, 32) != 0)
                continue;
            if (!end || e->last < end->last ||
                (e->last == end->last && memcmp(e->last_hash, end->last_hash, 32) < 0))
                end = e;
        }
        w->is_revoked[by] = end != NULL;
        if (end)
            follow(w, by, end->last, end->last_hash);
    }
}

static bool counts(const struct world *w, unsigned i)
{
    return w->kept[i] && (!w->is_revoked[w->said[i].by] || w->honoured[i]);
}

/* Did an admin, or @by alone if it is not negative, say that? */
static bool is_said(const struct world *w, int by, uint8_t kind, const void *subject, size_t n)
{
    for (unsigned i = 0; i < w->count; i++)
        if (counts(w, i) && w->read[i].kind == kind && (by < 0 || w->said[i].by == (unsigned)by) &&
            memcmp(w->read[i].subject, subject, n) == 0)
            return true;
    return false;
}

/* An admin that was not ended is the authority's to put out. */
static bool is_put_out(const struct world *w, const struct om_id *who)
{
    int by = -1;

    for (unsigned i = 1; i <= ADMINS; i++)
        if (!w->is_revoked[i] && om_id_equal(&key(i)->id, who))
            by = 0;
    return is_said(w, by, OM_ADMIN_KEY_REVOKED, who->b, 32);
}

static bool is_in_order(const struct world *w, const struct member *m)
{
    return !w->is_revoked[m->by] || is_said(w, (int)m->by, OM_ADMIN_ISSUED, m->hash, 32);
}

/* The certificate by which a member ranks, among those that bear the invite of @m; NULL: none. */
static const struct member *best(const struct world *w, const struct om_id *of,
                                 const struct member *m)
{
    const struct member *out = NULL;

    for (unsigned i = 0; i < CERTS; i++) {
        const struct member *c = &w->certs[i];
        if (!om_id_equal(&c->c.key, of) || memcmp(c->c.invite, m->c.invite, 8) != 0 ||
            !is_in_order(w, c))
            continue;
        if (!out || c->c.issued < out->c.issued ||
            (c->c.issued == out->c.issued && om_id_cmp(&key(c->by)->id, &key(out->by)->id) < 0))
            out = c;
    }
    return out;
}

static bool ranks_before(const struct member *a, const struct member *b)
{
    if (a->c.issued != b->c.issued)
        return a->c.issued < b->c.issued;
    int c = om_id_cmp(&key(a->by)->id, &key(b->by)->id);
    return c != 0 ? c < 0 : om_id_cmp(&a->c.key, &b->c.key) < 0;
}

static enum om_ledger_verdict twin_verdict(const struct world *w, const struct member *m)
{
    unsigned before = 0, uses = (unsigned)m->c.invite[0] << 8 | m->c.invite[1];

    if (is_put_out(w, &m->c.key))
        return OM_LEDGER_REVOKED;
    if (!is_in_order(w, m))
        return OM_LEDGER_ISSUER;
    const struct member *mine = best(w, &m->c.key, m);
    for (unsigned i = 0; uses > 0 && i < MEMBERS; i++) {
        const struct member *o = best(w, &key(FIRST_MEMBER + i)->id, m);
        before += o && !om_id_equal(&o->c.key, &m->c.key) && ranks_before(o, mine);
    }
    return uses > 0 && before >= uses ? OM_LEDGER_SUPERSEDED : OM_LEDGER_HOLDS;
}

static uint32_t twin_excluded(const struct world *w, unsigned by)
{
    uint32_t out = 0;

    for (unsigned i = 0; i < w->count; i++)
        if (w->said[i].by == by && counts(w, i) && w->read[i].number > out &&
            (w->read[i].kind == OM_ADMIN_KEY_REVOKED ||
             (by == 0 && w->read[i].kind == OM_ADMIN_REVOKED)))
            out = w->read[i].number;
    return out;
}

static unsigned kept_of(const struct world *w, unsigned by)
{
    unsigned n = 0;

    for (unsigned i = 0; i < w->count; i++)
        n += w->said[i].by == by && w->kept[i];
    return n;
}

static void compare(const struct world *w, struct om_ledger *l)
{
    struct om_excluded list[OM_LEDGER_LOGS_MAX];
    unsigned n = om_ledger_excluded(l, list), seen[OM_LEDGER_VERDICTS] = {0};

    for (unsigned i = 0; i < CERTS; i++) {
        enum om_ledger_verdict v = twin_verdict(w, &w->certs[i]);
        CHECK_EQ(verdict(l, &w->certs[i]), v);
        seen[v]++;
    }
    for (unsigned i = 0; i < INVITES; i++)
        CHECK_EQ(om_ledger_void(l, invite(i)),
                 is_said(w, -1, OM_ADMIN_INVITE_VOID, invite(i), OM_CERT_INVITE));
    for (unsigned by = 0; by <= ADMINS; by++) {
        uint32_t covered = 0;
        for (unsigned i = 0; i < n; i++)
            if (memcmp(list[i].owner, key(by)->id.b, OM_EXCLUDED_BYTES) == 0)
                covered = list[i].number;
        CHECK_EQ(covered, twin_excluded(w, by));
        CHECK_EQ(om_ledger_log(l, &key(by)->id)->count, kept_of(w, by));
        CHECK_EQ(om_ledger_may_sign(l, &key(by)->id),
                 by == 0 || (!w->is_revoked[by] && !is_put_out(w, &key(by)->id)));
    }
    CHECK(seen[OM_LEDGER_HOLDS] < CERTS); /* else the world said nothing */
}

/* Offers all of @w that is of @part, in an order of its own; true when something was new. */
static bool offer(const struct world *w, struct dice *d, struct om_ledger *l, const uint8_t *parts,
                  unsigned part)
{
    enum { ALL = SAID_MAX + CERTS + ADMINS };
    unsigned order[ALL], n = 0;
    uint8_t cert[OM_ADMIN_CERT_BYTES];
    bool is_new = false;

    for (unsigned i = 0; i < ALL; i++)
        if (!parts || parts[i] == part)
            order[n++] = i;
    for (unsigned i = n; i > 1; i--) {
        unsigned k = dice_below(d, i), was = order[k];
        order[k] = order[i - 1];
        order[i - 1] = was;
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned at = order[i];
        if (at >= SAID_MAX + CERTS)
            CHECK_OK(om_ledger_admin(l, admin_cert(cert, at - SAID_MAX - CERTS + 1)));
        else if (at >= SAID_MAX)
            CHECK_OK(note(l, &w->certs[at - SAID_MAX]));
        else if (at < w->count)
            is_new |= hear(l, &w->said[at]) == OM_LEDGER_NEW;
    }
    return is_new;
}

static void check_heads(struct om_ledger *a, struct om_ledger *b)
{
    struct om_ledger_head of_a[OM_LEDGER_LOGS_MAX], of_b[OM_LEDGER_LOGS_MAX];
    unsigned n = om_ledger_heads(a, of_a);

    CHECK_EQ(om_ledger_heads(b, of_b), n);
    CHECK_MEM(of_a, of_b, n * sizeof of_a[0]);
    CHECK(!om_ledger_lacks(a, of_b, n));
}

OM_TEST(ledger_model_order_does_not_matter)
{
    static struct world w;
    struct dice d = {5};
    struct om_ledger first, l;

    for (unsigned i = 0; i < WORLDS; i++) {
        make_world(&w, &d, 2 + i % 2);
        judge(&w);
        for (unsigned order = 0; order < ORDERS; order++) {
            unsigned passes = 0;
            CHECK_OK(om_ledger_init(&l, &ledgers_network, &key(0)->id));
            while (offer(&w, &d, &l, NULL, 0))
                CHECK(++passes < PASSES);
            compare(&w, &l);
            if (order == 0) {
                first = l;
                continue;
            }
            check_heads(&first, &l);
            om_ledger_fini(&l);
        }
        om_ledger_fini(&first);
    }
}

/* Each part of a network hears a part, of twins as many as are kept; then they meet by pairs. */
OM_TEST(ledger_model_partitions_heal)
{
    static struct world w;
    struct dice d = {6};
    struct om_ledger l[PARTS];
    uint8_t parts[SAID_MAX + CERTS + ADMINS];

    for (unsigned i = 0; i < WORLDS; i++) {
        make_world(&w, &d, 2);
        judge(&w);
        for (unsigned k = 0; k < sizeof parts; k++)
            parts[k] = (uint8_t)dice_below(&d, PARTS);
        for (unsigned p = 0; p < PARTS; p++) {
            CHECK_OK(om_ledger_init(&l[p], &ledgers_network, &key(0)->id));
            for (unsigned pass = 0; pass < 2; pass++)
                (void)offer(&w, &d, &l[p], parts, p);
            for (unsigned c = 0; c < CERTS; c++) /* they see each other's certificates */
                CHECK_OK(note(&l[p], &w.certs[c]));
            for (unsigned by = 1; by <= ADMINS; by++) {
                uint8_t cert[OM_ADMIN_CERT_BYTES];
                CHECK_OK(om_ledger_admin(&l[p], admin_cert(cert, by)));
            }
            (void)offer(&w, &d, &l[p], parts, p);
        }
        for (unsigned round = 0, quiet = 0; quiet < 2; round++) {
            bool is_new = false;
            CHECK(round < PASSES);
            for (unsigned from = 0; from < PARTS; from++)
                for (unsigned to = 0; to < PARTS; to++)
                    if (from != to)
                        is_new |= tell(&l[from], &l[to]) > 0;
            quiet = is_new ? 0 : quiet + 1;
        }
        for (unsigned p = 0; p < PARTS; p++) {
            compare(&w, &l[p]);
            check_heads(&l[0], &l[p]);
        }
        for (unsigned p = 0; p < PARTS; p++)
            om_ledger_fini(&l[p]);
    }
}
