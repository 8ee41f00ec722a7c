/* model_acks.c - the runs against a plain set of numbers, read back from the ACK frame. */
#include "harness.h"

#include <omerta/bytes.h>

#include "crypto/acks.h"
#include "dice.h"
#include "path/rtt.h"

/* All within OM_ACK_KEPT_S: a run that goes by its age has a test of its own (test_acks.c). */
enum { ROUNDS = 400, OPS = 500, SPAN = 1024, STEP_US = OM_SEC(OM_ACK_KEPT_S) / OPS };

static bool seen[SPAN];    /* the set: did packet base + i arrive? */
static om_time came[SPAN]; /* when it did first */
static unsigned full;      /* times that the runs were as many as are kept */
static unsigned brief;     /* ACKs that left the lowest runs to another one */

/* Decodes @ack's frame and marks the numbers it names, less @base. */
static unsigned named(const struct om_frame_ack *ack, uint64_t base, bool out[SPAN])
{
    uint8_t bytes[OM_FRAME_HEAD + 28 + 8 * OM_ACK_RANGES_MAX];
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));
    struct om_frame f;

    om_frame_write_ack(&w, ack);
    CHECK(!w.bad);
    struct om_rd r = om_rd(om_bytes(bytes, om_wr_len(&w)));
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.is_known && f.type == OM_FRAME_ACK);

    memset(out, 0, SPAN);
    uint64_t at = f.ack.largest - base + 1; /* one above the next number, less base */
    for (uint32_t i = 0; i < f.ack.run; i++)
        out[--at] = true;
    for (unsigned g = 0; g < f.ack.count; g++) {
        at -= f.ack.ranges[g].missing;
        for (uint32_t i = 0; i < f.ack.ranges[g].run; i++)
            out[--at] = true;
    }
    return f.ack.count + 1;
}

/* Adds to the set; of more runs than are kept, the lowest is forgotten. */
static unsigned see(unsigned i)
{
    unsigned runs = 0, low;

    seen[i] = true;
    for (unsigned k = 0; k < SPAN; k++)
        runs += seen[k] && (k + 1 == SPAN || !seen[k + 1]);
    if (runs <= OM_ACK_RANGES_MAX + 1)
        return runs;
    for (low = 0; !seen[low]; low++)
        ;
    while (seen[low])
        seen[low++] = false;
    return runs - 1;
}

static unsigned top_of_set(void)
{
    unsigned i = SPAN;

    while (i > 0 && !seen[i - 1])
        i--;
    return i - 1;
}

/* An ACK that names @got names everything down to somewhere, and whatever is new. */
static bool is_brief(const bool got[SPAN], om_time now)
{
    unsigned low = 0;

    while (!got[low])
        low++;
    CHECK(low == 0 || !seen[low - 1]); /* whole runs */
    CHECK_MEM(got + low, seen + low, SPAN - low);
    for (unsigned i = 0; i < low; i++)
        CHECK(!seen[i] || now - came[i] >= OM_MS(OM_ACK_FRESH_MS));
    return memcmp(got, seen, low) != 0;
}

/* Where the next packet lands: mostly near the front, in or out of order. */
static unsigned next_packet(struct dice *d, unsigned front, unsigned loss)
{
    if (dice_below(d, 10) < loss)
        return dice_below(d, SPAN);
    unsigned back = dice_below(d, 12);
    return front > back ? front - back : front;
}

static void run(struct dice *d)
{
    static bool got[SPAN];
    const uint64_t base = dice_below(d, 2) ? 0 : dice_u64(d) >> 1;
    unsigned loss = dice_below(d, 4), front = 0, pending = 0, in_turn = 0;
    om_time now = OM_SEC(1), due = OM_NEVER;
    struct om_frame_ack ack;
    struct om_acks a;

    memset(seen, 0, sizeof seen);
    om_acks_init(&a);
    CHECK(!om_acks_take(&a, now, &ack));
    for (unsigned op = 0; op < OPS; op++) {
        unsigned i = next_packet(d, front, loss);
        bool eliciting = dice_below(d, 3) > 0;

        now += dice_below(d, STEP_US);
        bool in_order = op == 0 || i == top_of_set() + 1;
        om_acks_received(&a, now, base + i, eliciting);
        came[i] = seen[i] ? came[i] : now;
        unsigned runs = see(i);
        full += runs == OM_ACK_RANGES_MAX + 1;
        front = front + 1 + dice_below(d, 1 + 3 * loss);
        front = front < SPAN ? front : SPAN - 1;
        pending += eliciting;
        if (eliciting)
            due = om_time_min(due, pending >= 2 || !in_order ? now : now + OM_MS(OM_ACK_DELAY_MS));
        CHECK(a.due == due);
        if (dice_below(d, 6) > 0)
            continue;
        CHECK(om_acks_take(&a, now, &ack));
        CHECK(ack.largest == base + top_of_set());
        CHECK(named(&ack, base, got) <= runs);
        in_turn = is_brief(got, now) ? in_turn + 1 : 0;
        CHECK(in_turn < OM_ACK_TOLD);
        brief += in_turn > 0;
        pending = 0;
        due = OM_NEVER;
    }
}

OM_TEST(acks_model_matches_a_set)
{
    struct dice d = {6};

    for (unsigned i = 0; i < ROUNDS; i++)
        run(&d);
    CHECK(full > 1000);
    CHECK(brief > 1000);
}
