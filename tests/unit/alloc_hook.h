/*
 * alloc_hook.h - the allocator of a test program: counts, fails on demand, and notices leaks
 *
 * What:  the linker's --wrap sends every allocation of ours here; om_hook_start() begins to count,
 *        and lets one allocation fail.
 * Why:   the product then carries no test code. Blocks are remembered by address, so memory that a
 *        library allocated and we free is no leak, and no false credit for one either.
 * Keeps: harness_oom_counts_every_allocator; harness_oom_ignores_foreign_memory.
 *
 * Hooked: malloc, calloc, realloc, reallocarray, strdup, strndup, aligned_alloc, posix_memalign,
 * free, sodium_malloc, sodium_free. What libraries allocate for themselves neither fails nor
 * counts; jansson can be asked to come here (json_hook.h).
 */
#ifndef OM_TESTS_ALLOC_HOOK_H
#define OM_TESTS_ALLOC_HOOK_H

#include <stdbool.h>
#include <stddef.h>

enum { OM_HOOK_SLOTS = 1 << 16 }; /* remembers half as many live blocks, then stops judging leaks */

/**
 * om_hook_start() - count allocations from now on, once per process
 * @fail_at:  the number, from 1, of the allocation that fails; 0 lets none fail
 */
void om_hook_start(unsigned long fail_at);

/**
 * om_hook_count() - allocations since om_hook_start()
 *
 * Return: how many, including the one that failed.
 */
unsigned long om_hook_count(void);

/**
 * om_hook_hit() - was an allocation made to fail?
 *
 * Return: true from that moment on.
 */
bool om_hook_hit(void);

/**
 * om_hook_leak() - the oldest block since om_hook_start() that is still alive
 *
 * Return: the number of its allocation, or 0 when all were freed or there were too many to tell.
 */
unsigned long om_hook_leak(void);

/**
 * om_hook_watch() - look for a secret in what is freed from now on, also by realloc()
 * @bytes:  borrowed until the next call; NULL: no more
 * @n:      how many
 */
void om_hook_watch(const void *bytes, size_t n);

/** om_hook_spilt() - how many blocks were given back with the secret in them, of all so far. */
unsigned long om_hook_spilt(void);

#endif
