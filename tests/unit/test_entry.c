/* test_entry.c - records and items, as gossip sees both. */
#include "harness.h"

#include "gossip/entry.h"

static const struct om_id network = {{9, 9}};

static void self_init(struct om_identity *self)
{
    uint8_t seed[32] = {3};

    while (om_identity_from_seed(self, seed) != OM_OK)
        seed[1]++;
}

static size_t item(const struct om_identity *self, const char *channel, uint8_t *out, size_t room)
{
    struct om_entry e = {.sequence = 77, .expires = 88, .value = om_bytes("busy", 4)};

    memcpy(e.channel, channel, strlen(channel) + 1);
    return om_entry_make_item(om_mut(out, room), &e, self, &network);
}

OM_TEST(entry_item_round_trips)
{
    uint8_t bytes[OM_RECORD_MAX];
    struct om_identity self;
    struct om_entry e;

    self_init(&self);
    size_t n = item(&self, "load", bytes, sizeof bytes);
    CHECK_EQ(n, 1 + 32 + 6 + 4 + 1 + 4 + 2 + 4 + 64);
    CHECK_OK(om_entry_decode(&e, om_bytes(bytes, n)));
    CHECK(om_id_equal(&e.id, &self.id));
    CHECK_STR(e.channel, "load");
    CHECK_EQ(e.sequence, 77);
    CHECK_EQ(e.expires, 88);
    CHECK_EQ(e.value.n, 4);
    CHECK_MEM(e.value.p, "busy", 4);
    CHECK(om_record_verify(&network, &self.id, om_bytes(bytes, n)));
    CHECK_EQ(item(&self, "load", bytes, n - 1), 0); /* no room */
    om_identity_wipe(&self);
}

OM_TEST(entry_reads_both_kinds)
{
    uint8_t bytes[OM_RECORD_MAX];
    struct om_identity self;
    struct om_record r = {.sequence = 5, .expires = 6};
    struct om_entry e;

    self_init(&self);
    r.id = self.id;
    size_t n = om_record_encode(bytes, &r, &self, &network);
    CHECK_OK(om_entry_decode(&e, om_bytes(bytes, n)));
    CHECK_STR(e.channel, "");
    CHECK_EQ(e.sequence, 5);
    CHECK_EQ(e.bytes.n, n);
    bytes[0] = 3;
    CHECK_ERR(om_entry_decode(&e, om_bytes(bytes, n)), OM_E_UNSUPPORTED);
    om_identity_wipe(&self);
}

OM_TEST(entry_refuses_malformed_items)
{
    uint8_t bytes[OM_RECORD_MAX + 1] = {0};
    struct om_identity self;
    struct om_entry e;

    self_init(&self);
    size_t n = item(&self, "load", bytes, OM_RECORD_MAX);
    for (size_t cut = 0; cut < n; cut++)
        CHECK(om_entry_decode(&e, om_bytes(bytes, cut)) != OM_OK);
    CHECK_ERR(om_entry_decode(&e, om_bytes(bytes, OM_RECORD_MAX + 1)), OM_E_RANGE);
    CHECK_OK(om_entry_decode(&e, om_bytes(bytes, n)));
    bytes[44] = '\0'; /* a name of two words is none */
    CHECK_ERR(om_entry_decode(&e, om_bytes(bytes, n)), OM_E_PARSE);
    bytes[44] = 'l';
    bytes[43] = 0;
    CHECK_ERR(om_entry_decode(&e, om_bytes(bytes, n)), OM_E_PARSE);
    bytes[43] = 17;
    CHECK_ERR(om_entry_decode(&e, om_bytes(bytes, n)), OM_E_PARSE);
    om_identity_wipe(&self);
}

OM_TEST(entry_key_tells_channels_apart)
{
    struct om_entry a = {.id = {{1}}}, b = {.id = {{1}}, .channel = "x"};
    uint8_t ka[OM_ENTRY_KEY], kb[OM_ENTRY_KEY];
    const struct om_id other = {{2}};

    om_entry_key(&a, ka);
    om_entry_key(&b, kb);
    CHECK_MEM_DIFF(ka, kb, OM_ENTRY_KEY);
    CHECK(om_entry_hash(ka, &network) != om_entry_hash(kb, &network));
    CHECK(om_entry_hash(ka, &network) != om_entry_hash(ka, &other));
    b.channel[0] = '\0';
    om_entry_key(&b, kb);
    CHECK_MEM(ka, kb, OM_ENTRY_KEY);
}
