/* latency.c - rings of samples. */
#include "latency.h"

#include <stdlib.h>
#include <string.h>

enum { KEY = 2 * OM_ID_BYTES };

struct samples {
    om_time at[OM_LATENCY_SAMPLES];
    uint32_t rtt_us[OM_LATENCY_SAMPLES];
    unsigned next, count;
};

enum om_err latency_init(struct latency *l, const uint8_t sip_key[static 16])
{
    return om_lru_init(&l->peers, KEY, sizeof(struct samples), OM_LATENCY_PEERS_MAX, sip_key);
}

void latency_fini(struct latency *l)
{
    om_lru_fini(&l->peers);
}

static void make_key(uint8_t out[static KEY], const struct om_id *network, const struct om_id *peer)
{
    memcpy(out, network->b, OM_ID_BYTES);
    memcpy(out + OM_ID_BYTES, peer->b, OM_ID_BYTES);
}

void latency_add(struct latency *l, om_time now, const struct om_id *network,
                 const struct om_id *peer, om_time rtt)
{
    uint8_t key[KEY];

    make_key(key, network, peer);
    struct samples *s = om_lru_put(&l->peers, key, NULL);
    if (!s || rtt <= 0)
        return;
    s->at[s->next] = now;
    s->rtt_us[s->next] = rtt < UINT32_MAX ? (uint32_t)rtt : UINT32_MAX;
    s->next = (s->next + 1) % OM_LATENCY_SAMPLES;
    s->count += s->count < OM_LATENCY_SAMPLES;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static om_time rank(const uint32_t *sorted, unsigned n, unsigned percent)
{
    return sorted[(n * percent + 99) / 100 - 1];
}

bool latency_of(const struct latency *l, om_time now, const struct om_id *network,
                const struct om_id *peer, struct latency_figures *out)
{
    uint32_t young[OM_LATENCY_SAMPLES];
    uint8_t key[KEY];
    unsigned n = 0;
    om_time sum = 0;

    make_key(key, network, peer);
    const struct samples *s = om_lru_peek(&l->peers, key);
    for (unsigned i = 0; s && i < s->count; i++)
        if (now - s->at[i] <= OM_LATENCY_SAMPLES * OM_LATENCY_EVERY) {
            young[n++] = s->rtt_us[i];
            sum += s->rtt_us[i];
        }
    if (n == 0)
        return false;
    qsort(young, n, sizeof *young, ascending);
    *out = (struct latency_figures){.samples = n,
                                    .mean = sum / n,
                                    .p50 = rank(young, n, 50),
                                    .p95 = rank(young, n, 95),
                                    .p99 = rank(young, n, 99)};
    return true;
}
