/*
 * gossips.h - identities, records and items for the tests of gossip
 *
 * What:  the n-th node of a test, and what it has signed.
 * Why:   every test of gossip needs somebody who says something.
 */
#ifndef OM_TESTS_GOSSIPS_H
#define OM_TESTS_GOSSIPS_H

#include <string.h>

#include "gossip/entry.h"

enum { TEST_WALL_S = 1700000000 };

static const struct om_id test_network = {{7}};

/* The same keys for the same @n. */
static inline struct om_identity test_identity(unsigned n)
{
    uint8_t seed[32] = {(uint8_t)n, (uint8_t)(n >> 8), 0x9e};
    struct om_identity out;

    while (om_identity_from_seed(&out, seed) != OM_OK)
        seed[31]++;
    return out;
}

/* Of one endpoint, signed by @self. Return: bytes in @out. */
static inline size_t test_record(uint8_t out[static OM_RECORD_MAX], const struct om_identity *self,
                                 uint64_t sequence, uint16_t port)
{
    struct om_record r = {.id = self->id,
                          .sequence = sequence,
                          .expires = (uint32_t)(sequence / 1000) + OM_RECORD_LIFE_S,
                          .end_count = 1};

    r.ends[0] = (struct om_record_end){OM_END_HOST, om_addr_v4(0xc0000201, port)};
    return om_record_encode(out, &r, self, &test_network);
}

/* Four letters on @channel, signed by @self. Return: bytes in @out. */
static inline size_t test_item(uint8_t out[static OM_RECORD_MAX], const struct om_identity *self,
                               uint64_t sequence, const char *channel)
{
    struct om_entry e = {.sequence = sequence,
                         .expires = (uint32_t)(sequence / 1000) + OM_RECORD_LIFE_S,
                         .value = om_bytes("word", 4)};

    memcpy(e.channel, channel, strnlen(channel, OM_CHANNEL_MAX));
    return om_entry_make_item(om_mut(out, OM_RECORD_MAX), &e, self, &test_network);
}

#endif
