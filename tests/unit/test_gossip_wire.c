/* test_gossip_wire.c - names and sums as any machine must compute them. */
#include "harness.h"

#include "gossip/records.h"

/* By an implementation of SipHash-2-4 in another language, checked with its authors' vector; the
 * network id is 0 to 31, the key 100 to 131, the sequence 0x010203040506. */
#define NAME_OF_RECORD UINT64_C(0x7fe7dddf490be9a9)
#define NAME_OF_CHAT   UINT64_C(0xeb42f9fa7a18341f)
#define SUM_OF_RECORD  UINT64_C(0xacf2e98b4e0c61f2)

enum { BUCKET_OF_RECORD = 41 };

static void fill(struct om_id *network, struct om_entry *e, const char *channel)
{
    *e = (struct om_entry){.sequence = 0x010203040506, .expires = 1};
    memcpy(e->channel, channel, strlen(channel));
    for (unsigned i = 0; i < OM_ID_BYTES; i++) {
        network->b[i] = (uint8_t)i;
        e->id.b[i] = (uint8_t)(100 + i);
    }
}

OM_TEST(entry_hash_matches_independent_figures)
{
    uint8_t key[OM_ENTRY_KEY];
    struct om_id network;
    struct om_entry e;

    fill(&network, &e, "");
    om_entry_key(&e, key);
    CHECK(om_entry_hash(key, &network) == NAME_OF_RECORD);
    fill(&network, &e, "chat");
    om_entry_key(&e, key);
    CHECK(om_entry_hash(key, &network) == NAME_OF_CHAT);
}

OM_TEST(records_sums_match_independent_figures)
{
    static const uint8_t salt[16];
    struct om_records s;
    struct om_id network, self = {{1}};
    struct om_entry e;
    struct om_held *h;

    fill(&network, &e, "");
    e.bytes = om_bytes("x", 1);
    CHECK_OK(om_records_init(&s, 4, &self, &network, salt));
    OM_TRY(om_records_put(&s, &e, &h) == OM_PUT_NEW);
    for (unsigned i = 0; i < OM_RECORDS_BUCKETS; i++)
        CHECK(s.sums[i] == (i == BUCKET_OF_RECORD ? SUM_OF_RECORD : 0));
    om_records_expire(&s, 2);
    CHECK(s.sums[BUCKET_OF_RECORD] == 0);
out:
    om_records_fini(&s);
}
