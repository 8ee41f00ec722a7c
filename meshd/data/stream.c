/* stream.c - a connection that becomes a stream to a program of a peer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "control/parts.h"
#include "data/parts.h"
#include "links/links.h"
#include "service/access.h"
#include "tunnels/tunnels.h"

json_t *data_ready(const struct data_conn *c)
{
    json_t *o = json_pack("{s:b, s:o}", "ok", 1, "peer", control_id(&c->peer));

    if (c->is_framed) /* who asked knows that this daemon does it */
        (void)json_object_set_new(o, "framed", json_true());
    return o;
}

static void on_reply(struct om_call_owner *o, const struct om_act_reply *r)
{
    struct data_conn *c = OM_CONTAINER_OF(o, struct data_conn, owner);
    char sentence[400];

    if (!r->is_ok) {
        (void)om_text_escape(sentence, sizeof sentence, r->body);
        data_refuse(c, r->error, sentence);
    } else if (!data_say(c, data_ready(c))) {
        data_drop(c);
    } else {
        data_join(c, o);
    }
}

/* Nothing happens on a call before its answer but its end. */
static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    if (news->news & (OM_CALL_RESET | OM_CALL_DONE))
        data_refuse(OM_CONTAINER_OF(o, struct data_conn, owner), "unavailable",
                    "the peer ended the call");
}

static bool read_priority(const json_t *words, enum om_priority *out, struct om_error *err)
{
    static const char *const names[OM_PRIORITIES] = {"interactive", "normal", "bulk"};
    const json_t *p = json_object_get(words, "priority");

    *out = OM_NORMAL;
    for (unsigned i = 0; i < OM_PRIORITIES; i++)
        if (!p || (json_is_string(p) && strcmp(json_string_value(p), names[i]) == 0)) {
            *out = p ? (enum om_priority)i : OM_NORMAL;
            return true;
        }
    (void)om_fail(err, OM_E_PARSE, "\"priority\": want interactive, normal or bulk");
    return false;
}

/* What is asked of the peer: method and arguments, owned by the caller. */
static json_t *read_wish(const json_t *words, char method[static OM_METHOD_MAX + 1],
                         struct om_error *err)
{
    bool is_tcp = strcmp(json_string_value(json_object_get(words, "open")), "tcp") == 0;
    json_t *args = json_object_get(words, "args");
    json_int_t port = json_integer_value(json_object_get(words, "port"));
    json_t *link = json_object_get(words, "link");
    const json_t *host = json_object_get(words, "host");
    const char *name;

    if (is_tcp) {
        if (port < 1 || port > 65535 || (host && !json_is_string(host))) {
            (void)om_fail(err, OM_E_PARSE, "\"port\": want 1 to 65535; \"host\": a string");
            return NULL;
        }
        if (link && (host || !(json_is_string(link) || json_is_integer(link)))) {
            (void)om_fail(err, OM_E_PARSE, "\"link\": want its name or number, and no \"host\"");
            return NULL;
        }
        snprintf(method, OM_METHOD_MAX + 1, "%s", link ? LINK_METHOD : TUNNEL_METHOD);
        if (link)
            return json_pack("{s:O, s:I}", "link", link, "port", port);
        return json_pack("{s:s, s:I, s:s*}", "proto", "tcp", "port", port, "host",
                         json_string_value(host));
    }
    name = data_name(words, "name", DATA_NAME_MAX, err);
    if (!name)
        return NULL;
    if (args && !json_is_object(args)) {
        (void)om_fail(err, OM_E_PARSE, "\"args\": want an object");
        return NULL;
    }
    snprintf(method, OM_METHOD_MAX + 1, "%s%s", OM_DATA_METHODS, name);
    return args ? json_incref(args) : json_object();
}

void data_open_call(struct data_conn *c, const char *method, json_t *args,
                    enum om_priority priority)
{
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    enum om_err e = OM_E_NO_MEM;
    struct om_error err;

    json_decref(args);
    c->state = DATA_CALLING;
    c->owner.on_reply = on_reply;
    c->owner.on_stream = on_stream;
    if (text) {
        const struct om_call_config call = {
            .method = method, .args = om_bytes(text, strlen(text)), .priority = priority};
        e = om_calls_open(c->data->d->calls, &c->network, &c->peer, &call, &c->owner);
    }
    free(text);
    if (e != OM_OK) {
        (void)om_fail(&err, e, "%s", om_err_text(e));
        data_fail(c, &err);
    }
}

void data_dial(struct data_conn *c, json_t *words)
{
    struct control_ask ask = {.d = c->data->d, .params = words};
    const struct daemon_network *net;
    struct om_error err = {.msg = ""};
    char method[OM_METHOD_MAX + 1];
    enum om_priority priority;

    if (strcmp(json_string_value(json_object_get(words, "open")), "tcp") == 0)
        access_route(c->data->d->wanted, words);
    json_t *args = read_wish(words, method, &err);
    if (!args || !control_peer(&ask, &net, &c->peer, &err) ||
        !read_priority(words, &priority, &err)) {
        json_decref(args);
        data_fail(c, &err);
        return;
    }
    c->network = net->id;
    c->is_framed = json_is_true(json_object_get(words, "framed"));
    data_open_call(c, method, args, priority);
}
