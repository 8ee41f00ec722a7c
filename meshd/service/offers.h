/*
 * offers.h - who provides virtual machines in our networks, and that we do
 *
 * What:  keeps the offers that gossip brings (vm/core/offer.h), and publishes ours while this node
 *        provides machines for others.
 * Why:   a consumer need not be told by a person who has room for it.
 *
 * Ours is told when it is turned on or off, or runs machines with something else, and when the
 * rest of it changed (at most once in OFFERS_APART_S), and every OFFERS_AGAIN_S; a node that
 * stopped telling is forgotten OFFERS_LIFE_S later. What is no offer is dropped and counted. In a
 * closed network who has not the role of a provider tells none, and what it tells is not used.
 *
 * Full: as offer_rows.h says.
 */
#ifndef OM_SERVICE_OFFERS_H
#define OM_SERVICE_OFFERS_H

#include <omerta/gossip.h>

#include "service/offer_rows.h"
#include "state.h"
#include "vm/core/choose.h"

enum {
    OFFERS_APART_S = 60,
    OFFERS_SOONEST_S = 6, /* after the last: sooner, gossip's partners would drop it as too often */
    OFFERS_AGAIN_S = 600,
    OFFERS_LIFE_S = 1800
};

struct offers;

/** offers_open() - begin for @d, whose networks are joined, by @out; false and @err. */
bool offers_open(struct offers **out, struct om_daemon *d, struct om_error *err);

/** offers_close() - the end of @o, when nobody provides any more; NULL is fine. */
void offers_close(struct offers *o);

/** offers_item() - gossip brought @item to @o. */
void offers_item(struct offers *o, const struct om_act_item *item);

/** offers_networks() - the networks of @o are others now; NULL is fine. */
void offers_networks(struct offers *o);

/** offers_touch() - what this node of @o provides may have changed; NULL is fine. */
void offers_touch(struct offers *o);

/** offers_collect() - the offers of @o in @network that hold now, of those who may provide there,
 *  into @out, unsorted; returns how many. */
unsigned offers_collect(struct offers *o, const struct om_id *network,
                        const struct offer_row *out[static OFFERS_MAX]);

/** offers_candidate() - @row as vm/core/choose.h wants it, with what @o knows of the way to it. */
struct om_vm_candidate offers_candidate(const struct offers *o, const struct offer_row *row);

/** offers_outcome() - whether a request of ours to @provider of @network @is_granted: for the next
 *  choice of @o. */
void offers_outcome(struct offers *o, const struct om_id *network, const struct om_id *provider,
                    bool is_granted);

/** offers_dropped() - items that @o could not read. */
uint64_t offers_dropped(const struct offers *o);

#endif
