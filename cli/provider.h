/*
 * provider.h - whose machine a command is about
 *
 * What:  the option --provider: a peer, an address that the daemon reads, or this node itself.
 * Why:   vm, run and submit are to mean the same by it.
 */
#ifndef OM_CLI_PROVIDER_H
#define OM_CLI_PROVIDER_H

#include "cli.h"

/**
 * om_provider_add() - the provider among the options, as "peer"
 * @cli:     ours
 * @ask:     open
 * @params:  left as they are for "self", and where none is named
 *
 * Return: OM_EXIT_OK, or what om_peer_find() gave, after it was said.
 */
OM_MUST enum om_exit om_provider_add(struct om_cli *cli, struct om_ask *ask, json_t *params);

#endif
