/*
 * study.h - what our NAT does with new flows, asked just before it matters
 *
 * What:  before a punch, and only then: sessions with a few members that can see us from outside,
 *        PINGs to them from a few fresh sockets, and, when ports turn out to be a small block, as
 *        many as tell whether they are shared (nat_share.h). Their PONGs are the samples of nat.h.
 * Why:   which plan opens two NATs depends on their classes; in a small mesh a node speaks with one
 *        or two peers from one socket, which tells no class.
 * Keeps: study_learns_an_easy_nat; study_learns_a_random_nat; study_learns_a_shared_block;
 *        study_one_liar_changes_nothing; study_is_only_made_for_a_punch;
 *        study_closes_its_sockets; study_of_the_silent_ends; study_takes_no_foreign_answer;
 *        study_without_sockets_ends; study_of_the_young_waits; filter_is_learnt_at_rest;
 *        filter_takes_who_answers_a_control; filter_forgets_who_goes.
 *
 *     IDLE --punch wanted--> MEETING --> ASKING --block--> SHARING --> IDLE
 *                                          +---else-----------------> IDLE
 *
 * A question is a PUNCH probe with a PING behind it: the probe keeps the peer from taking our fresh
 * socket for a new address of ours. The answer comes on the path that there is. One study at a
 * time serves all punches; it is of IPv4, as what is in front of IPv6 are firewalls, whose ports
 * can be told.
 *
 * Whom the NAT lets in is asked for at once when a first witness sees us elsewhere than we are: an
 * easy NAT that lets in any port of an address needs no sweep of a hard one (punch_plan.h).
 *
 * Witnesses are sought at random among the members whose records name an address that may be
 * reached, and are asked for a session within the budgets of reach.h; none asks a relay for it.
 * A node that has just started waits for records to come: without a second witness nothing is told
 * of its NAT, and a strict one is punched for as if it were easy, until that was in vain.
 *
 * Source: PROTOCOL section 5; RFC 5780 section 4 (what STUN servers are asked for the same).
 */
#ifndef OM_NODE_STUDY_H
#define OM_NODE_STUDY_H

#include "node/state.h"
#include "path/nat_share.h"

enum {
    OM_STUDY_WITNESSES_MAX = 5,
    OM_STUDY_SHARE_LEAST = 3, /* of them, to be told that ports are shared (nat_share.h) */
    OM_STUDY_KNOWN_MAX = 64,  /* members among which further ones are sought */
    OM_STUDY_SOCKETS = 2,     /* fresh ones, with each of which all are asked */
    OM_STUDY_ASKS_MAX = OM_SHARE_WORDS_MAX,
    OM_STUDY_TRIES = 3,          /* of a question */
    OM_STUDY_ENOUGH = 3,         /* witnesses; who is slower is not waited for */
    OM_STUDY_MEET_MS = 400,      /* for direct ways to further witnesses, if there are enough */
    OM_STUDY_MEET_MAX_MS = 1200, /* and else */
    OM_STUDY_LOOK_MS = 20,       /* between looks whether they stand */
    OM_STUDY_YOUNG_MS = 1500,    /* from the start; until then gossip may tell of members */
    OM_STUDY_WAIT_MS = 300,      /* for the last answers, at most */
    OM_STUDY_LEAST_MS = 60,      /* and at least, beyond a round trip */
    OM_STUDY_PACE_US = 1060,     /* between two questions: below 950 a second */
    OM_STUDY_AT_ONCE = 45,       /* a witness answers 50 at once, and then one each: */
    OM_STUDY_EACH_MS = 20,
    OM_STUDY_REST_S = 8,      /* from the end of one to the next */
    OM_STUDY_BLOCK_MAX = 4096 /* a block of 2,048, as a few samples may show it */
};

enum node_study_stage { NODE_STUDY_MEETING, NODE_STUDY_ASKING, NODE_STUDY_SHARING };

struct node_witness {
    struct om_network *net;
    struct om_id id;
    struct om_addr to;
};

/* One flow: from a socket, of which 0 is the main one, to a witness. */
struct node_ask {
    uint8_t witness;
    uint8_t socket;
    bool is_answered;
    om_time at;
};

/* Read freely; written only by node_nat.c. */
struct node_study {
    struct om_node *node;
    struct om_timer timer;
    struct om_network *net;
    enum node_study_stage stage;
    om_time began;
    om_time until;                            /* of the stage's last wait */
    uint32_t generation;                      /* of the network we are on */
    struct om_id met[OM_STUDY_WITNESSES_MAX]; /* with whom a direct way is waited for */
    bool is_ours[OM_STUDY_WITNESSES_MAX];     /* its handshake was begun for this */
    unsigned met_count;
    struct node_witness witnesses[OM_STUDY_WITNESSES_MAX];
    unsigned witness_count;
    uint32_t first; /* of the driver's sockets; 0: none */
    unsigned sockets;
    uint64_t token; /* of the first question; the others' follow */
    struct node_ask asks[OM_STUDY_ASKS_MAX];
    unsigned count, sent, answered, tries;
    om_time next_at; /* the next question */
    struct om_nat_share share;
};

/** node_study_begin() - @n is about to punch for a peer of @net at @now: see to it that its NAT is
 *  known. Return: true while that takes time. */
bool node_study_begin(struct om_node *n, om_time now, struct om_network *net);

/** node_study_is_busy() - is @n finding out? At the end every peer is looked at. */
static inline bool node_study_is_busy(const struct om_node *n)
{
    return n->study != NULL;
}

/** node_study_question() - frames that ask who gets them from a fresh socket of @n where that is
 *  seen, and that @token names; NULL without memory. */
struct om_buf *node_study_question(struct om_node *n, uint64_t token);

/** node_study_pong() - @p answered @n with @pong at @now. Return: true when a study had asked,
 *  or an attempt to punch. */
bool node_study_pong(struct om_node *n, om_time now, struct om_peer *p,
                     const struct om_frame_pong *pong);

/** node_study_witness() - the way over which @p sees @n from outside, by IPv4; NULL: none. */
const struct om_via *node_study_witness(const struct om_node *n, const struct om_peer *p);

/** node_study_profile() - what the studies of @n know beyond the fit into @profile, of IPv4. */
void node_study_profile(const struct om_node *n, struct om_punch_profile *profile);

/** node_study_stop() - end the study of @n, if any; nobody is told. */
void node_study_stop(struct om_node *n);

/* node_filter.c */

/** node_filter_look() - @n asks at @now whom its NAT lets in, if that is not known. */
void node_filter_look(struct om_node *n, om_time now);

/** node_filter_pong() - @p answered @n at @now over @via with @token. Return: a trial had asked. */
bool node_filter_pong(struct om_node *n, om_time now, const struct om_peer *p,
                      const struct om_via *via, uint64_t token);

/** node_filter_forget() - @p of @n goes, or its association: it is not waited for. */
void node_filter_forget(struct om_node *n, const struct om_peer *p);

/** node_filter_stop() - @n is on another network, or ends. */
void node_filter_stop(struct om_node *n);

#endif
