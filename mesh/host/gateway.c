/* gateway.c - a dump of the routes, of which the best default one counts. */
#include "gateway.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netlink.h>

#include "netlink_dump.h"

uint32_t gateway_find(void)
{
    struct net_view *v = calloc(1, sizeof *v);
    void *buffer = aligned_alloc(alignof(max_align_t), NET_DUMP_BYTES);
    const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 section 2.5.5.2 */
    const struct net_route *best = NULL;
    uint32_t found = 0;

    if (v && buffer && netlink_dump(v, buffer) == 0)
        for (unsigned i = 0; i < v->route_count; i++) {
            const struct net_route *r = &v->routes[i];
            if (!r->is_v6 && (!best || r->metric < best->metric))
                best = r;
        }
    if (best && memcmp(best->gateway, mapped, sizeof mapped) == 0)
        memcpy(&found, best->gateway + sizeof mapped, sizeof found);
    free(buffer);
    free(v);
    return found;
}
