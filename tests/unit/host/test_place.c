/* test_place.c - where a home and its sockets are. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "ipc/place.h"

OM_TEST(place_home_follows_the_environment)
{
    struct om_place p;
    struct om_error err;

    CHECK_EQ(setenv("HOME", "/home/ann", 1), 0);
    CHECK_EQ(unsetenv("OMERTA_HOME"), 0);
    CHECK_EQ(om_place_find(&p, NULL, &err), OM_OK);
    CHECK_STR(p.home, "/home/ann/.omerta");
    CHECK_EQ(setenv("OMERTA_HOME", "/srv/o/", 1), 0);
    CHECK_EQ(om_place_find(&p, NULL, &err), OM_OK);
    CHECK_STR(p.home, "/srv/o");
    CHECK_EQ(om_place_find(&p, "/tmp/x", &err), OM_OK);
    CHECK_STR(p.home, "/tmp/x");
    CHECK_EQ(unsetenv("OMERTA_HOME"), 0);
    CHECK_EQ(unsetenv("HOME"), 0);
    CHECK_EQ(om_place_find(&p, NULL, &err), OM_E_MISSING);
}

OM_TEST(place_runtime_is_of_one_home)
{
    struct om_place p;
    struct om_error err;

    CHECK_EQ(setenv("HOME", "/home/ann", 1), 0);
    CHECK_EQ(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1), 0);
    CHECK_EQ(unsetenv("OMERTA_HOME"), 0);
    CHECK_EQ(om_place_find(&p, NULL, &err), OM_OK);
    CHECK_STR(p.control, "/run/user/7/omerta/control.sock");
    CHECK_STR(p.runtime, "/run/user/7/omerta");
    CHECK_EQ(om_place_find(&p, "/srv/second", &err), OM_OK);
    CHECK_STR(p.control, "/srv/second/control.sock");
    CHECK_STR(p.data, "/srv/second/data.sock");
    /* So another finds the first one's, as root does: by its runtime folder as home. */
    CHECK_EQ(om_place_find(&p, "/run/user/7/omerta", &err), OM_OK);
    CHECK_STR(p.control, "/run/user/7/omerta/control.sock");
    CHECK_EQ(unsetenv("XDG_RUNTIME_DIR"), 0);
    CHECK_EQ(om_place_find(&p, NULL, &err), OM_OK);
    CHECK_STR(p.metrics, "/home/ann/.omerta/metrics.sock");
}

OM_TEST(place_refuses_a_path_too_long_for_a_socket)
{
    char home[200];
    struct om_place p;
    struct om_error err;

    memset(home, 'h', sizeof home);
    home[0] = '/';
    home[94] = 0;
    CHECK_EQ(om_place_find(&p, home, &err), OM_OK);
    home[94] = 'h';
    home[96] = 0;
    CHECK_EQ(om_place_find(&p, home, &err), OM_E_RANGE);
    CHECK(strstr(err.msg, "too long for a Unix socket") != NULL);
}
