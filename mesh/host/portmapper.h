/*
 * portmapper.h - the machine of <omerta/portmap.h>, on a loop and with real routers
 *
 * What:  gives each question to a thread that may block, takes its answer back to the loop, and
 *        gives up on one that takes too long.
 * Why:   the libraries that speak with routers block, and a hostile router can make them block as
 *        long as it likes: neither the loop nor the end of the program may wait for that.
 * Keeps: portmapper_maps_and_gives_back; portmapper_gives_up_on_a_thread_that_hangs;
 *        portmapper_close_does_not_wait_for_ever; portmapper_close_calls_a_question_off.
 * Full:  of each protocol at most one thread hangs: until it has ended, what else is asked by that
 *        protocol fails at once.
 *
 * Not on the pool of libuv: a thread of the pool that never ends would make the end of the program
 * wait for it, and four of them would stop everything that the pool does.
 */
#ifndef OM_HOST_PORTMAPPER_H
#define OM_HOST_PORTMAPPER_H

#include <uv.h>

#include <omerta/err.h>

#include "portmap_speak.h"

enum {
    OM_PORTMAPPER_ANSWER_S = 15,  /* for one question; a slow router's SOAP takes seconds */
    OM_PORTMAPPER_LEAVE_MS = 3000 /* from om_portmapper_close() to giving back no more */
};

struct om_portmapper;

struct om_portmapper_config {
    uv_loop_t *loop;
    /* @news: UP, DOWN or FAILED. It may ask, want and close. */
    void (*on_news)(void *self, const struct om_portmap_act *news);
    void *self;
    portmap_speak_fn speak[OM_PORTMAP_HOWS]; /* NULL: the real ones */
    om_time answer_within;                   /* 0: OM_PORTMAPPER_ANSWER_S */
};

/**
 * om_portmapper_open() - a machine that wants nothing yet
 * @out:     set on success; the caller owns it until om_portmapper_close()
 * @config:  copied; loop and on_news are needed
 *
 * Return: OM_OK, OM_E_NO_MEM, OM_E_STATE when the loop takes no more.
 */
OM_MUST enum om_err om_portmapper_open(struct om_portmapper **out,
                                       const struct om_portmapper_config *config);

/**
 * om_portmapper_close() - give back what is mapped; on_news is not called any more
 * @m:  taken; NULL is fine. The memory goes within OM_PORTMAPPER_LEAVE_MS, while the loop runs.
 */
void om_portmapper_close(struct om_portmapper *m);

/** om_portmapper_want() - @m keeps UDP @port mapped; 0: gives it back. */
void om_portmapper_want(struct om_portmapper *m, uint16_t port);

/** om_portmapper_network_changed() - have @m ask again at once. */
void om_portmapper_network_changed(struct om_portmapper *m);

/** om_portmapper_ask_again() - there is word that the router of @m changed: have it asked. */
void om_portmapper_ask_again(struct om_portmapper *m);

/** om_portmapper_machine() - what @m knows, lent until the loop runs on. */
const struct om_portmap *om_portmapper_machine(const struct om_portmapper *m);

/** om_portmapper_hung() - questions of @m that were given up so far. */
uint64_t om_portmapper_hung(const struct om_portmapper *m);

#endif
