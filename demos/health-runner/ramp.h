/*
 * ramp.h - more and more through a port here that leads to a sink there
 *
 * What:  datagrams at a rate, and full connections, each for a while; what the sink says it got.
 * Why:   the same load with the mesh and without it tells what the mesh costs.
 *
 * Every step is bounded in rate and time: OM_RAMP_MBIT_MAX, OM_RAMP_STEP_MS, OM_RAMP_STREAMS_MAX.
 */
#ifndef OM_HEALTH_RAMP_H
#define OM_HEALTH_RAMP_H

#include "run.h"

enum {
    OM_RAMP_MBIT_MAX = 800,
    OM_RAMP_STEP_MS = 500,
    OM_RAMP_STREAMS_MAX = 8,
    OM_RAMP_DATAGRAM = 1100 /* bytes: one of the mesh's on any path */
};

/**
 * om_ramp_udp() - 1, 2, 5, 10 Mbit/s and so on, until a fifth is lost
 * @r:        its pulse goes on, its far agent counts
 * @res:      receives the steps, and the greatest rate of which 1 % at most was lost
 * @address:  numeric, IPv4
 * @port:     of the sink
 */
void om_ramp_udp(struct om_run *r, struct om_result *res, const char *address, uint16_t port);

/**
 * om_ramp_tcp() - full connections at once
 * @r:        its pulse goes on, its far agent counts
 * @res:      fails when not all bytes come; receives a step
 * @address:  numeric, IPv4
 * @port:     of the sink
 * @streams:  1 to OM_RAMP_STREAMS_MAX
 * @ms:       for how long they are filled
 * @most:     bytes after which they end earlier; 0: none
 *
 * Return: Mbit/s until the last byte was there; 0 after a failure.
 */
double om_ramp_tcp(struct om_run *r, struct om_result *res, const char *address, uint16_t port,
                   unsigned streams, int ms, uint64_t most);

#endif
