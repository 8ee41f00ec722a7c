/* overlay.c - fd || network id[0..4] || 0000 || KDF(node key, "v6")[0..7]. */
#include <omerta/overlay.h>

#include <string.h>

#include "crypto/kdf.h"

enum { AT_NETWORK = 1, NETWORK = 5, AT_NODE = 8, NODE = 8 };

void om_overlay_v6(struct om_addr *out, const struct om_id *network, const struct om_id *node)
{
    uint8_t derived[32];

    om_kdf(derived, node->b, "v6", om_bytes(NULL, 0));
    *out = (struct om_addr){.port = 0};
    out->ip[0] = OM_OVERLAY_FIRST;
    memcpy(out->ip + AT_NETWORK, network->b, NETWORK);
    memcpy(out->ip + AT_NODE, derived, NODE);
}
