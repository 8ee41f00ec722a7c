/* leases.c - one lease. */
#include "dhcp/leases.h"

enum om_lease_state om_lease_at(const struct om_lease *l, om_time now)
{
    return l->state != OM_LEASE_FREE && now < l->until ? l->state : OM_LEASE_FREE;
}

void om_lease_offer(struct om_lease *l, om_time now)
{
    if (om_lease_at(l, now) != OM_LEASE_TAKEN)
        *l = (struct om_lease){OM_LEASE_OFFERED, now + OM_SEC(OM_LEASE_OFFER_S)};
}

void om_lease_take(struct om_lease *l, om_time now, uint32_t seconds)
{
    *l = (struct om_lease){OM_LEASE_TAKEN, now + OM_SEC(seconds)};
}

void om_lease_free(struct om_lease *l)
{
    *l = (struct om_lease){0};
}
