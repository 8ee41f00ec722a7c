/* node_probe.c - probes of a peer, and echoes for its own, on channel "om.probe". */
#include <stdlib.h>

#include "node/state.h"

static void send(struct om_node *n, om_time now, struct om_peer *p,
                 const uint8_t bytes[static OM_PROBE_SIZE])
{
    if (node_send_datagram(n, now, p, OM_PROBE_CHANNEL, om_bytes(bytes, OM_PROBE_SIZE)) != OM_OK)
        node_drop(n, OM_DROP_QUEUE_FULL);
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
        send(n, now, p, bytes);
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
    if (om_probe_echo(p->echo, now, in, bytes))
        send(n, now, p, bytes);
}

bool node_probe_datagram(struct om_node *n, om_time now, struct om_peer *p,
                         const struct om_frame_datagram *d)
{
    if (strcmp(d->channel, OM_PROBE_CHANNEL) != 0)
        return false;
    if (om_probe_is_probe(d->data))
        echo(n, now, p, d->data);
    else if (p->probe) {
        om_probe_input(&p->probe->run, now, d->data);
        go_on(n, now, p);
    }
    return true;
}

enum om_err om_node_probe(struct om_node *n, om_time now, const struct om_id *network,
                          const struct om_id *peer, unsigned count, om_time pace)
{
    struct om_peer *p;
    enum om_err e = node_find_reachable(n, network, peer, &p);

    if (e != OM_OK)
        return e;
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
    r->timer.fire = fire;
    r->timer.at = OM_NEVER;
    p->probe = r;
    go_on(n, now, p);
    return OM_OK;
}
