/*
 * rx.h - what a flow received and nobody consumed yet
 *
 * What:  a queue of chunks, each larger than the one before up to 64 KiB, that segments are copied
 *        into.
 * Why:   a window of 1 MiB in segments of one byte would hold a hundred times that in packet
 *        buffers; copied together it holds no more than it promises.
 * Keeps: tcp_moves_single_bytes; tcp_slow_reader_stops_the_writer.
 */
#ifndef OM_STACK_RX_H
#define OM_STACK_RX_H

#include "stack/tcp.h"

/** om_rx_append() - copy the bytes of @p to the end of @f's; false and no change: no memory. */
OM_MUST bool om_rx_append(struct om_flow *f, const struct pbuf *p);

/** om_rx_first() - the oldest bytes of @f, in one piece; lent until _append() or _consume(). */
struct om_bytes om_rx_first(const struct om_flow *f);

/** om_rx_consume() - drop the first @n bytes of @f, which has them. */
void om_rx_consume(struct om_flow *f, size_t n);

/** om_rx_drop() - drop all bytes of @f. */
void om_rx_drop(struct om_flow *f);

#endif
