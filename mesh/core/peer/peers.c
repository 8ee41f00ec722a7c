/* peers.c - the table of peers and the stamps of forgotten ones. */
#include "peer/peers.h"

#include <stdlib.h>

static void make_key(uint8_t out[static OM_PEER_KEY], const struct om_network *net,
                     const struct om_id *id)
{
    memcpy(out, net->id.b, 32);
    memcpy(out + 32, id->b, 32);
}

enum om_err om_peers_init(struct om_peers *t, unsigned max, const uint8_t sip_key[static 16])
{
    enum om_err e = om_table_init(&t->table, OM_PEER_KEY, max, sip_key);

    if (e != OM_OK)
        return e;
    e = om_lru_init(&t->stamps, OM_PEER_KEY, sizeof(uint64_t), max * OM_STAMPS_PER_PEER, sip_key);
    if (e != OM_OK)
        om_table_fini(&t->table);
    return e;
}

void om_peers_fini(struct om_peers *t)
{
    OM_BUG_IF(om_table_count(&t->table) > 0);
    om_table_fini(&t->table);
    om_lru_fini(&t->stamps);
}

struct om_peer *om_peers_find(const struct om_peers *t, const struct om_network *net,
                              const struct om_id *id)
{
    uint8_t key[OM_PEER_KEY];

    make_key(key, net, id);
    return om_table_find(&t->table, key);
}

/* Nobody would miss it; @keyless: except a peer that slept and means to go on where it was; @named:
 * except our own program, which said where to find it. */
static bool is_idle(const struct om_peer *p, bool keyless, bool named)
{
    const struct om_association *a = p->assoc;

    if (!named && p->end_count > 0)
        return false;
    if (p->handshake || p->is_wanted || p->waiting_count > 0)
        return false;
    return !a || (keyless && a->count == 0 && !a->unconfirmed);
}

/* How many peers of each network there are. */
struct tally {
    const struct om_network *net;
    unsigned peers;
};

static struct tally *tally_of(struct tally *all, const struct om_network *net)
{
    unsigned i = 0;

    while (i < OM_PEERS_NETWORKS - 1 && all[i].net && all[i].net != net)
        i++;
    all[i].net = net;
    return &all[i];
}

/* Who was not heard for longest of @net, and is nobody whom our own program named or wants. */
static struct om_peer *least_heard(const struct om_peers *t, const struct om_network *net)
{
    struct om_peer *found = NULL;
    void *peer;

    for (size_t at = 0; om_table_next(&t->table, &at, NULL, &peer);) {
        struct om_peer *p = peer;
        if (p->net == net && !p->is_typed && !p->handshake && !p->is_wanted &&
            p->waiting_count == 0 && (!found || p->heard_at < found->heard_at))
            found = p;
    }
    return found;
}

struct om_peer *om_peers_victim(const struct om_peers *t, const struct om_network *net)
{
    struct tally all[OM_PEERS_NETWORKS] = {{.net = net}};
    const unsigned share = t->table.max / OM_PEERS_NETWORKS;
    const struct tally *largest = all;
    void *peer;

    for (size_t at = 0; om_table_next(&t->table, &at, NULL, &peer);) {
        struct tally *of = tally_of(all, ((struct om_peer *)peer)->net);
        if (++of->peers > largest->peers)
            largest = of;
    }
    for (int pass = 0; pass < 4; pass++)
        for (size_t at = 0; om_table_next(&t->table, &at, NULL, &peer);) {
            const struct tally *of = tally_of(all, ((struct om_peer *)peer)->net);
            if ((of == all || of->peers > share) && is_idle(peer, pass & 1, pass & 2))
                return peer;
        }
    return largest != all && all->peers < share ? least_heard(t, largest->net) : NULL;
}

enum om_err om_peers_add(struct om_peers *t, struct om_network *net, const struct om_id *id,
                         struct om_peer **out)
{
    uint8_t key[OM_PEER_KEY];
    struct om_peer *p = om_peers_find(t, net, id);
    enum om_err e;

    if (p) {
        *out = p;
        return OM_OK;
    }
    p = calloc(1, sizeof *p);
    if (!p)
        return OM_E_NO_MEM;
    e = om_peer_init(p, net, id);
    make_key(key, net, id);
    if (e == OM_OK)
        e = om_table_put(&t->table, key, p);
    if (e != OM_OK) {
        free(p);
        return e;
    }
    p->stamp_in = om_peers_stamp(t, net, id);
    *out = p;
    return OM_OK;
}

void om_peers_remove(struct om_peers *t, struct om_peer *p)
{
    uint8_t key[OM_PEER_KEY];

    make_key(key, p->net, &p->id);
    om_table_remove(&t->table, key);
    if (p->stamp_in > 0) /* the flood that drives it out may have pushed out its stamp before */
        (void)!om_peers_set_stamp(t, p->net, &p->id, p->stamp_in);
    free(p);
}

uint64_t om_peers_stamp(const struct om_peers *t, const struct om_network *net,
                        const struct om_id *id)
{
    uint8_t key[OM_PEER_KEY];

    make_key(key, net, id);
    const struct om_peer *p = om_table_find(&t->table, key);
    const uint64_t *stamp = om_lru_peek(&t->stamps, key);
    uint64_t known = stamp ? *stamp : 0;
    return p && p->stamp_in > known ? p->stamp_in : known;
}

enum om_err om_peers_set_stamp(struct om_peers *t, const struct om_network *net,
                               const struct om_id *id, uint64_t stamp)
{
    uint8_t key[OM_PEER_KEY];

    make_key(key, net, id);
    uint64_t *known = om_lru_put(&t->stamps, key, &(bool){false});
    if (!known)
        return OM_E_NO_MEM;
    if (stamp > *known)
        *known = stamp;
    struct om_peer *p = om_table_find(&t->table, key);
    if (p && p->stamp_in < *known)
        p->stamp_in = *known;
    return OM_OK;
}
