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

/* What is open, and how many values there can be: each but the first is announced by a bracket or a
 * comma, and an empty array or object, which costs the most, counts twice. */
struct scan {
    unsigned depth, deepest, values;
    bool in_string;
};

/* The next byte; true when it escapes the one behind it. */
static bool scan_byte(struct scan *s, uint8_t c)
{
    if (c == '"')
        s->in_string = !s->in_string;
    else if (s->in_string)
        return c == '\\';
    else if ((c == '}' || c == ']') && s->depth > 0)
        s->depth--;
    if (s->in_string)
        return false;
    s->values += c == ',' || c == '{' || c == '[';
    s->depth += c == '{' || c == '[';
    if (s->depth > s->deepest)
        s->deepest = s->depth;
    return false;
}

/* Counted before parsing: the parser recurses, its own bound on that is far too high, and what it
 * builds of many small values is much larger than their text. */
static bool is_within_bounds(struct om_bytes text)
{
    struct scan s = {.values = 1};

    if (text.n > OM_WORDS_MAX)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (scan_byte(&s, text.p[i]))
            i++;
    return s.deepest <= OM_WORDS_DEPTH && s.values <= OM_WORDS_VALUES;
}

/* Where it finds no memory jansson does not always leave a code; a fault always has a sentence. */
static bool is_memory_out(const json_error_t *why)
{
    return json_error_code(why) == json_error_out_of_memory || why->text[0] == '\0';
}

enum om_err om_words_load(struct om_bytes text, json_t **out)
{
    json_error_t why;

    if (!is_within_bounds(text))
        return OM_E_RANGE;
    json_t *o = text.n == 0
                    ? json_object()
                    : json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
    if (!o && (text.n == 0 || is_memory_out(&why)))
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

void om_words_seed(uint32_t seed)
{
    json_object_seed(seed != 0 ? seed : 1); /* 0 would ask the machine */
}

bool om_words_is_name(const char *s)
{
    size_t n = strnlen(s, OM_WORDS_NAME_MAX + 1);

    return n > 0 && n <= OM_WORDS_NAME_MAX &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == n;
}
