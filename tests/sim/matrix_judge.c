/* matrix_judge.c - tables of what was measured, and what is wrong with it. */
#include "matrix.h"

#include <stdio.h>
#include <stdlib.h>

/* What is demanded of a group. */
struct demand {
    om_time within;   /* OM_NEVER: at the end */
    bool is_attempt;  /* counted from the attempt; else since the first data was given */
    unsigned percent; /* of all runs */
};

static const struct demand demands[MATRIX_WANTS] = {
    [MATRIX_WANT_EASY] = {OM_NEVER, false, 100},    [MATRIX_WANT_SPREAD] = {OM_SEC(3), false, 98},
    [MATRIX_WANT_BOTH] = {OM_SEC(5), true, 95},     [MATRIX_WANT_RELAY] = {OM_NEVER, false, 100},
    [MATRIX_WANT_NOTHING] = {OM_NEVER, false, 100},
};

/* Of a pair, or of all pairs of which the same is wanted. */
struct tally {
    unsigned runs, direct, well, connected, late;
    unsigned attempt, per_s, lost, left, back;
    om_time span, took, p50, worst, first_p50, first_worst;
    unsigned times, firsts;
    om_time direct_at[MATRIX_PAIRS_MAX * MATRIX_SEEDS_MAX],
        first[MATRIX_PAIRS_MAX * MATRIX_SEEDS_MAX];
};

static bool is_well(const struct matrix_pair *p, const struct matrix_run *r)
{
    const struct demand *d = &demands[p->want];

    switch (p->want) {
    case MATRIX_WANT_RELAY:
        return r->is_connected && !r->is_direct;
    case MATRIX_WANT_NOTHING:
        return !r->is_connected && r->first == OM_NEVER;
    default:
        return r->is_connected && r->is_direct &&
               (d->is_attempt ? r->took : r->direct) <= d->within;
    }
}

static int by_time(const void *a, const void *b)
{
    const om_time *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static unsigned max(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static void tally_add(struct tally *t, const struct matrix_pair *p, const struct matrix_run *r)
{
    if (!r->is_done)
        return;
    t->runs++;
    t->well += is_well(p, r);
    t->connected += r->is_connected;
    t->direct += r->is_connected && r->is_direct;
    t->attempt = max(t->attempt, r->attempt);
    t->left += r->left;
    t->back += r->is_back;
    t->per_s = max(t->per_s, r->per_s);
    t->span = r->span > t->span ? r->span : t->span;
    t->lost = max(t->lost, r->is_connected ? r->lost : 0);
    if (r->is_direct) {
        t->took = r->took > t->took ? r->took : t->took;
        t->direct_at[t->times++] = r->direct;
    }
    if (r->first != OM_NEVER) {
        t->late += r->first > OM_MS(2 * MATRIX_RELAY_RTT_MS);
        t->first[t->firsts++] = r->first;
    }
}

static void tally_end(struct tally *t)
{
    qsort(t->direct_at, t->times, sizeof t->direct_at[0], by_time);
    qsort(t->first, t->firsts, sizeof t->first[0], by_time);
    if (t->times > 0) {
        t->p50 = t->direct_at[t->times / 2];
        t->worst = t->direct_at[t->times - 1];
    }
    if (t->firsts > 0) {
        t->first_p50 = t->first[t->firsts / 2];
        t->first_worst = t->first[t->firsts - 1];
    }
}

static void of_pair(struct tally *t, const struct matrix_pair *p, const struct matrix_run *runs)
{
    *t = (struct tally){0};
    for (unsigned i = 0; i < MATRIX_SEEDS_MAX; i++)
        tally_add(t, p, &runs[i]);
    tally_end(t);
}

static void of_group(struct tally *t, enum matrix_want want, const struct matrix_pair *pairs,
                     unsigned count, const struct matrix_run *runs)
{
    *t = (struct tally){0};
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; pairs[i].want == want && k < MATRIX_SEEDS_MAX; k++)
            tally_add(t, &pairs[i], &runs[i * MATRIX_SEEDS_MAX + k]);
    tally_end(t);
}

static int ms(om_time t)
{
    return (int)(t / 1000);
}

enum sight { SIGHT_DIRECT, SIGHT_TIME, SIGHT_DATAGRAMS, SIGHTS };

static void cell(enum sight sight, const struct tally *t)
{
    char text[32];

    if (t->runs == 0)
        snprintf(text, sizeof text, " ");
    else if (sight == SIGHT_DATAGRAMS)
        snprintf(text, sizeof text, "%u", t->attempt);
    else if (sight == SIGHT_TIME && t->times == 0)
        snprintf(text, sizeof text, "-");
    else if (sight == SIGHT_TIME)
        snprintf(text, sizeof text, "%d/%d", ms(t->p50), ms(t->worst));
    else if (t->connected == 0)
        snprintf(text, sizeof text, "none");
    else if (t->connected < t->runs)
        snprintf(text, sizeof text, "%u%% (%u)", 100 * t->direct / t->runs, t->runs - t->connected);
    else
        snprintf(text, sizeof text, "%u%%", 100 * t->direct / t->runs);
    printf(" %10s", text);
}

static void table(enum sight sight, const struct matrix_pair *pairs, unsigned count,
                  const struct matrix_run *runs)
{
    static const char *const titles[SIGHTS] = {
        "direct (runs without a connection)",
        "ms until direct since the first data was given, median/worst",
        "most datagrams of a side to addresses that never answered, without a pause"};
    static struct tally t;
    unsigned row = 0;

    printf("%s\n%9s", titles[sight], "");
    for (unsigned k = 0; matrix_kind_at(k); k++)
        printf(" %10s", matrix_kind_at(k)->name);
    for (unsigned i = 0; i < count; i++) {
        const struct matrix_pair *p = &pairs[i];
        if (p->near != MATRIX_APART)
            continue;
        if (p->column == p->row) {
            printf("\n%9s", p->a->name);
            for (row = 0; row < p->row; row++)
                printf(" %10s", "");
        }
        of_pair(&t, p, &runs[i * MATRIX_SEEDS_MAX]);
        cell(sight, &t);
    }
    for (unsigned i = 0; i < count; i++) {
        if (pairs[i].near == MATRIX_APART)
            continue;
        of_pair(&t, &pairs[i], &runs[i * MATRIX_SEEDS_MAX]);
        if (t.runs == 0)
            continue;
        printf("\n%9s, %s:", pairs[i].a->name, matrix_near_name(pairs[i].near));
        cell(sight, &t);
    }
    printf("\n\n");
}

void matrix_print(const struct matrix_pair *pairs, unsigned count, const struct matrix_run *runs)
{
    static struct tally t;

    for (unsigned s = 0; s < SIGHTS; s++)
        table((enum sight)s, pairs, count, runs);
    for (unsigned w = 0; w < MATRIX_WANTS; w++) {
        of_group(&t, (enum matrix_want)w, pairs, count, runs);
        if (t.runs == 0)
            continue;
        printf(
            "%s: %u of %u as expected, %u connected, %u direct after %d ms (worst %d, of an "
            "attempt %d); first "
            "data after %d ms (worst %d, %u later than 2 RTT of the relay); at most %u datagrams "
            "in %d ms, %u a second; at most %u of 1,000 lost; %u returns to the relay, %u pairs "
            "there at the end\n",
            matrix_want_name((enum matrix_want)w), t.well, t.runs, t.connected, t.direct, ms(t.p50),
            ms(t.worst), ms(t.took), ms(t.first_p50), ms(t.first_worst), t.late, t.attempt,
            ms(t.span), t.per_s, t.lost, t.left, t.back);
    }
}

/* Prints what is wrong, if it is. */
static bool demand(bool is_right, const char *who, const char *what)
{
    if (!is_right)
        printf("NOT AS EXPECTED: %s: %s\n", who, what);
    return is_right;
}

static bool judge_group(enum matrix_want want, const struct tally *t)
{
    const struct demand *d = &demands[want];
    const char *who = matrix_want_name(want);
    unsigned spoilt = t->runs * (100 - d->percent) / 100;
    bool is_right = t->well + spoilt >= t->runs;

    const bool all[] = {
        demand(is_right, who, "too few as they should be"),
        /* Of a short form's 88 one is more than 1 %, and says nothing. */
        demand(t->back <= 1 || t->back * 100 <= t->runs, who,
               "more than 1 % went back to the relay"),
        demand(want == MATRIX_WANT_NOTHING || t->connected == t->runs, who, "not connected"),
        demand(t->per_s <= MATRIX_PER_S_MAX, who, "too many datagrams a second"),
        demand(t->span <= OM_SEC(MATRIX_SPAN_MAX_S), who, "an attempt was too long"),
    };
    unsigned held = 0;

    for (size_t i = 0; i < OM_ARRAY_SIZE(all); i++)
        held += all[i];
    return held == OM_ARRAY_SIZE(all);
}

bool matrix_judge(const struct matrix_pair *pairs, unsigned count, const struct matrix_run *runs)
{
    static struct tally t;
    unsigned late = 0, firsts = 0;
    bool is_right = true;

    for (unsigned w = 0; w < MATRIX_WANTS; w++) {
        of_group(&t, (enum matrix_want)w, pairs, count, runs);
        late += t.late;
        firsts += t.firsts;
        if (t.runs > 0)
            is_right &= judge_group((enum matrix_want)w, &t);
    }
    is_right &= demand(late * 100 <= firsts, "all", "first data too late in more than 1 %");
    for (unsigned i = 0; i < count * MATRIX_SEEDS_MAX; i++)
        if (runs[i].is_done &&
            !demand(*runs[i].broken == '\0', pairs[i / MATRIX_SEEDS_MAX].a->name, runs[i].broken))
            is_right = false;
    return is_right;
}
