/*
 * rtt.h - round-trip time of one path
 *
 * What:  smoothed RTT and its variation, and the probe timeout they give.
 * Why:   silence can only be judged against how long an answer normally takes.
 * Keeps: rtt_first_sample_sets_all; rtt_converges; rtt_pto_has_a_floor;
 *        rtt_takes_off_what_was_held.
 *
 * Source: RFC 9002 sections 5.3 (estimator) and 6.2.1 (PTO); initial RTT of PROTOCOL section 4.
 */
#ifndef OM_PATH_RTT_H
#define OM_PATH_RTT_H

#include <omerta/time.h>

enum { OM_RTT_INITIAL_MS = 100, OM_ACK_DELAY_MS = 25, OM_RTT_GRANULE_MS = 1 };

struct om_rtt {
    om_time smoothed; /* 0: no sample yet */
    om_time variation;
    om_time latest; /* newest sample, with what the peer held back */
    om_time least;  /* smallest of those */
};

/** om_rtt_sample() - one measured round trip @sample, above 0, into @r. */
void om_rtt_sample(struct om_rtt *r, om_time sample);

/**
 * om_rtt_sample_held() - a round trip of which the peer says how long it waited before answering
 * @r:       the estimator
 * @sample:  measured, with the wait
 * @held:    what the peer says; believed up to OM_ACK_DELAY_MS, and not below the least sample
 */
void om_rtt_sample_held(struct om_rtt *r, om_time sample, om_time held);

/** om_rtt_pto() - how long to wait for an answer before probing, by @r. */
om_time om_rtt_pto(const struct om_rtt *r);

#endif
