/* herd_lie.c - what a hostile member tells: everything that must not be believed. */
#include <stdlib.h>
#include <string.h>

#include <omerta/wire.h>

#include "herd_event.h"
#include "world.h"

enum lie { LIE_FORGED, LIE_REPLAYED, LIE_FUTURE, LIE_OVERSIZE, LIE_GARBAGE, LIE_STRANGER, LIES };

static size_t sign(const struct sim_herd *h, const struct om_identity *who, uint64_t ahead_ms,
                   uint8_t out[static OM_RECORD_MAX])
{
    uint64_t ms = (uint64_t)(HERD_EPOCH_MS + h->now / 1000) + ahead_ms;
    const struct om_record r = {
        .id = who->id, .sequence = ms, .expires = (uint32_t)(ms / 1000) + 3600};

    return om_record_encode(out, &r, who, &h->network);
}

/* Somebody's record as it is, or with a newer sequence that its signature does not cover. */
static size_t borrow(struct sim_herd *h, unsigned i, bool is_forged, uint8_t out[OM_RECORD_MAX])
{
    unsigned j = sim_herd_any(h, i);
    const struct om_held *r = om_records_find(om_gossip_store(h->nodes[j].g), &h->nodes[j].self.id);

    memcpy(out, r->bytes, r->len);
    if (is_forged) {
        struct om_wr w = om_wr(om_mut(out + 33, 6));
        om_wr_u48(&w, (uint64_t)(HERD_EPOCH_MS + h->now / 1000));
    }
    return r->len;
}

static size_t make(struct sim_herd *h, unsigned i, enum lie lie, uint8_t out[2 * OM_RECORD_MAX])
{
    struct om_identity nobody;
    uint8_t seed[32];
    size_t n = 0;

    switch (lie) {
    case LIE_FORGED:
    case LIE_REPLAYED:
        return borrow(h, i, lie == LIE_FORGED, out);
    case LIE_FUTURE:
        return sign(h, &h->nodes[i].self, 2 * 24 * 3600 * UINT64_C(1000), out);
    case LIE_OVERSIZE:
        n = borrow(h, i, false, out);
        memset(out + n, 0, 2 * OM_RECORD_MAX - n);
        return OM_RECORD_MAX + 1;
    case LIE_GARBAGE:
        for (n = 0; n < 200; n++)
            out[n] = (uint8_t)om_prng_u64(&h->prng);
        out[0] = 1;
        return n;
    case LIE_STRANGER:
        do
            for (unsigned k = 0; k < sizeof seed; k++)
                seed[k] = (uint8_t)om_prng_u64(&h->prng);
        while (om_identity_from_seed(&nobody, seed) != OM_OK);
        return sign(h, &nobody, 0, out);
    case LIES:
        break;
    }
    return n;
}

static void tell(struct sim_herd *h, unsigned i, unsigned j, enum lie what)
{
    uint8_t lie[2 * OM_RECORD_MAX];
    size_t n = make(h, i, what, lie);
    uint8_t *bytes = sim_alloc(2 + n);
    struct om_wr w = om_wr(om_mut(bytes, 2 + n));

    om_wr_u16(&w, (uint16_t)n);
    om_wr_copy(&w, lie, n);
    herd_put(h, (struct herd_event){.at = h->now + herd_latency(h),
                                    .kind = HERD_PUSH,
                                    .to = j,
                                    .from = i,
                                    .bytes = bytes,
                                    .n = 2 + n});
    h->lies++;
}

void herd_forge(struct sim_herd *h, unsigned i, unsigned n, struct om_wr *w)
{
    uint8_t lie[2 * OM_RECORD_MAX];

    for (unsigned k = 0; k < n; k++) {
        size_t len = make(h, i, LIE_FORGED, lie);
        om_wr_u16(w, (uint16_t)len);
        om_wr_copy(w, lie, len);
    }
}

void herd_lie(struct sim_herd *h, unsigned i)
{
    unsigned victim = (i + 1) % h->count;

    for (unsigned k = 0; k < HERD_LIES_TO; k++) {
        unsigned j = sim_herd_any(h, i);
        for (unsigned what = 0; what < LIES; what++)
            tell(h, i, j, (enum lie)what);
    }
    for (unsigned k = 0; k < HERD_LIES_ON && !h->nodes[victim].vice; k++)
        tell(h, i, victim, LIE_FORGED);
    herd_put(h, (struct herd_event){.at = h->now + OM_SEC(1), .kind = HERD_LIE, .to = i});
}
