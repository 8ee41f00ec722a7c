/* model_lru.c - the map against an array kept in order of use. */
#include "harness.h"

#include <omerta/lru.h>

#include "dice.h"

enum { OPS = 120000, RUNS = 6, KEYS = 150 };

static struct {
    uint16_t key;
    uint64_t value;
} list[KEYS]; /* oldest first */
static unsigned count;

static unsigned find(uint16_t key)
{
    unsigned i = 0;

    while (i < count && list[i].key != key)
        i++;
    return i;
}

static void drop(unsigned i)
{
    memmove(&list[i], &list[i + 1], (--count - i) * sizeof list[0]);
}

static void append(uint16_t key, uint64_t value)
{
    list[count].key = key;
    list[count++].value = value;
}

/* Number @i is now the most recent. */
static void touch(unsigned i)
{
    uint16_t key = list[i].key;
    uint64_t value = list[i].value;

    drop(i);
    append(key, value);
}

static void put(struct om_lru *l, uint16_t key, uint64_t value)
{
    unsigned i = find(key);
    bool is_new, want_new = i == count;
    uint64_t *v = om_lru_put(l, &key, &is_new);

    CHECK(v != NULL);
    CHECK_EQ(is_new, want_new);
    CHECK_EQ(*v, want_new ? 0 : list[i].value);
    if (!want_new) {
        touch(i);
        return;
    }
    if (count == l->max)
        drop(0);
    append(key, value);
    *v = value;
}

static void step(struct om_lru *l, struct dice *d)
{
    uint16_t key = (uint16_t)dice_below(d, KEYS);
    unsigned i = find(key), what = dice_below(d, 8);
    const uint64_t *v;

    if (what < 4) {
        put(l, key, dice_u64(d));
    } else if (what == 4) {
        CHECK_EQ(om_lru_remove(l, &key), i < count);
        if (i < count)
            drop(i);
    } else {
        v = what == 5 ? om_lru_peek(l, &key) : om_lru_find(l, &key);
        CHECK_EQ(v != NULL, i < count);
        if (!v)
            return;
        CHECK_EQ(*v, list[i].value);
        if (what != 5)
            touch(i);
    }
}

OM_TEST(lru_model_matches_a_list)
{
    static const unsigned max[RUNS] = {1, 2, 9, 64, 100, 1000};
    struct dice d = {4};
    uint8_t sip_key[OM_SIP_KEY];
    struct om_lru l;
    const void *key;

    for (unsigned r = 0; r < RUNS; r++) {
        dice_fill(&d, sip_key, sizeof sip_key);
        count = 0;
        CHECK_OK(om_lru_init(&l, sizeof(uint16_t), sizeof(uint64_t), max[r], sip_key));
        for (unsigned op = 0; op < OPS / RUNS; op++) {
            const uint64_t *oldest;

            step(&l, &d);
            CHECK_EQ(om_lru_count(&l), count);
            oldest = om_lru_oldest(&l, &key);
            CHECK_EQ(oldest != NULL, count > 0);
            if (oldest) {
                CHECK_EQ(*oldest, list[0].value);
                CHECK_MEM(key, &list[0].key, sizeof list[0].key);
            }
        }
        om_lru_fini(&l);
    }
}
