/* sockname.c - two families, one address. */
#include "sockname.h"

#include <string.h>

socklen_t om_sockname_of(union om_sockname *out, const struct om_addr *a, bool is_v6)
{
    memset(out, 0, sizeof *out);
    if (is_v6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(a->port);
        memcpy(&out->v6.sin6_addr, a->ip, 16);
        return sizeof out->v6;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(a->port);
    memcpy(&out->v4.sin_addr, a->ip + 12, 4);
    return sizeof out->v4;
}

struct om_addr om_sockname_addr(const union om_sockname *n)
{
    struct om_addr a;

    if (n->any.sa_family == AF_INET)
        return om_addr_v4(ntohl(n->v4.sin_addr.s_addr), ntohs(n->v4.sin_port));
    memcpy(a.ip, &n->v6.sin6_addr, 16);
    a.port = ntohs(n->v6.sin6_port);
    return a;
}
