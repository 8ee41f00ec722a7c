/* test_pace.c - machines in a row, by one peer and by many. */
#include "harness.h"

#include "vm/core/pace.h"

static struct om_vm_pace pace;
static struct om_error err;
static bool is_news;

static struct om_id peer(uint16_t n)
{
    return (struct om_id){{(uint8_t)n, (uint8_t)(n >> 8), 1}};
}

static bool takes(uint16_t n, om_time now)
{
    struct om_id p = peer(n);

    return om_vm_pace_take(&pace, &p, now, &is_news, &err) == OM_OK;
}

/* How many @n gets at @now. */
static unsigned burst(uint16_t n, om_time now)
{
    unsigned got = 0;

    while (got < 100 && takes(n, now))
        got++;
    return got;
}

OM_TEST(pace_allows_a_burst_then_a_rate)
{
    om_time now = OM_SEC(1000);

    pace = (struct om_vm_pace){.count = 0};
    CHECK_EQ(burst(1, now), OM_VM_PACE_BURST);
    CHECK_EQ(err.code, OM_E_FULL);
    CHECK_STR(err.msg,
              "you ask for virtual machines too fast (12 at once, then one each 10 s): wait 10 s");
    now += OM_SEC(OM_VM_PACE_S) - 1;
    CHECK(!takes(1, now));
    CHECK(strstr(err.msg, ": wait 1 s") != NULL);
    CHECK(takes(1, now + 1));
    CHECK(!takes(1, now + 1));
    CHECK_EQ(burst(1, now + OM_SEC(35)), 3);
    CHECK_EQ(burst(1, now + OM_SEC(3600)), OM_VM_PACE_BURST);
}

OM_TEST(pace_of_one_peer_is_not_anothers)
{
    pace = (struct om_vm_pace){.count = 0};
    CHECK_EQ(burst(1, OM_SEC(5)), OM_VM_PACE_BURST);
    CHECK_EQ(burst(2, OM_SEC(5)), OM_VM_PACE_BURST);
    CHECK(!takes(1, OM_SEC(5)) && !takes(2, OM_SEC(5)));
}

OM_TEST(pace_tells_once)
{
    om_time now = OM_SEC(5);

    pace = (struct om_vm_pace){.count = 0};
    CHECK_EQ(burst(1, now), OM_VM_PACE_BURST);
    CHECK(is_news);
    CHECK(!takes(1, now) && !is_news);
    now += OM_SEC(OM_VM_PACE_S);
    CHECK_EQ(burst(1, now), 1);
    CHECK(!is_news);
    now += OM_SEC(OM_VM_PACE_S * OM_VM_PACE_BURST); /* calm again */
    CHECK_EQ(burst(1, now), OM_VM_PACE_BURST);
    CHECK(is_news);
}

OM_TEST(pace_full_table_forgets_who_asked_least)
{
    om_time now = OM_SEC(5);

    pace = (struct om_vm_pace){.count = 0};
    for (unsigned i = 0; i < OM_VM_PACE_PEERS; i++)
        if (i != 7)
            CHECK_EQ(burst((uint16_t)i, now), OM_VM_PACE_BURST);
    CHECK(takes(7, now)); /* the last place */
    CHECK_EQ(burst(9999, now), OM_VM_PACE_BURST);
    CHECK_EQ(pace.count, OM_VM_PACE_PEERS);
    CHECK(!takes(0, now) && !takes(9999, now));
    CHECK_EQ(burst(7, now), OM_VM_PACE_BURST); /* forgotten; in whose place it is again */
    CHECK_EQ(pace.count, OM_VM_PACE_PEERS);
}
