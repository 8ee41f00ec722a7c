/* test_peers.c - the table of peers when strangers fill it. */
#include "harness.h"

#include <omerta/attr.h>

#include "peer/peers.h"

enum { MAX = 4, IDS = 80 };

struct fix {
    struct om_peers t;
    struct om_network net, other;
    struct om_id id[IDS]; /* usable keys */
};

static bool fix_init(struct fix *f)
{
    const uint8_t sip_key[16] = {3};
    struct om_identity identity;
    uint8_t seed[32] = {1};

    memset(f, 0, sizeof *f);
    for (unsigned i = 0, tries = 0; i < IDS; tries++) {
        seed[0] = (uint8_t)tries;
        seed[1] = (uint8_t)(tries >> 8);
        if (om_identity_from_seed(&identity, seed) == OM_OK)
            f->id[i++] = identity.id;
    }
    seed[2] = 1;
    while (om_identity_from_seed(&f->net.self, seed) != OM_OK)
        seed[2]++;
    f->other.self = f->net.self;
    memset(f->net.id.b, 1, sizeof f->net.id.b);
    memset(f->other.id.b, 2, sizeof f->other.id.b);
    return om_peers_init(&f->t, MAX, sip_key) == OM_OK;
}

static void fix_fini(struct fix *f)
{
    size_t at = 0;
    void *p;

    while (om_table_next(&f->t.table, &at, NULL, &p))
        om_peers_remove(&f->t, p);
    om_peers_fini(&f->t);
}

OM_TEST(peers_add_finds_what_is_there)
{
    struct om_peer *a, *b;
    struct fix f;

    OM_TRY(fix_init(&f));
    CHECK(om_peers_find(&f.t, &f.net, &f.id[0]) == NULL);
    OM_TRY(om_peers_add(&f.t, &f.net, &f.id[0], &a) == OM_OK);
    OM_TRY(om_peers_add(&f.t, &f.net, &f.id[0], &b) == OM_OK);
    CHECK(a == b && om_peers_find(&f.t, &f.net, &f.id[0]) == a);
    OM_TRY(om_peers_add(&f.t, &f.other, &f.id[0], &b) == OM_OK); /* the key in another network */
    CHECK(a != b && b->net == &f.other);
    CHECK_ERR(om_peers_add(&f.t, &f.net, &f.net.self.id, &b), OM_E_RANGE);
    CHECK_EQ(om_table_count(&f.t.table), 2);
    om_peers_remove(&f.t, a);
    CHECK(om_peers_find(&f.t, &f.net, &f.id[0]) == NULL);
out:
    fix_fini(&f);
}

/* As the node does it: when the table is full, whoever is missed least gives way. */
static enum om_err add_evicting(struct fix *f, unsigned id, struct om_peer **out)
{
    enum om_err e = om_peers_add(&f->t, &f->net, &f->id[id], out);
    struct om_peer *victim = e == OM_E_FULL ? om_peers_victim(&f->t, &f->net) : NULL;

    if (!victim)
        return e;
    om_peers_remove(&f->t, victim);
    return om_peers_add(&f->t, &f->net, &f->id[id], out);
}

OM_TEST(peers_full_evicts_the_idle)
{
    struct om_association slept = {0};
    struct om_peer *p[MAX], *more;
    struct fix f;

    OM_TRY(fix_init(&f));
    for (unsigned i = 0; i < MAX; i++)
        OM_TRY(om_peers_add(&f.t, &f.net, &f.id[i], &p[i]) == OM_OK);
    p[0]->is_wanted = true;
    p[1]->waiting_count = 1;
    p[2]->assoc = &slept; /* its keys have died: it goes only when nobody else can */
    CHECK_ERR(om_peers_add(&f.t, &f.net, &f.id[10], &more), OM_E_FULL);
    OM_TRY(add_evicting(&f, 10, &more) == OM_OK);
    CHECK_EQ(om_table_count(&f.t.table), MAX);
    CHECK(om_peers_find(&f.t, &f.net, &f.id[3]) == NULL); /* the only idle one */
    for (unsigned i = 0; i < 3; i++)
        CHECK(om_peers_find(&f.t, &f.net, &f.id[i]) == p[i]);

    more->is_wanted = true;
    OM_TRY(add_evicting(&f, 11, &more) == OM_OK);
    CHECK(om_peers_find(&f.t, &f.net, &f.id[2]) == NULL);
    more->is_wanted = true;
    CHECK_ERR(add_evicting(&f, 12, &more), OM_E_FULL);
    CHECK_EQ(om_table_count(&f.t.table), MAX);
    p[1]->waiting_count = 0;
    OM_TRY(add_evicting(&f, 12, &more) == OM_OK);
    CHECK(om_peers_find(&f.t, &f.net, &f.id[1]) == NULL);
out:
    fix_fini(&f);
}

/* Association and handshake keep a peer too; neither is touched here, only looked at. */
OM_TEST(peers_full_spares_the_busy)
{
    struct om_association assoc = {.count = 1};
    struct om_handshake handshake;
    struct om_peer *p[MAX], *more;
    struct fix f;

    OM_TRY(fix_init(&f));
    for (unsigned i = 0; i < MAX; i++)
        OM_TRY(om_peers_add(&f.t, &f.net, &f.id[i], &p[i]) == OM_OK);
    p[0]->assoc = p[1]->assoc = &assoc;
    p[2]->handshake = p[3]->handshake = &handshake;
    CHECK_ERR(add_evicting(&f, 10, &more), OM_E_FULL);
    p[2]->handshake = NULL;
    OM_TRY(add_evicting(&f, 10, &more) == OM_OK);
    CHECK(om_peers_find(&f.t, &f.net, &f.id[2]) == NULL);
out:
    fix_fini(&f);
}

/* Who gave us an endpoint wants to find it again; a stranger that came by itself does not. */
OM_TEST(peers_full_spares_the_named)
{
    struct om_association asleep = {.count = 0};
    struct om_peer *p[MAX], *more;
    struct fix f;

    OM_TRY(fix_init(&f));
    for (unsigned i = 0; i < MAX; i++)
        OM_TRY(om_peers_add(&f.t, &f.net, &f.id[i], &p[i]) == OM_OK);
    for (unsigned i = 0; i < MAX - 1; i++)
        p[i]->end_count = 1;
    p[MAX - 1]->assoc = &asleep; /* would be the last to go, were it not a stranger */
    CHECK(om_peers_victim(&f.t, &f.net) == p[MAX - 1]);
    p[MAX - 1]->end_count = 1;
    p[0]->assoc = &asleep;
    CHECK(om_peers_victim(&f.t, &f.net) == p[1]);
    p[MAX - 1]->assoc = p[0]->assoc = NULL;
    OM_TRY(add_evicting(&f, 10, &more) == OM_OK); /* but full of the named it stays usable */
    CHECK(om_peers_find(&f.t, &f.net, &f.id[0]) == NULL);
out:
    fix_fini(&f);
}

/* A table of 32, so shares of two: full of the busy of one network, it takes two of another. */
OM_TEST(peers_full_of_one_network_has_room_for_another)
{
    enum { FULL = 2 * OM_PEERS_NETWORKS };
    struct om_association assoc = {.count = 1};
    const uint8_t sip_key[16] = {3};
    struct om_peer *p[FULL] = {NULL}, *other[2];
    struct fix f;

    OM_TRY(fix_init(&f));
    om_peers_fini(&f.t);
    OM_TRY(om_peers_init(&f.t, FULL, sip_key) == OM_OK);
    for (unsigned i = 0; i < FULL; i++) {
        OM_TRY(om_peers_add(&f.t, &f.net, &f.id[i], &p[i]) == OM_OK);
        p[i]->assoc = &assoc;
        p[i]->heard_at = (om_time)(1000 - i);
    }
    CHECK(om_peers_victim(&f.t, &f.net) == NULL); /* the control: no room for more of its own */
    p[FULL - 1]->is_wanted = true;                /* our program's */
    for (unsigned i = 0; i < 2; i++) {
        struct om_peer *victim = om_peers_victim(&f.t, &f.other);
        OM_TRY(victim == p[FULL - 2 - i]);
        victim->assoc = NULL;
        om_peers_remove(&f.t, victim);
        OM_TRY(om_peers_add(&f.t, &f.other, &f.id[i], &other[i]) == OM_OK);
        other[i]->assoc = &assoc;
    }
    /* It has its share: it gets no more, and of that nothing goes to the large one. */
    other[1]->assoc = NULL;
    CHECK(om_peers_victim(&f.t, &f.net) == NULL);
    CHECK(om_peers_victim(&f.t, &f.other) == other[1]); /* only in the place of its own */
    other[1]->assoc = &assoc;
    CHECK(om_peers_victim(&f.t, &f.other) == NULL);
    p[0]->assoc = NULL;
    CHECK(om_peers_victim(&f.t, &f.other) == p[0]); /* but of what nobody uses */
out:
    fix_fini(&f);
}

OM_TEST(peers_remember_stamps_of_the_evicted)
{
    struct om_peer *p;
    struct fix f;

    OM_TRY(fix_init(&f));
    CHECK_EQ(om_peers_stamp(&f.t, &f.net, &f.id[0]), 0);
    OM_TRY(om_peers_add(&f.t, &f.net, &f.id[0], &p) == OM_OK);
    OM_TRY(om_peers_set_stamp(&f.t, &f.net, &f.id[0], 5000) == OM_OK);
    OM_TRY(om_peers_set_stamp(&f.t, &f.net, &f.id[0], 4000) == OM_OK);
    CHECK_EQ(om_peers_stamp(&f.t, &f.net, &f.id[0]), 5000); /* never back */
    CHECK_EQ(om_peers_stamp(&f.t, &f.other, &f.id[0]), 0);  /* another network */
    for (unsigned i = 1; i <= MAX; i++)
        OM_TRY(add_evicting(&f, i, &p) == OM_OK);
    CHECK(om_peers_find(&f.t, &f.net, &f.id[0]) == NULL);
    CHECK_EQ(om_peers_stamp(&f.t, &f.net, &f.id[0]), 5000);
    OM_TRY(add_evicting(&f, 0, &p) == OM_OK);
    CHECK_EQ(p->stamp_in, 5000);
out:
    fix_fini(&f);
}

OM_TEST(peers_stamps_forget_the_least_recent)
{
    struct fix f;

    OM_TRY(fix_init(&f));
    for (unsigned i = 0; i <= MAX * OM_STAMPS_PER_PEER; i++)
        OM_TRY(om_peers_set_stamp(&f.t, &f.net, &f.id[i], 1000 + i) == OM_OK);
    CHECK_EQ(om_peers_stamp(&f.t, &f.net, &f.id[0]), 0);
    CHECK_EQ(om_peers_stamp(&f.t, &f.net, &f.id[1]), 1001);
out:
    fix_fini(&f);
}

/* However many strangers come and go: while a peer is in the table, its stamp holds. */
OM_TEST(peers_remember_stamps_of_the_living)
{
    struct om_peer *p, *late;
    struct fix f;

    OM_TRY(fix_init(&f));
    OM_TRY(om_peers_add(&f.t, &f.net, &f.id[0], &p) == OM_OK);
    OM_TRY(om_peers_set_stamp(&f.t, &f.net, &f.id[0], 5000) == OM_OK);
    CHECK_EQ(p->stamp_in, 5000); /* also when it is recalled from disk */
    for (unsigned i = 1; i <= MAX * OM_STAMPS_PER_PEER; i++)
        OM_TRY(om_peers_set_stamp(&f.t, &f.net, &f.id[i], 1000) == OM_OK);
    CHECK_EQ(om_peers_stamp(&f.t, &f.net, &f.id[0]), 5000);

    /* When it goes itself, the table of stamps learns it anew. */
    p->is_wanted = false;
    om_peers_remove(&f.t, p);
    CHECK_EQ(om_peers_stamp(&f.t, &f.net, &f.id[0]), 5000);
    OM_TRY(om_peers_add(&f.t, &f.net, &f.id[0], &late) == OM_OK);
    CHECK_EQ(late->stamp_in, 5000);
out:
    fix_fini(&f);
}
