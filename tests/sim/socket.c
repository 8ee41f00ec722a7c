/* socket.c - sockets beside the main one: ports, openings, closings, words of routers. */
#include "socket.h"

#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "crypto/handshake_wire.h"
#include "flight.h"

/* A router's word on its way back. */
struct word {
    struct om_timer timer;
    struct sim_actor *to;
    unsigned ttl;
    struct om_addr router;
};

static struct sim_socket *find(const struct sim_actor *a, uint32_t number)
{
    struct sim_sockets *s = a->sockets;

    for (unsigned i = 0; s && i < s->count; i++)
        if (s->all[i].number == number)
            return &s->all[i];
    return NULL;
}

static struct om_addr addr_of(const struct sim_socket *one, struct om_addr at)
{
    at.port = one->port;
    return at;
}

static void enter(struct sim_actor *a, const struct sim_socket *one, bool is_in)
{
    struct om_addr at = addr_of(one, a->sockets->at);
    uint8_t key[OM_ADDR_WIRE];
    struct om_wr w = om_wr(om_mut(key, sizeof key));

    om_addr_write(&w, &at);
    if (!is_in)
        om_table_remove(&a->world->by_addr, key);
    else if (om_table_put(&a->world->by_addr, key, a) != OM_OK)
        sim_break(a->world, "%s: no room for a socket", a->name);
}

/* There are more ports than sockets. */
static uint16_t draw_port(struct sim_actor *a)
{
    struct om_addr at = a->sockets->at;

    do {
        at.port = (uint16_t)(SIM_SOCKET_FIRST +
                             a->sockets->drawn++ % (SIM_SOCKET_LAST - SIM_SOCKET_FIRST + 1));
    } while (sim_actor_at(a->world, &at));
    return at.port;
}

static void open_one(struct sim_actor *a, uint32_t number)
{
    struct sim_sockets *s = a->sockets;

    if (number < OM_SOCKET_FIRST || s->count == OM_SOCKETS_MAX || find(a, number)) {
        sim_break(a->world, "%s: opens socket %x, which it may not", a->name, number);
        return;
    }
    s->all[s->count] = (struct sim_socket){.number = number, .port = draw_port(a)};
    enter(a, &s->all[s->count++], true);
}

static void close_one(struct sim_actor *a, uint32_t number)
{
    struct sim_sockets *s = a->sockets;
    struct sim_socket *one = find(a, number);

    if (!one)
        return;
    enter(a, one, false);
    *one = s->all[--s->count];
}

void sim_socket_act(struct sim_actor *a, const struct om_act_sockets *s)
{
    if (!a->sockets) {
        a->sockets = sim_alloc(sizeof *a->sockets);
        a->sockets->at = a->addr;
    }
    for (unsigned i = 0; i < s->count; i++) {
        if (s->is_open)
            open_one(a, s->first + i);
        else
            close_one(a, s->first + i);
    }
}

/* Is @s, by its size, a handshake to whom @a misleads? */
static bool claims_alibi(const struct sim_actor *a, const struct om_act_send *s)
{
    size_t size = om_sealed_bytes(s->dgram).n;

    return a->alibi && size >= OM_HANDSHAKE_MIN && size <= OM_HANDSHAKE_MAX &&
           om_addr_equal(&a->misled->addr, &s->via.remote);
}

void sim_socket_send(struct sim_actor *a, const struct om_act_send *s)
{
    struct sim_nat_packet p = {a->addr, s->via.remote, s->ttl ? s->ttl : SIM_TTL};
    const struct sim_socket *one = find(a, s->via.socket);

    if (one) {
        p.from = addr_of(one, a->addr);
    } else if (s->via.socket >= OM_SOCKET_FIRST) {
        if (a->sockets)
            a->sockets->dropped++;
        return;
    }
    if (claims_alibi(a, s))
        p.from = a->alibi->addr;
    sim_launch(a, &p, om_sealed_bytes(s->dgram));
}

uint32_t sim_socket_at(const struct sim_actor *a, const struct om_addr *to)
{
    const struct sim_sockets *s = a->sockets;

    for (unsigned i = 0; s && i < s->count; i++)
        if (s->all[i].port == to->port)
            return s->all[i].number;
    return 0;
}

void sim_socket_settle(struct sim_actor *a)
{
    struct sim_sockets *s = a->sockets;

    for (unsigned i = 0; s && i < s->count; i++)
        enter(a, &s->all[i], false);
    if (s)
        s->at = a->addr;
    for (unsigned i = 0; s && i < s->count; i++)
        enter(a, &s->all[i], true);
}

void sim_socket_close(struct sim_actor *a)
{
    while (a->sockets && a->sockets->count > 0)
        close_one(a, a->sockets->all[0].number);
    free(a->sockets);
    a->sockets = NULL;
}

static void told(struct om_timer *t, om_time now OM_UNUSED)
{
    struct word *w = OM_CONTAINER_OF(t, struct word, timer);
    struct sim_actor *a = w->to;

    if (a->node) {
        om_node_hop(a->node, sim_node_clock(a), w->ttl, &w->router);
        sim_node_drain(a);
    }
    free(w);
}

void sim_socket_expired(struct sim_actor *by, unsigned ttl, const struct om_addr *router)
{
    if (!by->node)
        return;
    struct word *w = sim_alloc(sizeof *w);
    *w = (struct word){.timer = {.fire = told}, .to = by, .ttl = ttl, .router = *router};
    sim_arm(by->world, &w->timer, by->world->now + OM_MS(SIM_HOP_MS) * (om_time)ttl);
    if (!om_timer_is_armed(&w->timer))
        free(w);
}

bool sim_socket_drop(struct om_timer *t)
{
    if (t->fire != told)
        return false;
    free(OM_CONTAINER_OF(t, struct word, timer));
    return true;
}
