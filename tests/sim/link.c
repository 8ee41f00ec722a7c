/* link.c - loss first, then the queue, then the way, then copies. */
#include "link.h"

enum { DEFAULT_LATENCY_MS = 10, DEFAULT_QUEUE = 64 * 1024 };

struct sim_link_model sim_link_model_default(void)
{
    return (struct sim_link_model){
        .latency = OM_MS(DEFAULT_LATENCY_MS),
        .spacing = OM_MS(1),
        .queue_bytes = DEFAULT_QUEUE,
    };
}

static bool draw(struct om_prng *prng, uint64_t ppm)
{
    return ppm > 0 && om_prng_below(prng, SIM_PPM) < ppm;
}

/* Gilbert's channel: a run of losses ends with probability 1/burst per datagram, and starts as
 * often as it takes for loss_ppm of all datagrams to fall into one. */
static bool is_lost(struct sim_link *l, const struct sim_link_model *m, struct om_prng *prng)
{
    if (m->burst <= 1 || m->loss_ppm == 0 || m->loss_ppm >= SIM_PPM) {
        l->is_bad = false;
        return draw(prng, m->loss_ppm);
    }
    if (l->is_bad)
        l->is_bad = !draw(prng, SIM_PPM / m->burst);
    else
        l->is_bad = draw(prng, (uint64_t)m->loss_ppm * SIM_PPM /
                                   ((uint64_t)m->burst * (SIM_PPM - m->loss_ppm)));
    return l->is_bad;
}

/* When the last bit has left, or OM_NEVER when the queue is full. */
static om_time leave_at(struct sim_link *l, const struct sim_link_model *m, om_time now,
                        size_t bytes)
{
    const uint64_t us = 1000000;
    uint64_t size = bytes + SIM_LINK_OVERHEAD;

    if (m->rate_bps == 0)
        return now;
    om_time start = l->free_at > now ? l->free_at : now;
    uint64_t queued = (uint64_t)(start - now) * m->rate_bps / (8 * us);
    if (queued > 0 && queued + size > m->queue_bytes)
        return OM_NEVER;
    l->free_at = start + (om_time)((size * 8 * us + m->rate_bps - 1) / m->rate_bps);
    return l->free_at;
}

struct sim_fate sim_link_pass(struct sim_link *l, const struct sim_link_model *m,
                              struct om_prng *prng, om_time now, size_t bytes)
{
    struct sim_fate f = {0};

    if (is_lost(l, m, prng))
        return f;
    om_time left = leave_at(l, m, now, bytes);
    if (left == OM_NEVER)
        return f;
    f.copies = draw(prng, m->dup_ppm) ? 2 : 1;
    for (unsigned i = 0; i < f.copies; i++) {
        f.at[i] = left + m->latency;
        if (m->jitter > 0)
            f.at[i] += (om_time)om_prng_below(prng, (uint64_t)m->jitter + 1);
        if (m->reorder > 1)
            f.at[i] += (om_time)om_prng_below(prng, m->reorder) * m->spacing;
        f.is_corrupt[i] = draw(prng, m->corrupt_ppm);
    }
    return f;
}
