/* model_loss.c - random sending, ACKs and silence against a list that forgets nothing. */
#include "harness.h"

#include <omerta/prng.h>

#include "stream/loss.h"

enum { PACKETS = 4096, ROUNDS = 60, STEPS = 20000 };

enum fate { UNSENT, FLYING, ACKED, LOST };

struct twin {
    struct om_loss l;
    struct om_rtt rtt;
    struct om_prng prng;
    enum fate fate[PACKETS];
    uint16_t size[PACKETS];
    bool arrived[PACKETS];
    uint64_t next, oldest;
    om_time now;
    bool is_repeating; /* om_loss_repeat_oldest() tells, but decides nothing */
    unsigned long ops;
};

static void on_fate(void *self, om_time now OM_UNUSED, const struct om_sent_frame *f, bool acked)
{
    struct twin *t = self;

    CHECK(f->offset < t->next);
    CHECK_EQ(t->fate[f->offset], FLYING); /* each fate is told once */
    if (t->is_repeating)
        return;
    if (acked)
        CHECK(t->arrived[f->offset]);
    t->fate[f->offset] = acked ? ACKED : LOST;
}

static void check(const struct twin *t)
{
    uint64_t bytes = 0;
    unsigned flying = 0;

    for (uint64_t i = 0; i < t->next; i++)
        if (t->fate[i] == FLYING) {
            bytes += t->size[i];
            flying++;
        }
    CHECK_EQ(t->l.in_flight, bytes);
    CHECK_EQ(t->l.flying, flying);
    CHECK(t->l.delivered + bytes <= t->next * 1200);
    CHECK_EQ(om_loss_deadline(&t->l) == OM_NEVER, flying == 0);
}

static void send(struct twin *t)
{
    struct om_sent_frame f = {.offset = t->next, .kind = OM_SENT_STREAM};
    bool eliciting = om_prng_below(&t->prng, 4) > 0;

    if (t->next == PACKETS)
        return;
    t->size[t->next] = (uint16_t)(40 + om_prng_below(&t->prng, 1161));
    if (eliciting)
        t->fate[t->next] = FLYING;
    t->next++;
    CHECK_OK(om_loss_sent(&t->l, t->now, f.offset, t->size[f.offset], &f, eliciting, eliciting));
}

/* An ACK of what arrived, from a random packet downwards; now and then one that names too much. */
static void ack(struct twin *t)
{
    struct om_frame_ack a = {.delay_us = (uint32_t)om_prng_below(&t->prng, 30000)};
    uint64_t at;

    if (t->next == 0)
        return;
    at = om_prng_below(&t->prng, t->next);
    if (om_prng_below(&t->prng, 100) == 0) {
        a.largest = t->next + om_prng_below(&t->prng, 10);
        a.run = 1;
        CHECK_ERR(om_loss_on_ack(&t->l, t->now, &a), OM_E_RANGE);
        return;
    }
    for (uint64_t i = t->next > 64 ? t->next - 64 : 0; i < t->next; i++)
        if (om_prng_below(&t->prng, 3) > 0)
            t->arrived[i] = true;
    t->arrived[at] = true;
    a.largest = at;
    uint64_t low = at + 1;
    while (low > 0 && t->arrived[low - 1])
        low--;
    a.run = (uint32_t)(at - low + 1);
    while (low > 0 && a.count < OM_ACK_RANGES_MAX) {
        uint64_t gap = low;
        while (gap > 0 && !t->arrived[gap - 1])
            gap--;
        uint64_t run = gap;
        while (run > 0 && t->arrived[run - 1])
            run--;
        if (gap == run)
            break;
        a.ranges[a.count++] = (struct om_ack_range){(uint32_t)(low - gap), (uint32_t)(gap - run)};
        low = run;
    }
    CHECK_OK(om_loss_on_ack(&t->l, t->now, &a));
    CHECK(t->fate[at] != FLYING); /* what is acknowledged is decided */
}

static void step(struct twin *t)
{
    switch (om_prng_below(&t->prng, 12)) {
    case 0:
    case 1:
        t->now += (om_time)om_prng_below(&t->prng, 20000);
        break;
    case 2:
        t->now = om_time_min(t->now + OM_SEC(3), om_loss_deadline(&t->l));
        om_loss_tick(&t->l, t->now);
        break;
    case 3:
    case 4:
        ack(t);
        break;
    case 5:
        if (om_prng_below(&t->prng, 50) == 0)
            om_loss_abandon(&t->l, t->now);
        break;
    case 6:
        t->is_repeating = true;
        om_loss_repeat_oldest(&t->l, t->now, 2);
        t->is_repeating = false;
        break;
    default:
        send(t);
        break;
    }
    t->ops++;
}

OM_TEST(loss_model_matches_a_list)
{
    static const struct om_cc_ops *const ccs[] = {&om_bbr_ops, &om_cubic_ops};
    static struct twin t;
    unsigned long ops = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        memset(&t, 0, sizeof t);
        om_prng_seed(&t.prng, round);
        om_loss_init(&t.l, ccs[round % 2], &t.rtt, round, 0, on_fate, &t);
        for (unsigned i = 0; i < STEPS; i++) {
            step(&t);
            if (i % 64 == 0)
                check(&t);
        }
        check(&t);
        ops += t.ops;
        CHECK(t.l.packets_lost >= t.l.packets_spurious);
        om_loss_fini(&t.l);
    }
    print_message("%lu operations\n", ops);
}
