/*
 * test_noise.c - the handshake against tests/vectors/noise_ikpsk2.txt, and against tampering
 */
#include "harness.h"

#include <stdio.h>

#include <sodium.h>

#include "crypto/noise.h"

enum { FIGURE_MAX = 256, LINE_MAX_BYTES = 1024, MESSAGES = 6, KEY_SIZE = 32 };

static const char vectors[] = OM_VECTORS_DIR "/noise_ikpsk2.txt";

struct figure {
    uint8_t b[FIGURE_MAX];
    size_t n;
};

/* The value of "@key = hex" in the vector file. */
static struct figure figure(const char *key)
{
    char line[LINE_MAX_BYTES];
    struct figure f = {.n = 0};
    size_t key_len = strlen(key);
    FILE *file = fopen(vectors, "r");
    bool found = false;

    if (!file) {
        fail_msg("%s: cannot be read", vectors);
        return f;
    }
    while (!found && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, key_len) != 0 || strncmp(line + key_len, " = ", 3) != 0)
            continue;
        const char *hex = line + key_len + 3;
        found = sodium_hex2bin(f.b, sizeof f.b, hex, strcspn(hex, "\n"), NULL, &f.n, NULL) == 0;
    }
    (void)fclose(file);
    if (!found)
        fail_msg("%s: no figure \"%s\"", vectors, key);
    return f;
}

static struct om_bytes bytes_of(const struct figure *f)
{
    return om_bytes(f->b, f->n);
}

/* "payload" and 3 give payload3. */
static struct figure numbered(const char *name, unsigned number)
{
    char key[32];

    (void)snprintf(key, sizeof key, "%s%u", name, number);
    return figure(key);
}

static struct om_noise initiator(void)
{
    struct figure s = figure("init_static"), rs = figure("resp_static_public"), psk = figure("psk"),
                  prologue = figure("prologue");
    uint8_t s_public[KEY_SIZE];
    struct om_noise n;

    (void)crypto_scalarmult_base(s_public, s.b);
    om_noise_init(&n, true, s.b, s_public, rs.b, psk.b, bytes_of(&prologue));
    return n;
}

static struct om_noise responder(void)
{
    struct figure s = figure("resp_static"), psk = figure("psk"), prologue = figure("prologue");
    uint8_t s_public[KEY_SIZE];
    struct om_noise n;

    (void)crypto_scalarmult_base(s_public, s.b);
    om_noise_init(&n, false, s.b, s_public, NULL, psk.b, bytes_of(&prologue));
    return n;
}

/* Transport messages 3 to 6: both ways, each direction with its own nonce. */
static void check_transport(const uint8_t first[32], const uint8_t second[32])
{
    for (unsigned i = 3; i <= MESSAGES; i++) {
        struct figure plain = numbered("payload", i), want = numbered("message", i);
        uint8_t nonce[12] = {0}, got[FIGURE_MAX];

        nonce[4] = (uint8_t)((i - 3) / 2);
        (void)crypto_aead_chacha20poly1305_ietf_encrypt(got, NULL, plain.b, plain.n, NULL, 0, NULL,
                                                        nonce, i % 2 ? first : second);
        CHECK_EQ(want.n, plain.n + OM_NOISE_TAG);
        CHECK_MEM(got, want.b, want.n);
    }
}

OM_TEST(noise_initiator_matches_the_published_vectors)
{
    struct om_noise n = initiator();
    struct figure e = figure("init_ephemeral"), hash = figure("handshake_hash");
    struct figure p1 = figure("payload1"), m1 = figure("message1");
    struct figure p2 = figure("payload2"), m2 = figure("message2");
    uint8_t out[FIGURE_MAX], first[32], second[32];
    struct om_wr w = om_wr(om_mut(out, sizeof out));
    size_t len = 0;

    CHECK_OK(om_noise_write1(&n, e.b, bytes_of(&p1), &w));
    CHECK_EQ(om_wr_len(&w), m1.n);
    CHECK_MEM(out, m1.b, m1.n);
    CHECK_OK(om_noise_read2(&n, bytes_of(&m2), om_mut(out, sizeof out), &len));
    CHECK_EQ(len, p2.n);
    CHECK_MEM(out, p2.b, p2.n);
    CHECK_EQ(hash.n, OM_NOISE_HASH);
    CHECK_MEM(n.h, hash.b, hash.n);
    om_noise_split(&n, first, second);
    check_transport(first, second);
}

OM_TEST(noise_responder_matches_the_published_vectors)
{
    struct om_noise n = responder(), peer = initiator();
    struct figure e = figure("resp_ephemeral"), hash = figure("handshake_hash");
    struct figure p1 = figure("payload1"), m1 = figure("message1");
    struct figure p2 = figure("payload2"), m2 = figure("message2");
    uint8_t out[FIGURE_MAX], first[32], second[32];
    struct om_wr w;
    size_t len = 0;

    CHECK_OK(om_noise_read1(&n, bytes_of(&m1), om_mut(out, sizeof out), &len));
    CHECK_EQ(len, p1.n);
    CHECK_MEM(out, p1.b, p1.n);
    CHECK_MEM(n.rs, peer.s_public, KEY_SIZE);
    w = om_wr(om_mut(out, sizeof out));
    CHECK_OK(om_noise_write2(&n, e.b, bytes_of(&p2), &w));
    CHECK_EQ(om_wr_len(&w), m2.n);
    CHECK_MEM(out, m2.b, m2.n);
    CHECK_MEM(n.h, hash.b, hash.n);
    om_noise_split(&n, first, second);
    check_transport(first, second);
}

OM_TEST(noise_refuses_every_flipped_bit_of_msg1)
{
    struct om_noise n = responder(), before = n;
    struct figure m1 = figure("message1");
    uint8_t out[FIGURE_MAX];
    size_t len = 7;

    for (size_t bit = 0; bit < 8 * m1.n; bit++) {
        m1.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_ERR(om_noise_read1(&n, bytes_of(&m1), om_mut(out, sizeof out), &len), OM_E_CRYPTO);
        m1.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_MEM(&n, &before, sizeof n);
        CHECK_EQ(len, 7);
    }
    CHECK_OK(om_noise_read1(&n, bytes_of(&m1), om_mut(out, sizeof out), &len));
}

/* An initiator of the vectors that has sent msg1. */
static struct om_noise initiator_waiting(void)
{
    struct om_noise n = initiator();
    struct figure e = figure("init_ephemeral"), p1 = figure("payload1");
    uint8_t out[FIGURE_MAX];
    struct om_wr w = om_wr(om_mut(out, sizeof out));

    CHECK_OK(om_noise_write1(&n, e.b, bytes_of(&p1), &w));
    return n;
}

OM_TEST(noise_refuses_every_flipped_bit_of_msg2)
{
    struct om_noise n = initiator_waiting();
    struct figure m2 = figure("message2");
    uint8_t out[FIGURE_MAX];
    size_t len = 0;

    for (size_t bit = 0; bit < 8 * m2.n; bit++) {
        m2.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_ERR(om_noise_read2(&n, bytes_of(&m2), om_mut(out, sizeof out), &len), OM_E_CRYPTO);
        m2.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK_OK(om_noise_read2(&n, bytes_of(&m2), om_mut(out, sizeof out), &len));
}

OM_TEST(noise_forged_msg2_leaves_the_handshake_alive)
{
    struct om_noise n = initiator_waiting(), before = n;
    struct figure m2 = figure("message2");
    uint8_t out[FIGURE_MAX];
    size_t len = 0;

    m2.b[m2.n - 1] ^= 1;
    CHECK_ERR(om_noise_read2(&n, bytes_of(&m2), om_mut(out, sizeof out), &len), OM_E_CRYPTO);
    CHECK_MEM(&n, &before, sizeof n);
    m2.b[m2.n - 1] ^= 1;
    CHECK_OK(om_noise_read2(&n, bytes_of(&m2), om_mut(out, sizeof out), &len));
}

/* A whole handshake between fresh states. Returns the first error. */
static enum om_err run(struct om_noise *a, struct om_noise *b)
{
    struct figure ea = figure("init_ephemeral"), eb = figure("resp_ephemeral");
    uint8_t msg[FIGURE_MAX], out[FIGURE_MAX];
    struct om_wr w = om_wr(om_mut(msg, sizeof msg));
    size_t len = 0;
    enum om_err err = om_noise_write1(a, ea.b, om_bytes("one", 3), &w);

    if (!err)
        err = om_noise_read1(b, om_bytes(msg, om_wr_len(&w)), om_mut(out, sizeof out), &len);
    w = om_wr(om_mut(msg, sizeof msg));
    if (!err)
        err = om_noise_write2(b, eb.b, om_bytes(NULL, 0), &w);
    if (!err)
        err = om_noise_read2(a, om_bytes(msg, om_wr_len(&w)), om_mut(NULL, 0), &len);
    return err;
}

OM_TEST(noise_refuses_another_psk)
{
    struct om_noise a = initiator(), b = responder();

    b.psk[0] ^= 1; /* psk2: the PSK is first used in msg2, so it is there that it fails */
    CHECK_ERR(run(&a, &b), OM_E_CRYPTO);
    CHECK_EQ(b.step, OM_NOISE_DONE);
    CHECK_EQ(a.step, OM_NOISE_MSG1_DONE);
    a = initiator();
    b = responder();
    a.psk[0] ^= 1;
    b.psk[0] ^= 1;
    CHECK_OK(run(&a, &b));
}

OM_TEST(noise_refuses_another_prologue)
{
    struct figure s = figure("resp_static"), psk = figure("psk"), prologue = figure("prologue");
    struct om_noise a = initiator(), b = responder();
    uint8_t s_public[KEY_SIZE];

    memcpy(s_public, b.s_public, sizeof s_public);
    prologue.b[0] ^= 1;
    om_noise_init(&b, false, s.b, s_public, NULL, psk.b, bytes_of(&prologue));
    CHECK_ERR(run(&a, &b), OM_E_CRYPTO);
    CHECK_EQ(b.step, OM_NOISE_START);
    prologue.b[0] ^= 1;
    om_noise_init(&b, false, s.b, s_public, NULL, psk.b, bytes_of(&prologue));
    a = initiator();
    CHECK_OK(run(&a, &b));
}

OM_TEST(noise_refuses_another_responder)
{
    struct figure psk = figure("psk"), prologue = figure("prologue");
    struct figure s = figure("init_static");
    uint8_t other_secret[KEY_SIZE] = {9}, other_public[KEY_SIZE];
    struct om_noise a = initiator(), b;
    uint8_t s_public[KEY_SIZE];

    memcpy(s_public, a.s_public, sizeof s_public);
    (void)crypto_scalarmult_base(other_public, other_secret);
    om_noise_init(&b, false, other_secret, other_public, NULL, psk.b, bytes_of(&prologue));
    CHECK_ERR(run(&a, &b), OM_E_CRYPTO);
    CHECK_EQ(b.step, OM_NOISE_START);
    om_noise_init(&a, true, s.b, s_public, other_public, psk.b, bytes_of(&prologue));
    CHECK_OK(run(&a, &b));
}

OM_TEST(noise_refuses_keys_without_contribution)
{
    static const uint8_t zero[KEY_SIZE];
    struct figure psk = figure("psk"), prologue = figure("prologue");
    struct figure m1 = figure("message1"), m2 = figure("message2"), e = figure("init_ephemeral");
    struct om_noise a, b = responder(), waiting = initiator_waiting();
    uint8_t out[FIGURE_MAX];
    struct om_wr w = om_wr(om_mut(out, sizeof out));
    size_t len = 0;

    om_noise_init(&a, true, e.b, psk.b, zero, psk.b, bytes_of(&prologue));
    CHECK_ERR(om_noise_write1(&a, e.b, om_bytes(NULL, 0), &w), OM_E_CRYPTO);
    CHECK_EQ(om_wr_len(&w), 0);
    memset(m1.b, 0, KEY_SIZE);
    CHECK_ERR(om_noise_read1_static(&b, bytes_of(&m1)), OM_E_CRYPTO);
    memset(m2.b, 0, KEY_SIZE);
    CHECK_ERR(om_noise_read2(&waiting, bytes_of(&m2), om_mut(out, sizeof out), &len), OM_E_CRYPTO);
    a = initiator();
    b = responder();
    CHECK_OK(run(&a, &b));
}

OM_TEST(noise_refuses_what_does_not_fit)
{
    static uint8_t big[2 * OM_NOISE_MSG_MAX], room[2 * OM_NOISE_MSG_MAX];
    struct figure e = figure("init_ephemeral"), m1 = figure("message1"), m2 = figure("message2");
    struct om_noise n = initiator(), b = responder(), waiting = initiator_waiting();
    struct om_wr w = om_wr(om_mut(room, OM_NOISE_MSG1_EXTRA + 2));
    size_t len = 0;

    CHECK_ERR(om_noise_write1(&n, e.b, om_bytes("one", 3), &w), OM_E_RANGE);
    CHECK_EQ(om_wr_len(&w), 0);
    CHECK_OK(om_noise_write1(&n, e.b, om_bytes("on", 2), &w));
    CHECK_EQ(om_wr_left(&w), 0);

    n = initiator();
    w = om_wr(om_mut(room, sizeof room));
    CHECK_ERR(
        om_noise_write1(&n, e.b, om_bytes(big, OM_NOISE_MSG_MAX - OM_NOISE_MSG1_EXTRA + 1), &w),
        OM_E_RANGE);
    CHECK_OK(om_noise_write1(&n, e.b, om_bytes(big, OM_NOISE_MSG_MAX - OM_NOISE_MSG1_EXTRA), &w));

    for (size_t cut = 0; cut < OM_NOISE_MSG1_EXTRA; cut++)
        CHECK_ERR(om_noise_read1(&b, om_bytes(m1.b, cut), om_mut(room, sizeof room), &len),
                  OM_E_TRUNC);
    CHECK_ERR(
        om_noise_read1(&b, om_bytes(big, OM_NOISE_MSG_MAX + 1), om_mut(room, sizeof room), &len),
        OM_E_RANGE);
    CHECK_ERR(om_noise_read1(&b, bytes_of(&m1), om_mut(room, m1.n - OM_NOISE_MSG1_EXTRA - 1), &len),
              OM_E_RANGE);
    CHECK_OK(om_noise_read1(&b, bytes_of(&m1), om_mut(room, m1.n - OM_NOISE_MSG1_EXTRA), &len));
    for (size_t cut = 0; cut < OM_NOISE_MSG2_EXTRA; cut++)
        CHECK_ERR(om_noise_read2(&waiting, om_bytes(m2.b, cut), om_mut(room, sizeof room), &len),
                  OM_E_TRUNC);
    CHECK_ERR(
        om_noise_read2(&waiting, bytes_of(&m2), om_mut(room, m2.n - OM_NOISE_MSG2_EXTRA - 1), &len),
        OM_E_RANGE);
    CHECK_OK(
        om_noise_read2(&waiting, bytes_of(&m2), om_mut(room, m2.n - OM_NOISE_MSG2_EXTRA), &len));
}

OM_TEST(noise_refuses_steps_out_of_order)
{
    struct figure e = figure("init_ephemeral"), m1 = figure("message1"), m2 = figure("message2");
    struct om_noise a = initiator(), b = responder();
    uint8_t out[FIGURE_MAX];
    struct om_mut room = om_mut(out, sizeof out);
    struct om_wr w = om_wr(room);
    size_t len = 0;

    CHECK_ERR(om_noise_write1_finish(&a, om_bytes(NULL, 0), &w), OM_E_STATE);
    CHECK_ERR(om_noise_read2(&a, bytes_of(&m2), room, &len), OM_E_STATE);
    CHECK_ERR(om_noise_read1(&a, bytes_of(&m1), room, &len), OM_E_STATE);
    CHECK_ERR(om_noise_write1(&b, e.b, om_bytes(NULL, 0), &w), OM_E_STATE);
    CHECK_ERR(om_noise_write2(&b, e.b, om_bytes(NULL, 0), &w), OM_E_STATE);
    CHECK_ERR(om_noise_read1_payload(&b, bytes_of(&m1), room, &len), OM_E_STATE);
    CHECK_EQ(om_wr_len(&w), 0);
    CHECK_OK(run(&a, &b));
    CHECK_ERR(om_noise_read1(&b, bytes_of(&m1), room, &len), OM_E_STATE);
    CHECK_ERR(om_noise_read2(&a, bytes_of(&m2), room, &len), OM_E_STATE);
}

OM_TEST(noise_halves_share_the_hash_before_the_payload)
{
    struct figure e = figure("init_ephemeral"), p1 = figure("payload1"), m1 = figure("message1");
    struct om_noise a = initiator(), b = responder();
    uint8_t msg[FIGURE_MAX], out[FIGURE_MAX];
    struct om_wr w = om_wr(om_mut(msg, sizeof msg));
    size_t len = 0;

    CHECK_OK(om_noise_write1_begin(&a, e.b, &w));
    CHECK_EQ(om_wr_len(&w), OM_NOISE_MSG1_STATIC);
    CHECK_OK(om_noise_read1_static(&b, bytes_of(&m1)));
    CHECK_MEM(a.h, b.h, OM_NOISE_HASH);
    CHECK_MEM(b.rs, a.s_public, KEY_SIZE);
    CHECK_OK(om_noise_write1_finish(&a, bytes_of(&p1), &w));
    CHECK_EQ(om_wr_len(&w), m1.n);
    CHECK_MEM(msg, m1.b, m1.n);
    CHECK_OK(om_noise_read1_payload(&b, bytes_of(&m1), om_mut(out, sizeof out), &len));
    CHECK_EQ(len, p1.n);
    CHECK_MEM(out, p1.b, p1.n);
}

OM_TEST(noise_split_wipes_the_state)
{
    struct om_noise a = initiator(), b = responder();
    uint8_t first[2][32], second[2][32];

    CHECK_OK(run(&a, &b));
    om_noise_split(&a, first[0], second[0]);
    om_noise_split(&b, first[1], second[1]);
    CHECK_MEM(first[0], first[1], 32);
    CHECK_MEM(second[0], second[1], 32);
    CHECK_MEM_DIFF(first[0], second[0], 32);
    CHECK_EQ(a.step, OM_NOISE_SPENT);
    a.step = OM_NOISE_START;
    CHECK(sodium_is_zero((const uint8_t *)&a, sizeof a));
}
