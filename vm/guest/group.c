/* group.c - files below /sys/fs/cgroup. */
#include "group.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <omerta/bytes.h>

enum { KILL_ROUNDS = 8, LIST_MAX = 16 * 1024 };

/* linux/sched.h: CLONE_INTO_CGROUP (5.7), struct clone_args. */
#define INTO_CGROUP 0x200000000ULL
struct clone3_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
        set_tid_size, cgroup;
};

static bool write_file(int folder, const char *name, const char *text, size_t n)
{
    int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);
    bool is_done = fd >= 0 && write(fd, text, n) == (ssize_t)n;

    if (fd >= 0)
        (void)close(fd);
    return is_done;
}

struct guest_group guest_group_open(unsigned i)
{
    struct guest_group g;
    char path[64];

    (void)snprintf(path, sizeof path, "/sys/fs/cgroup/job.%u", i);
    (void)mkdir(path, 0755);
    g.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    guest_group_kill(&g, 0);
    return g;
}

pid_t guest_group_fork(const struct guest_group *g)
{
    struct clone3_args args = {
        .flags = INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)g->fd};
    long pid = g->fd >= 0 ? syscall(SYS_clone3, &args, sizeof args) : -1;

    if (pid >= 0)
        return (pid_t)pid;
    /* An older kernel; there it moves itself, which takes as long as all processors look away. */
    pid = fork();
    if (pid == 0 && g->fd >= 0)
        (void)write_file(g->fd, "cgroup.procs", "0", 1);
    return (pid_t)pid;
}

void guest_group_signal(const struct guest_group *g, pid_t pid, int sig)
{
    static char list[LIST_MAX];
    bool is_listed = pid <= 0;
    int fd = g->fd >= 0 ? openat(g->fd, "cgroup.procs", O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n = fd >= 0 ? read(fd, list, sizeof list - 1) : 0;
    char *at = list;

    if (fd >= 0)
        (void)close(fd);
    list[n > 0 ? n : 0] = '\0';
    for (char *end; *at; at = end + (*end == '\n')) {
        long one = strtol(at, &end, 10);
        if (end == at)
            break;
        is_listed |= one == pid;
        if (one > 0)
            (void)kill((pid_t)one, sig);
    }
    if (!is_listed)
        (void)kill(pid, sig);
}

void guest_group_kill(const struct guest_group *g, pid_t pid)
{
    if (g->fd >= 0 && write_file(g->fd, "cgroup.kill", "1", 1))
        return;
    if (pid > 0)
        (void)kill(-pid, SIGKILL);
    /* Before Linux 5.14: one by one, and again for what they started meanwhile. */
    for (unsigned i = 0; g->fd >= 0 && i < KILL_ROUNDS; i++)
        guest_group_signal(g, 0, SIGKILL);
}

void guest_yields(bool is_batch)
{
    const struct sched_param none = {0};

    /* musl's own function refuses. */
    (void)syscall(SYS_sched_setscheduler, 0, is_batch ? SCHED_BATCH : SCHED_OTHER, &none);
}
