/* confine.c - the stages, and the list of system calls. */
#include "confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <net/if.h>
#include <seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/sockios.h>

enum {
    NAME_THREAD = PR_SET_NAME,
    NAME_MEMORY = 0x53564d41 /* PR_SET_VMA, newer than some headers */
};

/* By what they are for. Names that this machine's architecture does not have are passed over. */
static const char *const allowed[] = {
    /* memory */
    "brk", "madvise", "membarrier", "memfd_create", "mlock", "mlock2", "mremap", "munlock",
    "munmap",
    /* time */
    "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep", "time",
    "timerfd_create", "timerfd_gettime", "timerfd_settime",
    /* the loop */
    "dup", "dup2", "dup3", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait",
    "epoll_pwait2", "epoll_wait", "eventfd", "eventfd2", "pipe", "pipe2", "poll", "ppoll",
    "pselect6", "select",
    /* threads and signals */
    "exit", "exit_group", "futex", "get_robust_list", "getpid", "getppid", "gettid",
    "restart_syscall", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_yield", "set_robust_list",
    "set_tid_address", "sigaltstack", "sigreturn", "waitid",
    /* files: configuration, keys, store, logs, sockets in the home */
    "access", "chmod", "close", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchmod",
    "fchmodat", "fchown", "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate",
    "getcwd", "getdents64", "lseek", "lstat", "mkdir", "mkdirat", "newfstatat", "open", "openat",
    "pread64", "preadv", "pwrite64", "pwritev", "read", "readlink", "readlinkat", "readv", "rename",
    "renameat", "renameat2", "stat", "statfs", "statx", "umask", "unlink", "unlinkat", "write",
    "writev",
    /* sockets; which ones may be made is a rule of its own */
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
    "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
    /* about ourselves and the machine */
    "capget", "getcpu", "getegid", "geteuid", "getgid", "getgroups", "getrandom", "getresgid",
    "getresuid", "getrlimit", "getrusage", "getuid", "sysinfo", "times", "uname"};

/* Tried by libraries that have another way; glibc makes its thread with clone then. */
static const struct {
    const char *name;
    int no;
} refused[] = {
    {"clone3", ENOSYS},
    {"close_range", ENOSYS},
    {"copy_file_range", ENOSYS},
    {"io_uring_enter", ENOSYS},
    {"io_uring_register", ENOSYS},
    {"io_uring_setup", ENOSYS},
    {"openat2", ENOSYS},
    {"pidfd_open", ENOSYS},
    {"sched_setaffinity", EPERM},
    {"sched_setscheduler", EPERM},
    {"setpriority", EPERM},
};

/* Allowed where one argument is as said. */
struct bound {
    const char *name;
    unsigned arg;
    enum scmp_compare how;
    scmp_datum_t value; /* of MASKED_EQ: the mask */
    scmp_datum_t masked;
};

static const struct bound bounds[] = {
    {"clone", 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD},
    {"mmap", 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}, /* either of the two holds unless both are set */
    {"mmap", 2, SCMP_CMP_MASKED_EQ, PROT_WRITE, 0},
    {"mprotect", 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0},
    {"mprotect", 2, SCMP_CMP_MASKED_EQ, PROT_WRITE, 0},
    {"socket", 0, SCMP_CMP_EQ, AF_UNIX, 0},
    {"socket", 0, SCMP_CMP_EQ, AF_INET, 0},
    {"socket", 0, SCMP_CMP_EQ, AF_INET6, 0},
    {"socketpair", 0, SCMP_CMP_EQ, AF_UNIX, 0},
    {"prctl", 0, SCMP_CMP_EQ, NAME_THREAD, 0},
    {"prctl", 0, SCMP_CMP_EQ, NAME_MEMORY, 0},
    {"prctl", 0, SCMP_CMP_EQ, PR_GET_DUMPABLE, 0},
    {"prlimit64", 2, SCMP_CMP_EQ, 0, 0}, /* look, but do not set */
    {"ioctl", 1, SCMP_CMP_EQ, FIONBIO, 0},
    {"ioctl", 1, SCMP_CMP_EQ, FIOCLEX, 0},
    {"ioctl", 1, SCMP_CMP_EQ, FIONREAD, 0},
    {"ioctl", 1, SCMP_CMP_EQ, TCGETS, 0},
    {"ioctl", 1, SCMP_CMP_EQ, TIOCGWINSZ, 0},
    {"ioctl", 1, SCMP_CMP_EQ, SIOCGIFNAME, 0},
    {"ioctl", 1, SCMP_CMP_EQ, SIOCGIFINDEX, 0},
    {"ioctl", 1, SCMP_CMP_EQ, SIOCGIFFLAGS, 0},
    {"ioctl", 1, SCMP_CMP_EQ, SIOCGIFMTU, 0},
};

static enum om_err fail_errno(struct om_error *err, const char *what, int no)
{
    return om_fail(err, OM_E_STATE, "%s: %s", what, strerror(no));
}

enum om_err om_confine_early(struct om_error *err)
{
    static const struct rlimit none;

    (void)umask(077);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return fail_errno(err, "making the process undumpable", errno);
    if (setrlimit(RLIMIT_CORE, &none) < 0)
        return fail_errno(err, "forbidding core dumps", errno);
    return OM_OK;
}

enum om_err om_confine_drop(struct om_error *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return fail_errno(err, "giving up new privileges", errno);
    if (capng_get_caps_process() < 0)
        return fail_errno(err, "reading our capabilities", errno);
    /* The bounding set is only root's to change, and without capabilities nobody else needs it. */
    capng_select_t which =
        capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS;
    capng_clear(which);
    if (capng_apply(which) < 0)
        return fail_errno(err, "dropping capabilities", errno);
    return OM_OK;
}

bool om_confine_has_seccomp(void)
{
    return !OM_HAS_SANITIZER && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 && seccomp_api_get() >= 3;
}

/* 0, or what libseccomp says. */
static int add(scmp_filter_ctx filter, uint32_t action, const char *name, const struct bound *b)
{
    int number = seccomp_syscall_resolve_name(name);
    struct scmp_arg_cmp arg;

    if (number == __NR_SCMP_ERROR)
        return 0; /* newer than the library, or of another architecture */
    if (!b)
        return seccomp_rule_add(filter, action, number, 0);
    arg = (struct scmp_arg_cmp){b->arg, b->how, b->value, b->masked};
    return seccomp_rule_add_array(filter, action, number, 1, &arg);
}

/* More than one argument counts. */
static int add_pairs(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp netlink[] = {{0, SCMP_CMP_EQ, AF_NETLINK, 0},
                                           {2, SCMP_CMP_EQ, NETLINK_ROUTE, 0}};
    const struct scmp_arg_cmp self[] = {{0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0}};
    int e = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, netlink);

    if (e == 0)
        e = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, self);
    return e; /* abort() signals its own thread */
}

static int fill(scmp_filter_ctx filter)
{
    int e = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

    if (e == 0)
        e = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (e == 0)
        e = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
    for (size_t i = 0; e == 0 && i < OM_ARRAY_SIZE(allowed); i++)
        e = add(filter, SCMP_ACT_ALLOW, allowed[i], NULL);
    for (size_t i = 0; e == 0 && i < OM_ARRAY_SIZE(refused); i++)
        e = add(filter, SCMP_ACT_ERRNO((unsigned)refused[i].no), refused[i].name, NULL);
    for (size_t i = 0; e == 0 && i < OM_ARRAY_SIZE(bounds); i++)
        e = add(filter, SCMP_ACT_ALLOW, bounds[i].name, &bounds[i]);
    return e == 0 ? add_pairs(filter) : e;
}

enum om_err om_confine_seccomp(struct om_error *err)
{
    scmp_filter_ctx filter;
    int e;

    if (!om_confine_has_seccomp())
        return om_fail(err, OM_E_UNSUPPORTED,
                       "seccomp: not in this build or kernel; --no-seccomp runs without it");
    filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter)
        return om_fail(err, OM_E_NO_MEM, "seccomp: out of memory");
    e = fill(filter);
    if (e == 0)
        e = seccomp_load(filter);
    seccomp_release(filter);
    return e == 0 ? OM_OK : fail_errno(err, "seccomp: loading the filter", -e);
}
