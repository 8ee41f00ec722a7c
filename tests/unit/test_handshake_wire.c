/* test_handshake_wire.c - the outside of a handshake datagram. */
#include "harness.h"

#include <sodium.h>

#include "crypto/cookie.h"
#include "keyed.h"
#include "crypto/handshake_wire.h"

static const uint8_t receiver_key[32] = {0x77, 1};
static const uint8_t cookie[OM_MAC_BYTES] = {0xc0, 0xc1};

static struct om_bytes bind(void)
{
    return om_bytes(receiver_key, sizeof receiver_key);
}

static struct om_epoch epoch_of(uint8_t which)
{
    uint8_t secret[32] = {which};
    struct om_epoch e;

    memset(&e, 0, sizeof e);
    om_epoch_derive(&e, 7, secret);
    return e;
}

static enum om_err build(struct packet *p, const struct om_epoch *epoch,
                         const struct om_handshake_fields *f, void *next)
{
    const struct om_rng rng = {count_up, next};

    return om_handshake_build(packet_fill(p, 0, 0, OM_HANDSHAKE_MAX), epoch, f, bind(), &rng);
}

static enum om_err unmask(struct om_handshake_plain *out, const struct om_epoch *epoch,
                          const uint8_t *dgram, size_t n)
{
    uint8_t header[OM_HEADER_BYTES];

    om_header_mask(epoch->mask, om_bytes(dgram, n), header);
    return om_handshake_unmask(out, epoch, om_bytes(dgram, n), header);
}

OM_TEST(handshake_wire_round_trips)
{
    const struct om_epoch epoch = epoch_of(1);
    uint8_t body[OM_HANDSHAKE_BODY_MAX], mac2[OM_MAC_BYTES], next = 0;
    static const uint8_t none[OM_MAC_BYTES];
    struct om_handshake_plain plain;
    struct packet p;

    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(i * 5);
    for (size_t n = 0; n <= sizeof body; n++) {
        struct om_handshake_fields f = {
            .kind = (enum om_handshake_kind)(1 + n % 4),
            .sender = (uint32_t)n * 0x01010101,
            .receiver = UINT32_MAX - (uint32_t)n,
            .coarse = n % 2 ? UINT32_MAX : 0,
            .body = om_bytes(body, n),
            .cookie = n % 3 ? cookie : NULL,
            .size_max = OM_HANDSHAKE_MAX,
        };
        CHECK_OK(build(&p, &epoch, &f, &next));
        CHECK(p.buf.len >= OM_HANDSHAKE_MIN && p.buf.len <= OM_HANDSHAKE_MAX);
        CHECK_OK(unmask(&plain, &epoch, om_buf_data(&p.buf), p.buf.len));
        CHECK(om_handshake_verify(&plain, &epoch, bind()));
        CHECK_EQ(plain.kind, f.kind);
        CHECK_EQ(plain.sender, f.sender);
        CHECK_EQ(plain.receiver, f.receiver);
        CHECK_EQ(plain.coarse, f.coarse);
        CHECK_EQ(plain.body.n, n);
        CHECK_MEM(plain.body.p, body, n);
        CHECK_EQ(plain.before_mac2.n, OM_HANDSHAKE_FRONT + n);
        CHECK(plain.mac2 == plain.before_mac2.p + plain.before_mac2.n);
        om_cookie_mac2(cookie, plain.before_mac2, mac2);
        CHECK_MEM(plain.mac2, f.cookie ? mac2 : none, OM_MAC_BYTES);
    }
}

OM_TEST(handshake_wire_pads_as_it_is_told)
{
    const uint8_t body[OM_HANDSHAKE_BODY_MAX] = {0}, answers[OM_MAC_BYTES] = {9, 8, 7};
    const struct om_epoch epoch = epoch_of(1);
    struct om_handshake_plain plain;
    struct packet p;
    uint8_t next = 0;

    for (size_t n = 0; n <= sizeof body; n++) {
        const struct om_handshake_fields f = {.kind = OM_HANDSHAKE_RESPONSE,
                                              .body = om_bytes(body, n),
                                              .answers = answers,
                                              .pad_min = OM_HANDSHAKE_SECRET,
                                              .size_max = OM_HANDSHAKE_MAX};
        if (n + OM_HANDSHAKE_SECRET > sizeof body) {
            CHECK_ERR(build(&p, &epoch, &f, &next), OM_E_RANGE);
            continue;
        }
        CHECK_OK(build(&p, &epoch, &f, &next));
        CHECK_OK(unmask(&plain, &epoch, om_buf_data(&p.buf), p.buf.len));
        CHECK_MEM(plain.mac2, answers, OM_MAC_BYTES);
        CHECK(plain.t >= plain.mac2 + OM_MAC_BYTES + OM_HANDSHAKE_SECRET);
    }
}

/*
 * The figures come from a program of its own in Python: hashlib.blake2b for KDF, mac2 and T;
 * SipHash-2-4-128 and XChaCha20 written out from their papers; layout and masks from PROTOCOL 3.
 * Secret 00 01 .. 1f, epoch 7, body of 100 bytes 7 i, T bound to 32 x 55, random bytes 0 1 2 ..,
 * of which the first four choose the size (there is only one) and the rest are the pad.
 */
OM_TEST(handshake_wire_matches_the_pinned_datagram)
{
    static const char *const want_t[] = {"0371a98b00a5674a4d7c0e345982a08e",
                                         "8cd77d6a0ac45e23a4a9140cc1ffb506"};
    static const char *const want_hash[] = {
        "b85cb8e979d6ca14f2a72d02e477d5756812b8a52ccd4afdc1b1f305b9900f06",
        "d91ad4aa9f4537d2b92a83960e7dd1880446a661965c69670709b40acf6bfbc2"};
    uint8_t secret[32], body[100], to[32], key[OM_MAC_BYTES], hash[32], next;
    const struct om_rng rng = {count_up, &next};
    struct om_epoch epoch;
    struct packet p;
    char hex[65];

    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(7 * i);
    memset(to, 0x55, sizeof to);
    memset(key, 0xc0, sizeof key);
    om_epoch_derive(&epoch, 7, secret);
    for (int i = 0; i < 2; i++) {
        const struct om_handshake_fields f = {.kind = OM_HANDSHAKE_INIT,
                                              .sender = 0x11223344,
                                              .coarse = 0x66778899,
                                              .body = om_bytes(body, sizeof body),
                                              .cookie = i ? key : NULL, /* i = 1: 16 x c0 */
                                              .size_max = OM_HANDSHAKE_MIN};
        next = 0;
        CHECK_OK(om_handshake_build(packet_fill(&p, 0, 0, OM_HANDSHAKE_MIN), &epoch, &f,
                                    om_bytes(to, sizeof to), &rng));
        CHECK_EQ(p.buf.len, OM_HANDSHAKE_MIN);
        const uint8_t *dgram = om_buf_data(&p.buf);
        sodium_bin2hex(hex, sizeof hex, dgram + OM_HANDSHAKE_MIN - OM_MAC_BYTES, OM_MAC_BYTES);
        CHECK_STR(hex, want_t[i]);
        crypto_generichash(hash, sizeof hash, dgram, OM_HANDSHAKE_MIN, NULL, 0);
        CHECK_STR(sodium_bin2hex(hex, sizeof hex, hash, sizeof hash), want_hash[i]);
    }
}

/* Whatever it carries, a datagram has any size from the least to the greatest that it may have. */
OM_TEST(handshake_wire_length_hides_the_kind)
{
    const struct om_epoch epoch = epoch_of(1);
    static const uint8_t body[OM_HANDSHAKE_BODY_MAX];
    const size_t bodies[] = {16, 98, 158, 396}; /* a cookie, msg2, msg1, the most that needs pad */
    uint8_t next = 0;
    struct packet p;

    for (size_t i = 0; i < OM_ARRAY_SIZE(bodies); i++) {
        const struct om_handshake_fields f = {.kind = (enum om_handshake_kind)(1 + i),
                                              .body = om_bytes(body, bodies[i]),
                                              .size_max = OM_HANDSHAKE_MAX};
        bool seen[OM_HANDSHAKE_MAX + 1] = {false};
        for (int draw = 0; draw < 4000; draw++) {
            CHECK_OK(build(&p, &epoch, &f, &next));
            CHECK(p.buf.len >= OM_HANDSHAKE_MIN && p.buf.len <= OM_HANDSHAKE_MAX);
            seen[p.buf.len] = true;
            next = (uint8_t)(next + draw);
        }
        for (size_t n = OM_HANDSHAKE_MIN; n <= OM_HANDSHAKE_MAX; n++)
            CHECK(seen[n]);
    }
}

OM_TEST(handshake_wire_is_no_longer_than_what_it_answers)
{
    const struct om_epoch epoch = epoch_of(1);
    static const uint8_t body[300];
    uint8_t next = 0;
    struct packet p;

    for (size_t max = 0; max <= OM_HANDSHAKE_MAX + 100; max++) {
        const struct om_handshake_fields f = {
            .kind = OM_HANDSHAKE_RESPONSE, .body = om_bytes(body, sizeof body), .size_max = max};
        enum om_err e = build(&p, &epoch, &f, &next);
        CHECK_ERR(e, max < OM_HANDSHAKE_MIN ? OM_E_RANGE : OM_OK);
        CHECK(p.buf.len <= max && p.buf.len <= OM_HANDSHAKE_MAX);
    }
}

OM_TEST(handshake_wire_refuses_what_does_not_fit)
{
    const struct om_epoch epoch = epoch_of(1);
    static const uint8_t body[OM_HANDSHAKE_BODY_MAX + 1];
    struct om_handshake_fields f = {.kind = OM_HANDSHAKE_INIT, .size_max = OM_HANDSHAKE_MAX};
    uint8_t next = 0;
    const struct om_rng rng = {count_up, &next};
    struct packet p;

    f.body = om_bytes(body, sizeof body);
    CHECK_ERR(build(&p, &epoch, &f, &next), OM_E_RANGE);
    CHECK_EQ(p.buf.len, 0);
    f.body.n--; /* exactly full: no pad */
    CHECK_OK(build(&p, &epoch, &f, &next));
    CHECK_EQ(p.buf.len, OM_HANDSHAKE_MAX);
    f.body.n = 1;
    f.size_max = OM_HANDSHAKE_MIN;
    packet_fill(&p, 0, 0, OM_HANDSHAKE_MIN - 1); /* a block too small */
    CHECK_ERR(om_handshake_build(&p.buf, &epoch, &f, bind(), &rng), OM_E_RANGE);
    CHECK_EQ(p.buf.len, 0);
    packet_fill(&p, 0, 0, OM_HANDSHAKE_MIN);
    CHECK_OK(om_handshake_build(&p.buf, &epoch, &f, bind(), &rng));
}

/* A datagram of the smallest size, for tests that alter it. */
static uint8_t *sample(struct packet *p, const struct om_epoch *epoch)
{
    static const uint8_t body[158] = {1, 2, 3};
    const struct om_handshake_fields f = {.kind = OM_HANDSHAKE_INIT,
                                          .sender = 5,
                                          .body = {body, sizeof body},
                                          .size_max = OM_HANDSHAKE_MIN};
    uint8_t next = 0;

    CHECK_OK(build(p, epoch, &f, &next));
    return om_buf_data(&p->buf);
}

static bool believes(const struct om_epoch *epoch, const uint8_t *dgram, size_t n,
                     struct om_bytes to)
{
    struct om_handshake_plain plain;

    return unmask(&plain, epoch, dgram, n) == OM_OK && om_handshake_verify(&plain, epoch, to);
}

OM_TEST(handshake_wire_refuses_any_flipped_bit)
{
    const struct om_epoch epoch = epoch_of(1);
    struct packet p;
    uint8_t *dgram = sample(&p, &epoch);

    CHECK(believes(&epoch, dgram, OM_HANDSHAKE_MIN, bind()));
    for (size_t bit = 0; bit < 8 * OM_HANDSHAKE_MIN; bit++) {
        dgram[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!believes(&epoch, dgram, OM_HANDSHAKE_MIN, bind()));
        dgram[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(believes(&epoch, dgram, OM_HANDSHAKE_MIN, bind()));
}

OM_TEST(handshake_wire_binds_the_receiver)
{
    const struct om_epoch epoch = epoch_of(1), other = epoch_of(2);
    uint8_t stranger[32];
    struct packet p;
    const uint8_t *dgram = sample(&p, &epoch);
    size_t n = OM_HANDSHAKE_MIN;

    memcpy(stranger, receiver_key, sizeof stranger);
    stranger[31] ^= 1;
    CHECK(believes(&epoch, dgram, n, bind()));
    CHECK(!believes(&epoch, dgram, n, om_bytes(stranger, sizeof stranger)));
    CHECK(!believes(&epoch, dgram, n, om_bytes(NULL, 0)));
    CHECK(!believes(&epoch, dgram, n, om_bytes(receiver_key, 31)));
    CHECK(!believes(&other, dgram, n, bind()));
}

/* The masks are XOR, so a change of the masked byte is a change of the plain one. */
OM_TEST(handshake_wire_refuses_lengths_that_disagree)
{
    const struct om_epoch epoch = epoch_of(1);
    struct om_handshake_plain plain;
    struct packet p;
    uint8_t *dgram = sample(&p, &epoch), big[OM_HANDSHAKE_MAX + 1] = {0};
    size_t most = OM_HANDSHAKE_MIN - OM_HANDSHAKE_FRONT - OM_HANDSHAKE_BACK;

    for (size_t n = 0; n <= UINT16_MAX; n++) {
        uint8_t high = (uint8_t)(n >> 8), low = (uint8_t)((n & 255) ^ 158);
        dgram[6] ^= high;
        dgram[7] ^= low;
        enum om_err e = unmask(&plain, &epoch, dgram, OM_HANDSHAKE_MIN);
        CHECK_EQ(e, n <= most ? OM_OK : OM_E_TRUNC);
        dgram[6] ^= high;
        dgram[7] ^= low;
    }
    CHECK_ERR(unmask(&plain, &epoch, dgram, OM_HANDSHAKE_MIN - 1), OM_E_TRUNC);
    CHECK_ERR(unmask(&plain, &epoch, big, sizeof big), OM_E_TRUNC);
    CHECK_ERR(unmask(&plain, &epoch, dgram, OM_OVERHEAD), OM_E_TRUNC);
    CHECK_OK(unmask(&plain, &epoch, dgram, OM_HANDSHAKE_MIN));
}

OM_TEST(handshake_wire_names_another_version)
{
    const struct om_epoch epoch = epoch_of(1);
    struct om_handshake_plain plain;
    struct packet p;
    uint8_t *dgram = sample(&p, &epoch);

    for (unsigned version = 0; version < 256; version++) {
        uint8_t change = (uint8_t)(version ^ OM_HANDSHAKE_VERSION);
        dgram[4] ^= change;
        CHECK_ERR(unmask(&plain, &epoch, dgram, OM_HANDSHAKE_MIN),
                  version == OM_HANDSHAKE_VERSION ? OM_OK : OM_E_UNSUPPORTED);
        CHECK_EQ(plain.version, version);
        dgram[4] ^= change;
    }
}
