/* test_guest_order.c - what a line of the host asks of a guest. */
#include "harness.h"

#include "vm/core/agent.h"
#include "vm/guest/order.h"

static struct guest_order read(const char *line)
{
    return guest_order_read(om_bytes(line, strlen(line)));
}

OM_TEST(order_reads_each_word)
{
    struct guest_order o = read("hello me_1");
    char line[OM_VM_AGENT_ORDER_MAX];

    CHECK_EQ(o.kind, GUEST_HELLO);
    CHECK_STR(o.id, "me_1");
    CHECK_EQ(read("").kind, GUEST_NO_ORDER);
    CHECK_EQ(read("   ").kind, GUEST_NO_ORDER);
    CHECK_EQ(read("cancel  x").kind, GUEST_CANCEL);
    o = read("time a 2000000000");
    CHECK_EQ(o.kind, GUEST_TIME);
    CHECK_EQ(o.number, 2000000000);
    o = read("entropy a 64");
    CHECK(o.kind == GUEST_ENTROPY && o.number == 64 && guest_order_has_body(&o));
    /* What the host's side writes. */
    size_t n = om_vm_agent_run(line, "r", "python", 12);
    o = guest_order_read(om_bytes(line, n - 1));
    CHECK(o.kind == GUEST_RUN && o.number == 12 && guest_order_has_body(&o));
    CHECK_STR(o.language, "python");
    n = om_vm_agent_put(line, "p", 0750, 1 << 30, "/a b/'c'");
    o = guest_order_read(om_bytes(line, n - 1));
    CHECK(o.kind == GUEST_PUT && o.mode == 0750 && o.number == 1 << 30 && guest_order_has_body(&o));
    CHECK_STR(o.path, "/a b/'c'");
    n = om_vm_agent_get(line, "g", "/x");
    o = guest_order_read(om_bytes(line, n - 1));
    CHECK(o.kind == GUEST_GET && !guest_order_has_body(&o));
    CHECK_STR(o.path, "/x");
}

OM_TEST(order_refuses_what_it_does_not_know)
{
    static const struct {
        const char *line, *id, *why;
    } bad[] = {
        {"x", "-", "no name for a job"},
        {"hello ../..", "-", "no name for a job"},
        {"hello -", "-", "no name for a job"},
        {"run aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa sh 0", "-", "no name for a job"},
        {"run a/b sh 0", "-", "no name for a job"},
        {"dance a", "a", "no such word"},
        {"run a", "a", "no length"},
        {"run a sh -1", "a", "no length"},
        {"run a sh 99999999999", "a", "no length"},
        {"put a", "a", "no length"},
        {"entropy a x", "a", "no length"},
        {"time a now", "a", "no time"},
        {"get a", "a", "no name of a file"},
        {"get a !!", "a", "no name of a file"},
        {"get a AA==", "a", "no name of a file"}, /* a zero byte */
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        struct guest_order o = read(bad[i].line);
        CHECK_EQ(o.kind, GUEST_REFUSED);
        CHECK_STR(o.id, bad[i].id);
        CHECK_STR(o.why, bad[i].why);
    }
    /* A name of 32 is one. A language that cannot be is none, and its program is skipped. */
    CHECK_EQ(read("hello aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").kind, GUEST_HELLO);
    struct guest_order o = read("run a abcdefghijklmnopqrstuvwxyz 7");
    CHECK(o.kind == GUEST_RUN && o.number == 7);
    CHECK_STR(o.language, "");
}

OM_TEST(order_paths_begin_at_work)
{
    char line[4096] = "get a ", big[3000];
    struct guest_order o = read("put a 0644 3 YS9i"); /* a/b */

    CHECK_EQ(o.kind, GUEST_PUT);
    CHECK_STR(o.path, "/work/a/b");
    /* Places where no file can be: the body is skipped, and then it is said. */
    CHECK_STR(read("put a 0644 3 YS8=").path, ""); /* a/ */
    CHECK_STR(read("put a rwx 3 YS9i").path, "");
    CHECK_STR(read("put a 0888 3 YS9i").path, "");
    CHECK_STR(read("put a 00644 3 YS9i").path, "");
    CHECK_EQ(read("put a 0644 3").kind, GUEST_PUT);
    memset(big, 'A', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    memcpy(line + 6, big, sizeof big);
    line[6 + 2996] = '\0';
    CHECK_EQ(read(line).kind, GUEST_REFUSED); /* 2247 zero bytes, but too long first */
}
