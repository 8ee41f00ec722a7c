/*
 * model_relay.c - a relay and its ends over a network that loses words, one end of them hostile
 *
 * Honest ends ask for lanes and send on them at less than their rate; words and datagrams get lost.
 * The hostile one asks for all it can, floods its lanes, replays what it sees, guesses lane ids and
 * answers what it was not asked. The twin counts for each honest pair what was sent and what came.
 */
#include "harness.h"

#include <stdio.h>

#include <omerta/prng.h>

#include "dice.h"
#include "relay/relay_client.h"
#include "relay/relay_server.h"

enum {
    ENDS = 401, /* the last is hostile */
    PAIRS = (ENDS - 1) / 2,
    SIZE = OM_LANE_BYTES + 400,
    SECONDS = 20,
    STEP_MS = 20, /* 400 bytes each: 160 kb/s, below the rate */
    FLOOD = 40,   /* datagrams of the hostile one in each step */
    LOSS = 5      /* percent of words */
};

static const uint8_t mask[OM_MASK_KEY_BYTES] = {1};

struct end {
    struct om_prng prng;
    struct om_rng rng;
    struct om_indices indices;
    struct om_lanes lanes;
    struct om_lane_relay *via;
    struct om_relay_end *at_relay;
    struct om_lane *open; /* the pair's */
    unsigned sent, came;
};

struct world {
    struct dice dice;
    struct om_prng prng;
    struct om_rng rng;
    struct om_indices indices;
    struct om_relay relay;
    struct end ends[ENDS];
    uint8_t seen[64][SIZE]; /* by the hostile one */
    unsigned seen_count;
    unsigned most;
    om_time now;
};

static void fill(void *self, void *dst, size_t n)
{
    uint8_t *to = dst;

    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)om_prng_u64(self);
}

static struct om_id id_of(unsigned i)
{
    return (struct om_id){{(uint8_t)i, (uint8_t)(i >> 8), 1}};
}

static bool begin(struct world *w)
{
    static const uint8_t sip[OM_SIP_KEY] = {3};
    static const unsigned one_network = 1;
    struct om_relay_limits limits;

    memset(w, 0, sizeof *w);
    w->dice.state = 7;
    w->now = OM_SEC(100);
    om_prng_seed(&w->prng, 1);
    w->rng = (struct om_rng){fill, &w->prng};
    om_relay_limits_default(&limits);
    om_indices_init(&w->indices, 4096);
    CHECK_OK(om_relay_init(&w->relay, &limits, &one_network, &w->rng, &w->indices, sip));
    om_relay_set(&w->relay, true);
    for (unsigned i = 0; i < ENDS; i++) {
        struct end *e = &w->ends[i];
        struct om_addr a = om_addr_v4(0x33000001 + i, 9);
        om_prng_seed(&e->prng, 100 + i);
        e->rng = (struct om_rng){fill, &e->prng};
        om_indices_init(&e->indices, 4096);
        om_lanes_init(&e->lanes, &one_network, &e->rng, &e->indices);
        e->via = om_lane_relay_new(&e->lanes, e, &(struct om_id){{1}}, w->now);
        e->at_relay = om_relay_end_new(&w->relay, e, &(struct om_id){{1}}, w->now, &a);
        if (!e->via || !e->at_relay)
            return false;
    }
    return true;
}

static void end_all(struct world *w)
{
    for (unsigned i = 0; i < ENDS; i++) {
        om_lane_relay_free(w->ends[i].via);
        om_relay_end_free(w->ends[i].at_relay);
        om_lanes_fini(&w->ends[i].lanes);
        om_indices_fini(&w->ends[i].indices);
    }
    om_relay_fini(&w->relay);
    om_indices_fini(&w->indices);
}

static bool is_lost(struct world *w)
{
    return dice_below(&w->dice, 100) < LOSS;
}

static void to_relay(struct world *w, struct end *e, const struct om_frame *f)
{
    struct om_relay_end *to = NULL;

    om_relay_heard(e->at_relay, w->now, &e->at_relay->addr);
    switch (f->type) {
    case OM_FRAME_LANE_OFFER:
        for (unsigned i = 0; i < ENDS; i++) {
            struct om_id id = id_of(i);
            if (om_id_equal(&id, &f->lane_offer.peer))
                to = w->ends[i].at_relay;
        }
        om_relay_offer(&w->relay, w->now, e->at_relay, to, &f->lane_offer, false);
        break;
    case OM_FRAME_LANE_ACCEPT:
        om_relay_accept(&w->relay, w->now, e->at_relay, &f->lane_accept);
        break;
    case OM_FRAME_LANE_REFUSE:
        om_relay_refuse(&w->relay, e->at_relay, &f->lane_refuse);
        break;
    case OM_FRAME_LANE_CLOSE:
        om_relay_close(&w->relay, e->at_relay, f->lane_close);
        break;
    }
}

static void to_end(struct world *w, struct end *e, const struct om_frame *f)
{
    switch (f->type) {
    case OM_FRAME_LANE_OFFER:
        om_lanes_offer(e->via, w->now, &f->lane_offer);
        break;
    case OM_FRAME_LANE_BOUND:
        om_lanes_bound(e->via, w->now, &f->lane_bound);
        break;
    case OM_FRAME_LANE_REFUSE:
        om_lanes_refused(e->via, &f->lane_refuse);
        break;
    case OM_FRAME_LANE_CLOSE:
        om_lanes_closed(e->via, f->lane_close);
        break;
    }
}

static void hear(struct end *e, const struct om_lane_act *act)
{
    if (act->kind == OM_LANE_UP && (!e->open || e->open->state != OM_LANE_OPEN))
        e->open = act->lane;
    if (act->kind == OM_LANE_DOWN && act->lane == e->open)
        e->open = NULL;
}

/* Words go to and fro until nobody has more to say. */
static void talk(struct world *w)
{
    struct om_relay_act said;
    struct om_lane_act act;
    bool more;

    do {
        more = false;
        for (unsigned i = 0; i < ENDS; i++) {
            while (om_lanes_next(&w->ends[i].lanes, &act)) {
                more = true;
                if (act.kind == OM_LANE_WANTED)
                    om_lane_answer(act.lane, w->now);
                hear(&w->ends[i], &act);
                if (act.kind == OM_LANE_SAY && !is_lost(w))
                    to_relay(w, &w->ends[i], &act.frame);
            }
        }
        while (om_relay_next(&w->relay, w->now, &said)) {
            more = true;
            if (!is_lost(w))
                to_end(w, said.to->user, &said.frame);
        }
    } while (more);
    if (w->relay.shares.rows > w->most)
        w->most = w->relay.shares.rows;
}

/* A datagram arrives at the relay, from anywhere; what it makes of it goes to an end. */
static void arrive(struct world *w, const uint8_t from[static SIZE])
{
    struct om_lane_header header;
    struct om_relay_leg *out;
    struct om_index_entry *e;
    uint8_t d[SIZE];

    memcpy(d, from, SIZE);
    CHECK(om_lane_peek(mask, om_bytes(d, SIZE), &header));
    e = om_index_find(&w->indices, header.lane);
    out = e ? om_relay_carry(e->owner, w->now, &header, om_bytes(d, SIZE)) : NULL;
    if (!out)
        return;
    om_hop_wrap(&out->hop, mask, d, SIZE);
    struct end *to = out->end->user;
    CHECK(om_lane_peek(mask, om_bytes(d, SIZE), &header));
    e = om_index_find(&to->indices, header.lane);
    if (e && e->kind == OM_INDEX_LANE && om_lane_take(e->owner, w->now, &header, om_bytes(d, SIZE)))
        to->came++;
    else
        CHECK(to == &w->ends[ENDS - 1] || !e); /* an end that has it takes what the relay sends */
    if (w->seen_count < OM_ARRAY_SIZE(w->seen) || dice_below(&w->dice, 50) == 0)
        memcpy(w->seen[w->seen_count++ % OM_ARRAY_SIZE(w->seen)], from, SIZE);
}

static void send_on(struct world *w, struct om_lane *lane)
{
    uint8_t d[SIZE];

    dice_fill(&w->dice, d, SIZE);
    om_hop_wrap(&lane->hop, mask, d, SIZE);
    arrive(w, d);
}

static void attack(struct world *w)
{
    struct end *me = &w->ends[ENDS - 1];
    struct om_frame f = {.is_known = true};
    uint8_t d[SIZE];

    for (unsigned i = 0; i < FLOOD; i++) {
        unsigned kind = dice_below(&w->dice, 5);
        dice_fill(&w->dice, d, SIZE);
        if (kind < 2 && w->seen_count > 0)
            memcpy(d, w->seen[dice_below(&w->dice, w->seen_count < 64 ? w->seen_count : 64)], SIZE);
        if (kind == 1)
            d[4 + dice_below(&w->dice, OM_LANE_BYTES + OM_HEADER_BYTES - 4)] ^= 1;
        if (kind <= 2)
            arrive(w, d); /* a copy, a changed copy, anything */
        else if (me->open)
            send_on(w, me->open);
    }
    for (unsigned i = 0; i < FLOOD; i++) {
        uint32_t lane = 1 + dice_below(&w->dice, 1u << 31);
        if (w->seen_count > 0 && i % 4 == 0) { /* one that is in use */
            struct om_lane_header h;
            CHECK(om_lane_peek(mask, om_bytes(w->seen[i % w->seen_count % 64], SIZE), &h));
            lane = h.lane;
        }
        if (me->open && lane == me->open->hop.send_id)
            lane++; /* its own shall last */
        f.type = (uint8_t)(OM_FRAME_LANE_OFFER + dice_below(&w->dice, 5));
        switch (f.type) {
        case OM_FRAME_LANE_OFFER:
            f.lane_offer = (struct om_frame_lane_offer){
                .is_asked = true, .peer = id_of(dice_below(&w->dice, ENDS)), .lane = lane};
            break;
        case OM_FRAME_LANE_ACCEPT:
            f.lane_accept = (struct om_frame_lane_accept){.lane = lane, .send_id = 5};
            break;
        case OM_FRAME_LANE_REFUSE:
            f.lane_refuse = (struct om_frame_lane_refuse){lane, 1};
            break;
        case OM_FRAME_LANE_CLOSE:
            f.lane_close = lane;
            break;
        }
        to_relay(w, me, &f);
    }
}

static bool all_open(const struct world *w)
{
    for (unsigned i = 0; i < ENDS; i++)
        if (!w->ends[i].open)
            return false;
    return true;
}

/* Ticks all until every pair has its lane, and the hostile one has one to the first. */
static bool open_all(struct world *w)
{
    struct om_id first = id_of(0);
    struct om_lane *lane;

    if (om_lane_ask(w->ends[ENDS - 1].via, w->now, &first, NULL, &lane) != OM_OK)
        return false;
    for (unsigned i = 0; i < PAIRS; i++) {
        struct om_id to = id_of(2 * i + 1);
        if (om_lane_ask(w->ends[2 * i].via, w->now, &to, NULL, &lane) != OM_OK)
            return false;
    }
    for (om_time until = w->now + OM_SEC(30); w->now < until && !all_open(w); w->now += OM_MS(50)) {
        om_relay_tick(&w->relay, w->now);
        for (unsigned i = 0; i < ENDS; i++)
            om_lanes_tick(&w->ends[i].lanes, w->now);
        talk(w);
    }
    return all_open(w);
}

OM_TEST(model_relay_stays_within_its_bounds)
{
    static struct world w;
    const struct om_relay_counts *c = &w.relay.counts;
    struct om_id to = id_of(0);
    struct om_lane *lane;
    uint64_t carried;
    unsigned begun = 1;

    OM_TRY(begin(&w));
    OM_TRY(open_all(&w));
    for (unsigned ms = 0; ms < SECONDS * 1000; ms += STEP_MS) {
        w.now += OM_MS(STEP_MS);
        if (!w.ends[ENDS - 1].open)
            begun += om_lane_ask(w.ends[ENDS - 1].via, w.now, &to, NULL, &lane) == OM_OK;
        attack(&w);
        for (unsigned i = 0; i < ENDS - 1; i++) {
            struct end *e = &w.ends[i];
            om_lanes_tick(&e->lanes, w.now);
            if (!e->open || e->open->state != OM_LANE_OPEN)
                continue;
            send_on(&w, e->open);
            e->sent++;
        }
        om_relay_tick(&w.relay, w.now);
        talk(&w);
        CHECK(w.relay.shares.rows <= OM_RELAY_LANES_MAX);
        CHECK(w.indices.live == 2 * w.relay.shares.rows);
        CHECK(w.ends[ENDS - 1].at_relay->lanes <= OM_RELAY_LANES_PER_END);
    }
    carried = c->carried;
    for (unsigned i = 1; i < PAIRS; i++) { /* of pair 0 the hostile one is a third */
        CHECK_EQ(w.ends[2 * i].sent, SECONDS * 1000 / STEP_MS);
        CHECK_EQ(w.ends[2 * i].came, w.ends[2 * i + 1].sent);
        CHECK_EQ(w.ends[2 * i + 1].came, w.ends[2 * i].sent);
    }
    printf("%u pairs: %llu carried, %llu forged, %llu replayed, %llu over rate; at most %u lanes, "
           "%u begun by the hostile one\n",
           PAIRS, (unsigned long long)carried, (unsigned long long)c->forged,
           (unsigned long long)c->replayed, (unsigned long long)c->over_rate, w.most, begun);
    CHECK(c->forged > 1000 && c->replayed > 1000 && c->over_rate > 1000 && carried > 100000);
out:
    end_all(&w);
}
