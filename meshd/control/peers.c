/* peers.c - methods about peers, and messages to and from them. */
#include <stdlib.h>
#include <string.h>

#include "control/methods.h"
#include "control/parts.h"
#include "control/why.h"
#include "host/clock.h"
#include "names.h"

json_t *control_peers_list(struct control_ask *ask, struct om_error *err)
{
    const char *named = json_string_value(json_object_get(ask->params, "network"));
    const struct daemon_network *only = named ? control_network(ask, err) : NULL;
    char blocked[CONTROL_BLOCKED_TEXT];
    json_t *list = json_array();

    if (named && !only) {
        json_decref(list);
        return NULL;
    }
    for (unsigned i = 0; i < ask->d->network_count; i++) {
        const struct daemon_network *net = &ask->d->networks[i];
        struct names names;
        struct om_id *ids;
        if (only && only != net)
            continue;
        unsigned n = daemon_peers(ask->d, &net->id, &ids);
        names_load(&names, ask->d, net);
        for (unsigned k = 0; k < n; k++)
            (void)json_array_append_new(list, control_peer_named(ask->d, net, &ids[k], &names));
        names_free(&names);
        free(ids);
    }
    return json_pack("{s:o, s:s?}", "peers", list, "problem",
                     control_blocked_text(ask->d, blocked));
}

json_t *control_peers_add(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net = control_network(ask, err);
    const char *text = json_string_value(json_object_get(ask->params, "peer"));
    const json_t *list = json_object_get(ask->params, "endpoints");
    struct om_addr ends[OM_ENDPOINTS_MAX];
    struct om_id peer;
    unsigned n = 0;
    json_t *end;
    size_t i;

    if (!net || om_id_parse(&peer, text ? text : "", err) != OM_OK)
        return NULL;
    if (json_array_size(list) > OM_ENDPOINTS_MAX) {
        (void)om_fail(err, OM_E_RANGE, "\"endpoints\": want at most %d", OM_ENDPOINTS_MAX);
        return NULL;
    }
    json_array_foreach(list, i, end)
    {
        const char *at = json_string_value(end);
        if (om_addr_parse(&ends[n++], at ? at : "", 0, err) != OM_OK)
            return NULL;
    }
    enum om_err e = om_node_connect(daemon_node(ask->d), om_clock_now(), &net->id, &peer, ends, n);
    if (e == OM_E_RANGE) /* of the right form, but no key is behind it */
        (void)om_fail(err, e, "%.10s...: nobody can have this id", text);
    else if (e != OM_OK)
        (void)om_fail(err, e, "peer cannot be added: %s", om_err_text(e));
    if (e != OM_OK)
        return NULL;
    return control_peer_json(ask->d, net, &peer);
}

json_t *control_message_send(struct control_ask *ask, struct om_error *err)
{
    struct om_daemon *d = ask->d;
    const json_t *text = json_object_get(ask->params, "text");
    const struct daemon_network *net;
    struct inbox_entry e = {.state = INBOX_SENT, .at_ms = om_clock_wall().unix_ms};

    if (!control_other(ask, &net, &e.peer, err))
        return NULL;
    e.network = net->id;
    struct om_bytes bytes = om_bytes(json_string_value(text), json_string_length(text));
    enum om_err code = om_node_post(daemon_node(d), om_clock_now(), &net->id, &e.peer,
                                    OM_MESSAGE_TEXT, bytes, e.id);
    if (code != OM_OK) {
        (void)om_fail(err, code, "message cannot be sent: %s", om_err_text(code));
        return NULL;
    }
    const struct inbox_entry *kept = inbox_add(&d->inbox, &e, bytes);
    if (kept && json_is_true(json_object_get(ask->params, "wait"))) {
        (void)control_wait(ask, WAIT_RECEIPT, &net->id, &e.peer, e.id, err);
        return NULL;
    }
    return kept ? control_message_json(kept) : json_object();
}

json_t *control_message_list(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    const struct inbox *b = &ask->d->inbox;
    const json_t *limit = json_object_get(ask->params, "limit");
    json_int_t skip = limit ? (json_int_t)b->count - json_integer_value(limit) : 0;
    bool unread = json_is_true(json_object_get(ask->params, "unread"));
    json_t *list = json_array();

    for (struct om_link *l = om_list_first(&b->entries); l; l = om_list_next(&b->entries, l)) {
        const struct inbox_entry *e = OM_CONTAINER_OF(l, struct inbox_entry, link);
        if (skip-- <= 0 && (!unread || e->state == INBOX_CAME))
            (void)json_array_append_new(list, control_message_json(e));
    }
    return json_pack("{s:o}", "messages", list);
}

json_t *control_message_read(struct control_ask *ask, struct om_error *err)
{
    const char *hex = json_string_value(json_object_get(ask->params, "id"));
    struct om_daemon *d = ask->d;
    struct inbox_entry *found = NULL;

    for (struct om_link *l = om_list_first(&d->inbox.entries); l && hex;
         l = om_list_next(&d->inbox.entries, l)) {
        struct inbox_entry *e = OM_CONTAINER_OF(l, struct inbox_entry, link);
        json_t *j = control_message_json(e);
        if (e->state < INBOX_SENT && strcmp(json_string_value(json_object_get(j, "id")), hex) == 0)
            found = e;
        json_decref(j);
    }
    if (!found) {
        (void)om_fail(err, OM_E_MISSING, "no message with that id came lately");
        return NULL;
    }
    if (found->state == INBOX_CAME &&
        om_node_receipt(daemon_node(d), om_clock_now(), &found->network, &found->peer, found->id,
                        true) == OM_OK)
        found->state = INBOX_SEEN;
    return control_message_json(found);
}

json_t *control_health_probe(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net;
    struct om_id peer;

    if (!control_other(ask, &net, &peer, err))
        return NULL;
    json_int_t count = json_integer_value(json_object_get(ask->params, "count"));
    json_int_t size = json_integer_value(json_object_get(ask->params, "size"));
    if (size < 0 || size > OM_PROBE_BYTES_MAX) {
        (void)om_fail(err, OM_E_RANGE, "size: want up to %d bytes", OM_PROBE_BYTES_MAX);
        return NULL;
    }
    enum om_err e = om_node_probe(daemon_node(ask->d), om_clock_now(), &net->id, &peer,
                                  count > 0 && count <= 100 ? (unsigned)count : 0, 0, (size_t)size);
    if (e == OM_OK || e == OM_E_BUSY) /* one runs: its result is as good */
        (void)control_wait(ask, WAIT_HEALTH, &net->id, &peer, NULL, err);
    else
        (void)om_fail(err, e, "cannot probe: %s", om_err_text(e));
    return NULL;
}

json_t *control_peer_status(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net;
    struct om_id peer;

    if (!control_other(ask, &net, &peer, err))
        return NULL;
    enum om_err e = om_node_status(daemon_node(ask->d), om_clock_now(), &net->id, &peer);
    if (e == OM_OK)
        (void)control_wait(ask, WAIT_STATUS, &net->id, &peer, NULL, err);
    else
        (void)om_fail(err, e, "cannot ask: %s", om_err_text(e));
    return NULL;
}
