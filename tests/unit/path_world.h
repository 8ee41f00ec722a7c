/*
 * path_world.h - one end of paths, and a world that answers its challenges or does not
 *
 * What:  ways with a round trip each, virtual time, and what the paths told.
 * Why:   a test says which way lives when, and reads which one carries.
 */
#ifndef OM_TESTS_PATH_WORLD_H
#define OM_TESTS_PATH_WORLD_H

#include "harness.h"

#include "path/paths.h"

enum { WAYS = 24, FLIGHT_MAX = 256, LOG_MAX = 64 };

/* What lies behind one path. */
struct way {
    struct om_via via;
    om_time rtt; /* OM_NEVER: nothing comes back */
    unsigned asked;
};

struct world {
    struct om_paths ps;
    om_time now;
    struct way ways[WAYS];
    unsigned way_count;
    struct {
        om_time at;
        uint64_t token;
    } flight[FLIGHT_MAX];
    unsigned flying, asked, proven, failed, moved;
    uint64_t token;
    enum om_paths_why why; /* of the last move */
    om_time moved_at;
};

static inline struct om_via via(unsigned n, uint32_t lane)
{
    struct om_via v = {.socket = n + 1, .lane = lane};

    return v;
}

static inline struct way *way_of(struct world *w, const struct om_via *v)
{
    for (unsigned i = 0; i < w->way_count; i++)
        if (om_via_equal(&w->ways[i].via, v))
            return &w->ways[i];
    return NULL;
}

/* @ms: round trip; 0: it swallows everything. */
static inline struct om_via *way(struct world *w, unsigned ms, uint32_t lane)
{
    struct way *v = &w->ways[w->way_count];

    CHECK(w->way_count < WAYS);
    *v = (struct way){.via = via(w->way_count, lane), .rtt = ms ? OM_MS(ms) : OM_NEVER};
    w->way_count++;
    return &v->via;
}

static inline void begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->now = OM_SEC(100);
    om_paths_init(&w->ps);
}

/* All that is due now is done, and noted. */
static inline void drain(struct world *w)
{
    struct om_paths_act a;

    for (unsigned n = 0; om_paths_deadline(&w->ps) <= w->now; n++) {
        CHECK(n < 200);
        if (!om_paths_next(&w->ps, w->now, ++w->token, &a))
            continue;
        struct way *to = way_of(w, &a.via);
        switch (a.kind) {
        case OM_PATHS_CHALLENGE:
            w->asked++;
            if (to)
                to->asked++;
            if (!to || to->rtt == OM_NEVER)
                break;
            CHECK(w->flying < FLIGHT_MAX);
            w->flight[w->flying].at = w->now + to->rtt;
            w->flight[w->flying++].token = w->token;
            break;
        case OM_PATHS_PROVEN:
            w->proven++;
            break;
        case OM_PATHS_FAILED:
            w->failed++;
            break;
        case OM_PATHS_MOVED:
            w->moved++;
            w->why = a.why;
            w->moved_at = w->now;
            break;
        }
    }
}

/* Lets @ms pass; answers come when they are due. */
static inline void pass(struct world *w, unsigned ms)
{
    om_time end = w->now + OM_MS(ms);

    for (drain(w);; drain(w)) {
        om_time at = om_paths_deadline(&w->ps);
        int next = -1;
        for (unsigned i = 0; i < w->flying; i++)
            if (w->flight[i].at <= at) {
                at = w->flight[i].at;
                next = (int)i;
            }
        if (at > end)
            break;
        CHECK(at >= w->now);
        w->now = at;
        if (next < 0)
            continue;
        uint64_t token = w->flight[next].token;
        w->flight[next] = w->flight[--w->flying];
        CHECK(om_paths_answered(&w->ps, w->now, token));
    }
    w->now = end;
}

/* As pass(), with data going out every 10 ms, and acknowledged over what lives. */
static inline void pass_busy(struct world *w, unsigned ms)
{
    for (unsigned i = 0; i < ms; i += 10) {
        int a = w->ps.active;
        const struct way *v = a < 0 ? NULL : way_of(w, &w->ps.all[a].via);
        om_paths_used(&w->ps, w->now);
        if (v && v->rtt != OM_NEVER)
            om_rtt_sample(&w->ps.all[a].rtt, v->rtt);
        pass(w, 10);
    }
}

static inline bool carries(const struct world *w, const struct om_via *v)
{
    const struct om_path *p = om_paths_active(&w->ps);

    return p && om_via_equal(&p->via, v);
}

/* A handshake over @v; what else is known is then measured. */
static inline void shake(struct world *w, const struct om_via *v)
{
    om_paths_shaken(&w->ps, w->now, v);
    drain(w);
}

static inline void measured(struct world *w, const struct om_via *v, unsigned ms)
{
    struct om_path *p = om_paths_find(&w->ps, v);

    way_of(w, v)->rtt = OM_MS(ms);
    p->rtt = (struct om_rtt){.smoothed = OM_MS(ms), .latest = OM_MS(ms), .least = OM_MS(ms)};
}

/* One path that carried for a while, both ways. */
static inline const struct om_via *settled(struct world *w, unsigned ms)
{
    begin(w);
    const struct om_via *v = way(w, ms, 0);
    shake(w, v);
    pass_busy(w, 1000);
    om_paths_heard(&w->ps, w->now, v, 1000, true);
    measured(w, v, ms);
    w->now += OM_MS(1);
    return v;
}

#endif
