/* test_handshake.c - the initiator's half, against a responder made of the Noise functions alone.
 */
#include "harness.h"

#include <sodium.h>

#include <omerta/attr.h>

#include "crypto/cookie.h"
#include "crypto/handshake.h"

/* a initiates to b; the network is open and both hold its secret. */
struct duo {
    struct om_network a, b;
    struct om_epoch epoch;
    struct om_prng prng;
    struct om_rng rng;
    struct om_pool *pool;
    struct om_handshake h;
};

static const struct om_via here = {.remote.port = 1}, there = {.remote.port = 2};

static void make_network(struct om_network *net, struct om_epoch *epoch, uint8_t first)
{
    uint8_t seed[32] = {first};

    while (om_identity_from_seed(&net->self, seed) != OM_OK)
        seed[1]++;
    memset(net->id.b, 0x4e, sizeof net->id.b);
    net->is_open = true;
    net->current = epoch;
}

static bool duo_init(struct duo *d)
{
    const uint8_t secret[32] = {5};

    memset(d, 0, sizeof *d);
    om_prng_seed(&d->prng, 8);
    d->rng = om_prng_rng(&d->prng);
    om_epoch_derive(&d->epoch, 3, secret);
    make_network(&d->a, &d->epoch, 1);
    make_network(&d->b, &d->epoch, 2);
    d->pool = om_pool_new(2048, 4);
    return d->pool != NULL;
}

static void duo_fini(struct duo *d)
{
    sodium_memzero(&d->h, sizeof d->h);
    om_pool_free(d->pool);
}

static enum om_err begin(struct duo *d, uint32_t index, uint64_t stamp)
{
    const struct om_handshake_offer o = {
        .net = &d->a,
        .epoch = &d->epoch,
        .peer_dh = d->b.self.dh_public,
        .msg1 = {.association = {9},
                 .timestamp_ms = stamp,
                 .ciphers = 1,
                 .version_min = 1,
                 .version_max = 2},
        .index = index,
    };

    return om_handshake_begin(&d->h, &o, &d->rng);
}

/* The responder reads @d's msg1. */
static enum om_err read_msg1(const struct duo *d, struct om_noise *n, struct om_msg1 *m,
                             uint8_t payload[static OM_PAYLOAD_MAX])
{
    uint8_t prologue[OM_PROLOGUE_BYTES];
    size_t len;

    om_epoch_prologue(&d->epoch, &d->b.id, prologue);
    om_noise_init(n, false, d->b.self.dh_secret, d->b.self.dh_public, NULL, d->epoch.psk,
                  om_bytes(prologue, sizeof prologue));
    enum om_err e = om_noise_read1(n, om_bytes(d->h.msg1, d->h.msg1_len),
                                   om_mut(payload, OM_PAYLOAD_MAX), &len);
    return e == OM_OK ? om_msg1_decode(m, om_bytes(payload, len)) : e;
}

/* ... and answers @payload; returns the length of msg2. */
static size_t write_msg2(struct duo *d, struct om_noise *n, struct om_bytes payload,
                         uint8_t msg2[static OM_HANDSHAKE_BODY_MAX])
{
    struct om_wr w = om_wr(om_mut(msg2, OM_HANDSHAKE_BODY_MAX));
    uint8_t ephemeral[32];

    om_rng_fill(&d->rng, ephemeral, sizeof ephemeral);
    CHECK_OK(om_noise_write2(n, ephemeral, payload, &w));
    return om_wr_len(&w);
}

static size_t good_payload(const struct duo *d, uint8_t out[static OM_PAYLOAD_MAX])
{
    struct om_wr w = om_wr(om_mut(out, OM_PAYLOAD_MAX));
    struct om_msg2 m = {.association = {8}, .cipher = 1, .version = 2};

    m.credential = om_credential_ours(&d->b, &m.credential_kind);
    om_msg2_encode(&m, &w);
    return om_wr_len(&w);
}

/* A copy of @d's msg1 for @via, as it would arrive. False when memory ran out. */
static bool send_copy(struct duo *d, om_time now, const struct om_via *via,
                      struct om_handshake_plain *out)
{
    struct om_handshake_fields f = om_handshake_fields(&d->h, now, via, 1700000000);
    uint8_t header[OM_HEADER_BYTES];
    struct om_buf *b = om_pool_take(d->pool, 0);

    if (!b)
        return false;
    CHECK_OK(om_handshake_build(b, &d->epoch, &f, om_bytes(d->b.self.dh_public, 32), &d->rng));
    struct om_bytes dgram = om_bytes(om_buf_data(b), b->len);
    om_handshake_sent(&d->h, via, dgram);
    om_header_mask(d->epoch.mask, dgram, header);
    CHECK_OK(om_handshake_unmask(out, &d->epoch, dgram, header));
    om_pool_give(d->pool, b);
    return true;
}

OM_TEST(handshake_backs_off_with_jitter)
{
    static const int64_t wait_ms[] = {500, 1000, 2000, 4000, 8000, 60000, 60000, 60000};
    struct om_prng prng;
    struct duo d;

    OM_TRY(duo_init(&d));
    om_prng_seed(&prng, 1);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(wait_ms); i++) {
        om_time least = OM_NEVER, most = 0;
        CHECK_OK(begin(&d, 1, 1));
        CHECK_EQ(d.h.attempt, i + 1);
        for (int k = 0; k < 500; k++) {
            om_handshake_schedule(&d.h, OM_SEC(7), &prng);
            om_time wait = d.h.next_at - OM_SEC(7);
            least = wait < least ? wait : least;
            most = wait > most ? wait : most;
        }
        CHECK(least >= OM_MS(wait_ms[i]) * 80 / 100 && least < OM_MS(wait_ms[i]) * 81 / 100);
        CHECK(most <= OM_MS(wait_ms[i]) * 120 / 100 && most > OM_MS(wait_ms[i]) * 119 / 100);
    }
out:
    duo_fini(&d);
}

OM_TEST(handshake_retransmission_is_a_new_message)
{
    uint8_t payload[OM_PAYLOAD_MAX], first[OM_HANDSHAKE_BODY_MAX];
    struct om_handshake_plain plain;
    struct om_noise noise;
    struct om_msg1 m = {0};
    struct duo d;

    OM_TRY(duo_init(&d));
    CHECK_OK(begin(&d, 11, 1000));
    OM_TRY(send_copy(&d, 0, &here, &plain));
    CHECK_EQ(plain.sender, 11);
    memcpy(first, d.h.msg1, d.h.msg1_len);
    CHECK_OK(read_msg1(&d, &noise, &m, payload));
    CHECK_EQ(m.timestamp_ms, 1000);

    CHECK_OK(begin(&d, 12, 1001));
    CHECK_EQ(d.h.sent, 0);               /* cookies for the first are for the first */
    CHECK_MEM_DIFF(first, d.h.msg1, 32); /* another ephemeral key */
    CHECK_MEM_DIFF(first + 32, d.h.msg1 + 32, 48);
    CHECK_OK(read_msg1(&d, &noise, &m, payload));
    CHECK_EQ(m.timestamp_ms, 1001);
    OM_TRY(send_copy(&d, 0, &here, &plain));
    CHECK_EQ(plain.sender, 12);
    CHECK_EQ(d.h.attempt, 2);
out:
    duo_fini(&d);
}

OM_TEST(handshake_copies_share_the_noise_message)
{
    struct om_handshake_plain one, two;
    struct duo d;

    OM_TRY(duo_init(&d));
    CHECK_OK(begin(&d, 11, 1000));
    OM_TRY(send_copy(&d, 0, &here, &one));
    OM_TRY(send_copy(&d, 0, &there, &two));
    CHECK_EQ(one.body.n, two.body.n);
    CHECK_MEM(one.body.p, two.body.p, one.body.n);
    CHECK_MEM_DIFF(one.t, two.t, OM_MAC_BYTES); /* own padding, own T */
    CHECK(om_handshake_verify(&one, &d.epoch, om_bytes(d.b.self.dh_public, 32)));
    CHECK(om_handshake_verify(&two, &d.epoch, om_bytes(d.b.self.dh_public, 32)));
    CHECK(!om_handshake_verify(&two, &d.epoch, om_bytes(d.a.self.dh_public, 32)));
    CHECK_EQ(d.h.sent, 2);
out:
    duo_fini(&d);
}

/* A cookie datagram that answers the initiation with this T. False when memory ran out. */
static bool cookie_for(struct duo *d, const uint8_t *t, struct om_handshake_plain *out)
{
    const struct om_handshake_fields f = {.kind = OM_HANDSHAKE_COOKIE,
                                          .body = om_bytes("sixteen bytes ok", 16),
                                          .size_max = OM_HANDSHAKE_MAX};
    uint8_t header[OM_HEADER_BYTES];
    struct om_buf *b = om_pool_take(d->pool, 0);

    if (!b)
        return false;
    CHECK_OK(om_handshake_build(b, &d->epoch, &f, om_bytes(t, OM_MAC_BYTES), &d->rng));
    om_header_mask(d->epoch.mask, om_bytes(om_buf_data(b), b->len), header);
    CHECK_OK(om_handshake_unmask(out, &d->epoch, om_bytes(om_buf_data(b), b->len), header));
    om_pool_give(d->pool, b);
    return true;
}

OM_TEST(handshake_knows_only_cookies_for_its_own)
{
    struct om_handshake_plain one, two, cookie;
    uint8_t other[OM_MAC_BYTES] = {1};
    struct duo d;

    OM_TRY(duo_init(&d));
    CHECK_OK(begin(&d, 11, 1000));
    OM_TRY(send_copy(&d, 0, &here, &one));
    OM_TRY(cookie_for(&d, one.t, &cookie));
    CHECK(om_handshake_knows_t(&d.h, &cookie));
    OM_TRY(send_copy(&d, 0, &there, &two)); /* each copy has a T, and all count */
    CHECK(om_handshake_knows_t(&d.h, &cookie));
    OM_TRY(cookie_for(&d, two.t, &cookie));
    CHECK(om_handshake_knows_t(&d.h, &cookie));
    OM_TRY(cookie_for(&d, other, &cookie));
    CHECK(!om_handshake_knows_t(&d.h, &cookie));
    CHECK_OK(begin(&d, 12, 1001));
    OM_TRY(cookie_for(&d, one.t, &cookie));
    CHECK(!om_handshake_knows_t(&d.h, &cookie));
out:
    duo_fini(&d);
}

/* Who has one copy knows all of the others but their pads, and may say that he is anywhere. */
OM_TEST(handshake_answer_proves_the_copy_it_names)
{
    struct om_handshake_plain one, two, msg2 = {0};
    struct om_via elsewhere = here, other_socket = here, lane = here;
    uint8_t none[OM_MAC_BYTES] = {0};
    struct duo d;

    elsewhere.remote.port++;
    other_socket.socket++;
    lane.lane = 5;
    OM_TRY(duo_init(&d));
    for (unsigned i = 0; i < 200; i++) { /* sizes are drawn */
        CHECK_OK(begin(&d, 11, 1000 + i));
        OM_TRY(send_copy(&d, 0, &here, &one));
        CHECK(one.mac2 + OM_MAC_BYTES + OM_HANDSHAKE_SECRET <= one.t);
    }
    OM_TRY(send_copy(&d, 0, &there, &two));
    msg2.mac2 = one.t;
    CHECK(om_handshake_is_from(&d.h, &here, &msg2));
    CHECK(om_handshake_is_from(&d.h, &other_socket, &msg2)); /* of ours, not its */
    CHECK(!om_handshake_is_from(&d.h, &there, &msg2));
    CHECK(!om_handshake_is_from(&d.h, &elsewhere, &msg2));
    CHECK(!om_handshake_is_from(&d.h, &lane, &msg2));
    msg2.mac2 = two.t;
    CHECK(om_handshake_is_from(&d.h, &there, &msg2));
    CHECK(!om_handshake_is_from(&d.h, &here, &msg2));
    msg2.mac2 = none; /* it names no copy */
    CHECK(!om_handshake_is_from(&d.h, &here, &msg2));
    msg2.mac2 = one.t;
    CHECK_OK(begin(&d, 12, 2000)); /* what was sent before is of another message */
    CHECK(!om_handshake_is_from(&d.h, &here, &msg2));
out:
    duo_fini(&d);
}

OM_TEST(handshake_takes_a_cookie_once)
{
    const struct om_bytes first = om_bytes("sixteen bytes ok", 16),
                          second = om_bytes("sixteen bytes no", 16);
    uint8_t mac2[OM_MAC_BYTES], none[OM_MAC_BYTES] = {0};
    struct om_handshake_plain plain;
    struct duo d;

    OM_TRY(duo_init(&d));
    CHECK_OK(begin(&d, 11, 1000));
    OM_TRY(send_copy(&d, OM_SEC(1), &here, &plain));
    CHECK_MEM(plain.mac2, none, sizeof none);
    CHECK(!om_handshake_cookie(&d.h, OM_SEC(1), &here, om_bytes("fifteen bytes..", 15), 1));
    CHECK(!om_handshake_cookie(&d.h, OM_SEC(1), &here, om_bytes("seventeen bytes..", 17), 1));
    CHECK(!d.h.has_cookie);

    CHECK(om_handshake_cookie(&d.h, OM_SEC(1), &here, first, OM_SEC(120)));
    CHECK(!om_handshake_cookie(&d.h, OM_SEC(1), &here, first, OM_SEC(120))); /* sent already */
    OM_TRY(send_copy(&d, OM_SEC(1), &here, &plain));
    om_cookie_mac2(first.p, plain.before_mac2, mac2);
    CHECK_MEM(plain.mac2, mac2, sizeof mac2);
    OM_TRY(send_copy(&d, OM_SEC(1), &there, &plain)); /* it is good for one source only */
    CHECK_MEM(plain.mac2, none, sizeof none);

    CHECK(om_handshake_cookie(&d.h, OM_SEC(2), &there, second, OM_SEC(120))); /* a new one */
    OM_TRY(send_copy(&d, OM_SEC(122) - 1, &there, &plain));
    om_cookie_mac2(second.p, plain.before_mac2, mac2);
    CHECK_MEM(plain.mac2, mac2, sizeof mac2);
    OM_TRY(send_copy(&d, OM_SEC(122), &there, &plain)); /* too old */
    CHECK_MEM(plain.mac2, none, sizeof none);
out:
    duo_fini(&d);
}

/* A member that sees the initiation could make any number of cookies for it. */
OM_TEST(handshake_cookies_cannot_make_it_send_for_ever)
{
    struct om_handshake_plain plain;
    unsigned sent = 1;
    struct duo d;

    OM_TRY(duo_init(&d));
    CHECK_OK(begin(&d, 11, 1000));
    OM_TRY(send_copy(&d, 0, &here, &plain));
    for (unsigned i = 0; i < 100; i++) {
        uint8_t made_up[OM_MAC_BYTES] = {(uint8_t)i, 1};
        if (!om_handshake_cookie(&d.h, 0, &here, om_bytes(made_up, 16), OM_SEC(120)))
            continue;
        OM_TRY(send_copy(&d, 0, &here, &plain));
        sent++;
    }
    CHECK_EQ(sent, OM_HANDSHAKE_COPIES_MAX);
    CHECK_OK(begin(&d, 12, 1001)); /* the next attempt is free to use the last one */
    OM_TRY(send_copy(&d, 0, &here, &plain));
    CHECK(plain.mac2[0] || plain.mac2[1] || plain.mac2[2]);
out:
    duo_fini(&d);
}

OM_TEST(handshake_survives_a_forged_response)
{
    uint8_t payload[OM_PAYLOAD_MAX], msg2[OM_HANDSHAKE_BODY_MAX];
    static struct om_handshake_result result;
    struct om_handshake before;
    struct om_noise noise;
    struct om_msg1 m;
    struct duo d;

    OM_TRY(duo_init(&d));
    CHECK_OK(begin(&d, 11, 1000));
    CHECK_OK(read_msg1(&d, &noise, &m, payload));
    size_t n = write_msg2(&d, &noise, om_bytes(payload, good_payload(&d, payload)), msg2);
    before = d.h;
    for (size_t i = 0; i < n; i += i < 40 ? 1 : 5) {
        msg2[i] ^= 0x40;
        CHECK(om_handshake_response(&d.h, om_bytes(msg2, n), &result) != OM_OK);
        msg2[i] ^= 0x40;
    }
    for (size_t i = 0; i < n; i += 7)
        CHECK(om_handshake_response(&d.h, om_bytes(msg2, i), &result) != OM_OK);
    CHECK_MEM(&before, &d.h, sizeof before);
    CHECK_OK(om_handshake_response(&d.h, om_bytes(msg2, n), &result));       /* the true one */
    CHECK(om_handshake_response(&d.h, om_bytes(msg2, n), &result) != OM_OK); /* once */
    sodium_memzero(&before, sizeof before);
out:
    duo_fini(&d);
}

OM_TEST(handshake_matches_responder)
{
    uint8_t payload[OM_PAYLOAD_MAX], msg2[OM_HANDSHAKE_BODY_MAX], first[32], second[32];
    static struct om_handshake_result result;
    struct om_noise noise;
    struct om_msg1 m = {0};
    struct om_id id;
    struct duo d;

    OM_TRY(duo_init(&d));
    CHECK_OK(begin(&d, 11, 1000));
    CHECK(d.h.is_waiting);
    CHECK_OK(read_msg1(&d, &noise, &m, payload));
    CHECK_EQ(m.association[0], 9);
    CHECK_EQ(m.ciphers, 1);
    CHECK_EQ(m.version_min, 1);
    CHECK_EQ(m.version_max, 2);
    CHECK(om_credential_check(&d.b, m.credential_kind, m.credential, noise.rs, &id));
    CHECK(om_id_equal(&id, &d.a.self.id)); /* the responder knows who calls */

    uint8_t reply[OM_PAYLOAD_MAX];
    size_t n = write_msg2(&d, &noise, om_bytes(reply, good_payload(&d, reply)), msg2);
    om_noise_split(&noise, first, second);
    CHECK_OK(om_handshake_response(&d.h, om_bytes(msg2, n), &result));
    CHECK_MEM(result.first, first, sizeof first);
    CHECK_MEM(result.second, second, sizeof second);
    CHECK_MEM_DIFF(first, second, sizeof first);
    CHECK_EQ(result.msg2.association[0], 8);
    CHECK(om_handshake_is_offered(&d.h, &result.msg2));
    CHECK(om_credential_check(&d.a, result.msg2.credential_kind, result.msg2.credential,
                              d.b.self.dh_public, &id));
    CHECK(om_id_equal(&id, &d.b.self.id));
out:
    duo_fini(&d);
}

/* The peer itself sends something that no codec reads: no session, and no crash on a second one. */
OM_TEST(handshake_refuses_a_payload_that_does_not_decode)
{
    uint8_t payload[OM_PAYLOAD_MAX], msg2[OM_HANDSHAKE_BODY_MAX];
    static struct om_handshake_result result;
    struct om_noise noise;
    struct om_msg1 m;
    struct duo d;

    OM_TRY(duo_init(&d));
    CHECK_OK(begin(&d, 11, 1000));
    CHECK_OK(read_msg1(&d, &noise, &m, payload));
    size_t n = write_msg2(&d, &noise, om_bytes("short", 5), msg2);
    CHECK_ERR(om_handshake_response(&d.h, om_bytes(msg2, n), &result), OM_E_TRUNC);
    CHECK(om_handshake_response(&d.h, om_bytes(msg2, n), &result) != OM_OK);
    CHECK_OK(begin(&d, 12, 1001)); /* the next try is a fresh one */
    CHECK_OK(read_msg1(&d, &noise, &m, payload));
    n = write_msg2(&d, &noise, om_bytes(payload, good_payload(&d, payload)), msg2);
    CHECK_OK(om_handshake_response(&d.h, om_bytes(msg2, n), &result));
out:
    duo_fini(&d);
}

OM_TEST(handshake_refuses_what_it_did_not_offer)
{
    const struct om_handshake h = {.ciphers = 3, .version_min = 2, .version_max = 4};
    static const struct {
        uint8_t cipher, version;
        bool ok;
    } cases[] = {{1, 2, true},  {2, 4, true},  {1, 1, false},    {1, 5, false}, {0, 3, false},
                 {3, 3, false}, {4, 3, false}, {0x81, 3, false}, {1, 0, false}, {1, 255, false}};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        struct om_msg2 m = {.cipher = cases[i].cipher, .version = cases[i].version};
        CHECK_EQ(om_handshake_is_offered(&h, &m), cases[i].ok);
    }
    struct om_handshake chacha_only = h;
    chacha_only.ciphers = 1;
    CHECK(!om_handshake_is_offered(&chacha_only, &(struct om_msg2){.cipher = 2, .version = 3}));
}

OM_TEST(handshake_refuses_a_weak_peer_key)
{
    uint8_t zero[32] = {0};
    struct duo d;

    OM_TRY(duo_init(&d));
    struct om_handshake_offer o = {.net = &d.a, .epoch = &d.epoch, .peer_dh = zero, .index = 1};
    CHECK_ERR(om_handshake_begin(&d.h, &o, &d.rng), OM_E_CRYPTO);
    CHECK(!d.h.is_waiting);
    o.peer_dh = d.b.self.dh_public;
    CHECK_OK(om_handshake_begin(&d.h, &o, &d.rng));
    CHECK(d.h.is_waiting);
out:
    duo_fini(&d);
}
