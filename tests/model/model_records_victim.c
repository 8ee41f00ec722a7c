/* model_records_victim.c - a full store keeps what the rule says, in whatever order it came. */
#include "harness.h"

#include <sodium.h>

#include "dice.h"
#include "gossip/records.h"

enum { MAX = 16, ORIGINS = 120, OPS = 3000, RUNS = 20 };

struct origin {
    struct om_id id;
    uint64_t sequence;
    uint64_t rank;
};

static struct origin origins[ORIGINS];
static struct om_id self;

static int nearness(const struct om_id *a, const struct om_id *b)
{
    for (unsigned i = 0; i < OM_ID_BYTES; i++) {
        int d = (a->b[i] ^ self.b[i]) - (b->b[i] ^ self.b[i]);
        if (d)
            return d;
    }
    return 0;
}

/* Among what is held and not pinned: are the near ones the nearest? And of the rest, did @gone
 * (that just had to go, or was not let in) rank highest? */
static void check(const struct om_records *s, const struct origin *gone)
{
    const struct om_held *h;

    for (unsigned i = 0; i < ORIGINS; i++) {
        if (!(h = om_records_find(s, &origins[i].id)) || h->is_pinned || h->is_near)
            continue;
        CHECK(origins[i].rank <= gone->rank);
        for (unsigned k = 0; k < ORIGINS; k++) {
            const struct om_held *near = om_records_find(s, &origins[k].id);
            CHECK(!near || !near->is_near || near->is_pinned ||
                  nearness(&origins[k].id, &origins[i].id) < 0);
        }
    }
}

static void run(struct dice *d)
{
    uint8_t salt[16];
    bool held[ORIGINS] = {false};
    struct om_id network = {{9}};
    struct om_records s;
    struct om_held *h;

    dice_fill(d, salt, sizeof salt);
    dice_fill(d, self.b, sizeof self.b);
    CHECK_OK(om_records_init(&s, MAX, &self, &network, salt));
    for (unsigned i = 0; i < ORIGINS; i++) {
        origins[i].sequence = 0;
        dice_fill(d, origins[i].id.b, OM_ID_BYTES);
        crypto_shorthash((unsigned char *)&origins[i].rank, origins[i].id.b, OM_ID_BYTES, salt);
    }
    for (unsigned op = 0; op < OPS; op++) {
        unsigned i = dice_below(d, ORIGINS), gone = ORIGINS;
        struct om_held *has = om_records_find(&s, &origins[i].id);
        if (has && dice_below(d, 20) == 0) {
            if (has->is_pinned)
                om_records_unpin(&s, has);
            else
                (void)om_records_pin(&s, has);
            continue;
        }
        struct om_entry e = {.id = origins[i].id,
                             .sequence = ++origins[i].sequence,
                             .expires = dice_below(d, 200) ? 9 : 1,
                             .bytes = om_bytes("x", 1)};
        unsigned before = s.records;
        enum om_records_put put = om_records_put(&s, &e, &h);
        CHECK(put == (has ? OM_PUT_NEWER : h ? OM_PUT_NEW : OM_PUT_NOT_KEPT));
        CHECK(s.records == (has || before == MAX ? before : before + 1));
        for (unsigned k = 0; k < ORIGINS; k++) {
            bool holds = om_records_find(&s, &origins[k].id) != NULL;
            if ((held[k] || k == i) && !holds) {
                CHECK_EQ(gone, ORIGINS); /* one at most */
                gone = k;
            }
            held[k] = holds;
        }
        CHECK_EQ(gone != ORIGINS, !has && before == MAX);
        if (gone != ORIGINS)
            check(&s, &origins[gone]);
        if (dice_below(d, 300) == 0) {
            om_records_expire(&s, 5);
            for (unsigned k = 0; k < ORIGINS; k++)
                held[k] = om_records_find(&s, &origins[k].id) != NULL;
        }
    }
    om_records_fini(&s);
}

OM_TEST(records_model_keeps_near_and_random)
{
    struct dice d = {3};

    for (unsigned i = 0; i < RUNS; i++)
        run(&d);
}
