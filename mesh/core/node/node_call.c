/* node_call.c - what happens on streams: a question, an answer, bytes, an end. */
#include <stdlib.h>

#include <sodium.h>

#include "node/join.h"
#include "node/ledger.h"
#include "node/loop.h"
#include "node/member.h"
#include "node/services.h"

static void fire(struct om_timer *t, om_time now)
{
    struct node_call *c = OM_CONTAINER_OF(t, struct node_call, timer);

    om_call_tick(&c->rpc, now);
    node_call_advance(c, now); /* also where the rest of an answer is over time */
}

struct node_call *node_call_make(struct om_node *n, const struct om_id *network,
                                 const struct om_id *id)
{
    struct node_call *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->handle = n->calls_made + 1;
    if (om_table_put(&n->calls, &c->handle, c) != OM_OK) {
        free(c);
        return NULL;
    }
    n->calls_made++;
    c->node = n;
    c->network = *network;
    c->id = *id;
    c->timer.fire = fire;
    c->timer.at = OM_NEVER;
    c->accepted_at = OM_NEVER;
    return c;
}

struct node_call *node_call_new(struct om_node *n, struct om_peer *p, struct om_stream *s)
{
    struct node_call *c = node_call_make(n, &p->net->id, &p->id);

    if (!c)
        return NULL;
    c->peer = p;
    c->stream = s;
    s->user = c;
    om_list_push_back(&p->calls, &c->of_peer);
    return c;
}

/* An EPOCH may be at its end. */
static void free_tail(struct node_call *c)
{
    if (c->tail)
        sodium_memzero(c->tail, c->tail_len);
    free(c->tail);
    c->tail = NULL;
}

void node_call_free(struct node_call *c)
{
    struct om_node *n = c->node;

    if (c->is_impatient) /* so it has a peer */
        c->peer->impatient--;
    if (c->stream) {
        c->stream->user = NULL;
        om_stream_forget(&c->peer->carrier->mux, c->stream);
    }
    if (c->loop)
        node_loop_leave(c, OM_CLOSE_CANCELLED);
    om_timer_stop(&n->timers, &c->timer);
    if (om_link_is_linked(&c->ready))
        om_list_remove(&c->ready);
    if (om_link_is_linked(&c->of_peer))
        om_list_remove(&c->of_peer);
    om_call_fini(&c->rpc);
    free_tail(c);
    om_table_remove(&n->calls, &c->handle);
    free(c);
}

/* Whoever has its answer and is then cut off is to know both: the reset must not overtake it. */
static bool owes_answer(const struct node_call *c)
{
    return c->stream && !c->rpc.asks && !c->stream->send.is_reset &&
           c->stream->send.acked < c->preface;
}

/* No program, service or gossip waits for it any more: it goes when its stream is done. */
static void disown(struct node_call *c)
{
    c->owner = CALL_CLOSING;
    c->due = 0;
    if (om_link_is_linked(&c->ready))
        om_list_remove(&c->ready);
    c->peer->impatient -= c->is_impatient;
    c->is_impatient = false;
    om_timer_stop(&c->node->timers, &c->timer);
}

void node_call_drop(struct node_call *c, om_time now, uint32_t code)
{
    struct om_node *n = c->node;
    struct om_peer *p = c->peer;

    if (owes_answer(c)) {
        om_stream_reset_after(&p->carrier->mux, c->stream, code, c->preface);
        disown(c);
        om_stream_stop(&p->carrier->mux, c->stream, code);
        node_flush(n, now, p);
        node_rearm(n, now, p);
        return;
    }
    if (c->stream) {
        om_stream_reset(&p->carrier->mux, c->stream, code);
        om_stream_stop(&p->carrier->mux, c->stream, code);
    }
    if (c->loop)
        node_loop_leave(c, code);
    node_call_free(c);
    if (p) {
        node_flush(n, now, p);
        node_rearm(n, now, p);
    }
}

struct node_call *node_call_find(const struct om_node *n, uint64_t handle)
{
    struct node_call *c = om_table_find(&n->calls, &handle);

    return c && c->owner == CALL_OF_PROGRAM ? c : NULL;
}

void node_call_due(struct node_call *c, unsigned news)
{
    c->due |= news;
    if (c->due != 0 && !om_link_is_linked(&c->ready))
        om_list_push_back(&c->node->ready, &c->ready);
}

/* It goes once the answer has arrived. */
static void begin_closing(struct node_call *c)
{
    struct om_mux *m = &c->peer->carrier->mux;

    disown(c);
    (void)om_stream_finish(m, c->stream); /* refused when the peer has given up: then it is done */
    om_stream_stop(m, c->stream, OM_CLOSE_DONE);
}

/* False when the RPC's frame could not be given to the stream. */
static bool move_output(struct node_call *c)
{
    struct om_bytes out = om_call_output(&c->rpc);

    if (out.n == 0)
        return true;
    if (om_stream_write(&c->peer->carrier->mux, c->stream, out) != OM_OK)
        return false;
    c->preface = out.n;
    return true;
}

/* The answer was made on the spot; its bytes follow, and that is all. */
static void answer_here(struct node_call *c)
{
    struct om_mux *m = &c->peer->carrier->mux;

    if (!move_output(c) || (c->rpc.state == OM_CALL_ACCEPTED && c->tail_len > 0 &&
                            om_stream_write(m, c->stream, om_bytes(c->tail, c->tail_len)) != OM_OK))
        om_stream_reset(m, c->stream, OM_CLOSE_LIMIT);
    begin_closing(c);
}

void node_call_answer(struct node_call *c, om_time now)
{
    struct om_peer *p = c->peer;

    answer_here(c);
    node_flush(c->node, now, p);
    node_rearm(c->node, now, p);
}

/* Is its answer collected to the end? */
static bool is_collected(const struct node_call *c)
{
    return c->owner == CALL_OF_GOSSIP || c->owner == CALL_OF_LEDGER;
}

/* What was to be collected is there, or never will be: then nothing of it is waited for, and who
 * keeps its half of the stream open for ever keeps no call of ours. */
static void end_collecting(struct node_call *c, om_time now, bool is_ok)
{
    if (c->owner == CALL_OF_LEDGER)
        node_ledger_answered(c, now, is_ok);
    else
        node_gossip_answered(c, now, is_ok);
    if (c->stream && is_ok)
        begin_closing(c);
    else
        node_call_drop(c, now, OM_CLOSE_CANCELLED);
}

/* Until when the rest of an answer that is collected may take: it comes at some pace, or it does
 * not come. A byte now and then is no pace. */
static om_time collect_until(const struct node_call *c)
{
    const om_time patience =
        OM_SEC(c->owner == CALL_OF_LEDGER ? OM_LEDGER_PATIENCE_S : NODE_CALL_REST_S);

    return c->accepted_at + patience + OM_SEC((om_time)c->tail_len) / NODE_CALL_REST_BYTES_PER_S;
}

static bool is_of_service(const struct node_call *c)
{
    return c->owner == CALL_OF_MESSAGE || c->owner == CALL_OF_HEALTH || c->owner == CALL_OF_JOIN;
}

/* What a service asked has an answer, or never will. */
static void end_for_service(struct node_call *c, om_time now)
{
    if (c->owner == CALL_OF_JOIN)
        node_join_answered(c, now);
    else
        node_service_answered(c, now);
    if (c->stream)
        begin_closing(c);
    else
        node_call_free(c);
}

/* Not by realloc(), which leaves a copy behind where it moves it. */
static bool add_tail(struct node_call *c, struct om_bytes b)
{
    uint8_t *more = c->tail_len + b.n <= OM_GOSSIP_REPLY_MAX ? malloc(c->tail_len + b.n) : NULL;

    if (!more)
        return false;
    if (c->tail)
        memcpy(more, c->tail, c->tail_len);
    memcpy(more + c->tail_len, b.p, b.n);
    free_tail(c);
    c->tail = more;
    c->tail_len += b.n;
    return true;
}

/* Bytes of such an answer, up to the end. */
static void collect(struct node_call *c, om_time now)
{
    struct om_mux *m = &c->peer->carrier->mux;

    for (struct om_bytes b; (b = om_stream_peek(c->stream)).n > 0;) {
        if (!add_tail(c, b)) {
            end_collecting(c, now, false);
            return;
        }
        om_stream_consume(m, c->stream, now, b.n);
    }
    if (om_stream_at_end(c->stream))
        end_collecting(c, now, true);
    else if (now >= collect_until(c))
        end_collecting(c, now, false);
}

static bool has_bytes(const struct node_call *c)
{
    if (!c->stream)
        return c->loop && node_loop_has(c);
    return om_stream_peek(c->stream).n > 0 || om_stream_at_end(c->stream);
}

static unsigned translate(unsigned bits)
{
    return (bits & OM_NEWS_READABLE ? OM_CALL_READABLE : 0u) |
           (bits & OM_NEWS_RELEASED ? OM_CALL_RELEASED : 0u) |
           (bits & OM_NEWS_RESET ? OM_CALL_RESET : 0u) |
           (bits & OM_NEWS_STOPPED ? OM_CALL_STOPPED : 0u) |
           (bits & OM_NEWS_DONE ? OM_CALL_DONE : 0u);
}

static void on_accepted(struct node_call *c, om_time now)
{
    if (is_of_service(c)) {
        end_for_service(c, now);
    } else if (is_collected(c)) {
        if (c->stream)
            collect(c, now);
    } else if (c->owner == CALL_OF_PROGRAM && !c->is_data) {
        c->is_data = true;
        if (c->rpc.asks)
            node_call_due(c, DUE_REPLY);
        if (has_bytes(c))
            node_call_due(c, OM_CALL_READABLE);
        node_call_due(c, translate(c->early & (OM_NEWS_STOPPED | OM_NEWS_DONE)));
    }
}

/* When @c is to be looked at again, whatever comes. */
static om_time deadline_of(struct node_call *c, om_time now)
{
    if (c->rpc.state != OM_CALL_ACCEPTED || !is_collected(c) || !c->stream)
        return om_call_deadline(&c->rpc);
    if (c->accepted_at == OM_NEVER)
        c->accepted_at = now;
    return collect_until(c);
}

void node_call_advance(struct node_call *c, om_time now)
{
    struct om_node *n = c->node;
    struct om_peer *p = c->peer;

    if (c->stream && !move_output(c)) {
        node_call_drop(c, now, OM_CLOSE_LIMIT);
        return;
    }
    if (c->loop)
        node_loop_pass(c, now);
    const om_time at = deadline_of(c, now);
    if (at == OM_NEVER)
        om_timer_stop(&n->timers, &c->timer);
    else if (om_timer_arm(&n->timers, &c->timer, at) != OM_OK)
        node_drop(n, OM_DROP_MEMORY);
    switch (c->rpc.state) {
    case OM_CALL_ASKING:
    case OM_CALL_HEARING:
        break;
    case OM_CALL_ASKED:
        if (c->owner == CALL_OF_ISSUE)
            break;
        if (c->stream && !node_join_may_ask(c)) {
            (void)!om_call_refuse(&c->rpc, om_call_error_name(OM_CALL_REFUSED_ERROR), NULL);
            answer_here(c);
            break;
        }
        if (c->stream && (node_gossip_asked(c, now) || node_service_asked(c, now) ||
                          node_join_asked(c, now) || node_ledger_asked(c, now))) {
            if (c->owner != CALL_OF_ISSUE)
                answer_here(c);
            break;
        }
        node_call_due(c, DUE_CALL);
        break;
    case OM_CALL_ACCEPTED:
        on_accepted(c, now);
        break;
    case OM_CALL_REFUSED:
        if (is_collected(c))
            end_collecting(c, now, false);
        else if (is_of_service(c))
            end_for_service(c, now);
        else if (c->rpc.asks)
            node_call_due(c, DUE_REPLY);
        else if (c->stream)
            begin_closing(c);
        else
            node_call_free(c);
        break;
    }
    if (p) {
        node_flush(n, now, p);
        node_rearm(n, now, p);
    }
}

void node_call_give_up(struct node_call *c)
{
    c->peer->impatient--;
    c->is_impatient = false;
    c->code = OM_CLOSE_CANCELLED;
    node_call_due(c, OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE);
}

static bool is_waiting(const struct node_call *c)
{
    return c->rpc.state == OM_CALL_ASKING || c->rpc.state == OM_CALL_HEARING;
}

static void feed(struct node_call *c, om_time now)
{
    struct om_bytes b;

    while (is_waiting(c) && (b = om_stream_peek(c->stream)).n > 0)
        om_stream_consume(&c->peer->carrier->mux, c->stream, now, om_call_input(&c->rpc, now, b));
    if (om_stream_at_end(c->stream))
        om_call_ended(&c->rpc);
}

static void on_news(struct node_call *c, om_time now, unsigned bits)
{
    const struct om_stream *s = c->stream;

    if (c->owner == CALL_CLOSING) {
        if (bits & OM_NEWS_DONE)
            node_call_free(c);
        return;
    }
    if (c->owner == CALL_OF_ISSUE)
        return; /* it is about to be answered */
    if (bits & OM_NEWS_STOPPED)
        c->code = s->stop_code;
    if (bits & OM_NEWS_RESET)
        c->code = s->reset_code;
    if (is_waiting(c)) {
        c->early |= bits;
        feed(c, now);
        if (bits & OM_NEWS_RESET)
            om_call_ended(&c->rpc);
        if (is_waiting(c))
            return;
        node_call_advance(c, now);
        return;
    }
    if (is_collected(c)) {
        if (bits & OM_NEWS_RESET)
            end_collecting(c, now, false);
        else
            collect(c, now);
        return;
    }
    if (c->is_data)
        node_call_due(c, translate(bits));
    else if (bits & OM_NEWS_RESET && c->rpc.state == OM_CALL_ASKED)
        node_call_due(c, OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE);
}

/* Does the one stream that @p may have go on? What we ask it meanwhile is not counted, nor what it
 * began as a member; an answer that left as a whole is all it waited for. */
static bool has_lone(const struct om_peer *p)
{
    for (struct om_link *l = om_list_first(&p->calls); l; l = om_list_next(&p->calls, l)) {
        const struct node_call *c = OM_CONTAINER_OF(l, struct node_call, of_peer);
        const struct om_send *s = &c->stream->send;
        if (c->is_lone && !s->is_reset && !(s->is_fin_sent && s->sent == s->written))
            return true;
    }
    return false;
}

/* A stream the peer began: room for it, or none. */
static struct node_call *admit(struct om_node *n, om_time now, struct om_peer *p,
                               struct om_stream *s)
{
    /* Who is no member, or one that is behind, has one at a time. */
    const bool is_lone = !node_member_is_full(p);
    struct node_call *c = is_lone && has_lone(p) ? NULL : node_call_new(n, p, s);

    if (!c) {
        node_drop(n, OM_DROP_CALLS_FULL);
        om_stream_reset(&p->carrier->mux, s, OM_CLOSE_LIMIT);
        om_stream_stop(&p->carrier->mux, s, OM_CLOSE_LIMIT);
        om_stream_forget(&p->carrier->mux, s);
        return NULL;
    }
    c->is_lone = is_lone;
    om_call_hear(&c->rpc, now);
    if (om_timer_arm(&n->timers, &c->timer, om_call_deadline(&c->rpc)) != OM_OK)
        node_drop(n, OM_DROP_MEMORY);
    return c;
}

void node_serve(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_stream *s;
    unsigned bits;

    /* A call may end the association: p->carrier is asked for each time. */
    while (p->carrier && (s = om_mux_news(&p->carrier->mux, &bits)) != NULL) {
        struct node_call *c = s->user;
        if (!c && bits & OM_NEWS_OPENED)
            c = admit(n, now, p, s);
        if (c)
            on_news(c, now, bits);
    }
}

void node_end_calls(struct om_node *n OM_UNUSED, struct om_peer *p)
{
    struct om_link *next;

    for (struct om_link *l = om_list_first(&p->calls); l; l = next) {
        next = om_list_next(&p->calls, l);
        struct node_call *c = OM_CONTAINER_OF(l, struct node_call, of_peer);
        om_list_remove(l);
        c->stream->user = NULL;
        c->stream = NULL;
        p->impatient -= c->is_impatient;
        c->is_impatient = false;
        c->peer = NULL;
        c->code = OM_CLOSE_CANCELLED;
        if (c->owner == CALL_CLOSING || c->owner == CALL_OF_ISSUE ||
            c->rpc.state == OM_CALL_HEARING) {
            node_call_free(c);
            continue;
        }
        om_timer_stop(&n->timers, &c->timer);
        om_call_ended(&c->rpc);
        if (is_collected(c)) {
            end_collecting(c, n->now, false);
            continue;
        }
        if (is_of_service(c)) {
            end_for_service(c, n->now);
            continue;
        }
        if (c->rpc.asks && c->rpc.state == OM_CALL_REFUSED)
            node_call_due(c, DUE_REPLY);
        else
            node_call_due(c, OM_CALL_RELEASED | OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE);
    }
}

/* Offset @at of the stream, as the program counts: without the question or the answer. */
static uint64_t for_program(const struct node_call *c, uint64_t at)
{
    return at > c->preface ? at - c->preface : 0;
}

static uint64_t released_of(const struct node_call *c)
{
    if (c->loop)
        return node_loop_released(c);
    return c->stream ? for_program(c, c->stream->released) : c->written;
}

static void tell(struct node_call *c, struct om_act *out)
{
    const struct om_call *r = &c->rpc;

    if (c->due & DUE_CALL) {
        c->due &= ~(unsigned)DUE_CALL;
        out->kind = OM_ACT_CALL;
        out->call = (struct om_act_call){.call = c->handle,
                                         .network = c->network,
                                         .peer = c->id,
                                         .method = r->method,
                                         .args = om_bytes(r->body, strlen(r->body))};
    } else if (c->due & DUE_REPLY) {
        bool is_ok = r->state == OM_CALL_ACCEPTED;
        const char *body = is_ok ? r->body : r->text;
        c->due &= ~(unsigned)DUE_REPLY;
        out->kind = OM_ACT_REPLY;
        out->reply = (struct om_act_reply){.call = c->handle,
                                           .is_ok = is_ok,
                                           .body = om_bytes(body, strlen(body)),
                                           .error = is_ok ? "" : r->error};
    } else {
        out->kind = OM_ACT_STREAM;
        const struct om_stream *s = c->stream;
        uint64_t released = released_of(c);
        uint64_t left = s ? for_program(c, s->send.sent) : 0;
        out->stream = (struct om_act_stream){
            .call = c->handle,
            .news = c->due,
            .released = released,
            .left = left > released ? left : released, /* what was given up never left */
            .code = c->code};
        c->due = 0;
    }
}

bool node_call_next(struct om_node *n, struct om_act *out)
{
    struct om_link *l = om_list_first(&n->ready);

    if (!l)
        return false;
    struct node_call *c = OM_CONTAINER_OF(l, struct node_call, ready);
    tell(c, out);
    if (c->due == 0)
        om_list_remove(l);
    return true;
}
