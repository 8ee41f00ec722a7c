/* association.c - sessions of one peer, and what outlives them. */
#include "crypto/association.h"

enum { SILENCE_MS = 2000, SILENCE_PTOS = 3 }; /* PROTOCOL 4: max(2 s, 3 PTO) */

static void reset(struct om_association *a)
{
    a->counter = 0;
    om_acks_init(&a->acks);
    a->unanswered_since = OM_NEVER;
    memset(a->pings, 0, sizeof a->pings);
}

void om_association_init(struct om_association *a, const struct om_rng *rng, om_time now,
                         bool we_are_lower)
{
    om_rng_fill(rng, a->local_id, sizeof a->local_id);
    a->we_are_lower = we_are_lower;
    a->idle_since = now;
    om_bucket_init(&a->pongs, OM_PONGS_PER_S, OM_PONGS_PER_S, now);
    reset(a);
}

void om_association_fini(struct om_association *a, struct om_sessions *s)
{
    for (unsigned i = 0; i < a->count; i++)
        om_session_end(s, a->receiving[i]);
    om_session_end(s, a->unconfirmed);
    a->count = 0;
    a->carry = NULL;
    a->unconfirmed = NULL;
}

void om_association_offer(struct om_association *a, struct om_sessions *s,
                          struct om_session *session)
{
    om_session_end(s, a->unconfirmed);
    a->unconfirmed = session;
}

static void remove_at(struct om_association *a, struct om_sessions *s, unsigned i)
{
    struct om_session *gone = a->receiving[i];

    for (; i + 1 < a->count; i++)
        a->receiving[i] = a->receiving[i + 1];
    a->count--;
    if (a->carry == gone)
        a->carry = NULL;
    om_session_end(s, gone);
}

/* Keys shared with a peer that has forgotten them must never seal again: counters start at 0. */
static void drop_other_lives(struct om_association *a, struct om_sessions *s,
                             const struct om_session *session)
{
    for (unsigned i = a->count; i-- > 0;)
        if (memcmp(a->receiving[i]->their_association, session->their_association,
                   sizeof session->their_association) != 0)
            remove_at(a, s, i);
    if (a->unconfirmed && a->unconfirmed != session) {
        om_session_end(s, a->unconfirmed);
        a->unconfirmed = NULL;
    }
}

static bool note_remote(struct om_association *a, struct om_sessions *s,
                        const struct om_session *session)
{
    bool restarted =
        a->has_remote && memcmp(a->remote_id, session->their_association, sizeof a->remote_id) != 0;

    if (restarted) {
        drop_other_lives(a, s, session);
        reset(a);
    }
    memcpy(a->remote_id, session->their_association, sizeof a->remote_id);
    a->has_remote = true;
    return restarted;
}

/* Two sessions confirmed within 5 s: the one begun by the lower key carries; else the newest. */
static bool new_one_carries(const struct om_association *a, const struct om_session *s)
{
    if (!a->carry || a->carry->initiated == s->initiated ||
        s->confirmed_at - a->carry->confirmed_at >= OM_SEC(OM_SIMULTANEOUS_S))
        return true;
    return s->initiated == a->we_are_lower;
}

static void supersede(struct om_session *old, om_time now, const struct om_limits *limits)
{
    old->receive_until = om_time_min(old->receive_until, now + limits->key_grace);
}

struct om_confirmed om_association_confirm(struct om_association *a, struct om_sessions *s,
                                           om_time now, struct om_session *session)
{
    struct om_confirmed c = {0};

    if (a->unconfirmed == session)
        a->unconfirmed = NULL;
    c.restarted = note_remote(a, s, session);
    c.first = a->carry == NULL;
    session->is_confirmed = true;
    session->confirmed_at = now;

    if (a->count == OM_RECEIVING_MAX)
        remove_at(a, s,
                  a->receiving[OM_RECEIVING_MAX - 1] == a->carry ? OM_RECEIVING_MAX - 2
                                                                 : OM_RECEIVING_MAX - 1);
    for (unsigned i = a->count++; i > 0; i--)
        a->receiving[i] = a->receiving[i - 1];
    a->receiving[0] = session;

    c.carries = new_one_carries(a, session);
    if (c.carries) {
        if (a->carry)
            supersede(a->carry, now, s->limits);
        a->carry = session;
    } else {
        supersede(session, now, s->limits);
    }
    a->idle_since = OM_NEVER;
    return c;
}

bool om_association_tick(struct om_association *a, struct om_sessions *s, om_time now)
{
    bool had = a->carry != NULL;

    if (a->unconfirmed && now >= a->unconfirmed->born + s->limits->confirm_wait) {
        om_session_end(s, a->unconfirmed);
        a->unconfirmed = NULL;
    }
    for (unsigned i = a->count; i-- > 0;)
        if (now >= a->receiving[i]->receive_until)
            remove_at(a, s, i);
    if (a->count > 0 || a->unconfirmed)
        return had && !a->carry;
    if (a->idle_since == OM_NEVER)
        a->idle_since = now;
    a->unanswered_since = OM_NEVER;
    return had;
}

static bool is_unheard(const struct om_session *s)
{
    return s && s->initiated && !s->is_heard;
}

bool om_association_knock(struct om_association *a, om_time now)
{
    struct om_session *s = a->carry;

    if (!is_unheard(s) || now < s->knock_at)
        return false;
    if (s->knocks == OM_KNOCKS_MAX) {
        s->receive_until = now;
        return false;
    }
    s->knocks++;
    s->knock_at = now + (OM_MS(OM_KNOCK_MS) << s->knocks);
    return true;
}

om_time om_association_deadline(const struct om_association *a, const struct om_limits *limits)
{
    om_time at = a->carry ? a->acks.due : OM_NEVER;

    if (a->unconfirmed)
        at = om_time_min(at, a->unconfirmed->born + limits->confirm_wait);
    for (unsigned i = 0; i < a->count; i++)
        at = om_time_min(at, a->receiving[i]->receive_until);
    if (is_unheard(a->carry))
        at = om_time_min(at, a->carry->knock_at);
    return om_time_min(at, om_association_silence(a));
}

struct om_session *om_association_sealing(const struct om_association *a, om_time now)
{
    return a->carry && om_session_can_seal(a->carry, now) ? a->carry : NULL;
}

void om_association_sent(struct om_association *a, om_time now)
{
    if (a->unanswered_since == OM_NEVER)
        a->unanswered_since = now;
}

void om_association_answered(struct om_association *a)
{
    a->unanswered_since = OM_NEVER;
}

void om_association_pinged(struct om_association *a, om_time now, uint64_t token, bool asked)
{
    struct om_ping *slot = &a->pings[0];

    for (unsigned i = 1; i < OM_PINGS_MAX && slot->sent_at != 0; i++)
        if (a->pings[i].sent_at < slot->sent_at)
            slot = &a->pings[i];
    *slot = (struct om_ping){token, now ? now : 1, asked};
}

bool om_association_on_pong(struct om_association *a, om_time now, const struct om_frame_pong *p,
                            om_time *rtt)
{
    for (unsigned i = 0; i < OM_PINGS_MAX; i++) {
        struct om_ping *g = &a->pings[i];
        if (g->sent_at == 0 || g->token != p->token)
            continue;
        om_time took = now - g->sent_at, held = OM_US(p->held_us);
        *rtt = took > held ? took - held : took;
        om_rtt_sample(&a->rtt, *rtt);
        g->sent_at = 0;
        return g->is_asked;
    }
    return false;
}

om_time om_association_silence(const struct om_association *a)
{
    om_time patience = SILENCE_PTOS * om_rtt_pto(&a->rtt);

    if (a->unanswered_since == OM_NEVER)
        return OM_NEVER;
    return a->unanswered_since + (patience > OM_MS(SILENCE_MS) ? patience : OM_MS(SILENCE_MS));
}
