/* join_link.c - the bytes of a link and their text. */
#include "network/join_link.h"

#include <sodium.h>
#include <string.h>

enum { FLAG_OPEN = 1, FLAG_ADMIN = 2, PEERS_SHIFT = 2, FLAGS_ALL = 15 };

static void checksum(uint8_t out[static OM_JOIN_CHECK_BYTES], struct om_bytes of)
{
    uint8_t hash[crypto_generichash_BYTES];

    crypto_generichash(hash, sizeof hash, of.p, of.n, NULL, 0);
    memcpy(out, hash, OM_JOIN_CHECK_BYTES);
}

static uint8_t flags_of(const struct om_join_link *l)
{
    return (uint8_t)((l->is_open ? FLAG_OPEN : 0) | (l->has_admin ? FLAG_ADMIN : 0) |
                     l->peer_count << PEERS_SHIFT);
}

size_t om_join_link_print(char out[static OM_JOIN_TEXT], const struct om_join_link *l)
{
    uint8_t bytes[OM_JOIN_BYTES_MAX], check[OM_JOIN_CHECK_BYTES];
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));
    size_t head = strlen(OM_JOIN_SCHEME);

    OM_BUG_IF(l->peer_count > OM_JOIN_PEERS_MAX || (l->is_open && l->has_admin));
    om_wr_u8(&w, flags_of(l));
    om_wr_copy(&w, l->authority.b, sizeof l->authority.b);
    om_wr_u32(&w, l->epoch);
    om_wr_copy(&w, l->secret, sizeof l->secret);
    if (!l->is_open) {
        om_wr_copy(&w, l->seed, sizeof l->seed);
        om_wr_copy(&w, l->grant, sizeof l->grant);
        om_wr_copy(&w, l->admin, l->has_admin ? sizeof l->admin : 0);
    }
    for (unsigned i = 0; i < l->peer_count; i++) {
        om_wr_copy(&w, l->peers[i].key.b, sizeof l->peers[i].key.b);
        om_addr_write(&w, &l->peers[i].addr);
    }
    checksum(check, om_bytes(bytes, om_wr_len(&w)));
    om_wr_copy(&w, check, sizeof check);
    memcpy(out, OM_JOIN_SCHEME, head);
    sodium_bin2base64(out + head, OM_JOIN_TEXT - head, bytes, om_wr_len(&w),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
    return strlen(out);
}

static bool read_link(struct om_join_link *l, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    uint8_t flags = om_rd_u8(&r);

    l->is_open = flags & FLAG_OPEN;
    l->has_admin = flags & FLAG_ADMIN;
    l->peer_count = flags >> PEERS_SHIFT;
    if (flags > FLAGS_ALL || (l->is_open && l->has_admin))
        return false;
    om_rd_copy(&r, l->authority.b, sizeof l->authority.b);
    l->epoch = om_rd_u32(&r);
    om_rd_copy(&r, l->secret, sizeof l->secret);
    if (!l->is_open) {
        om_rd_copy(&r, l->seed, sizeof l->seed);
        om_rd_copy(&r, l->grant, sizeof l->grant);
    }
    if (l->has_admin)
        om_rd_copy(&r, l->admin, sizeof l->admin);
    for (unsigned i = 0; i < l->peer_count; i++) {
        om_rd_copy(&r, l->peers[i].key.b, sizeof l->peers[i].key.b);
        l->peers[i].addr = om_addr_read(&r);
    }
    return om_rd_done(&r);
}

/* @text without spaces to @out; its length, 0 when it is too long to be a link. */
static size_t squeeze(char out[static OM_JOIN_TEXT], const char *text)
{
    size_t n = 0;

    for (const char *c = text; *c; c++) {
        if (strchr(" \t\r\n", *c))
            continue;
        if (n + 1 == OM_JOIN_TEXT)
            return 0;
        out[n++] = *c;
    }
    out[n] = '\0';
    return n;
}

static enum om_err parse_squeezed(struct om_join_link *out, const char *text, struct om_error *err)
{
    uint8_t bytes[OM_JOIN_BYTES_MAX], check[OM_JOIN_CHECK_BYTES];
    size_t head = strlen(OM_JOIN_SCHEME), n = 0;
    struct om_join_link l = {.epoch = 0};
    enum om_err e = OM_OK;

    if (strncmp(text, OM_JOIN_SCHEME, head) != 0)
        return om_fail(err, OM_E_PARSE, "not a join link: it must begin with " OM_JOIN_SCHEME);
    if (sodium_base642bin(bytes, sizeof bytes, text + head, strlen(text + head), NULL, &n, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        n <= sizeof check) {
        e = om_fail(err, OM_E_PARSE, "the join link is cut or has a character that none has");
        goto out;
    }
    n -= sizeof check;
    checksum(check, om_bytes(bytes, n));
    if (memcmp(check, bytes + n, sizeof check) != 0) {
        e = om_fail(err, OM_E_PARSE, "the join link was mistyped or cut: its checksum is wrong");
        goto out;
    }
    if (!read_link(&l, om_bytes(bytes, n))) {
        e = om_fail(err, OM_E_PARSE, "the join link is of a kind that this version does not know");
        goto out;
    }
    *out = l;
out:
    sodium_memzero(&l, sizeof l);
    sodium_memzero(bytes, sizeof bytes);
    return e;
}

enum om_err om_join_link_parse(struct om_join_link *out, const char *text, struct om_error *err)
{
    char squeezed[OM_JOIN_TEXT];
    enum om_err e;

    if (strnlen(text, OM_JOIN_INPUT_MAX + 1) > OM_JOIN_INPUT_MAX || squeeze(squeezed, text) == 0)
        e = om_fail(err, OM_E_RANGE, "too long or too short for a join link");
    else
        e = parse_squeezed(out, squeezed, err);
    sodium_memzero(squeezed, sizeof squeezed);
    return e;
}

void om_join_link_network(struct om_id *out, const struct om_join_link *l)
{
    uint8_t body[33];

    memcpy(body, l->authority.b, 32);
    body[32] = l->is_open ? 1 : 0;
    crypto_generichash(out->b, sizeof out->b, body, sizeof body, NULL, 0);
}

void om_join_link_invite(struct om_join_link *l, const struct om_invite *i,
                         const struct om_identity *signer, const struct om_id *network,
                         const struct om_rng *rng)
{
    struct om_grant grant = {
        .role = i->roles, .uses = i->uses, .issued = i->issued, .expires = i->expires};
    uint8_t secret[crypto_sign_SECRETKEYBYTES];

    om_rng_fill(rng, l->seed, sizeof l->seed);
    om_rng_fill(rng, grant.invite, sizeof grant.invite);
    grant.invite[0] = (uint8_t)(i->uses >> 8); /* who sees two certificates of it can count */
    grant.invite[1] = (uint8_t)i->uses;
    (void)crypto_sign_seed_keypair(grant.key.b, secret, l->seed);
    om_grant_encode(l->grant, &grant, signer, network);
    sodium_memzero(secret, sizeof secret);
}
