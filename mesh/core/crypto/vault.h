/*
 * vault.h - where keys live: slots that are locked into memory and wiped when given back
 *
 * What:  a fixed number of slots of one size. Locked: a slab, in chunks with guard pages, that is
 *        kept out of swap and core dumps. Plain: each slot an allocation of its own, for the
 *        simulator's thousands of nodes, whose keys protect nothing.
 * Why:   secrets in one place can be locked as a whole, and have one way of being forgotten.
 * Keeps: vault_slots_come_zeroed; vault_full_is_null; vault_give_wipes; vault_refuses_bad_sizes;
 *        vault_slots_do_not_overlap; vault_says_whether_it_is_locked;
 *        vault_many_slots_do_not_overlap; vault_lock_refused_later_is_said.
 *
 * Source: PROTOCOL section 1, last paragraph; mlock(2) and RLIMIT_MEMLOCK in getrlimit(2).
 */
#ifndef OM_CRYPTO_VAULT_H
#define OM_CRYPTO_VAULT_H

#include <stdbool.h>
#include <stddef.h>

#include <omerta/attr.h>

enum {
    OM_VAULT_ALIGN = 16, /* of every slot: any of our types */
    OM_VAULT_SLOT_MAX = 65536,
    OM_VAULT_SLOTS_MAX = 65536
};

struct om_vault;

/**
 * om_vault_new() - an empty vault
 * @slot_bytes:  1 to OM_VAULT_SLOT_MAX; rounded up to OM_VAULT_ALIGN
 * @slots:       1 to OM_VAULT_SLOTS_MAX
 * @locked:      a locked slab that grows as slots are taken, instead of an allocation per slot
 *
 * Where the limits refuse the lock, the vault works all the same: ask om_vault_is_locked().
 *
 * Return: the vault, to be freed by om_vault_free(); NULL without memory or out of range.
 */
OM_MUST struct om_vault *om_vault_new(size_t slot_bytes, unsigned slots, bool locked);

/** om_vault_free() - release @v, whose slots must all have been given back; NULL is fine. */
void om_vault_free(struct om_vault *v);

/** om_vault_is_locked() - whether all memory that @v has by now is really kept out of swap. */
bool om_vault_is_locked(const struct om_vault *v);

/** om_vault_left() - how many more slots @v can hand out. */
unsigned om_vault_left(const struct om_vault *v);

/**
 * om_vault_take() - a zeroed slot
 * @v:  keeps owning the memory
 *
 * Return: the slot, aligned to OM_VAULT_ALIGN; NULL when all are taken or without memory.
 */
OM_MUST void *om_vault_take(struct om_vault *v);

/**
 * om_vault_give() - wipe a slot and take it back
 * @v:     where it came from
 * @slot:  from om_vault_take(), once; another pointer is a bug of ours. NULL is fine
 */
void om_vault_give(struct om_vault *v, void *slot);

#endif
