/* node_punch.c - direct ways through NATs: when to try, and what the machine wants done. */
#include <stdlib.h>

#include "node/fresh.h"
#include "node/lane.h"
#include "node/sockets.h"
#include "node/study.h"
#include "node/turn.h"
#include "node/why.h"

enum {
    PAD_LEAST = 40, /* of a probe, as a datagram (PROTOCOL 5) */
    PAD_MOST = 104,
    AFTER_S = 10,       /* until what was found has to be sought anew */
    HOPS_ASKED = 5,     /* routers that are asked for their addresses */
    HOPS_WAIT_MS = 500, /* for their answers */
    GUESSES_MAX = 2     /* in a row that our ports cannot be told, and in vain: then it is easy */
};

struct node_punch {
    struct om_punch run;
    uint32_t first;   /* of the driver's sockets that were opened for it; 0: none */
    unsigned count;   /* one may be kept: it goes with the next attempt's, or with the peer */
    bool is_held;     /* the peer asked while our NAT was being studied, and waits */
    bool is_owed;     /* it waits for our turn */
    unsigned guesses; /* attempts in a row that rested on one (presume()), and found nothing */
    struct om_punch_word held;
    struct node_fresh fresh; /* for the next attempt, where one was made before */
};

static struct node_punch *punch_of(struct om_node *n, struct om_peer *p)
{
    if (p->punch)
        return p->punch;
    p->punch = calloc(1, sizeof *p->punch);
    if (p->punch)
        om_punch_init(&p->punch->run, &p->net->self.id, &p->id, om_prng_u64(&n->prng));
    else
        node_drop(n, OM_DROP_MEMORY);
    return p->punch;
}

void node_punch_end(struct om_node *n, struct om_peer *p)
{
    node_turn_leave(n, p);
    if (p->punch && p->punch->count > 0)
        node_sockets_close(n, p->punch->first, p->punch->count, 0);
    if (p->punch)
        node_fresh_close(n, &p->punch->fresh);
    free(p->punch);
    p->punch = NULL;
}

void node_punch_anew(struct om_peer *p, om_time now)
{
    if (!p->punch)
        return;
    p->punch->is_held = p->punch->is_owed = false;
    p->punch->guesses = 0;
    om_punch_forget(&p->punch->run, now); /* its sockets are closed when it is run next */
}

static struct om_nat *nat_for(struct om_node *n, const struct om_peer *p)
{
    return &n->where.nats[om_addr_is_v4(&p->outside) ? 0 : 1];
}

/* Our own outside address towards @p, if it was ever seen. */
static bool our_outside(struct om_node *n, const struct om_peer *p, struct om_addr *out)
{
    const struct om_nat *nat = nat_for(n, p);

    if (nat->count == 0)
        return false;
    *out = nat->samples[nat->count - 1].seen;
    return true;
}

/* A relay between us says where it sees @p: so much may be sent there as its word is worth. */
static void take_word(struct om_node *n, om_time now, const struct om_peer *p,
                      const struct om_via *via)
{
    const struct om_peer *relay = node_lane_relay(n, via);
    struct om_reach_word word = {.witness = OM_WITNESS_RELAY, .is_open = p->net->is_open};
    struct om_addr seen;

    if (!relay || !node_lane_seen(n, via, &seen, &word.at))
        return;
    word.by = relay->id;
    word.is_chosen = relay->is_typed || node_lane_is_by_known(n, via);
    (void)om_reach_attest(&n->reach, now, &p->id, &seen, &word);
}

/* Of all relays between us: the one whose lane carries may be a stranger's. */
static void take_words(struct om_node *n, om_time now, const struct om_peer *p)
{
    for (unsigned i = 0; i < p->paths->count; i++)
        if (p->paths->all[i].via.lane != 0)
            take_word(n, now, p, &p->paths->all[i].via);
}

static struct om_buf *word_frame(struct om_node *n, const struct om_frame_punch *f, bool pads)
{
    struct om_buf *b = node_plain(n);
    size_t most = PAD_MOST - OM_OVERHEAD, len;

    if (!b)
        return NULL;
    struct om_wr w = om_wr(om_mut(om_buf_data(b), most));
    om_frame_write_punch(&w, f);
    len = om_wr_len(&w);
    if (pads) { /* what is behind the frame is PAD, which is zeros */
        size_t want = PAD_LEAST + om_prng_below(&n->prng, PAD_MOST - PAD_LEAST + 1) - OM_OVERHEAD;
        if (want > len) {
            om_wr_zero(&w, want - len);
            len = want;
        }
    }
    om_buf_put(b, len);
    return b;
}

/* Openers must leave our NATs and not reach the peer's. Who is in between is told by what ends on
 * the way to the relay, once on each network. */
static void ask_hops(struct om_node *n, om_time now, const struct om_peer *p)
{
    const struct om_via *lane = om_peer_via(p);
    const struct om_peer *known = lane ? node_lane_relay(n, lane) : NULL;
    struct om_peer *relay = known ? om_peers_find(&n->peers, known->net, &known->id) : NULL;
    const struct om_via *via = relay ? node_lane_direct(relay) : NULL;
    struct om_session *s = relay ? node_lane_session(n, relay) : NULL;
    const struct om_frame_punch nothing = {.step = OM_PUNCH_PROBE};
    om_time *asked = &n->where.hops_at[om_addr_is_v4(&p->outside) ? 0 : 1];

    if (*asked != 0 || !via || !s || om_addr_is_v4(&via->remote) != om_addr_is_v4(&p->outside))
        return;
    *asked = now ? now : 1;
    for (unsigned ttl = 1; ttl <= HOPS_ASKED; ttl++)
        node_send_short(n, now, relay, s, word_frame(n, &nothing, true), via, (uint8_t)ttl);
}

static bool collect(struct om_node *n, om_time now, const struct om_peer *p,
                    struct om_punch_facts *f)
{
    const struct om_path *path = om_paths_active(p->paths);
    struct om_addr ours;

    if (!p->has_outside || !our_outside(n, p, &ours))
        return false;
    take_words(n, now, p);
    *f = (struct om_punch_facts){.peer = p->outside, .rtt = path ? path->rtt.smoothed : 0};
    om_punch_profile_of(&f->ours, nat_for(n, p), now);
    if (om_addr_is_v4(&p->outside))
        node_study_profile(n, &f->ours);
    if (om_punch_is_easy(&f->ours) && p->punch && !node_fresh_is_stale(&p->punch->fresh, now))
        f->ours.first_port = p->punch->fresh.port;
    f->is_same_outside = memcmp(ours.ip, p->outside.ip, sizeof ours.ip) == 0;
    f->left = om_reach_left(&n->reach, now, &p->outside, &p->id);
    return true;
}

/* Where one witness alone sees us, a NAT whose ports cannot be told looks like any other. What was
 * taken for easy in vain is tried as if it were such a NAT, unless @theirs is one, too; and one for
 * whom that worked begins with it. */
static void presume(const struct om_nat *nat, const struct node_punch *u,
                    const struct om_punch_profile *theirs, struct om_punch_profile *ours)
{
    const struct om_punch *last = &u->run;
    bool was_easy = last->state == OM_PUNCH_FAILED && last->end == OM_PUNCH_NO_MEETING &&
                    last->plan.way == OM_PUNCH_EASY;
    bool was_found = last->state == OM_PUNCH_DONE && last->facts.ours.class == OM_NAT_RANDOM;

    if (ours->class != OM_NAT_UNKNOWN || (!was_easy && !was_found) || u->guesses >= GUESSES_MAX ||
        (theirs && !om_punch_is_easy(theirs)) || nat->is_v6 || !om_nat_may_be_random(nat))
        return;
    ours->class = OM_NAT_RANDOM;
    ours->first_port = 0; /* the fresh one will not do */
}

/* Only where data goes over a relay, and no other way is known that works. */
static bool is_relayed(const struct om_peer *p, om_time now)
{
    const struct om_path *path = p->paths ? om_paths_active(p->paths) : NULL;

    return path && path->via.lane != 0 && !node_lane_direct(p) && p->has_outside && p->assoc &&
           om_association_sealing(p->assoc, now);
}

static bool is_seen(const struct om_node *n, const struct om_peer *p)
{
    return n->where.nats[om_addr_is_v4(&p->outside) ? 0 : 1].count > 0;
}

/* And both sides were seen from outside: what cannot begin is due at no time. */
static bool is_wanted(const struct om_node *n, const struct om_peer *p, om_time now)
{
    return is_relayed(p, now) && is_seen(n, p);
}

/* May a fresh socket's port be told to @p? */
static bool is_foretold(struct om_node *n, om_time now, const struct om_peer *p)
{
    struct om_punch_profile ours;

    om_punch_profile_of(&ours, nat_for(n, p), now);
    return om_addr_is_v4(&p->outside) && om_punch_is_easy(&ours) && ours.class != OM_NAT_OPEN;
}

/* An attempt that is not the first: the one before was in vain, or what it found was lost. Boxes
 * may have claimed what comes to the port that was said, and relays' words count for a minute. */
static void prepare(struct om_node *n, om_time now, struct om_peer *p)
{
    struct node_punch *u = p->punch;
    const struct om_via *lane = om_peer_via(p);
    const struct om_peer *known = lane ? node_lane_relay(n, lane) : NULL;
    struct om_peer *relay = known ? om_peers_find(&n->peers, known->net, &known->id) : NULL;

    if (!u || u->run.ended == 0 || !p->has_outside || !node_fresh_is_stale(&u->fresh, now))
        return;
    for (unsigned i = 0; i < p->paths->count; i++)
        if (p->paths->all[i].via.lane != 0)
            node_lane_renew(n, &p->paths->all[i].via);
    if (relay && node_lane_session(n, relay)) /* first, as we may be seen at another address now */
        node_send_ping(n, now, relay, node_lane_session(n, relay));
    node_fresh_ask(n, now, &u->fresh, is_foretold(n, now, p) ? relay : NULL);
}

/* Until when what prepare() asked for is waited for. */
static om_time prepared_at(const struct om_node *n, const struct om_peer *p)
{
    const struct node_fresh *f = p->punch ? &p->punch->fresh : NULL;

    if (!f || f->asked == 0)
        return 0;
    if (!om_reach_is_attested(&n->reach, f->asked, &p->id, &p->outside))
        return f->asked + OM_MS(OM_FRESH_WAIT_MS);
    return node_fresh_until(f);
}

static void begin(struct om_node *n, om_time now, struct om_peer *p)
{
    struct node_punch *u = punch_of(n, p);
    struct om_punch_facts facts;
    struct om_addr ours;
    uint64_t nonce;

    if (!u || !collect(n, now, p, &facts) || !our_outside(n, p, &ours))
        return;
    presume(nat_for(n, p), u, NULL, &facts.ours);
    u->is_owed = !om_punch_is_easy(&facts.ours) && node_turn_is_taken(n, p, now);
    if (u->is_owed) {
        node_turn_want(n, now, p);
        return;
    }
    om_rng_fill(&n->rng, &nonce, sizeof nonce);
    enum om_punch_style style = om_punch_memory_style(&n->punches, now, &ours, &p->outside);
    enum om_err e = om_punch_start(&u->run, now, &facts, style, nonce);
    OM_BUG_IF(e != OM_OK); /* it is not busy, and may be tried */
    node_why_punch(p, now, &u->run);
}

static uint32_t number_of(const struct node_punch *u, unsigned socket)
{
    if (socket == 0)
        return 0;
    /* Fewer than planned were to be had: some send twice. None: it is lost. */
    return u->first ? u->first + (socket - 1) % u->count : UINT32_MAX;
}

static void say(struct om_node *n, om_time now, struct om_peer *p, const struct om_punch_act *a)
{
    struct om_session *s = om_association_sealing(p->assoc, now);
    bool is_probe = a->word.frame.step == OM_PUNCH_PROBE;
    struct om_buf *b = word_frame(n, &a->word.frame, is_probe);

    if (a->kind == OM_PUNCH_DO_WORD) {
        node_send_now(n, now, p, s, b);
        return;
    }
    const struct om_via via = {.remote = a->to, .socket = number_of(p->punch, a->socket)};
    node_send_short(n, now, p, s, b, &via, a->kind == OM_PUNCH_DO_OPENER ? (uint8_t)a->ttl : 0);
}

static void close_sockets(struct om_node *n, struct node_punch *u, unsigned keep)
{
    if (u->count > 0)
        node_sockets_close(n, u->first, u->count, number_of(u, keep));
}

static void tell(struct om_node *n, om_time now, struct om_peer *p, bool worked)
{
    struct node_punch *u = p->punch;
    bool is_guess = u->run.facts.ours.class == OM_NAT_RANDOM &&
                    om_nat_judge(nat_for(n, p), now)->class == OM_NAT_UNKNOWN;
    struct om_addr ours;

    u->guesses = worked ? 0 : u->guesses + (is_guess && u->run.end == OM_PUNCH_NO_MEETING);
    if (our_outside(n, p, &ours) && (worked || u->run.end == OM_PUNCH_NO_MEETING))
        om_punch_memory_tell(&n->punches, now, &ours, &p->outside, u->run.style, worked);
    node_why_punch(p, now, &u->run);
    node_event(n, now,
               &(struct om_event){.kind = worked ? OM_EVENT_PUNCHED : OM_EVENT_PUNCH_FAILED,
                                  .peer = p->id,
                                  .addr = worked ? u->run.via : p->outside,
                                  .a = worked ? u->run.sent : (uint64_t)u->run.end,
                                  .b = worked ? u->run.plan.way : (uint64_t)u->run.plan.reason});
}

/* As many as are wanted, or what is left. */
static void open_sockets(struct om_node *n, struct node_punch *u, unsigned wanted)
{
    unsigned most = OM_SOCKETS_MAX - n->sockets.count;

    u->count = wanted < most ? wanted : most;
    u->first = u->count > 0 ? node_sockets_open(n, u->count) : 0;
    if (u->first == 0)
        u->count = 0; /* what is sent over them is lost */
}

static void carry_out(struct om_node *n, om_time now, struct om_peer *p,
                      const struct om_punch_act *a)
{
    struct node_punch *u = p->punch;
    struct om_via via = {.remote = a->to};

    switch (a->kind) {
    case OM_PUNCH_DO_WORD:
    case OM_PUNCH_DO_OPENER:
    case OM_PUNCH_DO_SEND:
        say(n, now, p, a);
        return;
    case OM_PUNCH_DO_OPEN:
        close_sockets(n, u, 0); /* the way that led over one of the last attempt's is gone */
        u->first = a->socket == 1 ? node_fresh_take(&u->fresh) : 0;
        u->count = u->first ? 1 : 0;
        if (u->first == 0)
            open_sockets(n, u, a->socket);
        return;
    case OM_PUNCH_DO_CLOSE:
        close_sockets(n, u, a->socket);
        return;
    case OM_PUNCH_DO_SUCCEED:
        via.socket = number_of(u, a->socket);
        tell(n, now, p, true);
        (void)om_paths_add(p->paths, now, &via, OM_PATH_PUNCHED);
        return;
    case OM_PUNCH_DO_FAIL:
        tell(n, now, p, false);
        return;
    }
}

static void drain(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_punch_act act;

    while (p->punch && p->assoc && om_association_sealing(p->assoc, now) &&
           om_punch_next(&p->punch->run, &n->reach, now, &act))
        carry_out(n, now, p, &act);
    if (p->punch)
        node_turn_note(n, now, p, &p->punch->run);
}

/* Until when the routers' words are waited for: the one that is outside ends it. */
static om_time hops_until(const struct om_node *n, bool is_v4)
{
    om_time asked = n->where.hops_at[!is_v4];

    return n->where.nats[!is_v4].hops_outside != 0 ? asked : asked + OM_MS(HOPS_WAIT_MS);
}

static om_time later(om_time a, om_time b)
{
    return a > b ? a : b;
}

/* When another attempt may begin: the way that one found must first fail. */
static om_time begin_at(const struct om_node *n, const struct om_peer *p)
{
    const struct om_punch *run = p->punch ? &p->punch->run : NULL;
    bool is_v4 = om_addr_is_v4(&p->outside);

    if (run && om_punch_is_busy(run))
        return OM_NEVER;
    if (is_v4 && node_study_is_busy(n))
        return OM_NEVER; /* its end comes here */
    om_time at = run ? om_punch_retry_at(run) : 0;
    if (!run || run->ended == 0)
        at = later(at, hops_until(n, is_v4));
    else
        at = later(run->state == OM_PUNCH_DONE ? run->ended + OM_SEC(AFTER_S) : at,
                   prepared_at(n, p));
    return run && p->punch->is_owed ? later(at, node_turn_free_at(n, p)) : at;
}

/* When the plan a peer asked for can be made; an opener with a guessed TTL may reach its NAT. */
static om_time held_until(const struct om_node *n, const struct om_peer *p)
{
    bool is_v4 = om_addr_is_v4(&p->outside);
    om_time asked = n->where.hops_at[!is_v4];

    if (is_v4 && node_study_is_busy(n))
        return OM_NEVER; /* its end comes here */
    om_time at =
        asked != 0 && om_nat_hops(&n->where.nats[!is_v4]) == 0 ? asked + OM_MS(HOPS_WAIT_MS) : 0;
    return later(at, prepared_at(n, p));
}

/* Would this attempt need a turn of its own? */
static bool is_heavy(const struct om_punch_profile *a, const struct om_punch_profile *b)
{
    return om_punch_is_easy(a) != om_punch_is_easy(b) ||
           (a->class == OM_NAT_BLOCK && b->class == OM_NAT_BLOCK);
}

/* We cannot now, and shall ask when we can. */
static void put_off(struct om_node *n, om_time now, struct om_peer *p, uint64_t nonce)
{
    struct om_punch *run = &p->punch->run;
    struct om_frame_punch f = {.step = OM_PUNCH_PLAN, .nonce = nonce, .fire_ms = OM_PUNCH_LATER};
    struct om_session *s = om_association_sealing(p->assoc, now);

    if (s)
        node_send_now(n, now, p, s, word_frame(n, &f, false));
    if (!om_punch_is_busy(run) || run->nonce == nonce)
        om_punch_postpone(run, now, now);
    p->punch->is_owed = true;
    node_turn_want(n, now, p);
}

static void told(struct om_node *n, om_time now, struct om_peer *p,
                 const struct om_punch_word *word, struct om_punch_facts *facts)
{
    if (word->frame.fire_ms == 0)
        presume(nat_for(n, p), p->punch, &word->profile, &facts->ours);
    if (word->frame.fire_ms == 0 && is_heavy(&facts->ours, &word->profile) &&
        node_turn_is_taken(n, p, now)) {
        put_off(n, now, p, word->frame.nonce);
        return;
    }
    om_punch_told(&p->punch->run, now, word, facts);
    node_turn_note(n, now, p, &p->punch->run);
    node_why_punch(p, now, &p->punch->run);
}

static void take_held(struct om_node *n, om_time now, struct om_peer *p)
{
    struct node_punch *u = p->punch;
    struct om_punch_facts facts;

    if (!u || !u->is_held || now < held_until(n, p))
        return;
    u->is_held = false;
    if (om_peer_via(p) && om_peer_via(p)->lane != 0 && collect(n, now, p, &facts))
        told(n, now, p, &u->held, &facts);
}

/* Does the only way to @p, proven or not, lead over a relay? */
static bool is_on_lane(const struct om_peer *p, om_time now)
{
    if (!p->paths || node_lane_direct(p) || !p->assoc || !om_association_sealing(p->assoc, now))
        return false;
    for (unsigned i = 0; i < p->paths->count; i++)
        if (p->paths->all[i].via.lane != 0 && p->paths->all[i].heard != OM_NEVER)
            return true;
    return false;
}

/* Is it being found out, for a punch with @p, what our NAT does? */
static bool is_studying(struct om_node *n, om_time now, const struct om_peer *p)
{
    bool is_v6 = p->has_outside && !om_addr_is_v4(&p->outside);

    return !is_v6 && node_study_begin(n, now, p->net);
}

void node_punch_run(struct om_node *n, om_time now, struct om_peer *p)
{
    take_held(n, now, p);
    drain(n, now, p);
    if (n->where.studied_at == 0 && is_on_lane(p, now) && is_studying(n, now, p))
        return; /* a round trip before the peer has said where it is */
    if (!is_relayed(p, now))
        return;
    ask_hops(n, now, p);
    bool is_soon = !is_seen(n, p) || begin_at(n, p) <= now + OM_MS(HOPS_WAIT_MS);
    if (is_soon && is_studying(n, now, p))
        return;
    if (is_seen(n, p) && begin_at(n, p) <= now)
        prepare(n, now, p);
    if (is_seen(n, p) && begin_at(n, p) <= now) {
        begin(n, now, p);
        drain(n, now, p);
    }
}

void node_punch_all(struct om_node *n, om_time now)
{
    size_t at = 0;
    void *value;

    while (om_table_next(&n->peers.table, &at, NULL, &value)) {
        struct om_peer *p = value;
        if (!p->assoc)
            continue;
        node_punch_run(n, now, p);
        node_rearm(n, now, p);
    }
}

om_time node_punch_deadline(const struct om_node *n, const struct om_peer *p, om_time now)
{
    om_time at;

    if (!p->assoc || !om_association_sealing(p->assoc, now))
        return OM_NEVER;
    at = p->punch ? om_punch_deadline(&p->punch->run) : OM_NEVER;
    if (p->punch && p->punch->is_held)
        at = om_time_min(at, held_until(n, p));
    if (is_wanted(n, p, now))
        at = om_time_min(at, begin_at(n, p));
    return at;
}

void node_punch_frame(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                      const struct om_frame_punch *f)
{
    const struct om_via *active = om_peer_via(p);
    struct om_punch_facts facts = {.left = 0};
    struct om_punch_word word;

    if (f->step != OM_PUNCH_PLAN) {
        unsigned socket = 0;
        if (!p->punch || via->lane != 0)
            return; /* nobody here asked for it */
        if (via->socket >= p->punch->first && via->socket - p->punch->first < p->punch->count)
            socket = via->socket - p->punch->first + 1;
        om_punch_heard(&p->punch->run, now, f, &via->remote, socket);
        return;
    }
    if (!active || active->lane == 0 || om_punch_word_of(&word, f) != OM_OK)
        return; /* a direct way is there already */
    if (!p->has_outside || !punch_of(n, p))
        return;
    ask_hops(n, now, p);
    if (om_punch_is_busy(&p->punch->run)) {
        if (collect(n, now, p, &facts))
            told(n, now, p, &word, &facts);
        return;
    }
    p->punch->held = word; /* the newest counts */
    p->punch->is_held = true;
    (void)is_studying(n, now, p);
    prepare(n, now, p);
    take_held(n, now, p);
}

bool node_punch_pong(struct om_node *n, om_time now, struct om_peer *p,
                     const struct om_frame_pong *pong)
{
    struct om_addr ours;
    size_t at = 0;
    void *value;

    while (p->lane_relay && om_table_next(&n->peers.table, &at, NULL, &value)) {
        struct om_peer *of = value;
        if (!of->punch || !our_outside(n, of, &ours) ||
            !node_fresh_pong(&of->punch->fresh, p, pong, &ours))
            continue;
        node_punch_run(n, now, of);
        node_rearm(n, now, of);
        return true;
    }
    return false;
}

bool node_punch_why(const struct om_node *n, om_time now, const struct om_peer *p, om_time *again)
{
    om_time at = is_wanted(n, p, now) ? begin_at(n, p) : OM_NEVER;

    *again = at == OM_NEVER ? OM_NEVER : at > now ? at - now : 0;
    return p->punch && om_punch_is_busy(&p->punch->run);
}
