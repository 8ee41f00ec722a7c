/* test_rotation.c - which epoch is the better one, when to make the next, and who gets it. */
#include "ledgers.h"

#include <omerta/prng.h>

#include "network/rotation.h"

enum { AUTHORITY, ANN, BOB, CARL };

/* A ledger, and a rotation of somebody. */
struct place {
    struct om_ledger l;
    struct om_rotation r;
    uint8_t cert[OM_ADMIN_CERT_BYTES];
};

static struct om_prng secrets = {{1, 2, 3, 4}};

static bool place_init(struct place *p, unsigned admins)
{
    om_rotation_init(&p->r, &ledgers_network, &key(AUTHORITY)->id);
    return ledgers_init(&p->l, admins);
}

static void place_fini(struct place *p)
{
    om_ledger_fini(&p->l);
    om_rotation_fini(&p->r);
}

static void is(struct place *p, unsigned who)
{
    om_rotation_admin(&p->r, key(who),
                      who == AUTHORITY ? om_bytes(NULL, 0) : admin_cert(p->cert, who));
}

static enum om_rotation_put put(struct place *p, om_time now, const struct om_epoch_message *m,
                                unsigned by)
{
    uint8_t bytes[OM_EPOCH_MESSAGE_MAX];
    struct om_epoch_message copy = *m;

    copy.has_admin = by != AUTHORITY;
    if (copy.has_admin)
        (void)admin_cert(copy.admin, by);
    size_t n = om_epoch_message_encode(bytes, &copy, key(by), &ledgers_network);
    return om_rotation_put(&p->r, now, LEDGERS_NOW, &p->l, om_bytes(bytes, n));
}

static void tick(struct place *p, om_time now)
{
    struct om_rng rng = om_prng_rng(&secrets);

    om_rotation_tick(&p->r, now, LEDGERS_NOW, &p->l, &rng);
}

/* The authority's first epoch. */
static const struct om_epoch_message first = {.number = 1, .secret = {1}};

OM_TEST(rotation_begins_with_the_authority)
{
    struct place p = {.cert = {0}};
    struct om_rng rng = om_prng_rng(&secrets);

    OM_TRY(place_init(&p, 1));
    is(&p, AUTHORITY);
    CHECK(!om_rotation_next(&p.r));
    om_rotation_begin(&p.r, 0, LEDGERS_NOW, &p.l, &rng);
    CHECK(om_rotation_next(&p.r));
    CHECK(!om_rotation_next(&p.r));
    CHECK_EQ(p.r.current.number, 1);
    CHECK_EQ(om_rotation_deadline(&p.r), OM_NEVER);
out:
    place_fini(&p);
}

OM_TEST(rotation_waits_by_rank)
{
    struct place p[3] = {{.cert = {0}}};
    struct said s = say(AUTHORITY, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);
    om_time due[3];
    bool seen[4] = {false};

    for (unsigned i = 0; i < 3; i++) {
        OM_TRY(place_init(&p[i], 3));
        is(&p[i], ANN + i);
        CHECK_EQ(put(&p[i], 0, &first, AUTHORITY), OM_ROTATION_ADOPTED);
        CHECK_EQ(om_rotation_deadline(&p[i].r), OM_NEVER);
        OM_TRY(hear(&p[i].l, &s) == OM_LEDGER_NEW);
        om_rotation_look(&p[i].r, OM_SEC(5), &p[i].l);
        due[i] = om_rotation_deadline(&p[i].r) - OM_SEC(5);
        unsigned rank = om_ledger_rank(&p[i].l, &key(ANN + i)->id);
        CHECK_EQ(due[i], OM_SEC(30) * rank);
        seen[rank] = true;
        tick(&p[i], OM_SEC(5) + due[i] - 1);
        CHECK_EQ(p[i].r.current.number, 1);
        tick(&p[i], OM_SEC(5) + due[i]);
        CHECK_EQ(p[i].r.current.number, 2);
        CHECK_EQ(p[i].r.current.excluded_count, 1);
        CHECK_EQ(om_rotation_deadline(&p[i].r), OM_NEVER);
    }
    CHECK(seen[1] && seen[2] && seen[3]);
    om_rotation_admin(&p[0].r, NULL, om_bytes(NULL, 0)); /* a plain member waits for others */
    s = say(AUTHORITY, 2, &s, OM_ADMIN_KEY_REVOKED, key(21)->id.b);
    OM_TRY(hear(&p[0].l, &s) == OM_LEDGER_NEW);
    om_rotation_look(&p[0].r, OM_SEC(5), &p[0].l);
    CHECK_EQ(om_rotation_deadline(&p[0].r), OM_NEVER);
out:
    for (unsigned i = 0; i < 3; i++)
        place_fini(&p[i]);
}

/* Two revocations within the hour after a rotation share the next; --now does not wait. */
static void share(struct place *p, bool is_asked, om_time want)
{
    struct said s = say(AUTHORITY, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);
    struct said t = say(AUTHORITY, 2, &s, OM_ADMIN_KEY_REVOKED, key(21)->id.b);
    struct said u = say(AUTHORITY, 3, &t, OM_ADMIN_KEY_REVOKED, key(22)->id.b);

    OM_TRY(place_init(p, 1));
    is(p, ANN);
    CHECK_EQ(put(p, 0, &first, AUTHORITY), OM_ROTATION_ADOPTED);
    OM_TRY(hear(&p->l, &s) == OM_LEDGER_NEW);
    om_rotation_look(&p->r, 0, &p->l);
    tick(p, OM_SEC(30));
    CHECK_EQ(p->r.current.number, 2);
    OM_TRY(hear(&p->l, &t) == OM_LEDGER_NEW);
    om_rotation_look(&p->r, OM_SEC(100), &p->l);
    OM_TRY(hear(&p->l, &u) == OM_LEDGER_NEW);
    om_rotation_look(&p->r, OM_SEC(200), &p->l);
    if (is_asked)
        om_rotation_ask(&p->r, OM_SEC(200), &p->l);
    CHECK_EQ(om_rotation_deadline(&p->r), want);
    tick(p, want);
    CHECK_EQ(p->r.current.number, 3);
    CHECK_EQ(p->r.current.excluded[0].number, 3);
    CHECK_EQ(om_rotation_deadline(&p->r), OM_NEVER);
out:
    place_fini(p);
}

OM_TEST(rotation_shares_one_within_an_hour)
{
    struct place p = {.cert = {0}};

    share(&p, false, OM_SEC(30 + 3600));
}

OM_TEST(rotation_now_does_not_wait)
{
    struct place p = {.cert = {0}};

    share(&p, true, OM_SEC(200));
}

OM_TEST(rotation_needs_none_for_what_is_listed)
{
    struct place p = {.cert = {0}};
    struct said s = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);
    struct om_epoch_message m = {.number = 2, .secret = {2}, .excluded_count = 1};

    memcpy(m.excluded[0].owner, key(ANN)->id.b, OM_EXCLUDED_BYTES);
    m.excluded[0].number = 1;
    OM_TRY(place_init(&p, 2));
    is(&p, BOB);
    CHECK_EQ(put(&p, 0, &first, AUTHORITY), OM_ROTATION_ADOPTED);
    OM_TRY(hear(&p.l, &s) == OM_LEDGER_NEW);
    om_rotation_look(&p.r, 0, &p.l);
    CHECK(om_rotation_deadline(&p.r) != OM_NEVER);
    CHECK_EQ(put(&p, OM_SEC(1), &m, ANN), OM_ROTATION_ADOPTED); /* somebody else was first */
    CHECK_EQ(om_rotation_deadline(&p.r), OM_NEVER);
    tick(&p, OM_SEC(100));
    CHECK_EQ(p.r.current.number, 2);
    om_rotation_ask(&p.r, OM_SEC(100), &p.l);
    tick(&p, OM_SEC(100));
    CHECK_EQ(p.r.current.number, 2);
out:
    place_fini(&p);
}

OM_TEST(rotation_smaller_hash_wins)
{
    struct place p = {.cert = {0}}, q = {.cert = {0}};
    struct om_epoch_message a = {.number = 2, .secret = {2}}, b = {.number = 2, .secret = {3}};
    const struct om_epoch_past *past;

    OM_TRY(place_init(&p, 2) && place_init(&q, 2));
    CHECK_EQ(put(&p, 0, &a, ANN), OM_ROTATION_ADOPTED);
    CHECK_EQ(put(&p, 0, &a, ANN), OM_ROTATION_KNOWN);
    CHECK_EQ(put(&q, 0, &b, BOB), OM_ROTATION_ADOPTED);
    enum om_rotation_put at_p = put(&p, 0, &b, BOB), at_q = put(&q, 0, &a, ANN);
    CHECK(at_p == OM_ROTATION_ADOPTED ? at_q == OM_ROTATION_WORSE
                                      : at_p == OM_ROTATION_WORSE && at_q == OM_ROTATION_ADOPTED);
    CHECK_MEM(p.r.hash, q.r.hash, sizeof p.r.hash);
    CHECK_EQ(om_rotation_past(at_p == OM_ROTATION_ADOPTED ? &p.r : &q.r, LEDGERS_NOW, &past), 1);
    CHECK_EQ(put(&p, 0, &first, AUTHORITY), OM_ROTATION_WORSE);
out:
    place_fini(&p);
    place_fini(&q);
}

OM_TEST(rotation_refuses_revoked_and_forged)
{
    struct place p = {.cert = {0}};
    struct om_epoch_message m = {.number = 2, .secret = {2}};
    struct said end = say_admin(1, NULL, ANN, 0, NULL);
    struct said out_of_it = say(AUTHORITY, 2, &end, OM_ADMIN_KEY_REVOKED, key(BOB)->id.b);
    uint8_t bytes[OM_EPOCH_MESSAGE_MAX];

    OM_TRY(place_init(&p, 3));
    CHECK_EQ(put(&p, 0, &first, AUTHORITY), OM_ROTATION_ADOPTED);
    OM_TRY(hear(&p.l, &end) == OM_LEDGER_NEW && hear(&p.l, &out_of_it) == OM_LEDGER_NEW);
    CHECK_EQ(put(&p, 0, &m, ANN), OM_ROTATION_REVOKED);
    CHECK_EQ(put(&p, 0, &m, BOB), OM_ROTATION_REVOKED);
    CHECK_EQ(p.r.highest, 1); /* else the next one of an admin would be a leap for others */
    size_t n = om_epoch_message_encode(bytes, &m, key(CARL), &ledgers_network);
    CHECK_EQ(om_rotation_put(&p.r, 0, LEDGERS_NOW, &p.l, om_bytes(bytes, n)), OM_ROTATION_FORGED);
    CHECK_EQ(om_rotation_put(&p.r, 0, LEDGERS_NOW, &p.l, om_bytes(bytes, n - 1)),
             OM_ROTATION_FORGED);
    CHECK_EQ(p.r.current.number, 1);
    CHECK_EQ(put(&p, 0, &m, CARL), OM_ROTATION_ADOPTED);
out:
    place_fini(&p);
}

OM_TEST(rotation_refuses_a_leap)
{
    struct place p = {.cert = {0}};
    struct om_epoch_message m = {.number = 2 + OM_ROTATION_LEAP_MAX, .secret = {2}};

    OM_TRY(place_init(&p, 1));
    CHECK_EQ(put(&p, 0, &first, AUTHORITY), OM_ROTATION_ADOPTED);
    CHECK_EQ(put(&p, 0, &m, ANN), OM_ROTATION_LEAP);
    CHECK_EQ(p.r.highest, 1);
    m.number--;
    CHECK_EQ(put(&p, 0, &m, ANN), OM_ROTATION_ADOPTED);
out:
    place_fini(&p);
}

/* He runs ahead of all others, and is revoked: what comes after him has a lower number. */
OM_TEST(rotation_of_a_revoked_maker_yields)
{
    struct place p = {.cert = {0}}, ann = {.cert = {0}};
    struct om_epoch_message far = {.number = 9, .secret = {9}}, old = {.number = 2, .secret = {2}};
    struct said end = say_admin(1, NULL, BOB, 0, NULL);

    OM_TRY(place_init(&p, 2) && place_init(&ann, 2));
    is(&ann, ANN);
    CHECK_EQ(put(&p, 0, &far, BOB), OM_ROTATION_ADOPTED);
    CHECK_EQ(put(&ann, 0, &old, ANN), OM_ROTATION_ADOPTED);
    OM_TRY(hear(&p.l, &end) == OM_LEDGER_NEW && hear(&ann.l, &end) == OM_LEDGER_NEW);
    CHECK_EQ(put(&p, 0, &old, ANN), OM_ROTATION_WORSE); /* it does not list his end */
    om_rotation_look(&ann.r, 0, &ann.l);
    tick(&ann, OM_SEC(30));
    CHECK_EQ(ann.r.current.number, 3);
    CHECK_EQ(om_rotation_put(&p.r, OM_SEC(31), LEDGERS_NOW, &p.l, om_bytes(ann.r.bytes, ann.r.len)),
             OM_ROTATION_ADOPTED);
    CHECK_EQ(put(&p, 0, &far, BOB), OM_ROTATION_REVOKED);
    CHECK_EQ(p.r.current.number, 3);
    CHECK_EQ(p.r.highest, 9); /* ours would be numbered above his */
out:
    place_fini(&p);
    place_fini(&ann);
}

OM_TEST(rotation_keeps_eight_for_thirty_days)
{
    struct place p = {.cert = {0}};
    const struct om_epoch_past *past;
    struct om_epoch_message m = {.number = 0};

    OM_TRY(place_init(&p, 1));
    for (unsigned i = 1; i <= 12; i++) {
        m.number = i;
        m.secret[0] = (uint8_t)i;
        CHECK_EQ(put(&p, 0, &m, ANN), OM_ROTATION_ADOPTED);
    }
    CHECK_EQ(om_rotation_past(&p.r, LEDGERS_NOW + OM_ROTATION_PREVIOUS_S, &past), 9);
    CHECK_EQ(past[0].number, 11);
    CHECK_EQ(past[8].number, 3);
    CHECK_EQ(past[8].secret[0], 3);
    CHECK_EQ(om_rotation_past(&p.r, LEDGERS_NOW + OM_ROTATION_PREVIOUS_S + 1, &past), 8);
    CHECK_EQ(om_rotation_past(&p.r, LEDGERS_NOW + OM_ROTATION_RETAINED_S, &past), 8);
    CHECK_EQ(om_rotation_past(&p.r, LEDGERS_NOW + OM_ROTATION_RETAINED_S + 1, &past), 0);
    for (size_t i = 0; i < sizeof p.r.past; i++)
        CHECK_EQ(((const uint8_t *)p.r.past)[i], 0);
out:
    place_fini(&p);
}

OM_TEST(rotation_gives_nothing_to_the_revoked)
{
    struct place p = {.cert = {0}};
    struct member m = member(20, ANN, 0, 0, 0), other = member(21, ANN, 0, 0, 0);
    struct said s = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);
    const struct om_member of_m = as_member(&m), of_other = as_member(&other);

    OM_TRY(place_init(&p, 1));
    CHECK_EQ(om_rotation_give(&p.r, &p.l, &of_m).n, 0); /* there is none */
    CHECK_EQ(put(&p, 0, &first, AUTHORITY), OM_ROTATION_ADOPTED);
    CHECK_EQ(om_rotation_give(&p.r, &p.l, &of_m).n, p.r.len);
    OM_TRY(hear(&p.l, &s) == OM_LEDGER_NEW);
    CHECK_EQ(om_rotation_give(&p.r, &p.l, &of_m).n, 0);
    CHECK_EQ(om_rotation_give(&p.r, &p.l, &of_other).n, p.r.len);
out:
    place_fini(&p);
}

/* Whoever founded the network, or joined it by a link, has a secret that nobody signed. */
OM_TEST(rotation_goes_on_from_a_bare_secret)
{
    const struct om_epoch_message same = {.number = 7, .secret = {7}}, lower = {.number = 6};
    struct said s = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);
    struct member m = member(21, ANN, 0, 0, 0);
    const struct om_member of_m = as_member(&m);
    struct place p = {.cert = {0}};

    OM_TRY(place_init(&p, 1));
    om_rotation_bare(&p.r, 7, same.secret);
    CHECK(!om_rotation_next(&p.r)); /* who joined with it knows it */
    CHECK_EQ(om_rotation_give(&p.r, &p.l, &of_m).n, 0);
    CHECK_EQ(put(&p, 0, &lower, AUTHORITY), OM_ROTATION_WORSE);
    CHECK_EQ(put(&p, 0, &same, AUTHORITY), OM_ROTATION_ADOPTED); /* as it was signed */
    CHECK_EQ(p.r.past_count, 0);
    CHECK(om_rotation_give(&p.r, &p.l, &of_m).n > 0);
    om_rotation_fini(&p.r);

    om_rotation_init(&p.r, &ledgers_network, &key(AUTHORITY)->id);
    om_rotation_bare(&p.r, 7, same.secret);
    is(&p, ANN);
    tick(&p, 0);
    CHECK_EQ(om_rotation_deadline(&p.r), OM_NEVER);
    OM_TRY(hear(&p.l, &s) == OM_LEDGER_NEW);
    tick(&p, 0);
    CHECK_EQ(om_rotation_deadline(&p.r), OM_SEC(OM_ROTATION_WAIT_S));
    tick(&p, OM_SEC(OM_ROTATION_WAIT_S));
    CHECK_EQ(p.r.current.number, 8);
    CHECK_EQ(p.r.past_count, 1);
    CHECK_EQ(p.r.past[0].number, 7);
    CHECK(om_rotation_give(&p.r, &p.l, &of_m).n > 0);
out:
    place_fini(&p);
}

OM_TEST(rotation_comes_back_from_what_was_kept)
{
    const struct om_epoch_message second = {.number = 2, .secret = {2}};
    uint8_t bytes[OM_ROTATION_KEPT_MAX], again[OM_ROTATION_KEPT_MAX];
    struct place p = {.cert = {0}};
    struct om_rotation back;
    size_t n;

    om_rotation_init(&back, &ledgers_network, &key(AUTHORITY)->id);
    OM_TRY(place_init(&p, 1));
    om_rotation_bare(&p.r, 1, first.secret);
    CHECK_EQ(om_rotation_keep(&p.r, bytes), 0);
    CHECK_EQ(put(&p, 0, &second, ANN), OM_ROTATION_ADOPTED);
    n = om_rotation_keep(&p.r, bytes);
    OM_TRY(n > 0);
    om_rotation_bare(&back, 2, second.secret);
    for (size_t cut = 0; cut < n; cut++)
        CHECK(om_rotation_recall(&back, 0, LEDGERS_NOW, om_bytes(bytes, cut)) != OM_OK);
    for (size_t at = 0; at < n; at++) {
        struct om_rotation other;
        om_rotation_init(&other, &ledgers_network, &key(AUTHORITY)->id);
        bytes[at] ^= 1; /* numbers and secrets of the past, and the highest seen, nobody signed */
        if (at < 1 || at >= 1 + 4 + 1 + OM_EPOCH_PAST_BYTES)
            CHECK(om_rotation_recall(&other, 0, LEDGERS_NOW, om_bytes(bytes, n)) != OM_OK);
        bytes[at] ^= 1;
        om_rotation_fini(&other);
    }
    CHECK_EQ(back.len, 0);
    CHECK_OK(om_rotation_recall(&back, OM_SEC(100), LEDGERS_NOW + 60, om_bytes(bytes, n)));
    CHECK(!om_rotation_next(&back)); /* the driver has it */
    CHECK_EQ(back.current.number, 2);
    CHECK_EQ(back.highest, 2);
    CHECK_EQ(back.begun, OM_SEC(40)); /* the hour goes on */
    CHECK_EQ(om_rotation_keep(&back, again), n);
    CHECK_MEM(again, bytes, n);
    om_rotation_fini(&back);

    om_rotation_init(&back, &ledgers_network, &key(AUTHORITY)->id);
    om_rotation_bare(&back, 1, first.secret); /* the driver had kept one half of it only */
    CHECK_OK(om_rotation_recall(&back, 0, LEDGERS_NOW, om_bytes(bytes, n)));
    CHECK(om_rotation_next(&back));
out:
    om_rotation_fini(&back);
    place_fini(&p);
}

OM_TEST(rotation_fini_leaves_nothing)
{
    struct place p = {.cert = {0}};
    static const uint8_t zeros[OM_EPOCH_MESSAGE_MAX];

    OM_TRY(place_init(&p, 1));
    CHECK_EQ(put(&p, 0, &first, AUTHORITY), OM_ROTATION_ADOPTED);
    om_rotation_fini(&p.r);
    CHECK_MEM(&p.r.current, zeros, sizeof p.r.current);
    CHECK_MEM(p.r.bytes, zeros, sizeof p.r.bytes);
    CHECK_EQ(om_rotation_deadline(&p.r), OM_NEVER);
out:
    place_fini(&p);
}
