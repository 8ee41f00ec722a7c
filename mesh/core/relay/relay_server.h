/*
 * relay_server.h - a node that carries datagrams between two others which cannot meet
 *
 * What:  takes offers of lanes, asks the other end, binds the two, and says of each datagram that
 *        arrives on a lane whether it goes on and over which hop.
 * Why:   what two nodes need of a third is little, and must be worth little to whoever abuses it: a
 *        lane exists only when both ends agreed to it, carries only what its end sent, once, to
 *        where the other end was last heard, and no faster than the relay's owner lets it.
 * Keeps: relay_binds_with_consent_of_both; relay_refuses_and_says_why; relay_resends_and_gives_up;
 *        relay_answers_a_repeated_offer; relay_renews_its_word_to_both;
 *        relay_carries_only_what_its_end_sent;
 *        relay_holds_each_lane_to_its_rate; relay_is_quiet_towards_a_quiet_end;
 *        relay_keeps_room_for_another_network; relay_unbinds_the_idle;
 *        relay_forgets_an_end_that_goes; relay_bounds_its_words;
 *        model_relay_stays_within_its_bounds.
 *
 *        offer           accepted               300 s idle, an end closes or goes
 *   (none) ---> ASKED -----------------> BOUND ------------------------------------> (none)
 *                 | refused, silent for 11 s, closed
 *                 +------------------------------> (none), and the asking end is told
 *
 * Full: OM_RELAY_LANES_MAX lanes and OM_RELAY_LANES_PER_END of one end, or what is left are the
 * shares of the node's other networks (share.h): an offer is refused, and the refusal says so.
 * OM_RELAY_WORDS_MAX refusals and goodbyes wait, OM_RELAY_WORDS_PER_END for one end: then they are
 * left out and counted, and the ends find out by their own clocks. Of addresses whose rates are
 * known, the one that offered longest ago is forgotten. A lane costs some 3 KiB, all of them 3 MiB.
 *
 * Source: PROTOCOL section 6.
 */
#ifndef OM_RELAY_RELAY_SERVER_H
#define OM_RELAY_RELAY_SERVER_H

#include <omerta/bucket.h>
#include <omerta/list.h>
#include <omerta/lru.h>
#include <omerta/ring.h>
#include <omerta/rng.h>
#include <omerta/share.h>
#include <omerta/timers.h>

#include "crypto/index.h"
#include "envelope/frame.h"
#include "relay/lane.h"

enum {
    OM_RELAY_LANES_MAX = 1024,
    OM_RELAY_LANES_PER_END = 64,
    OM_RELAY_RATE_BYTES = 256000 / 8,  /* per second, lane and direction */
    OM_RELAY_BURST_BYTES = 256000 / 8, /* what may come at once */
    OM_RELAY_OFFERS_PER_S = 4,         /* made by one end, */
    OM_RELAY_OFFERS_BURST = 96,        /* which may want all its lanes at once */
    OM_RELAY_ASKED_PER_S = 10,         /* put to one end */
    OM_RELAY_ASKED_BURST = 64,         /* at once */
    OM_RELAY_ADDRESS_PER_S = 16,       /* made from one address (v6: /64) */
    OM_RELAY_ADDRESS_BURST = 256,      /* at once */
    OM_RELAY_ADDRESSES_MAX = 1024,     /* whose rates are known */
    OM_RELAY_RESEND_MS = 500,          /* then after twice as long, each time */
    OM_RELAY_RESENDS = 4,              /* of an offer, after 0.5, 1, 2 and 4 s */
    OM_RELAY_GIVE_UP_S = 4,            /* after the last of them */
    OM_RELAY_QUIET_S = 30,             /* an end unheard for so long */
    OM_RELAY_QUIET_MAX = 3,            /* gets so many datagrams until it is heard */
    OM_RELAY_IDLE_S = 300,             /* an end unheard or a lane unused is unbound */
    OM_RELAY_WORDS_MAX = 256,
    OM_RELAY_WORDS_PER_END = 64
};

struct om_relay;
struct om_relay_lane;

/* What the owner of the relay may change. */
struct om_relay_limits {
    unsigned lanes_max; /* at most OM_RELAY_LANES_MAX */
    unsigned lanes_per_end;
    uint32_t rate_bytes; /* per second, lane and direction */
    uint32_t burst_bytes;
};

/* A peer with whom the relay has a session of its own. Read freely. */
struct om_relay_end {
    struct om_relay *relay;
    void *user;           /* whoever asked for it */
    struct om_id network; /* in which the session is, and both ends of a lane are */
    struct om_addr addr;  /* where it was last heard */
    om_time heard;
    unsigned unheard; /* datagrams it got while it was quiet */
    unsigned lanes;   /* those it asked for, and those it agreed to */
    unsigned words;   /* for it, that wait */
    struct om_bucket offers, asked;
    struct om_list legs;
};

/* One end's side of a lane; what the index table knows under OM_INDEX_RELAY. Read freely. */
struct om_relay_leg {
    struct om_relay_lane *lane;
    struct om_relay_leg *other;
    struct om_relay_end *end;
    struct om_link of_end;
    struct om_hop hop;
    struct om_bucket rate; /* of what comes from this end */
};

enum om_relay_state { OM_RELAY_ASKED, OM_RELAY_BOUND };

struct om_relay_lane {
    struct om_relay *relay;
    enum om_relay_state state;
    bool is_renewed;             /* the end that was asked is owed where the other is now */
    struct om_relay_leg legs[2]; /* of the end that asked, of the one that was asked */
    om_time used;                /* a datagram was last carried */
    unsigned resends;
    struct om_link todo; /* linked: it owes an offer, or word that it is bound */
    struct om_link all;
    struct om_timer timer;
    size_t handshake_len;
    uint8_t handshake[OM_HANDSHAKE_MAX]; /* for whom the next word is */
};

struct om_relay_counts {
    uint64_t offers, bound, refused, closed;
    uint64_t refused_for[OM_LANE_REASONS]; /* by enum om_lane_reason; 0: by one we do not know */
    uint64_t carried, carried_bytes;
    uint64_t forged, replayed, over_rate, kept_back, unbound; /* datagrams that were dropped */
    uint64_t words_lost;
};

/* Read freely; write only through om_relay_*(). */
struct om_relay {
    bool is_willing;
    struct om_relay_limits limits;
    const struct om_rng *rng;
    struct om_indices *indices;
    struct om_timers timers;
    struct om_list lanes; /* all, oldest first */
    struct om_list todo;
    struct om_list spare;     /* memory of lanes that were */
    struct om_shares shares;  /* the lanes by network */
    const unsigned *networks; /* that the node is in */
    struct om_lru addresses;  /* address (v6: /64) -> struct om_bucket */
    struct om_ring words;     /* struct om_relay_word */
    struct om_relay_counts counts;
};

/* What leaves: a frame, sealed in the session with that end. */
struct om_relay_act {
    struct om_relay_end *to;
    struct om_frame frame; /* views lent until the next call of om_relay_*() */
};

/** om_relay_limits_default() - fill @l with the values of PROTOCOL. */
void om_relay_limits_default(struct om_relay_limits *l);

/**
 * om_relay_init() - a relay that is not willing yet
 * @r:        storage of the caller
 * @limits:   copied
 * @networks: how many the node is in; borrowed for the life of @r, as are the next two
 * @rng:      for keys
 * @indices:  where its lane ids are drawn
 * @sip_key:  16 random bytes for its table
 *
 * Return: OM_OK, or OM_E_RANGE for limits that no relay has.
 */
OM_MUST enum om_err om_relay_init(struct om_relay *r, const struct om_relay_limits *limits,
                                  const unsigned *networks, const struct om_rng *rng,
                                  struct om_indices *indices,
                                  const uint8_t sip_key[static OM_SIP_KEY]);

/** om_relay_fini() - end @r, whose ends were all given back. */
void om_relay_fini(struct om_relay *r);

/** om_relay_set() - @r is to relay or not, @is_willing; if not, its lanes close. */
void om_relay_set(struct om_relay *r, bool is_willing);

/**
 * om_relay_end_new() - a peer with whom there is a session
 * @r:        the relay
 * @user:     kept for the caller
 * @network:  of the session
 * @now:      time
 * @addr:     where it was heard
 *
 * Return: the end, which the caller owns, or NULL when out of memory.
 */
struct om_relay_end *om_relay_end_new(struct om_relay *r, void *user, const struct om_id *network,
                                      om_time now, const struct om_addr *addr);

/** om_relay_end_free() - the association with @e ended: its lanes close, far ends hear of it. */
void om_relay_end_free(struct om_relay_end *e);

/** om_relay_heard() - an authentic packet of @e arrived at @now, over no lane, from @addr. */
void om_relay_heard(struct om_relay_end *e, om_time now, const struct om_addr *addr);

/** om_relay_decline() - @from asked for @lane where @r may relay for nobody. */
void om_relay_decline(struct om_relay *r, struct om_relay_end *from, uint32_t lane);

/**
 * om_relay_offer() - an end asks for a lane
 * @r:          the relay
 * @now:        time
 * @from:       who
 * @to:         the peer that it names; NULL when there is no session with it but over a lane
 * @f:          what it said
 * @is_nested:  it came over a lane
 */
void om_relay_offer(struct om_relay *r, om_time now, struct om_relay_end *from,
                    struct om_relay_end *to, const struct om_frame_lane_offer *f, bool is_nested);

/** om_relay_accept() - @from said @f to @r at @now. Return: false when nobody asked it. */
bool om_relay_accept(struct om_relay *r, om_time now, struct om_relay_end *from,
                     const struct om_frame_lane_accept *f);

/** om_relay_refuse() - @from said @f to @r. Return: false when nobody asked it. */
bool om_relay_refuse(struct om_relay *r, struct om_relay_end *from,
                     const struct om_frame_lane_refuse *f);

/** om_relay_close() - @from wants its @lane of @r closed. Return: false when it has no such. */
bool om_relay_close(struct om_relay *r, struct om_relay_end *from, uint32_t lane);

/**
 * om_relay_carry() - a datagram arrived on a lane
 * @leg:     whose lane id the index table found
 * @now:     time
 * @header:  from om_lane_peek()
 * @dgram:   as received
 *
 * Return: the leg on which it goes on, with om_hop_wrap() in the same bytes, to where its end was
 * last heard; NULL: dropped, and counted.
 *
 * Whether its end was heard by that is the caller's to say (om_relay_heard()), who knows whether it
 * came from where the end is known to be: a lane goes nowhere else, and far ends are told so.
 */
struct om_relay_leg *om_relay_carry(struct om_relay_leg *leg, om_time now,
                                    const struct om_lane_header *header, struct om_bytes dgram);

/** om_relay_tick() - do what is due in @r at @now. */
void om_relay_tick(struct om_relay *r, om_time now);

/** om_relay_next() - what @r wants to say at @now, into @out; false when nothing. */
bool om_relay_next(struct om_relay *r, om_time now, struct om_relay_act *out);

/** om_relay_deadline() - when to call om_relay_tick() of @r. */
om_time om_relay_deadline(const struct om_relay *r);

#endif
