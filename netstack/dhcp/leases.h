/*
 * leases.h - the one lease of a port
 *
 * What:  whether the port's address is free, offered or taken, and until when.
 * Why:   a port has one client and one address, so a lease says only whether it is in use: who
 *        asks for it may have it at any time.
 * Keeps: lease_ends_with_its_time; lease_offer_leaves_a_taken_one.
 *
 *   FREE --offer()--> OFFERED --take()--> TAKEN --free() or its time--> FREE
 */
#ifndef OM_DHCP_LEASES_H
#define OM_DHCP_LEASES_H

#include <omerta/time.h>

enum om_lease_state { OM_LEASE_FREE, OM_LEASE_OFFERED, OM_LEASE_TAKEN };

enum { OM_LEASE_OFFER_S = 60 };

/* Read freely; write only through om_lease_*(). Zeroed, it is free. */
struct om_lease {
    enum om_lease_state state; /* as of the last call: om_lease_at() tells it at a time */
    om_time until;
};

/** om_lease_at() - the state of @l at @now. */
enum om_lease_state om_lease_at(const struct om_lease *l, om_time now);

/** om_lease_offer() - @l is offered for OM_LEASE_OFFER_S from @now, unless it is taken. */
void om_lease_offer(struct om_lease *l, om_time now);

/** om_lease_take() - @l is taken for @seconds from @now. */
void om_lease_take(struct om_lease *l, om_time now, uint32_t seconds);

/** om_lease_free() - @l is free. */
void om_lease_free(struct om_lease *l);

#endif
