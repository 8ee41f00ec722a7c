/*
 * fuzz_record.c - an entry of gossip: any bytes
 *
 * What decodes is written again, field by field, and must give the same bytes but for the
 * signature.
 */
#include <omerta/wire.h>

#include "fuzz.h"
#include "gossip/entry.h"

static const struct om_id network = {{7}};

/* Signs whatever it is given; the bytes before the signature are those of @id. */
static void sign_as(struct om_identity *out, const struct om_id *id)
{
    static struct om_identity self;
    static bool is_made;
    uint8_t seed[32] = {0};

    while (!is_made) { /* not every seed will do */
        FUZZ_MUST(++seed[0] != 0);
        is_made = om_identity_from_seed(&self, seed) == OM_OK;
    }
    *out = self;
    out->id = *id;
}

static void check_same(struct om_bytes in, const uint8_t *again, size_t n)
{
    FUZZ_MUST(n == in.n && n >= OM_SIGN_BYTES);
    FUZZ_MUST(memcmp(in.p, again, n - OM_SIGN_BYTES) == 0);
}

/* Its fields one by one are all of its fields. */
static void check_fields(const struct om_record *r)
{
    struct om_rd at = om_rd(r->fields);
    struct om_bytes value;
    size_t n = 0;
    uint8_t type;

    while (om_record_field(&at, &type, &value))
        n += 3 + value.n;
    FUZZ_MUST(om_rd_done(&at) && n == r->fields.n);
}

static void check_record(struct om_bytes in, const struct om_entry *e)
{
    uint8_t again[OM_RECORD_MAX];
    struct om_identity self;
    struct om_record r;

    FUZZ_MUST(om_record_decode(&r, in) == OM_OK);
    FUZZ_MUST(om_id_equal(&r.id, &e->id) && r.sequence == e->sequence && r.expires == e->expires);
    FUZZ_MUST(e->channel[0] == '\0');
    check_fields(&r);
    sign_as(&self, &r.id);
    check_same(in, again, om_record_encode(again, &r, &self, &network));
}

static void check_item(struct om_bytes in, const struct om_entry *e)
{
    uint8_t again[OM_RECORD_MAX];
    struct om_identity self;

    sign_as(&self, &e->id);
    check_same(in, again, om_entry_make_item(om_mut(again, sizeof again), e, &self, &network));
}

int fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    struct om_bytes in = om_bytes(copy, size);
    uint8_t key[OM_ENTRY_KEY];
    struct om_entry e;

    if (om_entry_decode(&e, in) == OM_OK) {
        FUZZ_MUST(size <= OM_RECORD_MAX && e.bytes.p == in.p && e.bytes.n == in.n);
        om_entry_key(&e, key);
        FUZZ_MUST(memcmp(key, e.id.b, OM_ID_BYTES) == 0);
        if (e.channel[0] == '\0')
            check_record(in, &e);
        else
            check_item(in, &e);
    }
    free(copy);
    return 0;
}
