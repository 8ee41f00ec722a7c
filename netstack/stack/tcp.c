/* tcp.c - see tcp.h and <omerta/stack_flow.h> */
#include "stack/tcp.h"

#include <string.h>

#include <lwip/priv/tcp_priv.h>

#include "stack/port.h"
#include "stack/rx.h"

enum {
    PIECE_MAX = 0xffff,                  /* what lwIP counts in 16 bits */
    ROOM_PART = 4,                       /* of its bytes: a writer that was stopped waits for it */
    FIRST_RTO = 1000 / TCP_SLOW_INTERVAL /* RFC 6298 section 2: 1 s; lwIP says 3 */
};

static void on_destroy(u8_t id, void *data);
static err_t on_passive_open(u8_t id, struct tcp_pcb_listen *door, struct tcp_pcb *pcb);

static const struct tcp_ext_arg_callbacks life = {on_destroy, on_passive_open};

static struct om_flow *flow_find(const struct om_stack *s, uint32_t id)
{
    struct om_flow *f = s->flows[id % OM_FLOWS_MAX];
    return f && f->id == id && !f->is_released ? f : NULL;
}

static void tell(struct om_flow *f, unsigned news)
{
    if (f->is_released)
        return;
    f->news |= news;
    if (!om_link_is_linked(&f->told))
        om_list_push_back(&f->stack->news, &f->told);
}

static void unname(struct om_flow *f)
{
    if (f->is_named)
        om_table_remove(&f->stack->by_tuple, &f->tuple);
    f->is_named = false;
}

/* A connection that only waits for old packets to die makes room for a new one. */
static bool recycle(struct om_stack *s, const struct om_stack_port *port)
{
    struct om_link *l = om_list_first(&s->closing);

    for (; l; l = om_list_next(&s->closing, l)) {
        struct om_flow *f = OM_CONTAINER_OF(l, struct om_flow, lingers);
        if (f->pcb->state == TIME_WAIT && (!port || f->port == port)) {
            tcp_abort(f->pcb);
            return true;
        }
    }
    return false;
}

enum om_err om_flow_new(struct om_stack *s, struct om_stack_port *port,
                        const struct om_tuple *tuple, struct om_flow **out)
{
    enum om_err e = OM_OK;

    if (port->flows >= port->config.flows_max && !recycle(s, port))
        return OM_E_FULL;
    if (s->flow_count == OM_FLOWS_MAX && !recycle(s, NULL))
        return OM_E_FULL;
    struct om_flow *f = calloc(1, sizeof *f);
    if (!f)
        return OM_E_NO_MEM;
    if (tuple->here_port != 0)
        e = om_table_put(&s->by_tuple, tuple, f);
    if (e != OM_OK) {
        free(f);
        return e;
    }
    while (s->flows[s->flow_hint])
        s->flow_hint = (s->flow_hint + 1) % OM_FLOWS_MAX;
    f->id = ++s->flow_serial << OM_FLOW_BITS | s->flow_hint;
    f->is_named = tuple->here_port != 0;
    f->stack = s;
    f->port = port;
    f->tuple = *tuple;
    s->flows[s->flow_hint] = f;
    s->flow_hint = (s->flow_hint + 1) % OM_FLOWS_MAX;
    s->flow_count++;
    port->flows++;
    *out = f;
    return OM_OK;
}

void om_flow_drop(struct om_flow *f)
{
    unname(f);
    om_list_remove(&f->told);
    om_list_remove(&f->lingers);
    om_rx_drop(f);
    f->stack->flows[f->id % OM_FLOWS_MAX] = NULL;
    f->stack->flow_count--;
    f->port->flows--;
    free(f);
}

static bool has_room(const struct om_flow *f, const struct tcp_pcb *pcb)
{
    return pcb->snd_buf >= f->port->config.send_max / ROOM_PART &&
           pcb->snd_queuelen < TCP_SND_QUEUELEN / 2;
}

static bool can_write(const struct om_flow *f)
{
    return f->pcb && f->is_open && (f->pcb->state == ESTABLISHED || f->pcb->state == CLOSE_WAIT);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t n OM_UNUSED)
{
    struct om_flow *f = arg;

    if (f && f->is_full && has_room(f, pcb)) {
        f->is_full = false;
        tell(f, OM_FLOW_WRITABLE);
    }
    return ERR_OK;
}

static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
    return on_sent(arg, pcb, 0); /* a write that failed for want of memory is answered by nobody */
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err OM_UNUSED)
{
    struct om_flow *f = arg;

    if (!p) {
        f->is_end = true;
        tell(f, OM_FLOW_END);
        return ERR_OK;
    }
    bool is_kept = om_rx_append(f, p);
    pbuf_free(p);
    if (!is_kept) { /* lwIP would keep it for us, but loses it in TIME-WAIT */
        f->is_starved = true;
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    tell(f, OM_FLOW_READABLE);
    return ERR_OK;
}

static err_t on_open(void *arg, struct tcp_pcb *pcb, err_t err OM_UNUSED)
{
    struct om_flow *f = arg;

    if (!pcb || !f)
        return ERR_MEM; /* a SYN for which lwIP found no memory: it comes again */
    f->is_open = true;
    tell(f, OM_FLOW_OPEN);
    if (f->is_finishing)
        tcp_shutdown(pcb, 0, 1);
    return ERR_OK;
}

static void on_error(void *arg, err_t err)
{
    struct om_flow *f = arg;

    f->is_dead = true;
    if (err == ERR_RST || f->is_starved)
        tell(f, f->is_connecting && !f->is_open ? OM_FLOW_REFUSED : OM_FLOW_RESET);
    else if (err == ERR_CLSD)
        tell(f, OM_FLOW_GONE);
    else
        tell(f, OM_FLOW_TIMEOUT);
}

static void on_destroy(u8_t id OM_UNUSED, void *data)
{
    struct om_flow *f = data;

    if (!f)
        return;
    if (f->pcb->state == TIME_WAIT)
        tell(f, OM_FLOW_GONE);
    unname(f);
    f->pcb = NULL;
    if (f->is_released)
        om_flow_drop(f);
}

void om_flow_adopt(struct om_flow *f, struct tcp_pcb *pcb)
{
    f->pcb = pcb;
    tcp_ext_arg_set_callbacks(pcb, 0, &life);
    tcp_ext_arg_set(pcb, 0, f);
    tcp_arg(pcb, f);
    tcp_recv(pcb, on_recv);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    tcp_poll(pcb, on_poll, 2);
    pcb->rto = pcb->sv = FIRST_RTO;
    pcb->snd_buf = f->port->config.send_max; /* nothing was written to it yet */
    tcp_nagle_disable(pcb); /* whoever writes to us has already decided what goes together */
}

static err_t on_passive_open(u8_t id OM_UNUSED, struct tcp_pcb_listen *door, struct tcp_pcb *pcb)
{
    struct om_stack *s = door->callback_arg;

    if (!s->incoming)
        return ERR_ABRT;
    om_flow_adopt(s->incoming, pcb);
    return ERR_OK;
}

static void detach(struct om_flow *f)
{
    f->is_released = true;
    om_list_remove(&f->told);
    om_rx_drop(f);
    if (!f->pcb)
        return;
    tcp_arg(f->pcb, NULL);
    tcp_recv(f->pcb, NULL);
    tcp_sent(f->pcb, NULL);
    tcp_err(f->pcb, NULL);
    tcp_poll(f->pcb, NULL, 0);
}

void om_flow_close(struct om_stack *s, om_time now, uint32_t flow, bool is_abort)
{
    struct om_flow *f = flow_find(s, flow);

    s->now = now;
    if (!f)
        return;
    detach(f);
    if (!f->pcb) {
        om_flow_drop(f);
        return;
    }
    f->linger_until = now + OM_SEC(OM_FLOW_LINGER_SEC);
    om_list_push_back(&s->closing, &f->lingers);
    /* Either may free the pcb, and with it the flow. */
    struct tcp_pcb *pcb = f->pcb;
    if (is_abort || tcp_close(pcb) != ERR_OK)
        tcp_abort(pcb);
}

enum om_err om_flows_begin(struct om_stack *s)
{
    static bool has_id;
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);

    if (!has_id)
        (void)tcp_ext_arg_alloc_id(); /* the only one: 0 */
    has_id = true;
    if (!pcb)
        return OM_E_NO_MEM;
    tcp_ext_arg_set_callbacks(pcb, 0, &life);
    s->door = tcp_listen(pcb);
    if (!s->door) {
        tcp_abort(pcb);
        return OM_E_NO_MEM;
    }
    tcp_arg(s->door, s);
    tcp_accept(s->door, on_open);
    return OM_OK;
}

static void flow_kill(struct om_flow *f)
{
    detach(f);
    if (f->pcb)
        tcp_abort(f->pcb);
    else
        om_flow_drop(f);
}

void om_flows_drop_port(struct om_stack *s, const struct om_stack_port *port)
{
    for (unsigned i = 0; i < OM_FLOWS_MAX && port->flows; i++)
        if (s->flows[i] && s->flows[i]->port == port)
            flow_kill(s->flows[i]);
}

void om_flows_end(struct om_stack *s)
{
    for (unsigned i = 0; i < OM_FLOWS_MAX && s->flow_count; i++)
        if (s->flows[i])
            flow_kill(s->flows[i]);
    if (s->door)
        tcp_close(s->door);
}

void om_flows_expire(struct om_stack *s)
{
    struct om_link *l;

    while ((l = om_list_first(&s->closing))) {
        struct om_flow *f = OM_CONTAINER_OF(l, struct om_flow, lingers);
        if (f->linger_until > s->now)
            break;
        tcp_abort(f->pcb);
    }
}

om_time om_stack_flows_deadline(const struct om_stack *s)
{
    struct om_link *l = om_list_first(&s->closing);

    return l ? OM_CONTAINER_OF(l, struct om_flow, lingers)->linger_until : OM_NEVER;
}

bool om_flows_news(struct om_stack *s, struct om_stack_act *act)
{
    struct om_link *l = om_list_first(&s->news);

    if (!l)
        return false;
    struct om_flow *f = OM_CONTAINER_OF(l, struct om_flow, told);
    om_list_remove(l);
    *act = (struct om_stack_act){
        .kind = OM_STACK_FLOW, .port = f->port->id, .flow = f->id, .news = f->news};
    f->news = 0;
    return true;
}

void om_flows_resume(struct om_stack *s)
{
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb && !s->is_stalled; pcb = pcb->next)
        tcp_output(pcb);
}

unsigned om_stack_flows(const struct om_stack *s)
{
    return s->flow_count;
}

static struct tcp_pcb *connect_pcb(struct om_stack_port *port, const struct om_tuple *tuple,
                                   enum om_err *why)
{
    ip_addr_t from;
    err_t err;

    om_stack_to_lwip(&from, tuple->here, port);
    struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(&from));
    if (!pcb) {
        *why = OM_E_NO_MEM;
        return NULL;
    }
    err = tcp_bind(pcb, &from, tuple->here_port);
    if (err != ERR_OK) {
        *why = OM_E_EXISTS;
        tcp_abort(pcb);
        return NULL;
    }
    tcp_bind_netif(pcb, &port->netif);
    return pcb;
}

static bool tuple_begin(struct om_tuple *tuple, const struct om_stack_port *port,
                        const struct om_addr *from, const struct om_addr *to)
{
    const struct om_port_config *c = &port->config;

    if (!from)
        from = om_addr_is_v4(to) ? &c->v4 : &c->v6;
    if (!om_stack_may_be_host(from->ip) || !om_stack_may_be_host(to->ip) || to->port == 0 ||
        om_addr_is_v4(from) != om_addr_is_v4(to))
        return false;
    if (!c->is_catch_all && !om_stack_port_owns(port, from->ip))
        return false;
    *tuple = (struct om_tuple){.port = port->id, .here_port = from->port, .there_port = to->port};
    memcpy(tuple->here, from->ip, 16);
    memcpy(tuple->there, to->ip, 16);
    return true;
}

/* The first SYN leaves here. */
static enum om_err connect_start(struct om_flow *f, struct tcp_pcb *pcb)
{
    ip_addr_t to;
    enum om_err e = OM_OK;

    f->is_connecting = true;
    om_flow_adopt(f, pcb);
    if (!f->is_named) {
        f->tuple.here_port = pcb->local_port;
        e = om_table_put(&f->stack->by_tuple, &f->tuple, f);
        f->is_named = e == OM_OK;
    }
    om_stack_to_lwip(&to, f->tuple.there, f->port);
    om_stack_port_select(f->stack, f->port);
    if (e == OM_OK && tcp_connect(pcb, &to, f->tuple.there_port, on_open) != ERR_OK)
        e = OM_E_NO_MEM;
    return e;
}

enum om_err om_stack_connect(struct om_stack *s, om_time now, uint32_t port,
                             const struct om_addr *from, const struct om_addr *to, uint32_t *flow)
{
    struct om_stack_port *link = om_stack_port_find(s, port);
    struct om_flow *f = NULL;
    struct om_tuple tuple;
    enum om_err e = OM_OK;

    s->now = now;
    if (!link)
        return OM_E_MISSING;
    if (!tuple_begin(&tuple, link, from, to))
        return OM_E_RANGE;
    e = om_flow_new(s, link, &tuple, &f);
    if (e != OM_OK)
        return e;
    struct tcp_pcb *pcb = connect_pcb(link, &tuple, &e);
    if (!pcb) {
        om_flow_drop(f);
        return e;
    }
    e = connect_start(f, pcb);
    if (e != OM_OK) {
        flow_kill(f);
        return e;
    }
    *flow = f->id;
    return OM_OK;
}

static size_t write_some(struct om_stack *s, om_time now, uint32_t flow, struct om_bytes bytes,
                         bool has_more)
{
    struct om_flow *f = flow_find(s, flow);
    size_t taken = 0;

    s->now = now;
    if (!f || f->is_finishing || f->is_dead)
        return 0;
    while (can_write(f) && taken < bytes.n) {
        size_t n = bytes.n - taken;
        n = n < f->pcb->snd_buf ? n : f->pcb->snd_buf;
        n = n < PIECE_MAX ? n : PIECE_MAX;
        u8_t more = has_more || taken + n < bytes.n ? TCP_WRITE_FLAG_MORE : 0;
        if (n == 0 || tcp_write(f->pcb, bytes.p + taken, (u16_t)n,
                                (u8_t)(TCP_WRITE_FLAG_COPY | more)) != ERR_OK)
            break;
        taken += n;
    }
    if (!has_more || taken < bytes.n)
        tcp_output(f->pcb);
    f->is_full = f->is_full || taken < bytes.n;
    return taken;
}

size_t om_flow_write(struct om_stack *s, om_time now, uint32_t flow, struct om_bytes bytes)
{
    return write_some(s, now, flow, bytes, false);
}

size_t om_flow_write_more(struct om_stack *s, om_time now, uint32_t flow, struct om_bytes bytes)
{
    return write_some(s, now, flow, bytes, true);
}

struct om_bytes om_flow_read(const struct om_stack *s, uint32_t flow, bool *is_end)
{
    struct om_flow *f = flow_find(s, flow);

    if (is_end)
        *is_end = f && f->is_end;
    return f ? om_rx_first(f) : om_bytes(NULL, 0);
}

bool om_flow_ends(const struct om_stack *s, uint32_t flow, struct om_addr *here,
                  struct om_addr *there)
{
    const struct om_flow *f = flow_find(s, flow);

    if (!f)
        return false;
    *here = (struct om_addr){.port = f->tuple.here_port};
    *there = (struct om_addr){.port = f->tuple.there_port};
    memcpy(here->ip, f->tuple.here, sizeof here->ip);
    memcpy(there->ip, f->tuple.there, sizeof there->ip);
    return true;
}

size_t om_flow_waiting(const struct om_stack *s, uint32_t flow)
{
    struct om_flow *f = flow_find(s, flow);
    return f ? f->rx_bytes : 0;
}

void om_flow_consume(struct om_stack *s, om_time now, uint32_t flow, size_t n)
{
    struct om_flow *f = flow_find(s, flow);

    s->now = now;
    if (!f)
        return;
    OM_BUG_IF(n > f->rx_bytes);
    om_rx_consume(f, n);
    while (n > 0 && f->pcb && f->pcb->state != TIME_WAIT) {
        u16_t piece = (u16_t)(n < PIECE_MAX ? n : PIECE_MAX);
        tcp_recved(f->pcb, piece);
        n -= piece;
    }
}

void om_flow_finish(struct om_stack *s, om_time now, uint32_t flow)
{
    struct om_flow *f = flow_find(s, flow);

    s->now = now;
    if (!f || f->is_finishing)
        return;
    f->is_finishing = true;
    if (can_write(f))
        tcp_shutdown(f->pcb, 0, 1);
}
