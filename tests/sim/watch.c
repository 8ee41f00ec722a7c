/* watch.c - gaps and losses in what one node is delivered by another. */
#include "watch.h"

void sim_watch_start(struct sim_world *w, struct sim_actor *a, struct sim_actor *b)
{
    struct sim_pair *p = sim_pair(w, a, b);

    if (!p->watch)
        p->watch = sim_alloc(sizeof *p->watch);
    *p->watch = (struct sim_watch){.last = w->now, .first = sim_pair(w, b, a)->seq};
}

void sim_watch_got(struct sim_pair *p, uint64_t seq, om_time now)
{
    struct sim_watch *watch = p->watch;

    if (!watch)
        return;
    if (now - watch->last > watch->gap)
        watch->gap = now - watch->last;
    watch->last = now;
    watch->got += seq >= watch->first;
}

om_time sim_watch_gap(const struct sim_pair *p)
{
    return p->watch ? p->watch->gap : 0;
}

uint64_t sim_watch_missing(struct sim_world *w, const struct sim_pair *p)
{
    return p->watch ? sim_pair(w, p->other, p->self)->seq - p->watch->first - p->watch->got : 0;
}
