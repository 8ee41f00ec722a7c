/*
 * offer_here.h - what this node itself has to offer
 *
 * What:  limits, what is taken of them, room on the disk, images and load as an offer.
 * Why:   the hub knows machines, gossip knows bytes; this is the one place that knows both.
 */
#ifndef OM_SERVICE_OFFER_HERE_H
#define OM_SERVICE_OFFER_HERE_H

#include "service/vms.h"
#include "vm/core/offer.h"

/** offer_here() - into @out what @s, or NULL, offers to members of @net now: nothing while none of
 *  them may have a machine, this node lacks the role there, or nothing is known yet of what runs
 *  them. */
void offer_here(const struct vms *s, const struct daemon_network *net, struct om_vm_offer *out);

enum { OFFER_HINT_MAX = 256 };

/** offer_hint() - a sentence into @out on the closed network where @s would provide and lacks the
 *  role; "" when there is none. */
void offer_hint(const struct vms *s, char out[static OFFER_HINT_MAX]);

#endif
