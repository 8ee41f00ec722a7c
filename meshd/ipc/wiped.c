/* wiped.c - zero, then free. */
#include "ipc/wiped.h"

#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void om_wiped_json(void)
{
    json_set_alloc_funcs(malloc, om_wiped_free);
}

void om_wiped_free(void *p)
{
    if (p)
        explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

void *om_wiped_grow(void *p, size_t used, size_t cap)
{
    void *more = malloc(cap);

    if (!more)
        return NULL;
    if (used > 0)
        memcpy(more, p, used);
    om_wiped_free(p);
    return more;
}
