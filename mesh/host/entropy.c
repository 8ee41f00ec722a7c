/* entropy.c - getrandom(), by way of libsodium, which knows its corner cases. */
#include "entropy.h"

#include <omerta/attr.h>

#include <sodium.h>

static void fill(void *self OM_UNUSED, void *dst, size_t n)
{
    randombytes_buf(dst, n);
}

struct om_rng om_entropy(void)
{
    return (struct om_rng){.fill = fill};
}
