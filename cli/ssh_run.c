/* ssh_run.c - the command line of ssh and scp. */
#include "ssh_run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "ipc/ssh_proxy.h"

enum { OPTIONS_MAX = 32 };

struct line {
    const char *argv[OM_ARGS_WORDS_MAX + OPTIONS_MAX];
    unsigned n;
    char path[OM_PATH_MAX];
    char proxy[10 * OM_PATH_MAX], known[2 * OM_PATH_MAX], key[OM_PATH_MAX + 64], alias[128];
};

static void add(struct line *l, const char *word)
{
    l->argv[l->n++] = word;
}

static void add_option(struct line *l, const char *option)
{
    add(l, "-o");
    add(l, option);
}

static const char *word_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
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

/* Our own nc, in the same home and network. */
static bool add_proxy(const struct om_cli *cli, struct line *l, const json_t *vm)
{
    static const char head[] = "ProxyCommand=";
    char self[OM_PATH_MAX], to[64 + 8] = "%h %p";
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    const struct om_ssh_proxy p = {.program = self,
                                   .home = cli->place.home,
                                   .network = vm ? NULL : cli->args.network,
                                   .to = to};

    self[len > 0 ? len : 0] = '\0';
    if (vm)
        (void)snprintf(to, sizeof to, "%.64s %%p", word_of(vm, "vm"));
    memcpy(l->proxy, head, sizeof head);
    add_option(l, l->proxy);
    return om_ssh_proxy_write(l->proxy + sizeof head - 1, sizeof l->proxy - sizeof head, &p);
}

/* A file for each network that was named: its ann is not the ann of another one. */
static bool add_known(const struct om_cli *cli, struct line *l, const json_t *vm)
{
    const char *network = vm ? NULL : cli->args.network;
    int len =
        snprintf(l->known, sizeof l->known, "UserKnownHostsFile=\"%s/ssh/%s%s%s\"", cli->place.home,
                 vm ? "vm_known_hosts" : "known_hosts", network ? "." : "", network ? network : "");

    add_option(l, l->known);
    return len >= 0 && (size_t)len < sizeof l->known;
}

/* The key is the provider's word, and nothing else gets us in. */
static void add_machine(const struct om_cli *cli, struct line *l, const json_t *vm)
{
    const char *identity = word_of(vm, "identity");

    (void)snprintf(l->alias, sizeof l->alias, "HostKeyAlias=%.64s", word_of(vm, "vm"));
    (void)snprintf(l->key, sizeof l->key, "%s%s", *identity ? identity : cli->place.home,
                   *identity ? "" : "/ssh/id_ed25519");
    add_option(l, l->alias);
    add_option(l, "StrictHostKeyChecking=yes");
    add_option(l, "CheckHostIP=no");
    add_option(l, "PreferredAuthentications=publickey");
    add_option(l, "IdentitiesOnly=yes");
    add_option(l, "User=root");
    add(l, "-i");
    add(l, l->key);
}

static void add_peer(const struct om_cli *cli, struct line *l)
{
    (void)snprintf(l->key, sizeof l->key, "%s/ssh/id_ed25519", cli->place.home);
    /* the mesh has authenticated the machine; its host key is kept from now on */
    add_option(l, "StrictHostKeyChecking=accept-new");
    if (access(l->key, R_OK) != 0)
        return;
    add(l, "-i");
    add(l, l->key);
}

/* What OpenSSH would take for its own in the path of the known hosts; NULL: nothing. */
static const char *odd_path(const struct om_cli *cli)
{
    const char *network = cli->args.network ? cli->args.network : "";

    return om_ssh_path_is_odd(cli->place.home)                           ? cli->place.home
           : om_ssh_path_is_odd(network) || strchr(network, '/') != NULL ? network
                                                                         : NULL;
}

enum om_exit om_ssh_run(struct om_cli *cli, const struct om_ssh_run *r)
{
    static struct line l;
    enum om_exit e = check_network(cli);
    const char *odd = odd_path(cli);

    if (e)
        return e;
    if (!om_child_in_path(r->program, l.path)) {
        om_out_error(&cli->out, "%s is not installed: apt install openssh-client", r->program);
        return OM_EXIT_FAILED;
    }
    if (odd) {
        om_out_error(&cli->out, "%s: ssh cannot use a path with one of \" \\ %% $ in it", odd);
        return OM_EXIT_FAILED;
    }
    add(&l, l.path);
    if (!add_proxy(cli, &l, r->vm) || !add_known(cli, &l, r->vm)) {
        om_out_error(&cli->out, "%s: too long a path", cli->place.home);
        return OM_EXIT_FAILED;
    }
    if (r->vm)
        add_machine(cli, &l, r->vm);
    else
        add_peer(cli, &l);
    if (om_args_value(&cli->args, "port")) {
        add(&l, strcmp(r->program, "scp") == 0 ? "-P" : "-p");
        add(&l, om_args_value(&cli->args, "port"));
    }
    if (om_args_has(&cli->args, "recursive"))
        add(&l, "-r");
    for (unsigned i = 0; i < r->count; i++)
        add(&l, r->words[i]);
    add(&l, NULL);
    char *args[OM_ARRAY_SIZE(l.argv)];
    memcpy(args, l.argv, sizeof args); /* execv() writes nothing, and knows no const */
    (void)execv(l.path, args);
    om_out_error(&cli->out, "%s: %s", l.path, strerror(errno));
    return OM_EXIT_FAILED;
}
