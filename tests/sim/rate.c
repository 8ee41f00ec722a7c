/* rate.c - one moment, moved on by each datagram. */
#include "rate.h"

enum { BYTE = 8 * 1000000 }; /* in bits per second times microseconds */

/* The first whole microsecond at which everything has left. */
static om_time end(const struct sim_rate *r)
{
    return r->free_at + (r->part > 0);
}

om_time sim_rate_send(struct sim_rate *r, uint64_t bps, om_time now, size_t size)
{
    if (r->free_at < now) {
        r->free_at = now;
        r->part = 0;
    }
    if (r->bps != bps) {
        r->bps = bps;
        r->part = 0;
    }
    uint64_t parts = (uint64_t)size * BYTE + r->part;
    om_time whole = (om_time)(parts / bps);
    r->free_at += whole;
    r->busy += whole;
    r->part = parts % bps;
    return end(r);
}

om_time sim_rate_change(struct sim_rate *r, uint64_t bps, om_time now)
{
    uint64_t wait = (uint64_t)sim_rate_wait(r, now);

    if (r->bps == bps)
        return end(r);
    if (wait > 0) {
        uint64_t left = bps > 0 ? wait * r->bps / bps : 0;
        r->busy += now + (om_time)left - r->free_at;
        r->free_at = now + (om_time)left;
    }
    r->bps = bps;
    r->part = 0;
    return end(r);
}

om_time sim_rate_wait(const struct sim_rate *r, om_time now)
{
    return end(r) > now ? end(r) - now : 0;
}

om_time sim_rate_busy(const struct sim_rate *r, om_time now)
{
    return r->free_at > now ? r->busy - (r->free_at - now) : r->busy;
}
