/* listen.c - programs that wait for calls of peers, and the calls that wait for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/parts.h"
#include "data/parts.h"
#include "host/clock.h"

bool data_from_has(const struct data_from *from, const struct om_id *peer)
{
    for (unsigned i = 0; i < from->count; i++)
        if (om_id_equal(&from->peers[i], peer))
            return true;
    return from->is_everybody;
}

static bool add_from(struct data_conn *c, const char *network, const json_t *who,
                     struct om_error *err)
{
    const char *text = json_string_value(who);
    const struct daemon_network *net;
    struct data_from *f = &c->from;

    if (!text)
        return om_fail(err, OM_E_PARSE, "\"from\": want names or ids of peers, or \"*\"") == OM_OK;
    if (strcmp(text, "*") == 0) {
        f->is_everybody = true;
        return true;
    }
    if (f->count == DATA_FROM_MAX)
        return om_fail(err, OM_E_FULL, "\"from\": over %d peers", DATA_FROM_MAX) == OM_OK;
    if (om_id_parse(&f->peers[f->count], text, NULL) == OM_OK) { /* met or not */
        f->count++;
        return true;
    }
    json_t *words = json_pack("{s:s, s:s?}", "peer", text, "network", network);
    const struct control_ask ask = {.d = c->data->d, .params = words};
    bool is_found = control_peer(&ask, &net, &f->peers[f->count], err);
    json_decref(words);
    f->count += is_found;
    return is_found;
}

bool data_from_read(struct data_conn *c, json_t *words, struct om_error *err)
{
    const char *network = json_string_value(json_object_get(words, "network"));
    const json_t *from = json_object_get(words, "from"), *who;
    const struct daemon_network *net = daemon_network_named(c->data->d, network, err);
    size_t i;

    if (!net)
        return false;
    c->network = net->id;
    if (from && !json_is_array(from))
        return om_fail(err, OM_E_PARSE, "\"from\": want an array") == OM_OK;
    json_array_foreach(from, i, who) if (!add_from(c, network, who, err)) return false;
    return true;
}

static json_t *ready(const struct data_conn *c)
{
    return json_pack("{s:b, s:i}", "ok", 1, "from", c->from.is_everybody ? -1 : (int)c->from.count);
}

static struct data_conn *find_listener(const struct data *s, const struct om_id *network,
                                       const char *method)
{
    for (struct om_link *l = om_list_first(&s->conns); l; l = om_list_next(&s->conns, l)) {
        struct data_conn *c = OM_CONTAINER_OF(l, struct data_conn, link);
        if (c->state == DATA_LISTENING && om_id_equal(&c->network, network) &&
            strcmp(c->name, method) == 0)
            return c;
    }
    return NULL;
}

void data_listen(struct data_conn *c, json_t *words)
{
    struct om_error err = {.msg = ""};
    const char *name = data_name(words, "listen", DATA_NAME_MAX, &err);
    char method[OM_METHOD_MAX + 1];

    if (!name || !data_from_read(c, words, &err)) {
        data_fail(c, &err);
        return;
    }
    snprintf(method, sizeof method, "%s%s", OM_DATA_METHODS, name);
    if (find_listener(c->data, &c->network, method)) {
        data_refuse(c, "exists", "another program listens for that name");
        return;
    }
    memcpy(c->name, method, sizeof method);
    c->state = DATA_LISTENING;
    if (!data_say(c, ready(c)) || !data_read(c))
        data_drop(c);
}

static void on_timer_closed(uv_handle_t *h)
{
    free(h->data);
}

/* @w no longer waits; its call, if it still has one, is for the caller to answer first. */
static void forget(struct data_waiting *w)
{
    om_calls_hang_up(w->data->d->calls, &w->owner, OM_CLOSE_REFUSED);
    om_list_remove(&w->link);
    w->data->waiting_count--;
    w->listener->waiting--;
    uv_close((uv_handle_t *)&w->timer, on_timer_closed);
}

static void turn_away(struct data_waiting *w, const char *error, const char *sentence)
{
    uint64_t call = w->owner.call;
    struct om_calls *calls = w->data->d->calls;

    if (w->owner.is_open) {
        om_calls_release(calls, &w->owner);
        om_calls_refuse(calls, call, error, sentence);
    }
    forget(w);
    om_calls_kick(calls);
}

static void on_late(uv_timer_t *t)
{
    turn_away(t->data, "timeout", "the program did not take the call");
}

static void on_reply(struct om_call_owner *o OM_UNUSED, const struct om_act_reply *r OM_UNUSED)
{
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    if (news->news & (OM_CALL_RESET | OM_CALL_DONE))
        forget(OM_CONTAINER_OF(o, struct data_waiting, owner));
}

static struct data_waiting *wait_for(struct data *s, struct data_conn *listener,
                                     const struct om_act_call *call)
{
    struct data_waiting *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    *w = (struct data_waiting){.data = s,
                               .listener = listener,
                               .number = ++s->numbers,
                               .peer = call->peer,
                               .owner = {.on_reply = on_reply, .on_stream = on_stream}};
    if (uv_timer_init(&s->d->loop, &w->timer) < 0 ||
        om_calls_take(s->d->calls, call->call, &w->owner) != OM_OK) {
        free(w);
        return NULL;
    }
    w->timer.data = w;
    om_list_push_back(&s->waiting, &w->link);
    s->waiting_count++;
    listener->waiting++;
    (void)uv_timer_start(&w->timer, on_late, DATA_TAKE_MS, 0);
    return w;
}

void data_call(struct data *s, const struct om_act_call *call)
{
    struct data_conn *c = find_listener(s, &call->network, call->method);
    const struct daemon_network *net = daemon_network(s->d, &call->network);
    struct data_waiting *w = NULL;
    json_error_t at;
    json_t *args;

    /* Who is not let in learns no more than who asks for what is not there. */
    if (!c || !net || !data_from_has(&c->from, &call->peer)) {
        om_calls_refuse(s->d->calls, call->call, "unknown_method", NULL);
        return;
    }
    args = json_loadb((const char *)call->args.p, call->args.n, 0, &at);
    if (s->waiting_count < OM_DATA_CALLS_MAX && c->waiting < OM_DATA_LISTENER_CALLS_MAX)
        w = wait_for(s, c, call);
    if (!w) {
        json_decref(args);
        om_calls_refuse(s->d->calls, call->call, "busy", NULL);
        return;
    }
    if (!data_say(c, json_pack("{s:I, s:o, s:s, s:o}", "call", (json_int_t)w->number, "peer",
                               control_id(&call->peer), "network", net->name, "args",
                               args ? args : json_object())))
        data_drop(c); /* it does not read: all its calls are refused */
}

void data_unlisten(struct data_conn *c)
{
    struct data *s = c->data;

    for (struct om_link *l = om_list_first(&s->waiting), *next; l; l = next) {
        struct data_waiting *w = OM_CONTAINER_OF(l, struct data_waiting, link);
        next = om_list_next(&s->waiting, l);
        if (w->listener == c)
            turn_away(w, "unavailable", "the program has gone");
    }
}

static struct data_waiting *find_waiting(const struct data *s, const json_t *number)
{
    for (struct om_link *l = om_list_first(&s->waiting); l; l = om_list_next(&s->waiting, l)) {
        struct data_waiting *w = OM_CONTAINER_OF(l, struct data_waiting, link);
        if (json_is_integer(number) && w->number == (uint64_t)json_integer_value(number))
            return w;
    }
    return NULL;
}

void data_take(struct data_conn *c, json_t *words)
{
    struct data *s = c->data;
    struct data_waiting *w = find_waiting(s, json_object_get(words, "accept"));
    enum om_err e;

    if (!w) {
        data_refuse(c, "missing", "no call with that number waits");
        return;
    }
    c->peer = w->peer;
    c->is_framed = json_is_true(json_object_get(words, "framed"));
    e = om_node_accept(daemon_node(s->d), om_clock_now(), w->owner.call, om_bytes(NULL, 0));
    if (e != OM_OK || !data_say(c, data_ready(c)))
        data_drop(c);
    else
        data_join(c, &w->owner);
    forget(w);
}

void data_turn_away(struct data_conn *c, json_t *words)
{
    struct data_waiting *w = find_waiting(c->data, json_object_get(words, "refuse"));
    const char *why = json_string_value(json_object_get(words, "message"));

    if (!w) {
        data_refuse(c, "missing", "no call with that number waits");
        return;
    }
    turn_away(w, "refused", why ? why : "the program refused");
    (void)data_say(c, json_pack("{s:b}", "ok", 1));
    data_drop(c);
}
