/*
 * shape.h - a shaper with a timer
 *
 * What:  calls whose turn it is, when it is.
 * Why:   one timer for all connections that share a rate, and none for those that have no rate.
 * Keeps: splice_keeps_to_its_rate; splice_shares_a_rate.
 */
#ifndef OM_TUNNEL_SHAPE_H
#define OM_TUNNEL_SHAPE_H

#include <uv.h>

#include <omerta/err.h>
#include <omerta/shaper.h>

struct om_shape;

/* One direction of a connection; on_turn is set, the rest zeroed. */
struct om_shape_user {
    struct om_shaper_user user;
    /* There is room for it. It takes it, or leaves, at the latest when what it waits for comes. */
    void (*on_turn)(struct om_shape_user *u);
};

/**
 * om_shape_new() - full, and nobody waits
 * @out:   receives it, owned by the caller
 * @loop:  in which its users are
 * @rate:  bytes per second, at least OM_SHAPER_RATE_MIN
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_shape_new(struct om_shape **out, uv_loop_t *loop, uint32_t rate);

/** om_shape_free() - release @s, which has no users any more, once the loop ran; NULL is fine. */
void om_shape_free(struct om_shape *s);

/** om_shape_room() - what @u of @s may move now, up to @want, more than 0; or 0: it waits. */
size_t om_shape_room(struct om_shape *s, struct om_shape_user *u, size_t want);

/** om_shape_took() - @u of @s moved @n, at most what om_shape_room() gave right before. */
void om_shape_took(struct om_shape *s, struct om_shape_user *u, size_t n);

/** om_shape_leave() - @u of @s does not wait any more, if it did. */
void om_shape_leave(struct om_shape *s, struct om_shape_user *u);

/** om_shape_pass() - a datagram of @n bytes goes through @s now; false: it is dropped. */
bool om_shape_pass(struct om_shape *s, size_t n);

#endif
