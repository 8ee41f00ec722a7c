/* gossip_in.c - what others tell, ask and answer. Nothing is believed without its signature. */
#include <string.h>

#include <omerta/wire.h>

#include "gossip/gossip_state.h"

enum {
    HASH_BYTES = 8,
    HEAD_BYTES = HASH_BYTES + 6,
    WALK_COST = 16,              /* of a sync or a seek, in entries */
    CONTENT_AT = 1 + 32 + 6 + 4, /* of a record: behind version, key, sequence and expiry */
    STRANGERS = 4 /* entries we do not hold that one sync may bring while the store is full */
};

/* What @from may still cost us; NULL without memory. */
static struct gossip_quota *quota_of(struct om_gossip *g, om_time now, const struct om_id *from)
{
    bool is_new;
    struct gossip_quota *q = om_lru_put(&g->quotas, from->b, &is_new);

    if (q && is_new) {
        om_bucket_init(&q->checks, OM_GOSSIP_CHECKS_PER_S, OM_GOSSIP_CHECKS_BURST, now);
        om_bucket_init(&q->answers, OM_GOSSIP_ANSWERS_PER_S, OM_GOSSIP_ANSWERS_BURST, now);
    }
    return q;
}

/* May @from have one more signature checked that nobody asked for? */
static bool may_check(struct om_gossip *g, om_time now, const struct om_id *from)
{
    struct gossip_quota *q = quota_of(g, now, from);

    return q && om_bucket_take(&q->checks, now, 1);
}

/* An entry asked for costs one; what makes us walk the store, more. */
static bool may_ask(struct om_gossip *g, om_time now, const struct om_id *from,
                    enum om_gossip_method method, size_t n)
{
    struct gossip_quota *q = quota_of(g, now, from);
    uint32_t cost = method == OM_GOSSIP_GET ? (uint32_t)(n / HASH_BYTES) + 1 : WALK_COST;

    return q && om_bucket_take(&q->answers, now, cost);
}

/* What needs no arithmetic: is it new, and of a time that can be? */
static bool is_timely(struct om_gossip *g, om_time now, const struct om_entry *e)
{
    uint64_t ms = gossip_wall_ms(g, now), ahead = (uint64_t)OM_RECORD_AHEAD_S;

    if (e->sequence > ms + ahead * 1000 || e->expires > ms / 1000 + OM_RECORD_LIFE_S + ahead) {
        gossip_drop(g, OM_GOSSIP_DROP_FUTURE);
        return false;
    }
    if (e->expires < ms / 1000) {
        gossip_drop(g, OM_GOSSIP_DROP_EXPIRED);
        return false;
    }
    return true;
}

static bool is_news(struct om_gossip *g, const struct om_entry *e)
{
    const struct om_held *h = om_records_get(&g->store, e);
    uint8_t key[OM_ENTRY_KEY];

    om_entry_key(e, key);
    const uint64_t *seen = om_lru_peek(&g->seen, key);
    if ((h && e->sequence <= h->sequence) || (seen && e->sequence <= *seen)) {
        gossip_drop(g, OM_GOSSIP_DROP_OLD);
        return false;
    }
    return true;
}

/* Not kept, but not to be told twice either. */
static void note_seen(struct om_gossip *g, const struct om_entry *e)
{
    uint8_t key[OM_ENTRY_KEY];

    om_entry_key(e, key);
    uint64_t *seen = om_lru_put(&g->seen, key, NULL);
    if (seen)
        *seen = e->sequence;
}

/* @is_told: a rumour of it that comes later is not to be told again. */
static void keep(struct om_gossip *g, om_time now, const struct om_entry *e, bool is_told)
{
    struct om_held *h;
    enum om_records_put put = om_records_put(&g->store, e, &h);
    bool is_item = e->channel[0] != '\0';

    if (put == OM_PUT_NO_MEM) {
        gossip_drop(g, OM_GOSSIP_DROP_MEMORY);
        return;
    }
    g->counts.entries_in++;
    if (h)
        h->taken_at = now ? now : 1;
    if (put == OM_PUT_NOT_KEPT && is_told)
        note_seen(g, e);
    if (is_item && om_records_is_subscribed(&g->store, e->channel))
        gossip_act(g, OM_GOSSIP_ACT_ITEM, &e->id, e->bytes);
    if (!is_item && h)
        gossip_act(g, OM_GOSSIP_ACT_CHANGED, &e->id, e->bytes);
    if (put == OM_PUT_NEW && !is_item)
        gossip_adopt(g, now, &e->id);
    if (!is_item && h && put == OM_PUT_NEWER)
        h->failed_at = 0; /* it may have moved: worth another try */
    if (g->rumours || g->is_unannounced)
        g->round_at = om_time_min(g->round_at, now + OM_MS(OM_GOSSIP_ROUND_MS));
}

/* One member that changes its mind all the time must not keep the others from being heard. */
static bool is_too_often(const struct om_gossip *g, om_time now, const struct om_entry *e)
{
    const struct om_held *h = om_records_get(&g->store, e);

    return h && h->taken_at != 0 && now - h->taken_at < OM_SEC(OM_GOSSIP_ORIGIN_S);
}

/* Made within the last minutes, as far as clocks agree. */
static bool is_young(const struct om_gossip *g, om_time now, const struct om_entry *e)
{
    const uint64_t wall = gossip_wall_ms(g, now), youth = OM_GOSSIP_YOUTH_S * UINT64_C(1000);

    return e->sequence < wall + youth && e->sequence + youth > wall;
}

/* What is old is no news, whoever tells it: in a network of more nodes than anybody remembers it
 * would go round for ever. What came as an answer is told, too, while it is young: else whoever had
 * asked in time would stand in the way of the rumour. A renewal says nothing new, and is not told
 * by anyone; who did not hold what it renews cannot see that, and tells nothing it asked for. */
static bool is_worth_telling(const struct om_gossip *g, om_time now, const struct om_entry *e,
                             bool asked)
{
    const struct om_held *h = om_records_get(&g->store, e);

    if (h && !h->is_item && h->len == e->bytes.n &&
        memcmp(h->bytes + CONTENT_AT, e->bytes.p + CONTENT_AT,
               e->bytes.n - CONTENT_AT - OM_SIGN_BYTES) == 0)
        return false;
    return is_young(g, now, e) && (!asked || h || g->store.records < g->store.max);
}

static bool is_signed(struct om_gossip *g, const struct om_entry *e)
{
    if (g->is_member && !g->is_member(g->who, &e->id)) {
        gossip_drop(g, OM_GOSSIP_DROP_STRANGER);
        return false;
    }
    if (!om_record_verify(&g->network, &e->id, e->bytes)) {
        gossip_drop(g, OM_GOSSIP_DROP_FORGED);
        return false;
    }
    return true;
}

bool gossip_is_true(struct om_gossip *g, om_time now, const struct om_entry *e)
{
    return is_timely(g, now, e) && is_signed(g, e);
}

void gossip_take(struct om_gossip *g, om_time now, const struct om_id *from, bool asked,
                 struct om_bytes bytes)
{
    struct om_entry e;
    enum om_err err = om_entry_decode(&e, bytes);

    if (err != OM_OK) {
        gossip_drop(g, err == OM_E_RANGE ? OM_GOSSIP_DROP_OVERSIZE : OM_GOSSIP_DROP_MALFORMED);
        return;
    }
    if (om_id_equal(&e.id, &g->self->id)) {
        /* Told about ourselves: of a life before a restart, if newer. Ours must be newer still. */
        if (e.sequence > g->sequence && is_timely(g, now, &e) &&
            (asked || !from || may_check(g, now, from)) &&
            om_record_verify(&g->network, &e.id, bytes)) {
            g->sequence = e.sequence;
            g->renew_at = now;
        }
        gossip_drop(g, OM_GOSSIP_DROP_OURS);
        return;
    }
    if (!is_timely(g, now, &e) || !is_news(g, &e))
        return;
    if (!asked && is_too_often(g, now, &e)) {
        gossip_drop(g, OM_GOSSIP_DROP_OFTEN);
        return;
    }
    if (!asked && from && !may_check(g, now, from)) {
        gossip_drop(g, OM_GOSSIP_DROP_QUOTA);
        return;
    }
    if (!is_signed(g, &e))
        return;
    bool is_news_to_tell = from && is_worth_telling(g, now, &e, asked);
    if (is_news_to_tell)
        gossip_tell(g, now, from, bytes);
    keep(g, now, &e, is_news_to_tell || !asked);
}

void om_gossip_learn(struct om_gossip *g, om_time now, struct om_bytes bytes)
{
    gossip_take(g, now, NULL, true, bytes);
}

/* Each {u16 length, entry} of @r. Answers are not bound by a quota: who forges one is not asked
 * again, and what else it said is not looked at. */
static void take_all(struct om_gossip *g, om_time now, const struct om_id *from, bool asked,
                     struct om_rd *r)
{
    const uint64_t forged = g->counts.drops[OM_GOSSIP_DROP_FORGED];

    while (om_rd_left(r) > 0) {
        struct om_bytes entry = om_rd_bytes(r, om_rd_u16(r));
        if (r->bad) {
            gossip_drop(g, OM_GOSSIP_DROP_MALFORMED);
            return;
        }
        gossip_take(g, now, from, asked, entry);
        if (asked && g->counts.drops[OM_GOSSIP_DROP_FORGED] != forged) {
            gossip_failed(g, now, from);
            return;
        }
    }
}

void om_gossip_rumour(struct om_gossip *g, om_time now, const struct om_id *from,
                      struct om_bytes bytes)
{
    struct om_rd r = om_rd(bytes);

    g->counts.rumours_in++;
    gossip_listener(g, now, from);
    take_all(g, now, from, false, &r);
}

/* The first change after @since, by walking back from the newest. */
static struct om_link *first_after(const struct om_records *s, uint64_t since)
{
    struct om_link *at = NULL;

    for (struct om_link *l = s->changes.head.prev; l != &s->changes.head; l = l->prev) {
        if (OM_CONTAINER_OF(l, struct om_held, by_change)->change <= since)
            break;
        at = l;
    }
    return at;
}

/* @from has a record of its own that is newer than what we hold of it, it says; and so as often as
 * it likes. */
static void get_record_of(struct om_gossip *g, const struct om_id *from)
{
    const struct om_entry e = {.id = *from};
    uint8_t key[OM_ENTRY_KEY];

    if (gossip_owed(g, from) >= GOSSIP_PROVOKED_MAX)
        return; /* its next sync says it again */
    om_entry_key(&e, key);
    uint8_t want[HASH_BYTES];
    struct om_wr w = om_wr(om_mut(want, sizeof want));
    om_wr_u64(&w, om_entry_hash(key, &g->network));
    gossip_call(g, from, OM_GOSSIP_GET, om_bytes(want, sizeof want));
}

/* Which buckets of theirs are not like ours; without a digest, all. */
static bool read_digest(const struct om_gossip *g, struct om_rd *in, bool differs[])
{
    bool has = om_rd_left(in) > 0;

    for (unsigned i = 0; i < OM_RECORDS_BUCKETS; i++) {
        uint64_t sum = has ? om_rd_u64(in) : 0;
        differs[i] = !has || sum != g->store.sums[i];
    }
    return om_rd_done(in);
}

static enum om_err answer_sync(struct om_gossip *g, const struct om_id *from, struct om_rd *in,
                               struct om_wr *out)
{
    uint64_t store = om_rd_u64(in), since = om_rd_u64(in), theirs = om_rd_u48(in);
    const struct om_held *h = om_records_find(&g->store, from);
    bool differs[OM_RECORDS_BUCKETS];
    unsigned count = 0;

    if (!read_digest(g, in, differs))
        return OM_E_PARSE;
    if (theirs > (h ? h->sequence : 0))
        get_record_of(g, from);
    struct om_link *l = first_after(&g->store, store == g->store_id ? since : 0);
    om_wr_u64(out, g->store_id);
    uint8_t *next = om_wr_room(out, 8);
    uint64_t last = g->store.change;
    for (; l; l = om_list_next(&g->store.changes, l)) {
        const struct om_held *x = OM_CONTAINER_OF(l, struct om_held, by_change);
        if (!differs[om_records_bucket(x->hash)])
            continue;
        if (count == OM_GOSSIP_HEADS || om_wr_left(out) < HEAD_BYTES)
            break;
        om_wr_u64(out, x->hash);
        om_wr_u48(out, x->sequence);
        last = x->change;
        count++;
    }
    if (!l)
        last = g->store.change;
    struct om_wr w = om_wr(om_mut(next, 8));
    om_wr_u64(&w, last);
    return OM_OK;
}

static enum om_err answer_get(struct om_gossip *g, struct om_rd *in, struct om_wr *out)
{
    unsigned count = 0;

    if (om_rd_left(in) % HASH_BYTES != 0 || om_rd_left(in) / HASH_BYTES > OM_GOSSIP_WANTS)
        return OM_E_PARSE;
    for (; om_rd_left(in) > 0; count++) {
        const struct om_held *h = om_records_by_hash(&g->store, om_rd_u64(in));
        if (!h || om_wr_left(out) < (size_t)2 + h->len)
            continue; /* it has changed hands meanwhile */
        om_wr_u16(out, h->len);
        om_wr_copy(out, h->bytes, h->len);
    }
    return OM_OK;
}

static enum om_err answer_seek(struct om_gossip *g, om_time now, struct om_rd *in,
                               struct om_wr *out)
{
    const struct om_held *near[OM_GOSSIP_NEAREST];
    struct om_id id;

    om_rd_copy(in, id.b, sizeof id.b);
    if (!om_rd_done(in))
        return OM_E_PARSE;
    unsigned n = gossip_nearest(g, &id, near, OM_GOSSIP_NEAREST);
    bool is_it = n > 0 && memcmp(near[0]->key, id.b, OM_ID_BYTES) == 0;
    bool is_heard = is_it && near[0]->heard_at != 0;
    om_wr_u32(out, is_heard ? (uint32_t)((now - near[0]->heard_at) / OM_SEC(1)) : UINT32_MAX);
    for (unsigned i = 0; i < (is_it ? 1 : n); i++) {
        om_wr_u16(out, near[i]->len);
        om_wr_copy(out, near[i]->bytes, near[i]->len);
    }
    return OM_OK;
}

enum om_err om_gossip_request(struct om_gossip *g, om_time now, const struct om_id *from,
                              enum om_gossip_method method, struct om_bytes body, struct om_wr *out)
{
    struct om_rd r = om_rd(body);

    if (!may_ask(g, now, from, method, body.n)) {
        gossip_drop(g, OM_GOSSIP_DROP_QUOTA);
        return OM_E_BUSY;
    }
    if (method == OM_GOSSIP_SYNC)
        gossip_listener(g, now, from);
    switch (method) {
    case OM_GOSSIP_SYNC:
        return answer_sync(g, from, &r, out);
    case OM_GOSSIP_GET:
        return answer_get(g, &r, out);
    case OM_GOSSIP_SEEK:
        return answer_seek(g, now, &r, out);
    case OM_GOSSIP_METHODS:
        break;
    }
    return OM_E_PARSE;
}

static bool call_get(struct om_gossip *g, const struct om_id *from, struct om_bytes wants)
{
    if (wants.n == 0)
        return true;
    g->counts.gets++;
    return gossip_call(g, from, OM_GOSSIP_GET, wants) != NULL;
}

/* Ask @from for what its heads show to be newer than ours, in calls of OM_GOSSIP_WANTS each; false
 * when not all could be asked. With the store full, most of what we do not hold we would not keep
 * either. */
static bool want_newer(struct om_gossip *g, const struct om_id *from, struct om_rd *r)
{
    uint8_t wants[OM_GOSSIP_WANTS * 8];
    struct om_wr w = om_wr(om_mut(wants, sizeof wants));
    unsigned strangers = 0;
    bool is_all = true;

    while (om_rd_left(r) >= HEAD_BYTES) {
        uint64_t hash = om_rd_u64(r);
        uint64_t sequence = om_rd_u48(r);
        const struct om_held *h = om_records_by_hash(&g->store, hash);
        g->counts.heads_in++;
        if (h ? sequence <= h->sequence
              : g->store.records >= g->store.max && ++strangers > STRANGERS)
            continue;
        om_wr_u64(&w, hash);
        if (om_wr_left(&w) > 0)
            continue;
        is_all &= call_get(g, from, om_bytes(wants, sizeof wants));
        w = om_wr(om_mut(wants, sizeof wants));
    }
    return call_get(g, from, om_bytes(wants, om_wr_len(&w))) && is_all;
}

static void on_heads(struct om_gossip *g, const struct om_id *from, unsigned pages,
                     struct om_bytes bytes)
{
    struct om_rd r = om_rd(bytes);
    struct gossip_cursor c = {.store = om_rd_u64(&r), .next = om_rd_u64(&r)};

    if (r.bad || om_rd_left(&r) % HEAD_BYTES != 0 ||
        om_rd_left(&r) / HEAD_BYTES > OM_GOSSIP_HEADS) {
        gossip_drop(g, OM_GOSSIP_DROP_MALFORMED);
        return;
    }
    bool is_full = om_rd_left(&r) / HEAD_BYTES == OM_GOSSIP_HEADS;
    if (!want_newer(g, from, &r))
        return; /* the next sync asks for it all again */
    struct gossip_cursor *mine = om_lru_put(&g->cursors, from->b, NULL);
    if (!mine)
        return;
    *mine = c;
    if (is_full && pages + 1 < GOSSIP_PAGES_MAX)
        gossip_sync_with(g, from, pages + 1);
}

void om_gossip_reply(struct om_gossip *g, om_time now, uint64_t tag, bool is_ok,
                     struct om_bytes bytes)
{
    struct gossip_asked *a = NULL;

    for (unsigned i = 0; i < GOSSIP_ASKED_MAX && tag != 0; i++)
        if (g->asked[i].tag == tag)
            a = &g->asked[i];
    if (!a) {
        gossip_drop(g, OM_GOSSIP_DROP_UNASKED);
        return;
    }
    struct gossip_asked was = *a;
    a->tag = 0;
    if (!is_ok) {
        om_lru_remove(&g->cursors, was.peer.b); /* what was asked for would not be asked again */
        gossip_failed(g, now, &was.peer);
    }
    switch (was.method) {
    case OM_GOSSIP_SYNC:
        if (is_ok)
            on_heads(g, &was.peer, was.pages, bytes);
        break;
    case OM_GOSSIP_GET:
        if (is_ok) {
            struct om_rd r = om_rd(bytes);
            take_all(g, now, &was.peer, true, &r);
        }
        break;
    case OM_GOSSIP_SEEK:
        gossip_seek_reply(g, now, &was, is_ok, bytes);
        break;
    case OM_GOSSIP_METHODS:
        break;
    }
}
