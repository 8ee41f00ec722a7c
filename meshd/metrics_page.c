/* metrics_page.c - a registry filled for one page. */
#include "metrics_page.h"

#include <stdlib.h>

#include <omerta/metrics.h>
#include <omerta/why.h>

#include "host/clock.h"
#include "links/links.h"
#include "mapping.h"
#include "service/vms.h"

enum { PER_PEER = 12, FIXED = 168 + OM_EVENT_COUNT };

struct page {
    struct om_metrics m;
    uint64_t *values; /* room for what has no field of its own */
    size_t used, room;
};

static void add(struct page *p, const char *name, const char *help, enum om_metric_kind kind,
                uint64_t value, const char *key, const char *label)
{
    if (p->used == p->room)
        return;
    p->values[p->used] = value;
    if (om_metrics_add(&p->m, name, help, kind, &p->values[p->used], key, label) == OM_OK)
        p->used++;
}

#define COUNT(name, help, value) add(p, "omerta_" name, help, OM_METRIC_COUNTER, value, NULL, NULL)
#define GAUGE(name, help, value) add(p, "omerta_" name, help, OM_METRIC_GAUGE, value, NULL, NULL)

/* By the words of status; what has none of them is refused for a reason that we do not know. */
static void add_refusals(struct page *p, const struct om_node_info *i)
{
    const struct {
        const char *reason;
        uint64_t count;
    } all[] = {{"unwilling", i->lanes_unwilling}, {"full", i->lanes_full},
               {"stranger", i->lanes_stranger},   {"rate", i->lanes_rate},
               {"silent", i->lanes_silent},       {"denied", i->lanes_denied}};
    uint64_t other = i->lane_refusals;

    for (unsigned k = 0; k < OM_ARRAY_SIZE(all); k++) {
        add(p, "omerta_relay_refusals_total", "lanes that others did not get, by why",
            OM_METRIC_COUNTER, all[k].count, "reason", all[k].reason);
        other -= all[k].count;
    }
    add(p, "omerta_relay_refusals_total", "lanes that others did not get, by why",
        OM_METRIC_COUNTER, other, "reason", "other");
}

static void add_node(struct page *p, const struct om_node_info *i)
{
    COUNT("datagrams_in_total", "datagrams that came in", i->datagrams_in);
    COUNT("datagrams_out_total", "datagrams that went out", i->datagrams_out);
    COUNT("bytes_in_total", "bytes of datagrams that came in", i->bytes_in);
    COUNT("bytes_out_total", "bytes of datagrams that went out", i->bytes_out);
    COUNT("initiations_in_total", "handshakes that peers began", i->initiations_in);
    COUNT("initiations_out_total", "handshakes that we began", i->initiations_out);
    COUNT("responses_in_total", "handshakes answered to us", i->responses_in);
    COUNT("responses_out_total", "handshakes answered by us", i->responses_out);
    COUNT("sessions_made_total", "sessions confirmed", i->sessions_made);
    COUNT("rekeys_total", "sessions that replaced another", i->rekeys);
    COUNT("audit_refused_total", "datagrams that the encryption audit held back", i->audit_refused);
    COUNT("relayed_total", "datagrams carried for others", i->relayed);
    COUNT("relayed_bytes_total", "bytes carried for others", i->relayed_bytes);
    COUNT("relay_dropped_total", "datagrams on lanes of others that were dropped",
          i->relay_dropped);
    COUNT("lane_offers_total", "lanes that others asked us for", i->lane_offers);
    COUNT("lane_refusals_total", "lanes that others did not get", i->lane_refusals);
    add_refusals(p, i);
    COUNT("keepalives_total", "datagrams that kept a way open at rest", i->keepalives);
    COUNT("keepalive_asks_total", "datagrams that tried how long a NAT remembers",
          i->keepalive_asks);
    COUNT("keepalive_losses_total", "times that keepalives were not answered", i->keepalive_losses);
    add(p, "omerta_nat_life_milliseconds", "longest silence that a NAT outlived, 0 unknown",
        OM_METRIC_GAUGE, (uint64_t)(i->nat_life_v4 / 1000), "family", "ipv4");
    add(p, "omerta_nat_life_milliseconds", "longest silence that a NAT outlived, 0 unknown",
        OM_METRIC_GAUGE, (uint64_t)(i->nat_life_v6 / 1000), "family", "ipv6");
    GAUGE("lanes", "lanes that we have through relays", i->lanes);
    GAUGE("lanes_carried", "lanes of others through us", i->lanes_carried);
    GAUGE("peers", "peers in the table", i->peers);
    GAUGE("sessions", "sessions that can carry data", i->sessions);
    GAUGE("indices", "receiver indices in use", i->indices);
    GAUGE("under_load", "1 while handshakes need cookies", i->under_load);
    for (unsigned d = 0; d < OM_DROP_COUNT; d++)
        add(p, "omerta_drops_total", "what was thrown away, by reason", OM_METRIC_COUNTER,
            i->drops[d], "reason", om_drop_name((enum om_drop)d));
}

static void add_host(struct page *p, const struct om_daemon *d)
{
    struct om_udp_info u;
    struct om_pump_info q;

    om_udp_info(om_pump_udp(d->pump), &u);
    om_pump_info(d->pump, &q);
    COUNT("udp_send_errors_total", "datagrams that the system refused to send", u.send_errors);
    COUNT("udp_overflows_total", "datagrams that the kernel dropped for want of space",
          u.kernel_drops);
    COUNT("udp_congestion_marks_total", "datagrams that a router marked", u.ecn_ce);
    COUNT("udp_sends_total", "system calls that sent", u.send_calls);
    COUNT("udp_receives_total", "system calls that received", u.recv_calls);
    COUNT("wakeups_total", "times the loop woke for the node", q.wakeups);
    GAUGE("datagrams_waiting", "datagrams that the socket did not take yet", q.waiting);
    GAUGE("uptime_seconds", "since the start",
          (uint64_t)(om_clock_now() - d->started_at) / 1000000);
}

static void add_links(struct page *p, const struct om_daemon *d)
{
    struct links_totals t;

    links_total(d->links, &t);
    GAUGE("links", "links whose packets end here", t.links);
    GAUGE("link_connections", "connections of TCP through links", t.tcps);
    GAUGE("link_exchanges", "exchanges of UDP through links", t.udps);
    COUNT("link_frames_in_total", "frames from behind links", t.counts.frames_in);
    COUNT("link_frames_out_total", "frames to links", t.counts.frames_out);
    COUNT("link_bytes_in_total", "bytes of these frames", t.counts.bytes_in);
    COUNT("link_bytes_out_total", "bytes of these frames", t.counts.bytes_out);
    COUNT("link_connections_total", "connections that links asked for", t.counts.opened);
    COUNT("link_refused_total", "of these, refused", t.counts.refused);
    COUNT("link_inward_total", "connections that peers of links asked for", t.counts.inward);
    COUNT("link_inward_refused_total", "of these, refused", t.counts.inward_refused);
    COUNT("link_out_full_total", "packets that a link's program did not read in time",
          t.counts.out_full);
    COUNT("link_udp_dropped_total", "datagrams of links, by one of the bounds",
          t.counts.udp_dropped);
    COUNT("link_held_total", "times that a link's program waited for its rate", t.counts.held);
    COUNT("link_captured_total", "frames of links that were captured", t.counts.captured);
    COUNT("link_capture_lost_total", "of these, those that were not read in time",
          t.counts.capture_lost);
    for (unsigned r = 1; r < link_gate_reasons(); r++)
        add(p, "omerta_link_drops_total", "packets of links that may not pass, by reason",
            OM_METRIC_COUNTER, t.dropped[r], "reason", link_gate_reason(r));
}

static void add_mapping(struct page *p, const struct om_daemon *d)
{
    const struct om_portmap *m = mapping_machine(d->mapping);

    GAUGE("portmap_held", "1 while a router maps our port", m->held.inner != 0);
    COUNT("portmap_asks_total", "times that a router was asked for it", m->asks);
    COUNT("portmap_mappings_total", "outside addresses that were had", m->mappings);
    COUNT("portmap_losses_total", "outside addresses that were lost or given back", m->losses);
    COUNT("portmap_hung_total", "questions to a router that were given up",
          mapping_hung(d->mapping));
    for (unsigned i = OM_PORTMAP_MAPPED; i < OM_PORTMAP_RESULTS; i++)
        add(p, "omerta_portmap_answers_total", "what came of asking a router", OM_METRIC_COUNTER,
            m->answers[i], "result", om_portmap_result_name((enum om_portmap_result)i));
}

static void add_answers(struct page *p, const struct om_daemon *d)
{
    for (unsigned i = 0; i < GATE_POLICY_COUNT; i++)
        add(p, "omerta_vm_violations_total",
            "guests that sent what they may not, by what was done about it", OM_METRIC_COUNTER,
            vms_answers(d->vms, (enum gate_policy)i), "answer",
            gate_policy_name((enum gate_policy)i));
}

/* Every change of a way, of a lane, of a mapping and of a NAT is an event. */
static void add_events(struct page *p, const struct om_daemon *d)
{
    for (unsigned i = 0; i < OM_EVENT_COUNT; i++)
        add(p, "omerta_events_total", "what happened, by kind", OM_METRIC_COUNTER, d->happened[i],
            "kind", om_event_name((enum om_event_kind)i));
}

static void add_reach(struct page *p, const struct om_daemon *d)
{
    static const char *const names[] = {"ipv4", "ipv6"};
    struct om_netcheck c;

    om_node_netcheck(daemon_node(d), om_clock_now(), &d->networks[0].id, &c);
    for (unsigned f = 0; f < OM_ARRAY_SIZE(names); f++)
        add(p, "omerta_udp_blocked", "1 while nobody far away answers over UDP", OM_METRIC_GAUGE,
            c.families[f].is_blocked, "family", names[f]);
    for (unsigned f = 0; f < OM_ARRAY_SIZE(names); f++)
        add(p, "omerta_nat_strict", "1 behind a NAT with a new port for each destination",
            OM_METRIC_GAUGE, c.families[f].is_strict, "family", names[f]);
}

static void add_peer(struct page *p, const struct om_daemon *d, const struct om_id *net,
                     const struct om_id *id)
{
    struct om_peer_info i;
    struct latency_figures f = {0};
    char brief[OM_ID_TEXT];

    if (om_node_peer_info(daemon_node(d), om_clock_now(), net, id, &i) != OM_OK)
        return;
    (void)om_id_print(id, brief);
    add(p, "omerta_peer_bytes_in_total", "bytes from a peer", OM_METRIC_COUNTER, i.in.bytes, "peer",
        brief);
    add(p, "omerta_peer_bytes_out_total", "bytes to a peer", OM_METRIC_COUNTER, i.out.bytes, "peer",
        brief);
    add(p, "omerta_peer_datagrams_in_total", "datagrams from a peer", OM_METRIC_COUNTER,
        i.in.datagrams, "peer", brief);
    add(p, "omerta_peer_datagrams_out_total", "datagrams to a peer", OM_METRIC_COUNTER,
        i.out.datagrams, "peer", brief);
    add(p, "omerta_peer_connected", "1 with a session", OM_METRIC_GAUGE, i.has_session, "peer",
        brief);
    add(p, "omerta_peer_relayed", "1 while data goes to it over a relay", OM_METRIC_GAUGE,
        i.is_relayed, "peer", brief);
    add(p, "omerta_peer_rtt_microseconds", "smoothed round trip", OM_METRIC_GAUGE, (uint64_t)i.srtt,
        "peer", brief);
    if (!latency_of(&d->latency, om_clock_now(), net, id, &f))
        return;
    add(p, "omerta_peer_rtt_mean_microseconds", "mean of the last half hour", OM_METRIC_GAUGE,
        (uint64_t)f.mean, "peer", brief);
    add(p, "omerta_peer_rtt_p50_microseconds", "median of the last half hour", OM_METRIC_GAUGE,
        (uint64_t)f.p50, "peer", brief);
    add(p, "omerta_peer_rtt_p95_microseconds", "95th percentile of the last half hour",
        OM_METRIC_GAUGE, (uint64_t)f.p95, "peer", brief);
    add(p, "omerta_peer_rtt_p99_microseconds", "99th percentile of the last half hour",
        OM_METRIC_GAUGE, (uint64_t)f.p99, "peer", brief);
}

static void fill(struct page *p, const struct om_daemon *d)
{
    struct om_node_info info;

    om_node_info(daemon_node(d), &info);
    add_node(p, &info);
    add_host(p, d);
    add_links(p, d);
    if (d->mapping)
        add_mapping(p, d);
    add_answers(p, d);
    add_events(p, d);
    add_reach(p, d);
    for (unsigned i = 0, shown = 0; i < d->network_count; i++) {
        struct om_id *ids;
        unsigned n = daemon_peers(d, &d->networks[i].id, &ids);
        for (unsigned k = 0; k < n && shown < OM_METRICS_PEERS; k++, shown++)
            add_peer(p, d, &d->networks[i].id, &ids[k]);
        free(ids);
    }
}

char *metrics_page(const struct om_daemon *d)
{
    struct page p = {.room = FIXED + PER_PEER * OM_METRICS_PEERS};
    char *text = NULL;

    p.values = calloc(p.room, sizeof *p.values);
    if (p.values && om_metrics_init(&p.m, p.room) == OM_OK) {
        fill(&p, d);
        size_t n = om_metrics_print(&p.m, NULL, 0);
        text = malloc(n + 1);
        if (text)
            (void)om_metrics_print(&p.m, text, n + 1);
    }
    om_metrics_fini(&p.m);
    free(p.values);
    return text;
}
