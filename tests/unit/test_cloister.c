/*
 * test_cloister.c - two who agree, and those between them
 *
 * The constants come from python3's hashlib, and from X25519 written out in python3 after RFC 7748
 * section 5, with what is filled in below as secrets.
 */
#include "harness.h"

#include <sodium.h>

#include <omerta/cloister.h>

static void fill(void *self, void *dst, size_t n)
{
    memset(dst, *(const uint8_t *)self, n);
}

static const struct om_id anna = {.b = {0xaa}}, bert = {.b = {0x0b}}, mallory = {.b = {0x3e}};
static const struct om_id anna_new = {.b = {1, 2}}, bert_new = {.b = {3, 4}};

static struct om_rng rng_of(uint8_t *with)
{
    return (struct om_rng){.fill = fill, .self = with};
}

static void ask(struct om_cloister *c, const struct om_id *self, const struct om_id *peer,
                uint8_t with)
{
    const struct om_rng rng = rng_of(&with);

    om_cloister_ask(c, 0, self, peer, &rng);
}

static enum om_err answer(struct om_cloister *c, const struct om_id *self, const struct om_id *peer,
                          uint8_t with, const struct om_cloister_message *m)
{
    const struct om_rng rng = rng_of(&with);

    return om_cloister_answer(c, 0, self, peer, om_bytes(m->body, m->len), &rng);
}

static struct om_cloister_message said(struct om_cloister *c)
{
    struct om_cloister_message m;

    CHECK(om_cloister_next(c, &m));
    return m;
}

static enum om_err hear(struct om_cloister *c, const struct om_cloister_message *m)
{
    return om_cloister_input(c, OM_SEC(1), om_bytes(m->body, m->len));
}

/* What @a has to say to @b, heard. */
static void pass(struct om_cloister *a, struct om_cloister *b)
{
    const struct om_cloister_message m = said(a);

    CHECK_OK(hear(b, &m));
}

/* @a asked @b, up to the code. */
static void compare(struct om_cloister *a, struct om_cloister *b)
{
    ask(a, &anna, &bert, 0x11);
    const struct om_cloister_message offer = said(a);
    CHECK_OK(answer(b, &bert, &anna, 0x22, &offer));
    pass(b, a);
    pass(a, b);
    CHECK(a->step == OM_CLOISTER_COMPARING && b->step == OM_CLOISTER_COMPARING);
}

static bool is_zero(const void *p, size_t n)
{
    return sodium_is_zero(p, n) == 1;
}

OM_TEST(cloister_two_agree)
{
    struct om_cloister a, b;

    compare(&a, &b);
    CHECK_STR(a.code, b.code);
    CHECK_EQ(strlen(a.code), OM_CLOISTER_CODE);
    CHECK_OK(om_cloister_agree(&a, &anna_new));
    pass(&a, &b);
    CHECK_EQ(b.step, OM_CLOISTER_COMPARING);
    CHECK_OK(om_cloister_agree(&b, &bert_new));
    pass(&b, &a);
    CHECK(a.step == OM_CLOISTER_DONE && b.step == OM_CLOISTER_DONE);
    CHECK_MEM(a.key, b.key, sizeof a.key);
    CHECK(om_id_equal(&a.network, &b.network));
    CHECK(om_id_equal(&a.their_key, &bert_new) && om_id_equal(&b.their_key, &anna_new));
    CHECK(om_cloister_deadline(&a) == OM_NEVER && om_cloister_deadline(&b) == OM_NEVER);
    const struct om_cloister_message more = {.len = OM_CLOISTER_AGREE};
    CHECK_ERR(hear(&a, &more), OM_E_PARSE); /* and it stays as it is */
    CHECK_EQ(a.step, OM_CLOISTER_DONE);
    om_cloister_fail(&a, OM_CLOISTER_GONE); /* before the last word left */
    CHECK(a.step == OM_CLOISTER_FAILED && a.why == OM_CLOISTER_GONE);
    CHECK(is_zero(a.key, sizeof a.key));
    om_cloister_wipe(&b);
}

OM_TEST(cloister_matches_independent_figures)
{
    struct om_cloister a, b;
    struct om_id self, peer, key;
    char hex[65];
    const struct om_rng one = rng_of(&(uint8_t){0x11}), two = rng_of(&(uint8_t){0x22});

    memset(self.b, 0xaa, sizeof self.b);
    memset(peer.b, 0x0b, sizeof peer.b);
    memset(key.b, 0x33, sizeof key.b);
    om_cloister_ask(&a, 0, &self, &peer, &one);
    struct om_cloister_message m = said(&a);
    CHECK_STR(sodium_bin2hex(hex, sizeof hex, m.body, m.len),
              "edfe976ad75c8f030dcc512496a23e1e0caf8438c969a997f47adb1aad5bf7c1");
    CHECK_OK(om_cloister_answer(&b, 0, &peer, &self, om_bytes(m.body, m.len), &two));
    pass(&b, &a);
    pass(&a, &b);
    CHECK_STR(b.code, "wg465l");
    CHECK_STR(sodium_bin2hex(hex, sizeof hex, b.key, 32),
              "35369b8fd579523790365c74a1b6bff9b115f9ff49a95808a8b27905b9ba7c05");
    CHECK_STR(sodium_bin2hex(hex, sizeof hex, b.network.b, 32),
              "7b48857d75275677568c75bcf7b489ec68ca1cea12c901a132e1d983892386b5");
    CHECK_OK(om_cloister_agree(&a, &key));
    m = said(&a);
    CHECK_MEM(m.body, key.b, 32);
    CHECK_STR(sodium_bin2hex(hex, sizeof hex, m.body + 32, 16), "f25b6075cbe9323a427f39f277e1f4c8");
}

OM_TEST(cloister_without_our_word_never_is)
{
    struct om_cloister a, b;

    compare(&a, &b);
    CHECK_OK(om_cloister_agree(&a, &anna_new));
    CHECK_ERR(om_cloister_agree(&a, &anna_new), OM_E_STATE); /* once */
    pass(&a, &b);
    CHECK(!b.we_agree && b.they_agree && b.step == OM_CLOISTER_COMPARING);
    om_cloister_tick(&b, OM_SEC(299));
    CHECK_EQ(b.step, OM_CLOISTER_COMPARING);
    om_cloister_fail(&b, OM_CLOISTER_DENIED);
    CHECK(b.step == OM_CLOISTER_FAILED && b.why == OM_CLOISTER_DENIED);
    CHECK_ERR(om_cloister_agree(&b, &bert_new), OM_E_STATE);
    om_cloister_fail(&a, OM_CLOISTER_REFUSED);
    CHECK(a.step == OM_CLOISTER_FAILED && is_zero(a.key, sizeof a.key));
}

/* Somebody in the middle, who is who both take for the other: with points of his own, and with
 * theirs, passed on as they are. The control is cloister_two_agree(). */
OM_TEST(cloister_codes_tell_of_a_third)
{
    struct om_cloister a, b, to_a, to_b;
    struct om_cloister_message m;

    ask(&a, &anna, &mallory, 0x11);
    m = said(&a);
    CHECK_OK(answer(&to_a, &mallory, &anna, 0x33, &m));
    ask(&to_b, &mallory, &bert, 0x44);
    m = said(&to_b);
    CHECK_OK(answer(&b, &bert, &mallory, 0x22, &m));
    pass(&to_a, &a);
    pass(&a, &to_a);
    pass(&b, &to_b);
    pass(&to_b, &b);
    CHECK_STR(a.code, to_a.code);
    CHECK_STR(b.code, to_b.code);
    CHECK(strcmp(a.code, b.code) != 0);

    ask(&a, &anna, &mallory, 0x11);
    m = said(&a);
    CHECK_OK(answer(&b, &bert, &mallory, 0x22, &m));
    pass(&b, &a);
    pass(&a, &b);
    CHECK(strcmp(a.code, b.code) != 0 && memcmp(a.key, b.key, sizeof a.key) != 0);
}

OM_TEST(cloister_holds_the_asker_to_what_it_committed)
{
    struct om_cloister a, b;
    struct om_cloister_message m;

    for (unsigned at = 0; at < OM_CLOISTER_REVEAL; at += 5) {
        ask(&a, &anna, &bert, 0x11);
        m = said(&a);
        CHECK_OK(answer(&b, &bert, &anna, 0x22, &m));
        pass(&b, &a);
        m = said(&a);
        m.body[at] ^= 1;
        CHECK_ERR(hear(&b, &m), OM_E_CRYPTO);
        CHECK(b.step == OM_CLOISTER_FAILED && b.why == OM_CLOISTER_GARBAGE);
        CHECK(is_zero(b.secret, sizeof b.secret) && is_zero(b.code, sizeof b.code));
    }
}

OM_TEST(cloister_replay_leads_nowhere)
{
    struct om_cloister a, b, again;
    struct om_cloister_message offer, reveal, agree;

    ask(&a, &anna, &bert, 0x11);
    offer = said(&a);
    CHECK_OK(answer(&b, &bert, &anna, 0x22, &offer));
    pass(&b, &a);
    reveal = said(&a);
    CHECK_OK(hear(&b, &reveal));
    CHECK_OK(om_cloister_agree(&a, &anna_new));
    agree = said(&a);
    CHECK_OK(answer(&again, &bert, &anna, 0x55, &offer)); /* its own point is new each time */
    CHECK_OK(hear(&again, &reveal));
    CHECK(strcmp(again.code, b.code) != 0);
    CHECK_ERR(hear(&again, &agree), OM_E_CRYPTO);
    CHECK_EQ(again.step, OM_CLOISTER_FAILED);
    CHECK_OK(hear(&b, &agree));
}

OM_TEST(cloister_refuses_points_of_low_order)
{
    static const uint8_t low[][32] = {
        {0},
        {1},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
         0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
         0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    };
    struct om_cloister a, b;
    struct om_cloister_message m = {.len = OM_CLOISTER_REVEAL}, commit = {.len = 32};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(low); i++) {
        ask(&a, &anna, &bert, 0x11);
        CHECK_ERR(om_cloister_input(&a, 0, om_bytes(low[i], 32)), OM_E_CRYPTO);
        CHECK_EQ(a.step, OM_CLOISTER_FAILED);
        memset(m.body, 0, sizeof m.body);
        memcpy(m.body, low[i], 32);
        (void)crypto_generichash(commit.body, 32, m.body, m.len, NULL, 0); /* an honest one */
        CHECK_OK(answer(&b, &bert, &anna, 0x22, &commit));
        CHECK_ERR(hear(&b, &m), OM_E_CRYPTO);
        CHECK_EQ(b.step, OM_CLOISTER_FAILED);
    }
}

OM_TEST(cloister_refuses_a_foreign_proof)
{
    struct om_cloister a, b;
    struct om_cloister_message m;

    for (unsigned at = 0; at <= OM_CLOISTER_AGREE; at += 8) {
        compare(&a, &b);
        CHECK_OK(om_cloister_agree(&a, &anna_new));
        CHECK_OK(om_cloister_agree(&b, &bert_new));
        m = said(&a);
        if (at < OM_CLOISTER_AGREE)
            m.body[at] ^= 0x80;
        else
            m = said(&b); /* its own, sent back */
        CHECK_ERR(hear(&b, &m), OM_E_CRYPTO);
        CHECK(b.step == OM_CLOISTER_FAILED && b.why == OM_CLOISTER_GARBAGE);
    }
}

OM_TEST(cloister_refuses_what_is_out_of_turn)
{
    struct om_cloister a, b;
    struct om_cloister_message m = {.len = OM_CLOISTER_COMMIT - 1};

    CHECK_ERR(answer(&b, &bert, &anna, 0x22, &m), OM_E_PARSE);
    ask(&a, &anna, &bert, 0x11);
    CHECK_ERR(om_cloister_agree(&a, &anna_new), OM_E_STATE);
    CHECK_EQ(om_cloister_wants(&a), OM_CLOISTER_POINT);
    m.len = OM_CLOISTER_AGREE;
    CHECK_ERR(hear(&a, &m), OM_E_PARSE);
    CHECK_EQ(a.step, OM_CLOISTER_FAILED);
    compare(&a, &b);
    CHECK_OK(om_cloister_agree(&a, &anna_new));
    m = said(&a);
    CHECK_OK(hear(&b, &m));
    CHECK_EQ(om_cloister_wants(&b), 0);
    CHECK_ERR(hear(&b, &m), OM_E_PARSE); /* twice */
    CHECK_EQ(b.step, OM_CLOISTER_FAILED);
}

OM_TEST(cloister_two_at_once_one_answers)
{
    CHECK(om_cloister_yields(&anna, &bert) != om_cloister_yields(&bert, &anna));
    CHECK(om_cloister_yields(&anna, &bert)); /* the lower key asks */
}

OM_TEST(cloister_expires)
{
    struct om_cloister a, b;

    ask(&a, &anna, &bert, 0x11);
    om_cloister_tick(&a, OM_SEC(OM_CLOISTER_HANDS_S) - 1);
    CHECK_EQ(a.step, OM_CLOISTER_ASKED);
    om_cloister_tick(&a, OM_SEC(OM_CLOISTER_HANDS_S));
    CHECK(a.step == OM_CLOISTER_FAILED && a.why == OM_CLOISTER_GONE); /* no person was asked */
    compare(&a, &b);
    CHECK(om_cloister_deadline(&a) == OM_SEC(1 + OM_CLOISTER_PEOPLE_S));
    CHECK_OK(om_cloister_agree(&a, &anna_new));
    struct om_cloister_message m = said(&a);
    CHECK_ERR(om_cloister_input(&b, OM_SEC(1 + OM_CLOISTER_PEOPLE_S), om_bytes(m.body, m.len)),
              OM_E_PARSE);
    CHECK(b.step == OM_CLOISTER_FAILED && b.why == OM_CLOISTER_EXPIRED);
    CHECK(om_cloister_deadline(&b) == OM_NEVER);
}

OM_TEST(cloister_leaves_no_secret)
{
    struct om_cloister a, b;
    struct om_cloister_message m;

    compare(&a, &b);
    CHECK(is_zero(a.secret, sizeof a.secret) && is_zero(b.secret, sizeof b.secret));
    CHECK(is_zero(a.out, sizeof a.out));
    CHECK(!is_zero(a.key, sizeof a.key));
    CHECK_OK(om_cloister_agree(&a, &anna_new));
    om_cloister_fail(&a, OM_CLOISTER_GONE);
    CHECK(!om_cloister_next(&a, &m));
    CHECK(is_zero(a.key, sizeof a.key) && is_zero(a.proof, sizeof a.proof));
    CHECK(is_zero(a.code, sizeof a.code) && is_zero(a.nonce, sizeof a.nonce));
    om_cloister_wipe(&b);
    CHECK(is_zero(&b, sizeof b));
}
