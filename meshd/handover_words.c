/* handover_words.c - a name and a kind; an address. */
#include "handover_words.h"

#include <jansson.h>
#include <string.h>

#include <omerta/text.h>

bool handover_words_read(struct handover_offer *out, struct om_bytes text)
{
    char safe[OM_ESCAPE_LEN(OM_NAME_MAX)];
    json_error_t why;
    json_t *o = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
    const char *name = json_string_value(json_object_get(o, "name"));
    const char *kind = json_string_value(json_object_get(o, "kind"));
    size_t n = name ? strlen(name) : 0;
    bool is_good = n > 0 && n <= OM_NAME_MAX && kind &&
                   om_text_escape(safe, sizeof safe, om_bytes(name, n)) == n &&
                   (strcmp(kind, "closed") == 0 || strcmp(kind, "open") == 0);

    if (is_good) {
        memcpy(out->what, name, n + 1);
        out->is_closed = strcmp(kind, "closed") == 0;
    }
    json_decref(o);
    return is_good;
}

char *handover_words_write(const struct handover_offer *offer)
{
    json_t *o =
        json_pack("{s:s, s:s}", "name", offer->what, "kind", offer->is_closed ? "closed" : "open");
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

    json_decref(o);
    return text;
}

bool handover_words_at(struct om_addr *out, struct om_bytes text)
{
    json_error_t why;
    json_t *o = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
    const char *at = json_string_value(json_object_get(o, "at"));
    struct om_addr addr;
    bool is_given = at && om_addr_parse(&addr, at, 0, NULL) == OM_OK && addr.port != 0;

    if (is_given)
        *out = addr;
    json_decref(o);
    return is_given;
}
