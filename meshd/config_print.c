/* config_print.c - what is generated from the table of keys. */
#include "config_print.h"

#include <jansson.h>
#include <string.h>

#include "config.h"
#include "config_keys.h"

enum { WANT_TEXT = 96, COLUMN = 30, WIDTH = 100 };

static json_t *value_of(const struct om_config_key *key, const struct om_config *c)
{
    const void *from = (const char *)c + key->at;

    switch (key->kind) {
    case OM_CONFIG_BOOL:
        return json_boolean(*(const bool *)from);
    case OM_CONFIG_NUMBER:
    case OM_CONFIG_SIZE:
        return json_integer((json_int_t) * (const uint64_t *)from);
    case OM_CONFIG_WORD:
        return json_string(key->words[*(const unsigned *)from]);
    case OM_CONFIG_STRING:
        return json_string(from);
    case OM_CONFIG_LIST:
        break;
    }
    return json_array(); /* lists are empty by default */
}

/* Put @v under @path, whose one dot may name an object that is not there yet; @v is taken. */
static bool put(json_t *root, const char *path, json_t *v)
{
    const char *dot = strchr(path, '.');
    json_t *into = root;

    if (dot) {
        char group[32];

        snprintf(group, sizeof group, "%.*s", (int)(dot - path), path);
        into = json_object_get(root, group);
        if (!into && json_object_set_new(root, group, json_object()) == 0)
            into = json_object_get(root, group);
    }
    return json_object_set_new(into, dot ? dot + 1 : path, v) == 0;
}

bool om_config_print_json(FILE *to)
{
    json_t *root = json_object();
    struct om_config c;
    bool is_done = root != NULL;

    om_config_default(&c);
    for (unsigned i = 0; is_done && i < OM_CONFIG_KEYS; i++)
        is_done = put(root, om_config_keys[i].path, value_of(&om_config_keys[i], &c));
    is_done = is_done && json_dumpf(root, to, JSON_INDENT(2)) == 0 && fputc('\n', to) == '\n';
    json_decref(root);
    return is_done;
}

/* man(7) gives hyphens, backslashes and a leading dot or apostrophe a meaning of their own. */
static void print_roff(FILE *to, const char *text)
{
    if (*text == '.' || *text == '\'')
        (void)fputs("\\&", to);
    for (; *text; text++) {
        if (*text == '-')
            (void)fputs("\\-", to);
        else if (*text == '\\')
            (void)fputs("\\e", to);
        else
            (void)fputc(*text, to);
    }
}

void om_config_print_man(FILE *to)
{
    char want[WANT_TEXT];

    (void)fputs(".SH CONFIGURATION KEYS\n"
                "A dot in a key stands for a nested object of\n.IR config.json .\n"
                "Flags override the file, the file overrides the defaults.\n"
                "Keys marked with * change at the next start only, the others also at a reload.\n",
                to);
    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++) {
        const struct om_config_key *key = &om_config_keys[i];

        (void)fputs(".TP\n.BR \"", to);
        print_roff(to, key->path);
        (void)fprintf(to, "%s\" \", \" \"", key->needs_restart ? "*" : "");
        print_roff(to, key->kind == OM_CONFIG_BOOL ? "--[no-]" : "--");
        print_roff(to, key->flag);
        (void)fputs("\"\n", to);
        print_roff(to, key->help);
        (void)fputs(".\nWants ", to);
        print_roff(to, om_config_key_want(key, want, sizeof want));
        if (key->kind == OM_CONFIG_LIST) {
            (void)fputs("; the flag is given once for each.\nDefault: none", to);
        } else {
            (void)fputs(".\nDefault: ", to);
            print_roff(to, *key->preset ? key->preset : "empty");
        }
        (void)fputs(".\n", to);
    }
}

void om_config_print_keys(FILE *to)
{
    char want[WANT_TEXT];

    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++) {
        const struct om_config_key *key = &om_config_keys[i];

        (void)fprintf(to, "%s%s\n    %s.\n    Wants %s; default: %s.\n", key->path,
                      key->needs_restart ? " (changes at the next start)" : "", key->help,
                      om_config_key_want(key, want, sizeof want),
                      *key->preset ? key->preset : "empty");
    }
}

bool om_config_print_keys_json(FILE *to)
{
    json_t *list = json_array();
    char want[WANT_TEXT];

    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++) {
        const struct om_config_key *key = &om_config_keys[i];

        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "key",
                                                    key->path, "flag", key->flag, "wants",
                                                    om_config_key_want(key, want, sizeof want),
                                                    "default", key->preset, "help", key->help,
                                                    "needs_restart", (int)key->needs_restart));
    }
    bool is_done = json_dumpf(list, to, JSON_INDENT(2)) == 0 && fputc('\n', to) == '\n';
    json_decref(list);
    return is_done;
}

/* @text from @column on, broken at spaces. */
static void print_wrapped(FILE *to, const char *text, size_t column)
{
    for (size_t room = WIDTH - COLUMN; *text;) {
        size_t n = strlen(text);

        if (n > room)
            for (n = room; n > 0 && text[n] != ' '; n--)
                ;
        (void)fprintf(to, "%*s%.*s\n", (int)(COLUMN - column), "", (int)n, text);
        text += n + (text[n] == ' ');
        column = 0;
    }
}

void om_config_print_help(FILE *to)
{
    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++) {
        const struct om_config_key *key = &om_config_keys[i];
        static const char *const values[] = {[OM_CONFIG_NUMBER] = " N",
                                             [OM_CONFIG_SIZE] = " BYTES",
                                             [OM_CONFIG_WORD] = " WORD",
                                             [OM_CONFIG_STRING] = " TEXT",
                                             [OM_CONFIG_LIST] = " PEER@HOST:PORT"};
        char left[COLUMN + 32], text[512], want[WANT_TEXT];
        int n =
            snprintf(left, sizeof left, "  --%s%s%s", key->kind == OM_CONFIG_BOOL ? "[no-]" : "",
                     key->flag, key->kind == OM_CONFIG_BOOL ? "" : values[key->kind]);

        (void)fputs(left, to);
        if (n >= COLUMN) {
            (void)fputc('\n', to);
            n = 0;
        }
        if (key->kind == OM_CONFIG_WORD)
            snprintf(text, sizeof text, "%s: %s (%s)", key->help,
                     om_config_key_want(key, want, sizeof want), key->preset);
        else
            snprintf(text, sizeof text, "%s%s%s%s", key->help, *key->preset ? " (" : "",
                     key->preset, *key->preset ? ")" : "");
        print_wrapped(to, text, (size_t)n);
    }
}
