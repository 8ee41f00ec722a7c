/* rtt.c - the estimator of RFC 9002 section 5.3. */
#include "path/rtt.h"

void om_rtt_sample(struct om_rtt *r, om_time sample)
{
    if (sample <= 0)
        sample = 1;
    if (r->latest == 0)
        r->latest = r->least = sample;
    if (r->smoothed == 0) {
        r->smoothed = sample;
        r->variation = sample / 2;
        return;
    }
    om_time off = r->smoothed > sample ? r->smoothed - sample : sample - r->smoothed;
    r->variation = (3 * r->variation + off) / 4;
    r->smoothed = (7 * r->smoothed + sample) / 8;
}

void om_rtt_sample_held(struct om_rtt *r, om_time sample, om_time held)
{
    if (sample <= 0)
        sample = 1;
    r->latest = sample;
    if (r->least == 0 || sample < r->least)
        r->least = sample;
    held = om_time_min(held, OM_MS(OM_ACK_DELAY_MS));
    om_rtt_sample(r, sample - held >= r->least ? sample - held : sample);
}

om_time om_rtt_pto(const struct om_rtt *r)
{
    om_time smoothed = r->smoothed ? r->smoothed : OM_MS(OM_RTT_INITIAL_MS);
    om_time spread = 4 * (r->smoothed ? r->variation : OM_MS(OM_RTT_INITIAL_MS) / 2);

    if (spread < OM_MS(OM_RTT_GRANULE_MS))
        spread = OM_MS(OM_RTT_GRANULE_MS);
    return smoothed + spread + OM_MS(OM_ACK_DELAY_MS);
}
