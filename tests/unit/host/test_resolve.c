/* test_resolve.c - names and addresses. */
#include "harness.h"

#include "host/resolve.h"

struct answer {
    unsigned times, count;
    struct om_addr addrs[OM_RESOLVE_MAX];
    char why[100];
};

static void on_done(void *self, const struct om_addr *addrs, unsigned count, const char *why)
{
    struct answer *a = self;

    a->times++;
    a->count = count;
    memcpy(a->addrs, addrs, count * sizeof *addrs);
    snprintf(a->why, sizeof a->why, "%s", why ? why : "");
}

static struct answer ask(const char *host, bool is_cancelled)
{
    struct answer a = {.times = 0};
    struct om_resolve *r;
    uv_loop_t loop;

    CHECK_EQ(uv_loop_init(&loop), 0);
    enum om_err e = om_resolve(&r, &loop, host, 18002, on_done, &a);
    CHECK(e == OM_OK || e == OM_E_NO_MEM);
    CHECK_EQ(a.times, 0);
    if (e == OM_OK && is_cancelled)
        om_resolve_cancel(r);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&loop), 0);
    return a;
}

OM_TEST(resolve_literals_answer_later_without_the_pool)
{
    const struct om_addr wanted = om_addr_v4(0xc0000201, 18002);
    struct answer a = ask("192.0.2.1", false);

    if (om_test_oom_hit())
        return;
    CHECK_EQ(a.times, 1);
    CHECK_EQ(a.count, 1);
    CHECK(om_addr_equal(&a.addrs[0], &wanted));
    a = ask("2001:db8::1", false);
    CHECK_EQ(a.count, 1);
    CHECK(!om_addr_is_v4(&a.addrs[0]));
}

OM_TEST(resolve_localhost)
{
    struct answer a = ask("localhost", false);

    if (om_test_oom_hit())
        return;
    CHECK(a.count >= 1);
    for (unsigned i = 0; i < a.count; i++)
        CHECK_EQ(om_addr_classify(&a.addrs[i]), OM_ADDR_LOOPBACK);
}

OM_TEST(resolve_unknown_says_why)
{
    struct answer a = ask("no-such-name.invalid", false);

    if (om_test_oom_hit())
        return;
    CHECK_EQ(a.times, 1);
    CHECK_EQ(a.count, 0);
    CHECK(strlen(a.why) > 0);
}

OM_TEST(resolve_cancelled_says_nothing)
{
    CHECK_EQ(ask("192.0.2.1", true).times, 0);
    CHECK_EQ(ask("localhost", true).times, 0);
    if (!om_test_oom_hit())
        CHECK_EQ(ask("192.0.2.1", false).times, 1);
}
