/*
 * flow.h - what has been opened, so that its answers get in
 *
 * What:  a bounded table of TCP connections, UDP exchanges and echoes by their five values, each
 *        with the time it may be silent.
 * Why:   rules speak of who may open; without a memory, answers would need rules of their own.
 * Keeps: flow_lets_answers_in; flow_follows_tcp; flow_syn_on_a_closed_connection_is_new;
 *        flow_expires_when_silent; flow_full_table_forgets_the_least_useful;
 *        flow_wants_a_syn_to_open.
 *
 * Flows of one stage share one timeout, so the one silent for longest is the next to expire.
 * Full: the one silent for longest of the first stage below that has any gives way; so a scan
 * pushes out its own half-open connections, and an established one goes only when all are.
 *
 *   CLOSING   (2 min)  TCP after an RST or both FINs
 *   OPENING   (2 min)  TCP before the third packet of its handshake
 *   ASKED     (30 s)   UDP and echo without an answer yet
 *   ANSWERED  (2 min)  UDP and echo with one
 *   OPEN      (24 h)   TCP
 *
 * Source: RFC 5382 section 5 and RFC 4787 section 4.3 for the order of the times; RFC 9293
 *         section 3.3.2 for the states that are told apart.
 */
#ifndef OM_GUARD_FLOW_H
#define OM_GUARD_FLOW_H

#include <omerta/lru.h>
#include <omerta/time.h>

#include "guard/rule.h"
#include "packet/packet.h"

enum { OM_GUARD_FLOWS_MAX = 4096 };

enum om_stage {
    OM_STAGE_CLOSING,
    OM_STAGE_OPENING,
    OM_STAGE_ASKED,
    OM_STAGE_ANSWERED,
    OM_STAGE_OPEN,
    OM_STAGES
};

/* Read freely; write only through om_flows_*(). */
struct om_flows {
    struct om_lru stage[OM_STAGES];
    unsigned max;
    uint64_t evicted; /* flows that gave way before their time */
};

enum om_flow_answer {
    OM_FLOW_KNOWN, /* belongs to a flow, which is as fresh as now */
    OM_FLOW_OPENS, /* to none, and it could open one: ask the rules */
    OM_FLOW_STRAY  /* to none, and it opens nothing: a TCP segment, an echo reply, an error */
};

/**
 * om_flows_init() - an empty table; allocates nothing yet
 * @f:        storage of the caller
 * @max:      flows, 1 to OM_GUARD_FLOWS_MAX
 * @sip_key:  16 secret bytes, copied
 *
 * Return: OM_OK or OM_E_RANGE.
 */
OM_MUST enum om_err om_flows_init(struct om_flows *f, unsigned max,
                                  const uint8_t sip_key[static OM_SIP_KEY]);

/** om_flows_fini() - release @f, which may be zeroed. */
void om_flows_fini(struct om_flows *f);

/**
 * om_flows_see() - what a packet is to the flows; one that belongs moves its flow on
 * @f:    the table
 * @now:  current time
 * @d:    where the packet goes
 * @p:    not a later fragment
 *
 * Return: the answer.
 */
enum om_flow_answer om_flows_see(struct om_flows *f, om_time now, enum om_direction d,
                                 const struct om_packet *p);

/**
 * om_flows_open() - remember what a packet opened, after the rules allowed it
 * @f:    the table; full: see above
 * @now:  current time
 * @d:    where the packet goes
 * @p:    one that OM_FLOW_OPENS
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_flows_open(struct om_flows *f, om_time now, enum om_direction d,
                                  const struct om_packet *p);

/** om_flows_tick() - forget the flows of @f whose time is over at @now. */
void om_flows_tick(struct om_flows *f, om_time now);

/** om_flows_deadline() - when the next flow of @f may expire; OM_NEVER without flows. */
om_time om_flows_deadline(const struct om_flows *f);

/** om_flows_count() - flows in @f, expired ones that no tick has seen included. */
unsigned om_flows_count(const struct om_flows *f);

#endif
