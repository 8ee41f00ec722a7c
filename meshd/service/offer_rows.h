/*
 * offer_rows.h - what providers offer, by network
 *
 * What:  one row for each provider of each network, the one heard longest ago first.
 * Why:   the networks of a node share the room, and none may push out what the others tell: of the
 *        network with the most rows the oldest gives way.
 * Keeps: offers_of_a_crowd_leave_the_others; offers_full_forget_the_oldest.
 *
 * Full: OFFERS_MAX rows.
 */
#ifndef OM_SERVICE_OFFER_ROWS_H
#define OM_SERVICE_OFFER_ROWS_H

#include <omerta/id.h>
#include <omerta/list.h>
#include <omerta/time.h>

#include "vm/core/offer.h"

enum { OFFERS_MAX = 256 };

/* What one provider offers in one network. Lent until the next offers_*() call. */
struct offer_row {
    struct om_link link;
    struct om_id network, provider;
    struct om_vm_offer offer;
    om_time heard_at, until;
    unsigned fails; /* of our requests, since one was granted */
};

/* Read freely; write only through offer_rows_*(). */
struct offer_rows {
    struct om_list list; /* of struct offer_row */
    unsigned count;
};

/** offer_rows_init() - none in @r. */
void offer_rows_init(struct offer_rows *r);

/** offer_rows_fini() - drop all of @r. */
void offer_rows_fini(struct offer_rows *r);

/** offer_rows_find() - that of @provider in @network among @r, or NULL. */
struct offer_row *offer_rows_find(const struct offer_rows *r, const struct om_id *network,
                                  const struct om_id *provider);

/** offer_rows_take() - that of @provider in @network, new if need be, as the one of @r heard last;
 *  NULL without memory. */
struct offer_row *offer_rows_take(struct offer_rows *r, const struct om_id *network,
                                  const struct om_id *provider);

/** offer_rows_drop() - @row leaves @r, and is freed. */
void offer_rows_drop(struct offer_rows *r, struct offer_row *row);

/** offer_rows_first() - the one of @r that was heard longest ago, or NULL. */
struct offer_row *offer_rows_first(const struct offer_rows *r);

/** offer_rows_next() - the one after @row in @r, or NULL. */
struct offer_row *offer_rows_next(const struct offer_rows *r, const struct offer_row *row);

#endif
