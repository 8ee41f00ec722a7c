/*
 * share.h - room that the networks of a node have in common, and what each of them may take
 *
 * What:  counts rows by network, and says whether one more leaves the others their share.
 * Why:   keys are free to make: who fills one network, which anybody may be in perhaps, must not
 *        use up what another network of the same node needs.
 * Keeps: shares_leave_room_for_another_network; shares_are_all_for_one_alone;
 *        shares_of_little_room_go_to_who_has_none; shares_forget_what_ended.
 *
 * A share is one part in OM_SHARES_NETWORKS of the room, and at least a row. Who has less is
 * refused only where no room is left at all, as for a network that was joined when others had taken
 * it; who has as much or more is, where it is the others' shares that are left.
 */
#ifndef OMERTA_SHARE_H
#define OMERTA_SHARE_H

#include <stdbool.h>

#include <omerta/id.h>

enum { OM_SHARES_NETWORKS = 16 /* that a node may be in */ };

/* Zeroed: nobody has a row. Read freely; write only through om_shares_*(). */
struct om_shares {
    unsigned rows;
    struct {
        struct om_id network;
        unsigned rows; /* 0: the place is free */
    } of[OM_SHARES_NETWORKS];
};

/** om_shares_add() - @s has one row more, of @network. One of a network too many counts in the
 *  whole only. */
void om_shares_add(struct om_shares *s, const struct om_id *network);

/** om_shares_drop() - @s has one row less, of @network. */
void om_shares_drop(struct om_shares *s, const struct om_id *network);

/**
 * om_shares_fit() - may there be one row more?
 * @s:         the rows that there are
 * @network:   of which it is
 * @max:       of all rows
 * @networks:  that the node is in, @network among them
 *
 * Return: false when @max are there, or those that are left are the shares of other networks.
 */
bool om_shares_fit(const struct om_shares *s, const struct om_id *network, unsigned max,
                   unsigned networks);

#endif
