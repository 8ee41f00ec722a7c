/* path.c - challenges, answers and the score of one path. */
#include "path/path.h"

#include <string.h>

#include <omerta/err.h>

/* Of 32, so that one challenge lost in a hundred costs no more than it says: of 8 it would be an
 * eighth, 62 ms of score, by which data would leave a good way, or not come to it. */
enum { LOSS_SHIFT = 5, LOSS_ALL = 1000, LOSS_PERCENT = LOSS_ALL / 100 };

void om_path_init(struct om_path *p, const struct om_via *via, enum om_path_origin origin,
                  om_time now)
{
    memset(p, 0, sizeof *p);
    p->via = *via;
    p->origin = origin;
    p->added = now;
    p->heard = p->spoke = p->proven = p->asked = OM_NEVER;
    p->ask_at = now;
    for (unsigned i = 0; i < OM_PATH_TOKENS_MAX; i++)
        p->asks[i].at = OM_NEVER;
}

void om_path_heard(struct om_path *p, om_time now, size_t bytes)
{
    p->heard = now;
    if (p->state != OM_PATH_VALID)
        p->credit += bytes;
}

static void note_loss(struct om_path *p, bool was_lost)
{
    /* Rounded so that it ends at 0. */
    p->loss -= (p->loss + (1U << LOSS_SHIFT) - 1) >> LOSS_SHIFT;
    if (was_lost)
        p->loss += LOSS_ALL >> LOSS_SHIFT;
}

bool om_path_asked(struct om_path *p, om_time now, uint64_t token)
{
    if (p->unanswered > 0 && p->state == OM_PATH_VALID)
        note_loss(p, true);
    if (p->unanswered >= (p->state == OM_PATH_FAILED ? 1 : OM_PATH_TRIES)) {
        p->state = OM_PATH_FAILED;
        p->ask_at = OM_NEVER;
        p->unanswered = p->fresh = 0;
        p->fails++;
        return false;
    }
    p->asks[p->asks_made % OM_PATH_TOKENS_MAX] = (struct om_path_ask){token, now};
    p->asks_made++;
    p->asked = now;
    p->unanswered++;
    /* Doubling: what does not answer may be far away, or shut. */
    p->ask_at = now + (om_path_wait(p) << (p->unanswered - 1));
    return true;
}

static void prove(struct om_path *p, om_time now)
{
    p->state = OM_PATH_VALID;
    p->proven = now;
    p->unanswered = p->fails = 0;
    p->ask_at = OM_NEVER;
    p->credit = 0;
}

/* A way that is not in use is asked seldom: of a few slow answers, of a machine that was busy then,
 * the estimate would keep data on a relay for minutes. */
static void sample(struct om_path *p, om_time now, om_time took)
{
    bool is_old = p->proven != OM_NEVER && now >= p->proven + OM_SEC(OM_PATH_STALE_S);

    if (is_old && 2 * took < p->rtt.smoothed)
        p->rtt = (struct om_rtt){0};
    om_rtt_sample(&p->rtt, took > 0 ? took : 1);
}

bool om_path_answered(struct om_path *p, om_time now, uint64_t token)
{
    for (unsigned i = 0; i < OM_PATH_TOKENS_MAX; i++) {
        struct om_path_ask *a = &p->asks[i];
        if (a->at == OM_NEVER || a->token != token)
            continue;
        sample(p, now, now - a->at);
        if (p->state == OM_PATH_VALID)
            note_loss(p, false);
        a->at = OM_NEVER;
        p->answers++;
        p->fresh++;
        prove(p, now);
        return true;
    }
    return false;
}

void om_path_shaken(struct om_path *p, om_time now)
{
    p->heard = now;
    prove(p, now);
}

void om_path_ask_anew(struct om_path *p, om_time now)
{
    p->unanswered = 0;
    p->ask_at = now;
}

void om_path_lapse(struct om_path *p, om_time now)
{
    if (p->heard == now || p->proven == OM_NEVER)
        return;
    p->state = OM_PATH_FAILED;
    om_path_ask_anew(p, now);
}

bool om_path_may_answer(struct om_path *p, size_t bytes)
{
    if (p->state == OM_PATH_VALID)
        return true;
    if (p->credit < bytes)
        return false;
    p->credit -= bytes;
    return true;
}

om_time om_path_wait(const struct om_path *p)
{
    om_time wait = OM_MS(3 * OM_RTT_INITIAL_MS);

    if (p->rtt.smoothed != 0)
        wait = p->rtt.smoothed + p->rtt.smoothed / 2 + 4 * p->rtt.variation;
    return wait > OM_MS(OM_PATH_WAIT_MS) ? wait : OM_MS(OM_PATH_WAIT_MS);
}

om_time om_path_score(const struct om_path *p)
{
    om_time cost = OM_MS(2 * OM_RTT_INITIAL_MS);

    if (p->rtt.smoothed != 0)
        cost = p->rtt.smoothed + 4 * p->rtt.variation;
    if (p->via.lane != 0)
        cost += OM_MS(OM_PATH_RELAY_MS);
    return cost + OM_MS((om_time)p->loss * OM_PATH_LOSS_MS) / LOSS_PERCENT;
}
