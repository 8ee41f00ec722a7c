/* natport.c - preserve, count, draw, draw from a block. */
#include "natport.h"

enum { DRAWS = 128 }; /* before the rest is looked at in order */

/* For what a port is wanted. */
struct want {
    struct sim_natbox *box;
    const struct om_addr *inside, *dest, *remote;
};

bool sim_natport_is_usable(const struct sim_natbox *b, unsigned port, const struct om_addr *dest,
                           const struct om_addr *remote)
{
    return port >= b->model.first && port <= b->model.last &&
           sim_natmap_is_free(&b->map, (uint16_t)port, dest, b->model.is_exclusive) &&
           !sim_natmap_claim(&b->map, (uint16_t)port, remote);
}

static bool is_usable(const struct want *w, unsigned port)
{
    return sim_natport_is_usable(w->box, port, w->dest, w->remote);
}

/* The first usable one from @at on, in steps, all around [first, first + count). */
static unsigned walk(const struct want *w, unsigned first, unsigned count, unsigned at,
                     unsigned step)
{
    for (unsigned i = 0; i < count; i++, at = (at + step) % count)
        if (is_usable(w, first + at))
            return first + at;
    return 0;
}

static unsigned draw(const struct want *w, unsigned first, unsigned count)
{
    unsigned at = 0;

    for (unsigned i = 0; i < DRAWS; i++) {
        at = (unsigned)om_prng_below(&w->box->prng, count);
        if (is_usable(w, first + at))
            return first + at;
    }
    return walk(w, first, count, at, 1);
}

static unsigned stride(const struct want *w, unsigned first, unsigned count)
{
    struct sim_natbox *b = w->box;
    unsigned port = walk(w, first, count, b->cursor % count, b->model.stride % count);

    if (port == 0) /* a stride does not come by all ports of every range */
        port = walk(w, first, count, b->cursor % count, 1);
    if (port != 0)
        b->cursor = (port - first + b->model.stride) % count;
    return port;
}

static unsigned in_block(const struct want *w, unsigned first, unsigned count)
{
    struct sim_natbox *b = w->box;
    unsigned blocks = count / b->model.block, given = om_lru_count(&b->blocks);
    unsigned *mine = om_lru_find(&b->blocks, w->inside->ip);

    if (!mine) {
        if (given >= blocks || given >= SIM_NAT_HOSTS_MAX)
            return 0;
        mine = om_lru_put(&b->blocks, w->inside->ip, NULL);
        OM_BUG_IF(!mine);
        *mine = (b->block_first + given) % blocks;
    }
    return draw(w, first + *mine * b->model.block, b->model.block);
}

uint16_t sim_natport_choose(struct sim_natbox *b, const struct om_addr *inside,
                            const struct om_addr *dest, const struct om_addr *remote)
{
    const struct want w = {b, inside, dest, remote};
    unsigned first = b->model.first, count = b->model.last - first + 1u, port = 0;
    const struct sim_nat_mapping *latest =
        b->model.is_sticky ? sim_natmap_latest(&b->map, inside) : NULL;

    if (latest && is_usable(&w, latest->port))
        return latest->port;
    switch (b->model.ports) {
    case SIM_NAT_PRESERVE:
        if (is_usable(&w, inside->port))
            port = inside->port;
        else
            port = draw(&w, first, count);
        break;
    case SIM_NAT_STRIDE:
        port = stride(&w, first, count);
        break;
    case SIM_NAT_RANDOM:
        port = draw(&w, first, count);
        break;
    case SIM_NAT_BLOCK:
        port = in_block(&w, first, count);
        break;
    }
    return (uint16_t)port;
}
