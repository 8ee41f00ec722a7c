/* reach.c - windows of what was sent, and who vouches for an address. */
#include "path/reach.h"

#include <limits.h>
#include <string.h>

enum { SOURCE = 16, END_KEY = OM_ID_BYTES + OM_ADDR_WIRE, ATTESTED_KEY = OM_ID_BYTES + SOURCE };

struct budget {
    om_time used; /* last */
    struct om_reach_window stranger, corroborated;
};

struct exemption {
    om_time until, used;
    struct om_reach_window sent;
};

struct attested {
    om_time until;    /* corroborated; 0: not yet */
    om_time first_at; /* of the latest random member */
    struct om_id first_by;
};

static uint16_t window_sent(const struct om_reach_window *w, om_time now, unsigned seconds)
{
    int64_t slot = now / (OM_SEC(seconds) / OM_REACH_SLOTS);
    unsigned sum = 0;

    for (int64_t i = 0; i <= OM_REACH_SLOTS; i++)
        if (w->slot - i >= slot - OM_REACH_SLOTS && w->slot - i >= 0)
            sum += w->sent[(w->slot - i) % (OM_REACH_SLOTS + 1)];
    return (uint16_t)sum;
}

static void window_add(struct om_reach_window *w, om_time now, unsigned seconds)
{
    int64_t slot = now / (OM_SEC(seconds) / OM_REACH_SLOTS);

    if (slot > w->slot + OM_REACH_SLOTS)
        memset(w->sent, 0, sizeof w->sent);
    else
        for (int64_t i = w->slot + 1; i <= slot; i++)
            w->sent[i % (OM_REACH_SLOTS + 1)] = 0;
    if (slot > w->slot)
        w->slot = slot;
    w->sent[w->slot % (OM_REACH_SLOTS + 1)]++;
}

static unsigned less(unsigned max, unsigned sent)
{
    return sent < max ? max - sent : 0;
}

static void end_key(uint8_t out[static END_KEY], const struct om_addr *to, const struct om_id *who)
{
    memcpy(out, who->b, OM_ID_BYTES);
    memcpy(out + OM_ID_BYTES, to->ip, sizeof to->ip);
    out[END_KEY - 2] = (uint8_t)(to->port >> 8);
    out[END_KEY - 1] = (uint8_t)to->port;
}

static void attested_key(uint8_t out[static ATTESTED_KEY], const struct om_id *who,
                         const struct om_addr *at)
{
    memcpy(out, who->b, OM_ID_BYTES);
    om_addr_source(at, out + OM_ID_BYTES);
}

void om_reach_init(struct om_reach *r, om_time now, const uint8_t sip[static OM_SIP_KEY])
{
    *r = (struct om_reach){0};
    enum om_err e = om_lru_init(&r->ips, SOURCE, sizeof(struct budget), OM_REACH_IPS_MAX, sip);
    OM_BUG_IF(e != OM_OK);
    e = om_lru_init(&r->exempt, END_KEY, sizeof(struct exemption), OM_REACH_ENDS_MAX, sip);
    OM_BUG_IF(e != OM_OK);
    e = om_lru_init(&r->proven, OM_ADDR_WIRE, sizeof(struct om_id), OM_REACH_ENDS_MAX, sip);
    OM_BUG_IF(e != OM_OK);
    e = om_lru_init(&r->attested, ATTESTED_KEY, sizeof(struct attested), OM_REACH_ATTESTED_MAX,
                    sip);
    OM_BUG_IF(e != OM_OK);
    om_bucket_init(&r->rate, OM_REACH_PER_S - OM_REACH_BURST, OM_REACH_BURST, now);
}

void om_reach_fini(struct om_reach *r)
{
    om_lru_fini(&r->ips);
    om_lru_fini(&r->exempt);
    om_lru_fini(&r->proven);
    om_lru_fini(&r->attested);
}

/* Is there an exemption of @who alone, or of anybody, with something left? */
static struct exemption *exemption_of(const struct om_reach *r, om_time now,
                                      const struct om_addr *to, const struct om_id *who)
{
    static const struct om_id anybody;
    const struct om_id *const keys[] = {who, &anybody};
    uint8_t key[END_KEY];

    for (unsigned i = 0; i < 2; i++) {
        end_key(key, to, keys[i]);
        struct exemption *x = om_lru_peek(&r->exempt, key);
        if (x && x->until > now &&
            window_sent(&x->sent, now, OM_REACH_EXEMPT_S) < OM_REACH_EXEMPT_MAX)
            return x;
    }
    return NULL;
}

static bool is_proven(const struct om_reach *r, const struct om_addr *to)
{
    static const struct om_id nobody;
    uint8_t key[END_KEY];

    end_key(key, to, &nobody);
    return om_lru_peek(&r->proven, key + OM_ID_BYTES) != NULL;
}

/* Until when an entry of the IP still counts. */
static om_time budget_end(const struct budget *b, om_time now)
{
    bool is_long = window_sent(&b->corroborated, now, OM_REACH_CORROBORATED_S) > 0;
    unsigned seconds = is_long ? OM_REACH_CORROBORATED_S : OM_REACH_STRANGER_S;

    return b->used + OM_SEC(seconds) + OM_SEC(seconds) / OM_REACH_SLOTS;
}

static struct budget *budget_get(struct om_reach *r, om_time now, const struct om_addr *to)
{
    uint8_t key[SOURCE];

    om_addr_source(to, key);
    struct budget *b = om_lru_find(&r->ips, key);
    if (b)
        return b;
    if (om_lru_count(&r->ips) >= OM_REACH_IPS_MAX) {
        const struct budget *oldest = om_lru_oldest(&r->ips, NULL);
        if (budget_end(oldest, now) > now)
            return NULL;
    }
    return om_lru_put(&r->ips, key, NULL);
}

static enum om_reach_answer take(struct om_reach *r, om_time now, const struct om_addr *to,
                                 const struct om_id *who)
{
    struct exemption *x = exemption_of(r, now, to, who);
    bool is_attested = om_reach_is_attested(r, now, who, to);
    unsigned max = is_attested ? OM_REACH_CORROBORATED_MAX : OM_REACH_STRANGER_MAX;
    unsigned seconds = is_attested ? OM_REACH_CORROBORATED_S : OM_REACH_STRANGER_S;

    if (om_reach_ready(r, now) > now)
        return OM_REACH_LATER;
    if (x) {
        window_add(&x->sent, now, OM_REACH_EXEMPT_S);
        x->used = now;
        return OM_REACH_EXEMPT;
    }
    struct budget *b = budget_get(r, now, to);
    if (!b)
        return OM_REACH_FULL;
    struct om_reach_window *w = is_attested ? &b->corroborated : &b->stranger;
    if (window_sent(w, now, seconds) >= max)
        return OM_REACH_SPENT;
    window_add(w, now, seconds);
    b->used = now;
    return is_attested ? OM_REACH_CORROBORATED : OM_REACH_STRANGER;
}

enum om_reach_answer om_reach_may(struct om_reach *r, om_time now, const struct om_addr *to,
                                  const struct om_id *who)
{
    enum om_reach_answer a = OM_REACH_PROVEN;

    if (!is_proven(r, to)) {
        a = take(r, now, to, who);
        if (om_reach_is_yes(a) && !om_bucket_take(&r->rate, now, 1))
            OM_BUG_IF(true); /* take() looked */
    }
    r->answers[a]++;
    return a;
}

unsigned om_reach_left(const struct om_reach *r, om_time now, const struct om_addr *to,
                       const struct om_id *who)
{
    const struct exemption *x = exemption_of(r, now, to, who);
    bool is_attested = om_reach_is_attested(r, now, who, to);
    uint8_t key[SOURCE];
    unsigned left = is_attested ? OM_REACH_CORROBORATED_MAX : OM_REACH_STRANGER_MAX;

    if (is_proven(r, to))
        return UINT_MAX;
    om_addr_source(to, key);
    const struct budget *b = om_lru_peek(&r->ips, key);
    if (b && is_attested)
        left = less(left, window_sent(&b->corroborated, now, OM_REACH_CORROBORATED_S));
    else if (b)
        left = less(left, window_sent(&b->stranger, now, OM_REACH_STRANGER_S));
    if (x)
        left += less(OM_REACH_EXEMPT_MAX, window_sent(&x->sent, now, OM_REACH_EXEMPT_S));
    return left;
}

om_time om_reach_ready(const struct om_reach *r, om_time now)
{
    return om_bucket_ready(&r->rate, now, 1);
}

void om_reach_prove(struct om_reach *r, om_time now, const struct om_addr *to,
                    const struct om_id *who)
{
    uint8_t key[END_KEY];

    end_key(key, to, who);
    const uint8_t *end = key + OM_ID_BYTES;
    if (om_lru_count(&r->proven) < OM_REACH_ENDS_MAX || om_lru_peek(&r->proven, end)) {
        struct om_id *by = om_lru_put(&r->proven, end, NULL);
        if (by)
            *by = *who;
    }
    (void)om_reach_exempt(r, now, to, who, now + OM_SEC(OM_REACH_PROVEN_BEFORE_S));
}

void om_reach_forget(struct om_reach *r, const struct om_id *who)
{
    uint8_t end[OM_ADDR_WIRE];
    const void *key = NULL;
    const struct om_id *by;
    uint32_t place = 0;

    while ((by = om_lru_walk(&r->proven, &place, &key)) != NULL) {
        if (!om_id_equal(by, who))
            continue;
        memcpy(end, key, sizeof end);
        (void)om_lru_remove(&r->proven, end);
        place = 0; /* a walk ends with a change */
    }
}

bool om_reach_exempt(struct om_reach *r, om_time now, const struct om_addr *to,
                     const struct om_id *who, om_time until)
{
    uint8_t key[END_KEY];

    end_key(key, to, who);
    if (om_lru_count(&r->exempt) >= OM_REACH_ENDS_MAX && !om_lru_peek(&r->exempt, key)) {
        const struct exemption *oldest = om_lru_oldest(&r->exempt, NULL);
        if (window_sent(&oldest->sent, now, OM_REACH_EXEMPT_S) > 0)
            return false; /* forgotten, it could be made again with twenty more */
    }
    struct exemption *x = om_lru_put(&r->exempt, key, NULL);
    if (!x)
        return false;
    if (until > x->until)
        x->until = until;
    return true;
}

/* Does one word suffice? */
static bool is_strong(const struct om_reach_word *w)
{
    if (w->witness == OM_WITNESS_RELAY)
        return !w->is_open || w->is_chosen;
    return w->witness == OM_WITNESS_TYPED;
}

bool om_reach_attest(struct om_reach *r, om_time now, const struct om_id *who,
                     const struct om_addr *at, const struct om_reach_word *word)
{
    uint8_t key[ATTESTED_KEY];
    om_time until = om_time_min(word->at, now) + OM_SEC(OM_REACH_ATTEST_S);

    if (until <= now || om_id_equal(&word->by, who) ||
        (!is_strong(word) && (word->is_open || word->witness != OM_WITNESS_RANDOM)))
        return om_reach_is_attested(r, now, who, at);
    attested_key(key, who, at);
    struct attested *a = om_lru_peek(&r->attested, key);
    if (!a && om_lru_count(&r->attested) >= OM_REACH_ATTESTED_MAX) {
        const struct attested *oldest = om_lru_oldest(&r->attested, NULL);
        if (oldest->until > now || oldest->first_at + OM_SEC(OM_REACH_ATTEST_S) > now)
            return false;
    }
    a = om_lru_put(&r->attested, key, NULL);
    if (!a)
        return false;
    if (is_strong(word)) {
        a->until = a->until > until ? a->until : until;
        return true;
    }
    om_time first = a->first_at + OM_SEC(OM_REACH_ATTEST_S);
    if (!om_id_is_zero(&a->first_by) && !om_id_equal(&a->first_by, &word->by) && first > now) {
        om_time both = om_time_min(until, first);
        a->until = a->until > both ? a->until : both;
    }
    a->first_by = word->by;
    a->first_at = until - OM_SEC(OM_REACH_ATTEST_S);
    return a->until > now;
}

bool om_reach_is_attested(const struct om_reach *r, om_time now, const struct om_id *who,
                          const struct om_addr *at)
{
    uint8_t key[ATTESTED_KEY];

    attested_key(key, who, at);
    const struct attested *a = om_lru_peek(&r->attested, key);
    return a && a->until > now;
}

const char *om_reach_answer_name(enum om_reach_answer a)
{
    static const char *const names[] = {"proven", "exempt", "corroborated", "stranger",
                                        "later",  "spent",  "full"};
    static_assert(OM_ARRAY_SIZE(names) == OM_REACH_ANSWERS, "a name each");

    return (unsigned)a < OM_REACH_ANSWERS ? names[a] : "unknown";
}
