/* process.c - a pidfd in the loop, and a log that is kept short. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <omerta/attr.h>

#include "launch.h"
#include "process_state.h"

static void on_handle_closed(uv_handle_t *h)
{
    struct om_vm_process *p = h->data;

    if (--p->handles > 0)
        return;
    if (p->pidfd >= 0)
        (void)close(p->pidfd);
    if (p->log >= 0)
        (void)close(p->log);
    free(p);
}

/* Everything is appended, by each writer for itself, so that it can be emptied under them. */
static void keep_log_short(struct om_vm_process *p)
{
    struct stat st;

    if (p->log >= 0 && fstat(p->log, &st) == 0 && st.st_size > OM_VM_LOG_MAX)
        (void)!ftruncate(p->log, 0);
}

static void on_log_grown(uv_fs_event_t *h, const char *name OM_UNUSED, int events OM_UNUSED,
                         int status OM_UNUSED)
{
    keep_log_short(h->data);
}

/* Of a child the status, which also ends the zombie; of an adopted process only the fact. */
static struct om_vm_exit how_it_ended(const struct om_vm_process *p)
{
    siginfo_t info = {0};

    if (waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
        return (struct om_vm_exit){.is_known = false};
    if (info.si_code == CLD_EXITED)
        return (struct om_vm_exit){.is_known = true, .code = info.si_status};
    return (struct om_vm_exit){.is_known = true, .signal = info.si_status};
}

static void on_ended(uv_poll_t *h, int status OM_UNUSED, int events OM_UNUSED)
{
    struct om_vm_process *p = h->data;

    (void)uv_poll_stop(h);
    p->has_ended = true;
    struct om_vm_exit how = how_it_ended(p);
    if (p->on_exit)
        p->on_exit(p->self, &how);
}

static int open_log(const char *path, struct om_error *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        (void)om_fail(err, errno == ENOENT ? OM_E_MISSING : OM_E_STATE, "cannot write %.120s: %s",
                      path, strerror(errno));
    return fd;
}

static struct om_vm_process *process_new(const struct om_vm_process_config *c)
{
    struct om_vm_process *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->pidfd = p->log = -1;
    p->on_exit = c->on_exit;
    p->self = c->self;
    p->poll.data = p->grown.data = p;
    return p;
}

static void process_drop(struct om_vm_process *p)
{
    if (p->pidfd >= 0)
        (void)close(p->pidfd);
    if (p->log >= 0)
        (void)close(p->log);
    free(p);
}

static enum om_err keep(struct om_vm_process **out, struct om_vm_process *p, enum om_err e)
{
    if (e == OM_OK)
        *out = p;
    else
        process_drop(p);
    return e;
}

/* Failing to watch the log only costs its bound. */
static enum om_err watch(struct om_vm_process *p, const struct om_vm_process_config *c,
                         struct om_error *err)
{
    int rc = uv_poll_init(c->loop, &p->poll, p->pidfd);

    if (rc != 0)
        return om_fail(err, OM_E_STATE, "cannot watch process %d: %s", (int)p->who.pid,
                       uv_strerror(rc));
    (void)uv_poll_start(&p->poll, UV_READABLE, on_ended);
    p->handles = 1;
    if (p->log < 0 || uv_fs_event_init(c->loop, &p->grown) != 0)
        return OM_OK;
    p->handles = 2;
    (void)uv_fs_event_start(&p->grown, on_log_grown, c->log, 0);
    uv_unref((uv_handle_t *)&p->grown);
    keep_log_short(p);
    return OM_OK;
}

/* A child that cannot be watched must not stay: nobody would know of it. */
static void end_child(pid_t pid)
{
    (void)kill(pid, SIGKILL); /* not waited for yet, so the number is still its own */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static enum om_err spawn(struct om_vm_process *p, const struct om_vm_process_config *c, int nothing,
                         struct om_error *err)
{
    int log = p->log >= 0 ? p->log : nothing;
    struct om_vm_launch l = {c, c->in > 0 ? c->in : nothing, c->out > 0 ? c->out : log,
                             c->err > 0 ? c->err : log};
    pid_t pid = 0;

    enum om_err e = om_vm_launch(&l, &pid, err);
    if (e != OM_OK)
        return e;
    p->pidfd = pidfd_open(pid, 0);
    if (p->pidfd < 0)
        e = om_fail(err, OM_E_STATE, "cannot watch process %d: %s", (int)pid, strerror(errno));
    else
        e = om_vm_ident_of(&p->who, pid, err);
    if (e == OM_OK)
        e = watch(p, c, err);
    if (e != OM_OK)
        end_child(pid);
    return e;
}

enum om_err om_vm_process_spawn(struct om_vm_process **out,
                                const struct om_vm_process_config *config, struct om_error *err)
{
    struct om_vm_process *p = process_new(config);
    enum om_err e = OM_OK;

    if (!p)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    if (config->via)
        return keep(out, p, om_vm_spawner_start(config->via, p, config, NULL, err));
    if (config->log && (p->log = open_log(config->log, err)) < 0)
        e = errno == ENOENT ? OM_E_MISSING : OM_E_STATE;
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (e == OM_OK && nothing < 0)
        e = om_fail(err, OM_E_STATE, "cannot open /dev/null: %s", strerror(errno));
    if (e == OM_OK)
        e = spawn(p, config, nothing, err);
    if (nothing >= 0)
        (void)close(nothing);
    return keep(out, p, e);
}

/* A process that ended makes its descriptor readable, also while nobody has waited for it. */
static bool is_over(int pidfd)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};

    return poll(&p, 1, 0) != 0;
}

/* First a descriptor of the process, then a look at who it is, then: is it still alive? Then the
 * look was at this one, whatever became of the number in between. */
static enum om_err find_again(struct om_vm_process *p, const struct om_vm_ident *who,
                              struct om_error *err)
{
    p->pidfd = pidfd_open(who->pid, 0);
    if (p->pidfd < 0 && errno != ESRCH && errno != EINVAL)
        return om_fail(err, OM_E_STATE, "cannot watch process %d: %s", (int)who->pid,
                       strerror(errno));
    enum om_err e = p->pidfd < 0 ? OM_E_MISSING : om_vm_ident_of(&p->who, who->pid, err);
    if (e != OM_OK && e != OM_E_MISSING)
        return e; /* it may be there */
    if (e == OM_E_MISSING || is_over(p->pidfd))
        return om_fail(err, OM_E_MISSING, "process %d has ended", (int)who->pid);
    if (!om_vm_ident_equal(&p->who, who))
        return om_fail(err, OM_E_MISSING, "process %d has ended; another has its number",
                       (int)who->pid);
    return OM_OK;
}

enum om_err om_vm_process_adopt(struct om_vm_process **out,
                                const struct om_vm_process_config *config,
                                const struct om_vm_ident *who, struct om_error *err)
{
    struct om_vm_process *p = process_new(config);

    if (!p)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    if (config->via)
        return keep(out, p, om_vm_spawner_start(config->via, p, config, who, err));
    enum om_err e = find_again(p, who, err);
    if (e == OM_OK && config->log)
        p->log = open_log(config->log, NULL);
    if (e == OM_OK)
        e = watch(p, config, err);
    return keep(out, p, e);
}

const struct om_vm_ident *om_vm_process_ident(const struct om_vm_process *p)
{
    return &p->who;
}

enum om_err om_vm_process_signal(struct om_vm_process *p, int signal)
{
    if (p->via)
        return om_vm_spawner_signal(p, signal);
    if (p->has_ended)
        return OM_E_MISSING;
    if (pidfd_send_signal(p->pidfd, signal, NULL, 0) == 0)
        return OM_OK;
    return errno == ESRCH ? OM_E_MISSING : OM_E_STATE;
}

void om_vm_process_close(struct om_vm_process *p)
{
    if (!p || p->is_closed)
        return;
    if (p->via) {
        om_vm_spawner_forget(p);
        process_drop(p);
        return;
    }
    p->is_closed = true;
    if (p->handles == 2)
        uv_close((uv_handle_t *)&p->grown, on_handle_closed);
    uv_close((uv_handle_t *)&p->poll, on_handle_closed);
}

static bool may_run(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

enum om_err om_vm_process_find(char *out, size_t size, const char *name, struct om_error *err)
{
    const char *places = getenv("PATH");
    char path[OM_VM_PATH_MAX];

    if (!places || strchr(name, '/'))
        places = strchr(name, '/') ? "" : "/usr/bin:/bin";
    for (const char *p = places; p; p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL) {
        int n = (int)strcspn(p, ":");
        int all = n > 0 ? snprintf(path, sizeof path, "%.*s/%s", n, p, name)
                        : snprintf(path, sizeof path, "%s", name);
        bool is_ours = n > 0 || strchr(name, '/'); /* an empty place is "here": not for us */
        if (all > 0 && (size_t)all < sizeof path && (size_t)all < size && is_ours &&
            may_run(path)) {
            memcpy(out, path, (size_t)all + 1);
            return OM_OK;
        }
    }
    return om_fail(err, OM_E_MISSING, "%.100s: not found, or may not be executed", name);
}
