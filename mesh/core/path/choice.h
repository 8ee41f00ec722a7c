/*
 * choice.h - whether another path would carry better than the one that does
 *
 * What:  compares the paths of a set by score, says what is to be measured before data moves for
 *        one, and since when it may.
 * Why:   a score is a guess about the future from samples of different ages, some of them taken
 *        while data filled the way and some while it was empty; each kind misleads differently.
 * Keeps: paths_relay_gives_way_to_direct; paths_stay_for_small_gains;
 *        paths_move_on_what_they_measured; paths_direct_is_not_left_on_a_guess;
 *        paths_load_is_no_reason_for_a_relay; paths_planned_moves_keep_their_distance.
 *
 * Nothing here changes the set; an active path is meant to exist, but for om_choice_best().
 *
 * Source: PROTOCOL section 5; ARCHITECTURE section 6 (score, hysteresis, dwell).
 */
#ifndef OM_PATH_CHOICE_H
#define OM_PATH_CHOICE_H

#include "path/paths.h"

/**
 * om_choice_best() - the valid path with the least score
 * @ps:     the set
 * @not:    index of the one that does not count; -1: all do
 * @since:  it was proven then, or later
 *
 * Return: its index; -1: there is none.
 */
int om_choice_best(const struct om_paths *ps, int not, om_time since);

/** om_choice_is_better() - is @a of @ps better than @b, the active one? */
bool om_choice_is_better(const struct om_paths *ps, const struct om_path *a,
                         const struct om_path *b);

/** om_choice_unknown() - index of what is to be measured before data of @ps moves to path @other
 *  because it is better; -1: enough is known. */
int om_choice_unknown(const struct om_paths *ps, int other);

/** om_choice_at() - since when, or from when on, data of @ps may move to @to, a better path. */
om_time om_choice_at(const struct om_paths *ps, const struct om_path *to);

#endif
