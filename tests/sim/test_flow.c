/* test_flow.c - streams through a hostile wire, a rekey, a move, an outage; each byte compared. */
#include "harness.h"

#include "fault.h"
#include "flow.h"
#include "request.h"

struct duo {
    struct sim_world *w;
    struct sim_actor *a, *b;
};

static struct duo duo_new(uint64_t seed, om_time rekey)
{
    const struct sim_node_spec spec = {.rekey = rekey};
    struct duo d = {.w = sim_world_new(seed, NULL)};

    sim_network_add(d.w, "main", true, 0);
    d.a = sim_node_add(d.w, "a", &spec);
    d.b = sim_node_add(d.w, "b", &spec);
    d.w->model.rate_bps = 20000000;
    CHECK_OK(sim_connect(d.a, NULL, d.b, NULL, 0));
    sim_run(d.w, OM_SEC(1));
    return d;
}

OM_TEST(flow_carries_every_byte)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct duo d = duo_new(seed, 0);
        struct sim_flow *f[4];

        d.w->model.jitter = OM_MS(5);
        d.w->model.loss = (struct sim_loss_model){.ppm = 50000, .burst = seed % 3 ? 1 : 10};
        d.w->model.dup_ppm = 20000;
        d.w->model.corrupt_ppm = 10000;
        d.w->model.reorder = seed % 2 ? 16 : 0;
        for (unsigned i = 0; i < 4; i++)
            f[i] = sim_flow_start(i % 2 ? d.a : d.b, i % 2 ? d.b : d.a, 100000 + 77777 * i,
                                  (enum om_priority)(i % OM_PRIORITIES));
        sim_run(d.w, OM_SEC(60));
        CHECK_STR(d.w->broken, "");
        for (unsigned i = 0; i < 4; i++) {
            CHECK_STR(f[i]->why, "");
            CHECK(f[i]->is_complete);
            CHECK_EQ(f[i]->received, f[i]->total);
            CHECK_EQ(f[i]->out + f[i]->in, 0); /* both ends were told that it is done */
        }
        sim_world_free(d.w);
    }
}

OM_TEST(flow_notices_a_wrong_byte)
{
    struct duo d = duo_new(1, 0);
    struct sim_flow *f = sim_flow_start(d.a, d.b, 1000000, OM_NORMAL);

    sim_run(d.w, OM_MS(1060));
    CHECK(f->received > 0 && f->received < f->total);
    CHECK_STR(d.w->broken, "");
    f->received++; /* as if one byte had been lost */
    sim_run(d.w, OM_SEC(10));
    CHECK(strstr(d.w->broken, "wrong bytes") != NULL);
    sim_world_free(d.w);
}

OM_TEST(call_survives_rekey_and_move)
{
    struct duo d = duo_new(3, OM_SEC(2));
    struct sim_flow *f = sim_flow_start(d.a, d.b, UINT64_MAX, OM_NORMAL);
    struct om_node_info info;

    for (unsigned i = 0; i < 6; i++) {
        uint64_t had = f->received;
        sim_run(d.w, OM_SEC(3 * i + 4));
        CHECK(f->received > had);
        if (i == 2)
            sim_move(d.a);
    }
    om_node_info(d.a->node, &info);
    CHECK(info.rekeys >= 5);
    CHECK_EQ(info.restarts, 0);
    sim_flow_stop(f);
    sim_run(d.w, OM_SEC(30));
    CHECK_STR(d.w->broken, "");
    CHECK_STR(f->why, "");
    CHECK(f->is_complete);
    sim_world_free(d.w);
}

/* A laptop that sleeps: its keys die, its streams do not. */
OM_TEST(call_survives_an_outage)
{
    struct duo d = duo_new(4, 0);
    struct sim_flow *f = sim_flow_start(d.a, d.b, UINT64_MAX, OM_NORMAL);

    sim_run(d.w, OM_SEC(3));
    sim_cut(d.a, d.b, true);
    sim_run(d.w, OM_SEC(4));
    uint64_t had = f->received;
    sim_run(d.w, OM_SEC(3600));
    CHECK_EQ(f->received, had);
    CHECK(!sim_has_session(d.a, d.b));
    sim_cut(d.a, d.b, false);
    sim_run(d.w, OM_SEC(3680)); /* the next try to connect may be a minute away */
    CHECK(f->received > had + 1000000);
    sim_flow_stop(f);
    sim_run(d.w, OM_SEC(3720));
    CHECK_STR(d.w->broken, "");
    CHECK(f->is_complete);
    sim_world_free(d.w);
}
