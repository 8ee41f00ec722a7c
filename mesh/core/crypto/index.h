/*
 * index.h - receiver indices: the 32-bit numbers by which datagrams find their session
 *
 * What:  draws random unused non-zero indices and finds the object behind one.
 * Why:   random, so that an index says nothing about how many sessions a node has; unique over all
 *        networks and lanes, so that one look-up finds the session. Since we draw the indices
 *        ourselves at random, their low bits are a perfect hash: no keyed hash is needed.
 * Keeps: index_is_never_zero_and_unique; index_refuses_when_full; index_finds_after_churn;
 *        index_keeps_room_for_lanes.
 *
 * Source: PROTOCOL section 2.
 */
#ifndef OM_CRYPTO_INDEX_H
#define OM_CRYPTO_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/rng.h>

/* Lanes do not take the room of sessions and handshakes, nor they that of lanes. */
enum { OM_INDICES_LANES_MAX = 4096 };

enum om_index_kind {
    OM_INDEX_FREE,
    OM_INDEX_GONE,
    OM_INDEX_SESSION,
    OM_INDEX_HANDSHAKE,
    OM_INDEX_LANE, /* of ours, through a relay */
    OM_INDEX_RELAY /* one side of a lane of others, through us */
};

struct om_index_entry {
    uint32_t index;
    enum om_index_kind kind;
    void *owner; /* by kind: struct om_session, om_peer, om_lane, om_relay_leg */
};

struct om_indices {
    struct om_index_entry *slots;
    uint32_t size;  /* power of two */
    unsigned live;  /* entries in use */
    unsigned lanes; /* of them, those of lanes */
    unsigned used;  /* in use or left behind */
    unsigned max;   /* of the others */
};

/** om_indices_init() - empty table @t of at most @max indices; allocates nothing yet. */
void om_indices_init(struct om_indices *t, unsigned max);

/** om_indices_fini() - release @t. */
void om_indices_fini(struct om_indices *t);

/**
 * om_index_draw() - a new index for an owner
 * @t:      the table
 * @rng:    secret randomness
 * @kind:   what @owner is
 * @owner:  borrowed; returned by om_index_find()
 * @out:    the index
 *
 * Return: OM_OK, OM_E_FULL at the table's maximum, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_index_draw(struct om_indices *t, const struct om_rng *rng,
                                  enum om_index_kind kind, void *owner, uint32_t *out);

/** om_index_find() - the entry of @index in @t, lent until the next draw, or NULL. */
struct om_index_entry *om_index_find(const struct om_indices *t, uint32_t index);

/** om_index_drop() - free @index of @t; 0 and unknown ones are ignored. */
void om_index_drop(struct om_indices *t, uint32_t index);

#endif
