/*
 * fuzz_join_link.c - a join link: any text, and any bytes under a right checksum
 *
 * What is read is printed again and must be read alike.
 */
#include <sodium.h>

#include "fuzz.h"
#include "network/join_link.h"

static void check_text(const char *text)
{
    char again[OM_JOIN_TEXT];
    struct om_join_link l, back;
    struct om_error err;

    memset(&l, 0, sizeof l);
    memset(&back, 0, sizeof back);
    if (om_join_link_parse(&l, text, &err) != OM_OK) {
        FUZZ_MUST(memchr(err.msg, '\0', sizeof err.msg));
        return;
    }
    FUZZ_MUST(l.peer_count <= OM_JOIN_PEERS_MAX && !(l.is_open && l.has_admin));
    size_t n = om_join_link_print(again, &l);
    FUZZ_MUST(n == strlen(again) && n < sizeof again);
    FUZZ_MUST(om_join_link_parse(&back, again, NULL) == OM_OK);
    FUZZ_MUST(l.epoch == back.epoch && l.peer_count == back.peer_count);
    FUZZ_MUST(memcmp(l.secret, back.secret, sizeof l.secret) == 0);
    FUZZ_MUST(memcmp(l.grant, back.grant, sizeof l.grant) == 0);
    FUZZ_MUST(memcmp(l.admin, back.admin, sizeof l.admin) == 0);
}

/* Nobody finds a checksum by searching: so it is put there. */
static void check_bytes(struct om_bytes in)
{
    uint8_t bytes[OM_JOIN_BYTES_MAX], hash[crypto_generichash_BYTES];
    char text[OM_JOIN_TEXT] = OM_JOIN_SCHEME;
    size_t head = strlen(OM_JOIN_SCHEME);

    if (in.n > sizeof bytes - OM_JOIN_CHECK_BYTES)
        return;
    if (in.n > 0)
        memcpy(bytes, in.p, in.n);
    crypto_generichash(hash, sizeof hash, bytes, in.n, NULL, 0);
    memcpy(bytes + in.n, hash, OM_JOIN_CHECK_BYTES);
    sodium_bin2base64(text + head, sizeof text - head, bytes, in.n + OM_JOIN_CHECK_BYTES,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    check_text(text);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    check_text(text);
    check_bytes(om_bytes(data, size));
    free(text);
    return 0;
}
