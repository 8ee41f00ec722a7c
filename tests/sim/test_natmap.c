/* test_natmap.c - a NAT against one that keeps a plain list and looks through all of it. */
#include "harness.h"

#include "../model/dice.h"
#include "natbox.h"

enum { HOSTS = 3, REMOTES = 6, STEPS = 20000, KNOWN = 4096, FIRST = 3000, PORTS = 24 };

/* A flow, once for every remote that has leave; or a claim, which has no inside. */
struct known {
    bool is_claim, is_answered;
    struct om_addr inside, dest, remote;
    uint16_t port;
    unsigned serial; /* of the mapping */
    om_time until;
};

struct naive {
    unsigned serial;
    struct sim_nat_model m;
    struct known list[KNOWN];
    unsigned count;
};

/* Is @a, of which only some may matter, @b as far as it goes? */
static bool covers(const struct om_addr *a, const struct om_addr *b)
{
    static const uint8_t any[16];

    if (memcmp(a->ip, any, 16) == 0)
        return true;
    return memcmp(a->ip, b->ip, 16) == 0 && (a->port == 0 || a->port == b->port);
}

static bool meet(const struct om_addr *a, const struct om_addr *b)
{
    return covers(a, b) || covers(b, a);
}

static void naive_expire(struct naive *n, om_time now)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < n->count; i++)
        if (n->list[i].until > now)
            n->list[kept++] = n->list[i];
    n->count = kept;
}

static struct known *naive_claim(struct naive *n, uint16_t port, const struct om_addr *remote)
{
    for (unsigned i = 0; i < n->count; i++)
        if (n->list[i].is_claim && n->list[i].port == port &&
            om_addr_equal(&n->list[i].remote, remote))
            return &n->list[i];
    return NULL;
}

static bool naive_is_usable(struct naive *n, uint16_t port, const struct om_addr *dest,
                            const struct om_addr *to)
{
    if (port < n->m.first || port > n->m.last || naive_claim(n, port, to))
        return false;
    for (unsigned i = 0; i < n->count; i++)
        if (!n->list[i].is_claim && n->list[i].port == port &&
            (n->m.is_exclusive || meet(&n->list[i].dest, dest)))
            return false;
    return true;
}

/* The flow whose port a datagram uses; @whole: of a flow that moved, or of a box of that kind. */
static struct known *naive_flow(struct naive *n, const struct om_addr *from,
                                const struct om_addr *to)
{
    struct om_addr dest = sim_nat_cut(to, n->m.mapping);
    struct known *found = NULL;

    for (unsigned i = 0; i < n->count; i++) {
        struct known *k = &n->list[i];
        if (k->is_claim || !om_addr_equal(&k->inside, from))
            continue;
        if (om_addr_equal(&k->dest, to))
            return k;
        if (om_addr_equal(&k->dest, &dest))
            found = k;
    }
    return found;
}

/* The flow whose mapping was made last. */
static struct known *naive_latest(struct naive *n, const struct om_addr *from)
{
    struct known *found = NULL;

    for (unsigned i = 0; i < n->count; i++)
        if (!n->list[i].is_claim && om_addr_equal(&n->list[i].inside, from) &&
            (!found || n->list[i].serial > found->serial))
            found = &n->list[i];
    return found;
}

/* Does a new flow go to the port of one that moved? @k: the mapping it would have else. */
static bool naive_follows(struct naive *n, const struct om_addr *from, const struct om_addr *to,
                          const struct known *k)
{
    struct om_addr remote = sim_nat_cut(to, n->m.filtering);
    const struct known *latest = naive_latest(n, from);

    if (!n->m.is_sticky || !latest || latest->dest.port == 0 || (k && k->dest.port != 0))
        return false;
    for (unsigned i = 0; k && i < n->count; i++)
        if (!n->list[i].is_claim && n->list[i].serial == k->serial &&
            om_addr_equal(&n->list[i].remote, &remote))
            return false;
    return naive_is_usable(n, latest->port, to, to);
}

static void naive_add(struct naive *n, const struct known *k)
{
    CHECK(n->count < KNOWN);
    n->list[n->count++] = *k;
}

/* What the box did with @from to @to: outside port @port, or it had none. */
static void naive_out(struct naive *n, om_time now, const struct om_addr *from,
                      const struct om_addr *to, enum sim_nat_answer a, uint16_t port)
{
    struct om_addr dest = sim_nat_cut(to, n->m.mapping);
    struct om_addr remote = sim_nat_cut(to, n->m.filtering);
    struct known *k = naive_flow(n, from, to);

    if (naive_follows(n, from, to, k) || (k && naive_claim(n, k->port, to))) {
        k = NULL;
        dest = *to;
    }
    unsigned serial = k ? k->serial : ++n->serial;
    if (k) {
        dest = k->dest;
        CHECK_EQ(a, SIM_NAT_OUT);
        CHECK_EQ(port, k->port);
    } else if (a == SIM_NAT_NO_PORT) {
        for (unsigned p = n->m.first; p <= n->m.last; p++)
            CHECK(!naive_is_usable(n, (uint16_t)p, &dest, to));
        return;
    } else {
        CHECK_EQ(a, SIM_NAT_OUT);
        CHECK(naive_is_usable(n, port, &dest, to));
        k = n->m.is_sticky ? naive_latest(n, from) : NULL;
        if (k && naive_is_usable(n, k->port, &dest, to))
            CHECK_EQ(port, k->port);
        else if (n->m.ports == SIM_NAT_PRESERVE && naive_is_usable(n, from->port, &dest, to))
            CHECK_EQ(port, from->port);
    }
    for (unsigned i = 0; i < n->count; i++) {
        k = &n->list[i];
        if (!k->is_claim && k->port == port && om_addr_equal(&k->inside, from) &&
            om_addr_equal(&k->dest, &dest) && om_addr_equal(&k->remote, &remote)) {
            if (n->m.refresh != SIM_NAT_BY_IN)
                k->until = now + (k->is_answered ? n->m.answered : n->m.timeout);
            return;
        }
    }
    naive_add(n, &(struct known){.inside = *from,
                                 .dest = dest,
                                 .remote = remote,
                                 .port = port,
                                 .serial = serial,
                                 .until = now + n->m.timeout});
}

/* What the box did with @from to @port: @a, and @whom for SIM_NAT_IN. */
static void naive_in(struct naive *n, om_time now, const struct om_addr *from, uint16_t port,
                     enum sim_nat_answer a, const struct om_addr *whom)
{
    struct known *claim = naive_claim(n, port, from), *best = NULL;
    bool is_used = false;

    if (claim) {
        CHECK_EQ(a, SIM_NAT_CLAIMED);
        claim->until = now + n->m.timeout;
        return;
    }
    for (unsigned i = 0; i < n->count; i++) {
        struct known *k = &n->list[i];
        if (k->is_claim || k->port != port)
            continue;
        is_used = true;
        if (!covers(&k->remote, from))
            continue;
        /* A flow that moved is one remote's, whatever the box lets in else. */
        bool moved = k->dest.port != 0 && n->m.mapping != SIM_NAT_APD;
        if (covers(&k->dest, from) || (!moved && !best && n->m.filtering < n->m.mapping)) {
            if (!best || covers(&k->dest, from))
                best = k;
        }
    }
    if (best) {
        CHECK_EQ(a, SIM_NAT_IN);
        if (om_addr_equal(&best->inside, whom)) {
            best->is_answered = true;
            if (n->m.refresh != SIM_NAT_BY_OUT)
                best->until = now + n->m.answered;
            return;
        }
    }
    if (n->m.is_claiming) {
        CHECK_EQ(a, SIM_NAT_CLAIMED);
        naive_add(
            n, &(struct known){
                   .is_claim = true, .remote = *from, .port = port, .until = now + n->m.timeout});
        return;
    }
    CHECK_EQ(a, is_used ? SIM_NAT_FILTERED : SIM_NAT_UNKNOWN);
}

static struct sim_nat_model any_model(struct dice *d)
{
    struct sim_nat_model m = sim_nat_model_default();

    m.mapping = (enum sim_nat_scope)dice_below(d, 3);
    /* Filtering wider than the mapping lets a stranger in through the oldest mapping: which one
     * that is has a unit test. */
    m.filtering = (enum sim_nat_scope)((unsigned)m.mapping + dice_below(d, 3u - m.mapping));
    m.ports = (enum sim_nat_ports)dice_below(d, 4);
    m.first = FIRST;
    m.last = FIRST + PORTS - 1;
    m.stride = 1 + dice_below(d, 5);
    m.block = PORTS / HOSTS;
    m.is_exclusive = dice_below(d, 2);
    m.is_claiming = dice_below(d, 2);
    m.is_sticky = dice_below(d, 2);
    m.refresh = (enum sim_nat_refresh)dice_below(d, 3);
    m.timeout = 30;
    m.answered = 30 + (om_time)dice_below(d, 2) * 40;
    return m;
}

static struct om_addr any_remote(struct dice *d)
{
    unsigned i = dice_below(d, REMOTES);

    return om_addr_v4(0x0a000001 + i / 3, (uint16_t)(7000 + i % 3));
}

static void compare(uint64_t seed)
{
    static struct naive n;
    struct om_addr outside = om_addr_v4(0x0b000001, 0);
    struct dice d = {seed};
    struct sim_natbox b;
    unsigned passed[2] = {0, 0};
    om_time now = 0;

    n = (struct naive){.m = any_model(&d)};
    sim_natbox_init(&b, &n.m, &outside, seed);
    for (unsigned i = 0; i < STEPS; i++) {
        now += dice_below(&d, 4);
        naive_expire(&n, now);
        struct om_addr there = any_remote(&d);
        struct sim_nat_packet p = {there, b.outside, 9};
        bool leaves = dice_below(&d, 2);
        if (leaves) {
            struct om_addr from = om_addr_v4(0xac100001 + dice_below(&d, HOSTS),
                                             (uint16_t)(FIRST + dice_below(&d, 4)));
            p = (struct sim_nat_packet){from, there, 9};
            enum sim_nat_answer a = sim_natbox_outbound(&b, now, &p);
            naive_out(&n, now, &from, &there, a, p.from.port);
            passed[0] += a == SIM_NAT_OUT;
        } else {
            uint16_t port = (uint16_t)(FIRST + dice_below(&d, PORTS));
            p.to.port = port;
            enum sim_nat_answer a = sim_natbox_inbound(&b, now, &p);
            naive_in(&n, now, &there, port, a, &p.to);
            passed[1] += a == SIM_NAT_IN;
        }
        CHECK_EQ(om_table_count(&b.map.entries), n.count);
    }
    CHECK(passed[0] > STEPS / 8 && passed[1] > STEPS / 200);
    sim_natbox_fini(&b);
}

OM_TEST(natmap_matches_a_naive_one)
{
    for (uint64_t seed = 1; seed <= 40; seed++)
        compare(seed);
}
