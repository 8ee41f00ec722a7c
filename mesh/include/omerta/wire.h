/*
 * wire.h - cursors: the only way received bytes are read and sent bytes are laid out
 *
 * What:  om_rd walks a byte view, om_wr fills one. An error sticks: after it, reads give zero and
 *        writes do nothing, so a decoder is straight-line code with one check at its end.
 * Why:   pointer arithmetic on hostile bytes is where memory bugs come from; here it has one place.
 * Keeps: wire_reader_never_passes_its_end; wire_error_sticks; wire_writer_never_passes_its_end;
 *        wire_round_trips_every_width; wire_empty_views_are_fine.
 *
 * Integers are big-endian on the wire (PROTOCOL, preamble) and host order in memory.
 */
#ifndef OMERTA_WIRE_H
#define OMERTA_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <omerta/attr.h>
#include <omerta/bytes.h>

struct om_rd {
    const uint8_t *p;
    const uint8_t *end;
    bool bad; /* a read went past the end; stays set */
};

struct om_wr {
    uint8_t *start;
    uint8_t *p;
    uint8_t *end;
    bool bad; /* a write did not fit; stays set, and nothing more is written */
};

/* OM_PLANT_BUG lets reads run past the end, so that the fuzzers can prove that they notice. */
#ifdef OM_PLANT_BUG
enum { OM_RD_SLACK = 64 };
#else
enum { OM_RD_SLACK = 0 };
#endif

/* Spelt out, so that compilers see one load or store and one byte swap: every packet passes. */
static inline uint32_t om_load32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void om_store32(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 24);
    at[1] = (uint8_t)(v >> 16);
    at[2] = (uint8_t)(v >> 8);
    at[3] = (uint8_t)v;
}

static inline struct om_rd om_rd(struct om_bytes in)
{
    /* An empty view may have no pointer, and C forbids arithmetic on NULL. */
    const uint8_t *p = in.n > 0 ? in.p : (const uint8_t *)"";

    return (struct om_rd){p, p + in.n, false};
}

static inline size_t om_rd_left(const struct om_rd *r)
{
    return (r->bad || r->p >= r->end) ? 0 : (size_t)(r->end - r->p);
}

/* The next @n bytes, lent from the input; NULL once the cursor is bad. */
static inline const uint8_t *om_rd_take(struct om_rd *r, size_t n)
{
    if (r->bad || n > om_rd_left(r) + OM_RD_SLACK) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *at = r->p;
    r->p += n;
    return at;
}

/* The next @n bytes as a view; empty once the cursor is bad. */
static inline struct om_bytes om_rd_bytes(struct om_rd *r, size_t n)
{
    const uint8_t *at = om_rd_take(r, n);
    return at ? om_bytes(at, n) : om_bytes(NULL, 0);
}

/* Everything that is left. */
static inline struct om_bytes om_rd_rest(struct om_rd *r)
{
    return om_rd_bytes(r, om_rd_left(r));
}

static inline void om_rd_copy(struct om_rd *r, void *dst, size_t n)
{
    const uint8_t *at = om_rd_take(r, n);
    if (at)
        memcpy(dst, at, n);
    else
        memset(dst, 0, n);
}

/* An @n-byte big-endian integer, @n from 1 to 8. */
static inline uint64_t om_rd_uint(struct om_rd *r, size_t n)
{
    const uint8_t *at = om_rd_take(r, n);
    uint64_t v = 0;

    for (size_t i = 0; at && i < n; i++)
        v = v << 8 | at[i];
    return v;
}

static inline uint8_t om_rd_u8(struct om_rd *r)
{
    return (uint8_t)om_rd_uint(r, 1);
}

static inline uint16_t om_rd_u16(struct om_rd *r)
{
    return (uint16_t)om_rd_uint(r, 2);
}

static inline uint32_t om_rd_u32(struct om_rd *r)
{
    const uint8_t *at = om_rd_take(r, 4);
    return at ? om_load32(at) : 0;
}

static inline uint64_t om_rd_u48(struct om_rd *r)
{
    return om_rd_uint(r, 6);
}

static inline uint64_t om_rd_u64(struct om_rd *r)
{
    const uint8_t *at = om_rd_take(r, 8);
    return at ? (uint64_t)om_load32(at) << 32 | om_load32(at + 4) : 0;
}

/* True when every read fitted and nothing is left over. */
static inline bool om_rd_done(const struct om_rd *r)
{
    return !r->bad && r->p == r->end;
}

static inline struct om_wr om_wr(struct om_mut out)
{
    return (struct om_wr){out.p, out.p, out.n > 0 ? out.p + out.n : out.p, false};
}

static inline size_t om_wr_left(const struct om_wr *w)
{
    return w->bad ? 0 : (size_t)(w->end - w->p);
}

/* Bytes written so far; 0 once the cursor is bad. */
static inline size_t om_wr_len(const struct om_wr *w)
{
    return w->bad ? 0 : (size_t)(w->p - w->start);
}

/* Room for @n bytes that the caller fills, or NULL when they do not fit. */
static inline uint8_t *om_wr_room(struct om_wr *w, size_t n)
{
    if (w->bad || n > (size_t)(w->end - w->p)) {
        w->bad = true;
        return NULL;
    }
    uint8_t *at = w->p;
    if (n > 0)
        w->p += n;
    return at;
}

static inline void om_wr_copy(struct om_wr *w, const void *src, size_t n)
{
    uint8_t *at = om_wr_room(w, n);
    if (at && n)
        memcpy(at, src, n);
}

static inline void om_wr_bytes(struct om_wr *w, struct om_bytes b)
{
    om_wr_copy(w, b.p, b.n);
}

static inline void om_wr_zero(struct om_wr *w, size_t n)
{
    uint8_t *at = om_wr_room(w, n);
    if (at && n)
        memset(at, 0, n);
}

/* @v as an @n-byte big-endian integer, @n from 1 to 8; high bytes that do not fit are our bug. */
static inline void om_wr_uint(struct om_wr *w, uint64_t v, size_t n)
{
    uint8_t *at = om_wr_room(w, n);

    OM_BUG_IF(n < 8 && v >> (8 * n) != 0);
    for (size_t i = n; at && i > 0; i--, v >>= 8)
        at[i - 1] = (uint8_t)v;
}

static inline void om_wr_u8(struct om_wr *w, uint8_t v)
{
    om_wr_uint(w, v, 1);
}

static inline void om_wr_u16(struct om_wr *w, uint16_t v)
{
    om_wr_uint(w, v, 2);
}

static inline void om_wr_u32(struct om_wr *w, uint32_t v)
{
    uint8_t *at = om_wr_room(w, 4);
    if (at)
        om_store32(at, v);
}

static inline void om_wr_u48(struct om_wr *w, uint64_t v)
{
    om_wr_uint(w, v & 0xffffffffffff, 6);
}

static inline void om_wr_u64(struct om_wr *w, uint64_t v)
{
    uint8_t *at = om_wr_room(w, 8);
    if (at) {
        om_store32(at, (uint32_t)(v >> 32));
        om_store32(at + 4, (uint32_t)v);
    }
}

#endif
