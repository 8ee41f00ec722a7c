/*
 * entry.h - one thing that gossip carries: a node's record, or what it published on a channel
 *
 * What:  reads the common part of both (whose, which channel, how new, until when) and makes
 *        channel items; the bytes themselves travel unchanged.
 * Why:   rumours, digests and the store treat both alike; only their readers differ.
 * Keeps: entry_item_round_trips; entry_reads_both_kinds; entry_refuses_malformed_items;
 *        entry_key_tells_channels_apart;
 *        entry_hash_matches_independent_figures.
 *
 *     item = u8 2, 32 B key, u48 sequence (ms), u32 expires (s), u8 + channel name <= 16,
 *            u16 length <= 512, value, signature (kind "record")
 *
 * Source: PROTOCOL section 10; plans/gossip.md.
 */
#ifndef OM_GOSSIP_ENTRY_H
#define OM_GOSSIP_ENTRY_H

#include <omerta/act.h>

#include "peer/record.h"

enum { OM_ITEM_VERSION = 2, OM_ITEM_VALUE_MAX = 512, OM_ENTRY_KEY = OM_ID_BYTES + OM_CHANNEL_MAX };

struct om_entry {
    struct om_id id;                  /* of the origin */
    char channel[OM_CHANNEL_MAX + 1]; /* "" for its record */
    uint64_t sequence;
    uint32_t expires;
    struct om_bytes value; /* of an item */
    struct om_bytes bytes; /* all of it, signature included; lent */
};

/**
 * om_entry_decode() - read either kind; the signature is not checked
 * @out:  untouched on failure; points into @in
 * @in:   as received
 *
 * Return: as om_record_decode().
 */
OM_MUST enum om_err om_entry_decode(struct om_entry *out, struct om_bytes in);

/**
 * om_entry_make_item() - write and sign what a node publishes
 * @out:      room; OM_RECORD_MAX is always enough
 * @e:        channel, sequence, expires and value
 * @self:     the origin
 * @network:  the network it is meant for
 *
 * Return: bytes written; 0 when a part is out of range.
 */
size_t om_entry_make_item(struct om_mut out, const struct om_entry *e,
                          const struct om_identity *self, const struct om_id *network);

/** om_entry_key() - origin and channel of @e as one key into @out. */
void om_entry_key(const struct om_entry *e, uint8_t out[static OM_ENTRY_KEY]);

/**
 * om_entry_hash() - a short name for origin and channel, the same at every node of a network
 * @key:      om_entry_key()
 * @network:  network id
 *
 * Return: 64 bits. Whoever makes two keys of one name hides only his own.
 */
uint64_t om_entry_hash(const uint8_t key[static OM_ENTRY_KEY], const struct om_id *network);

#endif
