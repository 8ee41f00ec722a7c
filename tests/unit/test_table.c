/* test_table.c - insertion-ordered hash table. */
#include "harness.h"

#include <omerta/table.h>

enum { MANY = 100 };

static const uint8_t sip_key[OM_SIP_KEY] = {1, 2, 3};
static const uint8_t other_key[OM_SIP_KEY] = {9, 8, 7};
static int values[MANY];

/* Walks @t and checks that the values are &values[] of the @n numbers in @want, in that order. */
static void check_walk(const struct om_table *t, const unsigned *want, unsigned n)
{
    size_t cursor = 0;
    const void *key;
    void *value;
    unsigned i = 0;

    CHECK_EQ(om_table_count(t), n);
    for (; om_table_next(t, &cursor, &key, &value); i++) {
        CHECK(i < n);
        CHECK(value == &values[want[i]]);
        CHECK_MEM(key, &want[i], sizeof want[i]);
    }
    CHECK_EQ(i, n);
}

static bool fill(struct om_table *t, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (om_table_put(t, &i, &values[i]) != OM_OK)
            return false;
    return true;
}

OM_TEST(table_iterates_in_order_of_insertion)
{
    const unsigned again = 1;
    unsigned want[MANY], n = 0;
    struct om_table t;

    CHECK_OK(om_table_init(&t, sizeof again, MANY, sip_key));
    CHECK(om_table_find(&t, &again) == NULL);
    CHECK(om_table_remove(&t, &again) == NULL);
    check_walk(&t, want, 0);
    OM_TRY(fill(&t, MANY));
    for (unsigned i = 0; i < MANY; i++) {
        if (i % 3 == 1)
            CHECK(om_table_remove(&t, &i) == &values[i]);
        else
            want[n++] = i;
    }
    check_walk(&t, want, n);
    CHECK(om_table_find(&t, &again) == NULL);
    OM_TRY(om_table_put(&t, &again, &values[again]) == OM_OK);
    want[n++] = again; /* the newest now */
    check_walk(&t, want, n);
    for (unsigned i = 0; i < n; i++)
        CHECK(om_table_find(&t, &want[i]) == &values[want[i]]);
out:
    om_table_fini(&t);
}

OM_TEST(table_refusal_changes_nothing)
{
    const unsigned want[] = {0, 1, 2}, more = 3;
    struct om_table t;

    CHECK_OK(om_table_init(&t, sizeof more, 3, sip_key));
    OM_TRY(fill(&t, 3));
    CHECK_ERR(om_table_put(&t, &want[1], &values[9]), OM_E_EXISTS);
    CHECK_ERR(om_table_put(&t, &more, &values[3]), OM_E_FULL);
    check_walk(&t, want, 3);
    CHECK(om_table_remove(&t, &more) == NULL);
    CHECK(om_table_remove(&t, &want[2]) == &values[2]);
    OM_TRY(om_table_put(&t, &more, &values[3]) == OM_OK);
    CHECK(om_table_find(&t, &more) == &values[3]);
out:
    om_table_fini(&t);
}

OM_TEST(table_remove_while_iterating)
{
    struct om_table t;
    size_t cursor = 0;
    const void *key;
    void *value;
    unsigned seen = 0, want[MANY / 2] = {0};

    CHECK_OK(om_table_init(&t, sizeof seen, MANY, sip_key));
    OM_TRY(fill(&t, MANY));
    for (; om_table_next(&t, &cursor, &key, &value); seen++) {
        unsigned k;

        memcpy(&k, key, sizeof k);
        CHECK_EQ(k, seen);
        if (k % 2 == 0)
            CHECK(om_table_remove(&t, key) == value);
        else
            want[k / 2] = k;
    }
    CHECK_EQ(seen, MANY);
    check_walk(&t, want, MANY / 2);
    for (cursor = 0, seen = 0; om_table_next(&t, &cursor, &key, NULL); seen++)
        CHECK(om_table_remove(&t, key) != NULL);
    CHECK_EQ(seen, MANY / 2);
    CHECK_EQ(om_table_count(&t), 0);
    OM_TRY(fill(&t, MANY)); /* and it is usable after that */
out:
    om_table_fini(&t);
}

OM_TEST(table_order_is_free_of_the_key)
{
    struct om_table a, b;
    size_t at_a = 0, at_b = 0;
    void *in_a, *in_b;
    unsigned n = 0;

    CHECK_OK(om_table_init(&a, sizeof n, MANY, sip_key));
    CHECK_OK(om_table_init(&b, sizeof n, MANY, other_key));
    OM_TRY(fill(&a, MANY));
    OM_TRY(fill(&b, MANY));
    for (; om_table_next(&a, &at_a, NULL, &in_a) && om_table_next(&b, &at_b, NULL, &in_b); n++)
        CHECK(in_a == in_b);
    CHECK_EQ(n, MANY);
    /* The control: inside, the keys did make a difference. */
    CHECK_EQ(a.mask, b.mask);
    CHECK_MEM_DIFF(a.slots, b.slots, 8 * ((size_t)a.mask + 1));
out:
    om_table_fini(&a);
    om_table_fini(&b);
}

OM_TEST(table_init_checks_its_sizes)
{
    uint8_t key[OM_TABLE_KEY_MAX] = {0};
    struct om_table t;

    CHECK_ERR(om_table_init(&t, 0, 1, sip_key), OM_E_RANGE);
    CHECK_ERR(om_table_init(&t, OM_TABLE_KEY_MAX + 1, 1, sip_key), OM_E_RANGE);
    CHECK_ERR(om_table_init(&t, 1, 0, sip_key), OM_E_RANGE);
    CHECK_ERR(om_table_init(&t, 1, OM_TABLE_MAX + 1, sip_key), OM_E_RANGE);
    CHECK_ERR(om_table_put(&t, key, key), OM_E_FULL); /* refused, so it holds nothing */
    for (size_t n = 1; n <= OM_TABLE_KEY_MAX; n++) {
        CHECK_OK(om_table_init(&t, n, 2, sip_key));
        key[n - 1] = 1; /* the last byte counts */
        OM_TRY(om_table_put(&t, key, &values[1]) == OM_OK);
        key[n - 1] = 0;
        CHECK(om_table_find(&t, key) == NULL);
        OM_TRY(om_table_put(&t, key, &values[0]) == OM_OK);
        CHECK(om_table_find(&t, key) == &values[0]);
        om_table_fini(&t);
    }
    return;
out:
    om_table_fini(&t);
}

OM_TEST(table_churn_when_full_stays_bounded)
{
    enum { FULL = 90 }; /* kept within 128 places, where more haste to grow would take 256 */
    struct om_table t;
    unsigned oldest = 0;

    CHECK_OK(om_table_init(&t, sizeof oldest, FULL, sip_key));
    OM_TRY(fill(&t, FULL));
    for (unsigned i = FULL; i < 50 * FULL; i++) {
        unsigned gone = i % 7 ? i - FULL / 2 : oldest; /* mostly from the middle: gaps */

        while (!om_table_find(&t, &gone))
            gone++;
        CHECK(om_table_remove(&t, &gone) != NULL);
        OM_TRY(om_table_put(&t, &i, &values[i % FULL]) == OM_OK);
        while (!om_table_find(&t, &oldest))
            oldest++;
    }
    CHECK_EQ(om_table_count(&t), FULL);
    CHECK(3 * t.cap < 8 * FULL);
out:
    om_table_fini(&t);
}
