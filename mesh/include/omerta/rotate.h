/*
 * rotate.h - the secret of a closed network, which changes when somebody is thrown out
 *
 * What:  asks for the change at once, keeps the secrets over a restart, tells which one is in use.
 * Why:   who was a member knows the secret, and would go on to read headers and to find everybody.
 * Keeps: rotate_gives_the_next_secret_to_who_is_left; rotate_waits_for_its_rank;
 *        rotate_survives_a_restart; rotate_says_that_nobody_answers.
 *
 * Nobody has to do anything: an admin makes the next epoch 30 s times its rank after it heard of a
 * revocation, at most one an hour, and members hand it to one another. Each that a node takes up is
 * told by OM_ACT_MEMBER, OM_MEMBER_EPOCH. One that was away is told when it comes back, by whoever
 * still has the epoch it goes by: for 8 changes, or 30 days. After that nobody can read what it
 * says, and it needs a new link.
 *
 * Source: PROTOCOL sections 3 (Epochs) and 7 (Rotation).
 */
#ifndef OMERTA_ROTATE_H
#define OMERTA_ROTATE_H

#include <omerta/member.h>

enum { OM_EPOCHS_KEPT_MAX = 1024 /* bytes of om_act_member.epochs */ };

/**
 * om_node_rotate() - an admin changes the secret now and not later
 * @n:        the node
 * @now:      time
 * @network:  one that was joined, closed
 *
 * Where nobody was revoked since the last change, nothing happens.
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_STATE when this node is no admin there, or no more.
 */
OM_MUST enum om_err om_node_rotate(struct om_node *n, om_time now, const struct om_id *network);

/**
 * om_node_epochs() - give a node back what it had told as OM_MEMBER_EPOCH
 * @n:        the node
 * @now:      time
 * @network:  one that was joined, closed, with the last epoch and secret that were told
 * @kept:     om_act_member.epochs as it was told last
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_STATE for an open network or when it was given before,
 * OM_E_PARSE, OM_E_CRYPTO, OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_epochs(struct om_node *n, om_time now, const struct om_id *network,
                                   struct om_bytes kept);

/** om_node_epoch_number() - of the epoch by which @n speaks in @network; 0 also when it is in no
 *  such network. */
uint32_t om_node_epoch_number(const struct om_node *n, const struct om_id *network);

#endif
