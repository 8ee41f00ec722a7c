/*
 * records.h - what a node knows of its network: the newest entry of each origin and channel
 *
 * What:  a bounded store of signed entries, in the order in which they changed.
 * Why:   a network may be larger than what a node can keep, and some of its members hostile: what
 *        is kept must not be theirs to decide.
 * Keeps: records_newer_replaces_older; records_full_keeps_near_and_random;
 *        records_full_spares_pinned; records_items_are_bounded;
 *        records_items_of_one_origin_are_bounded; records_expire; records_in_order_of_change;
 *        records_cost_less_than_a_kibibyte; records_sums_match_independent_figures;
 *        records_model_keeps_near_and_random; records_pinned_before_it_came_stays.
 *
 * Full: of more than max records, those of pinned nodes stay; of the others half are those whose
 * keys are nearest to ours (so that a question about a key has somewhere to go), half those that a
 * secret hash prefers (so that who we know is random, and nobody can arrange it). Of items,
 * OM_ITEMS_MAX stay and OM_ITEMS_EACH of an origin: unsubscribed channels give way first, then the
 * oldest.
 */
#ifndef OM_GOSSIP_RECORDS_H
#define OM_GOSSIP_RECORDS_H

#include <omerta/list.h>
#include <omerta/table.h>

#include "gossip/entry.h"
#include "gossip/heap.h"

enum {
    OM_RECORDS_MAX = 1024, /* unless configured */
    OM_ITEMS_MAX = 2048,
    OM_ITEMS_EACH = 8,
    OM_SUBSCRIPTIONS_MAX = 32,
    OM_RECORDS_NAMED = 64,  /* nodes that shall be pinned once they are known */
    OM_RECORDS_BUCKETS = 64 /* of the digest */
};

/* One entry kept. Read freely; @heard_at, @addr, @taken_at, @failed_at are the gossip machine's. */
struct om_held {
    uint8_t key[OM_ENTRY_KEY];
    uint64_t hash; /* om_entry_hash() */
    uint64_t sequence;
    uint64_t change; /* the store's count when it last changed */
    uint64_t rank;   /* a secret hash of its origin: of those not near the highest goes first */
    uint32_t expires;
    uint16_t len;
    bool is_item, is_pinned, is_near, is_wanted; /* near: kept for its key; wanted: subscribed */
    bool has_addr;
    om_time heard_at;    /* we held a session with it ourselves; 0: never */
    om_time taken_at;    /* when this was told to us; 0: it is ours */
    om_time failed_at;   /* it did not answer; 0: it did, or was not asked */
    struct om_addr addr; /* from where it was heard */
    unsigned heap_at;    /* in one of the store's heaps, from 1; 0: in none */
    struct om_link by_change;
    uint8_t bytes[];
};

/* Read freely; write only through om_records_*(). */
struct om_records {
    struct om_table table;
    struct om_table by_hash;
    struct om_list changes; /* oldest change first */
    uint64_t change;
    uint64_t sums[OM_RECORDS_BUCKETS]; /* of what is held: equal sums, equal content */
    struct om_heap farthest; /* of those kept for being near, by distance; since it was full */
    struct om_heap worst;    /* of those kept at random, unpinned, by rank; since then, too */
    unsigned max, records, items, near, pinned;
    struct om_id self, network;
    uint8_t salt[16];
    char channels[OM_SUBSCRIPTIONS_MAX][OM_CHANNEL_MAX + 1];
    unsigned channel_count;
    struct om_id named[OM_RECORDS_NAMED];
    unsigned named_count;
};

enum om_records_put { OM_PUT_NEW, OM_PUT_NEWER, OM_PUT_OLD, OM_PUT_NOT_KEPT, OM_PUT_NO_MEM };

/**
 * om_records_init() - an empty store; memory comes with entries
 * @s:        storage of the caller
 * @max:      records kept; 0: OM_RECORDS_MAX
 * @self:     our key
 * @network:  network id
 * @salt:     16 secret random bytes
 *
 * Return: OM_OK or OM_E_RANGE.
 */
OM_MUST enum om_err om_records_init(struct om_records *s, unsigned max, const struct om_id *self,
                                    const struct om_id *network, const uint8_t salt[static 16]);

/** om_records_fini() - release @s. */
void om_records_fini(struct om_records *s);

/**
 * om_records_put() - keep an entry whose signature was checked
 * @s:    the store
 * @e:    the entry; its bytes are copied
 * @out:  what is held under that key now, lent; NULL when nothing is
 *
 * Return: what became of it.
 */
enum om_records_put om_records_put(struct om_records *s, const struct om_entry *e,
                                   struct om_held **out);

/** om_records_wants() - would the record of @id, which is not there, be kept in @s? */
bool om_records_wants(const struct om_records *s, const struct om_id *id);

/** om_records_find() - the record of @id in @s, lent, or NULL. */
struct om_held *om_records_find(const struct om_records *s, const struct om_id *id);

/** om_records_find_item() - what @id published on @channel, lent from @s, or NULL. */
struct om_held *om_records_find_item(const struct om_records *s, const struct om_id *id,
                                     const char *channel);

/** om_records_get() - what is held in @s under the key of @e, lent, or NULL. */
struct om_held *om_records_get(const struct om_records *s, const struct om_entry *e);

/** om_records_by_hash() - what is held in @s whose om_entry_hash() is @hash, lent, or NULL. */
struct om_held *om_records_by_hash(const struct om_records *s, uint64_t hash);

/** om_records_bucket() - which of the digest's buckets @hash counts towards. */
unsigned om_records_bucket(uint64_t hash);

/** om_records_pin() - the record @h of @s stays whatever comes; at most half of all: then false. */
bool om_records_pin(struct om_records *s, struct om_held *h);

/** om_records_pin_id() - the record of @id stays in @s, also if it comes later; at most
 *  OM_RECORDS_NAMED, and a quarter of all: then false. */
bool om_records_pin_id(struct om_records *s, const struct om_id *id);

/** om_records_unpin() - @h of @s is one among others again. */
void om_records_unpin(struct om_records *s, struct om_held *h);

/** om_records_subscribe() - items of @channel stay longest in @s. Return: OM_OK, OM_E_FULL,
 *  OM_E_RANGE. */
enum om_err om_records_subscribe(struct om_records *s, const char *channel);

/** om_records_is_subscribed() - is @channel one of those of @s? */
bool om_records_is_subscribed(const struct om_records *s, const char *channel);

/** om_records_expire() - drop from @s what is past @wall_s. Return: how many. */
unsigned om_records_expire(struct om_records *s, uint32_t wall_s);

/** om_records_entry() - @h as an entry into @out; points into @h. */
void om_records_entry(const struct om_held *h, struct om_entry *out);

/** om_records_bytes() - memory that @s takes up, tables included. */
size_t om_records_bytes(const struct om_records *s);

#endif
