/* launch.c - the child sets itself up with nothing but system calls. */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CPU_GRACE_S = 1 };

enum step { STEP_SESSION, STEP_FOLDER, STEP_DESCRIPTORS, STEP_LIMITS, STEP_PROGRAM, STEP_COUNT };

static const char *const step_names[STEP_COUNT] = {[STEP_SESSION] = "start a session",
                                                   [STEP_FOLDER] = "enter the folder",
                                                   [STEP_DESCRIPTORS] = "hand over descriptors",
                                                   [STEP_LIMITS] = "set the limits",
                                                   [STEP_PROGRAM] = "execute the program"};

/* What the child says when it cannot go on; few enough bytes to be written at once. */
struct report {
    int step;
    int cause;
};

/* Made before the fork: afterwards nothing may be allocated or formatted. */
struct plan {
    const struct om_vm_launch *launch;
    char *argv[OM_VM_ARGS_MAX + 1];
    char *env[5];
    char home[OM_VM_PATH_MAX + 8], tmp[OM_VM_PATH_MAX + 8];
    char path[32], language[16];
};

static bool limit(int which, uint64_t soft, uint64_t hard)
{
    struct rlimit l = {.rlim_cur = (rlim_t)soft, .rlim_max = (rlim_t)hard};

    return soft == 0 || setrlimit((__rlimit_resource_t)which, &l) == 0;
}

static bool set_limits(const struct om_vm_rlimits *l)
{
    static const struct rlimit no_core = {0, 0};

    errno = 0;
    if (l->nice != 0 && nice(l->nice) == -1 && errno != 0)
        return false;
    return setrlimit(RLIMIT_CORE, &no_core) == 0 &&
           limit(RLIMIT_FSIZE, l->file_bytes, l->file_bytes) &&
           limit(RLIMIT_NOFILE, l->files, l->files) &&
           limit(RLIMIT_CPU, l->cpu_s, (uint64_t)l->cpu_s + CPU_GRACE_S) &&
           limit(RLIMIT_AS, l->memory_bytes, l->memory_bytes);
}

/* Handlers go with exec, but what is ignored or blocked would stay so. */
static void reset_signals(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL}, ignored = {.sa_handler = SIG_IGN};
    sigset_t none;

    for (int s = 1; s < NSIG; s++)
        (void)sigaction(s, &standard, NULL);
    (void)sigaction(SIGXFSZ, &ignored, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* First out of the way of 0 to 2, then into place. */
static bool set_descriptors(const struct om_vm_launch *l)
{
    int from[3] = {l->in, l->out, l->err};

    for (int i = 0; i < 3; i++) {
        from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
        if (from[i] < 0)
            return false;
    }
    for (int i = 0; i < 3; i++)
        if (dup2(from[i], i) < 0)
            return false;
    return close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

static enum step run(struct plan *p)
{
    const struct om_vm_process_config *c = p->launch->config;

    reset_signals();
    if (setsid() < 0)
        return STEP_SESSION;
    if (chdir(c->folder) != 0)
        return STEP_FOLDER;
    (void)umask(077);
    if (!set_descriptors(p->launch))
        return STEP_DESCRIPTORS;
    if (!set_limits(&c->limits))
        return STEP_LIMITS;
    (void)execve(p->argv[0], p->argv, p->env);
    return STEP_PROGRAM;
}

/* execve() takes char ** for reasons of history and writes to none of them. */
static char *word_of(const char *word)
{
    union {
        const char *from;
        char *to;
    } u = {word};

    return u.to;
}

static bool make_plan(struct plan *p, const struct om_vm_launch *l)
{
    const struct om_vm_process_config *c = l->config;
    size_t n = 0;

    p->launch = l;
    for (; c->argv[n]; n++) {
        if (n == OM_VM_ARGS_MAX)
            return false;
        p->argv[n] = word_of(c->argv[n]);
    }
    if (n == 0 || strlen(c->folder) >= OM_VM_PATH_MAX)
        return false;
    p->argv[n] = NULL;
    (void)snprintf(p->path, sizeof p->path, "PATH=/usr/bin:/bin");
    (void)snprintf(p->language, sizeof p->language, "LC_ALL=C");
    (void)snprintf(p->home, sizeof p->home, "HOME=%s", c->folder);
    (void)snprintf(p->tmp, sizeof p->tmp, "TMPDIR=%s", c->folder);
    p->env[0] = p->path;
    p->env[1] = p->language;
    p->env[2] = p->home;
    p->env[3] = p->tmp;
    p->env[4] = NULL;
    return true;
}

/* The pipe closes when the program is executed, or brings what went wrong. */
static enum om_err wait_for_exec(int fd, pid_t pid, const struct plan *p, struct om_error *err)
{
    struct report r = {0, 0};
    ssize_t n = 0;

    do
        n = read(fd, &r, sizeof r);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return OM_OK;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    if (n != (ssize_t)sizeof r || r.step < 0 || r.step >= (int)STEP_COUNT)
        return om_fail(err, OM_E_STATE, "cannot start %.100s", p->argv[0]);
    bool is_missing = r.cause == ENOENT || r.cause == ENOTDIR;
    return om_fail(
        err, is_missing ? OM_E_MISSING : OM_E_STATE, "cannot %s: %.100s: %s", step_names[r.step],
        r.step == STEP_FOLDER ? p->launch->config->folder : p->argv[0], strerror(r.cause));
}

enum om_err om_vm_launch(const struct om_vm_launch *l, pid_t *pid, struct om_error *err)
{
    sigset_t all, before;
    struct plan p;
    int ends[2];

    if (!make_plan(&p, l))
        return om_fail(err, OM_E_RANGE, "want 1 to %d words, and a folder of at most %d bytes",
                       OM_VM_ARGS_MAX, OM_VM_PATH_MAX - 1);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return om_fail(err, OM_E_STATE, "cannot make a pipe: %s", strerror(errno));
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before); /* our handlers must not run in the child */
    pid_t child = fork();
    if (child == 0) {
        struct report r = {0, 0};
        r.step = (int)run(&p);
        r.cause = errno;
        ssize_t sent = write(ends[1], &r, sizeof r);
        _exit(sent == (ssize_t)sizeof r ? 127 : 126);
    }
    int cause = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)close(ends[1]);
    enum om_err e = child < 0 ? om_fail(err, OM_E_STATE, "cannot fork: %s", strerror(cause))
                              : wait_for_exec(ends[0], child, &p, err);
    (void)close(ends[0]);
    if (e == OM_OK)
        *pid = child;
    return e;
}
