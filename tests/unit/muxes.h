/*
 * muxes.h - two muxes and a pipe, for tests
 *
 * What:  packets go over at once and are acknowledged at once; one that finds no memory is lost.
 * Why:   a test of a rule wants two sides that talk, without thinking of packets.
 */
#ifndef OM_TESTS_MUXES_H
#define OM_TESTS_MUXES_H

#include "harness.h"

#include "stream/mux.h"

enum { MUXES_PACKET = 1200 };

struct muxes {
    struct om_mux m[2]; /* 0 has the lower key */
    om_time now, rtt;
    enum om_err error; /* the last protocol error */
    uint64_t packets;
};

static inline void muxes_init(struct muxes *p)
{
    *p = (struct muxes){.now = OM_SEC(1), .rtt = OM_MS(10)};
    om_mux_init(&p->m[0], true, p->now);
    om_mux_init(&p->m[1], false, p->now);
}

static inline void muxes_fini(struct muxes *p)
{
    om_mux_fini(&p->m[0]);
    om_mux_fini(&p->m[1]);
}

/* Frames of @bytes into side @to. */
static inline enum om_err muxes_give(struct muxes *p, unsigned to, struct om_bytes bytes)
{
    struct om_rd r = om_rd(bytes);
    enum om_err e = OM_OK;
    struct om_frame f;

    while (e == OM_OK && om_frame_next(&r, &f) == OM_OK)
        e = om_mux_input(&p->m[to], p->now, p->rtt, &f);
    if (e != OM_OK && e != OM_E_NO_MEM)
        p->error = e;
    return e;
}

/* One packet from side @from; false when it had nothing to send. */
static inline bool muxes_move_one(struct muxes *p, unsigned from)
{
    struct om_sent_frame notes[OM_SENT_FRAMES_MAX];
    uint8_t bytes[MUXES_PACKET];
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));
    unsigned n = om_mux_fill(&p->m[from], &w, notes, OM_SENT_FRAMES_MAX);
    bool arrived = muxes_give(p, 1 - from, om_bytes(bytes, om_wr_len(&w))) == OM_OK;

    p->packets += n > 0;
    p->now += 10;
    for (unsigned i = 0; i < n; i++)
        om_mux_on_fate(&p->m[from], p->now, &notes[i], arrived);
    return n > 0;
}

/* Until both sides have nothing to send. */
static inline void muxes_move(struct muxes *p)
{
    bool moved;

    do {
        moved = muxes_move_one(p, 0);
        moved |= muxes_move_one(p, 1);
    } while (moved && p->error == OM_OK);
}

/* The bits of all news of side @who about @s; news about others are lost. */
static inline unsigned muxes_news(struct muxes *p, unsigned who, const struct om_stream *s)
{
    const struct om_stream *at;
    unsigned all = 0, bits;

    while ((at = om_mux_news(&p->m[who], &bits)) != NULL)
        all |= at == s ? bits : 0;
    return all;
}

#endif
