/* node_probe.c - probes of a peer, and echoes for its own, on channel "om.probe". */
#include <stdlib.h>

#include "node/size.h"

/* @head, and zeros up to @size. */
static void send(struct om_node *n, om_time now, struct om_peer *p,
                 const uint8_t head[static OM_PROBE_SIZE], size_t size)
{
    uint8_t bytes[OM_PROBE_BYTES_MAX] = {0};

    memcpy(bytes, head, OM_PROBE_SIZE);
    if (node_send_datagram(n, now, p, OM_PROBE_CHANNEL, om_bytes(bytes, size)) != OM_OK)
        node_drop(n, OM_DROP_QUEUE_FULL);
}

/* What the machines know; what follows only makes it large. */
static struct om_bytes head_of(struct om_bytes data)
{
    return om_bytes(data.p, data.n > OM_PROBE_SIZE ? OM_PROBE_SIZE : data.n);
}

void node_probe_end(struct om_node *n, struct om_peer *p)
{
    if (p->probe)
        om_timer_stop(&n->timers, &p->probe->timer);
    free(p->probe);
    free(p->echo);
    p->probe = NULL;
    p->echo = NULL;
}

static void report(struct om_node *n, struct om_peer *p)
{
    struct om_act *act = node_act(n, OM_ACT_HEALTH);

    if (act) {
        act->health = (struct om_act_health){.network = p->net->id, .peer = p->id};
        om_probe_result(&p->probe->run, &act->health.result);
    }
    om_timer_stop(&n->timers, &p->probe->timer);
    free(p->probe);
    p->probe = NULL;
}

/* Send what is due, and come again for the rest; the end frees the run. */
static void go_on(struct om_node *n, om_time now, struct om_peer *p)
{
    uint8_t bytes[OM_PROBE_SIZE];

    om_probe_tick(&p->probe->run, now);
    while (om_probe_next(&p->probe->run, now, bytes))
        send(n, now, p, bytes, p->probe->size);
    om_time at = om_probe_deadline(&p->probe->run);
    if (at == OM_NEVER || om_timer_arm(&n->timers, &p->probe->timer, at) != OM_OK)
        report(n, p);
}

static void fire(struct om_timer *t, om_time now)
{
    struct node_probe *r = OM_CONTAINER_OF(t, struct node_probe, timer);

    go_on(r->node, now, r->peer);
}

static void echo(struct om_node *n, om_time now, struct om_peer *p, struct om_bytes in)
{
    uint8_t bytes[OM_PROBE_SIZE];

    if (!p->echo) {
        p->echo = calloc(1, sizeof *p->echo);
        if (!p->echo) {
            node_drop(n, OM_DROP_MEMORY);
            return;
        }
        om_probe_echo_init(p->echo, now);
    }
    if (om_probe_echo(p->echo, now, head_of(in), bytes))
        send(n, now, p, bytes, in.n);
}

bool node_probe_datagram(struct om_node *n, om_time now, struct om_peer *p,
                         const struct om_frame_datagram *d)
{
    if (strcmp(d->channel, OM_PROBE_CHANNEL) != 0)
        return false;
    if (d->data.n <= OM_PROBE_BYTES_MAX && om_probe_is_probe(head_of(d->data)))
        echo(n, now, p, d->data);
    else if (p->probe) { /* as large as it was sent, or no echo */
        om_probe_input(&p->probe->run, now,
                       d->data.n == p->probe->size ? head_of(d->data) : om_bytes(NULL, 0));
        go_on(n, now, p);
    }
    return true;
}

enum om_err om_node_probe(struct om_node *n, om_time now, const struct om_id *network,
                          const struct om_id *peer, unsigned count, om_time pace, size_t size)
{
    struct om_peer *p;
    enum om_err e = node_find_reachable(n, network, peer, &p);

    if (e != OM_OK)
        return e;
    if (size > OM_PROBE_BYTES_MAX || (size > 0 && size < OM_PROBE_SIZE))
        return OM_E_RANGE;
    if (p->probe)
        return OM_E_BUSY;
    struct node_probe *r = calloc(1, sizeof *r);
    if (!r)
        return OM_E_NO_MEM;
    e = om_probe_start(&r->run, now, &n->rng, count, pace);
    if (e != OM_OK) {
        free(r);
        return e;
    }
    r->node = n;
    r->peer = p;
    r->size = size > 0 ? size : OM_PROBE_SIZE;
    r->timer.fire = fire;
    r->timer.at = OM_NEVER;
    p->probe = r;
    go_on(n, now, p);
    return OM_OK;
}
