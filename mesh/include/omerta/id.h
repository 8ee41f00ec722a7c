/*
 * id.h - the 32 bytes that name a peer or a network
 *
 * What:  text form, exact parse, order.
 * Why:   a peer id is its public key, so nothing stands between name and key that could be forged.
 * Keeps: id_text_round_trips; id_parse_takes_one_spelling_only; id_short_is_a_prefix;
 *        id_order_is_that_of_the_bytes.
 *
 * Source: PROTOCOL section 1; RFC 4648 section 6 in lower case without padding.
 */
#ifndef OMERTA_ID_H
#define OMERTA_ID_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>

enum {
    OM_ID_BYTES = 32,
    OM_ID_TEXT = 53, /* 52 characters of base32 and NUL */
    OM_ID_SHORT = 11
};

struct om_id {
    uint8_t b[OM_ID_BYTES]; /* a public key or a network id */
};

/**
 * om_id_print() - the 52 characters of an id
 * @id:   public, never a secret key
 * @out:  OM_ID_TEXT bytes, terminated
 *
 * Return: @out.
 */
char *om_id_print(const struct om_id *id, char out[static OM_ID_TEXT]);

/**
 * om_id_parse() - read what om_id_print() wrote: each id has exactly one text
 * @out:   untouched on failure
 * @text:  terminated, 52 characters a-z 2-7; the 4 spare bits of the last are zero
 * @err:   sentence for a person; may be NULL
 *
 * Whether the bytes are a usable key is for mesh/core/crypto to say.
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err om_id_parse(struct om_id *out, const char *text, struct om_error *err);

/**
 * om_id_short() - the first 10 characters, for display only: others can be made to share them
 * @id:   the id
 * @out:  OM_ID_SHORT bytes, terminated
 *
 * Return: @out.
 */
char *om_id_short(const struct om_id *id, char out[static OM_ID_SHORT]);

/** om_id_cmp() - memcmp() order of @a and @b; the "lower key" of PROTOCOL gives less than 0. */
int om_id_cmp(const struct om_id *a, const struct om_id *b);

/** om_id_equal() - @a and @b are the same 32 bytes. */
bool om_id_equal(const struct om_id *a, const struct om_id *b);

/** om_id_is_zero() - @id was never filled in. */
bool om_id_is_zero(const struct om_id *id);

#endif
