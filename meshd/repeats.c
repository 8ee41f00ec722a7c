/* repeats.c - a short table, and a day. */
#include "repeats.h"

#include <string.h>

#include "crowd.h"

enum { DAY_S = 24 * 3600 };

/* The place of @peer, or SIZE_MAX. */
static size_t find(const struct repeats *r, const struct om_id *network, const struct om_id *peer)
{
    for (size_t i = 0; i < REPEATS_PEERS; i++)
        if (r->of[i].until > 0 && om_id_equal(&r->of[i].peer, peer) &&
            om_id_equal(&r->of[i].network, network))
            return i;
    return SIZE_MAX;
}

/* Whose place is taken: one that is free, else of the network with the most who asked first. */
static size_t victim(struct repeats *r)
{
    struct crowd c = {.count = 0};
    size_t at = 0;

    for (size_t i = 0; i < REPEATS_PEERS; i++) {
        if (r->of[i].until == 0)
            return i;
        crowd_add(&c, &r->of[i].network, &r->of[i].network);
    }
    const struct om_id *largest = crowd_oldest(&c);
    while (!om_id_equal(&r->of[at].network, largest))
        at++;
    for (size_t i = at + 1; i < REPEATS_PEERS; i++)
        if (r->of[i].until < r->of[at].until && om_id_equal(&r->of[i].network, largest))
            at = i;
    return at;
}

bool repeats_ask(struct repeats *r, om_time now, const struct om_id *network,
                 const struct om_id *peer)
{
    size_t at = find(r, network, peer);

    if (at == SIZE_MAX) {
        at = victim(r);
        r->of[at].until = 0;
    }
    if (now >= r->of[at].until) {
        r->of[at].network = *network;
        r->of[at].peer = *peer;
        r->of[at].until = now + OM_SEC(DAY_S);
        r->of[at].count = 0;
    }
    if (r->of[at].count == REPEATS_A_DAY)
        return false;
    r->of[at].count++;
    return true;
}

void repeats_forget(struct repeats *r, const struct om_id *network, const struct om_id *peer)
{
    size_t at = find(r, network, peer);

    if (at != SIZE_MAX)
        memset(&r->of[at], 0, sizeof r->of[at]);
}
