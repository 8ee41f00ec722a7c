/* config_set.c - one value of any kind, from the text of a flag or from JSON. */
#include "config_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "config.h"

enum { WANT_TEXT = 80 };

static enum om_err refuse(const struct om_config_key *key, enum om_err code, const char *where,
                          const char *read, struct om_error *err)
{
    char want[WANT_TEXT];

    return om_fail(err, code, "%s: read %s: want %s", where, read,
                   om_config_key_want(key, want, sizeof want));
}

static enum om_err refuse_text(const struct om_config_key *key, enum om_err code, const char *where,
                               const char *text, struct om_error *err)
{
    char shown[OM_SHOW_TEXT], read[OM_SHOW_TEXT + 2];

    snprintf(read, sizeof read, "\"%s\"", om_text_show(shown, text));
    return refuse(key, code, where, read, err);
}

static enum om_err check_text(const struct om_config_key *key, const char *text, size_t room,
                              const char *where, struct om_error *err)
{
    struct om_error why = {0};
    enum om_err e = key->check ? key->check(text, &why) : OM_OK;

    if (e != OM_OK)
        return om_fail(err, e, "%s: %s", where, why.msg);
    if (strlen(text) >= room)
        return om_fail(err, OM_E_RANGE, "%s: %zu bytes: want at most %zu", where, strlen(text),
                       room - 1);
    return OM_OK;
}

static enum om_err add_text(const struct om_config_key *key, struct om_config_list *list,
                            const char *text, const char *where, struct om_error *err)
{
    enum om_err e = check_text(key, text, sizeof list->text[0], where, err);

    if (e != OM_OK)
        return e;
    if (list->count == OM_CONFIG_LIST_MAX)
        return om_fail(err, OM_E_FULL, "%s: more than %d: want at most so many", where,
                       OM_CONFIG_LIST_MAX);
    memcpy(list->text[list->count++], text, strlen(text) + 1);
    return OM_OK;
}

static bool in_range(const struct om_config_key *key, uint64_t v)
{
    return (v >= key->min && v <= key->max) || (v == 0 && key->zero_too);
}

/* The index of @text in the words of @key; -1: it is none of them. */
static int word_of(const struct om_config_key *key, const char *text)
{
    for (int i = 0; key->words[i]; i++)
        if (strcmp(key->words[i], text) == 0)
            return i;
    return -1;
}

static enum om_err set_number(const struct om_config_key *key, uint64_t *to, const char *text,
                              const char *where, struct om_error *err)
{
    uint64_t v;
    enum om_err e = key->kind == OM_CONFIG_SIZE ? om_size_parse(&v, text, NULL)
                                                : om_u64_parse(&v, text, UINT64_MAX, NULL);

    if (e != OM_OK || !in_range(key, v))
        return refuse_text(key, e != OM_OK ? e : OM_E_RANGE, where, text, err);
    *to = v;
    return OM_OK;
}

enum om_err om_config_key_set(const struct om_config_key *key, struct om_config *c,
                              const char *text, const char *where, struct om_error *err)
{
    void *to = (char *)c + key->at;
    enum om_err e;
    int word;

    switch (key->kind) {
    case OM_CONFIG_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return refuse_text(key, OM_E_PARSE, where, text, err);
        *(bool *)to = *text == 't';
        return OM_OK;
    case OM_CONFIG_NUMBER:
    case OM_CONFIG_SIZE:
        return set_number(key, to, text, where, err);
    case OM_CONFIG_WORD:
        word = word_of(key, text);
        if (word < 0)
            return refuse_text(key, OM_E_PARSE, where, text, err);
        *(unsigned *)to = (unsigned)word;
        return OM_OK;
    case OM_CONFIG_LIST:
        return add_text(key, to, text, where, err);
    case OM_CONFIG_STRING:
        break;
    }
    e = check_text(key, text, key->bytes, where, err);
    if (e == OM_OK)
        memcpy(to, text, strlen(text) + 1);
    return e;
}

static enum om_err refuse_json(const struct om_config_key *key, const json_t *v, const char *where,
                               struct om_error *err)
{
    char *text = json_is_object(v) || json_is_array(v)
                     ? NULL
                     : json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
    char read[48];

    snprintf(read, sizeof read, "%s",
             text                ? text
             : json_is_object(v) ? "an object"
             : json_is_array(v)  ? "a list"
                                 : "a value");
    free(text);
    return refuse(key, OM_E_PARSE, where, read, err);
}

static enum om_err set_list(const struct om_config_key *key, struct om_config *c, const json_t *v,
                            const char *where, struct om_error *err)
{
    struct om_config_list *list = calloc(1, sizeof *list);
    enum om_err e = OM_OK;

    if (!list)
        return om_fail(err, OM_E_NO_MEM, "%s: out of memory", where);
    for (size_t i = 0; e == OM_OK && i < json_array_size(v); i++) {
        const char *text = json_string_value(json_array_get(v, i));

        e = text ? add_text(key, list, text, where, err)
                 : refuse_json(key, json_array_get(v, i), where, err);
    }
    if (e == OM_OK)
        memcpy((char *)c + key->at, list, sizeof *list);
    free(list);
    return e;
}

enum om_err om_config_key_set_json(const struct om_config_key *key, struct om_config *c,
                                   const json_t *v, const char *where, struct om_error *err)
{
    void *to = (char *)c + key->at;

    switch (key->kind) {
    case OM_CONFIG_BOOL:
        if (!json_is_boolean(v))
            break;
        *(bool *)to = json_is_true(v);
        return OM_OK;
    case OM_CONFIG_SIZE:
    case OM_CONFIG_NUMBER:
        if (json_is_string(v) && key->kind == OM_CONFIG_SIZE)
            return om_config_key_set(key, c, json_string_value(v), where, err);
        if (!json_is_integer(v) || json_integer_value(v) < 0 ||
            !in_range(key, (uint64_t)json_integer_value(v)))
            break;
        *(uint64_t *)to = (uint64_t)json_integer_value(v);
        return OM_OK;
    case OM_CONFIG_LIST:
        if (!json_is_array(v))
            break;
        return set_list(key, c, v, where, err);
    case OM_CONFIG_WORD:
    case OM_CONFIG_STRING:
        if (!json_is_string(v))
            break;
        return om_config_key_set(key, c, json_string_value(v), where, err);
    }
    return refuse_json(key, v, where, err);
}
