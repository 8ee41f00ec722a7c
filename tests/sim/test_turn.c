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

OM_TEST(turn_is_of_one_attempt)
{
    const struct sim_node_spec spec = {.gossip = true};
    struct sim_world *w = sim_world_new(3, NULL);

    sim_network_add(w, "main", true, 0);
    struct sim_actor *a = sim_node_add(w, "a", &spec), *b = sim_node_add(w, "b", &spec),
                     *c = sim_node_add(w, "c", &spec);
    CHECK_OK(sim_connect(a, NULL, b, NULL, 0));
    CHECK_OK(sim_connect(a, NULL, c, NULL, 0));
    struct om_peer *p = peer_of(w, a, b), *q = peer_of(w, a, c);
    struct om_node *n = a->node;
    om_time now = sim_node_clock(a);
    struct om_punch run = {.state = OM_PUNCH_ARMED, .fire_at = now + OM_MS(100)}, other = run;

    run.plan = other.plan = (struct om_punch_plan){.way = OM_PUNCH_SPREAD, .count = 256};
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
    sim_world_free(w);
}
