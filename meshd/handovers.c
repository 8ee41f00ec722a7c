/* handovers.c - offers, the user's word on them, and links that follow. */
#include "handovers.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/authority.h>
#include <omerta/network_link.h>
#include <omerta/text.h>

#include "cloisters.h"
#include "closed.h"
#include "control/control.h"
#include "control/parts.h"
#include "handover_words.h"
#include "host/clock.h"
#include "membership.h"
#include "membership_parts.h"
#include "questions.h"

enum { PEOPLE_S = 300, INVITATION_S = 600 };

struct row {
    struct handovers *hub;
    struct om_call_owner owner;
    struct question q;
    struct om_id given; /* ours only */
    om_time until;
    bool is_closed, is_agreed;
    char what[OM_NAME_MAX + 1]; /* as who gives it calls it */
    char name[OM_NAME_MAX + 1]; /* as it is to be called here; "": one is made up */
    size_t link_len;
    char link[OM_NETWORK_LINK_TEXT]; /* written, or as much as came */
};

struct handovers {
    struct om_daemon *d;
    uv_timer_t timer;
    struct row rows[QUESTIONS_MAX];
    struct questions questions;
};

/* What @q is of; NULL: of nothing. */
static struct row *row_of(struct question *q)
{
    return q ? OM_CONTAINER_OF(q, struct row, q) : NULL;
}

bool handovers_has(const struct handovers *s, unsigned number)
{
    return questions_find(&s->questions, number) != NULL;
}

static json_t *show(const struct row *r, const char *state)
{
    const struct daemon_network *net = daemon_network(r->hub->d, &r->q.network);
    om_time left = r->until - om_clock_now();

    return json_pack("{s:i, s:o, s:s, s:s, s:n, s:b, s:f, s:s, s:s}", "id", (int)r->q.number,
                     "peer", control_id(&r->q.peer), "network", net ? net->name : "", "state",
                     state, "code", "asked_here", (int)r->q.is_ours, "left_s",
                     left > 0 ? (double)left / (double)OM_SEC(1) : 0.0, "hand", r->what, "kind",
                     r->is_closed ? "closed" : "open");
}

static const char *state_of(const struct row *r)
{
    if (r->q.is_ours)
        return r->is_agreed ? "agreed" : "asking";
    return r->is_agreed ? "agreed" : "offered";
}

static void on_time(uv_timer_t *t);

static void arm(struct handovers *s)
{
    om_time now = om_clock_now(), at = OM_NEVER;

    for (unsigned i = 0; i < QUESTIONS_MAX; i++)
        if (s->rows[i].q.number > 0 && s->rows[i].until < at)
            at = s->rows[i].until;
    (void)uv_timer_stop(&s->timer);
    if (at != OM_NEVER)
        (void)uv_timer_start(&s->timer, on_time,
                             at > now ? (uint64_t)((at - now) / OM_MS(1)) + 1 : 1, 0);
}

/* @r is over, with the word @state; everybody who waits is told @err, if they were not yet. */
static void end(struct row *r, enum om_close_code code, const char *state,
                const struct om_error *err)
{
    struct handovers *s = r->hub;
    struct om_daemon *d = s->d;

    om_calls_hang_up(d->calls, &r->owner, code);
    control_notify_cloister(d->control, show(r, state));
    control_cloister_code(d->control, r->q.number, &r->q.network, &r->q.peer,
                          err ? NULL : show(r, state), err);
    if (err)
        control_cloister_end(d->control, r->q.number, &r->q.network, &r->q.peer, NULL, err);
    sodium_memzero(r, sizeof *r);
    arm(s);
    om_calls_kick(d->calls);
}

static void fail(struct row *r, enum om_close_code code, const char *state, const char *why)
{
    struct om_error err;

    (void)om_fail(&err, OM_E_STATE, "%s", why);
    end(r, code, state, &err);
}

static void on_time(uv_timer_t *t)
{
    struct handovers *s = t->data;
    om_time now = om_clock_now();

    for (unsigned i = 0; i < QUESTIONS_MAX; i++)
        if (s->rows[i].q.number > 0 && now >= s->rows[i].until)
            fail(&s->rows[i], OM_CLOSE_LIMIT, "expired", "nobody said yes in time");
    arm(s);
}

/* The link for who said yes; @at: where it sees us, if that is known. */
static bool make_link(struct row *r, const struct om_addr *at, struct om_error *err)
{
    struct om_daemon *d = r->hub->d;
    const struct daemon_network *net = daemon_network(d, &r->given);
    const struct om_invite i = {.uses = 1, .expires = INVITATION_S};

    if (!net)
        return om_fail(err, OM_E_MISSING, "that network was left meanwhile") == OM_OK;
    return net->is_closed ? closed_invite(d, net, &i, at, r->link, err)
                          : membership_link(d, net, at, r->link, err);
}

static void on_reply(struct om_call_owner *o, const struct om_act_reply *reply)
{
    struct row *r = OM_CONTAINER_OF(o, struct row, owner);
    struct om_node *n = daemon_node(r->hub->d);
    struct om_error err;
    struct om_addr at;

    if (!reply->is_ok) {
        bool is_no = strcmp(reply->error, "refused") == 0;
        fail(r, OM_CLOSE_DONE, is_no ? "refused" : "gone",
             is_no ? "the peer's user said no"
                   : "the peer did not answer, or takes no more questions");
        return;
    }
    bool is_given = handover_words_at(&at, reply->body);
    if (!make_link(r, is_given ? &at : NULL, &err)) {
        end(r, OM_CLOSE_CANCELLED, "gone", &err);
        return;
    }
    r->is_agreed = true;
    r->link_len = strlen(r->link);
    om_node_limit(n, om_clock_now(), o->call);
    if (om_node_write(n, om_clock_now(), o->call, om_bytes(r->link, r->link_len)) == OM_OK &&
        om_node_finish(n, om_clock_now(), o->call) == OM_OK)
        om_calls_kick(r->hub->d->calls);
    else /* it may have taken its yes back in the same breath */
        fail(r, OM_CLOSE_CANCELLED, "gone", "the peer went away");
}

/* The name for here: the user's, else the giver's, else one that is made up. */
static const char *name_for(struct row *r, const struct om_network_link *l)
{
    char ignored[OM_NAME_MAX + 1];

    if (*r->name)
        return r->name;
    return membership_choose_name(r->hub->d, l, r->what, ignored, NULL) ? r->what : NULL;
}

/* The whole link is there: it is followed, if it is what was offered. */
static void follow(struct row *r)
{
    struct om_daemon *d = r->hub->d;
    const struct daemon_network *net = NULL;
    struct om_network_link l;
    struct om_error err;

    r->link[r->link_len] = '\0';
    enum om_err e = om_network_link_parse(&l, r->link, &err);
    if (e == OM_OK && l.kind != (r->is_closed ? OM_NETWORK_CLOSED : OM_NETWORK_OPEN))
        e = om_fail(&err, OM_E_PARSE, "what came is not what was offered");
    if (e == OM_OK && r->is_closed) {
        if (closed_join(d, &l, r->link, name_for(r, &l), NULL, &err))
            control_cloister_joins(d->control, r->q.number, &r->q.network, &r->q.peer, &l.id);
        else
            e = err.code;
    } else if (e == OM_OK) {
        net = membership_join(d, &l, name_for(r, &l), &err);
        if (net)
            control_cloister_end(d->control, r->q.number, &r->q.network, &r->q.peer, net, NULL);
        else
            e = err.code;
    }
    sodium_memzero(&l, sizeof l);
    end(r, OM_CLOSE_DONE, e == OM_OK ? "done" : "garbage", e == OM_OK ? NULL : &err);
    om_pump_kick(d->pump);
}

/* What came of the link; true once @r is over. */
static bool hear(struct row *r)
{
    struct om_node *n = daemon_node(r->hub->d);
    bool is_end = false;
    struct om_bytes in;

    while ((in = om_node_read(n, r->owner.call, &is_end)).n > 0) {
        if (in.n >= sizeof r->link - r->link_len) {
            fail(r, OM_CLOSE_PROTOCOL, "garbage", "what came is no link");
            return true;
        }
        memcpy(r->link + r->link_len, in.p, in.n);
        r->link_len += in.n;
        om_node_consume(n, om_clock_now(), r->owner.call, in.n);
    }
    if (is_end)
        follow(r);
    return is_end;
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    struct row *r = OM_CONTAINER_OF(o, struct row, owner);
    bool is_over = news->news & (OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE);

    if (!r->q.is_ours && r->is_agreed && hear(r))
        return;
    if (r->q.is_ours && r->is_agreed &&
        (news->released == r->link_len || (is_over && news->code == OM_CLOSE_DONE)))
        end(r, OM_CLOSE_DONE, "done", NULL);
    else if (is_over)
        fail(r, OM_CLOSE_CANCELLED, "gone", "the peer took it back, or went away");
}

/* A free row for a question with @peer; NULL: there is none, or one with @peer already. */
static struct row *take(struct handovers *s, const struct om_id *network, const struct om_id *peer,
                        bool is_ours)
{
    const struct question like = {.network = *network, .peer = *peer, .is_ours = is_ours};
    struct row *r = NULL;

    if (!questions_with(&s->questions, network, peer))
        r = row_of(questions_take(&s->questions, &like, s->d->network_count));
    if (!r)
        return NULL;
    r->hub = s;
    r->owner = (struct om_call_owner){.on_reply = on_reply, .on_stream = on_stream};
    r->until = om_clock_now() + OM_SEC(PEOPLE_S);
    r->q.number = cloisters_number(s->d->cloisters);
    return r;
}

void handovers_call(struct handovers *s, const struct om_act_call *call)
{
    const struct om_act_call c = *call; /* what it lends goes with the first request */
    struct handover_offer offer = {.what = ""};

    if (!handover_words_read(&offer, call->args)) {
        om_calls_refuse(s->d->calls, c.call, "bad_args", NULL);
        return;
    }
    struct row *r = repeats_ask(&s->questions.repeats, om_clock_now(), &c.network, &c.peer)
                        ? take(s, &c.network, &c.peer, false)
                        : NULL;
    if (!r || om_calls_take(s->d->calls, c.call, &r->owner) != OM_OK) {
        if (r)
            sodium_memzero(r, sizeof *r);
        om_calls_refuse(s->d->calls, c.call, "busy", NULL);
        return;
    }
    memcpy(r->what, offer.what, sizeof offer.what);
    r->is_closed = offer.is_closed;
    control_notify_cloister(s->d->control, show(r, state_of(r)));
    arm(s);
}

/* May @given be handed to somebody of @net? */
static bool is_to_give(const struct daemon_network *net, const struct daemon_network *given,
                       struct om_error *err)
{
    if (given == net)
        return om_fail(err, OM_E_RANGE, "the peer is in \"%s\" already", given->name) == OM_OK;
    if (given->is_default || given->is_direct)
        return om_fail(err, OM_E_STATE, "only an open or a closed network can be handed over") ==
               OM_OK;
    return !given->is_closed || given->is_ours ||
           om_fail(err, OM_E_STATE, "only who made a closed network can invite into it") == OM_OK;
}

/* Sends the offer of @r. */
static enum om_err open_call(struct row *r, const struct daemon_network *net)
{
    struct om_daemon *d = r->hub->d;
    struct handover_offer offer = {.is_closed = r->is_closed};
    memcpy(offer.what, r->what, sizeof offer.what);
    char *text = handover_words_write(&offer);
    const struct om_call_config call = {.method = HANDOVER_METHOD,
                                        .args = om_bytes(text, text ? strlen(text) : 0),
                                        .priority = OM_INTERACTIVE,
                                        .timeout = OM_SEC(PEOPLE_S)};
    enum om_err e = text ? daemon_reach(d, net, &r->q.peer) : OM_E_NO_MEM;

    if (e == OM_OK)
        e = om_calls_open(d->calls, &r->q.network, &r->q.peer, &call, &r->owner);
    free(text);
    return e;
}

unsigned handovers_ask(struct handovers *s, const struct daemon_network *net,
                       const struct om_id *peer, const struct daemon_network *given,
                       struct om_error *err)
{
    if (!is_to_give(net, given, err))
        return 0;
    struct row *r = take(s, &net->id, peer, true);
    if (!r) {
        (void)om_fail(err, OM_E_FULL,
                      "with that peer there is one already, or too many wait "
                      "(omerta cloister list)");
        return 0;
    }
    r->given = given->id;
    r->is_closed = given->is_closed;
    memcpy(r->what, given->name, sizeof r->what);
    enum om_err e = open_call(r, net);
    if (e != OM_OK) {
        sodium_memzero(r, sizeof *r);
        (void)om_fail(err, e, "the peer cannot be asked: %s", om_err_text(e));
        return 0;
    }
    arm(s);
    om_calls_kick(s->d->calls);
    return r->q.number;
}

/* The yes of @r, with where its peer is seen unless that is behind a relay. */
static enum om_err say_yes(struct row *r)
{
    struct om_daemon *d = r->hub->d;
    struct om_peer_info info;
    char text[OM_ADDR_TEXT], body[OM_ADDR_TEXT + 16] = "{}";
    om_time now = om_clock_now();

    if (om_node_peer_info(daemon_node(d), now, &r->q.network, &r->q.peer, &info) == OM_OK &&
        info.is_heard && !info.is_relayed)
        (void)snprintf(body, sizeof body, "{\"at\":\"%s\"}", om_addr_print(&info.via.remote, text));
    enum om_err e =
        om_node_accept(daemon_node(d), now, r->owner.call, om_bytes(body, strlen(body)));
    om_node_limit(daemon_node(d), now, r->owner.call);
    return e;
}

bool handovers_accept(struct handovers *s, unsigned number, const char *name, struct om_id of[2],
                      struct om_error *err)
{
    const struct om_network_link l = {.kind = OM_NETWORK_OPEN};
    struct row *r = row_of(questions_find(&s->questions, number));
    char chosen[OM_NAME_MAX + 1] = "";

    if (!r || r->q.is_ours || r->is_agreed)
        return om_fail(err, OM_E_STATE,
                       "there is nothing to be accepted: the peer's word is "
                       "awaited, or the link") == OM_OK;
    if (s->d->network_count + s->d->joining_count >= OM_NETWORKS_MAX)
        return om_fail(err, OM_E_FULL, "in %d networks already, which is the most: leave one",
                       OM_NETWORKS_MAX) == OM_OK;
    if (name && !membership_choose_name(s->d, &l, name, chosen, err))
        return false;
    enum om_err e = say_yes(r);
    if (e != OM_OK)
        return om_fail(err, e, "the peer cannot be answered: %s", om_err_text(e)) == OM_OK;
    memcpy(r->name, chosen, sizeof chosen);
    r->is_agreed = true;
    r->until = om_clock_now() + OM_SEC(PEOPLE_S);
    repeats_forget(&s->questions.repeats, &r->q.network, &r->q.peer);
    of[0] = r->q.network;
    of[1] = r->q.peer;
    om_calls_kick(s->d->calls);
    return true;
}

json_t *handovers_deny(struct handovers *s, unsigned number, struct om_error *err)
{
    struct row *r = row_of(questions_find(&s->questions, number));
    struct om_error why;

    if (!r) {
        (void)om_fail(err, OM_E_MISSING, "no question %u waits", number);
        return NULL;
    }
    json_t *out = show(r, "denied");
    if (!r->q.is_ours && !r->is_agreed && r->owner.is_open) {
        const uint64_t call = r->owner.call;
        om_calls_release(s->d->calls, &r->owner);
        om_calls_refuse(s->d->calls, call, "refused", NULL);
    }
    (void)om_fail(&why, OM_E_STATE, "denied here");
    end(r, OM_CLOSE_CANCELLED, "denied", &why);
    return out;
}

void handovers_list(const struct handovers *s, json_t *rows)
{
    for (unsigned i = 0; i < QUESTIONS_MAX; i++)
        if (s->rows[i].q.number > 0)
            (void)json_array_append_new(rows, show(&s->rows[i], state_of(&s->rows[i])));
}

bool handovers_open(struct handovers **out, struct om_daemon *d, struct om_error *err)
{
    struct handovers *s = calloc(1, sizeof *s);

    if (!s || uv_timer_init(&d->loop, &s->timer) < 0) {
        free(s);
        return om_fail(err, OM_E_NO_MEM, "no memory for what is handed over") == OM_OK;
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

void handovers_close(struct handovers *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
        om_calls_hang_up(s->d->calls, &s->rows[i].owner, OM_CLOSE_CANCELLED);
        sodium_memzero(&s->rows[i], sizeof s->rows[i]);
    }
    uv_close((uv_handle_t *)&s->timer, on_closed);
}
