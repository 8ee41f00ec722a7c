/* test_epoch.c - the keys of one epoch. */
#include "harness.h"

#include <sodium.h>

#include "network/epoch.h"

static void check_hex(const uint8_t *bytes, size_t n, const char *want)
{
    char hex[2 * OM_PROLOGUE_BYTES + 1];

    CHECK_STR(sodium_bin2hex(hex, sizeof hex, bytes, n), want);
}

static struct om_epoch derive(uint32_t number, const uint8_t secret[static 32])
{
    struct om_epoch e;

    memset(&e, 0, sizeof e);
    om_epoch_derive(&e, number, secret);
    return e;
}

/*
 * The figures, from PROTOCOL 1 by Python's own BLAKE2b, for secret 00 01 .. 1f and number 7:
 *   def kdf(s, label): return hashlib.blake2b(b"omerta1 " + label + b"\0", key=s,
 *                                             digest_size=32).digest()
 *   J = kdf(secret, b"join"); id = struct.pack(">I", 7) + kdf(J, b"epoch")[:16]
 *   the others: kdf(secret, name of the field), mask and lane inner cut to 16 bytes
 */
OM_TEST(epoch_keys_match_the_pinned_figures)
{
    uint8_t secret[32];

    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)i;
    struct om_epoch e = derive(7, secret);
    CHECK_EQ(e.number, 7);
    check_hex(e.id, sizeof e.id, "000000076d2c8a4b55ad6bab3750c9975ee7f9e9");
    check_hex(e.outer, sizeof e.outer,
              "0f4b10cf6e5a635a88e4c71e8f9541c3db42319dd7f0cedfebd9729a1ce27705");
    check_hex(e.outer_stream, sizeof e.outer_stream,
              "21da205a2a7b6bf1d724173f3ffe4f908ab810507d38e5dca57bf8771f29d7ca");
    check_hex(e.psk, sizeof e.psk,
              "0c44c3c08c63b11e20119f06d4f8d25408a70d7c2d65bb99b12100aa2f428d8b");
    check_hex(e.lan, sizeof e.lan,
              "24a845bccb5f4e703c4caa42868096c11a4c6b8537d0daad096692f8234bb4c8");
    check_hex(e.mask, sizeof e.mask, "dc1ffcb130cf2f44f5c72d7fc7585dee");
    check_hex(e.lane_inner, sizeof e.lane_inner, "0168e0d75acb7f4ae833f85a098a7332");
}

/* No key of one purpose is, or begins like, one of another; nor the secret itself. */
OM_TEST(epoch_labels_are_distinct)
{
    static const uint8_t secrets[2][32] = {{0}, {1}};
    struct om_epoch e[2] = {derive(0, secrets[0]), derive(0, secrets[1])};
    const uint8_t *all[16];
    size_t n = 0;

    for (int i = 0; i < 2; i++) {
        all[n++] = secrets[i];
        all[n++] = e[i].id + 4;
        all[n++] = e[i].outer;
        all[n++] = e[i].outer_stream;
        all[n++] = e[i].psk;
        all[n++] = e[i].lan;
        all[n++] = e[i].mask;
        all[n++] = e[i].lane_inner;
    }
    CHECK_EQ(n, OM_ARRAY_SIZE(all));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            CHECK_MEM_DIFF(all[i], all[j], 16);
}

OM_TEST(epoch_number_is_only_in_the_id)
{
    static const uint8_t secret[32] = {3};
    static const uint8_t number[4] = {0xff, 0xfe, 0xfd, 0xfc};
    struct om_epoch a = derive(0, secret), b = derive(0xfffefdfc, secret);

    CHECK_MEM(b.id, number, 4);
    CHECK_MEM(b.id + 4, a.id + 4, sizeof a.id - 4);
    CHECK_MEM(b.outer, a.outer, sizeof a.outer);
    CHECK_MEM(b.outer_stream, a.outer_stream, sizeof a.outer_stream);
    CHECK_MEM(b.psk, a.psk, sizeof a.psk);
    CHECK_MEM(b.lan, a.lan, sizeof a.lan);
    CHECK_MEM(b.mask, a.mask, sizeof a.mask);
    CHECK_MEM(b.lane_inner, a.lane_inner, sizeof a.lane_inner);
}

OM_TEST(epoch_prologue_names_network_and_epoch)
{
    static const uint8_t secret[32] = {3};
    const struct om_epoch a = derive(1, secret), b = derive(2, secret);
    struct om_id net, other;
    uint8_t p[3][OM_PROLOGUE_BYTES];

    memset(&net, 0x4e, sizeof net);
    other = net;
    other.b[31] ^= 1;
    om_epoch_prologue(&a, &net, p[0]);
    CHECK_EQ(sizeof p[0], 59);
    CHECK_MEM(p[0], "omerta1", 7);
    CHECK_MEM(p[0] + 7, net.b, 32);
    CHECK_MEM(p[0] + 39, a.id, 20);
    om_epoch_prologue(&b, &net, p[1]);
    om_epoch_prologue(&a, &other, p[2]);
    CHECK_MEM_DIFF(p[0], p[1], sizeof p[0]);
    CHECK_MEM_DIFF(p[0], p[2], sizeof p[0]);
}
