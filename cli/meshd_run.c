/* meshd_run.c - the daemon's program as a tool. */
#include "meshd_run.h"

#include <stdio.h>

#include "child.h"

enum om_exit om_meshd_run(struct om_cli *cli, const char *word, const char *more)
{
    char program[OM_PATH_MAX];
    const char *argv[8];
    unsigned n = 0;
    int code;

    if (!om_child_find("omerta-meshd", program)) {
        om_out_error(&cli->out, "omerta-meshd is neither beside omerta nor in PATH");
        return OM_EXIT_FAILED;
    }
    argv[n++] = program;
    argv[n++] = word;
    if (more)
        argv[n++] = more;
    argv[n++] = "--home";
    argv[n++] = cli->place.home;
    if (cli->out.json)
        argv[n++] = "--json";
    argv[n] = NULL;
    (void)fflush(cli->out.to);
    code = om_child_run(argv, false);
    if (code < 0 || code >= 126)
        om_out_error(&cli->out, "%s ended with code %d", program, code);
    return code == 0 ? OM_EXIT_OK : OM_EXIT_FAILED;
}
