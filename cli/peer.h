/*
 * peer.h - which peer a word means
 *
 * What:  a full id, the start of one (at least OM_PEER_PREFIX_MIN characters), a name, or that with
 *        its network's behind it: NAME.NETWORK. As it is written, else whatever the case, as names
 *        of hosts are.
 * Why:   nobody types 52 characters; but a word that could mean two peers must mean none, or a
 *        stranger who takes a name like yours would get your words.
 * Keeps: peer_full_id_needs_no_list; peer_prefix_and_name_find_one; peer_ambiguity_is_refused;
 *        peer_alone_needs_no_name; peer_name_may_have_its_network;
 *        peer_case_is_no_difference.
 */
#ifndef OM_CLI_PEER_H
#define OM_CLI_PEER_H

#include "cli.h"

#include <omerta/id.h>

enum { OM_PEER_PREFIX_MIN = 4 };

/**
 * om_peer_pick() - the peer a word means, among those of a list
 * @list:  array of objects with "id", "name" and "network"
 * @word:  what was typed; NULL: the only one of the list
 * @out:   on success its id
 * @err:   sentence for a person, with the candidates when there are several
 *
 * Return: OM_OK; OM_E_MISSING; OM_E_RANGE when several fit.
 */
OM_MUST enum om_err om_peer_pick(const json_t *list, const char *word, char out[static OM_ID_TEXT],
                                 struct om_error *err);

/**
 * om_peer_find() - the same, with the list the daemon has
 * @cli:   ours
 * @ask:   open
 * @word:  what was typed; NULL: the only one there is
 * @out:   on success its id
 *
 * Return: OM_EXIT_OK; OM_EXIT_USAGE or what the question gave, after it was said.
 */
OM_MUST enum om_exit om_peer_find(struct om_cli *cli, struct om_ask *ask, const char *word,
                                  char out[static OM_ID_TEXT]);

/** om_peer_list() - the array in the answer @result to peers.list, or NULL; lent by @result. */
const json_t *om_peer_list(const json_t *result);

#endif
