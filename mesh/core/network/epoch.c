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

/* What @secret, an epoch's or J, gives by the same labels. */
static void derive_keys(struct om_epoch *out, const uint8_t secret[static 32])
{
    const struct om_bytes none = om_bytes(NULL, 0);

    om_kdf(out->outer, secret, "outer", none);
    om_kdf(out->outer_stream, secret, "outer stream", none);
    om_kdf(out->psk, secret, "psk", none);
    om_kdf(out->lan, secret, "lan", none);
    derive_short(out->mask, secret, "mask");
    derive_short(out->lane_inner, secret, "lane inner");
}

static void derive_id(struct om_epoch *out, uint32_t number, const uint8_t join[static 32])
{
    struct om_wr w = om_wr(om_mut(out->id, sizeof out->id));
    uint8_t id[OM_KEY_BYTES];

    out->number = number;
    om_kdf(id, join, "epoch", om_bytes(NULL, 0));
    om_wr_u32(&w, number);
    om_wr_copy(&w, id, OM_EPOCH_ID_BYTES - 4);
}

void om_epoch_join_secret(uint8_t out[static OM_KEY_BYTES], const uint8_t secret[static 32])
{
    om_kdf(out, secret, "join", om_bytes(NULL, 0));
}

void om_epoch_derive(struct om_epoch *out, uint32_t number, const uint8_t secret[static 32])
{
    uint8_t join[OM_KEY_BYTES];

    om_epoch_join_secret(join, secret);
    derive_id(out, number, join);
    derive_keys(out, secret);
    memcpy(out->secret, secret, sizeof out->secret);
    out->is_join = false;
    sodium_memzero(join, sizeof join);
}

void om_epoch_derive_join(struct om_epoch *out, uint32_t number,
                          const uint8_t join_secret[static 32])
{
    derive_id(out, number, join_secret);
    derive_keys(out, join_secret);
    memset(out->secret, 0, sizeof out->secret);
    out->is_join = true;
}

void om_epoch_prologue(const struct om_epoch *e, const struct om_id *network,
                       uint8_t out[static OM_PROLOGUE_BYTES])
{
    memcpy(out, "omerta1", 7);
    memcpy(out + 7, network->b, sizeof network->b);
    memcpy(out + 7 + sizeof network->b, e->id, sizeof e->id);
}
