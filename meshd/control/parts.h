/*
 * parts.h - what the files of this folder share
 *
 * What:  clients, questions that wait, and small helpers for parameters and answers.
 * Why:   one file per family of methods, one for the server; here they meet.
 */
#ifndef OM_CONTROL_PARTS_H
#define OM_CONTROL_PARTS_H

#include "control/control.h"
#include "ipc/jsonrpc.h"
#include "ipc/line.h"
#include "ipc/methods.h"
#include "ipc/outbox.h"

struct names;

enum { CONTROL_WHY_TEXT = 200 /* bytes of a sentence that says why a peer is not reached */ };

#define CONTROL_SELF "self" /* this node, where a peer is wanted */

enum wait_kind {
    WAIT_HEALTH,
    WAIT_STATUS,
    WAIT_RECEIPT,
    WAIT_FORWARD,
    WAIT_VM,
    WAIT_JOIN,
    WAIT_CODE,
    WAIT_CLOISTER
};

struct control_client {
    struct om_link link;
    uv_pipe_t pipe;
    struct control *control;
    uint64_t number; /* never used twice */
    struct om_line in;
    struct om_outbox out;
    uv_write_t write;
    bool is_writing, is_closing, is_paused;
    bool is_silent; /* it will ask nothing more */
    bool wants_all; /* events of every kind */
    json_t *kinds;  /* owned: array of names it subscribed to; NULL: none */
    char read_buffer[16384], write_buffer[16384];
};

/* A question whose answer comes with something that the node will do. */
struct control_wait {
    struct om_link link;
    uint64_t client;
    json_t *id; /* owned */
    enum wait_kind kind;
    struct om_id network, peer;
    uint8_t message[OM_MESSAGE_ID];
};

/* A run of pings. */
struct control_ping {
    struct om_link link;
    uv_timer_t timer;
    struct control *control;
    uint64_t client;
    uint64_t run; /* upper 32 bits of the tokens */
    struct om_id network, peer;
    unsigned sent, count, heard, told; /* told: sequence numbers that were reported */
    uint64_t interval_ms;
    uint64_t waited_ms; /* for a way, to send the next one */
    bool answered[OM_PONGS_MAX];
};

struct control {
    struct om_daemon *d;
    uv_pipe_t listener;
    struct om_list clients, waits, pings;
    unsigned client_count, wait_count, ping_count, open_handles;
    uint64_t numbers;
    uint64_t truncated; /* lines that ended without their newline */
    bool is_closing;
    bool is_bound; /* the file at the place of the control socket is ours to remove */
};

/* server.c */

/** control_client() - the client of @c with @number, or NULL when it has gone. */
struct control_client *control_client(const struct control *c, uint64_t number);

/** control_send_event() - the notification @method with @params (taken) for subscribers of @c. */
void control_send_event(struct control *c, const char *method, json_t *params);

/** control_send_to() - the notification @method with @params (taken) for one client @k, asked or
 *  not. */
void control_send_to(struct control_client *k, const char *method, json_t *params);

/** control_answer() - answer @id of client @k: @result is taken; NULL: with @err. */
void control_answer(struct control_client *k, const json_t *id, json_t *result,
                    const struct om_error *err);

/* providers.c */

/**
 * control_provider() - as control_peer(), of somebody who provides machines
 * @ask:   its "peer" may also be IP, IP:PORT, where one known peer must be, or ID@IP[:PORT]
 * @net:   receives the network
 * @peer:  receives the key
 * @err:   sentence
 *
 * Return: false when there is no such peer.
 */
bool control_provider(struct control_ask *ask, const struct daemon_network **net,
                      struct om_id *peer, struct om_error *err);

/* wait.c */

/** control_wait() - remember who asked @ask, until something of @kind about @peer of @network, or
 *  @message, happens; false and @err when too many wait. */
bool control_wait(struct control_ask *ask, enum wait_kind kind, const struct om_id *network,
                  const struct om_id *peer, const uint8_t *message, struct om_error *err);

/** control_wait_forward() - @ask is answered by control_forwarded() of forward @number with @peer
 *  of @network; false and @err when too many wait. */
bool control_wait_forward(struct control_ask *ask, uint64_t number, const struct om_id *network,
                          const struct om_id *peer, struct om_error *err);

/** control_wait_vm() - @ask is answered by control_vm_answer() of @number, @peer and @network;
 *  false and @err when too many wait. */
bool control_wait_vm(struct control_ask *ask, uint64_t number, const struct om_id *network,
                     const struct om_id *peer, struct om_error *err);

/** control_wait_join() - @ask is answered by control_joined() of @network; false and @err when too
 *  many wait. */
bool control_wait_join(struct control_ask *ask, const struct om_id *network, struct om_error *err);

/** control_wait_cloister() - @ask is answered by control_cloister_code(), with @is_code, or else by
 *  control_cloister_end(), of @number with @peer of @network; false and @err when too many wait. */
bool control_wait_cloister(struct control_ask *ask, bool is_code, unsigned number,
                           const struct om_id *network, const struct om_id *peer,
                           struct om_error *err);

/** control_waits_for() - does client @number of @c wait for an answer or a pong? */
bool control_waits_for(const struct control *c, uint64_t number);

/** control_leave() - hang up on @k if it asks nothing more and nothing is on its way to it. */
void control_leave(struct control_client *k);

/** control_wait_forget() - client @number of @c has gone: its questions and pings with it. */
void control_wait_forget(struct control *c, uint64_t number);

/** control_ping_stop() - end @p, its timer and its memory. */
void control_ping_stop(struct control_ping *p);

/* find.c */

/**
 * control_find() - the peer that a word means, and its network
 * @ask:   its "network" says where to look (null: in the only one); without it everywhere
 * @text:  a full id, the start of one (4 or more characters), a name, or CONTROL_SELF; or one of
 *         these, a dot and a network's name. Without a network it may be of any, but of one only
 * @net:   receives the network
 * @peer:  receives the key
 * @err:   sentence, with the candidates when there are several
 *
 * Return: false when it is nobody's, or may be several.
 */
bool control_find(const struct control_ask *ask, const char *text,
                  const struct daemon_network **net, struct om_id *peer, struct om_error *err);

/** control_behind() - the network of @d, or only @only unless that is NULL, that @text names as
 *  PEER.NETWORK, so many bytes of which, @n, are the peer's; else @only, and @n is all of it. */
const struct daemon_network *control_behind(const struct om_daemon *d,
                                            const struct daemon_network *only, const char *text,
                                            size_t *n);

/* words.c */

/** control_network() - the network that @ask names, or the only one; NULL and @err. */
const struct daemon_network *control_network(const struct control_ask *ask, struct om_error *err);

/**
 * control_peer() - the network and peer that a question names, made reachable
 * @ask:   its "peer" is as control_find() takes it
 * @net:   receives the network
 * @peer:  receives the key
 * @err:   sentence, with the candidates when there are several
 *
 * Return: false when there is no such peer.
 */
bool control_peer(const struct control_ask *ask, const struct daemon_network **net,
                  struct om_id *peer, struct om_error *err);

/** control_other() - control_peer() of @ask, @net, @peer and @err, for what only somebody else can
 *  be asked. Return: false for this node itself, too. */
bool control_other(const struct control_ask *ask, const struct daemon_network **net,
                   struct om_id *peer, struct om_error *err);

/** control_id() - a JSON text of @id. */
json_t *control_id(const struct om_id *id);

/** control_addr() - a JSON text of @a. */
json_t *control_addr(const struct om_addr *a);

/**
 * control_path() - how datagrams of a peer come
 * @d:        the daemon
 * @network:  the peer's network
 * @p:        what the node knows of the peer
 *
 * Return: a JSON text, "ADDRESS" or "relay NAME"; JSON null when it was never heard.
 */
json_t *control_path(struct om_daemon *d, const struct om_id *network,
                     const struct om_peer_info *p);

/** control_ms() - a JSON number: @t in milliseconds; null for 0, negative and OM_NEVER. */
json_t *control_ms(om_time t);

/** control_iso() - a JSON text of @wall, UTC with milliseconds. */
json_t *control_iso(struct om_wall wall);

/** control_text() - a JSON text of @n bytes at @text, which others wrote: what is no UTF-8, and
 *  control characters, are escaped. */
json_t *control_text(const char *text, size_t n);

/** control_latency() - figures of @peer of @network as @d has measured them; null without any. */
json_t *control_latency(const struct om_daemon *d, const struct om_id *network,
                        const struct om_id *peer);

/** control_peer_json() - everything @d knows about @peer of @net, for lists and status. */
json_t *control_peer_json(struct om_daemon *d, const struct daemon_network *net,
                          const struct om_id *peer);

/** control_peer_named() - the same of @peer of @net of @d, for one of many: @names is loaded. */
json_t *control_peer_named(struct om_daemon *d, const struct daemon_network *net,
                           const struct om_id *peer, const struct names *names);

/** control_message_json() - message @e of the inbox. */
json_t *control_message_json(const struct inbox_entry *e);

/* limits.c */

/** control_limits() - "limits" of @set: what @ask says of them, laid over those that there are. */
void control_limits(struct control_ask *ask, json_t *set);

/* status.c */

/** control_network_json() - what @d knows of its network @net, for lists; no secret of it. */
json_t *control_network_json(struct om_daemon *d, const struct daemon_network *net);

/** control_network_show() - what @d knows of its network @net, pins and all; no secret of it. */
json_t *control_network_show(struct om_daemon *d, const struct daemon_network *net);

/** control_udp() - the sockets of @d. */
json_t *control_udp(const struct om_daemon *d);

/* members.c */

/** control_invites() - the invitations of @net of @d that still open something; no secret. */
json_t *control_invites(struct om_daemon *d, const struct daemon_network *net);

/* netcheck.c */

/** control_portmap() - the mapping of @d at its router, and what was tried for it. */
json_t *control_portmap(const struct om_daemon *d);

/* table.c */

/** control_method_find() - who answers @name, or NULL. */
control_method control_method_find(const char *name);

#endif
