/* buf.c - the pool: a count of what exists and a stack of what is spare. */
#include <omerta/buf.h>

#include <stdlib.h>
#include <string.h>

struct om_pool {
    struct om_buf *spare; /* stack through next */
    size_t block_bytes;
    unsigned live;
    unsigned made;  /* live and spare */
    unsigned least; /* spare at a time since the last trim: nobody needed so many */
    unsigned max;
};

struct om_pool *om_pool_new(size_t block_bytes, unsigned max_blocks)
{
    if (block_bytes == 0 || block_bytes > OM_BUF_MAX)
        return NULL;
    struct om_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->block_bytes = block_bytes;
    pool->max = max_blocks;
    return pool;
}

void om_pool_free(struct om_pool *pool)
{
    if (!pool)
        return;
    OM_BUG_IF(pool->live != 0);
    while (pool->spare) {
        struct om_buf *b = pool->spare;
        pool->spare = b->next;
        free(b);
    }
    free(pool);
}

/* A new block: the header, and right behind it the memory. */
static struct om_buf *make_block(struct om_pool *pool)
{
    if (pool->made == pool->max)
        return NULL;
    struct om_buf *b = malloc(sizeof *b + pool->block_bytes);
    if (!b)
        return NULL;
    b->mem = (uint8_t *)(b + 1);
    b->cap = pool->block_bytes;
    pool->made++;
    return b;
}

struct om_buf *om_pool_take(struct om_pool *pool, size_t headroom)
{
    struct om_buf *b = pool->spare;

    if (b)
        pool->spare = b->next;
    else
        b = make_block(pool);
    if (!b)
        return NULL;
    pool->live++;
    if (pool->made - pool->live < pool->least)
        pool->least = pool->made - pool->live;
    b->next = NULL;
    om_buf_reset(b, headroom);
    return b;
}

void om_pool_give(struct om_pool *pool, struct om_buf *b)
{
    if (!b)
        return;
    OM_BUG_IF(pool->live == 0 || b->cap != pool->block_bytes);
    pool->live--;
    b->next = pool->spare;
    pool->spare = b;
}

/* Those at the bottom of the stack are the ones that nobody needed. */
void om_pool_trim(struct om_pool *pool)
{
    struct om_buf **end = &pool->spare;

    for (unsigned kept = pool->made - pool->live - pool->least; kept > 0; kept--)
        end = &(*end)->next;
    while (*end) {
        struct om_buf *b = *end;
        *end = b->next;
        explicit_bzero(b + 1, pool->block_bytes); /* plain text that was never sealed, maybe */
        free(b);
        pool->made--;
    }
    pool->least = pool->made - pool->live;
}

unsigned om_pool_made(const struct om_pool *pool)
{
    return pool->made;
}

unsigned om_pool_live(const struct om_pool *pool)
{
    return pool->live;
}

size_t om_pool_block(const struct om_pool *pool)
{
    return pool->block_bytes;
}

unsigned om_pool_max(const struct om_pool *pool)
{
    return pool->max;
}
