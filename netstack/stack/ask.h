/*
 * ask.h - SYNs to a catch-all port that wait for their owner's answer
 *
 * What:  looks at each TCP packet before lwIP's TCP does; keeps the headers of a SYN, and feeds
 *        them to lwIP when the answer is known.
 * Why:   lwIP answers a SYN at once, when it has a listener for the port, and has none for "any".
 *        So the SYN is held back; to accept it, the one listener is pointed at its port for the
 *        moment in which the SYN is fed.
 * Keeps: tcp_ask_is_asked_once; tcp_ask_expires; tcp_asks_are_bounded;
 *        tcp_ask_dies_with_its_client.
 * Full:  OM_PORT_ASKS_MAX of its port: the SYN is dropped and counted; its sender repeats it.
 *
 * Source: lwIP 2.1.3: raw_input() comes before tcp_input(), which matches a listener by port and
 *         interface and takes the connection's own address from the packet.
 */
#ifndef OM_STACK_ASK_H
#define OM_STACK_ASK_H

#include "stack/state.h"

/** om_asks_begin() - start to look at the TCP packets of @s; OM_OK or OM_E_NO_MEM. */
OM_MUST enum om_err om_asks_begin(struct om_stack *s);

/** om_asks_end() - free every ask of @s and stop looking. */
void om_asks_end(struct om_stack *s);

/** om_asks_drop_port() - free every ask of @port of @s. */
void om_asks_drop_port(struct om_stack *s, const struct om_stack_port *port);

/** om_asks_expire() - forget the asks of @s that nobody answered in time. */
void om_asks_expire(struct om_stack *s);

/** om_asks_deadline() - when the next ask of @s expires, or OM_NEVER. */
om_time om_asks_deadline(const struct om_stack *s);

/** om_asks_news() - the oldest ask of @s not told yet, into @act; false when there is none. */
bool om_asks_news(struct om_stack *s, struct om_stack_act *act);

#endif
