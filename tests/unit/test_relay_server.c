/* test_relay_server.c - lanes of others: asked for, bound, carried, ended. */
#include "harness.h"

#include <omerta/prng.h>

#include "relay/relay_server.h"

enum { SIZE = OM_LANE_BYTES + 60, ENDS = 20, FIRST = 12 /* end of another network */, LANES = 64 };

static const uint8_t mask[OM_MASK_KEY_BYTES] = {1};
static const struct om_id network[2] = {{{1}}, {{2}}};
static const uint8_t greeting[OM_HANDSHAKE_MIN] = {7, 7}, answer[OM_HANDSHAKE_MIN] = {8, 8};

struct place {
    struct om_prng prng;
    struct om_rng rng;
    struct om_indices indices;
    unsigned networks;
    struct om_relay relay;
    struct om_relay_end *ends[ENDS];
    struct om_relay_act act;
    om_time now;
};

static void fill(void *self, void *dst, size_t n)
{
    uint8_t *to = dst;

    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)om_prng_u64(self);
}

static struct om_addr addr_of(unsigned i)
{
    return om_addr_v4(0xc6336400 + i, (uint16_t)(1000 + i));
}

static bool open_place(struct place *p, const struct om_relay_limits *limits, unsigned ends)
{
    static const uint8_t sip[OM_SIP_KEY] = {9};
    struct om_relay_limits usual;

    memset(p, 0, sizeof *p);
    om_prng_seed(&p->prng, 1);
    p->rng = (struct om_rng){fill, &p->prng};
    p->now = OM_SEC(1000);
    p->networks = 1;
    om_relay_limits_default(&usual);
    om_indices_init(&p->indices, 4096);
    CHECK_OK(om_relay_init(&p->relay, limits ? limits : &usual, &p->networks, &p->rng, &p->indices,
                           sip));
    om_relay_set(&p->relay, true);
    for (unsigned i = 0; i < ends; i++) {
        struct om_addr a = addr_of(i);
        p->ends[i] = om_relay_end_new(&p->relay, NULL, &network[i >= FIRST], p->now, &a);
        if (!p->ends[i])
            return false;
    }
    return true;
}

static void close_place(struct place *p)
{
    for (unsigned i = 0; i < ENDS; i++)
        om_relay_end_free(p->ends[i]);
    om_relay_fini(&p->relay);
    CHECK_EQ(p->indices.live, 0);
    om_indices_fini(&p->indices);
}

static void offer(struct place *p, unsigned from, unsigned to, uint32_t lane)
{
    const struct om_frame_lane_offer f = {
        .is_asked = true, .lane = lane, .handshake = om_bytes(greeting, sizeof greeting)};

    om_relay_offer(&p->relay, p->now, p->ends[from], p->ends[to], &f, false);
}

/* The next thing it says is a frame of @type for @to. */
static bool says(struct place *p, unsigned to, enum om_frame_type type)
{
    return om_relay_next(&p->relay, p->now, &p->act) && p->act.to == p->ends[to] &&
           p->act.frame.type == type;
}

static bool says_nothing(struct place *p)
{
    struct om_relay_act act;

    return !om_relay_next(&p->relay, p->now, &act);
}

static bool refuses(struct place *p, unsigned to, uint32_t lane, uint8_t reason)
{
    return says(p, to, OM_FRAME_LANE_REFUSE) && p->act.frame.lane_refuse.lane == lane &&
           p->act.frame.lane_refuse.reason == reason;
}

static bool says_goodbye(struct place *p, unsigned to, uint32_t lane)
{
    return says(p, to, OM_FRAME_LANE_CLOSE) && p->act.frame.lane_close == lane;
}

static bool accept(struct place *p, unsigned from, uint32_t lane, uint32_t send_id)
{
    return om_relay_accept(
        &p->relay, p->now, p->ends[from],
        &(struct om_frame_lane_accept){lane, send_id, om_bytes(answer, sizeof answer)});
}

/* The hop as the end has it: what the frame gives to it, and takes from it. */
static void end_hop(struct om_hop *h, uint32_t ours, uint32_t theirs, const uint8_t *keys)
{
    uint8_t turned[OM_LANE_KEYS_BYTES];

    memcpy(turned, keys + OM_LANE_KEY_BYTES, OM_LANE_KEY_BYTES);
    memcpy(turned + OM_LANE_KEY_BYTES, keys, OM_LANE_KEY_BYTES);
    om_hop_init(h, ours, theirs, turned);
}

/* Ends @a and @b with a lane between them; ids 100 + a and 200 + b. */
static bool bind(struct place *p, unsigned a, unsigned b, struct om_hop *ha, struct om_hop *hb)
{
    uint32_t ia = 100 + a, ib = 200 + b;

    offer(p, a, b, ia);
    if (!says(p, b, OM_FRAME_LANE_OFFER))
        return false;
    end_hop(hb, ib, p->act.frame.lane_offer.lane, p->act.frame.lane_offer.keys);
    if (!accept(p, b, p->act.frame.lane_offer.lane, ib) || !says(p, a, OM_FRAME_LANE_BOUND))
        return false;
    end_hop(ha, ia, p->act.frame.lane_bound.send_id, p->act.frame.lane_bound.keys);
    return p->act.frame.lane_bound.lane == ia;
}

static void wrap(struct om_hop *h, uint8_t d[static SIZE], uint8_t mark)
{
    memset(d, mark, SIZE);
    om_hop_wrap(h, mask, d, SIZE);
}

/* What the relay does with the bytes: the leg they go on over, wrapped for it. */
static struct om_relay_leg *carry(struct place *p, uint8_t d[static SIZE])
{
    struct om_lane_header header;
    struct om_index_entry *e;
    struct om_relay_leg *out;

    if (!om_lane_peek(mask, om_bytes(d, SIZE), &header))
        return NULL;
    e = om_index_find(&p->indices, header.lane);
    if (!e)
        return NULL;
    out = om_relay_carry(e->owner, p->now, &header, om_bytes(d, SIZE));
    if (out)
        om_hop_wrap(&out->hop, mask, d, SIZE);
    return out;
}

static bool takes(struct om_hop *h, const uint8_t d[static SIZE])
{
    struct om_lane_header header;

    return om_lane_peek(mask, om_bytes(d, SIZE), &header) &&
           om_hop_check(h, &header, om_bytes(d, SIZE)) == OM_OK;
}

OM_TEST(relay_binds_with_consent_of_both)
{
    struct om_hop a, b;
    struct om_addr at;
    struct place p;
    uint8_t d[SIZE];

    OM_TRY(open_place(&p, NULL, 3));
    p.now += OM_SEC(5);
    offer(&p, 0, 1, 100);
    OM_TRY(says(&p, 1, OM_FRAME_LANE_OFFER));
    const struct om_frame_lane_offer *f = &p.act.frame.lane_offer;
    uint32_t lane = f->lane;
    at = addr_of(0);
    CHECK(!f->is_asked && om_addr_equal(&f->seen, &at) && f->age_s == 5);
    CHECK_EQ(f->handshake.n, sizeof greeting);
    CHECK_MEM(f->handshake.p, greeting, sizeof greeting);
    end_hop(&b, 201, lane, f->keys);
    wrap(&b, d, 1);
    CHECK(!carry(&p, d)); /* it did not agree yet */
    CHECK_EQ(p.relay.counts.unbound, 1);
    CHECK(!accept(&p, 2, lane, 202)); /* nor can another for it */
    CHECK(says_goodbye(&p, 2, 202));
    CHECK(accept(&p, 1, lane, 201));
    CHECK(says(&p, 0, OM_FRAME_LANE_BOUND));
    const struct om_frame_lane_bound *g = &p.act.frame.lane_bound;
    at = addr_of(1);
    CHECK(g->lane == 100 && om_addr_equal(&g->seen, &at) && g->age_s == 5); /* not by the lane */
    CHECK_MEM(g->handshake.p, answer, sizeof answer);
    end_hop(&a, 100, g->send_id, g->keys);
    CHECK(says_nothing(&p));

    wrap(&a, d, 1);
    struct om_relay_leg *out = carry(&p, d);
    CHECK(out && out->end == p.ends[1] && takes(&b, d));
    wrap(&b, d, 2);
    out = carry(&p, d);
    CHECK(out && out->end == p.ends[0] && takes(&a, d));
    CHECK(om_relay_close(&p.relay, p.ends[1], lane));
    CHECK(says_goodbye(&p, 0, 100));
    wrap(&a, d, 3);
    CHECK(!carry(&p, d));
    CHECK_EQ(p.indices.live, 0);
out:
    close_place(&p);
}

OM_TEST(relay_refuses_and_says_why)
{
    struct om_relay_limits limits;
    const struct om_frame_lane_offer f = {.is_asked = true, .lane = 9};
    struct om_hop a, b;
    struct place p;

    om_relay_limits_default(&limits);
    limits.lanes_per_end = 2;
    limits.lanes_max = 3;
    OM_TRY(open_place(&p, &limits, 8));
    om_relay_set(&p.relay, false);
    offer(&p, 0, 1, 100);
    OM_TRY(refuses(&p, 0, 100, OM_LANE_UNWILLING));
    om_relay_set(&p.relay, true);
    om_relay_offer(&p.relay, p.now, p.ends[0], p.ends[1], &f, true);
    CHECK(refuses(&p, 0, 9, OM_LANE_NESTED));
    om_relay_offer(&p.relay, p.now, p.ends[0], NULL, &f, false);
    OM_TRY(refuses(&p, 0, 9, OM_LANE_STRANGER));
    offer(&p, 0, 0, 100);
    OM_TRY(refuses(&p, 0, 100, OM_LANE_STRANGER));
    OM_TRY(bind(&p, 0, 1, &a, &b));
    OM_TRY(bind(&p, 0, 2, &a, &b));
    offer(&p, 0, 3, 103);
    CHECK(refuses(&p, 0, 103, OM_LANE_FULL)); /* of this end */
    offer(&p, 4, 0, 104);
    CHECK(refuses(&p, 4, 104, OM_LANE_FULL)); /* nor to it */
    OM_TRY(bind(&p, 4, 5, &a, &b));
    offer(&p, 6, 7, 106);
    OM_TRY(refuses(&p, 6, 106, OM_LANE_FULL)); /* of the relay */
    om_relay_end_free(p.ends[4]);
    p.ends[4] = NULL;
    CHECK(says_goodbye(&p, 5, 205));
    offer(&p, 6, 7, 106);
    OM_TRY(says(&p, 7, OM_FRAME_LANE_OFFER));
    uint32_t lane = p.act.frame.lane_offer.lane;
    CHECK(!om_relay_refuse(&p.relay, p.ends[6], &(struct om_frame_lane_refuse){lane, 1}));
    CHECK(
        om_relay_refuse(&p.relay, p.ends[7], &(struct om_frame_lane_refuse){lane, OM_LANE_DENIED}));
    CHECK(refuses(&p, 6, 106, OM_LANE_DENIED));
    const uint64_t *why = p.relay.counts.refused_for;
    CHECK_EQ(why[OM_LANE_FULL], 3);
    CHECK_EQ(why[OM_LANE_STRANGER], 2);
    CHECK(why[OM_LANE_UNWILLING] == 1 && why[OM_LANE_NESTED] == 1 && why[OM_LANE_DENIED] == 1);
    CHECK_EQ(p.relay.counts.refused, 8);
    limits.lanes_max = OM_RELAY_LANES_MAX + 1;
    struct om_relay other;
    CHECK_ERR(om_relay_init(&other, &limits, &p.networks, &p.rng, &p.indices, mask), OM_E_RANGE);
    om_relay_fini(&other);
out:
    close_place(&p);
}

/* Lanes between any two of ends @first to before @end, until one is refused; returns how many. */
static unsigned fill_lanes(struct place *p, unsigned first, unsigned end, uint8_t *why)
{
    unsigned lanes = 0;

    for (unsigned a = first; a < end; a++)
        for (unsigned b = a + 1; b < end; b++) {
            p->now += OM_SEC(1); /* no faster than it takes offers */
            offer(p, a, b, 100 + lanes);
            if (!om_relay_next(&p->relay, p->now, &p->act))
                return lanes;
            *why = p->act.frame.lane_refuse.reason;
            if (p->act.frame.type != OM_FRAME_LANE_OFFER)
                return lanes;
            CHECK(accept(p, b, p->act.frame.lane_offer.lane, 100 + lanes));
            while (om_relay_next(&p->relay, p->now, &p->act))
                ;
            lanes++;
        }
    return lanes;
}

/* Keys are free to make: a crowd in one network takes all the lanes that it can have. */
OM_TEST(relay_keeps_room_for_another_network)
{
    enum { SHARE = LANES / OM_SHARES_NETWORKS };
    struct om_relay_limits limits;
    struct place p;
    uint8_t why = 0;

    om_relay_limits_default(&limits);
    limits.lanes_max = LANES;
    OM_TRY(open_place(&p, &limits, ENDS));
    p.networks = 2;
    CHECK_EQ(fill_lanes(&p, 0, FIRST, &why), LANES - SHARE);
    CHECK_EQ(why, OM_LANE_FULL);
    CHECK_EQ(fill_lanes(&p, FIRST, ENDS, &why), SHARE);
    CHECK_EQ(why, OM_LANE_FULL);
    CHECK_EQ(p.relay.shares.rows, LANES);
out:
    close_place(&p);
}

/* The control: where there is no other network, they are all one's own. */
OM_TEST(relay_gives_all_its_lanes_to_one_network)
{
    struct om_relay_limits limits;
    struct place p;
    uint8_t why = 0;

    om_relay_limits_default(&limits);
    limits.lanes_max = LANES;
    OM_TRY(open_place(&p, &limits, FIRST));
    CHECK_EQ(fill_lanes(&p, 0, FIRST, &why), LANES);
    CHECK_EQ(why, OM_LANE_FULL);
out:
    close_place(&p);
}

OM_TEST(relay_resends_and_gives_up)
{
    static const unsigned after_ms[] = {500, 1500, 3500, 7500};
    struct place p;

    OM_TRY(open_place(&p, NULL, 2));
    om_time start = p.now;
    offer(&p, 0, 1, 100);
    OM_TRY(says(&p, 1, OM_FRAME_LANE_OFFER));
    for (size_t i = 0; i < OM_ARRAY_SIZE(after_ms); i++) {
        CHECK_EQ(om_relay_deadline(&p.relay), start + OM_MS(after_ms[i]));
        p.now = om_relay_deadline(&p.relay);
        om_relay_tick(&p.relay, p.now);
        CHECK(says(&p, 1, OM_FRAME_LANE_OFFER) && says_nothing(&p));
    }
    p.now = om_relay_deadline(&p.relay);
    CHECK_EQ(p.now, start + OM_MS(11500));
    om_relay_tick(&p.relay, p.now);
    CHECK(refuses(&p, 0, 100, OM_LANE_SILENT));
    CHECK_EQ(om_relay_deadline(&p.relay), OM_NEVER);
    CHECK_EQ(p.relay.shares.rows, 0);
out:
    close_place(&p);
}

OM_TEST(relay_answers_a_repeated_offer)
{
    struct om_hop a, b;
    struct place p;

    OM_TRY(open_place(&p, NULL, 2));
    OM_TRY(bind(&p, 0, 1, &a, &b));
    offer(&p, 0, 1, 100); /* our word was lost */
    CHECK(says(&p, 1, OM_FRAME_LANE_OFFER));
    CHECK(says(&p, 0, OM_FRAME_LANE_BOUND) && p.act.frame.lane_bound.send_id == a.send_id);
    CHECK(accept(&p, 1, b.send_id, 201)); /* its word came twice */
    CHECK(says_nothing(&p));
    offer(&p, 0, 1, 150); /* it began anew */
    CHECK(says_goodbye(&p, 1, 201));
    OM_TRY(says(&p, 1, OM_FRAME_LANE_OFFER));
    offer(&p, 0, 1, 150);
    CHECK(says_nothing(&p)); /* it is being asked */
    CHECK_EQ(p.relay.shares.rows, 1);
out:
    close_place(&p);
}

OM_TEST(relay_renews_its_word_to_both)
{
    struct om_addr moved = addr_of(50);
    struct om_hop a, b;
    struct place p;

    OM_TRY(open_place(&p, NULL, 2));
    OM_TRY(bind(&p, 0, 1, &a, &b));
    p.now += OM_SEC(90);
    om_relay_heard(p.ends[0], p.now, &moved);
    p.now += OM_SEC(2);
    offer(&p, 0, 1, 100);
    OM_TRY(says(&p, 1, OM_FRAME_LANE_OFFER));
    const struct om_frame_lane_offer *o = &p.act.frame.lane_offer;
    CHECK(om_addr_equal(&o->seen, &moved) && o->age_s == 2);
    CHECK(o->lane == b.send_id && o->handshake.n == 0); /* it knows the lane, and answers nobody */
    CHECK(accept(&p, 1, b.send_id, 201));
    OM_TRY(says(&p, 0, OM_FRAME_LANE_BOUND));
    CHECK_EQ(p.act.frame.lane_bound.age_s, 92);
    CHECK(says_nothing(&p));
    for (unsigned i = 0; i < 2 * OM_RELAY_ASKED_BURST; i++) { /* as seldom as a new lane */
        offer(&p, 0, 1, 100);
        (void)says(&p, 1, OM_FRAME_LANE_OFFER);
        while (!says_nothing(&p))
            ;
    }
    offer(&p, 0, 1, 100);
    CHECK(!says(&p, 1, OM_FRAME_LANE_OFFER));
out:
    close_place(&p);
}

OM_TEST(relay_carries_only_what_its_end_sent)
{
    uint8_t d[SIZE], first[SIZE], copy[SIZE];
    struct om_hop a, b;
    struct place p;

    OM_TRY(open_place(&p, NULL, 2));
    OM_TRY(bind(&p, 0, 1, &a, &b));
    wrap(&a, first, 1);
    memcpy(copy, first, SIZE);
    CHECK(carry(&p, copy) && takes(&b, copy));
    memcpy(copy, first, SIZE);
    CHECK(!carry(&p, copy)); /* replayed */
    CHECK_EQ(p.relay.counts.replayed, 1);
    wrap(&a, d, 2);
    d[OM_LANE_BYTES] ^= 1;
    CHECK(!carry(&p, d)); /* changed */
    a.send_id = b.send_id;
    wrap(&a, d, 3);
    CHECK(!carry(&p, d)); /* on the lane's other hop, whose id it learnt */
    CHECK_EQ(p.relay.counts.forged, 2);
    for (unsigned i = 0; i < 10000; i++) {
        fill(&p.prng, d, SIZE);
        CHECK(!carry(&p, d));
    }
    CHECK_EQ(p.relay.counts.carried, 1);
out:
    close_place(&p);
}

OM_TEST(relay_holds_each_lane_to_its_rate)
{
    struct om_hop a, b, c, e;
    unsigned through = 0, others = 0, back = 0;
    uint8_t d[SIZE];
    struct place p;

    OM_TRY(open_place(&p, NULL, 4));
    OM_TRY(bind(&p, 0, 1, &a, &b));
    OM_TRY(bind(&p, 2, 3, &c, &e));
    for (unsigned ms = 0; ms < 10000; ms++) {
        p.now += OM_MS(1);
        for (unsigned i = 0; i < 20; i++) { /* some 12 Mb/s */
            wrap(&a, d, 1);
            through += carry(&p, d) != NULL;
        }
        if (ms % 10 == 0) {
            wrap(&c, d, 1);
            others += carry(&p, d) != NULL;
            wrap(&b, d, 1);
            back += carry(&p, d) != NULL;
        }
    }
    CHECK_EQ(through, (OM_RELAY_BURST_BYTES + 10 * OM_RELAY_RATE_BYTES) / SIZE);
    CHECK_EQ(others, 1000); /* another lane, and the other direction, have their own */
    CHECK_EQ(back, 1000);
out:
    close_place(&p);
}

OM_TEST(relay_is_quiet_towards_a_quiet_end)
{
    struct om_addr at = addr_of(50);
    struct om_relay_leg *out;
    struct om_hop a, b;
    uint8_t d[SIZE];
    struct place p;

    OM_TRY(open_place(&p, NULL, 2));
    OM_TRY(bind(&p, 0, 1, &a, &b));
    for (unsigned round = 0; round < 2; round++) {
        p.now += OM_SEC(OM_RELAY_QUIET_S);
        for (unsigned i = 0; i < 10; i++) {
            wrap(&a, d, 1);
            CHECK_EQ(carry(&p, d) != NULL, i < OM_RELAY_QUIET_MAX);
        }
        if (round == 0) {
            om_relay_heard(p.ends[1], p.now, &at);
            wrap(&a, d, 1);
            out = carry(&p, d);
            CHECK(out && om_addr_equal(&out->end->addr, &at)); /* to where it is now */
        }
    }
    wrap(&b, d, 1);
    CHECK(carry(&p, d)); /* it speaks on the lane, but who knows from where? */
    wrap(&a, d, 1);
    CHECK(!carry(&p, d));
    om_relay_heard(p.ends[1], p.now, &at); /* from where it is */
    wrap(&a, d, 1);
    CHECK(carry(&p, d));
    CHECK_EQ(p.relay.counts.kept_back, 15);
out:
    close_place(&p);
}

OM_TEST(relay_unbinds_the_idle)
{
    struct om_addr at = addr_of(0), to = addr_of(1);
    struct om_hop a, b, c, e;
    uint8_t d[SIZE];
    struct place p;

    OM_TRY(open_place(&p, NULL, 4));
    om_time start = p.now;
    OM_TRY(bind(&p, 0, 1, &a, &b));
    OM_TRY(bind(&p, 2, 3, &c, &e));
    p.now += OM_SEC(200);
    om_relay_heard(p.ends[2], p.now, &at);
    om_relay_heard(p.ends[3], p.now, &to);
    wrap(&c, d, 1);
    CHECK(carry(&p, d));
    p.now = om_relay_deadline(&p.relay);
    CHECK_EQ(p.now, start + OM_SEC(OM_RELAY_IDLE_S));
    om_relay_tick(&p.relay, p.now);
    CHECK(says_goodbye(&p, 0, 100) && says_goodbye(&p, 1, 201) && says_nothing(&p));
    p.now += OM_SEC(150);
    om_relay_heard(p.ends[2], p.now, &at); /* awake, but nothing goes over the lane */
    om_relay_heard(p.ends[3], p.now, &to);
    while (om_relay_deadline(&p.relay) != OM_NEVER) {
        p.now = om_relay_deadline(&p.relay);
        om_relay_tick(&p.relay, p.now);
    }
    CHECK_EQ(p.now, start + OM_SEC(200 + OM_RELAY_IDLE_S));
    CHECK(says_goodbye(&p, 2, 102) && says_goodbye(&p, 3, 203));
out:
    close_place(&p);
}

OM_TEST(relay_forgets_an_end_that_goes)
{
    struct om_hop a, b;
    uint8_t d[SIZE];
    struct place p;

    OM_TRY(open_place(&p, NULL, 3));
    OM_TRY(bind(&p, 0, 1, &a, &b));
    OM_TRY(bind(&p, 2, 0, &a, &b));
    offer(&p, 1, 0, 300);
    OM_TRY(says(&p, 0, OM_FRAME_LANE_OFFER));
    offer(&p, 0, 2, 301); /* not said yet when it goes */
    om_relay_end_free(p.ends[0]);
    p.ends[0] = NULL;
    CHECK(says_goodbye(&p, 1, 201));
    CHECK(says_goodbye(&p, 2, 102));
    CHECK(refuses(&p, 1, 300, OM_LANE_STRANGER));
    CHECK(says_nothing(&p));
    wrap(&a, d, 1);
    CHECK(!carry(&p, d));
    CHECK_EQ(p.indices.live, 0);
out:
    close_place(&p);
}

OM_TEST(relay_bounds_its_words)
{
    struct place p;
    unsigned said = 0, told[2] = {0};

    OM_TRY(open_place(&p, NULL, 3));
    for (uint32_t i = 1; i <= 1000; i++)
        offer(&p, 0, 0, i);
    offer(&p, 1, 1, 7);
    while (om_relay_next(&p.relay, p.now, &p.act)) {
        told[p.act.to == p.ends[1]]++;
        said++;
        if (p.act.to == p.ends[0])
            CHECK(p.act.frame.lane_refuse.reason == (said <= OM_RELAY_OFFERS_BURST ? 3 : 4));
    }
    OM_TRY(told[0] == OM_RELAY_WORDS_PER_END && told[1] == 1);
    CHECK_EQ(p.relay.counts.words_lost, 1000 - OM_RELAY_WORDS_PER_END);
    offer(&p, 0, 0, 1);
    CHECK(refuses(&p, 0, 1, OM_LANE_RATE));
    p.now += OM_SEC(1);
    for (uint32_t i = 0; i <= OM_RELAY_OFFERS_PER_S; i++) {
        offer(&p, 0, 0, 1);
        CHECK(refuses(&p, 0, 1, i < OM_RELAY_OFFERS_PER_S ? OM_LANE_STRANGER : OM_LANE_RATE));
    }
out:
    close_place(&p);
}
