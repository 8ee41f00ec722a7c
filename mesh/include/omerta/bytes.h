/*
 * bytes.h - a borrowed view of bytes
 *
 * What:  pointer and length in one value, read-only or writable.
 * Why:   a length that travels with its pointer cannot be mixed up with another one.
 */
#ifndef OMERTA_BYTES_H
#define OMERTA_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct om_bytes {
    const uint8_t *p;
    size_t n;
};

struct om_mut {
    uint8_t *p;
    size_t n;
};

static inline struct om_bytes om_bytes(const void *p, size_t n)
{
    return (struct om_bytes){(const uint8_t *)p, n};
}

static inline struct om_mut om_mut(void *p, size_t n)
{
    return (struct om_mut){(uint8_t *)p, n};
}

#endif
