/* test_envelope.c - sealing and opening, between the two ends of one session. */
#include "harness.h"
#include "keyed.h"

#include <sodium.h>

#include "envelope/envelope.h"

static const enum om_cipher_id ciphers[] = {OM_CIPHER_CHACHA, OM_CIPHER_AES};

/* What the demultiplexer does: unmask, decode. */
static struct om_incoming incoming(const struct om_session *s, uint8_t *dgram, size_t n)
{
    struct om_incoming in = {.dgram = om_mut(dgram, n)};

    om_header_mask(s->epoch->mask, om_bytes(dgram, n), in.header);
    in.counter = om_header_decode(in.header).counter;
    return in;
}

static struct om_incoming open_at(struct om_session *s, uint8_t *dgram, size_t n)
{
    struct om_incoming in = incoming(s, dgram, n);

    om_open_many(s, &in, 1);
    return in;
}

/* A datagram from @s of @n bytes of text, as sent; returns its size. */
static size_t make(struct om_session *s, uint64_t counter, size_t n, uint8_t *out)
{
    struct packet p;
    struct om_sealed *d = NULL;

    CHECK_OK(om_seal(&d, s, counter, packet_fill(&p, OM_HEADROOM, n, OM_TAG_BYTES)));
    memcpy(out, om_sealed_bytes(d).p, om_sealed_bytes(d).n);
    return om_sealed_bytes(d).n;
}

OM_TEST(envelope_round_trips_every_size)
{
    uint8_t dgram[2048], text[2048];
    struct packet p;
    struct keyed k;

    for (size_t c = 0; c < OM_ARRAY_SIZE(ciphers); c++) {
        if (!(ciphers[c] & om_cipher_offered()))
            continue; /* no AES instructions here */
        OM_TRY(keyed_init(&k, ciphers[c], false));
        for (size_t n = 0; n <= 1500; n++) {
            struct om_session *from = n % 2 ? &k.a : &k.b, *to = n % 2 ? &k.b : &k.a;
            struct om_buf *b = packet_fill(&p, OM_HEADROOM, n, OM_TAG_BYTES);
            memcpy(text, om_buf_data(b), n);
            size_t size = make(from, n, n, dgram);
            struct om_incoming in = open_at(to, dgram, size);
            CHECK_EQ(om_header_decode(in.header).index, to->local);
            CHECK(in.is_open && in.counter == n);
            CHECK_EQ(in.plain.n, n);
            CHECK_MEM(in.plain.p, text, n);
        }
        keyed_fini(&k);
    }
out:;
}

OM_TEST(envelope_costs_28_bytes)
{
    struct om_sealed *d = NULL;
    struct packet p;
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, false));
    for (size_t n = 0; n <= 1172; n++) {
        struct om_buf *b = packet_fill(&p, OM_HEADROOM, n, OM_TAG_BYTES);
        const uint8_t *text = om_buf_data(b);
        CHECK_OK(om_seal(&d, &k.a, n, b));
        CHECK_EQ(om_sealed_bytes(d).n, n + 28);
        CHECK(om_sealed_bytes(d).p == text - OM_HEADER_BYTES); /* in place */
        CHECK(om_sealed_release(d) == b);
        CHECK_EQ(om_buf_headroom(b), OM_LANE_BYTES); /* what a relay lane needs is still there */
    }
    CHECK(k.a.sealed == 1173);
    keyed_fini(&k);
out:;
}

OM_TEST(envelope_copies_are_the_same_bytes)
{
    struct om_sealed *d = NULL, *copy = NULL;
    struct packet p, q;
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, false));
    CHECK_OK(om_seal(&d, &k.a, 1, packet_fill(&p, OM_HEADROOM, 40, OM_TAG_BYTES)));
    CHECK_OK(om_sealed_copy(&copy, packet_fill(&q, OM_HEADROOM, 0, 40 + OM_TAG_BYTES), d));
    CHECK_EQ(om_sealed_bytes(copy).n, om_sealed_bytes(d).n);
    CHECK_MEM(om_sealed_bytes(copy).p, om_sealed_bytes(d).p, om_sealed_bytes(d).n);
    CHECK_EQ(om_buf_headroom(om_sealed_release(copy)), OM_LANE_BYTES);
    CHECK_ERR(om_sealed_copy(&copy, packet_fill(&q, OM_HEADROOM, 0, 39 + OM_TAG_BYTES), d),
              OM_E_RANGE);
    CHECK_ERR(om_sealed_copy(&copy, packet_fill(&q, OM_HEADER_BYTES - 1, 0, 100), d), OM_E_RANGE);
    keyed_fini(&k);
out:;
}

/* Written from PROTOCOL 2 with libsodium alone: key, nonce, AAD and mask are those. */
OM_TEST(envelope_is_what_the_protocol_says)
{
    const uint8_t want_aad[OM_HEADER_BYTES] = {0xb1, 0xb2, 0xb3, 0xb4, 1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t key[32], mask[16], dgram[128], text[50], label[] = "omerta1 chacha20-poly1305";
    uint8_t nonce[12] = {0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}; /* 0^4 || u64 counter */
    struct packet p;
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, false));
    size_t n = make(&k.a, 0x0102030405060708, sizeof text, dgram);
    crypto_shorthash_siphashx24(mask, dgram + n - 16, 16, k.epoch.mask);
    for (size_t i = 0; i < OM_HEADER_BYTES; i++)
        dgram[i] ^= mask[i];
    CHECK_MEM(dgram, want_aad, sizeof want_aad);
    /* a initiated, so it seals with the first split key; the 0 that ends the label is hashed too */
    crypto_generichash(key, sizeof key, label, sizeof label, keyed_first, sizeof keyed_first);
    CHECK_EQ(crypto_aead_chacha20poly1305_ietf_decrypt_detached(
                 text, NULL, dgram + 12, sizeof text, dgram + n - 16, dgram, 12, nonce, key),
             0);
    CHECK_MEM(text, om_buf_data(packet_fill(&p, 0, sizeof text, 0)), sizeof text);
    keyed_fini(&k);
out:;
}

OM_TEST(envelope_refuses_any_flipped_bit)
{
    uint8_t dgram[128], copy[128];
    struct keyed k;

    for (size_t c = 0; c < OM_ARRAY_SIZE(ciphers); c++) {
        if (!(ciphers[c] & om_cipher_offered()))
            continue;
        OM_TRY(keyed_init(&k, ciphers[c], false));
        size_t n = make(&k.a, 70, 40, dgram);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            memcpy(copy, dgram, n);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct om_incoming in = open_at(&k.b, copy, n);
            CHECK(!in.is_open);
            CHECK_EQ(in.why, OM_DROP_OPEN);
            CHECK(k.b.failed_opens == bit + 1);
        }
        for (size_t cut = OM_OVERHEAD; cut < n; cut++) {
            memcpy(copy, dgram, cut);
            CHECK(!open_at(&k.b, copy, cut).is_open);
        }
        CHECK(open_at(&k.b, dgram, n).is_open); /* the true one; and no forgery moved the window */
        keyed_fini(&k);
    }
out:;
}

OM_TEST(envelope_opens_only_at_the_other_end)
{
    uint8_t dgram[128], copy[128];
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, false));
    size_t n = make(&k.a, 0, 40, dgram);
    memcpy(copy, dgram, n);
    CHECK(!open_at(&k.a, copy, n).is_open); /* reflected to its sender */
    CHECK(open_at(&k.b, dgram, n).is_open);
    keyed_fini(&k);
out:;
}

OM_TEST(envelope_needs_room_around_the_text)
{
    struct om_sealed *d = NULL;
    struct packet p;
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, false));
    for (size_t head = 0; head <= OM_HEADER_BYTES; head++)
        for (size_t tail = 0; tail <= OM_TAG_BYTES; tail++) {
            bool fits = head == OM_HEADER_BYTES && tail == OM_TAG_BYTES;
            uint64_t before = k.a.sealed;
            enum om_err e = om_seal(&d, &k.a, 0, packet_fill(&p, head, 40, tail));
            CHECK_ERR(e, fits ? OM_OK : OM_E_RANGE);
            CHECK(k.a.sealed == before + fits);
        }
    CHECK_EQ(om_sealed_bytes(d).n, 40 + OM_OVERHEAD);
    keyed_fini(&k);
out:;
}

OM_TEST(envelope_opens_once)
{
    uint8_t dgram[128], copy[3][128];
    struct om_incoming in[3];
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, false));
    for (uint64_t counter = 0; counter < 20; counter++) {
        size_t n = make(&k.a, counter * 977, 40, dgram);
        for (int i = 0; i < 3; i++) {
            memcpy(copy[i], dgram, n);
            in[i] = incoming(&k.b, copy[i], n);
        }
        om_open_many(&k.b, in, 3); /* copies in one batch, and one more in the next */
        CHECK(in[0].is_open && !in[1].is_open && !in[2].is_open);
        CHECK_EQ(in[1].why, OM_DROP_REPLAY);
        CHECK_EQ(in[2].why, OM_DROP_REPLAY);
        memcpy(copy[0], dgram, n);
        CHECK_EQ(open_at(&k.b, copy[0], n).why, OM_DROP_REPLAY);
    }
    CHECK(k.b.failed_opens == 0); /* a replay costs no decryption */
    keyed_fini(&k);
out:;
}

OM_TEST(envelope_opens_out_of_order_and_any_counter)
{
    const uint64_t counters[] = {9, 3, 8, 0, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 62};
    uint8_t dgram[128];
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, false));
    for (size_t i = 0; i < OM_ARRAY_SIZE(counters); i++) {
        size_t n = make(&k.a, counters[i], 1, dgram);
        struct om_incoming in = open_at(&k.b, dgram, n);
        CHECK(in.is_open && in.counter == counters[i]);
    }
    size_t n = make(&k.a, 10, 1, dgram);
    CHECK_EQ(open_at(&k.b, dgram, n).why, OM_DROP_REPLAY); /* now far below the window */
    keyed_fini(&k);
out:;
}

OM_TEST(envelope_batch_is_many_single_ones)
{
    static struct packet p[OM_BATCH_MAX];
    struct om_sealed *d[OM_BATCH_MAX];
    struct om_buf *plain[OM_BATCH_MAX];
    struct om_incoming in[OM_BATCH_MAX];
    uint8_t one[256];
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, false));
    for (size_t i = 0; i < OM_BATCH_MAX; i++)
        plain[i] = packet_fill(&p[i], OM_HEADROOM, i, OM_TAG_BYTES);
    CHECK_EQ(om_seal_many(d, &k.a, 1000, plain, OM_BATCH_MAX), OM_BATCH_MAX);
    for (size_t i = 0; i < OM_BATCH_MAX; i++) {
        size_t n = make(&k.a, 1000 + i, i, one);
        CHECK_EQ(om_sealed_bytes(d[i]).n, n);
        CHECK_MEM(om_sealed_bytes(d[i]).p, one, n);
        in[i] = incoming(&k.b, om_buf_data(plain[i]), n);
    }
    om_open_many(&k.b, in, OM_BATCH_MAX);
    for (size_t i = 0; i < OM_BATCH_MAX; i++)
        CHECK(in[i].is_open && in[i].counter == 1000 + i && in[i].plain.n == i);
    keyed_fini(&k);
out:;
}

OM_TEST(envelope_batch_stops_where_one_fails)
{
    struct packet p[3];
    struct om_buf *plain[3];
    struct om_sealed *d[3];
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, false));
    for (size_t i = 0; i < 3; i++)
        plain[i] = packet_fill(&p[i], OM_HEADROOM, 9, i == 1 ? OM_TAG_BYTES - 1 : OM_TAG_BYTES);
    CHECK_EQ(om_seal_many(d, &k.a, 0, plain, 3), 1);
    CHECK_EQ(plain[2]->len, 9); /* untouched */
    CHECK_EQ(om_seal_many(d, &k.a, 0, plain, 0), 0);
    keyed_fini(&k);
out:;
}

OM_TEST(envelope_seals_handshakes_that_fit)
{
    uint8_t body[OM_HANDSHAKE_BODY_MAX + 1] = {0}, next = 0;
    const struct om_rng rng = {count_up, &next};
    struct om_handshake_fields f = {.kind = OM_HANDSHAKE_INIT, .size_max = OM_HANDSHAKE_MAX};
    struct om_sealed *d = NULL;
    struct om_epoch epoch;
    struct packet p;

    om_epoch_derive(&epoch, 0, keyed_secret);
    f.body = om_bytes(body, sizeof body);
    struct om_buf *b = packet_fill(&p, OM_HEADROOM, 0, OM_HANDSHAKE_MAX);
    CHECK_ERR(om_sealed_handshake(&d, b, &epoch, &f, om_bytes(NULL, 0), &rng), OM_E_RANGE);
    CHECK(d == NULL && b->len == 0);
    f.body.n--;
    CHECK_OK(om_sealed_handshake(&d, b, &epoch, &f, om_bytes(NULL, 0), &rng));
    CHECK(om_sealed_release(d) == b);
    CHECK_EQ(om_sealed_bytes(d).n, OM_HANDSHAKE_MAX);
}
