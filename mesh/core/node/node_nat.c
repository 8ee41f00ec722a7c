/* node_nat.c - what our NAT does with new flows: who is asked, from which sockets, and when. */
#include "node/study.h"

#include <stdlib.h>

#include "node/lane.h"
#include "node/member.h"
#include "peer/record.h"

enum {
    PAD_LEAST = 40, /* of a question, as a datagram (PROTOCOL 5) */
    PAD_MOST = 104,
    SHARE_AGAIN_S = 600 /* what sharing was not shown for is not asked for anew */
};

static struct om_nat *nat_of(struct om_node *n)
{
    return &n->where.nats[0];
}

static unsigned below(struct om_node *n, unsigned limit)
{
    uint64_t r;

    om_rng_fill(&n->rng, &r, sizeof r); /* a liar must not foretell who is asked */
    return (unsigned)(r % limit);
}

/* ---- is there anything to find out? */

static unsigned width_of(const struct om_nat_fit *f)
{
    return f->last_port - f->first_port + 1U;
}

static bool wants_share(struct om_node *n, om_time now)
{
    const struct om_nat_fit *f = om_nat_judge(nat_of(n), now);
    const struct node_shared *known = &n->where.shared;

    return f->is_believed && f->class == OM_NAT_BLOCK && width_of(f) <= OM_STUDY_BLOCK_MAX &&
           (known->at == 0 ||
            (known->reuse == OM_NAT_REUSE_UNKNOWN && known->at + OM_SEC(SHARE_AGAIN_S) <= now));
}

static bool is_needed(struct om_node *n, om_time now)
{
    om_time rests = n->where.studied_at;

    if (rests != 0 && now < rests + OM_SEC(OM_STUDY_REST_S))
        return false;
    const struct om_nat_fit *f = om_nat_judge(nat_of(n), now);
    return f->class != OM_NAT_OPEN && (om_nat_wants(nat_of(n), now) > 0 || wants_share(n, now));
}

/* ---- witnesses */

const struct om_via *node_study_witness(const struct om_node *n, const struct om_peer *p)
{
    bool is_member = node_lane_session(n, p) && node_member_is_full(p);
    const struct om_via *via = is_member ? node_lane_direct(p) : NULL;
    const struct om_path *path = via ? om_paths_find(p->paths, via) : NULL;

    bool is_outside = path && path->origin != OM_PATH_PUNCHED && !p->is_beside;

    return is_outside && om_addr_is_v4(&via->remote) ? via : NULL;
}

/* All that speak with us directly, or some of them by lot. */
static void choose_witnesses(struct node_study *s)
{
    struct om_node *n = s->node;
    unsigned seen = 0;
    size_t at = 0;
    void *value;

    s->witness_count = 0;
    while (om_table_next(&n->peers.table, &at, NULL, &value)) {
        const struct om_peer *p = value;
        const struct om_via *via = node_study_witness(n, p);
        unsigned place = seen;
        if (!via)
            continue;
        if (seen++ >= OM_STUDY_WITNESSES_MAX)
            place = below(n, seen);
        if (place >= OM_STUDY_WITNESSES_MAX)
            continue;
        s->witnesses[place] = (struct node_witness){p->net, p->id, via->remote};
        if (s->witness_count <= place)
            s->witness_count = place + 1;
    }
}

/* The addresses of @id, whose record is known, that may be asked. Return: how many. */
static unsigned ends_of(const struct om_node *n, const struct om_network *net,
                        const struct om_id *id, struct om_addr out[static OM_ENDPOINTS_MAX])
{
    struct om_announce says;
    unsigned count = 0;

    if (om_node_record(n, &net->id, id, &says, NULL) != OM_OK)
        return 0;
    for (unsigned i = 0; i < says.end_count && count < OM_ENDPOINTS_MAX; i++)
        if (om_addr_is_v4(&says.ends[i]) && node_where_may_ask(n, &says.ends[i]))
            out[count++] = says.ends[i];
    return count;
}

/* Some of the members that are known and do not speak with us directly, by lot. */
static unsigned seek(struct node_study *s, unsigned wanted)
{
    struct om_addr ends[OM_ENDPOINTS_MAX];
    struct om_id known[OM_STUDY_KNOWN_MAX];
    struct om_node *n = s->node;
    unsigned count = om_node_peers(n, &s->net->id, known, OM_STUDY_KNOWN_MAX), met = 0;

    if (count > OM_STUDY_KNOWN_MAX)
        count = OM_STUDY_KNOWN_MAX;
    for (; count > 0 && met < wanted; count--) {
        unsigned i = below(n, count);
        const struct om_peer *p = om_peers_find(&n->peers, s->net, &known[i]);
        if (!(p && node_lane_session(n, p)) && ends_of(n, s->net, &known[i], ends) > 0)
            s->met[met++] = known[i];
        known[i] = known[count - 1];
    }
    return met;
}

static void meet(struct node_study *s, om_time now)
{
    struct om_node *n = s->node;
    struct om_peer *p;

    for (unsigned i = 0; i < s->met_count; i++) {
        if (node_add_peer(n, s->net, &s->met[i], &p) != OM_OK)
            continue;
        if (p->end_count == 0)
            p->end_count = ends_of(n, s->net, &p->id, p->ends);
        if (!p->handshake && !(p->assoc && om_association_sealing(p->assoc, now))) {
            s->is_ours[i] = p->is_direct_only = p->is_wanted = true;
            node_need_session(n, now, p);
        } else if (p->paths && p->assoc) { /* over a lane: is there a better way? */
            for (unsigned k = 0; k < p->end_count; k++)
                (void)om_paths_add(p->paths, now, &(struct om_via){.remote = p->ends[k]},
                                   OM_PATH_SAID);
            node_path_run(n, now, p);
        }
        node_rearm(n, now, p);
    }
}

/* All of them are there; or, after a while, enough. */
static bool is_met(const struct node_study *s, om_time now)
{
    unsigned up = 0, had = s->witness_count;

    for (unsigned i = 0; i < s->met_count; i++) {
        const struct om_peer *p = om_peers_find(&s->node->peers, s->net, &s->met[i]);
        up += p && node_lane_session(s->node, p) != NULL;
    }
    return up == s->met_count ||
           (had + up >= OM_STUDY_ENOUGH && now >= s->began + OM_MS(OM_STUDY_MEET_MS));
}

/* Who did not answer is left alone. */
static void end_meeting(struct node_study *s, om_time now)
{
    struct om_node *n = s->node;

    for (unsigned i = 0; i < s->met_count; i++) {
        struct om_peer *p = om_peers_find(&n->peers, s->net, &s->met[i]);
        if (!p || !s->is_ours[i])
            continue;
        p->is_direct_only = false;
        if (!node_lane_session(n, p) && p->waiting_count == 0 && !p->is_typed) {
            p->is_wanted = false;
            node_end_handshake(n, p);
        }
        node_rearm(n, now, p);
    }
    s->met_count = 0;
}

/* ---- questions */

struct om_buf *node_study_question(struct om_node *n, uint64_t token)
{
    const struct om_frame_punch probe = {.step = OM_PUNCH_PROBE};
    struct om_buf *b = node_plain(n);
    size_t want = PAD_LEAST + om_prng_below(&n->prng, PAD_MOST - PAD_LEAST + 1) - OM_OVERHEAD;

    if (!b)
        return NULL;
    struct om_wr w = om_wr(om_mut(om_buf_data(b), PAD_MOST - OM_OVERHEAD));
    om_frame_write_punch(&w, &probe);
    om_frame_write_ping(&w, token);
    size_t len = om_wr_len(&w);
    if (want > len) {
        om_wr_zero(&w, want - len); /* PAD */
        len = want;
    }
    om_buf_put(b, len);
    return b;
}

static void send_one(struct node_study *s, om_time now, unsigned i)
{
    struct om_node *n = s->node;
    const struct node_witness *w = &s->witnesses[s->asks[i].witness];
    struct om_peer *p = om_peers_find(&n->peers, w->net, &w->id);
    struct om_session *session = p ? node_lane_session(n, p) : NULL;
    struct om_via via = {.remote = w->to};

    if (!session || (s->asks[i].socket > 0 && s->first == 0))
        return;
    if (s->asks[i].socket > 0)
        via.socket = s->first + s->asks[i].socket - 1;
    node_send_over(n, now, p, session, node_study_question(n, s->token + i), &via);
}

/* How long the last answers may take. */
static om_time patience(const struct node_study *s)
{
    om_time wait = OM_MS(OM_STUDY_LEAST_MS);

    for (unsigned i = 0; i < s->witness_count; i++) {
        const struct node_witness *w = &s->witnesses[i];
        const struct om_peer *p = om_peers_find(&s->node->peers, w->net, &w->id);
        om_time rtt = p && p->assoc ? p->assoc->rtt.smoothed : 0;
        om_time one = rtt > 0 ? OM_MS(OM_STUDY_LEAST_MS) + rtt : OM_MS(OM_STUDY_WAIT_MS);
        wait = one > wait ? one : wait;
    }
    return om_time_min(wait, OM_MS(OM_STUDY_WAIT_MS));
}

static void arm(struct node_study *s, om_time at)
{
    if (om_timer_arm(&s->node->timers, &s->timer, at) != OM_OK)
        node_drop(s->node, OM_DROP_MEMORY); /* cannot be: its place was counted */
}

/* When the first datagram of flow @i leaves, or left: their order is what tells a stride. */
static om_time first_sent(const struct node_study *s, om_time now, unsigned i)
{
    const struct node_ask *a = &s->asks[i];
    const struct node_witness *w = &s->witnesses[a->witness];
    const struct om_peer *p = om_peers_find(&s->node->peers, w->net, &w->id);
    const struct om_path *path =
        p && p->paths ? om_paths_find(p->paths, &(struct om_via){.remote = w->to}) : NULL;

    return a->socket == 0 && path ? path->added : now + i;
}

/* From one question of many to the next, so that no witness has more than it answers. */
static om_time pace_of(const struct node_study *s)
{
    if (s->count == 0 || s->witness_count == 0)
        return 0; /* no sockets were to be had */
    unsigned each = s->count / s->witness_count;
    om_time lasts =
        each > OM_STUDY_AT_ONCE ? OM_MS(OM_STUDY_EACH_MS) * (each - OM_STUDY_AT_ONCE) : 0;

    return lasts / s->count > OM_US(OM_STUDY_PACE_US) ? lasts / s->count : OM_US(OM_STUDY_PACE_US);
}

static void send_due(struct node_study *s, om_time now)
{
    om_time pace = s->stage == NODE_STUDY_SHARING ? pace_of(s) : 0;

    while (s->sent < s->count && s->next_at <= now) {
        s->asks[s->sent].at = first_sent(s, now, s->sent);
        send_one(s, now, s->sent++);
        s->next_at += pace;
    }
    s->until = now + patience(s);
    arm(s, s->sent < s->count ? s->next_at : s->until);
}

static void close_sockets(struct node_study *s)
{
    if (s->first != 0)
        node_sockets_close(s->node, s->first, s->sockets, 0);
    s->first = 0;
    s->sockets = 0;
}

/* Every witness is asked from @sockets fresh sockets; and from the main one, if @and_main. */
static void ask(struct node_study *s, om_time now, enum node_study_stage stage, unsigned sockets,
                bool and_main)
{
    struct om_node *n = s->node;

    s->stage = stage;
    s->first = node_sockets_open(n, sockets);
    s->sockets = s->first ? sockets : 0;
    s->count = s->sent = s->answered = s->tries = 0;
    s->next_at = now;
    om_rng_fill(&n->rng, &s->token, sizeof s->token);
    for (unsigned k = and_main ? 0 : 1; k <= s->sockets; k++)
        for (unsigned w = 0; w < s->witness_count && s->count < OM_STUDY_ASKS_MAX; w++)
            s->asks[s->count++] = (struct node_ask){.witness = (uint8_t)w, .socket = (uint8_t)k};
    send_due(s, now);
}

static void ask_again(struct node_study *s, om_time now)
{
    s->tries++;
    for (unsigned i = 0; i < s->count; i++)
        if (!s->asks[i].is_answered)
            send_one(s, now, i);
    s->until = now + patience(s);
    arm(s, s->until);
}

bool node_study_pong(struct om_node *n, om_time now, struct om_peer *p,
                     const struct om_frame_pong *pong)
{
    struct node_study *s = n->study;
    uint64_t i = s ? pong->token - s->token : 0;

    if (node_punch_pong(n, now, p, pong))
        return true;
    if (!s || s->stage == NODE_STUDY_MEETING || i >= s->sent)
        return false;
    struct node_ask *a = &s->asks[i];
    const struct node_witness *w = &s->witnesses[a->witness];
    if (a->is_answered || w->net != p->net || !om_id_equal(&w->id, &p->id))
        return false;
    a->is_answered = true;
    s->answered++;
    struct om_nat_sample x = {.peer = p->id,
                              .local = om_addr_v4(0, (uint16_t)(s->first + a->socket - 1)),
                              .to = w->to,
                              .seen = pong->seen,
                              .at = a->at < now ? a->at : now};
    if (s->stage == NODE_STUDY_SHARING)
        (void)om_nat_share_word(&s->share, &x);
    else
        p->is_beside = !node_where_flow(n, now, s->generation, a->socket == 0, &x);
    if (s->answered == s->count)
        arm(s, now);
    return true;
}

/* ---- from stage to stage */

void node_study_stop(struct om_node *n)
{
    struct node_study *s = n->study;

    if (!s)
        return;
    end_meeting(s, n->now);
    close_sockets(s);
    om_timer_stop(&n->timers, &s->timer);
    free(s);
    n->study = NULL;
}

/* Whoever waited for it to end may go on. */
static void finish(struct node_study *s, om_time now)
{
    struct om_node *n = s->node;

    n->where.studied_at = now ? now : 1;
    node_study_stop(n);
    node_punch_all(n, now);
}

static void asked(struct node_study *s, om_time now)
{

    struct om_node *n = s->node;

    close_sockets(s);
    if (!wants_share(n, now) || s->witness_count < OM_STUDY_SHARE_LEAST) {
        finish(s, now);
        return;
    }
    const struct om_nat_fit *f = om_nat_judge(nat_of(n), now);
    unsigned flows = om_nat_share_flows(width_of(f));
    om_nat_share_init(&s->share, f->outside);
    ask(s, now, NODE_STUDY_SHARING, flows / s->witness_count + 1, false);
}

static void shared(struct node_study *s, om_time now)
{
    struct om_node *n = s->node;
    const struct om_nat_fit *f = om_nat_judge(nat_of(n), now);
    struct node_shared *out = &n->where.shared;

    *out = (struct node_shared){
        .at = now ? now : 1, .first_port = f->first_port, .last_port = f->last_port};
    (void)om_nat_share_range(&s->share, &out->first_port, &out->last_port);
    out->reuse = om_nat_share_judge(&s->share, out->last_port - out->first_port + 1U);
    finish(s, now);
}

/* Some answers were lost, and the others say enough. */
static bool is_told(const struct node_study *s, om_time now)
{
    return s->answered >= OM_NAT_WANTED && om_nat_judge(nat_of(s->node), now)->is_believed;
}

/* Who is there, and who could be met? */
static void look_around(struct node_study *s, om_time now)
{
    s->began = now;
    choose_witnesses(s);
    if (s->witness_count < OM_STUDY_WITNESSES_MAX)
        s->met_count = seek(s, OM_STUDY_WITNESSES_MAX - s->witness_count);
    meet(s, now);
    s->until = s->met_count > 0 ? now + OM_MS(OM_STUDY_MEET_MAX_MS) : now;
}

/* Nobody else is known yet, and gossip has hardly begun. */
static bool is_too_young(const struct node_study *s, om_time now)
{
    return s->met_count == 0 && s->witness_count < OM_STUDY_ENOUGH &&
           now < s->node->born_at + OM_MS(OM_STUDY_YOUNG_MS);
}

static void fire(struct om_timer *t, om_time now)
{
    struct node_study *s = OM_CONTAINER_OF(t, struct node_study, timer);
    struct om_node *n = s->node;

    if (s->stage == NODE_STUDY_MEETING) {
        if (s->met_count == 0)
            look_around(s, now);
        if (is_too_young(s, now)) {
            arm(s, now + OM_MS(OM_STUDY_LOOK_MS));
            return;
        }
        if (now < s->until && !is_met(s, now)) {
            arm(s, om_time_min(s->until, now + OM_MS(OM_STUDY_LOOK_MS)));
            return;
        }
        end_meeting(s, now);
        choose_witnesses(s);
        ask(s, now, NODE_STUDY_ASKING, OM_STUDY_SOCKETS,
            s->witness_count < OM_STUDY_ENOUGH || nat_of(n)->count == 0);
    } else if (s->sent < s->count) {
        send_due(s, now);
    } else if (s->answered < s->count && now < s->until) {
        arm(s, s->until);
    } else if (s->stage == NODE_STUDY_SHARING) {
        shared(s, now);
    } else if (s->answered < s->count && s->tries + 1 < OM_STUDY_TRIES && !is_told(s, now)) {
        ask_again(s, now);
    } else {
        asked(s, now);
    }
}

bool node_study_begin(struct om_node *n, om_time now, struct om_network *net)
{
    if (n->study || !is_needed(n, now))
        return n->study != NULL;
    struct node_study *s = calloc(1, sizeof *s);
    if (!s) {
        node_drop(n, OM_DROP_MEMORY);
        return false;
    }
    n->now = now;
    n->study = s;
    s->node = n;
    s->net = net;
    s->timer.fire = fire;
    s->generation = nat_of(n)->generation;
    look_around(s, now);
    arm(s, s->met_count > 0 ? now + OM_MS(OM_STUDY_LOOK_MS) : now);
    return true;
}

void node_study_profile(const struct om_node *n, struct om_punch_profile *profile)
{
    const struct node_shared *known = &n->where.shared;

    if (profile->class != OM_NAT_BLOCK || known->at == 0)
        return;
    profile->reuse = known->reuse;
    profile->first_port = known->first_port;
    profile->last_port = known->last_port;
}
