/*
 * wiped.h - memory that is zero before others get it
 *
 * What:  an allocator for the texts of the control socket, and for all of jansson.
 * Why:   links and keys cross that socket as JSON; what free() leaves of them would lie in the heap
 *        for as long as the daemon runs.
 * Keeps: test_no_secret_outside_locked_memory.
 *
 * Source: malloc_usable_size(3): all of that is ours, and zero is written there before free().
 */
#ifndef OM_IPC_WIPED_H
#define OM_IPC_WIPED_H

#include <stddef.h>

#include <omerta/attr.h>

/** om_wiped_json() - from now on jansson wipes what it frees: before its first use, once a process.
 *  A text of json_dumps() is its caller's, to be given to om_wiped_free(). */
void om_wiped_json(void);

/** om_wiped_free() - wipe all of @p, which malloc() gave, and free it; NULL is fine. */
void om_wiped_free(void *p);

/**
 * om_wiped_grow() - more room
 * @p:     from malloc(), or NULL; gone afterwards, unless NULL is returned
 * @used:  bytes of it to be kept
 * @cap:   bytes wanted, at least @used
 *
 * Return: the room; NULL without memory, and @p is as it was.
 */
OM_MUST void *om_wiped_grow(void *p, size_t used, size_t cap);

#endif
