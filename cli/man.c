/* man.c - man(7) text; dashes and leading dots are what must be escaped there. */
#include "man.h"

#include "commands.h"

static void roff(FILE *to, const char *text)
{
    bool starts = true;

    for (; *text; text++) {
        if (starts && (*text == '.' || *text == '\''))
            (void)fputs("\\&", to);
        if (*text == '-')
            (void)fputs("\\-", to);
        else if (*text == '\\')
            (void)fputs("\\e", to);
        else
            (void)fputc(*text, to);
        starts = *text == '\n';
    }
}

static void option_entry(FILE *to, const struct om_option *o)
{
    (void)fputs(".TP\n.B ", to);
    if (o->letter)
        fprintf(to, "\\-%c, ", o->letter);
    (void)fputs("\\-\\-", to);
    roff(to, o->name);
    if (o->value)
        fprintf(to, " \\fI%s\\fR", o->value);
    (void)fputc('\n', to);
    roff(to, o->help);
    (void)fputc('\n', to);
}

static void command_entry(FILE *to, const struct om_command *c)
{
    (void)fputs(".SS \"omerta ", to);
    roff(to, c->name);
    if (*c->args) {
        (void)fputc(' ', to);
        roff(to, c->args);
    }
    (void)fputs("\"\n", to);
    roff(to, c->summary);
    (void)fputs(".\n", to);
    if (*c->help) {
        (void)fputs(".PP\n", to);
        roff(to, c->help);
        (void)fputc('\n', to);
    }
    for (const struct om_option *o = c->options; o && o->name; o++)
        option_entry(to, o);
}

void om_man_print(FILE *to)
{
    static const char *const codes[] = {
#define X(code, text) text,
        OM_EXITS(X)
#undef X
    };

    (void)fputs(
        ".TH OMERTA 1 \"\" \"omerta 0.1.0\" \"User Commands\"\n.SH NAME\n"
        "omerta \\- talk to the mesh daemon of this user\n.SH SYNOPSIS\n"
        ".B omerta\n[\\fIOPTION\\fR...] \\fICOMMAND\\fR [\\fIARGUMENT\\fR...]\n.PP\n"
        ".B omertad\nstart|stop|status|restart\n.SH DESCRIPTION\n"
        "omerta starts, stops and asks \\fBomerta\\-meshd\\fR over the Unix socket of its home.\n"
        "A peer is named by its id, by the first 4 characters of it or more, or by its name; what\n"
        "could mean two peers is refused. With one network or one peer nobody needs to name it.\n"
        "Where something is reached or offered, self is this node: only what is exposed to it.\n"
        "What peers wrote is escaped before it is shown.\n.SH OPTIONS\n",
        to);
    for (const struct om_option *o = om_args_common; o->name; o++)
        option_entry(to, o);
    (void)fputs(".SH COMMANDS\n", to);
    for (const struct om_command *c = om_commands; c->name; c++)
        command_entry(to, c);
    (void)fputs(".SH EXIT STATUS\n", to);
    for (unsigned i = 0; i < OM_EXIT_COUNT; i++) {
        fprintf(to, ".TP\n.B %u\n", i);
        roff(to, codes[i]);
        (void)fputc('\n', to);
    }
    (void)fputs(
        ".SH ENVIRONMENT\n.TP\n.B OMERTA_HOME\nthe home, when \\-\\-home is not given\n"
        ".TP\n.B NO_COLOR\nno colours, when not empty\n"
        ".SH FILES\n.TP\n.I ~/.omerta\nthe home: config.json, identity, keys, mesh.db, logs\n"
        ".TP\n.I $XDG_RUNTIME_DIR/omerta/control.sock\nwhere the daemon of the default home\n"
        "listens; the one of another home listens in it\n.SH SEE ALSO\n.BR omerta\\-meshd (8)\n",
        to);
}

void om_man_options(FILE *to)
{
    for (const struct om_option *o = om_args_common; o->name; o++) {
        char left[48];

        snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        fprintf(to, "  %-18s %s\n", left, o->help);
    }
}
