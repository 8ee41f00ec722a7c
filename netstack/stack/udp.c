/* udp.c - see udp.h and <omerta/stack.h> */
#include "stack/udp.h"

#include <string.h>

#include <lwip/prot/udp.h>

#include "stack/port.h"

enum { PAYLOAD_MAX = 65507 }; /* 65535 less the headers of IPv4 and UDP */

/* Before lwIP's UDP: from here on the endpoint is the one this datagram looks for. */
static u8_t peek(void *arg, struct raw_pcb *raw OM_UNUSED, struct pbuf *p,
                 const ip_addr_t *from OM_UNUSED)
{
    struct om_stack *s = arg;
    u16_t offset = ip_current_header_tot_len();
    struct om_addr here = om_stack_from_lwip(ip_current_dest_addr(), 0);

    if (p->len < offset + UDP_HLEN || !om_stack_may_be_host(here.ip)) {
        pbuf_free(p); /* multicast and broadcast too: nobody behind us wants them */
        return 1;
    }
    const struct udp_hdr *udp = (const void *)((const uint8_t *)p->payload + offset);
    s->udp->local_port = lwip_ntohs(udp->dest);
    s->udp->netif_idx = netif_get_index(ip_current_input_netif());
    return 0;
}

static void arrived(void *arg, struct udp_pcb *udp, struct pbuf *p, const ip_addr_t *from,
                    u16_t from_port)
{
    struct om_stack *s = arg;
    struct om_parcel label = {
        .n = p->tot_len,
        .port = om_stack_port_of(ip_current_input_netif())->id,
        .from = om_stack_from_lwip(from, from_port),
        .to = om_stack_from_lwip(ip_current_dest_addr(), udp->local_port),
    };

    uint8_t *room = om_parcels_push(&s->datagrams, &label);
    if (room)
        pbuf_copy_partial(p, room, p->tot_len, 0);
    else
        s->counts.datagrams_full++;
    pbuf_free(p);
}

enum om_err om_udp_begin(struct om_stack *s)
{
    s->peek_udp = raw_new_ip_type(IPADDR_TYPE_ANY, IP_PROTO_UDP);
    s->udp = udp_new_ip_type(IPADDR_TYPE_ANY);
    if (!s->peek_udp || !s->udp)
        return OM_E_NO_MEM;
    raw_recv(s->peek_udp, peek, s);
    udp_recv(s->udp, arrived, s);
    /* lwIP looks only at endpoints that are bound; the number is that of each datagram. */
    return udp_bind(s->udp, IP_ANY_TYPE, 1) == ERR_OK ? OM_OK : OM_E_NO_MEM;
}

void om_udp_end(struct om_stack *s)
{
    if (s->peek_udp)
        raw_remove(s->peek_udp);
    if (s->udp)
        udp_remove(s->udp);
}

enum om_err om_stack_send(struct om_stack *s, om_time now, uint32_t port,
                          const struct om_addr *from, const struct om_addr *to,
                          struct om_bytes bytes)
{
    struct om_stack_port *link = om_stack_port_find(s, port);
    ip_addr_t from_ip, to_ip;

    s->now = now;
    if (!link)
        return OM_E_MISSING;
    if (bytes.n > PAYLOAD_MAX || from->port == 0 || to->port == 0 ||
        om_addr_is_v4(from) != om_addr_is_v4(to) || !om_stack_may_be_host(from->ip) ||
        !om_stack_may_be_host(to->ip) ||
        !(link->config.is_catch_all || om_stack_port_owns(link, from->ip)))
        return OM_E_RANGE;
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)bytes.n, PBUF_RAM);
    if (!p)
        return OM_E_NO_MEM;
    if (bytes.n)
        pbuf_take(p, bytes.p, (u16_t)bytes.n);
    om_stack_to_lwip(&from_ip, from->ip, link);
    om_stack_to_lwip(&to_ip, to->ip, link);
    om_stack_port_select(s, link);
    s->udp->local_port = from->port;
    err_t err = udp_sendto_if_src(s->udp, p, &to_ip, to->port, &link->netif, &from_ip);
    pbuf_free(p);
    return err == ERR_MEM ? OM_E_NO_MEM : OM_OK;
}
