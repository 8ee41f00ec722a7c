/* test_actor_socket.c - sockets beside the main one, short openers, what routers say of them. */
#include "harness.h"

#include "fault.h"
#include "flight.h"
#include "natkind.h"
#include "node/state.h"
#include "request.h"
#include "router.h"
#include "socket.h"

/* A node behind a box, and others that only hear: one in public, one behind a box of its own. */
struct lane {
    struct sim_world *w;
    struct sim_router *box, *far_box;
    struct sim_actor *node, *server, *far;
    struct om_sealed *dgram; /* of the node's making */
};

static struct om_sealed *make_dgram(const struct sim_actor *a)
{
    static const uint8_t body[OM_HANDSHAKE_BODY_MAX];
    struct om_handshake_fields f = {.kind = OM_HANDSHAKE_INIT,
                                    .body = om_bytes(body, sizeof body),
                                    .size_max = OM_HANDSHAKE_MAX};
    struct om_sealed *d;

    CHECK_OK(om_sealed_handshake(&d, node_plain(a->node), a->node->networks[0]->current, &f,
                                 om_bytes(NULL, 0), &a->node->rng));
    return d;
}

/* "" is no box. */
static struct lane lane_new(const char *near, const char *far)
{
    struct lane l = {.w = sim_world_new(11, NULL)};
    struct sim_node_spec spec = {.router = *near != '\0'};
    struct sim_nat_model m;

    sim_network_add(l.w, "main", true, 0);
    if (*near) {
        CHECK(sim_nat_kind(near, &m));
        l.box = sim_router_add(l.w, "near", &m, NULL);
    }
    l.node = sim_node_add(l.w, "node", &spec);
    l.server = sim_attacker_add(l.w, "server", false);
    l.far = sim_attacker_add(l.w, "far", false);
    if (*far) {
        CHECK(sim_nat_kind(far, &m));
        l.far_box = sim_router_add(l.w, "far", &m, NULL);
        sim_actor_behind(l.far, l.far_box);
    }
    l.dgram = make_dgram(l.node);
    return l;
}

static void lane_free(struct lane *l)
{
    om_node_sent(l->node->node, l->dgram);
    CHECK_STR(l->w->broken, "");
    sim_world_free(l->w);
}

/* The node sends over @socket with @ttl to @to; whatever comes of it has come. */
static void send_by(struct lane *l, uint32_t socket, uint8_t ttl, const struct om_addr *to)
{
    sim_socket_send(l->node, &(struct om_act_send){.dgram = l->dgram,
                                                   .via = {.remote = *to, .socket = socket},
                                                   .ttl = ttl});
    sim_run(l->w, l->w->now + OM_MS(100));
}

/* Where from the server sees what the node sends over @socket. */
static struct om_addr seen(struct lane *l, uint32_t socket)
{
    uint64_t heard = l->server->heard;

    send_by(l, socket, 0, &l->server->addr);
    CHECK_EQ(l->server->heard, heard + 1);
    return sim_pair(l->w, l->server, l->node)->came_from;
}

static uint32_t open_some(struct lane *l, unsigned count)
{
    uint32_t first = node_sockets_open(l->node->node, count);

    CHECK(first >= OM_SOCKET_FIRST);
    sim_node_drain(l->node);
    return first;
}

OM_TEST(socket_each_has_its_own_mapping)
{
    static const char *const kinds[] = {"", "full", "port", "symrand"};

    for (unsigned k = 0; k < OM_ARRAY_SIZE(kinds); k++) {
        struct lane l = lane_new(kinds[k], "full"); /* whose box has the world say where from */
        uint32_t first = open_some(&l, 3);
        struct om_addr out[4] = {seen(&l, 0)};

        for (unsigned i = 1; i < 4; i++) {
            out[i] = seen(&l, first + i - 1);
            CHECK(!l.box || sim_natbox_is_outside(&l.box->box, &out[i]));
            for (unsigned j = 0; j < i; j++)
                CHECK(!om_addr_equal(&out[i], &out[j]));
        }
        /* What comes back bears the number: told by the counts of the sockets it came over. */
        for (unsigned i = 0; i < 4; i++) {
            struct om_node_info before, after;
            om_node_info(l.node->node, &before);
            sim_probe(l.server, &out[i], SIM_TTL, om_bytes("hello", 5));
            sim_run(l.w, l.w->now + OM_MS(100));
            om_node_info(l.node->node, &after);
            CHECK_EQ(after.datagrams_in, before.datagrams_in + 1);
        }
        const struct sim_sockets *s = l.node->sockets;
        for (unsigned i = 0; i < 3; i++) {
            struct om_addr at = l.node->addr;
            at.port = s->all[i].port;
            CHECK_EQ(sim_socket_at(l.node, &at), first + i);
        }
        CHECK_EQ(sim_socket_at(l.node, &l.node->addr), 0);
        lane_free(&l);
    }
}

OM_TEST(socket_numbers_open_and_close)
{
    struct lane l = lane_new("full", "");
    uint32_t first = open_some(&l, 4), again;
    struct om_addr two = seen(&l, first + 2), three = seen(&l, first + 3);
    struct om_node_info info;

    om_node_info(l.node->node, &info);
    uint64_t in = info.datagrams_in;
    node_sockets_close(l.node->node, first, 4, first + 3);
    sim_node_drain(l.node);
    CHECK_EQ(l.node->sockets->count, 1);
    send_by(&l, first + 2, 0, &l.server->addr);
    CHECK_EQ(l.server->heard, 2);
    CHECK_EQ(l.node->sockets->dropped, 1);
    sim_probe(l.server, &two, SIM_TTL, om_bytes("late", 4)); /* the box knows it still */
    sim_run(l.w, l.w->now + OM_MS(100));
    om_node_info(l.node->node, &info);
    CHECK_EQ(info.datagrams_in, in);
    sim_probe(l.server, &three, SIM_TTL, om_bytes("kept", 4));
    sim_run(l.w, l.w->now + OM_MS(100));
    om_node_info(l.node->node, &info);
    CHECK_EQ(info.datagrams_in, in + 1);
    again = open_some(&l, OM_SOCKETS_MAX - 1);
    CHECK_EQ(again, first + 4);
    seen(&l, again + OM_SOCKETS_MAX - 2);
    CHECK_EQ(node_sockets_open(l.node->node, 1), 0);
    lane_free(&l);
}

OM_TEST(socket_short_opener_maps_and_reaches_nobody)
{
    for (uint8_t ttl = 1; ttl <= 3; ttl++) {
        struct lane l = lane_new("port", "portdrop");
        uint32_t first = open_some(&l, 1);
        struct om_addr out, to = l.far_box->box.outside;

        to.port = 4000;
        send_by(&l, first, ttl, &to);
        send_by(&l, first, ttl, &l.server->addr);
        CHECK_EQ(l.server->heard, 0);
        CHECK_EQ(l.far_box->box.counts[SIM_NAT_UNKNOWN], 0);       /* it was not even there */
        CHECK_EQ(l.box->box.counts[SIM_NAT_OUT], ttl > 1 ? 2 : 0); /* 1 dies before it is mapped */
        CHECK_EQ(l.box->box.counts[SIM_NAT_EXPIRED], ttl > 1 ? 0 : 2);
        CHECK_EQ(l.w->expired, ttl > 1 ? 2 : 0);
        send_by(&l, first, 0, &to); /* the control: it gets there, and nobody has the port */
        CHECK_EQ(l.far_box->box.counts[SIM_NAT_UNKNOWN], 1);
        out = seen(&l, first);
        CHECK(sim_natbox_is_outside(&l.box->box, &out));
        lane_free(&l);
    }
}

OM_TEST(socket_hops_are_told)
{
    struct lane l = lane_new("full", "");
    const struct node_sockets *s = &l.node->node->sockets;

    send_by(&l, 0, 1, &l.server->addr);
    CHECK(s->hops[0] == 1 && s->hops[1] == 0);
    for (unsigned ttl = 2; ttl <= SIM_HOPS + 1; ttl++)
        send_by(&l, 0, (uint8_t)ttl, &l.server->addr);
    CHECK_EQ(s->hops[0], SIM_HOPS + 1);
    CHECK_EQ(l.server->heard, 0);
    send_by(&l, 0, SIM_HOPS + 2, &l.server->addr);
    CHECK_EQ(l.server->heard, 1);
    CHECK_EQ(s->hops[0], SIM_HOPS + 1);
    CHECK_EQ(s->hops_refused, 0);
    sim_socket_send(l.node, &(struct om_act_send){
                                .dgram = l.dgram, .via = {.remote = l.server->addr}, .ttl = 3});
    lane_free(&l); /* a router's word is still under way */
}

OM_TEST(socket_ttl_without_boxes)
{
    struct lane l = lane_new("", "");

    send_by(&l, 0, SIM_HOPS, &l.server->addr);
    CHECK_EQ(l.server->heard, 0);
    CHECK_EQ(l.w->expired, 1);
    CHECK_EQ(l.node->node->sockets.hops[0], 1);
    send_by(&l, 0, SIM_HOPS + 1, &l.server->addr);
    CHECK_EQ(l.server->heard, 1);
    l.node->lan = l.server->lan = 1; /* no router between them */
    send_by(&l, 0, 1, &l.server->addr);
    CHECK_EQ(l.server->heard, 2);
    lane_free(&l);
}

OM_TEST(socket_moves_with_its_actor)
{
    struct lane l = lane_new("", "full");
    uint32_t first = open_some(&l, 2);
    struct om_addr old = seen(&l, first), now;
    struct om_node_info info;

    sim_move(l.node);
    now = seen(&l, first);
    CHECK(memcmp(old.ip, now.ip, sizeof old.ip) != 0);
    CHECK_EQ(sim_socket_at(l.node, &now), first);
    om_node_info(l.node->node, &info);
    uint64_t in = info.datagrams_in;
    sim_probe(l.server, &old, SIM_TTL, om_bytes("old", 3));
    sim_probe(l.server, &now, SIM_TTL, om_bytes("new", 3));
    sim_run(l.w, l.w->now + OM_MS(100));
    om_node_info(l.node->node, &info);
    CHECK_EQ(info.datagrams_in, in + 1);
    lane_free(&l);
}
