/* pipe.c - policer, queue, sender, wire. */
#include "pipe.h"

void sim_pipe_init(struct sim_pipe *p)
{
    *p = (struct sim_pipe){.next = OM_NEVER, .model.queue_bytes = SIM_PIPE_BYTES};
    enum om_err e = om_ring_init(&p->queue, sizeof(struct sim_pipe_item), SIM_PIPE_QUEUE);
    OM_BUG_IF(e != OM_OK);
    sim_meter_start(&p->meter, &p->rate, 0);
}

void sim_pipe_fini(struct sim_pipe *p)
{
    om_ring_fini(&p->queue);
}

static bool same_police(const struct sim_pipe_model *a, const struct sim_pipe_model *b)
{
    return a->police_bps == b->police_bps && a->police_bytes == b->police_bytes;
}

static uint32_t at_most_u32(uint64_t v)
{
    return v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

/* The head begins to leave at @start, and has waited until then. */
static void send_head(struct sim_pipe *p, om_time start)
{
    const struct sim_pipe_item *i = om_ring_front(&p->queue);

    if (!i) {
        p->next = OM_NEVER;
        return;
    }
    sim_meter_wait(&p->meter, start > i->since ? start - i->since : 0);
    p->next =
        p->model.rate_bps > 0 ? sim_rate_send(&p->rate, p->model.rate_bps, start, i->size) : start;
}

void sim_pipe_change(struct sim_pipe *p, const struct sim_pipe_model *m, om_time now)
{
    if (!same_police(&p->model, m))
        om_bucket_init(&p->police, at_most_u32(m->police_bps / 8), at_most_u32(m->police_bytes),
                       now);
    if (p->next != OM_NEVER && p->model.rate_bps != m->rate_bps) {
        om_time left = sim_rate_change(&p->rate, m->rate_bps, now);
        p->next = m->rate_bps > 0 && left > now ? left : now;
    }
    p->model = *m;
}

void sim_pipe_measure(struct sim_pipe *p, om_time now)
{
    sim_meter_start(&p->meter, &p->rate, now);
}

static bool drop(struct sim_pipe *p, enum sim_lapse why, size_t size)
{
    sim_meter_drop(&p->meter, why, size);
    return false;
}

bool sim_pipe_input(struct sim_pipe *p, om_time now, void *what, size_t size)
{
    const struct sim_pipe_model *m = &p->model;

    sim_meter_in(&p->meter, size);
    if (m->police_bps > 0 && !om_bucket_take(&p->police, now, at_most_u32(size)))
        return drop(p, SIM_LAPSE_POLICE, size);
    if (p->queued > 0 && m->rate_bps > 0 &&
        (p->queued > m->queue_bytes || size > m->queue_bytes - p->queued))
        return drop(p, SIM_LAPSE_FULL, size);
    struct sim_pipe_item *i = om_ring_push(&p->queue);
    if (!i)
        return drop(p, SIM_LAPSE_FULL, size);
    *i = (struct sim_pipe_item){.what = what, .size = size, .since = now};
    p->queued += size;
    if (p->next == OM_NEVER)
        send_head(p, now);
    return true;
}

bool sim_pipe_output(struct sim_pipe *p, om_time now, struct om_prng *prng,
                     struct sim_pipe_item *out, bool *lost)
{
    if (p->next > now)
        return false;
    const struct sim_pipe_item *head = om_ring_front(&p->queue);
    om_time left = p->next;

    *out = *head;
    om_ring_pop(&p->queue);
    p->queued -= out->size;
    *lost = sim_loss_draw(&p->is_bad, &p->model.loss, prng);
    if (*lost)
        sim_meter_drop(&p->meter, SIM_LAPSE_LOST, out->size);
    else
        sim_meter_out(&p->meter, out->size);
    /* The next one follows without a gap, in the middle of a microsecond perhaps. */
    send_head(p, p->rate.free_at >= left - 1 ? p->rate.free_at : left);
    return true;
}
