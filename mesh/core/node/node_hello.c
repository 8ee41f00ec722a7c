/* node_hello.c - announcing ourselves on a LAN, and meeting who does. */
#include <stdlib.h>
#include <string.h>

#include <omerta/hello.h>

#include "gossip/hello.h"
#include "node/why.h"

/* Hellos of one network; made when first announced. */
struct node_hello {
    struct om_node *node;
    struct om_network *net;
    struct om_addr addrs[OM_HELLO_ADDRS_MAX];
    unsigned count; /* 0: off */
    struct om_hello_pace pace;
    struct om_hello_ear ear;
    struct om_timer timer;
};

static bool says_family(const struct node_hello *h, bool v6)
{
    for (unsigned i = 0; i < h->count; i++)
        if (om_addr_is_v4(&h->addrs[i]) != v6)
            return true;
    return false;
}

static void send(struct node_hello *h, om_time now)
{
    struct om_node *n = h->node;
    struct om_hello says = {.time_ms = node_stamp(n, now), .count = h->count};
    uint8_t body[OM_HELLO_BODY_MAX];

    memcpy(says.addrs, h->addrs, sizeof says.addrs);
    size_t len = om_hello_encode(&says, &h->net->self, &h->net->id, body);
    const struct om_handshake_fields f = {
        .kind = OM_HANDSHAKE_HELLO,
        .coarse = (uint32_t)(node_unix_ms(n, now) / 1000),
        .body = om_bytes(body, len),
        .size_max = OM_HANDSHAKE_MAX,
    };
    for (int v6 = 0; v6 < 2; v6++) {
        const struct om_via via = {.remote = om_hello_group(h->net->current, v6)};
        if (says_family(h, v6) &&
            node_emit_handshake(n, h->net->current, &f, om_bytes(NULL, 0), &via, NULL))
            n->counts.hellos_out++;
    }
}

/* What is due, and the timer for what comes next. */
static void pace(struct node_hello *h, om_time now)
{
    if (om_hello_pace_due(&h->pace, now))
        send(h, now);
    if (h->pace.next == OM_NEVER)
        om_timer_stop(&h->node->timers, &h->timer);
    else if (om_timer_arm(&h->node->timers, &h->timer, h->pace.next) != OM_OK)
        node_drop(h->node, OM_DROP_MEMORY);
}

static void fire(struct om_timer *t, om_time now)
{
    pace(OM_CONTAINER_OF(t, struct node_hello, timer), now);
}

/* The place of @network among ours; network_count when it is none. */
static unsigned find(const struct om_node *n, const struct om_id *network)
{
    unsigned i = 0;

    while (i < n->network_count && !om_id_equal(&n->networks[i]->id, network))
        i++;
    return i;
}

static struct node_hello *make(struct om_node *n, unsigned i)
{
    struct node_hello *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    if (om_hello_ear_init(&h->ear, n->sip_key) != OM_OK) {
        free(h);
        return NULL;
    }
    h->node = n;
    h->net = n->networks[i];
    h->timer.fire = fire;
    h->timer.at = OM_NEVER;
    om_hello_pace_stop(&h->pace);
    n->hellos[i] = h;
    return h;
}

static bool is_a_senders(const struct om_addr *a)
{
    enum om_addr_class c = om_addr_classify(a);

    return a->port != 0 && c != OM_ADDR_UNSPECIFIED && c != OM_ADDR_MULTICAST;
}

enum om_err om_node_hello(struct om_node *n, om_time now, const struct om_id *network,
                          const struct om_addr *addrs, unsigned count)
{
    unsigned at = find(n, network);

    if (at == n->network_count)
        return OM_E_MISSING;
    if (count > OM_HELLO_ADDRS_MAX)
        return OM_E_RANGE;
    for (unsigned i = 0; i < count; i++)
        if (!is_a_senders(&addrs[i]))
            return OM_E_RANGE;
    struct node_hello *h = n->hellos[at];
    if (!h && count > 0)
        h = make(n, at);
    if (!h)
        return count > 0 ? OM_E_NO_MEM : OM_OK;
    h->count = count;
    if (count > 0) {
        memcpy(h->addrs, addrs, count * sizeof *addrs);
        om_hello_pace_start(&h->pace, now);
    } else {
        om_hello_pace_stop(&h->pace);
    }
    pace(h, now);
    return OM_OK;
}

unsigned om_node_hello_groups(const struct om_node *n, om_time now, const struct om_id *network,
                              struct om_addr out[static OM_HELLO_GROUPS_MAX])
{
    const struct om_network *net = node_network(n, network);
    unsigned count = 0;

    if (!net)
        return 0;
    out[count++] = om_hello_group(net->current, false);
    out[count++] = om_hello_group(net->current, true);
    if (net->previous && !om_epoch_is_behind(net->previous, now)) {
        out[count++] = om_hello_group(net->previous, false);
        out[count++] = om_hello_group(net->previous, true);
    }
    return count;
}

void node_hello_again(struct om_node *n, const struct om_network *net)
{
    struct node_hello *h = n->hellos[find(n, &net->id)];

    if (!h || h->count == 0)
        return;
    om_hello_pace_start(&h->pace, n->now); /* they meet elsewhere now */
    pace(h, n->now);
}

void node_hello_leave(struct om_node *n, unsigned i)
{
    struct node_hello *h = n->hellos[i];

    if (!h)
        return;
    om_timer_stop(&n->timers, &h->timer);
    om_hello_ear_fini(&h->ear);
    free(h);
    n->hellos[i] = NULL;
}

void node_hello_stop(struct om_node *n)
{
    for (unsigned i = 0; i < n->network_count; i++)
        node_hello_leave(n, i);
}

/* @addr becomes the first of the endpoints of @p, at the cost of the last when there is no room. */
static void prefer(struct om_peer *p, const struct om_addr *addr)
{
    unsigned i = 0;

    while (i < p->end_count && !om_addr_equal(&p->ends[i], addr))
        i++;
    if (i == p->end_count && p->end_count < OM_ENDPOINTS_MAX)
        p->end_count++;
    if (i == OM_ENDPOINTS_MAX)
        i--;
    memmove(&p->ends[1], &p->ends[0], i * sizeof p->ends[0]);
    p->ends[0] = *addr;
}

/* A member is near: hold a session with it. Unlike om_node_connect() this gives up after the
 * quick tries: who is still there says so again within a minute. */
static void meet(struct node_hello *h, om_time now, const struct om_id *id,
                 const struct om_addr *source)
{
    struct om_node *n = h->node;
    struct om_peer *p = om_peers_find(&n->peers, h->net, id);

    if (p && om_peer_session(p, now))
        return;
    if (!om_hello_may_act(&h->ear, &n->hello_budget, now, id)) {
        node_drop(n, OM_DROP_HELLO_RATE);
        return;
    }
    enum om_err e = node_add_peer(n, h->net, id, &p);
    if (e != OM_OK) {
        node_drop(n, e == OM_E_RANGE  ? OM_DROP_HELLO_FORM
                     : e == OM_E_FULL ? OM_DROP_PEERS_FULL
                                      : OM_DROP_MEMORY);
        return;
    }
    prefer(p, source);
    (void)om_reach_exempt(&n->reach, now, source, id, now + OM_SEC(OM_REACH_EXEMPT_S));
    if (p->handshake && p->handshake->attempt > OM_HANDSHAKE_QUICK)
        node_end_handshake(n, p); /* do not wait out the minute */
    n->counts.hello_starts++;
    node_need_session(n, now, p);
    node_rearm(n, now, p);
}

static void judged(struct om_node *n, enum om_hello_verdict v)
{
    static const enum om_drop why[] = {
        [OM_HELLO_FORM] = OM_DROP_HELLO_FORM,     [OM_HELLO_OWN] = OM_DROP_HELLO_OWN,
        [OM_HELLO_SOURCE] = OM_DROP_HELLO_SOURCE, [OM_HELLO_OLD] = OM_DROP_HELLO_OLD,
        [OM_HELLO_FORGED] = OM_DROP_HELLO_FORGED, [OM_HELLO_RATE] = OM_DROP_HELLO_RATE,
        [OM_HELLO_NO_MEM] = OM_DROP_MEMORY,
    };

    node_drop(n, why[v]);
}

void node_on_hello(struct om_node *n, om_time now, const struct om_dgram *d,
                   const struct om_epoch *epoch, const struct om_handshake_plain *plain)
{
    const struct om_network *net = epoch->network;
    struct node_hello *h = n->hellos[find(n, &net->id)];
    const struct om_hello_heard in = {plain->body, d->via.remote, &net->self.id, &net->id};
    struct om_hello says;

    if (!d->is_multicast && d->via.lane == 0 && node_hairpin_heard(n, plain->body))
        return;
    n->counts.hellos_in++;
    if (!d->is_multicast || d->via.lane != 0) {
        node_drop(n, OM_DROP_HELLO_LINK);
        return;
    }
    if (!h || h->count == 0) {
        node_drop(n, OM_DROP_HELLO_OFF);
        return;
    }
    enum om_hello_verdict v = OM_HELLO_FORM;
    if (plain->sender == 0 && plain->receiver == 0)
        v = om_hello_judge(&h->ear, &n->hello_budget, now, &in, &says);
    if (v == OM_HELLO_GOOD)
        meet(h, now, &says.id, &in.source);
    else
        judged(n, v);
}
