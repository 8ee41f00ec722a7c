/*
 * keyed.h - the two ends of one session, without a handshake
 *
 * What:  an epoch, two sessions keyed from fixed split keys, a buffer on the stack and a random
 *        source that counts: what tests of sealing need.
 * Why:   a test of the envelope should not depend on Noise.
 */
#ifndef OM_TESTS_KEYED_H
#define OM_TESTS_KEYED_H

#include <string.h>

#include <omerta/buf.h>
#include <omerta/rng.h>

#include "crypto/session.h"

enum { KEYED_MEM = 16384 };

struct keyed {
    struct om_epoch epoch;
    struct om_session a, b; /* a initiated; each end's remote is the other's local */
};

static const uint32_t keyed_index_a = 0xa1a2a3a4, keyed_index_b = 0xb1b2b3b4;
static const uint8_t keyed_secret[32] = {1, 2, 3};
static const uint8_t keyed_first[32] = {4, 5, 6};
static const uint8_t keyed_second[32] = {7, 8, 9};

/* Both ends into @k; false, with nothing to release, when memory is out. */
static inline bool keyed_init(struct keyed *k, enum om_cipher_id cipher, bool audit)
{
    struct om_session_keys keys = {
        .first = keyed_first,
        .second = keyed_second,
        .cipher = om_cipher_get(cipher),
        .epoch = &k->epoch,
        .local = keyed_index_a,
        .remote = keyed_index_b,
        .initiated = true,
        .audit = audit,
    };
    struct om_limits limits;

    memset(k, 0, sizeof *k);
    om_limits_default(&limits);
    om_epoch_derive(&k->epoch, 1, keyed_secret);
    if (om_session_init(&k->a, &keys, 0, &limits) != OM_OK)
        return false;
    keys.local = keyed_index_b;
    keys.remote = keyed_index_a;
    keys.initiated = false;
    if (om_session_init(&k->b, &keys, 0, &limits) == OM_OK)
        return true;
    om_session_fini(&k->a);
    return false;
}

static inline void keyed_fini(struct keyed *k)
{
    om_session_fini(&k->a);
    om_session_fini(&k->b);
}

struct packet {
    struct om_buf buf;
    uint8_t mem[KEYED_MEM];
};

/* @n bytes of text that differ from place to place, with exactly @head and @tail bytes around. */
static inline struct om_buf *packet_fill(struct packet *p, size_t head, size_t n, size_t tail)
{
    OM_BUG_IF(head + n + tail > sizeof p->mem);
    p->buf = (struct om_buf){.mem = p->mem, .cap = head + n + tail, .at = head, .len = n};
    for (size_t i = 0; i < n; i++)
        p->mem[head + i] = (uint8_t)(i * 31 + n);
    return &p->buf;
}

/* 0, 1, 2 ... 255, 0 ...: @self is a uint8_t. */
static inline void count_up(void *self, void *dst, size_t n)
{
    uint8_t *next = self, *at = dst;

    for (size_t i = 0; i < n; i++)
        at[i] = (*next)++;
}

#endif
