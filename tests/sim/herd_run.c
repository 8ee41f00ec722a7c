/* herd_run.c - what happens in a herd: time passes, and bytes get from one node to another. */
#include <stdlib.h>
#include <string.h>

#include <omerta/wire.h>

#include "herd_event.h"
#include "world.h"

static bool is_before(const struct herd_event *a, const struct herd_event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void herd_put(struct sim_herd *h, struct herd_event e)
{
    unsigned at = h->queued++;

    if (h->queued > h->room) {
        h->room = h->room ? 2 * h->room : 1024;
        h->heap = realloc(h->heap, h->room * sizeof *h->heap);
        OM_BUG_IF(!h->heap);
    }
    e.order = ++h->order;
    for (; at > 0 && is_before(&e, &h->heap[(at - 1) / 2]); at = (at - 1) / 2)
        h->heap[at] = h->heap[(at - 1) / 2];
    h->heap[at] = e;
}

bool herd_take(struct sim_herd *h, om_time until, struct herd_event *out)
{
    unsigned at = 0;

    if (h->queued == 0 || h->heap[0].at > until)
        return false;
    *out = h->heap[0];
    const struct herd_event last = h->heap[--h->queued];
    for (;;) {
        unsigned child = 2 * at + 1;
        if (child + 1 < h->queued && is_before(&h->heap[child + 1], &h->heap[child]))
            child++;
        if (child >= h->queued || !is_before(&h->heap[child], &last))
            break;
        h->heap[at] = h->heap[child];
        at = child;
    }
    h->heap[at] = last;
    h->heap[h->queued].bytes = NULL;
    return true;
}

void herd_clear(struct sim_herd *h)
{
    for (unsigned i = 0; i < h->queued; i++)
        free(h->heap[i].bytes);
    free(h->heap);
    h->heap = NULL;
    h->queued = h->room = 0;
}

om_time herd_latency(struct sim_herd *h)
{
    return OM_MS(20) + (om_time)om_prng_below(&h->prng, (uint64_t)OM_MS(30));
}

static bool is_there(const struct sim_herd *h, unsigned i, unsigned j)
{
    return h->nodes[j].g && h->nodes[i].side == h->nodes[j].side;
}

om_time herd_agree(struct sim_herd *h, unsigned i, unsigned j)
{
    struct herd_node *a = &h->nodes[i], *b = &h->nodes[j];
    const uint32_t pair[2] = {i < j ? i : j, i < j ? j : i};
    struct herd_key *key = om_lru_put(&h->keys, pair, NULL);
    om_time rtt = 2 * herd_latency(h);

    OM_BUG_IF(!key);
    if (is_there(h, i, j) && key->lives == a->life + b->life &&
        h->now - key->at < OM_SEC(HERD_KEY_LIFE_S))
        return 0;
    a->handshakes++;
    if (!is_there(h, i, j)) {
        a->bytes_out += (uint64_t)HERD_RETRIES * HERD_HANDSHAKE_SIDE;
        return OM_NEVER;
    }
    a->bytes_out += HERD_HANDSHAKE_SIDE + HERD_CONFIRM;
    b->bytes_out += HERD_HANDSHAKE_SIDE + HERD_ACK;
    *key = (struct herd_key){h->now, a->life + b->life};
    herd_put(h, (struct herd_event){
                    .at = h->now + rtt, .kind = HERD_UP, .to = i, .from = j, .life = a->life});
    herd_put(h, (struct herd_event){
                    .at = h->now + rtt, .kind = HERD_UP, .to = j, .from = i, .life = b->life});
    return rtt;
}

/* Sequence of the watched record among the rumours of @in; 0 when it is not there. */
static uint64_t find_watched(const struct sim_herd *h, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_entry e;

    while (h->watched < h->count && om_rd_left(&r) > 2) {
        struct om_bytes entry = om_rd_bytes(&r, om_rd_u16(&r));
        if (om_entry_decode(&e, entry) == OM_OK && e.channel[0] == '\0' &&
            om_id_equal(&e.id, &h->nodes[h->watched].self.id))
            return e.sequence;
    }
    return 0;
}

static struct om_mut copy_of(struct om_bytes b)
{
    uint8_t *p = b.n > 0 ? sim_alloc(b.n) : NULL;

    if (p)
        memcpy(p, b.p, b.n);
    return om_mut(p, b.n);
}

/* One side of a call: @n bytes and JSON in packets, each second one acknowledged by the other. */
static void count_call(struct herd_node *sender, struct herd_node *receiver, size_t n)
{
    uint64_t body = HERD_CALL_JSON + n;
    uint64_t packets = (body + HERD_PACKET - 1) / HERD_PACKET;

    sender->bytes_out += body + packets * (HERD_DATAGRAM + HERD_STREAM_HEAD);
    receiver->bytes_out += (packets + 1) / 2 * HERD_ACK;
}

static bool number_of(const struct sim_herd *h, const struct om_id *id, unsigned *out)
{
    const unsigned *at = om_lru_peek(&h->index, id->b);

    if (at)
        *out = *at;
    return at != NULL;
}

static void push(struct sim_herd *h, unsigned i, const struct om_gossip_act *a)
{
    struct herd_node *n = &h->nodes[i];
    unsigned j;

    uint64_t watched = find_watched(h, a->bytes);
    if (watched > h->watched_after) {
        n->told_twice += n->told_at != 0 && n->told_at != h->now;
        n->told_at = h->now;
    }
    if (n->vice || !number_of(h, &a->peer, &j))
        return;
    om_time wait = herd_agree(h, i, j);
    n->datagrams++;
    n->bytes_out += a->bytes.n + HERD_PUSH_HEAD + HERD_DATAGRAM;
    if (wait == OM_NEVER || om_prng_chance(&h->prng, h->loss)) {
        h->lost++;
        return;
    }
    struct om_mut b = copy_of(a->bytes);
    h->nodes[j].bytes_out += HERD_ACK;
    herd_put(h, (struct herd_event){.at = h->now + wait + herd_latency(h),
                                    .kind = HERD_PUSH,
                                    .to = j,
                                    .from = i,
                                    .life = h->nodes[j].life,
                                    .bytes = b.p,
                                    .n = b.n});
}

static void call(struct sim_herd *h, unsigned i, const struct om_gossip_act *a)
{
    struct herd_event e = {.kind = HERD_REPLY, .to = i, .tag = a->tag, .life = h->nodes[i].life};
    struct om_addr ends[OM_RECORD_ENDS_MAX];
    unsigned j;

    h->nodes[i].calls++;
    if (!number_of(h, &a->peer, &j)) {
        e.at = h->now + OM_SEC(HERD_CALL_TIMEOUT_S);
        herd_put(h, e); /* a key that no node has */
        return;
    }
    const uint32_t pair[2] = {i < j ? i : j, i < j ? j : i};
    bool is_known = om_gossip_ends(h->nodes[i].g, &a->peer, ends) > 0;
    om_time wait = is_known || om_lru_peek(&h->keys, pair) != NULL ? herd_agree(h, i, j) : OM_NEVER;
    if (wait == OM_NEVER) {
        h->calls_failed++;
        e.at = h->now + OM_SEC(HERD_CALL_TIMEOUT_S);
        herd_put(h, e);
        return;
    }
    count_call(&h->nodes[i], &h->nodes[j], (a->bytes.n * 4 + 2) / 3); /* base64 */
    struct om_mut b = copy_of(a->bytes);
    herd_put(h, (struct herd_event){.at = h->now + wait + herd_latency(h),
                                    .kind = HERD_REQUEST,
                                    .to = j,
                                    .from = i,
                                    .life = h->nodes[j].life,
                                    .method = a->method,
                                    .tag = a->tag,
                                    .bytes = b.p,
                                    .n = b.n});
}

static void look(struct sim_herd *h, unsigned i)
{
    struct herd_node *n = &h->nodes[i];

    if (h->watched == h->count || n->has_sequence > h->watched_after)
        return;
    const struct om_held *r = om_records_find(om_gossip_store(n->g), &h->nodes[h->watched].self.id);
    if (r && r->sequence > n->has_sequence)
        n->has_sequence = r->sequence;
}

void herd_drain(struct sim_herd *h, unsigned i)
{
    struct herd_node *n = &h->nodes[i];
    struct om_gossip_act a;

    while (om_gossip_next(n->g, &a))
        switch (a.kind) {
        case OM_GOSSIP_ACT_PUSH:
            push(h, i, &a);
            break;
        case OM_GOSSIP_ACT_CALL:
            call(h, i, &a);
            break;
        case OM_GOSSIP_ACT_CHANGED:
            n->changed++;
            break;
        case OM_GOSSIP_ACT_ITEM:
            n->items++;
            break;
        case OM_GOSSIP_ACT_FOUND:
            n->found += a.bytes.n > 0;
            n->sought++;
            break;
        }
    look(h, i);
    om_time at = om_gossip_deadline(n->g);
    if (at <= h->now)
        at = h->now + 1;
    if (at < n->tick_at) {
        n->tick_at = at;
        herd_put(h, (struct herd_event){.at = at, .kind = HERD_TICK, .to = i, .life = n->life});
    }
}

/* Who lives off others says that nothing has changed; a liar, that much has, and forges it. */
static enum om_err answer_badly(struct sim_herd *h, unsigned i, enum om_gossip_method method,
                                struct om_wr *w)
{
    bool lies = h->nodes[i].vice == HERD_LIAR;

    if (method == OM_GOSSIP_SYNC) {
        om_wr_u64(w, 1);
        om_wr_u64(w, 1);
        for (unsigned k = 0; lies && k < HERD_LIED_HEADS; k++) {
            om_wr_u64(w, om_prng_u64(&h->prng));
            om_wr_u48(w, HERD_EPOCH_MS);
        }
    } else if (method == OM_GOSSIP_GET && lies) {
        herd_forge(h, i, HERD_LIED_ENTRIES, w);
    } else if (method == OM_GOSSIP_SEEK) {
        om_wr_u32(w, UINT32_MAX);
    }
    return OM_OK;
}

static void answer(struct sim_herd *h, const struct herd_event *e)
{
    static uint8_t room[OM_GOSSIP_REPLY_MAX];
    struct om_wr w = om_wr(om_mut(room, sizeof room));
    struct herd_node *n = &h->nodes[e->to];
    const struct herd_node *asker = &h->nodes[e->from];

    enum om_err err = n->vice ? answer_badly(h, e->to, e->method, &w)
                              : om_gossip_request(n->g, h->now, &asker->self.id, e->method,
                                                  om_bytes(e->bytes, e->n), &w);
    count_call(n, &h->nodes[e->from], om_wr_len(&w));
    struct om_mut b = copy_of(om_bytes(room, om_wr_len(&w)));
    herd_put(h, (struct herd_event){.at = h->now + herd_latency(h),
                                    .kind = HERD_REPLY,
                                    .to = e->from,
                                    .from = e->to,
                                    .life = asker->life,
                                    .tag = e->tag,
                                    .is_ok = err == OM_OK,
                                    .bytes = b.p,
                                    .n = b.n});
}

static void happen(struct sim_herd *h, const struct herd_event *e)
{
    struct herd_node *n = &h->nodes[e->to];
    uint64_t watched;

    if (!n->g || (e->life != 0 && e->life != n->life))
        return;
    switch (e->kind) {
    case HERD_TICK:
        if (e->at != n->tick_at)
            return;
        n->tick_at = OM_NEVER;
        om_gossip_tick(n->g, h->now);
        break;
    case HERD_UP:
        om_gossip_peer_up(n->g, h->now, &h->nodes[e->from].self.id, &h->nodes[e->from].addr);
        break;
    case HERD_PUSH:
        om_gossip_rumour(n->g, h->now, &h->nodes[e->from].self.id, om_bytes(e->bytes, e->n));
        watched = find_watched(h, om_bytes(e->bytes, e->n));
        if (watched > n->has_sequence)
            n->has_sequence = watched;
        break;
    case HERD_REQUEST:
        answer(h, e);
        break;
    case HERD_REPLY:
        om_gossip_reply(n->g, h->now, e->tag, e->is_ok, om_bytes(e->bytes, e->n));
        break;
    case HERD_LIE:
        herd_lie(h, e->to);
        break;
    }
    herd_drain(h, e->to);
}

void sim_herd_run(struct sim_herd *h, om_time until)
{
    struct herd_event e;

    while (herd_take(h, until, &e)) {
        h->now = e.at;
        happen(h, &e);
        free(e.bytes);
    }
    h->now = until;
}
