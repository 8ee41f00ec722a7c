/*
 * model_randomness.c - to an outsider every datagram is uniform random bytes (PROTOCOL 9)
 *
 * Over 10,000 datagrams of every kind, seeded: no two equal; no byte position, and no XOR of two
 * positions, deviates from uniform. 44 positions (the first 28 and the last 16 bytes) and their
 * 946 pairs, for all datagrams and for each kind: the threshold is chi-square with 255 degrees
 * of freedom at 5e-7, so that the whole family errs once in about 400 seeds. With one header
 * mask switched off the same test must fail.
 */
#include "harness.h"
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "node/state.h"

enum {
    FRONT = 28,
    BACK = 16,
    PLACES = FRONT + BACK,
    SAMPLES_MAX = 16000,
    WANTED = 10000,
    KINDS = 5 /* 0 data, else enum om_handshake_kind */
};

/* 255 (1 - 2/(9 255) + 4.9 sqrt(2/(9 255)))^3: Wilson and Hilferty's approximation at p = 5e-7. */
static const double THRESHOLD = 381.6;

struct sample {
    uint8_t place[PLACES];
    uint8_t kind;
};

static struct sample samples[SAMPLES_MAX];
static unsigned count, by_kind[KINDS];
static struct om_epoch epoch;

static void take_sample(const struct pair_dgram *d)
{
    struct sample *s = &samples[count];
    uint8_t header[OM_HEADER_BYTES];

    if (count == SAMPLES_MAX || d->len < PLACES)
        return;
    memcpy(s->place, d->bytes, FRONT);
    memcpy(s->place + FRONT, d->bytes + d->len - BACK, BACK);
    om_header_mask(epoch.mask, om_bytes(d->bytes, d->len), header);
    s->kind = om_header_decode(header).index == 0 ? header[5] : 0;
    by_kind[s->kind]++;
    count++;
}

/* A run with many short sessions under load, so that all kinds are on the tape. */
static void record(uint64_t seed)
{
    struct pair_options o = pair_defaults();
    struct om_prng prng;
    struct pair p;
    char text[600];

    om_prng_seed(&prng, seed);
    o.seed = seed;
    o.audit = false;
    o.limits.load_per_s = 1;
    o.limits.source_per_s = 1000;
    o.limits.source_burst = 1000;
    o.limits.cookie_life = OM_MS(10); /* a new cookie for each handshake */
    CHECK(pair_init(&p, &o));
    while (p.sent < PAIR_TAPE_MAX - 100 && count < SAMPLES_MAX) {
        (void)!pair_connect(&p, 0);
        pair_run(&p, p.now + OM_MS(90)); /* a cookie makes it two round trips */
        for (int i = 0; i < 2; i++) {
            size_t n = om_prng_below(&prng, sizeof text - 1);
            memset(text, 'a', n);
            text[n] = '\0';
            (void)!pair_send(&p, i % 2, text);
        }
        pair_run(&p, p.now + OM_MS(50));
        (void)!om_node_close(p.side[0].node, p.now, &p.network, &p.side[1].id, 0, "enough");
        pair_run(&p, p.now + OM_MS(20));
    }
    for (unsigned i = 0; i < p.sent; i++)
        take_sample(&p.tape[i]);
    pair_fini(&p);
}

static double chi_square(const unsigned counts[256], unsigned n)
{
    double want = n / 256.0, sum = 0;

    for (int v = 0; v < 256; v++)
        sum += (counts[v] - want) * (counts[v] - want) / want;
    return sum;
}

/* The greatest chi-square of all positions and pairs, for one kind or (-1) all. */
static double worst_of(int kind)
{
    double worst = 0;

    for (int i = 0; i < PLACES; i++) {
        for (int j = i; j < PLACES; j++) {
            unsigned counts[256] = {0}, n = 0;
            for (unsigned s = 0; s < count; s++) {
                if (kind >= 0 && samples[s].kind != kind)
                    continue;
                counts[j == i ? samples[s].place[i] : samples[s].place[i] ^ samples[s].place[j]]++;
                n++;
            }
            double c = chi_square(counts, n);
            worst = c > worst ? c : worst;
        }
    }
    return worst;
}

static int compare(const void *a, const void *b)
{
    return memcmp(((const struct sample *)a)->place, ((const struct sample *)b)->place, PLACES);
}

OM_TEST(randomness_of_every_kind_on_the_wire)
{
    const uint8_t which[2] = {0, 0};
    uint8_t secret[32];

    om_hash(secret, om_bytes("secret", 6), om_bytes(which, sizeof which));
    om_epoch_derive(&epoch, 0, secret);
    record(20261121);
    printf("%u datagrams: %u data, %u init, %u response, %u cookie\n", count, by_kind[0],
           by_kind[1], by_kind[2], by_kind[3]);
    CHECK(count >= WANTED);
    for (int kind = 0; kind <= OM_HANDSHAKE_COOKIE; kind++)
        CHECK(by_kind[kind] >= 1280); /* five expected per cell */

    qsort(samples, count, sizeof samples[0], compare);
    for (unsigned i = 1; i < count; i++)
        CHECK(compare(&samples[i - 1], &samples[i]) != 0);
    for (int kind = -1; kind <= OM_HANDSHAKE_COOKIE; kind++) {
        double worst = worst_of(kind);
        printf("kind %2d: worst chi-square %.1f, threshold %.1f\n", kind, worst, THRESHOLD);
        CHECK(worst < THRESHOLD);
    }
}

/* The header as it would leave with its mask switched off: the same bytes, unmasked. */
OM_TEST(randomness_test_sees_a_missing_mask)
{
    const uint8_t kinds[] = {0, OM_HANDSHAKE_INIT};

    for (unsigned k = 0; k < OM_ARRAY_SIZE(kinds); k++) {
        for (int undo = 0; undo < 2; undo++) { /* off, measure, on again */
            for (unsigned s = 0; s < count; s++)
                if (samples[s].kind == kinds[k])
                    om_header_mask(epoch.mask, om_bytes(samples[s].place, PLACES),
                                   samples[s].place);
            if (!undo)
                CHECK(worst_of(-1) > THRESHOLD);
        }
        CHECK(worst_of(-1) < THRESHOLD);
    }
}
