/* test_names.c - two with one name. */
#include "harness.h"

#include <stdio.h>

#include "network/names.h"

static struct om_name_claim claim(uint8_t key, const char *name, uint32_t issued)
{
    struct om_name_claim c = {.key = {{key}}, .issuer = {{9}}, .issued = issued};

    (void)snprintf(c.name, sizeof c.name, "%s", name);
    return c;
}

OM_TEST(names_earliest_member_has_the_name)
{
    struct om_name_claim all[] = {claim(1, "ben", 200), claim(2, "ben", 100), claim(3, "ann", 300)};

    om_names_sort(all, 3);
    CHECK_EQ(all[0].key.b[0], 3);
    CHECK_EQ(all[1].key.b[0], 2);
    CHECK_EQ(all[2].key.b[0], 1);
}

OM_TEST(names_authority_goes_first)
{
    struct om_name_claim all[] = {claim(1, "ben", 100), claim(2, "ben", 200)};

    all[1].by_authority = true; /* renewed, by whom nobody is above */
    om_names_sort(all, 2);
    CHECK_EQ(all[0].key.b[0], 2);
}

OM_TEST(names_order_is_total)
{
    struct om_name_claim a[] = {claim(1, "ben", 7), claim(2, "ben", 7), claim(3, "ben", 7)};
    struct om_name_claim b[] = {claim(3, "ben", 7), claim(1, "ben", 7), claim(2, "ben", 7)};

    a[2].issuer.b[0] = b[0].issuer.b[0] = 1;
    om_names_sort(a, 3);
    om_names_sort(b, 3);
    for (unsigned i = 0; i < 3; i++)
        CHECK(om_id_equal(&a[i].key, &b[i].key));
    CHECK_EQ(a[0].key.b[0], 3);
    CHECK_EQ(a[1].key.b[0], 1);
}

OM_TEST(names_others_have_their_id_behind)
{
    struct om_name_claim all[] = {claim(1, "ben", 1), claim(0xff, "ben", 2),
                                  claim(3, "a234567890b234567890c234567890d2", 1),
                                  claim(0xff, "a234567890b234567890c234567890d2", 2)};
    struct om_named out;

    om_names_sort(all, 4);
    om_names_shown(all, 0, &out);
    CHECK_STR(out.name, "a234567890b234567890c234567890d2");
    om_names_shown(all, 1, &out);
    CHECK_STR(out.name, "a234567890b234567890c234567890d2-74aaaa");
    om_names_shown(all, 2, &out);
    CHECK_STR(out.name, "ben");
    om_names_shown(all, 3, &out);
    CHECK_STR(out.name, "ben-74aaaa");
    CHECK_EQ(out.key.b[0], 0xff);
}

OM_TEST(names_vary_and_stay_names)
{
    char out[OM_MEMBER_NAME_MAX + 1];

    om_names_vary(out, "ben", 1);
    CHECK_STR(out, "ben");
    om_names_vary(out, "ben", 2);
    CHECK_STR(out, "ben-2");
    om_names_vary(out, "a234567890b234567890c234567890d2", 4095);
    CHECK_STR(out, "a234567890b234567890c234567-4095");
    om_names_vary(out, "a234567890b234567890c23456789-d2", 12);
    CHECK_STR(out, "a234567890b234567890c23456789-12");
    om_names_vary(out, "", 1);
    CHECK_STR(out, "");
}
