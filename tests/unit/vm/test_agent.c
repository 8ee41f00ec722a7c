/* test_agent.c - what a guest's agent says, and what a guest may say instead. */
#include "harness.h"

#include <stdio.h>

#include "tests/model/dice.h"
#include "vm/core/agent.h"

static struct om_vm_agent a;
static struct om_vm_agent_event e;
static char order[OM_VM_AGENT_ORDER_MAX];

static bool say(const char *text)
{
    return om_vm_agent_input(&a, om_bytes(text, strlen(text))) == OM_OK;
}

static bool is_silent(void)
{
    return !om_vm_agent_next(&a, &e);
}

static bool greet(void)
{
    om_vm_agent_init(&a, 0, "me");
    return say("hello me 1 mini sh,python -\n") && om_vm_agent_next(&a, &e) &&
           e.kind == OM_VM_AGENT_HELLO;
}

OM_TEST(agent_hears_after_the_greeting)
{
    om_vm_agent_init(&a, 0, "me");
    OM_TRY(say("9v\nout j1 Zm9v\nhello you 1 mini sh -\nhello me 2 mini sh -\nexit j1 0\n"));
    CHECK(is_silent() && a.dropped == 5 && !a.is_heard);
    OM_TRY(say("hello - 1 mini sh -\n"));
    CHECK(om_vm_agent_next(&a, &e) && e.kind == OM_VM_AGENT_STARTED && !a.is_heard);
    OM_TRY(say("hello me 1 mi\x1bni sh,python j1,j2\nexit j1 0\n"));
    CHECK(om_vm_agent_next(&a, &e) && e.kind == OM_VM_AGENT_HELLO && a.is_heard);
    CHECK_STR(e.text, "mi\\x1bni");
    CHECK_STR(e.languages, "sh,python");
    CHECK(om_vm_agent_next(&a, &e) && e.kind == OM_VM_AGENT_EXIT);
out:
    om_vm_agent_fini(&a);
}

OM_TEST(agent_reads_what_a_guest_says)
{
    OM_TRY(greet());
    OM_TRY(say("out j-1_a Zm9vAA==\nerr x \nexit x 255\nfail - no such \x1b word\n"));
    CHECK(om_vm_agent_next(&a, &e) && e.kind == OM_VM_AGENT_OUT);
    CHECK_STR(e.id, "j-1_a");
    CHECK(e.bytes.n == 4 && memcmp(e.bytes.p, "foo", 4) == 0);
    CHECK(om_vm_agent_next(&a, &e) && e.kind == OM_VM_AGENT_ERR && e.bytes.n == 0);
    CHECK(om_vm_agent_next(&a, &e) && e.kind == OM_VM_AGENT_EXIT && e.status == 255);
    CHECK(om_vm_agent_next(&a, &e) && e.kind == OM_VM_AGENT_FAIL);
    CHECK_STR(e.text, "no such \\x1b word");
    CHECK_STR(e.id, "-");
    CHECK(is_silent() && a.dropped == 0);
out:
    om_vm_agent_fini(&a);
}

OM_TEST(agent_drops_garbage)
{
    static const char *const rows[] = {"out\n",
                                       "out j1 Zm9\n",
                                       "out j1 Zm9v Zm9v\n",
                                       "out j$1 Zm9v\n",
                                       "exit j1 256\n",
                                       "exit j1 -1\n",
                                       "exit j1\n",
                                       "exit j1 0 0\n",
                                       "exit j1 00000000000\n",
                                       "sudo j1 x\n",
                                       "out  Zm9v\n",
                                       " \n",
                                       "\xff\xff\n",
                                       "exit j1 1e1\n",
                                       "fail\n",
                                       "out aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa Zm9v\n"};

    OM_TRY(greet());
    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        OM_TRY(say(rows[i]));
        CHECK(is_silent());
        CHECK_EQ(a.dropped, i + 1);
    }
    OM_TRY(om_vm_agent_input(&a, om_bytes("out j\0 Zm9v\n\n", 13)) == OM_OK);
    CHECK(is_silent() && a.dropped == OM_ARRAY_SIZE(rows) + 1);
out:
    om_vm_agent_fini(&a);
}

OM_TEST(agent_lines_are_bounded)
{
    static uint8_t many[OM_VM_AGENT_BUFFER];

    memset(many, 'A', sizeof many);
    OM_TRY(greet());
    for (unsigned i = 0; i < 20; i++) {
        size_t room = om_vm_agent_room(&a);
        OM_TRY(om_vm_agent_input(&a, om_bytes(many, room)) == OM_OK);
        CHECK(is_silent());
        CHECK(om_vm_agent_room(&a) >= OM_VM_AGENT_BUFFER - OM_VM_AGENT_LINE_MAX);
    }
    OM_TRY(say("\nexit j1 7\n"));
    CHECK(om_vm_agent_next(&a, &e) && e.status == 7 && a.dropped == 1);
out:
    om_vm_agent_fini(&a);
}

OM_TEST(agent_bytes_may_come_in_any_pieces)
{
    static const char text[] =
        "x\nhello me 1 mini sh -\nout j1 Zm9v\n\nbad\nerr j1 Zm8=\nexit j1 3\n";

    for (size_t piece = 1; piece < sizeof text; piece++) {
        unsigned events = 0, bytes = 0;
        om_vm_agent_init(&a, 0, "me");
        for (size_t at = 0; at < sizeof text - 1; at += piece) {
            size_t left = sizeof text - 1 - at;
            OM_TRY(om_vm_agent_input(&a, om_bytes(text + at, left < piece ? left : piece)) ==
                   OM_OK);
            while (om_vm_agent_next(&a, &e)) {
                events++;
                bytes += (unsigned)e.bytes.n;
            }
        }
        CHECK(events == 4 && bytes == 5 && e.status == 3 && a.dropped == 2);
        om_vm_agent_fini(&a);
    }
out:
    om_vm_agent_fini(&a);
}

OM_TEST(agent_asks_until_answered)
{
    om_vm_agent_init(&a, OM_SEC(5), "me");
    for (unsigned i = 0; i < 3; i++) {
        om_time now = OM_SEC(5 + i);
        CHECK(om_vm_agent_deadline(&a) == now);
        CHECK_EQ(om_vm_agent_hello(&a, now, order), 10);
        CHECK_STR(order, "\nhello me\n");
        CHECK_EQ(om_vm_agent_hello(&a, now, order), 0);
    }
    OM_TRY(say("hello me 1 mini sh -\n"));
    CHECK(om_vm_agent_next(&a, &e) && om_vm_agent_deadline(&a) == OM_NEVER);
out:
    om_vm_agent_fini(&a);
}

OM_TEST(agent_orders_are_one_line)
{
    static char path[OM_VM_AGENT_PATH_MAX + 1];

    CHECK_EQ(om_vm_agent_run(order, "j1", "sh", 12), strlen("run j1 sh 12\n"));
    CHECK_STR(order, "run j1 sh 12\n");
    size_t n = om_vm_agent_put(order, "j2", 0755, 1ULL << 30, "a b\n");
    CHECK_EQ(n, strlen(order));
    CHECK_STR(order, "put j2 0755 1073741824 YSBiCg==\n");
    n = om_vm_agent_get(order, "j3", "/out\nput x");
    CHECK_EQ(n, strlen(order));
    CHECK_STR(order, "get j3 L291dApwdXQgeA==\n");
    n = om_vm_agent_cancel(order, "j1");
    CHECK_EQ(n, strlen(order));
    CHECK_STR(order, "cancel j1\n");
    memset(path, 'x', OM_VM_AGENT_PATH_MAX);
    n = om_vm_agent_put(order, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 07777, UINT64_MAX, path);
    CHECK(n < OM_VM_AGENT_ORDER_MAX && strlen(order) == n && strchr(order, '\n') == order + n - 1);
}

OM_TEST(agent_ends_what_was_left)
{
    char out[64];

    om_vm_agent_init(&a, 0, "me");
    OM_TRY(say("hello - 1 mini sh j0\nhello me 1 mini sh j1,j2\nhello me 1 mini sh j3\n"));
    CHECK(om_vm_agent_next(&a, &e) && e.kind == OM_VM_AGENT_STARTED);
    CHECK(om_vm_agent_next(&a, &e) && e.kind == OM_VM_AGENT_HELLO);
    CHECK_EQ(om_vm_agent_left(out, sizeof out, e.jobs), 20);
    CHECK_MEM(out, "cancel j1\ncancel j2\n", 20);
    /* One that is answered twice has jobs of ours by then. */
    CHECK(om_vm_agent_next(&a, &e) && e.kind == OM_VM_AGENT_HELLO && e.jobs.n == 0);
    CHECK_EQ(om_vm_agent_left(out, sizeof out, om_bytes("-", 1)), 0);
    CHECK_EQ(om_vm_agent_left(out, sizeof out, om_bytes("a b,,-,c/d,e", 12)), 9);
    CHECK_MEM(out, "cancel e\n", 9);
    CHECK_EQ(om_vm_agent_left(out, 19, om_bytes("j1,j2", 5)), 10);
out:
    om_vm_agent_fini(&a);
}
