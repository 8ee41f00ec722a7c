/*
 * fault.h - what goes wrong around a node
 *
 * What:  crash and restart, a new address, a stepped calendar, partitions. (Loss, duplication,
 *        reordering and corruption are properties of links.)
 * Why:   each is one deed that a script names, and none of them asks the node.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "actor.h"

/** sim_crash() - stop @a at once; OM_E_STATE when it is down already. */
OM_MUST enum om_err sim_crash(struct sim_actor *a);

/**
 * sim_restart() - start a crashed node again
 * @a:       a node that is down
 * @fresh:   what it had kept on disk is gone
 * @newkey:  so is its home: it comes back with other keys
 *
 * Return: OM_OK, or OM_E_STATE when it is up or does not start.
 */
OM_MUST enum om_err sim_restart(struct sim_actor *a, bool fresh, bool newkey);

/** sim_move() - @a gets another address; what is under way to the old one is lost. */
void sim_move(struct sim_actor *a);

/** sim_plug() - @a is on segment @lan from now on, 0: on none; a node says hello there. */
void sim_plug(struct sim_actor *a, unsigned lan);

/** sim_step_wall() - set @a's calendar @by further, or back; its node is told when it is up. */
void sim_step_wall(struct sim_actor *a, om_time by);

/** sim_cut() - let nothing (or, with @cut false, everything) pass between @a and @b; NULL @b: all.
 */
void sim_cut(struct sim_actor *a, struct sim_actor *b, bool cut);

#endif
