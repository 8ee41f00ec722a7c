/* cmd_ssh.c - ssh, cp: OpenSSH through a connection to a port of a peer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "commands.h"

static enum om_exit failed(struct om_cli *cli, const char *what)
{
    om_out_error(&cli->out, "%s: %s", what, strerror(errno));
    return OM_EXIT_FAILED;
}

/* OpenSSH's @program with our way there, then @words; returns only when it cannot be run. */
static enum om_exit run_ssh(struct om_cli *cli, const char *program)
{
    char self[OM_PATH_MAX], path[OM_PATH_MAX];
    static char proxy[3 * OM_PATH_MAX], known[OM_PATH_MAX + 64], key[OM_PATH_MAX + 64];
    const char *argv[OM_ARGS_WORDS_MAX + 24];
    unsigned n = 0;
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    if (!om_child_in_path(program, path)) {
        om_out_error(&cli->out, "%s is not installed: apt install openssh-client", program);
        return OM_EXIT_FAILED;
    }
    self[len > 0 ? len : 0] = '\0';
    /* The shell that OpenSSH starts reads this: only what we know is in it, quoted. */
    if (strchr(self, '\'') || strchr(cli->place.home, '\'')) {
        om_out_error(&cli->out, "%s: a path with a quote in it cannot be used here",
                     cli->place.home);
        return OM_EXIT_FAILED;
    }
    (void)snprintf(proxy, sizeof proxy, "ProxyCommand='%s' --home '%s' nc %%h %%p", self,
                   cli->place.home);
    (void)snprintf(known, sizeof known, "UserKnownHostsFile=\"%s/ssh/known_hosts\"",
                   cli->place.home);
    (void)snprintf(key, sizeof key, "%s/ssh/id_ed25519", cli->place.home);
    argv[n++] = path;
    argv[n++] = "-o";
    argv[n++] = proxy;
    argv[n++] = "-o";
    argv[n++] = known;
    argv[n++] = "-o"; /* the mesh has authenticated the machine; its host key is kept from now on */
    argv[n++] = "StrictHostKeyChecking=accept-new";
    if (access(key, R_OK) == 0) {
        argv[n++] = "-i";
        argv[n++] = key;
    }
    if (om_args_value(&cli->args, "port")) {
        argv[n++] = strcmp(program, "scp") == 0 ? "-P" : "-p";
        argv[n++] = om_args_value(&cli->args, "port");
    }
    if (om_args_has(&cli->args, "recursive"))
        argv[n++] = "-r";
    for (unsigned i = 0; i < cli->args.count; i++)
        argv[n++] = cli->args.words[i];
    argv[n] = NULL;
    char *args[OM_ARRAY_SIZE(argv)];
    memcpy(args, argv, sizeof args); /* execv() writes nothing, and knows no const */
    (void)execv(path, args);
    return failed(cli, path);
}

enum om_exit om_cmd_ssh(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 1, OM_ARGS_WORDS_MAX);

    return e ? e : run_ssh(cli, "ssh");
}

enum om_exit om_cmd_cp(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 2, OM_ARGS_WORDS_MAX);

    return e ? e : run_ssh(cli, "scp");
}
