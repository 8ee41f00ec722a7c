/* main.c - the command line of omerta-meshd. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_print.h"
#include "confine.h"
#include "ipc/wiped.h"
#include "man.h"
#include "secrets.h"
#include "state.h"
#include "tools.h"
#include "vm/host/helper.h"

static void usage(FILE *out)
{
    (void)fputs(
        "usage: omerta-meshd [--home FOLDER] [--config FILE] [KEY...]\n"
        "       omerta-meshd init [--force] | key | check [--json] [--home FOLDER]\n"
        "\n"
        "Runs a node of the mesh in the foreground. Without a network of its own it is in the\n"
        "open network `default`: anybody can be in it and read its headers, and nobody may use\n"
        "anything of this machine unless a rule names that peer.\n"
        "\n"
        "  init   make the home: identity, local key, SSH key, config.json; --force: anew, with\n"
        "         what was there kept beside it\n"
        "  key    print this node's peer id in each network\n"
        "  check  read configuration and home as a start would, and say what is wrong\n"
        "\n"
        "  --home FOLDER        default: $OMERTA_HOME, else ~/.omerta\n"
        "  --config FILE        default: config.json in the home\n"
        "  --print-config       the default config.json\n"
        "  --print-man PAGE     omerta-meshd or omerta-ipc, in roff\n"
        "  --version, --help\n"
        "\n"
        "Keys, as flags before the file's values:\n",
        out);
    om_config_print_help(out);
    (void)fputs(
        "\nExit: 0 ended as asked, 1 failed, 2 wrong usage, 3 configuration refused, 4 home\n"
        "unusable or in use, 5 port in use.\n",
        out);
}

static enum om_exit wrong(const struct om_error *err)
{
    fprintf(stderr, "omerta-meshd: %s (--help lists the flags)\n", err->msg);
    return OM_EXIT_USAGE;
}

struct line {
    const char *home, *config;
    struct tools_line tool;
};

enum parsed { PARSED, ENDED, WRONG, OTHER };

/* Is it this flag of main's own, "--home X" or "--home=X"? Without a value *@value stays NULL. */
static bool is_flag(const char *flag, char **argv, int argc, int *i, const char **value)
{
    const char *arg = argv[*i];
    size_t n = strlen(flag);

    if (strncmp(arg, flag, n) != 0 || (arg[n] != '=' && arg[n] != 0))
        return false;
    if (arg[n] == '=')
        *value = arg + n + 1;
    else if (*i + 1 < argc)
        *value = argv[++*i];
    return true;
}

static enum parsed lacks(const char *flag, struct om_error *err)
{
    (void)om_fail(err, OM_E_PARSE, "%s wants a value", flag);
    return WRONG;
}

/* OTHER: it is none of main's own. */
static enum parsed parse_own(struct line *l, char **argv, int argc, int *i, struct om_error *err)
{
    const char *page = NULL;

    if (strcmp(argv[*i], "--help") == 0 || strcmp(argv[*i], "-h") == 0) {
        usage(stdout);
        return ENDED;
    }
    if (strcmp(argv[*i], "--version") == 0) {
        printf("omerta-meshd %s\n", OM_VERSION_TEXT);
        return ENDED;
    }
    if (strcmp(argv[*i], "--print-config") == 0) {
        (void)om_config_print_json(stdout);
        return ENDED;
    }
    if (is_flag("--print-man", argv, argc, i, &page)) {
        if (page && man_print(page, stdout))
            return ENDED;
        (void)om_fail(err, OM_E_PARSE, "--print-man: want omerta-meshd or omerta-ipc");
        return WRONG;
    }
    if (is_flag("--home", argv, argc, i, &l->home))
        return l->home && *l->home ? PARSED : lacks("--home", err);
    if (is_flag("--config", argv, argc, i, &l->config))
        return l->config && *l->config ? PARSED : lacks("--config", err);
    if (l->tool.command && strcmp(argv[*i], "--force") == 0) {
        l->tool.force = true;
        return PARSED;
    }
    if (l->tool.command && strcmp(argv[*i], "--json") == 0) {
        l->tool.json = true;
        return PARSED;
    }
    return OTHER;
}

static enum parsed parse(struct line *l, struct om_config_flags *flags, int argc, char **argv,
                         struct om_error *err)
{
    static const char *const commands[] = {"init", "key", "check", "config"};

    for (int i = 1; i < argc; i++) {
        for (unsigned k = 0; k < OM_ARRAY_SIZE(commands) && i == 1; k++)
            if (strcmp(argv[i], commands[k]) == 0)
                l->tool.command = commands[k];
        if (i == 1 && l->tool.command)
            continue;
        if (i == 2 && l->tool.command && argv[i][0] != '-') {
            l->tool.word = argv[i]; /* key show, config keys */
            continue;
        }
        enum parsed p = parse_own(l, argv, argc, &i, err);
        if (p == ENDED || p == WRONG)
            return p;
        if (p == PARSED)
            continue;
        if (om_config_flag(flags, argc, argv, &i, err) != OM_OK)
            return WRONG;
        i--; /* it moved past the value; so does the loop */
    }
    return PARSED;
}

int main(int argc, char **argv)
{
    if (om_vm_helper_wanted(argc, argv))
        return om_vm_helper_run(argc, argv);

    struct om_daemon *d = calloc(1, sizeof *d);
    struct line line = {0};
    struct om_error err = {.msg = ""};
    enum om_exit code;

    if (!d || sodium_init() < 0 || om_confine_early(&err) != OM_OK) {
        fprintf(stderr, "omerta-meshd: cannot start: %s\n", err.msg);
        free(d);
        return OM_EXIT_FAILED;
    }
    om_wiped_json();
    enum parsed p = parse(&line, &d->flags, argc, argv, &err);
    if (p == PARSED && om_place_find(&d->place, line.home, &err) != OM_OK)
        p = WRONG;
    if (line.config)
        (void)snprintf(d->config_file, sizeof d->config_file, "%s", line.config);
    if (p == ENDED)
        code = OM_EXIT_OK;
    else if (p == WRONG)
        code = wrong(&err);
    else if (line.tool.command)
        code = tools_run(&line.tool, d);
    else
        code = daemon_run(d);
    free(d);
    return (int)code;
}
