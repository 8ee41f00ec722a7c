/*
 * blocks.h - whom this home blocks, over a restart
 *
 * What:  networks/ID.blocked of the home, an id on each line; the node has the same list.
 * Why:   who was sent away must not be back because the machine was restarted.
 * Keeps: test_block_silences_and_lasts.
 * Full:  OM_BLOCKED_MAX keys of a network; one more is refused.
 */
#ifndef OM_MESHD_BLOCKS_H
#define OM_MESHD_BLOCKS_H

#include <omerta/block.h>

#include "state.h"

/** blocks_load() - the node of @d blocks in @network, which it just joined, whom the home has. */
void blocks_load(struct om_daemon *d, const struct om_id *network);

/** blocks_set() - block @key in @net of @d, or, unless @is_on, no longer, and keep that; false and
 *  @err. */
bool blocks_set(struct om_daemon *d, const struct daemon_network *net, const struct om_id *key,
                bool is_on, struct om_error *err);

/** blocks_forget() - remove the file of @network of @d, if there is one. */
void blocks_forget(const struct om_daemon *d, const struct om_id *network);

#endif
