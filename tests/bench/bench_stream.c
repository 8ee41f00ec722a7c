/* bench_stream.c - what a data packet of a stream costs either side, beside its bare AEAD. */
#include "bench_core.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/cipher.h"
#include "wire.h"

enum {
    ROUNDS = 60,
    PACKETS = 8000, /* a round; 8 round trips */
    PLAIN = 1172,   /* of a datagram of 1,200 bytes */
    WARM_MS = 200
};

static struct wire wire;

struct best {
    double send, receive, seal, open;
};

static void must(bool ok)
{
    if (!ok)
        abort();
}

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void lower(double *best, double ns)
{
    if (*best == 0 || ns < *best)
        *best = ns;
}

/* As many packets sealed, then opened, over memory of the size that a batch has. */
static void bare_round(struct om_aead *seal, struct om_aead *open, struct best *best)
{
    static uint8_t text[WIRE_BATCH][PLAIN], tag[WIRE_BATCH][16];
    uint8_t aad[12] = {0};
    double sealing = 0, opening = 0;

    for (unsigned at = 0; at < PACKETS; at += WIRE_BATCH) {
        double from = now_ns();
        for (unsigned i = 0; i < WIRE_BATCH; i++)
            must(om_aead_seal(seal, at + i, om_bytes(aad, 12), text[i], PLAIN, tag[i]));
        double middle = now_ns();
        for (unsigned i = 0; i < WIRE_BATCH; i++)
            must(om_aead_open(open, at + i, om_bytes(aad, 12), text[i], PLAIN, tag[i]));
        sealing += middle - from;
        opening += now_ns() - middle;
    }
    lower(&best->seal, sealing / PACKETS);
    lower(&best->open, opening / PACKETS);
}

static void stream_round(struct best *best)
{
    struct wire *w = &wire;
    uint64_t packets = w->end[0].sent_full, received = w->call[0].received;

    w->end[0].ns = w->end[1].ns = 0;
    while (w->end[0].sent_full - packets < PACKETS)
        wire_step(w);
    packets = w->end[0].sent_full - packets;
    must(w->call[0].received - received > packets * 1000); /* it flows, and whole */
    lower(&best->send, w->end[0].ns / (double)packets);
    lower(&best->receive, w->end[1].ns / (double)packets);
}

static void bench_cipher(struct bench_report *r, const struct om_cipher *cipher)
{
    const uint8_t key[32] = {7};
    struct om_aead seal, open;
    struct best best = {0};
    char group[64];

    must(om_aead_init(&seal, cipher, key, true) == OM_OK);
    must(om_aead_init(&open, cipher, key, false) == OM_OK);
    wire_init(&wire, (uint8_t)cipher->id, UINT64_C(10000000000), OM_MS(1));
    wire_call(&wire);
    wire_run(&wire, OM_MS(WARM_MS));
    for (unsigned i = 0; i < ROUNDS; i++) {
        bare_round(&seal, &open, &best);
        stream_round(&best);
    }
    must(wire.end[0].dropped + wire.end[1].dropped == 0);
    snprintf(group, sizeof group, "stream %s 1200", cipher->name);
    bench_row(r, group, "bare AEAD, seal", best.seal, PLAIN, 1);
    bench_row(r, group, "stream, send", best.send, PLAIN, best.send / best.seal);
    bench_row(r, group, "bare AEAD, open", best.open, PLAIN, 1);
    bench_row(r, group, "stream, receive", best.receive, PLAIN, best.receive / best.open);
    wire_fini(&wire);
    om_aead_fini(&seal);
    om_aead_fini(&open);
}

void bench_stream(struct bench_report *r)
{
    static const enum om_cipher_id ids[] = {OM_CIPHER_CHACHA, OM_CIPHER_AES};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(ids); i++)
        if (om_cipher_offered() & ids[i])
            bench_cipher(r, om_cipher_get(ids[i]));
}
