/* link_rate.c - a bucket for each way. */
#include "links/link_rate.h"

#include <string.h>

void link_rate_init(struct link_rate *r, uint32_t rate, om_time now)
{
    memset(r, 0, sizeof *r);
    r->is_set = rate > 0;
    for (unsigned i = 0; i < LINK_WAYS; i++)
        om_shaper_init(&r->shaper[i], rate, now);
}

void link_rate_fini(struct link_rate *r)
{
    for (unsigned i = 0; i < LINK_WAYS; i++)
        om_shaper_leave(&r->user[i]);
}

size_t link_rate_room(struct link_rate *r, om_time now, enum link_way way, size_t want)
{
    size_t room = r->is_set ? om_shaper_room(&r->shaper[way], &r->user[way], now, want) : want;

    if (room > 0)
        om_shaper_leave(&r->user[way]); /* it need not move, and nobody else waits */
    return room;
}

void link_rate_took(struct link_rate *r, om_time now, enum link_way way, size_t n)
{
    if (r->is_set && n > 0)
        om_shaper_took(&r->shaper[way], &r->user[way], now, (uint32_t)n);
}

om_time link_rate_when(const struct link_rate *r, om_time now, enum link_way way)
{
    return r->is_set ? om_shaper_when(&r->shaper[way], now) : OM_NEVER;
}
