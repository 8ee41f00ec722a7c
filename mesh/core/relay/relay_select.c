/* relay_select.c - a short list, scored anew whenever it is asked. */
#include "relay/relay_select.h"

#include <string.h>

enum { REFUSAL = 1000 /* one, in thousandths */ };

void om_relay_select_init(struct om_relay_select *s, om_time now)
{
    *s = (struct om_relay_select){.moved_at = now - OM_SEC(OM_RELAY_DWELL_S)};
}

static struct om_relay_choice *find(struct om_relay_select *s, const struct om_id *id)
{
    for (unsigned i = 0; i < s->count; i++)
        if (om_id_equal(&s->known[i].id, id))
            return &s->known[i];
    return NULL;
}

const struct om_relay_choice *om_relay_select_find(const struct om_relay_select *s,
                                                   const struct om_id *id)
{
    for (unsigned i = 0; i < s->count; i++)
        if (om_id_equal(&s->known[i].id, id))
            return &s->known[i];
    return NULL;
}

/* Refusals that are not forgotten yet, in thousandths. */
static unsigned refusals(const struct om_relay_choice *c, om_time now)
{
    om_time halves = (now - c->refused_at) / OM_SEC(OM_RELAY_FORGET_S);

    return halves < 0 ? c->refusals : halves >= 16 ? 0 : c->refusals >> halves;
}

static om_time score(const struct om_relay_choice *c, om_time now)
{
    om_time rtt = c->has_rtt ? c->rtt : OM_MS(OM_RELAY_UNKNOWN_MS);

    return rtt + OM_MS(OM_RELAY_REFUSAL_MS) * refusals(c, now) / REFUSAL;
}

bool om_relay_select_is_busy(const struct om_relay_select *s, om_time now, const struct om_id *id)
{
    const struct om_relay_choice *c = om_relay_select_find(s, id);

    return c && c->refusals > 0 && now - c->refused_at < OM_SEC(OM_RELAY_BUSY_S);
}

om_time om_relay_select_score(const struct om_relay_select *s, om_time now, const struct om_id *id,
                              om_time rtt)
{
    const struct om_relay_choice *c = om_relay_select_find(s, id);
    struct om_relay_choice seen = c ? *c : (struct om_relay_choice){.refused_at = now};

    seen.has_rtt = rtt > 0;
    seen.rtt = rtt;
    return score(&seen, now) + (om_relay_select_is_busy(s, now, id) ? OM_SEC(OM_RELAY_BUSY_S) : 0);
}

/* An IPv4 /24 or an IPv6 /48: who has one address there often has all. */
static bool same_block(const struct om_addr *a, const struct om_addr *b)
{
    if (om_addr_is_v4(a) != om_addr_is_v4(b))
        return false;
    return memcmp(a->ip, b->ip, om_addr_is_v4(a) ? 15 : 6) == 0;
}

static void forget(struct om_relay_select *s, struct om_relay_choice *c)
{
    size_t behind = (size_t)(&s->known[s->count] - (c + 1));

    memmove(c, c + 1, behind * sizeof *c);
    s->count--;
}

/* The worst that is not in use, or NULL. */
static struct om_relay_choice *worst(struct om_relay_select *s, om_time now)
{
    struct om_relay_choice *w = NULL;

    for (unsigned i = 0; i < s->count; i++) {
        struct om_relay_choice *c = &s->known[i];
        if (c->use == OM_RELAY_SPARE &&
            (!w || c->failures > w->failures ||
             (c->failures == w->failures && score(c, now) > score(w, now))))
            w = c;
    }
    return w;
}

void om_relay_select_offer(struct om_relay_select *s, om_time now, const struct om_id *id,
                           const struct om_addr *addr)
{
    struct om_relay_choice *c = find(s, id);

    if (c) {
        c->addr = *addr;
        return;
    }
    if (s->count == OM_RELAYS_KNOWN_MAX)
        forget(s, worst(s, now)); /* there is one: fewer are in use than are known */
    s->known[s->count++] = (struct om_relay_choice){.id = *id, .addr = *addr, .refused_at = now};
}

void om_relay_select_gone(struct om_relay_select *s, const struct om_id *id)
{
    struct om_relay_choice *c = find(s, id);

    if (c)
        forget(s, c);
}

void om_relay_select_up(struct om_relay_select *s, om_time now, const struct om_id *id)
{
    struct om_relay_choice *c = find(s, id);

    if (!c)
        return;
    c->failures = 0;
    c->rest_until = now;
    if (c->use != OM_RELAY_TRIED)
        return;
    c->use = OM_RELAY_WARM;
    c->since = now;
}

static void fail(struct om_relay_choice *c, om_time now)
{
    om_time rest = OM_SEC(OM_RELAY_REST_S) << (c->failures < 8 ? c->failures : 8);

    c->failures++;
    c->rest_until = now + om_time_min(rest, OM_SEC(OM_RELAY_REST_MAX_S));
    c->has_rtt = false;
}

void om_relay_select_down(struct om_relay_select *s, om_time now, const struct om_id *id)
{
    struct om_relay_choice *c = find(s, id);

    if (!c)
        return;
    fail(c, now);
}

void om_relay_select_rtt(struct om_relay_select *s, const struct om_id *id, om_time rtt)
{
    struct om_relay_choice *c = find(s, id);

    if (!c)
        return;
    c->has_rtt = true;
    c->rtt = rtt;
}

void om_relay_select_refused(struct om_relay_select *s, om_time now, const struct om_id *id)
{
    struct om_relay_choice *c = find(s, id);

    if (!c)
        return;
    c->refusals = refusals(c, now) + REFUSAL;
    if (c->refusals > OM_RELAY_REFUSALS_MAX * REFUSAL)
        c->refusals = OM_RELAY_REFUSALS_MAX * REFUSAL;
    c->refused_at = now;
}

static unsigned in_use(const struct om_relay_select *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->count; i++)
        n += s->known[i].use != OM_RELAY_SPARE;
    return n;
}

/* Would @c, next to all that are in use but @but, be the only one of its block? */
static bool is_diverse(const struct om_relay_select *s, const struct om_relay_choice *c,
                       const struct om_relay_choice *but)
{
    for (unsigned i = 0; i < s->count; i++) {
        const struct om_relay_choice *o = &s->known[i];
        if (o != c && o != but && o->use != OM_RELAY_SPARE && same_block(&o->addr, &c->addr))
            return false;
    }
    return true;
}

/* The best spare one beside those in use but @but; of another block if there is one. */
static struct om_relay_choice *best(struct om_relay_select *s, om_time now,
                                    const struct om_relay_choice *but, bool must_be_diverse)
{
    struct om_relay_choice *b = NULL;
    bool b_diverse = false;

    for (unsigned i = 0; i < s->count; i++) {
        struct om_relay_choice *c = &s->known[i];
        bool diverse = is_diverse(s, c, but);
        if (c->use != OM_RELAY_SPARE || c->rest_until > now || (must_be_diverse && !diverse))
            continue;
        if (!b || (diverse && !b_diverse) ||
            (diverse == b_diverse && score(c, now) < score(b, now))) {
            b = c;
            b_diverse = diverse;
        }
    }
    return b;
}

static bool release(struct om_relay_choice *c, enum om_relay_select_act *act, struct om_id *id)
{
    c->use = OM_RELAY_SPARE;
    *act = OM_RELAY_RELEASE;
    *id = c->id;
    return true;
}

static bool want(struct om_relay_choice *c, om_time now, enum om_relay_select_act *act,
                 struct om_id *id)
{
    c->use = OM_RELAY_TRIED;
    c->since = now;
    *act = OM_RELAY_WANT;
    *id = c->id;
    return true;
}

/* One in use that failed, or that did not come up in time. */
static struct om_relay_choice *failed(struct om_relay_select *s, om_time now)
{
    for (unsigned i = 0; i < s->count; i++) {
        struct om_relay_choice *c = &s->known[i];
        if (c->use == OM_RELAY_TRIED && now - c->since >= OM_SEC(OM_RELAY_TRY_S) &&
            c->rest_until <= now)
            fail(c, now);
        if (c->use != OM_RELAY_SPARE && c->rest_until > now)
            return c;
    }
    return NULL;
}

static bool is_better(const struct om_relay_choice *c, const struct om_relay_choice *than,
                      om_time now)
{
    om_time theirs = score(than, now);

    return score(c, now) + theirs / 4 + OM_MS(OM_RELAY_GAIN_MS) < theirs;
}

/* A warm one that a spare one would better, by score or because it shares its block. */
static struct om_relay_choice *outdone(struct om_relay_select *s, om_time now)
{
    struct om_relay_choice *out = NULL;

    for (unsigned i = 0; i < s->count; i++) {
        struct om_relay_choice *c = &s->known[i];
        if (c->use != OM_RELAY_WARM)
            continue;
        bool diverse = is_diverse(s, c, NULL);
        const struct om_relay_choice *b = best(s, now, c, true);
        if (!b || (diverse && !is_better(b, c, now)))
            continue;
        if (!out || score(c, now) > score(out, now))
            out = c;
    }
    return out;
}

bool om_relay_select_next(struct om_relay_select *s, om_time now, enum om_relay_select_act *act,
                          struct om_id *id)
{
    struct om_relay_choice *c = failed(s, now);
    unsigned used = in_use(s);

    if (c)
        return release(c, act, id);
    if (used < OM_RELAYS_WARM) {
        c = best(s, now, NULL, false);
        return c && want(c, now, act, id);
    }
    if (now - s->moved_at < OM_SEC(OM_RELAY_DWELL_S))
        return false;
    c = outdone(s, now);
    if (!c)
        return false;
    s->moved_at = now;
    s->moves++;
    return release(c, act, id); /* the better one is wanted with the next call */
}

om_time om_relay_select_deadline(const struct om_relay_select *s, om_time now)
{
    unsigned used = in_use(s);
    om_time at = OM_NEVER;

    for (unsigned i = 0; i < s->count; i++) {
        const struct om_relay_choice *c = &s->known[i];
        if (c->use == OM_RELAY_TRIED)
            at = om_time_min(at, c->since + OM_SEC(OM_RELAY_TRY_S));
        else if (c->use == OM_RELAY_SPARE && used < OM_RELAYS_WARM)
            at = om_time_min(at, c->rest_until > now ? c->rest_until : now);
    }
    if (s->count > OM_RELAYS_WARM)
        at = om_time_min(at, now + OM_SEC(OM_RELAY_DWELL_S)); /* scores change without a word */
    return at;
}
