/* test_event.c - the list of events. */
#include "harness.h"

#include <omerta/event.h>

OM_TEST(event_every_kind_has_name_and_help)
{
    for (unsigned i = 0; i < OM_EVENT_COUNT; i++) {
        const char *name = om_event_name((enum om_event_kind)i);

        CHECK_EQ(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        CHECK(strlen(name) > 0 && strlen(name) <= 32);
        CHECK(om_event_help((enum om_event_kind)i)[0] != '\0');
    }
    CHECK_STR(om_event_name(OM_EVENT_COUNT), "unknown");
    CHECK_STR(om_event_help(OM_EVENT_COUNT), "");
}

OM_TEST(event_names_parse_back)
{
    for (unsigned i = 0; i < OM_EVENT_COUNT; i++)
        CHECK_EQ(om_event_parse(om_event_name((enum om_event_kind)i)), i);
    CHECK_EQ(om_event_parse("SESSION_UP"), OM_EVENT_COUNT);
    CHECK_EQ(om_event_parse(""), OM_EVENT_COUNT);
    CHECK_EQ(om_event_parse("session_up"), OM_EVENT_SESSION_UP);
}

OM_TEST(event_print_is_one_line)
{
    struct om_event e = {.kind = OM_EVENT_SESSION_UP, .at = OM_MS(1500), .a = 7, .b = 1};
    char text[OM_EVENT_TEXT];

    CHECK_STR(om_event_print(&e, text), "event=session_up at=1.5s a=7 b=1");
    e.addr = om_addr_v4(0xc0000201, 80);
    e.peer.b[31] = 1;
    CHECK_STR(om_event_print(&e, text),
              "event=session_up at=1.5s peer=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaq "
              "addr=192.0.2.1:80 a=7 b=1");

    /* The longest of everything still fits. */
    memset(&e, 0xff, sizeof e);
    e.at = INT64_MIN;
    for (unsigned i = 0; i < OM_EVENT_COUNT; i++) {
        e.kind = (enum om_event_kind)i;
        om_event_print(&e, text);
        CHECK(strstr(text, "b=18446744073709551615") != NULL);
        CHECK(strchr(text, '\n') == NULL);
    }
}
