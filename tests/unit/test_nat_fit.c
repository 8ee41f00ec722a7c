/* test_nat_fit.c - samples of routers of every kind, straight, noisy and with liars among them. */
#include "harness.h"

#include "path/nat_fit.h"

enum { OUTSIDE = 0x51020304, HOME = 0x0a000002, SOCKET = 40000 };

struct table {
    struct om_nat_sample s[OM_NAT_SAMPLES_MAX];
    unsigned n;
};

/* Peer @who at its own address, port 7000, saw socket @socket as @port. */
static struct om_nat_sample *saw(struct table *t, unsigned who, unsigned socket, unsigned port)
{
    struct om_nat_sample *s = &t->s[t->n++];

    *s = (struct om_nat_sample){
        .peer = {{(uint8_t)(who + 1)}},
        .local = om_addr_v4(HOME, (uint16_t)socket),
        .to = om_addr_v4(0x05000001 + 256 * who, 7000),
        .seen = om_addr_v4(OUTSIDE, (uint16_t)port),
        .at = OM_MS(20 * t->n),
    };
    return s;
}

static void saw_all(struct table *t, const uint16_t *ports, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        saw(t, i, SOCKET, ports[i]);
}

OM_TEST(fit_open)
{
    struct table t = {0};
    struct om_nat_fit f;

    om_nat_fit(&f, t.s, 0);
    CHECK_EQ(f.class, OM_NAT_UNKNOWN);
    saw(&t, 0, SOCKET, SOCKET)->seen = t.s[0].local;
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_UNKNOWN); /* one destination says nothing */
    saw(&t, 1, SOCKET, SOCKET)->seen = t.s[0].local;
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_OPEN);
    CHECK(f.is_believed && f.is_preserved);
    CHECK_STR(om_nat_class_name(f.class), "open");
    CHECK_STR(om_nat_class_name((enum om_nat_class)99), "unknown");
}

OM_TEST(fit_nameless_sockets)
{
    static const struct om_addr nameless = {.ip = {[10] = 0xff, [11] = 0xff}, .port = 1};
    struct table t = {0};
    struct om_nat_fit f;

    CHECK(om_nat_is_nameless(&nameless));
    for (unsigned who = 0; who < 2; who++) {
        saw(&t, who, SOCKET, SOCKET);
        saw(&t, who, 0, 50000)->local = nameless; /* its own port need not be known */
    }
    om_nat_fit(&f, t.s, t.n);
    CHECK(f.class == OM_NAT_EIM && f.is_believed && f.is_preserved);
    t.s[0].local = t.s[2].local = (struct om_addr){.ip = {[10] = 0xff, [11] = 0xff}, .port = 2};
    om_nat_fit(&f, t.s, t.n);
    CHECK(f.class == OM_NAT_EIM && !f.is_preserved); /* nothing says so */
}

OM_TEST(fit_eim_many_sockets)
{
    struct table t = {0};
    struct om_nat_fit f;

    for (unsigned who = 0; who < 4; who++) {
        saw(&t, who, SOCKET, 20330);
        saw(&t, who, SOCKET + 1, 20007);
        saw(&t, who, SOCKET + 2, SOCKET + 2);
    }
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_EIM);
    CHECK(f.is_believed && !f.is_preserved && f.outliers == 0 && f.witnesses == 4);
    CHECK(f.confidence > 90);
    CHECK_MEM(f.outside, t.s[0].seen.ip, 16);

    /* Sockets of which each was seen once say nothing, however near their ports. */
    t.n = 0;
    for (unsigned i = 0; i < 12; i++)
        saw(&t, i, SOCKET + i, SOCKET + i);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_UNKNOWN);
    CHECK(!f.is_believed);
}

OM_TEST(fit_stride_up_and_down)
{
    static const int steps[] = {1, -1, 2, -2, 8, -5};
    struct om_nat_fit f;

    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct table t = {0};
        for (unsigned who = 0; who < 6; who++)
            saw(&t, who, SOCKET, (unsigned)(30000 + steps[i] * (int)who));
        om_nat_fit(&f, t.s, t.n);
        CHECK_EQ(f.class, OM_NAT_STRIDE);
        CHECK_EQ(f.stride, steps[i]);
        CHECK_EQ(f.skip, 1);
        CHECK_EQ(f.last, 30000 + steps[i] * 5);
        CHECK(f.is_believed && f.outliers == 0);
    }
}

OM_TEST(fit_stride_skips_and_wraps)
{
    static const uint16_t busy[] = {30000, 30002, 30012, 30014, 30020, 30040, 30042};
    static const uint16_t wraps[] = {2044, 2045, 2046, 2047, 1024, 1025, 1026, 1028};
    static const uint16_t twice[] = {2044, 2045, 1024, 1025, 2047, 2048, 1026, 1028};
    struct table t = {0};
    struct om_nat_fit f;

    saw_all(&t, busy, 7);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_STRIDE);
    CHECK_EQ(f.stride, 2);
    CHECK_EQ(f.skip, 10);
    t.n = 0;
    saw_all(&t, wraps, 8);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_STRIDE);
    CHECK_EQ(f.stride, 1);
    CHECK_EQ(f.last, 1028);
    t.n = 0;
    saw_all(&t, twice, 8);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_BLOCK);
}

OM_TEST(fit_block_and_random)
{
    static const uint16_t block[] = {20330, 20007, 20511, 20160, 20404, 20099, 20275, 20222};
    static const uint16_t wide[] = {9806, 58856, 33001, 1500, 47123, 22222, 60111, 15003};
    struct table t = {0};
    struct om_nat_fit f;

    saw_all(&t, block, 5);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_UNKNOWN); /* too few to tell */
    t.n = 0;
    saw_all(&t, block, 8);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_BLOCK);
    CHECK(f.is_believed && f.is_uniform && f.confidence >= 70);
    CHECK(f.first_port <= 20000 && f.first_port > 19850);
    CHECK(f.last_port >= 20511 && f.last_port < 20650);
    t.n = 0;
    saw_all(&t, wide, 8);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_RANDOM);
    CHECK(f.is_believed && f.outliers == 0);
}

OM_TEST(fit_block_knows_reuse)
{
    static const uint16_t block[] = {20330, 20007, 20511, 20160, 20404, 20099, 20275, 20330};
    struct table t = {0};
    struct om_nat_fit f;

    saw_all(&t, block, 7);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.reuse, OM_NAT_REUSE_UNKNOWN); /* 21 pairs in 512 ports */
    t.n = 0;
    saw_all(&t, block, 8);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_BLOCK);
    CHECK_EQ(f.reuse, OM_NAT_REUSED);
    t.n = 0;
    for (unsigned i = 0; i < 32; i++)
        saw(&t, i, SOCKET, 20000 + i * 13 % 32);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_BLOCK);
    CHECK_EQ(f.reuse, OM_NAT_EXCLUSIVE); /* 496 pairs in 34 ports */
}

/* Two ports of one destination through one mapping are one flow. */
OM_TEST(fit_sees_address_dependence)
{
    static const uint16_t ports[] = {9806, 58856, 33001, 1500, 47123, 22222};
    struct table t = {0};
    struct om_nat_fit f;

    for (unsigned who = 0; who < 6; who++) {
        saw(&t, who, SOCKET, ports[who]);
        saw(&t, who, SOCKET, ports[who])->to.port = 7001;
    }
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_RANDOM);
    CHECK(f.is_per_address);
    CHECK_EQ(f.reuse, OM_NAT_REUSE_UNKNOWN);
    for (unsigned i = 1; i < t.n; i += 2)
        t.s[i].seen.port ^= 5;
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_RANDOM);
    CHECK(!f.is_per_address);
}

OM_TEST(fit_needs_two_witnesses)
{
    struct table t = {0};
    struct om_nat_fit f;

    saw(&t, 0, SOCKET, 20330);
    saw(&t, 0, SOCKET, 20330)->to = om_addr_v4(0x06000001, 7000);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_EIM);
    CHECK(!f.is_believed && f.confidence <= 40);
    saw(&t, 1, SOCKET, 20330);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, OM_NAT_EIM);
    CHECK(f.is_believed);
}

/* Many keys at one address, or one key at many, are one witness. */
OM_TEST(fit_counts_one_machine_once)
{
    struct table t = {0};
    struct om_nat_fit f;

    for (unsigned who = 0; who < 5; who++)
        saw(&t, who, SOCKET, 20330)->to = om_addr_v4(0x05000001, (uint16_t)(7000 + who));
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.witnesses, 1);
    CHECK(!f.is_believed);
    saw(&t, 4, SOCKET, 20330); /* known from there already */
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.witnesses, 1);
    CHECK(!f.is_believed);
    saw(&t, 5, SOCKET, 20330);
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.witnesses, 2);
    CHECK(f.is_believed);
}

/* The fit of @t stays what it is when peer @liar says @lie. */
static void check_liar(const struct table *honest, unsigned liar, struct om_addr lie)
{
    struct om_nat_fit was, f;
    struct table t = *honest;

    om_nat_fit(&was, t.s, t.n);
    CHECK(was.is_believed);
    saw(&t, liar, SOCKET, 1)->seen = lie;
    om_nat_fit(&f, t.s, t.n);
    CHECK_EQ(f.class, was.class);
    CHECK(f.is_believed);
    CHECK_EQ(f.outliers, 1);
    CHECK_MEM(f.outside, was.outside, 16);
    CHECK_EQ(f.stride, was.stride);
    CHECK_EQ(f.last, was.last);
    CHECK(f.confidence < was.confidence);
}

OM_TEST(fit_one_liar_changes_nothing)
{
    static const uint16_t block[] = {20330, 20007, 20511, 20160, 20404, 20099, 20275, 20222};
    struct table eim = {0}, stride = {0}, blocks = {0};
    struct om_nat_fit f;

    for (unsigned who = 0; who < 3; who++)
        saw(&eim, who, SOCKET, 20330);
    for (unsigned who = 0; who < 6; who++)
        saw(&stride, who, SOCKET, 30000 + 2 * who);
    saw_all(&blocks, block, 8);
    check_liar(&eim, 20, om_addr_v4(OUTSIDE, 5));
    check_liar(&eim, 20, om_addr_v4(0x08080808, 20330));
    check_liar(&stride, 20, om_addr_v4(OUTSIDE, 5));
    check_liar(&stride, 20, om_addr_v4(OUTSIDE, 29990));
    check_liar(&stride, 20, om_addr_v4(0x08080808, 30014));
    check_liar(&blocks, 20, om_addr_v4(OUTSIDE, 60000));
    check_liar(&blocks, 20, om_addr_v4(0x08080808, 20100));

    /* Two that agree and one that does not: it may be the liar's copy of another's port. */
    eim.n = 2;
    saw(&eim, 20, SOCKET, 5);
    om_nat_fit(&f, eim.s, eim.n);
    CHECK(!f.is_believed);
}

OM_TEST(fit_pooled_addresses)
{
    struct table t = {0};
    struct om_nat_fit f;

    for (unsigned who = 0; who < 8; who++)
        saw(&t, who, SOCKET, 20330)->seen.ip[15] ^= (uint8_t)(who % 4 == 3);
    om_nat_fit(&f, t.s, t.n);
    CHECK(f.is_pooled);
    CHECK_EQ(f.class, OM_NAT_EIM);
    CHECK_MEM(f.outside, t.s[0].seen.ip, 16);
    CHECK_EQ(f.outliers, 2);
}
