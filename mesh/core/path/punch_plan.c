/* punch_plan.c - who opens, who sweeps, and in which order. */
#include "path/punch_plan.h"

enum { PORT_LEAST = 1024, PORTS = 65536 - PORT_LEAST };

static unsigned block_size(const struct om_punch_profile *p)
{
    return p->last_port - p->first_port + 1U;
}

bool om_punch_is_easy(const struct om_punch_profile *p)
{
    return p->class == OM_NAT_OPEN || p->class == OM_NAT_EIM || p->class == OM_NAT_UNKNOWN;
}

uint16_t om_punch_fresh_port(const struct om_punch_profile *p)
{
    return om_punch_is_easy(p) ? p->first_port : 0;
}

static bool is_shared_block(const struct om_punch_profile *p)
{
    return p->class == OM_NAT_BLOCK && p->reuse == OM_NAT_REUSED &&
           block_size(p) <= OM_PUNCH_BLOCK_MAX;
}

/* Does the easy side @e let in a port of the other's address that it never sent to? */
static bool lets_in(const struct om_punch_profile *e)
{
    return e->filter == OM_FILTER_NONE || e->filter == OM_FILTER_ADDRESS;
}

static enum om_punch_reason none(const struct om_punch_case *c)
{
    const struct om_punch_profile *a = &c->ours, *b = &c->theirs;
    bool is_easy = om_punch_is_easy(a) && om_punch_is_easy(b);

    if (a->class == OM_NAT_DEAD || b->class == OM_NAT_DEAD)
        return OM_PUNCH_NO_UDP;
    if (c->is_same_outside &&
        (!is_easy || a->hairpin == OM_HAIRPIN_NO || b->hairpin == OM_HAIRPIN_NO))
        return OM_PUNCH_HAIRPIN;
    if ((!om_punch_is_easy(a) && a->is_pooled) || (!om_punch_is_easy(b) && b->is_pooled))
        return OM_PUNCH_POOLED;
    if (om_punch_is_easy(a) || om_punch_is_easy(b))
        return OM_PUNCH_FINE;
    if (is_shared_block(a) && is_shared_block(b))
        return OM_PUNCH_FINE;
    bool is_small = a->class == OM_NAT_BLOCK && b->class == OM_NAT_BLOCK &&
                    block_size(a) <= OM_PUNCH_BLOCK_MAX && block_size(b) <= OM_PUNCH_BLOCK_MAX;
    return is_small ? OM_PUNCH_UNSHARED : OM_PUNCH_HARD;
}

static enum om_punch_way choose(const struct om_punch_case *c)
{
    bool a = om_punch_is_easy(&c->ours), b = om_punch_is_easy(&c->theirs);

    if (a && b)
        return OM_PUNCH_EASY;
    if (!a && !b)
        return OM_PUNCH_BOTH;
    const struct om_punch_profile *easy = a ? &c->ours : &c->theirs;
    return lets_in(easy) && c->style == OM_PUNCH_PLAIN ? OM_PUNCH_EASY : OM_PUNCH_SPREAD;
}

static unsigned gcd(unsigned a, unsigned b)
{
    while (b != 0) {
        unsigned rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Every port of the range once before any is had again, in an order that only we know. */
static void shuffle(struct om_punch_plan *p, uint64_t salt)
{
    p->offset = (unsigned)(salt & 0xffffffff) % p->width;
    p->jump = 1 + (unsigned)(salt >> 32) % p->width;
    while (gcd(p->jump, p->width) != 1)
        p->jump = p->jump % p->width + 1;
}

static om_time pace(unsigned n)
{
    return OM_US(OM_PUNCH_PACE_US) * n;
}

static void plan_easy(struct om_punch_plan *p, const struct om_punch_case *c, unsigned left)
{
    p->sockets = om_punch_fresh_port(&c->ours) != 0;
    p->openers = left >= OM_PUNCH_OPENERS + OM_PUNCH_PROBES_MAX ? OM_PUNCH_OPENERS : 1;
    p->count = p->openers + OM_PUNCH_PROBES_MAX;
    if (p->count > left)
        p->count = left;
    p->lasts = om_punch_plan_time(p, OM_PUNCH_OPENERS + OM_PUNCH_PROBES_MAX - 1);
}

/* Sockets of the side whose ports cannot be told. */
static unsigned spread_sockets(const struct om_punch_profile *hard)
{
    unsigned quarter = block_size(hard) / 4;

    if (hard->class == OM_NAT_STRIDE)
        return OM_PUNCH_STRIDE_SOCKETS;
    if (hard->class != OM_NAT_BLOCK || block_size(hard) > OM_PUNCH_BLOCK_MAX)
        return OM_PUNCH_SOCKETS_MAX;
    if (quarter == 0)
        quarter = 1;
    return quarter < OM_PUNCH_BLOCK_SOCKETS ? quarter : OM_PUNCH_BLOCK_SOCKETS;
}

/* The ports of the hard side, and how many datagrams sweep them. */
static void spread_range(struct om_punch_plan *p, const struct om_punch_profile *hard,
                         uint64_t salt)
{
    p->stride = 1;
    if (hard->class == OM_NAT_STRIDE) {
        p->width = OM_PUNCH_STRIDE_SOCKETS * (hard->skip + 1U) + OM_PUNCH_STRIDE_MARGIN;
        p->stride = hard->stride;
        p->first = hard->last + hard->stride;
        p->jump = 1; /* the nearest first */
        p->count = 2 * p->width;
        return;
    }
    p->first = hard->class == OM_NAT_BLOCK ? hard->first_port : PORT_LEAST;
    p->width = hard->class == OM_NAT_BLOCK ? block_size(hard) : PORTS;
    p->count = 2 * p->width < OM_PUNCH_RANDOM_PROBES ? 2 * p->width : OM_PUNCH_RANDOM_PROBES;
    shuffle(p, salt);
}

static void plan_spread(struct om_punch_plan *p, const struct om_punch_case *c, uint64_t salt)
{
    bool is_sweeper = om_punch_is_easy(&c->ours);
    const struct om_punch_profile *hard = is_sweeper ? &c->theirs : &c->ours;
    unsigned sockets = spread_sockets(hard);
    om_time begin = pace(sockets) + OM_MS(OM_PUNCH_PAUSE_MS);

    spread_range(p, hard, salt);
    p->lasts = begin + pace(p->count);
    if (is_sweeper) {
        p->begin = begin;
        p->is_sweep = true;
        return;
    }
    p->sockets = p->count = p->openers = sockets;
}

/* How both sweep: what the opener and the prober send, and how much later the prober begins. */
struct stage {
    bool is_staged;
    unsigned opens, probes, delay; /* in datagrams */
};

/* How often a block of @size is swept. */
static unsigned passes(unsigned size)
{
    return 3 * size <= OM_PUNCH_STAGED_MAX ? 3 : 2;
}

static struct stage stage_of(unsigned small, unsigned large, enum om_punch_style style)
{
    struct stage s = {.opens = passes(small) * small, .probes = passes(large) * large};

    s.delay = OM_PUNCH_STAGED_MAX > s.probes ? OM_PUNCH_STAGED_MAX - s.probes : 0;
    if (s.delay > s.opens)
        s.delay = s.opens;
    /* A probe that leaves before its opener is in vain: how many pairs remain to meet? */
    uint64_t early = s.opens - s.delay, pairs = (uint64_t)s.opens * s.probes;
    uint64_t meet = (pairs - early * early / 2) * 100 / ((uint64_t)small * large);
    s.is_staged = (meet >= OM_PUNCH_STAGED_MEET) == (style == OM_PUNCH_PLAIN);
    if (!s.is_staged)
        s.delay = 0;
    return s;
}

static void plan_both(struct om_punch_plan *p, const struct om_punch_case *c, uint64_t salt)
{
    unsigned ours = block_size(&c->ours), theirs = block_size(&c->theirs);
    /* We sweep their block and they ours: whose sweep is the shorter one opens. */
    bool is_opener = theirs != ours ? theirs < ours : c->is_lower;
    struct stage s =
        stage_of(ours < theirs ? ours : theirs, ours < theirs ? theirs : ours, c->style);

    p->is_sweep = true;
    p->stride = 1;
    p->first = c->theirs.first_port;
    p->width = theirs;
    shuffle(p, salt);
    p->count = is_opener ? s.opens : s.probes;
    p->sockets = p->count / theirs;
    p->lasts = pace(s.opens > s.delay + s.probes ? s.opens : s.delay + s.probes);
    if (!s.is_staged)
        return;
    p->lasts += OM_MS(OM_PUNCH_PAUSE_MS);
    if (is_opener)
        p->openers = p->count;
    else
        p->begin = pace(s.delay) + OM_MS(OM_PUNCH_PAUSE_MS);
}

void om_punch_plan(struct om_punch_plan *out, const struct om_punch_case *c, unsigned left,
                   uint64_t salt)
{
    *out = (struct om_punch_plan){.reason = none(c), .width = 1, .jump = 1};
    if (out->reason != OM_PUNCH_FINE)
        return;
    out->way = choose(c);
    out->ttl = c->ours.hops ? c->ours.hops : OM_PUNCH_TTL_UNKNOWN;
    if (c->is_same_outside && out->ttl > 1)
        out->ttl--; /* the outermost NAT is theirs, too, and would send it on to them */
    if (out->way == OM_PUNCH_EASY)
        plan_easy(out, c, left);
    else if (out->way == OM_PUNCH_SPREAD)
        plan_spread(out, c, salt);
    else
        plan_both(out, c, salt);
    bool is_short = out->way == OM_PUNCH_EASY ? left < 2 : left < OM_PUNCH_SWEEP_LEAST;
    if (is_short) {
        *out = (struct om_punch_plan){.reason = OM_PUNCH_BUDGET, .width = 1, .jump = 1};
        return;
    }
    if (out->count > left)
        out->count = left;
    if (out->openers > out->count)
        out->openers = out->count;
}

om_time om_punch_plan_time(const struct om_punch_plan *p, unsigned i)
{
    static const uint16_t after_ms[OM_PUNCH_PROBES_MAX] = {0, 20, 60, 140, 300, 600, 1200, 2400};

    if (p->way != OM_PUNCH_EASY)
        return p->begin + pace(i);
    if (i < p->openers)
        return OM_MS(OM_PUNCH_OPENER_GAP_MS) * i;
    i -= p->openers;
    if (i >= OM_PUNCH_PROBES_MAX)
        i = OM_PUNCH_PROBES_MAX - 1;
    return OM_MS(OM_PUNCH_OPENER_GAP_MS + OM_PUNCH_PAUSE_MS + after_ms[i]);
}

unsigned om_punch_plan_socket(const struct om_punch_plan *p, unsigned i)
{
    if (p->sockets == 0)
        return 0;
    return p->is_sweep ? 1 + i / p->width % p->sockets : 1 + i % p->sockets;
}

uint16_t om_punch_plan_port(const struct om_punch_plan *p, unsigned i, uint16_t said)
{
    if (!p->is_sweep)
        return said;
    unsigned at = (unsigned)((p->offset + (uint64_t)(i % p->width) * p->jump) % p->width);
    int port = p->first + p->stride * (int)at;
    return port >= PORT_LEAST && port <= UINT16_MAX ? (uint16_t)port : 0;
}

const char *om_punch_way_name(enum om_punch_way w)
{
    static const char *const names[] = {"none", "easy", "spread", "both"};
    static_assert(OM_ARRAY_SIZE(names) == OM_PUNCH_WAYS, "a name each");

    return (unsigned)w < OM_PUNCH_WAYS ? names[w] : "unknown";
}

const char *om_punch_reason_name(enum om_punch_reason r)
{
    static const char *const names[] = {"fine",   "no-udp",  "hard",  "unshared",
                                        "pooled", "hairpin", "budget"};
    static_assert(OM_ARRAY_SIZE(names) == OM_PUNCH_REASONS, "a name each");

    return (unsigned)r < OM_PUNCH_REASONS ? names[r] : "unknown";
}
