/* bucket.c - token bucket in millionths of a token. */
#include <omerta/bucket.h>

enum { BUCKET_TOKEN = 1000000 }; /* units per token, and microseconds per second: they cancel */

void om_bucket_init(struct om_bucket *b, uint32_t rate_per_s, uint32_t burst, om_time now)
{
    b->level = (uint64_t)burst * BUCKET_TOKEN;
    b->at = now;
    b->rate = rate_per_s;
    b->burst = burst;
}

static uint64_t level_at(const struct om_bucket *b, om_time now)
{
    uint64_t full = (uint64_t)b->burst * BUCKET_TOKEN;
    uint64_t more;

    if (now <= b->at)
        return b->level;
    /* Unsigned, the difference of any two times is exact. */
    if (__builtin_mul_overflow((uint64_t)now - (uint64_t)b->at, (uint64_t)b->rate, &more))
        return full;
    return more > full - b->level ? full : b->level + more;
}

bool om_bucket_take(struct om_bucket *b, om_time now, uint32_t n)
{
    uint64_t need = (uint64_t)n * BUCKET_TOKEN;

    b->level = level_at(b, now);
    if (now > b->at)
        b->at = now;
    if (need > b->level)
        return false;
    b->level -= need;
    return true;
}

om_time om_bucket_ready(const struct om_bucket *b, om_time now, uint32_t n)
{
    uint64_t need = (uint64_t)n * BUCKET_TOKEN;
    uint64_t level = level_at(b, now);
    om_time from = now > b->at ? now : b->at;

    if (need <= level)
        return now;
    if (n > b->burst || b->rate == 0)
        return OM_NEVER;
    uint64_t wait = (need - level + b->rate - 1) / b->rate;
    if (wait >= (uint64_t)OM_NEVER - (uint64_t)from)
        return OM_NEVER;
    return (om_time)((uint64_t)from + wait);
}
