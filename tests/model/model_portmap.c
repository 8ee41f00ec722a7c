/* model_portmap.c - a fickle router against what must hold of its one client. */
#include "harness.h"

#include <omerta/portmap.h>

#include "dice.h"

enum { RUNS = 300, STEPS = 400 };

/* What the router has for us, by protocol. */
struct router {
    bool has[OM_PORTMAP_HOWS];
    uint16_t outer[OM_PORTMAP_HOWS];
    om_time until[OM_PORTMAP_HOWS];
};

struct world {
    struct dice dice;
    struct om_portmap p;
    struct router router;
    om_time now, busy_until;
    bool is_busy, is_up, is_kind; /* a kind router maps whatever is asked */
    struct om_portmap_act asked;
    struct om_addr up;
    uint16_t wanted;
    unsigned ups, rounds;
};

static const uint32_t ips[] = {0x0b000001, 0x0b000002, 0x0a000001, 0x7f000001, 0xc6336401};

static void answer(struct world *w)
{
    struct om_portmap_answer a = {
        .result = (enum om_portmap_result)(1 + dice_below(&w->dice, OM_PORTMAP_RESULTS - 1))};
    enum om_portmap_how how = w->asked.how;

    w->is_busy = false;
    if (w->asked.kind == OM_PORTMAP_ACT_REMOVE) {
        CHECK(w->router.outer[how] == w->asked.outer || !w->router.has[how]);
        w->router.has[how] = false;
        a.result = OM_PORTMAP_REFUSED;
    } else if (w->is_kind || dice_below(&w->dice, 2)) {
        a.result = OM_PORTMAP_MAPPED;
        a.life_s = w->is_kind ? 600 : dice_below(&w->dice, 9000);
        a.external = om_addr_v4(ips[w->is_kind ? 0 : dice_below(&w->dice, OM_ARRAY_SIZE(ips))],
                                w->asked.outer);
        w->router.has[how] = true;
        w->router.outer[how] = w->asked.outer;
        w->router.until[how] = w->now + OM_SEC(a.life_s);
    }
    om_portmap_answered(&w->p, w->now, &a);
}

static void act(struct world *w, const struct om_portmap_act *a)
{
    switch (a->kind) {
    case OM_PORTMAP_ACT_ASK:
        CHECK(a->inner == w->wanted && a->inner != 0);
        w->rounds += a->how == OM_PORTMAP_NATPMP;
        /* fall through */
    case OM_PORTMAP_ACT_REMOVE:
        CHECK(!w->is_busy);
        w->is_busy = true;
        w->asked = *a;
        w->busy_until = w->now + OM_MS(dice_below(&w->dice, 15000));
        break;
    case OM_PORTMAP_ACT_UP:
        CHECK_EQ(om_addr_classify(&a->external), OM_ADDR_GLOBAL);
        CHECK(a->external.port != 0 && a->life_s >= OM_PORTMAP_LEAST_S);
        w->is_up = true;
        w->up = a->external;
        w->ups++;
        break;
    case OM_PORTMAP_ACT_DOWN:
        CHECK(w->is_up && om_addr_equal(&w->up, &a->external));
        w->is_up = false;
        break;
    case OM_PORTMAP_ACT_FAILED:
        CHECK(!w->is_up);
        break;
    }
}

static void drain(struct world *w)
{
    struct om_portmap_act a;

    for (unsigned n = 0; om_portmap_next(&w->p, w->now, &a); n++) {
        CHECK(n < 32); /* it comes to rest */
        act(w, &a);
    }
    CHECK_EQ(w->is_up, w->p.held.inner != 0);
    CHECK(!w->is_up || w->now < w->p.expires);
}

/* Until @until, whatever is due by then. */
static void pass(struct world *w, om_time until)
{
    for (;;) {
        om_time at = om_portmap_deadline(&w->p);

        if (w->is_busy)
            at = om_time_min(at, w->busy_until);
        if (at > until)
            break;
        w->now = at > w->now ? at : w->now;
        if (w->is_busy && w->busy_until <= w->now)
            answer(w);
        drain(w);
    }
    w->now = until;
}

static void run(uint64_t seed)
{
    struct world w = {.dice = {seed}, .now = OM_SEC(1)};

    om_portmap_init(&w.p);
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned what = dice_below(&w.dice, 10);
        if (what == 0)
            om_portmap_want(&w.p, w.now, w.wanted = (uint16_t)(dice_below(&w.dice, 3) * 1000));
        else if (what < 3)
            om_portmap_network_changed(&w.p, w.now);
        else if (what == 3)
            om_portmap_ask_again(&w.p, w.now);
        drain(&w);
        pass(&w, w.now + OM_SEC(dice_below(&w.dice, 600)));
    }
    /* A router that maps is found, and what is not wanted any more goes back. */
    w.is_kind = true;
    om_portmap_want(&w.p, w.now, w.wanted = 7777);
    drain(&w);
    pass(&w, w.now + OM_SEC(60));
    CHECK(w.is_up && w.up.port == 7777);
    om_portmap_want(&w.p, w.now, w.wanted = 0);
    drain(&w);
    pass(&w, w.now + OM_SEC(60));
    CHECK(!w.is_up && om_portmap_is_idle(&w.p));
    for (unsigned i = 0; i < OM_PORTMAP_HOWS; i++)
        CHECK(!w.router.has[i] || w.router.outer[i] != 7777);
    CHECK_EQ(om_portmap_deadline(&w.p), OM_NEVER);
}

OM_TEST(portmap_model)
{
    for (uint64_t seed = 1; seed <= RUNS; seed++)
        run(seed);
}
