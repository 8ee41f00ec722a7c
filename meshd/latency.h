/*
 * latency.h - round-trip times of peers over the last half hour
 *
 * What:  a sample of each peer's smoothed RTT every 30 s while it is heard, and mean, p50, p95 and
 *        p99 of the last 60.
 * Why:   the newest RTT says how a path is now; whether it is good for a shell is said by its tail.
 * Keeps: latency_figures_match_a_sorted_list; latency_forgets_after_half_an_hour;
 *        latency_table_is_bounded.
 *
 * Full: of OM_LATENCY_PEERS_MAX peers the one whose last sample is oldest gives way.
 */
#ifndef OM_MESHD_LATENCY_H
#define OM_MESHD_LATENCY_H

#include <omerta/id.h>
#include <omerta/lru.h>
#include <omerta/time.h>

enum { OM_LATENCY_SAMPLES = 60, OM_LATENCY_PEERS_MAX = 1024 };

#define OM_LATENCY_EVERY OM_SEC(30)

struct latency_figures {
    unsigned samples;
    om_time mean, p50, p95, p99; /* nearest-rank percentiles */
};

struct latency {
    struct om_lru peers; /* network || key -> struct latency_peer */
};

/** latency_init() - @l is empty; @sip_key: 16 random bytes. OM_OK or OM_E_NO_MEM. */
OM_MUST enum om_err latency_init(struct latency *l, const uint8_t sip_key[static 16]);

/** latency_fini() - release @l. */
void latency_fini(struct latency *l);

/**
 * latency_add() - a sample
 * @l:        where
 * @now:      time
 * @network:  of the peer
 * @peer:     its key
 * @rtt:      smoothed round-trip time
 */
void latency_add(struct latency *l, om_time now, const struct om_id *network,
                 const struct om_id *peer, om_time rtt);

/** latency_of() - figures of @peer of @network in @l at @now into @out; false without samples. */
bool latency_of(const struct latency *l, om_time now, const struct om_id *network,
                const struct om_id *peer, struct latency_figures *out);

#endif
