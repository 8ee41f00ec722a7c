/*
 * group.h - the cgroup of one job
 *
 * What:  made once for each place, entered by what a job starts, killed whole.
 * Why:   a job's exit ends all that it started, also what has a session of its own.
 *
 * Where there are no such groups a job is its session: what leaves that outlives it.
 *
 * Source: Linux, Documentation/admin-guide/cgroup-v2.rst (cgroup.procs, cgroup.kill), clone(2).
 */
#ifndef OM_GUEST_GROUP_H
#define OM_GUEST_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

struct guest_group {
    int fd; /* its folder; -1: there is none */
};

/** guest_group_open() - make the group of place @i, if it is not there, and kill what is in it. */
struct guest_group guest_group_open(unsigned i);

/**
 * guest_group_fork() - as fork(), but the child is in the group
 * @g: the group
 *
 * Return: as fork().
 */
pid_t guest_group_fork(const struct guest_group *g);

/** guest_group_signal() - @sig to all in @g and to @pid, its first. */
void guest_group_signal(const struct guest_group *g, pid_t pid, int sig);

/** guest_group_kill() - kills all in @g, and the session of @pid, which may be over: then 0. */
void guest_group_kill(const struct guest_group *g, pid_t pid);

/**
 * guest_yields() - is this process one that lets others go on when it wakes up?
 * @is_batch: so the agent. A program that writes by the kilobyte is then read when it waits or its
 *            time is over, not at each write; alone on its processor it gains nothing by waiting.
 *            A job: false.
 */
void guest_yields(bool is_batch);

#endif
