/* model_punch.c - two machines behind simulated NATs of every kind, with latency and loss. */
#include "harness.h"

#include "path/punch_memory.h"
#include "punch_lab.h"

enum { SEEDS = 30, BOTH = 2 /* start at once */ };

static const struct lab_sort sorts[] = {
    {"open", NULL, NULL, NULL, {.class = OM_NAT_OPEN, .filter = OM_FILTER_NONE}, false, false},
    {"full", "full", NULL, NULL, {.class = OM_NAT_EIM, .filter = OM_FILTER_NONE}, false, false},
    {"addr", "addr", NULL, NULL, {.class = OM_NAT_EIM, .filter = OM_FILTER_ADDRESS}, false, false},
    {"restricted",
     "restricted",
     NULL,
     NULL,
     {.class = OM_NAT_EIM, .filter = OM_FILTER_PORT},
     false,
     false},
    {"masq", "port", NULL, NULL, {.class = OM_NAT_EIM, .filter = OM_FILTER_PORT}, false, false},
    {"masqdrop",
     "portdrop",
     NULL,
     NULL,
     {.class = OM_NAT_EIM, .filter = OM_FILTER_PORT},
     false,
     false},
    {"carrier",
     "carrier",
     "filter=apd",
     NULL,
     {.class = OM_NAT_EIM, .filter = OM_FILTER_PORT},
     false,
     false},
    {"next",
     "next",
     NULL,
     NULL,
     {.class = OM_NAT_STRIDE, .filter = OM_FILTER_PORT, .stride = 1},
     true,
     false},
    {"stride4",
     "stride",
     NULL,
     NULL,
     {.class = OM_NAT_STRIDE, .filter = OM_FILTER_PORT, .stride = 4},
     true,
     false},
    {"random",
     "symrand",
     NULL,
     NULL,
     {.class = OM_NAT_RANDOM, .filter = OM_FILTER_PORT},
     true,
     false},
    {"block512",
     "block",
     NULL,
     NULL,
     {.class = OM_NAT_BLOCK, .filter = OM_FILTER_PORT, .reuse = OM_NAT_REUSED},
     true,
     true},
    {"block2048",
     "block",
     "block=2048",
     NULL,
     {.class = OM_NAT_BLOCK, .filter = OM_FILTER_PORT, .reuse = OM_NAT_REUSED},
     true,
     true},
    {"claim512",
     "symblock",
     NULL,
     NULL,
     {.class = OM_NAT_BLOCK, .filter = OM_FILTER_PORT, .reuse = OM_NAT_REUSED},
     true,
     true},
    {"exclusive",
     "blockex",
     NULL,
     NULL,
     {.class = OM_NAT_BLOCK, .filter = OM_FILTER_PORT, .reuse = OM_NAT_EXCLUSIVE},
     true,
     false},
    {"stacked",
     "port",
     NULL,
     "port",
     {.class = OM_NAT_EIM, .filter = OM_FILTER_PORT},
     false,
     false},
    {"stackblock",
     "port",
     NULL,
     "block",
     {.class = OM_NAT_BLOCK, .filter = OM_FILTER_PORT, .reuse = OM_NAT_REUSED},
     true,
     true},
};
enum { SORTS = OM_ARRAY_SIZE(sorts) };

struct tally {
    unsigned runs, direct, relay, slow;
    om_time worst, sum;
    unsigned packets; /* most by one side */
};

static void check_rate(const struct lab_side *s)
{
    enum { ANSWERS = 64 }; /* do not count */

    CHECK(s->m.sent <= OM_REACH_CORROBORATED_MAX);
    for (unsigned i = OM_REACH_PER_S + ANSWERS; i < s->count; i++)
        CHECK(s->sent[i] - s->sent[i - OM_REACH_PER_S - ANSWERS] > OM_SEC(1));
}

/* One attempt, begun by @starter; what became of it. */
static void meet(struct lab *l, unsigned starter, enum om_punch_style style, uint64_t nonce,
                 struct tally *t)
{
    om_time began = l->now;
    unsigned before[2] = {l->side[0].count, l->side[1].count};
    bool is_hard = l->side[0].sort->is_hard && l->side[1].sort->is_hard;

    lab_start(l, starter % 2, style, nonce);
    if (starter == BOTH)
        lab_start(l, 1, style, nonce + 1);
    lab_run(l, began + OM_SEC(8));
    t->runs++;
    if (lab_met(l)) {
        om_time took = l->side[0].done > l->side[1].done ? l->side[0].done : l->side[1].done;
        took -= began;
        t->direct++;
        t->sum += took;
        t->slow += took > OM_SEC(is_hard ? 5 : 3);
        t->worst = took > t->worst ? took : t->worst;
    } else {
        enum om_punch_end end = l->side[starter % 2].m.end;
        CHECK(end != OM_PUNCH_NOT_YET); /* both kept a way, and it does not carry */
        t->relay += end == OM_PUNCH_NO_WAY || end == OM_PUNCH_UNWILLING;
    }
    for (unsigned i = 0; i < 2; i++) {
        unsigned sent = l->side[i].count - before[i];
        check_rate(&l->side[i]);
        t->packets = sent > t->packets ? sent : t->packets;
    }
}

static void print(const struct lab_sort *a, const struct lab_sort *b, const struct tally *t)
{
    print_message("%-10s %-10s direct %3u/%u, relay at once %2u, mean %5.2f s, worst %5.2f s, at "
                  "most %4u datagrams of a side\n",
                  a->name, b->name, t->direct, t->runs, t->relay,
                  t->direct ? (double)t->sum / t->direct / 1e6 : 0, (double)t->worst / 1e6,
                  t->packets);
}

OM_TEST(punch_model_matrix)
{
    static struct lab l;
    struct tally spread = {0}, both = {0};

    for (unsigned i = 0; i < SORTS; i++) {
        for (unsigned k = i; k < SORTS; k++) {
            const struct lab_sort *a = &sorts[i], *b = &sorts[k];
            struct tally t = {0};
            for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                lab_init(&l, a, b, seed * 1000 + i * 50 + k);
                lab_attest(&l);
                meet(&l, (unsigned)(seed % 3), OM_PUNCH_PLAIN, seed + 77, &t);
                lab_fini(&l);
            }
            print(a, b, &t);
            if (!a->is_hard && !b->is_hard)
                CHECK(t.direct == t.runs && t.packets < 40);
            else if (a->is_shared && b->is_shared)
                both.runs += t.runs, both.direct += t.direct, both.slow += t.slow;
            else if (a->is_hard && b->is_hard)
                CHECK(t.relay == t.runs && t.packets == 0);
            else
                spread.runs += t.runs, spread.direct += t.direct, spread.slow += t.slow;
        }
    }
    print_message("easy x hard: %u of %u, %u of them in more than 3 s\n", spread.direct,
                  spread.runs, spread.slow);
    print_message("block x block: %u of %u, %u of them in more than 5 s\n", both.direct, both.runs,
                  both.slow);
    CHECK((spread.direct - spread.slow) * 100 >= spread.runs * 98);
    CHECK((both.direct - both.slow) * 100 >= both.runs * 95);
}

static const struct lab_sort *sort(const char *name)
{
    for (unsigned i = 0; i < SORTS; i++)
        if (strcmp(sorts[i].name, name) == 0)
            return &sorts[i];
    fail_msg("no sort %s", name);
    abort(); /* not reached */
}

/* Moments so far apart, by the same relay that is slower one way: with openers and without. */
static void check_openers(const char *name, unsigned apart_ms)
{
    static struct lab l;
    struct tally with[2] = {0};

    for (uint64_t seed = 1; seed <= SEEDS * 2; seed++) {
        bool is_control = seed & 1;
        lab_init(&l, sort("masq"), sort(name), seed);
        lab_attest(&l);
        l.extra[seed / 2 & 1] = OM_MS(2) * apart_ms;
        l.has_no_opener = is_control;
        meet(&l, seed % 3 == 0, OM_PUNCH_PLAIN, seed, &with[!is_control]);
        lab_fini(&l);
    }
    print_message("masq with %s, moments %u ms apart: direct %u of %u, without openers %u\n", name,
                  apart_ms, with[1].direct, with[1].runs, with[0].direct);
    CHECK_EQ(with[1].direct, with[1].runs);
    CHECK(with[0].direct * 4 < with[0].runs);
}

OM_TEST(punch_model_openers_matter)
{
    static const char *const names[] = {"masq", "stacked", "random"};

    for (unsigned k = 0; k < OM_ARRAY_SIZE(names); k++) {
        check_openers(names[k], 75);
        check_openers(names[k], 400); /* a busy machine: clocks do not say when it has opened */
    }
}

/* Nobody vouches: three datagrams each. */
OM_TEST(punch_model_strangers)
{
    static struct lab l;
    struct tally t = {0};

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        lab_init(&l, sort("masq"), sort("carrier"), seed);
        meet(&l, 0, OM_PUNCH_PLAIN, seed, &t);
        CHECK(l.side[0].m.sent <= 3 && l.side[1].m.sent <= 3);
        lab_fini(&l);
    }
    print_message("uncorroborated: direct %u of %u\n", t.direct, t.runs);
    CHECK(t.direct * 100 >= t.runs * 90);
}

/* Large blocks whose boxes take early datagrams for their own: the second style, by memory. */
OM_TEST(punch_model_learns_the_style)
{
    static const struct lab_sort wide = {
        "claim2048",
        "symblock",
        "range=20000..22047",
        NULL,
        {.class = OM_NAT_BLOCK, .filter = OM_FILTER_PORT, .reuse = OM_NAT_REUSED},
        true,
        true};
    static const uint8_t sip[OM_SIP_KEY] = {5};
    static struct lab l;
    struct om_punch_memory memory;
    struct tally first = {0}, second = {0};

    om_punch_memory_init(&memory, sip);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        lab_init(&l, &wide, &wide, seed);
        const struct lab_side *s = &l.side[0];
        for (unsigned i = 0; i < 2 && s->m.state != OM_PUNCH_DONE; i++) {
            enum om_punch_style style =
                om_punch_memory_style(&memory, l.now, &s->outside, &l.side[1].outside);
            if (om_punch_retry_at(&s->m) > l.now)
                l.now = om_punch_retry_at(&s->m) + OM_SEC(3600); /* the budget is per hour */
            lab_attest(&l);
            meet(&l, 0, style, seed * 2 + i, style == OM_PUNCH_PLAIN ? &first : &second);
            om_punch_memory_tell(&memory, l.now, &s->outside, &l.side[1].outside, style,
                                 s->m.state == OM_PUNCH_DONE);
        }
        lab_fini(&l);
    }
    om_punch_memory_fini(&memory);
    print_message("claiming blocks of 2048: plain %u of %u, turned %u of %u\n", first.direct,
                  first.runs, second.direct, second.runs);
    CHECK(second.direct * 100 >= second.runs * 80 && second.runs > first.runs);
}

/* What the peers saw instead of what the box is. */
OM_TEST(punch_model_from_observation)
{
    static struct lab l;
    struct tally easy = {0}, spread = {0}, hard = {0};

    for (unsigned i = 0; i < SORTS * SORTS; i++) {
        const struct lab_sort *a = &sorts[i / SORTS], *b = &sorts[i % SORTS];
        struct tally *t = a->is_hard && b->is_hard ? &hard : &easy;
        if (a->is_hard != b->is_hard)
            t = &spread;
        for (uint64_t seed = 1; seed <= SEEDS / 10; seed++) {
            lab_init(&l, a, b, seed * 1000 + i);
            lab_observe(&l, 0);
            lab_observe(&l, 1);
            lab_attest(&l);
            meet(&l, seed & 1, OM_PUNCH_PLAIN, seed, t);
            lab_fini(&l);
        }
    }
    print_message("observed: easy x easy %u of %u, easy x hard %u of %u, hard x hard %u of %u "
                  "(%u relay at once)\n",
                  easy.direct, easy.runs, spread.direct, spread.runs, hard.direct, hard.runs,
                  hard.relay);
    CHECK_EQ(easy.direct, easy.runs);
    CHECK(spread.direct * 100 >= spread.runs * 98);
}

/* Hard pairs again, when each side has also looked whether its ports are shared. */
OM_TEST(punch_model_learns_to_share)
{
    static const char *const names[] = {"block512", "block2048", "claim512", "stackblock"};
    static struct lab l;
    struct tally shared = {0}, exclusive = {0};
    unsigned known = 0;

    for (unsigned i = 0; i < 2 * OM_ARRAY_SIZE(names) * SEEDS; i++) {
        bool is_control = i & 1;
        const struct lab_sort *a = sort(names[i / 2 % OM_ARRAY_SIZE(names)]);
        const struct lab_sort *b = is_control ? sort("exclusive") : a;
        lab_init(&l, a, b, 7000 + i);
        for (unsigned k = 0; k < 2; k++) {
            l.side[k].profile.reuse = OM_NAT_REUSE_UNKNOWN;
            lab_share(&l, k);
        }
        known += l.side[0].profile.reuse == OM_NAT_REUSED;
        CHECK(!is_control || l.side[1].profile.reuse == OM_NAT_EXCLUSIVE);
        lab_attest(&l);
        meet(&l, i & 1, OM_PUNCH_PLAIN, i, is_control ? &exclusive : &shared);
        lab_fini(&l);
    }
    print_message("shared ports seen %u of %u; then blocks direct %u of %u, with exclusive %u\n",
                  known, shared.runs + exclusive.runs, shared.direct, shared.runs,
                  exclusive.direct);
    CHECK(known * 100 >= (shared.runs + exclusive.runs) * 95);
    CHECK(shared.direct * 100 >= shared.runs * 90);
    CHECK(exclusive.relay == exclusive.runs && exclusive.packets == 0);
}
