/* node_program.c - calls and their bytes, as programs ask for them. */
#include "node/loop.h"

enum om_err node_call_ask(struct om_node *n, om_time now, struct om_peer *p,
                          const struct om_call_config *config, struct node_call **out)
{
    struct om_stream *s;
    enum om_err e = node_associate(n, now, p);

    if (e == OM_OK)
        e = om_mux_open(&p->carrier->mux, config->priority, &s);
    if (e != OM_OK)
        return e;
    struct node_call *c = node_call_new(n, p, s);
    if (!c) {
        om_stream_forget(&p->carrier->mux, s);
        return om_table_count(&n->calls) == OM_CALLS_MAX ? OM_E_FULL : OM_E_NO_MEM;
    }
    e = om_call_ask(&c->rpc, now, config->method, config->args, config->timeout);
    if (e != OM_OK) {
        node_call_free(c);
        return e;
    }
    uint64_t handle = c->handle;
    node_call_advance(c, now); /* which drops it when the stream has no room for the question */
    *out = om_table_find(&n->calls, &handle);
    return *out ? OM_OK : OM_E_NO_MEM;
}

enum om_err om_node_call(struct om_node *n, om_time now, const struct om_id *network,
                         const struct om_id *peer, const struct om_call_config *config,
                         uint64_t *call)
{
    const struct om_network *net = node_network(n, network);
    bool is_self = net && om_id_equal(peer, &net->self.id);
    struct node_call *c;
    struct om_peer *p;
    enum om_err e = is_self ? node_loop_call(n, now, net, config, &c)
                            : node_find_reachable(n, network, peer, &p);

    if (e == OM_OK && !is_self)
        e = node_call_ask(n, now, p, config, &c);
    if (e == OM_OK)
        *call = c->handle;
    return e;
}

enum om_err om_node_accept(struct om_node *n, om_time now, uint64_t call, struct om_bytes body)
{
    struct node_call *c = node_call_find(n, call);

    if (!c)
        return OM_E_MISSING;
    if (!c->stream && !node_loop_is_whole(c))
        return OM_E_STATE;
    enum om_err e = om_call_accept(&c->rpc, body);
    if (e == OM_OK)
        node_call_advance(c, now);
    return e;
}

enum om_err om_node_refuse(struct om_node *n, om_time now, uint64_t call, const char *error,
                           const char *text)
{
    struct node_call *c = node_call_find(n, call);

    if (!c)
        return OM_E_MISSING;
    enum om_err e = om_call_refuse(&c->rpc, error, text);
    if (e == OM_OK)
        node_call_advance(c, now);
    return e;
}

/* The call of @n named @call, when bytes may be written to it. */
static enum om_err find_open(const struct om_node *n, uint64_t call, struct node_call **out)
{
    *out = node_call_find(n, call);
    if (!*out)
        return OM_E_MISSING;
    return ((*out)->stream || (*out)->loop) && (*out)->is_data ? OM_OK : OM_E_STATE;
}

static void send(struct node_call *c, om_time now)
{
    node_flush(c->node, now, c->peer);
    node_rearm(c->node, now, c->peer);
}

enum om_err om_node_write(struct om_node *n, om_time now, uint64_t call, struct om_bytes data)
{
    struct node_call *c;
    enum om_err e = find_open(n, call, &c);

    if (e == OM_OK && c->loop)
        return node_loop_write(c, data);
    if (e == OM_OK)
        e = om_stream_write(&c->peer->carrier->mux, c->stream, data);
    if (e != OM_OK)
        return e;
    c->written += data.n;
    c->peer->used_at = now;
    send(c, now);
    return OM_OK;
}

enum om_err om_node_finish(struct om_node *n, om_time now, uint64_t call)
{
    struct node_call *c;
    enum om_err e = find_open(n, call, &c);

    if (e == OM_OK && c->loop)
        return node_loop_finish(c);
    if (e == OM_OK)
        e = om_stream_finish(&c->peer->carrier->mux, c->stream);
    if (e == OM_OK)
        send(c, now);
    return e;
}

void om_node_limit(struct om_node *n, om_time now, uint64_t call)
{
    struct node_call *c;

    if (find_open(n, call, &c) != OM_OK || c->is_impatient || c->loop)
        return; /* one is never away from oneself */
    c->is_impatient = true;
    c->peer->impatient++;
    node_rearm(n, now, c->peer);
}

struct om_bytes om_node_read(const struct om_node *n, uint64_t call, bool *is_end)
{
    struct om_bytes first;

    return om_node_read_pieces(n, call, &first, 1, is_end) ? first : om_bytes(NULL, 0);
}

unsigned om_node_read_pieces(const struct om_node *n, uint64_t call, struct om_bytes *out,
                             unsigned max, bool *is_end)
{
    struct node_call *c = node_call_find(n, call);
    bool is_open = c && c->stream && c->is_data;

    if (c && c->loop && c->is_data)
        return node_loop_pieces(c, out, max, is_end);
    if (is_end)
        *is_end = is_open && om_stream_at_end(c->stream);
    return is_open ? om_stream_pieces(c->stream, out, max) : 0;
}

bool om_node_is_loop(const struct om_node *n, uint64_t call)
{
    const struct node_call *c = node_call_find(n, call);

    return c && c->loop;
}

void om_node_consume(struct om_node *n, om_time now, uint64_t call, size_t bytes)
{
    struct node_call *c = node_call_find(n, call);

    if (c && c->loop && c->is_data)
        node_loop_consume(c, bytes);
    if (!c || !c->stream || !c->is_data)
        return;
    om_stream_consume(&c->peer->carrier->mux, c->stream, now, bytes);
    node_serve(n, now, c->peer); /* reading the last byte may be news */
    send(c, now);
}

void om_node_hang_up(struct om_node *n, om_time now, uint64_t call, uint32_t code)
{
    struct node_call *c = node_call_find(n, call);

    if (c)
        node_call_drop(c, now, code);
}
