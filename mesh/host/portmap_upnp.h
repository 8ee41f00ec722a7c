/*
 * portmap_upnp.h - ask the gateway for a mapping by UPnP IGD
 *
 * What:  finds the gateway's description, then maps or unmaps one port by SOAP, with miniupnpc.
 * Why:   most home routers speak it, and many of them nothing else.
 * Keeps: portmap_upnp_without_a_route_asks_nobody; portmap_upnp_error_words.
 *
 * Only the gateway of the default route is asked, at URLs that lead to it: a description that names
 * another host is refused. A mapping that is there is looked at before it is replaced or removed:
 * one of another machine is left alone. miniupnpc waits for HTTP without a deadline of its own, so
 * the caller has to have one.
 *
 * Source: UPnP WANIPConnection:1 sections 2.4.14 to 2.4.18; PROTOCOL section 9 (the description).
 */
#ifndef OM_HOST_PORTMAP_UPNP_H
#define OM_HOST_PORTMAP_UPNP_H

#include "portmap_speak.h"

#define PORTMAP_UPNP_TEXT "UDP" /* what the router's list of mappings shows of us */

/** portmap_upnp() - put @q to the gateway; blocks until it answered or did not, into @out. */
void portmap_upnp(struct portmap_question *q, struct om_portmap_answer *out);

/** portmap_upnp_error() - what the result @e of miniupnpc means, into @out. */
void portmap_upnp_error(int e, struct om_portmap_answer *out);

#endif
