/* matrix_kind.c - kinds, pairs, and what is expected of each. */
#include "matrix.h"

#include <string.h>

static const struct matrix_kind kinds[] = {
    {"open", NULL, NULL, NULL, NULL, MATRIX_EASY},
    {"full", "full", NULL, NULL, NULL, MATRIX_EASY},
    {"addr", "addr", NULL, NULL, NULL, MATRIX_EASY},
    {"restr", "restricted", NULL, NULL, NULL, MATRIX_EASY},
    {"masq", "port", NULL, NULL, NULL, MATRIX_EASY}, /* early datagrams move its flows */
    {"masqdrop", "portdrop", NULL, NULL, NULL, MATRIX_EASY},
    {"carrier", "carrier", "filter=apd", NULL, NULL, MATRIX_EASY},
    {"double", "port", NULL, "carrier", "filter=apd", MATRIX_EASY},
    {"stride", "stride", NULL, NULL, NULL, MATRIX_HARD},
    {"random", "symrand", NULL, NULL, NULL, MATRIX_HARD},
    {"blk512", "block", NULL, NULL, NULL, MATRIX_SHARED},
    {"blk2048", "block", "block=2048", NULL, NULL, MATRIX_SHARED},
    {"exclus", "blockex", NULL, NULL, NULL, MATRIX_HARD},
    {"noudp", "udpblock", NULL, NULL, NULL, MATRIX_MUTE},
};
enum { KINDS = OM_ARRAY_SIZE(kinds) };
static_assert(KINDS * (KINDS + 1) / 2 + KINDS <= MATRIX_PAIRS_MAX, "all pairs have room");

const struct matrix_kind *matrix_kind_at(unsigned i)
{
    return i < KINDS ? &kinds[i] : NULL;
}

const char *matrix_want_name(enum matrix_want w)
{
    static const char *const names[MATRIX_WANTS] = {
        "easy x easy", "easy x hard", "block x block", "other hard x hard", "no UDP",
    };

    return (unsigned)w < MATRIX_WANTS ? names[w] : "?";
}

static enum matrix_want want(const struct matrix_kind *a, const struct matrix_kind *b)
{
    if (a->class == MATRIX_MUTE || b->class == MATRIX_MUTE)
        return MATRIX_WANT_NOTHING;
    if (a->class == MATRIX_EASY && b->class == MATRIX_EASY)
        return MATRIX_WANT_EASY;
    if (a->class == MATRIX_EASY || b->class == MATRIX_EASY)
        return MATRIX_WANT_SPREAD;
    return a->class == MATRIX_SHARED && b->class == MATRIX_SHARED ? MATRIX_WANT_BOTH
                                                                  : MATRIX_WANT_RELAY;
}

const char *matrix_near_name(enum matrix_near n)
{
    static const char *const names[] = {"", "one box", "one carrier", "one carrier, no hairpin"};

    return (unsigned)n < OM_ARRAY_SIZE(names) ? names[n] : "?";
}

static void add(struct matrix_pair *out, unsigned *count, unsigned i, unsigned k,
                enum matrix_near near)
{
    out[(*count)++] = (struct matrix_pair){
        .a = &kinds[i],
        .b = &kinds[k],
        .row = i,
        .column = k,
        .near = near,
        .want = near == MATRIX_ONE_DEAF ? MATRIX_WANT_RELAY : want(&kinds[i], &kinds[k])};
}

unsigned matrix_pairs(struct matrix_pair *out)
{
    unsigned count = 0;

    for (unsigned i = 0; i < KINDS; i++)
        for (unsigned k = i; k < KINDS; k++)
            add(out, &count, i, k, MATRIX_APART);
    for (unsigned i = 0; i < KINDS; i++) {
        if (kinds[i].class == MATRIX_EASY && kinds[i].box)
            add(out, &count, i, i, MATRIX_ONE_BOX);
        for (unsigned n = MATRIX_ONE_CARRIER; n <= MATRIX_ONE_DEAF && kinds[i].outer; n++)
            add(out, &count, i, i, (enum matrix_near)n);
    }
    return count;
}
