/*
 * member.h - who may take part in a network, and with how much
 *
 * What:  where credentials that handshakes bring meet certificates, the calendar and what was
 *        revoked; which frames a session of less than a member may carry.
 * Why:   both halves of a handshake ask the same question, and both must get the same answer.
 * Keeps: roles_count_in_closed_networks_only; roles_relay_is_believed_by_its_certificate.
 */
#ifndef OM_NODE_MEMBER_H
#define OM_NODE_MEMBER_H

#include "node/state.h"

enum {
    OM_CLASS_BYTES_MAX = 64 * 1024, /* that a session of class JOIN or RENEW may bring */
    OM_CLOCK_TELL_S = 10            /* between two words to our user on clocks that differ */
};

/**
 * node_member_admit() - may who showed a credential take part?
 * @n:         the node
 * @now:       time
 * @net:       the network
 * @shown:     as received
 * @id:        receives the key
 * @session_class: receives enum om_session_class
 *
 * Return: false for silence.
 */
bool node_member_admit(struct om_node *n, om_time now, const struct om_network *net,
                       const struct om_shown *shown, struct om_id *id, uint8_t *session_class);

/** node_member_class() - what one who may have @session_class by its certificate gets under @epoch
 *  at @now: under one of the past no more than to be told the current one. */
uint8_t node_member_class(const struct om_epoch *epoch, om_time now, uint8_t session_class);

/** node_member_clock() - by @n's calendar the certificate of @peer is of the future (@is_early),
 *  or over, and the peer does not know it: one of the clocks is wrong; our user is told @now. */
void node_member_clock(struct om_node *n, om_time now, const struct om_id *peer, bool is_early);

/** node_member_may_say() - may a session of @session_class carry a @frame? */
bool node_member_may_say(uint8_t session_class, uint8_t frame);

/** node_member_is_full() - is the session that carries to @p, if any, one of a member? */
bool node_member_is_full(const struct om_peer *p);

/** node_member_is_owed() - does anything wait for @p, to whom no session leads, that only a member
 *  may have? */
bool node_member_is_owed(const struct om_peer *p);

/** node_member_is_behind() - is that of @p one of a member who is told the current epoch, or tells
 *  it? */
bool node_member_is_behind(const struct om_peer *p);

/** node_member_is_admin() - does the certificate of @p, as @n saw it last, make it an admin? */
bool node_member_is_admin(const struct om_node *n, const struct om_peer *p);

/** node_member_may() - may @id, or ourselves, do in @net what @role, of enum om_role, lets members
 *  do? In an open network anybody may; in a closed one who has that or the admin's in the
 *  certificate that @n saw last. */
bool node_member_may(const struct om_node *n, const struct om_network *net, const struct om_id *id,
                     enum om_role role);

/** node_member_judge() - what @n would be in @net at @now by @chain, which is said to be of its own
 *  key: what that says to @out, unless it is OM_CERT_FORGED. Revocation is not looked at. */
enum om_cert_verdict node_member_judge(struct om_node *n, om_time now, const struct om_network *net,
                                       const struct om_cert_chain *chain, struct om_member *out);

/** node_member_set() - @n shows @chain in @net from @now on. Return: as om_node_credential(). */
enum om_err node_member_set(struct om_node *n, om_time now, struct om_network *net,
                            const struct om_cert_chain *chain);

/** node_member_shown() - @n, since @now in @net or with another certificate there, goes by it. */
void node_member_shown(struct om_node *n, om_time now, struct om_network *net);

#endif
