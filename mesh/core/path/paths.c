/* paths.c - which path carries, and which is asked. */
#include "path/paths.h"

#include <string.h>

#include <omerta/err.h>

#include "path/choice.h"

void om_paths_init(struct om_paths *ps)
{
    memset(ps, 0, sizeof *ps);
    ps->active = ps->second = -1;
    ps->second_until = ps->suspect_at = ps->used_at = ps->crossed_at = OM_NEVER;
}

static struct om_path *at(struct om_paths *ps, int i)
{
    return i < 0 ? NULL : &ps->all[i];
}

static void tell(struct om_paths *ps, enum om_paths_act_kind kind, const struct om_path *p)
{
    if (ps->news_count == OM_PATHS_NEWS_MAX)
        memmove(ps->news, ps->news + 1, --ps->news_count * sizeof ps->news[0]);
    ps->news[ps->news_count++] = (struct om_paths_act){kind, p->via, ps->why};
}

static int find(const struct om_paths *ps, const struct om_via *via)
{
    for (unsigned i = 0; i < ps->count; i++)
        if (om_via_equal(&ps->all[i].via, via))
            return (int)i;
    return -1;
}

struct om_path *om_paths_find(struct om_paths *ps, const struct om_via *via)
{
    return at(ps, find(ps, via));
}

static void end_copies(struct om_paths *ps)
{
    ps->second = -1;
    ps->second_until = OM_NEVER;
}

static void forget(struct om_paths *ps, int i)
{
    unsigned after = ps->count - (unsigned)i - 1;

    memmove(&ps->all[i], &ps->all[i + 1], after * sizeof ps->all[0]);
    ps->count--;
    ps->active -= ps->active > i;
    if (ps->second == i)
        end_copies(ps);
    else
        ps->second -= ps->second > i;
}

/* The higher, the less is lost with @p. */
static int rank(const struct om_path *p)
{
    if (p->state == OM_PATH_FAILED)
        return 3;
    if (p->state == OM_PATH_VALID)
        return 0;
    return p->origin == OM_PATH_SAID || p->origin == OM_PATH_PUNCHED ? 2 : 1;
}

/* Who gives way to a path known by @origin; -1: nobody. */
static int victim(const struct om_paths *ps, enum om_path_origin origin)
{
    int worst = -1, least = origin == OM_PATH_SAID || origin == OM_PATH_PUNCHED ? 2 : 1;

    for (int i = 0; i < (int)ps->count; i++) {
        const struct om_path *p = &ps->all[i], *w = worst < 0 ? p : &ps->all[worst];
        if (i == ps->active || i == ps->second || rank(p) < least)
            continue;
        if (worst < 0 || rank(p) > rank(w) || (rank(p) == rank(w) && p->added < w->added))
            worst = i;
    }
    return worst;
}

/* Challenge it, unless that is under way. */
static void ask(struct om_path *p, om_time now)
{
    om_time at = now;

    if (p->ask_at != OM_NEVER && p->unanswered > 0)
        return;
    if (p->asked != OM_NEVER && (p->unanswered > 0 || p->state == OM_PATH_FAILED) &&
        p->asked + om_path_wait(p) > now)
        at = p->asked + om_path_wait(p);
    p->ask_at = om_time_min(p->ask_at, at);
}

struct om_path *om_paths_add(struct om_paths *ps, om_time now, const struct om_via *via,
                             enum om_path_origin origin)
{
    int i = find(ps, via);

    if (i >= 0)
        return &ps->all[i];
    if (ps->count == OM_PATHS_MAX) {
        int worst = victim(ps, origin);
        if (worst < 0)
            return NULL;
        forget(ps, worst);
    }
    i = (int)ps->count++;
    om_path_init(&ps->all[i], via, origin, now);
    struct om_path *active = at(ps, ps->active);
    if (active && active->rtt.smoothed == 0)
        ask(active, now); /* now there is something to compare it with */
    return &ps->all[i];
}

/* Data goes over path @i from now on; for @overlap over the old one, too. */
static void move(struct om_paths *ps, om_time now, int i, enum om_paths_why why)
{
    const struct om_path *old = at(ps, ps->active), *new = at(ps, i);

    end_copies(ps);
    if (old && why != OM_PATHS_GONE && old->state == OM_PATH_VALID) {
        om_time longer =
            om_path_wait(old) > om_path_wait(new) ? om_path_wait(old) : om_path_wait(new);
        ps->second = ps->active;
        ps->second_until = now + OM_PATHS_OVERLAPS * longer;
    }
    ps->active = i;
    ps->why = why;
    ps->moved_at = now;
    if (old && (old->via.lane != 0) != (new->via.lane != 0))
        ps->crossed_at = now;
    ps->moves += old != NULL;
    ps->suspect_at = OM_NEVER;
    tell(ps, OM_PATHS_MOVED, new);
}

/* When it is certain that the suspect active path does not answer: one challenge may get lost, and
 * nothing is lost by waiting for another, as all goes over the other path, too. */
static om_time silent_at(const struct om_path *active)
{
    if (active->state == OM_PATH_FAILED)
        return 0;
    if (active->unanswered < OM_PATHS_DECIDE)
        return OM_NEVER;
    return active->asked + om_path_wait(active);
}

/* The active path is suspect: a path that answered since takes over, or at least has copies. */
static void judge_suspect(struct om_paths *ps, om_time now)
{
    const struct om_path *active = at(ps, ps->active), *second = at(ps, ps->second);
    int witness = om_choice_best(ps, ps->active, ps->suspect_at);

    if (witness >= 0 && silent_at(active) <= now) {
        move(ps, now, witness, OM_PATHS_SILENT);
        return;
    }
    if (second && second->state == OM_PATH_VALID &&
        (witness < 0 || second->proven >= ps->suspect_at)) {
        ps->second_until = OM_NEVER;
        return;
    }
    int other = witness >= 0 ? witness : om_choice_best(ps, ps->active, 0);
    if (other >= 0) {
        ps->second = other;
        ps->second_until = OM_NEVER;
    }
}

/* Moves that what was heard and answered calls for. */
static void judge(struct om_paths *ps, om_time now)
{
    const struct om_path *active = at(ps, ps->active);
    int other;

    if (active && ps->suspect_at != OM_NEVER) {
        judge_suspect(ps, now);
        return;
    }
    other = om_choice_best(ps, ps->active, 0);
    if (other < 0)
        return; /* no other way: whatever the present one is worth */
    if (!active)
        move(ps, now, other, OM_PATHS_FIRST);
    else if (active->state == OM_PATH_FAILED)
        move(ps, now, other, OM_PATHS_SILENT);
    else if (!om_choice_is_better(ps, &ps->all[other], active))
        return;
    else if (om_choice_unknown(ps, other) >= 0)
        ask(&ps->all[om_choice_unknown(ps, other)], now);
    else if (om_choice_at(ps, &ps->all[other]) <= now)
        move(ps, now, other, OM_PATHS_BETTER);
}

/* All that was ever proven is asked whether it lives. */
static void ask_all(struct om_paths *ps, om_time now)
{
    for (unsigned i = 0; i < ps->count; i++) {
        struct om_path *p = &ps->all[i];
        if (p->proven != OM_NEVER)
            om_path_ask_anew(p, now);
        else if (p->state == OM_PATH_UNPROVEN)
            ask(p, now);
    }
}

/* The peer was heard from an unproven address. Both are asked; if that was its newest packet, the
 * new one gets copies meanwhile, of as much as it sent. */
static void maybe_moved(struct om_paths *ps, om_time now, int i, bool is_newest)
{
    struct om_path *active = at(ps, ps->active), *p = &ps->all[i];
    const struct om_path *second = at(ps, ps->second);
    bool begins = p->unanswered == 0;
    /* The one in use may have been asked before the peer left it. */
    bool is_older = active && (active->asked == OM_NEVER || active->asked < p->asked);

    if (is_newest && (!second || second->state != OM_PATH_VALID)) {
        ps->second = i;
        ps->second_until = OM_NEVER;
    }
    ask(p, now);
    if (active && (begins ? p->ask_at <= now : is_newest && is_older))
        ask(active, now);
}

/* While the peer speaks elsewhere no ACK measures @p any more: is it time to ask? */
static bool is_stale(const struct om_path *p, om_time now)
{
    return p->asked == OM_NEVER || now - p->asked >= OM_SEC(OM_PATHS_DWELL_S);
}

void om_paths_heard(struct om_paths *ps, om_time now, const struct om_via *via, size_t bytes,
                    bool is_newest)
{
    struct om_path *p = om_paths_add(ps, now, via, OM_PATH_HEARD);

    if (!p)
        return;
    int i = (int)(p - ps->all);
    om_path_heard(p, now, bytes);
    if (is_newest)
        p->spoke = now;
    if (i == ps->active) {
        if (p->state == OM_PATH_FAILED)
            ask(p, now);
        return;
    }
    if (p->state != OM_PATH_VALID)
        maybe_moved(ps, now, i, is_newest);
    else if (!is_newest)
        return;
    else if (ps->active < 0)
        move(ps, now, i, OM_PATHS_FIRST);
    else if (is_stale(&ps->all[ps->active], now))
        ask(&ps->all[ps->active], now); /* the peer may have a reason to avoid it */
}

void om_paths_shaken(struct om_paths *ps, om_time now, const struct om_via *via)
{
    struct om_path *active, *p = om_paths_add(ps, now, via, OM_PATH_SHAKEN);

    if (!p)
        return;
    int i = (int)(p - ps->all);
    bool was_valid = p->state == OM_PATH_VALID;
    om_path_shaken(p, now);
    if (p->rtt.smoothed == 0 && ps->count > 1)
        ask(p, now);
    if (!was_valid)
        tell(ps, OM_PATHS_PROVEN, p);
    active = at(ps, ps->active);
    if (i == ps->active && ps->suspect_at != OM_NEVER) {
        ps->suspect_at = OM_NEVER;
        end_copies(ps);
    }
    if (!active)
        move(ps, now, i, OM_PATHS_FIRST);
    else if (i != ps->active && (active->state != OM_PATH_VALID || active->heard == OM_NEVER ||
                                 now - active->heard > om_path_wait(active)))
        move(ps, now, i, OM_PATHS_SHAKEN);
    else
        judge(ps, now);
}

static bool is_in_use(const struct om_paths *ps, om_time now)
{
    return ps->used_at != OM_NEVER && now - ps->used_at <= OM_SEC(OM_PATHS_WARM_S);
}

/* Path @i answered, and had not been valid: is it where the peer went? Asked together with the
 * active one it was first to answer, and the peer's newest packet came over it. */
static bool is_followed(const struct om_paths *ps, int i)
{
    const struct om_path *p = &ps->all[i], *active = &ps->all[ps->active < 0 ? 0 : ps->active];

    if (ps->active < 0 || i == ps->active || p->spoke == OM_NEVER)
        return false;
    if (active->via.lane == 0 && p->via.lane != 0)
        return false; /* no new address: all begins on a relay, and the direct way is not silent */
    return active->unanswered > 0 && (active->spoke == OM_NEVER || p->spoke > active->spoke);
}

/* The peer was heard there first, it answers, and the active path has yet to though it could have:
 * which of both it is the other challenge will tell. (Copies over a quicker path end in a gap.) */
static bool is_rival(const struct om_paths *ps, int i)
{
    const struct om_path *p = &ps->all[i], *active = &ps->all[ps->active < 0 ? 0 : ps->active];

    if (ps->active < 0 || i == ps->active || p->origin != OM_PATH_HEARD)
        return false;
    return active->unanswered > 0 && 4 * p->rtt.latest >= 3 * active->rtt.smoothed;
}

/* May path @i relieve a relay, or is it that of a relay which could be? That is worth finding out
 * at rest, too. */
static bool is_upgrade(const struct om_paths *ps, int i)
{
    if (ps->active < 0 || ps->all[ps->active].via.lane == 0)
        return false;
    for (unsigned k = 0; k < ps->count; k++)
        if (ps->all[k].via.lane == 0 && ps->all[k].state == OM_PATH_VALID &&
            (i == ps->active || i == (int)k))
            return true;
    return false;
}

bool om_paths_answered(struct om_paths *ps, om_time now, uint64_t token)
{
    for (int i = 0; i < (int)ps->count; i++) {
        struct om_path *p = &ps->all[i];
        bool was_valid = p->state == OM_PATH_VALID;
        if (!om_path_answered(p, now, token))
            continue;
        if (!was_valid)
            tell(ps, OM_PATHS_PROVEN, p);
        if (i == ps->active && ps->suspect_at != OM_NEVER) {
            ps->suspect_at = OM_NEVER; /* it lives; what was under way to the other is enough */
            end_copies(ps);
        }
        bool is_compared = is_upgrade(ps, i);
        if (p->fresh < OM_PATHS_SAMPLES && (is_compared || (i != ps->active && is_in_use(ps, now))))
            p->ask_at = now; /* paced by its round trip */
        if (is_compared && !was_valid)
            ask(&ps->all[ps->active], now);
        if (!was_valid && is_followed(ps, i)) {
            /* Most likely only a port changed: RFC 9000 section 9.4 would keep the estimate. */
            p->rtt.variation = om_time_min(p->rtt.variation, ps->all[ps->active].rtt.variation);
            move(ps, now, i, OM_PATHS_FOLLOWED);
        } else if (!was_valid && is_rival(ps, i)) {
            om_paths_stalled(ps, now);
        } else if (!was_valid && i == ps->second && ps->suspect_at == OM_NEVER) {
            /* The active one answered before it did: from now on the score decides. */
            end_copies(ps);
        }
        judge(ps, now);
        return true;
    }
    return false;
}

void om_paths_stalled(struct om_paths *ps, om_time now)
{
    if (ps->active < 0 || ps->count < 2 || ps->suspect_at != OM_NEVER)
        return;
    ps->suspect_at = now;
    ask_all(ps, now);
    judge(ps, now);
}

void om_paths_used(struct om_paths *ps, om_time now)
{
    bool was_idle = !is_in_use(ps, now);

    ps->used_at = now;
    if (now - ps->judged_at >= OM_MS(OM_PATHS_JUDGE_MS)) {
        ps->judged_at = now; /* the RTT of the active path changes with every ACK */
        judge(ps, now);
    }
    if (!was_idle)
        return;
    for (int i = 0; i < (int)ps->count; i++) {
        struct om_path *p = &ps->all[i];
        if (i != ps->active && p->proven != OM_NEVER &&
            (now - p->proven > OM_SEC(OM_PATHS_WARM_S) || p->fresh < OM_PATHS_SAMPLES))
            ask(p, now);
    }
}

void om_paths_moved_network(struct om_paths *ps, om_time now)
{
    om_time next = ps->network_at + OM_MS(OM_PATHS_NETWORK_MS);

    ps->network_at = now >= next ? now : ps->network_at > now ? ps->network_at : next;
    ask_all(ps, ps->network_at);
    if (ps->network_at > now)
        return; /* it flaps */
    ps->suspect_at = OM_NEVER;
    om_paths_stalled(ps, now);
}

void om_paths_remove(struct om_paths *ps, om_time now, const struct om_via *via)
{
    int i = find(ps, via);

    if (i < 0)
        return;
    if (i == ps->active) {
        int other = om_choice_best(ps, i, 0);
        ps->suspect_at = OM_NEVER;
        ps->active = other < 0 ? -1 : ps->active;
        if (other >= 0)
            move(ps, now, other, OM_PATHS_GONE);
        else
            ask_all(ps, now);
    }
    forget(ps, i);
}

const struct om_path *om_paths_active(const struct om_paths *ps)
{
    return ps->active < 0 ? NULL : &ps->all[ps->active];
}

const struct om_via *om_paths_copy(struct om_paths *ps, om_time now, size_t bytes)
{
    struct om_path *p = at(ps, ps->second);

    if (!p)
        return NULL;
    if (ps->second_until <= now) {
        end_copies(ps);
        return NULL;
    }
    /* What is left must do for a challenge. */
    if (p->state != OM_PATH_VALID && p->credit < bytes + OM_PATH_CHALLENGE_BYTES)
        return NULL;
    (void)om_path_may_answer(p, bytes);
    ps->copies++;
    return &p->via;
}

/* When path @i is to be challenged only because data flows. */
static om_time warm_at(const struct om_paths *ps, int i)
{
    const struct om_path *p = &ps->all[i];
    bool is_cut = ps->active < 0 || ps->all[ps->active].state == OM_PATH_FAILED;
    om_time due;

    if (p->proven == OM_NEVER || p->ask_at != OM_NEVER || ps->used_at == OM_NEVER)
        return OM_NEVER;
    if (p->state == OM_PATH_FAILED) {
        unsigned doubles = p->fails < OM_PATHS_RETRY_DOUBLES ? p->fails : OM_PATHS_RETRY_DOUBLES;
        due = p->asked + (OM_SEC(OM_PATHS_RETRY_S) << (is_cut ? 0 : doubles));
    } else if (i != ps->active) {
        bool may_relieve = !is_cut && ps->all[ps->active].via.lane != 0 && p->via.lane == 0;
        due = p->proven + OM_SEC(may_relieve && p->loss > 0 ? OM_PATHS_TRIAL_S : OM_PATHS_WARM_S);
    } else {
        return OM_NEVER;
    }
    return due - ps->used_at > OM_SEC(OM_PATHS_WARM_S) ? OM_NEVER : due;
}

static bool challenge(struct om_paths *ps, om_time now, uint64_t token, int i,
                      struct om_paths_act *out)
{
    struct om_path *p = &ps->all[i];
    bool had_failed = p->state == OM_PATH_FAILED;

    if (p->origin == OM_PATH_HEARD && p->proven == OM_NEVER &&
        !om_path_may_answer(p, OM_PATH_CHALLENGE_BYTES)) {
        p->ask_at = OM_NEVER; /* until it is heard again */
        return false;
    }
    if (om_path_asked(p, now, token)) {
        *out = (struct om_paths_act){OM_PATHS_CHALLENGE, p->via, ps->why};
        return true;
    }
    if (!had_failed)
        tell(ps, OM_PATHS_FAILED, p);
    if (i == ps->second)
        end_copies(ps);
    return false;
}

bool om_paths_next(struct om_paths *ps, om_time now, uint64_t token, struct om_paths_act *out)
{
    for (int i = 0; i < (int)ps->count; i++) {
        struct om_path *p = &ps->all[i];
        if (om_time_min(p->ask_at, warm_at(ps, i)) > now)
            continue;
        if (i == ps->active && p->unanswered > 0)
            om_paths_stalled(ps, now); /* overdue: the others are asked, too */
        if (challenge(ps, now, token, i, out)) {
            judge(ps, now);
            return true;
        }
    }
    judge(ps, now);
    if (ps->second >= 0 && ps->second_until <= now)
        end_copies(ps);
    if (ps->news_count == 0)
        return false;
    *out = ps->news[0];
    memmove(ps->news, ps->news + 1, --ps->news_count * sizeof ps->news[0]);
    return true;
}

/* When data may move to a path that is better than the active one already. */
static om_time improve_at(const struct om_paths *ps)
{
    if (ps->active < 0 || ps->count < 2 || ps->suspect_at != OM_NEVER ||
        ps->all[ps->active].state == OM_PATH_FAILED)
        return OM_NEVER;
    int other = om_choice_best(ps, ps->active, 0);
    if (other < 0 || !om_choice_is_better(ps, &ps->all[other], &ps->all[ps->active]) ||
        om_choice_unknown(ps, other) >= 0)
        return OM_NEVER;
    return om_choice_at(ps, &ps->all[other]);
}

om_time om_paths_deadline(const struct om_paths *ps)
{
    om_time due = ps->second >= 0 ? ps->second_until : OM_NEVER;

    for (int i = 0; i < (int)ps->count; i++)
        due = om_time_min(due, om_time_min(ps->all[i].ask_at, warm_at(ps, i)));
    due = om_time_min(due, improve_at(ps));
    if (ps->active >= 0 && ps->suspect_at != OM_NEVER &&
        om_choice_best(ps, ps->active, ps->suspect_at) >= 0)
        due = om_time_min(due, silent_at(&ps->all[ps->active]));
    return ps->news_count > 0 ? 0 : due;
}
