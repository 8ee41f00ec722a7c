/* vm_into.c - into a virtual machine, and what it may reach. */
#include "vm_into.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/text.h>

#include "ssh_run.h"
#include "tunnel.h"
#include "vm_pick.h"
#include "vm_up.h"

enum { KEY_BYTES = 1024 };

enum om_exit om_vm_ssh(struct om_cli *cli)
{
    json_t *vm;

    if (cli->args.count < 2)
        return om_cli_usage(cli, "vm ssh: want VM [COMMAND...]");
    enum om_exit e = om_vm_find_up(cli, cli->args.words[1], &vm);
    if (e)
        return e;
    const struct om_ssh_run r = {
        .program = "ssh", .vm = vm, .words = cli->args.words + 1, .count = cli->args.count - 1};
    e = om_ssh_run(cli, &r);
    json_decref(vm);
    return e;
}

enum om_exit om_vm_cp(struct om_cli *cli)
{
    char name[256] = "";
    json_t *vm;

    for (unsigned i = 1; i < cli->args.count; i++) {
        const char *word = cli->args.words[i], *colon = strchr(word, ':'),
                   *slash = strchr(word, '/');
        if (!colon || colon == word || (slash && slash < colon) ||
            (size_t)(colon - word) >= sizeof name)
            continue;
        size_t n = (size_t)(colon - word);
        if (*name && (strncmp(name, word, n) != 0 || name[n]))
            return om_cli_usage(cli, "vm cp: want one machine");
        memcpy(name, word, n);
        name[n] = '\0';
    }
    if (!*name || *name == '-' || cli->args.count < 3)
        return om_cli_usage(cli, "vm cp: want FILE... VM:PATH, or VM:PATH... FOLDER");
    enum om_exit e = om_vm_find_up(cli, name, &vm);
    if (e)
        return e;
    const struct om_ssh_run r = {
        .program = "scp", .vm = vm, .words = cli->args.words + 1, .count = cli->args.count - 1};
    e = om_ssh_run(cli, &r);
    json_decref(vm);
    return e;
}

static void show_forward(char buf[static OM_OUT_TEXT_MAX], const json_t *r,
                         const json_t *peers OM_UNUSED)
{
    char listen[OM_CELL_MAX], vm[OM_CELL_MAX];

    (void)om_table_cell(listen, OM_COLUMN_TEXT, json_object_get(r, "listen"));
    (void)om_table_cell(vm, OM_COLUMN_TEXT, json_object_get(r, "link"));
    (void)snprintf(buf, OM_OUT_TEXT_MAX, "%s leads to port %lld of %s", listen,
                   (long long)json_integer_value(json_object_get(r, "port")), vm);
}

enum om_exit om_vm_forward(struct om_cli *cli)
{
    char spec[128], *last, shown[OM_SHOW_TEXT];
    long long port;
    json_t *vm;

    if (cli->args.count != 3)
        return om_cli_usage(cli, "vm forward: want VM [BIND:]PORT:PORT");
    (void)snprintf(spec, sizeof spec, "%s", cli->args.words[2]);
    last = strrchr(spec, ':');
    if (!last || last == spec)
        return om_cli_usage(cli, "\"%s\": want [BIND:]PORT:PORT",
                            om_text_show(shown, cli->args.words[2]));
    *last = '\0';
    enum om_exit e = om_cli_port(cli, last + 1, &port);
    if (!e)
        e = om_vm_find(cli, cli->args.words[1], &vm);
    if (e)
        return e;
    json_t *params =
        json_pack("{s:O, s:I}", "peer", json_object_get(vm, "vm"), "port", (json_int_t)port);
    json_decref(vm);
    e = om_tunnel_listen(cli, spec, params);
    if (e) {
        json_decref(params);
        return e;
    }
    return om_tunnel_add(cli, "forward.add", params, show_forward);
}

/* The public half that is in FILE or FILE.pub, and for ssh where the private half is. */
static enum om_exit add_key(struct om_cli *cli, const char *file, json_t *params)
{
    char path[PATH_MAX + 8], whole[PATH_MAX], line[KEY_BYTES] = "";
    size_t n = strlen(file);
    bool is_public = n > 4 && strcmp(file + n - 4, ".pub") == 0;

    (void)snprintf(path, sizeof path, "%.4090s%s", file, is_public ? "" : ".pub");
    FILE *f = realpath(path, whole) ? fopen(whole, "re") : NULL;
    if (!f || !fgets(line, sizeof line, f)) {
        om_out_error(&cli->out, "--ssh-key %.200s: %s", path, f ? "is empty" : strerror(errno));
        if (f)
            (void)fclose(f);
        return OM_EXIT_FAILED;
    }
    (void)fclose(f);
    line[strcspn(line, "\r\n")] = '\0';
    n = strlen(whole);
    if (n > 4 && strcmp(whole + n - 4, ".pub") == 0) {
        whole[n - 4] = '\0';
        if (access(whole, R_OK) != 0) /* an agent has it: the public half tells which */
            whole[n - 4] = '.';
    }
    (void)json_object_set_new(params, "ssh_key", json_string(line));
    (void)json_object_set_new(params, "identity", json_string(whole));
    return OM_EXIT_OK;
}

enum om_exit om_vm_access(struct om_cli *cli, json_t *params)
{
    static const char *const texts[] = {"name", "egress"};
    const char *file = om_args_value(&cli->args, "ssh-key");
    json_t *ports = json_array();
    long long port;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(texts); i++)
        if (om_args_value(&cli->args, texts[i]))
            (void)json_object_set_new(params, texts[i],
                                      json_string(om_args_value(&cli->args, texts[i])));
    for (unsigned i = 0; i < cli->args.given_count; i++) {
        if (strcmp(cli->args.given[i].option->name, "expose") != 0)
            continue;
        enum om_exit e = om_cli_port(cli, cli->args.given[i].value, &port);
        if (e) {
            json_decref(ports);
            return e;
        }
        (void)json_array_append_new(ports, json_integer(port));
    }
    if (json_array_size(ports) > 0)
        (void)json_object_set(params, "expose", ports);
    json_decref(ports);
    return file ? add_key(cli, file, params) : OM_EXIT_OK;
}

void om_vm_ways(struct om_cli *cli, const char *vm)
{
    const char *name = om_args_value(&cli->args, "name");

    if (cli->out.json)
        return;
    name = name ? name : vm;
    om_out_line(&cli->out, "get in:  omerta vm ssh %s", name);
    om_out_line(&cli->out,
                "or, with \"Include %s/ssh/config\" at the top of ~/.ssh/config:  ssh %s",
                cli->place.home, name);
}
