/* test_record.c - what a node says of itself, and what becomes of it on the way. */
#include "harness.h"

#include <omerta/wire.h>

#include "peer/record.h"

static const struct om_id network = {{9, 9}};

static bool make(struct om_identity *self, struct om_record *r, uint8_t out[static OM_RECORD_MAX],
                 size_t *n)
{
    static const uint8_t fields[] = {OM_FIELD_NAME, 0, 3, 'a', 'n', 'n', 200, 0, 2, 7, 7};
    uint8_t seed[32] = {1};

    while (om_identity_from_seed(self, seed) != OM_OK)
        seed[1]++;
    *r = (struct om_record){.id = self->id,
                            .sequence = 1795219200123,
                            .expires = 1795305600,
                            .flags = OM_RECORD_RELAY,
                            .nat = 2,
                            .end_count = 2,
                            .ends = {{OM_END_HOST, om_addr_v4(0x0a000001, 18002)},
                                     {OM_END_LAN, om_addr_v4(0xc0a80001, 4)}},
                            .fields = om_bytes(fields, sizeof fields)};
    *n = om_record_encode(out, r, self, &network);
    return *n > 0;
}

OM_TEST(record_round_trips)
{
    uint8_t bytes[OM_RECORD_MAX], again[OM_RECORD_MAX];
    struct om_identity self;
    struct om_record r, back;
    size_t n;

    OM_TRY(make(&self, &r, bytes, &n));
    CHECK_EQ(n, 1 + 32 + 6 + 4 + 1 + 1 + 1 + 2 * 19 + 2 + 11 + 64);
    CHECK_OK(om_record_decode(&back, om_bytes(bytes, n)));
    CHECK(om_id_equal(&back.id, &self.id));
    CHECK_EQ(back.sequence, r.sequence);
    CHECK_EQ(back.expires, r.expires);
    CHECK_EQ(back.flags, OM_RECORD_RELAY);
    CHECK_EQ(back.nat, 2);
    CHECK_EQ(back.end_count, 2);
    CHECK_EQ(back.ends[1].kind, OM_END_LAN);
    CHECK(om_addr_equal(&back.ends[1].addr, &r.ends[1].addr));
    CHECK_EQ(om_record_encode(again, &back, &self, &network), n);
    CHECK_MEM(again, bytes, n);
    CHECK(om_record_verify(&network, &self.id, om_bytes(bytes, n)));
    om_identity_wipe(&self);
out:;
}

OM_TEST(record_keeps_unknown_fields)
{
    uint8_t bytes[OM_RECORD_MAX], type;
    struct om_identity self;
    struct om_record r, back;
    struct om_bytes value;
    size_t n;

    OM_TRY(make(&self, &r, bytes, &n));
    CHECK_OK(om_record_decode(&back, om_bytes(bytes, n)));
    struct om_rd at = om_rd(back.fields);
    CHECK(om_record_field(&at, &type, &value));
    CHECK_EQ(type, OM_FIELD_NAME);
    CHECK_EQ(value.n, 3);
    CHECK_MEM(value.p, "ann", 3);
    CHECK(om_record_field(&at, &type, &value));
    CHECK_EQ(type, 200);
    CHECK_EQ(value.n, 2);
    CHECK(!om_record_field(&at, &type, &value));
    om_identity_wipe(&self);
out:;
}

OM_TEST(record_refuses_cut_and_long)
{
    uint8_t bytes[OM_RECORD_MAX + 1] = {0};
    struct om_identity self;
    struct om_record r, back;
    size_t n;

    OM_TRY(make(&self, &r, bytes, &n));
    for (size_t cut = 0; cut < n; cut++)
        CHECK(om_record_decode(&back, om_bytes(bytes, cut)) != OM_OK);
    CHECK_ERR(om_record_decode(&back, om_bytes(bytes, n + 1)), OM_E_PARSE);
    CHECK_ERR(om_record_decode(&back, om_bytes(bytes, OM_RECORD_MAX + 1)), OM_E_RANGE);
    CHECK_OK(om_record_decode(&back, om_bytes(bytes, n)));
    bytes[0] = 7;
    CHECK_ERR(om_record_decode(&back, om_bytes(bytes, n)), OM_E_UNSUPPORTED);
    bytes[0] = 1;
    bytes[45] = 9; /* one endpoint more than there may be */
    CHECK_ERR(om_record_decode(&back, om_bytes(bytes, n)), OM_E_PARSE);
    r.end_count = OM_RECORD_ENDS_MAX + 1;
    CHECK_EQ(om_record_encode(bytes, &r, &self, &network), 0);
    om_identity_wipe(&self);
out:;
}

OM_TEST(record_refuses_any_flipped_bit)
{
    uint8_t bytes[OM_RECORD_MAX];
    struct om_identity self;
    struct om_record r;
    size_t n;

    OM_TRY(make(&self, &r, bytes, &n));
    CHECK(om_record_verify(&network, &self.id, om_bytes(bytes, n)));
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= (uint8_t)(1u << (i % 8));
        CHECK(!om_record_verify(&network, &self.id, om_bytes(bytes, n)));
        bytes[i] ^= (uint8_t)(1u << (i % 8));
    }
    CHECK(!om_record_verify(&network, &self.id, om_bytes(bytes, 63)));
    om_identity_wipe(&self);
out:;
}

OM_TEST(record_is_of_one_network)
{
    const struct om_id other = {{8}};
    uint8_t bytes[OM_RECORD_MAX];
    struct om_identity self;
    struct om_record r;
    size_t n;

    OM_TRY(make(&self, &r, bytes, &n));
    CHECK(!om_record_verify(&other, &self.id, om_bytes(bytes, n)));
    CHECK(!om_record_verify(&network, &other, om_bytes(bytes, n)));
    CHECK(om_record_verify(&network, &self.id, om_bytes(bytes, n)));
    om_identity_wipe(&self);
out:;
}
