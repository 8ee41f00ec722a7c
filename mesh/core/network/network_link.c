/* network_link.c - which of the two forms a link has, and what follows from it. */
#include <omerta/network_link.h>

#include <sodium.h>
#include <string.h>

#include "crypto/kdf.h"
#include "network/direct_link.h"
#include "network/join_link.h"

static_assert((int)OM_NETWORK_LINK_TEXT >= (int)OM_JOIN_TEXT, "a join link does not fit");
static_assert((int)OM_NETWORK_PEERS_MAX == (int)OM_JOIN_PEERS_MAX, "a join link has other peers");

void om_network_link_derive(struct om_network_link *l)
{
    const struct om_join_link j = {.is_open = l->kind == OM_NETWORK_OPEN,
                                   .authority = l->authority};

    if (l->kind == OM_NETWORK_DIRECT)
        om_kdf(l->id.b, l->secret, "direct", om_bytes(NULL, 0));
    else
        om_join_link_network(&l->id, &j);
}

void om_network_link_new(struct om_network_link *out, enum om_network_kind kind,
                         const struct om_rng *rng)
{
    uint8_t seed[crypto_sign_SEEDBYTES], secret[crypto_sign_SECRETKEYBYTES];

    *out = (struct om_network_link){.kind = kind};
    om_rng_fill(rng, out->secret, sizeof out->secret);
    if (kind == OM_NETWORK_OPEN) {
        om_rng_fill(rng, seed, sizeof seed);
        (void)crypto_sign_seed_keypair(out->authority.b, secret, seed);
        sodium_memzero(seed, sizeof seed);
        sodium_memzero(secret, sizeof secret);
    }
    om_network_link_derive(out);
}

static size_t print_open(char out[static OM_NETWORK_LINK_TEXT], const struct om_network_link *l)
{
    struct om_join_link j = {
        .is_open = true, .authority = l->authority, .epoch = l->epoch, .peer_count = l->peer_count};

    memcpy(j.secret, l->secret, sizeof j.secret);
    for (unsigned i = 0; i < l->peer_count; i++)
        j.peers[i] = (struct om_join_peer){l->peers[i].key, l->peers[i].addr};
    size_t n = om_join_link_print(out, &j);
    sodium_memzero(&j, sizeof j);
    return n;
}

size_t om_network_link_print(char out[static OM_NETWORK_LINK_TEXT], const struct om_network_link *l)
{
    return l->kind == OM_NETWORK_DIRECT ? om_direct_link_print(out, l) : print_open(out, l);
}

static enum om_err parse_join(struct om_network_link *out, const char *text, struct om_error *err)
{
    struct om_join_link j = {.is_open = false};
    enum om_err e = om_join_link_parse(&j, text, err);

    if (e == OM_OK) {
        *out = (struct om_network_link){.kind = j.is_open ? OM_NETWORK_OPEN : OM_NETWORK_CLOSED,
                                        .authority = j.authority,
                                        .epoch = j.epoch,
                                        .peer_count = j.peer_count};
        if (j.is_open)
            memcpy(out->secret, j.secret, sizeof out->secret);
        for (unsigned i = 0; i < j.peer_count; i++)
            out->peers[i] = (struct om_network_peer){j.peers[i].key, j.peers[i].addr};
        om_network_link_derive(out);
    }
    sodium_memzero(&j, sizeof j);
    return e;
}

/* Without what mail and terminals put between; false: too long to be a link. */
static bool squeeze(char out[static OM_NETWORK_LINK_TEXT], const char *text)
{
    size_t n = 0;

    for (const char *c = text; *c; c++) {
        if (strchr(" \t\r\n", *c))
            continue;
        if (n + 1 == OM_NETWORK_LINK_TEXT)
            return false;
        out[n++] = *c;
    }
    out[n] = '\0';
    return true;
}

enum om_err om_network_link_parse(struct om_network_link *out, const char *text,
                                  struct om_error *err)
{
    char squeezed[OM_NETWORK_LINK_TEXT];
    enum om_err e;

    if (strnlen(text, OM_JOIN_INPUT_MAX + 1) > OM_JOIN_INPUT_MAX || !squeeze(squeezed, text))
        e = om_fail(err, OM_E_RANGE, "too long for a link");
    else if (strncmp(squeezed, OM_JOIN_SCHEME, strlen(OM_JOIN_SCHEME)) == 0)
        e = parse_join(out, squeezed, err);
    else if (strncmp(squeezed, OM_DIRECT_SCHEME, strlen(OM_DIRECT_SCHEME)) == 0)
        e = om_direct_link_parse(out, squeezed, err);
    else
        e = om_fail(err, OM_E_PARSE,
                    "not a link: it must begin with " OM_JOIN_SCHEME " or " OM_DIRECT_SCHEME);
    sodium_memzero(squeezed, sizeof squeezed);
    return e;
}

void om_network_link_config(struct om_network_config *out, const struct om_network_link *l)
{
    bool is_closed = l->kind == OM_NETWORK_CLOSED;

    *out = (struct om_network_config){
        .id = l->id, .open = !is_closed, .epoch = l->epoch, .gossip = true};
    if (is_closed)
        out->authority = l->authority;
    memcpy(out->secret, l->secret, sizeof out->secret);
}
