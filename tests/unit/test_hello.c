/* test_hello.c - LAN hellos: groups, bodies, pace, and what is acted on. */
#include "harness.h"

#include <omerta/wire.h>

#include "gossip/hello.h"

static const struct om_id network = {{7}}, other_network = {{8}};
static const uint8_t sip[OM_SIP_KEY] = {9};

/* The first usable key from @n on: half of all seeds give one. */
static struct om_identity identity(uint32_t n)
{
    uint8_t seed[32] = {0};
    struct om_identity self;

    do {
        om_store32(seed, n);
        n += 1 << 16;
    } while (om_identity_from_seed(&self, seed) != OM_OK);
    return self;
}

static struct om_addr lan_addr(unsigned host)
{
    return om_addr_v4(UINT32_C(0xc0a80100) + host, 4433);
}

/* One that says it is at lan_addr(@host). */
static size_t make(const struct om_identity *self, uint64_t time_ms, unsigned host,
                   uint8_t out[static OM_HELLO_BODY_MAX])
{
    struct om_hello h = {.time_ms = time_ms, .count = 1};

    h.addrs[0] = lan_addr(host);
    return om_hello_encode(&h, self, &network, out);
}

static enum om_hello_verdict judge(struct om_hello_ear *e, struct om_hello_budget *b, om_time now,
                                   struct om_bytes body, unsigned host)
{
    static const struct om_id self = {{1}};
    const struct om_hello_heard in = {body, lan_addr(host), &self, &network};
    struct om_hello out;

    return om_hello_judge(e, b, now, &in, &out);
}

/* For the secret 00 01 .. 1f: KDF(secret, "lan") by Python: 24a845 bccb5f4e 703c ... */
OM_TEST(hello_group_follows_from_the_secret)
{
    char text[OM_ADDR_TEXT];
    struct om_epoch e, f;
    uint8_t secret[32];

    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)i;
    om_epoch_derive(&e, 7, secret);
    struct om_addr v4 = om_hello_group(&e, false), v6 = om_hello_group(&e, true);
    CHECK_STR(om_addr_print(&v4, text), "239.36.168.69:61500");
    CHECK_STR(om_addr_print(&v6, text), "[ff02::bccb:5f4e]:61500");
    CHECK_EQ(om_addr_classify(&v4), OM_ADDR_MULTICAST);
    CHECK_EQ(om_addr_classify(&v6), OM_ADDR_MULTICAST);
    secret[0] ^= 1;
    om_epoch_derive(&f, 7, secret);
    struct om_addr w4 = om_hello_group(&f, false), w6 = om_hello_group(&f, true);
    CHECK(!om_addr_equal(&v4, &w4) && !om_addr_equal(&v6, &w6));
    for (unsigned i = 0; i < 256; i++) {
        secret[1] = (uint8_t)i;
        om_epoch_derive(&f, 7, secret);
        w4 = om_hello_group(&f, false);
        w6 = om_hello_group(&f, true);
        CHECK(w4.port >= OM_HELLO_PORT && w4.port == w6.port);
        CHECK(w4.ip[12] == 239 && w6.ip[0] == 0xff && w6.ip[1] == 2 && w6.ip[12] >= 0x80);
    }
}

OM_TEST(hello_round_trips)
{
    const struct om_identity self = identity(1);
    uint8_t bytes[OM_HELLO_BODY_MAX];

    for (unsigned n = 0; n <= OM_HELLO_ADDRS_MAX; n++) {
        struct om_hello h = {.time_ms = UINT64_C(0xfffffffffff0) + n, .count = n}, back;
        for (unsigned i = 0; i < n; i++)
            h.addrs[i] = lan_addr(i);
        size_t len = om_hello_encode(&h, &self, &network, bytes);
        CHECK_EQ(len, 32 + 6 + 1 + 18 * n + 64);
        CHECK_OK(om_hello_decode(&back, om_bytes(bytes, len)));
        CHECK(om_id_equal(&back.id, &self.id));
        CHECK_EQ(back.time_ms, h.time_ms);
        CHECK_EQ(back.count, n);
        for (unsigned i = 0; i < n; i++)
            CHECK(om_addr_equal(&back.addrs[i], &h.addrs[i]));
    }
}

OM_TEST(hello_refuses_malformed_bodies)
{
    const struct om_identity self = identity(1);
    uint8_t bytes[OM_HELLO_BODY_MAX + 1] = {0};
    struct om_hello h = {.count = OM_HELLO_ADDRS_MAX}, out;

    size_t len = om_hello_encode(&h, &self, &network, bytes);
    CHECK_EQ(len, OM_HELLO_BODY_MAX);
    CHECK_OK(om_hello_decode(&out, om_bytes(bytes, len)));
    CHECK_ERR(om_hello_decode(&out, om_bytes(bytes, len + 1)), OM_E_PARSE);
    for (size_t i = 0; i < len; i++)
        CHECK_ERR(om_hello_decode(&out, om_bytes(bytes, i)), OM_E_PARSE);
    for (unsigned n = 0; n < 256; n++) {
        bytes[38] = (uint8_t)n;
        CHECK_EQ(om_hello_decode(&out, om_bytes(bytes, len)) == OM_OK, n == OM_HELLO_ADDRS_MAX);
    }
}

OM_TEST(hello_signature_binds_every_part)
{
    const struct om_identity self = identity(1);
    const struct om_id us = {{1}};
    uint8_t bytes[OM_HELLO_BODY_MAX];
    struct om_hello_budget b;
    struct om_hello_ear e;
    struct om_hello out;

    CHECK_OK(om_hello_ear_init(&e, sip));
    size_t len = make(&self, 1000, 1, bytes);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        om_hello_budget_init(&b, 0);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        OM_TRY(judge(&e, &b, 0, om_bytes(bytes, len), 1) != OM_HELLO_GOOD);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    struct om_hello_heard in = {om_bytes(bytes, len), lan_addr(1), &us, &other_network};
    CHECK_EQ(om_hello_judge(&e, &b, 0, &in, &out), OM_HELLO_FORGED);
    CHECK_EQ(om_lru_count(&e.heard), 0); /* nothing of it was remembered */
    OM_TRY(judge(&e, &b, 0, om_bytes(bytes, len), 1) == OM_HELLO_GOOD);
out:
    om_hello_ear_fini(&e);
}

OM_TEST(hello_is_sent_thrice_then_each_minute)
{
    struct om_hello_pace p = {0};
    unsigned sent = 0;

    om_hello_pace_stop(&p);
    CHECK(!om_hello_pace_due(&p, OM_SEC(1000)));
    om_hello_pace_start(&p, OM_SEC(5));
    for (om_time now = 0; now <= OM_SEC(200); now += OM_MS(100)) {
        if (!om_hello_pace_due(&p, now))
            continue;
        const om_time want[] = {OM_SEC(5),  OM_SEC(6),   OM_SEC(7),
                                OM_SEC(67), OM_SEC(127), OM_SEC(187)};
        CHECK(sent < OM_ARRAY_SIZE(want) && now == want[sent]);
        sent++;
    }
    CHECK_EQ(sent, 6);
    om_hello_pace_start(&p, OM_SEC(201)); /* another link: from the start */
    CHECK(om_hello_pace_due(&p, OM_SEC(201)));
    CHECK_EQ(p.next, OM_SEC(202));
    om_hello_pace_stop(&p);
    CHECK(!om_hello_pace_due(&p, OM_SEC(300)));
}

OM_TEST(hello_acts_once_on_what_is_new_near_and_signed)
{
    const struct om_identity self = identity(1), stranger = identity(2);
    uint8_t first[OM_HELLO_BODY_MAX], second[OM_HELLO_BODY_MAX];
    size_t n = make(&self, 1000, 1, first), m = make(&self, 1001, 1, second);
    const struct om_bytes old = om_bytes(first, n), new = om_bytes(second, m);
    const struct om_hello_heard ours = {old, lan_addr(1), &self.id, &network};
    struct om_hello_budget b;
    struct om_hello_ear e;
    struct om_hello out;

    CHECK_OK(om_hello_ear_init(&e, sip));
    om_hello_budget_init(&b, 0);
    CHECK(!om_hello_may_act(&e, &b, 0, &self.id));
    CHECK_EQ(judge(&e, &b, 0, old, 2), OM_HELLO_SOURCE);
    CHECK_EQ(om_hello_judge(&e, &b, 0, &ours, &out), OM_HELLO_OWN);
    CHECK_EQ(judge(&e, &b, 0, om_bytes(first, 10), 1), OM_HELLO_FORM);
    CHECK_EQ(om_lru_count(&e.heard), 0);
    OM_TRY(judge(&e, &b, 0, old, 1) == OM_HELLO_GOOD);
    CHECK(om_hello_may_act(&e, &b, 0, &self.id));
    CHECK_EQ(judge(&e, &b, OM_SEC(100), old, 1), OM_HELLO_OLD);
    CHECK_EQ(judge(&e, &b, OM_SEC(100), new, 1), OM_HELLO_GOOD);
    CHECK_EQ(judge(&e, &b, OM_SEC(100), old, 1), OM_HELLO_OLD);
    CHECK_EQ(judge(&e, &b, OM_SEC(100), new, 1), OM_HELLO_OLD);
    n = make(&stranger, 1, 1, first); /* another key has its own time */
    OM_TRY(judge(&e, &b, OM_SEC(100), om_bytes(first, n), 1) == OM_HELLO_GOOD);
out:
    om_hello_ear_fini(&e);
}

OM_TEST(hello_acts_seldom)
{
    struct om_identity self[OM_HELLO_STARTS_PER_S + 1];
    uint8_t bytes[OM_HELLO_BODY_MAX];
    struct om_hello_budget b;
    struct om_hello_ear e;
    unsigned i;

    CHECK_OK(om_hello_ear_init(&e, sip));
    om_hello_budget_init(&b, 0);
    for (i = 0; i <= OM_HELLO_STARTS_PER_S; i++) { /* one more than starts allowed at once */
        self[i] = identity(i);
        size_t n = make(&self[i], 1, i, bytes);
        OM_TRY(judge(&e, &b, 0, om_bytes(bytes, n), i) == OM_HELLO_GOOD);
        CHECK_EQ(om_hello_may_act(&e, &b, 0, &self[i].id), i < OM_HELLO_STARTS_PER_S);
    }
    CHECK(om_hello_may_act(&e, &b, OM_MS(100), &self[i - 1].id));
    CHECK(!om_hello_may_act(&e, &b, OM_SEC(30) - 1, &self[0].id));
    CHECK(om_hello_may_act(&e, &b, OM_SEC(30), &self[0].id));
    CHECK(!om_hello_may_act(&e, &b, OM_SEC(30) + 1, &self[0].id));

    om_hello_budget_init(&b, OM_SEC(60)); /* forged ones cost us a hundred checks, then nothing */
    size_t n = make(&self[0], 2, 0, bytes);
    bytes[n - 1] ^= 1;
    for (i = 0; i < OM_HELLO_CHECKS_PER_S; i++)
        CHECK_EQ(judge(&e, &b, OM_SEC(60), om_bytes(bytes, n), 0), OM_HELLO_FORGED);
    CHECK_EQ(judge(&e, &b, OM_SEC(60), om_bytes(bytes, n), 0), OM_HELLO_RATE);
    bytes[n - 1] ^= 1;
    CHECK_EQ(judge(&e, &b, OM_SEC(60), om_bytes(bytes, n), 0), OM_HELLO_RATE);
    CHECK_EQ(judge(&e, &b, OM_SEC(61), om_bytes(bytes, n), 0), OM_HELLO_GOOD);
out:
    om_hello_ear_fini(&e);
}

OM_TEST(hello_memory_of_keys_is_bounded)
{
    uint8_t bytes[OM_HELLO_BODY_MAX];
    struct om_hello_budget b;
    struct om_hello_ear e;

    CHECK_OK(om_hello_ear_init(&e, sip));
    om_hello_budget_init(&b, 0);
    for (unsigned i = 0; i < OM_HELLO_KEYS_MAX + 20; i++) {
        const struct om_identity self = identity(i);
        size_t n = make(&self, 1, 1, bytes);
        OM_TRY(judge(&e, &b, OM_SEC(i), om_bytes(bytes, n), 1) == OM_HELLO_GOOD);
    }
    CHECK_EQ(om_lru_count(&e.heard), OM_HELLO_KEYS_MAX);
out:
    om_hello_ear_fini(&e);
}
