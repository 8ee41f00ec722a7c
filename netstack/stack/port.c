/* port.c - see port.h */
#include "stack/port.h"

#include <string.h>

#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <netif/ethernet.h>

#include "stack/ask.h"
#include "stack/tcp.h"

/* Slots of an interface's IPv6 addresses. */
enum { SLOT_LINK_LOCAL, SLOT_OWN, SLOT_FACE };
static_assert(LWIP_IPV6_NUM_ADDRESSES > SLOT_FACE, "lwIP has a slot for each");

enum { SLACK = 64 }; /* zeroes after each packet */

/* What a port without checksums leaves out: the same as a network card with offload. */
enum {
    CHECKS = NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP,
    OFF_CHECKSUMS = NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_GEN_UDP | CHECKS
};

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const uint8_t ip[static 16])
{
    return memcmp(ip, v4_mapped, sizeof v4_mapped) == 0;
}

struct om_stack_port *om_stack_port_find(const struct om_stack *s, uint32_t id)
{
    struct om_stack_port *port = s->ports[id % OM_PORTS_MAX];
    return port && port->id == id ? port : NULL;
}

struct om_stack_port *om_stack_port_of(const struct netif *netif)
{
    return netif->state;
}

void om_stack_to_lwip(ip_addr_t *out, const uint8_t ip[static 16], const struct om_stack_port *port)
{
    memset(out, 0, sizeof *out);
    if (is_v4(ip)) {
        IP_SET_TYPE_VAL(*out, IPADDR_TYPE_V4);
        memcpy(&ip_2_ip4(out)->addr, ip + 12, 4);
        return;
    }
    IP_SET_TYPE_VAL(*out, IPADDR_TYPE_V6);
    memcpy(ip_2_ip6(out)->addr, ip, 16);
    ip6_addr_assign_zone(ip_2_ip6(out), IP6_UNKNOWN, &port->netif);
}

struct om_addr om_stack_from_lwip(const ip_addr_t *ip, uint16_t port)
{
    struct om_addr a = {.port = port};

    if (IP_IS_V6(ip)) {
        memcpy(a.ip, ip_2_ip6(ip)->addr, 16);
        return a;
    }
    memcpy(a.ip, v4_mapped, sizeof v4_mapped);
    memcpy(a.ip + 12, &ip_2_ip4(ip)->addr, 4);
    return a;
}

void om_stack_port_select(struct om_stack *s, struct om_stack_port *port)
{
    if (s->current == port)
        return;
    if (s->current)
        netif_clear_flags(&s->current->netif, NETIF_FLAG_UP);
    if (port)
        netif_set_flags(&port->netif, NETIF_FLAG_UP);
    netif_set_default(port ? &port->netif : NULL);
    s->current = port;
}

/* The fields themselves: lwIP's setters would break off every connection of the address before. */
void om_stack_port_face(struct om_stack_port *port, const uint8_t ip[static 16])
{
    if (is_v4(ip)) {
        om_stack_to_lwip(&port->netif.ip_addr, ip, port);
        return;
    }
    om_stack_to_lwip(&port->netif.ip6_addr[SLOT_FACE], ip, port);
    port->netif.ip6_addr_state[SLOT_FACE] = IP6_ADDR_PREFERRED;
}

void om_stack_port_rest(struct om_stack_port *port)
{
    ip_addr_copy(port->netif.ip_addr, port->own_v4);
    port->netif.ip6_addr_state[SLOT_FACE] = IP6_ADDR_INVALID;
}

bool om_stack_port_owns(const struct om_stack_port *port, const uint8_t ip[static 16])
{
    const struct om_port_config *c = &port->config;
    struct om_addr link_local;

    if ((c->has_v4 && memcmp(ip, c->v4.ip, 16) == 0) ||
        (c->has_v6 && memcmp(ip, c->v6.ip, 16) == 0))
        return true;
    if (c->kind != OM_PORT_ETHER)
        return false;
    link_local = om_stack_from_lwip(&port->netif.ip6_addr[SLOT_LINK_LOCAL], 0);
    return memcmp(ip, link_local.ip, 16) == 0;
}

bool om_stack_may_be_host(const uint8_t ip[static 16])
{
    static const uint8_t zero[15] = {0};

    if (is_v4(ip)) /* 0/8 is this host, 127/8 loopback, 224/3 multicast, reserved and broadcast */
        return ip[12] != 0 && ip[12] != 127 && ip[12] < 224;
    return ip[0] != 0xff && !(memcmp(ip, zero, sizeof zero) == 0 && ip[15] <= 1);
}

struct pbuf *om_stack_packet(const struct om_stack_port *port, struct om_bytes bytes)
{
    /* Two bytes in front put the IP header of a frame on a multiple of four. */
    u16_t front = port->config.kind == OM_PORT_ETHER ? 2 : 0;
    size_t n = front + bytes.n;
    size_t room = n + SLACK < UINT16_MAX ? n + SLACK : UINT16_MAX;
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)room, PBUF_RAM);

    if (!p)
        return NULL;
    memset((uint8_t *)p->payload + n, 0, room - n);
    pbuf_realloc(p, (u16_t)n); /* libc's block stays as large as it is */
    pbuf_remove_header(p, front);
    pbuf_take(p, bytes.p, (u16_t)bytes.n);
    return p;
}

/* One packet leaves: in one piece, and copied, for lwIP may send the same pbuf again. */
static err_t emit(struct netif *netif, struct pbuf *p)
{
    struct om_stack_port *port = om_stack_port_of(netif);
    struct om_stack *s = port->stack;
    struct om_parcel label = {.n = p->tot_len, .port = port->id};

    if (port->is_leaving)
        return ERR_OK;
    uint8_t *room = om_parcels_push(&s->out, &label);
    if (!room) {
        s->is_stalled = true;
        s->counts.out_full++;
        return ERR_MEM;
    }
    pbuf_copy_partial(p, room, p->tot_len, 0);
    s->counts.packets_out++;
    return ERR_OK;
}

static err_t emit_v4(struct netif *netif, struct pbuf *p, const ip4_addr_t *to OM_UNUSED)
{
    return emit(netif, p);
}

static err_t emit_v6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to OM_UNUSED)
{
    return emit(netif, p);
}

/* ARP asks, and decides who is near, by the interface's address: that must be the port's own. */
static err_t emit_ether_v4(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    ip_addr_t face = netif->ip_addr;
    ip_addr_copy(netif->ip_addr, om_stack_port_of(netif)->own_v4);
    err_t err = etharp_output(netif, p, to);
    ip_addr_copy(netif->ip_addr, face);
    return err;
}

static err_t netif_begin(struct netif *netif)
{
    const struct om_port_config *c = &om_stack_port_of(netif)->config;

    netif->name[0] = 'o';
    netif->name[1] = 'm';
    netif->mtu = c->mtu;
    netif->flags = NETIF_FLAG_LINK_UP;
    if (c->kind == OM_PORT_IP) {
        netif->output = emit_v4;
        netif->output_ip6 = emit_v6;
    } else {
        netif->output = emit_ether_v4;
        netif->output_ip6 = ethip6_output;
        netif->linkoutput = emit;
        netif->flags |= NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
        netif->hwaddr_len = OM_STACK_MAC;
        memcpy(netif->hwaddr, c->mac, OM_STACK_MAC);
    }
    if (c->has_checksums && c->is_checked)
        NETIF_SET_CHECKSUM_CTRL(netif, (u16_t)(NETIF_CHECKSUM_ENABLE_ALL & ~CHECKS));
    if (!c->has_checksums)
        NETIF_SET_CHECKSUM_CTRL(netif, (u16_t)(NETIF_CHECKSUM_ENABLE_ALL & ~OFF_CHECKSUMS));
    return ERR_OK;
}

static bool is_config_good(const struct om_port_config *c)
{
    if (c->kind != OM_PORT_IP && c->kind != OM_PORT_ETHER)
        return false;
    if (c->mtu < OM_STACK_MTU_MIN || c->mtu > OM_STACK_MTU_MAX)
        return false;
    if (c->flows_max > OM_FLOWS_MAX || c->send_max > TCP_SND_BUF ||
        (c->kind == OM_PORT_ETHER && c->mac[0] & 1))
        return false;
    if (c->has_v4 && (!is_v4(c->v4.ip) || !om_stack_may_be_host(c->v4.ip) || c->v4_prefix > 32))
        return false;
    if (c->has_v6 && (is_v4(c->v6.ip) || !om_stack_may_be_host(c->v6.ip)))
        return false;
    return c->has_v4 || c->has_v6 || c->is_catch_all;
}

static void begin_addresses(struct om_stack_port *port)
{
    struct netif *netif = &port->netif;

    if (port->config.kind == OM_PORT_ETHER) {
        netif_create_ip6_linklocal_address(netif, 1);
        netif_ip6_addr_set_state(netif, SLOT_LINK_LOCAL, IP6_ADDR_PREFERRED);
    }
    if (port->config.has_v6) {
        om_stack_to_lwip(&netif->ip6_addr[SLOT_OWN], port->config.v6.ip, port);
        netif_ip6_addr_set_state(netif, SLOT_OWN, IP6_ADDR_PREFERRED);
    }
}

enum om_err om_stack_port_add(struct om_stack *s, const struct om_port_config *config,
                              uint32_t *port)
{
    struct om_stack_port *new;
    ip4_addr_t mask = {0};
    unsigned i = 0;

    if (!is_config_good(config))
        return OM_E_RANGE;
    while (i < OM_PORTS_MAX && s->ports[i])
        i++;
    if (i == OM_PORTS_MAX)
        return OM_E_FULL;
    new = calloc(1, sizeof *new);
    if (!new)
        return OM_E_NO_MEM;
    new->stack = s;
    new->config = *config;
    new->config.flows_max = config->flows_max ? config->flows_max : OM_FLOWS_MAX;
    new->config.send_max = config->send_max ? config->send_max : TCP_SND_BUF;
    new->id = ++s->port_serial << OM_PORT_BITS | i;
    IP_SET_TYPE_VAL(new->own_v4, IPADDR_TYPE_V4);
    if (config->has_v4) {
        om_stack_to_lwip(&new->own_v4, config->v4.ip, new);
        mask.addr = config->v4_prefix ? lwip_htonl(~0U << (32 - config->v4_prefix)) : 0;
    }
    if (!netif_add(&new->netif, ip_2_ip4(&new->own_v4), &mask, NULL, new, netif_begin,
                   config->kind == OM_PORT_IP ? ip_input : ethernet_input)) {
        free(new);
        return OM_E_FULL;
    }
    s->ports[i] = new;
    s->ethers += config->kind == OM_PORT_ETHER;
    om_stack_port_select(s, NULL);
    netif_set_up(&new->netif); /* greets the link, where there is somebody to greet */
    s->current = new;
    netif_set_default(&new->netif);
    begin_addresses(new);
    *port = new->id;
    return OM_OK;
}

void om_stack_port_remove(struct om_stack *s, uint32_t port)
{
    struct om_stack_port *gone = om_stack_port_find(s, port);

    if (!gone)
        return;
    gone->is_leaving = true;
    om_asks_drop_port(s, gone);
    om_flows_drop_port(s, gone);
    om_stack_port_select(s, gone); /* lwIP cleans up after an interface that was up */
    netif_remove(&gone->netif);
    s->current = NULL;
    s->ethers -= gone->config.kind == OM_PORT_ETHER;
    s->ports[port % OM_PORTS_MAX] = NULL;
    free(gone);
}
