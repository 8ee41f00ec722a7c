/*
 * provide.h - what the owner of this machine lets others have of it
 *
 * What:  on or off, for whom, and how much; kept in HOME/provide.json.
 * Why:   off until the owner says otherwise, with limits that the owner gave.
 * Keeps: provide_is_off_at_first; provide_remembers_what_was_set; provide_refuses_nonsense;
 *        provide_has_settings_of_the_gate; provide_has_a_word_about_kvm.
 *
 * Full: PROVIDE_PEERS_MAX peers are named.
 */
#ifndef OM_SERVICE_PROVIDE_H
#define OM_SERVICE_PROVIDE_H

#include <jansson.h>
#include <stdbool.h>

#include <omerta/err.h>
#include <omerta/id.h>

#include "links/link_config.h"
#include "service/gate.h"
#include "vm/core/limits.h"
#include "vm/host/accel.h"

enum {
    PROVIDE_PEERS_MAX = 64,
    PROVIDE_MOST_S = 30 * 24 * 3600, /* no lease is longer, whatever was set */
    PROVIDE_LEASE_S = 24 * 3600,     /* nor by default */
    PROVIDE_PAUSE_S = 300            /* of a guest that was paused, unless set */
};

/* Read freely; provide_init() makes one that is off, where the owner is first. */
struct provide {
    bool is_on;
    bool is_for_all;     /* every peer of a closed network */
    bool is_owner_first; /* our own machines may end those of others */
    unsigned peers;
    struct om_id peer[PROVIDE_PEERS_MAX];
    struct om_vm_limits limits;
    enum gate_policy policy; /* to guests that send what they may not */
    om_time pause;           /* how long one that was paused stays so */
    enum link_gate_mode gate;
    uint32_t rate; /* bytes a second of each machine, each way; 0: any number */
    om_time lease; /* hard maximum of each */
    enum om_vm_accel_want accel;
};

/** provide_init() - @p as it is before anything was set. */
void provide_init(struct provide *p);

/**
 * provide_read() - what it is to be
 * @p:      what it was; untouched on failure
 * @words:  {"on", "to": [full ids or "*"], "owner_first", "limits", "violations", "pause", "gate",
 *          "rate", "max_lease", "accel"}; what is absent stays
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
