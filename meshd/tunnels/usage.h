/*
 * usage.h - what each peer does with each thing that is exposed
 *
 * What:  counters for every pair of rule and peer, and the rate that the pair has.
 * Why:   who shares a line wants to know who used it, and to give each a part of it; two peers of
 *        one rule each have the whole rate of it.
 * Keeps: usage_counts_for_each_pair; usage_refuses_one_more_than_a_peer_may_have;
 *        usage_has_a_rate_for_each_peer; usage_forgets_who_was_quiet_for_longest;
 *        usage_refuses_when_all_are_in_use.
 *
 * Forwards have none: of them the rule's own counters say it all.
 *
 * Full: with TUNNEL_USAGES_MAX pairs, the one that was longest without anything open is forgotten;
 * if all have something open, the peer is told "busy".
 */
#ifndef OM_TUNNELS_USAGE_H
#define OM_TUNNELS_USAGE_H

#include "tunnels/parts.h"

enum { TUNNEL_USAGES_MAX = 1024 };

struct tunnel_usage {
    struct om_link link; /* the one that was used last is the last */
    struct tunnel_rule *rule;
    struct om_id peer;
    struct om_shape *sent_shape, *received_shape; /* owned; NULL: no rate */
    unsigned open;
    uint64_t total, refused;
    uint64_t sent, received;           /* of connections that ended, and of datagrams */
    uint64_t live_sent, live_received; /* of open connections, while a list is made */
    uint64_t datagrams;                /* both ways, with those dropped */
    uint64_t dropped;                  /* datagrams beyond the rate */
    struct om_wall first, last;        /* a connection counts when it begins and when it ends */
};

/**
 * tunnel_usage_begin() - a peer wants a connection, or a flow of UDP
 * @rule:  by which it may
 * @peer:  which
 * @out:   receives its usage, with one more open; NULL for a forward
 *
 * Return: false, counted as a failure of the rule: there are too many, or no memory.
 */
bool tunnel_usage_begin(struct tunnel_rule *rule, const struct om_id *peer,
                        struct tunnel_usage **out);

/** tunnel_usage_end() - one less is open of @u; NULL is fine. */
void tunnel_usage_end(struct tunnel_usage *u);

/** tunnel_usage_refuse() - what began of @u came to nothing, and still has to end; NULL is fine. */
void tunnel_usage_refuse(struct tunnel_usage *u);

/** tunnel_usage_count() - a connection of @u ended that carried @end; NULL is fine. */
void tunnel_usage_count(struct tunnel_usage *u, const struct om_splice_end *end);

/** tunnel_usage_send() - a datagram of @n bytes goes to the peer of @u, unless this is false: its
 *  rate is used up; NULL is fine. */
bool tunnel_usage_send(struct tunnel_usage *u, size_t n);

/** tunnel_usage_receive() - the same for one of @n bytes from the peer of @u. */
bool tunnel_usage_receive(struct tunnel_usage *u, size_t n);

/** tunnel_usage_forget() - the pairs of @rule, of which nothing is open. */
void tunnel_usage_forget(const struct tunnel_rule *rule);

/** tunnel_usage_init() - @t has none. */
bool tunnel_usage_init(struct tunnels *t);

/** tunnel_usage_fini() - release what tunnel_usage_init() took; @t has no rules any more. */
void tunnel_usage_fini(struct tunnels *t);

#endif
