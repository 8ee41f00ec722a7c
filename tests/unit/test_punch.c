/* test_punch.c - the words of two machines, who leads, and what each refuses. */
#include "harness.h"

#include "path/punch.h"

enum { WAY = 20 /* ms that words and datagrams take */, QUEUE = 64 };

struct wire {
    om_time at;
    unsigned to;
    struct om_punch_act act;
};

/* Two ends without NATs between them; what they send arrives after WAY, or is dropped. */
struct duo {
    struct om_id key[2];
    struct om_punch m[2];
    struct om_reach reach[2];
    struct om_punch_profile profile[2];
    struct wire wire[QUEUE];
    unsigned count, words[2], sent[2], opened[2], kept[2], ends[2];
    unsigned lose_words; /* so many are lost first */
    bool is_deaf;        /* no datagram arrives */
    om_time now;
};

static const uint8_t sip[OM_SIP_KEY] = {1};

static struct om_addr host(unsigned i)
{
    return om_addr_v4(0x50000001 + 256 * i, 40000);
}

static void duo_init(struct duo *d)
{
    *d = (struct duo){.now = OM_SEC(10), .key = {{{1}}, {{2}}}};
    for (unsigned i = 0; i < 2; i++) {
        d->profile[i] =
            (struct om_punch_profile){.class = OM_NAT_EIM, .filter = OM_FILTER_PORT, .hops = 3};
        om_reach_init(&d->reach[i], d->now, sip);
        om_punch_init(&d->m[i], &d->key[i], &d->key[!i], i + 1);
    }
}

static void duo_fini(struct duo *d)
{
    om_reach_fini(&d->reach[0]);
    om_reach_fini(&d->reach[1]);
}

static struct om_punch_facts facts(const struct duo *d, unsigned i)
{
    const struct om_addr peer = host(!i);

    return (struct om_punch_facts){
        .ours = d->profile[i],
        .rtt = OM_MS(2 * WAY),
        .peer = peer,
        .left = om_reach_left(&d->reach[i], d->now, &peer, &d->key[!i]),
    };
}

/* A relay says to both where the other is. */
static bool attest(struct duo *d)
{
    bool is_fine = true;

    for (unsigned i = 0; i < 2; i++) {
        const struct om_addr at = host(!i);
        const struct om_reach_word w = {.by = {{9}}, .witness = OM_WITNESS_RELAY, .at = d->now};
        is_fine &= om_reach_attest(&d->reach[i], d->now, &d->key[!i], &at, &w);
    }
    return is_fine;
}

static void start(struct duo *d, unsigned i, uint64_t nonce)
{
    struct om_punch_facts f = facts(d, i);

    CHECK_OK(om_punch_start(&d->m[i], d->now, &f, OM_PUNCH_PLAIN, nonce));
}

static void carry(struct duo *d, unsigned by, const struct om_punch_act *a)
{
    bool is_word = a->kind == OM_PUNCH_DO_WORD;

    d->words[by] += is_word;
    d->sent[by] += !is_word;
    if (is_word && d->lose_words > 0) {
        d->lose_words--;
        return;
    }
    if (a->kind == OM_PUNCH_DO_OPENER || (!is_word && d->is_deaf))
        return;
    CHECK(d->count < QUEUE);
    d->wire[d->count++] = (struct wire){d->now + OM_MS(WAY), !by, *a};
}

static void drain(struct duo *d, unsigned i)
{
    struct om_punch_act a;

    while (om_punch_next(&d->m[i], &d->reach[i], d->now, &a)) {
        if (a.kind == OM_PUNCH_DO_OPEN)
            d->opened[i] = a.socket;
        else if (a.kind == OM_PUNCH_DO_CLOSE)
            d->kept[i] = a.socket;
        else if (a.kind == OM_PUNCH_DO_SUCCEED || a.kind == OM_PUNCH_DO_FAIL)
            d->ends[i]++;
        else
            carry(d, i, &a);
    }
}

static void arrive(struct duo *d, const struct wire *w)
{
    struct om_addr from = host(!w->to);
    struct om_punch_facts f = facts(d, w->to);

    from.port = (uint16_t)(from.port + w->act.socket);
    if (w->act.kind == OM_PUNCH_DO_WORD) {
        struct om_punch_word word; /* as its bytes say it */
        CHECK_OK(om_punch_word_of(&word, &w->act.word.frame));
        om_punch_told(&d->m[w->to], d->now, &word, &f);
    } else {
        om_punch_heard(&d->m[w->to], d->now, &w->act.word.frame, &from,
                       (unsigned)(w->act.to.port - host(w->to).port));
    }
}

static void run(struct duo *d, om_time until)
{
    for (;;) {
        om_time at = om_time_min(om_punch_deadline(&d->m[0]), om_punch_deadline(&d->m[1]));
        if (d->count > 0)
            at = om_time_min(at, d->wire[0].at);
        if (at > until)
            break;
        d->now = at > d->now ? at : d->now;
        while (d->count > 0 && d->wire[0].at <= d->now) {
            struct wire w = d->wire[0];
            memmove(&d->wire[0], &d->wire[1], --d->count * sizeof d->wire[0]);
            arrive(d, &w);
        }
        drain(d, 0);
        drain(d, 1);
    }
    d->now = until;
}

OM_TEST(punch_two_meet)
{
    struct duo d;

    duo_init(&d);
    OM_TRY(attest(&d));
    start(&d, 0, 7);
    CHECK(om_punch_is_busy(&d.m[0]) && !om_punch_is_busy(&d.m[1]));
    run(&d, d.now + OM_SEC(1));
    OM_TRY(d.m[0].state == OM_PUNCH_DONE && d.m[1].state == OM_PUNCH_DONE);
    struct om_addr a = host(1), b = host(0);
    CHECK(om_addr_equal(&d.m[0].via, &a) && om_addr_equal(&d.m[1].via, &b));
    CHECK(d.ends[0] == 1 && d.ends[1] == 1);
    CHECK(d.sent[0] < 10 && d.sent[1] < 10);
    CHECK_EQ(om_punch_deadline(&d.m[0]), OM_NEVER);
    CHECK_EQ(om_punch_deadline(&d.m[1]), OM_NEVER);
    CHECK_EQ(om_punch_retry_at(&d.m[0]), 0);
    CHECK_STR(om_punch_end_name(d.m[0].end), "not-yet");
    CHECK_STR(om_punch_end_name((enum om_punch_end)9), "unknown");
out:
    duo_fini(&d);
}

OM_TEST(punch_meets_fresh_sockets)
{
    for (unsigned who = 1; who < 4; who++) { /* one end, the other, both */
        struct om_addr at[2] = {host(0), host(1)};
        struct duo d;
        duo_init(&d);
        OM_TRY(attest(&d));
        for (unsigned i = 0; i < 2; i++) {
            at[i].port = (uint16_t)(at[i].port + (who >> i & 1));
            d.profile[i].first_port = who >> i & 1 ? at[i].port : 0;
        }
        start(&d, 0, 7);
        run(&d, d.now + OM_SEC(1));
        CHECK(d.m[0].state == OM_PUNCH_DONE && d.m[1].state == OM_PUNCH_DONE);
        for (unsigned i = 0; i < 2; i++) {
            CHECK(om_addr_equal(&d.m[i].via, &at[!i]));
            CHECK(d.m[i].via_socket == (who >> i & 1) && d.opened[i] == d.m[i].via_socket);
            CHECK_EQ(d.kept[i], d.opened[i]);
        }
    out:
        duo_fini(&d);
    }
}

OM_TEST(punch_follows_who_moved)
{
    struct om_punch_facts f;
    struct om_punch_act a;
    struct duo d;

    duo_init(&d);
    OM_TRY(attest(&d));
    f = facts(&d, 0);
    f.peer.port = 9; /* where it was until a moment ago */
    f.left = 0;
    CHECK_OK(om_punch_start(&d.m[0], d.now, &f, OM_PUNCH_PLAIN, 7));
    run(&d, d.now + OM_SEC(1));
    CHECK(d.m[0].state == OM_PUNCH_DONE && d.m[1].state == OM_PUNCH_DONE);
    CHECK(!om_punch_next(&d.m[0], &d.reach[0], d.now, &a));
    struct om_addr to = host(1);
    CHECK(om_addr_equal(&d.m[0].via, &to));
out:
    duo_fini(&d);
}

OM_TEST(punch_lower_key_leads)
{
    for (unsigned first = 0; first < 2; first++) {
        struct duo d;
        duo_init(&d);
        OM_TRY(attest(&d));
        start(&d, first, 7);
        drain(&d, first);
        start(&d, !first, 8); /* before the other's word arrives */
        run(&d, d.now + OM_SEC(1));
        OM_TRY(d.m[0].state == OM_PUNCH_DONE && d.m[1].state == OM_PUNCH_DONE);
        CHECK(d.m[0].is_leader && !d.m[1].is_leader);
        CHECK_EQ(d.m[0].nonce, d.m[1].nonce);
    out:
        duo_fini(&d);
    }
}

OM_TEST(punch_lost_words_are_said_again)
{
    for (unsigned lose = 0; lose < 5; lose++) {
        struct duo d;
        duo_init(&d);
        OM_TRY(attest(&d));
        start(&d, 1, 7);
        d.lose_words = lose;
        run(&d, d.now + OM_SEC(4));
        OM_TRY(d.m[0].state == OM_PUNCH_DONE && d.m[1].state == OM_PUNCH_DONE);
    out:
        duo_fini(&d);
    }
}

OM_TEST(punch_silent_peer_gives_up)
{
    struct duo d;

    duo_init(&d);
    OM_TRY(attest(&d));
    start(&d, 0, 7);
    d.lose_words = 1000;
    run(&d, d.now + OM_SEC(5));
    CHECK(d.m[0].state == OM_PUNCH_FAILED && d.m[0].end == OM_PUNCH_NO_WORD);
    CHECK_EQ(d.words[0], OM_PUNCH_TRIES);
    CHECK_EQ(d.sent[0], 0);
    duo_fini(&d);

    duo_init(&d);
    OM_TRY(attest(&d));
    d.is_deaf = true;
    start(&d, 0, 7);
    run(&d, d.now + OM_SEC(6));
    OM_TRY(d.m[0].end == OM_PUNCH_NO_MEETING && d.m[1].end == OM_PUNCH_NO_MEETING);
    CHECK(d.sent[0] == OM_PUNCH_OPENERS + OM_PUNCH_PROBES_MAX && d.sent[1] == d.sent[0]);
    CHECK_EQ(om_punch_deadline(&d.m[0]), OM_NEVER);
    CHECK_EQ(om_punch_deadline(&d.m[1]), OM_NEVER);
out:
    duo_fini(&d);
}

OM_TEST(punch_refusal_is_an_answer)
{
    struct duo d;

    duo_init(&d);
    d.profile[1].class = OM_NAT_DEAD;
    start(&d, 0, 7);
    run(&d, d.now + OM_SEC(1));
    CHECK(d.m[0].end == OM_PUNCH_UNWILLING && d.m[1].end == OM_PUNCH_NO_WAY);
    CHECK_EQ(d.m[1].plan.reason, OM_PUNCH_NO_UDP);
    CHECK(d.sent[0] == 0 && d.sent[1] == 0);
    duo_fini(&d);

    duo_init(&d); /* the leader alone sees that it cannot */
    d.profile[1].class = OM_NAT_RANDOM;
    OM_TRY(attest(&d));
    start(&d, 0, 7);
    om_reach_fini(&d.reach[0]);
    om_reach_init(&d.reach[0], d.now, sip);
    d.m[0].facts.left = 3;
    run(&d, d.now + OM_SEC(1));
    OM_TRY(d.m[0].end == OM_PUNCH_NO_WAY && d.m[1].end == OM_PUNCH_UNWILLING);
    CHECK(d.sent[0] == 0 && d.sent[1] == 0);
out:
    duo_fini(&d);
}

OM_TEST(punch_backs_off)
{
    static const unsigned rests[] = {10, 30, 120, 600, 600};
    struct duo d;

    duo_init(&d);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(rests); i++) {
        struct om_punch_facts f = facts(&d, 0);
        om_time began = d.now;
        start(&d, 0, i + 1);
        CHECK_ERR(om_punch_start(&d.m[0], d.now, &f, OM_PUNCH_PLAIN, 99), OM_E_BUSY);
        d.lose_words = 1000;
        run(&d, d.now + OM_SEC(5));
        om_time rest = om_punch_retry_at(&d.m[0]) - began;
        CHECK(rest >= OM_SEC(rests[i]) * 9 / 10 && rest <= OM_SEC(rests[i]) * 11 / 10 + OM_SEC(2));
        CHECK_ERR(om_punch_start(&d.m[0], d.now, &f, OM_PUNCH_PLAIN, 99), OM_E_BUSY);
        d.now = om_punch_retry_at(&d.m[0]);
    }
    start(&d, 0, 50);
    run(&d, d.now + OM_SEC(5));
    om_punch_forgive(&d.m[0]);
    start(&d, 0, 51);
    om_punch_stop(&d.m[0], d.now);
    CHECK(!om_punch_is_busy(&d.m[0]) && d.m[0].failures == 0);
    duo_fini(&d);
}

OM_TEST(punch_later_is_no_failure)
{
    struct om_punch_word later = {.frame = {.nonce = 8, .fire_ms = OM_PUNCH_LATER}};
    struct duo d;

    duo_init(&d);
    d.lose_words = 1000;
    start(&d, 0, 7);
    drain(&d, 0);
    struct om_punch_facts f = facts(&d, 0);
    om_punch_told(&d.m[0], d.now, &later, &f);
    CHECK(om_punch_is_busy(&d.m[0])); /* of another attempt */
    later.frame.nonce = 7;
    om_punch_told(&d.m[0], d.now, &later, &f);
    CHECK(!om_punch_is_busy(&d.m[0]) && d.m[0].failures == 0 && d.ends[0] == 0);
    om_time rest = om_punch_retry_at(&d.m[0]) - d.now;
    CHECK(rest >= OM_SEC(OM_PUNCH_LATER_S) * 8 / 10 && rest <= OM_SEC(OM_PUNCH_LATER_S) * 12 / 10);
    d.lose_words = 0;
    OM_TRY(attest(&d));
    start(&d, 1, 9); /* it has its turn, and is not refused */
    run(&d, d.now + OM_SEC(1));
    CHECK(d.m[0].state == OM_PUNCH_DONE && d.m[1].state == OM_PUNCH_DONE);
out:
    duo_fini(&d);
}

OM_TEST(punch_ignores_foreign_nonces)
{
    struct om_frame_punch f = {.step = OM_PUNCH_SEEN, .nonce = 8};
    struct om_addr from = host(1);
    struct om_punch_act a;
    struct duo d;

    duo_init(&d);
    OM_TRY(attest(&d));
    om_punch_heard(&d.m[0], d.now, &f, &from, 0); /* idle */
    start(&d, 0, 7);
    d.is_deaf = true;
    run(&d, d.now + OM_MS(500));
    OM_TRY(d.m[0].state == OM_PUNCH_FIRING);
    om_punch_heard(&d.m[0], d.now, &f, &from, 0);
    f.nonce = 7;
    om_punch_heard(&d.m[0], d.now, &f, &from, 1); /* we have no such socket */
    CHECK(!om_punch_next(&d.m[0], &d.reach[0], d.now, &a));
    CHECK(d.m[0].state == OM_PUNCH_FIRING && d.m[0].dropped == 3);
    om_punch_heard(&d.m[0], d.now, &f, &from, 0);
    CHECK_EQ(d.m[0].state, OM_PUNCH_DONE);
out:
    duo_fini(&d);
}

OM_TEST(punch_stops_at_the_first_answer)
{
    struct om_frame_punch f = {.step = OM_PUNCH_PROBE, .nonce = 7};
    struct om_addr from = host(1);
    struct duo d;

    duo_init(&d);
    OM_TRY(attest(&d));
    d.profile[1].class = OM_NAT_RANDOM;
    start(&d, 0, 7);
    d.is_deaf = true;
    run(&d, d.now + OM_MS(800));
    OM_TRY(d.m[0].state == OM_PUNCH_FIRING && d.sent[0] > 20);
    CHECK_EQ(d.opened[1], OM_PUNCH_SOCKETS_MAX);
    om_punch_heard(&d.m[0], d.now, &f, &from, 0);
    unsigned sent = d.sent[0];
    run(&d, d.now + OM_MS(599));
    CHECK_EQ(d.sent[0], sent + 1 + 4); /* an answer, and four more of it */
    run(&d, d.now + OM_MS(100));       /* in vain: the sweep goes on */
    CHECK(d.sent[0] > sent + 50);
    om_punch_stop(&d.m[0], d.now);
    sent = d.sent[0];
    run(&d, d.now + OM_SEC(5));
    CHECK_EQ(d.sent[0], sent);
    CHECK(d.m[1].state == OM_PUNCH_FAILED && d.kept[1] == 0);
out:
    duo_fini(&d);
}

/* Two ways open at once, each seen by the other side first. */
OM_TEST(punch_both_keep_one_way)
{
    struct om_frame_punch probe = {.step = OM_PUNCH_PROBE, .nonce = 7};
    struct om_addr a = host(0), b = host(1);
    struct duo d;

    duo_init(&d);
    d.profile[0].class = d.profile[1].class = OM_NAT_BLOCK;
    d.profile[0].reuse = d.profile[1].reuse = OM_NAT_REUSED;
    d.profile[0].first_port = d.profile[1].first_port = 50000;
    d.profile[0].last_port = d.profile[1].last_port = 50099;
    OM_TRY(attest(&d));
    start(&d, 0, 7);
    run(&d, d.now + OM_MS(200));
    OM_TRY(d.m[0].state == OM_PUNCH_FIRING && d.m[1].state == OM_PUNCH_FIRING);
    CHECK(d.opened[0] == 3 && d.opened[1] == 3);
    a.port = 40002; /* from its socket 2, to the other's 1 */
    om_punch_heard(&d.m[1], d.now, &probe, &a, 1);
    b.port = 40003;
    om_punch_heard(&d.m[0], d.now, &probe, &b, 1);
    run(&d, d.now + OM_SEC(1));
    OM_TRY(d.m[0].state == OM_PUNCH_DONE && d.m[1].state == OM_PUNCH_DONE);
    CHECK_EQ(d.m[0].via.port - 40000U, d.m[1].via_socket);
    CHECK_EQ(d.m[1].via.port - 40000U, d.m[0].via_socket);
    CHECK(d.kept[0] == d.m[0].via_socket && d.kept[1] == d.m[1].via_socket);
out:
    duo_fini(&d);
}

OM_TEST(punch_never_exceeds_its_budget)
{
    struct duo d;

    duo_init(&d); /* nobody vouches for either */
    d.is_deaf = true;
    start(&d, 0, 7);
    run(&d, d.now + OM_SEC(5));
    CHECK(d.m[0].sent <= 3 && d.m[1].sent <= 3);
    OM_TRY(d.m[0].sent == 3 && d.m[1].sent == 3);
    d.now = om_punch_retry_at(&d.m[0]);
    start(&d, 0, 8);
    run(&d, d.now + OM_SEC(5));
    CHECK(d.m[0].sent == 3 && d.m[1].sent == 3);
    CHECK_EQ(d.m[1].end, OM_PUNCH_NO_WAY);
    CHECK_EQ(d.m[1].plan.reason, OM_PUNCH_BUDGET);
out:
    duo_fini(&d);
}

OM_TEST(punch_waits_for_the_rate)
{
    struct duo d;
    om_time began;

    duo_init(&d);
    OM_TRY(attest(&d));
    d.is_deaf = true;
    om_bucket_init(&d.reach[0].rate, 5, 1, d.now); /* others use it as well */
    start(&d, 0, 7);
    began = d.now;
    run(&d, d.now + OM_MS(1200));
    CHECK(d.m[0].state == OM_PUNCH_FIRING);
    OM_TRY(d.m[0].sent >= 3);
    CHECK(d.m[0].sent <= 1 + (unsigned)((d.now - began) / OM_MS(200)));
    run(&d, d.now + OM_SEC(5));
    CHECK_EQ(d.m[0].state, OM_PUNCH_FAILED);
out:
    duo_fini(&d);
}

OM_TEST(punch_waits_for_the_openers)
{
    for (unsigned lost = 0; lost < 2; lost++) {
        struct duo d;
        duo_init(&d);
        OM_TRY(attest(&d));
        start(&d, 0, 7);
        d.is_deaf = true;
        while (d.m[1].state != OM_PUNCH_ARMED)
            run(&d, d.now + OM_MS(1));
        d.lose_words = 1000; /* what the peer says of its openers is lost, or is late */
        run(&d, d.m[0].fire_at + OM_MS(OM_PUNCH_OPENERS * OM_PUNCH_OPENER_GAP_MS));
        unsigned sent = d.sent[0];
        CHECK_EQ(sent, OM_PUNCH_OPENERS);
        run(&d, d.now + OM_MS(500));
        CHECK(d.sent[0] == sent && d.m[0].state == OM_PUNCH_FIRING);
        struct om_punch_word opened = {.frame = {.nonce = 7, .fire_ms = OM_PUNCH_OPENED}};
        struct om_punch_facts f = facts(&d, 0);
        if (!lost)
            om_punch_told(&d.m[0], d.now, &opened, &f);
        run(&d, d.now + OM_MS(1));
        CHECK_EQ(d.sent[0], lost ? sent : sent + 1); /* and the others in their time */
        run(&d, d.now + OM_SEC(1));
        CHECK(d.sent[0] > sent + lost); /* a word that was lost is not waited for long */
    out:
        duo_fini(&d);
    }
}

OM_TEST(punch_flood_is_bounded)
{
    struct om_frame_punch f = {.step = OM_PUNCH_PROBE, .nonce = 7};
    struct om_addr from = host(1);
    struct om_punch_act a;
    struct duo d;
    unsigned answers = 0;

    duo_init(&d);
    OM_TRY(attest(&d));
    d.is_deaf = true;
    start(&d, 0, 7);
    run(&d, d.now + OM_MS(500));
    OM_TRY(d.m[0].state == OM_PUNCH_FIRING);
    for (unsigned i = 0; i < 1000; i++) {
        from.port = (uint16_t)(1 + i);
        om_punch_heard(&d.m[0], d.now, &f, &from, 0);
    }
    while (om_punch_next(&d.m[0], &d.reach[0], d.now, &a))
        answers++;
    CHECK_EQ(answers, OM_PUNCH_ANSWERS_MAX);
    CHECK_EQ(d.m[0].dropped, 1000 - OM_PUNCH_ANSWERS_MAX);
out:
    duo_fini(&d);
}

/* Which asks at once: were the attempt with its old life gone on with, it would be refused. */
OM_TEST(punch_begins_anew_with_who_restarted)
{
    struct duo d;

    for (unsigned is_told = 0; is_told < 2; is_told++) {
        duo_init(&d);
        OM_TRY(attest(&d));
        d.profile[0] = (struct om_punch_profile){.class = OM_NAT_RANDOM, .hops = 3};
        d.is_deaf = true;
        start(&d, 0, 7);
        run(&d, d.now + OM_SEC(1));
        OM_TRY(d.m[1].state == OM_PUNCH_FIRING);
        om_punch_init(&d.m[0], &d.key[0], &d.key[1], 3);
        d.count = 0;
        if (is_told)
            om_punch_forget(&d.m[1], d.now);
        start(&d, 0, 8);
        run(&d, d.now + OM_SEC(1));
        CHECK_EQ(d.m[0].state, is_told ? OM_PUNCH_FIRING : OM_PUNCH_ASKED);
        CHECK_EQ(d.m[1].nonce, is_told ? 8 : 7);
    out:
        duo_fini(&d);
    }
}

/* Words out of place, of every kind and in every state: nothing is sent because of them. */
OM_TEST(punch_word_of_a_stranger_state)
{
    static const uint32_t waits[] = {0, 1, 5000, 20000, OM_PUNCH_REFUSED};
    struct om_punch_act a;
    struct duo d;

    duo_init(&d);
    OM_TRY(attest(&d));
    struct om_punch_facts f = facts(&d, 0);
    for (unsigned i = 1; i < OM_ARRAY_SIZE(waits); i++) {
        struct om_punch_word w = {.frame = {.nonce = 9, .fire_ms = waits[i]}};
        om_punch_told(&d.m[0], d.now, &w, &f);
        w.frame.step = OM_PUNCH_PROBE;
        om_punch_told(&d.m[0], d.now, &w, &f);
        CHECK_EQ(d.m[0].state, OM_PUNCH_IDLE);
    }
    struct om_punch_word ask = {.frame = {.nonce = 9}, .profile = d.profile[1]};
    om_punch_told(&d.m[0], d.now, &ask, &f);
    CHECK_EQ(d.m[0].state, OM_PUNCH_AGREED);
    ask.frame.fire_ms = 20000; /* a moment that far is a mistake */
    om_punch_told(&d.m[0], d.now, &ask, &f);
    CHECK_EQ(d.m[0].state, OM_PUNCH_AGREED);
    ask.frame.fire_ms = OM_PUNCH_REFUSED;
    om_punch_told(&d.m[0], d.now, &ask, &f);
    CHECK_EQ(d.m[0].end, OM_PUNCH_UNWILLING);
    while (om_punch_next(&d.m[0], &d.reach[0], d.now, &a))
        CHECK(a.kind == OM_PUNCH_DO_WORD || a.kind == OM_PUNCH_DO_FAIL);
    ask.frame = (struct om_frame_punch){.nonce = 10}; /* too soon after it ended */
    om_punch_told(&d.m[0], d.now + OM_SEC(1), &ask, &f);
    CHECK(om_punch_next(&d.m[0], &d.reach[0], d.now, &a));
    CHECK(a.kind == OM_PUNCH_DO_WORD && a.word.frame.fire_ms == OM_PUNCH_REFUSED);
    CHECK(a.word.frame.nonce == 10 && d.m[0].state == OM_PUNCH_FAILED);
out:
    duo_fini(&d);
}
