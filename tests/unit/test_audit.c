/* test_audit.c - the check of what leaves. */
#include "harness.h"
#include "keyed.h"

#include <sodium.h>

#include "envelope/audit.h"

enum { TEXT = 40, SIZE = TEXT + OM_OVERHEAD };

static const uint8_t someone[32] = {0x55};

static size_t make(struct om_session *s, uint64_t counter, size_t n, struct packet *p)
{
    struct om_sealed *d;

    CHECK_OK(om_seal(&d, s, counter, packet_fill(p, OM_HEADROOM, n, OM_TAG_BYTES)));
    return om_sealed_bytes(d).n;
}

OM_TEST(audit_passes_sealed_data)
{
    const size_t sizes[] = {0, 1, 100, 1172, 9216 - OM_OVERHEAD};
    struct packet p, before;
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, true));
    for (size_t i = 0; i < OM_ARRAY_SIZE(sizes); i++) {
        struct om_session *s = i % 2 ? &k.a : &k.b;
        size_t n = make(s, i, sizes[i], &p);
        memcpy(&before, &p, sizeof p);
        CHECK(om_audit_data(s, om_bytes(om_buf_data(&p.buf), n)));
        CHECK_MEM(&before, &p, sizeof p); /* looked at, not opened */
    }
    make(&k.a, 9, 9217 - OM_OVERHEAD, &p); /* larger than any datagram of ours */
    CHECK(!om_audit_data(&k.a, om_bytes(om_buf_data(&p.buf), 9217)));
    keyed_fini(&k);
out:;
}

OM_TEST(audit_refuses_altered_data)
{
    struct packet p;
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, true));
    CHECK_EQ(make(&k.a, 5, TEXT, &p), SIZE);
    uint8_t *dgram = om_buf_data(&p.buf);
    for (size_t bit = 0; bit < 8 * SIZE; bit++) {
        dgram[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!om_audit_data(&k.a, om_bytes(dgram, SIZE)));
        dgram[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t n = 0; n < SIZE; n++)
        CHECK(!om_audit_data(&k.a, om_bytes(dgram, n)));
    CHECK(!om_audit_data(&k.b, om_bytes(dgram, SIZE))); /* of another session */
    CHECK(om_audit_data(&k.a, om_bytes(dgram, SIZE)));
    keyed_fini(&k);
out:;
}

OM_TEST(audit_refuses_plaintext_and_plain_headers)
{
    const uint8_t *plain;
    struct packet p;
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, true));
    CHECK_EQ(make(&k.a, 5, TEXT, &p), SIZE);
    uint8_t *dgram = om_buf_data(&p.buf);
    CHECK(om_audit_data(&k.a, om_bytes(dgram, SIZE)));
    om_header_mask(k.epoch.mask, om_bytes(dgram, SIZE),
                   dgram); /* sealed, but who it is for shows */
    CHECK(!om_audit_data(&k.a, om_bytes(dgram, SIZE)));
    plain = om_buf_data(packet_fill(&p, 0, SIZE, 0));
    CHECK(!om_audit_data(&k.a, om_bytes(plain, SIZE)));
    keyed_fini(&k);
out:;
}

OM_TEST(audit_without_a_mirror_passes_nothing)
{
    struct packet p;
    struct keyed k;

    OM_TRY(keyed_init(&k, OM_CIPHER_CHACHA, false));
    CHECK_EQ(make(&k.a, 5, TEXT, &p), SIZE);
    CHECK(!om_audit_data(&k.a, om_bytes(om_buf_data(&p.buf), SIZE)));
    keyed_fini(&k);
out:;
}

static struct om_bytes handshake(struct packet *p, const struct om_epoch *epoch)
{
    static const uint8_t body[200] = {1};
    uint8_t next = 0;
    const struct om_rng rng = {count_up, &next};
    const struct om_handshake_fields f = {
        .kind = OM_HANDSHAKE_INIT, .body = {body, sizeof body}, .size_max = OM_HANDSHAKE_MAX};
    struct om_sealed *d;

    CHECK_OK(om_sealed_handshake(&d, packet_fill(p, OM_HEADROOM, 0, OM_HANDSHAKE_MAX), epoch, &f,
                                 om_bytes(someone, sizeof someone), &rng));
    return om_sealed_bytes(d);
}

OM_TEST(audit_refuses_altered_handshake)
{
    const struct om_bytes bind = om_bytes(someone, sizeof someone);
    static const uint8_t other_secret[32] = {9};
    uint8_t wrong[32] = {0x56};
    struct om_epoch epoch, other;
    struct packet p;

    om_epoch_derive(&epoch, 1, keyed_secret);
    om_epoch_derive(&other, 1, other_secret);
    struct om_bytes d = handshake(&p, &epoch);
    uint8_t *at = om_buf_data(&p.buf);
    CHECK(om_audit_handshake(&epoch, bind, d));
    for (size_t i = 0; i < d.n; i++) {
        at[i] ^= 0x10;
        CHECK(!om_audit_handshake(&epoch, bind, d));
        at[i] ^= 0x10;
    }
    for (size_t n = 0; n < d.n; n++)
        CHECK(!om_audit_handshake(&epoch, bind, om_bytes(d.p, n)));
    CHECK(!om_audit_handshake(&epoch, om_bytes(wrong, sizeof wrong), d));
    CHECK(!om_audit_handshake(&epoch, om_bytes(NULL, 0), d));
    CHECK(!om_audit_handshake(&other, bind, d));
    om_header_mask(epoch.mask, d, at); /* its header in plain */
    CHECK(!om_audit_handshake(&epoch, bind, d));
    om_header_mask(epoch.mask, d, at);
    CHECK(om_audit_handshake(&epoch, bind, d));
}
