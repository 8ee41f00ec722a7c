/*
 * cubic.h - CUBIC with HyStart++: a window that grows with the time since the last loss
 *
 * What:  slow start that ends when round trips lengthen, then the cubic function of RFC 9438 or
 *        what Reno would have, whichever is greater; 0.7 of the window after a loss.
 * Why:   it is what everybody else on a shared link runs; here for comparison, and for who wants
 *        nothing else.
 * Keeps: cubic_grows_by_its_function; cubic_cuts_once_a_round_trip; cubic_is_never_below_reno;
 *        cubic_leaves_slow_start_when_round_trips_grow; cubic_collapses_when_all_is_lost;
 *        cubic_does_not_grow_unused.
 *
 * Source: RFC 9438 sections 4.1 to 4.8; RFC 9406 section 4; RFC 9002 sections 7.3 and 7.8.
 */
#ifndef OM_STREAM_CUBIC_H
#define OM_STREAM_CUBIC_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/time.h>

/* Read freely; written by cubic.c only. Volumes are bytes. */
struct om_cubic {
    uint64_t threshold; /* of slow start; UINT64_MAX: none */
    uint64_t w_max;     /* the window before the last cut */
    uint64_t w_est;     /* what Reno would have */
    uint64_t w_epoch;   /* the window when the present growth began */
    om_time epoch_at;   /* OM_NEVER: not growing by the function */
    om_time k;          /* from epoch_at until the function reaches w_max */
    uint64_t recovery;  /* packets up to this one were sent before the cut; and 1 */
    uint64_t est_acked; /* bytes acknowledged that have not raised w_est */
    uint64_t acked;     /* the same for the window */
    om_time srtt;
    /* HyStart++ */
    uint64_t round_end;                     /* packet whose acknowledgement ends the round */
    uint64_t last_sent;                     /* greatest number sent */
    om_time round_rtt, prior_rtt, css_base; /* least of this round, of the last; OM_NEVER: none */
    unsigned samples, css_rounds;
    bool is_css;     /* conservative slow start */
    bool is_limited; /* the sender had too little to send */
};

#endif
