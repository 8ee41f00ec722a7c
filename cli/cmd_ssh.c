/* cmd_ssh.c - ssh, cp: OpenSSH through a connection to a port of a peer. */
#include <string.h>

#include <omerta/text.h>

#include "commands.h"
#include "ssh_run.h"

static enum om_exit run(struct om_cli *cli, const char *program)
{
    const struct om_ssh_run r = {
        .program = program, .words = cli->args.words, .count = cli->args.count};

    return om_ssh_run(cli, &r);
}

enum om_exit om_cmd_ssh(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 1, OM_ARGS_WORDS_MAX);
    char shown[OM_SHOW_TEXT];

    if (e)
        return e;
    const char *whom = cli->args.words[0], *at = strrchr(whom, '@');
    if (!*whom || *whom == '-' || at == whom || (at && !at[1]))
        return om_cli_usage(cli, "\"%s\": want [USER@]PEER", om_text_show(shown, whom));
    return run(cli, "ssh");
}

enum om_exit om_cmd_cp(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 2, OM_ARGS_WORDS_MAX);

    return e ? e : run(cli, "scp");
}
