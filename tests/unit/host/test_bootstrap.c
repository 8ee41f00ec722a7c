/* test_bootstrap.c - the text that names a first peer. */
#include "harness.h"

#include <stdio.h>

#include "bootstrap.h"

static char text[512];

/* @before, a peer id and @after. */
static const char *around(const char *before, const char *after)
{
    struct om_id id = {{7}};
    char peer[OM_ID_TEXT];

    snprintf(text, sizeof text, "%s%s%s", before, om_id_print(&id, peer), after);
    return text;
}

OM_TEST(bootstrap_reads_names_and_addresses)
{
    struct om_id id = {{7}};
    struct om_bootstrap b;

    CHECK_OK(om_bootstrap_parse(&b, around("", "@192.0.2.1:18002"), NULL));
    CHECK_STR(b.network, "");
    CHECK(om_id_equal(&b.peer, &id));
    CHECK_STR(b.host, "192.0.2.1");
    CHECK_EQ(b.port, 18002);
    CHECK_OK(om_bootstrap_parse(&b, around("home/", "@[2001:db8::1]:1"), NULL));
    CHECK_STR(b.network, "home");
    CHECK_STR(b.host, "2001:db8::1");
    CHECK_EQ(b.port, 1);
    CHECK_OK(om_bootstrap_parse(&b, around("", "@a-b.example:65535"), NULL));
    CHECK_STR(b.host, "a-b.example");
    CHECK_EQ(b.port, 65535);
}

OM_TEST(bootstrap_says_what_is_wrong)
{
    static const struct {
        const char *before, *after, *says;
    } bad[] = {
        {"", "", "no \"@\""},
        {"x", "@h:1", "no peer id"},
        {"/", "@h:1", "no name"},
        {"", "@h", "port from 1"},
        {"", "@h:", "port from 1"},
        {"", "@h:0", "port from 1"},
        {"", "@h:65536", "port from 1"},
        {"", "@h:+1", "port from 1"},
        {"", "@:1", "no host name"},
        {"", "@h h:1", "no host name"},
        {"", "@-h:1", "no host name"},
        {"", "@2001:db8::1:1", "no host name"},
        {"", "@[2001:db8::1:1", "no host name"},
        {"", "@[]:1", "no host name"},
        {"", "@[192.0.2.1]:1", "no host name"},
        {"", "@[fe80::1%eth0]:1", "no host name"},
    };
    struct om_bootstrap b = {.port = 9};
    struct om_error err;

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK_ERR(om_bootstrap_parse(&b, around(bad[i].before, bad[i].after), &err), OM_E_PARSE);
        CHECK(strstr(err.msg, bad[i].says) != NULL);
        CHECK(strstr(err.msg, "want PEER@HOST:PORT") != NULL);
    }
    CHECK_EQ(b.port, 9);
}
