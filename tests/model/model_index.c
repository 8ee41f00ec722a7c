/* model_index.c - the index table against a list that is searched from one end to the other. */
#include "harness.h"

#include "crypto/index.h"
#include "dice.h"

enum { OPS = 200000, MAX = 200 };

static struct {
    uint32_t index;
    enum om_index_kind kind;
    void *owner;
} list[MAX];
static unsigned count;

/* Few distinct values and many zeros, so that draws collide and clusters grow long. */
static void narrow(void *self, void *dst, size_t n)
{
    struct dice *d = self;
    uint32_t v = dice_below(d, 4) == 0 ? dice_below(d, 3) : dice_below(d, 700) * 64;

    CHECK_EQ(n, sizeof v);
    memcpy(dst, &v, n);
}

static unsigned find(uint32_t index)
{
    unsigned i = 0;

    while (i < count && list[i].index != index)
        i++;
    return i;
}

static void draw(struct om_indices *t, const struct om_rng *rng, void *owner,
                 enum om_index_kind kind)
{
    uint32_t index = 0;

    CHECK_ERR(om_index_draw(t, rng, kind, owner, &index), count == MAX ? OM_E_FULL : OM_OK);
    if (count == MAX)
        return;
    CHECK(index != 0);
    CHECK_EQ(find(index), count); /* nobody has it yet */
    list[count].index = index;
    list[count].kind = kind;
    list[count++].owner = owner;
}

static void check_find(const struct om_indices *t, uint32_t index)
{
    const struct om_index_entry *e = om_index_find(t, index);
    unsigned i = find(index);

    CHECK_EQ(e != NULL, i < count);
    if (!e)
        return;
    CHECK_EQ(e->index, index);
    CHECK_EQ(e->kind, list[i].kind);
    CHECK(e->owner == list[i].owner);
}

OM_TEST(index_model_matches_a_list)
{
    static uint8_t owners[OPS];
    struct dice d = {5};
    const struct om_rng rng = {narrow, &d};
    struct om_indices t;

    om_indices_init(&t, MAX);
    for (unsigned op = 0; op < OPS; op++) {
        /* Fills and empties in turn. */
        if (dice_below(&d, 8) < (op / 3000 % 2 ? 3u : 6u)) {
            draw(&t, &rng, &owners[op], dice_below(&d, 2) ? OM_INDEX_SESSION : OM_INDEX_HANDSHAKE);
        } else {
            uint32_t index = dice_below(&d, 700) * 64;
            if (count > 0 && dice_below(&d, 4) > 0)
                index = list[dice_below(&d, count)].index;
            unsigned i = find(index);
            om_index_drop(&t, index);
            if (i < count)
                list[i] = list[--count];
        }
        CHECK_EQ(t.live, count);
        check_find(&t, dice_below(&d, 700) * 64);
        check_find(&t, 0);
        if (op % 100 == 0)
            for (unsigned i = 0; i < count; i++)
                check_find(&t, list[i].index);
    }
    CHECK(t.size <= 8 * MAX);
    om_indices_fini(&t);
}
