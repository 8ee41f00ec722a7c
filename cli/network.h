/*
 * network.h - links and joins, which network and key share
 *
 * What:  shows a link as text or QR code, and joins by one with what happens meanwhile.
 * Why:   omerta network and omerta key say the same things of open and of direct networks.
 */
#ifndef OM_CLI_NETWORK_H
#define OM_CLI_NETWORK_H

#include "cli.h"

/** om_network_params() - as om_cli_params() of @cli, with its word @at as the network when there is
 *  one. */
json_t *om_network_params(const struct om_cli *cli, unsigned at);

/** om_network_link() - ask @cli's daemon @method with @params (taken) for a link, and show it; as a
 *  QR code, too, when @is_qr. */
OM_MUST enum om_exit om_network_link(struct om_cli *cli, const char *method, json_t *params,
                                     bool is_qr);

/** om_network_join() - @cli joins by @link, which came from standard input when @is_stdin. */
OM_MUST enum om_exit om_network_join(struct om_cli *cli, const char *link, bool is_stdin);

/* leave.c */

/** om_network_leave() - network leave; the only admin of others is asked first, or has said --yes.
 *  Return: the exit code of @cli. */
OM_MUST enum om_exit om_network_leave(struct om_cli *cli);

/* member.c */

/** om_network_members() - network members: a table of who is in one. Return: the exit code of
 *  @cli. */
OM_MUST enum om_exit om_network_members(struct om_cli *cli);

/** om_network_revoke() - network revoke: a member is put out, or an invitation taken back. Return:
 *  the exit code of @cli. */
OM_MUST enum om_exit om_network_revoke(struct om_cli *cli);

/** om_network_block() - network block: have nothing to do with somebody, or again. Return: the exit
 *  code of @cli. */
OM_MUST enum om_exit om_network_block(struct om_cli *cli);

#endif
