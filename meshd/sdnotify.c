/* sdnotify.c - one datagram to $NOTIFY_SOCKET. */
#include "sdnotify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool om_sdnotify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;

    if (n < 2 || n >= sizeof to.sun_path || (*path != '/' && *path != '@'))
        return false;
    memcpy(to.sun_path, path, n);
    if (*path == '@')
        to.sun_path[0] = 0; /* the abstract namespace of unix(7) */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    bool is_sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
                          (const struct sockaddr *)&to, len) >= 0;
    (void)close(fd);
    return is_sent;
}

om_time om_sdnotify_watchdog(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    char *end = NULL;

    if (!usec || (pid && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    long long v = strtoll(usec, &end, 10);
    return v > 0 && end && !*end ? v / 2 : 0;
}
