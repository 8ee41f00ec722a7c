/* attempts.c - entries by what was tried, oldest first. */
#include "path/attempts.h"

#include <string.h>

static bool is_same(const struct om_attempt *a, const struct om_attempt *b)
{
    return a->what == b->what && om_addr_equal(&a->addr, &b->addr) &&
           om_id_equal(&a->relay, &b->relay);
}

struct om_attempt *om_attempts_find(struct om_attempts *a, const struct om_attempt *what)
{
    for (unsigned i = 0; i < a->count; i++)
        if (is_same(&a->all[i], what))
            return &a->all[i];
    return NULL;
}

static void take_out(struct om_attempts *a, unsigned i)
{
    a->count--;
    memmove(&a->all[i], &a->all[i + 1], (a->count - i) * sizeof a->all[0]);
}

static unsigned worst(const struct om_attempts *a)
{
    for (unsigned i = 0; i < a->count; i++)
        if (a->all[i].saw == OM_SAW_UNASKED)
            return i;
    return 0;
}

/* The entry of @what, moved to the end, which is the newest. */
static struct om_attempt *renew(struct om_attempts *a, om_time now, const struct om_attempt *what)
{
    const struct om_attempt *known = om_attempts_find(a, what);
    struct om_attempt e = {.what = what->what,
                           .addr = what->addr,
                           .relay = what->relay,
                           .first = now,
                           .way = "",
                           .ours = "",
                           .theirs = ""};

    if (known) {
        e = *known;
        take_out(a, (unsigned)(known - a->all));
    } else if (a->count == OM_ATTEMPTS_MAX) {
        take_out(a, worst(a));
    }
    e.at = now;
    e.origin = what->origin ? what->origin : "";
    e.reason = "";
    a->all[a->count] = e;
    return &a->all[a->count++];
}

/* Did what @e says meet silence? */
static bool is_over(const struct om_attempt *e, om_time now)
{
    return e->saw == OM_SAW_NOTHING_YET && e->what != OM_ATTEMPT_PUNCH &&
           now - e->at >= OM_ATTEMPT_PATIENCE;
}

struct om_attempt *om_attempts_begin(struct om_attempts *a, om_time now,
                                     const struct om_attempt *what)
{
    const struct om_attempt *had = om_attempts_find(a, what);
    bool was_silent = had && had->what == OM_ATTEMPT_HANDSHAKE &&
                      (had->saw == OM_SAW_SILENCE || is_over(had, now));
    struct om_attempt *e = renew(a, now, what);

    /* What is said again to who is silent does not make him less so. */
    e->saw = was_silent ? OM_SAW_SILENCE : OM_SAW_NOTHING_YET;
    e->times++;
    e->took = 0;
    return e;
}

void om_attempts_end(struct om_attempts *a, om_time now, const struct om_attempt *what,
                     enum om_attempt_saw saw, const char *reason)
{
    struct om_attempt *e = om_attempts_find(a, what);

    if (!e)
        return;
    if (saw == OM_SAW_ANSWER && e->saw != OM_SAW_ANSWER)
        e->took = now - e->at;
    e->saw = saw;
    e->reason = reason;
}

void om_attempts_unasked(struct om_attempts *a, om_time now, const struct om_attempt *what,
                         const char *reason)
{
    struct om_attempt *known = om_attempts_find(a, what);

    if (known && known->saw != OM_SAW_UNASKED) {
        known->reason = reason; /* what was seen before is worth more */
        return;
    }
    struct om_attempt *e = renew(a, now, what);
    e->saw = OM_SAW_UNASKED;
    e->reason = reason;
}

void om_attempts_won(struct om_attempts *a)
{
    for (unsigned i = 0; i < a->count; i++)
        if (a->all[i].what == OM_ATTEMPT_HANDSHAKE &&
            (a->all[i].saw == OM_SAW_NOTHING_YET || a->all[i].saw == OM_SAW_SILENCE))
            a->all[i].saw = OM_SAW_ANOTHER;
}

unsigned om_attempts_copy(const struct om_attempts *a, om_time now,
                          struct om_attempt out[static OM_ATTEMPTS_MAX])
{
    memcpy(out, a->all, a->count * sizeof a->all[0]);
    for (unsigned i = 0; i < a->count; i++)
        if (is_over(&out[i], now))
            out[i].saw = OM_SAW_SILENCE;
    return a->count;
}

const char *om_attempt_what_name(enum om_attempt_what w)
{
    static const char *const names[] = {[OM_ATTEMPT_HANDSHAKE] = "handshake",
                                        [OM_ATTEMPT_ADDRESS] = "address",
                                        [OM_ATTEMPT_LANE] = "lane",
                                        [OM_ATTEMPT_PUNCH] = "punch"};

    return (unsigned)w < OM_ATTEMPT_WHATS ? names[w] : "unknown";
}

const char *om_attempt_saw_name(enum om_attempt_saw s)
{
    static const char *const names[] = {
        [OM_SAW_NOTHING_YET] = "waiting", [OM_SAW_ANSWER] = "answer",
        [OM_SAW_SILENCE] = "silence",     [OM_SAW_ANOTHER] = "another",
        [OM_SAW_REFUSAL] = "refusal",     [OM_SAW_END] = "ended",
        [OM_SAW_UNASKED] = "unasked"};

    return (unsigned)s < OM_SAWS ? names[s] : "unknown";
}
