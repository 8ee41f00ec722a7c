/*
 * closed.h - closed networks of a home: certificates, invitations, joining
 *
 * What:  what the node tells of certificates is kept, and given back at the next start; invitations
 *        are made by who made the network; one that was received is followed.
 * Why:   the core decides who is a member; here is what must outlive it.
 * Keeps: test_closed_network_by_invitation; test_invitation_is_used_up;
 *        test_invitation_where_the_disk_is_full;
 *        test_revocation_where_the_disk_is_full; test_closed_network_outlives_a_restart.
 * Full:  OM_JOINING_MAX networks are joined at a time; one more is refused.
 *
 *     networks/ID            as network_file.h says
 *     networks/ID.issued     certificates made here, each behind a u8 of its bytes; no secret
 *     networks/ID.ledger     as ledger_file.h says
 */
#ifndef OM_MESHD_CLOSED_H
#define OM_MESHD_CLOSED_H

#include "network_file.h"
#include "state.h"

/** closed_chain() - the certificates that this node shows by @f, which they are lent by. */
struct om_cert_chain closed_chain(const struct network_file *f);

/** closed_begin() - @net of @d was joined by its node as @f says: an admin takes up its work; false
 *  and @err. In one that was made here it gets new certificates, which @f has then; in the first
 *  of them it is called @as (NULL: as this machine is). */
bool closed_begin(struct om_daemon *d, struct daemon_network *net, struct network_file *f,
                  const char *as, struct om_error *err);

/** closed_renew() - our own certificates in @net of @d, which was made here, hold for longer, when
 *  @now_s says so. */
void closed_renew(struct om_daemon *d, struct daemon_network *net, uint32_t now_s);

/**
 * closed_invite() - a link for others
 * @d:     the daemon
 * @net:   its closed network
 * @i:     for whom; issued is set
 * @at:    where they find this node; NULL: by what is known here
 * @out:   terminated; a secret
 * @err:   sentence for a person
 *
 * Return: false when this node cannot invite.
 */
bool closed_invite(struct om_daemon *d, const struct daemon_network *net, const struct om_invite *i,
                   const struct om_addr *at, char out[static OM_NETWORK_LINK_TEXT],
                   struct om_error *err);

/**
 * closed_join() - ask to be let in
 * @d:     the daemon
 * @l:     the link, read
 * @text:  the same as text
 * @name:  for this home; NULL: one is made up
 * @as:    what this node wishes to be called there; NULL: as this machine is
 * @err:   sentence for a person
 *
 * Return: false when nobody can be asked; else control_joined() follows.
 */
bool closed_join(struct om_daemon *d, const struct om_network_link *l, const char *text,
                 const char *name, const char *as, struct om_error *err);

/** closed_act() - the node of @d told @m. */
void closed_act(struct om_daemon *d, const struct om_act_member *m);

/** closed_forget() - @network of @d is left: what it issued goes. */
void closed_forget(struct om_daemon *d, const struct om_id *network);

#endif
