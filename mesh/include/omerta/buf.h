/*
 * buf.h - packet buffers with headroom, and the bounded pool they come from
 *
 * What:  a block of memory and the window of it that holds data; headers are prepended into the
 *        headroom and tags appended into the tailroom, so that sealing never copies.
 * Why:   a datagram crosses several layers and each adds bytes at an end; and a flood must hit a
 *        limit here, not the machine's memory.
 * Keeps: buf_window_never_leaves_its_memory; buf_refusal_changes_nothing;
 * pool_never_exceeds_its_max; pool_reuses_the_latest_block; pool_free_with_a_block_out_is_a_bug;
 * pool_trim_frees_what_nobody_needed.
 *
 *   mem            mem + at             + len               mem + cap
 *    |   headroom   |        data         |      tailroom      |
 */
#ifndef OMERTA_BUF_H
#define OMERTA_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/attr.h>

enum { OM_BUF_MAX = 1 << 24 }; /* bytes in one block; far above any datagram */

/* Read freely; write only through om_buf_*(). @next is free for whoever holds the buffer. */
struct om_buf {
    struct om_buf *next;
    uint8_t *mem;
    size_t cap; /* bytes at mem */
    size_t at;  /* where data starts */
    size_t len; /* bytes of data */
};

/** om_buf_data() - the first byte of data in @b, lent. */
static inline uint8_t *om_buf_data(const struct om_buf *b)
{
    return b->mem + b->at;
}

/** om_buf_headroom() - bytes that om_buf_push() can still prepend to @b. */
static inline size_t om_buf_headroom(const struct om_buf *b)
{
    return b->at;
}

/** om_buf_tailroom() - bytes that om_buf_put() can still append to @b. */
static inline size_t om_buf_tailroom(const struct om_buf *b)
{
    return b->cap - b->at - b->len;
}

/**
 * om_buf_push() - prepend bytes
 * @b:  the buffer
 * @n:  bytes to take from the headroom; their content is whatever was there
 *
 * Return: the new start of data, lent; NULL and no change when the headroom is smaller.
 */
static inline uint8_t *om_buf_push(struct om_buf *b, size_t n)
{
    if (n > b->at)
        return NULL;
    b->at -= n;
    b->len += n;
    return b->mem + b->at;
}

/**
 * om_buf_pull() - drop bytes from the front; they become headroom
 * @b:  the buffer
 * @n:  bytes to drop
 *
 * Return: the new start of data, lent; NULL and no change when there are fewer.
 */
static inline uint8_t *om_buf_pull(struct om_buf *b, size_t n)
{
    if (n > b->len)
        return NULL;
    b->at += n;
    b->len -= n;
    return b->mem + b->at;
}

/**
 * om_buf_put() - append bytes
 * @b:  the buffer
 * @n:  bytes to take from the tailroom; their content is whatever was there
 *
 * Return: the first appended byte, lent; NULL and no change when the tailroom is smaller.
 */
static inline uint8_t *om_buf_put(struct om_buf *b, size_t n)
{
    uint8_t *end = b->mem + b->at + b->len;

    if (n > om_buf_tailroom(b))
        return NULL;
    b->len += n;
    return end;
}

/**
 * om_buf_trim() - drop bytes from the end; they become tailroom
 * @b:  the buffer
 * @n:  bytes to drop
 *
 * Return: false and no change when there are fewer.
 */
static inline bool om_buf_trim(struct om_buf *b, size_t n)
{
    if (n > b->len)
        return false;
    b->len -= n;
    return true;
}

/**
 * om_buf_reset() - make a buffer empty again
 * @b:         the buffer; its bytes stay as they are
 * @headroom:  where data will start; more than the block is a bug of ours
 */
static inline void om_buf_reset(struct om_buf *b, size_t headroom)
{
    OM_BUG_IF(headroom > b->cap);
    b->at = headroom;
    b->len = 0;
}

struct om_pool;

/**
 * om_pool_new() - a pool without blocks; they are allocated when first needed
 * @block_bytes:  usable size of each block, 1 to OM_BUF_MAX
 * @max_blocks:   most blocks that will exist at a time, taken and spare together
 *
 * Return: the pool, which the caller owns; NULL when out of memory or out of range.
 */
struct om_pool *om_pool_new(size_t block_bytes, unsigned max_blocks);

/**
 * om_pool_free() - release the pool and its spare blocks
 * @pool:  taken; NULL is fine. A block that was not given back is a bug of ours.
 */
void om_pool_free(struct om_pool *pool);

/**
 * om_pool_take() - an empty buffer
 * @pool:      the pool
 * @headroom:  bytes in front of the data; more than the block is a bug of ours
 *
 * The last block given back is the first to be taken: its memory is still in the cache.
 *
 * Return: the buffer, which the caller owns until om_pool_give(); its bytes are not cleared. NULL
 * when the maximum is reached or memory is out.
 */
struct om_buf *om_pool_take(struct om_pool *pool, size_t headroom);

/**
 * om_pool_give() - put a buffer back
 * @pool:  the pool that it came from
 * @b:     taken; NULL is fine. Not wiped: whoever put secrets in it wipes them first.
 */
void om_pool_give(struct om_pool *pool, struct om_buf *b);

/**
 * om_pool_trim() - free the blocks that nobody needed since the last call
 * @pool:  the pool; as many stay as were ever out at a time since then
 */
void om_pool_trim(struct om_pool *pool);

/** om_pool_made() - buffers of @pool that there is memory for, out or spare. */
unsigned om_pool_made(const struct om_pool *pool);

/** om_pool_live() - buffers of @pool that are out. */
unsigned om_pool_live(const struct om_pool *pool);

/** om_pool_block() - bytes in each buffer of @pool. */
size_t om_pool_block(const struct om_pool *pool);

/** om_pool_max() - most buffers of @pool that can be out at a time. */
unsigned om_pool_max(const struct om_pool *pool);

#endif
