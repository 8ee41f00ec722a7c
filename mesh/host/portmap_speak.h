/*
 * portmap_speak.h - a question for a router, as those who speak its protocols get it
 *
 * What:  what to ask, by when, and whether anybody still wants to know.
 * Why:   the protocols are spoken by libraries that block; so each question has a thread of its
 *        own, and this is all that it shares with the loop.
 */
#ifndef OM_HOST_PORTMAP_SPEAK_H
#define OM_HOST_PORTMAP_SPEAK_H

#include <stdatomic.h>

#include <omerta/portmap.h>

enum { PORTMAP_SLICE_MS = 50 }; /* of waiting, after which is_off is looked at */

struct portmap_question {
    struct om_portmap_act act; /* ASK or REMOVE */
    om_time until;
    atomic_bool is_off; /* do not begin what would leave something behind */
};

/* Blocks. @out is an answer to ASK; of REMOVE nothing is said. */
typedef void (*portmap_speak_fn)(struct portmap_question *q, struct om_portmap_answer *out);

#endif
