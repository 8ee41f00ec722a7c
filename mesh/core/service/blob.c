/* blob.c - base64url by libsodium, JSON by words.c. */
#include "service/blob.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "service/words.h"

enum { BLOB_MAX = 40 * 1024, VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

enum om_err om_blob_wrap(struct om_bytes blob, struct om_mut *out)
{
    if (blob.n > BLOB_MAX)
        return OM_E_RANGE;
    size_t room = sodium_base64_encoded_len(blob.n, VARIANT);
    char *text = malloc(room);
    if (!text)
        return OM_E_NO_MEM;
    sodium_bin2base64(text, room, blob.p, blob.n, VARIANT);
    json_t *o = json_pack("{s:s}", "b", text);
    free(text);
    enum om_err e = o ? om_words_dump(o, out) : OM_E_NO_MEM;
    json_decref(o);
    return e;
}

enum om_err om_blob_unwrap(struct om_bytes text, struct om_mut *out)
{
    json_t *o;
    enum om_err e = om_words_load(text, &o);

    if (e != OM_OK)
        return e;
    const char *b = json_string_value(json_object_get(o, "b"));
    size_t n = b ? strlen(b) : 0, room = n / 4 * 3 + 3;
    uint8_t *bytes = b ? malloc(room) : NULL;
    e = !b ? OM_E_PARSE : bytes ? OM_OK : OM_E_NO_MEM;
    if (e == OM_OK && sodium_base642bin(bytes, room, b, n, NULL, &n, NULL, VARIANT) != 0)
        e = OM_E_PARSE;
    if (e == OM_OK)
        *out = om_mut(bytes, n);
    else
        free(bytes);
    json_decref(o);
    return e;
}
