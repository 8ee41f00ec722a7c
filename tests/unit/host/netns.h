/*
 * netns.h - a network namespace of its own for a test, and commands in it
 *
 * What:  the calling process enters a fresh namespace in which it may do what root may.
 * Why:   netlink and multicast tests need interfaces that nobody else changes.
 */
#ifndef OM_TESTS_NETNS_H
#define OM_TESTS_NETNS_H

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/attr.h>

/* Write @text into the existing file @path at once; false when that failed. */
static inline bool netns_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool is_done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        (void)close(fd);
    return is_done;
}

static inline bool netns_ip(const char *fmt, ...) OM_PRINTF(1, 2);

/* Run iproute2 with the arguments that @fmt makes; false when it failed. */
static inline bool netns_ip(const char *fmt, ...)
{
    char command[400];
    int n = snprintf(command, sizeof command, "ip ");
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(command + n, sizeof command - (size_t)n, fmt, ap);
    va_end(ap);
    return system(command) == 0; /* NOLINT(cert-env33-c,bugprone-command-processor): fixed text */
}

/**
 * netns_enter() - a fresh namespace with loopback up and a pair of interfaces va, vb, both down
 *
 * Each call of a process enters another one.
 *
 * Return: NULL, or why this machine does not let us.
 */
static inline const char *netns_enter(void)
{
    static bool is_root;
    char map[40];

    snprintf(map, sizeof map, "0 %u 1", (unsigned)geteuid());
    if (!is_root) {
        if (unshare(CLONE_NEWUSER) != 0)
            return "no user namespaces here";
        (void)netns_write("/proc/self/setgroups", "deny");
        if (!netns_write("/proc/self/uid_map", map))
            return "no mapping into user namespaces here";
        is_root = true;
    }
    if (unshare(CLONE_NEWNET) != 0)
        return "no network namespaces here";
    if (!netns_ip("link set lo up"))
        return "no working iproute2 here";
    /* Without duplicate address detection IPv6 is there at once. */
    (void)netns_write("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
    (void)netns_write("/proc/sys/net/ipv6/conf/default/dad_transmits", "0");
    if (!netns_ip("link add va type veth peer name vb"))
        return "no veth interfaces here";
    return NULL;
}

#endif
