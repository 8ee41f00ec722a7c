/* gossip_partner.c - whom to tell and ask: some at random, and others after a while. */
#include <string.h>

#include <omerta/wire.h>

#include "gossip/gossip_state.h"

static struct gossip_partner *find(struct om_gossip *g, const struct om_id *id)
{
    for (unsigned i = 0; i < OM_GOSSIP_PARTNERS; i++)
        if (g->partners[i].is_set && om_id_equal(&g->partners[i].id, id))
            return &g->partners[i];
    return NULL;
}

static const struct om_id *id_of(const struct om_held *h)
{
    return (const struct om_id *)(const void *)h->key; /* bytes, like the key's first 32 */
}

static bool is_candidate(struct om_gossip *g, om_time now, const struct om_held *h)
{
    struct om_addr ends[OM_RECORD_ENDS_MAX];

    if (h->is_item || om_id_equal(id_of(h), &g->self->id) || find(g, id_of(h)))
        return false;
    if (h->failed_at != 0 && now - h->failed_at < OM_SEC(OM_GOSSIP_RETRY_S))
        return false;
    return om_gossip_ends(g, id_of(h), ends) > 0;
}

/* A candidate, each as likely as any other; NULL when there is none. */
static struct om_held *draw(struct om_gossip *g, om_time now)
{
    struct om_held *chosen = NULL;
    unsigned n = 0;

    for (struct om_link *l = om_list_first(&g->store.changes); l;
         l = om_list_next(&g->store.changes, l)) {
        struct om_held *h = OM_CONTAINER_OF(l, struct om_held, by_change);
        if (is_candidate(g, now, h) && gossip_random(g, ++n) == 0)
            chosen = h;
    }
    return chosen;
}

static bool seat(struct om_gossip *g, om_time now, struct gossip_partner *p)
{
    struct om_held *h = draw(g, now);

    if (!h)
        return false;
    *p = (struct gossip_partner){.id = *id_of(h), .is_set = true, .since = now};
    return true;
}

void gossip_fill_partners(struct om_gossip *g, om_time now)
{
    for (unsigned i = 0; i < OM_GOSSIP_PARTNERS; i++)
        if (!g->partners[i].is_set && !seat(g, now, &g->partners[i]))
            return;
}

void gossip_adopt(struct om_gossip *g, om_time now, const struct om_id *id)
{
    unsigned at = gossip_random(g, g->store.records + 1);

    if (at >= OM_GOSSIP_PARTNERS || find(g, id) || om_id_equal(id, &g->self->id))
        return;
    g->partners[at] = (struct gossip_partner){.id = *id, .is_set = true, .since = now};
}

void gossip_listener(struct om_gossip *g, om_time now, const struct om_id *id)
{
    struct gossip_partner *seat = &g->listeners[0];

    if (find(g, id))
        return;
    for (unsigned i = 0; i < OM_GOSSIP_LISTENERS; i++) {
        struct gossip_partner *l = &g->listeners[i];
        if (l->is_set && om_id_equal(&l->id, id)) {
            l->since = now;
            return;
        }
        if (!l->is_set || (seat->is_set && l->since < seat->since))
            seat = l;
    }
    *seat = (struct gossip_partner){.id = *id, .is_set = true, .since = now};
}

unsigned gossip_audience(struct om_gossip *g, om_time now,
                         struct om_id out[static OM_GOSSIP_FANOUT])
{
    unsigned n = 0, chosen, seen = 0;

    for (unsigned i = 0; i < OM_GOSSIP_PARTNERS; i++)
        if (g->partners[i].is_set)
            out[n++] = g->partners[i].id;
    chosen = n; /* all of them: whom we drew, no liar can have arranged */
    for (unsigned i = 0; i < OM_GOSSIP_LISTENERS; i++) {
        const struct gossip_partner *l = &g->listeners[i];
        if (!l->is_set || now - l->since > OM_SEC(OM_GOSSIP_LISTEN_S) || find(g, &l->id))
            continue;
        /* Each subset of the right size is as likely as any other (reservoir). */
        seen++;
        if (n < OM_GOSSIP_FANOUT) {
            out[n++] = l->id;
            continue;
        }
        unsigned at = chosen + gossip_random(g, seen);
        if (at < OM_GOSSIP_FANOUT)
            out[at] = l->id;
    }
    return n;
}

void gossip_rotate(struct om_gossip *g, om_time now)
{
    struct gossip_partner *oldest = NULL;

    for (unsigned i = 0; i < OM_GOSSIP_PARTNERS; i++)
        if (g->partners[i].is_set && (!oldest || g->partners[i].since < oldest->since))
            oldest = &g->partners[i];
    if (oldest)
        (void)seat(g, now, oldest); /* without another it stays */
}

void gossip_failed(struct om_gossip *g, om_time now, const struct om_id *id)
{
    struct om_held *h = om_records_find(&g->store, id);
    struct gossip_partner *p = find(g, id);

    if (h) {
        h->failed_at = now ? now : 1;
        h->has_addr = false; /* first-hand, too, that it is not there any more */
    }
    if (p)
        p->is_set = false;
    gossip_fill_partners(g, now);
}

void gossip_sync_with(struct om_gossip *g, const struct om_id *id, unsigned pages)
{
    const struct gossip_cursor *c = om_lru_find(&g->cursors, id->b);
    uint8_t body[8 + 8 + 6 + sizeof g->store.sums];
    struct om_wr w = om_wr(om_mut(body, sizeof body));
    const struct om_held *mine = om_records_find(&g->store, &g->self->id);

    om_wr_u64(&w, c ? c->store : 0);
    om_wr_u64(&w, c ? c->next : 0);
    om_wr_u48(&w, mine ? mine->sequence : 0);
    for (unsigned i = 0; !c && i < OM_RECORDS_BUCKETS; i++)
        om_wr_u64(&w, g->store.sums[i]); /* a first contact: only what differs shall come */
    struct gossip_asked *a = gossip_call(g, id, OM_GOSSIP_SYNC, om_bytes(body, om_wr_len(&w)));
    if (!a)
        return;
    a->pages = pages;
    g->counts.syncs++;
}

void gossip_sync(struct om_gossip *g, om_time now)
{
    unsigned n = 0, chosen = 0;

    gossip_fill_partners(g, now);
    for (unsigned i = 0; i < OM_GOSSIP_PARTNERS; i++)
        if (g->partners[i].is_set && gossip_random(g, ++n) == 0)
            chosen = i;
    if (n > 0)
        gossip_sync_with(g, &g->partners[chosen].id, 0);
}
