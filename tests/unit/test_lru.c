/* test_lru.c - bounded map that evicts the least recently used. */
#include "harness.h"

#include <omerta/lru.h>

enum { MAX = 20 };

static const uint8_t sip_key[OM_SIP_KEY] = {4, 5, 6};

static bool put(struct om_lru *l, unsigned key, uint64_t value)
{
    bool is_new = false;
    uint64_t *v = om_lru_put(l, &key, &is_new);

    if (!v)
        return false;
    CHECK(is_new);
    CHECK_EQ(*v, 0);
    *v = value;
    return true;
}

OM_TEST(lru_evicts_the_least_recently_used)
{
    struct om_lru l;
    unsigned key = 0;
    const void *old;
    bool is_new = true;

    CHECK_OK(om_lru_init(&l, sizeof key, sizeof(uint64_t), MAX, sip_key));
    CHECK(om_lru_oldest(&l, &old) == NULL);
    CHECK(om_lru_find(&l, &key) == NULL);
    CHECK(!om_lru_remove(&l, &key));
    for (unsigned i = 0; i < MAX; i++)
        OM_TRY(put(&l, i, 100 + i));
    CHECK_EQ(*(uint64_t *)om_lru_find(&l, &key), 100); /* 0 is the most recent now */
    OM_TRY(put(&l, MAX, 100 + MAX));
    CHECK_EQ(om_lru_count(&l), MAX);
    key = 1;
    CHECK(om_lru_peek(&l, &key) == NULL);
    key = 2;
    CHECK_EQ(*(uint64_t *)om_lru_put(&l, &key, &is_new), 102);
    CHECK(!is_new);
    CHECK_EQ(*(uint64_t *)om_lru_oldest(&l, &old), 103);
    CHECK_EQ(*(const unsigned *)old, 3);
    key = 3;
    CHECK(om_lru_remove(&l, &key));
    CHECK(!om_lru_remove(&l, &key));
    CHECK_EQ(om_lru_count(&l), MAX - 1);
    CHECK_EQ(*(uint64_t *)om_lru_oldest(&l, NULL), 104);
    OM_TRY(put(&l, 50, 150)); /* into the freed place: nobody has to go */
    key = 4;
    CHECK(om_lru_peek(&l, &key) != NULL);
out:
    om_lru_fini(&l);
}

OM_TEST(lru_peek_keeps_the_order)
{
    struct om_lru l;
    unsigned key = 0;

    CHECK_OK(om_lru_init(&l, sizeof key, sizeof(uint64_t), 2, sip_key));
    OM_TRY(put(&l, 0, 10));
    OM_TRY(put(&l, 1, 11));
    CHECK_EQ(*(uint64_t *)om_lru_peek(&l, &key), 10);
    CHECK_EQ(*(uint64_t *)om_lru_oldest(&l, NULL), 10);
    CHECK_EQ(*(uint64_t *)om_lru_find(&l, &key), 10);
    CHECK_EQ(*(uint64_t *)om_lru_oldest(&l, NULL), 11);
out:
    om_lru_fini(&l);
}

OM_TEST(lru_new_value_is_zero)
{
    struct om_lru l;

    CHECK_OK(om_lru_init(&l, sizeof(unsigned), sizeof(uint64_t), 3, sip_key));
    for (unsigned i = 0; i < 100; i++)
        OM_TRY(put(&l, i, UINT64_MAX)); /* checks for zero first; each value is a used one soon */
    CHECK_EQ(om_lru_count(&l), 3);
out:
    om_lru_fini(&l);
}

OM_TEST(lru_grows_with_use)
{
    struct om_lru l;

    CHECK_OK(om_lru_init(&l, sizeof(unsigned), sizeof(uint64_t), 1000, sip_key));
    CHECK(l.slots == NULL);
    for (unsigned i = 0; i < 1000; i++) {
        OM_TRY(put(&l, i, i));
        CHECK(l.cap <= 8 || l.cap < 2 * (i + 1));
    }
    CHECK_EQ(l.cap, 1000);
    for (unsigned i = 0; i < 1000; i++)
        CHECK_EQ(*(uint64_t *)om_lru_peek(&l, &i), i);
out:
    om_lru_fini(&l);
}

OM_TEST(lru_init_checks_its_sizes)
{
    struct om_lru l;
    uint8_t key[OM_TABLE_KEY_MAX] = {1};
    bool is_new = false;

    CHECK_ERR(om_lru_init(&l, 0, 8, 1, sip_key), OM_E_RANGE);
    CHECK_ERR(om_lru_init(&l, OM_TABLE_KEY_MAX + 1, 8, 1, sip_key), OM_E_RANGE);
    CHECK_ERR(om_lru_init(&l, 8, OM_LRU_VALUE_MAX + 1, 1, sip_key), OM_E_RANGE);
    CHECK_ERR(om_lru_init(&l, 8, 8, 0, sip_key), OM_E_RANGE);
    CHECK_ERR(om_lru_init(&l, 8, 8, OM_LRU_MAX + 1, sip_key), OM_E_RANGE);
    CHECK(om_lru_put(&l, key, NULL) == NULL);
    CHECK_OK(om_lru_init(&l, sizeof key, 0, 1, sip_key)); /* a set */
    OM_TRY(om_lru_put(&l, key, &is_new));
    CHECK(is_new);
    CHECK(om_lru_find(&l, key) != NULL);
    key[OM_TABLE_KEY_MAX - 1] = 1;
    CHECK(om_lru_find(&l, key) == NULL);
out:
    om_lru_fini(&l);
}

OM_TEST(lru_walk_begins_with_the_newest)
{
    struct om_lru l;
    uint32_t place = 0;
    unsigned one = 1, seen = 0;
    const void *key;
    const uint64_t *value;
    static const uint64_t want[] = {11, 13, 12};

    CHECK_OK(om_lru_init(&l, sizeof(unsigned), sizeof(uint64_t), 3, sip_key));
    CHECK(om_lru_walk(&l, &place, NULL) == NULL);
    for (unsigned i = 0; i < 4; i++)
        OM_TRY(put(&l, i, 10 + i));
    CHECK(om_lru_find(&l, &one) != NULL);
    while ((value = om_lru_walk(&l, &place, &key)) != NULL) {
        CHECK(seen < 3 && *value == want[seen]);
        CHECK_MEM(key, &(unsigned){(unsigned)*value - 10}, sizeof(unsigned));
        seen++;
    }
    CHECK_EQ(seen, 3);
out:
    om_lru_fini(&l);
}
