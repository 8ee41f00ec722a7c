/* job.c - fork, two pipes, and an end. */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NO_PROGRAM = 127, SIGNALLED = 128 };

static const char *const words[GUEST_PIPES] = {"out", "err"};

void guest_jobs_init(struct guest_jobs *all)
{
    char folder[20];

    (void)mkdir("/run/agent", 0755);
    for (unsigned i = 0; i < GUEST_JOBS; i++) {
        struct guest_job *j = &all->place[i];
        (void)snprintf(folder, sizeof folder, "/run/agent/%u", i);
        (void)mkdir(folder, 0755);
        (void)snprintf(j->program, sizeof j->program, "%s/program", folder);
        j->group = guest_group_open(i);
        guest_job_free(j);
    }
}

struct guest_job *guest_jobs_find(struct guest_jobs *all, const char *id)
{
    for (unsigned i = 0; i < GUEST_JOBS; i++)
        if (all->place[i].state != GUEST_JOB_FREE && strcmp(all->place[i].id, id) == 0)
            return &all->place[i];
    return NULL;
}

struct guest_job *guest_jobs_take(struct guest_jobs *all, const char *id, const char **why)
{
    *why = "there is a job of that name";
    if (guest_jobs_find(all, id))
        return NULL;
    for (unsigned i = 0; i < GUEST_JOBS; i++) {
        struct guest_job *j = &all->place[i];
        if (j->state != GUEST_JOB_FREE)
            continue;
        j->state = GUEST_JOB_COMING;
        (void)snprintf(j->id, sizeof j->id, "%s", id);
        return j;
    }
    *why = "there are 16 jobs already";
    return NULL;
}

void guest_job_free(struct guest_job *j)
{
    j->state = GUEST_JOB_FREE;
    j->id[0] = '\0';
    j->pid = 0;
    j->is_over = false;
    j->pipe[0] = j->pipe[1] = -1;
    j->kill_at = j->end_at = OM_NEVER;
}

static void shut(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* In the child: becomes the program. */
static void become(struct guest_job *j, char *program, int out, int err)
{
    static char home[] = "HOME=/root", user[] = "USER=root", lang[] = "LANG=C.UTF-8",
                term[] = "TERM=dumb", unbuffered[] = "PYTHONUNBUFFERED=1",
                path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char *const env[] = {home, user, lang, term, unbuffered, path, NULL};
    char *const argv[] = {program, j->program, NULL};
    int none = open("/dev/null", O_RDONLY), score;
    sigset_t nothing;

    (void)sigemptyset(&nothing);
    (void)sigprocmask(SIG_SETMASK, &nothing, NULL);
    (void)setsid();
    guest_yields(false);
    score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0)
        (void)!write(score, "0", 1);
    if (chdir("/work") == 0 && dup2(none, 0) == 0 && dup2(out, 1) == 1 && dup2(err, 2) == 2) {
        if (none > 2)
            (void)close(none);
        (void)execve(program, argv, env);
    }
    _exit(NO_PROGRAM);
}

bool guest_job_run(struct guest_job *j, char *program)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1};

    j->pid = -1;
    if (pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0)
        j->pid = guest_group_fork(&j->group);
    if (j->pid == 0)
        become(j, program, out[1], err[1]);
    shut(&out[1]);
    shut(&err[1]);
    j->pipe[0] = out[0];
    j->pipe[1] = err[0];
    if (j->pid < 0) {
        shut(&j->pipe[0]);
        shut(&j->pipe[1]);
        j->pid = 0;
        return false;
    }
    (void)fcntl(out[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(err[0], F_SETFL, O_NONBLOCK);
    j->state = GUEST_JOB_RUNS;
    return true;
}

static void give_up(struct guest_job *j, struct guest_port *p, const char *path)
{
    char text[GUEST_PATH + 80];
    int n = snprintf(text, sizeof text, "%s: %s\n", path, strerror(errno));

    guest_port_output(p, "err", j->id, om_bytes(text, (size_t)n));
    j->is_over = true;
    j->status = 1;
    shut(&j->pipe[0]);
}

void guest_job_give(struct guest_job *j, struct guest_port *p, const char *path)
{
    j->state = GUEST_JOB_GIVES;
    j->pipe[0] = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (j->pipe[0] < 0)
        give_up(j, p, path);
}

void guest_job_cancel(struct guest_job *j, om_time now)
{
    if (j->state == GUEST_JOB_GIVES && !j->is_over) {
        shut(&j->pipe[0]);
        j->is_over = true;
        j->status = SIGNALLED + SIGTERM;
    } else if (j->state == GUEST_JOB_RUNS && !j->is_over) {
        guest_group_signal(&j->group, j->pid, SIGTERM);
        j->kill_at = now + OM_MS(GUEST_KILL_MS);
    }
}

void guest_jobs_reap(struct guest_jobs *all, om_time now)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (unsigned i = 0; i < GUEST_JOBS; i++) {
            struct guest_job *j = &all->place[i];
            if (j->state != GUEST_JOB_RUNS || j->pid != pid)
                continue;
            j->status = WIFSIGNALED(status) ? SIGNALLED + (unsigned)WTERMSIG(status)
                                            : (unsigned)WEXITSTATUS(status);
            j->is_over = true;
            j->kill_at = OM_NEVER;
            j->end_at = now + OM_MS(GUEST_LINGER_MS);
            guest_group_kill(&j->group, pid);
            j->pid = 0;
        }
}

void guest_job_poll(const struct guest_job *j, const struct guest_port *p, struct pollfd *polls)
{
    bool is_taken = guest_port_takes_output(p);

    for (unsigned i = 0; i < GUEST_PIPES; i++)
        polls[i] = (struct pollfd){.fd = is_taken ? j->pipe[i] : -1, .events = POLLIN};
}

/* One line at most. */
static void take(struct guest_job *j, struct guest_port *p, om_time now, unsigned which)
{
    static uint8_t bytes[GUEST_CHUNK];
    ssize_t n = read(j->pipe[which], bytes, sizeof bytes);

    if (n > 0) {
        guest_port_output(p, words[which], j->id, om_bytes(bytes, (size_t)n));
        if (j->is_over)
            j->end_at = now + OM_MS(GUEST_LINGER_MS);
    } else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    } else if (n < 0 && j->state == GUEST_JOB_GIVES) {
        give_up(j, p, "the file");
    } else {
        shut(&j->pipe[which]);
        if (j->state == GUEST_JOB_GIVES) {
            j->is_over = true;
            j->status = 0;
        }
    }
}

void guest_job_pump(struct guest_job *j, struct guest_port *p, om_time now,
                    const struct pollfd *polls)
{
    for (unsigned i = 0; i < GUEST_PIPES; i++)
        if (j->pipe[i] >= 0 && polls[i].fd == j->pipe[i] && polls[i].revents &&
            guest_port_takes_output(p))
            take(j, p, now, i);
    if (j->kill_at <= now) {
        guest_group_kill(&j->group, j->pid);
        j->kill_at = OM_NEVER;
    }
    /* While the port is full nobody can tell whether the pipes are silent. */
    if (j->is_over && j->end_at <= now && guest_port_takes_output(p)) {
        shut(&j->pipe[0]);
        shut(&j->pipe[1]);
    }
    if (j->is_over && j->pipe[0] < 0 && j->pipe[1] < 0 && guest_port_takes_answer(p)) {
        guest_port_say(p, "exit %s %u", j->id, j->status);
        guest_job_free(j);
    }
}

om_time guest_job_deadline(const struct guest_job *j)
{
    return om_time_min(j->kill_at, j->end_at);
}
