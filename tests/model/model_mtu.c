/* model_mtu.c - the search over a path that changes its size as it likes and says nothing. */
#include "harness.h"

#include "dice.h"
#include "path/mtu.h"

enum { PATHS = 60, CHANGES = 6, FLIGHT_MAX = 64, DATA_EVERY_MS = 20, SETTLE_S = 60, RAISE_S = 700 };

/* A datagram on its way, and what its sender will be told of it. */
struct parcel {
    om_time sent, told;
    unsigned size;
    bool arrives;
};

struct path {
    struct om_mtu mtu;
    struct parcel flight[FLIGHT_MAX];
    unsigned count, carries, link;
    om_time now, rtt, data_at;
    unsigned probes, too_large; /* data packets that cannot have passed, since the last change */
};

static void send(struct path *p, struct dice *d, unsigned size)
{
    bool arrives = size <= p->carries && dice_below(d, 100) > 0;
    om_time told = p->now + (arrives ? p->rtt : p->rtt + p->rtt / 4);

    CHECK(p->count < FLIGHT_MAX);
    CHECK(size <= p->link);
    p->flight[p->count++] = (struct parcel){p->now, told, size, arrives};
}

/* Hands over the first news that is due by @p->now. */
static bool hear(struct path *p)
{
    unsigned first = p->count;

    for (unsigned i = 0; i < p->count; i++)
        if (p->flight[i].told <= p->now &&
            (first == p->count || p->flight[i].told < p->flight[first].told))
            first = i;
    if (first == p->count)
        return false;
    struct parcel f = p->flight[first];
    p->count--;
    memmove(&p->flight[first], &p->flight[first + 1], (p->count - first) * sizeof f);
    if (f.arrives)
        om_mtu_acked(&p->mtu, p->now, f.size, f.sent);
    else
        om_mtu_lost(&p->mtu, p->now, f.size, f.sent);
    return true;
}

static void step(struct path *p, struct dice *d)
{
    unsigned size;

    p->now += OM_MS(1);
    while (hear(p))
        ;
    om_mtu_tick(&p->mtu, p->now);
    bool sends = p->now >= p->data_at;
    if (sends) {
        size = om_mtu_size(&p->mtu);
        CHECK(size >= OM_MTU_FLOOR && size <= p->link);
        p->too_large += size > p->carries;
        send(p, d, size);
        p->data_at = p->now + OM_MS(DATA_EVERY_MS);
    }
    if ((sends || om_mtu_deadline(&p->mtu) <= p->now) &&
        om_mtu_next(&p->mtu, p->now, 2 * p->rtt, &size)) {
        send(p, d, size);
        p->probes++;
    }
}

static unsigned pick(struct dice *d, unsigned most)
{
    static const unsigned usual[] = {576, 900, 1124, 1280, 1400, 1420, 1492, 1500, 9000};
    unsigned link = dice_below(d, 2) ? usual[dice_below(d, sizeof usual / sizeof usual[0])]
                                     : 576 + dice_below(d, 9000 - 576 + 1);

    return link < most ? link : most;
}

/* One change of size, and time to notice it. */
static void change(struct path *p, struct dice *d, unsigned link)
{
    unsigned was = p->carries;

    p->carries = link - p->mtu.head > OM_MTU_FLOOR ? link - p->mtu.head : OM_MTU_FLOOR;
    p->too_large = p->probes = 0;
    om_time end = p->now + (p->carries > was ? OM_SEC(RAISE_S) : OM_SEC(SETTLE_S));
    while (p->now < end)
        step(p, d);
    CHECK_EQ(p->mtu.state, OM_MTU_DONE);
    CHECK(om_mtu_size(&p->mtu) <= p->carries);
    /* 3 lost, twice at most, with what was on its way when each verdict fell */
    CHECK(p->too_large <= 2 * (3 + 2 + (unsigned)(p->rtt * 5 / 4 / OM_MS(DATA_EVERY_MS))));
    CHECK(p->probes <= 80);
}

OM_TEST(mtu_model_follows_the_path)
{
    struct dice d = {42};
    unsigned changes = 0, near = 0, probes = 0, large = 0;

    for (unsigned i = 0; i < PATHS; i++) {
        unsigned link = dice_below(&d, 2) ? 1500 : 9000;
        struct path p = {.now = OM_SEC(1), .rtt = OM_MS(10 + dice_below(&d, 90))};
        om_mtu_init(&p.mtu, dice_below(&d, 2), link);
        p.link = p.mtu.limit;
        om_mtu_start(&p.mtu, p.now);
        for (unsigned k = 0; k < CHANGES; k++) {
            change(&p, &d, pick(&d, link));
            changes++;
            near += om_mtu_size(&p.mtu) + OM_MTU_GRAIN >= p.carries;
            probes += p.probes;
            large = p.too_large > large ? p.too_large : large;
        }
    }
    print_message("%u changes of size: %u ended within %u bytes below it; %u probes for each, at "
                  "most %u packets too large\n",
                  changes, near, OM_MTU_GRAIN, probes / changes, large);
    CHECK(near * 100 >= changes * 95);
}
