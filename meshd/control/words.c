/* words.c - from parameters to peers, and from values to JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <omerta/text.h>

#include "control/parts.h"
#include "host/clock.h"
#include "members.h"
#include "names.h"

json_t *control_id(const struct om_id *id)
{
    char text[OM_ID_TEXT];

    return json_string(om_id_print(id, text));
}

json_t *control_addr(const struct om_addr *a)
{
    char text[OM_ADDR_TEXT];

    return json_string(om_addr_print(a, text));
}

json_t *control_path(struct om_daemon *d, const struct om_id *network, const struct om_peer_info *p)
{
    char brief[OM_ID_SHORT], called[NAMES_TEXT];
    json_t *name, *out;

    if (!p->is_heard)
        return json_null();
    if (!p->is_relayed)
        return control_addr(&p->via.remote);
    name = *names_of(d, network, &p->relay, called) ? control_text(called, strlen(called))
                                                    : json_string(om_id_short(&p->relay, brief));
    out = json_sprintf("relay %s", json_string_value(name));
    json_decref(name);
    return out;
}

json_t *control_ms(om_time t)
{
    return t > 0 && t < OM_NEVER ? json_real((double)t / 1000) : json_null();
}

json_t *control_iso(struct om_wall wall)
{
    time_t s = (time_t)(wall.unix_ms / 1000);
    char text[32], out[48];
    struct tm tm;

    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&s, &tm));
    (void)snprintf(out, sizeof out, "%s.%03dZ", text, (int)(wall.unix_ms % 1000));
    return json_string(out);
}

json_t *control_text(const char *text, size_t n)
{
    struct om_bytes in = om_bytes(text, n);

    if (om_text_is_utf8(in) && !memchr(text, 0, n))
        return json_stringn(text, n);
    size_t room = 4 * n + 1;
    char *out = malloc(room);
    if (!out)
        return json_string("");
    (void)om_text_escape(out, room, in);
    json_t *j = json_string(out);
    free(out);
    return j;
}

const struct daemon_network *control_network(const struct control_ask *ask, struct om_error *err)
{
    return daemon_network_named(ask->d, json_string_value(json_object_get(ask->params, "network")),
                                err);
}

bool control_peer(const struct control_ask *ask, const struct daemon_network **net,
                  struct om_id *peer, struct om_error *err)
{
    const char *text = json_string_value(json_object_get(ask->params, "peer"));

    if (!text) {
        (void)om_fail(err, OM_E_MISSING, "\"peer\" is missing: want an id, its start, or a name");
        return false;
    }
    if (!control_find(ask, text, net, peer, err))
        return false;
    enum om_err e = daemon_reach(ask->d, *net, peer);
    char why[CONTROL_WHY_TEXT];
    if (e != OM_OK && members_why_not(ask->d, *net, peer, why, sizeof why))
        return om_fail(err, OM_E_STATE, "%s", why) == OM_OK;
    if (e != OM_OK)
        (void)om_fail(err, e, "peer %.12s... of network %s: %s", text, (*net)->name,
                      e == OM_E_MISSING ? "nobody here has heard of it" : om_err_text(e));
    return e == OM_OK;
}

bool control_other(const struct control_ask *ask, const struct daemon_network **net,
                   struct om_id *peer, struct om_error *err)
{
    if (!control_peer(ask, net, peer, err))
        return false;
    return !om_id_equal(peer, &(*net)->self) ||
           om_fail(err, OM_E_RANGE, "that is this node itself") == OM_OK;
}

json_t *control_latency(const struct om_daemon *d, const struct om_id *network,
                        const struct om_id *peer)
{
    struct latency_figures f;

    if (!latency_of(&d->latency, om_clock_now(), network, peer, &f))
        return json_null();
    return json_pack("{s:i, s:o, s:o, s:o, s:o}", "samples", (int)f.samples, "mean_ms",
                     control_ms(f.mean), "p50_ms", control_ms(f.p50), "p95_ms", control_ms(f.p95),
                     "p99_ms", control_ms(f.p99));
}

json_t *control_peer_named(struct om_daemon *d, const struct daemon_network *net,
                           const struct om_id *peer, const struct names *names)
{
    struct om_announce a = {.name = ""};
    struct om_peer_info p = {.cipher = ""};
    om_time now = om_clock_now();
    char brief[OM_ID_SHORT], called[NAMES_TEXT];

    (void)names_find(names, peer, called);
    (void)!om_node_record(daemon_node(d), &net->id, peer, &a, NULL);
    (void)!om_node_peer_info(daemon_node(d), now, &net->id, peer, &p);
    json_t *ends = json_array();
    for (unsigned i = 0; i < a.end_count; i++)
        (void)json_array_append_new(ends, control_addr(&a.ends[i]));
    return json_pack(
        "{s:o, s:s, s:o, s:s, s:b, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:b, s:o, "
        "s:o}",
        "id", control_id(peer), "short", om_id_short(peer, brief), "name",
        control_text(called, strlen(called)), "network", net->name, "connected", (int)p.has_session,
        "path", control_path(d, &net->id, &p), "rtt_ms", control_ms(p.srtt), "cipher", p.cipher,
        "heard_s", p.heard_at > 0 ? json_real((double)(now - p.heard_at) / 1e6) : json_null(),
        "endpoints", ends, "sessions", (json_int_t)p.handshakes, "datagrams_in",
        (json_int_t)p.in.datagrams, "bytes_in", (json_int_t)p.in.bytes, "datagrams_out",
        (json_int_t)p.out.datagrams, "bytes_out", (json_int_t)p.out.bytes, "relay", (int)a.relays,
        "latency", control_latency(d, &net->id, peer), "mtu",
        p.mtu > 0 ? json_integer((json_int_t)p.mtu) : json_null());
}

json_t *control_peer_json(struct om_daemon *d, const struct daemon_network *net,
                          const struct om_id *peer)
{
    struct names names;

    names_load(&names, d, net);
    json_t *out = control_peer_named(d, net, peer, &names);
    names_free(&names);
    return out;
}

json_t *control_message_json(const struct inbox_entry *e)
{
    char id[2 * OM_MESSAGE_ID + 1];

    for (size_t i = 0; i < OM_MESSAGE_ID; i++)
        (void)snprintf(id + 2 * i, 3, "%02x", e->id[i]);
    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:o}", "id", id, "peer", control_id(&e->peer),
                     "direction", e->state < INBOX_SENT ? "in" : "out", "state",
                     inbox_state_name(e->state), "reason", e->reason, "at",
                     control_iso((struct om_wall){e->at_ms}), "text",
                     control_text(e->bytes, e->len));
}
