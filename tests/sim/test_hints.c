/* test_hints.c - a thousand hints a second that a way has failed: none moves data or ends anything,
 * and each kind causes so few datagrams as it says here. */
#include "harness.h"

#include "natkind.h"
#include "node/lane.h"
#include "request.h"
#include "router.h"

enum {
    TALK_S = 5,
    PACE_MS = 10,
    WORDS = TALK_S * 1000 / PACE_MS,
    WAYS = 6 /* of a: to the relay, the member, and to b directly and over two lanes */
};

/* Two homes with a direct way and a relay's beside it, and a member that is no relay of theirs. */
struct town {
    struct sim_world *w;
    struct sim_actor *a, *b, *relay, *other;
};

static struct om_peer *peer_of(struct sim_actor *a, struct sim_actor *b)
{
    return om_peers_find(&a->node->peers, a->node->networks[0],
                         sim_actor_id(b, &a->world->networks[0]));
}

static unsigned lanes_of(const struct om_peer *p)
{
    unsigned count = 0;

    for (unsigned i = 0; i < p->paths->count; i++)
        count += p->paths->all[i].via.lane != 0 && p->paths->all[i].state == OM_PATH_VALID;
    return count;
}

static bool town_init(struct town *t)
{
    struct sim_node_spec s = {.gossip = true};
    struct sim_nat_model m;

    *t = (struct town){.w = sim_world_new(9, NULL)};
    t->w->model.latency = OM_MS(20);
    CHECK(sim_network_add(t->w, "main", true, 0) && sim_nat_kind("portdrop", &m));
    t->other = sim_node_add(t->w, "other", &s);
    for (s.router = 1; s.router <= 2; s.router++) {
        CHECK(sim_router_add(t->w, s.router == 1 ? "left" : "right", &m, NULL) != NULL);
        *(s.router == 1 ? &t->a : &t->b) = sim_node_add(t->w, s.router == 1 ? "a" : "b", &s);
    }
    s.router = 0;
    s.relays = true;
    t->relay = sim_node_add(t->w, "relay", &s);
    if (!t->other || !t->a || !t->b || !t->relay)
        return false;
    CHECK_OK(sim_connect(t->a, NULL, t->relay, NULL, 0));
    CHECK_OK(sim_connect(t->b, NULL, t->relay, NULL, 0));
    CHECK_OK(sim_connect(t->a, NULL, t->other, NULL, 0));
    sim_run(t->w, OM_SEC(30)); /* met, punched, and the sizes of both ways are found */
    const struct om_peer *p = peer_of(t->a, t->b);
    return p && om_peer_via(p) && om_peer_via(p)->lane == 0 && lanes_of(p) > 0;
}

/* What @a sends in a while of words both ways, each millisecond of which has a @hint, or none. */
static uint64_t talk(struct town *t, void (*hint)(struct town *t, unsigned i))
{
    uint64_t out = t->a->node->counts.datagrams_out;
    const uint64_t got[] = {sim_pair(t->w, t->a, t->b)->got, sim_pair(t->w, t->b, t->a)->got};

    for (unsigned i = 0; i < TALK_S * 1000; i++) {
        if (i % PACE_MS == 0) {
            CHECK_OK(sim_send(t->a, NULL, t->b, "chat", om_bytes("word", 4), 900));
            CHECK_OK(sim_send(t->b, NULL, t->a, "chat", om_bytes("word", 4), 900));
        }
        if (hint)
            hint(t, i);
        sim_node_drain(t->a);
        sim_run(t->w, t->w->now + OM_MS(1));
    }
    out = t->a->node->counts.datagrams_out - out;
    sim_run(t->w, t->w->now + OM_SEC(1));
    CHECK_EQ(sim_pair(t->w, t->a, t->b)->got - got[0], WORDS);
    CHECK_EQ(sim_pair(t->w, t->b, t->a)->got - got[1], WORDS);
    return out;
}

/* The same words with and without hints: data stays where it was, and at most @more datagrams
 * leave. */
static void check_flood(struct town *t, void (*hint)(struct town *t, unsigned i), unsigned more)
{
    const uint64_t *events = sim_pair(t->w, t->a, t->b)->events;
    uint64_t moved = events[OM_EVENT_PATH_MOVED], down = events[OM_EVENT_SESSION_DOWN];
    uint64_t made = peer_of(t->a, t->b)->sessions_made;
    const struct om_via via = *om_peer_via(peer_of(t->a, t->b));
    unsigned lanes = lanes_of(peer_of(t->a, t->b));
    uint64_t calm = talk(t, NULL), flooded = talk(t, hint);

    print_message("# %llu datagrams, %llu with hints\n", (unsigned long long)calm,
                  (unsigned long long)flooded);
    CHECK(flooded <= calm + more);
    CHECK(om_via_equal(&via, om_peer_via(peer_of(t->a, t->b))));
    CHECK_EQ(lanes_of(peer_of(t->a, t->b)), lanes);
    CHECK_EQ(events[OM_EVENT_PATH_MOVED], moved);
    CHECK_EQ(events[OM_EVENT_SESSION_DOWN], down);
    CHECK_EQ(peer_of(t->a, t->b)->sessions_made, made);
    CHECK_STR(t->w->broken, "");
}

/* The system refuses sizes: EMSGSIZE, of any size, also of what passes. */
static void refuse(struct town *t, unsigned i)
{
    om_node_refused(t->a->node, sim_node_clock(t->a), om_peer_via(peer_of(t->a, t->b)),
                    400 + i % 1100);
}

OM_TEST(hints_of_size_shrink_and_probe)
{
    struct town t;

    OM_TRY(town_init(&t));
    const struct om_mtu *m = &peer_of(t.a, t.b)->carrier->mtu;
    uint64_t probes = t.a->node->counts.mtu_probes;
    check_flood(&t, refuse, TALK_S * 100);
    /* One for each refusal at most, and those follow datagrams of ours. */
    CHECK(t.a->node->counts.mtu_probes - probes <= TALK_S * 100);
    CHECK(om_mtu_size(m) >= OM_MTU_FLOOR);
    for (unsigned i = 0; i < OM_MTU_RAISE_S / TALK_S + 2; i++)
        (void)talk(&t, NULL);
    unsigned was = om_mtu_size(m);
    CHECK(was >
          OM_MTU_BASE); /* the size is found again in time, and what is true is heard at once */
    om_node_refused(t.a->node, sim_node_clock(t.a), om_peer_via(peer_of(t.a, t.b)), was);
    CHECK(om_mtu_size(m) < was);
out:
    sim_world_free(t.w);
}

/* ICMP says that something ended on its way. */
static void hop(struct town *t, unsigned i)
{
    const struct om_addr router = om_addr_v4(0x0b000000 + i, 0);

    om_node_hop(t->a->node, sim_node_clock(t->a), 1 + i % 255, &router);
}

OM_TEST(hints_of_routers_send_nothing)
{
    struct town t;

    OM_TRY(town_init(&t));
    uint64_t heard = t.a->node->sockets.hops[0];
    check_flood(&t, hop, 5);
    CHECK_EQ(t.a->node->sockets.hops[0] - heard, TALK_S * 1000);
out:
    sim_world_free(t.w);
}

static uint32_t lane_to_b(struct town *t)
{
    const struct om_paths *ps = peer_of(t->a, t->b)->paths;
    uint32_t id = 0;

    for (unsigned i = 0; i < ps->count; i++)
        id = ps->all[i].via.lane != 0 ? ps->all[i].via.lane : id;
    return id;
}

/* @by tells a that its lane @id has ended, and that it is refused. */
static void end_lane(struct town *t, struct sim_actor *by, uint32_t id)
{
    const struct om_frame_lane_refuse f = {.lane = id, .reason = OM_LANE_FULL};
    struct om_peer *p = peer_of(by, t->a);
    struct om_buf *b = node_plain(by->node);
    om_time now = sim_node_clock(by);

    OM_BUG_IF(!b);
    struct om_wr w = om_wr(om_mut(om_buf_data(b), OM_PLAIN_MAX));
    om_frame_write_lane_close(&w, id);
    om_frame_write_lane_refuse(&w, &f);
    om_buf_put(b, om_wr_len(&w));
    node_send_now(by->node, now, p, om_association_sealing(p->assoc, now), b);
    sim_node_drain(by);
}

/* A member says so of all lanes, the real one, too. */
static void end_lanes(struct town *t, unsigned i)
{
    end_lane(t, t->other, i % 2 ? i : lane_to_b(t));
}

OM_TEST(hints_of_lanes_count_from_their_relay_alone)
{
    struct town t;

    OM_TRY(town_init(&t));
    uint64_t ended = t.a->events[OM_EVENT_LANE_DOWN];
    /* ACKs of what it said, one of two packets at most, and nothing else. */
    check_flood(&t, end_lanes, TALK_S * 1000 / 2 + 50);
    CHECK_EQ(t.a->events[OM_EVENT_LANE_DOWN], ended);
    end_lane(&t, t.relay, lane_to_b(&t));
    sim_run(t.w, t.w->now + OM_MS(50));
    CHECK_EQ(t.a->events[OM_EVENT_LANE_DOWN], ended + 1); /* whose it is may end it */
    CHECK_EQ(om_peer_via(peer_of(t.a, t.b))->lane, 0);
out:
    sim_world_free(t.w);
}

/* b's own datagram with a bit changed, or one under a key that is dead. */
static void wrong_key(struct town *t, unsigned i)
{
    struct om_peer *p = peer_of(t->b, t->a);
    uint8_t data[200];
    struct om_dgram d = {.via = *om_peer_via(peer_of(t->a, t->b)), .data = data};
    struct om_buf *b = node_plain(t->b->node);
    struct om_sealed *sealed;

    OM_BUG_IF(!b);
    memset(om_buf_put(b, 100), 0, 100);
    CHECK_OK(om_seal(&sealed, om_association_sealing(p->assoc, sim_node_clock(t->b)),
                     p->assoc->counter + 1000000 + i, b));
    d.len = om_sealed_bytes(sealed).n;
    memcpy(data, om_sealed_bytes(sealed).p, d.len);
    om_pool_give(t->w->pool, om_sealed_release(sealed));
    data[i % 2 ? 40 : d.len - 1] ^= 1; /* behind the header; or what it is masked by */
    om_node_input(t->a->node, sim_node_clock(t->a), &d, 1);
}

OM_TEST(hints_of_wrong_keys_are_drops)
{
    struct town t;

    OM_TRY(town_init(&t));
    uint64_t in = t.a->node->counts.datagrams_in;
    check_flood(&t, wrong_key, 5);
    CHECK(t.a->node->counts.datagrams_in - in > TALK_S * 1000);
out:
    sim_world_free(t.w);
}

/* The kernel says that our network is another one, and back again. */
static void flap(struct town *t, unsigned i)
{
    struct om_where w = t->a->node->where.at;

    w.near_count = i % 2 ? 2 : 1;
    CHECK_OK(om_node_where(t->a->node, sim_node_clock(t->a), &w));
}

OM_TEST(hints_of_the_network_ask_at_a_pace)
{
    struct town t;

    OM_TRY(town_init(&t));
    check_flood(&t, flap, WAYS * (TALK_S * 1000 / OM_PATHS_NETWORK_MS + 1) + 50);
    sim_run(t.w, t.w->now + OM_SEC(1));
    uint64_t asked = t.a->node->counts.datagrams_out;
    flap(&t, 0); /* one alone is heard at once */
    sim_node_drain(t.a);
    CHECK(t.a->node->counts.datagrams_out >= asked + 2);
out:
    sim_world_free(t.w);
}
