/* link_open.c - connections that a link's peer opens to what is behind the link. The stack gives
 * one up when its SYNs were not answered, some six seconds; this file does after ten at most. */
#include <stdlib.h>
#include <string.h>

#include <omerta/node.h>

#include "host/clock.h"
#include "links/parts.h"

/* What a peer asks for. */
struct wish {
    char name[LINK_NAME_MAX + 1]; /* "": by number */
    uint64_t number;
    uint16_t port;
};

static bool read_wish(struct wish *out, struct om_bytes args)
{
    json_error_t at;
    json_t *o = json_loadb((const char *)args.p, args.n, JSON_REJECT_DUPLICATES, &at);
    const json_t *which = json_object_get(o, "link");
    const char *name = json_string_value(which);
    json_int_t number = json_integer_value(which);
    json_int_t port = json_integer_value(json_object_get(o, "port"));
    bool is_good = port >= 1 && port <= UINT16_MAX &&
                   (name ? *name && strlen(name) <= LINK_NAME_MAX : number > 0);

    *out = (struct wish){.port = is_good ? (uint16_t)port : 0};
    if (is_good && name)
        memcpy(out->name, name, strlen(name));
    else if (is_good)
        out->number = (uint64_t)number;
    json_decref(o);
    return is_good;
}

static void refuse_call(struct link *l, uint64_t call, const char *word, const char *text)
{
    l->counts.inward_refused++;
    om_calls_refuse(l->links->d->calls, call, word, text);
}

/* With a flow, a call and a time until both must stand. */
static enum om_dial_result knock(struct link *l, uint16_t port, uint64_t call)
{
    struct links *s = l->links;
    const struct link_sides *sides = &l->config.sides;
    struct om_addr to = sides->has_v4 ? sides->there : sides->there6;
    struct link_tcp *c = link_tcp_new(l, true);
    om_time now = om_clock_now();

    if (!c)
        return OM_DIAL_FAILURE;
    to.port = port;
    c->until = now + OM_MS(OM_DIAL_GIVE_UP_MS);
    if (om_stack_connect(s->stack, now, l->port, NULL, &to, &c->flow) == OM_OK &&
        om_table_put(&s->flows, &c->flow, c) == OM_OK &&
        om_calls_take(s->d->calls, call, &c->owner) == OM_OK) {
        links_touch(s);
        return OM_DIAL_OK;
    }
    link_tcp_drop(c);
    return OM_DIAL_FAILURE;
}

void link_open(struct link *l, uint16_t port, uint64_t call)
{
    l->counts.inward++;
    if (l->knocking == LINK_KNOCKS_MAX || l->inward_count == LINK_INWARD_MAX) {
        refuse_call(l, call, "busy", "too many connections");
        return;
    }
    enum om_dial_result r = knock(l, port, call);
    if (r != OM_DIAL_OK)
        refuse_call(l, call, om_dial_word(r), om_dial_text(r));
}

void link_open_refuse(struct link_tcp *c, enum om_dial_result r)
{
    struct om_calls *calls = c->of->links->d->calls;
    uint64_t call = c->owner.call;

    if (c->owner.is_open) {
        om_calls_release(calls, &c->owner);
        refuse_call(c->of, call, om_dial_word(r), om_dial_text(r));
    }
    link_tcp_drop(c);
}

bool link_open_news(struct link_tcp *c, om_time now, unsigned news)
{
    struct om_node *n = om_calls_node(c->of->links->d->calls);

    if (news & (OM_FLOW_RESET | OM_FLOW_REFUSED)) {
        link_open_refuse(c, OM_DIAL_REFUSED);
        return false;
    }
    if (news & OM_FLOW_TIMEOUT) {
        link_open_refuse(c, OM_DIAL_TIMEOUT);
        return false;
    }
    if (!(news & OM_FLOW_OPEN))
        return false;
    link_tcp_stands(c);
    link_tcp_keep(c);
    if (om_node_accept(n, now, c->owner.call, om_bytes(NULL, 0)) != OM_OK) {
        link_tcp_drop(c);
        return false;
    }
    om_node_limit(n, now, c->owner.call);
    return true;
}

om_time link_open_deadline(const struct links *s)
{
    struct om_link *k = om_list_first(&s->knocks);

    return k ? OM_CONTAINER_OF(k, struct link_tcp, knock)->until : OM_NEVER;
}

void link_open_tick(struct links *s, om_time now)
{
    while (link_open_deadline(s) <= now)
        link_open_refuse(OM_CONTAINER_OF(om_list_first(&s->knocks), struct link_tcp, knock),
                         OM_DIAL_TIMEOUT);
}

/* A link of the caller's; of others he does not learn whether there are any. */
static struct link *find(const struct links *s, const struct wish *w,
                         const struct om_act_call *call)
{
    for (struct om_link *l = om_list_first(&s->links); l; l = om_list_next(&s->links, l)) {
        struct link *k = OM_CONTAINER_OF(l, struct link, link);
        bool is_it = *w->name ? strcmp(k->config.name, w->name) == 0 : k->number == w->number;
        if (is_it && k->config.is_inward && om_id_equal(&k->config.peer, &call->peer) &&
            om_id_equal(&k->config.network, &call->network))
            return k;
    }
    return NULL;
}

void links_call(struct links *s, const struct om_act_call *call)
{
    struct om_calls *calls = s->d->calls;
    struct link *l;
    struct wish w;

    if (!read_wish(&w, call->args)) {
        om_calls_refuse(calls, call->call, "bad_args", "want {link: name or number, port}");
        return;
    }
    l = find(s, &w, call);
    if (l)
        link_open(l, w.port, call->call);
    else
        om_calls_refuse(calls, call->call, om_dial_word(OM_DIAL_NOT_ALLOWED),
                        "no such link leads to you");
}
