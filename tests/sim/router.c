/* router.c - boxes of a world. */
#include "router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"

enum {
    OUTSIDE_FIRST = 0x0b000001,      /* 11.0.0.1 and up: actors have 10.0.0.0/8 */
    MOVE_SHIFT = 16,                 /* 11.1.0.1 is the next one of the first */
    HOPS_FIRST = 0x0c000000,         /* 12.0.0.1 and up: routers of the public network */
    INSIDE_OWN = SIM_INSIDE_MAX + 1, /* host part of a box's own address on its inside */
    ICMP = 1                         /* a port, which says that there is an address */
};

static const uint32_t inside_first = 0xac100000; /* 172.16.0.0/12, 256 addresses each */
static_assert(SIM_ROUTERS_MAX <= 4096, "the insides fit into their prefix");

bool sim_router_lease(struct sim_router *r, struct om_addr *out)
{
    if (r->leases == SIM_INSIDE_MAX)
        return false;
    *out = om_addr_v4(inside_first + (r->index << 8) + ++r->leases, SIM_PORT);
    return true;
}

struct sim_router *sim_router_add(struct sim_world *w, const char *name,
                                  const struct sim_nat_model *m, struct sim_router *outer)
{
    struct om_addr outside = om_addr_v4(OUTSIDE_FIRST + w->router_count, 0);
    struct sim_router *r;

    if (w->router_count == SIM_ROUTERS_MAX || (outer && !sim_router_lease(outer, &outside)))
        return NULL;
    r = sim_alloc(sizeof *r);
    snprintf(r->name, sizeof r->name, "%s", name);
    r->world = w;
    r->index = w->router_count;
    r->outer = outer;
    sim_natbox_init(&r->box, m, &outside, w->seed + 0x9e3779b97f4a7c15 * (r->index + 1));
    w->routers[w->router_count++] = r;
    if (om_table_put(&w->by_outside, r->box.outside.ip, r) != OM_OK)
        sim_break(w, "%s: no room for its address", name);
    return r;
}

void sim_router_move(struct sim_router *r)
{
    struct sim_world *w = r->world;

    OM_BUG_IF(r->outer != NULL);
    om_table_remove(&w->by_outside, r->box.outside.ip);
    r->moves++;
    r->box.outside = om_addr_v4(OUTSIDE_FIRST + r->index + (r->moves << MOVE_SHIFT), 0);
    if (om_table_put(&w->by_outside, r->box.outside.ip, r) != OM_OK)
        sim_break(w, "%s: no room for its address", r->name);
}

struct sim_router *sim_router_named(const struct sim_world *w, const char *name)
{
    for (unsigned i = 0; i < w->router_count; i++)
        if (strcmp(w->routers[i]->name, name) == 0)
            return w->routers[i];
    return NULL;
}

void sim_router_fini(struct sim_world *w)
{
    for (unsigned i = 0; i < w->router_count; i++) {
        sim_natbox_fini(&w->routers[i]->box);
        free(w->routers[i]);
    }
}

/* Who has @to in the inside of @realm, NULL for the public network; at most one of the two. */
static struct sim_actor *actor_in(const struct sim_world *w, const struct sim_router *realm,
                                  const struct om_addr *to)
{
    struct sim_actor *a = sim_actor_at(w, to);

    return a && a->router == realm ? a : NULL;
}

static struct sim_router *router_in(const struct sim_world *w, const struct sim_router *realm,
                                    const struct om_addr *to)
{
    struct sim_router *r = om_table_find(&w->by_outside, to->ip);

    return r && r->outer == realm ? r : NULL;
}

static bool is_behind(const struct sim_actor *a, const struct sim_router *r)
{
    const struct sim_router *at = a->router;

    while (at && at != r)
        at = at->outer;
    return at != NULL;
}

/* Whose link a datagram takes that arrives at @gate as @p. */
static struct sim_actor *guess(struct sim_router *gate, struct sim_nat_packet p)
{
    const struct sim_world *w = gate->world;

    for (struct sim_router *r = gate; r && sim_natbox_peek(&r->box, &p, &p.to);) {
        struct sim_actor *a = actor_in(w, r, &p.to);
        if (a)
            return a;
        r = router_in(w, r, &p.to);
    }
    for (unsigned i = 0; i < w->actor_count; i++)
        if (is_behind(w->actors[i], gate))
            return w->actors[i];
    return NULL;
}

/* In @realm; false when nobody has that address there. */
static bool find(struct sim_world *w, struct sim_router *realm, const struct sim_nat_packet *p,
                 struct sim_route *out)
{
    out->other = actor_in(w, realm, &p->to);
    out->gate = out->other ? NULL : router_in(w, realm, &p->to);
    if (out->gate)
        out->other = guess(out->gate, *p);
    return out->other || out->gate;
}

void sim_route_out(struct sim_actor *by, struct sim_nat_packet *p, struct sim_route *out)
{
    struct sim_world *w = by->world;
    struct sim_router *realm = by->router;

    *out = (struct sim_route){.lost_at = ""};
    while (!find(w, realm, p, out) && realm) {
        enum sim_nat_answer a = sim_natbox_outbound(&realm->box, w->now, p);
        if (a == SIM_NAT_IN) {
            find(w, realm, p, out);
            return;
        }
        if (a != SIM_NAT_OUT) {
            out->lost_at = realm->name;
            if (a == SIM_NAT_EXPIRED)
                out->expired = om_addr_v4(inside_first + (realm->index << 8) + INSIDE_OWN, ICMP);
            return;
        }
        realm = realm->outer;
    }
    if (realm || !out->other || (by->lan > 0 && by->lan == out->other->lan))
        return;
    if (p->ttl <= w->hops) {
        out->other = NULL;
        out->expired = om_addr_v4(HOPS_FIRST + p->ttl, ICMP);
        w->expired++;
        return;
    }
    p->ttl -= w->hops;
}

struct sim_actor *sim_route_in(struct sim_router *gate, struct sim_nat_packet *p)
{
    struct sim_world *w = gate->world;

    while (gate && sim_natbox_inbound(&gate->box, w->now, p) == SIM_NAT_IN) {
        struct sim_actor *a = actor_in(w, gate, &p->to);
        if (a)
            return a;
        gate = router_in(w, gate, &p->to);
    }
    return NULL;
}
