/* rotation.c - the better of two epochs, and when to make another. */
#include "network/rotation.h"

#include <sodium.h>

enum { KEPT_VERSION = 1 };

void om_rotation_init(struct om_rotation *r, const struct om_id *network,
                      const struct om_id *authority)
{
    *r = (struct om_rotation){.network = *network,
                              .authority = *authority,
                              .due = OM_NEVER,
                              .since = OM_NEVER,
                              .begun = OM_NEVER};
}

void om_rotation_fini(struct om_rotation *r)
{
    sodium_memzero(r, sizeof *r);
    r->due = OM_NEVER;
}

void om_rotation_admin(struct om_rotation *r, const struct om_identity *self, struct om_bytes cert)
{
    OM_BUG_IF(cert.n != 0 && cert.n != sizeof r->admin);
    r->self = self;
    r->has_admin = cert.n > 0;
    if (cert.n > 0)
        memcpy(r->admin, cert.p, sizeof r->admin);
}

static void drop_past(struct om_rotation *r, unsigned at)
{
    r->past_count--;
    for (unsigned i = at; i < r->past_count; i++)
        r->past[i] = r->past[i + 1];
    sodium_memzero(&r->past[r->past_count], sizeof r->past[0]);
}

static void expire(struct om_rotation *r, uint32_t now_s)
{
    for (unsigned i = r->past_count; i > 0; i--)
        if ((uint64_t)r->past[i - 1].ended_s + OM_ROTATION_RETAINED_S < now_s)
            drop_past(r, i - 1);
    if (r->past_count == OM_ROTATION_PAST_MAX &&
        (uint64_t)r->past[0].ended_s + OM_ROTATION_PREVIOUS_S < now_s)
        drop_past(r, OM_ROTATION_PAST_MAX - 1);
}

/* The current one becomes the newest of the past. */
static void retire(struct om_rotation *r, uint32_t now_s)
{
    if (r->past_count == OM_ROTATION_PAST_MAX)
        drop_past(r, OM_ROTATION_PAST_MAX - 1);
    for (unsigned i = r->past_count++; i > 0; i--)
        r->past[i] = r->past[i - 1];
    r->past[0].number = r->current.number;
    r->past[0].ended_s = now_s;
    memcpy(r->past[0].secret, r->current.secret, sizeof r->past[0].secret);
}

static bool is_current(const struct om_rotation *r, const struct om_epoch_message *m)
{
    return r->has_current && m->number == r->current.number &&
           sodium_memcmp(m->secret, r->current.secret, sizeof m->secret) == 0;
}

/* @m, of which @in are the bytes, is the current one. */
static void set(struct om_rotation *r, const struct om_epoch_message *m, const struct om_id *maker,
                struct om_bytes in)
{
    r->current = *m;
    r->maker = *maker;
    om_hash(r->hash, om_bytes(m->secret, sizeof m->secret), om_bytes(NULL, 0));
    if (in.n > 0)
        memcpy(r->bytes, in.p, in.n);
    r->len = (uint16_t)in.n;
    r->has_current = true;
}

static void adopt(struct om_rotation *r, om_time now, uint32_t now_s,
                  const struct om_epoch_message *m, const struct om_id *maker, struct om_bytes in)
{
    if (r->has_current && !is_current(r, m)) {
        retire(r, now_s);
        r->begun = now;
    }
    for (unsigned i = r->past_count; i > 0; i--) /* it may come back after one that was revoked */
        if (sodium_memcmp(r->past[i - 1].secret, m->secret, sizeof m->secret) == 0)
            drop_past(r, i - 1);
    expire(r, now_s);
    set(r, m, maker, in);
    r->is_news = true;
    r->is_asked = false;
}

/* Is @m better than the current one? */
static enum om_rotation_put compare(const struct om_rotation *r, const struct om_ledger *l,
                                    const struct om_epoch_message *m)
{
    uint8_t hash[OM_HASH_BYTES];

    om_hash(hash, om_bytes(m->secret, sizeof m->secret), om_bytes(NULL, 0));
    int c = memcmp(hash, r->hash, sizeof hash);
    if (m->number == r->current.number && c == 0) /* ours may be bare */
        return r->len > 0 ? OM_ROTATION_KNOWN : OM_ROTATION_ADOPTED;
    if (m->number > r->current.number && m->number - r->current.number > OM_ROTATION_LEAP_MAX)
        return OM_ROTATION_LEAP;
    if (r->len > 0 && !om_ledger_may_sign(l, &r->maker) &&
        !om_ledger_beyond(l, m->excluded, m->excluded_count))
        return OM_ROTATION_ADOPTED;
    if (m->number == r->current.number ? c < 0 : m->number > r->current.number)
        return OM_ROTATION_ADOPTED;
    return OM_ROTATION_WORSE;
}

enum om_rotation_put om_rotation_put(struct om_rotation *r, om_time now, uint32_t now_s,
                                     const struct om_ledger *l, struct om_bytes in)
{
    enum om_rotation_put put = OM_ROTATION_FORGED;
    struct om_epoch_message m = {.number = 0};
    struct om_id maker;

    if (r->len > 0 && in.n == r->len && sodium_memcmp(in.p, r->bytes, in.n) == 0)
        return OM_ROTATION_KNOWN; /* nearly always: two curves less */
    if (om_epoch_message_decode(&m, in) != OM_OK ||
        !om_epoch_message_verify(in, &m, &maker, &r->network, &r->authority))
        goto out;
    put = r->has_current ? compare(r, l, &m) : OM_ROTATION_ADOPTED;
    if (put == OM_ROTATION_LEAP)
        goto out;
    if (!om_ledger_may_sign(l, &maker))
        put = OM_ROTATION_REVOKED; /* nor does its number count: ours would be a leap for others */
    else if (m.number > r->highest)
        r->highest = m.number;
    if (put == OM_ROTATION_ADOPTED)
        adopt(r, now, now_s, &m, &maker, in);
    om_rotation_look(r, now, l);
out:
    sodium_memzero(&m, sizeof m);
    return put;
}

void om_rotation_look(struct om_rotation *r, om_time now, const struct om_ledger *l)
{
    unsigned rank = r->self ? om_ledger_rank(l, &r->self->id) : 0;
    bool is_left_out =
        r->has_current && om_ledger_beyond(l, r->current.excluded, r->current.excluded_count);

    r->due = OM_NEVER;
    if (!is_left_out) {
        r->since = OM_NEVER;
        r->is_asked = false;
        return;
    }
    if (r->since == OM_NEVER)
        r->since = now;
    if (rank == 0)
        return;
    r->due = r->since + OM_SEC(OM_ROTATION_WAIT_S) * rank;
    if (r->begun != OM_NEVER && r->due < r->begun + OM_SEC(OM_ROTATION_SHARE_S))
        r->due = r->begun + OM_SEC(OM_ROTATION_SHARE_S);
    if (r->is_asked)
        r->due = now;
}

void om_rotation_ask(struct om_rotation *r, om_time now, const struct om_ledger *l)
{
    r->is_asked = true;
    om_rotation_look(r, now, l);
}

static void make(struct om_rotation *r, om_time now, uint32_t now_s, const struct om_ledger *l,
                 const struct om_rng *rng)
{
    struct om_epoch_message m = {.number = r->highest + 1, .has_admin = r->has_admin};
    uint8_t bytes[OM_EPOCH_MESSAGE_MAX];

    memcpy(m.admin, r->admin, sizeof m.admin);
    om_rng_fill(rng, m.secret, sizeof m.secret);
    m.excluded_count = om_ledger_excluded(l, m.excluded);
    size_t n = om_epoch_message_encode(bytes, &m, r->self, &r->network);
    r->highest = m.number;
    adopt(r, now, now_s, &m, &r->self->id, om_bytes(bytes, n));
    sodium_memzero(&m, sizeof m);
    sodium_memzero(bytes, sizeof bytes);
}

void om_rotation_begin(struct om_rotation *r, om_time now, uint32_t now_s,
                       const struct om_ledger *l, const struct om_rng *rng)
{
    OM_BUG_IF(r->has_current || !r->self);
    make(r, now, now_s, l, rng);
    om_rotation_look(r, now, l);
}

void om_rotation_bare(struct om_rotation *r, uint32_t number,
                      const uint8_t secret[static OM_EPOCH_SECRET_BYTES])
{
    struct om_epoch_message m = {.number = number};

    OM_BUG_IF(r->has_current);
    memcpy(m.secret, secret, sizeof m.secret);
    set(r, &m, &r->authority, om_bytes(NULL, 0));
    if (number > r->highest)
        r->highest = number;
    sodium_memzero(&m, sizeof m);
}

void om_rotation_tick(struct om_rotation *r, om_time now, uint32_t now_s, const struct om_ledger *l,
                      const struct om_rng *rng)
{
    expire(r, now_s);
    om_rotation_look(r, now, l);
    if (now < r->due || r->highest == UINT32_MAX)
        return;
    make(r, now, now_s, l, rng);
    om_rotation_look(r, now, l);
}

om_time om_rotation_deadline(const struct om_rotation *r)
{
    return r->due;
}

bool om_rotation_next(struct om_rotation *r)
{
    bool is_news = r->is_news;

    r->is_news = false;
    return is_news;
}

unsigned om_rotation_past(struct om_rotation *r, uint32_t now_s, const struct om_epoch_past **out)
{
    expire(r, now_s);
    *out = r->past;
    return r->past_count;
}

struct om_bytes om_rotation_give(const struct om_rotation *r, const struct om_ledger *l,
                                 const struct om_member *m)
{
    if (om_ledger_of(l, m) != OM_LEDGER_HOLDS)
        return om_bytes(NULL, 0);
    return om_bytes(r->bytes, r->len);
}

/*     u8 1, u32 highest number seen, u8 n, n x (u32 number, u32 ended (Unix s), 32 B secret) newest
 *     first, EPOCH
 */
size_t om_rotation_keep(const struct om_rotation *r, uint8_t out[static OM_ROTATION_KEPT_MAX])
{
    struct om_wr w = om_wr(om_mut(out, OM_ROTATION_KEPT_MAX));

    if (r->len == 0)
        return 0;
    om_wr_u8(&w, KEPT_VERSION);
    om_wr_uint(&w, r->highest, sizeof r->highest);
    om_wr_u8(&w, (uint8_t)r->past_count);
    for (unsigned i = 0; i < r->past_count && i < OM_ROTATION_PAST_MAX; i++) {
        om_wr_u32(&w, r->past[i].number);
        om_wr_u32(&w, r->past[i].ended_s);
        om_wr_copy(&w, r->past[i].secret, sizeof r->past[i].secret);
    }
    om_wr_copy(&w, r->bytes, r->len);
    return om_wr_len(&w);
}

static bool read_past(struct om_rotation *r, struct om_rd *in)
{
    r->past_count = om_rd_u8(in);
    if (r->past_count > OM_ROTATION_PAST_MAX)
        return false;
    for (unsigned i = 0; i < r->past_count; i++) {
        r->past[i].number = om_rd_u32(in);
        r->past[i].ended_s = om_rd_u32(in);
        om_rd_copy(in, r->past[i].secret, sizeof r->past[i].secret);
    }
    return !in->bad;
}

/* What @in says, into @r, which has nothing but what it was made with. */
static enum om_err read_kept(struct om_rotation *r, struct om_bytes in)
{
    struct om_epoch_message m = {.number = 0};
    struct om_rd rd = om_rd(in);
    struct om_id maker;
    bool is_known = om_rd_u8(&rd) == KEPT_VERSION;

    r->highest = om_rd_u32(&rd);
    if (!is_known || !read_past(r, &rd))
        return OM_E_PARSE;
    struct om_bytes message = om_rd_rest(&rd);
    enum om_err e = om_epoch_message_decode(&m, message);
    if (e == OM_OK && !om_epoch_message_verify(message, &m, &maker, &r->network, &r->authority))
        e = OM_E_CRYPTO;
    if (e == OM_OK)
        set(r, &m, &maker, message);
    sodium_memzero(&m, sizeof m);
    return e;
}

enum om_err om_rotation_recall(struct om_rotation *r, om_time now, uint32_t now_s,
                               struct om_bytes in)
{
    struct om_rotation back = {.network = r->network, .authority = r->authority};
    enum om_err e = read_kept(&back, in);

    OM_BUG_IF(r->len > 0);
    if (e == OM_OK) {
        r->is_news = !is_current(r, &back.current);
        set(r, &back.current, &back.maker, om_bytes(back.bytes, back.len));
        memcpy(r->past, back.past, sizeof r->past);
        r->past_count = back.past_count;
        r->highest = back.highest > r->highest ? back.highest : r->highest;
        if (r->highest < r->current.number)
            r->highest = r->current.number;
        if (r->past_count > 0 && r->past[0].ended_s <= now_s)
            r->begun = now - OM_SEC(now_s - r->past[0].ended_s);
        expire(r, now_s);
    }
    sodium_memzero(&back, sizeof back);
    return e;
}
