/* info.c - snapshots, names of drops, default limits. */
#include <omerta/info.h>

#include "node/lane.h"
#include "node/size.h"

void om_node_info(const struct om_node *n, struct om_node_info *out)
{
    *out = n->counts;
    out->networks = n->network_count;
    out->peers = om_table_count(&n->peers.table);
    out->sessions = n->sessions.live;
    out->indices = n->sessions.indices.live;
    out->under_load = om_responder_is_loaded(&n->responder, n->now);
    const struct om_relay_counts *c = &n->relay.counts;
    out->is_relay = n->relay.is_willing;
    out->lanes = n->lanes.shares.rows;
    out->lanes_carried = n->relay.shares.rows;
    out->relayed = c->carried;
    out->relayed_bytes = c->carried_bytes;
    out->lane_offers = c->offers;
    out->lane_refusals = c->refused;
    out->lanes_unwilling = c->refused_for[OM_LANE_UNWILLING] + c->refused_for[OM_LANE_NESTED];
    out->lanes_full = c->refused_for[OM_LANE_FULL];
    out->lanes_stranger = c->refused_for[OM_LANE_STRANGER];
    out->lanes_rate = c->refused_for[OM_LANE_RATE];
    out->lanes_silent = c->refused_for[OM_LANE_SILENT];
    out->lanes_denied = c->refused_for[OM_LANE_DENIED];
    out->lanes_ended = c->closed;
    out->relay_over_rate = c->over_rate;
    out->nat_life_v4 = n->where.nats[0].life.alive;
    out->nat_life_v6 = n->where.nats[1].life.alive;
    out->relay_dropped = c->forged + c->replayed + c->over_rate + c->kept_back + c->unbound;
}

enum om_err om_node_peer_info(const struct om_node *n, om_time now, const struct om_id *network,
                              const struct om_id *peer, struct om_peer_info *out)
{
    const struct om_network *net = node_network(n, network);
    const struct om_peer *p = net ? om_peers_find(&n->peers, net, peer) : NULL;

    if (!p)
        return OM_E_MISSING;
    *out = (struct om_peer_info){
        .cipher = "",
        .handshakes = p->sessions_made,
        .waiting = p->waiting_count,
        .is_heard = om_peer_via(p) != NULL,
        .heard_at = p->heard_at,
        .in = p->in,
        .out = p->out,
    };
    if (om_peer_via(p)) {
        const struct om_peer *relay = node_lane_relay(n, om_peer_via(p));
        out->via = *om_peer_via(p);
        out->is_relayed = out->via.lane != 0;
        if (relay)
            out->relay = relay->id;
    }
    if (!p->assoc)
        return OM_OK;
    out->counter = p->assoc->counter;
    out->receiving = p->assoc->count;
    out->srtt = p->assoc->rtt.smoothed;
    out->mtu = om_peer_via(p) ? node_size(p) : 0;
    out->mtu_done = p->carrier->mtu.state == OM_MTU_DONE;
    const struct om_session *s = om_association_sealing(p->assoc, now);
    if (s) {
        out->has_session = true;
        out->initiated = s->initiated;
        out->cipher = s->cipher->name;
        out->epoch = s->epoch->number;
        out->key_age = now - s->born;
    }
    return OM_OK;
}

const char *om_drop_name(enum om_drop d)
{
    static const char *const names[] = {
#define X(code, name, help) [OM_DROP_##code] = (name),
        OM_DROPS(X)
#undef X
    };
    return (unsigned)d < OM_DROP_COUNT ? names[d] : "unknown";
}

void om_limits_default(struct om_limits *l)
{
    *l = (struct om_limits){
        .rekey_initiator = OM_SEC(120),
        .rekey_responder = OM_SEC(150),
        .key_life = OM_SEC(180),
        .key_grace = OM_SEC(10),
        .association_life = OM_SEC(24 * 3600),
        .call_ask = OM_SEC(3600),
        .call_patience = OM_SEC(15 * 60),
        .confirm_wait = OM_SEC(10),
        .cookie_life = OM_SEC(120),
        .packets_max = 0,
        .failed_opens_max = UINT64_C(1) << 36,
        .load_per_s = 100,
        .source_per_s = 5,
        .source_burst = 20,
        .peers_max = 1024,
        .records_max = 1024,
        .link_mtu = OM_MTU_LINK_MAX,
        .indices_max = 4096,
        .offer_handshake_max = OM_HANDSHAKE_MIN,
        .relay_lanes = OM_RELAY_LANES_MAX,
        .relay_lanes_per_peer = OM_RELAY_LANES_PER_END,
        .relay_rate_bytes = OM_RELAY_RATE_BYTES,
    };
}
