/* keepalive.c - one clock for the path, one for the trial beside it. */
#include "path/keepalive.h"

void om_keepalive_start(struct om_keepalive *k, om_time now, bool learns)
{
    *k = (struct om_keepalive){.is_on = true, .learns = learns, .sent = now, .heard = now};
}

void om_keepalive_stop(struct om_keepalive *k)
{
    k->is_on = false;
    k->state = OM_TRIAL_REST;
}

void om_keepalive_sent(struct om_keepalive *k, om_time now)
{
    k->sent = now;
}

void om_keepalive_heard(struct om_keepalive *k, om_time now)
{
    k->heard = now;
    k->tries = 0;
}

static void rest(struct om_keepalive *k, om_time until)
{
    k->state = OM_TRIAL_REST;
    k->due = until;
}

void om_keepalive_word(struct om_keepalive *k, struct om_nat_life *life, om_time now)
{
    k->is_warm |= k->state == OM_TRIAL_WARM;
    if (k->state != OM_TRIAL_SILENT && k->state != OM_TRIAL_CHECK)
        return;
    om_nat_life_alive(life, now - k->since);
    /* What comes too soon may have refreshed the mapping: nothing later would tell. */
    rest(k, now - k->since >= k->gap ? now : now + OM_SEC(OM_KEEPALIVE_RETRY_S));
}

static om_time ping_at(const struct om_keepalive *k, const struct om_nat_life *life)
{
    return k->sent + om_nat_life_safe(life);
}

/* In the silence of the path, but not only in one so long that it ends in a keepalive: new keys and
 * what else is said now and then would put trials off for ever. */
static om_time trial_at(const struct om_keepalive *k, const struct om_nat_life *life)
{
    om_time quiet = k->sent + om_time_min(om_nat_life_safe(life), OM_SEC(OM_LIFE_DEFAULT_S));

    if (!k->learns || k->state != OM_TRIAL_REST || k->deaf >= OM_KEEPALIVE_DEAF ||
        om_nat_life_trial(life) == OM_NEVER)
        return OM_NEVER;
    return k->due > quiet ? k->due : quiet;
}

static bool ping(struct om_keepalive *k, om_time now, om_time wait, enum om_keepalive_act *act)
{
    if (k->tries++ == 0)
        k->silence = now - k->sent;
    k->sent = now;
    k->retry = now + wait;
    k->pings++;
    *act = OM_KEEPALIVE_PING;
    return true;
}

static bool begin_trial(struct om_keepalive *k, om_time gap, om_time now,
                        enum om_keepalive_act *act)
{
    k->state = OM_TRIAL_WARM;
    k->is_warm = false;
    k->gap = gap;
    k->due = now + OM_MS(OM_KEEPALIVE_WARM_MS);
    k->asks++;
    *act = OM_KEEPALIVE_WARM;
    return true;
}

static bool ask(struct om_keepalive *k, om_time now, om_time wait, enum om_keepalive_act *act)
{
    if (!k->is_warm) {
        k->deaf++;
        rest(k, now + OM_SEC(OM_KEEPALIVE_RETRY_S));
        return false;
    }
    k->deaf = 0;
    k->state = OM_TRIAL_SILENT;
    k->since = now;
    k->due = now + k->gap + wait;
    k->asks++;
    *act = OM_KEEPALIVE_ASK;
    return true;
}

/* The word did not come: is it the mapping that died, or the path, or the peer? */
static void conclude(struct om_keepalive *k, struct om_nat_life *life, om_time now)
{
    if (k->heard >= k->since + k->gap) {
        (void)om_nat_life_dead(life, k->gap);
        rest(k, now);
    } else {
        rest(k, now + OM_SEC(OM_KEEPALIVE_RETRY_S));
    }
}

static bool trial_next(struct om_keepalive *k, struct om_nat_life *life, om_time now, om_time wait,
                       enum om_keepalive_act *act)
{
    switch (k->state) {
    case OM_TRIAL_REST:
        return false; /* trial_at() */
    case OM_TRIAL_WARM:
        return now >= k->due && ask(k, now, wait, act);
    case OM_TRIAL_SILENT:
        if (now < k->due)
            return false;
        k->state = OM_TRIAL_CHECK;
        k->due = now + wait;
        if (k->heard >= k->since + k->gap)
            conclude(k, life, now);
        return k->state == OM_TRIAL_CHECK && ping(k, now, wait, act);
    case OM_TRIAL_CHECK:
        if (k->heard >= k->since + k->gap || now >= k->due)
            conclude(k, life, now);
        return false;
    }
    return false;
}

/* The keepalive was not answered: once more, or the path is lost. */
static bool try_again(struct om_keepalive *k, om_time now, om_time wait, enum om_keepalive_act *act)
{
    if (k->tries == 0 || now < k->retry)
        return false;
    if (k->tries < OM_KEEPALIVE_TRIES)
        return ping(k, now, wait, act);
    k->tries = 0;
    *act = OM_KEEPALIVE_LOST;
    return true;
}

bool om_keepalive_next(struct om_keepalive *k, struct om_nat_life *life, om_time now, om_time pto,
                       enum om_keepalive_act *act)
{
    om_time wait = pto > OM_MS(OM_KEEPALIVE_WAIT_MS) ? pto : OM_MS(OM_KEEPALIVE_WAIT_MS);

    if (!k->is_on)
        return false;
    if (trial_next(k, life, now, wait, act) || try_again(k, now, wait, act))
        return true;
    if (now >= trial_at(k, life))
        return begin_trial(k, om_nat_life_trial(life), now, act);
    return now >= ping_at(k, life) && ping(k, now, wait, act);
}

om_time om_keepalive_deadline(const struct om_keepalive *k, const struct om_nat_life *life)
{
    if (!k->is_on)
        return OM_NEVER;
    om_time at = ping_at(k, life);
    if (k->tries > 0)
        at = om_time_min(at, k->retry);
    return om_time_min(at, k->state == OM_TRIAL_REST ? trial_at(k, life) : k->due);
}
