/*
 * owed.h - machines that a provider may have made after it was given up
 *
 * What:  asks a provider that did not answer a request in time to give the machine of that key
 *        back, again and again until it says that it did, or that it has none.
 * Why:   a machine that nobody knows of would cost its provider until its lease ends.
 *
 * "Has none" counts the second time only, OWED_TWICE_S after the first: the request may still have
 * been on its way. When the lease that was asked for would have ended it is forgotten.
 *
 * Full: OWED_MAX; then the oldest is forgotten, and its lease ends it.
 */
#ifndef OM_SERVICE_OWED_H
#define OM_SERVICE_OWED_H

#include "service/wanted_parts.h"

#define OWED_STATE "owed"

enum { OWED_MAX = 64, OWED_TWICE_S = 20, OWED_AGAIN_MS = 1000, OWED_AGAIN_MAX_MS = 60000 };

/** owed_add() - the provider of @v may have made it: it is to be given back. */
void owed_add(const struct wanted_vm *v);

/** owed_recall() - an earlier run wrote @row, key and all, of a machine that @provider of @network
 *  may owe @w. */
void owed_recall(struct wanted *w, const struct om_id *network, const struct om_id *provider,
                 const json_t *row);

/** owed_rows() - appends to @out what owed_recall() is to read of @w, with state OWED_STATE. */
void owed_rows(const struct wanted *w, json_t *out);

/** owed_forgive() - @key is asked of @provider again: what it made is wanted by @w after all. */
void owed_forgive(struct wanted *w, const struct om_id *provider, const char *key);

/** owed_tick() - ask who is due in @w at @now. */
void owed_tick(struct wanted *w, om_time now);

/** owed_deadline() - when owed_tick() of @w is due. */
om_time owed_deadline(const struct wanted *w);

/** owed_stop() - the end of the daemon: @w asks nobody any more. */
void owed_stop(struct wanted *w);

#endif
