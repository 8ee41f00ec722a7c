/* link.c - loss first, then the queue, then the way, then copies. */
#include "link.h"

enum { DEFAULT_LATENCY_MS = 10, DEFAULT_QUEUE = 64 * 1024 };

struct sim_link_model sim_link_model_default(void)
{
    return (struct sim_link_model){
        .latency = OM_MS(DEFAULT_LATENCY_MS),
        .spacing = OM_MS(1),
        .mtu = SIM_LINK_MTU,
        .queue_bytes = DEFAULT_QUEUE,
    };
}

/* When the last bit has left, or OM_NEVER when the queue is full. */
static om_time leave_at(struct sim_link *l, const struct sim_link_model *m, om_time now,
                        size_t size)
{
    const uint64_t us = 1000000;

    if (m->rate_bps == 0)
        return now;
    uint64_t wait = (uint64_t)sim_rate_wait(&l->rate, now);
    uint64_t queued =
        wait > UINT64_MAX / m->rate_bps ? UINT64_MAX / 2 : wait * m->rate_bps / (8 * us);
    if (queued > 0 && queued + size > m->queue_bytes)
        return OM_NEVER;
    if (l->meter)
        sim_meter_wait(l->meter, (om_time)wait);
    return sim_rate_send(&l->rate, m->rate_bps, now, size);
}

static void drop(const struct sim_link *l, enum sim_lapse why, size_t size)
{
    if (l->meter)
        sim_meter_drop(l->meter, why, size);
}

struct sim_fate sim_link_pass(struct sim_link *l, const struct sim_link_model *m,
                              struct om_prng *prng, om_time now, size_t bytes)
{
    size_t size = bytes + SIM_LINK_OVERHEAD;
    struct sim_fate f = {0};

    if (l->meter)
        sim_meter_in(l->meter, size);
    if (m->mtu != 0 && size > m->mtu) {
        drop(l, SIM_LAPSE_SIZE, size);
        return f;
    }
    if (sim_loss_draw(&l->is_bad, &m->loss, prng)) {
        drop(l, SIM_LAPSE_LOST, size);
        return f;
    }
    om_time left = leave_at(l, m, now, size);
    if (left == OM_NEVER) {
        drop(l, SIM_LAPSE_FULL, size);
        return f;
    }
    if (l->meter)
        sim_meter_out(l->meter, size);
    f.copies = sim_chance(prng, m->dup_ppm) ? 2 : 1;
    for (unsigned i = 0; i < f.copies; i++) {
        f.at[i] = left + m->latency;
        if (m->jitter > 0)
            f.at[i] += (om_time)om_prng_below(prng, (uint64_t)m->jitter + 1);
        if (m->reorder > 1)
            f.at[i] += (om_time)om_prng_below(prng, m->reorder) * m->spacing;
        f.is_corrupt[i] = sim_chance(prng, m->corrupt_ppm);
    }
    return f;
}
