/*
 * meshd_run.h - what only omerta-meshd can do, done by it
 *
 * What:  runs `omerta-meshd WORD [MORE] --home HOME` and passes its output and verdict on.
 * Why:   keys come from the core, which the command line does not have.
 */
#ifndef OM_CLI_MESHD_RUN_H
#define OM_CLI_MESHD_RUN_H

#include "cli.h"

/** om_meshd_run() - @word, and @more unless it is NULL, for the home of @cli. Return: OM_EXIT_OK,
 *  or OM_EXIT_FAILED once that was said. */
OM_MUST enum om_exit om_meshd_run(struct om_cli *cli, const char *word, const char *more);

#endif
