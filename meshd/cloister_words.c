/* cloister_words.c - 32 bytes as 64 digits. */
#include "cloister_words.h"

#include <jansson.h>
#include <sodium.h>
#include <string.h>

#include <omerta/attr.h>

static_assert((int)OM_CLOISTER_POINT == (int)CLOISTER_WORD, "one reader for both");

bool cloister_words_read(uint8_t out[static CLOISTER_WORD], struct om_bytes text, const char *name)
{
    json_error_t why;
    json_t *o = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
    const json_t *v = json_object_get(o, name);
    uint8_t bytes[CLOISTER_WORD];
    size_t n = 0, len = json_string_length(v);
    bool is_good =
        len == 2 * sizeof bytes &&
        sodium_hex2bin(bytes, sizeof bytes, json_string_value(v), len, NULL, &n, NULL) == 0 &&
        n == sizeof bytes;

    if (is_good)
        memcpy(out, bytes, sizeof bytes);
    json_decref(o);
    return is_good;
}

char *cloister_words_write(struct om_cloister *c, const char *name)
{
    char hex[2 * OM_CLOISTER_BODY_MAX + 1];
    struct om_cloister_message m;

    if (!om_cloister_next(c, &m))
        return NULL;
    json_t *o = json_pack("{s:s}", name, sodium_bin2hex(hex, sizeof hex, m.body, m.len));
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    return text;
}
