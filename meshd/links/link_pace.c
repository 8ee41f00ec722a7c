/* link_pace.c - moments in which a link is not read. */
#include "links/link_pace.h"

enum { DEBT_MAX_MS = LINK_PACE_FREE_MS + LINK_PACE_REST_MAX_MS };

/* More of one thing can only be the most that is owed. */
static om_time price(uint64_t count, om_time each)
{
    return count < (uint64_t)(OM_MS(DEBT_MAX_MS) / each) ? (om_time)count * each
                                                         : OM_MS(DEBT_MAX_MS);
}

static void owe(struct link_pace *p, om_time now, struct link_waste waste)
{
    om_time paid = now - p->debt_at;

    p->debt = paid < p->debt ? p->debt - paid : 0;
    p->debt += price(waste.frames - p->waste.frames, LINK_PACE_FRAME_US) +
               price(waste.calls - p->waste.calls, LINK_PACE_CALL_US);
    p->debt = om_time_min(p->debt, OM_MS(DEBT_MAX_MS));
    p->debt_at = now;
    p->waste = waste;
}

om_time link_pace_read(struct link_pace *p, om_time now, size_t bytes, struct link_waste waste)
{
    owe(p, now, waste);
    if (p->debt > OM_MS(LINK_PACE_FREE_MS)) {
        p->bytes = 0; /* a moment begins with what comes then */
        p->since = now - OM_MS(LINK_PACE_MS);
        return now + p->debt - OM_MS(LINK_PACE_FREE_MS);
    }
    if (now - p->since >= OM_MS(LINK_PACE_MS)) {
        p->since = now;
        p->bytes = 0;
    }
    p->bytes += bytes;
    return p->bytes < LINK_PACE_BURST_BYTES ? OM_NEVER : now + OM_MS(LINK_PACE_MS);
}
