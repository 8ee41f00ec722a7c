/* test_relay_client.c - our own lanes: asked for, offered, open, over. */
#include "harness.h"

#include <omerta/prng.h>

#include "relay/relay_client.h"

enum { SIZE = OM_LANE_BYTES + 60, THEIRS = 0x77, RELAYS = 5 };

static const uint8_t mask[OM_MASK_KEY_BYTES] = {1};
static const uint8_t words[OM_HANDSHAKE_MIN] = {7, 7};
static const uint8_t keys[OM_LANE_KEYS_BYTES] = {1, 2, [16] = 3, 4};
static const struct om_id someone = {{1}};
static const struct om_id network[2] = {{{1}}, {{2}}}; /* of the last relay: the other */

struct place {
    struct om_prng prng;
    struct om_rng rng;
    struct om_indices indices;
    unsigned networks;
    struct om_lanes lanes;
    struct om_lane_relay *relays[RELAYS];
    struct om_lane_act act;
    om_time now;
};

static void fill(void *self, void *dst, size_t n)
{
    uint8_t *to = dst;

    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)om_prng_u64(self);
}

static bool open_place(struct place *p, unsigned relays)
{
    memset(p, 0, sizeof *p);
    om_prng_seed(&p->prng, 1);
    p->rng = (struct om_rng){fill, &p->prng};
    p->now = OM_SEC(1000);
    om_indices_init(&p->indices, 4096);
    p->networks = 1;
    om_lanes_init(&p->lanes, &p->networks, &p->rng, &p->indices);
    for (unsigned i = 0; i < relays; i++) {
        p->relays[i] = om_lane_relay_new(&p->lanes, NULL, &network[i == RELAYS - 1], p->now);
        if (!p->relays[i])
            return false;
    }
    return true;
}

static void close_place(struct place *p)
{
    for (unsigned i = 0; i < RELAYS; i++)
        om_lane_relay_free(p->relays[i]);
    om_lanes_fini(&p->lanes);
    CHECK_EQ(p->indices.live, 0);
    om_indices_fini(&p->indices);
}

/* The next thing is a frame of @type to relay @r. */
static bool says(struct place *p, unsigned r, enum om_frame_type type)
{
    return om_lanes_next(&p->lanes, &p->act) && p->act.kind == OM_LANE_SAY &&
           p->act.relay == p->relays[r] && p->act.frame.type == type;
}

static bool tells(struct place *p, enum om_lane_act_kind kind, const struct om_lane *lane)
{
    return om_lanes_next(&p->lanes, &p->act) && p->act.kind == kind && p->act.lane == lane;
}

static bool is_done(struct place *p)
{
    struct om_lane_act act;

    return !om_lanes_next(&p->lanes, &act);
}

static struct om_lane *ask(struct place *p, unsigned r)
{
    struct om_lane *lane;

    if (om_lane_ask(p->relays[r], p->now, &someone, NULL, &lane) != OM_OK)
        return NULL;
    om_lane_set_handshake(lane, om_bytes(words, sizeof words));
    return says(p, r, OM_FRAME_LANE_OFFER) ? lane : NULL;
}

static struct om_lane *bound(struct place *p, unsigned r, uint32_t id, uint32_t send_id)
{
    struct om_frame_lane_bound f = {.lane = id, .send_id = send_id, .age_s = 3};

    memcpy(f.keys, keys, sizeof keys);
    f.seen = om_addr_v4(0xc6336401, 5);
    return om_lanes_bound(p->relays[r], p->now, &f);
}

static struct om_lane *offered(struct place *p, unsigned r, uint32_t send_id)
{
    struct om_frame_lane_offer f = {.lane = send_id};

    struct om_lane *lane;

    memcpy(f.keys, keys, sizeof keys);
    lane = om_lanes_offer(p->relays[r], p->now, &f);
    if (lane)
        CHECK(tells(p, OM_LANE_WANTED, lane) && lane->handshake_len == 0);
    return lane;
}

/* A datagram that the relay sends on @lane. */
static void from_relay(const struct om_lane *lane, uint64_t sequence, uint8_t d[static SIZE])
{
    struct om_hop h;

    om_hop_init(&h, lane->hop.send_id, lane->id, keys);
    h.sent = sequence;
    memset(d, 9, SIZE);
    om_hop_wrap(&h, mask, d, SIZE);
}

static bool takes(struct place *p, struct om_lane *lane, const uint8_t d[static SIZE])
{
    struct om_lane_header header;

    return om_lane_peek(mask, om_bytes(d, SIZE), &header) &&
           om_lane_take(lane, p->now, &header, om_bytes(d, SIZE));
}

OM_TEST(lanes_open_from_both_sides)
{
    struct om_lane *lane, *again;
    uint8_t d[SIZE];
    struct place p;

    OM_TRY(open_place(&p, 2));
    lane = ask(&p, 0);
    OM_TRY(lane);
    const struct om_frame_lane_offer *f = &p.act.frame.lane_offer;
    CHECK(f->is_asked && om_id_equal(&f->peer, &someone) && f->lane == lane->id);
    CHECK_EQ(f->handshake.n, sizeof words);
    CHECK_ERR(om_lane_ask(p.relays[0], p.now, &someone, NULL, &again), OM_E_EXISTS);
    CHECK(again == lane);
    CHECK(bound(&p, 0, lane->id, THEIRS) == lane);
    CHECK(tells(&p, OM_LANE_UP, lane) && is_done(&p));
    CHECK(lane->seen.port == 5 && lane->seen_at == p.now - OM_SEC(3));
    from_relay(lane, 0, d);
    CHECK(takes(&p, lane, d) && !takes(&p, lane, d));
    d[OM_LANE_BYTES + 1] ^= 1;
    CHECK(!takes(&p, lane, d));
    CHECK(p.lanes.counts.replayed == 1 && p.lanes.counts.forged == 1);

    CHECK(!lane->is_by_known);

    lane = offered(&p, 1, THEIRS); /* ids of another relay are its own */
    OM_TRY(lane);
    CHECK(!lane->is_by_known); /* nor has it bound any */
    from_relay(lane, 0, d);
    CHECK(!takes(&p, lane, d)); /* we did not say yes */
    om_lane_set_handshake(lane, om_bytes(words, sizeof words));
    om_lane_answer(lane, p.now);
    CHECK(says(&p, 1, OM_FRAME_LANE_ACCEPT));
    CHECK(p.act.frame.lane_accept.lane == THEIRS && p.act.frame.lane_accept.send_id == lane->id);
    CHECK(tells(&p, OM_LANE_UP, lane) && is_done(&p));
    from_relay(lane, 1, d);
    CHECK(takes(&p, lane, d));
    om_lane_end(lane);
    CHECK(says(&p, 1, OM_FRAME_LANE_CLOSE) && p.act.frame.lane_close == THEIRS);
    CHECK(tells(&p, OM_LANE_DOWN, lane) && is_done(&p));
    lane = offered(&p, 1, THEIRS);
    OM_TRY(lane);
    om_lane_decline(lane, OM_LANE_DENIED);
    CHECK(says(&p, 1, OM_FRAME_LANE_REFUSE) && is_done(&p));
    CHECK_EQ(p.act.frame.lane_refuse.reason, OM_LANE_DENIED);
out:
    close_place(&p);
}

OM_TEST(lanes_resend_and_give_up)
{
    static const unsigned after_ms[] = {500, 1500, 3500, 7500};
    om_time start;
    struct om_lane *lane;
    struct place p;

    OM_TRY(open_place(&p, 1));
    start = p.now;
    lane = ask(&p, 0);
    OM_TRY(lane);
    for (size_t i = 0; i < OM_ARRAY_SIZE(after_ms); i++) {
        CHECK_EQ(om_lanes_deadline(&p.lanes), start + OM_MS(after_ms[i]));
        p.now = om_lanes_deadline(&p.lanes);
        om_lanes_tick(&p.lanes, p.now);
        CHECK(says(&p, 0, OM_FRAME_LANE_OFFER) && is_done(&p));
    }
    p.now = om_lanes_deadline(&p.lanes);
    CHECK_EQ(p.now, start + OM_MS(11500));
    uint32_t id = lane->id;
    om_lanes_tick(&p.lanes, p.now);
    CHECK(tells(&p, OM_LANE_DOWN, lane) && lane->reason == OM_LANE_SILENT && is_done(&p));
    CHECK_EQ(om_lanes_deadline(&p.lanes), OM_NEVER);
    CHECK(!bound(&p, 0, id, THEIRS)); /* the answer comes now: not wanted any more */
    CHECK(says(&p, 0, OM_FRAME_LANE_CLOSE) && p.act.frame.lane_close == THEIRS);
    lane = ask(&p, 0);
    OM_TRY(lane);
    CHECK(
        om_lanes_refused(p.relays[0], &(struct om_frame_lane_refuse){lane->id, OM_LANE_STRANGER}));
    CHECK(tells(&p, OM_LANE_DOWN, lane) && lane->reason == OM_LANE_STRANGER && is_done(&p));
out:
    close_place(&p);
}

OM_TEST(lanes_repeat_their_answer)
{
    struct om_lane *lane;
    struct place p;

    OM_TRY(open_place(&p, 1));
    lane = offered(&p, 0, THEIRS);
    OM_TRY(lane);
    CHECK(!offered(&p, 0, THEIRS) && is_done(&p)); /* we are at it */
    om_lane_answer(lane, p.now);
    CHECK(says(&p, 0, OM_FRAME_LANE_ACCEPT) && tells(&p, OM_LANE_UP, lane));
    CHECK(!offered(&p, 0, THEIRS)); /* our word was lost */
    CHECK(says(&p, 0, OM_FRAME_LANE_ACCEPT) && is_done(&p));
    lane = ask(&p, 0);
    OM_TRY(lane && bound(&p, 0, lane->id, THEIRS + 1));
    CHECK(tells(&p, OM_LANE_UP, lane));
    CHECK(!bound(&p, 0, lane->id, THEIRS + 1) && is_done(&p));
    CHECK_EQ(p.lanes.shares.rows, 2);
    CHECK(offered(&p, 0, 5));
    p.now += OM_SEC(OM_LANES_ANSWER_S); /* nobody looked at it */
    om_lanes_tick(&p.lanes, p.now);
    CHECK(says(&p, 0, OM_FRAME_LANE_REFUSE) && is_done(&p));
out:
    close_place(&p);
}

OM_TEST(lanes_die_with_their_relay)
{
    static const struct om_hop none;
    struct om_lane *one, *two;
    struct place p;

    OM_TRY(open_place(&p, 2));
    one = ask(&p, 0);
    OM_TRY(one && bound(&p, 0, one->id, THEIRS) && tells(&p, OM_LANE_UP, one));
    two = ask(&p, 1);
    OM_TRY(two && bound(&p, 1, two->id, THEIRS) && tells(&p, OM_LANE_UP, two));
    uint32_t id = one->id;
    om_lane_relay_free(p.relays[0]);
    p.relays[0] = NULL;
    CHECK_MEM(&one->hop, &none, sizeof none);
    CHECK(tells(&p, OM_LANE_DOWN, one) && is_done(&p));
    CHECK(!om_index_find(&p.indices, id));
    CHECK_EQ(p.lanes.shares.rows, 1);
    CHECK(om_lanes_closed(p.relays[1], two->id) && !om_lanes_closed(p.relays[1], two->id));
    CHECK(tells(&p, OM_LANE_DOWN, two) && is_done(&p));
out:
    close_place(&p);
}

OM_TEST(lanes_are_bounded)
{
    struct om_lane *lane;
    struct place p;
    unsigned r, i;

    OM_TRY(open_place(&p, RELAYS));
    for (r = 0; r < RELAYS; r++) {
        for (i = 0; i < OM_LANES_PER_RELAY; i++) {
            struct om_id to = {{(uint8_t)i}};
            unsigned before = p.lanes.shares.rows;
            enum om_err e = om_lane_ask(p.relays[r], p.now, &to, NULL, &lane);
            OM_TRY(e == (before < OM_LANES_MAX ? OM_OK : OM_E_FULL));
        }
        CHECK_ERR(om_lane_ask(p.relays[r], p.now, &(struct om_id){{200}}, NULL, &lane), OM_E_FULL);
    }
    CHECK_EQ(p.lanes.shares.rows, OM_LANES_MAX);
    CHECK(!offered(&p, 0, THEIRS));
    CHECK(says(&p, 0, OM_FRAME_LANE_REFUSE) && p.act.frame.lane_refuse.reason == OM_LANE_FULL);
out:
    close_place(&p);
}

/* Relays of one network, which anybody may be one of, offer all the lanes that we can have. */
OM_TEST(lanes_keep_room_for_another_network)
{
    enum { SHARE = OM_LANES_MAX / OM_SHARES_NETWORKS, OTHER = RELAYS - 1 };
    unsigned taken = 0, others = 0;
    struct place p;

    OM_TRY(open_place(&p, RELAYS));
    p.networks = 2;
    for (uint32_t i = 0; i < OM_LANES_MAX; i++) {
        p.now += OM_SEC(1); /* no faster than we take offers */
        taken += offered(&p, i % OTHER, THEIRS + i) != NULL;
        while (!is_done(&p))
            ;
    }
    CHECK_EQ(taken, OM_LANES_MAX - SHARE);
    CHECK(!offered(&p, 0, 1));
    CHECK(says(&p, 0, OM_FRAME_LANE_REFUSE) && p.act.frame.lane_refuse.reason == OM_LANE_FULL);
    for (uint32_t i = 0; i < 2 * SHARE; i++) {
        p.now += OM_SEC(1);
        others += offered(&p, OTHER, THEIRS + i) != NULL;
        while (!is_done(&p))
            ;
    }
    CHECK_EQ(others, SHARE);
out:
    close_place(&p);
}

OM_TEST(lanes_limit_offers_of_a_relay)
{
    struct place p;
    unsigned taken = 0;

    OM_TRY(open_place(&p, 2));
    for (uint32_t i = 1; i <= 1000; i++) {
        struct om_lane *lane = offered(&p, 0, i);
        if (lane)
            om_lane_decline(lane, OM_LANE_DENIED);
        taken += lane != NULL;
        CHECK(!lane || (says(&p, 0, OM_FRAME_LANE_REFUSE) && is_done(&p)));
    }
    OM_TRY(taken == OM_LANES_OFFERS_BURST);
    CHECK_EQ(p.lanes.counts.offers_over_rate, 1000 - OM_LANES_OFFERS_BURST);
    CHECK(offered(&p, 1, 1)); /* another's rate is its own */
out:
    close_place(&p);
}

OM_TEST(lanes_go_when_idle)
{
    struct om_lane *lane;
    uint8_t d[SIZE];
    om_time start;
    struct place p;

    OM_TRY(open_place(&p, 1));
    start = p.now;
    lane = ask(&p, 0);
    OM_TRY(lane && bound(&p, 0, lane->id, THEIRS) && tells(&p, OM_LANE_UP, lane));
    p.now += OM_SEC(200);
    from_relay(lane, 0, d);
    CHECK(takes(&p, lane, d));
    while (om_lanes_deadline(&p.lanes) != OM_NEVER) {
        p.now = om_lanes_deadline(&p.lanes);
        om_lanes_tick(&p.lanes, p.now);
    }
    CHECK_EQ(p.now, start + OM_SEC(200 + OM_LANES_IDLE_S));
    CHECK(says(&p, 0, OM_FRAME_LANE_CLOSE) && tells(&p, OM_LANE_DOWN, lane) && is_done(&p));
out:
    close_place(&p);
}

OM_TEST(lanes_ignore_what_is_not_theirs)
{
    struct om_lane *lane;
    uint32_t session = 0;
    struct place p;

    OM_TRY(open_place(&p, 2));
    lane = ask(&p, 0);
    OM_TRY(lane);
    OM_TRY(om_index_draw(&p.indices, &p.rng, OM_INDEX_SESSION, &p, &session) == OM_OK);
    CHECK(!om_lanes_refused(p.relays[1], &(struct om_frame_lane_refuse){lane->id, 1}));
    CHECK(!om_lanes_refused(p.relays[0], &(struct om_frame_lane_refuse){session, 1}));
    CHECK(!om_lanes_closed(p.relays[1], lane->id));
    CHECK(!om_lanes_closed(p.relays[0], session));
    CHECK(!bound(&p, 1, lane->id, THEIRS)); /* another relay says that it is bound */
    CHECK(says(&p, 1, OM_FRAME_LANE_CLOSE) && is_done(&p));
    CHECK_EQ(lane->state, OM_LANE_ASKED);
    CHECK(bound(&p, 0, lane->id, THEIRS) == lane); /* the right one: a control */
out:
    om_index_drop(&p.indices, session);
    close_place(&p);
}

OM_TEST(lanes_take_a_newer_word)
{
    struct om_frame_lane_bound b = {.send_id = THEIRS, .seen = om_addr_v4(0xc6336401, 7)};
    struct om_frame_lane_offer o = {.lane = THEIRS + 1, .seen = om_addr_v4(0xc6336402, 8)};
    struct om_lane *ours, *theirs;
    struct place p;

    OM_TRY(open_place(&p, 1));
    ours = ask(&p, 0);
    OM_TRY(ours && bound(&p, 0, ours->id, THEIRS) == ours && tells(&p, OM_LANE_UP, ours));
    theirs = offered(&p, 0, THEIRS + 1);
    OM_TRY(theirs);
    CHECK(ours->seen.port == 5 && theirs->seen.port == 0);
    om_lanes_offer(p.relays[0], p.now, &o);
    CHECK_EQ(theirs->seen.port, 0); /* we have yet to say what we think of it */
    om_lane_answer(theirs, p.now);
    CHECK(says(&p, 0, OM_FRAME_LANE_ACCEPT) && tells(&p, OM_LANE_UP, theirs));
    p.now += OM_SEC(100);
    b.lane = ours->id;
    CHECK(!om_lanes_bound(p.relays[0], p.now, &b) && !om_lanes_offer(p.relays[0], p.now, &o));
    CHECK(om_addr_equal(&ours->seen, &b.seen) && ours->seen_at == p.now);
    CHECK(om_addr_equal(&theirs->seen, &o.seen) && theirs->seen_at == p.now);
    CHECK(says(&p, 0, OM_FRAME_LANE_ACCEPT) && is_done(&p)); /* which tells the relay of us */
out:
    close_place(&p);
}

OM_TEST(lanes_are_bound_anew)
{
    struct om_lane *lane;
    uint8_t d[SIZE];
    struct place p;

    OM_TRY(open_place(&p, 1));
    lane = ask(&p, 0);
    OM_TRY(lane);
    om_lane_again(lane); /* it is asked for */
    CHECK(is_done(&p));
    CHECK(bound(&p, 0, lane->id, THEIRS) == lane && tells(&p, OM_LANE_UP, lane));
    om_lane_again(lane);
    CHECK(says(&p, 0, OM_FRAME_LANE_OFFER) && is_done(&p));
    CHECK(p.act.frame.lane_offer.lane == lane->id && p.act.frame.lane_offer.handshake.n == 0);
    CHECK(!bound(&p, 0, lane->id, THEIRS) && lane->hop.send_id == THEIRS); /* it still is */
    from_relay(lane, 5, d);
    CHECK(takes(&p, lane, d));
    om_lane_again(lane);
    CHECK(says(&p, 0, OM_FRAME_LANE_OFFER));
    CHECK(!bound(&p, 0, lane->id, THEIRS + 1) && is_done(&p)); /* it had forgotten */
    from_relay(lane, 0, d);
    CHECK(takes(&p, lane, d));
    CHECK_EQ(lane->hop.send_id, THEIRS + 1);
    lane = offered(&p, 0, THEIRS + 2);
    OM_TRY(lane);
    CHECK(lane->is_by_known); /* whoever has it ask now came after we chose this relay */
    om_lane_decline(lane, OM_LANE_DENIED);
    CHECK(says(&p, 0, OM_FRAME_LANE_REFUSE) && is_done(&p));
out:
    close_place(&p);
}
