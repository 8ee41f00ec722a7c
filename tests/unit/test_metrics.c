/* test_metrics.c - the registry and its text. */
#include "harness.h"

#include <omerta/metrics.h>

OM_TEST(metrics_print_follows_the_exposition_format)
{
    static const uint64_t bounds[] = {10, 100};
    uint64_t sent = 12, peers = 3, dropped_bad = 1, dropped_old = 2, counts[3];
    struct om_histogram h;
    struct om_metrics m;
    char out[2000];

    OM_TRY(om_metrics_init(&m, 10) == OM_OK);
    CHECK_OK(
        om_metrics_add(&m, "sent_total", "Datagrams sent.", OM_METRIC_COUNTER, &sent, NULL, NULL));
    CHECK_OK(om_metrics_add(&m, "dropped_total", "Datagrams dropped.", OM_METRIC_COUNTER,
                            &dropped_bad, "why", "bad"));
    CHECK_OK(om_metrics_add(&m, "peers", "Peers with a \\ or\nnewline.", OM_METRIC_GAUGE, &peers,
                            NULL, NULL));
    CHECK_OK(om_metrics_add(&m, "dropped_total", "Datagrams dropped.", OM_METRIC_COUNTER,
                            &dropped_old, "why", "old"));
    CHECK_OK(om_histogram_init(&h, bounds, counts, 2));
    CHECK_OK(om_metrics_add_histogram(&m, "rtt_ms", "Round trips.", &h, "path", "a"));
    om_histogram_observe(&h, 7);
    om_histogram_observe(&h, 70);
    om_histogram_observe(&h, 700);
    sent++; /* printing reads what the owner has by then */
    om_metrics_print(&m, out, sizeof out);
    CHECK_STR(out, "# HELP sent_total Datagrams sent.\n"
                   "# TYPE sent_total counter\n"
                   "sent_total 13\n"
                   "# HELP dropped_total Datagrams dropped.\n"
                   "# TYPE dropped_total counter\n"
                   "dropped_total{why=\"bad\"} 1\n"
                   "dropped_total{why=\"old\"} 2\n"
                   "# HELP peers Peers with a \\\\ or\\nnewline.\n"
                   "# TYPE peers gauge\n"
                   "peers 3\n"
                   "# HELP rtt_ms Round trips.\n"
                   "# TYPE rtt_ms histogram\n"
                   "rtt_ms_bucket{path=\"a\",le=\"10\"} 1\n"
                   "rtt_ms_bucket{path=\"a\",le=\"100\"} 2\n"
                   "rtt_ms_bucket{path=\"a\",le=\"+Inf\"} 3\n"
                   "rtt_ms_sum{path=\"a\"} 777\n"
                   "rtt_ms_count{path=\"a\"} 3\n");
out:
    om_metrics_fini(&m);
}

OM_TEST(metrics_names_follow_the_grammar)
{
    static const char *const good[] = {"a", "_", ":", "aZ_09:", "up"};
    static const char *const bad[] = {"", "0a", "a-b", "a b", "a.b", "a\n", "ü", "a{b}"};
    static const char *const bad_keys[] = {"", "0a", "a:b", "__a", "__", "a-b", "a\""};
    uint64_t v = 0, counts[2];
    const uint64_t bound = 1;
    char longer[OM_METRICS_NAME_MAX + 2];
    struct om_histogram h;
    struct om_metrics m;

    OM_TRY(om_metrics_init(&m, 20) == OM_OK);
    for (size_t i = 0; i < OM_ARRAY_SIZE(good); i++)
        CHECK_OK(om_metrics_add(&m, good[i], "help", OM_METRIC_GAUGE, &v, "_k9", "v"));
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++)
        CHECK_ERR(om_metrics_add(&m, bad[i], "help", OM_METRIC_GAUGE, &v, NULL, NULL), OM_E_PARSE);
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad_keys); i++)
        CHECK_ERR(om_metrics_add(&m, "b", "help", OM_METRIC_GAUGE, &v, bad_keys[i], "v"),
                  OM_E_PARSE);
    CHECK_ERR(om_metrics_add(&m, "b", "help", OM_METRIC_GAUGE, &v, "k", NULL), OM_E_PARSE);
    CHECK_ERR(om_metrics_add(&m, "b", "help", OM_METRIC_GAUGE, &v, NULL, "v"), OM_E_PARSE);
    CHECK_ERR(om_metrics_add(&m, "b", "help", OM_METRIC_GAUGE, &v, "k", "\xff"), OM_E_PARSE);
    CHECK_ERR(om_metrics_add(&m, "b", "\xff", OM_METRIC_GAUGE, &v, "k", "v"), OM_E_PARSE);
    CHECK_OK(om_histogram_init(&h, &bound, counts, 1));
    CHECK_ERR(om_metrics_add_histogram(&m, "b", "help", &h, "le", "v"), OM_E_PARSE);
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    CHECK_ERR(om_metrics_add(&m, longer, "help", OM_METRIC_GAUGE, &v, NULL, NULL), OM_E_RANGE);
    CHECK_ERR(om_metrics_add(&m, "b", "help", OM_METRIC_GAUGE, &v, "k", longer), OM_E_RANGE);
    CHECK_EQ(m.n, OM_ARRAY_SIZE(good));
    CHECK_OK(om_metrics_add(&m, longer + 1, "help", OM_METRIC_GAUGE, &v, "le", "v"));
out:
    om_metrics_fini(&m);
}

OM_TEST(metrics_duplicates_are_refused)
{
    static const char *const parts[] = {"rtt_bucket", "rtt_sum", "rtt_count"};
    uint64_t v = 0, counts[2];
    const uint64_t bound = 1;
    struct om_histogram h;
    struct om_metrics m;

    OM_TRY(om_metrics_init(&m, 20) == OM_OK);
    CHECK_OK(om_metrics_add(&m, "a", "help", OM_METRIC_GAUGE, &v, NULL, NULL));
    CHECK_ERR(om_metrics_add(&m, "a", "help", OM_METRIC_GAUGE, &v, NULL, NULL), OM_E_EXISTS);
    CHECK_ERR(om_metrics_add(&m, "a", "help", OM_METRIC_GAUGE, &v, "k", "v"), OM_E_EXISTS);
    CHECK_OK(om_metrics_add(&m, "b", "help", OM_METRIC_GAUGE, &v, "k", "v"));
    CHECK_ERR(om_metrics_add(&m, "b", "help", OM_METRIC_GAUGE, &v, "k", "v"), OM_E_EXISTS);
    CHECK_ERR(om_metrics_add(&m, "b", "help", OM_METRIC_COUNTER, &v, "k", "w"), OM_E_EXISTS);
    CHECK_ERR(om_metrics_add(&m, "b", "other", OM_METRIC_GAUGE, &v, "k", "w"), OM_E_EXISTS);
    CHECK_ERR(om_metrics_add(&m, "b", "help", OM_METRIC_GAUGE, &v, "l", "w"), OM_E_EXISTS);
    CHECK_OK(om_metrics_add(&m, "b", "help", OM_METRIC_GAUGE, &v, "k", "w")); /* the control */

    CHECK_OK(om_histogram_init(&h, &bound, counts, 1));
    CHECK_OK(om_metrics_add(&m, "lag_sum", "help", OM_METRIC_GAUGE, &v, NULL, NULL));
    CHECK_ERR(om_metrics_add_histogram(&m, "lag", "help", &h, NULL, NULL), OM_E_EXISTS);
    CHECK_OK(om_metrics_add_histogram(&m, "rtt", "help", &h, NULL, NULL));
    for (size_t i = 0; i < OM_ARRAY_SIZE(parts); i++)
        CHECK_ERR(om_metrics_add(&m, parts[i], "help", OM_METRIC_GAUGE, &v, NULL, NULL),
                  OM_E_EXISTS);
    CHECK_OK(om_metrics_add(&m, "rtt_summary", "help", OM_METRIC_GAUGE, &v, NULL, NULL));
out:
    om_metrics_fini(&m);
}

OM_TEST(metrics_table_is_bounded)
{
    uint64_t v = 0;
    struct om_metrics m;

    CHECK_ERR(om_metrics_init(&m, 0), OM_E_RANGE);
    om_metrics_fini(&m);
    CHECK_ERR(om_metrics_init(&m, OM_METRICS_MAX + 1), OM_E_RANGE);
    om_metrics_fini(&m);
    OM_TRY(om_metrics_init(&m, 1) == OM_OK);
    CHECK_OK(om_metrics_add(&m, "a", "help", OM_METRIC_GAUGE, &v, NULL, NULL));
    CHECK_ERR(om_metrics_add(&m, "b", "help", OM_METRIC_GAUGE, &v, NULL, NULL), OM_E_FULL);
    CHECK_EQ(m.n, 1);
out:
    om_metrics_fini(&m);
    CHECK_ERR(om_metrics_add(&m, "a", "help", OM_METRIC_GAUGE, &v, NULL, NULL), OM_E_FULL);
}

OM_TEST(metrics_print_needs_what_it_says)
{
    uint64_t v = 5;
    struct om_metrics m;
    char whole[200] = "", part[201];
    size_t need;

    OM_TRY(om_metrics_init(&m, 4) == OM_OK);
    CHECK_EQ(om_metrics_print(&m, whole, sizeof whole), 0);
    CHECK_STR(whole, "");
    CHECK_OK(om_metrics_add(&m, "a", "help", OM_METRIC_GAUGE, &v, "k", "x\"y"));
    CHECK_OK(om_metrics_add(&m, "b", "help", OM_METRIC_COUNTER, &v, NULL, NULL));
    need = om_metrics_print(&m, NULL, 0);
    CHECK_EQ(om_metrics_print(&m, whole, sizeof whole), need);
    CHECK_EQ(strlen(whole), need);
    for (size_t n = 1; n < sizeof whole; n++) {
        memset(part, '#', sizeof part);
        CHECK_EQ(om_metrics_print(&m, part, n), need);
        CHECK_EQ(strlen(part), n > need ? need : n - 1);
        CHECK_MEM(part, whole, strlen(part));
        CHECK_EQ(part[n], '#');
    }
out:
    om_metrics_fini(&m);
}

OM_TEST(metrics_labels_are_escaped)
{
    uint64_t v = 5;
    struct om_metrics m;
    char out[300];

    OM_TRY(om_metrics_init(&m, 4) == OM_OK);
    CHECK_OK(om_metrics_add(&m, "a", "say \"h\"", OM_METRIC_GAUGE, &v, "k", "\"\\\nü} 9 {"));
    om_metrics_print(&m, out, sizeof out);
    CHECK_STR(out, "# HELP a say \"h\"\n# TYPE a gauge\na{k=\"\\\"\\\\\\nü} 9 {\"} 5\n");
out:
    om_metrics_fini(&m);
}

OM_TEST(histogram_counts_each_value_once)
{
    static const uint64_t bounds[] = {0, 10, 100}, level[] = {1, 1}, falling[] = {2, 1};
    uint64_t counts[4] = {9, 9, 9, 9};
    struct om_histogram h;

    CHECK_ERR(om_histogram_init(&h, bounds, counts, 0), OM_E_RANGE);
    CHECK_ERR(om_histogram_init(&h, level, counts, 2), OM_E_RANGE);
    CHECK_ERR(om_histogram_init(&h, falling, counts, 2), OM_E_RANGE);
    CHECK_EQ(counts[0], 9);
    CHECK_OK(om_histogram_init(&h, bounds, counts, 3));
    for (uint64_t v = 0; v <= 200; v++)
        om_histogram_observe(&h, v);
    CHECK_EQ(counts[0], 1);
    CHECK_EQ(counts[1], 10);
    CHECK_EQ(counts[2], 90);
    CHECK_EQ(counts[3], 100);
    CHECK_EQ(h.sum, 200 * 201 / 2);
}
