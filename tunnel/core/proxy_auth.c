/* proxy_auth.c - secrets are compared in blocks of one size, whatever their own is. */
#include "proxy_auth.h"

#include <string.h>

#include <sodium.h>

enum { BLOCK = OM_PROXY_SECRET_MAX + 1, PAIR_MAX = 2 * OM_PROXY_SECRET_MAX + 1 };

bool om_proxy_auth_is_on(const struct om_proxy_config *c)
{
    return c->user != NULL;
}

/* The text and its length, padded. */
static void block(uint8_t out[static BLOCK], struct om_bytes text)
{
    memset(out, 0, BLOCK);
    memcpy(out, text.p, text.n);
    out[BLOCK - 1] = (uint8_t)text.n;
}

static bool is_same(const char *want, struct om_bytes got)
{
    uint8_t a[BLOCK], b[BLOCK];

    if (got.n == 0 || got.n > OM_PROXY_SECRET_MAX)
        return false;
    block(a, om_bytes(want, strlen(want)));
    block(b, got);
    bool same = sodium_memcmp(a, b, BLOCK) == 0;
    sodium_memzero(a, sizeof a);
    sodium_memzero(b, sizeof b);
    return same;
}

bool om_proxy_auth_check(const struct om_proxy_config *c, struct om_bytes user,
                         struct om_bytes password)
{
    bool user_fits = is_same(c->user, user), password_fits = is_same(c->password, password);

    return user_fits & password_fits;
}

bool om_proxy_auth_basic(const struct om_proxy_config *c, struct om_bytes text)
{
    uint8_t pair[PAIR_MAX];
    size_t n = 0;
    bool fits = false;

    if (sodium_base642bin(pair, sizeof pair, (const char *)text.p, text.n, NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) == 0) {
        const uint8_t *colon = memchr(pair, ':', n);
        size_t user = colon ? (size_t)(colon - pair) : n;
        if (colon)
            fits = om_proxy_auth_check(c, om_bytes(pair, user), om_bytes(colon + 1, n - user - 1));
    }
    sodium_memzero(pair, sizeof pair);
    return fits;
}

static bool is_fit(const char *text, const char *never)
{
    size_t n = strlen(text);

    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f || strchr(never, *c))
            return false;
    return n > 0 && n <= OM_PROXY_SECRET_MAX;
}

enum om_err om_proxy_config_check(const struct om_proxy_config *c, struct om_error *err)
{
    if (!c->user != !c->password)
        return om_fail(err, OM_E_RANGE, "proxy: a %s without a %s: want both or none",
                       c->user ? "user" : "password", c->user ? "password" : "user");
    if (c->user && !is_fit(c->user, ":"))
        return om_fail(err, OM_E_RANGE, "proxy: user: want 1 to %d bytes, no \":\" and no %s",
                       OM_PROXY_SECRET_MAX, "control characters");
    if (c->password && !is_fit(c->password, ""))
        return om_fail(err, OM_E_RANGE, "proxy: password: want 1 to %d bytes and no %s",
                       OM_PROXY_SECRET_MAX, "control characters");
    return OM_OK;
}
