/*
 * tools.h - what the daemon's program does without becoming a daemon
 *
 * What:  init, key, check.
 * Why:   they need the core, which the command line does not link: it runs these.
 */
#ifndef OM_MESHD_TOOLS_H
#define OM_MESHD_TOOLS_H

#include "state.h"

/**
 * tools_run() - do what a command says
 * @command:  "init", "key" or "check"
 * @force:    of init
 * @d:        place, flags and config_file as for daemon_run()
 *
 * Return: the exit code; results are on standard output, errors on standard error.
 */
enum om_exit tools_run(const char *command, bool force, struct om_daemon *d);

#endif
