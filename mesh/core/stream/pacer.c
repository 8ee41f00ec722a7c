/* pacer.c - a virtual queue that drains at the rate; a packet may leave when it is short enough. */
#include "stream/pacer.h"

enum { SECOND_US = 1000000 };

void om_pacer_init(struct om_pacer *p, om_time now)
{
    *p = (struct om_pacer){.free_at = now};
}

om_time om_pacer_at(const struct om_pacer *p, uint64_t rate, uint64_t quantum)
{
    if (rate == 0)
        return INT64_MIN;
    return p->free_at - (om_time)(quantum * SECOND_US / rate);
}

void om_pacer_sent(struct om_pacer *p, om_time now, uint64_t rate, uint64_t bytes)
{
    if (rate == 0)
        return;
    if (p->free_at < now) {
        om_time pause = now - p->free_at;
        p->late = pause > OM_PACER_LATE_US ? 0 /* idleness earns no burst */
                                           : om_time_min(p->late + pause, OM_PACER_LATE_US);
        p->free_at = now;
        p->part = 0;
    }
    /* The part was reckoned at another rate when that changed; it is below a microsecond. */
    uint64_t parts = bytes * SECOND_US + (p->part < rate ? p->part : 0);
    om_time cost = (om_time)(parts / rate);
    om_time less = om_time_min(cost / 2, p->late);
    p->late -= less;
    p->free_at += cost - less;
    p->part = parts % rate;
}
