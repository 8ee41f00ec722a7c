/*
 * why.h - what would make the way to a peer better
 *
 * What:  from a filled snapshot its hints, most useful first. A pure function.
 * Why:   advice must follow from what happened, or people try what cannot help.
 * Keeps: why_says_blocked_before_all_else; why_of_a_relayed_pair_names_the_remedy;
 *        why_of_a_direct_pair_wants_nothing; why_tells_of_a_nearer_relay;
 *        why_waits_while_it_is_tried; why_knows_silence_from_ignorance.
 */
#ifndef OM_PATH_WHY_H
#define OM_PATH_WHY_H

#include <omerta/why.h>

enum { OM_WHY_NEARER_MS = 20 }; /* a relay nearer by less is not worth a word */

/** om_why_judge() - @w's hints, from all the rest of it. */
void om_why_judge(struct om_path_why *w);

#endif
