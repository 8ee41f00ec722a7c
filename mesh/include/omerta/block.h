/*
 * block.h - whom one node will have nothing to do with
 *
 * What:  keys of a network that get silence from this node: no session, so no data, no gossip, no
 *        calls, and no lane through it.
 * Why:   to put a member out is for admins; to be left in peace is for everybody.
 * Keeps: block_ends_the_session_and_gets_silence; block_undone_lets_them_meet;
 *        block_is_bounded_and_of_one_network.
 *
 * What a blocked peer says reaches this node still where others tell it on, and it still reaches
 * others through them: it is no verdict, and nobody hears of it.
 *
 * Full: OM_BLOCKED_MAX keys of a network; one more is refused. The node keeps nothing over its
 * end: its driver blocks again, before others are met.
 */
#ifndef OMERTA_BLOCK_H
#define OMERTA_BLOCK_H

#include <stdbool.h>

#include <omerta/attr.h>
#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/time.h>

struct om_node;

enum { OM_BLOCKED_MAX = 256 };

/**
 * om_node_block() - have nothing to do with a peer, or no longer so
 * @n:        the node
 * @now:      time
 * @network:  one that was joined, of whatever kind
 * @key:      the peer's; it need not be known
 * @is_on:    false: it may come again
 *
 * A session that there is ends with a goodbye that does not say why.
 *
 * Return: OM_OK also when it was so before; OM_E_MISSING for an unknown network, OM_E_RANGE for our
 * own key, OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_block(struct om_node *n, om_time now, const struct om_id *network,
                                  const struct om_id *key, bool is_on);

/** om_node_blocked() - the keys that @n blocks in @network into @out, lowest first, at most @max.
 *  Return: how many there are. */
unsigned om_node_blocked(const struct om_node *n, const struct om_id *network, struct om_id *out,
                         unsigned max);

/** om_node_is_blocked() - does @n block @key in @network? */
bool om_node_is_blocked(const struct om_node *n, const struct om_id *network,
                        const struct om_id *key);

#endif
