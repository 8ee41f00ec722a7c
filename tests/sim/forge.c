/* forge.c - what an insider can make of what it knows. */
#include "forge.h"

#include <string.h>

#include "crypto/handshake_payload.h"
#include "crypto/handshake_wire.h"
#include "crypto/identity.h"
#include "network/epoch.h"

enum { BODY = OM_NOISE_MSG1_COST + OM_MSG1_FIXED + OM_BARE_KEY_BYTES };

size_t sim_forge_initiation(struct sim_actor *to, const struct om_rng *rng, struct om_mut out)
{
    const struct sim_network *n = &to->world->networks[to->spec.networks[0]];
    uint8_t secret[32], dh[32], body[BODY];
    struct om_buf b = {.mem = out.p, .cap = out.n};
    struct om_handshake_fields f = {
        .kind = OM_HANDSHAKE_INIT,
        .coarse = (uint32_t)(sim_node_wall(to).unix_ms / 1000),
        .body = om_bytes(body, sizeof body),
        .size_max = OM_HANDSHAKE_MAX,
    };
    struct om_epoch epoch;

    sim_network_secret(to->world, n, n->epoch, to->spec.wrong_secret, secret);
    om_epoch_derive(&epoch, n->epoch, secret);
    if (om_identity_dh_of(dh, sim_actor_id(to, n)) != OM_OK)
        return 0;
    om_rng_fill(rng, body, sizeof body);
    om_rng_fill(rng, &f.sender, sizeof f.sender);
    if (om_handshake_build(&b, &epoch, &f, om_bytes(dh, sizeof dh), rng) != OM_OK)
        return 0;
    return b.len;
}
