/*
 * fuzz_cert.c - certificates and grants: any bytes
 *
 * What decodes is written again and must give the same bytes but for the signature; nothing of it
 * is believed.
 */
#include "fuzz.h"
#include "network/cert.h"

static const struct om_id network = {{7}}, authority = {{8}};

static const struct om_identity *somebody(void)
{
    static struct om_identity self;
    static bool is_made;
    uint8_t seed[32] = {0};

    while (!is_made) { /* not every seed will do */
        FUZZ_MUST(++seed[0] != 0);
        is_made = om_identity_from_seed(&self, seed) == OM_OK;
    }
    return &self;
}

static void check_same(struct om_bytes in, const uint8_t *again, size_t n)
{
    FUZZ_MUST(n == in.n && n >= OM_SIGN_BYTES);
    FUZZ_MUST(memcmp(in.p, again, n - OM_SIGN_BYTES) == 0);
}

static void check_node(struct om_bytes in)
{
    struct om_cert_chain alone = {in, om_bytes(NULL, 0)};
    uint8_t again[OM_NODE_CERT_MAX];
    struct om_node_cert c;
    struct om_id issuer;

    if (om_node_cert_decode(&c, in) == OM_OK)
        check_same(in, again, om_node_cert_encode(again, &c, somebody(), &network));
    FUZZ_MUST(om_node_cert_check(&c, &issuer, &network, &authority, &alone, 0) == OM_CERT_FORGED);
}

static void check_admin(struct om_bytes in)
{
    uint8_t again[OM_ADMIN_CERT_BYTES];
    struct om_admin_cert c;

    if (om_admin_cert_decode(&c, in) == OM_OK) {
        om_admin_cert_encode(again, &c, somebody(), &network);
        check_same(in, again, sizeof again);
    }
    FUZZ_MUST(!om_admin_cert_verify(&c, &network, &authority, in));
}

static void check_grant(struct om_bytes in)
{
    uint8_t again[OM_GRANT_BYTES];
    struct om_grant g;

    if (om_grant_decode(&g, in) == OM_OK) {
        FUZZ_MUST(g.uses > 0);
        om_grant_encode(again, &g, somebody(), &network);
        check_same(in, again, sizeof again);
    }
    FUZZ_MUST(om_grant_check(&g, &network, &authority, in, om_bytes(NULL, 0), 0) == OM_CERT_FORGED);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);

    check_node(om_bytes(copy, size));
    check_admin(om_bytes(copy, size));
    check_grant(om_bytes(copy, size));
    free(copy);
    return 0;
}
