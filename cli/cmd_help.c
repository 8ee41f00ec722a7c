/* cmd_help.c - help from the command table. */
#include <string.h>

#include "commands.h"
#include "man.h"

enum { COLUMNS_MAX = 96 };

static void show_overview(FILE *to)
{
    (void)fputs("usage: omerta [OPTION...] COMMAND [ARGUMENT...]\n\n", to);
    for (const struct om_command *c = om_commands; c->name; c++)
        fprintf(to, "  %-11s %s\n", c->name, c->summary);
    (void)fputs("\noptions of all commands:\n", to);
    om_man_options(to);
    (void)fputs("\nMore: omerta help COMMAND, omerta help exit-codes\n", to);
}

static void show_exits(struct om_cli *cli)
{
    static const char *const texts[] = {
#define X(code, text) text,
        OM_EXITS(X)
#undef X
    };

    json_t *list = cli->out.json ? json_array() : NULL;

    for (unsigned i = 0; i < OM_EXIT_COUNT; i++)
        if (cli->out.json)
            json_array_append_new(list, json_pack("{s:i, s:s}", "code", (int)i, "help", texts[i]));
        else
            om_out_line(&cli->out, "  %u  %s", i, texts[i]);
    if (cli->out.json)
        om_out_json(&cli->out, list);
    json_decref(list);
}

/* The end of the first choice or option: a place where a line may end. Not in inner brackets. */
static const char *choice_end(const char *at)
{
    int depth = 0;

    for (; *at; at++) {
        depth += (*at == '[') - (*at == ']');
        if (depth <= 0 && (strncmp(at + 1, " | ", strlen(" | ")) == 0 ||
                           strncmp(at + 1, " [-", strlen(" [-")) == 0))
            return at + 1;
    }
    return at;
}

/* The words of a command, with a new line where one gets too long. */
static void show_usage(FILE *to, const struct om_command *c)
{
    int column = fprintf(to, "usage: omerta %s%s", c->name, *c->args ? " " : "");
    const int margin = column;

    for (const char *at = c->args, *end; *at; at = end) {
        end = choice_end(at == c->args && *at == '[' ? at + 1 : at);
        if (at != c->args && column + (int)(end - at) > COLUMNS_MAX) {
            fprintf(to, "\n%*s", margin, "");
            column = margin;
            at++;
        }
        column += fprintf(to, "%.*s", (int)(end - at), at);
    }
    fprintf(to, "\n\n%s.\n", c->summary);
}

static void show_command(FILE *to, const struct om_command *c)
{
    show_usage(to, c);
    if (*c->help)
        fprintf(to, "\n%s\n", c->help);
    (void)fputs("\noptions:\n", to);
    for (const struct om_option *o = c->options; o && o->name; o++) {
        char left[48];

        snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : "",
                 o->letter ? o->letter : ' ', o->letter ? ", " : "", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        fprintf(to, "  %-18s %s\n", left + (left[0] == ' '), o->help);
    }
    om_man_options(to);
}

static json_t *command_json(const struct om_command *c)
{
    json_t *options = json_array();

    for (const struct om_option *o = c->options; o && o->name; o++)
        json_array_append_new(options, json_pack("{s:s, s:s?, s:s}", "name", o->name, "value",
                                                 o->value, "help", o->help));
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", c->name, "args", c->args, "summary",
                     c->summary, "help", c->help, "options", options);
}

static void show_json(struct om_cli *cli)
{
    json_t *list = json_array();

    for (const struct om_command *c = om_commands; c->name; c++)
        json_array_append_new(list, command_json(c));
    om_out_json(&cli->out, list);
    json_decref(list);
}

static void show_one_json(struct om_cli *cli, const struct om_command *c)
{
    json_t *one = command_json(c);

    om_out_json(&cli->out, one);
    json_decref(one);
}

enum om_exit om_cmd_help(struct om_cli *cli)
{
    const char *word = cli->args.count ? cli->args.words[0] : NULL;
    const struct om_command *c = word ? om_command_find(word) : NULL;
    char shown[OM_OUT_TEXT_MAX];

    if (om_args_has(&cli->args, "man"))
        om_man_print(cli->out.to);
    else if (cli->out.json && !word)
        show_json(cli);
    else if (!word)
        show_overview(cli->out.to);
    else if (c && cli->out.json)
        show_one_json(cli, c);
    else if (c)
        show_command(cli->out.to, c);
    else if (strcmp(word, "exit-codes") == 0)
        show_exits(cli);
    else {
        om_out_error(&cli->out, "no help about \"%s\" (see `omerta help`)",
                     om_out_escape(shown, word));
        return OM_EXIT_USAGE;
    }
    return OM_EXIT_OK;
}
