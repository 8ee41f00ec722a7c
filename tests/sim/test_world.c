/* test_world.c - the simulator itself: order, chance, memory, attackers. */
#include "harness.h"

#include "attack.h"
#include "fault.h"
#include "flight.h"
#include "request.h"

struct pair_world {
    struct sim_world *w;
    struct sim_actor *a, *b;
};

static struct pair_world pair_of(uint64_t seed)
{
    struct pair_world p = {.w = sim_world_new(seed, NULL)};

    sim_network_add(p.w, "main", true, 0);
    p.a = sim_node_add(p.w, "a", NULL);
    p.b = sim_node_add(p.w, "b", NULL);
    CHECK(p.a && p.b);
    return p;
}

static void talk(const struct pair_world *p)
{
    CHECK_OK(sim_connect(p->a, NULL, p->b, NULL, 0));
    CHECK_OK(sim_send(p->a, NULL, p->b, "chat", om_bytes("hi", 2), 100));
    sim_run(p->w, OM_SEC(2));
    CHECK_EQ(sim_text_count(p->w, p->b, p->a, om_bytes("hi", 2)), 1);
    CHECK_STR(p->w->broken, "");
}

static void hash_of(uint64_t seed, char out[static SIM_TRACE_TEXT])
{
    struct pair_world p = pair_of(seed);

    p.w->model.jitter = OM_MS(5);
    talk(&p);
    sim_trace_hash(&p.w->trace, out);
    sim_world_free(p.w);
}

OM_TEST(world_same_seed_same_trace)
{
    char one[SIM_TRACE_TEXT], two[SIM_TRACE_TEXT];

    hash_of(1, one);
    hash_of(1, two);
    CHECK_STR(one, two);
}

OM_TEST(world_other_seed_other_trace)
{
    char one[SIM_TRACE_TEXT], two[SIM_TRACE_TEXT];

    hash_of(1, one);
    hash_of(2, two);
    assert_string_not_equal(one, two);
}

/* Two events of which one bit differs; sizes around the 32 bytes that are taken in at a time. */
OM_TEST(trace_hash_sees_every_bit)
{
    static const size_t sizes[] = {1, 7, 8, 31, 32, 33, 64, 100};
    char plain[SIM_TRACE_TEXT], other[SIM_TRACE_TEXT];
    struct sim_trace t;
    uint8_t data[100];

    for (unsigned k = 0; k < OM_ARRAY_SIZE(sizes); k++) {
        memset(data, 0x5a, sizeof data);
        for (size_t bit = 0; bit <= 8 * sizes[k]; bit++) {
            sim_trace_init(&t, NULL);
            if (bit > 0)
                data[(bit - 1) / 8] ^= (uint8_t)(1u << ((bit - 1) % 8));
            sim_trace_add(&t, 5, SIM_TRACE_SEND, "a", "b", om_bytes(data, sizes[k]));
            sim_trace_add(&t, 6, SIM_TRACE_ARRIVE, "b", "a", om_bytes(data, sizes[k]));
            if (bit > 0)
                data[(bit - 1) / 8] ^= (uint8_t)(1u << ((bit - 1) % 8));
            sim_trace_hash(&t, bit > 0 ? other : plain);
            if (bit > 0)
                assert_string_not_equal(plain, other);
        }
        sim_trace_init(&t, NULL); /* and without a difference there is none */
        sim_trace_add(&t, 5, SIM_TRACE_SEND, "a", "b", om_bytes(data, sizes[k]));
        sim_trace_add(&t, 6, SIM_TRACE_ARRIVE, "b", "a", om_bytes(data, sizes[k]));
        CHECK_STR(sim_trace_hash(&t, other), plain);
        sim_trace_init(&t, NULL); /* a microsecond is one, and so is whose it was */
        sim_trace_add(&t, 5, SIM_TRACE_SEND, "a", "b", om_bytes(data, sizes[k]));
        sim_trace_add(&t, 7, SIM_TRACE_ARRIVE, "b", "a", om_bytes(data, sizes[k]));
        assert_string_not_equal(sim_trace_hash(&t, other), plain);
        sim_trace_init(&t, NULL);
        sim_trace_add(&t, 5, SIM_TRACE_SEND, "a", "b", om_bytes(data, sizes[k]));
        sim_trace_add(&t, 6, SIM_TRACE_ARRIVE, "a", "b", om_bytes(data, sizes[k]));
        assert_string_not_equal(sim_trace_hash(&t, other), plain);
    }
}

OM_TEST(world_swallows_unknown_addresses)
{
    struct pair_world p = pair_of(3);
    struct om_addr nowhere = om_addr_v4(0xc0000201, 9);

    sim_transmit(p.w, p.a, &p.a->addr, &nowhere, om_bytes("x", 1));
    CHECK(p.w->events.count == 0);
    sim_transmit(p.w, p.a, &p.a->addr, &p.b->addr, om_bytes("x", 1));
    CHECK(p.w->events.count == 1);
    sim_move(p.b); /* while it is under way */
    sim_run(p.w, OM_SEC(1));
    struct om_node_info info;
    om_node_info(p.b->node, &info);
    CHECK_EQ(info.datagrams_in, 0);
    sim_world_free(p.w);
}

static unsigned order[3], order_count;

static void fire_one(struct om_timer *t OM_UNUSED, om_time now OM_UNUSED)
{
    order[order_count++] = 1;
}

static void fire_two(struct om_timer *t OM_UNUSED, om_time now OM_UNUSED)
{
    order[order_count++] = 2;
}

static void fire_three(struct om_timer *t OM_UNUSED, om_time now OM_UNUSED)
{
    order[order_count++] = 3;
}

OM_TEST(world_events_keep_their_order)
{
    struct sim_world *w = sim_world_new(1, NULL);
    struct om_timer one = {.fire = fire_one}, two = {.fire = fire_two},
                    three = {.fire = fire_three};

    order_count = 0;
    sim_arm(w, &three, OM_SEC(2));
    sim_arm(w, &one, OM_SEC(1));
    sim_arm(w, &two, OM_SEC(1)); /* the same instant, later made */
    sim_run(w, OM_SEC(3));
    CHECK_EQ(order_count, 3);
    CHECK(order[0] == 1 && order[1] == 2 && order[2] == 3);
    CHECK_EQ(w->now, OM_SEC(3));
    sim_world_free(w);
}

OM_TEST(actor_restart_recalls_what_was_kept)
{
    struct pair_world p = pair_of(4);

    talk(&p);
    sim_run(p.w, OM_SEC(20)); /* write-behind is over */
    CHECK(p.a->kept_count > 0 && p.b->kept_count > 0);
    unsigned kept = p.b->kept_count;
    CHECK_OK(sim_crash(p.b));
    CHECK_ERR(sim_crash(p.b), OM_E_STATE);
    CHECK_ERR(sim_connect(p.b, NULL, p.a, NULL, 0), OM_E_STATE);
    CHECK_OK(sim_restart(p.b, false, false));
    CHECK_EQ(p.b->kept_count, kept);
    CHECK_OK(sim_crash(p.b));
    CHECK_OK(sim_restart(p.b, true, false));
    CHECK_EQ(p.b->kept_count, 0);
    struct om_id before = *sim_actor_id(p.b, &p.w->networks[0]);
    CHECK_OK(sim_crash(p.b));
    CHECK_OK(sim_restart(p.b, false, true));
    CHECK(!om_id_equal(&before, sim_actor_id(p.b, &p.w->networks[0])));
    CHECK(sim_actor_by_id(p.w, &before) == p.b);
    sim_world_free(p.w);
}

OM_TEST(actor_clocks_differ)
{
    struct pair_world p = pair_of(5);

    CHECK(sim_node_clock(p.a) != sim_node_clock(p.b));
    CHECK(sim_node_wall(p.a).unix_ms == sim_node_wall(p.b).unix_ms);
    sim_step_wall(p.a, OM_SEC(3600));
    CHECK_EQ(sim_node_wall(p.a).unix_ms - sim_node_wall(p.b).unix_ms, 3600 * 1000);
    sim_world_free(p.w);
}

OM_TEST(attack_tape_holds_both_directions)
{
    struct pair_world p = pair_of(6);
    struct sim_pair *ab = sim_pair(p.w, p.a, p.b), *ba = sim_pair(p.w, p.b, p.a);

    sim_record(p.a, p.b);
    talk(&p);
    CHECK(ab->sent > 0 && ba->sent > 0);
    CHECK_EQ(sim_tape_count(ab->tape), ab->sent + ba->sent);

    struct sim_actor *m = sim_attacker_add(p.w, "m", false);
    uint64_t got = ab->got + ba->got;
    unsigned count = sim_tape_count(ab->tape);
    const struct sim_replay r = {.by = m, .tape = ab->tape, .times = 2, .spacing = OM_MS(1)};
    sim_replay_start(&r);
    sim_run(p.w, OM_SEC(5));
    CHECK_EQ(p.w->junk_count, 2 * count);
    CHECK_EQ(ab->got + ba->got, got);
    CHECK_STR(p.w->broken, "");
    sim_world_free(p.w);
}

OM_TEST(attack_junk_keeps_its_rate)
{
    struct pair_world p = pair_of(7);
    struct sim_actor *m = sim_attacker_add(p.w, "m", true);
    struct sim_junk j = {
        .by = m, .to = p.a, .rate = 1000, .length = OM_SEC(2), .size_min = 1, .size_max = 600};
    struct om_node_info info;

    sim_junk_start(&j);
    sim_run(p.w, OM_SEC(1));
    om_node_info(p.a->node, &info);
    CHECK(info.datagrams_in > 980 && info.datagrams_in <= 1000);
    sim_run(p.w, OM_SEC(5));
    om_node_info(p.a->node, &info);
    CHECK_EQ(info.datagrams_in, 2000);

    j.kind = SIM_JUNK_INITIATION; /* these get past the outer MAC */
    sim_junk_start(&j);
    sim_run(p.w, OM_SEC(10));
    uint64_t before = info.initiations_in;
    om_node_info(p.a->node, &info);
    CHECK_EQ(before, 0);
    CHECK_EQ(info.initiations_in, 2000);
    sim_world_free(p.w);
}
