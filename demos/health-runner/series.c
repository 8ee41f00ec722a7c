/* series.c - an array that grows, and walks over it. */
#include "series.h"

#include <stdlib.h>

enum { FIRST_ROOM = 256, MS = 1000 };

void om_series_fini(struct om_series *s)
{
    free(s->probes);
    *s = (struct om_series){0};
}

bool om_series_sent(struct om_series *s, om_time at)
{
    if (s->count == OM_SERIES_MAX)
        return false;
    if (s->count == s->room) {
        unsigned room = s->room ? 2 * s->room : FIRST_ROOM;
        struct om_probe *more = reallocarray(s->probes, room, sizeof *more);

        if (!more)
            return false;
        s->probes = more;
        s->room = room;
    }
    s->probes[s->count++] = (struct om_probe){at, -1};
    return true;
}

void om_series_answered(struct om_series *s, unsigned number, om_time at)
{
    if (number >= s->count || s->probes[number].rtt >= 0 || at < s->probes[number].sent)
        return;
    s->probes[number].rtt = at - s->probes[number].sent;
    s->answered++;
}

double om_series_loss(const struct om_series *s)
{
    return s->count ? 100.0 * (s->count - s->answered) / s->count : 0;
}

static int by_size(const void *a, const void *b)
{
    om_time x = *(const om_time *)a, y = *(const om_time *)b;

    return (x > y) - (x < y);
}

/* Round trips, or arrivals, of all that was answered, in order; NULL: no memory, or none. */
static om_time *sorted(const struct om_series *s, bool is_arrival)
{
    om_time *all = s->answered ? calloc(s->answered, sizeof *all) : NULL;
    unsigned n = 0;

    for (unsigned i = 0; all && i < s->count; i++)
        if (s->probes[i].rtt >= 0)
            all[n++] = s->probes[i].rtt + (is_arrival ? s->probes[i].sent : 0);
    if (all)
        qsort(all, n, sizeof *all, by_size);
    return all;
}

double om_series_percentile(const struct om_series *s, double percent)
{
    om_time *all = sorted(s, false);
    double at = percent / 100 * s->answered;
    unsigned n = (unsigned)at;
    double ms;

    if (!all)
        return -1;
    /* The nearest rank: the least that this share of them does not exceed. */
    n = n < at || n == 0 ? n + 1 : n;
    ms = (double)all[(n > s->answered ? s->answered : n) - 1] / MS;
    free(all);
    return ms;
}

double om_series_silence(const struct om_series *s, om_time from, om_time to)
{
    om_time *all = sorted(s, true);
    om_time last = from, most = 0;

    for (unsigned i = 0; all && i < s->answered; i++) {
        if (all[i] <= from || all[i] > to)
            continue;
        most = all[i] - last > most ? all[i] - last : most;
        last = all[i];
    }
    free(all);
    return (double)(to - last > most ? to - last : most) / MS;
}

double om_series_after(const struct om_series *s, om_time at)
{
    om_time first = OM_NEVER;

    for (unsigned i = 0; i < s->count; i++)
        if (s->probes[i].rtt >= 0 && s->probes[i].sent + s->probes[i].rtt > at)
            first = om_time_min(first, s->probes[i].sent + s->probes[i].rtt);
    return first == OM_NEVER ? -1 : (double)(first - at) / MS;
}

bool om_series_carried(const struct om_series *s, om_time since)
{
    for (unsigned i = s->count; i-- > 0 && s->probes[i].sent > since;)
        if (s->probes[i].rtt >= 0)
            return true;
    return false;
}

unsigned om_series_between(const struct om_series *s, om_time from, om_time to)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->count; i++) {
        om_time came = s->probes[i].sent + s->probes[i].rtt;
        n += s->probes[i].rtt >= 0 && came > from && came <= to;
    }
    return n;
}
