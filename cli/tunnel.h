/*
 * tunnel.h - what expose, forward, proxy and dns share
 *
 * What:  lists, removal and the one line after something was added; ports, and the options that a
 *        word such as list does not have.
 * Why:   the four are one family, and their sentences are to be alike.
 */
#ifndef OM_CLI_TUNNEL_H
#define OM_CLI_TUNNEL_H

#include "cli.h"
#include "table.h"

struct om_tunnel_list {
    const char *method, *field; /* of the daemon, and of its answer */
    const struct om_column *columns;
    unsigned count;
    const char *none; /* said of an empty list */
    /* The rows for people, owned by the caller; NULL: those of the answer. */
    json_t *(*rows)(const json_t *rows, const json_t *peers);
};

/** om_tunnel_list() - print @list for @cli. */
OM_MUST enum om_exit om_tunnel_list(struct om_cli *cli, const struct om_tunnel_list *list);

/** om_tunnel_remove() - remove the rule whose ID @cli names, by @method. */
OM_MUST enum om_exit om_tunnel_remove(struct om_cli *cli, const char *method);

/**
 * om_tunnel_add() - add a rule and show it
 * @cli:     ours
 * @method:  of the daemon
 * @params:  taken
 * @text:    says in @buf what the rule @row does; names are in @peers
 *
 * Return: OM_EXIT_OK, or what the question gave, after it was said.
 */
OM_MUST enum om_exit om_tunnel_add(struct om_cli *cli, const char *method, json_t *params,
                                   void (*text)(char buf[static OM_OUT_TEXT_MAX], const json_t *row,
                                                const json_t *peers));

/**
 * om_tunnel_options() - refuse options that a word does not have
 * @cli:    ours
 * @word:   of the command: list
 * @known:  names of its options, with a space after each; "" when it has none
 *
 * Return: OM_EXIT_OK; OM_EXIT_USAGE, after it was said.
 */
OM_MUST enum om_exit om_tunnel_options(struct om_cli *cli, const char *word, const char *known);

/**
 * om_tunnel_listen() - [BIND:]PORT with localhost and * as addresses
 * @cli:     ours
 * @text:    as it was typed
 * @params:  gets it as "listen"
 *
 * Return: OM_EXIT_OK; OM_EXIT_USAGE, after it was said, when there is no port at the end.
 */
OM_MUST enum om_exit om_tunnel_listen(struct om_cli *cli, const char *text, json_t *params);

/** om_tunnel_peer() - @id as people know it: its name among @peers, and its first characters; *
 *  is everybody. A new string, or NULL without memory; not escaped. */
json_t *om_tunnel_peer(const json_t *id, const json_t *peers);

#endif
