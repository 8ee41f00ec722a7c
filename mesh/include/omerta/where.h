/*
 * where.h - where this machine is, as its driver knows it
 *
 * What:  its own addresses, and the ranges that are near: on its links, or named by the user.
 * Why:   candidates that peers name are only taken where this makes sense, and peers are told ours.
 * Keeps: node_where_tells_candidates; node_where_takes_no_foreign_ones;
 *        node_where_learns_from_pongs; node_where_change_asks_all;
 *        node_where_spends_no_more_than_three.
 *
 * Source: PROTOCOL sections 4 (CANDIDATES) and 5; RFC 8445 section 5.1.1.
 */
#ifndef OMERTA_WHERE_H
#define OMERTA_WHERE_H

#include <omerta/cidr.h>
#include <omerta/node.h>

enum {
    OM_WHERE_OWN_MAX = 16, /* addresses */
    OM_WHERE_NEAR_MAX = 16
};

/* Read freely. */
struct om_where {
    struct om_addr own[OM_WHERE_OWN_MAX]; /* with the port of the main socket, best first */
    bool is_mapped[OM_WHERE_OWN_MAX];     /* it is a router's, which maps it to us */
    unsigned own_count;
    struct om_cidr near[OM_WHERE_NEAR_MAX];
    unsigned near_count;
};

/**
 * om_node_where() - where this machine is from now on
 * @n:    the node
 * @now:  time
 * @w:    copied; when it differs, what was learnt of NATs is forgotten, every path is asked, and
 *        peers are told
 *
 * Return: OM_OK or OM_E_RANGE when a count is too large.
 */
OM_MUST enum om_err om_node_where(struct om_node *n, om_time now, const struct om_where *w);

#endif
