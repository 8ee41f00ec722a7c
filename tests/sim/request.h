/*
 * request.h - what programs ask of a node, in terms of actors instead of keys and addresses
 *
 * What:  connect, send, ping, close, keep, epoch: each calls the node and carries out what follows.
 * Why:   scripts and properties speak of names; the node speaks of keys.
 */
#ifndef SIM_REQUEST_H
#define SIM_REQUEST_H

#include "actor.h"

#define SIM_CHANNEL_IP "ip"

/**
 * sim_connect() - om_node_connect() with another actor's key and address
 * @a:      a node that is up
 * @n:      network; NULL for the one in which both are
 * @b:      whose key
 * @at:     whose addresses, tried as endpoints; NULL for that of @b
 * @count:  of @at; 0 with @at set: no endpoints
 *
 * Return: as om_node_connect(); OM_E_STATE when @a is down.
 */
OM_MUST enum om_err sim_connect(struct sim_actor *a, const struct sim_network *n,
                                struct sim_actor *b, struct sim_actor *const *at, unsigned count);

/**
 * sim_connect_seen() - as if somebody had introduced them
 * @a:   a node that is up
 * @n:   network; NULL for the one in which both are
 * @b:   whose key
 * @by:  the endpoint is the one from which the last datagram of @b came to it
 *
 * Return: as om_node_connect(); OM_E_STATE when @a is down, OM_E_MISSING when none came to @by.
 */
OM_MUST enum om_err sim_connect_seen(struct sim_actor *a, const struct sim_network *n,
                                     struct sim_actor *b, struct sim_actor *by);

/**
 * sim_send() - om_node_send() of a text, numbered so that its delivery can be checked
 * @a:        a node that is up
 * @n:        network; NULL for the one in which both are
 * @b:        the receiver
 * @channel:  channel name; SIM_CHANNEL_IP: it is sent as an IP packet
 * @text:     what sim_text_count() knows it by
 * @size:     of the datagram; less than the text needs: just that much
 *
 * Return: as om_node_send(); OM_E_STATE when @a is down.
 */
OM_MUST enum om_err sim_send(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b,
                             const char *channel, struct om_bytes text, size_t size);

/** sim_allow() - @a takes IP packets of @b in @n (NULL: where both are) from now on. */
OM_MUST enum om_err sim_allow(struct sim_actor *a, const struct sim_network *n,
                              struct sim_actor *b);

/** sim_ping() - om_node_ping() from @a to @b in @n (NULL: where both are). */
OM_MUST enum om_err sim_ping(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b);

/** sim_close() - om_node_close() with code 0, by @a towards @b in @n (NULL: where both are). */
OM_MUST enum om_err sim_close(struct sim_actor *a, const struct sim_network *n,
                              struct sim_actor *b);

/** sim_keep() - om_node_keep(): @a keeps its way to @b in @n (NULL: where both are) open. */
OM_MUST enum om_err sim_keep(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b);

/** sim_block() - om_node_block(): @a blocks @b in @n (NULL: where both are). */
OM_MUST enum om_err sim_block(struct sim_actor *a, const struct sim_network *n,
                              struct sim_actor *b);

/** sim_epoch() - tell @a, in its network @n (NULL: its first), the secret of epoch @number. */
OM_MUST enum om_err sim_epoch(struct sim_actor *a, const struct sim_network *n, uint32_t number);

/**
 * sim_peer_info() - om_node_peer_info() about an actor
 * @a:    a node
 * @b:    another
 * @out:  filled on success
 *
 * Return: as om_node_peer_info(); OM_E_STATE when @a is down.
 */
OM_MUST enum om_err sim_peer_info(const struct sim_actor *a, struct sim_actor *b,
                                  struct om_peer_info *out);

/** sim_has_session() - @a holds a session with @b that can carry data. */
bool sim_has_session(const struct sim_actor *a, struct sim_actor *b);

/**
 * sim_text_open() - read what sim_send() laid out
 * @data:  as delivered
 * @seq:   receives the number
 * @sent:  receives the virtual time of sending
 * @text:  receives the text, lent by @data
 *
 * Return: false when these are not the bytes that were sent.
 */
bool sim_text_open(struct om_bytes data, uint64_t *seq, om_time *sent, struct om_bytes *text);

#endif
