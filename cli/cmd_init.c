/* cmd_init.c - init: done by omerta-meshd, which has the core. */
#include "commands.h"
#include "meshd_run.h"

enum om_exit om_cmd_init(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 0, 0);

    return e ? e : om_meshd_run(cli, "init", om_args_has(&cli->args, "force") ? "--force" : NULL);
}
