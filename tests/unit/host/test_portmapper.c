/* test_portmapper.c - threads that answer, and threads that do not. */
#include "harness.h"

#include <omerta/attr.h>

#include "host/clock.h"
#include "host/portmapper.h"

enum { PORT = 18002 };

/* What the speakers do; of one test at a time. */
static struct {
    atomic_uint asks, removes, called_off;
    atomic_bool hangs, maps;
    uv_sem_t gate; /* that a hanging speaker waits for */
} router;

struct rig {
    uv_loop_t loop;
    struct om_portmapper *m;
    unsigned ups, downs, fails;
    struct om_addr external;
    bool closes_on_news;
};

static void speak(struct portmap_question *q, struct om_portmap_answer *out)
{
    if (q->act.kind == OM_PORTMAP_ACT_REMOVE) {
        atomic_fetch_add(&router.removes, 1);
        return;
    }
    atomic_fetch_add(&router.asks, 1);
    if (atomic_load(&router.hangs))
        uv_sem_wait(&router.gate);
    if (atomic_load(&q->is_off)) {
        atomic_fetch_add(&router.called_off, 1);
        return;
    }
    if (atomic_load(&router.maps))
        *out = (struct om_portmap_answer){.result = OM_PORTMAP_MAPPED,
                                          .external = om_addr_v4(0x0b000001, q->act.outer),
                                          .life_s = 600};
    else
        out->result = OM_PORTMAP_SILENT;
}

static void on_news(void *self, const struct om_portmap_act *news)
{
    struct rig *r = self;

    r->ups += news->kind == OM_PORTMAP_ACT_UP;
    r->downs += news->kind == OM_PORTMAP_ACT_DOWN;
    r->fails += news->kind == OM_PORTMAP_ACT_FAILED;
    r->external = news->external;
    if (r->closes_on_news)
        om_portmapper_close(r->m);
    uv_stop(&r->loop);
}

static bool start(struct rig *r, bool maps, bool hangs, om_time within)
{
    struct om_portmapper_config c = {.loop = &r->loop,
                                     .on_news = on_news,
                                     .self = r,
                                     .speak = {speak, speak},
                                     .answer_within = within};

    *r = (struct rig){.m = NULL};
    atomic_store(&router.asks, 0);
    atomic_store(&router.removes, 0);
    atomic_store(&router.called_off, 0);
    atomic_store(&router.maps, maps);
    atomic_store(&router.hangs, hangs);
    CHECK_EQ(uv_sem_init(&router.gate, 0), 0);
    CHECK_EQ(uv_loop_init(&r->loop), 0);
    return om_portmapper_open(&r->m, &c) == OM_OK;
}

/* The loop comes to its end, and everything that it had. */
static void stop(struct rig *r)
{
    om_portmapper_close(r->m);
    (void)uv_run(&r->loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&r->loop), 0);
}

/* Lets a thread that hangs go on, and sees it do so. */
static void release(unsigned called_off)
{
    atomic_store(&router.hangs, false);
    for (unsigned i = 0; i < called_off; i++)
        uv_sem_post(&router.gate);
    while (atomic_load(&router.called_off) < called_off)
        uv_sleep(1);
}

OM_TEST(portmapper_maps_and_gives_back)
{
    struct rig r;

    OM_TRY(start(&r, true, false, 0));
    om_portmapper_want(r.m, PORT);
    (void)uv_run(&r.loop, UV_RUN_DEFAULT);
    OM_TRY(r.ups == 1);
    CHECK(r.external.port == PORT && atomic_load(&router.asks) == 1);
    CHECK_EQ(om_portmap_state(om_portmapper_machine(r.m)), OM_PORTMAP_HELD);
out:
    stop(&r);
    CHECK(om_test_oom_hit() || atomic_load(&router.removes) == 1);
    CHECK_EQ(r.downs, 0); /* who closes knows */
    uv_sem_destroy(&router.gate);
}

OM_TEST(portmapper_gives_up_on_a_thread_that_hangs)
{
    struct rig r;

    OM_TRY(start(&r, true, true, OM_MS(50)));
    om_portmapper_want(r.m, PORT);
    (void)uv_run(&r.loop, UV_RUN_DEFAULT);
    OM_TRY(r.fails == 1 && om_portmapper_hung(r.m) == 2); /* both protocols */
    /* Until these threads have ended no other ones are started. */
    om_portmapper_want(r.m, PORT + 1);
    CHECK(atomic_load(&router.asks) == 2 && r.fails == 2);
    CHECK_EQ(om_portmapper_machine(r.m)->tried[0].answer.result, OM_PORTMAP_UNASKED);
    release(2);
    /* A thread ends a moment after its speaker. */
    for (uint16_t port = PORT + 2; atomic_load(&router.asks) == 2 && port < PORT + 5000; port++) {
        om_portmapper_want(r.m, port);
        uv_sleep(1);
    }
    while (r.ups == 0 && !om_test_oom_hit())
        (void)uv_run(&r.loop, UV_RUN_ONCE);
    OM_TRY(r.ups == 1);
out:
    stop(&r);
    if (om_test_oom_hit())
        release(atomic_load(&router.asks) > 2 ? 2 : atomic_load(&router.asks));
    uv_sem_destroy(&router.gate);
}

OM_TEST(portmapper_close_does_not_wait_for_ever)
{
    struct rig r;

    OM_TRY(start(&r, true, true, OM_SEC(60)));
    om_portmapper_want(r.m, PORT);
    OM_TRY(om_portmapper_machine(r.m)->failures == 0);
    om_time began = om_clock_now();
    stop(&r);
    om_time took = om_clock_now() - began;
    CHECK(took >= OM_MS(OM_PORTMAPPER_LEAVE_MS) - OM_MS(50) && took < OM_SEC(20));
    release(1);
    uv_sem_destroy(&router.gate);
    return;
out:
    stop(&r);
    uv_sem_destroy(&router.gate);
}

OM_TEST(portmapper_close_calls_a_question_off)
{
    struct rig r;

    OM_TRY(start(&r, true, true, OM_SEC(60)));
    om_portmapper_want(r.m, PORT);
    OM_TRY(om_portmapper_machine(r.m)->failures == 0);
    om_portmapper_close(r.m);
    uv_sem_post(&router.gate);
    stop(&r);
    CHECK(atomic_load(&router.called_off) == 1 && atomic_load(&router.removes) == 0);
    uv_sem_destroy(&router.gate);
    return;
out:
    stop(&r);
    uv_sem_destroy(&router.gate);
}

OM_TEST(portmapper_closed_in_its_news)
{
    struct rig r;

    OM_TRY(start(&r, true, false, 0));
    r.closes_on_news = true;
    om_portmapper_want(r.m, PORT);
    (void)uv_run(&r.loop, UV_RUN_DEFAULT);
    OM_TRY(r.ups == 1);
    (void)uv_run(&r.loop, UV_RUN_DEFAULT);
    CHECK_EQ(atomic_load(&router.removes), 1);
    r.m = NULL;
out:
    if (r.m && !(r.closes_on_news && r.ups + r.fails > 0))
        om_portmapper_close(r.m);
    (void)uv_run(&r.loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&r.loop), 0);
    uv_sem_destroy(&router.gate);
}
