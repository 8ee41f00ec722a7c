/* test_epoch_message.c - the bytes of EPOCH. */
#include "ledgers.h"

#include "network/epoch_message.h"

enum { AUTHORITY, ANN, MALLORY };

static struct om_epoch_message a_message(unsigned excluded, bool has_admin)
{
    struct om_epoch_message m = {.number = 9, .has_admin = has_admin, .excluded_count = excluded};

    for (unsigned i = 0; i < sizeof m.secret; i++)
        m.secret[i] = (uint8_t)i;
    for (unsigned i = 0; i < excluded; i++) {
        memset(m.excluded[i].owner, (int)(0xd0 + i), sizeof m.excluded[i].owner);
        m.excluded[i].number = 7 + i;
    }
    if (has_admin)
        (void)admin_cert(m.admin, ANN);
    return m;
}

static bool verify(struct om_bytes in, struct om_id *signer)
{
    struct om_epoch_message m;

    return om_epoch_message_decode(&m, in) == OM_OK &&
           om_epoch_message_verify(in, &m, signer, &ledgers_network, &key(AUTHORITY)->id);
}

OM_TEST(epoch_message_round_trips)
{
    uint8_t bytes[OM_EPOCH_MESSAGE_MAX], again[OM_EPOCH_MESSAGE_MAX];
    struct om_id signer;

    for (unsigned excluded = 0; excluded <= OM_LEDGER_LOGS_MAX; excluded++) {
        unsigned by = excluded % 2 ? ANN : AUTHORITY;
        struct om_epoch_message m = a_message(excluded, by == ANN), back;
        size_t n = om_epoch_message_encode(bytes, &m, key(by), &ledgers_network);
        CHECK_EQ(n, OM_EPOCH_MESSAGE_LEAST + 12 * excluded + (by == ANN ? OM_ADMIN_CERT_BYTES : 0));
        CHECK_OK(om_epoch_message_decode(&back, om_bytes(bytes, n)));
        CHECK_EQ(back.number, m.number);
        CHECK_MEM(back.secret, m.secret, sizeof m.secret);
        CHECK_EQ(om_epoch_message_encode(again, &back, key(by), &ledgers_network), n);
        CHECK_MEM(again, bytes, n);
        CHECK(verify(om_bytes(bytes, n), &signer) && om_id_equal(&signer, &key(by)->id));
    }
    CHECK(sizeof bytes == 4 + 32 + 1 + 16 * 12 + 64 + 110);
}

/* Computed with Python's hashlib and cryptography, with the key of seed 7, 0, 0 ... */
OM_TEST(epoch_message_matches_independent_figures)
{
    static const uint8_t signature[8] = {0xff, 0x02, 0x04, 0x62, 0x5a, 0x66, 0x4a, 0xab};
    uint8_t bytes[OM_EPOCH_MESSAGE_MAX], seed[32] = {7};
    struct om_epoch_message m = a_message(1, false);
    struct om_identity signer;

    CHECK_OK(om_identity_from_seed(&signer, seed));
    size_t n = om_epoch_message_encode(bytes, &m, &signer, &ledgers_network);
    CHECK_MEM(bytes + n - OM_SIGN_BYTES, signature, sizeof signature);
}

OM_TEST(epoch_message_refuses_cut_and_long)
{
    uint8_t bytes[OM_EPOCH_MESSAGE_MAX + 1] = {0};
    struct om_epoch_message m = a_message(2, true), out;
    size_t n = om_epoch_message_encode(bytes, &m, key(ANN), &ledgers_network);
    size_t without = n - OM_ADMIN_CERT_BYTES;

    for (size_t cut = 0; cut < n; cut++)
        CHECK_ERR(om_epoch_message_decode(&out, om_bytes(bytes, cut)),
                  cut == without ? OM_OK : OM_E_PARSE);
    CHECK_ERR(om_epoch_message_decode(&out, om_bytes(bytes, n + 1)), OM_E_PARSE);
    CHECK_OK(om_epoch_message_decode(&out, om_bytes(bytes, n)));
    bytes[36] = OM_LEDGER_LOGS_MAX + 1;
    CHECK_ERR(om_epoch_message_decode(&out, om_bytes(bytes, n)), OM_E_PARSE);
}

OM_TEST(epoch_message_refuses_any_flipped_bit)
{
    uint8_t bytes[OM_EPOCH_MESSAGE_MAX];
    struct om_epoch_message m = a_message(2, true);
    size_t n = om_epoch_message_encode(bytes, &m, key(ANN), &ledgers_network);
    struct om_id signer;

    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= 1 << i % 8;
        CHECK(!verify(om_bytes(bytes, n), &signer));
        bytes[i] ^= 1 << i % 8;
    }
    CHECK(verify(om_bytes(bytes, n), &signer));
}

OM_TEST(epoch_message_is_of_an_admin_of_this_network)
{
    static const struct om_id another = {{9, 8}};
    uint8_t bytes[OM_EPOCH_MESSAGE_MAX];
    struct om_epoch_message m = a_message(0, true), plain = a_message(0, false);
    struct om_id signer;
    size_t n = om_epoch_message_encode(bytes, &m, key(MALLORY), &ledgers_network);

    CHECK(!verify(om_bytes(bytes, n), &signer)); /* with another's certificate */
    n = om_epoch_message_encode(bytes, &plain, key(ANN), &ledgers_network);
    CHECK(!verify(om_bytes(bytes, n), &signer)); /* without his */
    n = om_epoch_message_encode(bytes, &m, key(ANN), &another);
    CHECK(!verify(om_bytes(bytes, n), &signer));
    n = om_epoch_message_encode(bytes, &m, key(ANN), &ledgers_network);
    CHECK(verify(om_bytes(bytes, n), &signer));
}
