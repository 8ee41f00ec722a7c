/*
 * fuzz_handshake.c - handshake datagrams and payloads: any bytes
 *
 * The first byte chooses: payload of msg1, of msg2, or a whole datagram. Payloads that decode
 * encode to the same bytes, unknown fields aside. A datagram is masked first, as its sender
 * would, so that the fuzzer's bytes are what the decoder sees behind the masks.
 */
#include <sodium.h>

#include "crypto/handshake_payload.h"
#include "fuzz.h"

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
}

int fuzz_one(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        fuzz_msg1(copy, size - 1);
        break;
    case 1:
        fuzz_msg2(copy, size - 1);
        break;
    default:
        fuzz_datagram(copy, size - 1);
    }
    free(copy);
    return 0;
}
