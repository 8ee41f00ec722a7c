/*
 * child.h - the process that is killed
 *
 * What:  opens the store and writes numbers as fast as it can, telling its parent through a pipe
 *        which ones are saved, and through shared memory when a transaction is open.
 * Why:   what a daemon acknowledged must be there after kill -9, wherever that hit.
 */
#ifndef OM_TESTS_CHILD_H
#define OM_TESTS_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <omerta/act.h>

enum { SLOTS = 512 /* number n is kept as the value of peer n % SLOTS */ };

struct child {
    const char *path;  /* of mesh.db */
    int acks;          /* a pipe: u64 after u64, each says that it and all before it are saved */
    uint64_t first;    /* number to begin with */
    uint64_t seed;     /* of the sizes of transactions */
    bool is_lying;     /* acknowledge at once */
    atomic_int *write; /* shared: 1 while a transaction is open */
};

/** child_run() - write until killed; exits with 1 when @c cannot. */
_Noreturn void child_run(const struct child *c);

/** child_slot() - the peer id under which number @n is kept. */
struct om_id child_slot(uint64_t n);

#endif
