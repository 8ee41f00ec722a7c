/*
 * metrics_page.h - everything the daemon counts, as a page for Prometheus
 *
 * What:  counters of the node, its sockets and each peer, in the text exposition format.
 * Why:   what is counted is for graphs and alarms; nobody should have to parse a status for it.
 * Full:  of peers the first OM_METRICS_PEERS in order of keys are on the page.
 */
#ifndef OM_MESHD_METRICS_PAGE_H
#define OM_MESHD_METRICS_PAGE_H

#include "state.h"

enum { OM_METRICS_PEERS = 256 };

/** metrics_page() - the page of @d, the caller's to free; NULL without memory. */
char *metrics_page(const struct om_daemon *d);

#endif
