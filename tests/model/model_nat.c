/* model_nat.c - thousands of random NATs, asked through peers of which some lie. */
#include "harness.h"

#include "dice.h"
#include "path/nat.h"

enum { ROUNDS = 2000, FLOWS_MAX = 64, OUTSIDE = 0x51020304, HOME = 0x0a000002 };

/* A router in front of us: how it chooses ports, and those it chose. */
struct router {
    enum om_nat_class class;
    bool is_preserving, is_per_address;
    int stride, load; /* load: strangers' flows between two of ours, at most */
    unsigned first, size, next;
    struct {
        struct om_addr local, to;
        uint16_t port;
    } flows[FLOWS_MAX];
    unsigned count;
};

struct tally {
    unsigned met, right, believed, exact, wrong, outliers;
};

static void make(struct router *r, struct dice *d, enum om_nat_class class)
{
    *r = (struct router){.class = class};
    r->is_preserving = class == OM_NAT_OPEN || dice_below(d, 2);
    r->is_per_address = dice_below(d, 3) == 0;
    r->stride = (int)(1 + dice_below(d, 4)) * (dice_below(d, 2) ? 1 : -1);
    r->load = (int)dice_below(d, 4);
    r->size = class == OM_NAT_BLOCK ? 128U << dice_below(d, 5) : 64512;
    r->first = class == OM_NAT_BLOCK ? 1024 + dice_below(d, 60000) : 1024;
    r->next = 10000 + dice_below(d, 40000);
}

static uint16_t choose(struct router *r, struct dice *d, const struct om_addr *local)
{
    if (r->class <= OM_NAT_EIM)
        return r->is_preserving ? local->port : (uint16_t)(r->first + dice_below(d, r->size));
    if (r->class != OM_NAT_STRIDE)
        return (uint16_t)(r->first + dice_below(d, r->size));
    r->next += (unsigned)(r->stride * (1 + (int)dice_below(d, (unsigned)r->load + 1)));
    return (uint16_t)r->next;
}

/* The port through which @local's datagrams to @to go out. */
static uint16_t map(struct router *r, struct dice *d, const struct om_addr *local,
                    const struct om_addr *to)
{
    for (unsigned i = 0; i < r->count; i++) {
        if (!om_addr_equal(&r->flows[i].local, local))
            continue;
        if (r->class <= OM_NAT_EIM || om_addr_equal(&r->flows[i].to, to) ||
            (r->is_per_address && memcmp(r->flows[i].to.ip, to->ip, 16) == 0))
            return r->flows[i].port;
    }
    CHECK(r->count < FLOWS_MAX);
    r->flows[r->count].local = *local;
    r->flows[r->count].to = *to;
    return r->flows[r->count++].port = choose(r, d, local);
}

/* What a liar says: another address, another port, or the port of somebody else. */
static void lie(struct dice *d, const struct om_nat *n, struct om_addr *seen)
{
    unsigned how = dice_below(d, 3);

    if (how == 0)
        *seen = om_addr_v4(0x08000000 + dice_below(d, 1 << 24), seen->port);
    else if (how == 1 || n->count == 0)
        seen->port = (uint16_t)(1 + dice_below(d, 65535));
    else
        seen->port = n->samples[dice_below(d, n->count)].seen.port;
}

/* Asks @peers, of which the first @liars lie, in random order; 1 % of the words get lost. */
static void ask(struct router *r, struct dice *d, struct om_nat *n, unsigned peers, unsigned liars)
{
    unsigned swap = dice_below(d, peers), sockets = 1 + dice_below(d, 2);
    om_time now = OM_SEC(1);

    for (unsigned i = 0; i < peers; i++) {
        unsigned who = (i + swap) % peers;
        unsigned ports = 1 + dice_below(d, 2);
        for (unsigned k = 0; k < ports * sockets; k++) {
            struct om_nat_sample s = {
                .peer = {{(uint8_t)(who + 1)}},
                .local = om_addr_v4(HOME, (uint16_t)(40000 + k / ports)),
                .to = om_addr_v4(0x05000001 + 256 * who, (uint16_t)(7000 + k % ports)),
                .at = now += OM_MS(5),
            };
            s.seen = om_addr_v4(OUTSIDE, map(r, d, &s.local, &s.to));
            if (r->class == OM_NAT_OPEN)
                s.seen = s.local;
            if (who < liars)
                lie(d, n, &s.seen);
            if (dice_below(d, 100) > 0)
                (void)om_nat_sample(n, now, n->generation, &s);
        }
    }
}

static bool is_exact(const struct router *r, const struct om_nat_fit *f)
{
    if (f->class == OM_NAT_STRIDE)
        return f->stride % r->stride == 0 && (f->stride > 0) == (r->stride > 0);
    if (f->class == OM_NAT_BLOCK)
        return (unsigned)(f->last_port - f->first_port) < 2 * r->size;
    return true;
}

static void meet(struct dice *d, enum om_nat_class class, unsigned liars, struct tally *t)
{
    unsigned peers = 8 + dice_below(d, 5);
    struct router r;
    struct om_nat n;

    make(&r, d, class);
    om_nat_init(&n, false);
    ask(&r, d, &n, peers, liars);
    const struct om_nat_fit *f = om_nat_judge(&n, OM_SEC(3));
    t->met++;
    t->right += f->class == class;
    t->believed += f->class == class && f->is_believed;
    t->wrong += f->class != class && f->is_believed;
    t->outliers += f->outliers;
    t->exact += f->class == class && f->is_believed && is_exact(&r, f);
}

static void meet_many(unsigned liars, struct tally all[OM_NAT_DEAD])
{
    struct dice d = {7 + liars};

    for (unsigned class = OM_NAT_OPEN; class <= OM_NAT_RANDOM; class ++) {
        struct tally *t = &all[class];
        *t = (struct tally){0};
        for (unsigned i = 0; i < ROUNDS; i++)
            meet(&d, (enum om_nat_class) class, liars, t);
        print_message("%u liars, %-6s: %u met, right %u, believed %u, exact %u; believed though "
                      "wrong %u; outliers %u\n",
                      liars, om_nat_class_name((enum om_nat_class) class), t->met, t->right,
                      t->believed, t->exact, t->wrong, t->outliers);
    }
}

OM_TEST(nat_model_fits_what_it_met)
{
    struct tally all[OM_NAT_DEAD];

    meet_many(0, all);
    for (unsigned c = OM_NAT_OPEN; c <= OM_NAT_RANDOM; c++) {
        CHECK(all[c].right * 1000 >= all[c].met * 995);
        CHECK_EQ(all[c].believed, all[c].right);
    }
    CHECK_EQ(all[OM_NAT_OPEN].outliers + all[OM_NAT_EIM].outliers, 0);
}

OM_TEST(nat_model_survives_liars)
{
    struct tally all[OM_NAT_DEAD];

    for (unsigned liars = 1; liars <= 2; liars++) {
        meet_many(liars, all);
        for (unsigned c = OM_NAT_OPEN; c <= OM_NAT_RANDOM; c++) {
            CHECK(all[c].believed * 1000 >= all[c].met * 990);
            CHECK(all[c].exact * 1000 >= all[c].met * 970);
            CHECK(all[c].outliers > 0);
        }
    }
}
