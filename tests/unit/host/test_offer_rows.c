/* What providers offer: which of many is kept. */
#include "harness.h"

#include "service/offer_rows.h"

static struct om_id id_of(unsigned n)
{
    return (struct om_id){{(uint8_t)n, (uint8_t)(n >> 8)}};
}

static unsigned count_of(const struct offer_rows *r, const struct om_id *network)
{
    unsigned n = 0;

    for (const struct offer_row *row = offer_rows_first(r); row; row = offer_rows_next(r, row))
        n += om_id_equal(&row->network, network);
    return n;
}

/* Returns how many found memory. */
static unsigned tell(struct offer_rows *r, const struct om_id *network, unsigned from, unsigned n)
{
    unsigned done = 0;

    for (unsigned i = from; i < from + n; i++) {
        const struct om_id provider = id_of(i);
        done += offer_rows_take(r, network, &provider) != NULL;
    }
    return done;
}

/* A network that anybody may be in is full of providers; friends tell theirs in another. */
OM_TEST(offers_of_a_crowd_leave_the_others)
{
    const struct om_id open = id_of(1), ours = id_of(2);
    struct offer_rows r;

    offer_rows_init(&r);
    const struct om_id friend = id_of(7);
    if (offer_rows_take(&r, &ours, &friend) &&
        tell(&r, &open, 0, 4 * OFFERS_MAX) == 4 * OFFERS_MAX) {
        CHECK_EQ(r.count, OFFERS_MAX);
        CHECK(offer_rows_find(&r, &ours, &friend) != NULL);
        CHECK_EQ(count_of(&r, &open), OFFERS_MAX - 1);
        if (tell(&r, &ours, 100, OFFERS_MAX / 4) == OFFERS_MAX / 4) { /* and have room */
            CHECK_EQ(count_of(&r, &ours), 1 + OFFERS_MAX / 4);
            CHECK_EQ(r.count, OFFERS_MAX);
        }
    }
    offer_rows_fini(&r);
}

OM_TEST(offers_full_forget_the_oldest)
{
    const struct om_id network = id_of(1), first = id_of(0), second = id_of(1);
    struct offer_rows r;

    offer_rows_init(&r);
    if (tell(&r, &network, 0, OFFERS_MAX) == OFFERS_MAX) {
        CHECK(offer_rows_take(&r, &network, &first) != NULL); /* heard again: the last now */
        CHECK_EQ(r.count, OFFERS_MAX);
        if (tell(&r, &network, OFFERS_MAX, 1) == 1) {
            CHECK(offer_rows_find(&r, &network, &first) != NULL);
            CHECK(offer_rows_find(&r, &network, &second) == NULL);
            CHECK_EQ(r.count, OFFERS_MAX);
        }
    }
    offer_rows_fini(&r);
    CHECK_EQ(r.count, 0);
}
