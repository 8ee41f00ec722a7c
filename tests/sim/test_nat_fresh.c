/* test_nat_fresh.c - another socket, and the port at which a relay sees it. */
#include "harness.h"

#include "fault.h"
#include "natkind.h"
#include "node/fresh.h"
#include "request.h"
#include "router.h"
#include "socket.h"

/* A node behind a masquerade, and one that sees it. */
struct street {
    struct sim_world *w;
    struct sim_actor *node, *relay;
    struct om_peer *peer; /* the relay, as the node has it */
};

static struct street street_new(void)
{
    struct street s = {.w = sim_world_new(5, NULL)};
    struct sim_node_spec spec = {.gossip = true};
    struct sim_nat_model m;
    size_t at = 0;
    void *peer = NULL;

    sim_network_add(s.w, "main", true, 0);
    CHECK(sim_nat_kind("port", &m));
    (void)sim_router_add(s.w, "near", &m, NULL);
    s.relay = sim_node_add(s.w, "relay", &spec);
    spec.router = 1;
    s.node = sim_node_add(s.w, "node", &spec);
    CHECK_OK(sim_connect(s.node, NULL, s.relay, NULL, 0));
    sim_run(s.w, s.w->now + OM_SEC(2));
    CHECK(om_table_next(&s.node->node->peers.table, &at, NULL, &peer));
    s.peer = peer;
    return s;
}

static unsigned open_sockets(const struct street *s)
{
    return s->node->sockets ? s->node->sockets->count : 0;
}

OM_TEST(fresh_port_is_known_once_told)
{
    struct street s = street_new();
    struct om_node *n = s.node->node;
    struct om_addr ours = om_addr_v4(0x0b000001, 18002), elsewhere = om_addr_v4(0x0a000001, 7);
    struct om_frame_pong pong = {.seen = elsewhere};
    struct node_fresh f = {.asked = 0};
    om_time now = sim_node_clock(s.node);
    uint64_t out = s.w->routers[0]->box.counts[SIM_NAT_OUT];

    CHECK(node_fresh_is_stale(&f, now) && node_fresh_until(&f) == 0 && node_fresh_take(&f) == 0);
    node_fresh_ask(n, now, &f, s.peer);
    sim_node_drain(s.node);
    CHECK(open_sockets(&s) == 1 && !node_fresh_is_stale(&f, now));
    CHECK_EQ(s.w->routers[0]->box.counts[SIM_NAT_OUT], out + OM_FRESH_COPIES);
    CHECK_EQ(node_fresh_until(&f), now + OM_MS(OM_FRESH_WAIT_MS));
    CHECK(!node_fresh_pong(&f, s.peer, &pong, &ours)); /* not what was asked */
    pong.token = f.token;
    CHECK(node_fresh_pong(&f, s.peer, &pong, &ours) && f.port == 0); /* on our side of the box */
    pong.seen = ours;
    pong.seen.port = 40001;
    f.of.b[0] ^= 1;
    CHECK(!node_fresh_pong(&f, s.peer, &pong, &ours)); /* not who was asked */
    f.of.b[0] ^= 1;
    CHECK(node_fresh_pong(&f, s.peer, &pong, &ours) && f.port == 40001);
    CHECK_EQ(node_fresh_until(&f), 0);
    CHECK(node_fresh_is_stale(&f, now + OM_SEC(OM_FRESH_LASTS_S)));
    node_fresh_close(n, &f);
    sim_node_drain(s.node);
    CHECK_EQ(open_sockets(&s), 0);
    CHECK_STR(s.w->broken, "");
    sim_world_free(s.w);
}

OM_TEST(fresh_socket_goes_unless_taken)
{
    struct street s = street_new();
    struct om_node *n = s.node->node;
    struct node_fresh f = {.asked = 0};
    om_time now = sim_node_clock(s.node);

    node_fresh_ask(n, now, &f, s.peer);
    uint32_t first = f.socket;
    CHECK_EQ(node_fresh_take(&f), 0); /* nobody could be told where it is */
    node_fresh_ask(n, now, &f, s.peer);
    sim_node_drain(s.node);
    CHECK(f.socket != first && open_sockets(&s) == 1);
    f.port = 40001;
    uint32_t taken = f.socket;
    CHECK(node_fresh_take(&f) == taken && f.socket == 0);
    node_fresh_close(n, &f);
    sim_node_drain(s.node);
    CHECK_EQ(open_sockets(&s), 1); /* its taker's */
    CHECK_STR(s.w->broken, "");
    sim_world_free(s.w);
}
