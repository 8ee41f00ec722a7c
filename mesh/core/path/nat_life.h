/*
 * nat_life.h - how long a mapping lives in silence
 *
 * What:  two bounds, the longest silence that a mapping outlived and the shortest that it did not,
 *        and the silence to try next.
 * Why:   a keepalive sent oftener than the NAT forgets wakes a phone for nothing; one sent later
 *        loses the path.
 * Keeps: life_bisects; life_one_loss_is_no_death; life_follows_a_change; life_is_bounded.
 *
 * Zeroed storage knows nothing. A trial is best made on a mapping of its own: after as much silence
 * the other side sends to it, and it arrives or not. What did not arrive twice running was dead.
 *
 * Source: RFC 4787 section 4.3 (no less than two minutes; many have less), RFC 5780 section 4.6
 *         (search with a second socket).
 */
#ifndef OM_PATH_NAT_LIFE_H
#define OM_PATH_NAT_LIFE_H

#include <stdbool.h>

#include <omerta/time.h>

enum {
    OM_LIFE_LEAST_S = 5,    /* taken for granted, and the shortest interval */
    OM_LIFE_DEFAULT_S = 15, /* RFC 8445 section 11: what is safe with nothing known */
    OM_LIFE_FIRST_S = 30,   /* first trial: the commonest timeout of Linux */
    OM_LIFE_MAX_S = 300,    /* longer ones gain nothing: relays unbind after as long */
    OM_LIFE_NARROW = 115,   /* % between the bounds at which the search ends */
    OM_LIFE_MISSES = 2,
    OM_LIFE_MARGIN_MS = 500 /* or a 32nd, whichever is more */
};

struct om_nat_life {
    om_time alive; /* longest silence outlived; 0: none yet */
    om_time dead;  /* shortest not outlived; 0: none yet */
    uint8_t misses;
};

/** om_nat_life_alive() - a mapping of @l was there after @gap of silence. */
void om_nat_life_alive(struct om_nat_life *l, om_time gap);

/**
 * om_nat_life_dead() - nothing came through a mapping after a silence
 * @l:    the bounds
 * @gap:  the silence; gaps above 0 only
 *
 * Return: true when this was the second time running, and is believed.
 */
bool om_nat_life_dead(struct om_nat_life *l, om_time gap);

/** om_nat_life_trial() - the silence to try next for @l, in whole seconds; OM_NEVER when the bounds
 *  are narrow. */
om_time om_nat_life_trial(const struct om_nat_life *l);

/** om_nat_life_safe() - the longest silence to allow by @l, OM_LIFE_LEAST_S or more. */
om_time om_nat_life_safe(const struct om_nat_life *l);

#endif
