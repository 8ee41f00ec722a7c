/*
 * state.h - what a stack holds: ports, flows, asks, and what waits to go out
 *
 * What:  the private structs, and lwIP's few global objects that we keep pointers to.
 * Why:   stack.c routes; port.c, tcp.c, ask.c and udp.c each own one part of this.
 *
 * Exactly one port is "up" in lwIP's eyes at a time: the one in whose name it is being called. So
 * no packet is accepted by, and no answer leaves through, any other, whatever the addresses are.
 */
#ifndef OM_STACK_STATE_H
#define OM_STACK_STATE_H

#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/raw.h>
#include <lwip/tcp.h>
#include <lwip/udp.h>

#include <omerta/list.h>
#include <omerta/stack.h>
#include <omerta/stack_flow.h>
#include <omerta/table.h>

#include "stack/parcels.h"

/* A handle is an index in its low bits and a number that grows in the others: never 0. */
enum { OM_PORT_BITS = 6, OM_FLOW_BITS = 12, OM_ASK_BITS = 13 };
static_assert(OM_PORTS_MAX == 1 << OM_PORT_BITS && OM_FLOWS_MAX == 1 << OM_FLOW_BITS &&
                  OM_ASKS_MAX == 1 << OM_ASK_BITS,
              "the index of a handle has exactly these bits");

/* What names a connection; compared as bytes, so without padding. */
struct om_tuple {
    uint8_t here[16], there[16];
    uint32_t port;
    uint16_t here_port, there_port;
};
static_assert(sizeof(struct om_tuple) == 40, "padding");

struct om_stack_port {
    struct netif netif;
    struct om_stack *stack;
    uint32_t id;
    struct om_port_config config;
    ip_addr_t own_v4; /* what netif.ip_addr holds while no packet to another address is handled */
    unsigned flows, asks;
    bool is_leaving; /* nothing is sent any more */
};

/* What a kept SYN is to meet when it is fed to lwIP again. */
enum om_verdict { OM_VERDICT_NONE, OM_VERDICT_ACCEPT, OM_VERDICT_RST, OM_VERDICT_ICMP };

struct om_flow;
struct om_ask;

struct om_stack {
    om_time now;
    struct om_rng rng;
    struct om_stack_counts counts;

    struct om_stack_port *ports[OM_PORTS_MAX];
    struct om_stack_port *current; /* the one that is up; NULL: none */
    uint32_t port_serial;
    unsigned ethers; /* ports with ARP and neighbours */

    struct om_flow *flows[OM_FLOWS_MAX];
    struct om_table by_tuple; /* flows whose pcb lives */
    uint32_t flow_serial;
    unsigned flow_count;
    unsigned flow_hint;       /* where to look for a free slot */
    struct om_list news;      /* flows with something to tell, oldest first */
    struct om_list closing;   /* released flows whose pcb lives, oldest first */
    struct om_flow *incoming; /* whose SYN is being fed */

    struct om_ask *asks[OM_ASKS_MAX];
    struct om_table ask_by_tuple;
    struct om_list asks_by_age;
    uint32_t ask_serial;
    unsigned ask_hint; /* where to look for a free slot */
    unsigned asks_untold;
    enum om_verdict verdict;
    uint8_t icmp_v4, icmp_v6; /* codes of OM_VERDICT_ICMP */

    struct om_parcels out, datagrams;
    bool is_stalled; /* out was full: TCP is to try again once it is empty */

    struct tcp_pcb *door; /* the one listener, pointed at a port while a SYN is accepted */
    struct udp_pcb *udp;  /* the one UDP endpoint, pointed at the port of each datagram */
    struct raw_pcb *peek_tcp, *peek_udp; /* see a packet before TCP and UDP do */

    om_time tcp_at;          /* next tcp_tmr(); OM_NEVER without connections */
    om_time second_at;       /* next timers of ARP, neighbours and fragments */
    om_time fragments_until; /* fragments may wait until then */
};

#endif
