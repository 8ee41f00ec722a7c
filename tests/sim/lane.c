/* lane.c - a dumbbell: senders on the left, receivers on the right, one bottleneck. */
#include "lane.h"

#include <string.h>

#include "request.h"

enum {
    HEADS = SIM_LINK_OVERHEAD, /* of IP and UDP */
    SEAL = 28,                 /* PROTOCOL 2 */
    STREAM_HEAD = 3 + 4 + 8 + 1
};

static struct sim_actor *add(struct sim_lane *l, char side, unsigned i, enum om_congestion c)
{
    const struct sim_node_spec spec = {.congestion = c};
    char name[16];

    snprintf(name, sizeof name, "%c%u", side, i);
    return sim_node_add(l->w, name, &spec);
}

/* A session of @a with @b, before anything passes the bottleneck. */
static void meet(struct sim_lane *l, struct sim_actor *a, struct sim_actor *b, om_time rtt)
{
    sim_pair_model(l->w, sim_pair(l->w, a, b))->latency = rtt / 2;
    sim_pair_model(l->w, sim_pair(l->w, b, a))->latency = rtt / 2;
    if (sim_connect(a, NULL, b, NULL, 0) != OM_OK)
        sim_break(l->w, "%s does not connect", a->name);
}

void sim_lane_init(struct sim_lane *l, uint64_t seed, const struct sim_pipe_model *model,
                   const struct sim_lane_pair *pairs, unsigned count)
{
    struct sim_actor *a[SIM_LANE_FLOWS], *b[SIM_LANE_FLOWS];

    *l = (struct sim_lane){.w = sim_world_new(seed, NULL),
                           .rate_bps = model->police_bps ? model->police_bps : model->rate_bps};
    sim_network_add(l->w, "main", true, 0);
    for (unsigned i = 0; i < count; i++) {
        a[i] = add(l, 'a', i, pairs[i].congestion);
        b[i] = add(l, 'b', i, pairs[i].congestion);
        meet(l, a[i], b[i], pairs[i].rtt);
    }
    sim_run(l->w, OM_SEC(1));
    l->neck = sim_neck_add(l->w, "neck");
    sim_neck_change(l->neck, model);
    l->started_at = l->w->now;
    for (unsigned i = 0; i < count; i++) {
        sim_neck_lead(l->neck, a[i], b[i]);
        sim_run(l->w, l->started_at + pairs[i].starts_at);
        for (unsigned f = 0; f < pairs[i].flows && l->count < SIM_LANE_FLOWS; f++)
            l->flows[l->count++] = sim_flow_start(a[i], b[i], UINT64_MAX, OM_NORMAL);
    }
    sim_lane_mark(l);
}

void sim_lane_fini(struct sim_lane *l)
{
    sim_world_free(l->w);
}

void sim_lane_run(struct sim_lane *l, om_time time)
{
    sim_run(l->w, l->w->now + time);
}

void sim_lane_mark(struct sim_lane *l)
{
    l->marked_at = l->w->now;
    for (unsigned i = 0; i < l->count; i++)
        l->mark[i] = l->flows[i]->received;
    sim_pipe_measure(&l->neck->pipe, l->w->now);
}

static double rate(const struct sim_lane *l, unsigned i)
{
    return sim_flow_rate(l->flows[i]->received - l->mark[i], l->w->now - l->marked_at);
}

double sim_lane_rate(const struct sim_lane *l, unsigned first, unsigned last)
{
    double sum = 0;

    for (unsigned i = first; i <= last; i++)
        sum += rate(l, i);
    return sum;
}

double sim_lane_share(const struct sim_lane *l, unsigned first, unsigned last)
{
    const double payload = (double)(OM_DGRAM_MAX - SEAL - STREAM_HEAD) / (OM_DGRAM_MAX + HEADS);

    return sim_lane_rate(l, first, last) / (payload * (double)l->rate_bps);
}

double sim_lane_jain(const struct sim_lane *l, unsigned first, unsigned last)
{
    double sum = 0, squares = 0;

    for (unsigned i = first; i <= last; i++) {
        sum += rate(l, i);
        squares += rate(l, i) * rate(l, i);
    }
    return squares > 0 ? sum * sum / (squares * (last - first + 1)) : 0;
}

om_time sim_lane_queue(const struct sim_lane *l)
{
    return sim_meter_percentile(&l->neck->pipe.meter, 95);
}

double sim_lane_dropped(const struct sim_lane *l)
{
    const struct sim_meter *m = &l->neck->pipe.meter;
    uint64_t dropped = m->dropped[SIM_LAPSE_FULL] + m->dropped[SIM_LAPSE_POLICE];

    return m->packets_in > 0 ? (double)dropped / (double)m->packets_in : 0;
}
