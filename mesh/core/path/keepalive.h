/*
 * keepalive.h - keep the NAT's mapping of one path, with as few datagrams as that takes
 *
 * What:  says when a path has been silent as long as its NAT allows, and meanwhile finds out how
 *        long that is (nat_life.h) with trials on a spare socket.
 * Why:   most systems guess 15 to 25 s for everybody: too rare for some NATs, and for most so often
 *        that a phone's radio never sleeps.
 * Keeps: keepalive_learns_the_timeout; keepalive_learns_a_short_timeout;
 *        keepalive_sends_no_more_than_needed;
 *        keepalive_is_quiet_while_traffic_flows; keepalive_needs_life_to_tell_death;
 *        keepalive_tries_a_warm_mapping; keepalive_stands_loss; keepalive_stops;
 *        keepalive_does_not_believe_an_early_word; keepalive_needs_a_warm_answer;
 *        keepalive_tells_of_a_lost_path.
 *
 *        path idle            answered        silence over      nothing came
 *   REST ----------> WARM ----------> SILENT -------------> CHECK ----------> REST
 *                      |                 |  word came          (does the path live at all?)
 *                      +-> REST          +-----------> REST
 *                      not answered: the peer cannot, or its NAT lets no other port in
 *
 * A keepalive that nobody answers is repeated, OM_KEEPALIVE_TRIES in all; then the path is lost.
 *
 * Only what is sent counts: RFC 4787 lets a NAT ignore what comes in. A keepalive is a PING, whose
 * PONG refreshes the other side's NAT, so of two NATs the shorter sets the pace for both. A trial
 * begins when the path was silent for OM_LIFE_DEFAULT_S, or a keepalive is due: not while traffic
 * flows. The spare mapping is warmed by an exchange some seconds old before its silence: Linux
 * forgets a flow that looks one-way or newborn much sooner. One path for each family learns; the
 * others profit.
 *
 * Source: RFC 4787 sections 4.3 (REQ-5, REQ-6); RFC 8445 section 11; nf_conntrack: udp_timeout and
 *         udp_timeout_stream, which holds from 2 s after the first packet.
 */
#ifndef OM_PATH_KEEPALIVE_H
#define OM_PATH_KEEPALIVE_H

#include "path/nat_life.h"

enum {
    OM_KEEPALIVE_WARM_MS = 2500,
    OM_KEEPALIVE_WAIT_MS = 1000, /* for an answer, at least */
    OM_KEEPALIVE_RETRY_S = 60,   /* after a trial that told nothing */
    OM_KEEPALIVE_DEAF = 2,       /* trials not answered at their beginning: no more of them */
    OM_KEEPALIVE_TRIES = 3
};

enum om_keepalive_state { OM_TRIAL_REST, OM_TRIAL_WARM, OM_TRIAL_SILENT, OM_TRIAL_CHECK };

enum om_keepalive_act {
    OM_KEEPALIVE_PING, /* on the path: a PING */
    OM_KEEPALIVE_WARM, /* on the spare socket: ask the same peer that it be answered at once */
    OM_KEEPALIVE_ASK,  /* on the spare socket: ask that it be answered after the gap */
    OM_KEEPALIVE_LOST  /* nothing answers on the path: it is to be found anew */
};

struct om_keepalive {
    bool is_on;
    bool learns;
    enum om_keepalive_state state;
    om_time sent;    /* last, on the path */
    om_time heard;   /* last, on the path */
    om_time gap;     /* of the trial under way, whole seconds */
    om_time since;   /* its mapping is silent from then on */
    om_time due;     /* the state ends; REST: a trial may begin */
    bool is_warm;    /* the spare mapping was answered */
    unsigned deaf;   /* trials in a row that it was not */
    unsigned tries;  /* keepalives in a row that nothing answered */
    om_time retry;   /* when the next of them is due */
    om_time silence; /* before the first of them */
    unsigned pings;  /* keepalives sent, for whoever counts */
    unsigned asks;   /* datagrams of trials */
};

/** om_keepalive_start() - the path of @k is in use from @now; it makes trials if @learns. */
void om_keepalive_start(struct om_keepalive *k, om_time now, bool learns);

/** om_keepalive_stop() - the path of @k is no longer kept; nothing is asked for any more. */
void om_keepalive_stop(struct om_keepalive *k);

/** om_keepalive_sent() - anything at all went out @now over the path of @k. */
void om_keepalive_sent(struct om_keepalive *k, om_time now);

/** om_keepalive_heard() - something authentic came @now over the path of @k. */
void om_keepalive_heard(struct om_keepalive *k, om_time now);

/** om_keepalive_word() - something authentic came @now to @k's spare socket; @life learns of it. */
void om_keepalive_word(struct om_keepalive *k, struct om_nat_life *life, om_time now);

/**
 * om_keepalive_next() - is something to be sent?
 * @k:     the machine; what it asks for is taken for sent
 * @life:  what is known of the NAT, and is learnt
 * @now:   when
 * @pto:   how long an answer may take
 * @act:   receives what to send; for OM_KEEPALIVE_ASK the gap is k->gap
 *
 * Return: true when something is; ask again until false.
 */
bool om_keepalive_next(struct om_keepalive *k, struct om_nat_life *life, om_time now, om_time pto,
                       enum om_keepalive_act *act);

/** om_keepalive_deadline() - when to ask om_keepalive_next() of @k, by what @life knows. */
om_time om_keepalive_deadline(const struct om_keepalive *k, const struct om_nat_life *life);

#endif
