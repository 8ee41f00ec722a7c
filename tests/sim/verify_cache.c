/* verify_cache.c - om_record_verify() for worlds of thousands of nodes: each signature is checked
 * once for all of them. The product links peer/record_verify.c instead. */
#include "verify_cache.h"

#include <sodium.h>

#include <omerta/lru.h>

#include "peer/record.h"

enum { CACHE_MAX = 1 << 18, KEY_BYTES = 32 };

static struct om_lru cache;
static bool is_open;
static unsigned long checked, remembered;

bool om_record_verify(const struct om_id *network, const struct om_id *id, struct om_bytes in)
{
    static const uint8_t sip_key[OM_SIP_KEY];
    uint8_t key[KEY_BYTES];
    bool is_new;

    if (in.n < OM_SIGN_BYTES)
        return false;
    if (!is_open)
        is_open = om_lru_init(&cache, KEY_BYTES, sizeof(bool), CACHE_MAX, sip_key) == OM_OK;
    crypto_generichash_state st;
    crypto_generichash_init(&st, NULL, 0, sizeof key);
    crypto_generichash_update(&st, network->b, sizeof network->b);
    crypto_generichash_update(&st, id->b, sizeof id->b);
    crypto_generichash_update(&st, in.p, in.n);
    crypto_generichash_final(&st, key, sizeof key);
    bool *holds = om_lru_put(&cache, key, &is_new);
    if (holds && !is_new) {
        remembered++;
        return *holds;
    }
    checked++;
    bool ok = om_identity_verify(id, "record", network, om_bytes(in.p, in.n - OM_SIGN_BYTES),
                                 in.p + in.n - OM_SIGN_BYTES);
    if (holds)
        *holds = ok;
    return ok;
}

unsigned long sim_verify_checked(void)
{
    return checked;
}

unsigned long sim_verify_remembered(void)
{
    return remembered;
}
