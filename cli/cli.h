/*
 * cli.h - what every command is given
 *
 * What:  the parsed command line, where the home is, where to print; and the short ways to ask the
 *        daemon that print their own error.
 * Why:   a command is then only its question and its answer.
 * Keeps: command_refused_says_why; command_with_too_many_words_is_wrong_usage;
 *        command_ping_shows_each_answer_and_the_sum; command_ping_without_answer_fails;
 *        command_peers_escapes_their_names; command_message_to_two_peers_is_refused;
 *        command_down_waits_until_it_is_gone; command_watch_goes_on_line_by_line.
 */
#ifndef OM_CLI_CLI_H
#define OM_CLI_CLI_H

#include <jansson.h>

#include "args.h"
#include "ask.h"
#include "exit.h"
#include "ipc/place.h"
#include "out.h"

struct om_cli {
    struct om_args args;
    struct om_place place;
    struct om_out out;
};

/**
 * om_cli_open() - connect to the daemon of this home
 * @cli:  ours
 * @out:  on success owned by the caller
 *
 * Return: OM_EXIT_OK, or what om_ask_open() gives, after it was said.
 */
OM_MUST enum om_exit om_cli_open(struct om_cli *cli, struct om_ask **out);

/**
 * om_cli_call() - one question on an open connection, 10 seconds for the answer
 * @cli:     ours
 * @ask:     open
 * @method:  "peers.list"
 * @params:  taken; NULL: none
 * @result:  on success owned by the caller
 *
 * Return: OM_EXIT_OK, or what om_ask_call() gives, after it was said.
 */
OM_MUST enum om_exit om_cli_call(struct om_cli *cli, struct om_ask *ask, const char *method,
                                 json_t *params, json_t **result);

/**
 * om_cli_ask() - connect, one question, close
 * @cli:     ours
 * @method:  "status"
 * @params:  taken; NULL: none
 * @result:  on success owned by the caller
 *
 * Return: as om_cli_open() and om_cli_call().
 */
OM_MUST enum om_exit om_cli_ask(struct om_cli *cli, const char *method, json_t *params,
                                json_t **result);

/** om_cli_usage() - say @fmt and how to get help for the command of @cli; OM_EXIT_USAGE. */
enum om_exit om_cli_usage(struct om_cli *cli, const char *fmt, ...) OM_PRINTF(2, 3);

/** om_cli_words() - check that @cli has between @least and @most words after the command. */
OM_MUST enum om_exit om_cli_words(struct om_cli *cli, unsigned least, unsigned most);

/** om_cli_port() - read @text, a word of @cli, as a port from 1 to 65535 into @out, or say that it
 *  is none. */
OM_MUST enum om_exit om_cli_port(struct om_cli *cli, const char *text, long long *out);

/** om_cli_params() - new params: with "network" when @cli has --network; NULL: no memory. */
json_t *om_cli_params(const struct om_cli *cli);

#endif
