/* udp.c - UDP flows through the mesh. */
#include "tunnels/udp.h"

#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/wire.h>

#include "host/clock.h"
#include "host/resolve.h"

enum { SWEEP_MS = 10000, WIRE_KEY = OM_ID_BYTES + 4 + 1, CLIENT_KEY = 8 + 18 };

/* A datagram too large for the channel, lent to the node. */
struct bulk {
    struct om_link link;
    uint64_t end; /* in the stream */
    size_t n;
    uint8_t bytes[];
};

struct flow {
    struct om_link link;
    struct tunnels *tunnels;
    struct tunnel_rule *rule;
    struct om_call_owner owner;
    struct om_id network, peer;
    struct om_addr client; /* of ours: the program */
    uint32_t number;
    bool is_serving, is_open, is_internet;
    struct om_resolve *resolve; /* serving, before it stands */
    uv_udp_t *socket;           /* serving: connected to the service; freed when closed */
    om_time heard;
    struct om_list lent;
    unsigned lent_count;
    uint64_t written;
    uint8_t *in; /* owned: of the stream, unfinished; 2 bytes of length first */
    size_t in_n;
    struct bulk *waiting[TUNNEL_FLOW_WAITING]; /* owned: before it stands */
    unsigned waiting_count;
};

/* A peer's key is another one in every network. */
static void wire_key(uint8_t out[static WIRE_KEY], const struct om_id *peer, uint32_t number,
                     bool is_serving)
{
    struct om_wr w = om_wr(om_mut(out, WIRE_KEY));

    om_wr_copy(&w, peer->b, OM_ID_BYTES);
    om_wr_u32(&w, number);
    om_wr_u8(&w, is_serving);
}

static void client_key(uint8_t out[static CLIENT_KEY], const struct tunnel_rule *rule,
                       const struct om_addr *client)
{
    struct om_wr w = om_wr(om_mut(out, CLIENT_KEY));

    om_wr_u64(&w, rule->number);
    om_addr_write(&w, client);
}

static void on_handle_closed(uv_handle_t *h)
{
    free(h);
}

static void drop(struct flow *f)
{
    struct tunnels *t = f->tunnels;
    uint8_t key[WIRE_KEY], ours[CLIENT_KEY];

    om_calls_hang_up(t->d->calls, &f->owner, OM_CLOSE_DONE);
    if (f->resolve)
        om_resolve_cancel(f->resolve);
    if (f->socket)
        uv_close((uv_handle_t *)f->socket, on_handle_closed);
    wire_key(key, &f->peer, f->number, f->is_serving);
    (void)om_table_remove(&t->flows_by_wire, key);
    if (!f->is_serving) {
        client_key(ours, f->rule, &f->client);
        (void)om_table_remove(&t->flows_by_client, ours);
    }
    for (struct om_link *l = om_list_first(&f->lent), *next; l; l = next) {
        next = om_list_next(&f->lent, l);
        free(OM_CONTAINER_OF(l, struct bulk, link));
    }
    for (unsigned i = 0; i < f->waiting_count; i++)
        free(f->waiting[i]);
    free(f->in);
    f->rule->open--;
    om_list_remove(&f->link);
    if (--t->flow_count == 0)
        (void)uv_timer_stop(&t->sweep);
    free(f);
}

static void on_sweep(uv_timer_t *timer)
{
    struct tunnels *t = timer->data;
    om_time now = om_clock_now();

    for (struct om_link *l = om_list_first(&t->flows), *next; l; l = next) {
        struct flow *f = OM_CONTAINER_OF(l, struct flow, link);
        next = om_list_next(&t->flows, l);
        if (now - f->heard > OM_SEC(TUNNEL_FLOW_IDLE_S))
            drop(f);
    }
    om_calls_kick(t->d->calls);
}

static struct bulk *copy_of(struct om_bytes b)
{
    struct bulk *k = malloc(sizeof *k + 2 + b.n);

    if (!k)
        return NULL;
    *k = (struct bulk){.n = b.n};
    k->bytes[0] = (uint8_t)(b.n >> 8);
    k->bytes[1] = (uint8_t)b.n;
    memcpy(k->bytes + 2, b.p, b.n);
    return k;
}

/* On the call's stream. */
static void send_bulk(struct flow *f, struct om_bytes b)
{
    struct om_node *n = om_calls_node(f->tunnels->d->calls);
    struct bulk *k = f->lent_count < TUNNEL_FLOW_BULK ? copy_of(b) : NULL;

    if (!k ||
        om_node_write(n, om_clock_now(), f->owner.call, om_bytes(k->bytes, 2 + b.n)) != OM_OK) {
        f->rule->failed++;
        free(k);
        return;
    }
    f->written += 2 + b.n;
    k->end = f->written;
    om_list_push_back(&f->lent, &k->link);
    f->lent_count++;
}

static void wait_for_call(struct flow *f, struct om_bytes b)
{
    struct bulk *k = f->waiting_count < TUNNEL_FLOW_WAITING ? copy_of(b) : NULL;

    if (k)
        f->waiting[f->waiting_count++] = k;
    else
        f->rule->failed++;
}

/* A datagram of this machine goes to the peer. */
static void pass_on(struct flow *f, struct om_bytes b)
{
    struct om_node *n = om_calls_node(f->tunnels->d->calls);
    uint8_t frame[OM_DGRAM_MAX];
    struct om_wr w = om_wr(om_mut(frame, sizeof frame));

    f->heard = om_clock_now();
    if (!f->is_open) {
        wait_for_call(f, b);
        return;
    }
    f->rule->sent += b.n;
    if (b.n + TUNNEL_FLOW_HEAD > om_node_send_max(TUNNEL_UDP_CHANNEL)) {
        send_bulk(f, b);
        return;
    }
    om_wr_u32(&w, f->number);
    om_wr_u8(&w, f->is_serving);
    om_wr_copy(&w, b.p, b.n);
    if (om_node_send(n, om_clock_now(), &f->network, &f->peer, TUNNEL_UDP_CHANNEL,
                     om_bytes(frame, om_wr_len(&w))) != OM_OK)
        f->rule->failed++; /* a datagram may get lost here as anywhere */
}

static int sockaddr_of(struct sockaddr_storage *out, const struct om_addr *a)
{
    char text[OM_IP_TEXT];

    (void)om_addr_ip_print(a->ip, text);
    return om_addr_is_v4(a) ? uv_ip4_addr(text, a->port, (struct sockaddr_in *)out)
                            : uv_ip6_addr(text, a->port, (struct sockaddr_in6 *)out);
}

/* A datagram of the peer goes to the service, or to the program. */
static void deliver(struct flow *f, struct om_bytes b)
{
    struct sockaddr_storage to;
    uv_buf_t v = {.len = b.n};
    int n = -1;

    f->heard = om_clock_now();
    f->rule->received += b.n;
    memcpy(&v.base, &b.p, sizeof v.base); /* libuv only reads, and knows no const */
    if (f->is_serving)
        n = f->socket ? uv_udp_try_send(f->socket, &v, 1, NULL) : -1;
    else if (sockaddr_of(&to, &f->client) == 0)
        n = uv_udp_try_send(&f->rule->udp, &v, 1, (const struct sockaddr *)&to);
    if (n < 0)
        f->rule->failed++;
}

/* Bytes of a datagram on the stream with its length, which is its first two. */
static size_t whole_of(const uint8_t head[static 2])
{
    return 2 + ((size_t)head[0] << 8 | head[1]);
}

/* Whole datagrams of the stream. */
static void take(struct flow *f, struct om_bytes b)
{
    while (b.n > 0) {
        if (!f->in)
            f->in = calloc(1, 2 + UINT16_MAX);
        if (!f->in)
            return;
        size_t whole = f->in_n < 2 ? 2 : whole_of(f->in);
        size_t n = whole - f->in_n < b.n ? whole - f->in_n : b.n;
        memcpy(f->in + f->in_n, b.p, n);
        f->in_n += n;
        b = om_bytes(b.p + n, b.n - n);
        if (f->in_n < 2 || f->in_n < whole_of(f->in))
            continue;
        deliver(f, om_bytes(f->in + 2, f->in_n - 2));
        free(f->in);
        f->in = NULL;
        f->in_n = 0;
    }
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    struct flow *f = OM_CONTAINER_OF(o, struct flow, owner);
    struct om_node *n = om_calls_node(f->tunnels->d->calls);
    bool is_end = false;
    struct om_bytes b;

    if (news->news & OM_CALL_RELEASED)
        for (struct om_link *l = om_list_first(&f->lent), *next; l; l = next) {
            struct bulk *k = OM_CONTAINER_OF(l, struct bulk, link);
            next = om_list_next(&f->lent, l);
            if (k->end > news->released)
                break;
            om_list_remove(l);
            f->lent_count--;
            free(k);
        }
    while ((b = om_node_read(n, f->owner.call, &is_end)).n > 0) {
        take(f, b);
        om_node_consume(n, om_clock_now(), f->owner.call, b.n);
    }
    if (is_end || (news->news & (OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE)))
        drop(f);
}

static void stand(struct flow *f)
{
    f->is_open = true;
    for (unsigned i = 0; i < f->waiting_count; i++) {
        pass_on(f, om_bytes(f->waiting[i]->bytes + 2, f->waiting[i]->n));
        free(f->waiting[i]);
    }
    f->waiting_count = 0;
}

static void on_reply(struct om_call_owner *o, const struct om_act_reply *r)
{
    struct flow *f = OM_CONTAINER_OF(o, struct flow, owner);

    if (r->is_ok) {
        stand(f);
        return;
    }
    tunnel_rule_fail(f->rule, om_dial_word(om_dial_result_of(r->error)));
    drop(f);
}

/* One more flow; NULL when there are too many, no memory, or that number is taken. */
static struct flow *new_flow(struct tunnels *t, struct tunnel_rule *rule,
                             const struct om_id *network, const struct om_id *peer, uint32_t number,
                             bool is_serving)
{
    struct flow *f = t->flow_count < TUNNEL_FLOWS_MAX ? calloc(1, sizeof *f) : NULL;
    uint8_t key[WIRE_KEY];

    wire_key(key, peer, number, is_serving);
    if (!f || om_table_put(&t->flows_by_wire, key, f) != OM_OK) {
        free(f);
        rule->failed++;
        return NULL;
    }
    f->tunnels = t;
    f->rule = rule;
    f->network = *network;
    f->peer = *peer;
    f->number = number;
    f->is_serving = is_serving;
    f->heard = om_clock_now();
    f->owner.on_reply = on_reply;
    f->owner.on_stream = on_stream;
    om_list_init(&f->lent);
    om_list_push_back(&t->flows, &f->link);
    if (t->flow_count++ == 0)
        (void)uv_timer_start(&t->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    rule->open++;
    rule->total++;
    return f;
}

static struct flow *flow_of_client(struct tunnel_rule *r, const struct om_addr *client)
{
    struct tunnels *t = r->tunnels;
    uint8_t key[CLIENT_KEY];

    client_key(key, r, client);
    struct flow *f = om_table_find(&t->flows_by_client, key);
    if (f)
        return f;
    f = new_flow(t, r, &r->network, &r->peers[0], ++t->flow_numbers, false);
    if (!f)
        return NULL;
    f->client = *client;
    if (om_table_put(&t->flows_by_client, key, f) != OM_OK ||
        !tunnel_ask(
            t, r, &f->owner,
            &(struct tunnel_wish){"udp", r->network, r->peers[0], r->host, r->port, f->number})) {
        drop(f);
        return NULL;
    }
    return f;
}

static void on_alloc(uv_handle_t *h OM_UNUSED, size_t hint OM_UNUSED, uv_buf_t *buf)
{
    static char buffer[TUNNEL_UDP_MAX]; /* one datagram at a time, read at once */

    *buf = uv_buf_init(buffer, sizeof buffer);
}

static bool read_from(struct om_addr *out, const struct sockaddr *sa)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)sa;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;

    if (sa->sa_family == AF_INET) {
        *out = om_addr_v4(ntohl(v4->sin_addr.s_addr), ntohs(v4->sin_port));
        return true;
    }
    *out = (struct om_addr){.port = ntohs(v6->sin6_port)};
    memcpy(out->ip, &v6->sin6_addr, sizeof out->ip);
    return sa->sa_family == AF_INET6;
}

static void on_client(uv_udp_t *u, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                      unsigned flags OM_UNUSED)
{
    struct tunnel_rule *r = u->data;
    struct om_addr client;

    if (n < 0 || !from || !read_from(&client, from))
        return;
    struct flow *f = flow_of_client(r, &client);
    if (f)
        pass_on(f, om_bytes(buf->base, (size_t)n));
    om_calls_kick(r->tunnels->d->calls);
}

bool tunnel_udp_listen(struct tunnel_rule *r, struct om_error *err)
{
    char shown[OM_ADDR_TEXT];
    struct sockaddr_storage sa;
    int e = uv_udp_init(&r->tunnels->d->loop, &r->udp), size = (int)sizeof sa;

    r->udp.data = r;
    if (e == 0)
        e = sockaddr_of(&sa, &r->listen);
    if (e == 0)
        e = uv_udp_bind(&r->udp, (const struct sockaddr *)&sa, 0);
    if (e == 0)
        e = uv_udp_recv_start(&r->udp, on_alloc, on_client);
    if (e == 0) /* port 0: the kernel chose */
        e = uv_udp_getsockname(&r->udp, (struct sockaddr *)&sa, &size);
    if (e == 0) {
        r->listen.port = ntohs(((const struct sockaddr_in *)&sa)->sin_port);
        return true;
    }
    (void)om_fail(err, e == UV_EADDRINUSE ? OM_E_EXISTS : OM_E_STATE, "UDP %s: %s",
                  om_addr_print(&r->listen, shown),
                  e == UV_EADDRINUSE ? "another program listens there" : uv_strerror(e));
    return false;
}

static void on_service(uv_udp_t *u, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                       unsigned flags OM_UNUSED)
{
    struct flow *f = u->data;

    if (n < 0 || !from) /* of a refused port, too: UDP has no way to say so */
        return;
    pass_on(f, om_bytes(buf->base, (size_t)n));
    om_calls_kick(f->tunnels->d->calls);
}

static bool connect_service(struct flow *f, const struct om_addr *to)
{
    uv_udp_t *u = calloc(1, sizeof *u);
    struct sockaddr_storage sa;

    if (!u || uv_udp_init(&f->tunnels->d->loop, u) < 0) {
        free(u);
        return false;
    }
    f->socket = u;
    u->data = f;
    return sockaddr_of(&sa, to) == 0 && uv_udp_connect(u, (const struct sockaddr *)&sa) == 0 &&
           uv_udp_recv_start(u, on_alloc, on_service) == 0;
}

static void refuse(struct flow *f, enum om_dial_result why)
{
    struct om_calls *calls = f->tunnels->d->calls;
    uint64_t call = f->owner.call;

    om_calls_release(calls, &f->owner);
    om_calls_refuse(calls, call, om_dial_word(why), om_dial_text(why));
    f->rule->failed++;
    drop(f);
}

static void on_resolved(void *self, const struct om_addr *addrs, unsigned count,
                        const char *why OM_UNUSED)
{
    struct flow *f = self;
    struct om_calls *calls = f->tunnels->d->calls;

    f->resolve = NULL;
    if (count == 0)
        refuse(f, OM_DIAL_NO_SUCH_HOST);
    else if (f->is_internet && om_addr_classify(&addrs[0]) != OM_ADDR_GLOBAL)
        refuse(f, OM_DIAL_NOT_ALLOWED);
    else if (!connect_service(f, &addrs[0]))
        refuse(f, OM_DIAL_UNREACHABLE);
    else if (om_node_accept(om_calls_node(calls), om_clock_now(), f->owner.call,
                            om_bytes(NULL, 0)) != OM_OK)
        drop(f);
    else
        stand(f);
    om_calls_kick(calls);
}

void tunnel_udp_serve(struct tunnels *t, struct tunnel_rule *rule, const struct om_act_call *call,
                      uint32_t number, const char *host, uint16_t port)
{
    struct flow *f = new_flow(t, rule, &call->network, &call->peer, number, true);

    if (!f || om_calls_take(t->d->calls, call->call, &f->owner) != OM_OK) {
        if (f)
            drop(f);
        om_calls_refuse(t->d->calls, call->call, "busy", "too many flows");
        return;
    }
    f->is_internet = rule->is_internet;
    if (om_resolve(&f->resolve, &t->d->loop, host, port, on_resolved, f) != OM_OK)
        refuse(f, OM_DIAL_FAILURE);
}

void tunnels_deliver(struct tunnels *t, const struct om_act_deliver *a)
{
    struct om_rd r = om_rd(a->data);
    uint32_t number = om_rd_u32(&r);
    uint8_t way = om_rd_u8(&r);
    uint8_t key[WIRE_KEY];

    if (r.bad || way > 1)
        return;
    wire_key(key, &a->peer, number, way == 0);
    struct flow *f = om_table_find(&t->flows_by_wire, key);
    if (f && f->is_open && om_id_equal(&f->network, &a->network))
        deliver(f, om_rd_bytes(&r, om_rd_left(&r)));
}

void tunnel_udp_forget(struct tunnels *t, const struct tunnel_rule *rule)
{
    for (struct om_link *l = om_list_first(&t->flows), *next; l; l = next) {
        struct flow *f = OM_CONTAINER_OF(l, struct flow, link);
        next = om_list_next(&t->flows, l);
        if (!rule || f->rule == rule)
            drop(f);
    }
}

bool tunnel_udp_init(struct tunnels *t)
{
    uint8_t key[OM_SIP_KEY];

    randombytes_buf(key, sizeof key);
    om_list_init(&t->flows);
    t->sweep.data = t;
    t->flow_numbers = randombytes_random();
    return uv_timer_init(&t->d->loop, &t->sweep) == 0 &&
           om_table_init(&t->flows_by_wire, WIRE_KEY, TUNNEL_FLOWS_MAX, key) == OM_OK &&
           om_table_init(&t->flows_by_client, CLIENT_KEY, TUNNEL_FLOWS_MAX, key) == OM_OK;
}

void tunnel_udp_fini(struct tunnels *t)
{
    om_table_fini(&t->flows_by_wire);
    om_table_fini(&t->flows_by_client);
}
