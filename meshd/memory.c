/* memory.c - what the node asks to keep goes to the store, and comes back at the next start. */
#include <stdio.h>
#include <string.h>

#include "host/clock.h"
#include "state.h"

static void not_kept(struct om_daemon *d, const char *what, enum om_err e)
{
    struct om_logline line;

    if (e == OM_OK || !om_log_begin(&line, &d->log, OM_LOG_WARN, "memory", "not kept"))
        return;
    om_log_str(&line, "what", what);
    om_log_str(&line, "why", om_err_text(e));
    om_log_end(&line);
}

void daemon_keep(struct om_daemon *d, const struct om_act *act)
{
    if (act->kind == OM_ACT_REMEMBER) {
        not_kept(d, "timestamp", om_store_put_remember(d->store, &act->remember, NULL));
        return;
    }
    const struct om_store_record row = {.network = act->record.network,
                                        .peer = act->record.peer,
                                        .bytes = act->record.bytes,
                                        .at = om_clock_wall()};
    not_kept(d, "record", om_store_put_record(d->store, &row, NULL));
}

void daemon_remember_peer(struct om_daemon *d, const struct daemon_network *net,
                          const struct om_id *peer)
{
    struct om_store_peer row = {.network = net->id, .id = *peer, .last_seen = om_clock_wall()};
    struct om_peer_info info;
    struct om_announce a;

    if (om_node_peer_info(daemon_node(d), om_clock_now(), &net->id, peer, &info) != OM_OK ||
        !info.is_heard)
        return;
    if (om_node_record(daemon_node(d), &net->id, peer, &a, NULL) == OM_OK)
        memcpy(row.name, a.name, sizeof row.name);
    const struct om_store_end end = {
        .network = net->id, .peer = *peer, .addr = info.via.remote, .last_ok = row.last_seen};
    enum om_err e = om_store_put_peer(d->store, &row, NULL);
    if (e == OM_OK)
        e = om_store_put_end(d->store, &end, NULL);
    not_kept(d, "peer", e);
}

/* Peers of the last run, to be called at once; filled from two tables. */
struct recall {
    struct om_daemon *d;
    unsigned peers;
    struct {
        struct om_id network, id;
        struct om_addr ends[OM_ENDPOINTS_MAX];
        unsigned ends_known;
    } peer[OM_RECONNECT_MAX];
};

static void on_remember(void *self, const struct om_act_remember *row)
{
    struct recall *r = self;
    enum om_err e = om_node_recall(daemon_node(r->d), row);

    if (e != OM_E_MISSING) /* of a network that was left */
        not_kept(r->d, "timestamp of an earlier run", e);
}

static void on_record(void *self, const struct om_store_record *row)
{
    struct recall *r = self;

    if (daemon_network(r->d, &row->network))
        (void)!om_node_learn(daemon_node(r->d), om_clock_now(), &row->network, row->bytes);
}

static void on_peer(void *self, const struct om_store_peer *row)
{
    struct recall *r = self;

    if (r->peers == OM_RECONNECT_MAX || !daemon_network(r->d, &row->network))
        return;
    r->peer[r->peers].network = row->network;
    r->peer[r->peers].id = row->id;
    r->peer[r->peers++].ends_known = 0;
}

static void on_end(void *self, const struct om_store_end *row)
{
    struct recall *r = self;

    for (unsigned i = 0; i < r->peers; i++)
        if (om_id_equal(&r->peer[i].id, &row->peer) &&
            om_id_equal(&r->peer[i].network, &row->network) &&
            r->peer[i].ends_known < OM_ENDPOINTS_MAX)
            r->peer[i].ends[r->peer[i].ends_known++] = row->addr;
}

bool daemon_recall(struct om_daemon *d, struct om_error *err)
{
    struct recall r = {.d = d};

    if (om_store_each_remember(d->store, on_remember, &r, err) != OM_OK ||
        om_store_each_record(d->store, on_record, &r, err) != OM_OK ||
        om_store_each_peer(d->store, on_peer, &r, err) != OM_OK ||
        om_store_each_end(d->store, on_end, &r, err) != OM_OK)
        return false;
    for (unsigned i = 0; i < r.peers; i++) {
        if (r.peer[i].ends_known == 0)
            continue;
        enum om_err e = om_node_connect(daemon_node(d), om_clock_now(), &r.peer[i].network,
                                        &r.peer[i].id, r.peer[i].ends, r.peer[i].ends_known);
        not_kept(d, "peer of an earlier run", e);
    }
    return true;
}
