/* cmd_completion.c - completion scripts from the command table. */
#include <string.h>

#include "commands.h"

static void bash_options(FILE *to, const struct om_option *options)
{
    for (const struct om_option *o = options; o && o->name; o++)
        fprintf(to, " --%s", o->name);
}

static void print_bash(FILE *to)
{
    (void)fputs("# bash completion for omerta\n_omerta() {\n"
                "    local cur=${COMP_WORDS[COMP_CWORD]} cmd='' i\n"
                "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                "        case ${COMP_WORDS[i]} in\n"
                "            --home | --network | --color) ((i++)) ;;\n"
                "            -*) ;;\n"
                "            *) cmd=${COMP_WORDS[i]}; break ;;\n"
                "        esac\n    done\n    local words common='",
                to);
    bash_options(to, om_args_common);
    (void)fputs("'\n    case $cmd in\n        '') words=\"", to);
    for (const struct om_command *c = om_commands; c->name; c++)
        fprintf(to, "%s ", c->name);
    (void)fputs("$common\" ;;\n", to);
    for (const struct om_command *c = om_commands; c->name; c++) {
        fprintf(to, "        %s) words=\"$common", c->name);
        bash_options(to, c->options);
        (void)fputs("\" ;;\n", to);
    }
    (void)fputs("    esac\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"
                "complete -o default -F _omerta omerta\n",
                to);
}

/* Single quotes end the words of zsh and fish. */
static void put_quoted(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", to);
        else if (*text == '[' || *text == ']' || *text == ':')
            fprintf(to, "\\%c", *text);
        else
            (void)fputc(*text, to);
    }
}

static void zsh_options(FILE *to, const struct om_option *options)
{
    for (const struct om_option *o = options; o && o->name; o++) {
        fprintf(to, " \\\n                '--%s[", o->name);
        put_quoted(to, o->help);
        (void)fputc(']', to);
        if (o->value)
            fprintf(to, ":%s:_default", o->value);
        (void)fputc('\'', to);
    }
}

static void print_zsh(FILE *to)
{
    (void)fputs("#compdef omerta\n_omerta() {\n    local -a commands\n    commands=(\n", to);
    for (const struct om_command *c = om_commands; c->name; c++) {
        fprintf(to, "        '%s:", c->name);
        put_quoted(to, c->summary);
        (void)fputs("'\n", to);
    }
    (void)fputs("    )\n    if ((CURRENT == 2)); then\n        _describe command commands\n"
                "        return\n    fi\n    case $words[2] in\n",
                to);
    for (const struct om_command *c = om_commands; c->name; c++) {
        fprintf(to, "        %s)\n            _arguments", c->name);
        zsh_options(to, om_args_common);
        zsh_options(to, c->options);
        (void)fputs(" '*:word:_default' ;;\n", to);
    }
    (void)fputs("    esac\n}\n_omerta \"$@\"\n", to);
}

static void fish_quoted(FILE *to, const char *text)
{
    (void)fputc('\'', to);
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            (void)fputc('\\', to);
        (void)fputc(*text, to);
    }
    (void)fputc('\'', to);
}

static void fish_option(FILE *to, const struct om_option *o, const char *command)
{
    (void)fputs("complete -c omerta", to);
    if (command)
        fprintf(to, " -n '__fish_seen_subcommand_from %s'", command);
    fprintf(to, " -l %s", o->name);
    if (o->letter)
        fprintf(to, " -s %c", o->letter);
    if (o->value)
        (void)fputs(" -r", to);
    (void)fputs(" -d ", to);
    fish_quoted(to, o->help);
    (void)fputc('\n', to);
}

static void print_fish(FILE *to)
{
    (void)fputs("# fish completion for omerta\n", to);
    for (const struct om_option *o = om_args_common; o->name; o++)
        fish_option(to, o, NULL);
    for (const struct om_command *c = om_commands; c->name; c++) {
        fprintf(to, "complete -c omerta -n __fish_use_subcommand -f -a %s -d ", c->name);
        fish_quoted(to, c->summary);
        (void)fputc('\n', to);
        for (const struct om_option *o = c->options; o && o->name; o++)
            fish_option(to, o, c->name);
    }
}

enum om_exit om_cmd_completion(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 1, 1);
    const char *shell = cli->args.words[0];

    if (e)
        return e;
    if (strcmp(shell, "bash") == 0)
        print_bash(cli->out.to);
    else if (strcmp(shell, "zsh") == 0)
        print_zsh(cli->out.to);
    else if (strcmp(shell, "fish") == 0)
        print_fish(cli->out.to);
    else
        return om_cli_usage(cli, "completion: want bash, zsh or fish");
    return OM_EXIT_OK;
}
