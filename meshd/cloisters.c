/* cloisters.c - questions and answers of two daemons, and of the people before them. */
#include "cloisters.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/cloister.h>

#include "cloister_words.h"
#include "control/control.h"
#include "control/parts.h"
#include "host/clock.h"
#include "host/entropy.h"
#include "membership.h"
#include "membership_parts.h"
#include "questions.h"

enum { OUT_MAX = OM_CLOISTER_REVEAL + OM_CLOISTER_AGREE, LAST_WORD_S = 10 };

struct row {
    struct cloisters *hub;
    struct om_call_owner owner;
    struct question q;
    struct om_cloister c; /* NONE: the row is free */
    om_time last_by;      /* DONE: when nobody waits any more for the peer to have our last word */
    size_t in_len, out_len; /* of in; of out, which is written */
    uint64_t released;
    struct om_addr at;          /* the peer's, once we agree */
    bool is_told;               /* the code */
    bool is_due;                /* the user said yes just now */
    char name[OM_NAME_MAX + 1]; /* "": one is made up */
    uint8_t in[OM_CLOISTER_BODY_MAX], out[OUT_MAX];
};

struct cloisters {
    struct om_daemon *d;
    uv_timer_t timer;
    unsigned numbers;
    uint64_t ended[OM_CLOISTER_WHY_COUNT];
    struct questions questions;
    struct row rows[QUESTIONS_MAX];
};

/* What @q is of; NULL: of nothing. */
static struct row *row_of(struct question *q)
{
    return q ? OM_CONTAINER_OF(q, struct row, q) : NULL;
}

static const char *state_of(const struct row *r)
{
    switch (r->c.step) {
    case OM_CLOISTER_NONE:
    case OM_CLOISTER_ASKED:
    case OM_CLOISTER_ANSWERED:
        break;
    case OM_CLOISTER_COMPARING:
        return r->c.we_agree || r->is_due ? "agreed" : "comparing";
    case OM_CLOISTER_DONE:
        return "done";
    case OM_CLOISTER_FAILED:
        return om_cloister_why_name(r->c.why);
    }
    return "asking";
}

static json_t *show(const struct row *r)
{
    const struct daemon_network *net = daemon_network(r->hub->d, &r->q.network);
    om_time left = om_cloister_deadline(&r->c);

    left = left == OM_NEVER ? 0 : left - om_clock_now();
    return json_pack("{s:i, s:o, s:s, s:s, s:s?, s:b, s:f}", "id", (int)r->q.number, "peer",
                     control_id(&r->c.peer), "network", net ? net->name : "", "state", state_of(r),
                     "code", *r->c.code ? r->c.code : NULL, "asked_here", (int)r->c.is_asker,
                     "left_s", left > 0 ? (double)left / (double)OM_SEC(1) : 0.0);
}

static void on_time(uv_timer_t *t);

static void arm(struct cloisters *s)
{
    om_time now = om_clock_now(), at = OM_NEVER;

    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        const struct row *r = &s->rows[i];
        om_time due = r->c.step == OM_CLOISTER_DONE ? r->last_by : om_cloister_deadline(&r->c);
        if (r->is_due)
            due = now;
        if (due < at)
            at = due;
    }
    (void)uv_timer_stop(&s->timer);
    if (at != OM_NEVER) /* at least 1 ms, and rounded up */
        (void)uv_timer_start(&s->timer, on_time,
                             at > now ? (uint64_t)((at - now) / OM_MS(1)) + 1 : 1, 0);
}

static void clear(struct row *r)
{
    om_cloister_wipe(&r->c);
    sodium_memzero(r, sizeof *r);
}

static enum om_close_code code_of(enum om_cloister_why why)
{
    if (why == OM_CLOISTER_DENIED)
        return OM_CLOSE_REFUSED;
    if (why == OM_CLOISTER_EXPIRED)
        return OM_CLOSE_LIMIT;
    return why == OM_CLOISTER_GARBAGE ? OM_CLOSE_PROTOCOL : OM_CLOSE_CANCELLED;
}

/* @r ends without a network, and everybody who waits is told. */
static void end(struct row *r, enum om_cloister_why why)
{
    struct cloisters *s = r->hub;
    struct om_error err;

    om_cloister_fail(&r->c, why);
    why = r->c.why;
    s->ended[why]++;
    om_calls_hang_up(s->d->calls, &r->owner, code_of(why));
    (void)om_fail(&err, OM_E_STATE, "%s", om_cloister_why_text(why));
    control_notify_cloister(s->d->control, show(r));
    control_cloister_code(s->d->control, r->q.number, &r->q.network, &r->c.peer, NULL, &err);
    control_cloister_end(s->d->control, r->q.number, &r->q.network, &r->c.peer, NULL, &err);
    clear(r);
    arm(s);
    om_calls_kick(s->d->calls);
}

/* Both said yes, and the peer knows: there is a network. */
static void found(struct row *r)
{
    struct cloisters *s = r->hub;
    struct om_network_link l = {.kind = OM_NETWORK_DIRECT,
                                .is_pinned = true,
                                .peer_count = 1,
                                .peers = {{.key = r->c.their_key, .addr = r->at}}};
    json_t *told = show(r);
    struct om_error err;

    om_calls_hang_up(s->d->calls, &r->owner, OM_CLOSE_DONE);
    memcpy(l.secret, r->c.key, sizeof l.secret);
    om_network_link_derive(&l);
    const struct daemon_network *net = membership_join(s->d, &l, *r->name ? r->name : NULL, &err);
    if (!net && *r->name) /* somebody took that meanwhile */
        net = membership_join(s->d, &l, NULL, &err);
    sodium_memzero(&l, sizeof l);
    (void)json_object_set_new(told, "made", net ? json_string(net->name) : json_null());
    control_notify_cloister(s->d->control, told);
    control_cloister_end(s->d->control, r->q.number, &r->q.network, &r->c.peer, net, &err);
    clear(r);
    arm(s);
    om_pump_kick(s->d->pump);
}

/* What the machine has to say is written; false: it cannot be, and @r is over. */
static bool speak(struct row *r)
{
    struct om_node *n = daemon_node(r->hub->d);
    struct om_cloister_message m;
    enum om_err e = OM_OK;

    while (e == OM_OK && om_cloister_next(&r->c, &m)) {
        memcpy(r->out + r->out_len, m.body, m.len);
        e = om_node_write(n, om_clock_now(), r->owner.call, om_bytes(r->out + r->out_len, m.len));
        r->out_len += m.len;
    }
    if (e == OM_OK && r->c.we_agree)
        (void)!om_node_finish(n, om_clock_now(), r->owner.call);
    sodium_memzero(&m, sizeof m);
    if (e != OM_OK)
        end(r, OM_CLOISTER_GONE);
    return e == OM_OK;
}

/* The machine of @r moved on. */
static void advance(struct row *r)
{
    struct cloisters *s = r->hub;

    if (r->c.step == OM_CLOISTER_FAILED) {
        end(r, r->c.why);
        return;
    }
    if (!speak(r))
        return;
    if (r->c.step == OM_CLOISTER_COMPARING && !r->is_told) {
        r->is_told = true;
        control_notify_cloister(s->d->control, show(r));
        control_cloister_code(s->d->control, r->q.number, &r->q.network, &r->c.peer, show(r), NULL);
    }
    if (r->c.step == OM_CLOISTER_DONE && r->last_by == 0)
        r->last_by = om_clock_now() + OM_SEC(LAST_WORD_S);
    if (r->c.step == OM_CLOISTER_DONE && r->released == r->out_len) {
        found(r);
        return;
    }
    arm(s);
    om_calls_kick(s->d->calls);
}

/* What came for @r: whole messages go to its machine. */
static void hear(struct row *r)
{
    struct om_node *n = daemon_node(r->hub->d);
    size_t wanted;

    while ((wanted = om_cloister_wants(&r->c)) > 0) {
        struct om_bytes in = om_node_read(n, r->owner.call, NULL);
        size_t take = wanted - r->in_len < in.n ? wanted - r->in_len : in.n;
        if (take == 0)
            return;
        memcpy(r->in + r->in_len, in.p, take);
        r->in_len += take;
        om_node_consume(n, om_clock_now(), r->owner.call, take);
        if (r->in_len < wanted)
            continue;
        r->in_len = 0;
        (void)!om_cloister_input(&r->c, om_clock_now(), om_bytes(r->in, wanted));
    }
}

static enum om_cloister_why why_of(uint32_t code)
{
    if (code == OM_CLOSE_REFUSED)
        return OM_CLOISTER_REFUSED;
    if (code == OM_CLOSE_PROTOCOL)
        return OM_CLOISTER_GARBAGE;
    return code == OM_CLOSE_LIMIT ? OM_CLOISTER_EXPIRED : OM_CLOISTER_GONE;
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    struct row *r = OM_CONTAINER_OF(o, struct row, owner);
    bool is_over = news->news & (OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE);

    if (news->released > r->released)
        r->released = news->released;
    if (r->c.step == OM_CLOISTER_ANSWERED || r->c.step == OM_CLOISTER_COMPARING)
        hear(r);
    /* A peer that has the network hangs up, too, or leaves the one that both were in. */
    if (is_over && r->c.step == OM_CLOISTER_DONE && why_of(news->code) == OM_CLOISTER_GONE)
        found(r);
    else if (is_over && r->c.step != OM_CLOISTER_FAILED)
        end(r, why_of(news->code));
    else
        advance(r);
}

static void on_reply(struct om_call_owner *o, const struct om_act_reply *reply)
{
    struct row *r = OM_CONTAINER_OF(o, struct row, owner);
    uint8_t point[CLOISTER_WORD];

    if (!reply->is_ok) {
        bool is_busy = strcmp(reply->error, "busy") == 0;
        bool is_gone = strcmp(reply->error, "gone") == 0 || strcmp(reply->error, "timeout") == 0;
        end(r, is_busy ? OM_CLOISTER_BUSY : is_gone ? OM_CLOISTER_GONE : OM_CLOISTER_REFUSED);
        return;
    }
    om_node_limit(daemon_node(r->hub->d), om_clock_now(), o->call);
    bool is_good = cloister_words_read(point, reply->body, CLOISTER_POINT);
    (void)!om_cloister_input(&r->c, om_clock_now(), om_bytes(point, is_good ? sizeof point : 0));
    advance(r);
}

/* The user said yes to @r: the peer is told the key that we will have. */
static void agree(struct row *r)
{
    struct om_id own;

    r->is_due = false;
    if (om_node_id_ahead(daemon_node(r->hub->d), &r->c.network, &own) != OM_OK ||
        om_cloister_agree(&r->c, &own) != OM_OK)
        end(r, OM_CLOISTER_GARBAGE);
    else
        advance(r);
}

static void on_time(uv_timer_t *t)
{
    struct cloisters *s = t->data;
    om_time now = om_clock_now();

    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        struct row *r = &s->rows[i];
        om_cloister_tick(&r->c, now);
        if (r->c.step == OM_CLOISTER_FAILED)
            end(r, r->c.why);
        else if (r->is_due)
            agree(r);
        else if (r->c.step == OM_CLOISTER_DONE && now >= r->last_by)
            found(r);
    }
    arm(s);
}

unsigned cloisters_number(struct cloisters *s)
{
    return ++s->numbers;
}

/* A free row, for @peer of @network, whom we ask or who asked; NULL when there is none. */
static struct row *take(struct cloisters *s, const struct om_id *network, const struct om_id *peer,
                        bool is_ours)
{
    const struct question like = {.network = *network, .peer = *peer, .is_ours = is_ours};
    struct row *r = row_of(questions_take(&s->questions, &like, s->d->network_count));

    if (!r)
        return NULL;
    r->hub = s;
    r->owner = (struct om_call_owner){.on_reply = on_reply, .on_stream = on_stream};
    r->q.number = cloisters_number(s);
    return r;
}

/* The call of an answer: the peer is told our point. */
static bool tell_point(struct row *r, uint64_t call)
{
    struct om_daemon *d = r->hub->d;
    char *text = cloister_words_write(&r->c, CLOISTER_POINT);
    enum om_err e = OM_E_NO_MEM;

    if (text)
        e = om_calls_take(d->calls, call, &r->owner);
    if (e == OM_OK) {
        e = om_node_accept(daemon_node(d), om_clock_now(), call, om_bytes(text, strlen(text)));
        om_node_limit(daemon_node(d), om_clock_now(), call);
    }
    free(text);
    return e == OM_OK;
}

/* The row for an answer to @call; NULL: refused. Two that ask at once: the lower key goes on. */
static struct row *row_for(struct cloisters *s, const struct om_act_call *call)
{
    const struct om_id *self = om_node_id(daemon_node(s->d), &call->network);
    struct row *r = row_of(questions_with(&s->questions, &call->network, &call->peer));

    if (!self || om_id_equal(self, &call->peer))
        return NULL;
    if (!r)
        return take(s, &call->network, &call->peer, false);
    if (r->c.step != OM_CLOISTER_ASKED || !om_cloister_yields(self, &call->peer))
        return NULL;
    om_calls_hang_up(s->d->calls, &r->owner, OM_CLOSE_CANCELLED);
    r->in_len = 0;
    r->q.is_ours = false;
    return r;
}

void cloisters_call(struct cloisters *s, const struct om_act_call *call)
{
    const struct om_act_call c = *call; /* what it lends goes with the first request */
    const struct om_rng rng = om_entropy();
    uint8_t offer[CLOISTER_WORD];
    bool is_good = cloister_words_read(offer, call->args, CLOISTER_COMMIT);
    bool may_ask =
        is_good && repeats_ask(&s->questions.repeats, om_clock_now(), &c.network, &c.peer);
    struct row *r = may_ask ? row_for(s, &c) : NULL;

    if (!is_good) {
        s->ended[OM_CLOISTER_GARBAGE]++;
        om_calls_refuse(s->d->calls, c.call, "bad_args", NULL);
    } else if (!r) {
        s->ended[OM_CLOISTER_BUSY]++;
        om_calls_refuse(s->d->calls, c.call, "busy", NULL);
    } else if (om_cloister_answer(&r->c, om_clock_now(), om_node_id(daemon_node(s->d), &c.network),
                                  &c.peer, om_bytes(offer, sizeof offer), &rng) != OM_OK ||
               !tell_point(r, c.call)) {
        if (!r->owner.is_open)
            om_calls_refuse(s->d->calls, c.call, "internal", NULL);
        end(r, OM_CLOISTER_GONE);
    }
    arm(s);
    om_calls_kick(s->d->calls);
}

/* May there be one network more, called @name? */
static bool has_room(const struct cloisters *s, const char *name, struct om_error *err)
{
    unsigned count = s->d->joining_count;
    char ignored[OM_NAME_MAX + 1];

    for (unsigned i = 0; i < s->d->network_count; i++)
        count += !s->d->networks[i].is_default;
    if (count >= OM_NETWORKS_MAX)
        return om_fail(err, OM_E_FULL, "in %d networks already, which is the most: leave one",
                       OM_NETWORKS_MAX) == OM_OK;
    return !name ||
           membership_choose_name(s->d, &(struct om_network_link){.kind = OM_NETWORK_DIRECT}, name,
                                  ignored, err);
}

/* Sends the OFFER of @r. */
static enum om_err open_call(struct row *r, const struct daemon_network *net)
{
    struct om_daemon *d = r->hub->d;
    char *text = cloister_words_write(&r->c, CLOISTER_COMMIT);
    const struct om_call_config call = {.method = OM_METHOD_CLOISTER,
                                        .args = om_bytes(text, text ? strlen(text) : 0),
                                        .priority = OM_INTERACTIVE,
                                        .timeout = OM_SEC(OM_CLOISTER_HANDS_S)};
    enum om_err e = text ? OM_OK : OM_E_NO_MEM;
    if (e == OM_OK)
        e = daemon_reach(d, net, &r->c.peer);
    if (e == OM_OK)
        e = om_calls_open(d->calls, &r->q.network, &r->c.peer, &call, &r->owner);
    free(text);
    return e;
}

unsigned cloisters_ask(struct cloisters *s, const struct daemon_network *net,
                       const struct om_id *peer, const char *name, struct om_error *err)
{
    const struct om_rng rng = om_entropy();
    struct row *r = row_of(questions_with(&s->questions, &net->id, peer));

    if (r) {
        (void)om_fail(err, OM_E_EXISTS,
                      "with that peer there is one already: omerta cloister list");
        return 0;
    }
    if (!has_room(s, name, err))
        return 0;
    r = take(s, &net->id, peer, true);
    if (!r) {
        (void)om_fail(err, OM_E_FULL, "%d wait for an answer: deny some", QUESTIONS_MAX);
        return 0;
    }
    (void)snprintf(r->name, sizeof r->name, "%s", name ? name : "");
    om_cloister_ask(&r->c, om_clock_now(), &net->self, peer, &rng);
    enum om_err e = open_call(r, net);
    if (e != OM_OK) {
        clear(r);
        (void)om_fail(err, e, "the peer cannot be asked: %s", om_err_text(e));
        return 0;
    }
    arm(s);
    om_calls_kick(s->d->calls);
    return r->q.number;
}

/* Where the peer of @r is: the new network has no relays, so it takes a way without any. */
static bool find_way(struct row *r, struct om_error *err)
{
    struct om_peer_info info;

    if (om_node_peer_info(daemon_node(r->hub->d), om_clock_now(), &r->q.network, &r->c.peer,
                          &info) != OM_OK ||
        !info.is_heard || info.is_relayed)
        return om_fail(err, OM_E_NO_ROUTE,
                       "there is no direct way to the peer now, and a network of two has no "
                       "relays: try again, or deny") == OM_OK;
    r->at = info.via.remote;
    return true;
}

static struct row *named(struct cloisters *s, unsigned number, struct om_error *err)
{
    struct row *r = row_of(questions_find(&s->questions, number));

    if (!r || r->c.step == OM_CLOISTER_DONE) {
        (void)om_fail(err, OM_E_MISSING, "no question %u waits (omerta cloister list)", number);
        return NULL;
    }
    return r;
}

bool cloisters_accept(struct cloisters *s, unsigned number, const char *name, struct om_id peer[2],
                      struct om_error *err)
{
    struct row *r = named(s, number, err);

    if (!r || !has_room(s, name, err))
        return false;
    bool is_said = r->c.we_agree || r->is_due;
    if (r->c.step != OM_CLOISTER_COMPARING || is_said)
        return om_fail(err, OM_E_STATE, "%s",
                       is_said ? "that was accepted here already; the peer's word is awaited"
                               : "there is no code yet to compare") == OM_OK;
    if (!find_way(r, err))
        return false;
    if (name)
        (void)snprintf(r->name, sizeof r->name, "%s", name);
    repeats_forget(&s->questions.repeats, &r->q.network, &r->c.peer);
    peer[0] = r->q.network;
    peer[1] = r->c.peer;
    r->is_due = true; /* and not now: who asks is to wait for the answer first */
    arm(s);
    return true;
}

json_t *cloisters_deny(struct cloisters *s, unsigned number, struct om_error *err)
{
    struct row *r = named(s, number, err);

    if (!r)
        return NULL;
    json_t *out = show(r);
    (void)json_object_set_new(out, "state", json_string(om_cloister_why_name(OM_CLOISTER_DENIED)));
    (void)json_object_set_new(out, "code", json_null());
    end(r, OM_CLOISTER_DENIED);
    return out;
}

json_t *cloisters_list(const struct cloisters *s)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < QUESTIONS_MAX; i++)
        if (s->rows[i].c.step != OM_CLOISTER_NONE)
            (void)json_array_append_new(list, show(&s->rows[i]));
    return list;
}

json_t *cloisters_ended(const struct cloisters *s)
{
    json_t *o = json_object();

    for (unsigned i = 0; i < OM_CLOISTER_WHY_COUNT; i++)
        (void)json_object_set_new(o, om_cloister_why_name((enum om_cloister_why)i),
                                  json_integer((json_int_t)s->ended[i]));
    return o;
}

bool cloisters_open(struct cloisters **out, struct om_daemon *d, struct om_error *err)
{
    struct cloisters *s = calloc(1, sizeof *s);

    if (!s || uv_timer_init(&d->loop, &s->timer) < 0) {
        free(s);
        return om_fail(err, OM_E_NO_MEM, "no memory for cloisters") == OM_OK;
    }
    s->d = d;
    s->timer.data = s;
    for (unsigned i = 0; i < QUESTIONS_MAX; i++)
        s->questions.of[i] = &s->rows[i].q;
    *out = s;
    return true;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void cloisters_close(struct cloisters *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        om_calls_hang_up(s->d->calls, &s->rows[i].owner, OM_CLOSE_CANCELLED);
        clear(&s->rows[i]);
    }
    uv_close((uv_handle_t *)&s->timer, on_closed);
}
