/*
 * deed.h - let one deed of a script happen
 *
 * What:  from struct sim_deed to the call it stands for.
 * Why:   apart from play.c so that each stays readable.
 */
#ifndef SIM_DEED_H
#define SIM_DEED_H

#include "script.h"

/** sim_deed_name() - a few words for what @d does in @w; lent until the next call. */
const char *sim_deed_name(const struct sim_world *w, const struct sim_deed *d);

/**
 * sim_deed_do() - once
 * @w:     a world whose actors and networks are those of the script
 * @d:     the deed; of a send with a pace, one datagram
 *
 * Return: OM_OK, or why the node refuses.
 */
OM_MUST enum om_err sim_deed_do(struct sim_world *w, const struct sim_deed *d);

#endif
