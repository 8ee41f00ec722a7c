/*
 * tools.h - what the daemon's program does without becoming a daemon
 *
 * What:  init, key, check.
 * Why:   they need the core, which the command line does not link: it runs these.
 */
#ifndef OM_MESHD_TOOLS_H
#define OM_MESHD_TOOLS_H

#include "state.h"

struct tools_line {
    const char *command; /* "init", "key", "check" or "config"; NULL: none of them */
    const char *word;    /* "show" of key, "keys" of config; NULL: none */
    bool force;          /* of init */
    bool json;           /* of check */
};

/**
 * tools_run() - do what a command says; a daemon may be using the home meanwhile, but for init
 * @line:  what was asked
 * @d:     place, flags and config_file as for daemon_run()
 *
 * Return: the exit code; results are on standard output, errors on standard error.
 */
enum om_exit tools_run(const struct tools_line *line, struct om_daemon *d);

#endif
