/* test_cli_summary.c - the status of a daemon, for people. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "summary.h"

OM_TEST(summary_says_what_matters)
{
    static const char text[] =
        "{\"version\":\"0.1.0\",\"pid\":7,\"home\":\"/home/ann/.omerta\",\"uptime_s\":65.5,"
        "\"udp\":{\"port\":18002,\"ipv4\":true,\"ipv6\":false,\"gso\":true,\"gro\":true},"
        "\"networks\":[{\"name\":\"default\",\"self\":\"abc\\u001b[2J\",\"open\":true,\"peers\":3,"
        "\"connected\":2}],\"traffic\":{\"bytes_in\":2048,\"bytes_out\":10},"
        "\"drops\":{\"foreign\":2,\"open\":3},\"audit\":{\"on\":true,\"audited\":5,\"refused\":0}}";
    json_t *status = json_loads(text, 0, NULL);
    char *shown = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&shown, &n);
    struct om_out out;

    CHECK(status && f);
    om_out_init(&out, f, f, false, OM_COLOR_NEVER);
    om_summary_print(&out, status);
    CHECK_EQ(fclose(f), 0);
    CHECK(strstr(shown, "port 18002, IPv4, with offload") != NULL);
    CHECK(strstr(shown, "default: 3 known, 2 connected") != NULL);
    CHECK(strstr(shown, "anybody can be in it") != NULL);
    CHECK(strstr(shown, "2.0 KiB in") != NULL);
    CHECK(strstr(shown, "dropped  5 ") != NULL);
    CHECK(strstr(shown, "5 datagrams verified") != NULL);
    CHECK(strchr(shown, '\033') == NULL); /* a daemon's words move no cursor */
    free(shown);
    json_decref(status);
}
