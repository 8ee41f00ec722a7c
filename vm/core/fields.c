/* fields.c - one look-up per member, and a list of what was looked up. */
#include "vm/core/fields.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

static const uint64_t mib = 1 << 20;

static const char *kind_of(const json_t *o)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",    [JSON_STRING] = "a text",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };

    return o ? names[json_typeof(o)] : "nothing";
}

static void fault(struct om_vm_fields *f, enum om_err code, const char *key, const char *what)
{
    char shown[OM_SHOW_TEXT];

    if (f->bad != OM_OK)
        return;
    if (key)
        f->bad = om_fail(f->err, code, "%s.%s: %s", f->where, om_text_show(shown, key), what);
    else
        f->bad = om_fail(f->err, code, "%s: %s", f->where, what);
}

void om_vm_fields_fail(struct om_vm_fields *f, const char *key, const char *fmt, ...)
{
    char what[OM_ERROR_MSG_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    fault(f, OM_E_PARSE, key, what);
}

static void out_of_range(struct om_vm_fields *f, const char *key, const char *fmt, ...)
    OM_PRINTF(3, 4);

static void out_of_range(struct om_vm_fields *f, const char *key, const char *fmt, ...)
{
    char what[OM_ERROR_MSG_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    fault(f, OM_E_RANGE, key, what);
}

static bool is_known(const struct om_vm_fields *f, const char *key)
{
    for (unsigned i = 0; i < f->count; i++)
        if (strcmp(f->keys[i], key) == 0)
            return true;
    return false;
}

void om_vm_fields_open(struct om_vm_fields *f, const json_t *o, const char *where,
                       struct om_error *err)
{
    *f = (struct om_vm_fields){.o = o, .where = where, .err = err};
    if (!json_is_object(o))
        om_vm_fields_fail(f, NULL, "is %s: want an object", kind_of(o));
}

const json_t *om_vm_fields_get(struct om_vm_fields *f, const char *key)
{
    if (f->bad != OM_OK)
        return NULL;
    OM_BUG_IF(f->count == OM_VM_FIELDS_MAX || is_known(f, key));
    f->keys[f->count++] = key;
    return json_object_get(f->o, key);
}

bool om_vm_text_is_plain(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
            return false;
    return om_text_is_utf8(om_bytes(s, n));
}

bool om_vm_fields_text(struct om_vm_fields *f, const char *key, char *out, size_t n)
{
    const json_t *v = om_vm_fields_get(f, key);
    size_t len = json_string_length(v);

    if (!v)
        return false;
    if (!json_is_string(v))
        om_vm_fields_fail(f, key, "is %s: want a text", kind_of(v));
    else if (len >= n)
        out_of_range(f, key, "has %zu bytes: want at most %zu", len, n - 1);
    else if (!om_vm_text_is_plain(json_string_value(v), len))
        om_vm_fields_fail(f, key, "holds a control character: want one line of plain text");
    else
        memcpy(out, json_string_value(v), len + 1);
    return f->bad == OM_OK;
}

bool om_vm_fields_number(struct om_vm_fields *f, const char *key, uint64_t min, uint64_t max,
                         uint64_t *out)
{
    const json_t *v = om_vm_fields_get(f, key);
    json_int_t n = json_integer_value(v);

    if (!v)
        return false;
    if (!json_is_integer(v))
        om_vm_fields_fail(f, key, "is %s: want a whole number", kind_of(v));
    else if (n < 0 || (uint64_t)n < min || (uint64_t)n > max)
        out_of_range(f, key, "is %" JSON_INTEGER_FORMAT ": want %" PRIu64 " to %" PRIu64, n, min,
                     max);
    else
        *out = (uint64_t)n;
    return f->bad == OM_OK;
}

static bool is_digits(const char *s)
{
    return s[0] != '\0' && s[strspn(s, "0123456789")] == '\0';
}

/* MiB of a text, rounded up. */
static bool mib_of_text(struct om_vm_fields *f, const char *key, const char *s, uint64_t *out)
{
    struct om_error why = {0};
    uint64_t bytes = 0;
    enum om_err e =
        is_digits(s) ? om_u64_parse(out, s, UINT32_MAX, &why) : om_size_parse(&bytes, s, &why);

    if (e != OM_OK)
        om_vm_fields_fail(f, key, "%.150s", why.msg);
    else if (!is_digits(s))
        *out = bytes / mib + (bytes % mib != 0);
    return e == OM_OK;
}

bool om_vm_fields_mib(struct om_vm_fields *f, const char *key, uint32_t min, uint32_t max,
                      uint32_t *out)
{
    const json_t *v = om_vm_fields_get(f, key);
    char low[OM_SIZE_TEXT], high[OM_SIZE_TEXT];
    uint64_t n = 0;

    if (!v)
        return false;
    if (json_is_integer(v) && json_integer_value(v) >= 0)
        n = (uint64_t)json_integer_value(v);
    else if (!json_is_string(v)) {
        om_vm_fields_fail(f, key, "is %s: want a size, \"4G\" or a number of MiB", kind_of(v));
        return false;
    } else if (!mib_of_text(f, key, json_string_value(v), &n))
        return false;
    if (n < min || n > max) {
        out_of_range(f, key, "is %" PRIu64 " MiB: want %s to %s", n,
                     om_size_print(min * mib, low, sizeof low),
                     om_size_print(max * mib, high, sizeof high));
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

bool om_vm_fields_duration(struct om_vm_fields *f, const char *key, om_time min, om_time max,
                           om_time *out)
{
    char low[OM_DURATION_TEXT], high[OM_DURATION_TEXT];
    const json_t *v = om_vm_fields_get(f, key);
    struct om_error why = {0};
    om_time d;

    if (!v)
        return false;
    if (!json_is_string(v))
        om_vm_fields_fail(f, key, "is %s: want a duration, \"90s\" or \"2h\"", kind_of(v));
    else if (om_duration_parse(&d, json_string_value(v), &why) != OM_OK)
        om_vm_fields_fail(f, key, "%.150s", why.msg);
    else if (d < min || d > max)
        out_of_range(f, key, "want %s to %s", om_duration_print(min, low, sizeof low),
                     om_duration_print(max, high, sizeof high));
    else
        *out = d;
    return f->bad == OM_OK;
}

bool om_vm_fields_bool(struct om_vm_fields *f, const char *key, bool *out)
{
    const json_t *v = om_vm_fields_get(f, key);

    if (!v)
        return false;
    if (!json_is_boolean(v))
        om_vm_fields_fail(f, key, "is %s: want true or false", kind_of(v));
    else
        *out = json_is_true(v);
    return f->bad == OM_OK;
}

bool om_vm_fields_word(struct om_vm_fields *f, const char *key, const char *const *words,
                       unsigned n, unsigned *out)
{
    const json_t *v = om_vm_fields_get(f, key);
    char list[OM_ERROR_MSG_MAX / 2] = "", shown[OM_SHOW_TEXT];
    size_t at = 0;

    if (!v)
        return false;
    for (unsigned i = 0; json_is_string(v) && i < n; i++)
        if (strcmp(json_string_value(v), words[i]) == 0) {
            *out = i;
            return true;
        }
    for (unsigned i = 0; i < n && at < sizeof list; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", words[i]);
    if (json_is_string(v))
        om_vm_fields_fail(f, key, "is \"%s\": want one of %s",
                          om_text_show(shown, json_string_value(v)), list);
    else
        om_vm_fields_fail(f, key, "is %s: want one of %s", kind_of(v), list);
    return false;
}

const json_t *om_vm_fields_list(struct om_vm_fields *f, const char *key, size_t max)
{
    const json_t *v = om_vm_fields_get(f, key);

    if (!v)
        return NULL;
    if (!json_is_array(v))
        om_vm_fields_fail(f, key, "is %s: want a list", kind_of(v));
    else if (json_array_size(v) > max)
        out_of_range(f, key, "has %zu elements: want at most %zu", json_array_size(v), max);
    return f->bad == OM_OK ? v : NULL;
}

/* The first member that nobody asked for. Jansson's iterators know no const: so of a copy. */
static void name_unknown(struct om_vm_fields *f)
{
    json_t *copy = json_deep_copy(f->o), *v;
    const char *key;

    if (!copy)
        f->bad = om_fail(f->err, OM_E_NO_MEM, "no memory");
    json_object_foreach(copy, key, v) if (!is_known(f, key))
        om_vm_fields_fail(f, key, "unknown member");
    json_decref(copy);
}

enum om_err om_vm_fields_done(struct om_vm_fields *f)
{
    size_t known = 0;

    for (unsigned i = 0; i < f->count; i++)
        known += json_object_get(f->o, f->keys[i]) != NULL;
    if (f->bad == OM_OK && known < json_object_size(f->o))
        name_unknown(f);
    return f->bad;
}
