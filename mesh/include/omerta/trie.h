/*
 * trie.h - longest prefix match over addresses
 *
 * What:  a binary trie with compressed paths, over 16-byte addresses; IPv4 is mapped
 *        (::ffff:0:0/96), so one tree serves both families and 10.0.0.0/8 is 104 bits long.
 * Why:   routes, egress policy and filters ask "which of these networks is this address in", for
 *        each packet: at most one step per stored prefix that contains the address.
 * Keeps: trie_finds_the_longest_prefix; trie_keeps_families_apart; trie_refusal_changes_nothing;
 *        trie_walks_in_prefix_order; trie_walk_survives_changes.
 *
 * Source: Morrison, "PATRICIA" (J. ACM 15(4), 1968); RFC 4291 section 2.5.5.2.
 */
#ifndef OMERTA_TRIE_H
#define OMERTA_TRIE_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>

enum {
    OM_TRIE_MAX = 1 << 24, /* entries */
    OM_TRIE_BITS = 128     /* of an address */
};

struct om_trie_node;

/* Read freely; write only through om_trie_*(). Nodes are named by their place, 0 = none. */
struct om_trie {
    struct om_trie_node *nodes; /* owned; NULL until put */
    uint32_t cap;               /* nodes that fit */
    uint32_t used;              /* nodes and freed places, the one without name included */
    uint32_t spare;             /* a freed place, which names the next one */
    uint32_t root;
    uint32_t count; /* entries */
    uint32_t max;
};

/* One entry, and the place of a walk. */
struct om_trie_entry {
    uint8_t ip[16];
    unsigned bits;
    void *value; /* NULL only before the walk starts */
};

/**
 * om_trie_init() - an empty trie; allocates nothing yet
 * @t:            storage of the caller
 * @max_entries:  1 to OM_TRIE_MAX; memory grows by doubling as they come, two nodes per entry
 *
 * Return: OM_OK, or OM_E_RANGE (@t is then a trie that is always full).
 */
OM_MUST enum om_err om_trie_init(struct om_trie *t, unsigned max_entries);

/** om_trie_fini() - release @t, which may be zeroed; the values are the caller's to free. */
void om_trie_fini(struct om_trie *t);

/**
 * om_trie_put() - add a prefix
 * @t:      the trie
 * @ip:     16 bytes, copied; bits after the first @bits are ignored
 * @bits:   length of the prefix, 0 to 128; an IPv4 prefix has 96 more than usually written
 * @value:  not NULL, which means "none" in find; stays the caller's
 *
 * Return: OM_OK; OM_E_RANGE for @bits; OM_E_EXISTS, OM_E_FULL or OM_E_NO_MEM, with nothing changed.
 */
OM_MUST enum om_err om_trie_put(struct om_trie *t, const uint8_t ip[static 16], unsigned bits,
                                void *value);

/** om_trie_remove() - the value of exactly the prefix @ip/@bits, no longer in @t; or NULL. */
void *om_trie_remove(struct om_trie *t, const uint8_t ip[static 16], unsigned bits);

/** om_trie_find() - the value of the longest prefix in @t that the address @ip is in; or NULL. */
void *om_trie_find(const struct om_trie *t, const uint8_t ip[static 16]);

/** om_trie_exact() - the value in @t of exactly the prefix @ip/@bits; or NULL. */
void *om_trie_exact(const struct om_trie *t, const uint8_t ip[static 16], unsigned bits);

/** om_trie_count() - entries in @t. */
static inline unsigned om_trie_count(const struct om_trie *t)
{
    return t->count;
}

/**
 * om_trie_next() - walk the entries by address, a shorter prefix before those inside it
 * @t:  may change in any way during the walk
 * @e:  zeroed at the start; replaced by the next entry after the one it holds
 *
 * Return: false at the end, with @e untouched.
 */
bool om_trie_next(const struct om_trie *t, struct om_trie_entry *e);

#endif
