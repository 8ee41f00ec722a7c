/* test_sdnotify.c - what a service manager is told. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sdnotify.h"

OM_TEST(sdnotify_says_it_to_the_socket)
{
    char folder[] = "/tmp/sdnotify-XXXXXX", said[64] = "";
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    CHECK(mkdtemp(folder) != NULL);
    snprintf(at.sun_path, sizeof at.sun_path, "%s/s", folder);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    CHECK_EQ(setenv("NOTIFY_SOCKET", at.sun_path, 1), 0);
    CHECK(om_sdnotify("READY=1\nSTATUS=on"));
    CHECK_EQ(recv(fd, said, sizeof said - 1, MSG_DONTWAIT), 17);
    CHECK_STR(said, "READY=1\nSTATUS=on");
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink(at.sun_path), 0);
    CHECK_EQ(rmdir(folder), 0);
    CHECK(!om_sdnotify("READY=1")); /* it is gone */
}

OM_TEST(sdnotify_without_manager_is_silent)
{
    CHECK_EQ(unsetenv("NOTIFY_SOCKET"), 0);
    CHECK(!om_sdnotify("READY=1"));
    CHECK_EQ(setenv("NOTIFY_SOCKET", "relative", 1), 0);
    CHECK(!om_sdnotify("READY=1"));
}

OM_TEST(sdnotify_watchdog_is_half_its_time)
{
    char pid[32];

    CHECK_EQ(unsetenv("WATCHDOG_USEC"), 0);
    CHECK_EQ(unsetenv("WATCHDOG_PID"), 0);
    CHECK_EQ(om_sdnotify_watchdog(), 0);
    CHECK_EQ(setenv("WATCHDOG_USEC", "30000000", 1), 0);
    CHECK_EQ(om_sdnotify_watchdog(), OM_SEC(15));
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    CHECK_EQ(setenv("WATCHDOG_PID", pid, 1), 0);
    CHECK_EQ(om_sdnotify_watchdog(), OM_SEC(15));
    CHECK_EQ(setenv("WATCHDOG_PID", "1", 1), 0);
    CHECK_EQ(om_sdnotify_watchdog(), 0);
    CHECK_EQ(setenv("WATCHDOG_USEC", "x", 1), 0);
    CHECK_EQ(unsetenv("WATCHDOG_PID"), 0);
    CHECK_EQ(om_sdnotify_watchdog(), 0);
}
