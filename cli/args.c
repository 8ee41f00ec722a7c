/* args.c - one walk over argv; what an option means is in tables. */
#include "args.h"

#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

#include "ipc/nearest.h"

const struct om_option om_args_common[] = {
    {"json", NULL, "print one JSON value (lines of JSON for live output)", 0},
    {"home", "FOLDER", "the home of the daemon (else $OMERTA_HOME, else ~/.omerta)", 0},
    {"network", "NAME", "the network meant, when there are several", 0},
    {"color", "WHEN", "auto, always or never; auto is on a terminal and without NO_COLOR", 0},
    {"help", NULL, "say what the command does", 'h'},
    {NULL, NULL, NULL, 0},
};

/* The word that @text stands for as an option: its length, and where a joined value starts. */
static size_t option_name_len(const char *text, const char **joined)
{
    const char *equals = strchr(text, '=');

    *joined = equals ? equals + 1 : NULL;
    return equals ? (size_t)(equals - text) : strlen(text);
}

static const struct om_option *find_long(const struct om_option *list, const char *name, size_t n)
{
    for (; list && list->name; list++)
        if (strlen(list->name) == n && memcmp(list->name, name, n) == 0)
            return list;
    return NULL;
}

static const struct om_option *find_letter(const struct om_option *list, char letter)
{
    for (; list && list->name; list++)
        if (list->letter == letter)
            return list;
    return NULL;
}

const char *om_args_command(int argc, char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        const struct om_option *o = NULL;
        const char *joined = NULL;

        if (argv[i][0] != '-' || !argv[i][1])
            return argv[i];
        if (strcmp(argv[i], "--") == 0)
            return i + 1 < argc ? argv[i + 1] : NULL;
        if (argv[i][1] == '-')
            o = find_long(om_args_common, argv[i] + 2, option_name_len(argv[i] + 2, &joined));
        if (o && o->value && !joined)
            i++;
    }
    return NULL;
}

static enum om_err unknown(const char *text, const struct om_option *options, const char *command,
                           struct om_error *err)
{
    char shown[OM_SHOW_TEXT], word[OM_SHOW_TEXT], name[OM_NEAREST_MAX + 2];
    struct om_nearest near;
    const char *joined;
    size_t n = text[1] == '-' ? option_name_len(text + 2, &joined) : 0;

    snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), text + 2);
    om_nearest_init(&near, name);
    for (const struct om_option *o = options; n && o && o->name; o++)
        om_nearest_try(&near, o->name);
    for (const struct om_option *o = om_args_common; n && o->name; o++)
        om_nearest_try(&near, o->name);
    om_text_show(shown, text);
    if (near.best)
        return om_fail(err, OM_E_PARSE, "unknown option %s: did you mean --%s?", shown, near.best);
    return om_fail(err, OM_E_PARSE,
                   "unknown option %s (%s%s%stext that starts with a dash goes after --)", shown,
                   command ? "see `omerta help " : "", command ? om_text_show(word, command) : "",
                   command ? "`; " : "");
}

static enum om_err take_color(struct om_args *out, const char *value, struct om_error *err)
{
    static const char *const names[] = {"auto", "always", "never"};
    char shown[OM_SHOW_TEXT];

    for (unsigned i = 0; i < OM_ARRAY_SIZE(names); i++)
        if (strcmp(value, names[i]) == 0) {
            out->color = (enum om_color)i;
            return OM_OK;
        }
    return om_fail(err, OM_E_PARSE, "--color %s: want auto, always or never",
                   om_text_show(shown, value));
}

static enum om_err take(struct om_args *out, const struct om_option *o, const char *value,
                        struct om_error *err)
{
    if (strcmp(o->name, "json") == 0)
        out->json = true;
    else if (strcmp(o->name, "help") == 0)
        out->help = true;
    else if (strcmp(o->name, "home") == 0)
        out->home = value;
    else if (strcmp(o->name, "network") == 0)
        out->network = value;
    else if (strcmp(o->name, "color") == 0)
        return take_color(out, value ? value : "", err);
    else if (out->given_count == OM_ARGS_OPTIONS_MAX)
        return om_fail(err, OM_E_FULL, "more than %d options", OM_ARGS_OPTIONS_MAX);
    else {
        out->given[out->given_count].option = o;
        out->given[out->given_count++].value = value;
    }
    return OM_OK;
}

static enum om_err take_word(struct om_args *out, const char *word, struct om_error *err)
{
    if (!out->command)
        out->command = word;
    else if (out->count == OM_ARGS_WORDS_MAX)
        return om_fail(err, OM_E_FULL, "more than %d words", OM_ARGS_WORDS_MAX);
    else
        out->words[out->count++] = word;
    return OM_OK;
}

/* One argument that starts with a dash; @i moves on when the next one is its value. */
static enum om_err walk_option(struct om_args *out, int argc, char *const *argv, int *i,
                               const struct om_option *options, struct om_error *err)
{
    const char *text = argv[*i], *joined = NULL;
    const struct om_option *o;

    if (text[1] == '-') {
        size_t n = option_name_len(text + 2, &joined);

        o = find_long(options, text + 2, n);
        if (!o)
            o = find_long(om_args_common, text + 2, n);
    } else {
        o = find_letter(options, text[1]);
        if (!o)
            o = find_letter(om_args_common, text[1]);
        joined = text[2] ? text + 2 : NULL;
    }
    if (!o)
        return unknown(text, options, out->command, err);
    if (!o->value && joined)
        return om_fail(err, OM_E_PARSE, "--%s takes no value", o->name);
    if (o->value && !joined) {
        if (*i + 1 >= argc)
            return om_fail(err, OM_E_PARSE, "--%s wants a value: %s", o->name, o->value);
        joined = argv[++*i];
    }
    if (joined && !*joined) /* "--home $UNSET" must not mean the default home */
        return om_fail(err, OM_E_PARSE, "--%s wants a value: %s", o->name, o->value);
    return take(out, o, joined, err);
}

/* What is for the program that vm ssh runs, from its command on. */
static bool is_for_ssh(const struct om_args *a)
{
    return a->count > 2 && strcmp(a->command, "vm") == 0 && strcmp(a->words[0], "ssh") == 0;
}

enum om_err om_args_parse(struct om_args *out, int argc, char *const *argv,
                          const struct om_option *options, bool ends_at_word, struct om_error *err)
{
    bool only_words = false;

    memset(out, 0, sizeof *out);
    for (int i = 1; i < argc; i++) {
        enum om_err e;

        if ((ends_at_word && out->count > 1) || is_for_ssh(out))
            only_words = true;
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
            continue;
        }
        if (ends_at_word && out->count > 0)
            only_words = true;
        if (!only_words && argv[i][0] == '-' && argv[i][1])
            e = walk_option(out, argc, argv, &i, options, err);
        else
            e = take_word(out, argv[i], err);
        if (e)
            return e;
    }
    return OM_OK;
}

bool om_args_has(const struct om_args *args, const char *name)
{
    for (unsigned i = 0; i < args->given_count; i++)
        if (strcmp(args->given[i].option->name, name) == 0)
            return true;
    return false;
}

const char *om_args_value(const struct om_args *args, const char *name)
{
    for (unsigned i = args->given_count; i-- > 0;)
        if (strcmp(args->given[i].option->name, name) == 0)
            return args->given[i].value;
    return NULL;
}

enum om_err om_args_number(const struct om_args *args, const char *name, uint64_t fallback,
                           uint64_t max, uint64_t *out, struct om_error *err)
{
    const char *text = om_args_value(args, name);
    struct om_error why;
    enum om_err e;

    *out = fallback;
    if (!text)
        return OM_OK;
    e = om_u64_parse(out, text, max, &why);
    return e ? om_fail(err, e, "--%s: %s", name, why.msg) : OM_OK;
}
