/*
 * test_identity.c - node keys against RFC 8032 and against figures of another implementation
 *
 * The constants that no RFC gives come from python3's "cryptography" (OpenSSL) and hashlib:
 * X25519 secret = clamp(SHA-512(seed)[:32]), public = X25519PrivateKey(secret).public_key();
 * signature = Ed25519PrivateKey(seed).sign(b"omerta1 record\0" + network + b"body").
 */
#include "harness.h"

#include <sodium.h>

#include "crypto/identity.h"

/* RFC 8032 section 7.1: TEST 1, TEST 2, TEST SHA(abc). */
static const char seed_1[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
static const char seed_2[] = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
static const char seed_sha[] = "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42";
static const char public_1[] = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
static const char public_sha[] = "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf";

static void from_hex(uint8_t *out, size_t n, const char *hex)
{
    size_t len = 0;

    CHECK_EQ(sodium_hex2bin(out, n, hex, strlen(hex), NULL, &len, NULL), 0);
    CHECK_EQ(len, n);
}

static void check_hex(const uint8_t *got, size_t n, const char *want)
{
    char text[2 * 64 + 1];

    CHECK_STR(sodium_bin2hex(text, sizeof text, got, n), want);
}

static struct om_identity from_seed_hex(const char *hex)
{
    struct om_identity self;
    uint8_t seed[32];

    from_hex(seed, 32, hex);
    CHECK_OK(om_identity_from_seed(&self, seed));
    return self;
}

/* Bytes 0x40 to 0x5f. */
static struct om_id a_network(void)
{
    struct om_id id;

    for (unsigned i = 0; i < 32; i++)
        id.b[i] = (uint8_t)(0x40 + i);
    return id;
}

OM_TEST(identity_matches_rfc8032)
{
    struct om_identity self = from_seed_hex(seed_1);

    check_hex(self.id.b, 32, public_1);
    check_hex(self.seed, 32, seed_1);
    self = from_seed_hex(seed_2);
    check_hex(self.id.b, 32, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
}

OM_TEST(identity_dh_agrees_with_rfc7748)
{
    static const char shared[] = "5166f24a6918368e2af831a4affadd97af0ac326bdf143596c045967cc00230e";
    struct om_identity a = from_seed_hex(seed_1), b = from_seed_hex(seed_2);
    uint8_t x[32], dh[32];

    check_hex(a.dh_secret, 32, "307c83864f2833cb427a2ef1c00a013cfdff2768d980c0a3a520f006904de94f");
    check_hex(a.dh_public, 32, "d85e07ec22b0ad881537c2f44d662d1a143cf830c57aca4305d85c7a90f6b62e");
    check_hex(b.dh_public, 32, "25c704c594b88afc00a76b69d1ed2b984d7e22550f3ed0802d04fbcd07d38d47");
    CHECK_OK(om_identity_dh_of(dh, &b.id));
    CHECK_MEM(dh, b.dh_public, 32);
    CHECK_EQ(crypto_scalarmult(x, a.dh_secret, dh), 0);
    check_hex(x, 32, shared);
    CHECK_OK(om_identity_dh_of(dh, &a.id));
    CHECK_EQ(crypto_scalarmult(x, b.dh_secret, dh), 0);
    check_hex(x, 32, shared);
}

OM_TEST(identity_refuses_bit_255)
{
    struct om_identity self;
    struct om_id peer;
    uint8_t seed[32], dh[32];

    from_hex(seed, 32, seed_sha);
    memset(&self, 0xff, sizeof self);
    CHECK_ERR(om_identity_from_seed(&self, seed), OM_E_RANGE);
    CHECK(sodium_is_zero((const uint8_t *)&self, sizeof self));

    from_hex(peer.b, 32, public_sha);
    CHECK_ERR(om_identity_dh_of(dh, &peer), OM_E_RANGE);
    peer.b[31] &= 0x7f; /* the negated point is a name, and converts to the same X25519 key */
    CHECK_OK(om_identity_dh_of(dh, &peer));
    check_hex(dh, 32, "d5948dca7a9ad7175303dc6881c34aa7881fb946ee34dfd8fab126ed6db8da69");
}

OM_TEST(identity_for_network_counts_past_bit_255)
{
    struct om_id network = a_network();
    struct om_identity self;
    uint8_t home[32];

    memset(home, 1, 32); /* good at counter 0 */
    CHECK_OK(om_identity_for_network(&self, home, &network));
    check_hex(self.id.b, 32, "55003934906cdb2204e6d3c952b530b92aba5c3065dc04e5e0178a3c5fdac83e");
    memset(home, 14, 32); /* at 1 */
    CHECK_OK(om_identity_for_network(&self, home, &network));
    check_hex(self.id.b, 32, "d10cfa175360b69e8f4421f948b5c495814205af3ec0528c883cf5e7d3061172");
    memset(home, 25, 32); /* at 3 */
    CHECK_OK(om_identity_for_network(&self, home, &network));
    check_hex(self.id.b, 32, "8240ec353d0b6b8db49afbf5858ca3db883e608a4c2ee66304b2f351baac4300");
}

OM_TEST(identity_differs_between_networks)
{
    struct om_id network = a_network();
    struct om_identity one, other;
    uint8_t home[32] = {7};

    CHECK_OK(om_identity_for_network(&one, home, &network));
    CHECK_OK(om_identity_for_network(&other, home, &network));
    CHECK_MEM(&one, &other, sizeof one);
    network.b[0] ^= 1;
    CHECK_OK(om_identity_for_network(&other, home, &network));
    CHECK_MEM_DIFF(one.id.b, other.id.b, 32);
    CHECK_MEM_DIFF(one.dh_public, other.dh_public, 32);
}

OM_TEST(identity_dh_refuses_bad_points)
{
    /* The neutral element, the point of order 2, and y = 0 of order 4. */
    static const uint8_t order_1[32] = {1};
    static const uint8_t order_4[32] = {0};
    struct om_identity good = from_seed_hex(seed_1);
    struct om_id peer;
    uint8_t dh[32];

    memcpy(peer.b, order_1, 32);
    CHECK_ERR(om_identity_dh_of(dh, &peer), OM_E_CRYPTO);
    memcpy(peer.b, order_4, 32);
    CHECK_ERR(om_identity_dh_of(dh, &peer), OM_E_CRYPTO);
    memset(peer.b, 0xff, 32); /* y = -1: 2^255 - 20, little-endian */
    peer.b[0] = 0xec;
    peer.b[31] = 0x7f;
    CHECK_ERR(om_identity_dh_of(dh, &peer), OM_E_CRYPTO);
    memset(peer.b, 0, 32); /* y = 2 is not on the curve */
    peer.b[0] = 2;
    memset(dh, 0xff, 32);
    CHECK_ERR(om_identity_dh_of(dh, &peer), OM_E_CRYPTO);
    CHECK(sodium_is_zero(dh, 32));
    CHECK_OK(om_identity_dh_of(dh, &good.id));
    /* A good point plus the one of order 2 is on the curve, but outside the main subgroup. */
    memset(peer.b, 0xff, 32);
    peer.b[0] = 0xec;
    peer.b[31] = 0x7f;
    CHECK_EQ(crypto_core_ed25519_add(peer.b, good.id.b, peer.b), 0);
    peer.b[31] &= 0x7f;
    CHECK_ERR(om_identity_dh_of(dh, &peer), OM_E_CRYPTO);
}

OM_TEST(identity_signature_matches_independent_figures)
{
    struct om_identity self = from_seed_hex(seed_1);
    struct om_id network = a_network();
    uint8_t sig[OM_SIGN_BYTES];

    om_identity_sign(&self, "record", &network, om_bytes("body", 4), sig);
    check_hex(sig, sizeof sig,
              "9377109bc62dff61b16b80d4d3214dfc1caeab1586b8a8ad5a414d79e83fc5db"
              "04b52b4474e6f5fde7aea662d0275c956bb897bdafab9f3ed881ac9720ebe603");
}

OM_TEST(identity_signature_binds_every_part)
{
    struct om_identity self = from_seed_hex(seed_1), other = from_seed_hex(seed_2);
    struct om_id network = a_network();
    struct om_bytes body = om_bytes("body", 4);
    uint8_t sig[OM_SIGN_BYTES];

    om_identity_sign(&self, "record", &network, body, sig);
    CHECK(om_identity_verify(&self.id, "record", &network, body, sig));
    CHECK(!om_identity_verify(&other.id, "record", &network, body, sig));
    CHECK(!om_identity_verify(&self.id, "hello", &network, body, sig));
    CHECK(!om_identity_verify(&self.id, "record", &network, om_bytes("bodz", 4), sig));
    CHECK(!om_identity_verify(&self.id, "record", &network, om_bytes("body", 3), sig));
    network.b[31] ^= 0x80;
    CHECK(!om_identity_verify(&self.id, "record", &network, body, sig));
    network.b[31] ^= 0x80;
    for (unsigned bit = 0; bit < 8 * OM_SIGN_BYTES; bit++) {
        sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!om_identity_verify(&self.id, "record", &network, body, sig));
        sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(om_identity_verify(&self.id, "record", &network, body, sig));
}

OM_TEST(identity_verify_refuses_long_bodies)
{
    static uint8_t body[OM_SIGN_BODY_MAX + 1];
    struct om_identity self = from_seed_hex(seed_1);
    struct om_id network = a_network();
    uint8_t sig[OM_SIGN_BYTES];

    om_identity_sign(&self, "record", &network, om_bytes(body, OM_SIGN_BODY_MAX), sig);
    CHECK(om_identity_verify(&self.id, "record", &network, om_bytes(body, OM_SIGN_BODY_MAX), sig));
    CHECK(!om_identity_verify(&self.id, "record", &network, om_bytes(body, sizeof body), sig));
    CHECK(!om_identity_verify(&self.id, "a kind too long to be one", &network, om_bytes(body, 1),
                              sig));
}

OM_TEST(identity_wipe_leaves_nothing)
{
    struct om_identity self = from_seed_hex(seed_1);

    CHECK(!sodium_is_zero(self.seed, sizeof self.seed));
    om_identity_wipe(&self);
    CHECK(sodium_is_zero((const uint8_t *)&self, sizeof self));
}
