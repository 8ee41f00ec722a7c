/* test_session.c - the keys of one handshake: direction, limits, dates, wiping. */
#include "store.h"

#include <stdlib.h>

#include <omerta/attr.h>

/* Does what @from seals open under @to? */
static bool talks(struct om_aead *from, struct om_aead *to)
{
    uint8_t text[5] = "hello", tag[16];
    const struct om_bytes aad = om_bytes("head", 4);

    return om_aead_seal(from, 7, aad, text, sizeof text, tag) &&
           om_aead_open(to, 7, aad, text, sizeof text, tag) && memcmp(text, "hello", 5) == 0;
}

static bool is_zero(const void *p, size_t n)
{
    const uint8_t *b = p;

    while (n > 0 && b[n - 1] == 0)
        n--;
    return n == 0;
}

OM_TEST(session_sides_meet)
{
    struct om_session a = {0}, b = {0};
    struct store t;

    OM_TRY(store_init(&t, 8));
    struct om_session_keys k = store_keys(&t, true);
    k.audit = true;
    OM_TRY(om_session_init(&a, &k, 0, &t.limits) == OM_OK);
    k.initiated = false;
    OM_TRY(om_session_init(&b, &k, 0, &t.limits) == OM_OK);
    CHECK(talks(&a.seal, &b.open));
    CHECK(talks(&b.seal, &a.open));
    CHECK(!talks(&a.seal, &a.open)); /* the directions have keys of their own */
    CHECK(!talks(&b.seal, &b.open));
    CHECK(talks(&a.seal, a.mirror)); /* the audit reads what we send */
    CHECK(talks(&b.seal, b.mirror));
out:
    om_session_fini(&a);
    om_session_fini(&b);
    store_fini(&t);
}

OM_TEST(session_audit_costs_nothing_when_off)
{
    struct om_session s = {0};
    struct store t;

    OM_TRY(store_init(&t, 8));
    struct om_session_keys k = store_keys(&t, true);
    OM_TRY(om_session_init(&s, &k, 0, &t.limits) == OM_OK);
    CHECK(s.mirror == NULL);
out:
    om_session_fini(&s);
    store_fini(&t);
}

OM_TEST(session_stops_at_its_limits)
{
    struct om_session s = {0};
    struct store t;

    OM_TRY(store_init(&t, 8));
    struct om_session_keys k = store_keys(&t, true);
    OM_TRY(om_session_init(&s, &k, OM_SEC(10), &t.limits) == OM_OK);
    CHECK_EQ(s.sealed_max, UINT64_C(1) << 60); /* ChaCha's own (PROTOCOL 4) */
    om_session_fini(&s);

    t.limits.packets_max = 100;
    OM_TRY(om_session_init(&s, &k, OM_SEC(10), &t.limits) == OM_OK);
    s.sealed = 99;
    CHECK(!om_session_wants_rekey(&s, OM_SEC(10), &t.limits));
    CHECK(om_session_can_seal(&s, OM_SEC(10)));
    s.sealed = 100; /* asks for new keys, and still seals a quarter more meanwhile */
    CHECK(om_session_wants_rekey(&s, OM_SEC(10), &t.limits));
    CHECK(om_session_can_seal(&s, OM_SEC(10)));
    s.sealed = 124;
    CHECK(om_session_can_seal(&s, OM_SEC(10)));
    s.sealed = 125;
    CHECK(!om_session_can_seal(&s, OM_SEC(10)));
out:
    om_session_fini(&s);
    store_fini(&t);
}

OM_TEST(session_dates_follow_its_role)
{
    static const struct {
        bool initiated;
        int rekey_s;
    } roles[] = {{true, 120}, {false, 150}};
    const om_time born = OM_SEC(1000);
    struct om_session s = {0};
    struct store t;

    OM_TRY(store_init(&t, 8));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(roles); i++) {
        struct om_session_keys k = store_keys(&t, roles[i].initiated);
        OM_TRY(om_session_init(&s, &k, born, &t.limits) == OM_OK);
        CHECK_EQ(s.initiated, roles[i].initiated);
        CHECK(!s.is_confirmed);
        CHECK_EQ(s.born, born);
        CHECK_EQ(s.receive_until, born + OM_SEC(180));
        CHECK(!om_session_wants_rekey(&s, born, &t.limits));
        CHECK(!om_session_wants_rekey(&s, born + OM_SEC(roles[i].rekey_s) - 1, &t.limits));
        CHECK(om_session_wants_rekey(&s, born + OM_SEC(roles[i].rekey_s), &t.limits));
        CHECK(om_session_can_seal(&s, born + OM_SEC(180) - 1));
        CHECK(!om_session_can_seal(&s, born + OM_SEC(180)));
        om_session_fini(&s);
    }
out:
    om_session_fini(&s);
    store_fini(&t);
}

OM_TEST(session_forgets_its_keys)
{
    struct om_session s = {0};
    struct store t;

    OM_TRY(store_init(&t, 8));
    struct om_session_keys k = store_keys(&t, true);
    k.audit = true;
    OM_TRY(om_session_init(&s, &k, 1, &t.limits) == OM_OK);
    CHECK(!is_zero(&s.seal, sizeof s.seal) && !is_zero(&s.open, sizeof s.open));
    om_session_fini(&s);
    CHECK(is_zero(&s, sizeof s));
    om_session_fini(&s); /* twice does no harm */
out:
    om_session_fini(&s);
    store_fini(&t);
}

/* Under --oom the mirror's memory fails, after both keys were made. A failing CHECK would count as
 * an answer there, so this one aborts. */
/* A late packet is within reach after a burst, once packets have poured; not before. */
OM_TEST(session_window_grows_when_packets_pour)
{
    struct om_session s = {0};
    struct store t;

    OM_TRY(store_init(&t, 8));
    struct om_session_keys k = store_keys(&t, true);
    OM_TRY(om_session_init(&s, &k, 0, &t.limits) == OM_OK);
    for (int i = 0; i < 10; i++) /* as many packets, but over ten seconds */
        om_session_count(&s, OM_SEC(i), OM_POUR_PER_S / 5);
    CHECK_EQ(s.replay.width, OM_REPLAY_WIDTH);
    om_session_count(&s, OM_SEC(20), OM_POUR_PER_S);
    CHECK_EQ(s.replay.width, OM_REPLAY_WIDTH);
    om_session_count(&s, OM_SEC(20) + 1, 1);
    OM_TRY(s.replay.width == OM_REPLAY_WIDTH_GROWN);
out:
    om_session_fini(&s);
    store_fini(&t);
}

OM_TEST(session_failed_init_leaves_nothing)
{
    struct om_session s = {0};
    struct store t;

    OM_TRY(store_init(&t, 8));
    struct om_session_keys k = store_keys(&t, true);
    k.audit = true;
    enum om_err e = om_session_init(&s, &k, 1, &t.limits);
    if (e != OM_OK && (s.mirror || s.cipher || s.epoch))
        abort();
    OM_TRY(e == OM_OK);
out:
    om_session_fini(&s);
    store_fini(&t);
}
