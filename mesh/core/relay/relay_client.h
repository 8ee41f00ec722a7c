/*
 * relay_client.h - our own lanes: to a peer that we asked a relay for, and those we were asked for
 *
 * What:  asks relays, answers their offers, keeps what is needed to send and receive on each lane,
 *        and says when one is there and when it is gone.
 * Why:   a lane belongs to two sessions: the one with the relay, in which it was agreed and whose
 *        association it dies with, and the one inside, which outlives it. It is neither's part.
 * Keeps: lanes_open_from_both_sides; lanes_resend_and_give_up; lanes_repeat_their_answer;
 *        lanes_die_with_their_relay; lanes_are_bounded; lanes_keep_room_for_another_network;
 *        lanes_limit_offers_of_a_relay;
 *        lanes_go_when_idle; lanes_ignore_what_is_not_theirs;
 *        lanes_are_bound_anew; lanes_take_a_newer_word.
 *
 *          ask()               BOUND                300 s unheard, CLOSE, relay gone, end()
 *   (none) -----> ASKED --------------------> OPEN ---------------------------------> (none)
 *                   | REFUSE, silent 11 s     ^
 *                   +----------> (none)       | answer()
 *          OFFER                              |
 *   (none) -----> OFFERED --------------------+
 *                   | decline(), not answered within 2 s
 *                   +----------> (none)
 *
 * Full: OM_LANES_MAX lanes, OM_LANES_PER_RELAY of them through one relay, or what is left are the
 * shares of other networks (share.h): ask() says so, and an offer is refused. Offers of a relay
 * over its rate: left out and counted. OM_LANES_WORDS_MAX refusals, goodbyes and endings wait, of
 * which endings are never left out.
 *
 * Source: PROTOCOL section 6.
 */
#ifndef OM_RELAY_RELAY_CLIENT_H
#define OM_RELAY_RELAY_CLIENT_H

#include <omerta/bucket.h>
#include <omerta/list.h>
#include <omerta/ring.h>
#include <omerta/rng.h>
#include <omerta/share.h>
#include <omerta/timers.h>

#include "crypto/index.h"
#include "envelope/frame.h"
#include "relay/lane.h"

enum {
    OM_LANES_MAX = 256,
    OM_LANES_PER_RELAY = 64,
    OM_LANES_OFFERS_PER_S = 5, /* taken from one relay: each costs as much as an initiation */
    OM_LANES_OFFERS_BURST = 20,
    OM_LANES_RESEND_MS = 500, /* then after twice as long, each time */
    OM_LANES_RESENDS = 4,     /* after 0.5, 1, 2 and 4 s */
    OM_LANES_GIVE_UP_S = 4,   /* after the last */
    OM_LANES_ANSWER_S = 2,    /* to make up our mind about an offer */
    OM_LANES_IDLE_S = 300,
    OM_LANES_WORDS_MAX = 128 /* refusals and goodbyes */
};

struct om_lanes;

/* A peer through which lanes may lead: there is a session with it. Read freely. */
struct om_lane_relay {
    struct om_lanes *lanes;
    void *user;           /* whoever asked for it */
    struct om_id network; /* of the session, and of all lanes through it */
    struct om_list all;
    unsigned count;
    bool was_bound; /* it bound a lane that we asked for */
    struct om_bucket offers;
};

enum om_lane_state { OM_LANE_ASKED, OM_LANE_OFFERED, OM_LANE_OPEN, OM_LANE_OVER };

/* What the index table knows under OM_INDEX_LANE. Read freely; @peer is the caller's to set. */
struct om_lane {
    struct om_lanes *lanes;
    struct om_lane_relay *relay; /* NULL once it is over */
    enum om_lane_state state;
    void *peer;          /* to whom it leads; NULL: not known yet */
    struct om_id to;     /* likewise, for a lane that we asked for */
    bool is_asker;       /* we asked for it */
    bool was_open;       /* we said that it was */
    bool is_by_known;    /* its relay had bound another for us before: its word counts for more */
    uint8_t reason;      /* why it is over; 0: closed, lost or idle */
    uint32_t id;         /* that of hop.receive_id; stays when the hop is wiped */
    struct om_hop hop;   /* its send_id is 0 until it is open */
    struct om_addr seen; /* where the relay says that the far end is */
    om_time seen_at;     /* when that was */
    om_time heard;       /* when anything last came over it */
    unsigned resends;
    struct om_link todo; /* linked: there is something to say of it */
    bool says_offer, says_accept, says_state;
    struct om_link of_relay;
    struct om_timer timer;
    size_t handshake_len;
    uint8_t handshake[OM_HANDSHAKE_MAX]; /* ours, to say it again; WANTED and UP: theirs */
};

struct om_lanes_counts {
    uint64_t asked, offered, opened, refused, ended;
    uint64_t forged, replayed; /* datagrams that were dropped */
    uint64_t offers_over_rate, words_lost;
};

/* Read freely; write only through om_lane*(). */
struct om_lanes {
    const struct om_rng *rng;
    struct om_indices *indices;
    struct om_timers timers;
    struct om_shares shares;  /* the lanes by network */
    const unsigned *networks; /* that the node is in */
    struct om_list todo;
    struct om_list over;  /* lanes to be freed */
    struct om_ring words; /* struct om_lanes_word */
    struct om_lanes_counts counts;
};

enum om_lane_act_kind {
    OM_LANE_SAY,    /* @frame to @relay, in the session with it, over no lane */
    OM_LANE_WANTED, /* @lane was offered: see the handshake it has, then answer or decline */
    OM_LANE_UP,     /* @lane is open; if we asked for it, with the handshake it has */
    OM_LANE_DOWN    /* @lane is over; it is freed with the next call of om_lanes_next() */
};

struct om_lane_act {
    enum om_lane_act_kind kind;
    struct om_lane_relay *relay;
    struct om_lane *lane;
    struct om_frame frame; /* views lent until the next call */
};

/**
 * om_lanes_init() - no lanes
 * @l:        storage of the caller
 * @networks: how many the node is in; borrowed for the life of @l, as are the next two
 * @rng:      for lane ids
 * @indices:  where they are drawn
 */
void om_lanes_init(struct om_lanes *l, const unsigned *networks, const struct om_rng *rng,
                   struct om_indices *indices);

/** om_lanes_fini() - end @l, whose relays were all given back. */
void om_lanes_fini(struct om_lanes *l);

/**
 * om_lane_relay_new() - a peer with whom there is a session
 * @l:        the lanes
 * @user:     kept for the caller
 * @network:  of the session
 * @now:      time
 *
 * Return: the relay, which the caller owns, or NULL when out of memory.
 */
struct om_lane_relay *om_lane_relay_new(struct om_lanes *l, void *user, const struct om_id *network,
                                        om_time now);

/** om_lane_relay_free() - the association with @r ended, and so do its lanes, their keys wiped. */
void om_lane_relay_free(struct om_lane_relay *r);

/**
 * om_lane_ask() - ask a relay for a lane
 * @r:     the relay
 * @now:   time
 * @to:    whom it shall lead to
 * @peer:  kept for the caller
 * @out:   the lane; it takes a handshake with om_lane_set_handshake() before it leaves
 *
 * Return: OM_OK; OM_E_EXISTS when there is such a lane, which is in @out; OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_lane_ask(struct om_lane_relay *r, om_time now, const struct om_id *to,
                                void *peer, struct om_lane **out);

/**
 * om_lane_set_handshake() - what shall travel with the offer, or with the answer to one
 * @lane:  ASKED, or OFFERED
 * @h:     one handshake datagram, its header masked as on any lane; copied; empty: none
 */
void om_lane_set_handshake(struct om_lane *lane, struct om_bytes h);

/**
 * om_lanes_offer() - a relay said LANE_OFFER
 * @r:    who
 * @now:  time
 * @f:    what it said
 *
 * Return: the lane, OFFERED, of which om_lanes_next() tells; NULL: refused, dropped, or answered
 * already.
 */
struct om_lane *om_lanes_offer(struct om_lane_relay *r, om_time now,
                               const struct om_frame_lane_offer *f);

/** om_lane_answer() - @lane, OFFERED, is accepted at @now, with the handshake that was set. */
void om_lane_answer(struct om_lane *lane, om_time now);

/** om_lane_decline() - @lane, OFFERED, is refused for @reason; it is freed. */
void om_lane_decline(struct om_lane *lane, enum om_lane_reason reason);

/** om_lanes_bound() - @r said @f at @now. Return: the lane, now open; NULL: none, or was before. */
struct om_lane *om_lanes_bound(struct om_lane_relay *r, om_time now,
                               const struct om_frame_lane_bound *f);

/** om_lanes_refused() - @r said @f. Return: the lane, which is over, lent until om_lanes_next();
 *  NULL when that is none that we asked it for. */
struct om_lane *om_lanes_refused(struct om_lane_relay *r, const struct om_frame_lane_refuse *f);

/** om_lanes_closed() - @r said that @id is closed; false when that is no lane through it. */
bool om_lanes_closed(struct om_lane_relay *r, uint32_t id);

/**
 * om_lane_again() - whoever @lane leads to is silent: ask its relay whether the lane still is
 * @lane:  one that we asked for and that is open; else nothing happens
 *
 * A relay that forgot it binds it anew; one that is gone leaves our question unanswered. Else it
 * says to both ends where it sees the other one now.
 */
void om_lane_again(struct om_lane *lane);

/** om_lane_end() - @lane is not wanted any more: the relay is told. */
void om_lane_end(struct om_lane *lane);

/**
 * om_lane_take() - a datagram arrived on a lane
 * @lane:    whose id the index table found
 * @now:     time
 * @header:  from om_lane_peek()
 * @dgram:   as received
 *
 * Return: true when it is the relay's and new: then what is behind OM_LANE_BYTES is the inside.
 */
bool om_lane_take(struct om_lane *lane, om_time now, const struct om_lane_header *header,
                  struct om_bytes dgram);

/** om_lanes_tick() - do what is due in @l at @now. */
void om_lanes_tick(struct om_lanes *l, om_time now);

/** om_lanes_next() - what is to be said or done about @l, into @out; false when nothing. */
bool om_lanes_next(struct om_lanes *l, struct om_lane_act *out);

/** om_lanes_deadline() - when to call om_lanes_tick() of @l. */
om_time om_lanes_deadline(const struct om_lanes *l);

#endif
