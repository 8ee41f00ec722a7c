/* rogue.c - a score that time lowers. */
#include "guard/rogue.h"

enum { POINT = 1000000 }; /* so that one microsecond takes exactly OM_ROGUE_DECAY millionths */

static const uint64_t score_max = (uint64_t)UINT32_MAX * POINT;

void om_rogue_init(struct om_rogue *r, om_time now)
{
    *r = (struct om_rogue){.at = now,
                           .threshold = {[OM_ROGUE_WARN] = OM_ROGUE_WARN_AT,
                                         [OM_ROGUE_PAUSE] = OM_ROGUE_PAUSE_AT,
                                         [OM_ROGUE_KILL] = OM_ROGUE_KILL_AT}};
}

static uint64_t decayed(const struct om_rogue *r, om_time now)
{
    uint64_t gone = now > r->at ? (uint64_t)now - (uint64_t)r->at : 0;

    return gone >= r->score / OM_ROGUE_DECAY + 1 ? 0 : r->score - gone * OM_ROGUE_DECAY;
}

uint32_t om_rogue_score(const struct om_rogue *r, om_time now)
{
    return (uint32_t)(decayed(r, now) / POINT);
}

enum om_rogue_level om_rogue_note(struct om_rogue *r, om_time now, uint32_t points)
{
    enum om_rogue_level reached = OM_ROGUE_NONE;

    if (points == 0)
        return OM_ROGUE_NONE;
    r->score = decayed(r, now);
    r->at = now > r->at ? now : r->at;
    if (r->score == 0)
        r->told = OM_ROGUE_NONE;
    r->score += (uint64_t)points * POINT;
    r->score = r->score < score_max ? r->score : score_max;
    for (unsigned i = OM_ROGUE_WARN; i < OM_ROGUE_LEVELS; i++) {
        if (r->threshold[i] > 0 && r->score >= (uint64_t)r->threshold[i] * POINT)
            reached = (enum om_rogue_level)i;
    }
    if (reached <= r->told)
        return OM_ROGUE_NONE;
    r->told = reached;
    return reached;
}
