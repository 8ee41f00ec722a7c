/*
 * portmap_natpmp.h - ask the gateway for a mapping by NAT-PMP
 *
 * What:  one question to the gateway of the IPv4 default route and its answer, by libnatpmp.
 * Why:   it is one small datagram each way, so it is asked before UPnP.
 * Keeps: portmap_natpmp_maps_and_removes; portmap_natpmp_reads_a_refusal;
 *        portmap_natpmp_checks_what_was_mapped; portmap_natpmp_silence_ends.
 *
 * PCP, its successor, is not spoken: libnatpmp does not know it, and routers with PCP answer
 * NAT-PMP too (RFC 6887 appendix A). Answers come from the gateway alone: the socket is connected.
 *
 * Source: RFC 6886 sections 3.2 (external address), 3.3 (mapping), 3.4 (removal), 3.5 (results).
 */
#ifndef OM_HOST_PORTMAP_NATPMP_H
#define OM_HOST_PORTMAP_NATPMP_H

#include <natpmp.h>

#include <omerta/attr.h>

#include "portmap_speak.h"

enum { PORTMAP_NATPMP_MS = 1750 }; /* for one request: tries after 250, 500 and 1000 ms */

/**
 * portmap_natpmp_wait() - the answer to the request that is out
 * @p:       libnatpmp's, a request sent
 * @until:   when to give up
 * @is_off:  looked at meanwhile; may be NULL
 * @answer:  filled when 0 is returned
 *
 * Return: 0, or one of NATPMP_ERR_*, NATPMP_TRYAGAIN.
 */
OM_MUST int portmap_natpmp_wait(natpmp_t *p, om_time until, atomic_bool *is_off,
                                natpmpresp_t *answer);

/** portmap_natpmp() - put @q to the gateway; blocks until it answered or did not, into @out. */
void portmap_natpmp(struct portmap_question *q, struct om_portmap_answer *out);

/** portmap_natpmp_at() - as portmap_natpmp(), of @q to @gateway in network order, into @out. */
void portmap_natpmp_at(uint32_t gateway, struct portmap_question *q, struct om_portmap_answer *out);

#endif
