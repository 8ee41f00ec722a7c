/* model_trie.c - the trie against a list of prefixes that is searched from end to end. */
#include "harness.h"

#include <omerta/trie.h>

#include "dice.h"

enum { OPS = 150000, RUNS = 5, ENTRIES = 300 };

struct twin {
    uint8_t ip[16];
    unsigned bits;
    void *value;
};

static struct twin list[ENTRIES]; /* in prefix order */
static unsigned count;

static bool is_in(const uint8_t *ip, const struct twin *p)
{
    unsigned whole = p->bits / 8, rest = p->bits % 8;

    return memcmp(ip, p->ip, whole) == 0 &&
           (rest == 0 || (ip[whole] ^ p->ip[whole]) >> (8 - rest) == 0);
}

static void cut(uint8_t *ip, unsigned bits)
{
    for (unsigned i = bits; i < 128; i++)
        ip[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static int compare(const struct twin *a, const uint8_t *ip, unsigned bits)
{
    int by_ip = memcmp(a->ip, ip, 16);

    return by_ip ? by_ip : (a->bits > bits) - (a->bits < bits);
}

/* Where exactly this prefix is or would be; @ip is cut already. */
static unsigned position(const uint8_t *ip, unsigned bits)
{
    unsigned i = 0;

    while (i < count && compare(&list[i], ip, bits) < 0)
        i++;
    return i;
}

static void *longest(const uint8_t *ip)
{
    const struct twin *best = NULL;

    for (unsigned i = 0; i < count; i++)
        if (is_in(ip, &list[i]) && (!best || list[i].bits > best->bits))
            best = &list[i];
    return best ? best->value : NULL;
}

/* Addresses that share long beginnings: zero, or a mapped one, with few bits flipped near @spot. */
static void pick(struct dice *d, unsigned spot, uint8_t ip[16])
{
    memset(ip, 0, 16);
    if (dice_below(d, 2))
        ip[10] = ip[11] = 0xff;
    for (unsigned flips = dice_below(d, 5); flips > 0; flips--) {
        unsigned i = dice_below(d, 4) ? spot + dice_below(d, 8) : dice_below(d, 128);
        ip[i / 8] ^= (uint8_t)(0x80 >> i % 8);
    }
}

static void step(struct om_trie *t, struct dice *d, unsigned spot, bool is_growing, void *value)
{
    unsigned bits = dice_below(d, 3) ? spot + dice_below(d, 9) : dice_below(d, 129);
    uint8_t ip[16], whole[16];

    pick(d, spot, ip);
    CHECK(om_trie_find(t, ip) == longest(ip));
    memcpy(whole, ip, sizeof ip);
    cut(ip, bits);
    unsigned i = position(ip, bits);
    bool is_there = i < count && compare(&list[i], ip, bits) == 0;
    void *there = is_there ? list[i].value : NULL;

    CHECK(om_trie_exact(t, whole, bits) == there);
    if (dice_below(d, 8) < (is_growing ? 6U : 2U)) {
        enum om_err want = is_there ? OM_E_EXISTS : count == t->max ? OM_E_FULL : OM_OK;

        CHECK_ERR(om_trie_put(t, whole, bits, value), want);
        if (want == OM_OK) {
            memmove(&list[i + 1], &list[i], (count++ - i) * sizeof list[0]);
            list[i] = (struct twin){.bits = bits, .value = value};
            memcpy(list[i].ip, ip, sizeof ip);
        }
    } else {
        CHECK(om_trie_remove(t, whole, bits) == there);
        if (is_there)
            memmove(&list[i], &list[i + 1], (--count - i) * sizeof list[0]);
    }
    CHECK_EQ(om_trie_count(t), count);
}

static void check_walk(const struct om_trie *t, struct dice *d)
{
    struct om_trie_entry e = {0}, from = {0};
    unsigned i = 0;

    for (; om_trie_next(t, &e); i++) {
        CHECK(i < count);
        CHECK_EQ(e.bits, list[i].bits);
        CHECK_MEM(e.ip, list[i].ip, 16);
        CHECK(e.value == list[i].value);
    }
    CHECK_EQ(i, count);
    /* From a prefix that need not be there: as if it had been removed during the walk. */
    pick(d, 100, from.ip);
    from.bits = dice_below(d, 129);
    from.value = list;
    cut(from.ip, from.bits);
    i = position(from.ip, from.bits);
    i += i < count && compare(&list[i], from.ip, from.bits) == 0;
    CHECK_EQ(om_trie_next(t, &from), i < count);
    CHECK(i == count || from.value == list[i].value);
}

OM_TEST(trie_model_matches_a_list)
{
    static uint8_t values[OPS];
    static const unsigned spots[RUNS] = {0, 60, 96, 104, 120};
    struct dice d = {6};
    struct om_trie t;

    for (unsigned r = 0; r < RUNS; r++) {
        count = 0;
        CHECK_OK(om_trie_init(&t, r == 0 ? 40 : ENTRIES));
        for (unsigned op = 0; op < OPS / RUNS; op++) {
            step(&t, &d, spots[r], op / 1000 % 3 < 2, &values[op]);
            if (op % 16 == 0)
                check_walk(&t, &d);
        }
        CHECK(t.used <= 2 * t.max);
        om_trie_fini(&t);
    }
}
