/* test_gossip_quota.c - what a hostile peer can make a node spend. */
#include "harness.h"

#include <omerta/prng.h>
#include <omerta/wire.h>

#include "gossip/gossip_state.h"

#define WALL_MS INT64_C(1790000000000)

static const struct om_id network = {{7}};
static const struct om_gossip_self saying = {
    .end_count = 1, .ends = {{OM_END_HOST, {.ip = {[10] = 255, 255, 10}, .port = 1}}}};

static void make_identity(struct om_identity *out, uint64_t seed)
{
    struct om_prng p;
    uint8_t bytes[32];

    om_prng_seed(&p, seed);
    do
        for (unsigned i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)om_prng_u64(&p);
    while (om_identity_from_seed(out, bytes) != OM_OK);
}

/* The machine of @self, which has said something; NULL without memory. */
static struct om_gossip *start(const struct om_identity *self)
{
    const struct om_gossip_config c = {
        .self = self, .network = network, .seed = 1, .wall = {WALL_MS}};
    struct om_gossip *g;

    if (om_gossip_new(&g, &c, 0) != OM_OK)
        return NULL;
    if (om_gossip_set_self(g, 0, &saying) == OM_OK)
        return g;
    om_gossip_free(g);
    return NULL;
}

/* One {u16 length, entry}: what @who says of itself at @ms; @spoilt: not what it signed. */
static size_t say(uint8_t out[static OM_RECORD_MAX + 2], const struct om_identity *who, uint64_t ms,
                  bool spoilt)
{
    const struct om_record r = {.id = who->id,
                                .sequence = (uint64_t)WALL_MS + ms,
                                .expires = (uint32_t)(WALL_MS / 1000) + 3600,
                                .end_count = saying.end_count,
                                .ends = {saying.ends[0]}};
    size_t n = om_record_encode(out + 2, &r, who, &network);
    struct om_wr w = om_wr(om_mut(out, 2));

    om_wr_u16(&w, (uint16_t)n);
    if (spoilt)
        out[2 + OM_ID_BYTES + 6]++; /* the last byte of the sequence */
    return n + 2;
}

static uint64_t dropped(const struct om_gossip *g, enum om_gossip_drop why)
{
    return om_gossip_counts(g)->drops[why];
}

OM_TEST(gossip_forged_news_of_us_costs_quota)
{
    struct om_identity us, peer, other;
    uint8_t bytes[OM_RECORD_MAX + 2];
    struct om_gossip *g;
    size_t n;

    make_identity(&us, 1);
    make_identity(&peer, 2);
    make_identity(&other, 3);
    OM_TRY(g = start(&us));
    n = say(bytes, &us, 5000, true);
    for (unsigned i = 0; i < OM_GOSSIP_CHECKS_BURST; i++)
        om_gossip_rumour(g, 0, &peer.id, om_bytes(bytes, n));
    CHECK_EQ(dropped(g, OM_GOSSIP_DROP_OURS), OM_GOSSIP_CHECKS_BURST);

    n = say(bytes, &other, 0, false);
    om_gossip_rumour(g, 0, &peer.id, om_bytes(bytes, n));
    CHECK_EQ(dropped(g, OM_GOSSIP_DROP_QUOTA), 1);
    CHECK(om_records_find(om_gossip_store(g), &other.id) == NULL);
    om_gossip_rumour(g, OM_SEC(1), &peer.id, om_bytes(bytes, n)); /* some of it has come back */
    OM_TRY(om_records_find(om_gossip_store(g), &other.id) != NULL);
out:
    om_gossip_free(g);
}

/* The tag of the next call of @method to @peer that @g wants made; 0: none. */
static uint64_t next_call(struct om_gossip *g, const struct om_id *peer,
                          enum om_gossip_method method)
{
    struct om_gossip_act a;
    uint64_t tag = 0;

    while (om_gossip_next(g, &a))
        if (a.kind == OM_GOSSIP_ACT_CALL && a.method == method && om_id_equal(&a.peer, peer))
            tag = a.tag;
    return tag;
}

/* Lets @g meet @peer and ask it for one entry. Returns the tag of that call, 0 without memory. */
static uint64_t ask_of(struct om_gossip *g, const struct om_identity *peer)
{
    static const struct om_addr at = {.port = 1};
    uint8_t heads[8 + 8 + 8 + 6];
    struct om_wr w = om_wr(om_mut(heads, sizeof heads));
    uint64_t tag;

    om_gossip_peer_up(g, 0, &peer->id, &at);
    tag = next_call(g, &peer->id, OM_GOSSIP_SYNC);
    om_wr_u64(&w, 1);
    om_wr_u64(&w, 1);
    om_wr_u64(&w, 99);
    om_wr_u48(&w, 1);
    om_gossip_reply(g, 0, tag, true, om_bytes(heads, sizeof heads));
    return next_call(g, &peer->id, OM_GOSSIP_GET);
}

OM_TEST(gossip_leaves_who_forges_answers)
{
    struct om_identity us, peer, other, third;
    uint8_t bytes[3 * (OM_RECORD_MAX + 2)];
    struct om_gossip *g;
    uint64_t tag;
    size_t n;

    make_identity(&us, 1);
    make_identity(&peer, 2);
    make_identity(&other, 3);
    make_identity(&third, 4);
    OM_TRY(g = start(&us));
    OM_TRY((tag = ask_of(g, &peer)) != 0);
    n = say(bytes, &peer, 0, false);
    n += say(bytes + n, &other, 0, true);
    n += say(bytes + n, &third, 0, false);
    om_gossip_reply(g, 0, tag, true, om_bytes(bytes, n));
    const struct om_held *h = om_records_find(om_gossip_store(g), &peer.id);
    OM_TRY(h);
    CHECK(h->failed_at != 0);
    CHECK_EQ(dropped(g, OM_GOSSIP_DROP_FORGED), 1);
    CHECK(om_records_find(om_gossip_store(g), &third.id) == NULL);
    om_gossip_free(g);

    OM_TRY(g = start(&us)); /* the same without the forged one */
    OM_TRY((tag = ask_of(g, &peer)) != 0);
    n = say(bytes, &peer, 0, false);
    n += say(bytes + n, &third, 0, false);
    om_gossip_reply(g, 0, tag, true, om_bytes(bytes, n));
    h = om_records_find(om_gossip_store(g), &peer.id);
    OM_TRY(h && om_records_find(om_gossip_store(g), &third.id));
    CHECK_EQ(h->failed_at, 0);
out:
    om_gossip_free(g);
}

OM_TEST(gossip_asking_has_a_quota)
{
    struct om_identity us, peer, other;
    uint8_t wants[OM_GOSSIP_WANTS * 8] = {0}, room[OM_RECORD_MAX];
    struct om_gossip *g;
    unsigned asked = 0;

    make_identity(&us, 1);
    make_identity(&peer, 2);
    make_identity(&other, 3);
    OM_TRY(g = start(&us));
    for (;; asked++) {
        struct om_wr w = om_wr(om_mut(room, sizeof room));
        enum om_err e =
            om_gossip_request(g, 0, &peer.id, OM_GOSSIP_GET, om_bytes(wants, sizeof wants), &w);
        if (e == OM_E_BUSY)
            break;
        CHECK_OK(e);
        CHECK(asked <= OM_GOSSIP_ANSWERS_BURST);
    }
    OM_TRY(asked == OM_GOSSIP_ANSWERS_BURST / (OM_GOSSIP_WANTS + 1));
    CHECK_EQ(dropped(g, OM_GOSSIP_DROP_QUOTA), 1);
    struct om_wr w = om_wr(om_mut(room, sizeof room));
    OM_TRY(om_gossip_request(g, 0, &other.id, OM_GOSSIP_GET, om_bytes(wants, sizeof wants), &w) ==
           OM_OK);
    OM_TRY(om_gossip_request(g, OM_SEC(2), &peer.id, OM_GOSSIP_GET, om_bytes(wants, sizeof wants),
                             &w) == OM_OK);
out:
    om_gossip_free(g);
}

/* Calls of @method to @peer that @g wants made now, and leaves unanswered. */
static unsigned count_calls(struct om_gossip *g, const struct om_id *peer,
                            enum om_gossip_method method)
{
    struct om_gossip_act a;
    unsigned count = 0;

    while (om_gossip_next(g, &a))
        count += a.kind == OM_GOSSIP_ACT_CALL && a.method == method && om_id_equal(&a.peer, peer);
    return count;
}

/* @peer, whom @g meets, says that it has as many entries as one answer can name, all of them new.
 * Return: the calls by which it is asked for them. */
static unsigned wants_of(struct om_gossip *g, const struct om_identity *peer, uint64_t first)
{
    static const struct om_addr at = {.port = 1};
    static uint8_t heads[8 + 8 + OM_GOSSIP_HEADS * (8 + 6)];
    struct om_wr w = om_wr(om_mut(heads, sizeof heads));

    om_gossip_peer_up(g, 0, &peer->id, &at);
    uint64_t tag = next_call(g, &peer->id, OM_GOSSIP_SYNC);
    om_wr_u64(&w, 1);
    om_wr_u64(&w, 1);
    for (uint64_t i = 0; i < OM_GOSSIP_HEADS; i++) {
        om_wr_u64(&w, first + i);
        om_wr_u48(&w, 1);
    }
    om_gossip_reply(g, 0, tag, true, om_bytes(heads, sizeof heads));
    return count_calls(g, &peer->id, OM_GOSSIP_GET);
}

/* What two promise and never give is no reason to ask nobody else. */
OM_TEST(gossip_one_peer_owes_no_more_than_its_share)
{
    struct om_identity us, one, other, third;
    struct om_gossip *g;

    make_identity(&us, 1);
    make_identity(&one, 2);
    make_identity(&other, 3);
    make_identity(&third, 4);
    OM_TRY(g = start(&us));
    unsigned had = wants_of(g, &one, 1000), more = wants_of(g, &other, 9000);
    OM_TRY(had > 0 && more > 0);
    CHECK_EQ(had, GOSSIP_SHARE_MAX);
    CHECK_EQ(more, GOSSIP_ASKED_MAX - GOSSIP_SPARED - GOSSIP_SHARE_MAX);
    CHECK(dropped(g, OM_GOSSIP_DROP_FULL) > 0);
    gossip_sync_with(g, &third.id, 0);
    CHECK_EQ(count_calls(g, &third.id, OM_GOSSIP_SYNC), 1);
    CHECK_EQ(gossip_owed(g, NULL), GOSSIP_ASKED_MAX - GOSSIP_SPARED + 1);
out:
    om_gossip_free(g);
}

/* Calls that meeting @count strangers, who never answer, makes us owe; alone or with a partner. */
static uint64_t calls_to_strangers(unsigned count, bool has_partner)
{
    static const struct om_addr at = {.port = 1};
    struct om_identity us, partner, stranger;
    uint8_t bytes[OM_RECORD_MAX + 2];
    uint64_t before, after;
    struct om_gossip *g;

    make_identity(&us, 1);
    make_identity(&partner, 2);
    g = start(&us);
    if (!g)
        return 0;
    if (has_partner)
        om_gossip_rumour(g, 0, &partner.id, om_bytes(bytes, say(bytes, &partner, 0, false)));
    om_gossip_tick(g, OM_SEC(OM_GOSSIP_SYNC_S));
    before = om_gossip_counts(g)->syncs;
    for (unsigned i = 0; i < count; i++) {
        make_identity(&stranger, 100 + i);
        om_gossip_peer_up(g, OM_SEC(OM_GOSSIP_SYNC_S), &stranger.id, &at);
    }
    after = om_gossip_counts(g)->syncs;
    om_gossip_free(g);
    return after - before;
}

OM_TEST(gossip_strangers_leave_half_of_the_calls)
{
    uint64_t few = calls_to_strangers(8, true), crowd = calls_to_strangers(64, true),
             larger = calls_to_strangers(80, true), alone = calls_to_strangers(64, false);

    OM_TRY(few > 0 && crowd > 0 && larger > 0 && alone > 0);
    CHECK_EQ(few, 8);
    CHECK_EQ(larger, crowd);          /* that is all they get, */
    CHECK_EQ(2 * (crowd + 1), alone); /* half, of which the partner's is one, as nobody else asks */
out:;
}

/* Pushes that @g wants to make after @who told it what @other had said at @ms. */
static unsigned pushes_after(uint64_t seed, int64_t ms, bool *is_kept)
{
    static const struct om_addr at = {.port = 1};
    struct om_identity us, who, third, other;
    uint8_t bytes[OM_RECORD_MAX + 2];
    struct om_gossip_act a;
    struct om_gossip *g;
    unsigned pushes = 0;
    om_time now = OM_SEC(1);

    make_identity(&us, 1);
    make_identity(&who, 2);
    make_identity(&third, 3);
    make_identity(&other, seed);
    g = start(&us);
    if (!g)
        return 0;
    om_gossip_peer_up(g, 0, &who.id, &at);
    om_gossip_peer_up(g, 0, &third.id, &at);
    for (; now < OM_SEC(10); now += OM_MS(OM_GOSSIP_ROUND_MS)) { /* it has told of itself */
        om_gossip_tick(g, now);
        while (om_gossip_next(g, &a)) {
        }
    }
    om_gossip_rumour(g, now, &who.id, om_bytes(bytes, say(bytes, &other, (uint64_t)ms, false)));
    for (om_time end = now + OM_SEC(2); now < end; now += OM_MS(OM_GOSSIP_ROUND_MS)) {
        om_gossip_tick(g, now);
        while (om_gossip_next(g, &a))
            pushes += a.kind == OM_GOSSIP_ACT_PUSH &&
                      memmem(a.bytes.p, a.bytes.n, other.id.b, sizeof other.id.b) != NULL;
    }
    *is_kept = om_records_find(om_gossip_store(g), &other.id) != NULL;
    om_gossip_free(g);
    return pushes;
}

/* What everybody has forgotten would else go round for ever. */
OM_TEST(gossip_old_news_goes_no_further)
{
    const int64_t youth = OM_GOSSIP_YOUTH_S * INT64_C(1000);
    bool is_kept = false;

    CHECK(pushes_after(4, 0, &is_kept) > 0); /* the control: young */
    OM_TRY(is_kept);
    CHECK_EQ(pushes_after(5, -youth, &is_kept), 0);
    OM_TRY(is_kept);                                   /* it is believed all the same */
    CHECK_EQ(pushes_after(6, 2 * youth, &is_kept), 0); /* made tomorrow */
    OM_TRY(is_kept);
out:;
}
