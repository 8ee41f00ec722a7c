/*
 * link_rate.h - how many bytes a second go over a link
 *
 * What:  one rate, each way for itself: what may go now, and when there is more.
 * Why:   a machine that somebody else runs shares the provider's line. Bytes that have no room yet
 *        wait where they are, in the socket or in our buffer: nothing is dropped for the rate
 *        alone.
 * Keeps: link_rate_keeps_to_its_rate; link_rate_none_is_none.
 */
#ifndef OM_LINKS_LINK_RATE_H
#define OM_LINKS_LINK_RATE_H

#include <omerta/shaper.h>

#include "links/link_account.h"

/* Read freely; write only through link_rate_*(); not to be moved. */
struct link_rate {
    bool is_set;
    struct om_shaper shaper[LINK_WAYS];
    struct om_shaper_user user[LINK_WAYS];
};

/** link_rate_init() - @r lets @rate bytes a second go each way from @now on; 0: any number. */
void link_rate_init(struct link_rate *r, uint32_t rate, om_time now);

/** link_rate_fini() - nothing waits in @r any more. */
void link_rate_fini(struct link_rate *r);

/** link_rate_room() - of @want bytes (more than 0) so many may go @way by @r at @now; 0: none, and
 *  link_rate_when() says when. */
size_t link_rate_room(struct link_rate *r, om_time now, enum link_way way, size_t want);

/** link_rate_took() - by @r @n bytes went @way, at most what there was room for at @now. */
void link_rate_took(struct link_rate *r, om_time now, enum link_way way, size_t n);

/** link_rate_when() - when there is room @way in @r, as of @now, for who found none; else
 *  OM_NEVER. */
om_time link_rate_when(const struct link_rate *r, om_time now, enum link_way way);

#endif
