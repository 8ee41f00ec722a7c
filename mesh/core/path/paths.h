/*
 * paths.h - all ways to one peer, and which of them carries
 *
 * What:  a bounded set of paths; decides which one data goes over, when it goes over a second one
 *        too, and which are to be challenged.
 * Why:   data must move to a better way, or off a dead one, without losing what the new way could
 *        have carried; and never to an address that only somebody's packet named.
 * Keeps: paths_first_reply_carries; paths_relay_gives_way_to_direct; paths_one_loss_keeps_no_relay;
 *        paths_stay_for_small_gains;
 *        paths_follow_a_peer_that_moved; paths_do_not_follow_a_replayed_packet;
 *        paths_leave_a_black_hole; paths_one_way_black_hole; paths_with_no_other_way_stay;
 *        paths_full_drops_the_worst; paths_idle_sends_nothing; paths_lane_that_ends_is_left;
 *        paths_spoofed_copies_get_no_more_than_was_sent; paths_come_back_after_a_blackout;
 *        paths_planned_moves_keep_their_distance; paths_move_on_what_they_measured;
 *        paths_direct_is_not_left_on_a_guess; paths_second_handshake_moves_nothing;
 *        paths_our_network_changes; paths_copies_end_once_both_answered;
 *        paths_direct_does_not_wait_for_lanes; hints_of_the_network_ask_at_a_pace;
 *        paths_few_losses_move_nothing; paths_of_an_old_life_do_not_carry;
 *        paths_an_older_answer_keeps_nobody; paths_direct_relieves_early;
 *        paths_load_is_no_reason_for_a_relay.
 *
 * One path is active, and it is a proven one; while there is none, only copies leave. A second one
 * gets a copy of everything
 *   - for two round trips after a planned move (the receiver drops what it has by its counter);
 *   - while the active one is suspect: data over it, or a challenge, is unanswered for
 *     om_path_wait(), or a new address of the peer answered before it did; two challenges decide,
 *     and the other path takes over when only it answers;
 *   - while the peer is heard from an address that is not proven yet: then no more than it sent.
 *
 * Who drives it tells what was heard, answered and unanswered, asks om_paths_next() until it says
 * no more, sends the challenges, and keeps the active path's RTT by its ACKs. Nothing is sent while
 * nothing is: while one path is in use the others are kept warm every OM_PATHS_WARM_S, or every
 * OM_PATHS_TRIAL_S if it is a relay's that they may relieve, and lost some; and what
 * failed is tried after OM_PATHS_RETRY_S, then ever more seldom while the active one lives; at rest
 * keepalive.h keeps what is to be kept.
 *
 * Full: the oldest failed path goes, then the oldest unproven one that was only said; for one that
 * was heard, then the oldest unproven one; else the new one is not taken.
 *
 * Source: PROTOCOL section 5; ARCHITECTURE section 6 (score, hysteresis, dwell, black holes).
 */
#ifndef OM_PATH_PATHS_H
#define OM_PATH_PATHS_H

#include "path/path.h"

enum {
    OM_PATHS_MAX = 16,
    OM_PATHS_DWELL_S = 2,       /* between moves for a better score */
    OM_PATHS_HEARSAY_S = 1,     /* a lane measured longer ago is asked before it takes over */
    OM_PATHS_GAIN_MS = 3,       /* a move must gain so much, */
    OM_PATHS_GAIN_PERCENT = 10, /* and so much of the present score */
    OM_PATHS_WARM_S = 10,       /* between challenges of other paths while one is in use */
    OM_PATHS_TRIAL_S = 1,       /* of a direct way that lost some, while a relay is */
    OM_PATHS_RETRY_S = 2,       /* after which a path that failed is asked once more */
    OM_PATHS_RETRY_DOUBLES = 5, /* times that this doubles */
    OM_PATHS_DECIDE = 2,        /* unanswered challenges of a suspect path, then another carries */
    OM_PATHS_JUDGE_MS = 100,    /* at least, between comparisons of scores that data calls for */
    OM_PATHS_SAMPLES = 14,      /* of a new path in use, in quick succession; 4 rttvar: 5 % */
    OM_PATHS_OVERLAPS = 2,      /* round trips of copies after a move */
    OM_PATHS_NETWORK_MS = 100,  /* between rounds that changes of our network call for */
    OM_PATH_CHALLENGE_BYTES = 28 + 11, /* a datagram with nothing but PATH_CHALLENGE */
    OM_PATHS_NEWS_MAX = 8 /* moves and proofs not yet asked for; then the oldest goes */
};

enum om_paths_act_kind {
    OM_PATHS_CHALLENGE, /* send PATH_CHALLENGE with the token that was given */
    OM_PATHS_PROVEN,    /* this path is valid now, and was not */
    OM_PATHS_MOVED,     /* data goes over this path now */
    OM_PATHS_FAILED     /* this path stopped answering */
};

/* Why a path was made the active one. */
enum om_paths_why {
    OM_PATHS_FIRST,
    OM_PATHS_SHAKEN,   /* a handshake came over it while the old one was silent */
    OM_PATHS_BETTER,   /* its score is */
    OM_PATHS_FOLLOWED, /* the peer speaks from there now */
    OM_PATHS_SILENT,   /* the old one no longer answers */
    OM_PATHS_GONE,     /* the old one does not exist any more */
    OM_PATHS_WHYS
};

struct om_paths_act {
    enum om_paths_act_kind kind;
    struct om_via via;
    enum om_paths_why why; /* MOVED */
};

struct om_paths {
    unsigned count;
    int active, second;   /* index, -1: none */
    om_time second_until; /* OM_NEVER: until something is decided */
    om_time suspect_at;   /* since when the active path is suspect; OM_NEVER: it is not */
    om_time moved_at;
    om_time crossed_at; /* from a lane to a direct way, or back; OM_NEVER: not yet */
    om_time used_at;    /* data was last sent; OM_NEVER: never */
    om_time judged_at;  /* by om_paths_used() */
    om_time network_at; /* last round because our network changed, or the next, if that is later */
    enum om_paths_why why;
    uint64_t moves, copies;
    struct om_paths_act news[OM_PATHS_NEWS_MAX]; /* oldest first */
    unsigned news_count;
    struct om_path all[OM_PATHS_MAX];
};

/** om_paths_init() - @ps has none. */
void om_paths_init(struct om_paths *ps);

/** om_paths_find() - the path of @ps that is @via, NULL when there is none; lent. */
struct om_path *om_paths_find(struct om_paths *ps, const struct om_via *via);

/**
 * om_paths_add() - know of a way that nothing came over yet; it is challenged at once
 * @ps:      the set
 * @now:     time
 * @via:     where
 * @origin:  how we know
 *
 * Return: the path, also when it was there; NULL when the set is full.
 */
struct om_path *om_paths_add(struct om_paths *ps, om_time now, const struct om_via *via,
                             enum om_path_origin origin);

/**
 * om_paths_heard() - an authentic datagram of the peer arrived
 * @ps:         the set
 * @now:        time
 * @via:        from where
 * @bytes:      its size
 * @is_newest:  its counter is the highest of all so far, and it has a frame that moves a peer
 */
void om_paths_heard(struct om_paths *ps, om_time now, const struct om_via *via, size_t bytes,
                    bool is_newest);

/** om_paths_shaken() - a handshake with the owner of @ps was completed @now over @via alone. */
void om_paths_shaken(struct om_paths *ps, om_time now, const struct om_via *via);

/** om_paths_answered() - PATH_RESPONSE with @token came @now; false: none of @ps asked. */
bool om_paths_answered(struct om_paths *ps, om_time now, uint64_t token);

/** om_paths_stalled() - what @ps's active path carried is unanswered @now for too long. */
void om_paths_stalled(struct om_paths *ps, om_time now);

/**
 * om_paths_used() - data is about to leave
 * @ps:   the set; its active path may be another one after this
 * @now:  time
 */
void om_paths_used(struct om_paths *ps, om_time now);

/** om_paths_moved_network() - our own network changed @now: every path of @ps is in doubt. All are
 *  asked, at once or OM_PATHS_NETWORK_MS after the last round, however often it changes. */
void om_paths_moved_network(struct om_paths *ps, om_time now);

/** om_paths_restarted() - the owner of @ps restarted: what carries @now is where it is heard. */
static inline void om_paths_restarted(struct om_paths *ps, om_time now)
{
    for (unsigned i = 0; i < ps->count; i++)
        om_path_lapse(&ps->all[i], now);
}

/** om_paths_remove() - @via does not exist any more, since @now; @ps forgets it. */
void om_paths_remove(struct om_paths *ps, om_time now, const struct om_via *via);

/** om_paths_active() - the path of @ps that carries, NULL while none is proven; lent. */
const struct om_path *om_paths_active(const struct om_paths *ps);

/**
 * om_paths_copy() - where else a datagram is to go
 * @ps:     the set
 * @now:    time
 * @bytes:  of the datagram
 *
 * Return: the other path, lent; NULL when one is enough, or the other may not be sent so much.
 */
const struct om_via *om_paths_copy(struct om_paths *ps, om_time now, size_t bytes);

/**
 * om_paths_next() - what is to be done, and told
 * @ps:     the set
 * @now:    time
 * @token:  random; used up when a challenge is asked for
 * @out:    filled when there is something
 *
 * Return: false when there is nothing (more).
 */
bool om_paths_next(struct om_paths *ps, om_time now, uint64_t token, struct om_paths_act *out);

/** om_paths_deadline() - when to call om_paths_next() of @ps; OM_NEVER: no need. */
om_time om_paths_deadline(const struct om_paths *ps);

/** om_paths_why_name() - "first", "better" ... of @w; "unknown" for any other. */
const char *om_paths_why_name(enum om_paths_why w);

#endif
