/* check.c - facts, and the members of the info structs by name. */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <omerta/rotate.h>
#include <omerta/text.h>

#include "request.h"
#include "router.h"
#include "watch.h"

#define U64(s, m)                                                                                  \
    {                                                                                              \
#m, offsetof(struct s, m), SIM_FIELD_U64                                                   \
    }
#define COUNT(s, m)                                                                                \
    {                                                                                              \
#m, offsetof(struct s, m), SIM_FIELD_UNSIGNED                                              \
    }
#define BOOL(s, m)                                                                                 \
    {                                                                                              \
#m, offsetof(struct s, m), SIM_FIELD_BOOL                                                  \
    }
#define TIME(s, m)                                                                                 \
    {                                                                                              \
#m, offsetof(struct s, m), SIM_FIELD_TIME                                                  \
    }

static const struct sim_field node_fields[] = {
    COUNT(om_node_info, networks),
    COUNT(om_node_info, peers),
    COUNT(om_node_info, sessions),
    COUNT(om_node_info, indices),
    U64(om_node_info, datagrams_in),
    U64(om_node_info, bytes_in),
    U64(om_node_info, datagrams_out),
    U64(om_node_info, bytes_out),
    U64(om_node_info, initiations_in),
    U64(om_node_info, initiations_out),
    U64(om_node_info, responses_in),
    U64(om_node_info, responses_out),
    U64(om_node_info, cookies_in),
    U64(om_node_info, cookies_out),
    U64(om_node_info, hellos_in),
    U64(om_node_info, hellos_out),
    U64(om_node_info, hello_starts),
    U64(om_node_info, sessions_made),
    U64(om_node_info, rekeys),
    U64(om_node_info, restarts),
    U64(om_node_info, candidates_out),
    U64(om_node_info, candidates_again),
    U64(om_node_info, sealed_handshake),
    U64(om_node_info, sealed_data),
    U64(om_node_info, audited),
    U64(om_node_info, audit_refused),
    BOOL(om_node_info, under_load),
    BOOL(om_node_info, is_relay),
    COUNT(om_node_info, lanes),
    COUNT(om_node_info, lanes_carried),
    U64(om_node_info, relayed),
    U64(om_node_info, relayed_bytes),
    U64(om_node_info, lane_offers),
    U64(om_node_info, lane_refusals),
    U64(om_node_info, lanes_full),
    U64(om_node_info, lanes_rate),
    U64(om_node_info, lanes_stranger),
    U64(om_node_info, lanes_ended),
    U64(om_node_info, relay_dropped),
    U64(om_node_info, relay_over_rate),
    U64(om_node_info, keepalives),
    U64(om_node_info, keepalive_asks),
    U64(om_node_info, keepalive_losses),
    TIME(om_node_info, nat_life_v4),
    TIME(om_node_info, nat_life_v6),
    U64(om_node_info, mtu_probes),
    U64(om_node_info, ip_in),
    U64(om_node_info, ip_out),
    U64(om_node_info, slices_in),
    U64(om_node_info, slices_out),
    U64(om_node_info, refused),
};

static const struct sim_field drop_fields[] = {
#define X(code, name, help)                                                                        \
    {"drops." name, offsetof(struct om_node_info, drops) + sizeof(uint64_t) * OM_DROP_##code,      \
     SIM_FIELD_U64},
    OM_DROPS(X)
#undef X
};

static const struct sim_field peer_fields[] = {
    BOOL(om_peer_info, has_session),
    BOOL(om_peer_info, initiated),
    BOOL(om_peer_info, is_relayed),
    {"cipher", offsetof(struct om_peer_info, cipher), SIM_FIELD_TEXT},
    {"epoch", offsetof(struct om_peer_info, epoch), SIM_FIELD_UNSIGNED},
    COUNT(om_peer_info, receiving),
    U64(om_peer_info, counter),
    U64(om_peer_info, handshakes),
    TIME(om_peer_info, key_age),
    TIME(om_peer_info, srtt),
    COUNT(om_peer_info, waiting),
    COUNT(om_peer_info, mtu),
    BOOL(om_peer_info, mtu_done),
};
static_assert(sizeof(uint32_t) == sizeof(unsigned), "epoch is read as unsigned");

static const struct sim_field *find(const struct sim_field *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

const struct sim_field *sim_field_node(const char *name)
{
    const struct sim_field *f = find(node_fields, OM_ARRAY_SIZE(node_fields), name);

    return f ? f : find(drop_fields, OM_ARRAY_SIZE(drop_fields), name);
}

const struct sim_field *sim_field_peer(const char *name)
{
    return find(peer_fields, OM_ARRAY_SIZE(peer_fields), name);
}

static void tell(char *seen, const char *what)
{
    if (seen)
        snprintf(seen, SIM_SEEN_MAX, "%s", what);
}

static bool compare(const struct sim_check *c, uint64_t v, char *seen)
{
    if (seen)
        snprintf(seen, SIM_SEEN_MAX, "%" PRIu64, v);
    return sim_op_holds(v, c->op, c->number);
}

static bool compare_time(const struct sim_check *c, om_time v, char *seen)
{
    char text[OM_DURATION_TEXT];

    tell(seen, om_duration_print(v, text, sizeof text));
    return sim_op_holds((uint64_t)v, c->op, c->number);
}

static bool compare_field(const struct sim_check *c, const void *base, char *seen)
{
    const char *at = (const char *)base + c->field->offset;
    const char *text;
    uint64_t u64;
    unsigned count;
    om_time time;
    bool flag;

    switch (c->field->kind) {
    case SIM_FIELD_U64:
        memcpy(&u64, at, sizeof u64);
        return compare(c, u64, seen);
    case SIM_FIELD_UNSIGNED:
        memcpy(&count, at, sizeof count);
        return compare(c, count, seen);
    case SIM_FIELD_BOOL:
        memcpy(&flag, at, sizeof flag);
        return compare(c, flag, seen);
    case SIM_FIELD_TIME:
        memcpy(&time, at, sizeof time);
        return compare_time(c, time, seen);
    case SIM_FIELD_TEXT:
        memcpy(&text, at, sizeof text);
        tell(seen, *text ? text : "nothing");
        return (strcmp(text, c->text) == 0) == (c->op == SIM_OP_EQ);
    }
    return false;
}

static bool sessions(struct sim_actor *a, struct sim_actor *b, bool wanted, char *seen)
{
    bool at_a = sim_has_session(a, b), at_b = sim_has_session(b, a);

    if (seen)
        snprintf(seen, SIM_SEEN_MAX, "%s holds %s, %s holds %s", a->name, at_a ? "one" : "none",
                 b->name, at_b ? "one" : "none");
    return at_a == wanted && at_b == wanted;
}

static bool info(struct sim_actor *a, const struct sim_check *c, char *seen)
{
    struct om_node_info i;

    if (!a->node) {
        tell(seen, "it is down");
        return false;
    }
    om_node_info(a->node, &i);
    return compare_field(c, &i, seen);
}

static bool knows(struct sim_actor *a, const struct sim_check *c, char *seen)
{
    const struct om_id *net = &a->world->networks[a->spec.networks[0]].id;
    struct om_gossip_info i;

    if (!a->node || om_node_gossip_info(a->node, net, &i) != OM_OK) {
        tell(seen, "it is down");
        return false;
    }
    return compare(c, i.known > 0 ? i.known - 1 : 0, seen); /* itself is not another */
}

static bool refused(const struct sim_actor *a, const struct sim_check *c, char *seen)
{
    bool is_refused = a->events[OM_EVENT_JOIN_REFUSED] > 0;

    tell(seen, is_refused ? om_join_why_name((enum om_join_why)a->join_why) : "it was not");
    return is_refused && a->join_why == c->number;
}

static bool epoch(const struct sim_actor *a, const struct sim_check *c, char *seen)
{
    const struct om_id *net = &a->world->networks[a->spec.networks[0]].id;

    if (!a->node) {
        tell(seen, "it is down");
        return false;
    }
    return compare(c, om_node_epoch_number(a->node, net), seen);
}

static bool peer(struct sim_actor *a, struct sim_actor *b, const struct sim_check *c, char *seen)
{
    struct om_peer_info i;
    enum om_err e = sim_peer_info(a, b, &i);

    if (e != OM_OK) {
        tell(seen, e == OM_E_STATE ? "it is down" : "it knows no such peer");
        return false;
    }
    return compare_field(c, &i, seen);
}

static bool reading(const struct sim_world *w, const struct sim_check *c, const struct sim_meter *m,
                    const struct sim_rate *r, char *seen)
{
    uint64_t v = sim_meter_read(m, r, c->reading, w->now);

    switch (c->reading) {
    case SIM_READ_WAIT_P50:
    case SIM_READ_WAIT_P95:
    case SIM_READ_WAIT_MAX:
        return compare_time(c, (om_time)v, seen);
    case SIM_READ_USED:
        if (seen)
            snprintf(seen, SIM_SEEN_MAX, "%" PRIu64 ".%02" PRIu64 "%%", v / 10000, v % 10000 / 100);
        return sim_op_holds(v, c->op, c->number);
    default:
        return compare(c, v, seen);
    }
}

bool sim_check_holds(struct sim_world *w, const struct sim_check *c, char *seen)
{
    if (c->fact == SIM_FACT_PIPE)
        return reading(w, c, &w->necks[c->pipe]->pipe.meter, &w->necks[c->pipe]->pipe.rate, seen);
    if (c->fact == SIM_FACT_NAT)
        return compare(c, w->routers[c->nat - 1]->box.counts[c->count], seen);
    struct sim_actor *a = w->actors[c->a]; /* every other check has a subject */
    struct sim_actor *b = c->b >= 0 ? w->actors[c->b] : NULL;
    uint64_t n;

    switch (c->fact) {
    case SIM_FACT_SESSION:
    case SIM_FACT_NO_SESSION:
        return sessions(a, b, c->fact == SIM_FACT_SESSION, seen);
    case SIM_FACT_TEXT:
        n = sim_text_count(w, a, b, om_bytes(c->text, strlen(c->text)));
        tell(seen, n ? "it came" : "it never came");
        return n > 0;
    case SIM_FACT_GOT:
        return compare(c, sim_pair(w, a, b)->got, seen);
    case SIM_FACT_LATE:
        return compare(c, sim_pair(w, a, b)->depth, seen);
    case SIM_FACT_GAP:
        return compare_time(c, sim_watch_gap(sim_pair(w, a, b)), seen);
    case SIM_FACT_MISSING:
        return compare(c, sim_watch_missing(w, sim_pair(w, a, b)), seen);
    case SIM_FACT_RTT:
        if (sim_pair(w, a, b)->rtt == 0) {
            tell(seen, "no pong came");
            return false;
        }
        return compare_time(c, sim_pair(w, a, b)->rtt, seen);
    case SIM_FACT_INFO:
        return info(a, c, seen);
    case SIM_FACT_PEER:
        return peer(a, b, c, seen);
    case SIM_FACT_EVENT:
        return compare(c, b ? sim_pair(w, a, b)->events[c->event] : a->events[c->event], seen);
    case SIM_FACT_REFUSED:
        return refused(a, c, seen);
    case SIM_FACT_SENT:
        return compare(c, sim_pair(w, a, b)->sent, seen);
    case SIM_FACT_HEARD:
        return compare(c, a->heard_bytes, seen);
    case SIM_FACT_KNOWS:
        return knows(a, c, seen);
    case SIM_FACT_EPOCH:
        return epoch(a, c, seen);
    case SIM_FACT_UP:
        tell(seen, a->node ? "it is up" : "it is down");
        return a->node != NULL;
    case SIM_FACT_LINK:
        return reading(w, c, sim_pair(w, a, b)->link.meter, &sim_pair(w, a, b)->link.rate, seen);
    case SIM_FACT_PIPE:
    case SIM_FACT_NAT:
        break;
    }
    return false;
}
