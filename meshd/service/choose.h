/*
 * choose.h - a machine from whichever provider gives one
 *
 * What:  asks the providers that fit, the best first (vm/core/choose.h), one after the other,
 *        until one grants the machine; says what it does meanwhile.
 * Why:   who wants a machine should have to know neither who has one nor who refuses.
 *
 *   asking the first -> granted: the answer is its machine
 *         |  ^ refused, not there, or no answer in WANTED_ASK_S: the next
 *         v  |
 *   CHOOSE_MAX asked, none left that fits, or the request's timeout: the last refusal is the answer
 *
 * A provider that did not answer may have made the machine: owed.h sees that it is given back.
 *
 * Full: CHOOSE_RUNS_MAX requests under way; then new ones are refused.
 */
#ifndef OM_SERVICE_CHOOSE_H
#define OM_SERVICE_CHOOSE_H

#include "service/wanted.h"

enum {
    CHOOSE_MAX = 5,
    CHOOSE_RUNS_MAX = 16,
    CHOOSE_TRY_S = 10 /* until the first word about a machine; more than WANTED_ASK_S */
};

struct choose;

/**
 * choose_start() - a machine from the best provider
 * @w:     the machines wanted
 * @ask:   of the program; deferred
 * @net:   the network
 * @key:   as for wanted_request()
 * @spec:  as vm/core/spec.h reads it; borrowed
 * @err:   why not
 *
 * Return: the machine when @key is known already; NULL with @err, or deferred.
 */
json_t *choose_start(struct wanted *w, struct control_ask *ask, const struct daemon_network *net,
                     const char *key, const json_t *spec, struct om_error *err);

/** choose_granted() - the provider that @run asked has the machine: @shown, taken; @run is over. */
void choose_granted(struct choose *run, json_t *shown);

/** choose_refused() - it has not, for @err: the next one is asked, or @run is over. */
void choose_refused(struct choose *run, const struct om_error *err);

/** choose_tick() - at @now go on where the provider that was asked last in @w keeps silent. */
void choose_tick(struct wanted *w, om_time now);

/** choose_deadline() - when choose_tick() of @w is due. */
om_time choose_deadline(const struct wanted *w);

/** choose_client_gone() - program @client of @w has gone: nobody else is asked for a machine that
 *  was to be bound to it. */
void choose_client_gone(struct wanted *w, uint64_t client);

/** choose_stop() - the end of the daemon: @w asks nobody any more. */
void choose_stop(struct wanted *w);

#endif
