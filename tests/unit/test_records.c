/* test_records.c - the bounded store: what stays, what gives way. */
#include "harness.h"

#include <omerta/wire.h>
#include <sodium.h>

#include "gossip/records.h"
#include "gossips.h"

static const struct om_id our_id = {{0}};
static const uint8_t salt[16] = {5};

static void open_store(struct om_records *s, unsigned max)
{
    CHECK_OK(om_records_init(s, max, &our_id, &test_network, salt));
}

/* A record whose first byte is @first; the store reads no signature. */
static enum om_records_put put(struct om_records *s, uint8_t first, uint8_t second,
                               const char *channel, uint64_t sequence)
{
    static uint8_t bytes[200];
    struct om_entry e = {.id = {{first, second}},
                         .sequence = sequence,
                         .expires = (uint32_t)sequence,
                         .bytes = om_bytes(bytes, sizeof bytes)};
    struct om_held *h;

    memcpy(e.channel, channel, strnlen(channel, OM_CHANNEL_MAX));
    bytes[0] = (uint8_t)sequence;
    enum om_records_put was = om_records_put(s, &e, &h);
    CHECK(was == OM_PUT_NO_MEM || was == OM_PUT_NOT_KEPT || h != NULL);
    return was;
}

static struct om_held *find(const struct om_records *s, uint8_t first, uint8_t second)
{
    const struct om_id id = {{first, second}};

    return om_records_find(s, &id);
}

static struct om_held *find_item(const struct om_records *s, uint8_t first, uint8_t second,
                                 const char *channel)
{
    const struct om_id id = {{first, second}};

    return om_records_find_item(s, &id, channel);
}

OM_TEST(records_newer_replaces_older)
{
    struct om_records s;

    open_store(&s, 0);
    CHECK_EQ(s.max, OM_RECORDS_MAX);
    OM_TRY(put(&s, 1, 0, "", 10) == OM_PUT_NEW);
    const uint64_t sum = s.sums[om_records_bucket(find(&s, 1, 0)->hash)];
    CHECK(sum != 0);
    OM_TRY(om_records_pin(&s, find(&s, 1, 0)));
    find(&s, 1, 0)->heard_at = 77;
    OM_TRY(put(&s, 1, 0, "", 12) == OM_PUT_NEWER);
    struct om_held *h = find(&s, 1, 0);
    CHECK(h->sequence == 12);
    CHECK_EQ(h->bytes[0], 12);
    CHECK(h->is_pinned && h->heard_at == 77); /* what we know ourselves outlives what is told */
    CHECK_EQ(s.pinned, 1);
    CHECK(s.sums[om_records_bucket(h->hash)] != sum);
    CHECK(om_records_by_hash(&s, h->hash) == h);
    CHECK_EQ(put(&s, 1, 0, "", 12), OM_PUT_OLD);
    CHECK_EQ(put(&s, 1, 0, "", 11), OM_PUT_OLD);
    CHECK(find(&s, 1, 0) == h && h->sequence == 12);
    OM_TRY(put(&s, 1, 0, "a", 11) == OM_PUT_NEW); /* another entry */
    CHECK_EQ(s.records, 1);
    CHECK_EQ(s.items, 1);
    CHECK(find_item(&s, 1, 0, "a")->sequence == 11);
    CHECK(find_item(&s, 1, 0, "b") == NULL);
    CHECK(find_item(&s, 1, 0, "") == NULL);
    CHECK(find_item(&s, 1, 0, "seventeen.letters") == NULL);
out:
    om_records_fini(&s);
}

static uint64_t preference(uint8_t first, uint8_t second)
{
    const struct om_id id = {{first, second}};
    uint64_t p;

    crypto_shorthash((unsigned char *)&p, id.b, sizeof id.b, salt);
    return p;
}

OM_TEST(records_full_keeps_near_and_random)
{
    enum { MAX = 16, ALL = 64 };
    struct om_records s;
    unsigned kept = 0, better[ALL + 1] = {0};

    open_store(&s, MAX);
    for (unsigned i = 0; i < ALL; i++) { /* 37 is odd: each of 1 to 64 once, in no order */
        enum om_records_put p = put(&s, (uint8_t)(i * 37 % ALL + 1), 9, "", 10);
        OM_TRY(p == OM_PUT_NEW || p == OM_PUT_NOT_KEPT);
        CHECK_EQ(s.records, i < MAX ? i + 1 : MAX);
    }
    for (unsigned k = 1; k <= MAX / 2; k++)
        CHECK(find(&s, (uint8_t)k, 9) != NULL); /* our key is 0: the lowest are nearest */
    for (unsigned k = MAX / 2 + 1; k <= ALL; k++)
        for (unsigned j = MAX / 2 + 1; j <= ALL; j++)
            better[k] += preference((uint8_t)j, 9) < preference((uint8_t)k, 9);
    for (unsigned k = MAX / 2 + 1; k <= ALL; k++) {
        CHECK((find(&s, (uint8_t)k, 9) != NULL) == (better[k] < MAX / 2));
        kept += find(&s, (uint8_t)k, 9) != NULL;
    }
    CHECK_EQ(kept, MAX / 2);
out:
    om_records_fini(&s);
}

OM_TEST(records_full_spares_pinned)
{
    enum { MAX = 8 };
    struct om_records s;

    open_store(&s, MAX);
    for (unsigned i = 0; i < MAX; i++)
        OM_TRY(put(&s, (uint8_t)(240 + i), 0, "", 10) == OM_PUT_NEW);
    for (unsigned i = 0; i < MAX / 2; i++)
        CHECK(om_records_pin(&s, find(&s, (uint8_t)(244 + i), 0)));
    CHECK(om_records_pin(&s, find(&s, 244, 0)));
    CHECK(!om_records_pin(&s, find(&s, 240, 0))); /* half of all */
    for (unsigned i = 0; i < 200; i++) {
        enum om_records_put p = put(&s, (uint8_t)(1 + i), 1, "", 10);
        OM_TRY(p == OM_PUT_NEW || p == OM_PUT_NOT_KEPT);
    }
    CHECK_EQ(s.records, MAX);
    for (unsigned i = 0; i < MAX / 2; i++) {
        CHECK(find(&s, (uint8_t)(244 + i), 0) != NULL);
        CHECK(find(&s, (uint8_t)(240 + i), 0) == NULL);
    }
    om_records_unpin(&s, find(&s, 247, 0));
    CHECK_EQ(s.pinned, MAX / 2 - 1);
    OM_TRY(om_records_pin(&s, find(&s, 1, 1)));
out:
    om_records_fini(&s);
}

OM_TEST(records_items_are_bounded)
{
    struct om_records s;

    open_store(&s, 0);
    OM_TRY(om_records_subscribe(&s, "wanted") == OM_OK);
    CHECK_OK(om_records_subscribe(&s, "wanted"));
    CHECK_ERR(om_records_subscribe(&s, ""), OM_E_RANGE);
    CHECK_ERR(om_records_subscribe(&s, "seventeen.letters"), OM_E_RANGE);
    for (unsigned i = 0; i < OM_ITEMS_MAX; i++)
        OM_TRY(put(&s, (uint8_t)(i / 256), (uint8_t)i, i < 3 ? "wanted" : "other", 10) ==
               OM_PUT_NEW);
    OM_TRY(put(&s, 200, 0, "other", 10) == OM_PUT_NEW);
    CHECK_EQ(s.items, OM_ITEMS_MAX);
    CHECK(find_item(&s, 0, 2, "wanted") != NULL);
    CHECK(find_item(&s, 0, 3, "other") == NULL); /* the oldest that nobody wants */
    CHECK_OK(om_records_subscribe(&s, "other")); /* now all are wanted */
    OM_TRY(put(&s, 201, 0, "other", 10) == OM_PUT_NEW);
    CHECK(find_item(&s, 0, 0, "wanted") == NULL);
    CHECK_EQ(put(&s, 202, 0, "third", 10), OM_PUT_NOT_KEPT);
    CHECK_EQ(s.items, OM_ITEMS_MAX);

    for (unsigned i = s.channel_count; i < OM_SUBSCRIPTIONS_MAX; i++) {
        const char channel[] = {'c', (char)('A' + i), '\0'};
        CHECK_OK(om_records_subscribe(&s, channel));
    }
    CHECK_ERR(om_records_subscribe(&s, "one.too.many"), OM_E_FULL);
    CHECK(!om_records_is_subscribed(&s, "one.too.many"));
    CHECK(om_records_is_subscribed(&s, "other"));
out:
    om_records_fini(&s);
}

OM_TEST(records_items_of_one_origin_are_bounded)
{
    struct om_records s;
    char channel[2] = "a";

    open_store(&s, 0);
    OM_TRY(put(&s, 2, 0, "a", 10) == OM_PUT_NEW);
    for (unsigned i = 0; i < OM_ITEMS_EACH; i++, channel[0]++)
        OM_TRY(put(&s, 1, 0, channel, 10) == OM_PUT_NEW);
    OM_TRY(put(&s, 1, 0, "a", 11) == OM_PUT_NEWER); /* no more than before */
    CHECK_EQ(s.items, OM_ITEMS_EACH + 1);
    CHECK_OK(om_records_subscribe(&s, "b"));
    OM_TRY(put(&s, 1, 0, channel, 10) == OM_PUT_NEW);
    CHECK_EQ(s.items, OM_ITEMS_EACH + 1);
    CHECK(find_item(&s, 1, 0, "a") != NULL);
    CHECK(find_item(&s, 1, 0, "b") != NULL); /* older than "c", but wanted */
    CHECK(find_item(&s, 1, 0, "c") == NULL);
    CHECK(find_item(&s, 2, 0, "a") != NULL);
out:
    om_records_fini(&s);
}

OM_TEST(records_expire)
{
    struct om_records s;

    open_store(&s, 0);
    for (uint8_t i = 1; i <= 10; i++)
        OM_TRY(put(&s, i, 0, i % 2 ? "" : "a", i) == OM_PUT_NEW);
    CHECK_EQ(om_records_expire(&s, 1), 0);
    CHECK_EQ(om_records_expire(&s, 5), 4);
    CHECK(find(&s, 3, 0) == NULL);
    CHECK(find_item(&s, 4, 0, "a") == NULL);
    CHECK(find(&s, 5, 0) != NULL);
    CHECK_EQ(s.records, 3);
    CHECK_EQ(s.items, 3);
    CHECK_EQ(om_records_expire(&s, 100), 6);
    CHECK(om_list_first(&s.changes) == NULL);
    for (unsigned i = 0; i < OM_RECORDS_BUCKETS; i++)
        CHECK(s.sums[i] == 0); /* equal content, equal sums: here none */
    CHECK_EQ(s.near, 0);
    OM_TRY(put(&s, 3, 0, "", 3) == OM_PUT_NEW);
out:
    om_records_fini(&s);
}

OM_TEST(records_in_order_of_change)
{
    static const uint8_t order[] = {2, 4, 1, 3};
    struct om_records s;
    uint64_t last = 0;
    unsigned n = 0;

    open_store(&s, 0);
    for (uint8_t i = 1; i <= 4; i++)
        OM_TRY(put(&s, i, 0, "", 10) == OM_PUT_NEW);
    OM_TRY(put(&s, 1, 0, "", 11) == OM_PUT_NEWER);
    CHECK_EQ(put(&s, 2, 0, "", 9), OM_PUT_OLD); /* no change */
    OM_TRY(put(&s, 3, 0, "", 11) == OM_PUT_NEWER);
    for (struct om_link *l = om_list_first(&s.changes); l; l = om_list_next(&s.changes, l)) {
        const struct om_held *h = OM_CONTAINER_OF(l, struct om_held, by_change);
        CHECK(h->change > last);
        last = h->change;
        CHECK_EQ(h->key[0], order[n]);
        n++;
    }
    CHECK_EQ(n, 4);
    CHECK(last == s.change);
out:
    om_records_fini(&s);
}

OM_TEST(records_cost_less_than_a_kibibyte)
{
    const struct om_identity self = test_identity(1);
    uint8_t bytes[OM_RECORD_MAX];
    struct om_held *h;
    struct om_records s;
    struct om_entry e;

    open_store(&s, 0);
    CHECK_OK(om_entry_decode(&e, om_bytes(bytes, test_record(bytes, &self, 1000, 1))));
    for (unsigned i = 0; i < OM_RECORDS_MAX; i++) {
        e.id.b[0] = (uint8_t)i;
        e.id.b[1] = (uint8_t)(i >> 8);
        OM_TRY(om_records_put(&s, &e, &h) == OM_PUT_NEW);
    }
    print_message("%.0f bytes for each record of %zu\n",
                  (double)om_records_bytes(&s) / OM_RECORDS_MAX, e.bytes.n);
    CHECK(om_records_bytes(&s) < (size_t)1024 * OM_RECORDS_MAX);
    om_records_entry(h, &e);
    CHECK(e.sequence == 1000);
out:
    om_records_fini(&s);
}
