/* node_netcheck.c - is UDP answered at all, what are our NATs, which relays are near. */
#include "node/study.h"
#include "node/why.h"

#include <stdlib.h>

static unsigned family_of(const struct om_addr *a)
{
    return om_addr_is_v4(a) ? 0 : 1;
}

/* When a far address of @family was last heard; OM_NEVER: never since then on this network. */
static om_time heard_at(const struct om_node *n, unsigned family)
{
    om_time newest = OM_NEVER;
    void *value;

    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        const struct om_paths *ps = ((const struct om_peer *)value)->paths;
        for (unsigned i = 0; ps && i < ps->count; i++) {
            const struct om_path *p = &ps->all[i];
            bool counts = p->via.lane == 0 && p->heard != OM_NEVER && p->heard >= n->where.since &&
                          family_of(&p->via.remote) == family &&
                          !node_where_is_near(n, &p->via.remote);
            if (counts && (newest == OM_NEVER || p->heard > newest))
                newest = p->heard;
        }
    }
    return newest;
}

static void tell_udp(struct om_node *n, om_time now, unsigned family, bool is_blocked)
{
    n->where.udp[family].is_blocked = is_blocked;
    node_event(n, now,
               &(struct om_event){
                   .kind = OM_EVENT_UDP_BLOCKED, .a = is_blocked, .b = family == 0 ? 4 : 6});
}

void node_udp_asked(struct om_node *n, om_time now, const struct om_addr *to)
{
    unsigned family = family_of(to);
    struct node_udp *u = &n->where.udp[family];

    if (node_where_is_near(n, to))
        return;
    if (u->asked++ == 0)
        u->since = now;
    if (u->asked < OM_BLOCKED_ASKS || now - u->since < OM_SEC(OM_BLOCKED_S))
        return;
    om_time heard = heard_at(n, family);
    if (heard != OM_NEVER && heard >= u->since) { /* only who was asked does not answer */
        u->asked = 1;
        u->since = now;
    } else if (!u->is_blocked) {
        tell_udp(n, now, family, true);
    }
}

void node_udp_heard(struct om_node *n, om_time now, const struct om_addr *from)
{
    unsigned family = family_of(from);

    if (node_where_is_near(n, from))
        return;
    n->where.udp[family].asked = 0;
    if (n->where.udp[family].is_blocked)
        tell_udp(n, now, family, false);
}

bool node_udp_works(const struct om_node *n)
{
    for (unsigned f = 0; f < OM_ARRAY_SIZE(n->where.udp); f++)
        if (!n->where.udp[f].is_blocked && heard_at(n, f) != OM_NEVER)
            return true;
    return false;
}

void node_why_moved(struct om_node *n)
{
    node_hairpin_stop(n);
    node_filter_stop(n);
    memset(n->where.udp, 0, sizeof n->where.udp);
    memset(n->where.class_told, 0, sizeof n->where.class_told);
}

void node_why_nat(struct om_node *n, om_time now)
{
    for (unsigned f = 0; f < OM_ARRAY_SIZE(n->where.nats); f++) {
        const struct om_nat *nat = &n->where.nats[f];
        enum om_nat_class class = nat->fit.is_believed ? nat->fit.class : OM_NAT_UNKNOWN;
        if (class == OM_NAT_UNKNOWN || class == n->where.class_told[f])
            continue;
        n->where.class_told[f] = class;
        struct om_event e = {.kind = OM_EVENT_NAT_KIND, .a = class, .b = f == 0 ? 4 : 6};
        if (nat->count > 0)
            e.addr = nat->samples[nat->count - 1].seen;
        node_event(n, now, &e);
    }
    node_hairpin_look(n, now);
    node_filter_look(n, now);
}

static const char *reuse_name(enum om_nat_reuse r)
{
    static const char *const names[] = {[OM_NAT_REUSE_UNKNOWN] = "unknown",
                                        [OM_NAT_REUSED] = "shared",
                                        [OM_NAT_EXCLUSIVE] = "exclusive"};

    return names[r];
}

static const char *filter_name(enum om_nat_filter f)
{
    static const char *const names[] = {[OM_FILTER_UNKNOWN] = "unknown",
                                        [OM_FILTER_NONE] = "anybody",
                                        [OM_FILTER_ADDRESS] = "address",
                                        [OM_FILTER_PORT] = "port"};

    return names[f];
}

static const char *hairpin_name(enum om_nat_hairpin h)
{
    static const char *const names[] = {
        [OM_HAIRPIN_UNKNOWN] = "unknown", [OM_HAIRPIN_YES] = "yes", [OM_HAIRPIN_NO] = "no"};

    return names[h];
}

static void add_seen(struct om_netcheck_family *out, const struct om_addr *a)
{
    for (unsigned i = 0; i < out->seen_count; i++)
        if (om_addr_equal(&out->seen[i], a))
            return;
    if (out->seen_count < OM_NETCHECK_SEEN_MAX)
        out->seen[out->seen_count++] = *a;
}

static void copy_family(struct om_netcheck_family *out, struct om_node *n, om_time now, unsigned f)
{
    struct om_nat *nat = &n->where.nats[f];
    const struct om_nat_fit *fit = om_nat_judge(nat, now);
    const struct node_udp *u = &n->where.udp[f];
    bool is_range = fit->class == OM_NAT_BLOCK || fit->class == OM_NAT_RANDOM;

    *out = (struct om_netcheck_family){
        .is_heard = heard_at(n, f) != OM_NEVER,
        .is_blocked = u->is_blocked,
        .asked = u->asked,
        .asked_since = u->asked ? u->since : OM_NEVER,
        .samples = nat->count,
        .witnesses = fit->witnesses,
        .is_believed = fit->is_believed,
        .is_strict = fit->is_believed && (fit->class == OM_NAT_STRIDE || is_range),
        .kind = om_nat_class_name(fit->class),
        .reuse = reuse_name(fit->reuse),
        .filter = filter_name(om_nat_filter(nat)),
        .hairpin = hairpin_name(nat->hairpin),
        .first_port = is_range ? fit->first_port : 0,
        .last_port = is_range ? fit->last_port : 0,
        .stride = fit->class == OM_NAT_STRIDE ? fit->stride : 0,
        .life_alive = nat->life.alive,
        .life_dead = nat->life.dead,
    };
    for (unsigned i = nat->count; i-- > 0;)
        if (!om_nat_is_nameless(&nat->samples[i].local)) /* else of a socket that was for a trial */
            add_seen(out, &nat->samples[i].seen);
}

/* Warm ones first, then by what was measured. */
static int compare(const void *a, const void *b)
{
    const struct om_netcheck_relay *x = a, *y = b;
    om_time at_x = x->rtt ? x->rtt : OM_NEVER, at_y = y->rtt ? y->rtt : OM_NEVER;

    if (x->is_warm != y->is_warm)
        return x->is_warm ? -1 : 1;
    if (at_x != at_y)
        return at_x < at_y ? -1 : 1;
    return om_id_cmp(&x->id, &y->id);
}

void om_node_netcheck(struct om_node *n, om_time now, const struct om_id *network,
                      struct om_netcheck *out)
{
    const struct om_network *net = node_network(n, network);

    *out = (struct om_netcheck){.relay_count = 0};
    for (unsigned f = 0; f < OM_ARRAY_SIZE(out->families); f++)
        copy_family(&out->families[f], n, now, f);
    if (net)
        out->relay_count = node_select_relays(n, net, out->relays, OM_NETCHECK_RELAYS_MAX);
    qsort(out->relays, out->relay_count, sizeof out->relays[0], compare);
}
