/* test_header.c - mask and codec of the data header. */
#include "harness.h"

#include "envelope/header.h"

static void fill(uint8_t *dgram, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dgram[i] = (uint8_t)(i * 7 + 1);
}

OM_TEST(header_mask_is_its_own_inverse)
{
    const uint8_t key[OM_MASK_KEY_BYTES] = {3};
    uint8_t dgram[200], before[200];

    for (size_t n = OM_OVERHEAD; n <= sizeof dgram; n++) {
        fill(dgram, n);
        memcpy(before, dgram, n);
        om_header_mask(key, om_bytes(dgram, n), dgram);
        CHECK_MEM_DIFF(dgram, before, OM_HEADER_BYTES);
        CHECK_MEM(dgram + OM_HEADER_BYTES, before + OM_HEADER_BYTES, n - OM_HEADER_BYTES);
        om_header_mask(key, om_bytes(dgram, n), dgram);
        CHECK_MEM(dgram, before, n);
    }
}

OM_TEST(header_mask_needs_the_key)
{
    uint8_t key[OM_MASK_KEY_BYTES] = {3}, dgram[60], out[OM_HEADER_BYTES], in[OM_HEADER_BYTES];
    const struct om_header h = {0x01020304, 5};

    fill(dgram, sizeof dgram);
    om_header_encode(&h, in);
    memcpy(dgram, in, sizeof in);
    om_header_mask(key, om_bytes(dgram, sizeof dgram), dgram);
    om_header_mask(key, om_bytes(dgram, sizeof dgram), out);
    CHECK_MEM(out, in, sizeof in); /* the right key */
    for (size_t bit = 0; bit < 8 * sizeof key; bit++) {
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        om_header_mask(key, om_bytes(dgram, sizeof dgram), out);
        CHECK_MEM_DIFF(out, in, sizeof in);
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* One bit of the last 16 bytes changes the mask; no other byte of the datagram does. */
OM_TEST(header_mask_samples_the_last_16_bytes)
{
    const uint8_t key[OM_MASK_KEY_BYTES] = {9};
    uint8_t dgram[48], mask[OM_HEADER_BYTES], other[OM_HEADER_BYTES];

    memset(dgram, 0, sizeof dgram);
    om_header_mask(key, om_bytes(dgram, sizeof dgram), mask);
    for (size_t i = OM_HEADER_BYTES; i < sizeof dgram; i++) {
        dgram[i] ^= 1;
        om_header_mask(key, om_bytes(dgram, sizeof dgram), other);
        CHECK_EQ(memcmp(mask, other, sizeof mask) != 0, i >= sizeof dgram - OM_TAG_BYTES);
        dgram[i] ^= 1;
    }
}

/* The figure: openssl mac -macopt hexkey:000102..0f -macopt size:16 -in FILE SipHash, where FILE
 * holds the bytes 0x40 to 0x4f. */
OM_TEST(header_mask_is_siphash_2_4_128)
{
    const uint8_t want[OM_HEADER_BYTES] = {0x14, 0xfc, 0x1e, 0x26, 0x7f, 0x38,
                                           0x79, 0x94, 0xfb, 0x0c, 0xa8, 0x83};
    uint8_t key[OM_MASK_KEY_BYTES], dgram[OM_OVERHEAD] = {0}, out[OM_HEADER_BYTES];

    for (uint8_t i = 0; i < 16; i++) {
        key[i] = i;
        dgram[OM_HEADER_BYTES + i] = (uint8_t)(0x40 + i);
    }
    om_header_mask(key, om_bytes(dgram, sizeof dgram), out);
    CHECK_MEM(out, want, sizeof want);
}

OM_TEST(header_codec_is_big_endian)
{
    const uint8_t wire[OM_HEADER_BYTES] = {0xff, 2, 3, 4, 0xf5, 6, 7, 8, 9, 10, 11, 12};
    const struct om_header limits[] = {{0, 0}, {1, 0}, {UINT32_MAX, UINT64_MAX}};
    struct om_header h = om_header_decode(wire);
    uint8_t out[OM_HEADER_BYTES];

    CHECK_EQ(h.index, 0xff020304);
    CHECK(h.counter == 0xf5060708090a0b0c);
    om_header_encode(&h, out);
    CHECK_MEM(out, wire, sizeof out);
    for (size_t i = 0; i < OM_ARRAY_SIZE(limits); i++) {
        om_header_encode(&limits[i], out);
        h = om_header_decode(out);
        CHECK_EQ(h.index, limits[i].index);
        CHECK(h.counter == limits[i].counter);
    }
}
