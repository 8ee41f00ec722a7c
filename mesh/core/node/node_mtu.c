/* node_mtu.c - the search for the size of the path in use. */
#include "node/lane.h"
#include "node/size.h"

/* The machine of @path, made when it is first needed. */
static struct om_mtu *machine(const struct om_node *n, struct om_path *path)
{
    struct om_mtu *m = &path->mtu;

    if (m->limit != 0)
        return m;
    /* A relay's family is not known here, and the smaller head only costs a probe. */
    om_mtu_init(m, path->via.lane == 0 && !om_addr_is_v4(&path->via.remote), n->limits.link_mtu);
    if (path->via.lane != 0)
        om_mtu_carry(m, OM_LANE_BYTES);
    return m;
}

static unsigned size_of(const struct om_path *path)
{
    if (path->mtu.limit != 0)
        return om_mtu_size(&path->mtu);
    return path->via.lane != 0 ? OM_MTU_BASE - OM_LANE_BYTES : OM_MTU_BASE;
}

unsigned node_size(const struct om_peer *p)
{
    unsigned size = om_carrier_size(p->carrier);

    if (p->paths->second >= 0) {
        unsigned other = size_of(&p->paths->all[p->paths->second]);
        size = other < size ? other : size;
    }
    return size;
}

void node_mtu_moved(struct om_node *n, om_time now, struct om_peer *p, struct om_path *path)
{
    struct om_mtu *m = machine(n, path);

    om_loss_probe_over(&p->carrier->loss);
    if (m->state == OM_MTU_IDLE)
        om_mtu_start(m, now);
    m->probe = 0; /* it went over the path when that was last in use, and is not heard of now */
    m->due = OM_NEVER;
    p->carrier->mtu = *m;
}

void node_mtu_proven(om_time now, struct om_peer *p, struct om_path *path)
{
    if (path == om_paths_active(p->paths))
        om_mtu_start(&p->carrier->mtu, now);
    else if (path->mtu.limit != 0)
        om_mtu_start(&path->mtu, now);
}

static void note_large(struct om_peer *p, om_time now, unsigned count)
{
    if (now - p->large_at >= OM_SEC(OM_SIZE_USE_S))
        p->large_count = 0;
    if (count == 0)
        return;
    p->large_at = now;
    if (p->large_count < OM_SIZE_USE_PACKETS)
        p->large_count += count;
}

static void probe(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s,
                  unsigned size)
{
    struct om_buf *b = node_room(n, size - OM_OVERHEAD);
    struct om_sealed *d;

    om_loss_probe_over(&p->carrier->loss);
    if (!b) {
        node_drop(n, OM_DROP_MEMORY); /* it counts as lost once it is due */
        return;
    }
    struct om_wr w = om_wr(om_mut(om_buf_put(b, size - OM_OVERHEAD), size - OM_OVERHEAD));
    om_frame_write_mtu_probe(&w, size - OM_OVERHEAD);
    if (om_loss_probe_sent(&p->carrier->loss, now, p->assoc->counter, size) != OM_OK ||
        om_seal(&d, s, p->assoc->counter++, b) != OM_OK) {
        node_give(n, b);
        node_drop(n, OM_DROP_MEMORY);
        return;
    }
    n->counts.mtu_probes++;
    unsigned had = om_ring_count(&n->acts);
    node_emit_data(n, s, d, &om_paths_active(p->paths)->via);
    struct om_act *a = om_ring_count(&n->acts) > had ? om_ring_at(&n->acts, had) : NULL;
    if (a)
        a->send.is_alone = true;
}

void node_mtu_used(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s,
                   unsigned large)
{
    struct om_mtu *m = &p->carrier->mtu;
    unsigned size;

    note_large(p, now, large);
    if (p->large_count < OM_SIZE_USE_PACKETS || !om_paths_active(p->paths) ||
        p->paths->second >= 0 || om_session_left(s) == 0)
        return;
    node_mtu_tick(now, p);
    if (om_mtu_next(m, now, om_rtt_pto(&p->assoc->rtt), &size))
        probe(n, now, p, s, size);
}

void node_mtu_tick(om_time now, struct om_peer *p)
{
    struct om_mtu *m = &p->carrier->mtu;
    bool was_out = m->probe != 0;

    om_mtu_tick(m, now);
    if (was_out && m->probe == 0)
        om_loss_probe_over(&p->carrier->loss);
}

om_time node_mtu_deadline(const struct om_peer *p)
{
    return p->carrier->mtu.probe ? p->carrier->mtu.due : OM_NEVER;
}

/* Over which direct way does @via lead, and how much larger is a datagram there? */
static const struct om_via *outer(const struct om_node *n, const struct om_via *via, unsigned *more)
{
    const struct om_peer *relay = via->lane != 0 ? node_lane_relay(n, via) : NULL;

    *more = via->lane != 0 ? OM_LANE_BYTES : 0;
    if (via->lane == 0)
        return via;
    return relay ? node_lane_direct(relay) : NULL;
}

void om_node_refused(struct om_node *n, om_time now, const struct om_via *via, size_t bytes)
{
    void *value;

    n->now = now;
    n->counts.refused++;
    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        struct om_peer *p = value;
        const struct om_path *path = p->paths && p->carrier ? om_paths_active(p->paths) : NULL;
        unsigned more = 0;
        const struct om_via *way = path ? outer(n, &path->via, &more) : NULL;
        if (!way || !om_via_equal(way, via) || bytes <= more)
            continue;
        om_mtu_refused(&p->carrier->mtu, now, (unsigned)bytes - more);
        if (p->carrier->mtu.probe == 0)
            om_loss_probe_over(&p->carrier->loss);
        node_rearm(n, now, p);
    }
}
