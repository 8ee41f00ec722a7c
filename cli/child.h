/*
 * child.h - other programs: find them, run them, leave them running
 *
 * What:  omerta-meshd beside our own binary or in PATH; run and wait; start in the background.
 * Why:   what needs the core is done by the daemon's program: the command line never links it.
 * Keeps: child_passes_the_exit_code_on; child_is_found_in_the_path.
 */
#ifndef OM_CLI_CHILD_H
#define OM_CLI_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "ipc/place.h"

/** om_child_in_path() - path of the program @name found by $PATH in @out; false: not there. */
bool om_child_in_path(const char *name, char out[static OM_PATH_MAX]);

/** om_child_find() - as om_child_in_path(), but first beside our own binary. */
bool om_child_find(const char *name, char out[static OM_PATH_MAX]);

/**
 * om_child_run() - run a program to its end
 * @argv:   path and arguments, ended by NULL
 * @quiet:  its output is thrown away
 *
 * Return: its exit code; 128 + number when a signal ended it; -1 when it could not be started.
 */
int om_child_run(const char *const *argv, bool quiet);

/**
 * om_child_read() - run a program and take the start of what it prints
 * @argv:  path and arguments, ended by NULL
 * @buf:   terminated
 * @n:     bytes of @buf; what does not fit is dropped
 *
 * Return: as om_child_run().
 */
int om_child_read(const char *const *argv, char *buf, size_t n);

/**
 * om_child_start() - a program in a session of its own
 * @argv:    path and arguments, ended by NULL
 * @log_fd:  its standard output and error; its input is /dev/null
 *
 * Return: its process id, or -1.
 */
pid_t om_child_start(const char *const *argv, int log_fd);

/** om_child_ended() - @pid is no more; its exit code in @code. */
bool om_child_ended(pid_t pid, int *code);

#endif
