/*
 * gossip.h - what nodes of a network know of each other, without anybody who keeps a list
 *
 * What:  a node says where it is and what it offers; others learn it, whoever they met first.
 * Why:   a network has no server: knowledge travels signed by its origin, from member to member.
 * Keeps: gossip_node_meets_one_and_knows_all; gossip_node_finds_by_key; gossip_node_items_arrive;
 *        gossip_node_recalls_what_it_knew; gossip_node_tells_which_ends_are_mapped.
 *
 * For networks joined with om_network_config.gossip.
 */
#ifndef OMERTA_GOSSIP_H
#define OMERTA_GOSSIP_H

#include <omerta/addr.h>
#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/time.h>

struct om_node;

enum { OM_NAME_MAX = 32, OM_ANNOUNCE_ENDS = 8, OM_ANNOUNCE_SERVICES = 8, OM_SERVICE_MAX = 32 };

/* What a node says of itself; its key is added. */
struct om_announce {
    struct om_addr ends[OM_ANNOUNCE_ENDS]; /* where it may be reached, best first */
    bool mapped[OM_ANNOUNCE_ENDS];         /* that end is a router's, which maps it to us */
    unsigned end_count;
    char name[OM_NAME_MAX + 1]; /* "" for none */
    char services[OM_ANNOUNCE_SERVICES][OM_SERVICE_MAX + 1];
    unsigned service_count;
    bool relays; /* willing to relay, and in a closed network with the role (member.h) */
};

/* For OM_ACT_RECORD: a node's record is new. Worth keeping: om_node_learn() takes it back. */
struct om_act_record {
    struct om_id network;
    struct om_id peer;
    struct om_bytes bytes; /* lent until the next om_node_*() */
};

/* For OM_ACT_ITEM: somebody published on a channel that was subscribed. */
struct om_act_item {
    struct om_id network;
    struct om_id peer; /* the origin, whose signature held */
    char channel[17];
    uint32_t expires;      /* seconds of the origin's calendar */
    struct om_bytes value; /* lent until the next om_node_*() */
};

/* For OM_ACT_FOUND: om_node_seek() ended. */
struct om_act_found {
    struct om_id network;
    struct om_id peer;
    bool is_found; /* om_node_call() and the like reach it now, if anything does */
};

struct om_gossip_info {
    unsigned known; /* records held, ours included */
    unsigned items; /* of channels */
    size_t bytes;   /* memory of both */
    uint64_t rumours_in, rumours_out, entries_in, syncs, seeks;
    uint64_t forged, old, future, oversize, malformed, expired, strangers, over_quota, too_often;
};

/**
 * om_node_announce() - what others shall know of us in a network; told if it is news
 * @n:        the node
 * @now:      time
 * @network:  one that was joined with gossip
 * @a:        copied
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_RANGE, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_announce(struct om_node *n, om_time now, const struct om_id *network,
                                     const struct om_announce *a);

/**
 * om_node_publish() - our newest item on a channel of the network
 * @n:        the node
 * @now:      time
 * @network:  one that was joined with gossip
 * @channel:  1 to OM_CHANNEL_MAX bytes
 * @value:    at most 512 bytes; copied
 * @ttl_s:    seconds until others forget it, at most a day
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_RANGE, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_publish(struct om_node *n, om_time now, const struct om_id *network,
                                    const char *channel, struct om_bytes value, uint32_t ttl_s);

/** om_node_subscribe() - have @n report what is published on @channel of @network. Return: OM_OK,
 *  OM_E_MISSING, OM_E_RANGE, OM_E_FULL. */
OM_MUST enum om_err om_node_subscribe(struct om_node *n, const struct om_id *network,
                                      const char *channel);

/**
 * om_node_seek() - ask the mesh where a node is; answered by OM_ACT_FOUND
 * @n:        the node
 * @now:      time
 * @network:  one that was joined with gossip
 * @peer:     whose record
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_BUSY when it was asked a moment ago, OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_seek(struct om_node *n, om_time now, const struct om_id *network,
                                 const struct om_id *peer);

/** om_node_learn() - give @n back, at @now, a @record of @network that it had reported; it is
 *  checked like any other. Return: OM_OK or OM_E_MISSING. */
OM_MUST enum om_err om_node_learn(struct om_node *n, om_time now, const struct om_id *network,
                                  struct om_bytes record);

/** om_node_gossip_info() - what @n knows of @network into @out. Return: OM_OK or OM_E_MISSING. */
OM_MUST enum om_err om_node_gossip_info(const struct om_node *n, const struct om_id *network,
                                        struct om_gossip_info *out);

#endif
