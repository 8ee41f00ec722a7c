/*
 * membership.h - the networks that this home is in, coming and going while the daemon runs
 *
 * What:  makes, joins, leaves and renames networks, keeps them in the home, and gives out the links
 *        by which others come.
 * Why:   nobody restarts a daemon to follow an invitation; and the built-in network, in which
 *        everybody is, has no place beside one that somebody chose.
 * Keeps: test_create_list_show_rename_leave; test_networks_outlive_a_restart;
 *        test_default_gives_way_and_comes_back;
 *        test_left_though_the_built_in_one_cannot_come_back; test_seventeenth_network_is_refused;
 *        test_two_daemons_and_one_direct_link; test_direct_link_lets_in_the_first_only.
 * Full:  OM_NETWORKS_MAX networks; one more is refused.
 */
#ifndef OM_MESHD_MEMBERSHIP_H
#define OM_MESHD_MEMBERSHIP_H

#include <omerta/network_link.h>

#include "state.h"

/* A direct link that nobody has used by then opens nothing any more (PROTOCOL 7). */
enum { MEMBERSHIP_PIN_S = 86400 };

/** membership_load() - @d joins what its home has, or the built-in network; false and @err when one
 *  of them cannot be read. */
bool membership_load(struct om_daemon *d, struct om_error *err);

/** membership_meet() - @d calls the peers that were named when its networks were joined. */
void membership_meet(struct om_daemon *d);

/**
 * membership_create() - a new network, with this node alone in it
 * @d:     the daemon
 * @kind:  any
 * @name:  for this home, or NULL: one is made up
 * @as:    what this node is called in a closed one; NULL: as this machine is
 * @uses:  of a direct one: keys that it will let in, 1 to OM_PINS_MAX
 * @err:   sentence for a person
 *
 * Return: the network, lent until networks change; NULL with @err.
 */
const struct daemon_network *membership_create(struct om_daemon *d, enum om_network_kind kind,
                                               const char *name, const char *as, unsigned uses,
                                               struct om_error *err);

/** membership_join() - @d is in the network of @l from now on, by the name of @name (or NULL); a
 *  direct link has to be pinned. Return: as membership_create(), with @err. */
const struct daemon_network *membership_join(struct om_daemon *d, const struct om_network_link *l,
                                             const char *name, struct om_error *err);

/** membership_leave() - @d is no longer in @net, which is gone then, with its file, its peers and
 *  the tunnels into it; false and @err. */
bool membership_leave(struct om_daemon *d, const struct daemon_network *net, struct om_error *err);

/** membership_rename() - @net of @d is called @name in this home; false and @err. */
bool membership_rename(struct om_daemon *d, const struct daemon_network *net, const char *name,
                       struct om_error *err);

/**
 * membership_link() - the link by which others come into a network
 * @d:    the daemon
 * @net:  its network
 * @at:   where they find this node; NULL: by what is known here, relays too
 * @out:  terminated; a secret
 * @err:  sentence for a person
 *
 * Return: false when there is none to give out.
 */
bool membership_link(struct om_daemon *d, const struct daemon_network *net,
                     const struct om_addr *at, char out[static OM_NETWORK_LINK_TEXT],
                     struct om_error *err);

/** membership_heard() - a session came up in @d: was it of a new pin? Then it is kept. */
void membership_heard(struct om_daemon *d);

/** membership_tick() - time passed in @d: links that were not used end. */
void membership_tick(struct om_daemon *d);

#endif
