/*
 * join.h - becoming a member, and making members
 *
 * What:  of one closed network: our asking to be let in by a link, and our answers, as an admin,
 *        to those who ask.
 * Why:   who is no member yet may do one thing only, and it is all here.
 * Keeps: renew_takes_what_holds_for_longer; join_takes_what_holds_of_an_admin;
 *        join_by_what_one_who_came_twice_used_is_refused.
 *
 *            link           JOIN session, call, answer
 *   (none) --------> ASKING --------------------------> member
 *                      | refused, or OM_JOIN_PATIENCE_S over
 *                      +------------------------------> told; silent
 */
#ifndef OM_NODE_JOIN_H
#define OM_NODE_JOIN_H

#include <omerta/bucket.h>

#include "network/issuer.h"
#include "network/proof.h"
#include "node/call.h"
#include "node/services.h"
#include "service/join.h"

enum {
    OM_INVITED_MAX = 256,   /* who were let in to ask in one network; then the least recent has to
                               come again */
    OM_JOIN_ASKED_MAX = 16, /* peers that are asked to be let in; then no others */
    OM_JOIN_PARDONS_PER_S = 1, /* whose invitation was taken back are told so; then silence */
    OM_JOIN_PARDONS_BURST = 8,
    OM_JOIN_MADE_MAX = 16 /* certificates made and not kept yet; then nobody new is let in */
};

/* By what one came who may ask. */
struct node_invited {
    struct om_grant grant;
    size_t admin_len; /* 0: the authority signed it */
    uint8_t admin[OM_ADMIN_CERT_BYTES];
};

/* A certificate that was made: whoever asked for it waits until the driver has kept it. */
struct node_made {
    struct om_node_cert cert;
    uint64_t call;           /* the question */
    struct om_issued before; /* of its key, where is_again */
    bool is_again;
    bool is_signed; /* our log names it */
};

struct node_join {
    struct om_node *node;
    struct om_network *net;
    bool is_asking;
    bool is_renewing;
    bool is_due;       /* a peer may be there to be asked */
    bool was_answered; /* by a member that is no admin */
    bool was_unkept;   /* an admin cannot keep what it would make */
    bool has_answer;
    bool has_why;
    enum om_join_why why;
    char name[OM_MEMBER_NAME_MAX + 1];
    struct om_id asked[OM_JOIN_ASKED_MAX];
    unsigned asked_count;
    struct om_join_answer answer;
    bool is_admin;
    struct om_issuer issuer;
    struct node_made made[OM_JOIN_MADE_MAX];
    unsigned made_count;
    bool is_told;                   /* the first of them was, to the driver, */
    bool is_unkept;                 /* who could not keep it */
    uint8_t told[OM_NODE_CERT_MAX]; /* lent */
    struct om_timer timer;
    struct om_timer renewal;
    om_time renewal_wait;     /* from its next round to the one after it */
    struct om_proofs proofs;  /* seen */
    struct om_lru invited;    /* key -> struct node_invited */
    struct om_bucket pardons; /* for those whose invitation was taken back: an answer each */
};

/** node_join_stop() - end what there is of joining in @n. */
void node_join_stop(struct om_node *n);

/** node_join_leave() - end what there is of joining the @i-th network of @n. */
void node_join_leave(struct om_node *n, unsigned i);

/** node_join_of() - what there is of joining @net in @n, made if need be; NULL without memory. */
struct node_join *node_join_of(struct om_node *n, const struct om_network *net);

/** node_issue_next() - a certificate that @j made and did not tell, into @out; or what was told is
 *  kept by now, or is not: then who asked for it is answered. */
enum node_step node_issue_next(struct node_join *j, struct om_act *out);

/** node_join_tell() - as node_issue_next() into @out, of any network of @n. */
enum node_step node_join_tell(struct om_node *n, struct om_act *out);

/**
 * node_join_admit() - may who came under the keys of a link ask to be let in?
 * @n:      the node
 * @now:    time
 * @net:    the network
 * @kind:   of its credential
 * @shown:  the rest
 * @id:     receives its key
 *
 * Return: false for silence.
 */
bool node_join_admit(struct om_node *n, om_time now, const struct om_network *net, uint8_t kind,
                     const struct om_proof_shown *shown, struct om_id *id);

/** node_authority_sign() - make whoever @cert is of an admin of @net, whose authority we hold: both
 *  certificates to @out. */
void node_authority_sign(const struct om_network *net, const struct om_node_cert *cert,
                         struct om_join_answer *out);

/** node_join_up() - @n holds a session with @p that is none of a member. */
void node_join_up(struct om_node *n, const struct om_peer *p);

/** node_join_may_ask() - may the peer of @c, who just asked, ask that at all? */
bool node_join_may_ask(const struct node_call *c);

/** node_join_asked() - is @c, asked at @now, about membership? Then it was answered. */
bool node_join_asked(struct node_call *c, om_time now);

/** node_join_answered() - our question @c has an answer at @now, or never will. */
void node_join_answered(struct node_call *c, om_time now);

/* node_renew.c */

/** node_renew_from() - when a certificate since @issued until @expires may be renewed: half of its
 *  life, or of that of a new one, before its end. */
uint32_t node_renew_from(uint32_t issued, uint32_t expires);

/** node_renew_plan() - @n shows another certificate in @net since @now: plan its renewal. */
void node_renew_plan(struct om_node *n, om_time now, struct om_network *net);

/** node_renew_fire() - at @now the half of a certificate's life is over, on timer @t. */
void node_renew_fire(struct om_timer *t, om_time now);

/** node_renew_wall() - the calendar of @n was set at @now: what is due is planned anew, and what is
 *  under way goes on. */
void node_renew_wall(struct om_node *n, om_time now);

/** node_renew_meet() - whoever @n has less than a member's session with in @net is met anew. */
void node_renew_meet(struct om_node *n, const struct om_network *net);

/** node_renew_helps() - is @a, an answer to @j, a certificate of ours that holds today, and for
 *  longer than the one we show? Else anybody could give us back one that we had. */
bool node_renew_helps(const struct node_join *j, const struct om_join_answer *a);

/** node_renew_take() - the answer that @j has is our certificate from now on; false: it is none. */
bool node_renew_take(struct node_join *j);

/** node_join_next() - as node_service_next(), of joining in @n into @out. */
enum node_step node_join_next(struct om_node *n, struct om_act *out);

#endif
