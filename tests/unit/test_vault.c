/*
 * test_vault.c - slots in both kinds of vault
 *
 * mlock() is replaced for this executable, and so for libsodium in it: whether a lock is granted
 * depends on the test then, not on the limits and privileges of whoever runs it.
 */
#include "harness.h"

#include <sodium.h>
#include <sys/mman.h>

#include "crypto/vault.h"

enum { SLOT = 100, SLOTS = 5 };

static bool lock_refused;

int mlock(const void *addr OM_UNUSED, size_t len OM_UNUSED)
{
    return lock_refused ? -1 : 0;
}

/* A vault of SLOTS slots, all of them taken as far as memory goes. */
struct full {
    struct om_vault *v;
    uint8_t *slot[SLOTS];
};

static bool fill(struct full *f, bool locked)
{
    *f = (struct full){.v = om_vault_new(SLOT, SLOTS, locked)};
    for (unsigned i = 0; f->v && i < SLOTS; i++) {
        f->slot[i] = om_vault_take(f->v);
        if (!f->slot[i])
            return false;
    }
    return f->v != NULL;
}

static void empty(struct full *f)
{
    for (unsigned i = 0; f->v && i < SLOTS; i++)
        om_vault_give(f->v, f->slot[i]);
    om_vault_free(f->v);
}

static void check_zeroed(bool locked)
{
    struct full f;

    OM_TRY(fill(&f, locked));
    for (unsigned i = 0; i < SLOTS; i++) {
        CHECK(sodium_is_zero(f.slot[i], SLOT));
        CHECK_EQ((uintptr_t)f.slot[i] % OM_VAULT_ALIGN, 0);
        memset(f.slot[i], 0xff, SLOT);
    }
    om_vault_give(f.v, f.slot[2]);
    f.slot[2] = om_vault_take(f.v); /* in a slab this is the same place again */
    OM_TRY(f.slot[2]);
    CHECK(sodium_is_zero(f.slot[2], SLOT));
out:
    empty(&f);
}

OM_TEST(vault_slots_come_zeroed)
{
    check_zeroed(false);
    check_zeroed(true);
}

static void check_full(bool locked)
{
    struct full f;

    OM_TRY(fill(&f, locked));
    CHECK_EQ(om_vault_left(f.v), 0);
    CHECK(om_vault_take(f.v) == NULL);
    om_vault_give(f.v, f.slot[0]);
    CHECK_EQ(om_vault_left(f.v), 1);
    f.slot[0] = om_vault_take(f.v);
    OM_TRY(f.slot[0]);
    CHECK(om_vault_take(f.v) == NULL);
out:
    empty(&f);
}

OM_TEST(vault_full_is_null)
{
    check_full(false);
    check_full(true);
}

OM_TEST(vault_give_wipes)
{
    struct full f;

    OM_TRY(fill(&f, true));
    OM_TRY(f.slot[1] != NULL);
    memset(f.slot[1], 0xff, SLOT);
    memset(f.slot[2], 0xff, SLOT);
    om_vault_give(f.v, f.slot[1]);
    CHECK(sodium_is_zero(f.slot[1], SLOT)); /* the slab is still ours to look at */
    CHECK_EQ(f.slot[2][0], 0xff);
    f.slot[1] = NULL;
out:
    empty(&f);
}

OM_TEST(vault_slots_do_not_overlap)
{
    struct full f;

    OM_TRY(fill(&f, true));
    for (unsigned i = 0; i < SLOTS; i++)
        memset(f.slot[i], (int)i + 1, SLOT);
    for (unsigned i = 0; i < SLOTS; i++)
        for (unsigned at = 0; at < SLOT; at++)
            CHECK_EQ(f.slot[i][at], i + 1);
out:
    empty(&f);
}

OM_TEST(vault_refuses_bad_sizes)
{
    struct om_vault *v = om_vault_new(1, 1, false);

    OM_TRY(v);
    CHECK(om_vault_new(0, 1, false) == NULL);
    CHECK(om_vault_new(1, 0, true) == NULL);
    CHECK(om_vault_new(OM_VAULT_SLOT_MAX + 1, 1, true) == NULL);
    CHECK(om_vault_new(1, OM_VAULT_SLOTS_MAX + 1, false) == NULL);
out:
    om_vault_free(v);
    om_vault_free(NULL);
}

OM_TEST(vault_says_whether_it_is_locked)
{
    struct full plain = {.v = NULL}, locked = {.v = NULL}, refused = {.v = NULL};

    OM_TRY(fill(&plain, false));
    CHECK(!om_vault_is_locked(plain.v));
    OM_TRY(fill(&locked, true));
    CHECK(om_vault_is_locked(locked.v));
    lock_refused = true;
    OM_TRY(fill(&refused, true)); /* works all the same */
    CHECK(!om_vault_is_locked(refused.v));
    CHECK_EQ(om_vault_left(refused.v), 0);
out:
    lock_refused = false;
    empty(&plain);
    empty(&locked);
    empty(&refused);
}

enum { BIG = 1024, MANY = 200 }; /* more than one chunk */

OM_TEST(vault_many_slots_do_not_overlap)
{
    static uint8_t *slot[MANY];
    struct om_vault *v = om_vault_new(BIG, MANY, true);
    unsigned n = 0;

    OM_TRY(v);
    for (; n < MANY && (slot[n] = om_vault_take(v)) != NULL; n++)
        memset(slot[n], (int)n, BIG);
    CHECK(n == MANY || om_test_oom_hit());
    CHECK(n < MANY || !om_vault_take(v));
    for (unsigned i = 0; i < n; i++) {
        CHECK(slot[i][0] == (uint8_t)i && slot[i][BIG - 1] == (uint8_t)i);
        om_vault_give(v, slot[i]);
    }
    CHECK_EQ(om_vault_left(v), MANY);
out:
    om_vault_free(v);
}

OM_TEST(vault_lock_refused_later_is_said)
{
    static uint8_t *slot[MANY];
    struct om_vault *v;
    unsigned n = 0;

    lock_refused = false;
    v = om_vault_new(BIG, MANY, true);
    OM_TRY(v);
    CHECK(om_vault_is_locked(v) || om_test_oom_hit());
    lock_refused = true;
    for (; n < MANY && (slot[n] = om_vault_take(v)) != NULL; n++)
        ;
    lock_refused = false;
    CHECK(!om_vault_is_locked(v));
    for (unsigned i = 0; i < n; i++)
        om_vault_give(v, slot[i]);
out:
    om_vault_free(v);
}
