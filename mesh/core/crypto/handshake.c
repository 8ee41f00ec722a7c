/* handshake.c - the initiator's half. */
#include "crypto/handshake.h"

#include <sodium.h>

#include "network/proof.h"

enum om_err om_handshake_begin(struct om_handshake *h, const struct om_handshake_offer *o,
                               const struct om_rng *rng)
{
    uint8_t prologue[OM_PROLOGUE_BYTES], ephemeral[32], payload[OM_PAYLOAD_MAX];
    uint8_t proof[OM_PROOF_MAX];
    struct om_msg1 m = o->msg1;
    struct om_wr p = om_wr(om_mut(payload, sizeof payload));
    struct om_wr w = om_wr(om_mut(h->msg1, sizeof h->msg1));
    const struct om_identity *self = &o->net->self;

    om_epoch_prologue(o->epoch, &o->net->id, prologue);
    om_noise_init(&h->noise, true, self->dh_secret, self->dh_public, o->peer_dh, o->epoch->psk,
                  om_bytes(prologue, sizeof prologue));
    om_rng_fill(rng, ephemeral, sizeof ephemeral);
    enum om_err e = om_noise_write1_begin(&h->noise, ephemeral, &w);
    sodium_memzero(ephemeral, sizeof ephemeral);
    if (e != OM_OK)
        return e;
    if (o->net->invitation.is_held) {
        m.credential_kind = OM_CREDENTIAL_JOIN;
        m.credential = om_bytes(proof, om_proof_write(proof, o->net, h->noise.h));
    } else {
        m.credential = om_credential_ours(o->net, &m.credential_kind);
    }
    om_msg1_encode(&m, &p);
    if (p.bad)
        return OM_E_RANGE;
    e = om_noise_write1_finish(&h->noise, om_bytes(payload, om_wr_len(&p)), &w);
    if (e != OM_OK)
        return e;
    h->msg1_len = om_wr_len(&w);
    h->epoch = o->epoch;
    h->index = o->index;
    h->ciphers = m.ciphers;
    h->version_min = m.version_min;
    h->version_max = m.version_max;
    h->sent = 0;
    h->attempt++;
    h->is_waiting = true;
    return OM_OK;
}

void om_handshake_schedule(struct om_handshake *h, om_time now, struct om_prng *prng)
{
    om_time wait = h->attempt <= OM_HANDSHAKE_QUICK ? OM_MS(500) << (h->attempt - 1)
                                                    : OM_SEC(OM_HANDSHAKE_SLOW_S);

    h->next_at = now + om_prng_jitter(prng, wait, 20);
}

struct om_handshake_fields om_handshake_fields(const struct om_handshake *h, om_time now,
                                               const struct om_via *via, uint32_t coarse)
{
    bool use = h->has_cookie && now < h->cookie_until && om_via_equal(via, &h->cookie_via);

    return (struct om_handshake_fields){
        .kind = OM_HANDSHAKE_INIT,
        .sender = h->index,
        .coarse = coarse,
        .body = om_bytes(h->msg1, h->msg1_len),
        .cookie = use ? h->cookie : NULL,
        .pad_min = via->lane == 0 ? OM_HANDSHAKE_SECRET : 0, /* a lane's relay says where it is */
        .size_max = OM_HANDSHAKE_MAX,
    };
}

void om_handshake_sent(struct om_handshake *h, const struct om_via *via, struct om_bytes dgram)
{
    if (h->sent == OM_HANDSHAKE_COPIES_MAX)
        return; /* its cookie, should one come, is ignored, and its answer proves nothing */
    h->sent_to[h->sent] = *via;
    memcpy(h->sent_t[h->sent++], dgram.p + dgram.n - OM_MAC_BYTES, OM_MAC_BYTES);
}

bool om_handshake_is_from(const struct om_handshake *h, const struct om_via *via,
                          const struct om_handshake_plain *plain)
{
    for (unsigned i = 0; i < h->sent; i++)
        if (sodium_memcmp(h->sent_t[i], plain->mac2, OM_MAC_BYTES) == 0)
            return h->sent_to[i].lane == via->lane &&
                   om_addr_equal(&h->sent_to[i].remote, &via->remote);
    return false;
}

bool om_handshake_knows_t(const struct om_handshake *h, const struct om_handshake_plain *plain)
{
    for (unsigned i = 0; i < h->sent; i++)
        if (om_handshake_verify(plain, h->epoch, om_bytes(h->sent_t[i], OM_MAC_BYTES)))
            return true;
    return false;
}

bool om_handshake_cookie(struct om_handshake *h, om_time now, const struct om_via *via,
                         struct om_bytes body, om_time life)
{
    if (body.n != OM_MAC_BYTES)
        return false;
    bool is_same = h->has_cookie && sodium_memcmp(h->cookie, body.p, OM_MAC_BYTES) == 0;

    memcpy(h->cookie, body.p, OM_MAC_BYTES);
    h->has_cookie = true;
    h->cookie_via = *via;
    h->cookie_until = now + life;
    if ((is_same && h->cookie_used) || h->sent == OM_HANDSHAKE_COPIES_MAX)
        return false; /* the bound holds however many cookies a member on the path makes up */
    h->cookie_used = true;
    return true;
}

enum om_err om_handshake_response(struct om_handshake *h, struct om_bytes body,
                                  struct om_handshake_result *out)
{
    size_t n;
    enum om_err e = om_noise_read2(&h->noise, body, om_mut(out->payload, sizeof out->payload), &n);

    if (e != OM_OK)
        return e;
    e = om_msg2_decode(&out->msg2, om_bytes(out->payload, n));
    om_noise_split(&h->noise, out->first, out->second);
    return e;
}

bool om_handshake_is_offered(const struct om_handshake *h, const struct om_msg2 *m)
{
    bool one_bit = m->cipher != 0 && (m->cipher & (m->cipher - 1)) == 0;

    return one_bit && (m->cipher & h->ciphers) && m->version >= h->version_min &&
           m->version <= h->version_max;
}
