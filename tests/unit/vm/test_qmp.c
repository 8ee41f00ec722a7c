/* test_qmp.c - a conversation with QEMU, and what a liar in its place could say. */
#include "harness.h"

#include "vm/core/qmp.h"

/* Without json_hook.h: jansson 2.14 reads on where it finds no memory for a text's end, so that its
 * parser cannot be tested so. What it holds is watched by the leak sanitizer. */
#define GREETING                                                                                   \
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7},"              \
    " \"package\": \"x\"}, \"capabilities\": [\"oob\"]}}\r\n"

static void say(struct om_vm_qmp *q, const char *text)
{
    om_vm_qmp_input(q, om_bytes(text, strlen(text)));
}

static bool next_is(struct om_vm_qmp *q, enum om_vm_qmp_kind kind, const char *text)
{
    struct om_vm_qmp_event e;

    return om_vm_qmp_next(q, &e) && e.kind == kind && strcmp(e.text, text) == 0;
}

static bool is_silent(struct om_vm_qmp *q)
{
    struct om_vm_qmp_event e;

    return !om_vm_qmp_next(q, &e);
}

/* Takes what is for QEMU; true when it is @want. */
static bool sends(struct om_vm_qmp *q, const char *want)
{
    struct om_bytes out = om_vm_qmp_out(q);
    bool is_same = out.n == strlen(want) && memcmp(out.p, want, out.n) == 0;

    om_vm_qmp_sent(q, out.n);
    return is_same;
}

/* Until commands may be given; false without memory. */
static bool greet(struct om_vm_qmp *q)
{
    om_vm_qmp_init(q, OM_SEC(1));
    say(q, GREETING);
    if (!is_silent(q) || q->state != OM_VM_QMP_AT_NEGOTIATING)
        return false;
    CHECK(sends(q, "{\"execute\":\"qmp_capabilities\",\"id\":1}\n"));
    say(q, "{\"return\": {}, \"id\": 1}\r\n");
    return next_is(q, OM_VM_QMP_READY, "");
}

OM_TEST(qmp_negotiates_first)
{
    struct om_vm_qmp q;

    om_vm_qmp_init(&q, OM_SEC(1));
    CHECK(om_vm_qmp_deadline(&q) == OM_SEC(11));
    CHECK_ERR(om_vm_qmp_give(&q, OM_SEC(1), OM_VM_QMP_STATUS), OM_E_STATE);
    OM_TRY(greet(&q));
    CHECK(om_vm_qmp_deadline(&q) == OM_NEVER);
out:
    om_vm_qmp_fini(&q);
}

OM_TEST(qmp_answers_find_their_command)
{
    struct om_vm_qmp_event e;
    struct om_vm_qmp q;

    OM_TRY(greet(&q));
    CHECK_OK(om_vm_qmp_give(&q, OM_SEC(2), OM_VM_QMP_STATUS));
    CHECK_OK(om_vm_qmp_give(&q, OM_SEC(3), OM_VM_QMP_LINK_DOWN));
    CHECK_OK(om_vm_qmp_give(&q, OM_SEC(3), OM_VM_QMP_POWERDOWN));
    CHECK(om_vm_qmp_deadline(&q) == OM_SEC(12));
    CHECK(sends(&q, "{\"execute\":\"query-status\",\"id\":2}\n"
                    "{\"execute\":\"set_link\",\"arguments\":{\"name\":\"nic\",\"up\":false},"
                    "\"id\":3}\n{\"execute\":\"system_powerdown\",\"id\":4}\n"));
    say(&q, "{\"return\": {}, \"id\": 4}\n{\"error\": {\"class\": \"DeviceNotFound\", \"desc\":"
            " \"Device 'nic' not\\nfound\"}, \"id\": 3}\n"
            "{\"return\": {\"status\": \"internal-error\", \"running\": false}, \"id\": 2}\n");
    OM_TRY(om_vm_qmp_next(&q, &e) && e.kind == OM_VM_QMP_DONE);
    CHECK_EQ(e.command, OM_VM_QMP_POWERDOWN);
    OM_TRY(om_vm_qmp_next(&q, &e) && e.kind == OM_VM_QMP_REFUSED);
    CHECK_EQ(e.command, OM_VM_QMP_LINK_DOWN);
    CHECK_STR(e.text, "Device 'nic' not\\x0afound");
    OM_TRY(next_is(&q, OM_VM_QMP_IS, "internal-error"));
    CHECK(is_silent(&q) && om_vm_qmp_deadline(&q) == OM_NEVER);
out:
    om_vm_qmp_fini(&q);
}

OM_TEST(qmp_tells_what_happens)
{
    static const struct {
        const char *line, *text;
        enum om_vm_qmp_kind kind;
    } rows[] = {
        {"{\"event\": \"STOP\"}", "", OM_VM_QMP_STOPPED},
        {"{\"event\": \"RESUME\", \"timestamp\": {}}", "", OM_VM_QMP_RESUMED},
        {"{\"event\": \"POWERDOWN\"}", "", OM_VM_QMP_POWERED},
        {"{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"pause\"}}", "",
         OM_VM_QMP_PANICKED},
        {"{\"event\": \"NETDEV_STREAM_CONNECTED\", \"data\": {\"netdev-id\": \"nic\"}}", "",
         OM_VM_QMP_NIC_UP},
        {"{\"event\": \"NETDEV_STREAM_DISCONNECTED\", \"data\": {}}", "", OM_VM_QMP_NIC_DOWN},
        {"{\"data\": {\"guest\": true, \"reason\": \"guest-shutdown\"}, \"event\": \"SHUTDOWN\"}",
         "guest-shutdown", OM_VM_QMP_SHUTDOWN},
    };
    struct om_vm_qmp_event e;
    struct om_vm_qmp q;

    OM_TRY(greet(&q));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        say(&q, "{\"event\": \"RTC_CHANGE\", \"data\": {\"offset\": 1}}\r\n\r\n");
        say(&q, rows[i].line);
        OM_TRY(is_silent(&q) && q.state == OM_VM_QMP_AT_READY);
        say(&q, "\r\n");
        OM_TRY(om_vm_qmp_next(&q, &e) && e.kind == rows[i].kind);
        CHECK_STR(e.text, rows[i].text);
        CHECK(e.is_guest == (e.kind == OM_VM_QMP_SHUTDOWN));
    }
    CHECK_EQ(q.skipped, OM_ARRAY_SIZE(rows));
out:
    om_vm_qmp_fini(&q);
}

OM_TEST(qmp_silence_breaks_it)
{
    struct om_vm_qmp q;

    om_vm_qmp_init(&q, OM_SEC(1));
    om_vm_qmp_tick(&q, OM_SEC(11) - 1);
    CHECK(is_silent(&q));
    om_vm_qmp_tick(&q, OM_SEC(11));
    CHECK(next_is(&q, OM_VM_QMP_BROKEN, "QEMU does not greet"));
    CHECK(is_silent(&q) && om_vm_qmp_deadline(&q) == OM_NEVER);
    say(&q, GREETING);
    CHECK(is_silent(&q) && om_vm_qmp_out(&q).n == 0);
    OM_TRY(greet(&q));
    CHECK_OK(om_vm_qmp_give(&q, OM_SEC(5), OM_VM_QMP_PAUSE));
    om_vm_qmp_tick(&q, OM_SEC(15));
    CHECK(next_is(&q, OM_VM_QMP_BROKEN, "QEMU does not answer"));
    CHECK_ERR(om_vm_qmp_give(&q, OM_SEC(15), OM_VM_QMP_QUIT), OM_E_STATE);
out:
    om_vm_qmp_fini(&q);
}

OM_TEST(qmp_garbage_breaks_it)
{
    static const char *const rows[] = {
        "hello\n",
        "[]\n",
        "{\"event\": 5}\n",
        "{\"return\": {}, \"id\": 99}\n",
        "{\"return\": {}, \"id\": 0}\n",
        "{\"return\": {}, \"id\": \"1\"}\n",
        "{\"return\": {}}\n",
        "{\"return\": {}, \"id\": 1}\n", /* a second time */
        "{\"return\": {}, \"id\": 4294967297}\n",
        "{\"id\": 2}\n",
        "{\"event\": \"STOP\", \"event\": \"STOP\"}\n",
        "{\"event\": \"STOP\\ud800\"}\n",
        "\xff\xfe\n",
        "SSH-2.0-x\r\n",
    };
    struct om_vm_qmp q = {0};
    struct om_vm_qmp_event e;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        OM_TRY(greet(&q));
        say(&q, rows[i]);
        OM_TRY(om_vm_qmp_next(&q, &e) && e.kind == OM_VM_QMP_BROKEN);
        CHECK(e.text[0] != '\0' && q.state == OM_VM_QMP_AT_BROKEN && !q.in);
        CHECK(is_silent(&q));
    }
    om_vm_qmp_init(&q, 0);
    say(&q, "{\"event\": \"STOP\"}\n");
    OM_TRY(om_vm_qmp_next(&q, &e) && e.kind == OM_VM_QMP_BROKEN);
out:
    om_vm_qmp_fini(&q);
}

OM_TEST(qmp_bytes_may_come_in_any_pieces)
{
    static const char text[] = GREETING "{\"return\": {}, \"id\": 1}\r\n{\"event\": \"STOP\"}\r\n";
    struct om_vm_qmp_event e;
    struct om_vm_qmp q = {0};

    for (size_t piece = 1; piece < 40; piece++) {
        unsigned events = 0;
        om_vm_qmp_init(&q, 0);
        for (size_t at = 0; at < sizeof text - 1; at += piece) {
            size_t left = sizeof text - 1 - at;
            om_vm_qmp_input(&q, om_bytes(text + at, left < piece ? left : piece));
            while (om_vm_qmp_next(&q, &e)) {
                OM_TRY(e.kind == (events == 0 ? OM_VM_QMP_READY : OM_VM_QMP_STOPPED));
                events++;
            }
        }
        CHECK_EQ(events, 2);
        om_vm_qmp_fini(&q);
    }
out:
    om_vm_qmp_fini(&q);
}

OM_TEST(qmp_lines_are_bounded)
{
    static uint8_t many[OM_VM_QMP_BUFFER + 1];
    struct om_vm_qmp_event e;
    struct om_vm_qmp q;

    memset(many, ' ', sizeof many);
    OM_TRY(greet(&q));
    om_vm_qmp_input(&q, om_bytes(many, OM_VM_QMP_LINE_MAX));
    CHECK(is_silent(&q) && q.state == OM_VM_QMP_AT_READY);
    om_vm_qmp_input(&q, om_bytes(many, 1));
    CHECK(next_is(&q, OM_VM_QMP_BROKEN, "QEMU says a line without an end"));
    OM_TRY(greet(&q));
    om_vm_qmp_input(&q, om_bytes(many, sizeof many));
    OM_TRY(om_vm_qmp_next(&q, &e) && e.kind == OM_VM_QMP_BROKEN);
out:
    om_vm_qmp_fini(&q);
}

OM_TEST(qmp_commands_are_bounded)
{
    struct om_vm_qmp q;
    unsigned given = 0;

    OM_TRY(greet(&q));
    while (om_vm_qmp_give(&q, 0, OM_VM_QMP_LINK_UP) == OM_OK)
        given++;
    CHECK_EQ(given, OM_VM_QMP_PENDING_MAX);
    CHECK_ERR(om_vm_qmp_give(&q, 0, OM_VM_QMP_QUIT), OM_E_BUSY);
    CHECK(om_vm_qmp_out(&q).n < OM_VM_QMP_OUT_MAX);
    say(&q, "{\"return\": {}, \"id\": 3}\n");
    OM_TRY(next_is(&q, OM_VM_QMP_DONE, ""));
    CHECK_OK(om_vm_qmp_give(&q, 0, OM_VM_QMP_QUIT));
out:
    om_vm_qmp_fini(&q);
}
