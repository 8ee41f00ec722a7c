/* dns_names.c - peers by name, by key and by overlay address. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <omerta/overlay.h>

#include "host/clock.h"
#include "names.h"
#include "netstack/dns/zone.h"
#include "tunnels/dns.h"

#define TXT "id="

struct dns_named {
    struct om_id network, peer;
    struct om_addr addrs[2]; /* IPv6, and by its certificate IPv4 */
    unsigned n_addrs;
    const char *network_name; /* of the daemon; "" when two have it */
    char name[NAMES_TEXT], id[OM_ID_TEXT], txt[sizeof TXT - 1 + OM_ID_TEXT];
};

static int by_name(const void *a, const void *b)
{
    const struct dns_named *x = a, *y = b;
    int d = om_id_cmp(&x->network, &y->network);

    if (d == 0)
        d = strcasecmp(x->name, y->name);
    return d != 0 ? d : om_id_cmp(&x->peer, &y->peer);
}

static bool is_same(const struct dns_named *a, const struct dns_named *b)
{
    return om_id_equal(&a->network, &b->network) && strcasecmp(a->name, b->name) == 0;
}

static struct om_zone_host host_of(const struct dns_named *p, const char *label)
{
    return (struct om_zone_host){.peer = label,
                                 .network = p->network_name,
                                 .addrs = p->addrs,
                                 .n_addrs = p->n_addrs,
                                 .txt = p->txt};
}

/* Peers call themselves what they like: a name that two of the sorted @list have is nobody's. */
static unsigned add_names(struct om_zone_host *out, const struct dns_named *list, unsigned n)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++) {
        const struct dns_named *p = &list[i];
        if (*p->network_name && *p->name && !strchr(p->name, '.') &&
            (i == 0 || !is_same(p, p - 1)) && (i + 1 == n || !is_same(p, p + 1)))
            out[count++] = host_of(p, p->name);
    }
    return count;
}

static unsigned add_keys(struct om_zone_host *out, const struct dns_named *list, unsigned n)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        if (*list[i].network_name) {
            out[count] = host_of(&list[i], list[i].id);
            out[count++].is_id = true;
        }
    return count;
}

/* Two networks of one name have no names at all. */
static bool has_name(const struct om_daemon *d, const struct daemon_network *net)
{
    for (unsigned i = 0; i < d->network_count; i++)
        if (&d->networks[i] != net && strcasecmp(d->networks[i].name, net->name) == 0)
            return false;
    return true;
}

static void fill(struct dns_named *out, const struct names *names, const struct daemon_network *net,
                 const struct om_id *peer)
{
    const struct om_daemon *d = names->d;
    struct om_member m;

    *out = (struct dns_named){
        .network = net->id, .peer = *peer, .network_name = has_name(d, net) ? net->name : ""};
    om_overlay_v6(&out->addrs[0], &net->id, peer);
    out->n_addrs = 1;
    if (net->is_closed && om_node_member(daemon_node(d), &net->id, peer, &m) == OM_OK && m.overlay)
        out->addrs[out->n_addrs++] = om_addr_v4(m.overlay, 0);
    (void)om_id_print(peer, out->id);
    (void)snprintf(out->txt, sizeof out->txt, TXT "%s", out->id);
    if (om_id_equal(peer, &net->self) && !net->is_closed)
        (void)names_own(d, net, out->name);
    else
        (void)names_find(names, peer, out->name);
}

struct v4 {
    struct om_addr addr;
    struct dns_named *of;
};

static int by_v4(const void *a, const void *b)
{
    const struct v4 *x = a, *y = b;

    return memcmp(x->addr.ip, y->addr.ip, sizeof x->addr.ip);
}

/* An IPv4 address that two have, by certificates of admins who did not know of each other or in two
 * networks, is nobody's; without memory none is anybody's. */
static void part_v4(struct dns_named *list, unsigned n)
{
    struct v4 *all = calloc(n + 1U, sizeof *all);
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++) {
        if (list[i].n_addrs > 1 && all)
            all[count++] = (struct v4){list[i].addrs[1], &list[i]};
        if (!all)
            list[i].n_addrs = 1;
    }
    if (count > 0)
        qsort(all, count, sizeof *all, by_v4);
    for (unsigned i = 1; i < count; i++)
        if (by_v4(&all[i - 1], &all[i]) == 0)
            all[i - 1].of->n_addrs = all[i].of->n_addrs = 1;
    free(all);
}

/* No more than @room of them. */
static unsigned collect(struct dns_named *out, unsigned room, const struct om_daemon *d)
{
    unsigned n = 0;

    for (unsigned i = 0; i < d->network_count; i++) {
        const struct daemon_network *net = &d->networks[i];
        struct names names;
        struct om_id *ids;
        unsigned count = daemon_peers(d, &net->id, &ids);
        names_load(&names, d, net);
        if (n < room)
            fill(&out[n++], &names, net, &net->self);
        for (unsigned k = 0; k < count && n < room; k++)
            if (!om_id_equal(&ids[k], &net->self))
                fill(&out[n++], &names, net, &ids[k]);
        names_free(&names);
        free(ids);
    }
    return n;
}

static unsigned count_all(const struct om_daemon *d)
{
    unsigned n = d->network_count;

    for (unsigned i = 0; i < d->network_count; i++)
        n += om_node_peers(daemon_node(d), &d->networks[i].id, NULL, 0);
    return n < DNS_PEERS_MAX ? n : DNS_PEERS_MAX;
}

struct dns_names {
    struct dns_named *list;     /* owned */
    struct om_zone_host *hosts; /* owned; they point into the list */
    struct om_zone zone;
    unsigned count;
    om_time at;
};

static void free_names(struct dns_names *n)
{
    if (!n)
        return;
    free(n->list);
    free(n->hosts);
    free(n);
}

static struct dns_names *build(const struct om_daemon *d)
{
    struct dns_names *n = calloc(1, sizeof *n);
    unsigned room = count_all(d);

    if (!n)
        return NULL;
    n->list = calloc(room + 1, sizeof *n->list);
    n->hosts = calloc(2 * (size_t)room + 1, sizeof *n->hosts);
    if (!n->list || !n->hosts) {
        free_names(n);
        return NULL;
    }
    n->at = om_clock_now();
    n->count = collect(n->list, room, d);
    part_v4(n->list, n->count);
    qsort(n->list, n->count, sizeof *n->list, by_name);
    unsigned names = add_names(n->hosts, n->list, n->count);
    n->zone.hosts = n->hosts;
    n->zone.n = names + add_keys(n->hosts + names, n->list, n->count);
    n->zone.only = d->network_count == 1 ? d->networks[0].name : NULL;
    return n;
}

/* The names, old ones without memory; NULL: not even those. */
static const struct dns_names *zone_of(struct tunnels *t)
{
    struct dns_names *old = t->dns->names;

    if (old && om_clock_now() - old->at < OM_MS(DNS_NAMES_MS))
        return old;
    struct dns_names *fresh = build(t->d);
    if (!fresh)
        return old;
    free_names(old);
    t->dns->names = fresh;
    return fresh;
}

void tunnel_names_fini(struct tunnels *t)
{
    free_names(t->dns->names);
    t->dns->names = NULL;
}

const struct om_zone *tunnel_names_zone(struct tunnels *t)
{
    const struct dns_names *n = zone_of(t);

    return n ? &n->zone : NULL;
}

static bool has_addr(const struct dns_named *p, const struct om_addr *a)
{
    for (unsigned i = 0; i < p->n_addrs; i++)
        if (memcmp(p->addrs[i].ip, a->ip, sizeof a->ip) == 0)
            return true;
    return false;
}

bool tunnel_names_is_ours(struct tunnels *t, const struct om_addr *a)
{
    bool may_be = om_addr_is_v4(a) && om_addr_classify(a) == OM_ADDR_SHARED; /* 100.64.0.0/10 */
    const struct dns_names *names = may_be ? zone_of(t) : NULL;

    for (unsigned i = 0; names && i < names->count; i++)
        if (has_addr(&names->list[i], a))
            return true;
    for (unsigned i = 0; i < t->d->network_count && !om_addr_is_v4(a); i++) {
        struct om_addr own;
        om_overlay_v6(&own, &t->d->networks[i].id, &t->d->networks[i].self);
        if (memcmp(own.ip, a->ip, 8) == 0)
            return true;
    }
    return false;
}

bool tunnel_names_at(struct tunnels *t, const struct om_addr *a, struct om_id *network,
                     struct om_id *peer)
{
    const struct dns_names *names = zone_of(t);

    for (unsigned i = 0; names && i < names->count; i++) {
        const struct dns_named *p = &names->list[i];
        const struct daemon_network *net = daemon_network(t->d, &p->network);
        if (!has_addr(p, a) || !net || om_id_equal(&p->peer, &net->self))
            continue;
        *network = p->network;
        *peer = p->peer;
        return true;
    }
    return false;
}
