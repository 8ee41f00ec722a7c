/* main.c - the program omerta: finds the command and runs it. */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include <omerta/text.h>

#include "commands.h"
#include "ipc/wiped.h"
#include "seed.h"

static int unknown_command(const char *word)
{
    char shown[OM_SHOW_TEXT];
    const char *near = om_command_near(word);

    om_text_show(shown, word);
    if (near)
        fprintf(stderr, "omerta: unknown command \"%s\": did you mean %s?\n", shown, near);
    else
        fprintf(stderr, "omerta: unknown command \"%s\" (see `omerta help`)\n", shown);
    return OM_EXIT_USAGE;
}

static int finish(struct om_cli *cli, enum om_exit e)
{
    om_out_progress_done(&cli->out);
    if (fflush(stdout) || ferror(stdout)) {
        om_out_error(&cli->out, "cannot write to standard output");
        return e ? (int)e : OM_EXIT_FAILED;
    }
    return (int)e;
}

static int run(int argc, char **argv)
{
    const char *name = om_args_command(argc, argv);
    const struct om_command *command = om_command_find(name ? name : "help");
    static struct om_cli cli;
    struct om_error err;

    if (!command)
        return unknown_command(name);
    if (om_args_parse(&cli.args, argc, argv, command->options, command->ends_at_word, &err)) {
        fprintf(stderr, "omerta: %s\n", err.msg);
        return OM_EXIT_USAGE;
    }
    om_out_init(&cli.out, stdout, stderr, cli.args.json, cli.args.color);
    if (!name || cli.args.help) {
        cli.args.words[0] = name;
        cli.args.count = name ? 1 : 0;
        return finish(&cli, om_cmd_help(&cli));
    }
    if (strcmp(name, "help") != 0 && om_place_find(&cli.place, cli.args.home, &err)) {
        /* That of this program can be told without a home, unless one was asked for. */
        if (strcmp(name, "version") != 0 || cli.args.home) {
            fprintf(stderr, "omerta: %s\n", err.msg);
            return OM_EXIT_USAGE;
        }
        cli.place = (struct om_place){.home = ""};
    }
    return finish(&cli, command->run(&cli));
}

/* omertad: each of its words is one or two commands. */
static int run_as_seed(int argc, char **argv)
{
    const char *word = om_args_command(argc, argv);
    int at = 1, e = OM_EXIT_OK;

    while (at < argc && argv[at] != word)
        at++;
    if (!word || !om_seed_command(word, 0)) {
        fprintf(stderr, "usage: omertad start|stop|status|restart [OPTION...]\n");
        return OM_EXIT_USAGE;
    }
    for (int step = 0; om_seed_command(word, step); step++) {
        argv[at] = om_seed_command(word, step);
        e = run(argc, argv);
        if (e && e != OM_EXIT_NO_DAEMON)
            break;
    }
    return e;
}

int main(int argc, char **argv)
{
    static char version[] = "version";

    /* Links and passwords pass through here: no core dump is to have them. What is run by execve()
     * starts anew. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    om_wiped_json();
    /* What every program is asked by those that know nothing of its words. */
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        argv[1] = version;
    return argc > 0 && om_seed_is(argv[0]) ? run_as_seed(argc, argv) : run(argc, argv);
}
