/* test_responder.c - who gets an answer to an initiation, and who does not. */
#include "harness.h"

#include <omerta/prng.h>

#include "crypto/responder.h"

enum { UNIX_S = 1700000000, BODY = 200 };

struct fix {
    struct om_responder r;
    struct om_limits limits;
    struct om_prng prng;
    struct om_rng rng;
};

static bool fix_init(struct fix *f, om_time now)
{
    const uint8_t sip_key[16] = {3};

    memset(f, 0, sizeof *f);
    om_limits_default(&f->limits);
    om_prng_seed(&f->prng, 12);
    f->rng = om_prng_rng(&f->prng);
    return om_responder_init(&f->r, &f->limits, &f->rng, sip_key, now) == OM_OK;
}

/* An initiation whose ephemeral and T follow from @number, without mac2. */
static void make(struct om_handshake_plain *p, uint32_t number, uint32_t coarse)
{
    memset(p, 0, sizeof *p);
    p->len = OM_HANDSHAKE_MIN;
    p->kind = OM_HANDSHAKE_INIT;
    p->coarse = coarse;
    p->body = om_bytes(p->bytes + OM_HANDSHAKE_FRONT, BODY);
    p->before_mac2 = om_bytes(p->bytes, OM_HANDSHAKE_FRONT + BODY);
    p->mac2 = p->bytes + OM_HANDSHAKE_FRONT + BODY;
    p->t = p->bytes + p->len - OM_MAC_BYTES;
    memcpy(p->bytes + OM_HANDSHAKE_FRONT, &number, sizeof number);
    memcpy(p->bytes + p->len - OM_MAC_BYTES, &number, sizeof number);
}

static struct om_via from(uint32_t ip, uint16_t port)
{
    return (struct om_via){.remote = om_addr_v4(ip, port)};
}

static struct om_admission admit(struct fix *f, om_time now, const struct om_via *via,
                                 const struct om_handshake_plain *p)
{
    return om_responder_admit(&f->r, now, UNIX_S + now / OM_SEC(1), via, p);
}

/* Initiations of distinct sources until the load bucket is empty. False when memory ran out. */
static bool load_up(struct fix *f, om_time now)
{
    struct om_handshake_plain p;

    for (uint32_t i = 0; i < f->limits.load_per_s; i++) {
        struct om_via via = from(0x0b000000 + i, 1);
        make(&p, 0x80000000 + i, UNIX_S);
        if (admit(f, now, &via, &p).verdict != OM_VERDICT_ADMIT)
            return false;
    }
    return true;
}

OM_TEST(responder_limits_each_source)
{
    struct om_via one = from(0x0a000001, 5), two = from(0x0a000002, 5), lane = one;
    struct om_handshake_plain p;
    struct om_admission a;
    struct fix f;

    OM_TRY(fix_init(&f, 0));
    for (uint32_t i = 0; i < 20; i++) { /* the burst */
        make(&p, i, UNIX_S);
        one.remote.port = (uint16_t)i; /* another port is the same source */
        OM_TRY(admit(&f, 0, &one, &p).verdict == OM_VERDICT_ADMIT);
    }
    make(&p, 100, UNIX_S);
    a = admit(&f, 0, &one, &p);
    CHECK_EQ(a.verdict, OM_VERDICT_DROP);
    CHECK_EQ(a.why, OM_DROP_HS_RATE);
    OM_TRY(admit(&f, 0, &two, &p).verdict == OM_VERDICT_ADMIT); /* others are not touched */
    lane.lane = 7;
    OM_TRY(admit(&f, 0, &lane, &p).verdict == OM_VERDICT_ADMIT); /* a lane is one of its own */

    CHECK_EQ(admit(&f, OM_MS(200) - 1, &one, &p).verdict, OM_VERDICT_DROP);
    CHECK_EQ(admit(&f, OM_MS(200), &one, &p).verdict, OM_VERDICT_ADMIT); /* 5 per second */
    CHECK_EQ(admit(&f, OM_MS(200), &one, &p).verdict, OM_VERDICT_DROP);
out:
    om_responder_fini(&f.r);
}

OM_TEST(responder_counts_a_v6_prefix_once)
{
    struct om_via via = {.remote.port = 1};
    struct om_handshake_plain p;
    struct fix f;

    OM_TRY(fix_init(&f, 0));
    memcpy(via.remote.ip, "\x20\x01\x0d\xb8\0\0\0\x01", 8);
    for (uint32_t i = 0; i < 20; i++) {
        make(&p, i, UNIX_S);
        via.remote.ip[15] = (uint8_t)i; /* anywhere in the /64 */
        OM_TRY(admit(&f, 0, &via, &p).verdict == OM_VERDICT_ADMIT);
    }
    via.remote.ip[8] = 0xff;
    CHECK_EQ(admit(&f, 0, &via, &p).why, OM_DROP_HS_RATE);
    via.remote.ip[7] = 2; /* the next /64 */
    OM_TRY(admit(&f, 0, &via, &p).verdict == OM_VERDICT_ADMIT);
out:
    om_responder_fini(&f.r);
}

OM_TEST(responder_gives_cookies_under_load)
{
    const struct om_via honest = from(0x0a000001, 5), moved = from(0x0a000001, 6);
    struct om_handshake_plain p;
    struct om_admission a;
    struct fix f;

    OM_TRY(fix_init(&f, OM_SEC(9)));
    OM_TRY(!om_responder_is_loaded(&f.r, OM_SEC(9)));
    OM_TRY(load_up(&f, OM_SEC(9)));
    CHECK(!om_responder_is_loaded(&f.r, OM_SEC(9)));
    make(&p, 1, UNIX_S);
    a = admit(&f, OM_SEC(9), &honest, &p);
    OM_TRY(a.verdict == OM_VERDICT_COOKIE);
    CHECK(om_responder_is_loaded(&f.r, OM_SEC(9)));

    make(&p, 2, UNIX_S); /* the same msg1, sent again with mac2 */
    om_cookie_mac2(a.cookie, p.before_mac2, p.bytes + OM_HANDSHAKE_FRONT + BODY);
    CHECK_EQ(admit(&f, OM_SEC(9), &honest, &p).verdict, OM_VERDICT_ADMIT);
    CHECK(admit(&f, OM_SEC(9), &moved, &p).verdict != OM_VERDICT_ADMIT); /* ip:port */
    p.bytes[OM_HANDSHAKE_FRONT + BODY] ^= 1;
    CHECK(admit(&f, OM_SEC(9), &honest, &p).verdict != OM_VERDICT_ADMIT);

    CHECK(om_responder_is_loaded(&f.r, OM_SEC(10) - 1));
    CHECK(!om_responder_is_loaded(&f.r, OM_SEC(10)));
    make(&p, 3, UNIX_S);
    CHECK_EQ(admit(&f, OM_SEC(10), &honest, &p).verdict, OM_VERDICT_ADMIT); /* quiet again */
out:
    om_responder_fini(&f.r);
}

OM_TEST(responder_load_at_time_zero)
{
    const struct om_via via = from(0x0a000001, 5);
    struct om_handshake_plain p;
    struct fix f;

    OM_TRY(fix_init(&f, 0));
    OM_TRY(load_up(&f, 0));
    CHECK(!om_responder_is_loaded(&f.r, 0));
    make(&p, 1, UNIX_S);
    OM_TRY(admit(&f, 0, &via, &p).verdict == OM_VERDICT_COOKIE);
    CHECK(om_responder_is_loaded(&f.r, 0));
out:
    om_responder_fini(&f.r);
}

OM_TEST(responder_answers_four_copies)
{
    const struct om_via via = from(0x0a000001, 5);
    struct om_copy copy = {.sender = 77, .msg2_len = 3, .answers = 99};
    struct om_handshake_plain p;
    struct om_admission a;
    struct fix f;

    OM_TRY(fix_init(&f, 0));
    make(&p, 1, UNIX_S);
    OM_TRY(admit(&f, OM_SEC(1), &via, &p).verdict == OM_VERDICT_ADMIT);
    om_responder_remember(&f.r, OM_SEC(1), p.body.p, &copy);
    for (int i = 0; i < OM_COPY_ANSWERS_MAX; i++) {
        a = admit(&f, OM_SEC(1) + i, &via, &p);
        OM_TRY(a.verdict == OM_VERDICT_COPY);
        CHECK_EQ(a.copy->sender, 77);
        a.copy->answers++; /* as the node does when it answers */
    }
    a = admit(&f, OM_SEC(2), &via, &p);
    CHECK_EQ(a.verdict, OM_VERDICT_DROP);
    CHECK_EQ(a.why, OM_DROP_HS_COPY);
    CHECK_EQ(admit(&f, OM_SEC(6) - 1, &via, &p).verdict, OM_VERDICT_DROP);
    CHECK_EQ(admit(&f, OM_SEC(6), &via, &p).verdict, OM_VERDICT_ADMIT); /* known for 5 s */
    make(&p, 2, UNIX_S);
    CHECK_EQ(admit(&f, OM_SEC(2), &via, &p).verdict, OM_VERDICT_ADMIT); /* another msg1 */
out:
    om_responder_fini(&f.r);
}

/* A copy is recognised under load too, and costs neither cookie nor load. */
OM_TEST(responder_knows_copies_under_load)
{
    const struct om_via via = from(0x0a000001, 5);
    const struct om_copy copy = {.sender = 77};
    struct om_handshake_plain p;
    struct fix f;

    OM_TRY(fix_init(&f, 0));
    make(&p, 1, UNIX_S);
    om_responder_remember(&f.r, 0, p.body.p, &copy);
    OM_TRY(load_up(&f, 0));
    OM_TRY(admit(&f, 0, &via, &p).verdict == OM_VERDICT_COPY);
    CHECK_EQ(om_lru_count(&f.r.cookie_ts), 0);
out:
    om_responder_fini(&f.r);
}

OM_TEST(responder_copies_forget_the_least_recent)
{
    const struct om_copy copy = {.sender = 77};
    struct om_handshake_plain p;
    struct fix f;

    OM_TRY(fix_init(&f, 0));
    for (uint32_t i = 0; i <= OM_COPIES_MAX; i++) {
        make(&p, i, UNIX_S);
        om_responder_remember(&f.r, 0, p.body.p, &copy);
    }
    OM_TRY(om_lru_count(&f.r.copies) == OM_COPIES_MAX);
    struct om_via via = from(0x0a000001, 5);
    CHECK_EQ(admit(&f, 0, &via, &p).verdict, OM_VERDICT_COPY);
    make(&p, 0, UNIX_S);
    CHECK_EQ(admit(&f, 0, &via, &p).verdict, OM_VERDICT_ADMIT);
out:
    om_responder_fini(&f.r);
}

OM_TEST(responder_gives_no_second_cookie_for_one_t)
{
    const struct om_via via = from(0x0a000001, 5), other = from(0x0a000002, 5);
    struct om_handshake_plain p;
    struct om_admission a;
    struct fix f;

    OM_TRY(fix_init(&f, 0));
    OM_TRY(load_up(&f, 0));
    make(&p, 1, UNIX_S);
    OM_TRY(admit(&f, 0, &via, &p).verdict == OM_VERDICT_COOKIE);
    a = admit(&f, 0, &via, &p);
    CHECK_EQ(a.verdict, OM_VERDICT_DROP);
    CHECK_EQ(a.why, OM_DROP_HS_LOAD);
    CHECK_EQ(admit(&f, 0, &other, &p).verdict, OM_VERDICT_DROP); /* nor from elsewhere */
    make(&p, 2, UNIX_S);
    OM_TRY(admit(&f, 0, &via, &p).verdict == OM_VERDICT_COOKIE);
out:
    om_responder_fini(&f.r);
}

OM_TEST(responder_gives_no_cookie_for_another_day)
{
    static const struct {
        int64_t off;
        bool cookie;
    } cases[] = {{0, true},     {119, true},   {-119, true},    {121, false},
                 {-121, false}, {3600, false}, {-UNIX_S, false}};
    struct om_handshake_plain p;
    struct fix f;

    OM_TRY(fix_init(&f, 0));
    OM_TRY(load_up(&f, 0));
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct om_via via = from(0x0a000001 + i, 5);
        make(&p, i, (uint32_t)(UNIX_S + cases[i].off));
        struct om_admission a = admit(&f, 0, &via, &p);
        OM_TRY(a.verdict == (cases[i].cookie ? OM_VERDICT_COOKIE : OM_VERDICT_DROP));
        if (!cases[i].cookie)
            CHECK_EQ(a.why, OM_DROP_HS_LOAD);
    }
    /* A clock before 1970 gives no cookies, and does not overflow. */
    make(&p, 99, UINT32_MAX);
    struct om_via via = from(0x0a0000ff, 5);
    CHECK_EQ(om_responder_admit(&f.r, 0, INT64_MIN / 2, &via, &p).verdict, OM_VERDICT_DROP);
out:
    om_responder_fini(&f.r);
}

OM_TEST(responder_cookie_table_full_gives_none)
{
    struct om_handshake_plain p;
    struct fix f;

    OM_TRY(fix_init(&f, 0));
    f.limits.load_per_s = 0; /* always under load */
    om_bucket_init(&f.r.load, 0, 0, 0);
    for (uint32_t i = 0; i < OM_COOKIE_TS_MAX; i++) {
        struct om_via via = from(0x0a000000 + i, 5);
        make(&p, i, UNIX_S);
        OM_TRY(admit(&f, OM_MS(i), &via, &p).verdict == OM_VERDICT_COOKIE);
    }
    const om_time expires = OM_SEC(OM_COOKIE_T_LIFE_S);
    struct om_via via = from(0x0b000001, 5);
    make(&p, 99999, UNIX_S + 240);
    struct om_admission a = admit(&f, expires - 1, &via, &p);
    CHECK_EQ(a.verdict, OM_VERDICT_DROP);
    CHECK_EQ(a.why, OM_DROP_HS_LOAD);
    CHECK_EQ(admit(&f, expires, &via, &p).verdict, OM_VERDICT_COOKIE); /* one place is free */
    make(&p, 99998, UNIX_S + 240);
    CHECK_EQ(admit(&f, expires, &via, &p).verdict, OM_VERDICT_DROP);
    CHECK_EQ(om_lru_count(&f.r.cookie_ts), OM_COOKIE_TS_MAX);
out:
    om_responder_fini(&f.r);
}

/* The T that gives way after 240 s must be too old for a cookie at that very moment. */
OM_TEST(responder_forgotten_t_is_too_old)
{
    struct om_handshake_plain p, first;
    struct fix f;

    OM_TRY(fix_init(&f, 0));
    om_bucket_init(&f.r.load, 0, 0, 0);
    make(&first, 0, UNIX_S + OM_COOKIE_SKEW_S - 1); /* as far ahead as its clock may be */
    for (uint32_t i = 0; i < OM_COOKIE_TS_MAX; i++) {
        struct om_via via = from(0x0a000000 + i, 5);
        make(&p, i, UNIX_S);
        OM_TRY(admit(&f, 0, &via, i == 0 ? &first : &p).verdict == OM_VERDICT_COOKIE);
    }
    struct om_via via = from(0x0b000001, 5);
    make(&p, 99999, UNIX_S + 240);
    CHECK_EQ(admit(&f, OM_SEC(240), &via, &p).verdict, OM_VERDICT_COOKIE); /* in its place */
    for (om_time now = OM_SEC(240); now < OM_SEC(243); now += OM_MS(250))
        CHECK_EQ(admit(&f, now, &via, &first).verdict, OM_VERDICT_DROP);

    /* One second further ahead, and it would have had a second one: so it gets no first. */
    make(&p, 99998, UNIX_S + 240 + OM_COOKIE_SKEW_S);
    via = from(0x0b000002, 5);
    CHECK_EQ(admit(&f, OM_SEC(240), &via, &p).verdict, OM_VERDICT_DROP);
    make(&p, 99997, UNIX_S + 240 + OM_COOKIE_SKEW_S - 1);
    CHECK_EQ(admit(&f, OM_SEC(240), &via, &p).verdict, OM_VERDICT_COOKIE);
out:
    om_responder_fini(&f.r);
}

OM_TEST(responder_sources_forget_the_least_recent)
{
    struct om_handshake_plain p;
    struct fix f;

    OM_TRY(fix_init(&f, 0));
    f.r.load.level = f.r.load.burst = UINT32_MAX;
    make(&p, 1, UNIX_S);
    for (uint32_t i = 0; i < OM_SOURCES_MAX + 10; i++) {
        struct om_via via = from(0x0a000000 + i, 5);
        OM_TRY(om_lru_count(&f.r.sources) <= OM_SOURCES_MAX);
        (void)admit(&f, 0, &via, &p);
    }
    CHECK_EQ(om_lru_count(&f.r.sources), OM_SOURCES_MAX);
out:
    om_responder_fini(&f.r);
}
