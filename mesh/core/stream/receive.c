/* receive.c - the receiving half of a stream. */
#include "stream/receive.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { FIRST_SIZE = 4 }; /* block pointers */

void om_receive_init(struct om_receive *r)
{
    *r = (struct om_receive){.final = OM_RECEIVE_UNKNOWN};
}

static uint64_t block_of(uint64_t at)
{
    return at < OM_RECEIVE_FIRST ? 0 : 1 + (at - OM_RECEIVE_FIRST) / OM_RECEIVE_BLOCK;
}

static uint64_t block_start(uint64_t number)
{
    return number == 0 ? 0 : OM_RECEIVE_FIRST + (number - 1) * OM_RECEIVE_BLOCK;
}

static size_t block_size(uint64_t number)
{
    return number == 0 ? OM_RECEIVE_FIRST : OM_RECEIVE_BLOCK;
}

static uint8_t **slot(const struct om_receive *r, uint64_t number)
{
    return &r->blocks[number & (r->size - 1)];
}

static void free_blocks(struct om_receive *r)
{
    for (uint32_t i = 0; i < r->size; i++)
        free(r->blocks[i]);
    free(r->blocks);
    r->blocks = NULL;
    r->size = 0;
}

/* A call's answer lies in the first block, and may be the secret of a network; what follows it only
 * where the reader says so. */
static bool is_to_be_wiped(const struct om_receive *r, uint64_t number)
{
    return r->is_secret || number == 0;
}

/* What nobody read: all blocks that there are begin with that of the next byte. */
static void wipe_unread(struct om_receive *r)
{
    const uint64_t first = block_of(r->consumed);

    for (uint64_t i = first; i < first + r->size && is_to_be_wiped(r, i); i++)
        if (*slot(r, i))
            sodium_memzero(*slot(r, i), block_size(i));
}

void om_receive_fini(struct om_receive *r)
{
    wipe_unread(r);
    free_blocks(r);
    om_ranges_clear(&r->above);
}

/* Room for pointers to the blocks from the first to @last. */
static bool grow(struct om_receive *r, uint64_t last)
{
    uint64_t first = block_of(r->consumed), need = last - first + 1;
    uint32_t size = r->size ? r->size : FIRST_SIZE;
    uint8_t **blocks;

    if (need > OM_RECEIVE_BLOCKS_MAX)
        return false;
    if (need <= r->size)
        return true;
    while (size < need)
        size *= 2;
    blocks = calloc(size, sizeof *blocks);
    if (!blocks)
        return false;
    for (uint64_t i = first; i < first + r->size; i++)
        blocks[i & (size - 1)] = *slot(r, i);
    free(r->blocks);
    r->blocks = blocks;
    r->size = size;
    return true;
}

/* The blocks of bytes @low to before @high exist. */
static bool reserve(struct om_receive *r, uint64_t low, uint64_t high)
{
    if (low >= high)
        return true;
    if (!grow(r, block_of(high - 1)))
        return false;
    for (uint64_t i = block_of(low); i <= block_of(high - 1); i++) {
        uint8_t **block = slot(r, i);
        if (!*block)
            *block = malloc(block_size(i));
        if (!*block)
            return false;
    }
    return true;
}

static void copy_in(struct om_receive *r, uint64_t at, const uint8_t *from, size_t n)
{
    while (n > 0) {
        uint64_t number = block_of(at);
        size_t skip = (size_t)(at - block_start(number)), part = block_size(number) - skip;
        if (part > n)
            part = n;
        memcpy(*slot(r, number) + skip, from, part);
        at += part;
        from += part;
        n -= part;
    }
}

static enum om_err check_end(const struct om_receive *r, uint64_t end, bool is_final,
                             uint64_t limit)
{
    if (end > limit)
        return OM_E_FULL;
    if (r->final != OM_RECEIVE_UNKNOWN && (end > r->final || (is_final && end != r->final)))
        return OM_E_RANGE;
    if (is_final && end < r->highest)
        return OM_E_RANGE;
    return OM_OK;
}

/* Nothing of what was or will be received is kept. */
static void drop(struct om_receive *r)
{
    om_receive_fini(r);
    r->consumed = r->received = r->highest;
}

/* Takes bytes @low to before @end into blocks and ranges. */
static enum om_err keep(struct om_receive *r, uint64_t low, const uint8_t *from, uint64_t end,
                        uint32_t gaps)
{
    const struct om_range *next;

    if (!reserve(r, low, end))
        return OM_E_NO_MEM;
    if (low > r->received) {
        if (om_ranges_add(&r->above, low, end, gaps) != OM_OK)
            return OM_E_NO_MEM;
    } else {
        r->received = end;
        next = om_ranges_above(&r->above, 0);
        while (next && next->low <= r->received) {
            if (next->high > r->received)
                r->received = next->high;
            om_ranges_cut(&r->above, r->received);
            next = om_ranges_above(&r->above, 0);
        }
    }
    copy_in(r, low, from, (size_t)(end - low));
    return OM_OK;
}

enum om_err om_receive_input(struct om_receive *r, uint64_t offset, struct om_bytes data,
                             bool is_fin, uint64_t limit, uint32_t gaps)
{
    uint64_t end = offset + data.n, low = offset > r->received ? offset : r->received;
    enum om_err e = check_end(r, end, is_fin, limit);

    if (e != OM_OK || r->is_reset)
        return e;
    if (!r->is_stopped && low < end) {
        e = keep(r, low, data.p + (low - offset), end, gaps);
        if (e != OM_OK)
            return e;
    }
    if (end > r->highest)
        r->highest = end;
    if (is_fin)
        r->final = end;
    if (r->is_stopped)
        r->consumed = r->received = r->highest;
    return OM_OK;
}

enum om_err om_receive_reset(struct om_receive *r, uint64_t final, uint64_t limit)
{
    enum om_err e = check_end(r, final, true, limit);

    if (e != OM_OK || om_receive_is_complete(r))
        return e;
    r->final = r->highest = final;
    r->is_reset = true;
    drop(r);
    return OM_OK;
}

void om_receive_stop(struct om_receive *r)
{
    r->is_stopped = true;
    drop(r);
}

unsigned om_receive_pieces(const struct om_receive *r, struct om_bytes *out, unsigned max)
{
    uint64_t at = r->consumed;
    unsigned count = 0;

    for (; at < r->received && count < max; count++) {
        uint64_t number = block_of(at), left = r->received - at;
        size_t skip = (size_t)(at - block_start(number)), n = block_size(number) - skip;
        out[count] = om_bytes(*slot(r, number) + skip, left < n ? (size_t)left : n);
        at += out[count].n;
    }
    return count;
}

struct om_bytes om_receive_peek(const struct om_receive *r)
{
    struct om_bytes first;

    return om_receive_pieces(r, &first, 1) ? first : om_bytes(NULL, 0);
}

static void wipe(struct om_receive *r, size_t n)
{
    uint64_t at = r->consumed;
    const uint64_t end = at + n;

    while (at < end && is_to_be_wiped(r, block_of(at))) {
        uint64_t number = block_of(at);
        size_t skip = (size_t)(at - block_start(number)), left = block_size(number) - skip;
        size_t all = end - at < left ? (size_t)(end - at) : left;
        sodium_memzero(*slot(r, number) + skip, all);
        at += all;
    }
}

void om_receive_consume(struct om_receive *r, size_t n)
{
    uint64_t first = block_of(r->consumed);

    OM_BUG_IF(n > r->received - r->consumed);
    wipe(r, n);
    r->consumed += n;
    if (r->consumed == r->received && om_ranges_count(&r->above) == 0) {
        free_blocks(r); /* whoever waits for more holds nothing */
        return;
    }
    for (uint64_t number = first; number < block_of(r->consumed); number++) {
        free(*slot(r, number));
        *slot(r, number) = NULL;
    }
}

bool om_receive_is_at_end(const struct om_receive *r)
{
    return !r->is_reset && !r->is_stopped && om_receive_is_done(r);
}

bool om_receive_is_complete(const struct om_receive *r)
{
    return r->final != OM_RECEIVE_UNKNOWN &&
           (r->is_reset || r->is_stopped || r->received == r->final);
}

bool om_receive_is_done(const struct om_receive *r)
{
    return om_receive_is_complete(r) && r->consumed == r->final;
}

unsigned om_receive_blocks(const struct om_receive *r)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < r->size; i++)
        n += r->blocks[i] != NULL;
    return n;
}
