/*
 * fuzz_handshake.c - handshake datagrams and payloads: any bytes
 *
 * The first byte chooses: payload of msg1, of msg2, a whole datagram, or the body of a hello.
 * Payloads that decode encode to the same bytes, unknown fields aside. A datagram is masked
 * first, as its sender
 * would, so that the fuzzer's bytes are what the decoder sees behind the masks.
 */
#include <sodium.h>

#include "crypto/handshake_payload.h"
#include "fuzz.h"
#include "gossip/hello.h"

static void check_again(const struct om_wr *w, const uint8_t *bytes, size_t n)
{
    size_t len = om_wr_len(w);

    FUZZ_MUST(w->bad || (len <= n && memcmp(w->start, bytes, len) == 0));
}

static void fuzz_msg1(const uint8_t *bytes, size_t n)
{
    uint8_t again[OM_PAYLOAD_MAX];
    struct om_wr w = om_wr(om_mut(again, sizeof again));
    struct om_msg1 m;

    if (om_msg1_decode(&m, om_bytes(bytes, n)) != OM_OK)
        return;
    om_msg1_encode(&m, &w);
    check_again(&w, bytes, n);
}

static void fuzz_msg2(const uint8_t *bytes, size_t n)
{
    uint8_t again[OM_PAYLOAD_MAX];
    struct om_wr w = om_wr(om_mut(again, sizeof again));
    struct om_msg2 m;

    if (om_msg2_decode(&m, om_bytes(bytes, n)) != OM_OK)
        return;
    om_msg2_encode(&m, &w);
    check_again(&w, bytes, n);
}

/* What decodes has just the size of what it says, and is good only under a true signature. */
static void fuzz_hello(const uint8_t *bytes, size_t n)
{
    static const struct om_id self = {{1}}, network = {{7}};
    static const uint8_t sip[OM_SIP_KEY] = {9};
    struct om_hello_heard in = {.body = om_bytes(bytes, n), .self = &self, .network = &network};
    struct om_hello_budget budget;
    struct om_hello_ear ear;
    struct om_hello h, again;

    FUZZ_MUST(om_hello_ear_init(&ear, sip) == OM_OK);
    om_hello_budget_init(&budget, 0);
    bool is_hello = om_hello_decode(&h, in.body) == OM_OK;
    if (is_hello) {
        FUZZ_MUST(h.count <= OM_HELLO_ADDRS_MAX);
        FUZZ_MUST(n == OM_HELLO_BODY_MAX - (OM_HELLO_ADDRS_MAX - h.count) * OM_ADDR_WIRE);
        in.source = h.count > 0 ? h.addrs[0] : om_addr_v4(1, 1);
    }
    enum om_hello_verdict v = om_hello_judge(&ear, &budget, 0, &in, &again);
    FUZZ_MUST((v == OM_HELLO_FORM) == !is_hello);
    if (v == OM_HELLO_GOOD) {
        FUZZ_MUST(om_identity_verify(&h.id, "hello", &network, om_bytes(bytes, n - OM_SIGN_BYTES),
                                     bytes + n - OM_SIGN_BYTES));
        FUZZ_MUST(om_hello_may_act(&ear, &budget, 0, &h.id));
        FUZZ_MUST(om_hello_judge(&ear, &budget, 1, &in, &again) == OM_HELLO_OLD);
    }
    om_hello_ear_fini(&ear);
}

static void fuzz_datagram(uint8_t *bytes, size_t n)
{
    uint8_t nonce[crypto_stream_xchacha20_NONCEBYTES] = {0}, header[OM_HEADER_BYTES];
    const uint8_t secret[32] = {7};
    struct om_handshake_plain plain;
    struct om_epoch epoch;

    if (n < OM_HANDSHAKE_MIN || n > OM_HANDSHAKE_MAX)
        return;
    om_epoch_derive(&epoch, 0, secret);
    memcpy(header, bytes, sizeof header);
    memcpy(nonce, bytes + n - OM_MAC_BYTES, OM_MAC_BYTES);
    crypto_stream_xchacha20_xor(bytes + OM_HEADER_BYTES, bytes + OM_HEADER_BYTES,
                                n - OM_HEADER_BYTES - OM_MAC_BYTES, nonce, epoch.outer_stream);
    if (om_handshake_unmask(&plain, &epoch, om_bytes(bytes, n), header) != OM_OK)
        return;
    FUZZ_MUST(plain.body.p == plain.bytes + OM_HANDSHAKE_FRONT);
    FUZZ_MUST(OM_HANDSHAKE_FRONT + plain.body.n + OM_HANDSHAKE_BACK <= plain.len);
    FUZZ_MUST(!om_handshake_verify(&plain, &epoch, om_bytes(secret, sizeof secret)));
    FUZZ_MUST(!om_handshake_verify(&plain, &epoch, om_bytes(NULL, 0)));
    if (plain.kind == OM_HANDSHAKE_HELLO)
        fuzz_hello(plain.body.p, plain.body.n);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
        fuzz_msg1(copy, size - 1);
        break;
    case 1:
        fuzz_msg2(copy, size - 1);
        break;
    case 2:
        fuzz_datagram(copy, size - 1);
        break;
    default:
        fuzz_hello(copy, size - 1);
    }
    free(copy);
    return 0;
}
