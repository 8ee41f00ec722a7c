/* cmd_ssh.c - ssh, cp: OpenSSH through a connection to a port of a peer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/text.h>

#include "child.h"
#include "commands.h"

static enum om_exit failed(struct om_cli *cli, const char *what)
{
    om_out_error(&cli->out, "%s: %s", what, strerror(errno));
    return OM_EXIT_FAILED;
}

/* Adds @word to @out for the shell that OpenSSH starts, once it has replaced what follows a
 * percent sign; false: no room. */
static bool quote(char *out, size_t n, const char *word)
{
    size_t at = strlen(out);

    if (at + 2 >= n)
        return false;
    out[at++] = '\'';
    for (; *word; word++) {
        const char *as = *word == '\'' ? "'\\''" : *word == '%' ? "%%" : NULL;
        size_t len = as ? strlen(as) : 1;
        if (at + len + 2 > n)
            return false;
        memcpy(out + at, as ? as : word, len);
        at += len;
    }
    out[at++] = '\'';
    out[at] = '\0';
    return true;
}

static bool add(char *out, size_t n, const char *text)
{
    size_t at = strlen(out);

    return snprintf(out + at, n - at, "%s", text) < (int)(n - at);
}

/* ProxyCommand: our own nc, in the same home and network. */
static bool make_proxy(const struct om_cli *cli, char *out, size_t n)
{
    const char *network = cli->args.network;
    char self[OM_PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    self[len > 0 ? len : 0] = '\0';
    out[0] = '\0';
    return add(out, n, "ProxyCommand=") && quote(out, n, self) && add(out, n, " --home ") &&
           quote(out, n, cli->place.home) &&
           (!network || (add(out, n, " --network ") && quote(out, n, network))) &&
           add(out, n, " nc -- %h %p");
}

/* A file for each network that was named: its ann is not the ann of another one. */
static bool make_known(const struct om_cli *cli, char *out, size_t n)
{
    const char *network = cli->args.network;
    int len = snprintf(out, n, "UserKnownHostsFile=\"%s/ssh/known_hosts%s%s\"", cli->place.home,
                       network ? "." : "", network ? network : "");

    return len >= 0 && (size_t)len < n;
}

/* Is there such a network? OpenSSH would hide the answer behind words and a code of its own. */
static enum om_exit check_network(struct om_cli *cli)
{
    json_t *result;
    enum om_exit e;

    if (!cli->args.network)
        return OM_EXIT_OK;
    e = om_cli_ask(cli, "peers.list", om_cli_params(cli), &result);
    json_decref(result);
    return e;
}

/* What OpenSSH would take for its own in the path of the known hosts; NULL: nothing. */
static const char *odd_path(const struct om_cli *cli)
{
    const char *network = cli->args.network ? cli->args.network : "";

    return strpbrk(cli->place.home, "\"\\%$") ? cli->place.home
           : strpbrk(network, "\"\\%$/")      ? network
                                              : NULL;
}

/* OpenSSH's @program with our way there, then @words; returns only when it cannot be run. */
static enum om_exit run_ssh(struct om_cli *cli, const char *program)
{
    char path[OM_PATH_MAX];
    static char proxy[10 * OM_PATH_MAX], known[2 * OM_PATH_MAX], key[OM_PATH_MAX + 64];
    const char *argv[OM_ARGS_WORDS_MAX + 24];
    enum om_exit e = check_network(cli);
    unsigned n = 0;

    if (e)
        return e;
    if (!om_child_in_path(program, path)) {
        om_out_error(&cli->out, "%s is not installed: apt install openssh-client", program);
        return OM_EXIT_FAILED;
    }
    const char *odd = odd_path(cli);
    if (odd) {
        om_out_error(&cli->out, "%s: ssh cannot use a path with one of \" \\ %% $ in it", odd);
        return OM_EXIT_FAILED;
    }
    if (!make_proxy(cli, proxy, sizeof proxy) || !make_known(cli, known, sizeof known)) {
        om_out_error(&cli->out, "%s: too long a path", cli->place.home);
        return OM_EXIT_FAILED;
    }
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
    char shown[OM_SHOW_TEXT];

    if (e)
        return e;
    const char *whom = cli->args.words[0], *at = strrchr(whom, '@');
    if (!*whom || *whom == '-' || at == whom || (at && !at[1]))
        return om_cli_usage(cli, "\"%s\": want [USER@]PEER", om_text_show(shown, whom));
    return run_ssh(cli, "ssh");
}

enum om_exit om_cmd_cp(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 2, OM_ARGS_WORDS_MAX);

    return e ? e : run_ssh(cli, "scp");
}
