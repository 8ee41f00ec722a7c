/*
 * path.h - one way to a peer: proven or not, how quick, how reliable
 *
 * What:  the state of one path, its challenges, and the score by which paths are compared.
 * Why:   an address is a claim until what was sent to it alone came back from the peer's key.
 * Keeps: path_is_proven_by_its_own_token; path_fails_when_it_stops_answering;
 *        path_failed_one_lives_again; path_answers_no_more_than_it_was_sent; path_score_ranks;
 *        path_old_samples_give_way.
 *
 *                    token came back              OM_PATH_TRIES challenges unanswered
 *     UNPROVEN ------------------------> VALID --------------------------------> FAILED
 *        |  never answered                 ^        token came back                 |
 *        +-----------------> FAILED        +----------------------------------------+
 *
 * Source: PROTOCOL section 5; RFC 9000 sections 8.2 (validation), 9.4 (what it means for RTT).
 */
#ifndef OM_PATH_PATH_H
#define OM_PATH_PATH_H

#include <omerta/via.h>

#include "path/mtu.h"
#include "path/rtt.h"

enum {
    OM_PATH_TOKENS_MAX = 4, /* newest challenges whose answers count */
    OM_PATH_TRIES = 4,      /* unanswered in a row, then the path has failed; a failed one has 1 */
    OM_PATH_RELAY_MS = 20,  /* a lane counts as so much slower than it is */
    OM_PATH_LOSS_MS = 5,    /* each percent of challenges lost, too */
    OM_PATH_STALE_S = 5,    /* what was measured before gives way to an answer twice as quick */
    OM_PATH_WAIT_MS = 60    /* at least, before an answer counts as overdue */
};

enum om_path_state { OM_PATH_UNPROVEN, OM_PATH_VALID, OM_PATH_FAILED };

/* How we came to know of it. */
enum om_path_origin {
    OM_PATH_SHAKEN, /* a handshake went over it */
    OM_PATH_HEARD,  /* the peer spoke from there */
    OM_PATH_SAID,   /* the peer, or its record, says it can be reached there */
    OM_PATH_PUNCHED
};

struct om_path_ask {
    uint64_t token;
    om_time at; /* OM_NEVER: none, or answered */
};

struct om_path {
    struct om_via via;
    enum om_path_state state;
    enum om_path_origin origin;
    struct om_rtt rtt;
    struct om_mtu mtu; /* as it was when it last carried; limit 0: it never did */
    om_time added;
    om_time heard; /* newest authentic datagram over it; OM_NEVER: none */
    om_time spoke; /* newest of its packets, and one that moves a peer, came over it; or OM_NEVER */
    om_time proven; /* newest answer to a challenge, or handshake; OM_NEVER: none */
    om_time asked;  /* newest challenge; OM_NEVER: none */
    om_time ask_at; /* when to challenge it; OM_NEVER: no need */
    struct om_path_ask asks[OM_PATH_TOKENS_MAX];
    unsigned unanswered; /* challenges in a row */
    unsigned fresh;      /* answers since it is valid, or is again */
    unsigned fails;      /* rounds of challenges that failed, in a row */
    unsigned loss;       /* of challenges, 1/1000, smoothed */
    uint64_t credit;     /* bytes it sent us while unproven that were not answered yet */
    uint64_t asks_made, answers;
};

/**
 * om_path_init() - a path of which nothing is known
 * @p:       storage of the caller
 * @via:     where
 * @origin:  how we know
 * @now:     time; it is to be challenged at once
 */
void om_path_init(struct om_path *p, const struct om_via *via, enum om_path_origin origin,
                  om_time now);

/** om_path_heard() - an authentic datagram of @bytes came @now over @p. */
void om_path_heard(struct om_path *p, om_time now, size_t bytes);

/**
 * om_path_asked() - a challenge leaves
 * @p:      the path
 * @now:    time; the next is due when an answer is overdue
 * @token:  random
 *
 * Return: false when it was one too many: the path has failed, and nothing is to be sent until
 * somebody asks anew.
 */
bool om_path_asked(struct om_path *p, om_time now, uint64_t token);

/**
 * om_path_answered() - a PATH_RESPONSE arrived, over whatever path
 * @p:      the path
 * @now:    time
 * @token:  what it carries
 *
 * Return: true when the token was @p's: it is valid from now on, and its RTT has a sample.
 */
bool om_path_answered(struct om_path *p, om_time now, uint64_t token);

/** om_path_shaken() - a handshake proved @p at @now, and the peer was heard there. */
void om_path_shaken(struct om_path *p, om_time now);

/**
 * om_path_may_answer() - may @bytes be sent over a path that is not proven?
 * @p:      the path; proven ones may always
 * @bytes:  of the datagram; taken off what it sent
 *
 * Return: true when it may.
 */
bool om_path_may_answer(struct om_path *p, size_t bytes);

/** om_path_ask_anew() - challenge @p at @now whatever is under way; it has all its tries again. */
void om_path_ask_anew(struct om_path *p, om_time now);

/** om_path_lapse() - the peer restarted: @p was its old life's, and must answer @now anew; one over
 *  which it was heard @now is the new life's. */
void om_path_lapse(struct om_path *p, om_time now);

/** om_path_wait() - how long an answer over @p may take before it is overdue. */
om_time om_path_wait(const struct om_path *p);

/** om_path_score() - the cost of @p, in microseconds: less is better. */
om_time om_path_score(const struct om_path *p);

#endif
