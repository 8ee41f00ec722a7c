/*
 * link_tap.h - who looks at the frames of a link
 *
 * What:  each frame that goes over a link, with its way and time, for whoever listens.
 * Why:   a provider must be able to see for itself what a guest sends, what is refused included.
 *
 * A link looks at one packet in LINK_SAMPLE where its gate is "sampled"; then so do its taps.
 */
#ifndef OM_LINKS_LINK_TAP_H
#define OM_LINKS_LINK_TAP_H

#include <omerta/list.h>

#include "links/link_account.h"

struct link_tap {
    struct om_link link;
    /* It may link_tap_leave(), and asks nothing of the link; false: it had no room. */
    bool (*on_frame)(struct link_tap *t, om_time now, struct om_bytes frame);
    void (*on_end)(struct link_tap *t); /* the link is over; @t is let go of already */
};

/** link_tap_frame() - @frame went over the link of @taps at @now. Return: how many had no room. */
static inline unsigned link_tap_frame(struct om_list *taps, om_time now, struct om_bytes frame)
{
    unsigned lost = 0;

    for (struct om_link *l = om_list_first(taps), *next; l; l = next) {
        next = om_list_next(taps, l);
        struct link_tap *t = OM_CONTAINER_OF(l, struct link_tap, link);
        lost += t->on_frame(t, now, frame) ? 0 : 1;
    }
    return lost;
}

/** link_tap_end() - the link of @taps is over. */
static inline void link_tap_end(struct om_list *taps)
{
    for (struct om_link *l = om_list_first(taps), *next; l; l = next) {
        next = om_list_next(taps, l);
        struct link_tap *t = OM_CONTAINER_OF(l, struct link_tap, link);
        om_list_remove(&t->link);
        t->on_end(t);
    }
}

/** link_tap_leave() - @t hears nothing any more, if it did. */
static inline void link_tap_leave(struct link_tap *t)
{
    om_list_remove(&t->link);
}

#endif
