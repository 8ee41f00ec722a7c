/* model_gossip.c - a few gossip machines and what they say to each other, without nodes. */
#include "harness.h"

#include "gossip/gossip_state.h"

enum { MAX = 24 };

static const struct om_id network = {{0x4e}};

struct room {
    struct om_gossip *g[MAX];
    struct om_identity self[MAX];
    unsigned count;
    om_time now;
    unsigned pushes, calls, items, found, sought;
    bool is_down[MAX];       /* does not answer */
    unsigned told[MAX][MAX]; /* pushes from one to another */
};

static bool add(struct room *r)
{
    unsigned i = r->count;
    uint8_t seed[32] = {(uint8_t)(i + 1), 7};
    struct om_gossip_config c = {.self = &r->self[i],
                                 .network = network,
                                 .seed = i + 1,
                                 .salt = {(uint8_t)i},
                                 .wall = {1795219200000 + r->now / 1000}};

    while (om_identity_from_seed(&r->self[i], seed) != OM_OK)
        seed[2]++;
    if (om_gossip_new(&r->g[i], &c, r->now) != OM_OK)
        return false;
    r->count++;
    return true;
}

static enum om_err announce(struct room *r, unsigned i, uint8_t port)
{
    const struct om_gossip_self s = {
        .end_count = 1, .ends = {{OM_END_HOST, om_addr_v4(0x0a000000 + i, 1000 + port)}}};

    return om_gossip_set_self(r->g[i], r->now, &s);
}

static void room_fini(struct room *r)
{
    for (unsigned i = 0; i < r->count; i++)
        om_gossip_free(r->g[i]);
}

static unsigned whose(const struct room *r, const struct om_id *id)
{
    for (unsigned i = 0; i < r->count; i++)
        if (om_id_equal(&r->self[i].id, id))
            return i;
    return MAX;
}

static void call(struct room *r, unsigned from, unsigned to, const struct om_gossip_act *a)
{
    static uint8_t answer[OM_GOSSIP_REPLY_MAX];
    struct om_wr w = om_wr(om_mut(answer, sizeof answer));
    uint64_t tag = a->tag;
    bool is_ok =
        to < MAX && !r->is_down[to] &&
        om_gossip_request(r->g[to], r->now, &r->self[from].id, a->method, a->bytes, &w) == OM_OK;

    r->calls++;
    om_gossip_reply(r->g[from], r->now, tag, is_ok, om_bytes(answer, is_ok ? om_wr_len(&w) : 0));
}

/* Whatever the machines want done now; true when there was something. */
static bool work(struct room *r)
{
    struct om_gossip_act a;
    bool any = false;

    for (unsigned i = 0; i < r->count; i++)
        while (om_gossip_next(r->g[i], &a)) {
            unsigned to = whose(r, &a.peer);
            any = true;
            if (a.kind == OM_GOSSIP_ACT_CALL)
                call(r, i, to, &a);
            if (a.kind == OM_GOSSIP_ACT_PUSH && to < MAX) {
                r->pushes++;
                r->told[i][to]++;
                if (!r->is_down[to])
                    om_gossip_rumour(r->g[to], r->now, &r->self[i].id, a.bytes);
            }
            r->items += a.kind == OM_GOSSIP_ACT_ITEM;
            r->sought += a.kind == OM_GOSSIP_ACT_FOUND;
            r->found += a.kind == OM_GOSSIP_ACT_FOUND && a.bytes.n > 0;
        }
    return any;
}

static void run(struct room *r, om_time time)
{
    om_time end = r->now + time;

    while (r->now < end) {
        om_time at = end;
        while (work(r)) {
        }
        for (unsigned i = 0; i < r->count; i++)
            at = om_time_min(at, om_gossip_deadline(r->g[i]));
        r->now = at;
        for (unsigned i = 0; i < r->count; i++)
            om_gossip_tick(r->g[i], r->now);
    }
    while (work(r)) {
    }
}

/* @count machines; each has met the one before. */
static bool gather(struct room *r, unsigned count)
{
    const struct om_addr at = om_addr_v4(0x0a0000ff, 1);

    *r = (struct room){.now = OM_SEC(100)};
    for (unsigned i = 0; i < count; i++) {
        if (!add(r) || announce(r, i, 0) != OM_OK)
            return false;
        if (i > 0)
            om_gossip_peer_up(r->g[i], r->now, &r->self[i - 1].id, &at);
        run(r, OM_SEC(2));
    }
    run(r, OM_SEC(400));
    return true;
}

static unsigned known(const struct room *r, unsigned i)
{
    return om_gossip_store(r->g[i])->records;
}

static uint64_t dropped(const struct room *r, unsigned i, enum om_gossip_drop d)
{
    return om_gossip_counts(r->g[i])->drops[d];
}

static uint64_t sequence_of(const struct room *r, unsigned at, unsigned of)
{
    const struct om_held *h = om_records_find(om_gossip_store(r->g[at]), &r->self[of].id);

    return h ? h->sequence : 0;
}

OM_TEST(gossip_a_newcomer_learns_all)
{
    const struct om_addr at = om_addr_v4(0x0a0000ff, 1);
    struct room r;

    OM_TRY(gather(&r, 10));
    OM_TRY(add(&r) && announce(&r, 10, 0) == OM_OK);
    om_gossip_peer_up(r.g[10], r.now, &r.self[3].id, &at);
    run(&r, OM_SEC(2));
    OM_TRY(known(&r, 10) == 11);
    for (unsigned i = 0; i < 10; i++)
        OM_TRY(known(&r, i) == 11);
out:
    room_fini(&r);
}

/* Two who have others, but no record of each other, meet; one of them may know the other's. */
OM_TEST(gossip_islands_that_meet_are_one)
{
    const struct om_addr at = om_addr_v4(0x0a0000ff, 1);

    for (unsigned sides = 1; sides <= 2; sides++) {
        struct room r = {.now = OM_SEC(100)};
        bool is_made = true, is_one = true;
        for (unsigned i = 0; i < 6; i++) {
            is_made = is_made && add(&r) && announce(&r, i, 0) == OM_OK;
            if (is_made && i % 3 > 0) /* 1 and 2 met 0; 4 and 5 met 3 */
                om_gossip_peer_up(r.g[i], r.now, &r.self[i - i % 3].id, &at);
            run(&r, OM_SEC(2));
        }
        if (is_made)
            run(&r, OM_SEC(100));
        for (unsigned i = 0; is_made && i < 6; i++)
            CHECK_EQ(known(&r, i), 3);
        if (is_made)
            om_gossip_peer_up(r.g[0], r.now, &r.self[3].id, &at);
        if (is_made && sides == 2)
            om_gossip_peer_up(r.g[3], r.now, &r.self[0].id, &at);
        run(&r, sides == 2 ? OM_SEC(2) : OM_SEC(200)); /* of one side the other's round comes */
        for (unsigned i = 0; is_made && i < 6; i++)
            is_one = is_one && known(&r, i) == 6;
        room_fini(&r);
        OM_TRY(is_made);
        CHECK(is_one);
    }
out:;
}

/* Sessions that come up again and again make no more questions than that. */
OM_TEST(gossip_asks_one_it_meets_twice_at_most)
{
    const struct om_addr at = om_addr_v4(0x0a0000ff, 1);
    struct om_gossip_act a;
    unsigned calls = 0;
    struct room r;

    OM_TRY(gather(&r, 3));
    OM_TRY(add(&r) && announce(&r, 3, 0) == OM_OK);
    for (unsigned i = 0; i < 10; i++)
        om_gossip_peer_up(r.g[0], r.now, &r.self[3].id, &at);
    while (om_gossip_next(r.g[0], &a))
        calls += a.kind == OM_GOSSIP_ACT_CALL && om_id_equal(&a.peer, &r.self[3].id);
    CHECK_EQ(calls, GOSSIP_OWED_MAX);
    calls = 0;
    om_gossip_peer_up(r.g[0], r.now, &r.self[1].id, &at); /* one that it knows, and has partners */
    while (om_gossip_next(r.g[0], &a))
        calls += a.kind == OM_GOSSIP_ACT_CALL;
    CHECK_EQ(calls, 0);
out:
    room_fini(&r);
}

OM_TEST(gossip_tells_a_change_once)
{
    struct room r;

    OM_TRY(gather(&r, 10));
    memset(r.told, 0, sizeof r.told);
    OM_TRY(announce(&r, 4, 9) == OM_OK);
    run(&r, OM_SEC(3));
    for (unsigned i = 0; i < 10; i++) {
        OM_TRY(sequence_of(&r, i, 4) == sequence_of(&r, 4, 4));
        for (unsigned k = 0; k < 10; k++)
            CHECK(r.told[i][k] <= 1);
    }
    memset(r.told, 0, sizeof r.told);
    run(&r, OM_SEC(600)); /* and then no more */
    for (unsigned i = 0; i < 10; i++)
        for (unsigned k = 0; k < 10; k++)
            CHECK_EQ(r.told[i][k], 0);
out:
    room_fini(&r);
}

OM_TEST(gossip_asks_only_for_what_it_lacks)
{
    struct room r;
    uint64_t gets = 0, heads = 0, syncs = 0;

    OM_TRY(gather(&r, 10));
    for (unsigned i = 0; i < 10; i++) {
        gets -= om_gossip_counts(r.g[i])->gets;
        heads -= om_gossip_counts(r.g[i])->heads_in;
        syncs -= om_gossip_counts(r.g[i])->syncs;
    }
    run(&r, OM_SEC(1800)); /* nothing changes */
    for (unsigned i = 0; i < 10; i++) {
        gets += om_gossip_counts(r.g[i])->gets;
        heads += om_gossip_counts(r.g[i])->heads_in;
        syncs += om_gossip_counts(r.g[i])->syncs;
    }
    OM_TRY(syncs > 200);
    CHECK_EQ(gets, 0);
    CHECK(heads < 10 * 10); /* what a partner followed for the first time had changed since */
out:
    room_fini(&r);
}

/* A record of @of, by its key, that says @port. */
static size_t forge(const struct room *r, unsigned of, uint64_t sequence, uint32_t expires,
                    uint8_t out[static OM_RECORD_MAX])
{
    const struct om_record x = {
        .id = r->self[of].id, .sequence = sequence, .expires = expires, .end_count = 1};

    return om_record_encode(out, &x, &r->self[of], &network);
}

static void hear(struct room *r, unsigned to, unsigned from, const uint8_t *entry, size_t n)
{
    uint8_t bytes[2 + OM_RECORD_MAX + 64];
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));

    om_wr_u16(&w, (uint16_t)n);
    om_wr_copy(&w, entry, n);
    om_gossip_rumour(r->g[to], r->now, &r->self[from].id, om_bytes(bytes, om_wr_len(&w)));
}

OM_TEST(gossip_drops_and_counts)
{
    uint8_t x[OM_RECORD_MAX + 64] = {0};
    struct room r;
    uint64_t ms, had;
    size_t n;

    OM_TRY(gather(&r, 3));
    ms = gossip_wall_ms(r.g[0], r.now);
    uint32_t s = (uint32_t)(ms / 1000);
    had = sequence_of(&r, 0, 2);
    OM_TRY(had > 0);
    n = forge(&r, 2, had - 1, s + 600, x); /* older */
    hear(&r, 0, 1, x, n);
    CHECK(dropped(&r, 0, OM_GOSSIP_DROP_OLD) >= 1);
    n = forge(&r, 2, ms + UINT64_C(25) * 3600 * 1000, s + 600, x); /* of the future */
    hear(&r, 0, 1, x, n);
    n = forge(&r, 2, ms, s + 49 * 3600, x); /* that will never end */
    hear(&r, 0, 1, x, n);
    CHECK_EQ(dropped(&r, 0, OM_GOSSIP_DROP_FUTURE), 2);
    n = forge(&r, 2, ms, s - 1, x);
    hear(&r, 0, 1, x, n);
    CHECK_EQ(dropped(&r, 0, OM_GOSSIP_DROP_EXPIRED), 1);
    n = forge(&r, 2, ms, s + 600, x);
    x[60] ^= 1;
    hear(&r, 0, 1, x, n);
    CHECK_EQ(dropped(&r, 0, OM_GOSSIP_DROP_FORGED), 1);
    hear(&r, 0, 1, x, OM_RECORD_MAX + 1);
    CHECK_EQ(dropped(&r, 0, OM_GOSSIP_DROP_OVERSIZE), 1);
    hear(&r, 0, 1, x, 40);
    CHECK_EQ(dropped(&r, 0, OM_GOSSIP_DROP_MALFORMED), 1);
    om_gossip_reply(r.g[0], r.now, 999999, true, om_bytes(x, 4));
    CHECK_EQ(dropped(&r, 0, OM_GOSSIP_DROP_UNASKED), 1);
    CHECK_EQ(sequence_of(&r, 0, 2), had);
    CHECK_EQ(known(&r, 0), 3);
    n = forge(&r, 2, ms, s + 600, x); /* the control: the same, and right */
    hear(&r, 0, 1, x, n);
    OM_TRY(sequence_of(&r, 0, 2) == ms);
out:
    room_fini(&r);
}

OM_TEST(gossip_first_hand_beats_told)
{
    const struct om_addr seen = om_addr_v4(0xc6336401, 77);
    struct om_addr ends[OM_RECORD_ENDS_MAX];
    struct room r;

    OM_TRY(gather(&r, 4));
    om_gossip_peer_up(r.g[0], r.now, &r.self[2].id, &seen);
    OM_TRY(announce(&r, 2, 50) == OM_OK); /* it says another place */
    run(&r, OM_SEC(5));
    OM_TRY(sequence_of(&r, 0, 2) == sequence_of(&r, 2, 2));
    CHECK_EQ(om_gossip_ends(r.g[0], &r.self[2].id, ends), 2);
    CHECK(om_addr_equal(&ends[0], &seen));
    CHECK_EQ(om_gossip_ends(r.g[1], &r.self[2].id, ends), 1); /* who has not met it */
    CHECK_EQ(ends[0].port, 1050);
out:
    room_fini(&r);
}

OM_TEST(gossip_renews_without_rumour)
{
    struct room r;
    uint64_t had;

    OM_TRY(gather(&r, 5));
    had = sequence_of(&r, 4, 1);
    r.pushes = 0;
    run(&r, OM_SEC(14 * 3600));
    CHECK_EQ(r.pushes, 0);
    for (unsigned i = 0; i < 5; i++)
        OM_TRY(sequence_of(&r, i, 1) > had); /* it came by sync */
    run(&r, OM_SEC(40 * 3600));
    for (unsigned i = 0; i < 5; i++)
        OM_TRY(known(&r, i) == 5); /* nobody was forgotten */
out:
    room_fini(&r);
}

OM_TEST(gossip_seek_finds_and_is_damped)
{
    const struct om_addr at = om_addr_v4(0x0a0000ff, 1);
    const struct om_id nobody = {{0x77}};
    struct room r;

    OM_TRY(gather(&r, 8));
    OM_TRY(add(&r) && announce(&r, 8, 0) == OM_OK);
    om_gossip_peer_up(r.g[8], r.now, &r.self[0].id, &at);
    run(&r, OM_SEC(1));
    r.sought = r.calls = 0;
    OM_TRY(om_gossip_seek(r.g[8], r.now, &r.self[5].id) == OM_OK);
    while (work(&r)) {
    }
    OM_TRY(r.sought == 1 && r.found == 1);
    r.calls = 0;
    OM_TRY(om_gossip_seek(r.g[8], r.now, &nobody) == OM_OK);
    CHECK_ERR(om_gossip_seek(r.g[8], r.now, &nobody), OM_E_BUSY);
    while (work(&r)) {
    }
    OM_TRY(r.sought == 2 && r.found == 1);
    CHECK(r.calls <= OM_GOSSIP_SEEK_ASKS); /* no storm: nobody asks on */
    CHECK_ERR(om_gossip_seek(r.g[8], r.now + OM_SEC(29), &nobody), OM_E_BUSY);
out:
    room_fini(&r);
}

OM_TEST(gossip_replaces_dead_partners)
{
    struct room r;
    bool is_partner = false;

    OM_TRY(gather(&r, 16));
    for (unsigned i = 8; i < 16; i++)
        r.is_down[i] = true;
    run(&r, OM_SEC(1500));
    for (unsigned i = 0; i < OM_GOSSIP_PARTNERS; i++) {
        unsigned who = r.g[0]->partners[i].is_set ? whose(&r, &r.g[0]->partners[i].id) : 0;
        is_partner |= r.g[0]->partners[i].is_set;
        const struct om_held *h = om_records_find(om_gossip_store(r.g[0]), &r.self[who].id);
        OM_TRY(h != NULL);
    }
    CHECK(is_partner);
    OM_TRY(announce(&r, 3, 77) == OM_OK);
    run(&r, OM_SEC(60));
    for (unsigned i = 0; i < 8; i++) /* those that are left hear each other */
        OM_TRY(sequence_of(&r, i, 3) == sequence_of(&r, 3, 3));
out:
    room_fini(&r);
}

OM_TEST(gossip_items_reach_subscribers)
{
    struct room r;

    OM_TRY(gather(&r, 6));
    OM_TRY(om_gossip_subscribe(r.g[2], "load") == OM_OK);
    CHECK_ERR(om_gossip_subscribe(r.g[2], "a name that is too long"), OM_E_RANGE);
    OM_TRY(om_gossip_publish(r.g[5], r.now, "load", om_bytes("7", 1), 60) == OM_OK);
    CHECK_ERR(om_gossip_publish(r.g[5], r.now, "load", om_bytes("7", 1), 0), OM_E_RANGE);
    run(&r, OM_SEC(5));
    OM_TRY(r.items == 1);
    for (unsigned i = 0; i < 6; i++)
        OM_TRY(om_gossip_store(r.g[i])->items == 1);
    run(&r, OM_SEC(4000));
    for (unsigned i = 0; i < 6; i++)
        CHECK_EQ(om_gossip_store(r.g[i])->items, 0); /* its time was over */
out:
    room_fini(&r);
}

OM_TEST(gossip_budget_bounds_a_round)
{
    uint8_t x[OM_RECORD_MAX];
    struct om_gossip_act a;
    struct room r;
    size_t bytes = 0;
    unsigned told = 0;

    OM_TRY(gather(&r, 12));
    uint64_t ms = gossip_wall_ms(r.g[0], r.now);
    for (unsigned i = 0; i < OM_GOSSIP_WAITING + 50; i++) { /* far more than fits */
        memset(x, (int)i, sizeof x);
        gossip_tell(r.g[0], r.now, NULL, om_bytes(x, 500));
    }
    CHECK_EQ(dropped(&r, 0, OM_GOSSIP_DROP_FULL), 50);
    CHECK_EQ(r.g[0]->waiting, OM_GOSSIP_WAITING);
    (void)ms;
    gossip_round(r.g[0], r.now);
    while (om_gossip_next(r.g[0], &a))
        if (a.kind == OM_GOSSIP_ACT_PUSH) {
            bytes += a.bytes.n;
            told++;
        }
    OM_TRY(told > 0);
    CHECK(bytes <= OM_GOSSIP_BUDGET);
    CHECK(r.g[0]->waiting > OM_GOSSIP_WAITING / 2); /* the rest waits for the next */
out:
    room_fini(&r);
}
