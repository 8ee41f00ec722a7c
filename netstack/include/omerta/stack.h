/*
 * stack.h - one driven TCP/IP stack, with a port for each link whose packets end in this process
 *
 * What:  packets and the time come in; packets, questions, news of connections and datagrams go
 *        out. A port is one link: raw IP (a TUN, an overlay) or Ethernet (a VM's card). A catch-all
 *        port answers for every address there is, not only for its own.
 * Why:   a program that sent raw IP to us wants a connection to anywhere; we end its TCP here and
 *        carry the bytes in our own streams. lwIP does the protocol and knows of no loop, no
 *        socket and no clock.
 * Keeps: stack_is_one_in_a_process; stack_checks_the_config_of_a_port;
 *        stack_answers_echo_for_any_address; stack_carries_datagrams_both_ways;
 *        stack_drops_what_is_not_for_the_port; stack_ports_with_one_address_stay_apart;
 *        stack_port_remove_forgets_its_flows; stack_trusts_what_was_checked;
 *        stack_idle_has_no_deadline.
 * Full:  packets out: the packet is not sent and TCP sends it again; datagrams in: dropped.
 *
 * Every function but om_stack_next() and those of const stacks may produce actions: drain them.
 *
 * Source: RFC 1122 section 3.2.1.3 (addresses that are never a destination); lwIP 2.1.3.
 */
#ifndef OMERTA_STACK_H
#define OMERTA_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/addr.h>
#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/rng.h>
#include <omerta/time.h>

enum {
    OM_PORTS_MAX = 64,
    OM_FLOWS_MAX = 4096,        /* TCP connections, those that linger after a close included */
    OM_STACK_MTU_MIN = 1280,    /* RFC 8200 section 5 */
    OM_STACK_MTU_MAX = 65521,   /* 65535 less an Ethernet header */
    OM_STACK_OUT_MAX = 8 << 20, /* bytes of packets waiting for om_stack_next() */
    OM_STACK_DATAGRAMS_MAX = 1 << 20, /* bytes of datagrams waiting for om_stack_next() */
    OM_STACK_MAC = 6
};

enum om_port_kind { OM_PORT_IP, OM_PORT_ETHER };

struct om_port_config {
    enum om_port_kind kind;
    uint8_t mac[OM_STACK_MAC]; /* OM_PORT_ETHER only: ours; frames for another one are dropped */
    uint16_t mtu;              /* of IP packets, without the Ethernet header */
    uint8_t v4_prefix;         /* of v4; IPv6 is always /64 */
    bool has_v4, has_v6;
    struct om_addr v4, v6; /* the port's own addresses; an Ethernet port has fe80:: besides */
    bool is_catch_all;
    bool has_checksums; /* of TCP and UDP; off where a link authenticates, or fills them in */
    bool is_checked;    /* those of what comes in were looked at before */
    unsigned flows_max; /* 0: OM_FLOWS_MAX */
    uint32_t send_max;  /* bytes of a flow that are not acknowledged; 0: 1 MiB, which is the most */
};

enum om_stack_act_kind {
    OM_STACK_PACKET,   /* one IP packet or Ethernet frame to put on the port's link */
    OM_STACK_ASK,      /* somebody wants a connection: om_stack_accept() or om_stack_refuse() */
    OM_STACK_FLOW,     /* something happened to a connection */
    OM_STACK_DATAGRAM, /* UDP arrived */
    OM_STACK_ACT_COUNT
};

/* What happened to a connection; several bits at once. After the last four it is dead. */
enum om_flow_news {
    OM_FLOW_OPEN = 1 << 0,     /* both sides agreed on it */
    OM_FLOW_READABLE = 1 << 1, /* bytes wait in om_flow_read() */
    OM_FLOW_WRITABLE = 1 << 2, /* om_flow_write() had taken less than offered; now it takes more */
    OM_FLOW_END = 1 << 3,      /* the other side finished writing; after the bytes that wait */
    OM_FLOW_RESET = 1 << 4,    /* the other side broke it off */
    OM_FLOW_REFUSED = 1 << 5,  /* the other side did not want our om_stack_connect() */
    OM_FLOW_TIMEOUT = 1 << 6,  /* no answer, to our connect or to what we sent */
    OM_FLOW_GONE = 1 << 7      /* both sides finished and all was delivered */
};

struct om_stack_act {
    enum om_stack_act_kind kind;
    uint32_t port;
    struct om_bytes bytes;   /* PACKET, DATAGRAM: lent until the next om_stack_*() or om_flow_*() */
    uint32_t ask;            /* ASK */
    uint32_t flow;           /* FLOW */
    unsigned news;           /* FLOW: bits of enum om_flow_news */
    struct om_addr from, to; /* ASK, DATAGRAM */
};

/* Read freely: what arrived, what left, and what was dropped and why. */
struct om_stack_counts {
    uint64_t packets_in, packets_out;
    uint64_t malformed;      /* too short or too long to be a packet, or with a wrong checksum */
    uint64_t not_for_us;     /* to another address, or to or from one that no packet may have */
    uint64_t asks;           /* SYNs that became a question */
    uint64_t asks_full;      /* SYNs not answered: OM_PORT_ASKS_MAX questions were open */
    uint64_t asks_expired;   /* questions that nobody answered in time */
    uint64_t out_full;       /* packets not sent: OM_STACK_OUT_MAX, or no memory */
    uint64_t datagrams_full; /* datagrams dropped: OM_STACK_DATAGRAMS_MAX, or no memory */
};

struct om_stack;

/**
 * om_stack_new() - the stack of this process
 * @out:  set on success; the caller owns it
 * @rng:  copied; for first sequence numbers and ports
 * @now:  the time
 *
 * Return: OM_OK; OM_E_EXISTS when there is one already, for lwIP is global state; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_stack_new(struct om_stack **out, const struct om_rng *rng, om_time now);

/** om_stack_free() - drop @s with its ports and connections, sending nothing; NULL is fine. */
void om_stack_free(struct om_stack *s);

/**
 * om_stack_port_add() - a new link
 * @s:       the stack
 * @config:  copied
 * @port:    its handle; never 0, and not used again for a long time
 *
 * Return: OM_OK; OM_E_RANGE for a config that cannot be; OM_E_FULL at OM_PORTS_MAX; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_stack_port_add(struct om_stack *s, const struct om_port_config *config,
                                      uint32_t *port);

/**
 * om_stack_port_remove() - the link is gone; so are its connections and questions, without news
 * @s:     the stack
 * @port:  nothing happens when there is none
 */
void om_stack_port_remove(struct om_stack *s, uint32_t port);

/**
 * om_stack_input() - a packet arrived
 * @s:      the stack
 * @now:    the time
 * @port:   where; nothing happens when there is none
 * @bytes:  one IP packet or Ethernet frame, hostile; borrowed
 */
void om_stack_input(struct om_stack *s, om_time now, uint32_t port, struct om_bytes bytes);

/** om_stack_tick() - do in @s what is due at @now. */
void om_stack_tick(struct om_stack *s, om_time now);

/**
 * om_stack_next() - the next thing to do or to know
 * @s:    the stack
 * @act:  filled when there is one
 *
 * Return: false when there is none.
 */
bool om_stack_next(struct om_stack *s, struct om_stack_act *act);

/** om_stack_deadline() - when @s wants om_stack_tick(); OM_NEVER when nothing is open. */
om_time om_stack_deadline(const struct om_stack *s);

/**
 * om_stack_send() - one UDP datagram; fragments when it is larger than the port's MTU
 * @s:      the stack
 * @now:    the time
 * @port:   on which link
 * @from:   the source, its port not 0; an address that is not the port's own only on a catch-all
 * @to:     the destination, its port not 0, of the same family
 * @bytes:  at most 65507; borrowed
 *
 * Return: OM_OK also when lwIP drops it (no room, no answer to ARP); OM_E_MISSING for an unknown
 * port; OM_E_RANGE for addresses or a size that cannot be; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_stack_send(struct om_stack *s, om_time now, uint32_t port,
                                  const struct om_addr *from, const struct om_addr *to,
                                  struct om_bytes bytes);

/** om_stack_counts() - the counters of @s, lent as long as it lives. */
const struct om_stack_counts *om_stack_counts(const struct om_stack *s);

#endif
