/*
 * phase_all.h - what does the phases, for the table
 *
 * What:  a function for each phase that is built, by the files phase_*.c.
 * Why:   the table is one file, and what fault belongs to what figure another.
 */
#ifndef OM_HEALTH_PHASE_ALL_H
#define OM_HEALTH_PHASE_ALL_H

#include "run.h"

/** om_phase_baseline() - 1: ten probes each way, of @r into @res. */
void om_phase_baseline(struct om_run *r, struct om_result *res);

/** om_phase_idle() - 2: what is sent at rest, of @r into @res. */
void om_phase_idle(struct om_run *r, struct om_result *res);

/** om_phase_wake() - 3: the first word after rest, of @r into @res. */
void om_phase_wake(struct om_run *r, struct om_result *res);

/** om_phase_one_way() - 4: the peer hears nothing, of @r into @res. */
void om_phase_one_way(struct om_run *r, struct om_result *res);

/** om_phase_recovery() - 5: the same, and its end, of @r into @res. */
void om_phase_recovery(struct om_run *r, struct om_result *res);

/** om_phase_both_ways() - 6: nothing passes, and the end of that, of @r into @res. */
void om_phase_both_ways(struct om_run *r, struct om_result *res);

/** om_phase_transient() - 7: nothing passes for a second, of @r into @res. */
void om_phase_transient(struct om_run *r, struct om_result *res);

/** om_phase_flapping() - 8: the same ten times, of @r into @res. */
void om_phase_flapping(struct om_run *r, struct om_result *res);

/** om_phase_address() - 9: the peer gets an address and loses it, of @r into @res. */
void om_phase_address(struct om_run *r, struct om_result *res);

/** om_phase_profiles() - 10: delays and losses, of @r into @res. */
void om_phase_profiles(struct om_run *r, struct om_result *res);

/** om_phase_saturation() - 10b: full connections, and who talks beside them, of @r into @res. */
void om_phase_saturation(struct om_run *r, struct om_result *res);

/** om_phase_raw_udp() - 11a: datagrams without the mesh, of @r into @res. */
void om_phase_raw_udp(struct om_run *r, struct om_result *res);

/** om_phase_raw_tcp() - 11b: bytes without the mesh, of @r into @res. */
void om_phase_raw_tcp(struct om_run *r, struct om_result *res);

/** om_phase_mesh_udp() - 12: datagrams through it, of @r into @res. */
void om_phase_mesh_udp(struct om_run *r, struct om_result *res);

/** om_phase_mesh_tcp() - 12a: connections through it, of @r into @res. */
void om_phase_mesh_tcp(struct om_run *r, struct om_result *res);

/** om_phase_latency() - 13: many probes, of @r into @res. */
void om_phase_latency(struct om_run *r, struct om_result *res);

/** om_phase_swap() - 14: the peer moves and moves back, of @r into @res. */
void om_phase_swap(struct om_run *r, struct om_result *res);

/** om_phase_ways() - 17: the way in use is cut, of @r into @res. */
void om_phase_ways(struct om_run *r, struct om_result *res);

#endif
