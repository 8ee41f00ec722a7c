/*
 * block.h - the keys that a node blocks, as the node asks for them
 *
 * What:  one sorted list for each network, made when the first key comes.
 * Why:   every peer that is made passes here, so the answer must be cheap.
 */
#ifndef OM_NODE_BLOCK_H
#define OM_NODE_BLOCK_H

#include <omerta/block.h>

#include "node/state.h"

struct om_blocked {
    unsigned count;
    struct om_id keys[OM_BLOCKED_MAX]; /* lowest first */
};

/** node_block_has() - does @net block @key? */
bool node_block_has(const struct om_network *net, const struct om_id *key);

/** node_block_leave() - forget whom @net blocks. */
void node_block_leave(struct om_network *net);

/** node_block_stop() - forget whom all networks of @n block. */
void node_block_stop(struct om_node *n);

#endif
