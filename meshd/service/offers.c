/* offers.c - the offers of others, and when ours is told. */
#include "service/offers.h"

#include <stdlib.h>
#include <string.h>

#include <omerta/member.h>

#include "host/clock.h"
#include "service/offer_here.h"

enum { US_PER_MS = 1000, MS_PER_S = 1000, LOOK_MS = 1000 /* at folders and machines */ };

/* What one network was told last. */
struct told {
    uint8_t bytes[OM_VM_OFFER_MAX];
    size_t n; /* 0: nothing yet */
    bool is_on;
    enum om_vm_offer_engine engine;
    om_time at;
};

struct offers {
    struct om_daemon *d;
    struct offer_rows rows;
    uint64_t dropped;
    uv_timer_t timer;
    om_time due; /* of the timer; OM_NEVER */
    om_time looked_at;
    struct told told[OM_NETWORKS_MAX];
};

void offers_item(struct offers *o, const struct om_act_item *item)
{
    const struct daemon_network *net = o ? daemon_network(o->d, &item->network) : NULL;
    int64_t left = (int64_t)item->expires - om_clock_wall().unix_ms / MS_PER_S;
    struct om_vm_offer offer;

    if (!net || strcmp(item->channel, OM_VM_OFFER_CHANNEL) != 0 ||
        om_id_equal(&item->peer, &net->self))
        return;
    if (om_vm_offer_decode(&offer, item->value) != OM_OK) {
        o->dropped++;
        return;
    }
    struct offer_row *row = offer_rows_find(&o->rows, &item->network, &item->peer);
    if (!offer.is_on || left <= 0) {
        if (row)
            offer_rows_drop(&o->rows, row);
        return;
    }
    row = offer_rows_take(&o->rows, &item->network, &item->peer);
    if (!row)
        return;
    row->offer = offer;
    row->heard_at = om_clock_now();
    row->until = row->heard_at + OM_SEC(left < OFFERS_LIFE_S ? left : OFFERS_LIFE_S);
}

unsigned offers_collect(struct offers *o, const struct om_id *network,
                        const struct offer_row *out[static OFFERS_MAX])
{
    om_time now = om_clock_now();
    unsigned n = 0;

    for (struct offer_row *row = offer_rows_first(&o->rows), *next; row; row = next) {
        next = offer_rows_next(&o->rows, row);
        if (row->until <= now)
            offer_rows_drop(&o->rows, row);
        else if (om_id_equal(&row->network, network) &&
                 om_node_may(daemon_node(o->d), network, &row->provider, OM_ROLE_PROVIDER))
            out[n++] = row; /* whose role may have been heard of after the offer */
    }
    return n;
}

struct om_vm_candidate offers_candidate(const struct offers *o, const struct offer_row *row)
{
    struct om_peer_info p = {.srtt = 0};

    (void)!om_node_peer_info(daemon_node(o->d), om_clock_now(), &row->network, &row->provider, &p);
    return (struct om_vm_candidate){.id = row->provider,
                                    .offer = &row->offer,
                                    .rtt = p.srtt > 0 ? p.srtt : OM_NEVER,
                                    .fails = row->fails};
}

void offers_outcome(struct offers *o, const struct om_id *network, const struct om_id *provider,
                    bool is_granted)
{
    struct offer_row *row = offer_rows_find(&o->rows, network, provider);

    if (row)
        row->fails = is_granted                            ? 0
                     : row->fails < OM_VM_CHOOSE_FAILS_MAX ? row->fails + 1
                                                           : row->fails;
}

uint64_t offers_dropped(const struct offers *o)
{
    return o->dropped;
}

/* When network @i of @o is due to hear @n bytes, that say @offer. */
static om_time due_at(const struct told *t, const uint8_t *bytes, size_t n,
                      const struct om_vm_offer *offer)
{
    bool is_news = n != t->n || memcmp(bytes, t->bytes, n) != 0;

    if (!t->is_on && !offer->is_on)
        return OM_NEVER;
    if (t->n == 0)
        return 0;
    if (offer->is_on != t->is_on || offer->engine != t->engine)
        return t->at + OM_SEC(OFFERS_SOONEST_S);
    return t->at + (is_news ? OM_SEC(OFFERS_APART_S) : OM_SEC(OFFERS_AGAIN_S));
}

/* Tells network @i if it is due; returns when it will be. */
static om_time tell(struct offers *o, unsigned i, om_time now)
{
    const struct daemon_network *net = &o->d->networks[i];
    struct told *t = &o->told[i];
    uint8_t bytes[OM_VM_OFFER_MAX];
    struct om_vm_offer offer;

    offer_here(o->d->vms, net, &offer);
    size_t n = om_vm_offer_encode(bytes, &offer);
    om_time at = due_at(t, bytes, n, &offer);
    if (at > now)
        return at;
    enum om_err e = om_node_publish(daemon_node(o->d), now, &net->id, OM_VM_OFFER_CHANNEL,
                                    om_bytes(bytes, n), OFFERS_LIFE_S);
    if (e != OM_OK && e != OM_E_NO_MEM) /* a network without gossip hears nothing */
        return OM_NEVER;
    t->at = now;
    if (e == OM_OK) {
        memcpy(t->bytes, bytes, n);
        t->n = n;
        t->is_on = offer.is_on;
        t->engine = offer.engine;
    }
    return now + OM_SEC(e == OM_OK ? OFFERS_AGAIN_S : OFFERS_SOONEST_S);
}

static void on_timer(uv_timer_t *timer);

static void arm(struct offers *o, om_time at)
{
    om_time now = om_clock_now();

    o->due = at;
    if (at == OM_NEVER)
        (void)uv_timer_stop(&o->timer);
    else
        (void)uv_timer_start(&o->timer, on_timer,
                             at <= now ? 0 : (uint64_t)((at - now + US_PER_MS - 1) / US_PER_MS), 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct offers *o = timer->data;
    om_time now = om_clock_now(), at = OM_NEVER;

    o->looked_at = now;
    for (unsigned i = 0; i < o->d->network_count; i++)
        at = om_time_min(at, tell(o, i, now));
    arm(o, at);
    om_pump_kick(o->d->pump);
}

void offers_touch(struct offers *o)
{
    om_time soon;

    if (!o)
        return;
    soon = o->looked_at + OM_MS(LOOK_MS); /* what is due is done in the next round of the loop */
    if (soon < o->due)
        arm(o, soon);
}

static void subscribe(struct om_daemon *d)
{
    for (unsigned i = 0; i < d->network_count; i++) /* one without gossip has no offers */
        (void)!om_node_subscribe(daemon_node(d), &d->networks[i].id, OM_VM_OFFER_CHANNEL);
}

void offers_networks(struct offers *o)
{
    if (!o)
        return;
    memset(o->told, 0, sizeof o->told); /* they may have changed their places */
    subscribe(o->d);
    offers_touch(o);
}

bool offers_open(struct offers **out, struct om_daemon *d, struct om_error *err)
{
    struct offers *o = calloc(1, sizeof *o);

    if (!o || uv_timer_init(&d->loop, &o->timer) < 0) {
        free(o);
        return om_fail(err, OM_E_NO_MEM, "no memory for offers") == OM_OK;
    }
    o->d = d;
    o->due = OM_NEVER;
    o->timer.data = o;
    offer_rows_init(&o->rows);
    subscribe(d);
    *out = o;
    return true;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void offers_close(struct offers *o)
{
    if (!o)
        return;
    offer_rows_fini(&o->rows);
    uv_close((uv_handle_t *)&o->timer, on_closed);
}
