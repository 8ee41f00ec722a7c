/* cmd_init.c - init and key: done by omerta-meshd, which has the core. */
#include <string.h>

#include "child.h"
#include "commands.h"

/* Runs `omerta-meshd WORD [--home H] [...]` and passes its output and verdict on. */
static enum om_exit run_meshd(struct om_cli *cli, const char *word, const char *more)
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

enum om_exit om_cmd_init(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 0, 0);

    return e ? e : run_meshd(cli, "init", om_args_has(&cli->args, "force") ? "--force" : NULL);
}

enum om_exit om_cmd_key(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 1, 1);

    if (!e && strcmp(cli->args.words[0], "show") != 0)
        e = om_cli_usage(cli, "key: want show");
    return e ? e : run_meshd(cli, "key", "show");
}
