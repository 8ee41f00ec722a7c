/*
 * names.h - certificates that travel with what members say of themselves
 *
 * What:  our certificates go into our record of the gossip; those of others are taken from theirs.
 * Why:   whoever is to be called by a name is often not met yet; and an admin who gives names has
 *        to know those that other admins gave.
 * Keeps: names_of_members_are_heard_by_gossip; names_are_freed_by_a_revocation;
 *        names_are_told_apart_by_admins.
 */
#ifndef OM_NODE_NAMES_H
#define OM_NODE_NAMES_H

#include "network/issuer.h"
#include "node/state.h"

/** node_names_field() - our certificates in @net as a field of a record, to @w; nothing in an open
 *  one. */
void node_names_field(struct om_wr *w, const struct om_network *net);

/** node_names_heard() - @record of @net, whose signature holds, is news to @n. */
void node_names_heard(struct om_node *n, struct om_network *net, struct om_bytes record);

/** node_names_note() - @i of @net, who is about to give names in @n at Unix time @now_s, knows whom
 *  the others let in, and who is out. */
void node_names_note(struct om_node *n, const struct om_network *net, struct om_issuer *i,
                     uint32_t now_s);

#endif
