/* test_handshake_payload.c - what the two Noise messages carry. */
#include "harness.h"

#include <sodium.h>

#include "crypto/handshake_payload.h"
#include "crypto/noise.h"
#include "keyed.h"

enum { NODE_CERTIFICATE = 155, ADMIN_CERTIFICATE = 110, GRANT = 116, PROOF = 64 }; /* PROTOCOL 7 */
enum { CREDENTIAL_JOIN_MAX = 32 + GRANT + ADMIN_CERTIFICATE + PROOF };

static const uint8_t credential[OM_PAYLOAD_MAX] = {0xcc, 1, 2, 3};

static struct om_msg1 some_msg1(size_t n)
{
    return (struct om_msg1){
        .association = {1, 2, 3, 4, 5, 6, 7, 8},
        .timestamp_ms = 0x0a0b0c0d0e0f,
        .stored_ms = 0x1a1b1c1d1e1f,
        .ciphers = 3,
        .version_min = 1,
        .version_max = 9,
        .features = 0xf0f1f2f3,
        .credential_kind = OM_CREDENTIAL_JOIN,
        .credential = om_bytes(credential, n),
    };
}

static struct om_msg2 some_msg2(size_t n)
{
    return (struct om_msg2){
        .association = {1, 2, 3, 4, 5, 6, 7, 8},
        .cipher = 2,
        .version = 9,
        .features = 0xf0f1f2f3,
        .session_class = OM_CLASS_TOO_OLD,
        .credential_kind = OM_CREDENTIAL_ADMIN,
        .credential = om_bytes(credential, n),
    };
}

static size_t encode1(const struct om_msg1 *m, uint8_t *out, size_t room)
{
    struct om_wr w = om_wr(om_mut(out, room));

    om_msg1_encode(m, &w);
    return om_wr_len(&w);
}

static size_t encode2(const struct om_msg2 *m, uint8_t *out, size_t room)
{
    struct om_wr w = om_wr(om_mut(out, room));

    om_msg2_encode(m, &w);
    return om_wr_len(&w);
}

static void check1(const struct om_msg1 *a, const struct om_msg1 *b)
{
    CHECK_MEM(a->association, b->association, sizeof a->association);
    CHECK(a->timestamp_ms == b->timestamp_ms && a->stored_ms == b->stored_ms);
    CHECK_EQ(a->ciphers, b->ciphers);
    CHECK_EQ(a->version_min, b->version_min);
    CHECK_EQ(a->version_max, b->version_max);
    CHECK_EQ(a->features, b->features);
    CHECK_EQ(a->credential_kind, b->credential_kind);
    CHECK_EQ(a->credential.n, b->credential.n);
    CHECK_MEM(a->credential.p, b->credential.p, a->credential.n);
}

static void check2(const struct om_msg2 *a, const struct om_msg2 *b)
{
    CHECK_MEM(a->association, b->association, sizeof a->association);
    CHECK_EQ(a->cipher, b->cipher);
    CHECK_EQ(a->version, b->version);
    CHECK_EQ(a->features, b->features);
    CHECK_EQ(a->session_class, b->session_class);
    CHECK_EQ(a->credential_kind, b->credential_kind);
    CHECK_EQ(a->credential.n, b->credential.n);
    CHECK_MEM(a->credential.p, b->credential.p, a->credential.n);
}

OM_TEST(payload_round_trips)
{
    uint8_t bytes[OM_PAYLOAD_MAX];
    struct om_msg1 m1;
    struct om_msg2 m2;

    for (size_t n = 0; n <= CREDENTIAL_JOIN_MAX; n++) {
        struct om_msg1 a = some_msg1(n);
        struct om_msg2 b = some_msg2(n);
        if (n == 1) { /* the extremes */
            a.timestamp_ms = a.stored_ms = 0xffffffffffff;
            memset(&b.features, 0xff, sizeof b.features);
        } else if (n == 0) {
            a.timestamp_ms = a.stored_ms = a.features = 0;
        }
        CHECK_OK(om_msg1_decode(&m1, om_bytes(bytes, encode1(&a, bytes, sizeof bytes))));
        check1(&a, &m1);
        CHECK_OK(om_msg2_decode(&m2, om_bytes(bytes, encode2(&b, bytes, sizeof bytes))));
        check2(&b, &m2);
    }
}

/* PROTOCOL 3, byte by byte. */
OM_TEST(payload_layout_is_pinned)
{
    static const uint8_t want1[] = {
        1,    2,    3,    4,    5, 6, 7, 8,    0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x1a, 0x1b,
        0x1c, 0x1d, 0x1e, 0x1f, 3, 1, 9, 0xf0, 0xf1, 0xf2, 0xf3, 3,    0,    2,    0xcc, 1};
    static const uint8_t want2[] = {1,    2,    3,    4,    5,  6, 7, 8, 2,    9,
                                    0xf0, 0xf1, 0xf2, 0xf3, 18, 2, 0, 2, 0xcc, 1};
    const struct om_msg1 a = some_msg1(2);
    const struct om_msg2 b = some_msg2(2);
    uint8_t bytes[64];

    CHECK_EQ(encode1(&a, bytes, sizeof bytes), sizeof want1);
    CHECK_MEM(bytes, want1, sizeof want1);
    CHECK_EQ(encode2(&b, bytes, sizeof bytes), sizeof want2);
    CHECK_MEM(bytes, want2, sizeof want2);
}

/* Appends fields to both messages and decodes them. */
static void decode_with(const uint8_t *fields, size_t n, enum om_err want)
{
    uint8_t bytes[1024];
    const struct om_msg1 a = some_msg1(32);
    const struct om_msg2 b = some_msg2(32);
    struct om_msg1 m1;
    struct om_msg2 m2;

    size_t at = encode1(&a, bytes, sizeof bytes);
    memcpy(bytes + at, fields, n);
    CHECK_ERR(om_msg1_decode(&m1, om_bytes(bytes, at + n)), want);
    if (want == OM_OK)
        check1(&a, &m1);
    at = encode2(&b, bytes, sizeof bytes);
    memcpy(bytes + at, fields, n);
    CHECK_ERR(om_msg2_decode(&m2, om_bytes(bytes, at + n)), want);
    if (want == OM_OK)
        check2(&b, &m2);
}

OM_TEST(payload_skips_unknown_fields)
{
    uint8_t fields[600] = {0};

    decode_with((const uint8_t[]){1, 0}, 2, OM_OK);
    decode_with((const uint8_t[]){255, 3, 'a', 'b', 'c'}, 5, OM_OK);
    decode_with((const uint8_t[]){1, 1, 'x', 0, 0, 7, 2, 'y', 'z'}, 9, OM_OK);
    fields[1] = 255;
    decode_with(fields, 257, OM_OK);
    decode_with(fields, 256, OM_E_TRUNC); /* its last byte is missing */
    decode_with((const uint8_t[]){1}, 1, OM_E_TRUNC);
    decode_with((const uint8_t[]){1, 1}, 2, OM_E_TRUNC);
    decode_with((const uint8_t[]){1, 0, 2, 5, 'a'}, 5, OM_E_TRUNC);
    fields[1] = 0;
    decode_with(fields, 600, OM_OK); /* 300 empty ones */
    decode_with(fields, 599, OM_E_TRUNC);
}

OM_TEST(payload_refuses_cut_input)
{
    const struct om_msg1 a = some_msg1(32);
    const struct om_msg2 b = some_msg2(32);
    uint8_t bytes[128], exact[128], *end = exact + sizeof exact;
    struct om_msg1 m1, m1_before;
    struct om_msg2 m2, m2_before;

    memset(&m1, 0x5a, sizeof m1);
    memset(&m2, 0x5a, sizeof m2);
    memcpy(&m1_before, &m1, sizeof m1);
    memcpy(&m2_before, &m2, sizeof m2);
    size_t n = encode1(&a, bytes, sizeof bytes);
    for (size_t cut = 0; cut < n; cut++) {
        memcpy(end - cut, bytes, cut); /* at the end of its array: reads beyond would be seen */
        CHECK_ERR(om_msg1_decode(&m1, om_bytes(end - cut, cut)), OM_E_TRUNC);
        CHECK_MEM(&m1, &m1_before, sizeof m1);
    }
    CHECK_OK(om_msg1_decode(&m1, om_bytes(bytes, n)));
    n = encode2(&b, bytes, sizeof bytes);
    for (size_t cut = 0; cut < n; cut++) {
        memcpy(end - cut, bytes, cut);
        CHECK_ERR(om_msg2_decode(&m2, om_bytes(end - cut, cut)), OM_E_TRUNC);
        CHECK_MEM(&m2, &m2_before, sizeof m2);
    }
    CHECK_OK(om_msg2_decode(&m2, om_bytes(bytes, n)));
}

/* A credential length of up to 65535 against what is there. */
OM_TEST(payload_believes_no_length)
{
    const struct om_msg1 a = some_msg1(32);
    uint8_t bytes[128];
    size_t n = encode1(&a, bytes, sizeof bytes);
    struct om_msg1 m;

    for (size_t claim = 0; claim <= UINT16_MAX; claim++) {
        bytes[OM_MSG1_FIXED - 2] = (uint8_t)(claim >> 8);
        bytes[OM_MSG1_FIXED - 1] = (uint8_t)claim;
        enum om_err e = om_msg1_decode(&m, om_bytes(bytes, n));
        if (claim > 32)
            CHECK_ERR(e, OM_E_TRUNC);
        else if (e == OM_OK)
            CHECK_EQ(m.credential.n, claim); /* what is behind it happened to read as fields */
    }
    CHECK_OK(om_msg1_decode(&m, om_bytes(bytes, encode1(&a, bytes, sizeof bytes))));
}

/* The datagram around a payload of @n bytes, without pad. */
static size_t datagram(size_t noise_cost, size_t n)
{
    return OM_HANDSHAKE_FRONT + noise_cost + n + OM_HANDSHAKE_BACK;
}

OM_TEST(payload_sizes_fit_a_datagram)
{
    const size_t both = NODE_CERTIFICATE + ADMIN_CERTIFICATE;
    uint8_t bytes[OM_PAYLOAD_MAX];
    struct om_msg1 a = some_msg1(CREDENTIAL_JOIN_MAX);
    struct om_msg2 b = some_msg2(both);

    CHECK_EQ(encode1(&a, bytes, sizeof bytes), OM_MSG1_FIXED + CREDENTIAL_JOIN_MAX);
    CHECK_EQ(datagram(OM_NOISE_MSG1_COST, OM_MSG1_FIXED + CREDENTIAL_JOIN_MAX), 500);
    a.credential.n = both;
    CHECK(datagram(OM_NOISE_MSG1_COST, encode1(&a, bytes, sizeof bytes)) <= OM_HANDSHAKE_MIN);
    CHECK(datagram(OM_NOISE_MSG2_COST, encode2(&b, bytes, sizeof bytes)) <= OM_HANDSHAKE_MIN);

    a.credential.n = OM_PAYLOAD_MAX - OM_MSG1_FIXED;
    b.credential.n = OM_PAYLOAD_MAX - OM_MSG2_FIXED;
    CHECK_EQ(encode1(&a, bytes, sizeof bytes), OM_PAYLOAD_MAX);
    CHECK_EQ(encode2(&b, bytes, sizeof bytes), OM_PAYLOAD_MAX);
    a.credential.n++;
    b.credential.n++;
    CHECK_EQ(encode1(&a, bytes, sizeof bytes), 0); /* the cursor went bad */
    CHECK_EQ(encode2(&b, bytes, sizeof bytes), 0);
}

/* The costs that the sizes above are reckoned with are those of the Noise messages. */
OM_TEST(payload_noise_costs_are_as_reckoned)
{
    uint8_t i_secret[32] = {1}, r_secret[32] = {2}, e_secret[32] = {3}, i_public[32];
    uint8_t r_public[32], psk[32] = {4}, msg[512], got[512];
    struct om_noise i, r;
    size_t n;

    crypto_scalarmult_base(i_public, i_secret);
    crypto_scalarmult_base(r_public, r_secret);
    om_noise_init(&i, true, i_secret, i_public, r_public, psk, om_bytes("p", 1));
    om_noise_init(&r, false, r_secret, r_public, NULL, psk, om_bytes("p", 1));
    struct om_wr w = om_wr(om_mut(msg, sizeof msg));
    CHECK_OK(om_noise_write1(&i, e_secret, om_bytes(credential, 90), &w));
    CHECK_EQ(om_wr_len(&w), OM_NOISE_MSG1_COST + 90);
    CHECK_OK(om_noise_read1(&r, om_bytes(msg, om_wr_len(&w)), om_mut(got, sizeof got), &n));
    CHECK_EQ(n, 90);
    w = om_wr(om_mut(msg, sizeof msg));
    e_secret[0] = 5;
    CHECK_OK(om_noise_write2(&r, e_secret, om_bytes(credential, 50), &w));
    CHECK_EQ(om_wr_len(&w), OM_NOISE_MSG2_COST + 50);
    CHECK_OK(om_noise_read2(&i, om_bytes(msg, om_wr_len(&w)), om_mut(got, sizeof got), &n));
    CHECK_EQ(n, 50);
    CHECK_MEM(got, credential, n);
}
