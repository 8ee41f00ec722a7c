/* link_tcp.c - connections of a link, each a call to its peer, or of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/node.h>

#include "host/clock.h"
#include "links/parts.h"

enum { PIECES = 64 }; /* of the call that are written to the flow in one go */

/* With a reset to who still is there; the flow and the ask are the caller's to end. */
static void forget(struct link_tcp *c, enum om_close_code code)
{
    struct links *s = c->of->links;

    *om_calls_ahead(s->d->calls) -= link_ahead_bytes(&c->ahead);
    om_calls_hang_up(s->d->calls, &c->owner, code);
    link_ahead_fini(&c->ahead);
    if (c->flow)
        (void)om_table_remove(&s->flows, &c->flow);
    om_list_remove(&c->link);
    link_tcp_stands(c);
    link_kept_clear(c->of->kept, c->kept);
    c->of->inward_count -= c->is_inward;
    c->of->tcp_count -= !c->is_inward;
    c->of->asking -= c->is_asking;
    free(c);
}

void link_tcp_stands(struct link_tcp *c)
{
    if (!c->is_knocking)
        return;
    c->is_knocking = false;
    c->of->knocking--;
    om_list_remove(&c->knock);
}

void link_tcp_keep(struct link_tcp *c)
{
    struct om_addr here, there;

    if (om_flow_ends(c->of->links->stack, c->flow, &here, &there))
        c->kept = link_kept_put(c->of->kept, &here, &there);
}

static void close_flow(struct link_tcp *c, bool is_abort)
{
    struct links *s = c->of->links;

    if (c->flow)
        om_flow_close(s->stack, om_clock_now(), c->flow, is_abort);
    else if (!c->is_inward)
        om_stack_refuse(s->stack, om_clock_now(), c->ask, OM_REFUSE_RST);
    links_touch(s);
}

void link_tcp_drop(struct link_tcp *c)
{
    close_flow(c, true);
    forget(c, OM_CLOSE_CANCELLED);
}

static uint64_t ahead_max(const struct link_tcp *c)
{
    return *om_calls_ahead(c->of->links->d->calls) < OM_SPLICE_AHEAD_ALL ? LINK_AHEAD : LINK_BLOCK;
}

/* One piece of what the flow said goes to the node; false: it takes none now, or @c has ended. */
static bool lend(struct link_tcp *c, om_time now, struct om_bytes in, bool *is_over)
{
    struct links *s = c->of->links;
    uint64_t room = ahead_max(c), under_way = link_ahead_bytes(&c->ahead);

    if (under_way >= room)
        return false;
    in.n = in.n < room - under_way ? in.n : (size_t)(room - under_way);
    struct om_bytes copy = link_ahead_copy(&c->ahead, in);
    enum om_err e = copy.n == 0
                        ? OM_E_NO_MEM
                        : om_node_write(om_calls_node(s->d->calls), now, c->owner.call, copy);
    if (e == OM_OK) {
        *om_calls_ahead(s->d->calls) += copy.n;
        om_flow_consume(s->stack, now, c->flow, copy.n);
        return true;
    }
    if (copy.n > 0)
        link_ahead_undo(&c->ahead, copy.n);
    if (e == OM_E_STATE) { /* the peer wants no more of it; what it says may still come */
        c->is_deaf = true;
        return true;
    }
    if (e != OM_E_BUSY) {
        link_tcp_drop(c);
        *is_over = true;
    }
    return false;
}

/* What the flow brought, to the call; false: @c has ended. */
static bool feed(struct link_tcp *c, om_time now)
{
    struct links *s = c->of->links;
    bool is_end = false, is_over = false;

    for (;;) {
        struct om_bytes in = om_flow_read(s->stack, c->flow, &is_end);
        if (in.n == 0)
            break;
        if (c->is_deaf)
            om_flow_consume(s->stack, now, c->flow, in.n);
        else if (!lend(c, now, in, &is_over))
            return !is_over;
    }
    if (!is_end || c->is_finished)
        return true;
    c->is_finished = true;
    if (c->is_deaf || om_node_finish(om_calls_node(s->d->calls), now, c->owner.call) == OM_OK)
        return true;
    link_tcp_drop(c);
    return false;
}

/* What the call brought, to the flow. */
static void drain(struct link_tcp *c, om_time now)
{
    struct links *s = c->of->links;
    struct om_node *n = om_calls_node(s->d->calls);
    struct om_bytes pieces[PIECES];
    bool is_end = false;
    unsigned count;

    while ((count = om_node_read_pieces(n, c->owner.call, pieces, PIECES, &is_end)) > 0) {
        size_t all = 0, taken = 0, room = link_room(c->of);
        for (unsigned i = 0; i < count && taken == all && taken < room; i++) {
            struct om_bytes some = pieces[i];
            some.n = some.n < room - taken ? some.n : room - taken;
            bool has_more = i + 1 < count && some.n == pieces[i].n && taken + some.n < room;
            taken += has_more ? om_flow_write_more(s->stack, now, c->flow, some)
                              : om_flow_write(s->stack, now, c->flow, some);
            all += pieces[i].n;
        }
        om_node_consume(n, now, c->owner.call, taken);
        link_fill(c->of, taken);
        if (taken < all || room == 0)
            return; /* OM_FLOW_WRITABLE follows, or link_pace() */
    }
    if (is_end && !c->is_flow_finished) {
        c->is_flow_finished = true;
        om_flow_finish(s->stack, now, c->flow);
    }
}

/* Both sides have all: it is over. Who the peer is deaf to may never stop, but is told to. */
static void settle(struct link_tcp *c)
{
    if (!c->is_done || !c->is_flow_finished || (!c->is_gone && !c->is_deaf))
        return;
    close_flow(c, false);
    forget(c, OM_CLOSE_DONE);
}

void link_tcp_news(struct link_tcp *c, om_time now, unsigned news)
{
    if (c->is_knocking && !link_open_news(c, now, news))
        return;
    if (news & (OM_FLOW_RESET | OM_FLOW_TIMEOUT | OM_FLOW_REFUSED)) {
        link_tcp_drop(c);
        return;
    }
    if ((news & (OM_FLOW_OPEN | OM_FLOW_READABLE | OM_FLOW_END)) && !feed(c, now))
        return;
    if (news & (OM_FLOW_OPEN | OM_FLOW_WRITABLE))
        drain(c, now);
    if (news & OM_FLOW_GONE)
        c->is_gone = true;
    settle(c);
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *act)
{
    struct link_tcp *c = OM_CONTAINER_OF(o, struct link_tcp, owner);
    om_time now = om_clock_now();
    unsigned news = act->news;

    if ((news & OM_CALL_RESET) || !c->flow) {
        link_tcp_drop(c);
        return;
    }
    c->of->heard_at = now;
    if (c->is_knocking) { /* what the peer says waits in the node */
        if (news & OM_CALL_DONE)
            link_tcp_drop(c);
        return;
    }
    if (news & OM_CALL_STOPPED)
        c->is_deaf = true;
    if (news & OM_CALL_RELEASED) {
        *om_calls_ahead(c->of->links->d->calls) -= act->released - c->ahead.released;
        link_ahead_release(&c->ahead, act->released);
    }
    if ((news & (OM_CALL_STOPPED | OM_CALL_RELEASED)) && !feed(c, now))
        return;
    if (news & OM_CALL_READABLE)
        drain(c, now);
    if (news & OM_CALL_DONE)
        c->is_done = true;
    links_touch(c->of->links);
    settle(c);
}

static enum om_refuse refuse_how(enum om_dial_result r)
{
    switch (r) {
    case OM_DIAL_NOT_ALLOWED:
        return OM_REFUSE_PROHIBITED;
    case OM_DIAL_UNREACHABLE:
    case OM_DIAL_TIMEOUT:
    case OM_DIAL_NO_SUCH_HOST:
        return OM_REFUSE_UNREACHABLE;
    case OM_DIAL_OK:
    case OM_DIAL_REFUSED:
    case OM_DIAL_BUSY:
    case OM_DIAL_FAILURE:
        break;
    }
    return OM_REFUSE_RST;
}

static void on_reply(struct om_call_owner *o, const struct om_act_reply *r)
{
    struct link_tcp *c = OM_CONTAINER_OF(o, struct link_tcp, owner);
    struct links *s = c->of->links;
    om_time now = om_clock_now();
    char why[160];

    links_touch(s);
    c->of->asking -= c->is_asking;
    c->is_asking = false;
    if (!r->is_ok) {
        (void)snprintf(why, sizeof why, "%s: %.*s", r->error, (int)r->body.n,
                       (const char *)r->body.p);
        link_fail(c->of, why);
        om_stack_refuse(s->stack, now, c->ask, refuse_how(om_dial_result_of(r->error)));
        forget(c, OM_CLOSE_CANCELLED);
        return;
    }
    enum om_err e = om_stack_accept(s->stack, now, c->ask, &c->flow);
    if (e == OM_OK && om_table_put(&s->flows, &c->flow, c) == OM_OK) {
        link_tcp_keep(c);
        om_node_limit(om_calls_node(s->d->calls), now, o->call);
        return;
    }
    if (e == OM_OK) {
        om_flow_close(s->stack, now, c->flow, true);
        c->flow = 0;
    } else {
        om_stack_refuse(s->stack, now, c->ask, OM_REFUSE_UNREACHABLE);
    }
    forget(c, OM_CLOSE_CANCELLED);
}

struct link_tcp *link_tcp_new(struct link *l, bool is_inward)
{
    struct link_tcp *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->of = l;
    c->is_inward = c->is_knocking = is_inward;
    c->is_asking = !is_inward;
    c->owner.on_reply = on_reply;
    c->owner.on_stream = on_stream;
    link_ahead_init(&c->ahead);
    om_list_push_back(&l->tcps, &c->link);
    l->tcp_count += !is_inward;
    l->asking += !is_inward;
    l->inward_count += is_inward;
    l->knocking += is_inward;
    if (is_inward)
        om_list_push_back(&l->links->knocks, &c->knock);
    return c;
}

void link_tcp_ask(struct link *l, om_time now, const struct om_stack_act *act)
{
    struct tunnel_wish wish = {.proto = "tcp",
                               .network = l->config.network,
                               .peer = l->config.peer,
                               .port = act->to.port,
                               .machine = link_machine(l)};
    char host[OM_IP_TEXT];
    bool is_nowhere = link_route(&l->config.sides, &act->to, host) == LINK_NOWHERE;
    bool is_full = l->tcp_count == LINK_TCP_MAX;
    struct link_tcp *c;

    if (link_dns_is_at(l, &act->to)) {
        link_dns_ask(l, now, act->ask);
        return;
    }
    if (l->asking == LINK_ASKS_MAX) {
        l->put_off++;
        om_stack_refuse(l->links->stack, now, act->ask, OM_REFUSE_LATER);
        return;
    }
    c = is_nowhere || is_full ? NULL : link_tcp_new(l, false);
    l->counts.opened++;
    l->counts.unroutable += is_nowhere;
    if (!c) {
        link_fail(l, is_nowhere ? "unreachable: no host can be there"
                     : is_full  ? "full: too many connections"
                                : "no memory");
        om_stack_refuse(l->links->stack, now, act->ask, OM_REFUSE_UNREACHABLE);
        return;
    }
    wish.host = host;
    c->ask = act->ask;
    if (tunnel_ask(l->links->d->tunnels, NULL, &c->owner, &wish))
        return;
    link_fail(l, "unreachable: the peer cannot be called");
    om_stack_refuse(l->links->stack, now, act->ask, OM_REFUSE_UNREACHABLE);
    forget(c, OM_CLOSE_CANCELLED);
}
