/* test_log.c - log lines. */
#include "harness.h"

#include <omerta/log.h>

struct heard {
    unsigned lines;
    enum om_level level;
    char last[OM_LOG_LINE + 1];
};

static void hear(void *self, enum om_level level, const char *line)
{
    struct heard *h = self;

    h->lines++;
    h->level = level;
    CHECK(strlen(line) < OM_LOG_LINE);
    memcpy(h->last, line, strlen(line) + 1);
}

OM_TEST(log_line_has_level_module_message_and_fields)
{
    struct heard h = {0};
    struct om_log log = {.level = OM_LOG_INFO, .sink = hear, .self = &h};
    struct om_logline line;
    struct om_id id = {{0}};
    struct om_addr a = om_addr_v4(0xc0000201, 80);

    CHECK(om_log_begin(&line, &log, OM_LOG_INFO, "handshake", "no answer"));
    om_log_str(&line, "plain", "word-1.5:x");
    om_log_str(&line, "empty", "");
    om_log_str(&line, "none", NULL);
    om_log_u64(&line, "big", UINT64_MAX);
    om_log_i64(&line, "small", INT64_MIN);
    om_log_addr(&line, "from", &a);
    om_log_id(&line, "peer", &id);
    om_log_time(&line, "after", OM_MS(1500));
    CHECK_EQ(h.lines, 0);
    om_log_end(&line);
    CHECK_STR(h.last, "level=info mod=handshake msg=\"no answer\" plain=word-1.5:x empty=\"\" "
                      "none=\"\" big=18446744073709551615 small=-9223372036854775808 "
                      "from=192.0.2.1:80 peer=aaaaaaaaaa after=1.5s");
    om_log_end(&line); /* spent: nothing more comes of it */
    CHECK_EQ(h.lines, 1);
    CHECK_EQ(h.level, OM_LOG_INFO);
    CHECK_EQ(log.lines, 1);
    CHECK_EQ(log.cut, 0);
}

OM_TEST(log_below_the_level_reaches_no_sink)
{
    struct heard h = {0};
    struct om_log log = {.level = OM_LOG_WARN, .sink = hear, .self = &h};

    for (unsigned at = 0; at < OM_LEVEL_COUNT; at++) {
        log.level = (enum om_level)at;
        for (unsigned i = 0; i < OM_LEVEL_COUNT; i++) {
            struct om_logline line;
            unsigned before = h.lines;

            CHECK_EQ(om_log_begin(&line, &log, (enum om_level)i, "m", "x"), i <= at);
            om_log_u64(&line, "k", 1);
            om_log_end(&line);
            CHECK_EQ(h.lines - before, i <= at);
        }
    }
}

OM_TEST(log_text_of_others_cannot_forge_fields)
{
    static const char *const cases[][2] = {
        {"a b", "\"a b\""},
        {"x level=error", "\"x level=error\""},
        {"x=y", "\"x=y\""},
        {"\" level=error", "\"\\x22 level=error\""},
        {"x\nlevel=error", "\"x\\x0alevel=error\""},
        {"back\\slash", "\"back\\x5cslash\""},
        {"\x1b[2J", "\"\\x1b[2J\""},
        {"Grüße", "\"Grüße\""},
        {"\xe2\x80\xae", "\"\\xe2\\x80\\xae\""},
    };
    struct heard h = {0};
    struct om_log log = {.level = OM_LOG_INFO, .sink = hear, .self = &h};

    for (size_t i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        static const char start[] = "level=warn mod=m msg=x name=";
        struct om_logline line;

        om_log_begin(&line, &log, OM_LOG_WARN, "m", "x");
        om_log_str(&line, "name", cases[i][0]);
        om_log_end(&line);
        CHECK(strncmp(h.last, start, sizeof start - 1) == 0);
        CHECK_STR(h.last + sizeof start - 1, cases[i][1]);
    }
}

OM_TEST(log_line_is_bounded_and_says_that_it_was_cut)
{
    struct heard h = {0};
    struct om_log log = {.level = OM_LOG_INFO, .sink = hear, .self = &h};
    char text[3 * OM_LOG_LINE];
    unsigned cut = 0;

    for (size_t n = 0; n < 2 * OM_LOG_LINE; n++) {
        static const char fills[] = {'a', ' ', '\n'};
        struct om_logline line;
        bool is_cut;

        memset(text, fills[n % 3], n);
        text[n] = '\0';
        om_log_begin(&line, &log, OM_LOG_INFO, "m", "x");
        om_log_str(&line, "k", text);
        om_log_str(&line, "after", "it");
        om_log_u64(&line, "n", 7);
        om_log_end(&line);
        is_cut = strcmp(h.last + strlen(h.last) - 6, " cut=1") == 0;
        cut += is_cut;
        CHECK_EQ(is_cut, strstr(h.last, " after=it n=7") == NULL);
        CHECK_EQ(log.cut, cut);
        if (n % 3 != 0 && is_cut && !strstr(h.last, "after"))
            CHECK_EQ(h.last[strlen(h.last) - 7], '"'); /* a cut value is closed all the same */
    }
    CHECK(cut > OM_LOG_LINE / 2 && cut < 2 * OM_LOG_LINE - 100);
    CHECK_EQ(log.lines, 2 * OM_LOG_LINE);
}

OM_TEST(log_null_is_silent)
{
    struct om_log no_sink = {.level = OM_LOG_TRACE};
    struct om_log *const logs[] = {NULL, &no_sink};
    struct om_addr a = {.port = 1};
    struct om_id id = {{1}};

    for (size_t i = 0; i < OM_ARRAY_SIZE(logs); i++) {
        struct om_logline line;

        CHECK(!om_log_begin(&line, logs[i], OM_LOG_ERROR, "m", "x"));
        om_log_str(&line, "k", "v");
        om_log_u64(&line, "k", 1);
        om_log_i64(&line, "k", -1);
        om_log_addr(&line, "k", &a);
        om_log_id(&line, "k", &id);
        om_log_time(&line, "k", 1);
        om_log_end(&line);
    }
    CHECK_EQ(no_sink.lines, 0);
}

OM_TEST(log_level_names_parse_back)
{
    enum om_level level = OM_LOG_DEBUG;
    struct om_error err;

    for (unsigned i = 0; i < OM_LEVEL_COUNT; i++) {
        CHECK_OK(om_level_parse(&level, om_level_name((enum om_level)i), NULL));
        CHECK_EQ(level, i);
    }
    CHECK_ERR(om_level_parse(&level, "Warn", &err), OM_E_PARSE);
    CHECK_STR(err.msg, "\"Warn\": want error, warn, info, debug or trace");
    CHECK_EQ(level, OM_LOG_TRACE);
    CHECK_STR(om_level_name(OM_LEVEL_COUNT), "unknown");
}
