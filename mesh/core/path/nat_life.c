/* nat_life.c - doubling until something dies, then halving what lies between. */
#include "path/nat_life.h"

void om_nat_life_alive(struct om_nat_life *l, om_time gap)
{
    gap = om_time_min(gap, OM_SEC(OM_LIFE_MAX_S));
    if (gap <= l->alive)
        return;
    l->alive = gap;
    l->misses = 0;
    if (l->dead && l->dead <= gap)
        l->dead = 0; /* it changed, or both misses were losses */
}

bool om_nat_life_dead(struct om_nat_life *l, om_time gap)
{
    if (gap <= 0 || ++l->misses < OM_LIFE_MISSES)
        return false;
    l->misses = 0;
    if (l->dead == 0 || gap < l->dead)
        l->dead = gap;
    if (l->alive >= l->dead)
        l->alive = 0;
    return true;
}

om_time om_nat_life_trial(const struct om_nat_life *l)
{
    om_time least = OM_SEC(OM_LIFE_LEAST_S), low = l->alive > least ? l->alive : least;

    if (l->dead == 0) {
        if (low >= OM_SEC(OM_LIFE_MAX_S))
            return OM_NEVER;
        return l->alive < OM_SEC(OM_LIFE_FIRST_S)
                   ? OM_SEC(OM_LIFE_FIRST_S)
                   : om_time_min(low / OM_SEC(1) * OM_SEC(2), OM_SEC(OM_LIFE_MAX_S));
    }
    if (l->dead * 100 <= low * OM_LIFE_NARROW)
        return OM_NEVER;
    om_time mid = (low + (l->dead - low) / 2 + OM_SEC(1) - 1) / OM_SEC(1) * OM_SEC(1);
    return mid < l->dead ? mid : OM_NEVER;
}

om_time om_nat_life_safe(const struct om_nat_life *l)
{
    om_time margin = l->alive / 32, least = OM_SEC(OM_LIFE_LEAST_S);

    if (l->dead == 0 || l->dead > OM_SEC(OM_LIFE_DEFAULT_S) * 4 / 3)
        least = OM_SEC(OM_LIFE_DEFAULT_S);
    if (margin < OM_MS(OM_LIFE_MARGIN_MS))
        margin = OM_MS(OM_LIFE_MARGIN_MS);
    return l->alive - margin > least ? l->alive - margin : least;
}
