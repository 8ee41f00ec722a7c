/*
 * test_forward_secrecy.c - recorded traffic stays closed to who later steals every long-term key
 *
 * The attacker has the tape, both home seeds and the network's secret. What it lacks is the
 * initiator's ephemeral key; given that too, the same code reads everything.
 */
#include "harness.h"
#include "pair.h"

#include <sodium.h>

#include "crypto/cipher.h"
#include "crypto/noise.h"
#include "envelope/envelope.h"
#include "node/state.h"

struct attacker {
    const struct pair *tape;
    struct om_epoch epoch;
    struct om_identity a, b;
    struct om_handshake_plain msg1, msg2;
    uint8_t payload[OM_PAYLOAD_MAX]; /* of msg1: a leaked responder key does open that one */
    size_t payload_len;
};

static bool find_handshake(const struct attacker *t, int to, uint8_t kind,
                           const struct om_identity *receiver, struct om_handshake_plain *out)
{
    uint8_t header[OM_HEADER_BYTES];

    for (unsigned i = 0; i < t->tape->sent; i++) {
        const struct pair_dgram *d = &t->tape->tape[i];
        if (d->to != to || d->len < OM_HANDSHAKE_MIN || d->len > OM_HANDSHAKE_MAX)
            continue;
        om_header_mask(t->epoch.mask, om_bytes(d->bytes, d->len), header);
        if (om_handshake_unmask(out, &t->epoch, om_bytes(d->bytes, d->len), header) == OM_OK &&
            out->kind == kind &&
            om_handshake_verify(out, &t->epoch, om_bytes(receiver->dh_public, 32)))
            return true;
    }
    return false;
}

static bool prepare(struct attacker *t, const struct pair *p, const uint8_t *network_secret)
{
    uint8_t prologue[OM_PROLOGUE_BYTES];
    struct om_noise noise;

    t->tape = p;
    om_epoch_derive(&t->epoch, 0, network_secret);
    if (om_identity_for_network(&t->a, p->side[0].seed, &p->network) != OM_OK ||
        om_identity_for_network(&t->b, p->side[1].seed, &p->network) != OM_OK ||
        !find_handshake(t, 1, OM_HANDSHAKE_INIT, &t->b, &t->msg1) ||
        !find_handshake(t, 0, OM_HANDSHAKE_RESPONSE, &t->a, &t->msg2))
        return false;
    om_epoch_prologue(&t->epoch, &p->network, prologue);
    om_noise_init(&noise, false, t->b.dh_secret, t->b.dh_public, NULL, t->epoch.psk,
                  om_bytes(prologue, sizeof prologue));
    return om_noise_read1(&noise, t->msg1.body, om_mut(t->payload, sizeof t->payload),
                          &t->payload_len) == OM_OK;
}

static bool open_one(const struct attacker *t, const struct pair_dgram *d, const uint8_t *split)
{
    uint8_t copy[2048], header[OM_HEADER_BYTES], key[32];
    bool ok = false;

    memcpy(copy, d->bytes, d->len);
    om_header_mask(t->epoch.mask, om_bytes(d->bytes, d->len), header);
    for (int id = OM_CIPHER_CHACHA; id <= OM_CIPHER_AES && !ok; id++) {
        const struct om_cipher *c = om_cipher_get((enum om_cipher_id)id);
        struct om_aead aead;
        if (!c || !(om_cipher_offered() & id))
            continue;
        om_kdf(key, split, c->name, om_bytes(NULL, 0));
        if (om_aead_init(&aead, c, key, false) != OM_OK)
            continue;
        size_t n = d->len - OM_OVERHEAD;
        memcpy(copy, d->bytes, d->len);
        ok = om_aead_open(&aead, om_header_decode(header).counter, om_bytes(header, sizeof header),
                          copy + OM_HEADER_BYTES, n, copy + OM_HEADER_BYTES + n);
        om_aead_fini(&aead);
    }
    return ok;
}

/* How many data datagrams of the tape open, when the initiator's ephemeral key is @ephemeral. */
static unsigned decrypt_with(const struct attacker *t, const uint8_t ephemeral[32])
{
    uint8_t prologue[OM_PROLOGUE_BYTES], msg1[OM_HANDSHAKE_BODY_MAX], payload[OM_PAYLOAD_MAX];
    struct om_wr w = om_wr(om_mut(msg1, sizeof msg1));
    uint8_t split[2][32];
    struct om_noise noise;
    unsigned opened = 0;
    size_t len;

    om_epoch_prologue(&t->epoch, &t->tape->network, prologue);
    om_noise_init(&noise, true, t->a.dh_secret, t->a.dh_public, t->b.dh_public, t->epoch.psk,
                  om_bytes(prologue, sizeof prologue));
    if (om_noise_write1(&noise, ephemeral, om_bytes(t->payload, t->payload_len), &w) != OM_OK ||
        om_noise_read2(&noise, t->msg2.body, om_mut(payload, sizeof payload), &len) != OM_OK)
        return 0;
    om_noise_split(&noise, split[0], split[1]);
    for (unsigned i = 0; i < t->tape->sent; i++) {
        const struct pair_dgram *d = &t->tape->tape[i];
        opened += d->len < OM_HANDSHAKE_MIN && open_one(t, d, split[d->to == 0]);
    }
    return opened;
}

OM_TEST(forward_secrecy_long_term_keys_open_nothing)
{
    struct pair_options o = pair_defaults();
    static struct attacker t;
    uint8_t secret[32], which[2] = {0, 0}, guess[32];
    unsigned data = 0, best = 0;
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    (void)!pair_connect(&p, 0);
    pair_run(&p, OM_SEC(2));
    for (int i = 0; i < 10; i++)
        (void)!pair_send(&p, i % 2, "the secret of the day");
    pair_run(&p, OM_SEC(3));
    OM_TRY(p.side[0].delivered == 5 && p.side[1].delivered == 5);
    for (unsigned i = 0; i < p.sent; i++)
        data += p.tape[i].len < OM_HANDSHAKE_MIN;
    om_hash(secret, om_bytes("secret", 6), om_bytes(which, sizeof which));
    OM_TRY(prepare(&t, &p, secret));

    /* Everything that is stolen later, tried as the key that was wiped. */
    CHECK_EQ(decrypt_with(&t, t.a.dh_secret), 0);
    CHECK_EQ(decrypt_with(&t, t.b.dh_secret), 0);
    CHECK_EQ(decrypt_with(&t, t.a.seed), 0);
    CHECK_EQ(decrypt_with(&t, t.epoch.psk), 0);
    CHECK_EQ(decrypt_with(&t, p.side[0].seed), 0);
    for (int i = 0; i < 64; i++) {
        randombytes_buf(guess, sizeof guess);
        CHECK_EQ(decrypt_with(&t, guess), 0);
    }

    /* Positive control: with the ephemeral key the same code opens every datagram. */
    for (unsigned i = 0; i < p.side[0].drawn_count; i++) {
        unsigned n = decrypt_with(&t, p.side[0].drawn[i]);
        best = n > best ? n : best;
    }
    CHECK(data >= 10);
    CHECK_EQ(best, data);
out:
    pair_fini(&p);
}
