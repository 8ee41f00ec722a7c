/* memory.c - the records of others that a node finds again after a restart. */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "peer/record.h"

struct kept {
    struct om_id network, peer;
    size_t n;
    uint8_t bytes[OM_RECORD_MAX];
};

struct sim_memory {
    unsigned next; /* to be overwritten once all are used */
    unsigned count;
    struct kept kept[SIM_MEMORY_MAX];
};

static struct kept *place_of(struct sim_memory *m, const struct om_act_record *r)
{
    for (unsigned i = 0; i < m->count; i++)
        if (om_id_equal(&m->kept[i].network, &r->network) &&
            om_id_equal(&m->kept[i].peer, &r->peer))
            return &m->kept[i];
    struct kept *k = &m->kept[m->next];
    m->next = (m->next + 1) % SIM_MEMORY_MAX;
    m->count += m->count < SIM_MEMORY_MAX;
    return k;
}

void sim_memory_keep(struct sim_actor *a, const struct om_act_record *r)
{
    if (!a->spec.remembers || r->bytes.n > OM_RECORD_MAX)
        return;
    if (!a->memory)
        a->memory = sim_alloc(sizeof *a->memory);
    struct kept *k = place_of(a->memory, r);
    k->network = r->network;
    k->peer = r->peer;
    k->n = r->bytes.n;
    memcpy(k->bytes, r->bytes.p, k->n);
}

void sim_memory_recall(struct sim_actor *a)
{
    const struct sim_memory *m = a->memory;

    for (unsigned i = 0; m && i < m->count; i++) {
        const struct kept *k = &m->kept[i];
        if (om_node_learn(a->node, sim_node_clock(a), &k->network, om_bytes(k->bytes, k->n)) !=
            OM_OK)
            sim_break(a->world, "%s does not learn what it had kept", a->name);
    }
}

void sim_memory_free(struct sim_actor *a)
{
    free(a->memory);
    a->memory = NULL;
}
