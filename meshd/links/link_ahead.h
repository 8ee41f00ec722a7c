/*
 * link_ahead.h - bytes of a connection on their way to the peer
 *
 * What:  copies of what was read from a flow, lent to the node until the peer has them.
 * Why:   the stack's memory is lent for a moment only; a call keeps what it was given until it is
 *        acknowledged.
 * Keeps: link_ahead_keeps_until_released; link_ahead_takes_back_what_was_not_lent.
 */
#ifndef OM_LINKS_LINK_AHEAD_H
#define OM_LINKS_LINK_AHEAD_H

#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/list.h>

enum { LINK_BLOCK = 64 * 1024 };

/* Read freely; write only through link_ahead_*(). */
struct link_ahead {
    struct om_list blocks;
    uint64_t filled, released; /* offsets in what was read from the flow */
};

/** link_ahead_init() - nothing in @a. */
void link_ahead_init(struct link_ahead *a);

/** link_ahead_fini() - release all of @a, which is nobody's any more. */
void link_ahead_fini(struct link_ahead *a);

/**
 * link_ahead_copy() - as much of @in as fits into one piece
 * @a:   receives it
 * @in:  what comes next; borrowed
 *
 * Return: the copy, to be lent; empty when there is no memory, or @in is empty.
 */
struct om_bytes link_ahead_copy(struct link_ahead *a, struct om_bytes in);

/** link_ahead_undo() - the last @n bytes of @a, of the last copy, were not lent after all. */
void link_ahead_undo(struct link_ahead *a, size_t n);

/** link_ahead_release() - all of @a before offset @up_to may go. */
void link_ahead_release(struct link_ahead *a, uint64_t up_to);

/** link_ahead_bytes() - of @a that the peer does not have. */
uint64_t link_ahead_bytes(const struct link_ahead *a);

#endif
