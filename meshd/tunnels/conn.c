/* conn.c - connections, from their first byte to their last. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "tunnels/associate.h"
#include "tunnels/usage.h"

static void on_timer_closed(uv_handle_t *h)
{
    free(h->data);
}

/* Everything but the splice and the socket it has. */
static void forget(struct tunnel_conn *c)
{
    if (c->rule)
        c->rule->open--;
    tunnel_usage_end(c->usage);
    om_calls_hang_up(c->tunnels->d->calls, &c->owner, OM_CLOSE_CANCELLED);
    if (c->dial)
        om_dial_cancel(c->dial);
    if (c->association)
        tunnel_association_end(c->association);
    if (c->socket)
        om_socket_close(c->socket, !c->is_lingering);
    if (c->proxy)
        om_proxy_fini(c->proxy);
    free(c->proxy);
    free(c->rest);
    om_list_remove(&c->link);
    c->tunnels->conn_count--;
    uv_close((uv_handle_t *)&c->limit, on_timer_closed);
}

void tunnel_conn_drop(struct tunnel_conn *c)
{
    if (c->splice)
        om_splice_close(c->splice, OM_CLOSE_CANCELLED);
    forget(c);
}

static void on_limit(uv_timer_t *t)
{
    struct tunnel_conn *c = t->data;
    struct om_calls *calls = c->tunnels->d->calls;

    if (!c->is_lingering)
        tunnel_conn_fail(c, "not in time");
    tunnel_conn_drop(c);
    om_calls_kick(calls);
}

struct tunnel_conn *tunnel_conn_new(struct tunnels *t, struct tunnel_rule *rule, bool is_serving)
{
    struct tunnel_conn *c = t->conn_count < OM_TUNNELS_MAX ? calloc(1, sizeof *c) : NULL;

    if (!c)
        return NULL;
    c->tunnels = t;
    c->rule = rule;
    c->is_serving = is_serving;
    c->limit.data = c;
    (void)uv_timer_init(&t->d->loop, &c->limit);
    (void)uv_timer_start(&c->limit, on_limit, TUNNEL_OPEN_MS, 0);
    om_list_push_back(&t->conns, &c->link);
    t->conn_count++;
    rule->open++;
    rule->total++;
    return c;
}

void tunnel_rule_fail(struct tunnel_rule *r, const char *why)
{
    char line[sizeof r->last_error];
    size_t n = strnlen(why, sizeof line);

    memcpy(line, why, n);
    for (size_t i = 0; i < n; i++) /* an answer of a proxy has several lines, a table has not */
        if (line[i] == '\n')
            line[i] = ' ';
    while (n > 0 && line[n - 1] == ' ')
        n--;
    r->failed++;
    (void)om_text_escape(r->last_error, sizeof r->last_error, om_bytes(line, n));
}

void tunnel_rule_works(struct tunnel_rule *r)
{
    if (r && r->is_forward)
        r->last_error[0] = '\0';
}

void tunnel_conn_fail(struct tunnel_conn *c, const char *why)
{
    if (c->rule)
        tunnel_rule_fail(c->rule, why);
    tunnel_usage_refuse(c->usage);
}

void tunnel_conn_live(const struct tunnel_rule *r, struct om_splice_end *out)
{
    const struct tunnels *t = r->tunnels;
    struct om_splice_end now;

    *out = (struct om_splice_end){.sent = 0};
    if (r->open == 0)
        return;
    for (struct om_link *l = om_list_first(&t->conns); l; l = om_list_next(&t->conns, l)) {
        const struct tunnel_conn *c = OM_CONTAINER_OF(l, struct tunnel_conn, link);
        if (c->rule != r || !c->splice)
            continue;
        om_splice_counts(c->splice, &now);
        out->sent += now.sent;
        out->received += now.received;
    }
}

static void on_end(void *self, const struct om_splice_end *end)
{
    struct tunnel_conn *c = self;

    c->splice = NULL;
    if (c->rule) {
        c->rule->sent += end->sent;
        c->rule->received += end->received;
    }
    tunnel_usage_count(c->usage, end);
    forget(c);
}

void tunnel_conn_join(struct tunnel_conn *c)
{
    const struct om_splice_config config = {.calls = c->tunnels->d->calls,
                                            .socket = c->socket,
                                            .owner = &c->owner,
                                            .from_socket = c->usage ? c->usage->sent_shape : NULL,
                                            .to_socket = c->usage ? c->usage->received_shape : NULL,
                                            .on_end = on_end,
                                            .self = c};
    struct om_splice *s;

    (void)uv_timer_stop(&c->limit);
    (void)uv_read_stop(&c->socket->stream);
    c->socket = NULL;
    if (om_splice_new(&s, &config) != OM_OK) {
        tunnel_conn_drop(c);
        return;
    }
    c->splice = s;
    if (om_splice_push(s, om_bytes(c->rest, c->rest_n)) != OM_OK) {
        tunnel_conn_drop(c);
        return;
    }
    free(c->rest);
    c->rest = NULL;
    tunnel_rule_works(c->rule);
    om_splice_start(s);
}
