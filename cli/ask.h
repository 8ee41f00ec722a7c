/*
 * ask.h - questions to the daemon
 *
 * What:  JSON-RPC 2.0 over the control socket, one JSON text per line; events that come meanwhile
 *        wait in order.
 * Why:   every failure of a question is one exit code and one sentence, for all commands alike.
 * Keeps: ask_gets_the_answer_to_its_question; ask_keeps_events_for_later;
 *        ask_without_daemon_says_so; ask_waits_no_longer_than_told; ask_refuses_an_endless_line;
 *        ask_reads_why_it_was_hung_up_on.
 *
 * Full: a line beyond OM_ASK_FRAME_MAX ends the connection; beyond OM_ASK_EVENTS_MAX waiting events
 * the oldest one is dropped.
 * Source: JSON-RPC 2.0 specification; unix(7), SO_PEERCRED.
 */
#ifndef OM_CLI_ASK_H
#define OM_CLI_ASK_H

#include <jansson.h>
#include <stdbool.h>

#include <omerta/err.h>
#include <omerta/time.h>

#include "exit.h"

enum { OM_ASK_FRAME_MAX = 1 << 20, OM_ASK_EVENTS_MAX = 256 };

#define OM_ASK_PATIENCE OM_SEC(10)

struct om_ask;

/**
 * om_ask_connect() - a connection to a socket of the daemon
 * @out:     on success the descriptor, owned by the caller; else -1
 * @socket:  its path
 * @err:     sentence for a person
 *
 * Return: as om_ask_open().
 */
OM_MUST enum om_exit om_ask_connect(int *out, const char *socket, struct om_error *err);

/**
 * om_ask_open() - connect to the daemon
 * @out:     on success a connection that the caller owns
 * @socket:  path of the control socket
 * @err:     sentence for a person
 *
 * Return: OM_EXIT_OK; OM_EXIT_NO_DAEMON; OM_EXIT_FAILED, when it belongs to somebody else or
 * memory is out.
 */
OM_MUST enum om_exit om_ask_open(struct om_ask **out, const char *socket, struct om_error *err);

/** om_ask_close() - end the connection and free @a, which may be NULL. */
void om_ask_close(struct om_ask *a);

/**
 * om_ask_call() - one request and its answer
 * @a:         open
 * @method:    "peers.list"
 * @params:    an object, taken; NULL: none
 * @patience:  how long to wait for the answer; OM_NEVER: as long as it takes
 * @result:    on success the answer, owned by the caller
 * @err:       sentence for a person
 *
 * Return: OM_EXIT_OK, OM_EXIT_REFUSED with the daemon's sentence (escaped), OM_EXIT_TIMEOUT,
 * OM_EXIT_NO_DAEMON when it is gone, OM_EXIT_FAILED.
 */
OM_MUST enum om_exit om_ask_call(struct om_ask *a, const char *method, json_t *params,
                                 om_time patience, json_t **result, struct om_error *err);

/** om_ask_show() - from now on each event that comes to @a while an answer is awaited goes to @show
 *  with @self at once; true: it is not kept for om_ask_next_event(). NULL: all are kept. */
void om_ask_show(struct om_ask *a, bool (*show)(void *self, const json_t *event), void *self);

/**
 * om_ask_next_event() - the oldest event not yet seen
 * @a:         open
 * @patience:  how long to wait for one
 * @out:       on success {"event": KIND, ...}, owned by the caller
 * @err:       sentence for a person
 *
 * Return: OM_EXIT_OK, OM_EXIT_TIMEOUT, OM_EXIT_NO_DAEMON when it is gone, OM_EXIT_FAILED.
 */
OM_MUST enum om_exit om_ask_next_event(struct om_ask *a, om_time patience, json_t **out,
                                       struct om_error *err);

#endif
