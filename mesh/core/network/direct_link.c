/* direct_link.c - parameters of a link, in any order, each at most once. */
#include "network/direct_link.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

enum { KEY, HOST, PORT, PEER, WORDS, VALUE_MAX = 80 };

size_t om_direct_link_print(char out[static OM_NETWORK_LINK_TEXT], const struct om_network_link *l)
{
    const struct om_network_peer *peer = &l->peers[0];
    char key[65], host[OM_IP_TEXT], id[OM_ID_TEXT];

    OM_BUG_IF(l->peer_count != 1 || !l->is_pinned);
    (void)sodium_bin2hex(key, sizeof key, l->secret, sizeof l->secret);
    int n = snprintf(out, OM_NETWORK_LINK_TEXT, OM_DIRECT_SCHEME "key=%s&host=%s&port=%u&peer=%s",
                     key, om_addr_ip_print(peer->addr.ip, host), (unsigned)peer->addr.port,
                     om_id_print(&peer->key, id));
    sodium_memzero(key, sizeof key);
    OM_BUG_IF(n < 0 || n >= OM_NETWORK_LINK_TEXT);
    return (size_t)n;
}

static enum om_err refuse(struct om_error *err, const char *why)
{
    return om_fail(err, OM_E_PARSE, "the connect link %s", why);
}

/* Splits @text into @values, each "" when it is not there; other parameters are left alone. */
static bool split(char values[static WORDS][VALUE_MAX], const char *text)
{
    static const char *const names[WORDS] = {"key=", "host=", "port=", "peer="};

    for (const char *at = text, *end; *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, "&");
        for (unsigned i = 0; i < WORDS; i++) {
            size_t head = strlen(names[i]);
            if (strncmp(at, names[i], head) != 0)
                continue;
            size_t n = (size_t)(end - at) - head;
            if (values[i][0] || n == 0 || n >= VALUE_MAX)
                return false;
            memcpy(values[i], at + head, n);
            values[i][n] = '\0';
        }
    }
    return true;
}

static bool read_key(uint8_t out[static 32], const char *hex)
{
    size_t n = 0;

    return strlen(hex) == 64 && sodium_hex2bin(out, 32, hex, 64, NULL, &n, NULL) == 0 && n == 32;
}

static enum om_err read_values(struct om_network_link *l, char values[static WORDS][VALUE_MAX],
                               struct om_error *err)
{
    struct om_network_peer *peer = &l->peers[0];
    uint64_t port;

    if (!read_key(l->secret, values[KEY]))
        return refuse(err, "has no key of 64 hexadecimal digits");
    if (!om_addr_ip_parse(peer->addr.ip, values[HOST]))
        return refuse(err, "has no IPv4 or IPv6 address as its host");
    if (om_u64_parse(&port, values[PORT], UINT16_MAX, NULL) != OM_OK || port == 0)
        return refuse(err, "has no port from 1 to 65535");
    if (values[PEER][0] && om_id_parse(&peer->key, values[PEER], NULL) != OM_OK)
        return refuse(err, "has a peer that is no id of 52 characters");
    peer->addr.port = (uint16_t)port;
    l->is_pinned = values[PEER][0] != '\0';
    return OM_OK;
}

enum om_err om_direct_link_parse(struct om_network_link *out, const char *text,
                                 struct om_error *err)
{
    struct om_network_link l = {.kind = OM_NETWORK_DIRECT, .peer_count = 1};
    char values[WORDS][VALUE_MAX] = {{0}};
    enum om_err e = refuse(err, "has a parameter twice, or one that is empty or too long");

    if (split(values, text + strlen(OM_DIRECT_SCHEME)))
        e = read_values(&l, values, err);
    if (e == OM_OK) {
        om_network_link_derive(&l);
        *out = l;
    }
    sodium_memzero(&l, sizeof l);
    sodium_memzero(values, sizeof values);
    return e;
}
