/* crowd.c - rows by network. */
#include "crowd.h"

void crowd_add(struct crowd *c, const struct om_id *network, void *row)
{
    unsigned i = 0;

    while (i < c->count && !om_id_equal(c->of[i].network, network))
        i++;
    if (i == OM_NETWORKS_MAX)
        return;
    if (i == c->count) {
        c->of[i].network = network;
        c->of[i].oldest = row;
        c->count++;
    }
    c->of[i].rows++;
}

void *crowd_oldest(const struct crowd *c)
{
    unsigned most = 0;

    for (unsigned i = 1; i < c->count; i++)
        if (c->of[i].rows > c->of[most].rows)
            most = i;
    return c->count > 0 ? c->of[most].oldest : NULL;
}
