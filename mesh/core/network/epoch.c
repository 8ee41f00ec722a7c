/* epoch.c - key derivation of one epoch. */
#include "network/epoch.h"

#include <sodium.h>

#include <omerta/wire.h>

static void derive_short(uint8_t out[static OM_MASK_KEY_BYTES], const uint8_t secret[static 32],
                         const char *label)
{
    uint8_t full[OM_KEY_BYTES];

    om_kdf(full, secret, label, om_bytes(NULL, 0));
    memcpy(out, full, OM_MASK_KEY_BYTES);
    sodium_memzero(full, sizeof full);
}

void om_epoch_derive(struct om_epoch *out, uint32_t number, const uint8_t secret[static 32])
{
    const struct om_bytes none = om_bytes(NULL, 0);
    uint8_t join[OM_KEY_BYTES], id[OM_KEY_BYTES];
    struct om_wr w = om_wr(om_mut(out->id, sizeof out->id));

    out->number = number;
    om_kdf(join, secret, "join", none);
    om_kdf(id, join, "epoch", none);
    om_wr_u32(&w, number);
    om_wr_copy(&w, id, OM_EPOCH_ID_BYTES - 4);

    om_kdf(out->outer, secret, "outer", none);
    om_kdf(out->outer_stream, secret, "outer stream", none);
    om_kdf(out->psk, secret, "psk", none);
    om_kdf(out->lan, secret, "lan", none);
    derive_short(out->mask, secret, "mask");
    derive_short(out->lane_inner, secret, "lane inner");
    sodium_memzero(join, sizeof join);
}

void om_epoch_prologue(const struct om_epoch *e, const struct om_id *network,
                       uint8_t out[static OM_PROLOGUE_BYTES])
{
    memcpy(out, "omerta1", 7);
    memcpy(out + 7, network->b, sizeof network->b);
    memcpy(out + 7 + sizeof network->b, e->id, sizeof e->id);
}
