/* stack.c - see <omerta/stack.h>: the four verbs, and what belongs to no other part */
#include <omerta/stack.h>

#include <stdlib.h>
#include <string.h>

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/nd6.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/etharp.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>

#include "packet/cksum.h"
#include "stack/ask.h"
#include "stack/port.h"
#include "stack/state.h"
#include "stack/tcp.h"
#include "stack/udp.h"

enum {
    TCP_TICK = TCP_TMR_INTERVAL * 1000, /* microseconds */
    TICKS_MAX = 40,                     /* made up for at once, after a pause */
    FRAGMENTS_SEC = IPV6_REASS_MAXAGE + 1,
    SECOND = 1000 * 1000,
    ARP_FRAME = SIZEOF_ETH_HDR + SIZEOF_ETHARP_HDR
};

/* lwIP's variables exist once: so does this. */
static struct om_stack *the_stack;

uint32_t om_lwip_rand(void)
{
    uint32_t r = 0;

    if (the_stack)
        om_rng_fill(&the_stack->rng, &r, sizeof r);
    return r;
}

uint16_t om_lwip_chksum(const void *data, int n)
{
    return lwip_htons((uint16_t)om_cksum_add(0, om_bytes(data, (size_t)n)));
}

enum om_err om_stack_new(struct om_stack **out, const struct om_rng *rng, om_time now)
{
    static bool is_lwip_running;
    uint8_t key[2][OM_SIP_KEY];
    enum om_err e;

    if (the_stack)
        return OM_E_EXISTS;
    struct om_stack *s = calloc(1, sizeof *s);
    if (!s)
        return OM_E_NO_MEM;
    the_stack = s;
    s->now = now;
    s->rng = *rng;
    s->tcp_at = s->second_at = OM_NEVER;
    om_list_init(&s->news);
    om_list_init(&s->closing);
    om_list_init(&s->asks_by_age);
    om_parcels_init(&s->out, OM_STACK_OUT_MAX);
    om_parcels_init(&s->datagrams, OM_STACK_DATAGRAMS_MAX);
    om_rng_fill(rng, key, sizeof key);
    e = om_table_init(&s->by_tuple, sizeof(struct om_tuple), OM_FLOWS_MAX, key[0]);
    OM_BUG_IF(e != OM_OK);
    e = om_table_init(&s->ask_by_tuple, sizeof(struct om_tuple), OM_ASKS_MAX, key[1]);
    OM_BUG_IF(e != OM_OK);
    if (!is_lwip_running)
        lwip_init();
    is_lwip_running = true;
    if (om_flows_begin(s) != OM_OK || om_asks_begin(s) != OM_OK || om_udp_begin(s) != OM_OK) {
        om_stack_free(s);
        return OM_E_NO_MEM;
    }
    *out = s;
    return OM_OK;
}

void om_stack_free(struct om_stack *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < OM_PORTS_MAX; i++)
        if (s->ports[i])
            om_stack_port_remove(s, s->ports[i]->id);
    om_asks_end(s);
    om_flows_end(s);
    om_udp_end(s);
    for (unsigned i = 0; i <= IP_REASS_MAXAGE; i++)
        ip_reass_tmr(); /* lwIP lets go of fragments by their age alone */
    for (unsigned i = 0; i <= IPV6_REASS_MAXAGE; i++)
        ip6_reass_tmr();
    om_parcels_fini(&s->out);
    om_parcels_fini(&s->datagrams);
    om_table_fini(&s->by_tuple);
    om_table_fini(&s->ask_by_tuple);
    free(s);
    the_stack = NULL;
}

/* Timers run only while there is something for them. */
static void settle(struct om_stack *s)
{
    bool has_tcp = tcp_active_pcbs || tcp_tw_pcbs;
    bool has_second = s->ethers || s->now < s->fragments_until;

    if (has_tcp != (s->tcp_at != OM_NEVER))
        s->tcp_at = has_tcp ? s->now + TCP_TICK : OM_NEVER;
    if (has_second != (s->second_at != OM_NEVER))
        s->second_at = has_second ? s->now + SECOND : OM_NEVER;
}

/* The destination of an IP packet, and whether it is in order; a fragment needs the timers. */
static bool look(struct om_stack *s, const uint8_t *ip, size_t n, uint8_t to[static 16],
                 uint8_t from[static 16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    bool is_fragment;

    if (n >= IP_HLEN && ip[0] >> 4 == 4) {
        memcpy(from, mapped, sizeof mapped);
        memcpy(to, mapped, sizeof mapped);
        memcpy(from + 12, ip + 12, 4);
        memcpy(to + 12, ip + 16, 4);
        is_fragment = (ip[6] & 0x3f) != 0 || ip[7] != 0;
    } else if (n >= IP6_HLEN && ip[0] >> 4 == 6) {
        memcpy(from, ip + 8, 16);
        memcpy(to, ip + 24, 16);
        is_fragment = ip[6] != IP6_NEXTH_TCP && ip[6] != IP6_NEXTH_UDP && ip[6] != IP6_NEXTH_ICMP6;
    } else {
        return false;
    }
    if (is_fragment)
        s->fragments_until = s->now + OM_SEC(FRAGMENTS_SEC);
    return true;
}

/* May the port take a packet between these two? Then it faces the destination. */
static bool face(struct om_stack_port *port, const uint8_t to[static 16],
                 const uint8_t from[static 16])
{
    static const uint8_t zero[16] = {0};
    bool is_group = to[0] == 0xff; /* IPv6 multicast: neighbours look for each other by it */

    if (is_group)
        return port->config.kind == OM_PORT_ETHER &&
               (om_stack_may_be_host(from) || memcmp(from, zero, 16) == 0);
    if (!om_stack_may_be_host(from) || !om_stack_may_be_host(to))
        return false;
    if (!port->config.is_catch_all && !om_stack_port_owns(port, to))
        return false;
    om_stack_port_face(port, to);
    return true;
}

/* Where the IP packet of a frame starts; the frame's end when it holds none; 0: not for us. */
static size_t frame_payload(const struct om_stack_port *port, struct om_bytes frame)
{
    if (frame.n < SIZEOF_ETH_HDR)
        return 0;
    if (!(frame.p[0] & 1) && memcmp(frame.p, port->config.mac, OM_STACK_MAC) != 0)
        return 0;
    unsigned type = (unsigned)frame.p[12] << 8 | frame.p[13];
    if (type == ETHTYPE_IP || type == ETHTYPE_IPV6)
        return SIZEOF_ETH_HDR;
    return type == ETHTYPE_ARP && frame.n >= ARP_FRAME ? frame.n : 0; /* lwIP trusts its length */
}

static void hand_over(struct om_stack *s, struct om_stack_port *port, struct om_bytes bytes,
                      size_t at)
{
    uint8_t to[16], from[16];

    if (at < bytes.n) {
        if (!look(s, bytes.p + at, bytes.n - at, to, from)) {
            s->counts.malformed++;
            return;
        }
        if (!face(port, to, from)) {
            s->counts.not_for_us++;
            return;
        }
    }
    struct pbuf *p = om_stack_packet(port, bytes);
    if (p) {
        om_stack_port_select(s, port);
        port->netif.input(p, &port->netif);
    }
    om_stack_port_rest(port);
}

void om_stack_input(struct om_stack *s, om_time now, uint32_t port, struct om_bytes bytes)
{
    struct om_stack_port *link = om_stack_port_find(s, port);
    size_t at = 0;

    s->now = now;
    if (!link)
        return;
    s->counts.packets_in++;
    if (bytes.n == 0 || bytes.n > OM_STACK_MTU_MAX + SIZEOF_ETH_HDR - 2) {
        s->counts.malformed++;
        return;
    }
    if (link->config.kind == OM_PORT_ETHER) {
        at = frame_payload(link, bytes);
        if (at == 0) {
            s->counts.not_for_us++;
            return;
        }
    }
    hand_over(s, link, bytes, at);
    settle(s);
}

void om_stack_tick(struct om_stack *s, om_time now)
{
    unsigned ticks = 0;

    s->now = now;
    om_stack_port_select(s, NULL); /* timers speak for no port: each pcb knows its own */
    for (; s->tcp_at <= now && ticks < TICKS_MAX; ticks++) {
        tcp_tmr();
        s->tcp_at += TCP_TICK;
    }
    if (s->tcp_at <= now)
        s->tcp_at = now + TCP_TICK;
    if (s->second_at <= now) {
        etharp_tmr();
        nd6_tmr();
        ip_reass_tmr();
        ip6_reass_tmr();
        s->second_at = now + SECOND;
    }
    om_asks_expire(s);
    om_flows_expire(s);
    settle(s);
}

static bool take_parcel(struct om_parcels *q, enum om_stack_act_kind kind, struct om_stack_act *act)
{
    struct om_parcel label;
    const uint8_t *p = om_parcels_pop(q, &label);

    if (!p)
        return false;
    *act = (struct om_stack_act){.kind = kind,
                                 .port = label.port,
                                 .bytes = om_bytes(p, label.n),
                                 .from = label.from,
                                 .to = label.to};
    return true;
}

bool om_stack_next(struct om_stack *s, struct om_stack_act *act)
{
    settle(s);
    do {
        if (s->is_stalled && s->out.count == 0) {
            s->is_stalled = false;
            om_flows_resume(s);
        }
        if (!take_parcel(&s->out, OM_STACK_PACKET, act) && !om_asks_news(s, act) &&
            !om_flows_news(s, act) && !take_parcel(&s->datagrams, OM_STACK_DATAGRAM, act))
            return false;
    } while (!om_stack_port_find(s, act->port)); /* what a port left behind goes nowhere */
    return true;
}

om_time om_stack_deadline(const struct om_stack *s)
{
    om_time at = om_time_min(s->tcp_at, s->second_at);

    return om_time_min(at, om_time_min(om_asks_deadline(s), om_stack_flows_deadline(s)));
}

const struct om_stack_counts *om_stack_counts(const struct om_stack *s)
{
    return &s->counts;
}
