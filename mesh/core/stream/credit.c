/* credit.c - how far a sender may go, by how fast its reader reads. */
#include "stream/credit.h"

void om_credit_init(struct om_credit *c, uint64_t window, om_time now)
{
    *c = (struct om_credit){.granted = window, .window = window, .mark_at = now};
}

void om_credit_restart(struct om_credit *c, om_time now)
{
    c->mark_at = now;
}

uint64_t om_credit_used(struct om_credit *c, om_time now, om_time rtt, uint64_t consumed,
                        uint64_t most)
{
    uint64_t old = c->window;

    if (consumed - c->mark < c->window / 2)
        return 0;
    if (rtt > 0 && now - c->mark_at < 2 * rtt && c->window < most)
        c->window = c->window < most / 2 ? c->window * 2 : most;
    c->mark = consumed;
    c->mark_at = now;
    return c->window - old;
}
