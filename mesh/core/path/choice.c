/* choice.c - scores compared, and when they are not to be trusted. */
#include "path/choice.h"

/* The score; while data has a relay, that of the lane and of direct ways without most of what is
 * their variation when they are new, half of a round trip: data would stay until that has shrunk.
 * Who comes from a lane has copies there, and a guess is not left for another (is_guess). */
static om_time cost(const struct om_paths *ps, const struct om_path *p)
{
    const struct om_path *active = ps->active < 0 ? NULL : &ps->all[ps->active];
    bool is_of_both = active && active->via.lane != 0 && (p == active || p->via.lane == 0);

    return om_path_score(p) -
           (is_of_both && p->fresh < OM_PATHS_SAMPLES ? 3 * p->rtt.variation : 0);
}

int om_choice_best(const struct om_paths *ps, int not, om_time since)
{
    int b = -1;

    for (int i = 0; i < (int)ps->count; i++) {
        const struct om_path *p = &ps->all[i];
        if (i != not &&p->state == OM_PATH_VALID && p->proven >= since &&
            (b < 0 || cost(ps, p) < cost(ps, &ps->all[b])))
            b = i;
    }
    return b;
}

bool om_choice_is_better(const struct om_paths *ps, const struct om_path *a,
                         const struct om_path *b)
{
    bool to_lane = a->via.lane != 0 && b->via.lane == 0;
    /* Most of the variation is what data does to a way: no reason to give it to a relay, which
     * carries little. */
    om_time has = cost(ps, b) - (to_lane ? 3 * b->rtt.variation : 0), gain = has - cost(ps, a);

    if (b->via.lane != 0 && a->via.lane == 0 && b->rtt.smoothed == 0)
        return true; /* a relay's help that nobody measured is not worth keeping */
    return a->rtt.smoothed != 0 && b->rtt.smoothed != 0 && gain > OM_MS(OM_PATHS_GAIN_MS) &&
           gain * 100 > has * OM_PATHS_GAIN_PERCENT;
}

/* Is what is known of the active path, a direct one, too little to leave it for a better score? The
 * first samples count for more than they took: 4 rttvar of one are twice its round trip, of 14 less
 * than an eighth of it. Where data flows its ACKs have told as much. */
static bool is_guess(const struct om_paths *ps)
{
    const struct om_path *active = &ps->all[ps->active];

    return active->via.lane == 0 && active->fresh < OM_PATHS_SAMPLES &&
           32 * active->rtt.variation > active->rtt.smoothed;
}

/* Is @p a lane that was measured before the direct way had the data that it has now? What slows
 * that down may be on the way to the relay, too. */
static bool is_hearsay(const struct om_paths *ps, const struct om_path *p)
{
    return p->via.lane != 0 && ps->all[ps->active].via.lane == 0 && ps->used_at != OM_NEVER &&
           p->proven + OM_SEC(OM_PATHS_HEARSAY_S) < ps->used_at;
}

int om_choice_unknown(const struct om_paths *ps, int other)
{
    if (is_guess(ps))
        return ps->active;
    return is_hearsay(ps, &ps->all[other]) ? other : -1;
}

om_time om_choice_at(const struct om_paths *ps, const struct om_path *to)
{
    om_time at = ps->why == OM_PATHS_FIRST ? 0 : ps->moved_at + OM_SEC(OM_PATHS_DWELL_S);

    if (ps->all[ps->active].via.lane == 0 || to->via.lane != 0)
        return at;
    /* A direct way may relieve a lane. What a handshake came over was no choice; and between lanes
     * data may have moved just now: they wait for one another, not a direct way for them. */
    if (ps->why == OM_PATHS_SHAKEN || ps->crossed_at == OM_NEVER)
        return 0;
    return om_time_min(at, ps->crossed_at + OM_SEC(OM_PATHS_DWELL_S));
}
