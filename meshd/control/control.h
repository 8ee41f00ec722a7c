/*
 * control.h - local programs ask the daemon, and are told what happens
 *
 * What:  JSON-RPC 2.0 on a Unix socket: one JSON text a line; answers, and notifications for those
 *        who subscribed.
 * Why:   the command line is a client like any other; what it can do, every program can.
 *
 * Full: OM_CLIENTS_MAX clients; then a new one is told so and closed. A client that reads too
 * slowly loses events (it is told how many) and, when even answers pile up, its connection; while
 * its answers wait it is not read, so no client can make the daemon hold more than its share.
 */
#ifndef OM_CONTROL_CONTROL_H
#define OM_CONTROL_CONTROL_H

#include <jansson.h>

#include "inbox.h"
#include "state.h"

enum {
    OM_CLIENTS_MAX = 64,
    OM_WAITS_MAX = 256, /* questions whose answer comes later, of all clients */
    OM_PINGS_MAX = 64   /* runs of pings of all clients */
};

struct control;
struct control_client;

/* A question that is being answered. */
struct control_ask {
    struct om_daemon *d;
    struct control *control;
    struct control_client *client;
    const json_t *params; /* an object, lent */
    const json_t *id;     /* lent; NULL for a notification */
    bool is_deferred;     /* the answer comes by control_wait_answer() */
};

/* Answers one method: a new reference, or NULL with @err filled or ask->is_deferred set. */
typedef json_t *(*control_method)(struct control_ask *ask, struct om_error *err);

/** control_open() - listen for @d on its control socket, by @out; else false and @err. */
bool control_open(struct control **out, struct om_daemon *d, struct om_error *err);

/** control_close() - hang up on everybody; @c is freed once the loop has run. */
void control_close(struct control *c);

/** control_notify_event() - tell subscribers of @c that the node did @e at @wall. */
void control_notify_event(struct control *c, struct om_wall wall, const struct om_event *e);

/** control_notify_message() - tell subscribers of @c, and who waits for it, the state of @e. */
void control_notify_message(struct control *c, const struct inbox_entry *e);

/** control_notify_record() - tell subscribers of @c that gossip brought @r. */
void control_notify_record(struct control *c, const struct om_act_record *r);

/** control_notify_log() - tell those clients of @c who follow the log about @line. */
void control_notify_log(struct control *c, const char *line);

/** control_pong() - a peer answered: @pong goes to the program of @c that pings. */
void control_pong(struct control *c, const struct om_act_pong *pong);

/** control_health() - a probe ended: @h answers whoever waits in @c. */
void control_health(struct control *c, const struct om_act_health *h);

/** control_status() - a peer said how it is: @s answers whoever waits in @c. */
void control_status(struct control *c, const struct om_act_status *s);

/** control_forwarded() - @peer of @network listens for forward @number of @c: @result, taken,
 *  answers whoever waits; NULL: it does not, @err. */
void control_forwarded(struct control *c, uint64_t number, const struct om_id *network,
                       const struct om_id *peer, json_t *result, const struct om_error *err);

/** control_joined() - this node is in @network, as @net, or is not (NULL), as @err says: who waits
 *  for that in @c is answered. */
void control_joined(struct control *c, const struct om_id *network,
                    const struct daemon_network *net, const struct om_error *err);

/** control_vm_answer() - question @number about a virtual machine, asked of @peer of @network, is
 *  answered in @c: @result, taken; NULL: @err. */
void control_vm_answer(struct control *c, uint64_t number, const struct om_id *network,
                       const struct om_id *peer, json_t *result, const struct om_error *err);

/** control_notify_vm() - something happened to a virtual machine: @what, taken, goes to client
 *  @client of @c, which asked for it, and to subscribers. */
void control_notify_vm(struct control *c, uint64_t client, json_t *what);

/** control_notify_approval() - a request waits for the owner, or no longer: @what, taken, goes to
 *  subscribers of @c. */
void control_notify_approval(struct control *c, json_t *what);

/** control_notify_cloister() - something became of the question of a private network: @what, taken,
 *  goes to subscribers of @c. */
void control_notify_cloister(struct control *c, json_t *what);

/** control_cloister_code() - the code of question @number, with @peer of @network, is known in @c:
 *  @result, taken, answers who asked; NULL: it never will be, @err. */
void control_cloister_code(struct control *c, unsigned number, const struct om_id *network,
                           const struct om_id *peer, json_t *result, const struct om_error *err);

/** control_cloister_end() - question @number, with @peer of @network, led to @net, or to none
 *  (NULL), as @err says: who accepted it in @c is answered. */
void control_cloister_end(struct control *c, unsigned number, const struct om_id *network,
                          const struct om_id *peer, const struct daemon_network *net,
                          const struct om_error *err);

/** control_cloister_joins() - who accepted question @number, with @peer of @network, in @c is
 *  answered by control_joined() of @joined. */
void control_cloister_joins(struct control *c, unsigned number, const struct om_id *network,
                            const struct om_id *peer, const struct om_id *joined);

/** control_clients() - clients of @c now. */
unsigned control_clients(const struct control *c);

#endif
