/* node_select.c - a session with two relays of each network, before they are needed. */
#include <stdlib.h>

#include "node/lane.h"
#include "node/member.h"
#include "node/why.h"
#include "peer/record.h"
#include "relay/relay_select.h"

enum {
    LOOK_S = 5, /* between looks at those that are wanted */
    FLOW_S = 1  /* who speaks for so long without a pause has data */
};

struct node_select {
    struct om_node *node;
    struct om_network *net;
    struct om_relay_select choice;
    struct om_timer timer;
};

/* What the sessions say of the relays that are known. */
static void look(struct node_select *s, om_time now)
{
    struct om_node *n = s->node;

    for (unsigned i = 0; i < s->choice.count; i++) {
        const struct om_relay_choice *c = &s->choice.known[i];
        struct om_peer *p = om_peers_find(&n->peers, s->net, &c->id);
        bool is_here = p && node_lane_session(n, p);

        if (is_here) {
            om_relay_select_up(&s->choice, now, &c->id);
            if (p->assoc->rtt.smoothed > 0)
                om_relay_select_rtt(&s->choice, &c->id, p->assoc->rtt.smoothed);
        } else if (c->use != OM_RELAY_SPARE && p && om_peer_via(p) && om_peer_via(p)->lane != 0) {
            node_need_session(n, now, p); /* no lane may lead over it: it is to be met directly */
        } else if (c->use == OM_RELAY_WARM) {
            om_relay_select_down(&s->choice, now, &c->id);
        }
    }
}

/* Those in use stay known as such until well after the next look. */
static void keep_open(struct node_select *s, om_time now)
{
    struct om_node *n = s->node;

    for (unsigned i = 0; i < s->choice.count; i++) {
        const struct om_relay_choice *c = &s->choice.known[i];
        struct om_peer *p = om_peers_find(&n->peers, s->net, &c->id);
        if (!p || c->use != OM_RELAY_WARM)
            continue;
        p->warm_until = now + OM_SEC(2 * LOOK_S);
        node_rearm(n, now, p);
    }
}

/* A pair that met while there was one relay has one lane. */
static void spare(struct node_select *s, om_time now)
{
    void *value;

    for (size_t at = 0; om_table_next(&s->node->peers.table, &at, NULL, &value);) {
        struct om_peer *p = value;
        bool flows =
            p->flow_last - p->flow_began >= OM_SEC(FLOW_S) && now - p->flow_last < OM_SEC(LOOK_S);
        if (p->net == s->net && p->assoc && (flows || !om_list_is_empty(&p->calls)))
            node_lane_spare(s->node, now, p);
    }
}

static void fire(struct om_timer *t, om_time now)
{
    struct node_select *s = OM_CONTAINER_OF(t, struct node_select, timer);
    struct om_node *n = s->node;
    enum om_relay_select_act act;
    struct om_announce says;
    struct om_id id;

    look(s, now);
    while (om_relay_select_next(&s->choice, now, &act, &id)) {
        bool is_known = om_node_record(n, &s->net->id, &id, &says, NULL) == OM_OK;
        if (act == OM_RELAY_RELEASE || !is_known)
            continue; /* a session that nobody uses ends by itself */
        if (om_node_connect(n, now, &s->net->id, &id, says.ends, says.end_count) != OM_OK)
            om_relay_select_down(&s->choice, now, &id);
    }
    keep_open(s, now);
    spare(s, now);
    if (s->choice.count > 0 && om_timer_arm(&n->timers, t, now + OM_SEC(LOOK_S)) != OM_OK)
        node_drop(n, OM_DROP_MEMORY);
}

static struct node_select *select_of(struct om_node *n, struct om_network *net, bool make)
{
    unsigned i = 0;

    while (i < n->network_count && n->networks[i] != net)
        i++;
    if (i == n->network_count || n->selects[i] || !make)
        return i < n->network_count ? n->selects[i] : NULL;
    struct node_select *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->node = n;
    s->net = net;
    s->timer.fire = fire;
    om_relay_select_init(&s->choice, n->now);
    n->selects[i] = s;
    return s;
}

void node_select_record(struct om_node *n, struct om_network *net, struct om_bytes record)
{
    struct om_record r;

    if (om_record_decode(&r, record) != OM_OK || om_id_equal(&r.id, &net->self.id))
        return;
    bool relays = (r.flags & OM_RECORD_RELAY) != 0 && r.end_count > 0 &&
                  node_member_may(n, net, &r.id, OM_ROLE_RELAY);
    struct node_select *s = select_of(n, net, relays);
    if (!s)
        return;
    if (!relays) {
        om_relay_select_gone(&s->choice, &r.id);
        return;
    }
    om_relay_select_offer(&s->choice, n->now, &r.id, &r.ends[0].addr);
    if (!om_timer_is_armed(&s->timer) && om_timer_arm(&n->timers, &s->timer, n->now + 1) != OM_OK)
        node_drop(n, OM_DROP_MEMORY);
}

/* The choice in @net, or NULL. */
static struct om_relay_select *choice_of(const struct om_node *n, const struct om_network *net)
{
    for (unsigned i = 0; i < n->network_count; i++)
        if (n->networks[i] == net)
            return n->selects[i] ? &n->selects[i]->choice : NULL;
    return NULL;
}

void node_select_refused(struct om_node *n, om_time now, const struct om_peer *relay)
{
    struct om_relay_select *choice = choice_of(n, relay->net);

    if (choice)
        om_relay_select_refused(choice, now, &relay->id);
}

om_time node_select_score(const struct om_node *n, om_time now, const struct om_peer *relay,
                          bool *is_busy)
{
    const struct om_relay_select *choice = choice_of(n, relay->net);
    om_time rtt = relay->assoc->rtt.smoothed;

    *is_busy = choice && om_relay_select_is_busy(choice, now, &relay->id);
    return choice ? om_relay_select_score(choice, now, &relay->id, rtt) : rtt;
}

void node_select_leave(struct om_node *n, unsigned i)
{
    if (!n->selects[i])
        return;
    om_timer_stop(&n->timers, &n->selects[i]->timer);
    free(n->selects[i]);
    n->selects[i] = NULL;
}

void node_select_stop(struct om_node *n)
{
    for (unsigned i = 0; i < n->network_count; i++)
        node_select_leave(n, i);
}

unsigned node_select_relays(const struct om_node *n, const struct om_network *net,
                            struct om_netcheck_relay *out, unsigned max)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n->network_count; i++) {
        const struct node_select *s = n->networks[i] == net ? n->selects[i] : NULL;
        for (unsigned k = 0; s && k < s->choice.count && count < max; k++) {
            const struct om_relay_choice *c = &s->choice.known[k];
            out[count++] = (struct om_netcheck_relay){.id = c->id,
                                                      .addr = c->addr,
                                                      .is_warm = c->use == OM_RELAY_WARM,
                                                      .rtt = c->has_rtt ? c->rtt : 0};
        }
    }
    return count;
}
