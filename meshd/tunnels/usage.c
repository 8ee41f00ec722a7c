/* usage.c - counters and rates of pairs of rule and peer. */
#include "tunnels/usage.h"

#include <sodium.h>
#include <stdlib.h>

#include <omerta/wire.h>

#include "control/parts.h"
#include "host/clock.h"

enum { KEY = 8 + OM_ID_BYTES };

static void key_of(uint8_t out[static KEY], const struct tunnel_rule *rule,
                   const struct om_id *peer)
{
    struct om_wr w = om_wr(om_mut(out, KEY));

    om_wr_u64(&w, rule->number);
    om_wr_copy(&w, peer->b, OM_ID_BYTES);
}

static void drop(struct tunnel_usage *u)
{
    uint8_t key[KEY];

    key_of(key, u->rule, &u->peer);
    (void)om_table_remove(&u->rule->tunnels->usages_by_pair, key);
    om_list_remove(&u->link);
    om_shape_free(u->sent_shape);
    om_shape_free(u->received_shape);
    free(u);
}

/* Room for one more, if need be by forgetting one. */
static bool make_room(struct tunnels *t)
{
    if (om_table_count(&t->usages_by_pair) < TUNNEL_USAGES_MAX)
        return true;
    for (struct om_link *l = om_list_first(&t->usages); l; l = om_list_next(&t->usages, l)) {
        struct tunnel_usage *u = OM_CONTAINER_OF(l, struct tunnel_usage, link);
        if (u->open > 0)
            continue;
        drop(u);
        return true;
    }
    return false;
}

static bool shape(struct tunnel_usage *u)
{
    uv_loop_t *loop = &u->rule->tunnels->d->loop;
    uint32_t rate = u->rule->rate;

    return rate == 0 || (om_shape_new(&u->sent_shape, loop, rate) == OM_OK &&
                         om_shape_new(&u->received_shape, loop, rate) == OM_OK);
}

static struct tunnel_usage *new_usage(struct tunnel_rule *rule, const struct om_id *peer)
{
    struct tunnels *t = rule->tunnels;
    struct tunnel_usage *u = make_room(t) ? calloc(1, sizeof *u) : NULL;
    uint8_t key[KEY];

    if (!u)
        return NULL;
    u->rule = rule;
    u->peer = *peer;
    u->first = om_clock_wall();
    key_of(key, rule, peer);
    om_list_push_back(&t->usages, &u->link);
    if (shape(u) && om_table_put(&t->usages_by_pair, key, u) == OM_OK)
        return u;
    drop(u);
    return NULL;
}

static void touch(struct tunnel_usage *u)
{
    u->last = om_clock_wall();
    om_list_remove(&u->link);
    om_list_push_back(&u->rule->tunnels->usages, &u->link);
}

bool tunnel_usage_begin(struct tunnel_rule *rule, const struct om_id *peer,
                        struct tunnel_usage **out)
{
    uint8_t key[KEY];

    *out = NULL;
    if (rule->is_forward)
        return true;
    key_of(key, rule, peer);
    struct tunnel_usage *u = om_table_find(&rule->tunnels->usages_by_pair, key);
    if (!u)
        u = new_usage(rule, peer);
    if (u) {
        touch(u);
        u->total++;
    }
    if (u && u->open < rule->open_max) {
        u->open++;
        *out = u;
        return true;
    }
    if (u)
        u->refused++;
    rule->total++;
    tunnel_rule_fail(rule, "busy");
    return false;
}

void tunnel_usage_end(struct tunnel_usage *u)
{
    if (!u)
        return;
    u->open--;
    touch(u);
}

void tunnel_usage_refuse(struct tunnel_usage *u)
{
    if (u)
        u->refused++;
}

void tunnel_usage_count(struct tunnel_usage *u, const struct om_splice_end *end)
{
    if (!u)
        return;
    u->sent += end->sent;
    u->received += end->received;
}

static bool pass(struct tunnel_usage *u, struct om_shape *s, uint64_t *bytes, size_t n)
{
    u->datagrams++;
    u->last = om_clock_wall();
    if (s && !om_shape_pass(s, n)) {
        u->dropped++;
        return false;
    }
    *bytes += n;
    return true;
}

bool tunnel_usage_send(struct tunnel_usage *u, size_t n)
{
    return !u || pass(u, u->sent_shape, &u->sent, n);
}

bool tunnel_usage_receive(struct tunnel_usage *u, size_t n)
{
    return !u || pass(u, u->received_shape, &u->received, n);
}

void tunnel_usage_forget(const struct tunnel_rule *rule)
{
    struct tunnels *t = rule->tunnels;

    for (struct om_link *l = om_list_first(&t->usages), *next; l; l = next) {
        struct tunnel_usage *u = OM_CONTAINER_OF(l, struct tunnel_usage, link);
        next = om_list_next(&t->usages, l);
        if (u->rule == rule)
            drop(u);
    }
}

/* What open connections have carried so far. */
static void count_live(const struct tunnels *t)
{
    struct om_splice_end now;

    for (struct om_link *l = om_list_first(&t->usages); l; l = om_list_next(&t->usages, l)) {
        struct tunnel_usage *u = OM_CONTAINER_OF(l, struct tunnel_usage, link);
        u->live_sent = u->live_received = 0;
    }
    for (struct om_link *l = om_list_first(&t->conns); l; l = om_list_next(&t->conns, l)) {
        const struct tunnel_conn *c = OM_CONTAINER_OF(l, struct tunnel_conn, link);
        if (!c->usage || !c->splice)
            continue;
        om_splice_counts(c->splice, &now);
        c->usage->live_sent += now.sent;
        c->usage->live_received += now.received;
    }
}

static json_t *show(const struct tunnel_usage *u)
{
    const struct tunnel_rule *r = u->rule;
    const struct daemon_network *net = daemon_network(r->tunnels->d, &r->network);
    uint64_t sent = u->sent + u->live_sent, received = u->received + u->live_received;

    return json_pack("{s:I, s:i, s:b, s:b, s:s, s:o, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
                     "id", (json_int_t)r->number, "port", (int)r->listen.port, "internet",
                     r->is_internet, "udp", r->is_udp, "network", net ? net->name : "", "peer",
                     control_id(&u->peer), "open", (int)u->open, "total", (json_int_t)u->total,
                     "refused", (json_int_t)u->refused, "bytes_sent", (json_int_t)sent,
                     "bytes_received", (json_int_t)received, "datagrams", (json_int_t)u->datagrams,
                     "dropped", (json_int_t)u->dropped, "first_used", control_iso(u->first),
                     "last_used", control_iso(u->last));
}

json_t *tunnels_usage(const struct tunnels *t)
{
    json_t *list = json_array();

    count_live(t);
    for (struct om_link *l = om_list_first(&t->usages); l; l = om_list_next(&t->usages, l))
        (void)json_array_append_new(list, show(OM_CONTAINER_OF(l, struct tunnel_usage, link)));
    return list;
}

bool tunnel_usage_init(struct tunnels *t)
{
    uint8_t key[OM_SIP_KEY];

    randombytes_buf(key, sizeof key);
    om_list_init(&t->usages);
    return om_table_init(&t->usages_by_pair, KEY, TUNNEL_USAGES_MAX, key) == OM_OK;
}

void tunnel_usage_fini(struct tunnels *t)
{
    om_table_fini(&t->usages_by_pair);
}
