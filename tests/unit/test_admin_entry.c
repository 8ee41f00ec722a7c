/* test_admin_entry.c - the bytes of an admin's log. */
#include "harness.h"

#include "network/admin_entry.h"

static const struct om_id network = {{9, 9}};
static const struct om_id another = {{9, 8}};

static const struct om_identity *someone(uint8_t n)
{
    static struct om_identity all[10];
    uint8_t seed[32] = {n, 0};

    while (om_id_is_zero(&all[n].id) && om_identity_from_seed(&all[n], seed) != OM_OK)
        seed[1]++;
    return &all[n];
}

enum { ADMIN = 7, OTHER = 8 };

static struct om_admin_entry an_entry(uint8_t kind)
{
    struct om_admin_entry e = {.number = 2, .kind = kind, .last = 0};

    memset(e.previous, 0xa0, sizeof e.previous);
    memset(e.subject, 0xb0, kind == OM_ADMIN_INVITE_VOID ? OM_CERT_INVITE : 32);
    if (kind == OM_ADMIN_REVOKED) {
        e.last = 5;
        memset(e.last_hash, 0xc0, sizeof e.last_hash);
    }
    return e;
}

OM_TEST(admin_entry_round_trips)
{
    uint8_t bytes[OM_ADMIN_ENTRY_MAX], again[OM_ADMIN_ENTRY_MAX];
    static const size_t body[] = {0, 32, 32, 68, 8};

    for (int kind = OM_ADMIN_ISSUED; kind <= OM_ADMIN_INVITE_VOID; kind++) {
        struct om_admin_entry e = an_entry((uint8_t)kind), back;
        size_t n = om_admin_entry_encode(bytes, &e, someone(ADMIN), &network);
        CHECK_EQ(n, OM_ADMIN_ENTRY_LEAST + body[kind]);
        CHECK_OK(om_admin_entry_decode(&back, om_bytes(bytes, n)));
        CHECK_EQ(back.number, e.number);
        CHECK_EQ(back.kind, kind);
        CHECK_MEM(back.previous, e.previous, sizeof e.previous);
        CHECK_MEM(back.subject, e.subject, sizeof e.subject);
        CHECK_EQ(back.last, e.last);
        CHECK_MEM(back.last_hash, e.last_hash, sizeof e.last_hash);
        CHECK_EQ(om_admin_entry_encode(again, &back, someone(ADMIN), &network), n);
        CHECK_MEM(again, bytes, n);
        CHECK(om_admin_entry_verify(om_bytes(bytes, n), &someone(ADMIN)->id, &network));
    }
}

/* Computed with Python's hashlib and cryptography. */
OM_TEST(admin_entry_bytes_match_independent_figures)
{
    static const uint8_t signature[8] = {0xea, 0x42, 0xb9, 0x6d, 0x09, 0xfc, 0x9e, 0x2a};
    static const uint8_t figures[8] = {0xe5, 0x29, 0x49, 0x6d, 0x12, 0xad, 0x86, 0x9b};
    uint8_t bytes[OM_ADMIN_ENTRY_MAX], hash[OM_HASH_BYTES];
    struct om_admin_entry e = an_entry(OM_ADMIN_REVOKED);
    size_t n = om_admin_entry_encode(bytes, &e, someone(ADMIN), &network);

    CHECK_EQ(n, 171);
    CHECK_MEM(bytes + n - OM_SIGN_BYTES, signature, sizeof signature);
    om_admin_entry_hash(hash, om_bytes(bytes, n));
    CHECK_MEM(hash, figures, sizeof figures);
}

OM_TEST(admin_entry_refuses_cut_and_long)
{
    uint8_t bytes[OM_ADMIN_ENTRY_MAX + 1] = {0};

    for (int kind = OM_ADMIN_ISSUED; kind <= OM_ADMIN_INVITE_VOID; kind++) {
        struct om_admin_entry e = an_entry((uint8_t)kind), out;
        size_t n = om_admin_entry_encode(bytes, &e, someone(ADMIN), &network);
        for (size_t cut = 0; cut < n; cut++)
            CHECK_ERR(om_admin_entry_decode(&out, om_bytes(bytes, cut)), OM_E_PARSE);
        CHECK_ERR(om_admin_entry_decode(&out, om_bytes(bytes, n + 1)), OM_E_PARSE);
        CHECK_OK(om_admin_entry_decode(&out, om_bytes(bytes, n)));
        bytes[36] =
            (uint8_t)(kind == OM_ADMIN_KEY_REVOKED ? OM_ADMIN_INVITE_VOID : OM_ADMIN_KEY_REVOKED);
        if (kind != OM_ADMIN_ISSUED) /* of a body as long as that of a revoked key */
            CHECK_ERR(om_admin_entry_decode(&out, om_bytes(bytes, n)), OM_E_PARSE);
    }
}

OM_TEST(admin_entry_refuses_any_flipped_bit)
{
    uint8_t bytes[OM_ADMIN_ENTRY_MAX];
    struct om_admin_entry e = an_entry(OM_ADMIN_REVOKED), out;
    size_t n = om_admin_entry_encode(bytes, &e, someone(ADMIN), &network);
    struct om_bytes in = om_bytes(bytes, n);

    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= 1 << i % 8;
        CHECK(om_admin_entry_decode(&out, in) != OM_OK ||
              !om_admin_entry_verify(in, &someone(ADMIN)->id, &network));
        bytes[i] ^= 1 << i % 8;
    }
    CHECK(om_admin_entry_verify(in, &someone(ADMIN)->id, &network));
}

OM_TEST(admin_entry_is_of_one_owner_and_network)
{
    uint8_t bytes[OM_ADMIN_ENTRY_MAX];
    struct om_admin_entry e = an_entry(OM_ADMIN_ISSUED);
    struct om_bytes in =
        om_bytes(bytes, om_admin_entry_encode(bytes, &e, someone(ADMIN), &network));

    CHECK(om_admin_entry_verify(in, &someone(ADMIN)->id, &network));
    CHECK(!om_admin_entry_verify(in, &someone(ADMIN)->id, &another));
    CHECK(!om_admin_entry_verify(in, &someone(OTHER)->id, &network));
}

OM_TEST(admin_entry_first_has_no_previous)
{
    uint8_t bytes[OM_ADMIN_ENTRY_MAX];
    struct om_admin_entry e = an_entry(OM_ADMIN_REVOKED), out;
    size_t n;

    e.number = 1;
    n = om_admin_entry_encode(bytes, &e, someone(ADMIN), &network);
    CHECK_ERR(om_admin_entry_decode(&out, om_bytes(bytes, n)), OM_E_PARSE);
    memset(e.previous, 0, sizeof e.previous);
    n = om_admin_entry_encode(bytes, &e, someone(ADMIN), &network);
    CHECK_OK(om_admin_entry_decode(&out, om_bytes(bytes, n)));
    bytes[3] = 0; /* there is no number 0 */
    CHECK_ERR(om_admin_entry_decode(&out, om_bytes(bytes, n)), OM_E_PARSE);
    e.last = 0; /* none honoured, and yet a hash */
    n = om_admin_entry_encode(bytes, &e, someone(ADMIN), &network);
    CHECK_ERR(om_admin_entry_decode(&out, om_bytes(bytes, n)), OM_E_PARSE);
    memset(e.last_hash, 0, sizeof e.last_hash);
    n = om_admin_entry_encode(bytes, &e, someone(ADMIN), &network);
    CHECK_OK(om_admin_entry_decode(&out, om_bytes(bytes, n)));
}

OM_TEST(admin_entry_keeps_kinds_of_later_versions)
{
    uint8_t bytes[OM_ADMIN_ENTRY_MAX], body[OM_ADMIN_BODY_MAX] = {1, 2, 3},
                                       again[OM_ADMIN_ENTRY_MAX];
    struct om_admin_entry e = {.number = 1, .kind = 99, .body = om_bytes(body, sizeof body)}, back;
    size_t n = om_admin_entry_encode(bytes, &e, someone(ADMIN), &network);

    CHECK_EQ(n, OM_ADMIN_ENTRY_MAX);
    CHECK_OK(om_admin_entry_decode(&back, om_bytes(bytes, n)));
    CHECK_EQ(om_admin_entry_encode(again, &back, someone(ADMIN), &network), n);
    CHECK_MEM(again, bytes, n);
    bytes[37] = 1; /* 257 bytes of body */
    bytes[38] = 1;
    CHECK_ERR(om_admin_entry_decode(&back, om_bytes(bytes, n)), OM_E_PARSE);
}
