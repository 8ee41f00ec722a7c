/* link_pace.c - moments in which a link is not read. */
#include "links/link_pace.h"

om_time link_pace_read(struct link_pace *p, om_time now, size_t bytes, uint64_t frames,
                       uint64_t waste)
{
    if (now - p->since >= OM_MS(LINK_PACE_MS))
        *p = (struct link_pace){.since = now, .frames = p->last_frames, .waste = p->last_waste};
    p->bytes += bytes;
    p->last_frames = frames;
    p->last_waste = waste;
    uint64_t came = frames - p->frames, wasted = waste - p->waste;
    if (came >= LINK_PACE_MANY && wasted > came / 2) {
        om_time cost = (om_time)(wasted < LINK_PACE_WASTE_MAX_MS * 1000ULL / LINK_PACE_WASTE_US
                                     ? wasted * LINK_PACE_WASTE_US
                                     : LINK_PACE_WASTE_MAX_MS * 1000ULL);
        p->since = now - OM_MS(LINK_PACE_MS); /* paid for */
        return now + cost;
    }
    return p->bytes < LINK_PACE_BURST_BYTES ? OM_NEVER : now + OM_MS(LINK_PACE_MS);
}
