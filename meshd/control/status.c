/* status.c - methods that say how the daemon is. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/methods.h"
#include "control/parts.h"
#include "host/clock.h"
#include "metrics_page.h"

static json_t *gossip_json(const struct om_daemon *d, const struct daemon_network *net)
{
    struct om_gossip_info g;

    if (om_node_gossip_info(daemon_node(d), &net->id, &g) != OM_OK)
        return json_null();
    return json_pack("{s:i, s:i, s:I, s:I, s:I, s:I}", "records", (int)g.known, "items",
                     (int)g.items, "bytes", (json_int_t)g.bytes, "rumours_in",
                     (json_int_t)g.rumours_in, "rumours_out", (json_int_t)g.rumours_out, "syncs",
                     (json_int_t)g.syncs);
}

json_t *control_network_json(struct om_daemon *d, const struct daemon_network *net)
{
    struct om_peer_info info;
    struct om_id *ids;
    unsigned n = daemon_peers(d, &net->id, &ids), connected = 0;

    for (unsigned i = 0; i < n; i++)
        connected +=
            om_node_peer_info(daemon_node(d), om_clock_now(), &net->id, &ids[i], &info) == OM_OK &&
            info.has_session;
    free(ids);
    return json_pack("{s:s, s:o, s:o, s:s, s:b, s:i, s:i, s:o}", "name", net->name, "id",
                     control_id(&net->id), "self", control_id(&net->self), "kind",
                     net->is_default  ? "default"
                     : net->is_direct ? "direct"
                     : net->is_closed ? "closed"
                                      : "open",
                     "open", (int)net->is_open, "peers", (int)n, "connected", (int)connected,
                     "gossip", gossip_json(d, net));
}

static json_t *networks_json(struct om_daemon *d)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < d->network_count; i++)
        (void)json_array_append_new(list, control_network_json(d, &d->networks[i]));
    return list;
}

json_t *control_networks_list(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    return json_pack("{s:o}", "networks", networks_json(ask->d));
}

static json_t *drops_json(const struct om_node_info *info)
{
    json_t *drops = json_object();

    for (unsigned i = 0; i < OM_DROP_COUNT; i++)
        if (info->drops[i] > 0)
            (void)json_object_set_new(drops, om_drop_name((enum om_drop)i),
                                      json_integer((json_int_t)info->drops[i]));
    return drops;
}

static json_t *traffic_json(const struct om_node_info *i)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "datagrams_in", (json_int_t)i->datagrams_in,
                     "bytes_in", (json_int_t)i->bytes_in, "datagrams_out",
                     (json_int_t)i->datagrams_out, "bytes_out", (json_int_t)i->bytes_out);
}

static json_t *relay_json(const struct om_node_info *i)
{
    json_t *refused =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "unwilling", (json_int_t)i->lanes_unwilling,
                  "full", (json_int_t)i->lanes_full, "stranger", (json_int_t)i->lanes_stranger,
                  "rate", (json_int_t)i->lanes_rate, "silent", (json_int_t)i->lanes_silent,
                  "denied", (json_int_t)i->lanes_denied);

    return json_pack("{s:b, s:i, s:i, s:I, s:I, s:o, s:I, s:I, s:I, s:I}", "on", (int)i->is_relay,
                     "lanes", (int)i->lanes, "lanes_carried", (int)i->lanes_carried, "lanes_ended",
                     (json_int_t)i->lanes_ended, "offers", (json_int_t)i->lane_offers, "refused",
                     refused, "carried", (json_int_t)i->relayed, "bytes_carried",
                     (json_int_t)i->relayed_bytes, "dropped", (json_int_t)i->relay_dropped,
                     "over_rate", (json_int_t)i->relay_over_rate);
}

json_t *control_udp(const struct om_daemon *d)
{
    struct om_udp_info u;

    om_udp_info(om_pump_udp(d->pump), &u);
    return json_pack("{s:i, s:b, s:b, s:b, s:b, s:I}", "port", (int)u.port, "ipv4", (int)u.has_v4,
                     "ipv6", (int)u.has_v6, "gso", (int)u.gso, "gro", (int)u.gro, "send_errors",
                     (json_int_t)u.send_errors);
}

/* Of peers without a sample there is nothing to say, and of a crowd the first are enough. */
static json_t *latency_json(const struct om_daemon *d)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < d->network_count; i++) {
        const struct daemon_network *net = &d->networks[i];
        struct om_id *ids;
        unsigned n = daemon_peers(d, &net->id, &ids);
        for (unsigned k = 0; k < n && json_array_size(list) < OM_METRICS_PEERS; k++) {
            json_t *one = control_latency(d, &net->id, &ids[k]);
            (void)json_object_set_new(one, "peer", control_id(&ids[k]));
            (void)json_object_set_new(one, "network", json_string(net->name));
            if (json_is_object(one))
                (void)json_array_append_new(list, one);
            else
                json_decref(one);
        }
        free(ids);
    }
    return list;
}

json_t *control_status_get(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    struct om_daemon *d = ask->d;
    struct om_node_info i;
    struct om_pump_info p;

    om_node_info(daemon_node(d), &i);
    om_pump_info(d->pump, &p);
    json_t *audit =
        json_pack("{s:b, s:I, s:I, s:I}", "on", (int)d->config.audit_encryption, "sealed",
                  (json_int_t)i.sealed_data + (json_int_t)i.sealed_handshake, "audited",
                  (json_int_t)i.audited, "refused", (json_int_t)i.audit_refused);
    return json_pack("{s:s, s:i, s:s, s:s, s:o, s:f, s:o, s:o, s:o, s:i, s:i, s:o, s:o, s:o, s:o, "
                     "s:o, s:I, s:i}",
                     "version", OM_VERSION_TEXT, "pid", (int)getpid(), "home", d->place.home,
                     "data_socket", d->place.data, "started", control_iso(d->started), "uptime_s",
                     (double)(om_clock_now() - d->started_at) / 1e6, "udp", control_udp(d),
                     "portmap", control_portmap(d), "networks", networks_json(d), "peers",
                     (int)i.peers, "sessions", (int)i.sessions, "latency_of_peers", latency_json(d),
                     "traffic", traffic_json(&i), "relay", relay_json(&i), "audit", audit, "drops",
                     drops_json(&i), "wakeups", (json_int_t)p.wakeups, "clients",
                     (int)control_clients(ask->control));
}

json_t *control_version(struct control_ask *ask OM_UNUSED, struct om_error *err OM_UNUSED)
{
    return json_pack("{s:s, s:i}", "version", OM_VERSION_TEXT, "protocol", OM_VERSION);
}

json_t *control_methods(struct control_ask *ask OM_UNUSED, struct om_error *err OM_UNUSED)
{
    return json_pack("{s:o}", "methods", om_methods_json());
}
