/* test_pipe.c - pipes alone, and between actors. */
#include "harness.h"

#include "attack.h"
#include "flight.h"

enum { SIZE = 1000 }; /* on the wire */

struct load {
    struct sim_pipe pipe;
    struct om_prng prng;
    unsigned in, dropped, out[2], lost; /* out: by whom */
    om_time last;                       /* when the last one came out */
};

static void load_init(struct load *l, const struct sim_pipe_model *m)
{
    *l = (struct load){.in = 0};
    om_prng_seed(&l->prng, 21);
    sim_pipe_init(&l->pipe);
    sim_pipe_change(&l->pipe, m, 0);
}

/* Lets everything out that leaves until @now. */
static void drain(struct load *l, om_time now)
{
    struct sim_pipe_item item;
    bool lost;

    while (l->pipe.next <= now) {
        om_time at = l->pipe.next;
        CHECK(sim_pipe_output(&l->pipe, at, &l->prng, &item, &lost));
        CHECK(at >= l->last);
        l->last = at;
        l->out[*(const unsigned *)item.what]++;
        l->lost += lost;
    }
    CHECK(!sim_pipe_output(&l->pipe, now, &l->prng, &item, &lost));
}

static void put(struct load *l, om_time now, unsigned *whose)
{
    drain(l, now);
    l->in++;
    l->dropped += !sim_pipe_input(&l->pipe, now, whose, SIZE);
}

static unsigned one, two = 1; /* two senders */

/* One datagram of SIZE every @spacing from @from up to @until. */
static void offer(struct load *l, om_time from, om_time until, om_time spacing)
{
    for (om_time t = from; t < until; t += spacing)
        put(l, t, &one);
}

OM_TEST(pipe_shares_its_rate)
{
    const struct sim_pipe_model m = {.rate_bps = 80000000, .queue_bytes = 100 * SIZE};
    struct load l;

    load_init(&l, &m); /* 10,000 datagrams a second; both together offer so many */
    for (om_time t = 0; t < OM_SEC(2); t += 200) {
        put(&l, t, &one);
        put(&l, t, &two);
    }
    drain(&l, OM_SEC(2));
    CHECK_EQ(l.dropped, 0);
    CHECK_EQ(l.out[0], l.in / 2);
    CHECK_EQ(l.out[1], l.in / 2);
    CHECK_EQ(l.last, OM_SEC(2)); /* as fast as it goes, and no faster */
    sim_pipe_fini(&l.pipe);
}

OM_TEST(pipe_drops_at_the_tail)
{
    struct sim_pipe_model m = {.rate_bps = 8000000, .queue_bytes = 3 * SIZE};
    struct load l;

    load_init(&l, &m);
    for (unsigned i = 0; i < 10; i++)
        put(&l, 0, &one);
    CHECK_EQ(l.dropped, 7); /* one half sent and two behind it stay */
    drain(&l, OM_SEC(1));
    CHECK_EQ(l.out[0], 3);
    CHECK_EQ(l.last, OM_MS(3));
    CHECK_EQ(l.pipe.meter.dropped[SIM_LAPSE_FULL], 7);
    CHECK_EQ(l.pipe.meter.wait_max, OM_MS(2));
    CHECK_EQ(l.pipe.queued, 0);
    m.rate_bps = 0; /* without a rate nothing waits */
    sim_pipe_change(&l.pipe, &m, OM_SEC(1));
    for (unsigned i = 0; i < 10; i++)
        put(&l, OM_SEC(1), &one);
    drain(&l, OM_SEC(1));
    CHECK_EQ(l.out[0], 13);
    sim_pipe_fini(&l.pipe);
}

OM_TEST(pipe_police_passes_its_rate_and_burst)
{
    const struct sim_pipe_model police = {.police_bps = 8000000, .police_bytes = 20 * SIZE};
    const struct sim_pipe_model open = {.rate_bps = 0};
    struct load l;

    load_init(&l, &police);
    offer(&l, 0, OM_SEC(10), 500); /* twice what it grants */
    drain(&l, OM_SEC(10));
    CHECK_EQ(l.in, 20000);
    CHECK(l.out[0] >= 10000 && l.out[0] <= 10000 * 102 / 100);
    CHECK_EQ(l.pipe.meter.dropped[SIM_LAPSE_POLICE], l.dropped);
    CHECK_EQ(l.pipe.meter.wait_max, 0); /* it has no queue */
    for (unsigned i = 0; i < 50; i++)   /* and after a rest its burst, at once */
        put(&l, OM_SEC(20), &two);
    drain(&l, OM_SEC(20));
    CHECK_EQ(l.out[1], 20);
    sim_pipe_fini(&l.pipe);
    load_init(&l, &open);
    offer(&l, 0, OM_SEC(10), 500);
    drain(&l, OM_SEC(10));
    CHECK_EQ(l.out[0], 20000);
    sim_pipe_fini(&l.pipe);
}

OM_TEST(pipe_rate_changes_for_what_waits)
{
    struct sim_pipe_model m = {.rate_bps = 8000000, .queue_bytes = 100 * SIZE};
    struct load l;

    load_init(&l, &m);
    for (unsigned i = 0; i < 100; i++)
        put(&l, 0, &one);
    drain(&l, OM_MS(10) + 500); /* ten, and half of another */
    CHECK_EQ(l.out[0], 10);
    m.rate_bps /= 10;
    sim_pipe_change(&l.pipe, &m, OM_MS(10) + 500);
    CHECK_EQ(l.pipe.next, OM_MS(15) + 500); /* the other half takes ten times as long */
    drain(&l, OM_MS(105) + 500);
    CHECK_EQ(l.out[0], 20);
    CHECK_EQ(l.last, OM_MS(105) + 500);
    m.rate_bps *= 100;
    sim_pipe_change(&l.pipe, &m, OM_MS(105) + 500);
    drain(&l, OM_SEC(1));
    CHECK_EQ(l.out[0], 100);
    CHECK_EQ(l.last, OM_MS(113) + 500); /* 80 at 0.1 ms each */
    for (unsigned i = 0; i < 10; i++)
        put(&l, OM_SEC(1), &one);
    m.rate_bps = 0; /* everything at once */
    sim_pipe_change(&l.pipe, &m, OM_SEC(1) + 50);
    drain(&l, OM_SEC(1) + 50);
    CHECK_EQ(l.out[0], 110);
    for (unsigned i = 0; i < 2; i++)
        CHECK(sim_pipe_input(&l.pipe, OM_SEC(2), &one, SIZE));
    m.rate_bps = 8000000; /* two that wait for no rate get one */
    sim_pipe_change(&l.pipe, &m, OM_SEC(2));
    drain(&l, OM_SEC(3));
    CHECK_EQ(l.out[0], 112);
    CHECK_EQ(l.last, OM_SEC(2) + OM_MS(1));
    sim_pipe_fini(&l.pipe);
}

OM_TEST(pipe_loses_on_the_wire)
{
    struct sim_pipe_model m = {.rate_bps = 8000000, .queue_bytes = 100 * SIZE};
    struct load l;

    load_init(&l, &m);
    offer(&l, 0, OM_SEC(10), OM_MS(1));
    drain(&l, OM_SEC(10));
    CHECK_EQ(l.lost, 0);
    m.loss = (struct sim_loss_model){.ppm = 50000, .burst = 8};
    sim_pipe_change(&l.pipe, &m, OM_SEC(10));
    sim_pipe_measure(&l.pipe, OM_SEC(10));
    offer(&l, OM_SEC(10), OM_SEC(110), OM_MS(1));
    drain(&l, OM_SEC(110));
    CHECK(l.lost > 4000 && l.lost < 6000); /* of 100,000 */
    CHECK_EQ(l.pipe.meter.dropped[SIM_LAPSE_LOST], l.lost);
    CHECK_EQ(l.pipe.meter.packets_out + l.lost, l.pipe.meter.packets_in);
    CHECK_EQ(sim_meter_read(&l.pipe.meter, &l.pipe.rate, SIM_READ_USED, OM_SEC(110)), 1000000);
    sim_pipe_fini(&l.pipe);
}

OM_TEST(pipe_measures_a_window)
{
    const struct sim_pipe_model m = {.rate_bps = 200000000, .queue_bytes = 1 << 20};
    struct load l;

    load_init(&l, &m);                   /* 25,000 datagrams a second */
    offer(&l, 0, OM_SEC(1), 20);         /* twice too much, then */
    offer(&l, OM_SEC(1), OM_SEC(2), 80); /* half of it, behind what still waits */
    drain(&l, OM_SEC(2));
    sim_pipe_measure(&l.pipe, OM_SEC(2));
    CHECK_EQ(sim_meter_read(&l.pipe.meter, &l.pipe.rate, SIM_READ_USED, OM_SEC(2)), 0);
    offer(&l, OM_SEC(2), OM_SEC(4), 80);
    drain(&l, OM_SEC(4));
    const struct sim_meter *meter = &l.pipe.meter;
    CHECK_EQ(meter->packets_in, 25000);
    CHECK_EQ(meter->bytes_in, 25000 * SIZE);
    CHECK_EQ(meter->packets_out, 25000);
    CHECK_EQ(meter->wait_max, 0);
    CHECK_EQ(sim_meter_read(meter, &l.pipe.rate, SIM_READ_USED, OM_SEC(4)), 500000);
    CHECK_EQ(sim_meter_read(meter, &l.pipe.rate, SIM_READ_RATE, OM_SEC(4)), 100000000);
    sim_pipe_measure(&l.pipe, OM_SEC(4));
    offer(&l, OM_SEC(4), OM_SEC(6), 20);
    drain(&l, OM_SEC(6));
    CHECK_EQ(sim_meter_read(meter, &l.pipe.rate, SIM_READ_USED, OM_SEC(6)), 1000000);
    /* a queue of 1 MiB at 25 bytes per us */
    CHECK(meter->wait_max <= (1 << 20) / 25 && meter->wait_max > (1 << 20) / 25 - 80);
    CHECK(sim_meter_percentile(meter, 95) > OM_MS(41));
    sim_pipe_fini(&l.pipe);
}

/* Attackers are actors that hear everything and answer nothing. */
struct scene {
    struct sim_world *w;
    struct sim_actor *from[2], *to[2];
};

static struct scene scene_new(void)
{
    struct scene s = {.w = sim_world_new(1, NULL)};

    s.from[0] = sim_attacker_add(s.w, "from0", false);
    s.from[1] = sim_attacker_add(s.w, "from1", false);
    s.to[0] = sim_attacker_add(s.w, "to0", false);
    s.to[1] = sim_attacker_add(s.w, "to1", false);
    CHECK(s.from[0] && s.from[1] && s.to[0] && s.to[1]);
    return s;
}

/* 1,000 bytes on the wire. */
static void transmit(const struct scene *s, unsigned from, unsigned to)
{
    static const uint8_t zeros[SIZE - SIM_LINK_OVERHEAD];

    sim_transmit(s->w, s->from[from], &s->from[from]->addr, &s->to[to]->addr,
                 om_bytes(zeros, sizeof zeros));
}

OM_TEST(flight_two_directions_share_a_pipe)
{
    const struct sim_pipe_model m = {.rate_bps = 8000000, .queue_bytes = 1 << 20};
    struct scene s = scene_new();
    struct sim_neck *n = sim_neck_add(s.w, "neck");

    CHECK(n);
    sim_neck_change(n, &m);
    sim_neck_lead(n, s.from[0], s.to[0]);
    sim_neck_lead(n, s.from[1], s.to[1]);
    sim_pair_model(s.w, sim_pair(s.w, s.from[1], s.to[1]))->latency = OM_MS(50);
    for (unsigned i = 0; i < 100; i++) {
        transmit(&s, 0, 0);
        transmit(&s, 1, 1);
        transmit(&s, 0, 1); /* past the pipe */
    }
    sim_run(s.w, OM_MS(11)); /* 10 ms of latency, and 1 ms for each datagram */
    CHECK_EQ(s.to[0]->heard, 1);
    CHECK_EQ(s.to[1]->heard, 100);
    sim_run(s.w, OM_MS(109));
    CHECK_EQ(s.to[0]->heard, 50);
    CHECK_EQ(s.to[1]->heard, 100 + 29);
    sim_run(s.w, OM_SEC(1));
    CHECK_EQ(s.to[0]->heard, 100);
    CHECK_EQ(s.to[1]->heard, 200);
    CHECK_EQ(n->pipe.meter.packets_out, 200);
    sim_neck_lead(NULL, s.from[0], s.to[0]); /* led past it again */
    transmit(&s, 0, 0);
    CHECK_EQ(n->pipe.meter.packets_in, 200);
    sim_world_free(s.w);
}

OM_TEST(flight_multicast_stays_on_its_segment)
{
    const struct om_addr group = om_addr_v4(0xef010203, 50000);
    struct scene s = scene_new();

    for (unsigned lan = 0; lan < 3; lan++) { /* of the sender; 0: on none */
        s.from[0]->lan = lan;
        s.from[1]->lan = s.to[0]->lan = 1;
        s.to[1]->lan = 2;
        sim_transmit(s.w, s.from[0], &s.from[0]->addr, &group, om_bytes("hello", 5));
        sim_run(s.w, s.w->now + OM_SEC(1));
        CHECK_EQ(s.from[0]->heard, 0);
        CHECK_EQ(s.from[1]->heard, lan >= 1);
        CHECK_EQ(s.to[0]->heard, lan >= 1);
        CHECK_EQ(s.to[1]->heard, lan >= 2);
    }
    sim_world_free(s.w);
}

OM_TEST(flight_waits_in_a_pipe_are_released)
{
    const struct sim_pipe_model m = {.rate_bps = 8000, .queue_bytes = 1 << 20};
    struct scene s = scene_new();
    struct sim_neck *n = sim_neck_add(s.w, "neck");

    CHECK(n);
    sim_neck_change(n, &m);
    sim_neck_lead(n, s.from[0], s.to[0]);
    for (unsigned i = 0; i < 10; i++)
        transmit(&s, 0, 0);
    sim_run(s.w, OM_MS(1010));
    CHECK_EQ(s.to[0]->heard, 1);
    CHECK_EQ(n->pipe.queue.count, 9);
    sim_world_free(s.w); /* a leak checker sees the rest */
}
