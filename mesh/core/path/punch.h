/*
 * punch.h - open a direct way to one peer through the NATs of both
 *
 * What:  agrees with the peer, over the session that there is, on a plan and a moment; sends what
 *        the plan says; answers what comes; ends with the first way on which both have heard
 *        each other.
 * Why:   a NAT lets a datagram in only after one went out to where it comes from; so both must
 *        send, and nearly at once.
 * Keeps: punch_two_meet; punch_lower_key_leads; punch_lost_words_are_said_again;
 *        punch_silent_peer_gives_up; punch_refusal_is_an_answer; punch_backs_off;
 *        punch_ignores_foreign_nonces; punch_stops_at_the_first_answer; punch_both_keep_one_way;
 *        punch_never_exceeds_its_budget; punch_waits_for_the_rate; punch_flood_is_bounded;
 *        punch_begins_anew_with_who_restarted; punch_later_is_no_failure;
 *        punch_meets_fresh_sockets; punch_waits_for_the_openers; punch_follows_who_moved;
 *        punch_word_of_a_stranger_state; punch_word_is_what_its_bytes_say; punch_model_matrix;
 *        punch_model_openers_matter; punch_model_strangers; punch_model_learns_the_style;
 *        punch_model_from_observation.
 *
 *     IDLE --start()--> ASKED --agreed--> ARMED --moment--> FIRING --both heard--> DONE
 *       |                 |                 ^                 |
 *       +---asked------> AGREED ----go------+                 +--nothing---------> FAILED
 *
 *     leader             follower
 *        | plan, 0 ms        |     its profile; said again until answered
 *        |------------------>|
 *        | plan, 0 ms        |     its own; OM_PUNCH_REFUSED ms: no
 *        |<------------------|
 *        | plan, n ms        |     go: fire n ms after this arrives; three copies
 *        |------------------>|
 *        :   RTT/2 later both fire
 *        | plan, opened      |     openers have left; three copies. Before, nothing is probed
 *        |<----------------->|
 *        | probe, seen       |     directly; seen with 1 ms: the leader took this way
 *        |<----------------->|
 *
 * Who asks leads; if both ask, the lower key. A "seen" answers one datagram, so whoever gets it
 * knows that both directions work; the leader takes the first such way and says so, thus both keep
 * the same one. It is the caller that opens sealed datagrams: only authentic words come in here.
 *
 *     om_punch_init(&p, &me, &peer, seed);
 *     om_punch_start(&p, now, &facts, nonce)      or   om_punch_told(&p, now, &word, &facts)
 *     om_punch_heard(&p, now, &word, &from, socket)             a direct datagram
 *     while (om_punch_next(&p, &reach, now, &act))              do it
 *     wait until om_punch_deadline(&p)
 *
 * That the peer has opened is said and not only timed: either machine may be busy, and a probe that
 * comes too early to a plain masquerade spoils its port for half a minute.
 *
 * Probes are padded at random to 40 to 104 bytes. A seen is not padded: so it is no longer than
 * what it answers, and needs no budget.
 *
 * A failed attempt is not begun again before om_punch_retry_at(); the caller asks anew then, with
 * fresh facts, and calls om_punch_forgive() when either network changed.
 *
 * Source: PROTOCOL sections 4 (PUNCH) and 5; RFC 5128 section 3.3; the "DCUtR" specification of
 *         libp2p (both fire at RTT/2).
 */
#ifndef OM_PATH_PUNCH_H
#define OM_PATH_PUNCH_H

#include <omerta/prng.h>

#include "path/punch_plan.h"
#include "path/reach.h"

enum {
    OM_PUNCH_TRIES = 5,         /* of the first word */
    OM_PUNCH_WORD_MS = 250,     /* from one to the next, at least; else two RTT */
    OM_PUNCH_BLIND_MS = 1000,   /* the same while the RTT is not known */
    OM_PUNCH_GO_MS = 2000,      /* a follower waits for the go, at least */
    OM_PUNCH_MARGIN_MS = 100,   /* from the go to the moment, beyond RTT/2 */
    OM_PUNCH_GOES = 3,          /* copies of it */
    OM_PUNCH_GO_GAP_MS = 25,    /* between its copies */
    OM_PUNCH_GO_MAX_MS = 10000, /* a moment later than that is a mistake */
    OM_PUNCH_WAIT_MS = 300,     /* after the last datagram, and an RTT */
    OM_PUNCH_AGAIN_S = 5,       /* a peer may not have us fire sooner */
    OM_PUNCH_OPENED_MS = 1000,  /* after an RTT, until the word that they left is taken for lost */
    OM_PUNCH_LATER_S = 2,       /* until who was told so asks again, if it was not asked */
    OM_PUNCH_ANSWERS_MAX = 8    /* that wait; more are dropped, the peer will say it again */
};

#define OM_PUNCH_REFUSED UINT32_MAX       /* ms of a plan: no */
#define OM_PUNCH_LATER   (UINT32_MAX - 1) /* not now; who says so asks when it can */
#define OM_PUNCH_OPENED  (UINT32_MAX - 2) /* all openers have left */

enum om_punch_state {
    OM_PUNCH_IDLE,
    OM_PUNCH_ASKED,
    OM_PUNCH_AGREED,
    OM_PUNCH_ARMED,
    OM_PUNCH_FIRING,
    OM_PUNCH_DONE,
    OM_PUNCH_FAILED
};

/* How an attempt that failed did. */
enum om_punch_end {
    OM_PUNCH_NOT_YET,
    OM_PUNCH_NO_WAY,    /* plan.reason says why */
    OM_PUNCH_UNWILLING, /* the peer said no */
    OM_PUNCH_NO_WORD,   /* the peer did not answer over the session */
    OM_PUNCH_NO_MEETING /* fired, and nothing came */
};

/* What the caller knows when an attempt begins. */
struct om_punch_facts {
    struct om_punch_profile ours; /* fresh: judged now */
    struct om_addr peer;          /* best reflexive candidate, checked by endpoint.h */
    bool is_same_outside;
    om_time rtt;   /* of the session's path; 0: not known */
    unsigned left; /* om_reach_left() for it */
};

/* A PUNCH frame, and what the profile in a plan says. */
struct om_punch_word {
    struct om_frame_punch frame;
    struct om_punch_profile profile;
};

enum om_punch_kind {
    OM_PUNCH_DO_WORD,   /* send the word over the session's path */
    OM_PUNCH_DO_OPEN,   /* open sockets 1 to @socket; those of an attempt before have other names */
    OM_PUNCH_DO_CLOSE,  /* close all of them but @socket; 0: all */
    OM_PUNCH_DO_OPENER, /* send the word, a probe, with this TTL */
    OM_PUNCH_DO_SEND,   /* send the word directly, with the usual TTL */
    OM_PUNCH_DO_SUCCEED, /* the way is from @socket to @to: challenge it, then use it */
    OM_PUNCH_DO_FAIL     /* p->end says how */
};

struct om_punch_act {
    enum om_punch_kind kind;
    unsigned socket; /* 0: the node's own */
    unsigned ttl;
    struct om_addr to;
    struct om_punch_word word;
};

/* A seen that is to be sent. */
struct om_punch_answer {
    struct om_addr to;
    unsigned socket;
    uint32_t ms;
};

/* Read freely; write only through om_punch_*(). */
struct om_punch {
    struct om_id peer;
    bool is_lower, is_leader;
    bool is_opened; /* the peer's openers have left */
    enum om_punch_state state;
    enum om_punch_end end;
    enum om_punch_style style; /* the leader's */
    uint64_t nonce;
    struct om_punch_facts facts;
    struct om_punch_profile theirs;
    struct om_punch_plan plan;
    struct om_prng prng;
    om_time rtt;
    om_time said;    /* ASKED: when we asked last */
    om_time due;     /* when patience with this state ends */
    om_time fire_at; /* the moment */
    om_time slip;    /* how much later than planned we send, by the rate */
    om_time go_at;   /* the next copy of the go, or of the word after it; OM_NEVER: none */
    unsigned goes;   /* copies said */
    unsigned tries;  /* ASKED */
    unsigned step;   /* next datagram of the plan */
    bool is_hit;     /* something came: the plan waits while this is answered */
    unsigned again;  /* answers to the hit that were repeated */
    om_time again_at;
    struct om_addr via; /* of the hit; DONE: the way */
    unsigned via_socket;
    unsigned todo; /* words, sockets and the end, to be handed out */
    uint64_t word_nonce;
    uint32_t word_ms;
    unsigned answer_first, answer_count;
    struct om_punch_answer answers[OM_PUNCH_ANSWERS_MAX];
    unsigned failures; /* in a row */
    om_time ended;     /* 0: never yet */
    om_time retry_at;
    uint64_t sent, heard, dropped; /* datagrams: that were no answers, that fitted, that did not */
};

/** om_punch_init() - @p is idle; it is for @me and @peer, and @seed decides its orders. */
void om_punch_init(struct om_punch *p, const struct om_id *me, const struct om_id *peer,
                   uint64_t seed);

/**
 * om_punch_start() - ask the peer for an attempt
 * @p:      the machine
 * @now:    when
 * @facts:  copied
 * @style:  what om_punch_memory_style() says
 * @nonce:  random, fresh for each attempt
 *
 * Return: OM_OK; OM_E_BUSY while an attempt is under way or before om_punch_retry_at().
 */
OM_MUST enum om_err om_punch_start(struct om_punch *p, om_time now,
                                   const struct om_punch_facts *facts, enum om_punch_style style,
                                   uint64_t nonce);

/**
 * om_punch_word_of() - what a plan step says
 * @out:  untouched on failure
 * @f:    as received
 *
 * Return: OM_OK, or OM_E_PARSE when no NAT can be as its profile says.
 */
OM_MUST enum om_err om_punch_word_of(struct om_punch_word *out, const struct om_frame_punch *f);

/**
 * om_punch_told() - a plan step came over the session
 * @p:      the machine; what does not fit is dropped and counted
 * @now:    when
 * @w:      the word
 * @facts:  copied when it begins an attempt; where the peer is, also when it agrees to ours
 */
void om_punch_told(struct om_punch *p, om_time now, const struct om_punch_word *w,
                   const struct om_punch_facts *facts);

/**
 * om_punch_heard() - an authentic probe or seen came directly
 * @p:       the machine
 * @now:     when
 * @f:       the frame
 * @from:    where it came from
 * @socket:  which of our sockets it came to
 */
void om_punch_heard(struct om_punch *p, om_time now, const struct om_frame_punch *f,
                    const struct om_addr *from, unsigned socket);

/**
 * om_punch_next() - is something to be done?
 * @p:      the machine; what it asks for is taken for done
 * @reach:  is asked for each datagram that is no answer
 * @now:    when
 * @act:    receives what
 *
 * Return: true when something is; ask again until false.
 */
bool om_punch_next(struct om_punch *p, struct om_reach *reach, om_time now,
                   struct om_punch_act *act);

/** om_punch_deadline() - when to ask om_punch_next() of @p. */
om_time om_punch_deadline(const struct om_punch *p);

/** om_punch_stop() - give up the attempt of @p at @now, as another way was found; no failure. */
void om_punch_stop(struct om_punch *p, om_time now);

/** om_punch_postpone() - at @now there is no room for the attempt of @p, which may be made again
 *  from @at on; no failure. */
void om_punch_postpone(struct om_punch *p, om_time now, om_time at);

/** om_punch_sends_until() - the end, at the latest, of what @p sends and leaves no room for another
 *  such attempt; 0: it sends no more than a few words. */
om_time om_punch_sends_until(const struct om_punch *p);

/** om_punch_forget() - the peer restarted at @now: it knows nothing of what @p did, nor waits. */
void om_punch_forget(struct om_punch *p, om_time now);

/** om_punch_forgive() - a network changed: @p need not wait for om_punch_retry_at(). */
void om_punch_forgive(struct om_punch *p);

/** om_punch_retry_at() - when om_punch_start() may be called for @p; 0: any time. */
om_time om_punch_retry_at(const struct om_punch *p);

/** om_punch_is_busy() - is an attempt of @p under way? */
bool om_punch_is_busy(const struct om_punch *p);

/** om_punch_end_name() - "no-way", "no-meeting" ... of @e; "unknown" for any other. */
const char *om_punch_end_name(enum om_punch_end e);

#endif
