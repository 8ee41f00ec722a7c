/*
 * peers.h - all peers of a node, by network and key
 *
 * What:  finds and creates peers; remembers the initiation timestamps of those it had to forget.
 * Why:   a stranger of an open network may create an entry, so the table is bounded; but a replay
 *        of an old initiation must be refused even after its sender was forgotten.
 * Keeps: peers_full_evicts_the_idle; peers_full_spares_the_named;
 *        peers_full_of_one_network_has_room_for_another;
 *        peers_remember_stamps_of_the_evicted; peers_remember_stamps_of_the_living.
 *
 * Full: at peers_max om_peers_victim() gives way; without one the new peer is refused. A network
 * with no more than its share of the table loses none to another one, and gets that share also
 * from a network whose peers are all busy. Stamps forget the least recent, except those of peers in
 * the table.
 */
#ifndef OM_PEER_PEERS_H
#define OM_PEER_PEERS_H

#include <omerta/lru.h>
#include <omerta/table.h>

#include "peer/peer.h"

enum {
    OM_PEER_KEY = 64,
    OM_STAMPS_PER_PEER = 8,
    OM_PEERS_NETWORKS = 16 /* that a node may be in: a share is one part of so many */
};

struct om_peers {
    struct om_table table; /* network id || key -> struct om_peer */
    struct om_lru stamps;  /* the same -> u64 */
};

/**
 * om_peers_init() - empty
 * @t:        zeroed storage
 * @max:      bound
 * @sip_key:  16 random bytes
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_peers_init(struct om_peers *t, unsigned max,
                                  const uint8_t sip_key[static 16]);

/** om_peers_fini() - release @t, which must be empty. */
void om_peers_fini(struct om_peers *t);

/** om_peers_find() - the peer @id of @net in @t, or NULL. */
struct om_peer *om_peers_find(const struct om_peers *t, const struct om_network *net,
                              const struct om_id *id);

/**
 * om_peers_add() - find or create
 * @t:    the table
 * @net:  the network
 * @id:   the key
 * @out:  the peer, owned by the table
 *
 * Return: OM_OK, OM_E_RANGE for a key that cannot be a peer, OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_peers_add(struct om_peers *t, struct om_network *net, const struct om_id *id,
                                 struct om_peer **out);

/**
 * om_peers_victim() - who gives way when the table is full
 * @t:    the table
 * @net:  of whom there is no room for; others with no more than their share are not looked at
 *
 * Return: the oldest peer without association, handshake, wish or waiting data; without one, the
 * oldest whose association has no keys left. Peers of which an endpoint was given come after all
 * others. Without any, and if @net has less than its share, who was not heard for longest of the
 * network that has most, with its session, unless our own program wants or named it; else NULL.
 */
struct om_peer *om_peers_victim(const struct om_peers *t, const struct om_network *net);

/** om_peers_remove() - take @p out of @t and free it; it must hold nothing any more. */
void om_peers_remove(struct om_peers *t, struct om_peer *p);

/** om_peers_stamp() - greatest known initiation timestamp of @id in @net by @t; 0 for none. */
uint64_t om_peers_stamp(const struct om_peers *t, const struct om_network *net,
                        const struct om_id *id);

/**
 * om_peers_set_stamp() - remember an accepted timestamp
 * @t:      the table
 * @net:    the network
 * @id:     the key
 * @stamp:  milliseconds; lower than the known one is ignored
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_peers_set_stamp(struct om_peers *t, const struct om_network *net,
                                       const struct om_id *id, uint64_t stamp);

#endif
