/* test_spare.c - a spare lane that a relay refuses, and what that says of the relay. */
#include "harness.h"

#include "fault.h"
#include "natkind.h"
#include "node/lane.h"
#include "request.h"
#include "router.h"

enum { FULL_AFTER_S = 25, ROOM_AFTER_S = 90 };

/* Nodes that meet over relays only: one that carries as many lanes as it is asked for, and one that
 * carries a single one. */
struct town {
    struct sim_world *w;
    struct sim_actor *ample, *scarce;
    struct sim_actor *a, *b, *c, *d;
};

static struct om_peer *peer_of(const struct town *t, struct sim_actor *of, struct sim_actor *other)
{
    struct om_node *n = of->node;

    return om_peers_find(&n->peers, n->networks[0], sim_actor_id(other, &t->w->networks[0]));
}

static struct sim_actor *hidden(struct town *t, const char *name)
{
    struct sim_node_spec spec = {.gossip = true};
    struct sim_nat_model m;

    CHECK(sim_nat_kind("sym", &m));
    char box[SIM_NAME_MAX];
    snprintf(box, sizeof box, "at-%s", name);
    CHECK(sim_router_add(t->w, box, &m, NULL) != NULL);
    spec.router = t->w->router_count;
    struct sim_actor *a = sim_node_add(t->w, name, &spec);
    CHECK_OK(sim_connect(a, NULL, t->ample, NULL, 0));
    return a;
}

static struct town town_new(void)
{
    struct town t = {.w = sim_world_new(7, NULL)};
    struct sim_node_spec spec = {.gossip = true, .relays = true};

    sim_network_add(t.w, "main", true, 0);
    t.ample = sim_node_add(t.w, "ample", &spec);
    t.a = hidden(&t, "a");
    t.b = hidden(&t, "b");
    t.c = hidden(&t, "c");
    t.d = hidden(&t, "d");
    sim_run(t.w, t.w->now + OM_SEC(8));
    spec.lanes = 1;
    t.scarce = sim_node_add(t.w, "scarce", &spec);
    CHECK_OK(sim_connect(t.scarce, NULL, t.ample, NULL, 0));
    sim_run(t.w, t.w->now + OM_SEC(12));
    return t;
}

/* @from has something to say to @to, for @s seconds. */
static void flow(const struct town *t, struct sim_actor *from, struct sim_actor *to, unsigned s)
{
    for (unsigned i = 0; i < 5 * s; i++) {
        CHECK_OK(sim_send(from, NULL, to, "chat", om_bytes("on", 2), 0));
        sim_run(t->w, t->w->now + OM_MS(200));
    }
}

static bool is_busy(const struct town *t, struct sim_actor *of, struct sim_actor *relay)
{
    const struct om_peer *p = peer_of(t, of, relay);
    bool busy = false;

    CHECK(p && p->assoc);
    om_time score = node_select_score(of->node, sim_node_clock(of), p, &busy);
    CHECK_EQ(busy, score > p->assoc->rtt.smoothed);
    return busy;
}

/* Has @of a lane to @to that was asked of @relay, and is it open? */
static bool leads_over(const struct town *t, struct sim_actor *of, struct sim_actor *to,
                       struct sim_actor *relay)
{
    const struct om_peer *p = peer_of(t, of, to), *by = peer_of(t, of, relay);

    for (unsigned i = 0; p && p->paths && i < p->paths->count; i++)
        if (p->paths->all[i].state == OM_PATH_VALID &&
            node_lane_relay(of->node, &p->paths->all[i].via) == by)
            return true;
    return false;
}

static uint64_t refused(const struct town *t)
{
    return t->scarce->node->relay.counts.refused_for[OM_LANE_FULL];
}

OM_TEST(spare_refusal_says_nothing_of_the_relay)
{
    struct town t = town_new();

    flow(&t, t.c, t.d, FULL_AFTER_S);
    CHECK(leads_over(&t, t.c, t.d, t.scarce)); /* its only one */
    uint64_t before = refused(&t);
    flow(&t, t.a, t.b, FULL_AFTER_S);
    CHECK(refused(&t) > before && !leads_over(&t, t.a, t.b, t.scarce));
    CHECK(!is_busy(&t, t.a, t.scarce) && !is_busy(&t, t.b, t.scarce));
    CHECK(!is_busy(&t, t.a, t.ample)); /* and the lane that carries is where it was */
    CHECK(leads_over(&t, t.a, t.b, t.ample));
    CHECK(sim_has_session(t.a, t.scarce) && peer_of(&t, t.a, t.scarce)->lane_relay);
    /* It is asked again when the time has come, and has room by then. */
    CHECK_OK(sim_close(t.c, NULL, t.d));
    CHECK_OK(sim_close(t.c, NULL, t.scarce));
    flow(&t, t.a, t.b, ROOM_AFTER_S);
    CHECK(leads_over(&t, t.a, t.b, t.scarce));
    CHECK_STR(t.w->broken, "");
    sim_world_free(t.w);
}

OM_TEST(spare_aside_a_refusal_makes_a_relay_busy)
{
    struct town t = town_new();

    flow(&t, t.c, t.d, FULL_AFTER_S);
    uint64_t before = refused(&t);
    struct sim_actor *late = hidden(&t, "late"); /* whom the others meet, over whatever there is */
    sim_run(t.w, t.w->now + OM_SEC(5));
    CHECK(refused(&t) > before && sim_has_session(late, t.a));
    CHECK(is_busy(&t, late, t.scarce) || is_busy(&t, t.a, t.scarce));
    CHECK_STR(t.w->broken, "");
    sim_world_free(t.w);
}
