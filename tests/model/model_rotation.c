/*
 * model_rotation.c - admins who rotate in partitions, by lossy gossip, with a traitor among them
 *
 * Whoever is left in the end has one epoch, which leaves out nothing; who is not left has it not.
 */
#include "ledgers.h"

#include <omerta/prng.h>

#include "dice.h"
#include "network/rotation.h"

enum {
    ADMINS = 3,
    NODES = 8, /* the admins, then members */
    FIRST_MEMBER = 20,
    WORLDS = 10,
    STEP_S = 10,
    SEGMENTS = 4, /* each with its own partition and news */
    SEGMENT_STEPS = 60,
    HEAL_STEPS_MAX = 3 * OM_ROTATION_SHARE_S / STEP_S
};

struct node {
    unsigned key;
    struct om_ledger l;
    struct om_rotation r;
    struct member m; /* by the authority */
    uint8_t cert[OM_ADMIN_CERT_BYTES];
    unsigned part;
};

struct world {
    struct node nodes[NODES];
    struct om_ledger all; /* what was ever signed */
    struct dice d;
    struct om_prng secrets;
    om_time now;
    unsigned losses, adopted, refused; /* so that the test can see that it tested something */
};

static uint32_t wall(const struct world *w)
{
    return LEDGERS_NOW + (uint32_t)(w->now / OM_SEC(1));
}

static bool accepts(const struct node *a, const struct node *b)
{
    return verdict(&a->l, &b->m) == OM_LEDGER_HOLDS;
}

/* @to asks @from: its logs, and then the epoch; the exchange may end at any point. */
static void exchange(struct world *w, struct node *from, struct node *to)
{
    struct om_ledger_head heads[OM_LEDGER_LOGS_MAX];
    unsigned n = om_ledger_heads(&to->l, heads);
    struct om_ledger_walk walk;
    struct om_ledger_told t;

    om_ledger_walk(&walk, heads, n);
    while (om_ledger_walk_next(&walk, &from->l, &t)) {
        if (dice_below(&w->d, 10) == 0) {
            w->losses++;
            return;
        }
        if (t.is_cert)
            CHECK_OK(om_ledger_admin(&to->l, t.bytes));
        else
            (void)!om_ledger_put(&to->l, t.owner, t.bytes);
    }
    om_rotation_look(&to->r, w->now, &to->l);
    const struct om_member of_to = as_member(&to->m);
    struct om_bytes epoch = om_rotation_give(&from->r, &from->l, &of_to);
    CHECK_EQ(epoch.n, from->r.len); /* he was let in */
    switch (om_rotation_put(&to->r, w->now, wall(w), &to->l, epoch)) {
    case OM_ROTATION_ADOPTED:
        w->adopted++;
        break;
    case OM_ROTATION_REVOKED:
        w->refused++;
        break;
    case OM_ROTATION_KNOWN:
    case OM_ROTATION_WORSE:
        break;
    case OM_ROTATION_FORGED:
    case OM_ROTATION_LEAP:
        fail();
    }
}

static void step(struct world *w)
{
    struct om_rng rng = om_prng_rng(&w->secrets);

    w->now += OM_SEC(STEP_S);
    for (unsigned i = 0; i < NODES; i++) {
        struct node *a = &w->nodes[i], *b = &w->nodes[dice_below(&w->d, NODES)];
        om_rotation_tick(&a->r, w->now, wall(w), &a->l, &rng);
        if (a == b || a->part != b->part || !accepts(a, b) || !accepts(b, a))
            continue;
        exchange(w, b, a);
        if (accepts(a, b) && accepts(b, a))
            exchange(w, a, b);
    }
}

static void signs(struct world *w, struct node *n, unsigned by, struct om_admin_entry *e)
{
    struct om_bytes out;

    CHECK_OK(om_ledger_sign(&n->l, key(by), e, &out));
    CHECK_EQ(om_ledger_put(&w->all, &key(by)->id, out), OM_LEDGER_NEW);
    om_rotation_look(&n->r, w->now, &n->l);
}

/* An admin throws somebody out, unless he knows that he may not. */
static void revoke(struct world *w)
{
    struct node *n = &w->nodes[dice_below(&w->d, ADMINS)];
    struct om_admin_entry e = {.kind = OM_ADMIN_KEY_REVOKED};

    if (om_ledger_rank(&n->l, &key(n->key)->id) == 0)
        return;
    memcpy(e.subject, key(w->nodes[ADMINS + dice_below(&w->d, NODES - ADMINS)].key)->id.b, 32);
    signs(w, n, n->key, &e);
}

/* One of the admins makes an epoch that nobody needs, far ahead; the authority, whose key is at the
 * first node, ends him by what it knows of his log. */
static void betray(struct world *w)
{
    struct node *n = &w->nodes[1 + dice_below(&w->d, ADMINS - 1)], *authority = &w->nodes[0];
    struct om_admin_entry e = {.kind = OM_ADMIN_REVOKED};
    const struct om_ledger_log *log = om_ledger_log(&authority->l, &key(n->key)->id);
    struct om_epoch_message m = {.number = n->r.highest + 1 + dice_below(&w->d, 5),
                                 .has_admin = true};
    uint8_t bytes[OM_EPOCH_MESSAGE_MAX];

    dice_fill(&w->d, m.secret, sizeof m.secret);
    memcpy(m.admin, n->cert, sizeof m.admin);
    size_t len = om_epoch_message_encode(bytes, &m, key(n->key), &ledgers_network);
    (void)om_rotation_put(&n->r, w->now, wall(w), &n->l, om_bytes(bytes, len));
    memcpy(e.subject, key(n->key)->id.b, 32);
    if (log->whole > 0) {
        e.last = log->whole;
        memcpy(e.last_hash, log->entries[log->count - 1]->hash, OM_HASH_BYTES);
    }
    signs(w, authority, 0, &e);
    e = (struct om_admin_entry){.kind = OM_ADMIN_KEY_REVOKED};
    memcpy(e.subject, key(n->key)->id.b, 32);
    signs(w, authority, 0, &e);
}

static void world_init(struct world *w, unsigned seed)
{
    struct om_rng rng;

    *w = (struct world){.d = {seed}};
    om_prng_seed(&w->secrets, seed);
    rng = om_prng_rng(&w->secrets);
    CHECK(ledgers_init(&w->all, ADMINS));
    for (unsigned i = 0; i < NODES; i++) {
        struct node *n = &w->nodes[i];
        n->key = i < ADMINS ? 1 + i : FIRST_MEMBER + i;
        n->m = member(n->key, 0, 0, 0, 0);
        CHECK(ledgers_init(&n->l, ADMINS));
        om_rotation_init(&n->r, &ledgers_network, &key(0)->id);
        if (i < ADMINS)
            om_rotation_admin(&n->r, key(n->key), admin_cert(n->cert, n->key));
        if (i == 0)
            om_rotation_begin(&n->r, w->now, wall(w), &n->l, &rng);
        else
            CHECK_EQ(om_rotation_put(&n->r, w->now, wall(w), &n->l,
                                     om_bytes(w->nodes[0].r.bytes, w->nodes[0].r.len)),
                     OM_ROTATION_ADOPTED);
    }
}

static bool is_left(const struct world *w, const struct node *n)
{
    return verdict(&w->all, &n->m) == OM_LEDGER_HOLDS;
}

/* Do all who are left agree on an epoch that leaves out nothing? */
static bool is_settled(const struct world *w)
{
    const struct om_rotation *one = &w->nodes[0].r; /* he is never revoked */

    for (unsigned i = 0; i < NODES; i++) {
        const struct om_rotation *r = &w->nodes[i].r;
        if (is_left(w, &w->nodes[i]) && memcmp(r->hash, one->hash, sizeof r->hash) != 0)
            return false;
    }
    return !om_ledger_beyond(&w->all, one->current.excluded, one->current.excluded_count);
}

static void run(struct world *w)
{
    bool has_traitor = dice_below(&w->d, 3) > 0;
    unsigned steps = 0;

    for (unsigned s = 0; s < SEGMENTS; s++) {
        for (unsigned i = 0; i < NODES; i++)
            w->nodes[i].part = dice_below(&w->d, 3);
        for (unsigned i = 0; i < SEGMENT_STEPS; i++) {
            if (dice_below(&w->d, SEGMENT_STEPS) == 0)
                revoke(w);
            if (has_traitor && s == 1 && i == SEGMENT_STEPS / 2)
                betray(w);
            step(w);
        }
    }
    revoke(w); /* so that there is always something to be done */
    for (unsigned i = 0; i < NODES; i++)
        w->nodes[i].part = 0;
    for (; !is_settled(w); steps++) {
        CHECK(steps < HEAL_STEPS_MAX);
        step(w);
    }
    for (unsigned i = 0; i < 100; i++) /* and it stays so */
        step(w);
    CHECK(is_settled(w));
    for (unsigned i = 0; i < NODES; i++)
        if (!is_left(w, &w->nodes[i]))
            CHECK(memcmp(w->nodes[i].r.hash, w->nodes[0].r.hash, OM_HASH_BYTES) != 0);
}

OM_TEST(rotation_model_converges)
{
    static struct world w;
    unsigned gone = 0, losses = 0, adopted = 0, refused = 0;

    for (unsigned seed = 1; seed <= WORLDS; seed++) {
        world_init(&w, seed);
        run(&w);
        losses += w.losses;
        adopted += w.adopted;
        refused += w.refused;
        for (unsigned i = 0; i < NODES; i++) {
            gone += !is_left(&w, &w.nodes[i]);
            om_ledger_fini(&w.nodes[i].l);
            om_rotation_fini(&w.nodes[i].r);
        }
        om_ledger_fini(&w.all);
    }
    CHECK(gone > WORLDS && losses > WORLDS && adopted > WORLDS && refused > 0);
}
