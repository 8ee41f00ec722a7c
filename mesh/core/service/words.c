/* words.c - JSON within bounds; jansson does the rest. */
#include "service/words.h"

#include <string.h>

static const struct {
    const char *name, *text;
} errors[] = {
#define X(code, name, help) {name, help},
    OM_CALL_ERRORS(X)
#undef X
};
static_assert(OM_ARRAY_SIZE(errors) == OM_CALL_ERROR_COUNT, "one row for each error");

const char *om_call_error_name(enum om_call_error e)
{
    return e < OM_CALL_ERROR_COUNT ? errors[e].name : "unknown";
}

const char *om_call_error_text(enum om_call_error e)
{
    return e < OM_CALL_ERROR_COUNT ? errors[e].text : "unknown error";
}

/* Depth is counted before parsing: the parser recurses, and its own bound is far too high. */
static bool is_too_deep(struct om_bytes text)
{
    unsigned depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > OM_WORDS_DEPTH)
                return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

enum om_err om_words_load(struct om_bytes text, json_t **out)
{
    json_error_t why;

    if (text.n > OM_WORDS_MAX || is_too_deep(text))
        return OM_E_RANGE;
    json_t *o = text.n == 0
                    ? json_object()
                    : json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
    if (!o && (text.n == 0 || json_error_code(&why) == json_error_out_of_memory))
        return OM_E_NO_MEM;
    if (!json_is_object(o)) {
        json_decref(o);
        return OM_E_PARSE;
    }
    *out = o;
    return OM_OK;
}

enum om_err om_words_dump(const json_t *o, struct om_mut *out)
{
    char *text = json_dumps(o, JSON_COMPACT);

    if (!text)
        return OM_E_NO_MEM;
    size_t n = strlen(text);
    if (n > OM_WORDS_MAX) {
        free(text);
        return OM_E_RANGE;
    }
    *out = om_mut(text, n);
    return OM_OK;
}

bool om_words_is_name(const char *s)
{
    size_t n = strnlen(s, OM_WORDS_NAME_MAX + 1);

    return n > 0 && n <= OM_WORDS_NAME_MAX &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == n;
}
