/*
 * job.h - what runs in this guest for the host
 *
 * What:  a program in a process of its own, or a file that is read; what comes of it goes to the
 *        port, as soon as it comes and as fast as the port takes it; then its end.
 * Why:   jobs run side by side, and none waits for another.
 *
 *   FREE -> COMING (its body) -> RUNS -> its process ended, and all it left is killed -> FREE
 *    |                                   once its pipes are empty
 *    +----> GIVES a file ------> at its end --------------------------------------------^
 *
 * What is out of reach of the kill holds a pipe open no longer than GUEST_LINGER_MS of silence.
 *
 * Full: GUEST_JOBS at a time; then they are refused.
 */
#ifndef OM_GUEST_JOB_H
#define OM_GUEST_JOB_H

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

#include <omerta/time.h>

#include "group.h"
#include "order.h"
#include "port.h"

enum { GUEST_JOBS = 16, GUEST_KILL_MS = 2000, GUEST_LINGER_MS = 2000, GUEST_PIPES = 2 };

enum guest_job_state { GUEST_JOB_FREE, GUEST_JOB_COMING, GUEST_JOB_RUNS, GUEST_JOB_GIVES };

struct guest_job {
    enum guest_job_state state;
    char id[GUEST_ID];
    char program[32]; /* where its text is */
    struct guest_group group;
    pid_t pid; /* 0: it ended */
    unsigned status;
    bool is_over;
    int pipe[GUEST_PIPES]; /* output and errors; -1: closed */
    om_time kill_at, end_at;
};

struct guest_jobs {
    struct guest_job place[GUEST_JOBS];
};

/** guest_jobs_init() - @all are free; what an earlier agent ran is killed. */
void guest_jobs_init(struct guest_jobs *all);

/** guest_jobs_find() - that of @all with the name @id, NULL without. */
struct guest_job *guest_jobs_find(struct guest_jobs *all, const char *id);

/** guest_jobs_take() - a free one of @all is called @id now, and COMING; NULL and @why. */
struct guest_job *guest_jobs_take(struct guest_jobs *all, const char *id, const char **why);

/** guest_job_run() - @program has the text of @j, which came, to run; false: it cannot. */
bool guest_job_run(struct guest_job *j, char *program);

/** guest_job_give() - @j is the file at @path; or why it is not, for @p. */
void guest_job_give(struct guest_job *j, struct guest_port *p, const char *path);

/** guest_job_free() - @j, which does not run, is done. */
void guest_job_free(struct guest_job *j);

/** guest_job_cancel() - ask @j to end, at @now, and see to it that it does. */
void guest_job_cancel(struct guest_job *j, om_time now);

/** guest_jobs_reap() - look which processes of @all ended by @now. */
void guest_jobs_reap(struct guest_jobs *all, om_time now);

/** guest_job_poll() - what of @j is waited for, if @p takes it, into @polls, GUEST_PIPES of them;
 *  those that are not have the descriptor -1. */
void guest_job_poll(const struct guest_job *j, const struct guest_port *p, struct pollfd *polls);

/** guest_job_pump() - takes what @polls say there is at @now of @j for @p, and its end. */
void guest_job_pump(struct guest_job *j, struct guest_port *p, om_time now,
                    const struct pollfd *polls);

/** guest_job_deadline() - when @j wants to be pumped though nothing comes. */
om_time guest_job_deadline(const struct guest_job *j);

#endif
