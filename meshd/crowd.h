/*
 * crowd.h - of rows that the networks of a node share room for, the one that gives way
 *
 * What:  counts rows by network, in one walk over them; the oldest of the largest network leaves.
 * Why:   who fills one network, which anybody may be in perhaps, pushes out its own and no other's.
 * Keeps: crowd_takes_from_the_largest; offers_of_a_crowd_leave_the_others;
 *        inbox_of_a_crowd_leaves_the_others.
 */
#ifndef OM_MESHD_CROWD_H
#define OM_MESHD_CROWD_H

#include <omerta/node.h>

struct crowd {
    struct {
        const struct om_id *network; /* lent */
        void *oldest;
        unsigned rows;
    } of[OM_NETWORKS_MAX];
    unsigned count;
};

/** crowd_add() - @c, zeroed at first, sees @row of @network, both lent; the oldest comes first.
 *  Rows of a network beyond OM_NETWORKS_MAX, one that was left, are not counted. */
void crowd_add(struct crowd *c, const struct om_id *network, void *row);

/** crowd_oldest() - the first row of the network with the most in @c, of those the one seen first;
 *  NULL for none. */
void *crowd_oldest(const struct crowd *c);

#endif
