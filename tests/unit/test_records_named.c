/* test_records_named.c - configured nodes stay, whenever they come. */
#include "harness.h"

#include "gossip/records.h"

enum { MAX = 16, STRANGERS = 200 };

static struct om_id number(unsigned n)
{
    return (struct om_id){{(uint8_t)(0x80 | n >> 8), (uint8_t)n, 1}};
}

/* False without memory. */
static bool put(struct om_records *s, unsigned n)
{
    const struct om_entry e = {
        .id = number(n), .sequence = 1, .expires = 9, .bytes = om_bytes("x", 1)};
    struct om_held *h;

    return om_records_put(s, &e, &h) != OM_PUT_NO_MEM;
}

OM_TEST(records_pinned_before_it_came_stays)
{
    static const uint8_t salt[16];
    struct om_id network = {{9}}, self = {{0}};
    struct om_records s;

    CHECK_OK(om_records_init(&s, MAX, &self, &network, salt));
    for (unsigned n = 0; n < MAX / 4; n++) {
        const struct om_id id = number(50 * n);
        CHECK(om_records_pin_id(&s, &id));
        CHECK(om_records_pin_id(&s, &id)); /* once */
    }
    const struct om_id more = number(7);
    CHECK(!om_records_pin_id(&s, &more));
    for (unsigned n = 0; n < STRANGERS; n++)
        OM_TRY(put(&s, n));
    CHECK_EQ(s.records, MAX);
    CHECK_EQ(s.pinned, MAX / 4);
    for (unsigned n = 0; n < MAX / 4; n++) {
        const struct om_id id = number(50 * n);
        CHECK(om_records_find(&s, &id) != NULL);
    }
out:
    om_records_fini(&s);
}
