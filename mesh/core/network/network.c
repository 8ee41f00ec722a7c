/* network.c - membership by credential kind. */
#include "network/network.h"

#include <sodium.h>

#include <omerta/wire.h>

typedef bool (*check_fn)(const struct om_network *net, struct om_bytes bytes, struct om_id *out);

static bool check_bare(const struct om_network *net, struct om_bytes bytes, struct om_id *out)
{
    if (!net->is_open || bytes.n != OM_BARE_KEY_BYTES)
        return false;
    memcpy(out->b, bytes.p, OM_BARE_KEY_BYTES);
    return om_pins_admit(&net->pins, out);
}

bool om_credential_check(const struct om_network *net, uint8_t kind, struct om_bytes bytes,
                         const uint8_t static_key[static 32], struct om_id *out)
{
    static const check_fn checks[] = {[OM_CREDENTIAL_BARE] = check_bare};
    uint8_t dh[32];
    struct om_id id;

    if (kind >= OM_ARRAY_SIZE(checks) || !checks[kind] || !checks[kind](net, bytes, &id))
        return false;
    if (om_identity_dh_of(dh, &id) != OM_OK || sodium_memcmp(dh, static_key, sizeof dh) != 0)
        return false;
    *out = id;
    return true;
}

/* Is the admin of @chain whom it makes a member? */
static bool is_own(const struct om_cert_chain *chain)
{
    struct om_admin_cert admin;
    struct om_node_cert node;

    return om_admin_cert_decode(&admin, chain->admin) == OM_OK &&
           om_node_cert_decode(&node, chain->node) == OM_OK && om_id_equal(&admin.key, &node.key);
}

enum om_err om_credential_set(struct om_network *net, const struct om_cert_chain *chain)
{
    struct om_wr w = om_wr(om_mut(net->credential, sizeof net->credential));
    bool has_admin = chain->admin.n > 0 && !is_own(chain);

    if (chain->node.n < OM_NODE_CERT_LEAST || chain->node.n > OM_NODE_CERT_MAX ||
        (chain->admin.n != 0 && chain->admin.n != OM_ADMIN_CERT_BYTES))
        return OM_E_RANGE;
    om_wr_bytes(&w, chain->node);
    if (has_admin)
        om_wr_bytes(&w, chain->admin);
    net->credential_len = om_wr_len(&w);
    net->credential_kind = has_admin ? OM_CREDENTIAL_ADMIN : OM_CREDENTIAL_NODE;
    return OM_OK;
}

struct om_bytes om_credential_ours(const struct om_network *net, uint8_t *kind)
{
    if (net->credential_len > 0) {
        *kind = net->credential_kind;
        return om_bytes(net->credential, net->credential_len);
    }
    *kind = OM_CREDENTIAL_BARE;
    return om_bytes(net->self.id.b, sizeof net->self.id.b);
}
