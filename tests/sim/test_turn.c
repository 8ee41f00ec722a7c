/* test_turn.c - of the attempts that send much, a node makes one at a time. */
#include "harness.h"

#include "fault.h"
#include "node/turn.h"
#include "request.h"

static struct om_peer *peer_of(struct sim_world *w, struct sim_actor *a, struct sim_actor *other)
{
    struct om_node *n = a->node;

    return om_peers_find(&n->peers, n->networks[0], sim_actor_id(other, &w->networks[0]));
}

/* A node, three peers of it, and the attempt of one that is about to open. */
struct town {
    struct sim_world *w;
    struct om_node *n;
    struct om_peer *peers[3];
    om_time now;
    struct om_punch run;
};

static struct town town_new(void)
{
    static const char *const names[] = {"b", "c", "d"};
    const struct sim_node_spec spec = {.gossip = true};
    struct town t = {.w = sim_world_new(3, NULL)};

    sim_network_add(t.w, "main", true, 0);
    struct sim_actor *a = sim_node_add(t.w, "a", &spec);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(names); i++) {
        struct sim_actor *b = sim_node_add(t.w, names[i], &spec);
        CHECK_OK(sim_connect(a, NULL, b, NULL, 0));
        t.peers[i] = peer_of(t.w, a, b);
    }
    sim_run(t.w, OM_MS(100));
    t.n = a->node;
    t.now = t.n->now;
    t.run = (struct om_punch){.state = OM_PUNCH_ARMED, .fire_at = t.now + OM_MS(100)};
    t.run.plan = (struct om_punch_plan){.way = OM_PUNCH_SPREAD, .count = 256};
    return t;
}

OM_TEST(turn_is_of_one_attempt)
{
    struct town t = town_new();
    struct om_node *n = t.n;
    struct om_peer *p = t.peers[0], *q = t.peers[1];
    struct om_punch run = t.run, other = t.run;
    om_time now = t.now;

    CHECK(!node_turn_is_taken(n, p, now) && !node_turn_is_taken(n, q, now));
    node_turn_note(n, now, p, &run);
    node_turn_note(n, now, q, &other); /* out of turn: nothing changes */
    CHECK(!node_turn_is_taken(n, p, now) && node_turn_is_taken(n, q, now));
    run.step = run.plan.count; /* the last one left, and answers are waited for */
    node_turn_note(n, now, p, &run);
    CHECK(!node_turn_is_taken(n, q, now));
    node_turn_note(n, now, q, &other);
    CHECK(node_turn_is_taken(n, p, now));
    CHECK(!node_turn_is_taken(n, p, om_punch_sends_until(&other))); /* whatever became of it */
    node_turn_leave(n, q);
    CHECK(!node_turn_is_taken(n, p, now));
    other.plan.way = OM_PUNCH_EASY; /* a few words */
    node_turn_note(n, now, q, &other);
    CHECK(!node_turn_is_taken(n, p, now));
    sim_world_free(t.w);
}

OM_TEST(turn_is_first_of_who_is_used)
{
    struct town t = town_new();
    struct om_node *n = t.n;
    struct om_peer *p = t.peers[0], *q = t.peers[1], *used = t.peers[2];
    const struct om_id *at = &used->id, *net = &used->net->id;
    om_time now = t.now;

    CHECK_OK(om_node_send(n, now, net, at, "x", om_bytes((const uint8_t *)"x", 1)));
    node_turn_note(n, now, p, &t.run);
    node_turn_want(n, now, q); /* it came first */
    node_turn_want(n, now, used);
    CHECK(!node_turn_is_taken(n, p, now)); /* who has the turn keeps it */
    t.run.step = t.run.plan.count;
    node_turn_note(n, now, p, &t.run);
    CHECK(node_turn_is_taken(n, q, now) && !node_turn_is_taken(n, used, now));
    CHECK(!node_turn_is_taken(n, q, node_turn_free_at(n, q))); /* it is not waited for long */
    t.run.step = 0;
    node_turn_note(n, now, used, &t.run);
    node_turn_note(n, now, used, &(struct om_punch){0});
    CHECK(!node_turn_is_taken(n, q, now)); /* it had it */
    sim_world_free(t.w);
}
