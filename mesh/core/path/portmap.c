/* portmap.c - when to ask whom, and what to believe. */
#include <omerta/portmap.h>

#include <stdio.h>
#include <string.h>

#include <omerta/attr.h>

enum { RETRY_LEAST_S = 5, PORT_LEAST = 1024 };

void om_portmap_init(struct om_portmap *p)
{
    *p = (struct om_portmap){.at = OM_NEVER, .round_at = OM_NEVER, .expires = OM_NEVER};
    for (unsigned i = 0; i < OM_PORTMAP_HOWS; i++)
        p->tried[i].at = OM_NEVER;
}

/* From @at on, whoever holds the mapping is asked first. */
static void begin_round(struct om_portmap *p, om_time at)
{
    p->first = p->turn = p->held.inner ? p->held.how : OM_PORTMAP_NATPMP;
    p->at = at;
}

static void forget(struct om_portmap *p)
{
    p->tells_down = true;
    p->gone = p->external;
    p->tells_up = false;
    p->held = (struct om_portmap_lease){.inner = 0};
    p->expires = OM_NEVER;
    p->is_doubted = false;
    p->losses++;
}

void om_portmap_want(struct om_portmap *p, om_time now, uint16_t port)
{
    if (port == p->inner)
        return;
    if (p->held.inner) {
        p->stale[p->held.how] = p->held;
        forget(p);
    }
    p->inner = p->wish = port;
    p->failures = p->conflicts = 0;
    begin_round(p, port ? now : OM_NEVER);
}

void om_portmap_ask_again(struct om_portmap *p, om_time now)
{
    om_time at = now;

    if (p->inner == 0)
        return;
    if (p->round_at != OM_NEVER && at < p->round_at + OM_SEC(OM_PORTMAP_PACE_S))
        at = p->round_at + OM_SEC(OM_PORTMAP_PACE_S);
    p->failures = p->conflicts = 0;
    p->is_again = p->is_busy && p->asked.kind == OM_PORTMAP_ACT_ASK;
    begin_round(p, at);
}

void om_portmap_network_changed(struct om_portmap *p, om_time now)
{
    om_portmap_ask_again(p, now);
    p->is_doubted = p->held.inner != 0;
}

/* An answer that says MAPPED, as it is to be taken. */
static void judge(struct om_portmap_answer *a)
{
    enum om_addr_class c = om_addr_classify(&a->external);
    const char *why = NULL;

    if (!om_addr_is_v4(&a->external) || a->external.port == 0)
        why = "mapped, it says, but to no port of an IPv4 address";
    else if (a->life_s < OM_PORTMAP_LEAST_S)
        why = "mapped, it says, but for no time worth having";
    else if (c != OM_ADDR_GLOBAL && c != OM_ADDR_PRIVATE && c != OM_ADDR_SHARED)
        why = "its outside address can be nobody's";
    if (why) {
        a->result = OM_PORTMAP_ABSURD;
    } else if (c != OM_ADDR_GLOBAL) {
        a->result = OM_PORTMAP_NESTED;
        why = "its outside address is not public: another NAT is in front of it";
    }
    if (why)
        (void)snprintf(a->why, sizeof a->why, "%s", why);
    if (a->life_s > OM_PORTMAP_LIFE_S)
        a->life_s = OM_PORTMAP_LIFE_S;
}

static void hold(struct om_portmap *p, om_time now, const struct om_portmap_answer *a)
{
    const struct om_portmap_lease lease = {p->asked.how, p->asked.inner, a->external.port};
    om_time again = om_time_min(OM_SEC(a->life_s) / 2, OM_SEC(OM_PORTMAP_LOOK_S));

    /* The other protocol held it under another port: that one is not needed any more. */
    if (p->held.inner && p->held.outer != lease.outer)
        p->stale[p->held.how] = p->held;
    if (!p->held.inner || !om_addr_equal(&p->external, &a->external)) {
        p->tells_up = true;
        p->tells_down = false;
        p->mappings++;
    }
    p->held = lease;
    p->external = a->external;
    p->life_s = a->life_s;
    p->expires = now + OM_SEC(a->life_s);
    p->is_doubted = false;
    p->failures = p->conflicts = 0;
    memset(p->told, 0, sizeof p->told);
    p->wish = lease.outer;
    begin_round(p, now + again);
}

/* Every protocol was asked, and none maps. */
static void end_round(struct om_portmap *p, om_time now)
{
    om_time wait = OM_SEC(OM_PORTMAP_BACK_S);
    bool is_news = false;

    if (p->held.inner && p->is_doubted)
        forget(p);
    if (p->held.inner) {
        om_time half = (p->expires - now) / 2;
        begin_round(p, now + (half > OM_SEC(RETRY_LEAST_S) ? half : OM_SEC(RETRY_LEAST_S)));
        return;
    }
    for (unsigned i = 0; i < OM_PORTMAP_HOWS; i++) {
        is_news |= p->told[i] != p->tried[i].answer.result;
        p->told[i] = p->tried[i].answer.result;
    }
    p->tells_failed |= is_news;
    for (unsigned i = 0; i < p->failures && wait < OM_SEC(OM_PORTMAP_BACK_MAX_S); i++)
        wait *= 2;
    p->failures++;
    p->conflicts = 0;
    p->wish = p->inner;
    begin_round(p, now + om_time_min(wait, OM_SEC(OM_PORTMAP_BACK_MAX_S)));
}

static void take(struct om_portmap *p, om_time now, const struct om_portmap_answer *a)
{
    if (a->result == OM_PORTMAP_MAPPED) {
        hold(p, now, a);
        return;
    }
    if (a->result == OM_PORTMAP_CONFLICT) {
        /* Whose it is now, we must not give it back. */
        if (p->held.inner && p->held.outer == p->asked.outer)
            forget(p);
        p->wish = p->asked.outer == UINT16_MAX ? PORT_LEAST : (uint16_t)(p->asked.outer + 1);
        if (++p->conflicts < OM_PORTMAP_PORTS_MAX) {
            p->at = now;
            return;
        }
        p->wish = p->inner;
    }
    p->conflicts = 0;
    p->turn = (enum om_portmap_how)((p->turn + 1) % OM_PORTMAP_HOWS);
    if (p->turn == p->first)
        end_round(p, now);
    else
        p->at = now;
}

void om_portmap_answered(struct om_portmap *p, om_time now, const struct om_portmap_answer *said)
{
    struct om_portmap_answer a = *said;
    bool is_mapped = a.result == OM_PORTMAP_MAPPED;

    if (!p->is_busy)
        return;
    p->is_busy = false;
    if (p->asked.kind == OM_PORTMAP_ACT_REMOVE)
        return;
    if (is_mapped)
        judge(&a);
    p->answers[a.result]++;
    /* Made, and of no use to us: the router need not keep it. */
    if (is_mapped && a.external.port != 0 &&
        (a.result != OM_PORTMAP_MAPPED || p->inner != p->asked.inner))
        p->stale[p->asked.how] =
            (struct om_portmap_lease){p->asked.how, p->asked.inner, a.external.port};
    if (p->inner != p->asked.inner)
        return;
    if (is_mapped && a.result != OM_PORTMAP_MAPPED && p->held.inner && p->held.how == p->asked.how)
        forget(p);
    p->tried[p->asked.how] = (struct om_portmap_tried){now, a};
    if (p->is_again && a.result != OM_PORTMAP_MAPPED) {
        p->is_again = false; /* the question went out on another network */
        return;
    }
    om_time again = p->is_again ? p->at : OM_NEVER;
    bool was_doubted = p->is_doubted || !p->held.inner;
    take(p, now, &a);
    p->is_doubted |= was_doubted && p->is_again;
    p->is_again = false;
    p->at = om_time_min(p->at, again);
}

static bool tell(struct om_portmap *p, struct om_portmap_act *out)
{
    *out = (struct om_portmap_act){.how = p->held.how, .external = p->external};
    if (p->tells_down) {
        out->kind = OM_PORTMAP_ACT_DOWN;
        out->external = p->gone;
        p->tells_down = false;
    } else if (p->tells_up) {
        out->kind = OM_PORTMAP_ACT_UP;
        out->life_s = p->life_s;
        p->tells_up = false;
    } else if (p->tells_failed) {
        out->kind = OM_PORTMAP_ACT_FAILED;
        p->tells_failed = false;
    } else {
        return false;
    }
    return true;
}

static const struct om_portmap_lease *first_stale(const struct om_portmap *p)
{
    for (unsigned i = 0; i < OM_PORTMAP_HOWS; i++)
        if (p->stale[i].inner)
            return &p->stale[i];
    return NULL;
}

bool om_portmap_next(struct om_portmap *p, om_time now, struct om_portmap_act *out)
{
    if (p->held.inner && now >= p->expires)
        forget(p);
    if (tell(p, out))
        return true;
    if (p->is_busy)
        return false;
    const struct om_portmap_lease *stale = first_stale(p);
    if (stale) {
        *out = (struct om_portmap_act){.kind = OM_PORTMAP_ACT_REMOVE,
                                       .how = stale->how,
                                       .inner = stale->inner,
                                       .outer = stale->outer};
        p->stale[stale->how].inner = 0;
    } else if (p->inner && now >= p->at) {
        *out = (struct om_portmap_act){.kind = OM_PORTMAP_ACT_ASK,
                                       .how = p->turn,
                                       .inner = p->inner,
                                       .outer = p->wish,
                                       .life_s = OM_PORTMAP_LIFE_S};
        if (p->turn == p->first && p->conflicts == 0)
            p->round_at = now;
        p->at = OM_NEVER;
        p->asks++;
    } else {
        return false;
    }
    p->asked = *out;
    p->is_busy = true;
    return true;
}

om_time om_portmap_deadline(const struct om_portmap *p)
{
    om_time at = p->held.inner ? p->expires : OM_NEVER;

    return p->is_busy || !p->inner ? at : om_time_min(at, p->at);
}

enum om_portmap_state om_portmap_state(const struct om_portmap *p)
{
    if (!p->inner)
        return OM_PORTMAP_OFF;
    if (p->held.inner)
        return OM_PORTMAP_HELD;
    return p->is_busy || p->failures == 0 ? OM_PORTMAP_ASKING : OM_PORTMAP_WAITING;
}

bool om_portmap_is_idle(const struct om_portmap *p)
{
    return !p->is_busy && !first_stale(p);
}

const char *om_portmap_how_name(enum om_portmap_how how)
{
    return how == OM_PORTMAP_NATPMP ? "nat-pmp" : "upnp";
}

const char *om_portmap_result_name(enum om_portmap_result result)
{
    static const char *const names[] = {"untried",  "mapped", "silent", "refused",
                                        "conflict", "nested", "absurd", "unasked"};

    static_assert(OM_ARRAY_SIZE(names) == OM_PORTMAP_RESULTS, "a name for each");
    return (unsigned)result < OM_PORTMAP_RESULTS ? names[result] : "unknown";
}

const char *om_portmap_state_name(enum om_portmap_state state)
{
    static const char *const names[] = {"off", "asking", "held", "waiting"};

    return (unsigned)state < OM_ARRAY_SIZE(names) ? names[state] : "unknown";
}
