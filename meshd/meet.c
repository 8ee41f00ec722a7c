/* meet.c - the peers that the command line and the configuration name are looked for. */
#include "host/clock.h"
#include "state.h"

enum { RETRY_FIRST_MS = 2000, RETRY_LAST_MS = 60000 };

static void ask(struct daemon_bootstrap *b);

static void on_retry(uv_timer_t *t)
{
    ask(t->data);
}

static void retry_later(struct daemon_bootstrap *b)
{
    uint64_t wait = (uint64_t)RETRY_FIRST_MS << (b->failures < 5 ? b->failures : 5);

    b->failures++;
    (void)uv_timer_start(&b->retry, on_retry, wait < RETRY_LAST_MS ? wait : RETRY_LAST_MS, 0);
}

static void say(struct daemon_bootstrap *b, enum om_level level, const char *what, const char *why)
{
    struct om_logline line;

    if (!om_log_begin(&line, &b->daemon->log, level, "bootstrap", what))
        return;
    om_log_str(&line, "peer", b->text);
    if (why)
        om_log_str(&line, "why", why);
    om_log_end(&line);
}

static void on_resolved(void *self, const struct om_addr *addrs, unsigned count, const char *why)
{
    struct daemon_bootstrap *b = self;
    struct om_daemon *d = b->daemon;

    b->resolve = NULL;
    if (count == 0) {
        say(b, OM_LOG_WARN, "name not found, will be tried again", why);
        retry_later(b);
        return;
    }
    if (count > OM_ENDPOINTS_MAX)
        count = OM_ENDPOINTS_MAX;
    enum om_err e =
        om_node_connect(daemon_node(d), om_clock_now(), &b->network, &b->at.peer, addrs, count);
    if (e == OM_OK) /* who was named is to find us, however long nothing is said */
        e = om_node_keep(daemon_node(d), om_clock_now(), &b->network, &b->at.peer, true);
    if (e != OM_OK)
        say(b, OM_LOG_WARN, "cannot connect", om_err_text(e));
    else
        b->failures = 0;
    om_pump_kick(d->pump);
}

static void ask(struct daemon_bootstrap *b)
{
    struct om_daemon *d = b->daemon;

    if (b->resolve || !daemon_network(d, &b->network)) /* which was left */
        return;
    if (om_resolve(&b->resolve, &d->loop, b->at.host, b->at.port, on_resolved, b) != OM_OK) {
        say(b, OM_LOG_WARN, "cannot ask for the name", NULL);
        retry_later(b);
    }
}

static bool prepare(struct om_daemon *d, struct daemon_bootstrap *b, const char *text,
                    struct om_error *err)
{
    *b = (struct daemon_bootstrap){.daemon = d, .text = text};
    if (om_bootstrap_parse(&b->at, text, err) != OM_OK)
        return false;
    const char *named = b->at.network[0] ? b->at.network : d->network_count > 1 ? "default" : NULL;
    const struct daemon_network *net = daemon_network_named(d, named, err);
    if (net && om_id_equal(&b->at.peer, &net->self)) {
        (void)om_fail(err, OM_E_RANGE, "bootstrap peer %.20s... is this node itself", text);
        return false;
    }
    if (net)
        b->network = net->id;
    return net || !b->at.network[0];
}

bool daemon_bootstrap(struct om_daemon *d, struct om_error *err)
{
    for (unsigned i = 0; i < d->config.bootstrap.count && i < OM_BOOTSTRAPS_MAX; i++) {
        struct daemon_bootstrap *b = &d->bootstraps[d->bootstrap_count];
        if (!prepare(d, b, d->config.bootstrap.text[i], err))
            return false;
        if (!daemon_network(d, &b->network)) { /* it was written when there was only one */
            say(b, OM_LOG_WARN, "names no network, and there are several or none", NULL);
            continue;
        }
        if (uv_timer_init(&d->loop, &b->retry) < 0)
            return false;
        b->retry.data = b;
        d->bootstrap_count++;
        ask(b);
    }
    return true;
}

void daemon_bootstrap_again(struct om_daemon *d)
{
    for (unsigned i = 0; i < d->bootstrap_count; i++) {
        d->bootstraps[i].failures = 0;
        (void)uv_timer_stop(&d->bootstraps[i].retry);
        ask(&d->bootstraps[i]);
    }
}

void daemon_bootstrap_stop(struct om_daemon *d)
{
    for (unsigned i = 0; i < d->bootstrap_count; i++) {
        struct daemon_bootstrap *b = &d->bootstraps[i];
        if (b->resolve)
            om_resolve_cancel(b->resolve);
        uv_close((uv_handle_t *)&b->retry, NULL);
    }
    d->bootstrap_count = 0;
}
