/* gossip_out.c - actions, calls, and rounds of rumours. */
#include <stdlib.h>
#include <string.h>

#include <omerta/wire.h>

#include "gossip/gossip_state.h"

enum { PUSH_OVERHEAD = 100 }; /* of one datagram, for the budget */

struct gossip_out *gossip_act(struct om_gossip *g, enum om_gossip_act_kind kind,
                              const struct om_id *peer, struct om_bytes bytes)
{
    struct gossip_out *o = NULL;

    if (g->out_count == OM_GOSSIP_ACTS) {
        gossip_drop(g, OM_GOSSIP_DROP_FULL);
        return NULL;
    }
    o = malloc(sizeof *o + bytes.n);
    if (!o) {
        gossip_drop(g, OM_GOSSIP_DROP_MEMORY);
        return NULL;
    }
    o->next = NULL;
    o->act =
        (struct om_gossip_act){.kind = kind, .peer = *peer, .bytes = om_bytes(o->bytes, bytes.n)};
    if (bytes.n > 0)
        memcpy(o->bytes, bytes.p, bytes.n);
    *g->outs_end = o;
    g->outs_end = &o->next;
    g->out_count++;
    return o;
}

bool om_gossip_next(struct om_gossip *g, struct om_gossip_act *out)
{
    struct gossip_out *o = g->outs;

    free(g->lent);
    g->lent = o;
    if (!o)
        return false;
    g->outs = o->next;
    if (!g->outs)
        g->outs_end = &g->outs;
    g->out_count--;
    *out = o->act;
    return true;
}

unsigned gossip_owed(const struct om_gossip *g, const struct om_id *peer)
{
    unsigned owed = 0;

    for (unsigned i = 0; i < GOSSIP_ASKED_MAX; i++)
        owed += g->asked[i].tag != 0 && (!peer || om_id_equal(&g->asked[i].peer, peer));
    return owed;
}

/* Is there room for another call of @method to @peer, beside what the others may have? */
static bool may_call(const struct om_gossip *g, const struct om_id *peer,
                     enum om_gossip_method method)
{
    if (method == OM_GOSSIP_GET && gossip_owed(g, NULL) >= GOSSIP_ASKED_MAX - GOSSIP_SPARED)
        return false;
    return gossip_owed(g, peer) < GOSSIP_SHARE_MAX;
}

struct gossip_asked *gossip_call(struct om_gossip *g, const struct om_id *peer,
                                 enum om_gossip_method method, struct om_bytes bytes)
{
    struct gossip_asked *a = NULL;

    for (unsigned i = 0; i < GOSSIP_ASKED_MAX && !a; i++)
        if (g->asked[i].tag == 0)
            a = &g->asked[i];
    if (!a || !may_call(g, peer, method)) {
        gossip_drop(g, OM_GOSSIP_DROP_FULL);
        return NULL;
    }
    struct gossip_out *o = gossip_act(g, OM_GOSSIP_ACT_CALL, peer, bytes);
    if (!o)
        return NULL;
    *a = (struct gossip_asked){.tag = ++g->tag, .peer = *peer, .method = method};
    o->act.method = method;
    o->act.tag = a->tag;
    return a;
}

void gossip_tell(struct om_gossip *g, om_time now, const struct om_id *from, struct om_bytes bytes)
{
    if (g->waiting == OM_GOSSIP_WAITING) {
        gossip_drop(g, OM_GOSSIP_DROP_FULL);
        return;
    }
    struct gossip_rumour *r = malloc(sizeof *r + bytes.n);
    if (!r) {
        gossip_drop(g, OM_GOSSIP_DROP_MEMORY);
        return;
    }
    *r = (struct gossip_rumour){.len = (uint16_t)bytes.n};
    if (from)
        r->from = *from;
    memcpy(r->bytes, bytes.p, bytes.n);
    *g->rumours_end = r;
    g->rumours_end = &r->next;
    g->waiting++;
    g->round_at = om_time_min(g->round_at, now + OM_MS(OM_GOSSIP_ROUND_MS));
}

/* The rumours up to @end to one partner, in as many datagrams as it takes. */
static void push(struct om_gossip *g, const struct om_id *to, const struct gossip_rumour *end)
{
    uint8_t bytes[OM_GOSSIP_DATAGRAM];
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));

    for (const struct gossip_rumour *r = g->rumours; r != end; r = r->next) {
        if (om_id_equal(&r->from, to))
            continue;
        if (om_wr_left(&w) < (size_t)2 + r->len) {
            gossip_act(g, OM_GOSSIP_ACT_PUSH, to, om_bytes(bytes, om_wr_len(&w)));
            w = om_wr(om_mut(bytes, sizeof bytes));
        }
        om_wr_u16(&w, r->len);
        om_wr_copy(&w, r->bytes, r->len);
        g->counts.rumours_out++;
    }
    if (om_wr_len(&w) > 0)
        gossip_act(g, OM_GOSSIP_ACT_PUSH, to, om_bytes(bytes, om_wr_len(&w)));
}

void gossip_round(struct om_gossip *g, om_time now)
{
    struct om_id audience[OM_GOSSIP_FANOUT];
    const struct gossip_rumour *end;
    size_t bytes = 0;

    g->round_at = OM_NEVER;
    gossip_fill_partners(g, now);
    unsigned count = gossip_audience(g, now, audience);
    if (count == 0)
        return; /* what is known waits to be asked for */
    if (g->is_unannounced) {
        g->is_unannounced = false;
        gossip_tell(g, now, NULL, om_bytes(g->record, g->record_len));
        g->round_at = OM_NEVER;
    }
    for (end = g->rumours; end && bytes < OM_GOSSIP_BUDGET; end = end->next)
        bytes += (size_t)count * (end->len + PUSH_OVERHEAD);
    for (unsigned i = 0; i < count; i++)
        push(g, &audience[i], end);
    while (g->rumours != end) {
        struct gossip_rumour *told = g->rumours;
        g->rumours = told->next;
        g->waiting--;
        free(told);
    }
    if (!g->rumours)
        g->rumours_end = &g->rumours;
    else
        g->round_at = now + OM_MS(OM_GOSSIP_ROUND_MS);
}
