/* Rows of several networks in one room. */
#include "harness.h"

#include "crowd.h"

OM_TEST(crowd_takes_from_the_largest)
{
    static struct om_id network[OM_NETWORKS_MAX + 1];
    char row[OM_NETWORKS_MAX + 1];
    struct crowd c = {.count = 0};

    CHECK(crowd_oldest(&c) == NULL);
    for (unsigned i = 0; i <= OM_NETWORKS_MAX; i++)
        network[i].b[0] = (uint8_t)i;
    crowd_add(&c, &network[0], &row[0]);
    CHECK(crowd_oldest(&c) == &row[0]);
    crowd_add(&c, &network[1], &row[1]);
    CHECK(crowd_oldest(&c) == &row[0]); /* as many: the first seen */
    crowd_add(&c, &network[1], &row[2]);
    CHECK(crowd_oldest(&c) == &row[1]);
    for (unsigned i = 2; i <= OM_NETWORKS_MAX; i++)
        crowd_add(&c, &network[i], &row[i]);
    CHECK_EQ(c.count, OM_NETWORKS_MAX); /* one more than there can be */
    crowd_add(&c, &network[OM_NETWORKS_MAX], &row[0]);
    crowd_add(&c, &network[OM_NETWORKS_MAX], &row[0]);
    CHECK(crowd_oldest(&c) == &row[1]);
}
