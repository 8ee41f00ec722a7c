/* block.c - a sorted list of keys, and what becomes of a peer that gets into it. */
#include "node/block.h"

#include <stdlib.h>

/* The place of the first key of @b that is not below @key. */
static unsigned place(const struct om_blocked *b, const struct om_id *key)
{
    unsigned low = 0, high = b->count;

    while (low < high) {
        unsigned mid = low + (high - low) / 2;
        if (om_id_cmp(&b->keys[mid], key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool node_block_has(const struct om_network *net, const struct om_id *key)
{
    const struct om_blocked *b = net->blocked;

    if (!b)
        return false;
    unsigned at = place(b, key);
    return at < b->count && om_id_equal(&b->keys[at], key);
}

static enum om_err add(struct om_network *net, const struct om_id *key)
{
    if (!net->blocked)
        net->blocked = calloc(1, sizeof *net->blocked);
    if (!net->blocked)
        return OM_E_NO_MEM;
    struct om_blocked *b = net->blocked;
    if (b->count == OM_BLOCKED_MAX)
        return OM_E_FULL;
    unsigned at = place(b, key);
    memmove(&b->keys[at + 1], &b->keys[at], (b->count++ - at) * sizeof *key);
    b->keys[at] = *key;
    return OM_OK;
}

enum om_err om_node_block(struct om_node *n, om_time now, const struct om_id *network,
                          const struct om_id *key, bool is_on)
{
    struct om_network *net = node_network(n, network);

    if (!net)
        return OM_E_MISSING;
    if (om_id_equal(key, &net->self.id))
        return OM_E_RANGE;
    if (node_block_has(net, key) == is_on)
        return OM_OK;
    n->now = now;
    if (!is_on) {
        struct om_blocked *b = net->blocked;
        unsigned at = place(b, key);
        memmove(&b->keys[at], &b->keys[at + 1], (--b->count - at) * sizeof *key);
        return OM_OK;
    }
    enum om_err e = add(net, key);
    struct om_peer *p = e == OM_OK ? om_peers_find(&n->peers, net, key) : NULL;
    if (p) {
        node_close(n, now, p, OM_CLOSE_DONE, "");
        node_peer_evict(n, p);
    }
    return e;
}

unsigned om_node_blocked(const struct om_node *n, const struct om_id *network, struct om_id *out,
                         unsigned max)
{
    const struct om_network *net = node_network(n, network);
    const struct om_blocked *b = net ? net->blocked : NULL;

    if (!b)
        return 0;
    if (max > 0)
        memcpy(out, b->keys, (b->count < max ? b->count : max) * sizeof *out);
    return b->count;
}

bool om_node_is_blocked(const struct om_node *n, const struct om_id *network,
                        const struct om_id *key)
{
    const struct om_network *net = node_network(n, network);

    return net && node_block_has(net, key);
}

void node_block_leave(struct om_network *net)
{
    free(net->blocked);
    net->blocked = NULL;
}

void node_block_stop(struct om_node *n)
{
    for (unsigned i = 0; i < n->network_count; i++)
        node_block_leave(n->networks[i]);
}
