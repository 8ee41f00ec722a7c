/* node_sockets.c - sockets beside the main one: numbered, opened, closed; and what routers say. */
#include "node/sockets.h"

#include <stdlib.h>
#include <string.h>

#include "node/state.h"

enum { TTL_MAX = 255 };

/* The lowest socket of @s with a number of @first or above. */
static unsigned place_of(const struct node_sockets *s, uint32_t first)
{
    unsigned at = 0;

    while (at < s->count && s->all[at].number < first)
        at++;
    return at;
}

/* The first of @count free numbers in a row. There are many more numbers than sockets, so from
 * either end of them the search finds one. */
static uint32_t free_run(const struct node_sockets *s, unsigned count)
{
    uint32_t first = s->last < OM_SOCKET_FIRST ? OM_SOCKET_FIRST : s->last + 1;

    if (first < OM_SOCKET_FIRST || UINT32_MAX - first < count - 1)
        first = OM_SOCKET_FIRST;
    for (unsigned at = place_of(s, first); at < s->count; at++) {
        if (s->all[at].number - first >= count)
            break;
        first = s->all[at].number + 1;
        if (first < OM_SOCKET_FIRST || UINT32_MAX - first < count - 1)
            return 0;
    }
    return first;
}

static uint32_t draw(struct node_sockets *s, unsigned count)
{
    uint32_t first = free_run(s, count);

    if (first != 0)
        return first;
    s->last = 0; /* the end is taken: from the beginning */
    return free_run(s, count);
}

static bool has_room(struct node_sockets *s, unsigned count)
{
    if (count < 1 || count > OM_SOCKETS_MAX - s->count)
        return false;
    if (!s->all)
        s->all = calloc(OM_SOCKETS_MAX, sizeof *s->all);
    return s->all != NULL;
}

static void insert(struct node_sockets *s, uint32_t first, unsigned count)
{
    unsigned at = place_of(s, first);

    memmove(s->all + at + count, s->all + at, (s->count - at) * sizeof *s->all);
    for (unsigned i = 0; i < count; i++)
        s->all[at + i] = (struct node_socket){.number = first + i};
    s->count += count;
    s->last = first + count - 1;
}

uint32_t node_sockets_open(struct om_node *n, unsigned count)
{
    struct node_sockets *s = &n->sockets;
    struct om_act *a;

    if (!has_room(s, count))
        return 0;
    a = node_act(n, OM_ACT_SOCKETS);
    if (!a)
        return 0;
    uint32_t first = draw(s, count);
    a->sockets = (struct om_act_sockets){.first = first, .count = count, .is_open = true};
    insert(s, first, count);
    return first;
}

void node_sockets_close(struct om_node *n, uint32_t first, unsigned count, uint32_t keep)
{
    struct node_sockets *s = &n->sockets;

    for (unsigned at = place_of(s, first); at < s->count; at++) {
        struct node_socket *one = &s->all[at];
        if (one->number - first >= count)
            return;
        if (one->is_closing || one->number == keep)
            continue;
        one->is_closing = true;
        s->closing++;
    }
}

bool node_sockets_next(struct om_node *n, struct om_act *out)
{
    struct node_sockets *s = &n->sockets;
    unsigned at = 0, run = 1;

    if (s->closing == 0)
        return false;
    while (!s->all[at].is_closing)
        at++;
    while (at + run < s->count && s->all[at + run].is_closing &&
           s->all[at + run].number == s->all[at].number + run)
        run++;
    *out = (struct om_act){.kind = OM_ACT_SOCKETS,
                           .sockets = {.first = s->all[at].number, .count = run}};
    s->count -= run;
    s->closing -= run;
    memmove(s->all + at, s->all + at + run, (s->count - at) * sizeof *s->all);
    return true;
}

void node_sockets_fini(struct node_sockets *s)
{
    free(s->all);
    *s = (struct node_sockets){0};
}

static bool is_router(const struct om_addr *a)
{
    enum om_addr_class class = om_addr_classify(a);

    return class != OM_ADDR_MULTICAST && class != OM_ADDR_UNSPECIFIED && class != OM_ADDR_LOOPBACK;
}

void om_node_hop(struct om_node *n, om_time now, unsigned ttl, const struct om_addr *router)
{
    if (ttl < 1 || ttl > TTL_MAX || !is_router(router)) {
        n->sockets.hops_refused++;
        return;
    }
    struct om_nat *nat = &n->where.nats[!om_addr_is_v4(router)];
    bool was_known = nat->hops_outside != 0;
    n->sockets.hops[!om_addr_is_v4(router)]++;
    om_nat_hop(nat, ttl, router);
    if (!was_known && nat->hops_outside != 0)
        node_punch_all(n, now);
}
