/*
 * lane.h - relay lanes in a node: ours, and those of others through us
 *
 * What:  where the machines of relay/ meet sessions, handshakes and datagrams.
 * Why:   node_in.c and node_out.c only ask whether a datagram is on a lane; all that follows from
 *        it is here.
 * Keeps: spare_refusal_says_nothing_of_the_relay; spare_aside_a_refusal_makes_a_relay_busy.
 *
 * A way that leads over a lane has its lane's number and no address: the relay's may change.
 */
#ifndef OM_NODE_LANE_H
#define OM_NODE_LANE_H

#include "node/services.h"
#include "node/state.h"

enum {
    OM_NODE_RELAYS_MAX = 3 /* that are asked for a lane to one peer */
};

/* What became of a datagram whose index is that of a lane. */
enum node_lane_fate {
    NODE_LANE_NONE, /* it is not */
    NODE_LANE_DONE, /* sent on, or dropped */
    NODE_LANE_INNER /* it is now what was inside, and its way the lane */
};

/** node_lane_start() - the parts of @n that lanes need. Return: OM_OK or OM_E_RANGE. */
enum om_err node_lane_start(struct om_node *n);

/** node_lane_stop() - end them in @n, whose peers are gone. */
void node_lane_stop(struct om_node *n);

/**
 * node_lane_input() - a datagram came directly and is of no session
 * @n:      the node
 * @now:    time
 * @d:      it; changed for NODE_LANE_INNER
 * @epoch:  whose mask gave @index
 * @index:  not 0
 *
 * Return: its fate.
 */
enum node_lane_fate node_lane_input(struct om_node *n, om_time now, struct om_dgram *d,
                                    const struct om_epoch *epoch, uint32_t index);

/**
 * node_lane_output() - a datagram is to leave over a lane
 * @n:      the node
 * @d:      it, masked as for a direct way; changed
 * @epoch:  of its session or handshake
 * @via:    the lane; becomes the way to the relay
 *
 * Return: true when it is to be sent there; false when it travels in an offer or an answer, or is
 * dropped: then @d is the caller's to give back.
 */
bool node_lane_output(struct om_node *n, struct om_sealed *d, const struct om_epoch *epoch,
                      struct om_via *via);

/**
 * node_lane_frame() - a frame about lanes
 * @n:    the node
 * @now:  time
 * @p:    who said it
 * @via:  over which way
 * @f:    LANE_OFFER, ACCEPT, REFUSE, BOUND or CLOSE
 */
void node_lane_frame(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                     const struct om_frame *f);

/** node_lane_heard() - @p was heard at @now from @via, authentically; where that is not proven, far
 *  ends are not told that it is there. */
void node_lane_heard(struct om_peer *p, om_time now, const struct om_via *via);

/** node_lane_end() - the association with @p ended, and every lane through it with it. */
void node_lane_end(struct om_peer *p);

/** node_lane_initiate() - @n sends its msg1 to @p over lanes at @now, and asks relays for some. */
void node_lane_initiate(struct om_node *n, om_time now, struct om_peer *p);

/**
 * node_lane_spare() - a lane over each relay for one that has a lane already
 * @n:    the node
 * @now:  time
 * @p:    whom @n talks with; reached directly, or asked for a minute ago or less: nothing is done,
 *        nor where half of the lanes that there may be are taken, as others may have no other way
 *
 * Should the relay that carries die, data goes on over the other within a round trip (paths.h), and
 * not after the silence until a handshake is raced.
 */
void node_lane_spare(struct om_node *n, om_time now, struct om_peer *p);

/** node_lane_may_reach() - is there a relay that @n could ask for a lane to @p? */
bool node_lane_may_reach(const struct om_node *n, const struct om_peer *p);

/** node_lane_leads_to() - is @via of @n a lane that we asked for to @p? */
bool node_lane_leads_to(const struct om_node *n, const struct om_via *via, const struct om_peer *p);

/** node_lane_is_asked() - is @via of @n a lane that is not open yet? */
bool node_lane_is_asked(const struct om_node *n, const struct om_via *via);

/** node_lane_relay() - the relay that @via of @n leads over; NULL: none. */
const struct om_peer *node_lane_relay(const struct om_node *n, const struct om_via *via);

/** node_lane_seen() - where the relay of @via, a lane of @n, sees the far end, into @seen, and
 *  when, into @at. Return: false when it did not say. */
bool node_lane_seen(const struct om_node *n, const struct om_via *via, struct om_addr *seen,
                    om_time *at);

/** node_lane_is_by_known() - had the relay of @via, a lane of @n, bound one for us before it? */
bool node_lane_is_by_known(const struct om_node *n, const struct om_via *via);

/** node_lane_renew() - have the relay of @via, a lane of @n, say anew where it sees both ends. */
void node_lane_renew(struct om_node *n, const struct om_via *via);

/** node_lane_forget() - @p of @n goes: lanes that lead to it are not wanted any more. */
void node_lane_forget(struct om_node *n, const struct om_peer *p);

/** node_lane_tick() - what is due at @now on the lane timer @t of a node. */
void node_lane_tick(struct om_timer *t, om_time now);

/** node_lane_next() - do or say one thing that lanes of @n want; NODE_IDLE when nothing. */
enum node_step node_lane_next(struct om_node *n);

/* node_relay.c: lanes of others */

/** node_relay_frame() - @p said @f to @n, as to a relay, over @via, at @now. */
void node_relay_frame(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                      const struct om_frame *f);

/** node_relay_carry() - @n sends @d, which came @now under @epoch on @leg, on, or drops it. */
void node_relay_carry(struct om_node *n, om_time now, const struct om_dgram *d,
                      const struct om_epoch *epoch, struct om_relay_leg *leg);

/* node_select.c: relays that are kept warm */

/** node_select_record() - gossip brought @n the @record of a node of @net. */
void node_select_record(struct om_node *n, struct om_network *net, struct om_bytes record);

/** node_select_refused() - @relay refused @n a lane at @now, for it has enough to do. */
void node_select_refused(struct om_node *n, om_time now, const struct om_peer *relay);

/** node_select_score() - the less, the sooner @n asks @relay at @now for a lane; @is_busy: it
 *  refused one just now. */
om_time node_select_score(const struct om_node *n, om_time now, const struct om_peer *relay,
                          bool *is_busy);

/** node_select_stop() - @n keeps no relays any more. */
void node_select_stop(struct om_node *n);

/** node_select_leave() - @n keeps none any more in its @i-th network. */
void node_select_leave(struct om_node *n, unsigned i);

/** node_lane_say() - @n sends @f, about a lane, to @p. */
void node_lane_say(struct om_node *n, struct om_peer *p, const struct om_frame *f);

/** node_lane_direct() - the proven direct way to @p, the active one if it is; NULL: none. */
const struct om_via *node_lane_direct(const struct om_peer *p);

/** node_lane_session() - the session with @p in which @n speaks of lanes: direct; or NULL. */
struct om_session *node_lane_session(const struct om_node *n, const struct om_peer *p);

#endif
