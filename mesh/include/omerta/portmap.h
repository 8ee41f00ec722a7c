/*
 * portmap.h - keep one UDP port of this machine reachable through the home router
 *
 * What:  decides when which protocol is to ask the router for a mapping, renews it, gives it back,
 *        and says what the outside address is.
 * Why:   a mapping makes a node behind a NAT reachable for strangers; and routers forget, refuse,
 *        restart, change their address, and sometimes lie.
 * Keeps: portmap_maps_and_renews_at_half_life; portmap_tries_the_next_protocol;
 *        portmap_backs_off_when_all_refuse; portmap_asks_at_once_on_another_network;
 *        portmap_flapping_network_is_asked_at_a_pace; portmap_tells_a_changed_address;
 *        portmap_word_of_a_change_costs_nothing;
 *        portmap_renewal_that_fails_ends_with_the_mapping; portmap_refuses_absurd_answers;
 *        portmap_conflict_takes_another_port; portmap_gives_back_what_is_no_longer_wanted;
 *        portmap_one_question_at_a_time; portmap_model.
 *
 *            want(port)                  mapped                  want(0)
 *   OFF -----------------> ASKING ---------------------> HELD --------------> OFF
 *                          ^    | nobody maps                ^ |  the mapping goes back
 *                          |    v                            | v  half its life is over
 *                         WAITING (back-off)               (ASKING)
 *
 * IPv4 only: IPv6 routers translate nothing, and what opens their firewalls (PCP, pinholes of
 * IGD 2) is not spoken. At most one mapping is held; the protocols are asked one after the other.
 * The driver carries out one question at a time, and tells of each what came of it.
 *
 * Source: RFC 6886 section 3.3 (renewal at half the life, 7200 s), 3.6 (another network); UPnP
 *         WANIPConnection:1 section 2.4.16; PROTOCOL section 9 (what a router may be told).
 */
#ifndef OMERTA_PORTMAP_H
#define OMERTA_PORTMAP_H

#include <stdbool.h>

#include <omerta/addr.h>
#include <omerta/time.h>

enum {
    OM_PORTMAP_LIFE_S = 7200, /* asked for; what is granted beyond counts as this */
    OM_PORTMAP_LEAST_S = 10,  /* a mapping that lives shorter is not worth its renewals */
    OM_PORTMAP_LOOK_S = 900,  /* a change of the outside address shows no later */
    OM_PORTMAP_BACK_S = 600,  /* after the first round that failed; doubles */
    OM_PORTMAP_BACK_MAX_S = 7200,
    OM_PORTMAP_PACE_S = 5,    /* between rounds, however often the network changes */
    OM_PORTMAP_PORTS_MAX = 4, /* outer ports tried when they are others' */
    OM_PORTMAP_WHY = 96
};

enum om_portmap_how { OM_PORTMAP_NATPMP, OM_PORTMAP_UPNP, OM_PORTMAP_HOWS };

/* What came of a question. */
enum om_portmap_result {
    OM_PORTMAP_UNTRIED,
    OM_PORTMAP_MAPPED,
    OM_PORTMAP_SILENT,   /* no router answers */
    OM_PORTMAP_REFUSED,  /* the router says no */
    OM_PORTMAP_CONFLICT, /* the outer port is somebody else's */
    OM_PORTMAP_NESTED,   /* mapped, but the router is behind another NAT */
    OM_PORTMAP_ABSURD,   /* the answer cannot be true */
    OM_PORTMAP_UNASKED,  /* this machine could not ask */
    OM_PORTMAP_RESULTS
};

enum om_portmap_state { OM_PORTMAP_OFF, OM_PORTMAP_ASKING, OM_PORTMAP_HELD, OM_PORTMAP_WAITING };

struct om_portmap_answer {
    enum om_portmap_result result; /* of drivers: not UNTRIED, NESTED */
    struct om_addr external;       /* of MAPPED: IPv4, as the router says */
    uint32_t life_s;               /* of MAPPED */
    char why[OM_PORTMAP_WHY];      /* else: for a person; may be "" */
};

enum om_portmap_act_kind {
    OM_PORTMAP_ACT_ASK,    /* map, or renew; then om_portmap_answered() */
    OM_PORTMAP_ACT_REMOVE, /* give back; then om_portmap_answered() */
    OM_PORTMAP_ACT_UP,     /* news: external is, or has become, our outside address */
    OM_PORTMAP_ACT_DOWN,   /* news: external is ours no longer */
    OM_PORTMAP_ACT_FAILED  /* news: no protocol maps, for other reasons than before; see tried */
};

struct om_portmap_act {
    enum om_portmap_act_kind kind;
    enum om_portmap_how how; /* of ASK, REMOVE, UP */
    uint16_t inner, outer;   /* of ASK, REMOVE: our port, and that of the outside (a wish in ASK) */
    uint32_t life_s;         /* of ASK, and of UP */
    struct om_addr external; /* of UP, DOWN */
};

/* What a protocol last came to. */
struct om_portmap_tried {
    om_time at; /* OM_NEVER: not tried on this network */
    struct om_portmap_answer answer;
};

/* A mapping, ours or to be given back. */
struct om_portmap_lease {
    enum om_portmap_how how;
    uint16_t inner, outer; /* inner 0: none */
};

/* Read freely; write only through om_portmap_*(). */
struct om_portmap {
    uint16_t inner; /* wanted; 0: nothing */
    uint16_t wish;  /* outer port that is asked for */
    struct om_portmap_lease held, stale[OM_PORTMAP_HOWS];
    struct om_addr external; /* of held */
    uint32_t life_s;
    om_time expires;                 /* of held */
    bool is_doubted;                 /* held was made on another network, perhaps */
    bool is_busy, is_again;          /* a question is out; the network changed since */
    struct om_portmap_act asked;     /* the question */
    enum om_portmap_how first, turn; /* of the round */
    om_time round_at, at;            /* the round began; the next question */
    unsigned failures, conflicts;
    bool tells_up, tells_down, tells_failed;
    struct om_addr gone;                          /* of tells_down */
    enum om_portmap_result told[OM_PORTMAP_HOWS]; /* of the last FAILED */
    struct om_portmap_tried tried[OM_PORTMAP_HOWS];
    uint64_t asks, answers[OM_PORTMAP_RESULTS], mappings, losses;
};

/** om_portmap_init() - @p wants nothing. */
void om_portmap_init(struct om_portmap *p);

/** om_portmap_want() - from @now on @p keeps UDP @port mapped; 0: gives back what there is. */
void om_portmap_want(struct om_portmap *p, om_time now, uint16_t port);

/** om_portmap_network_changed() - links, addresses or routes of this machine changed at @now: @p
 *  asks again at once, and what it holds is lost if no router confirms it. */
void om_portmap_network_changed(struct om_portmap *p, om_time now);

/** om_portmap_ask_again() - there is word at @now that the router of @p changed: it asks again, and
 *  until it is answered holds what it held. */
void om_portmap_ask_again(struct om_portmap *p, om_time now);

/**
 * om_portmap_answered() - the question that is out came to an end
 * @p:     the machine; ignored when no question is out
 * @now:   when
 * @said:  checked: MAPPED to a port 0, to no public address or for no time is not believed
 */
void om_portmap_answered(struct om_portmap *p, om_time now, const struct om_portmap_answer *said);

/** om_portmap_next() - what @p wants done or told at @now, into @out; false: nothing. */
bool om_portmap_next(struct om_portmap *p, om_time now, struct om_portmap_act *out);

/** om_portmap_deadline() - when to call om_portmap_next() of @p again, if nothing happens. */
om_time om_portmap_deadline(const struct om_portmap *p);

/** om_portmap_state() - where @p stands. */
enum om_portmap_state om_portmap_state(const struct om_portmap *p);

/** om_portmap_is_idle() - nothing of @p is out, nor to be given back. */
bool om_portmap_is_idle(const struct om_portmap *p);

/** om_portmap_how_name() - "nat-pmp" or "upnp" for @how. */
const char *om_portmap_how_name(enum om_portmap_how how);

/** om_portmap_result_name() - "mapped", "silent" ... for @result. */
const char *om_portmap_result_name(enum om_portmap_result result);

/** om_portmap_state_name() - "off", "asking", "held", "waiting" for @state. */
const char *om_portmap_state_name(enum om_portmap_state state);

#endif
