/*
 * model_lane.c - two hops against a list of what was sent and what was taken
 *
 * An end sends; whoever is in between loses, delays, doubles and forges; the relay takes or drops
 * and sends on under its own sequence; the far end takes. The twin keeps what each must have taken:
 * each datagram at most once, and everything that is not older than the window.
 */
#include "harness.h"

#include "dice.h"
#include "relay/lane.h"

enum { ROUNDS = 40, STEPS = 6000, SIZE = OM_LANE_BYTES + 44, MARK = OM_LANE_BYTES + 20 };

static const uint8_t mask[OM_MASK_KEY_BYTES] = {5};

struct net {
    struct dice dice;
    struct om_hop end, in, out, far;
    uint8_t sent[STEPS][SIZE];
    bool is_taken[STEPS];
    unsigned count, top;
    bool has_top;
    unsigned long fresh, refused, forged;
};

static void turn(uint8_t *to, const uint8_t *keys)
{
    memcpy(to, keys + OM_LANE_KEY_BYTES, OM_LANE_KEY_BYTES);
    memcpy(to + OM_LANE_KEY_BYTES, keys, OM_LANE_KEY_BYTES);
}

static void begin(struct net *n, uint64_t seed)
{
    uint8_t keys[2 * OM_LANE_KEY_BYTES], turned[2 * OM_LANE_KEY_BYTES];

    *n = (struct net){.dice = {seed}};
    dice_fill(&n->dice, keys, sizeof keys);
    turn(turned, keys);
    om_hop_init(&n->end, 1, 2, keys);
    om_hop_init(&n->in, 2, 1, turned);
    dice_fill(&n->dice, keys, sizeof keys);
    turn(turned, keys);
    om_hop_init(&n->out, 3, 4, keys);
    om_hop_init(&n->far, 4, 3, turned);
    n->end.sent = UINT64_C(0xfffff000); /* the low half wraps on the way */
}

static void send_one(struct net *n)
{
    uint8_t *d = n->sent[n->count];

    dice_fill(&n->dice, d, SIZE);
    d[MARK] = (uint8_t)(n->count >> 8);
    d[MARK + 1] = (uint8_t)n->count;
    om_hop_wrap(&n->end, mask, d, SIZE);
    n->count++;
}

static enum om_err take(struct om_hop *h, const uint8_t *d)
{
    struct om_lane_header header;

    CHECK(om_lane_peek(mask, om_bytes(d, SIZE), &header));
    return om_hop_check(h, &header, om_bytes(d, SIZE));
}

static void arrive(struct net *n, unsigned i)
{
    bool is_low = n->has_top && n->top >= OM_LANE_WINDOW && i <= n->top - OM_LANE_WINDOW;
    bool want = !n->is_taken[i] && !is_low;
    uint8_t d[SIZE];

    memcpy(d, n->sent[i], SIZE);
    CHECK_ERR(take(&n->in, d), want ? OM_OK : OM_E_EXISTS);
    n->fresh += want;
    n->refused += !want;
    if (!want)
        return;
    n->is_taken[i] = true;
    if (!n->has_top || i > n->top)
        n->top = i;
    n->has_top = true;
    om_hop_wrap(&n->out, mask, d, SIZE);
    if (dice_below(&n->dice, 20) == 0)
        return; /* lost on the second hop, whose sequence goes on */
    CHECK_OK(take(&n->far, d));
    CHECK_ERR(take(&n->far, d), OM_E_EXISTS);
    CHECK_MEM(d + OM_LANE_BYTES, n->sent[i] + OM_LANE_BYTES, SIZE - OM_LANE_BYTES);
}

static void forge(struct net *n)
{
    uint8_t d[SIZE];

    if (dice_below(&n->dice, 2) == 0) {
        dice_fill(&n->dice, d, SIZE);
    } else {
        memcpy(d, n->sent[dice_below(&n->dice, n->count)], SIZE);
        d[dice_below(&n->dice, OM_LANE_BYTES)] ^= (uint8_t)(1 + dice_below(&n->dice, 255));
    }
    CHECK_ERR(take(&n->in, d), OM_E_CRYPTO);
    n->forged++;
}

OM_TEST(model_lane_agrees_with_a_set)
{
    static struct net n;
    unsigned long fresh = 0, refused = 0, forged = 0;

    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        begin(&n, seed);
        while (n.count < STEPS) {
            unsigned kind = dice_below(&n.dice, 100);

            send_one(&n);
            if (kind < 50)
                arrive(&n, n.count - 1);
            else if (kind < 70)
                arrive(&n, n.count - 1 - dice_below(&n.dice, n.count < 30 ? n.count : 30));
            else if (kind < 85)
                arrive(&n, dice_below(&n.dice, n.count));
            else if (kind < 92)
                forge(&n);
        }
        fresh += n.fresh;
        refused += n.refused;
        forged += n.forged;
    }
    CHECK(fresh > 100000 && refused > 30000 && forged > 10000); /* all answers were exercised */
}
