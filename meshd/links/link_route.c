/* link_route.c - where a packet of a link goes. */
#include "links/link_route.h"

#include <string.h>

enum { V4_IN_V6 = 96, V6_PREFIX = 64 };

static bool is_same(const struct om_addr *a, const struct om_addr *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* The first @bits of both are the same. */
static bool is_near(const struct om_addr *a, const struct om_addr *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));

    return memcmp(a->ip, b->ip, whole) == 0 &&
           (rest == 0 || ((a->ip[whole] ^ b->ip[whole]) & mask) == 0);
}

enum link_where link_route(const struct link_sides *s, const struct om_addr *to,
                           char host[static OM_IP_TEXT])
{
    host[0] = '\0';
    if ((s->has_v4 && is_same(to, &s->here)) || (s->has_v6 && is_same(to, &s->here6)))
        return LINK_PEER;
    /* Nobody else lives on the link itself. */
    if ((s->has_v4 && is_near(to, &s->here, V4_IN_V6 + s->v4_prefix)) ||
        (s->has_v6 && is_near(to, &s->here6, V6_PREFIX)))
        return LINK_NOWHERE;
    switch (om_addr_classify(to)) {
    case OM_ADDR_UNSPECIFIED:
    case OM_ADDR_LOOPBACK:
    case OM_ADDR_LINK_LOCAL:
    case OM_ADDR_MULTICAST:
    case OM_ADDR_METADATA:
        return LINK_NOWHERE;
    case OM_ADDR_PRIVATE: /* the peer's own rules say no, or yes */
    case OM_ADDR_SHARED:
    case OM_ADDR_RESERVED:
    case OM_ADDR_GLOBAL:
    case OM_ADDR_CLASS_COUNT:
        break;
    }
    (void)om_addr_ip_print(to->ip, host);
    return LINK_HOST;
}
