/* id.c - text and order of ids. */
#include <omerta/id.h>

#include <string.h>

#include <omerta/text.h>

static_assert(OM_BASE32_LEN(OM_ID_BYTES) + 1 == OM_ID_TEXT, "id text has another length");

char *om_id_print(const struct om_id *id, char out[static OM_ID_TEXT])
{
    om_base32_encode(out, om_bytes(id->b, sizeof id->b));
    return out;
}

enum om_err om_id_parse(struct om_id *out, const char *text, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];
    size_t len = strnlen(text, OM_ID_TEXT);

    if (len != OM_ID_TEXT - 1)
        return om_fail(err, OM_E_PARSE, "\"%s\": too %s: an id has %d characters",
                       om_text_show(shown, text), len < OM_ID_TEXT - 1 ? "short" : "long",
                       OM_ID_TEXT - 1);
    if (om_base32_decode(om_mut(out->b, sizeof out->b), text))
        return om_fail(err, OM_E_PARSE, "\"%s\": not an id: want a-z and 2-7, copied whole",
                       om_text_show(shown, text));
    return OM_OK;
}

char *om_id_short(const struct om_id *id, char out[static OM_ID_SHORT])
{
    char whole[OM_ID_TEXT];

    memcpy(out, om_id_print(id, whole), OM_ID_SHORT - 1);
    out[OM_ID_SHORT - 1] = '\0';
    return out;
}

int om_id_cmp(const struct om_id *a, const struct om_id *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

bool om_id_equal(const struct om_id *a, const struct om_id *b)
{
    return om_id_cmp(a, b) == 0;
}

bool om_id_is_zero(const struct om_id *id)
{
    static const struct om_id zero;

    return om_id_equal(id, &zero);
}
