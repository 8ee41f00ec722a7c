/* builtin.c - the open network that everybody may be in. */
#include <omerta/node.h>

#include "crypto/kdf.h"

enum { FLAG_OPEN = 1 };

void om_network_default(struct om_network_config *out)
{
    static const uint8_t authority[32] = {0}, flags = FLAG_OPEN;

    *out = (struct om_network_config){.open = true, .gossip = true};
    om_hash(out->id.b, om_bytes(authority, sizeof authority), om_bytes(&flags, 1));
    om_kdf(out->secret, authority, "default network", om_bytes(NULL, 0));
}
