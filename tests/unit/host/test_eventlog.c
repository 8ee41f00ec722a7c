/* test_eventlog.c - events as lines of JSON. */
#include "harness.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eventlog.h"

static const struct om_wall noon = {1795255200123};
static char folder[64];
static char path[80];

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/eventlog-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/events.jsonl", folder);
}

static void end(void)
{
    char old[96];

    snprintf(old, sizeof old, "%s.1", path);
    (void)unlink(path);
    (void)unlink(old);
    CHECK_EQ(rmdir(folder), 0);
}

static struct om_event event_of(enum om_event_kind kind)
{
    return (struct om_event){.kind = kind,
                             .peer = {{1}},
                             .addr = om_addr_v4(0xc0000201, 18002),
                             .a = UINT64_MAX,
                             .b = 1};
}

OM_TEST(eventlog_writes_one_object_per_event)
{
    struct om_id network = {{2}};
    struct om_event e = event_of(OM_EVENT_SESSION_UP);
    struct om_event bare = {.kind = OM_EVENT_UNDER_LOAD, .a = 1};
    char out[OM_EVENT_JSON];
    struct om_eventlog log;
    FILE *f;

    CHECK_STR(om_event_json(out, noon, &e, &network),
              "{\"at\":\"2026-11-21T10:00:00.123Z\",\"event\":\"session_up\","
              "\"network\":\"aiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
              "\"peer\":\"aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
              "\"addr\":\"192.0.2.1:18002\",\"a\":18446744073709551615,\"b\":1}");
    CHECK_STR(om_event_json(out, noon, &bare, NULL),
              "{\"at\":\"2026-11-21T10:00:00.123Z\",\"event\":\"under_load\",\"a\":1,\"b\":0}");
    begin();
    CHECK_OK(om_eventlog_open(&log, path, 0, 0, NULL));
    for (unsigned i = 0; i < OM_EVENT_COUNT; i++) {
        e = event_of((enum om_event_kind)i);
        memset(e.addr.ip, 0xee, sizeof e.addr.ip); /* the longest text */
        e.a = 7;
        CHECK(om_eventlog_put(&log, (struct om_wall){INT64_MIN}, &e, &network));
    }
    om_eventlog_close(&log);
    f = fopen(path, "r");
    CHECK(f != NULL);
    for (unsigned i = 0; i < OM_EVENT_COUNT; i++) {
        char line[OM_EVENT_JSON + 1];

        CHECK(fgets(line, sizeof line, f) != NULL);
        CHECK(strlen(line) < OM_EVENT_JSON - 10 && strchr(line, '\n') != NULL);
        json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        CHECK(o != NULL);
        CHECK_STR(json_string_value(json_object_get(o, "event")),
                  om_event_name((enum om_event_kind)i));
        CHECK_EQ(json_object_size(o), 7);
        json_decref(o);
    }
    CHECK_EQ(fgetc(f), EOF);
    CHECK_EQ(fclose(f), 0);
    end();
}

OM_TEST(eventlog_goes_on_after_a_crash)
{
    struct om_event e = event_of(OM_EVENT_CLOSED);
    char line[OM_EVENT_JSON + 1], wanted[OM_EVENT_JSON];
    struct om_eventlog log;
    FILE *f;

    begin();
    f = fopen(path, "w");
    CHECK(f != NULL);
    CHECK(fputs("{\"at\":\"2026-11-", f) >= 0);
    CHECK_EQ(fclose(f), 0);
    CHECK_OK(om_eventlog_open(&log, path, 0, 0, NULL));
    CHECK(om_eventlog_put(&log, noon, &e, NULL));
    om_eventlog_close(&log);
    f = fopen(path, "r");
    CHECK(f != NULL);
    CHECK(fgets(line, sizeof line, f) != NULL);
    CHECK_STR(line, "{\"at\":\"2026-11-\n"); /* a reader skips what is no object */
    CHECK(fgets(line, sizeof line, f) != NULL);
    line[strcspn(line, "\n")] = 0;
    CHECK_STR(line, om_event_json(wanted, noon, &e, NULL));
    CHECK_EQ(fclose(f), 0);
    end();
}

OM_TEST(eventlog_rotates_between_lines)
{
    struct om_event e = event_of(OM_EVENT_PEER_SILENT);
    struct om_eventlog log;
    char text[8192];

    begin();
    CHECK_OK(om_eventlog_open(&log, path, 4096, 1, NULL));
    while (log.file.rotations < 2)
        CHECK(om_eventlog_put(&log, noon, &e, NULL));
    CHECK_OK(om_eventlog_reopen(&log, NULL));
    om_eventlog_close(&log);
    for (int i = 0; i < 2; i++) {
        char name[96];

        snprintf(name, sizeof name, "%s%s", path, i ? ".1" : "");
        FILE *f = fopen(name, "r");
        CHECK(f != NULL);
        size_t n = fread(text, 1, sizeof text, f);
        CHECK_EQ(fclose(f), 0);
        CHECK(n > 0 && n <= 4096);
        CHECK_EQ(text[0], '{');
        CHECK_EQ(text[n - 1], '\n');
    }
    end();
}

OM_TEST(eventlog_survives_a_full_disk)
{
    struct om_event e = event_of(OM_EVENT_SESSION_UP);
    struct om_eventlog log;

    CHECK_OK(om_eventlog_open(&log, "/dev/full", 4096, 1, NULL));
    CHECK(!om_eventlog_put(&log, noon, &e, NULL));
    CHECK_EQ(log.file.lost, 1);
    om_eventlog_close(&log);
    CHECK(om_eventlog_open(&log, "/nowhere/x", 4096, 1, NULL) != OM_OK);
    CHECK(!om_eventlog_put(&log, noon, &e, NULL));
    CHECK_EQ(log.file.lost, 1);
}
