/* flight.c - from sim_transmit() to the node at the other end. */
#include "flight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "attack.h"
#include "router.h"
#include "socket.h"

enum { FLIGHT_BYTES = 1500 }; /* that most fit; memory of this size is used again */

/* A datagram under way. */
struct sim_flight {
    struct om_timer timer;
    struct sim_pair *pair;   /* by whom it was sent, and to whom at that time */
    struct sim_flight *next; /* of the spare ones */
    struct om_addr from, to;
    struct sim_router *gate; /* decides on arrival whom it is for; NULL: @to is somebody's own */
    unsigned ttl;
    bool is_junk;
    bool is_group; /* one copy of what went to a multicast group */
    size_t len;
    uint8_t data[];
};

static void arrive(struct om_timer *t, om_time now);

static struct sim_flight *flight_new(struct sim_pair *p, const struct om_addr *from,
                                     const struct om_addr *to, struct om_bytes data)
{
    struct sim_world *w = p->self->world;
    struct sim_flight *f = w->spare;

    if (data.n > FLIGHT_BYTES)
        f = sim_alloc(sizeof *f + data.n);
    else if (f)
        w->spare = f->next;
    else
        f = sim_alloc(sizeof *f + FLIGHT_BYTES);
    f->timer = (struct om_timer){.fire = arrive};
    f->pair = p;
    f->from = *from;
    f->to = *to;
    f->is_junk = p->self->is_attacker;
    f->is_group = false;
    f->gate = NULL;
    f->len = data.n;
    memcpy(f->data, data.p, data.n);
    return f;
}

static void flight_free(struct sim_flight *f)
{
    struct sim_world *w = f->pair->self->world;

    if (f->len > FLIGHT_BYTES) {
        free(f);
        return;
    }
    f->next = w->spare;
    w->spare = f;
}

static void lose(struct sim_flight *f)
{
    const struct sim_pair *p = f->pair;
    struct sim_world *w = p->self->world;

    sim_trace_add(&w->trace, w->now, SIM_TRACE_LOSE, p->self->name, p->other->name,
                  om_bytes(NULL, 0));
    flight_free(f);
}

/* Into the link: the last copy is the flight itself. */
static void depart(struct sim_flight *f)
{
    struct sim_pair *p = f->pair;
    struct sim_world *w = p->self->world;
    struct sim_fate fate =
        sim_link_pass(&p->link, p->is_default ? &w->model : &p->model, &w->prng, w->now, f->len);

    if (fate.copies == 0)
        lose(f);
    for (unsigned i = 0; i < fate.copies; i++) {
        struct sim_flight *g = f;
        if (i + 1 < fate.copies)
            g = flight_new(p, &f->from, &f->to, om_bytes(f->data, f->len));
        g->is_group = f->is_group;
        g->gate = f->gate;
        g->ttl = f->ttl;
        if (fate.is_corrupt[i]) {
            uint64_t bit = om_prng_below(&w->prng, g->len * 8);
            g->data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
        sim_arm(w, &g->timer, fate.at[i]);
        if (!om_timer_is_armed(&g->timer))
            flight_free(g);
    }
}

static void neck_arm(struct sim_neck *n)
{
    if (n->pipe.next == OM_NEVER)
        om_timer_stop(&n->world->events, &n->timer);
    else if (!om_timer_is_armed(&n->timer) || n->timer.at != n->pipe.next)
        sim_arm(n->world, &n->timer, n->pipe.next);
}

static void neck_fire(struct om_timer *t, om_time now)
{
    struct sim_neck *n = OM_CONTAINER_OF(t, struct sim_neck, timer);
    struct sim_pipe_item out;
    bool lost;

    while (sim_pipe_output(&n->pipe, now, &n->world->prng, &out, &lost)) {
        if (lost)
            lose(out.what);
        else
            depart(out.what);
    }
    neck_arm(n);
}

static void enter(struct sim_neck *n, struct sim_flight *f)
{
    if (sim_pipe_input(&n->pipe, n->world->now, f, f->len + SIM_LINK_OVERHEAD))
        neck_arm(n);
    else
        lose(f);
}

/* Who has address @a; most often @guess. */
static struct sim_actor *actor_at(const struct sim_world *w, struct sim_actor *guess,
                                  const struct om_addr *a)
{
    return guess && om_addr_equal(&guess->addr, a) ? guess : sim_actor_at(w, a);
}

/* To @r->other; @is_group: of what went to a multicast group. */
static void transmit_to(struct sim_actor *by, const struct sim_route *r,
                        const struct sim_nat_packet *packet, struct om_bytes data, bool is_group)
{
    struct sim_world *w = by->world;
    struct sim_actor *other = r->other;
    const struct om_addr *from = &packet->from, *to = &packet->to;
    struct sim_pair *p = sim_pair(w, by, other);

    sim_trace_add(&w->trace, w->now, SIM_TRACE_SEND, by->name, other->name, data);
    if (data.n == 0)
        return;
    p->sent++;
    if (p->tape)
        sim_tape_add(p->tape, from, to, data);
    struct sim_flight *f = flight_new(p, from, to, data);
    f->is_group = is_group;
    f->gate = r->gate;
    f->ttl = packet->ttl;
    if (p->is_cut || by->is_isolated || other->is_isolated)
        lose(f);
    else if (p->neck)
        enter(p->neck, f);
    else
        depart(f);
}

/* To everybody else on the segment of @by, whatever groups they joined; how many there are. */
static unsigned spread(struct sim_actor *by, const struct sim_nat_packet *p, struct om_bytes data)
{
    const struct sim_world *w = by->world;
    unsigned count = 0;

    for (unsigned i = 0; by->lan > 0 && i < w->actor_count; i++)
        if (w->actors[i] != by && w->actors[i]->lan == by->lan) {
            transmit_to(by, &(struct sim_route){.other = w->actors[i]}, p, data, true);
            count++;
        }
    return count;
}

static void send_packet(struct sim_actor *by, struct sim_nat_packet *p, struct om_bytes data)
{
    struct sim_world *w = by->world;
    struct sim_route r = {.lost_at = ""};
    unsigned ttl = p->ttl;

    if (w->on_wire)
        w->on_wire(w->on_wire_self, by, &p->to, true);
    if (om_addr_classify(&p->to) == OM_ADDR_MULTICAST || (w->router_count == 0 && ttl > w->hops))
        r.other = actor_at(w, by->last ? by->last->other : NULL, &p->to);
    else
        sim_route_out(by, p, &r);
    if (r.expired.port != 0)
        sim_socket_expired(by, ttl, &r.expired);
    if (r.other)
        transmit_to(by, &r, p, data, false);
    else if (*r.lost_at)
        sim_trace_add(&w->trace, w->now, SIM_TRACE_LOSE, by->name, r.lost_at, data);
    else if (om_addr_classify(&p->to) != OM_ADDR_MULTICAST || spread(by, p, data) == 0)
        sim_trace_add(&w->trace, w->now, SIM_TRACE_SWALLOW, by->name, "", data);
}

void sim_transmit(struct sim_world *w OM_UNUSED, struct sim_actor *by, const struct om_addr *from,
                  const struct om_addr *to, struct om_bytes data)
{
    send_packet(by, &(struct sim_nat_packet){*from, *to, SIM_TTL}, data);
}

void sim_launch(struct sim_actor *by, const struct sim_nat_packet *p, struct om_bytes data)
{
    struct sim_nat_packet packet = *p;

    send_packet(by, &packet, data);
}

void sim_probe(struct sim_actor *by, const struct om_addr *to, unsigned ttl, struct om_bytes data)
{
    send_packet(by, &(struct sim_nat_packet){by->addr, *to, ttl}, data);
}

/* Who gets @f, which arrives now. */
static struct sim_actor *receiver(const struct sim_world *w, struct sim_flight *f)
{
    struct sim_nat_packet p = {f->from, f->to, f->ttl};

    if (f->is_group)
        return f->pair->other;
    if (!f->gate)
        return actor_at(w, f->pair->other, &f->to);
    struct sim_actor *a = sim_route_in(f->gate, &p);
    f->to = p.to;
    return a;
}

/* The flight that arrives next, if it arrives now and at the same place as @f. */
static struct sim_flight *companion(const struct sim_world *w, const struct sim_flight *f)
{
    struct om_timer *t = w->events.count ? w->events.heap[0].timer : NULL;

    if (!t || w->events.heap[0].at > w->now || t->fire != arrive)
        return NULL;
    struct sim_flight *next = OM_CONTAINER_OF(t, struct sim_flight, timer);
    if (next->gate || f->gate) /* each has its own way in */
        return NULL;
    if (next->is_group != f->is_group || (f->is_group && next->pair->other != f->pair->other))
        return NULL;
    return om_addr_equal(&next->to, &f->to) && next->is_junk == f->is_junk ? next : NULL;
}

static void hand_over(struct sim_actor *to, struct sim_flight *const *flights, unsigned count)
{
    struct om_dgram batch[SIM_BATCH_MAX];
    struct sim_world *w = to->world;
    bool measure = w->cpu_ns && flights[0]->is_junk;
    int64_t start = measure ? w->cpu_ns() : 0;

    for (unsigned i = 0; w->on_wire && i < count; i++)
        w->on_wire(w->on_wire_self, to, &flights[i]->from, false);
    for (unsigned i = 0; i < count; i++)
        batch[i] = (struct om_dgram){
            .via = {.remote = flights[i]->from, .socket = sim_socket_at(to, &flights[i]->to)},
            .data = flights[i]->data,
            .len = flights[i]->len,
            .is_multicast = flights[i]->is_group,
        };
    sim_node_arrive(to, batch, count);
    if (flights[0]->is_junk)
        w->junk_count += count;
    if (measure)
        w->junk_ns += (uint64_t)(w->cpu_ns() - start);
}

static void arrive(struct om_timer *t, om_time now)
{
    struct sim_flight *batch[SIM_BATCH_MAX] = {OM_CONTAINER_OF(t, struct sim_flight, timer)};
    struct sim_world *w = batch[0]->pair->self->world;
    const struct sim_router *gate = batch[0]->gate;
    struct sim_actor *to = receiver(w, batch[0]);
    unsigned count = 1;

    while (count < SIM_BATCH_MAX && (batch[count] = companion(w, batch[0])) != NULL)
        om_timer_stop(&w->events, &batch[count++]->timer);
    for (unsigned i = 0; i < count; i++) {
        struct sim_actor *from = actor_at(w, batch[i]->pair->self, &batch[i]->from);
        sim_trace_add(&w->trace, now, to ? SIM_TRACE_ARRIVE : SIM_TRACE_SWALLOW,
                      to     ? to->name
                      : gate ? gate->name
                             : "",
                      from ? from->name : "", om_bytes(batch[i]->data, batch[i]->len));
        if (to && w->router_count > 0)
            sim_pair(w, to, batch[i]->pair->self)->came_from = batch[i]->from;
        if (to && to->is_attacker) {
            to->heard++;
            to->heard_bytes += batch[i]->len;
        }
    }
    if (to && to->node)
        hand_over(to, batch, count);
    for (unsigned i = 0; i < count; i++)
        flight_free(batch[i]);
}

bool sim_flight_drop(struct om_timer *t)
{
    if (t->fire != arrive)
        return false;
    flight_free(OM_CONTAINER_OF(t, struct sim_flight, timer));
    return true;
}

void sim_flight_fini(struct sim_world *w)
{
    for (unsigned i = 0; i < w->neck_count; i++) {
        struct sim_neck *n = w->necks[i];
        const struct sim_pipe_item *item;
        while ((item = om_ring_front(&n->pipe.queue)) != NULL) {
            flight_free(item->what);
            om_ring_pop(&n->pipe.queue);
        }
        sim_pipe_fini(&n->pipe);
        free(n);
    }
    while (w->spare) {
        struct sim_flight *f = w->spare;
        w->spare = f->next;
        free(f);
    }
}

struct sim_neck *sim_neck_add(struct sim_world *w, const char *name)
{
    if (w->neck_count == SIM_NECKS_MAX)
        return NULL;
    struct sim_neck *n = sim_alloc(sizeof *n);
    snprintf(n->name, sizeof n->name, "%s", name);
    sim_pipe_init(&n->pipe);
    n->world = w;
    n->timer.fire = neck_fire;
    w->necks[w->neck_count++] = n;
    return n;
}

void sim_neck_change(struct sim_neck *n, const struct sim_pipe_model *m)
{
    sim_pipe_change(&n->pipe, m, n->world->now);
    neck_arm(n);
}

void sim_neck_lead(struct sim_neck *n, struct sim_actor *a, struct sim_actor *b)
{
    sim_pair(a->world, a, b)->neck = n;
}
