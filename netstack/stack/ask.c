/* ask.c - see ask.h and <omerta/stack_flow.h> */
#include "stack/ask.h"

#include <string.h>

#include <lwip/icmp.h>
#include <lwip/icmp6.h>
#include <lwip/inet_chksum.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>

#include "stack/port.h"
#include "stack/tcp.h"

enum {
    HEADERS_MAX = 256, /* of a SYN that we keep: 120 without IPv6 extension headers */
    CHECKS = NETIF_CHECKSUM_CHECK_IP | NETIF_CHECKSUM_CHECK_TCP,
    ICMP_HOST_UNREACHABLE = 1, /* RFC 792 */
    ICMP_PROHIBITED = 13,      /* RFC 1812 section 5.2.7.1 */
    ICMP6_ADDRESS_UNREACHABLE = 3,
    ICMP6_PROHIBITED = 1 /* both RFC 4443 section 3.1 */
};

struct om_ask {
    uint32_t id;
    struct om_stack_port *port;
    struct om_tuple tuple;
    struct om_link by_age;
    om_time until;
    bool is_told;
    uint32_t sequence;
    size_t n;
    uint8_t headers[HEADERS_MAX]; /* of the SYN, from IP on */
};

static struct om_ask *ask_find(const struct om_stack *s, uint32_t id)
{
    struct om_ask *a = s->asks[id % OM_ASKS_MAX];
    return a && a->id == id ? a : NULL;
}

static void ask_drop(struct om_stack *s, struct om_ask *a)
{
    om_table_remove(&s->ask_by_tuple, &a->tuple);
    om_list_remove(&a->by_age);
    s->asks_untold -= !a->is_told;
    a->port->asks--;
    s->asks[a->id % OM_ASKS_MAX] = NULL;
    free(a);
}

/* Keeps the headers alone: their lengths are made to say so, and no checksum is looked at again. */
static void keep_headers(struct om_ask *a, const struct pbuf *p, const struct tcp_hdr *tcp,
                         size_t headers)
{
    a->sequence = lwip_ntohl(tcp->seqno);
    a->n = headers;
    memcpy(a->headers, p->payload, headers);
    if (IP_HDR_GET_VERSION(a->headers) == 4)
        IPH_LEN_SET((struct ip_hdr *)(void *)a->headers, lwip_htons((u16_t)headers));
    else
        IP6H_PLEN_SET((struct ip6_hdr *)(void *)a->headers, (u16_t)(headers - IP6_HLEN));
}

static struct om_ask *ask_new(struct om_stack *s, struct om_stack_port *port,
                              const struct om_tuple *tuple)
{
    struct om_ask *a = port->asks < OM_PORT_ASKS_MAX ? calloc(1, sizeof *a) : NULL;

    if (!a || om_table_put(&s->ask_by_tuple, tuple, a) != OM_OK) {
        free(a);
        s->counts.asks_full++;
        return NULL;
    }
    while (s->asks[s->ask_hint]) /* one is free: each port keeps to its part */
        s->ask_hint = (s->ask_hint + 1) % OM_ASKS_MAX;
    a->id = ++s->ask_serial << OM_ASK_BITS | s->ask_hint;
    a->port = port;
    a->tuple = *tuple;
    a->until = s->now + OM_SEC(OM_ASK_SEC);
    om_list_push_back(&s->asks_by_age, &a->by_age);
    s->asks[s->ask_hint] = a;
    s->ask_hint = (s->ask_hint + 1) % OM_ASKS_MAX;
    port->asks++;
    s->asks_untold++;
    s->counts.asks++;
    return a;
}

static bool is_sum_right(const struct om_stack_port *port, struct pbuf *p, u16_t offset)
{
    if (!(port->netif.chksum_flags & NETIF_CHECKSUM_CHECK_TCP))
        return true;
    pbuf_remove_header(p, offset);
    u16_t sum = ip_chksum_pseudo(p, IP_PROTO_TCP, p->tot_len, ip_current_src_addr(),
                                 ip_current_dest_addr());
    pbuf_add_header_force(p, offset);
    return sum == 0;
}

/* A SYN to the catch-all; true when lwIP is not to see it. */
static bool syn_arrived(struct om_stack *s, struct om_stack_port *port, struct pbuf *p,
                        const struct om_tuple *tuple, u16_t offset)
{
    const struct tcp_hdr *tcp = (const void *)((const uint8_t *)p->payload + offset);
    size_t headers = offset + (size_t)TCPH_HDRLEN_BYTES(tcp);
    struct om_flow *f;

    if (headers < (size_t)offset + TCP_HLEN || headers > p->len || headers > HEADERS_MAX ||
        tuple->here_port == 0 || tuple->there_port == 0 || !is_sum_right(port, p, offset)) {
        s->counts.malformed++;
        return true;
    }
    f = om_table_find(&s->by_tuple, tuple);
    if (f && f->pcb->state != TIME_WAIT)
        return false; /* lwIP answers it again, or says that the connection is open */
    if (f)
        tcp_abort(f->pcb); /* the client uses its port again: RFC 1122 section 4.2.2.13 */
    struct om_ask *a = om_table_find(&s->ask_by_tuple, tuple);
    if (!a)
        a = ask_new(s, port, tuple);
    if (a)
        keep_headers(a, p, tcp, headers);
    return true;
}

static u8_t fed_again(const struct om_stack *s, struct pbuf *p)
{
    if (s->verdict != OM_VERDICT_ICMP)
        return 0;
    if (IP_HDR_GET_VERSION(p->payload) == 4)
        icmp_dest_unreach(p, (enum icmp_dur_type)s->icmp_v4);
    else
        icmp6_dest_unreach(p, (enum icmp6_dur_code)s->icmp_v6);
    pbuf_free(p);
    return 1;
}

/* Each TCP packet, fragments already put together, before lwIP's TCP. 1: eaten. */
static u8_t peek(void *arg, struct raw_pcb *raw OM_UNUSED, struct pbuf *p,
                 const ip_addr_t *from OM_UNUSED)
{
    struct om_stack *s = arg;
    struct om_stack_port *port = om_stack_port_of(ip_current_input_netif());
    u16_t offset = ip_current_header_tot_len();
    struct om_tuple tuple = {.port = port->id};

    if (s->verdict != OM_VERDICT_NONE)
        return fed_again(s, p);
    if (p->len < offset + TCP_HLEN || !port->config.is_catch_all)
        return 0;
    const struct tcp_hdr *tcp = (const void *)((const uint8_t *)p->payload + offset);
    u16_t flags = TCPH_FLAGS(tcp) & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN);
    if (flags != TCP_SYN && !(flags & TCP_RST))
        return 0;
    memcpy(tuple.here, om_stack_from_lwip(ip_current_dest_addr(), 0).ip, 16);
    memcpy(tuple.there, om_stack_from_lwip(ip_current_src_addr(), 0).ip, 16);
    tuple.here_port = lwip_ntohs(tcp->dest);
    tuple.there_port = lwip_ntohs(tcp->src);
    if (flags & TCP_RST) {
        struct om_ask *a = om_table_find(&s->ask_by_tuple, &tuple);
        if (a && lwip_ntohl(tcp->seqno) == a->sequence + 1)
            ask_drop(s, a); /* its client gave up */
        return 0;
    }
    if (!om_stack_may_be_host(tuple.here) || !syn_arrived(s, port, p, &tuple, offset))
        return 0;
    pbuf_free(p);
    return 1;
}

/* The kept SYN arrives once more; what it meets is s->verdict's. Frees the ask. */
static void feed(struct om_stack *s, struct om_ask *a, enum om_verdict verdict)
{
    struct om_stack_port *port = a->port;
    struct pbuf *p = om_stack_packet(port, om_bytes(a->headers, a->n));
    u16_t checks = port->netif.chksum_flags;

    if (p) {
        s->verdict = verdict;
        om_stack_port_select(s, port);
        om_stack_port_face(port, a->tuple.here);
        NETIF_SET_CHECKSUM_CTRL(&port->netif, (u16_t)(checks & ~CHECKS));
        ip_input(p, &port->netif);
        NETIF_SET_CHECKSUM_CTRL(&port->netif, checks);
        om_stack_port_rest(port);
        s->verdict = OM_VERDICT_NONE;
    }
    ask_drop(s, a);
}

enum om_err om_stack_accept(struct om_stack *s, om_time now, uint32_t ask, uint32_t *flow)
{
    struct om_ask *a = ask_find(s, ask);
    struct om_flow *f = NULL;

    s->now = now;
    if (!a)
        return OM_E_MISSING;
    enum om_err e = om_flow_new(s, a->port, &a->tuple, &f);
    if (e == OM_E_FULL)
        return e;
    if (e != OM_OK) {
        ask_drop(s, a);
        return e;
    }
    s->incoming = f;
    s->door->local_port = a->tuple.here_port;
    s->door->netif_idx = netif_get_index(&a->port->netif);
    feed(s, a, OM_VERDICT_ACCEPT);
    s->door->local_port = 0; /* a SYN to port 0 is never fed: it meets nobody */
    s->incoming = NULL;
    if (!f->pcb) {
        om_flow_drop(f);
        return OM_E_NO_MEM;
    }
    *flow = f->id;
    return OM_OK;
}

void om_stack_refuse(struct om_stack *s, om_time now, uint32_t ask, enum om_refuse how)
{
    struct om_ask *a = ask_find(s, ask);

    s->now = now;
    if (!a)
        return;
    if (how == OM_REFUSE_LATER) {
        ask_drop(s, a);
        return;
    }
    s->icmp_v4 = how == OM_REFUSE_PROHIBITED ? ICMP_PROHIBITED : ICMP_HOST_UNREACHABLE;
    s->icmp_v6 = how == OM_REFUSE_PROHIBITED ? ICMP6_PROHIBITED : ICMP6_ADDRESS_UNREACHABLE;
    feed(s, a, how == OM_REFUSE_RST ? OM_VERDICT_RST : OM_VERDICT_ICMP);
}

enum om_err om_asks_begin(struct om_stack *s)
{
    s->peek_tcp = raw_new_ip_type(IPADDR_TYPE_ANY, IP_PROTO_TCP);
    if (!s->peek_tcp)
        return OM_E_NO_MEM;
    raw_recv(s->peek_tcp, peek, s);
    return OM_OK;
}

void om_asks_end(struct om_stack *s)
{
    struct om_link *l;

    while ((l = om_list_first(&s->asks_by_age)))
        ask_drop(s, OM_CONTAINER_OF(l, struct om_ask, by_age));
    if (s->peek_tcp)
        raw_remove(s->peek_tcp);
}

void om_asks_drop_port(struct om_stack *s, const struct om_stack_port *port)
{
    for (unsigned i = 0; i < OM_ASKS_MAX; i++)
        if (s->asks[i] && s->asks[i]->port == port)
            ask_drop(s, s->asks[i]);
}

void om_asks_expire(struct om_stack *s)
{
    while (om_asks_deadline(s) <= s->now) {
        s->counts.asks_expired++;
        ask_drop(s, OM_CONTAINER_OF(om_list_first(&s->asks_by_age), struct om_ask, by_age));
    }
}

om_time om_asks_deadline(const struct om_stack *s)
{
    struct om_link *l = om_list_first(&s->asks_by_age);

    return l ? OM_CONTAINER_OF(l, struct om_ask, by_age)->until : OM_NEVER;
}

bool om_asks_news(struct om_stack *s, struct om_stack_act *act)
{
    struct om_link *l = s->asks_untold ? om_list_first(&s->asks_by_age) : NULL;

    for (; l; l = om_list_next(&s->asks_by_age, l)) {
        struct om_ask *a = OM_CONTAINER_OF(l, struct om_ask, by_age);
        if (a->is_told)
            continue;
        a->is_told = true;
        s->asks_untold--;
        *act = (struct om_stack_act){.kind = OM_STACK_ASK, .port = a->port->id, .ask = a->id};
        memcpy(act->from.ip, a->tuple.there, 16);
        memcpy(act->to.ip, a->tuple.here, 16);
        act->from.port = a->tuple.there_port;
        act->to.port = a->tuple.here_port;
        return true;
    }
    return false;
}
