/*
 * provide.h - what the owner of this machine lets others have of it
 *
 * What:  on or off, for whom, and how much; kept in HOME/provide.json.
 * Why:   off until the owner says otherwise, with limits that the owner gave.
 * Keeps: provide_is_off_at_first; provide_remembers_what_was_set; provide_refuses_nonsense.
 *
 * Full: PROVIDE_PEERS_MAX peers are named.
 */
#ifndef OM_SERVICE_PROVIDE_H
#define OM_SERVICE_PROVIDE_H

#include <jansson.h>
#include <stdbool.h>

#include <omerta/err.h>
#include <omerta/id.h>

#include "vm/core/limits.h"

enum { PROVIDE_PEERS_MAX = 64 };

/* Off without limits; then the owner is first. */
struct provide {
    bool is_on;
    bool is_for_all;     /* every peer of a closed network */
    bool is_owner_first; /* our own machines may end those of others */
    unsigned peers;
    struct om_id peer[PROVIDE_PEERS_MAX];
    struct om_vm_limits limits;
};

/**
 * provide_read() - what it is to be
 * @p:      what it was; untouched on failure
 * @words:  {"on", "to": [full ids or "*"], "owner_first", "limits"}; what is absent stays
 * @err:    sentence for a person
 *
 * Return: false when @words make no sense, or turn it on without limits.
 */
bool provide_read(struct provide *p, const json_t *words, struct om_error *err);

/** provide_write() - the words that provide_read() reads as @p; NULL without memory. */
json_t *provide_write(const struct provide *p);

/** provide_load() - @p as it was kept in @home; off when nothing was; false and @err when that
 *  cannot be read. */
bool provide_load(struct provide *p, const char *home, struct om_error *err);

/** provide_save() - keep @p in @home; false and @err. */
bool provide_save(const struct provide *p, const char *home, struct om_error *err);

/** provide_allows() - may @peer have a machine by @p? @is_open: its network is, where "*" is
 *  nobody. */
bool provide_allows(const struct provide *p, const struct om_id *peer, bool is_open);

#endif
