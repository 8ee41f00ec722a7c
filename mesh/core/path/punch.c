/* punch.c - words over the session, then datagrams by the plan. */
#include "path/punch.h"

/* What waits to be handed out, in this order. */
enum { TODO_WORD = 1, TODO_OPEN = 2, TODO_CLOSE = 4, TODO_SUCCEED = 8, TODO_FAIL = 16 };

enum {
    TAKEN = 1, /* ms of a seen: the leader took this way */
    TAKEN_AGAIN = 2,
    LATE_MS = 20 /* a driver later than that has lost its turns */
};

/* When an answer is said again, after the one at once; the last is when it was in vain. */
static const uint16_t again_ms[] = {20, 60, 140, 300, 600};

static const uint16_t rest_s[] = {10, 30, 120, 600};

void om_punch_init(struct om_punch *p, const struct om_id *me, const struct om_id *peer,
                   uint64_t seed)
{
    *p = (struct om_punch){.peer = *peer, .go_at = OM_NEVER, .again_at = OM_NEVER};
    p->is_lower = om_id_cmp(me, peer) < 0;
    om_prng_seed(&p->prng, seed);
}

bool om_punch_is_busy(const struct om_punch *p)
{
    return p->state >= OM_PUNCH_ASKED && p->state <= OM_PUNCH_FIRING;
}

om_time om_punch_retry_at(const struct om_punch *p)
{
    return p->retry_at;
}

void om_punch_forgive(struct om_punch *p)
{
    p->failures = 0;
    p->retry_at = 0;
}

/* A plan step waits for the session; the newest counts. */
static void say(struct om_punch *p, uint64_t nonce, uint32_t ms)
{
    p->todo |= TODO_WORD;
    p->word_nonce = nonce;
    p->word_ms = ms;
}

static void answer(struct om_punch *p, const struct om_addr *to, unsigned socket, uint32_t ms)
{
    if (p->answer_count == OM_PUNCH_ANSWERS_MAX) {
        p->dropped++;
        return;
    }
    unsigned at = (p->answer_first + p->answer_count++) % OM_PUNCH_ANSWERS_MAX;
    p->answers[at] = (struct om_punch_answer){*to, socket, ms};
}

static void finish(struct om_punch *p, om_time now, enum om_punch_state state)
{
    if (p->plan.sockets > 0)
        p->todo |= TODO_CLOSE;
    p->todo &= ~(unsigned)TODO_OPEN;
    p->state = state;
    p->ended = now;
    p->go_at = p->again_at = OM_NEVER;
    p->is_hit = false;
}

static void fail(struct om_punch *p, om_time now, enum om_punch_end end)
{
    unsigned i = p->failures < OM_ARRAY_SIZE(rest_s) ? p->failures : OM_ARRAY_SIZE(rest_s) - 1;

    finish(p, now, OM_PUNCH_FAILED);
    p->via_socket = 0;
    p->answer_count = 0;
    p->end = end;
    p->failures++;
    p->retry_at = now + om_prng_jitter(&p->prng, OM_SEC(rest_s[i]), 10);
    p->todo |= TODO_FAIL;
}

static void succeed(struct om_punch *p, om_time now, const struct om_addr *from, unsigned socket)
{
    finish(p, now, OM_PUNCH_DONE);
    om_punch_forgive(p);
    p->via = *from;
    p->via_socket = socket;
    p->again = 0;
    if (p->is_leader)
        p->again_at = now + OM_MS(again_ms[0]);
    p->todo |= TODO_SUCCEED;
}

void om_punch_stop(struct om_punch *p, om_time now)
{
    if (!om_punch_is_busy(p))
        return;
    finish(p, now, OM_PUNCH_IDLE);
    p->via_socket = 0;
    p->answer_count = 0;
}

void om_punch_postpone(struct om_punch *p, om_time now, om_time at)
{
    om_time ended = p->ended, again = ended > 0 ? ended + OM_SEC(OM_PUNCH_AGAIN_S) : 0;

    om_punch_stop(p, now);
    p->ended = ended;
    p->retry_at = at > again ? at : again; /* sooner, the peer would refuse */
}

void om_punch_forget(struct om_punch *p, om_time now)
{
    om_punch_stop(p, now);
    om_punch_forgive(p);
    p->ended = 0;
}

/* A new attempt, of which nothing is known but its nonce. */
static void begin(struct om_punch *p, const struct om_punch_facts *facts, uint64_t nonce,
                  enum om_punch_state state)
{
    p->state = state;
    p->end = OM_PUNCH_NOT_YET;
    p->facts = *facts;
    p->nonce = nonce;
    p->rtt = facts->rtt;
    p->plan = (struct om_punch_plan){0};
    p->theirs = (struct om_punch_profile){0};
    p->go_at = p->again_at = OM_NEVER;
    p->slip = 0;
    p->tries = p->step = p->via_socket = p->answer_count = p->again = 0;
    p->is_hit = p->is_opened = false;
    p->todo &= TODO_CLOSE;
}

static void ask(struct om_punch *p, om_time now)
{
    om_time wait = OM_MS(OM_PUNCH_WORD_MS);

    if (p->facts.rtt == 0)
        wait = OM_MS(OM_PUNCH_BLIND_MS); /* the RTT is measured by this word; so let it return */
    else if (2 * p->facts.rtt > wait)
        wait = 2 * p->facts.rtt;
    say(p, p->nonce, 0);
    p->said = now;
    p->tries++;
    p->due = now + wait;
}

enum om_err om_punch_start(struct om_punch *p, om_time now, const struct om_punch_facts *facts,
                           enum om_punch_style style, uint64_t nonce)
{
    if (om_punch_is_busy(p) || now < p->retry_at)
        return OM_E_BUSY;
    begin(p, facts, nonce, OM_PUNCH_ASKED);
    p->is_leader = true;
    p->style = style;
    ask(p, now);
    return OM_OK;
}

/* Both profiles are known. Return: false when they do not allow it. */
static bool make_plan(struct om_punch *p)
{
    const struct om_punch_case c = {p->facts.ours, p->theirs, p->style, p->is_lower,
                                    p->facts.is_same_outside};

    om_punch_plan(&p->plan, &c, p->facts.left, om_prng_u64(&p->prng));
    if (p->plan.way == OM_PUNCH_EASY && om_punch_fresh_port(&p->theirs) != 0)
        p->facts.peer.port = om_punch_fresh_port(&p->theirs);
    return p->plan.way != OM_PUNCH_NONE;
}

static void arm(struct om_punch *p, om_time fire_at)
{
    p->state = OM_PUNCH_ARMED;
    p->fire_at = fire_at;
    if (p->plan.sockets > 0)
        p->todo |= TODO_OPEN;
}

/* The peer follows; @theirs: its profile. Since we asked it may have said that it is elsewhere. */
static void lead(struct om_punch *p, om_time now, const struct om_punch_profile *theirs,
                 const struct om_punch_facts *facts)
{
    p->facts.peer = facts->peer;
    p->facts.left = facts->left;
    p->facts.is_same_outside = facts->is_same_outside;
    if (p->tries == 1 || p->rtt == 0)
        p->rtt = now - p->said; /* else the answer may be to an earlier word */
    p->theirs = *theirs;
    if (!make_plan(p)) {
        fail(p, now, OM_PUNCH_NO_WAY);
        say(p, p->nonce, OM_PUNCH_REFUSED);
        return;
    }
    arm(p, now + p->rtt / 2 + OM_MS(OM_PUNCH_MARGIN_MS));
    p->goes = 0;
    p->go_at = now;
}

static void follow(struct om_punch *p, om_time now, const struct om_punch_word *w,
                   const struct om_punch_facts *facts)
{
    begin(p, facts, w->frame.nonce, OM_PUNCH_AGREED);
    p->is_leader = false;
    p->theirs = w->profile;
    p->style = w->profile.style == OM_PUNCH_TURNED ? OM_PUNCH_TURNED : OM_PUNCH_PLAIN;
    if (!make_plan(p)) {
        fail(p, now, OM_PUNCH_NO_WAY);
        say(p, w->frame.nonce, OM_PUNCH_REFUSED);
        return;
    }
    om_time wait = 4 * p->rtt;
    p->due = now + (wait > OM_MS(OM_PUNCH_GO_MS) ? wait : OM_MS(OM_PUNCH_GO_MS));
    say(p, p->nonce, 0);
}

static om_time due_from(const struct om_punch *p, om_time at)
{
    return at + p->plan.lasts + p->rtt + OM_MS(OM_PUNCH_WAIT_MS);
}

/* The peer has opened, or will not say so any more: probes go from now on. */
static void let_go(struct om_punch *p, om_time now)
{
    p->is_opened = true;
    if (p->state != OM_PUNCH_FIRING)
        return;
    om_time planned = p->fire_at + p->slip + om_punch_plan_time(&p->plan, p->step);
    if (p->step >= p->plan.openers && planned < now)
        p->slip += now - planned;
    p->due = due_from(p, now);
}

static void told_opened(struct om_punch *p, om_time now)
{
    if (p->state == OM_PUNCH_AGREED)
        arm(p, now); /* the copies of the go were lost */
    if (!p->is_opened)
        let_go(p, now);
}

/* Our openers have left. */
static void tell_opened(struct om_punch *p, om_time now)
{
    p->goes = 0;
    p->go_at = now;
    p->due = due_from(p, now);
}

/* A word of the attempt that is under way. */
static void told_more(struct om_punch *p, om_time now, const struct om_punch_word *w,
                      const struct om_punch_facts *facts)
{
    uint32_t ms = w->frame.fire_ms;

    if (ms == OM_PUNCH_REFUSED && p->state != OM_PUNCH_FIRING)
        fail(p, now, OM_PUNCH_UNWILLING);
    else if (ms == OM_PUNCH_LATER && p->state <= OM_PUNCH_AGREED)
        om_punch_postpone(p, now, now + om_prng_jitter(&p->prng, OM_SEC(OM_PUNCH_LATER_S), 20));
    else if (p->state == OM_PUNCH_ASKED && ms == 0)
        lead(p, now, &w->profile, facts);
    else if (p->state == OM_PUNCH_AGREED && ms == 0)
        say(p, p->nonce, 0); /* ours was lost */
    else if (p->state == OM_PUNCH_AGREED && ms <= OM_PUNCH_GO_MAX_MS)
        arm(p, now + OM_MS(ms));
    else if (p->state >= OM_PUNCH_AGREED && ms == OM_PUNCH_OPENED)
        told_opened(p, now);
    else
        p->dropped++;
}

enum om_err om_punch_word_of(struct om_punch_word *out, const struct om_frame_punch *f)
{
    struct om_rd r = om_rd(om_bytes(f->profile, sizeof f->profile));
    struct om_punch_word w = {.frame = *f};

    if (f->step != OM_PUNCH_PLAN || om_punch_profile_decode(&w.profile, &r) != OM_OK)
        return OM_E_PARSE;
    *out = w;
    return OM_OK;
}

void om_punch_told(struct om_punch *p, om_time now, const struct om_punch_word *w,
                   const struct om_punch_facts *facts)
{
    bool may_follow = !om_punch_is_busy(p) || p->state == OM_PUNCH_AGREED ||
                      (p->state == OM_PUNCH_ASKED && !p->is_lower);

    if (w->frame.step != OM_PUNCH_PLAN) {
        p->dropped++;
        return;
    }
    if (om_punch_is_busy(p) && w->frame.nonce == p->nonce) {
        told_more(p, now, w, facts);
        return;
    }
    if (w->frame.fire_ms != 0 || !may_follow) {
        p->dropped++;
        return;
    }
    if (!om_punch_is_busy(p) && p->ended > 0 && now < p->ended + OM_SEC(OM_PUNCH_AGAIN_S)) {
        say(p, w->frame.nonce, OM_PUNCH_REFUSED);
        return;
    }
    follow(p, now, w, facts);
}

static void hit(struct om_punch *p, om_time now, const struct om_addr *from, unsigned socket)
{
    answer(p, from, socket, 0);
    if (p->is_hit)
        return;
    p->is_hit = true;
    p->via = *from;
    p->via_socket = socket;
    p->again = 0;
    p->again_at = now + OM_MS(again_ms[0]);
}

void om_punch_heard(struct om_punch *p, om_time now, const struct om_frame_punch *f,
                    const struct om_addr *from, unsigned socket)
{
    bool is_seen = f->step == OM_PUNCH_SEEN;
    bool is_ready = p->state == OM_PUNCH_AGREED || p->state == OM_PUNCH_ARMED ||
                    p->state == OM_PUNCH_FIRING || p->state == OM_PUNCH_DONE;

    if (!is_ready || f->nonce != p->nonce || f->step == OM_PUNCH_PLAN || socket > p->plan.sockets) {
        p->dropped++;
        return;
    }
    p->heard++;
    if (p->state == OM_PUNCH_DONE) {
        if (p->is_leader && socket == p->via_socket && om_addr_equal(from, &p->via))
            answer(p, from, socket, TAKEN);
        return;
    }
    if (p->state == OM_PUNCH_AGREED)
        arm(p, now); /* the copies of the go were lost, and the leader fires */
    if (is_seen && p->is_leader) {
        answer(p, from, socket, TAKEN);
        succeed(p, now, from, socket);
    } else if (is_seen && f->fire_ms == TAKEN) {
        succeed(p, now, from, socket);
    } else {
        hit(p, now, from, socket);
    }
}

/* What the time alone does. */
static void advance(struct om_punch *p, om_time now)
{
    if (p->state == OM_PUNCH_ASKED && now >= p->due) {
        if (p->tries < OM_PUNCH_TRIES)
            ask(p, now);
        else
            fail(p, now, OM_PUNCH_NO_WORD);
    } else if (p->state == OM_PUNCH_AGREED && now >= p->due) {
        fail(p, now, OM_PUNCH_NO_WORD);
    } else if (p->state == OM_PUNCH_ARMED && now >= p->fire_at) {
        p->state = OM_PUNCH_FIRING;
        p->due = due_from(p, p->fire_at);
    } else if (p->state == OM_PUNCH_FIRING && now >= p->due) {
        fail(p, now, OM_PUNCH_NO_MEETING);
    }
    if (p->go_at <= now) {
        p->go_at = ++p->goes < OM_PUNCH_GOES ? now + OM_MS(OM_PUNCH_GO_GAP_MS) : OM_NEVER;
        say(p, p->nonce, p->state == OM_PUNCH_FIRING ? OM_PUNCH_OPENED : 1);
    }
}

static struct om_punch_act direct(const struct om_punch *p, enum om_punch_step step,
                                  const struct om_addr *to, unsigned socket, uint32_t ms)
{
    return (struct om_punch_act){
        .kind = OM_PUNCH_DO_SEND,
        .socket = socket,
        .to = *to,
        .word.frame = {.step = (uint8_t)step, .nonce = p->nonce, .fire_ms = ms},
    };
}

/* How long until the follower, from the arrival of a go that leaves now. */
static uint32_t go_ms(const struct om_punch *p, om_time now)
{
    om_time wait = (p->fire_at - p->rtt / 2 - now) / 1000;

    return wait < 1 ? 1 : (uint32_t)wait;
}

static struct om_punch_act word(const struct om_punch *p, om_time now)
{
    struct om_punch_act a = {.kind = OM_PUNCH_DO_WORD};
    bool is_go = p->is_leader && p->state == OM_PUNCH_ARMED && p->word_nonce == p->nonce;

    a.word.frame = (struct om_frame_punch){.step = OM_PUNCH_PLAN, .nonce = p->word_nonce};
    a.word.frame.fire_ms = is_go ? go_ms(p, now) : p->word_ms;
    a.word.profile = p->facts.ours;
    a.word.profile.style = (uint8_t)p->style;
    struct om_wr w = om_wr(om_mut(a.word.frame.profile, sizeof a.word.frame.profile));
    om_punch_profile_encode(&w, &a.word.profile);
    return a;
}

/* Words, answers, sockets and the end. */
static bool next_todo(struct om_punch *p, om_time now, struct om_punch_act *act)
{
    static const enum om_punch_kind kinds[] = {OM_PUNCH_DO_WORD, OM_PUNCH_DO_OPEN,
                                               OM_PUNCH_DO_CLOSE, OM_PUNCH_DO_SUCCEED,
                                               OM_PUNCH_DO_FAIL};

    if (p->answer_count > 0) {
        const struct om_punch_answer *a = &p->answers[p->answer_first];
        *act = direct(p, OM_PUNCH_SEEN, &a->to, a->socket, a->ms);
        p->answer_first = (p->answer_first + 1) % OM_PUNCH_ANSWERS_MAX;
        p->answer_count--;
        return true;
    }
    for (unsigned i = 0; i < OM_ARRAY_SIZE(kinds); i++) {
        if (!(p->todo & 1U << i))
            continue;
        p->todo &= ~(1U << i);
        *act = (struct om_punch_act){.kind = kinds[i], .socket = p->via_socket, .to = p->via};
        if (kinds[i] == OM_PUNCH_DO_WORD)
            *act = word(p, now);
        else if (kinds[i] == OM_PUNCH_DO_OPEN)
            act->socket = p->plan.sockets;
        return true;
    }
    return false;
}

/* May a datagram go? @wait_until: moved on when not yet. Return: false also when it never may. */
static bool may_send(struct om_punch *p, struct om_reach *reach, om_time now,
                     const struct om_addr *to, om_time *wait_until)
{
    enum om_reach_answer a = om_reach_may(reach, now, to, &p->peer);

    *wait_until = OM_NEVER;
    if (a == OM_REACH_LATER)
        *wait_until = om_reach_ready(reach, now);
    if (om_reach_is_yes(a))
        p->sent++;
    return om_reach_is_yes(a);
}

/* The answer to a hit, or the leader's choice, once more. */
static bool next_again(struct om_punch *p, struct om_reach *reach, om_time now,
                       struct om_punch_act *act)
{
    bool is_done = p->state == OM_PUNCH_DONE;
    unsigned most = is_done ? TAKEN_AGAIN : OM_ARRAY_SIZE(again_ms) - 1;
    om_time later;

    if (now < p->again_at)
        return false;
    if (p->again >= most) {
        p->is_hit = false; /* in vain: the plan goes on */
        p->again_at = OM_NEVER;
        return false;
    }
    if (!may_send(p, reach, now, &p->via, &later)) {
        p->again_at = later;
        if (later == OM_NEVER)
            p->is_hit = false;
        return false;
    }
    p->again_at = now + OM_MS(again_ms[p->again + 1] - again_ms[p->again]);
    p->again++;
    *act = direct(p, OM_PUNCH_SEEN, &p->via, p->via_socket, is_done ? TAKEN : 0);
    return true;
}

/* May the next datagram not leave before the peer has said that it opened? */
static bool is_held(const struct om_punch *p)
{
    return !p->is_opened && p->step >= p->plan.openers && p->plan.way != OM_PUNCH_BOTH;
}

static om_time step_at(const struct om_punch *p)
{
    if (p->step >= p->plan.count)
        return OM_NEVER;
    om_time wait = is_held(p) ? OM_MS(OM_PUNCH_OPENED_MS) + p->rtt : 0;
    return p->fire_at + p->slip + om_punch_plan_time(&p->plan, p->step) + wait;
}

om_time om_punch_sends_until(const struct om_punch *p)
{
    bool is_heavy = p->plan.way == OM_PUNCH_SPREAD || p->plan.way == OM_PUNCH_BOTH;

    switch (p->state) {
    case OM_PUNCH_ASKED: /* it will be, if it will; a peer that is silent is not waited for */
        return !om_punch_is_easy(&p->facts.ours) && p->tries == 1 ? p->due : 0;
    case OM_PUNCH_AGREED:
        return is_heavy ? p->due : 0;
    case OM_PUNCH_ARMED:
    case OM_PUNCH_FIRING:
        return is_heavy && !p->is_hit && p->step < p->plan.count
                   ? p->fire_at + p->slip + om_punch_plan_time(&p->plan, p->plan.count)
                   : 0;
    case OM_PUNCH_IDLE:
    case OM_PUNCH_DONE:
    case OM_PUNCH_FAILED:
        return 0;
    }
    return 0;
}

/* The next datagram of the plan. */
static bool next_step(struct om_punch *p, struct om_reach *reach, om_time now,
                      struct om_punch_act *act)
{
    if (step_at(p) <= now && is_held(p))
        let_go(p, now);
    for (; step_at(p) <= now; p->step++) {
        struct om_addr to = p->facts.peer;
        om_time later;
        to.port = om_punch_plan_port(&p->plan, p->step, p->facts.peer.port);
        if (to.port == 0)
            continue;
        if (now - step_at(p) > OM_MS(LATE_MS))
            p->slip += now - step_at(p) - OM_MS(LATE_MS);
        if (!may_send(p, reach, now, &to, &later)) {
            if (later != OM_NEVER) {
                p->slip += later - step_at(p);
                return false;
            }
            if (p->step < p->plan.openers)
                tell_opened(p, now);
            p->step = p->plan.count; /* the budget is used up */
            return false;
        }
        *act = direct(p, OM_PUNCH_PROBE, &to, om_punch_plan_socket(&p->plan, p->step), 0);
        if (p->step < p->plan.openers) {
            act->kind = OM_PUNCH_DO_OPENER;
            act->ttl = p->plan.ttl;
        }
        if (++p->step == p->plan.openers && p->plan.way != OM_PUNCH_BOTH)
            tell_opened(p, now);
        return true;
    }
    return false;
}

bool om_punch_next(struct om_punch *p, struct om_reach *reach, om_time now,
                   struct om_punch_act *act)
{
    advance(p, now);
    if (next_todo(p, now, act))
        return true;
    if (p->again_at != OM_NEVER && next_again(p, reach, now, act))
        return true;
    if (p->state == OM_PUNCH_FIRING && !p->is_hit)
        return next_step(p, reach, now, act);
    return false;
}

om_time om_punch_deadline(const struct om_punch *p)
{
    om_time at = om_time_min(p->go_at, p->again_at);

    if (p->todo != 0 || p->answer_count > 0)
        return 0;
    switch (p->state) {
    case OM_PUNCH_IDLE:
    case OM_PUNCH_DONE:
    case OM_PUNCH_FAILED:
        return at;
    case OM_PUNCH_ASKED:
    case OM_PUNCH_AGREED:
        return om_time_min(at, p->due);
    case OM_PUNCH_ARMED:
        return om_time_min(at, p->fire_at);
    case OM_PUNCH_FIRING:
        return om_time_min(om_time_min(at, p->due), p->is_hit ? OM_NEVER : step_at(p));
    }
    return at;
}

const char *om_punch_end_name(enum om_punch_end e)
{
    static const char *const names[] = {"not-yet", "no-way", "unwilling", "no-word", "no-meeting"};

    return (unsigned)e < OM_ARRAY_SIZE(names) ? names[e] : "unknown";
}
