/* shaper.c - a bucket, and a queue before it. */
#include <omerta/shaper.h>

enum { MS_PER_S = 1000, UNITS_PER_BYTE = 1000000 /* of the bucket's level */ };

static uint32_t part_of(uint32_t rate, uint32_t ms)
{
    return (uint32_t)((uint64_t)rate * ms / MS_PER_S);
}

uint32_t om_shaper_burst(uint32_t rate)
{
    uint32_t burst = part_of(rate, OM_SHAPER_BURST_MS);

    return burst > OM_SHAPER_BURST_MIN ? burst : OM_SHAPER_BURST_MIN;
}

void om_shaper_init(struct om_shaper *s, uint32_t rate, om_time now)
{
    uint32_t turn = part_of(rate, OM_SHAPER_TURN_MS);

    if (turn < OM_SHAPER_TURN_MIN)
        turn = OM_SHAPER_TURN_MIN;
    s->turn = turn < OM_SHAPER_TURN_MAX ? turn : OM_SHAPER_TURN_MAX;
    om_bucket_init(&s->bucket, rate, om_shaper_burst(rate), now);
    om_list_init(&s->waiting);
}

static struct om_shaper_user *first(const struct om_shaper *s)
{
    struct om_link *l = om_list_first(&s->waiting);

    return l ? OM_CONTAINER_OF(l, struct om_shaper_user, link) : NULL;
}

uint32_t om_shaper_room(struct om_shaper *s, struct om_shaper_user *u, om_time now, size_t want)
{
    const struct om_shaper_user *head = first(s);

    u->want = want < s->turn ? (uint32_t)want : s->turn;
    (void)om_bucket_take(&s->bucket, now, 0); /* brings the level up to date */
    uint64_t level = s->bucket.level / UNITS_PER_BYTE;
    bool is_turn = !head || head == u;
    if (is_turn && level >= u->want) {
        bool is_alone = !head || !om_list_next(&s->waiting, &u->link);
        uint64_t most = is_alone || level < s->turn ? level : s->turn;
        return (uint32_t)(want < most ? want : most);
    }
    if (!om_link_is_linked(&u->link))
        om_list_push_back(&s->waiting, &u->link);
    u->is_called = false;
    return 0;
}

void om_shaper_took(struct om_shaper *s, struct om_shaper_user *u, om_time now, uint32_t n)
{
    bool is_there = om_bucket_take(&s->bucket, now, n);

    OM_BUG_IF(!is_there);
    om_shaper_leave(u);
}

void om_shaper_leave(struct om_shaper_user *u)
{
    om_list_remove(&u->link);
    u->is_called = false;
}

bool om_shaper_pass(struct om_shaper *s, om_time now, uint32_t n)
{
    return om_bucket_take(&s->bucket, now, n);
}

struct om_shaper_user *om_shaper_next(struct om_shaper *s, om_time now)
{
    struct om_shaper_user *u = first(s);

    if (!u || u->is_called || om_bucket_ready(&s->bucket, now, u->want) > now)
        return NULL;
    u->is_called = true;
    return u;
}

om_time om_shaper_when(const struct om_shaper *s, om_time now)
{
    const struct om_shaper_user *u = first(s);

    return u && !u->is_called ? om_bucket_ready(&s->bucket, now, u->want) : OM_NEVER;
}
