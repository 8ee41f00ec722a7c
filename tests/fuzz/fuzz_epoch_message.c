/*
 * fuzz_epoch_message.c - EPOCH: any bytes
 *
 * What decodes is written again and must give the same bytes but for the signature; nobody adopts
 * it.
 */
#include "fuzz.h"
#include "network/rotation.h"

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

static void check_same(struct om_bytes in)
{
    uint8_t again[OM_EPOCH_MESSAGE_MAX];
    struct om_epoch_message m;

    if (om_epoch_message_decode(&m, in) != OM_OK)
        return;
    FUZZ_MUST(m.excluded_count <= OM_LEDGER_LOGS_MAX);
    size_t n = om_epoch_message_encode(again, &m, somebody(), &network);
    size_t after = m.has_admin ? OM_ADMIN_CERT_BYTES : 0;
    FUZZ_MUST(n == in.n && n >= OM_SIGN_BYTES + after);
    FUZZ_MUST(memcmp(in.p, again, n - OM_SIGN_BYTES - after) == 0);
    FUZZ_MUST(memcmp(in.p + n - after, again + n - after, after) == 0);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static struct om_rotation r;
    static struct om_ledger l;
    uint8_t *copy = fuzz_copy(data, size);

    if (l.log_count == 0) {
        FUZZ_MUST(om_ledger_init(&l, &network, &authority) == OM_OK);
        om_rotation_init(&r, &network, &authority);
    }
    check_same(om_bytes(copy, size));
    FUZZ_MUST(om_rotation_put(&r, 0, 0, &l, om_bytes(copy, size)) == OM_ROTATION_FORGED);
    FUZZ_MUST(om_rotation_recall(&r, 0, 0, om_bytes(copy, size)) != OM_OK); /* as from a disk */
    FUZZ_MUST(r.len == 0 && !om_rotation_next(&r) && om_rotation_deadline(&r) == OM_NEVER);
    free(copy);
    return 0;
}
