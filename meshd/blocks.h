/*
 * blocks.h - whom this home blocks, over a restart
 *
 * What:  networks/ID.blocked of the home, an id on each line; the node has the same list.
 * Why:   who was sent away must not be back because the machine was restarted.
 * Keeps: test_block_silences_and_lasts; test_lists_that_cannot_be_read_are_not_lost.
 * Full:  OM_BLOCKED_MAX keys of a network; one more is refused.
 */
#ifndef OM_MESHD_BLOCKS_H
#define OM_MESHD_BLOCKS_H

#include <omerta/block.h>

#include "state.h"

/**
 * blocks_load() - the node blocks whom the home has
 * @d:        the daemon
 * @network:  which its node just joined
 * @err:      sentence for a person
 *
 * Return: false, and @err, when there is a list that cannot be read: it is left as it is.
 */
bool blocks_load(struct om_daemon *d, const struct om_id *network, struct om_error *err);

/** blocks_set() - block @key in @net of @d, or, unless @is_on, no longer, and keep that; false and
 *  @err. */
bool blocks_set(struct om_daemon *d, const struct daemon_network *net, const struct om_id *key,
                bool is_on, struct om_error *err);

/** blocks_forget() - remove the file of @network of @d, if there is one. */
void blocks_forget(const struct om_daemon *d, const struct om_id *network);

#endif
