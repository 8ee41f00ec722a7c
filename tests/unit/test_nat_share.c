/* test_nat_share.c - ports that two destinations saw, and who says so. */
#include "harness.h"

#include "path/nat_share.h"

static const struct om_addr outside = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 80, 0, 0, 1}, 0};

static bool say(struct om_nat_share *r, unsigned who, unsigned socket, unsigned port)
{
    struct om_nat_sample s = {.peer = {{(uint8_t)(who + 1)}},
                              .local = om_addr_v4(0x0a000002, (uint16_t)socket),
                              .to = om_addr_v4(0x05000001 + 256 * who, 7000),
                              .seen = outside};

    s.seen.port = (uint16_t)port;
    return om_nat_share_word(r, &s);
}

OM_TEST(share_is_shown_by_coincidence)
{
    struct om_nat_share r;

    om_nat_share_init(&r, outside.ip);
    CHECK(say(&r, 0, 1, 5000) && say(&r, 1, 2, 5000));
    CHECK_EQ(om_nat_share_judge(&r, 512), OM_NAT_REUSE_UNKNOWN); /* one of the two may lie */
    CHECK(say(&r, 2, 3, 5001) && say(&r, 3, 4, 5001));
    CHECK_EQ(om_nat_share_judge(&r, 512), OM_NAT_REUSED);

    om_nat_share_init(&r, outside.ip); /* one socket, one port: that is no sharing */
    for (unsigned who = 0; who < 6; who++)
        CHECK(say(&r, who, 1, 5000));
    CHECK_EQ(om_nat_share_judge(&r, 512), OM_NAT_REUSE_UNKNOWN);
}

OM_TEST(share_missing_is_exclusive)
{
    struct om_nat_share r;
    unsigned port = 5000;

    om_nat_share_init(&r, outside.ip);
    for (unsigned socket = 0; socket < 20; socket++) {
        for (unsigned who = 0; who < 3; who++)
            CHECK(say(&r, who, socket, port++));
        if (socket < 10)
            CHECK_EQ(om_nat_share_judge(&r, 512), OM_NAT_REUSE_UNKNOWN);
    }
    CHECK_EQ(om_nat_share_judge(&r, 380), OM_NAT_EXCLUSIVE);
    CHECK_EQ(om_nat_share_judge(&r, 2048), OM_NAT_REUSE_UNKNOWN); /* chance would explain it */
    CHECK(say(&r, 0, 99, 5004)); /* and one who says otherwise, once */
    CHECK_EQ(om_nat_share_judge(&r, 380), OM_NAT_REUSE_UNKNOWN);
}

OM_TEST(share_takes_three_witnesses)
{
    struct om_nat_share r;

    om_nat_share_init(&r, outside.ip);
    for (unsigned i = 0; i < 20; i++)
        CHECK(say(&r, i & 1, i, 5000 + i / 2));
    CHECK_EQ(om_nat_share_judge(&r, 512), OM_NAT_REUSE_UNKNOWN);
    CHECK(say(&r, 2, 30, 5000)); /* with the first and the second */
    CHECK_EQ(om_nat_share_judge(&r, 512), OM_NAT_REUSED);
}

OM_TEST(share_one_liar_shows_nothing)
{
    struct om_nat_share r;
    unsigned port = 5000;

    om_nat_share_init(&r, outside.ip);
    for (unsigned socket = 0; socket < 40; socket++) {
        for (unsigned who = 0; who < 4; who++)
            CHECK(say(&r, who, socket, port++));
        CHECK(say(&r, 7, socket, port - 7)); /* repeats what others saw */
    }
    CHECK_EQ(om_nat_share_judge(&r, 512), OM_NAT_REUSE_UNKNOWN);
}

OM_TEST(share_range_is_not_one_liars)
{
    uint16_t first = 1, last = 2;
    struct om_nat_share r;

    om_nat_share_init(&r, outside.ip);
    for (unsigned i = 0; i < 40; i++)
        CHECK(say(&r, 0, i, 5000 + 10 * i));
    CHECK(!om_nat_share_range(&r, &first, &last)); /* one witness */
    CHECK(first == 1 && last == 2);
    for (unsigned i = 0; i < 40; i++)
        CHECK(say(&r, 1, i, 5003 + 10 * i));
    CHECK(om_nat_share_range(&r, &first, &last));
    CHECK(first == 5003 && last == 5390);
    CHECK(say(&r, 2, 0, 40) && say(&r, 2, 1, 60000));
    CHECK(om_nat_share_range(&r, &first, &last));
    CHECK(first == 5000 && last == 5393);
}

OM_TEST(share_counts_a_flow_once)
{
    struct om_nat_share r;
    struct om_nat_sample s = {.peer = {{9}}, .seen = outside};

    om_nat_share_init(&r, outside.ip);
    CHECK(say(&r, 0, 1, 5000));
    CHECK(!say(&r, 0, 1, 5000) && !say(&r, 0, 1, 5001));
    s.to = om_addr_v4(0x05000001, 7001); /* another key at the same address: the same witness */
    s.seen.port = 5000;
    CHECK(om_nat_share_word(&r, &s));
    CHECK_EQ(r.witnesses, 1);
    s.seen = om_addr_v4(0x50000002, 5000); /* another outside address */
    s.to.port++;
    CHECK(!om_nat_share_word(&r, &s));
    CHECK(!say(&r, 3, 3, 0));
    CHECK_EQ(r.count, 2);
}

OM_TEST(share_full_takes_no_more)
{
    struct om_nat_share r;
    unsigned taken = 0;

    om_nat_share_init(&r, outside.ip);
    for (unsigned who = 0; who < 20; who++)
        taken += say(&r, who, who, 5000 + who);
    CHECK(taken == OM_SHARE_WITNESSES_MAX && r.witnesses == OM_SHARE_WITNESSES_MAX);
    for (unsigned i = 0; i < 400; i++)
        taken += say(&r, i % 8, 100 + i, 5000);
    CHECK(taken == OM_SHARE_WORDS_MAX && r.count == OM_SHARE_WORDS_MAX);
    CHECK(om_nat_share_flows(512) == 128 && om_nat_share_flows(8192) == OM_SHARE_WORDS_MAX);
}
