/*
 * receive.h - the receiving half of a stream
 *
 * What:  blocks of what arrived, in any order, and how much of it can be read without a gap.
 * Why:   packets overtake each other; the reader must not notice.
 * Keeps: receive_puts_bytes_in_order; receive_pieces_follow_one_another;
 *        receive_final_size_is_final; receive_refuses_beyond_credit;
 *        receive_too_many_gaps_are_refused; receive_memory_follows_the_window;
 *        receive_no_memory_changes_nothing; rotate_leaves_no_secret_in_freed_memory.
 *
 * Block 0 holds the first OM_RECEIVE_FIRST bytes, so that a short message costs little; each later
 * one OM_RECEIVE_BLOCK. A block is allocated when a byte of it arrives and freed when it is
 * consumed, or when nothing is unread.
 *
 * Full: a frame that would make more than OM_RECEIVE_RANGES_MAX gaps is refused; its packet must
 * not be acknowledged, so it comes again. What fills the first gap is never refused for that.
 *
 * Source: RFC 9000 sections 2.2, 3.2 and 4.5.
 */
#ifndef OM_STREAM_RECEIVE_H
#define OM_STREAM_RECEIVE_H

#include <omerta/bytes.h>

#include "stream/ranges.h"

enum {
    OM_RECEIVE_FIRST = 1024,
    OM_RECEIVE_BLOCK = 16 * 1024,
    OM_RECEIVE_RANGES_MAX = 4096,
    OM_RECEIVE_BLOCKS_MAX = 4098 /* OM_CREDIT_MAX of them, and the two at the ends */
};

#define OM_RECEIVE_UNKNOWN UINT64_MAX /* final size that nobody has told */

/* Read freely; write only through om_receive_*(). */
struct om_receive {
    uint8_t **blocks;       /* owned; a ring of block pointers, NULL where nothing arrived */
    uint32_t size;          /* pointers in it, a power of two, or 0 */
    uint64_t consumed;      /* by the reader, or dropped */
    uint64_t received;      /* everything below arrived */
    uint64_t highest;       /* end of the farthest byte; the final size once that is known */
    uint64_t final;         /* OM_RECEIVE_UNKNOWN, or where the stream ends */
    struct om_ranges above; /* what arrived beyond @received */
    bool is_stopped;        /* nothing is kept any more */
    bool is_reset;          /* by the peer */
    bool is_secret;         /* no byte stays in memory, and not those of the first block alone */
};

/** om_receive_init() - nothing arrived in @r. */
void om_receive_init(struct om_receive *r);

/** om_receive_fini() - release the memory of @r, and wipe what is secret in it. */
void om_receive_fini(struct om_receive *r);

/**
 * om_receive_input() - bytes arrived
 * @r:       the half
 * @offset:  of the first byte
 * @data:    copied; ends at OM_STREAM_END_MAX at most
 * @is_fin:  the stream ends behind them
 * @limit:   offset up to which the sender may go
 * @gaps:    most gaps there may be, at most OM_RECEIVE_RANGES_MAX
 *
 * Return: OM_OK; OM_E_NO_MEM with nothing changed: memory, or too many gaps; OM_E_RANGE when it
 * contradicts the final size; OM_E_FULL beyond @limit.
 */
OM_MUST enum om_err om_receive_input(struct om_receive *r, uint64_t offset, struct om_bytes data,
                                     bool is_fin, uint64_t limit, uint32_t gaps);

/**
 * om_receive_reset() - the peer gave up sending
 * @r:      the half; what is unread is dropped, unless everything had arrived
 * @final:  how much it had sent
 * @limit:  offset up to which it may go
 *
 * Return: OM_OK, OM_E_RANGE or OM_E_FULL as om_receive_input().
 */
OM_MUST enum om_err om_receive_reset(struct om_receive *r, uint64_t final, uint64_t limit);

/** om_receive_stop() - drop what @r holds, and what arrives from now on. */
void om_receive_stop(struct om_receive *r);

/**
 * om_receive_pieces() - what can be read now
 * @r:    the half
 * @out:  receives pieces that follow one another, one of each block; lent until consumed
 * @max:  room in @out
 *
 * Return: how many pieces; 0 when there is nothing.
 */
unsigned om_receive_pieces(const struct om_receive *r, struct om_bytes *out, unsigned max);

/** om_receive_peek() - the first piece of @r, or empty. */
struct om_bytes om_receive_peek(const struct om_receive *r);

/** om_receive_consume() - the first @n bytes of @r were read; more than there are is our bug. */
void om_receive_consume(struct om_receive *r, size_t n);

/** om_receive_is_at_end() - everything of @r up to FIN was read, and nothing dropped. */
bool om_receive_is_at_end(const struct om_receive *r);

/** om_receive_is_complete() - nothing that the peer could still send matters to @r. */
bool om_receive_is_complete(const struct om_receive *r);

/** om_receive_is_done() - @r is complete, and was read, dropped or reset. */
bool om_receive_is_done(const struct om_receive *r);

/** om_receive_blocks() - blocks of @r that are allocated. */
unsigned om_receive_blocks(const struct om_receive *r);

#endif
