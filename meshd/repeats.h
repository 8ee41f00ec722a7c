/*
 * repeats.h - questions of peers that nobody wanted
 *
 * What:  counts the questions of a peer until the user says yes to one.
 * Why:   a question is shown to a person; a peer must not be able to ask until he gives in.
 * Keeps: test_handover_questions_are_bounded; test_cloister_is_asked_thrice_a_day;
 *        repeats_of_a_crowd_leave_the_others.
 *
 * Full:  of REPEATS_PEERS, the peer who asked first of the network with the most is forgotten.
 */
#ifndef OM_MESHD_REPEATS_H
#define OM_MESHD_REPEATS_H

#include <stdbool.h>

#include <omerta/id.h>
#include <omerta/time.h>

enum { REPEATS_A_DAY = 3, REPEATS_PEERS = 64 };

/* Zeroed: nobody asked. Read nothing of it. */
struct repeats {
    struct {
        struct om_id network, peer;
        om_time until; /* from the first question on for a day; 0: nobody */
        unsigned count;
    } of[REPEATS_PEERS];
};

/** repeats_ask() - @peer of @network asks at @now, which counts in @r. Return: may it be shown? */
bool repeats_ask(struct repeats *r, om_time now, const struct om_id *network,
                 const struct om_id *peer);

/** repeats_forget() - a yes: what @peer of @network asked until now counts no more in @r. */
void repeats_forget(struct repeats *r, const struct om_id *network, const struct om_id *peer);

#endif
