/* model_table.c - the table against a list in order of insertion. */
#include "harness.h"

#include <omerta/table.h>

#include "dice.h"

enum { OPS = 120000, RUNS = 12, KEYS = 160 };

struct twin {
    uint8_t key[OM_TABLE_KEY_MAX];
    void *value;
};

static uint8_t keys[KEYS][OM_TABLE_KEY_MAX];
static struct twin list[KEYS];
static unsigned count;

static unsigned find(const uint8_t *key, size_t n)
{
    unsigned i = 0;

    while (i < count && memcmp(list[i].key, key, n) != 0)
        i++;
    return i;
}

static void drop(unsigned i)
{
    memmove(&list[i], &list[i + 1], (--count - i) * sizeof list[0]);
}

/* Walks both; with @d, drops entries on the way by chance. */
static void check_walk(struct om_table *t, struct dice *d)
{
    size_t cursor = 0;
    const void *key;
    void *value;
    unsigned i = 0;

    while (om_table_next(t, &cursor, &key, &value)) {
        CHECK(i < count);
        CHECK(value == list[i].value);
        CHECK_MEM(key, list[i].key, t->key_bytes);
        if (d && dice_below(d, 3) == 0) {
            CHECK(om_table_remove(t, key) == value);
            drop(i);
        } else {
            i++;
        }
    }
    CHECK_EQ(i, count);
}

static void step(struct om_table *t, struct dice *d, unsigned puts_of_8, void *value)
{
    const uint8_t *key = keys[dice_below(d, KEYS)];
    unsigned i = find(key, t->key_bytes);

    CHECK(om_table_find(t, key) == (i < count ? list[i].value : NULL));
    if (dice_below(d, 8) < puts_of_8) {
        enum om_err want = i < count ? OM_E_EXISTS : count == t->max ? OM_E_FULL : OM_OK;

        CHECK_ERR(om_table_put(t, key, value), want);
        if (want == OM_OK) {
            memcpy(list[count].key, key, OM_TABLE_KEY_MAX);
            list[count++].value = value;
        }
    } else {
        CHECK(om_table_remove(t, key) == (i < count ? list[i].value : NULL));
        if (i < count)
            drop(i);
    }
    CHECK_EQ(om_table_count(t), count);
}

static void run(struct dice *d, size_t key_bytes, unsigned max)
{
    static uint8_t values[OPS];
    uint8_t sip_key[OM_SIP_KEY];
    struct om_table t;

    count = 0;
    dice_fill(d, sip_key, sizeof sip_key);
    for (unsigned i = 0; i < KEYS; i++) { /* alike but for one byte; in short keys some are equal */
        memset(keys[i], 0, sizeof keys[i]);
        keys[i][dice_below(d, (unsigned)key_bytes)] = (uint8_t)dice_u64(d);
    }
    CHECK_OK(om_table_init(&t, key_bytes, max, sip_key));
    for (unsigned op = 0; op < OPS / RUNS; op++) {
        step(&t, d, op / 500 % 2 ? 2 : 6, &values[op]);
        if (op % 32 == 0)
            check_walk(&t, NULL);
        if (op % 2048 == 0)
            check_walk(&t, d);
    }
    om_table_fini(&t);
}

OM_TEST(table_model_matches_a_list)
{
    static const size_t key_bytes[RUNS] = {1, 2, 3, 4, 7, 8, 9, 16, 18, 32, 63, 64};
    struct dice d = {3};

    for (unsigned i = 0; i < RUNS; i++)
        run(&d, key_bytes[i], i % 3 == 0 ? 40 : i % 3 == 1 ? 97 : 1000);
}
