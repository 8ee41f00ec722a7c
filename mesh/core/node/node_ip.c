/* node_ip.c - IP packets in and out, and what is larger than the path, in slices. */
#include "node/size.h"

#include <omerta/ip.h>

#include <stdlib.h>

struct om_buf *node_room(struct om_node *n, size_t plain)
{
    if (OM_HEADROOM + plain + OM_TAG_BYTES <= om_pool_block(n->pool))
        return node_plain(n);
    return om_pool_take(n->wide, OM_HEADROOM);
}

void node_give(struct om_node *n, struct om_buf *b)
{
    if (b)
        om_pool_give(b->cap == om_pool_block(n->pool) ? n->pool : n->wide, b);
}

bool node_ip_waits(const struct om_peer *p)
{
    return p->cut != NULL || p->ip_count > 0;
}

struct om_buf *node_ip_next(struct om_peer *p)
{
    struct om_buf *b = p->ip;

    if (!b)
        return NULL;
    p->ip = b->next;
    b->next = NULL;
    p->ip_count--;
    return b;
}

/* The oldest goes when there are too many: who sent it has given it up first. */
static void wait(struct om_node *n, struct om_peer *p, struct om_buf *b)
{
    if (p->ip_count == OM_IP_WAITING_MAX) {
        node_give(n, node_ip_next(p));
        node_drop(n, OM_DROP_QUEUE_FULL);
    }
    b->next = NULL;
    if (p->ip)
        p->ip_last->next = b;
    else
        p->ip = b;
    p->ip_last = b;
    p->ip_count++;
}

enum om_err om_node_send_ip(struct om_node *n, om_time now, const struct om_id *network,
                            const struct om_id *peer, struct om_bytes packet)
{
    struct om_peer *p;
    enum om_err e = node_find_reachable(n, network, peer, &p);

    if (e != OM_OK)
        return e;
    if (packet.n == 0 || packet.n > OM_IP_MAX)
        return OM_E_RANGE;
    struct om_buf *b = node_room(n, OM_FRAME_HEAD + packet.n);
    if (!b)
        return OM_E_BUSY;
    size_t size = OM_FRAME_HEAD + packet.n;
    struct om_wr w = om_wr(om_mut(om_buf_put(b, size), size));
    om_frame_write_ip(&w, packet);
    wait(n, p, b);
    n->counts.ip_out++;
    node_flush(n, now, p);
    node_rearm(n, now, p);
    return OM_OK;
}

enum om_err om_node_allow_ip(struct om_node *n, const struct om_id *network,
                             const struct om_id *peer, bool is_allowed)
{
    struct om_network *net = node_network(n, network);
    struct om_peer *p;

    if (!net)
        return OM_E_MISSING;
    enum om_err e = node_add_peer(n, net, peer, &p);
    if (e == OM_OK)
        p->may_ip = is_allowed;
    return e;
}

void node_cut(struct om_peer *p, struct om_buf *whole)
{
    OM_BUG_IF(p->cut);
    p->cut = whole;
    p->cut_at = 0;
    p->cut_id++;
}

struct om_buf *node_cut_next(struct om_node *n, struct om_peer *p, size_t plain)
{
    struct om_buf *b = node_room(n, plain);
    size_t left = p->cut->len - p->cut_at, room = plain - OM_SLICE_FRAME_HEAD;

    if (!b)
        return NULL;
    const struct om_frame_slice f = {
        .id = p->cut_id,
        .offset = (uint16_t)p->cut_at,
        .total = (uint16_t)p->cut->len,
        .data = om_bytes(om_buf_data(p->cut) + p->cut_at, left < room ? left : room)};
    size_t size = OM_SLICE_FRAME_HEAD + f.data.n;
    struct om_wr w = om_wr(om_mut(om_buf_put(b, size), size));
    om_frame_write_slice(&w, &f);
    p->cut_at += f.data.n;
    n->counts.slices_out++;
    if (p->cut_at == p->cut->len) {
        node_give(n, p->cut);
        p->cut = NULL;
    }
    return b;
}

void node_cut_end(struct om_node *n, struct om_peer *p)
{
    node_give(n, p->cut);
    p->cut = NULL;
}

void node_ip_frame(struct om_node *n, struct om_peer *p, struct om_bytes packet)
{
    if (!p->may_ip) {
        node_drop(n, OM_DROP_IP);
        return;
    }
    struct om_act *a = node_act(n, OM_ACT_IP);
    if (!a)
        return;
    n->counts.ip_in++;
    a->ip = (struct om_act_ip){.network = p->net->id, .peer = p->id, .packet = packet};
}

static struct om_slices *slices_of(struct om_peer *p)
{
    if (!p->slices) {
        p->slices = malloc(sizeof *p->slices);
        if (p->slices)
            om_slices_init(p->slices);
    }
    return p->slices;
}

static void count_drops(struct om_node *n, struct om_peer *p, uint64_t had)
{
    for (; had < p->slices->dropped; had++)
        node_drop(n, OM_DROP_SLICE);
}

struct om_bytes node_slice_frame(struct om_node *n, om_time now, struct om_peer *p,
                                 const struct om_frame_slice *f)
{
    struct om_slices *s = slices_of(p);
    uint64_t had = s ? s->dropped : 0;
    uint8_t *whole = NULL;
    enum om_slice_fate fate = s ? om_slices_input(s, now, f, &whole) : OM_SLICE_NO_ROOM;

    n->counts.slices_in++;
    if (s)
        count_drops(n, p, had);
    if (fate == OM_SLICE_NO_ROOM)
        node_drop(n, OM_DROP_MEMORY);
    if (fate != OM_SLICE_WHOLE)
        return om_bytes(NULL, 0);
    uint8_t **kept = om_ring_push(&n->joined);
    if (!kept) {
        node_drop(n, OM_DROP_MEMORY);
        free(whole);
        return om_bytes(NULL, 0);
    }
    *kept = whole;
    return om_bytes(whole, f->total);
}

void node_slice_tick(struct om_node *n, om_time now, struct om_peer *p)
{
    uint64_t had = p->slices ? p->slices->dropped : 0;

    if (!p->slices)
        return;
    om_slices_tick(p->slices, now);
    count_drops(n, p, had);
}

om_time node_slice_deadline(const struct om_peer *p)
{
    return p->slices ? om_slices_deadline(p->slices) : OM_NEVER;
}

void node_joined_free(struct om_node *n)
{
    for (uint8_t **b; (b = om_ring_front(&n->joined)) != NULL; om_ring_pop(&n->joined))
        free(*b);
}

void node_ip_end(struct om_node *n, struct om_peer *p)
{
    for (struct om_buf *b; (b = node_ip_next(p)) != NULL;)
        node_give(n, b);
    node_cut_end(n, p);
    if (p->slices)
        om_slices_fini(p->slices);
    free(p->slices);
    p->slices = NULL;
}
