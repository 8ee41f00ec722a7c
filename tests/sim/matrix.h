/*
 * matrix.h - two nodes behind NATs of two kinds: what becomes of them, and what should
 *
 * What:  the kinds and their pairs; a world in which two nodes that know one relay meet, with what
 *        was measured; what is expected of each pair; and tables of it all.
 * Why:   whether nodes reach each other is decided by boxes, relays, gossip and chance together.
 *        Machines alone (model_punch) know neither what a node has learnt of its NAT by then nor
 *        when it begins.
 *
 * A world: a and b behind their boxes; r and q are relays, w, x, y and z other members, all of
 * them public; everybody is told of r alone and meets the rest by gossip. 40 ms between any two,
 * 1 % lost: a round trip over a relay takes 160 ms. After MATRIX_BEGIN_S one of the two connects to
 * the other and both send, and MATRIX_LASTS_S later they are looked at.
 *
 * Expected, with the share that chance is allowed to spoil:
 *
 *     easy x easy         direct            easy: open, one port for all, masquerade, stacked
 *     easy x hard         direct, 3 s       hard: stride, random, block, exclusive block
 *     block x block       direct, 5 s *     blocks up to 2,048 of which ports are reused
 *     other hard x hard   the relay
 *     no UDP x any        nothing, and nothing sent in vain
 *
 * Two behind one box are direct, two homes of one carrier if its box turns datagrams round.
 *
 * All times are since the first data was given, but for *: those of an attempt, which begins with
 * the first datagram of either to where the other is seen from outside (PROTOCOL section 5).
 *
 * Everywhere: the first data within two round trips of the relay; once direct, not over the relay
 * at the end (99 % each); at most 1,000 datagrams a second to addresses that never answered, and
 * none for longer than 5 s on end.
 *
 * Source: PROTOCOL section 5 (budgets); RFC 4787 (what boxes do).
 */
#ifndef SIM_MATRIX_H
#define SIM_MATRIX_H

#include "world.h"

enum {
    MATRIX_BEGIN_S = 8,
    MATRIX_LASTS_S = 12,
    MATRIX_LATENCY_MS = 40,
    MATRIX_LOSS_PPM = 10000,
    MATRIX_RELAY_RTT_MS = 4 * MATRIX_LATENCY_MS,
    MATRIX_SEEDS_MAX = 100,
    MATRIX_PAIRS_MAX = 160,
    MATRIX_PER_S_MAX = 1000, /* datagrams to addresses that never answered */
    MATRIX_SPAN_MAX_S = 5    /* of an attempt */
};

enum matrix_class {
    MATRIX_EASY,
    MATRIX_HARD,
    MATRIX_SHARED, /* hard, a block of which ports are reused */
    MATRIX_MUTE    /* no UDP */
};

struct matrix_kind {
    const char *name;
    const char *box, *word;     /* of natkind.h, and a property that differs; NULL: none */
    const char *outer, *around; /* the same of a box around it */
    enum matrix_class class;
};

/* What is expected. */
enum matrix_want {
    MATRIX_WANT_EASY,
    MATRIX_WANT_SPREAD,
    MATRIX_WANT_BOTH,
    MATRIX_WANT_RELAY,
    MATRIX_WANT_NOTHING,
    MATRIX_WANTS
};

/* Whether two are behind something together. */
enum matrix_near {
    MATRIX_APART,
    MATRIX_ONE_BOX,     /* one home */
    MATRIX_ONE_CARRIER, /* whose box turns round what goes to its own outside */
    MATRIX_ONE_DEAF     /* one that does not */
};

struct matrix_pair {
    const struct matrix_kind *a, *b;
    unsigned row, column;
    enum matrix_near near;
    enum matrix_want want;
};

/* What became of two nodes. */
struct matrix_run {
    bool is_done;      /* this was run */
    bool is_connected; /* both heard of each other within the last second */
    bool is_direct;    /* both ways were direct */
    bool is_back;      /* one of them goes over the relay again at the end */
    om_time first;     /* until the first data came, since it was asked for; OM_NEVER: none */
    om_time direct;    /* until both ways were direct; OM_NEVER: they never were */
    om_time took;      /* of it, since the first datagram to where the other is seen */
    unsigned attempt;  /* most datagrams of a side to unproven addresses without a pause */
    om_time span;      /* how long the longest of these took */
    unsigned per_s;    /* most of them within a second */
    unsigned left;     /* times that a side went from direct to the relay */
    unsigned lost;     /* of 1,000 data datagrams of the one who connected */
    char broken[OM_ERROR_MSG_MAX]; /* "" or what must never happen */
};

/** matrix_pairs() - all pairs into @out, which has room for MATRIX_PAIRS_MAX; how many. */
unsigned matrix_pairs(struct matrix_pair *out);

/** matrix_kind_at() - kind @i; NULL after the last. */
const struct matrix_kind *matrix_kind_at(unsigned i);

/** matrix_near_name() - "one box" and so on, of @n. */
const char *matrix_near_name(enum matrix_near n);

/** matrix_want_name() - "easy x easy" and so on, of @w. */
const char *matrix_want_name(enum matrix_want w);

/**
 * matrix_meet() - one world from start to end
 * @p:     the pair
 * @seed:  decides all that is left to chance, and who of the two connects
 * @log:   every event; NULL: none
 * @out:   filled
 */
void matrix_meet(const struct matrix_pair *p, uint64_t seed, FILE *log, struct matrix_run *out);

/**
 * matrix_print() - tables, kinds by kinds
 * @pairs:  all of them
 * @count:  how many
 * @runs:   MATRIX_SEEDS_MAX for each pair
 */
void matrix_print(const struct matrix_pair *pairs, unsigned count, const struct matrix_run *runs);

/** matrix_judge() - is all of @runs, as matrix_print() has them, as expected? Says what is not. */
bool matrix_judge(const struct matrix_pair *pairs, unsigned count, const struct matrix_run *runs);

#endif
