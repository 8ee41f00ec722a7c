/* bench_core.h - the benches of the core. */
#ifndef OM_BENCH_CORE_H
#define OM_BENCH_CORE_H

#include <stdbool.h>

#include "bench.h"

#define ENVELOPE_RATIO_MAX 1.10

/**
 * bench_envelope() - seal and open, per cipher and size
 * @r:  the report
 *
 * Return: the worst ratio at 1400 bytes to the bare AEAD.
 */
double bench_envelope(struct bench_report *r);

/** bench_handshake() - a whole handshake between two nodes, into @r. */
void bench_handshake(struct bench_report *r);

/** bench_node() - om_node_send() at one node to OM_ACT_DELIVER at the other, and junk, into @r. */
void bench_node(struct bench_report *r);

/** bench_stream() - a data packet of a stream, at the sender and at the receiver, into @r. */
void bench_stream(struct bench_report *r);

/** bench_memory() - what associations, calls and streams at full speed take, into @r. */
void bench_memory(struct bench_report *r);

/** bench_sim() - what an event of the simulator costs, into @r. */
void bench_sim(struct bench_report *r);

#endif
