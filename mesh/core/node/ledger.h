/*
 * ledger.h - what the admins of a closed network signed, as the node uses it
 *
 * What:  one ledger for each closed network: handshakes are judged by it, sessions that stand are
 *        judged anew when it changes, and members tell one another what they lack of it.
 * Why:   a certificate cannot be taken back, but everybody can hear that it no longer counts.
 * Keeps: revoke_ends_sessions_and_refuses_new_ones; revoke_is_for_admins;
 *        revoke_is_told_to_whoever_was_away; revoke_survives_a_restart; invite_void_lets_nobody_in;
 *        invite_says_how_often_itself; ledger_sync_refuses_garbage;
 *        ledger_sync_rests_where_nothing_comes_of_it;
 *        ledger_sync_answers_one_less_often_than_all; ledger_sync_learns_from_whom_it_refuses;
 *        ledger_sync_keeps_what_is_new;
 *        stall_of_many_delays_a_revocation_by_seconds; stall_by_old_news_ends;
 *        surplus_of_an_invitation_is_revoked; surplus_that_cannot_be_kept_is_signed_later;
 *        revoke_that_cannot_be_kept_was_not_said;
 *        revoke_waits_for_room_to_be_kept;
 *        ledger_is_read_out_whole.
 *
 * Who is asked: every peer with a live session that may not have what we have, once until ours
 * changes, whoever was heard last first; it sees how far we are and asks back. So news doubles its
 * hearers with each question. In a network cut in two most questions go to those out of reach: who
 * does not answer at once holds up nobody else. Of whom nothing came last time is asked after all
 * others, in turn: members in league, who keep themselves heard and answer nothing, have one go.
 *
 * Source: PROTOCOL section 7 (Logs); plans/membership.md.
 */
#ifndef OM_NODE_LEDGER_H
#define OM_NODE_LEDGER_H

#include "network/ledger_wire.h"
#include "node/call.h"
#include "node/services.h"

enum {
    OM_LEDGER_ASKS_MAX = 16,  /* peers that are asked at a time; the others have their turn later */
    OM_LEDGER_EAGER_MAX = 4,  /* of them such as answered within a round, or were asked in it */
    OM_LEDGER_ROUND_S = 1,    /* between the beginnings of rounds */
    OM_LEDGER_SILENT_S = 2,   /* without an answer to anything */
    OM_LEDGER_PATIENCE_S = 5, /* with one answer, and with its rest beside what its bytes take */
    OM_LEDGER_NEWS_S = 30,    /* with answers that bring nothing, of one who has more and more */
    OM_LEDGER_RETRY_S = 15,   /* until a peer is asked again of whom came nothing, or nothing new */
    OM_LEDGER_PARTS_MAX = 2048,   /* answers to one peer's whole question; then it ends */
    OM_LEDGER_ANSWERS_PER_S = 50, /* of all peers; then they are told to come back */
    OM_LEDGER_PEER_PER_S = 5,     /* of one peer, who leaves most to the others; */
    OM_LEDGER_PEER_BURST = 48,    /* to who is behind by a full log all of it at once */
    OM_LEDGER_UNTOLD_MAX = 32     /* parts not told to the driver yet; then they are not kept, and
                                     we sign nothing */
};

#define OM_METHOD_LEDGER "ledger.sync"

/* One peer that is being asked. */
struct node_ledger_ask {
    struct om_id peer;
    uint64_t version; /* of ours, when it was asked */
    om_time since;    /* when it was, or answered last */
    om_time news_at;  /* when it was, or brought something last */
    struct om_ledger_ask ask;
    unsigned parts; /* answers that came */
    bool is_open;
    bool is_due;     /* for the next part of its answer */
    bool is_claimed; /* it said that it has more */
    bool has_brought;
};

struct node_rotation;

/* What is new, to be kept by the driver. */
struct node_ledger_part {
    struct om_mut bytes; /* owned */
    uint32_t from;       /* where we made it: what is from here on in the log of owner, */
    struct om_id owner;  /* which is one of ours, is nothing without it; 0: others told it */
};

struct node_ledger {
    struct om_node *node;
    struct om_network *net;
    struct om_ledger all;
    struct node_rotation *rotation; /* owned */
    uint64_t judged;                /* all.change, when the peers were judged last */
    uint64_t version;               /* from 1; greater whenever we have more to tell */
    om_time next_at;                /* of the next round, at the earliest */
    struct om_timer timer;
    struct om_bucket answers;
    struct node_ledger_ask asks[OM_LEDGER_ASKS_MAX];
    struct node_ledger_part untold[OM_LEDGER_UNTOLD_MAX];
    struct node_ledger_part told; /* lent to the driver, who has it until it asks for more */
    unsigned untold_count;
    bool is_told;     /* and it can still say that it could not keep that */
    bool is_unkept;   /* what we signed last */
    bool is_cert_due; /* our certificate: what was not kept may have had it */
    bool is_due;      /* a round */
    bool is_out;      /* we are revoked ourselves, and have said so */
};

/** node_ledger_start() - the ledger of the @i-th network of @n, if that is closed. Return: OM_OK or
 *  OM_E_NO_MEM. */
OM_MUST enum om_err node_ledger_start(struct om_node *n, unsigned i);

/** node_ledger_leave() - end the ledger of the @i-th network of @n. */
void node_ledger_leave(struct om_node *n, unsigned i);

/** node_ledger_stop() - end all ledgers of @n. */
void node_ledger_stop(struct om_node *n);

/** node_ledger_of() - the ledger of @network in @n, or NULL. */
struct node_ledger *node_ledger_of(const struct om_node *n, const struct om_id *network);

/**
 * node_ledger_admits() - may a member take part, by what its network's admins signed?
 * @n:      the node
 * @net:    the network
 * @chain:  what it showed; its signatures hold; noted
 * @m:      what that says
 *
 * Return: false for silence.
 */
bool node_ledger_admits(struct om_node *n, const struct om_network *net,
                        const struct om_cert_chain *chain, const struct om_member *m);

/** node_ledger_own() - @n shows @chain in @net, or heard that a member does; it says @m, and is
 *  noted. */
void node_ledger_own(struct om_node *n, const struct om_network *net,
                     const struct om_cert_chain *chain, const struct om_member *m);

/** node_ledger_invites() - may @key ask to join @net of @n by @grant, which @issuer signed, whose
 *  certificate is @admin, empty for the authority? Also by one taken back since, to be told so. */
bool node_ledger_invites(struct om_node *n, const struct om_network *net, const struct om_id *key,
                         const struct om_grant *grant, struct om_bytes admin);

/** node_ledger_is_revoked() - was @key revoked in @net, as far as @n knows? */
bool node_ledger_is_revoked(const struct om_node *n, const struct om_network *net,
                            const struct om_id *key);

/** node_ledger_may_sign() - is @key an admin in @net whom nobody revoked, as far as @n knows? One
 *  whose certificate was not seen is taken at its word. */
bool node_ledger_may_sign(const struct om_node *n, const struct om_network *net,
                          const struct om_id *key);

/** node_ledger_admin() - there is an admin in @net of @n, as @cert says. Return: as
 *  om_ledger_admin(). */
OM_MUST enum om_err node_ledger_admin(struct om_node *n, const struct om_network *net,
                                      struct om_bytes cert);

/** node_ledger_sign() - we, an admin in @net of @n, say @e, of which kind and subject are given.
 *  Return: as om_ledger_sign(). */
OM_MUST enum om_err node_ledger_sign(struct om_node *n, const struct om_network *net,
                                     struct om_admin_entry *e);

/** node_ledger_sign_as() - @who, of whom we have the key, says @e in @net of @n, of which kind and
 *  subject are given. Return: as om_ledger_sign(). */
OM_MUST enum om_err node_ledger_sign_as(struct om_node *n, const struct om_network *net,
                                        const struct om_identity *who, struct om_admin_entry *e);

/** node_ledger_next() - as node_service_next(), of the ledgers of @n into @out. */
enum node_step node_ledger_next(struct om_node *n, struct om_act *out);

/** node_ledger_tell() - a part of a ledger of @n that is to be kept, into @out; false: none. */
bool node_ledger_tell(struct om_node *n, struct om_act *out);

/** node_ledger_unkept() - the driver cannot keep what it was told last of @g, if that was a part of
 *  it: what we signed is taken back, and all that we signed behind it. Nobody else has heard it,
 *  and so its numbers are free; else we would sign them a second time after the next start. */
void node_ledger_unkept(struct node_ledger *g);

/* node_surplus.c */

/** node_surplus_sign() - as an admin, revoke one of @g that others judge by the one-use rule alone:
 *  signed it is known also to who has not seen all certificates, and the secret changes. The ledger
 *  changes by it: the next one follows when it is judged again. */
void node_surplus_sign(struct node_ledger *g);

/* node_ledger_sync.c */

/** node_ledger_kick() - some peer of @g may have to be asked, at @now or soon. */
void node_ledger_kick(struct node_ledger *g, om_time now);

/**
 * node_ledger_changed() - there is more to tell than before
 * @g:      the ledger
 * @bytes:  which the driver is to keep
 * @ours:   NULL; or what we say ourselves, by its owner and from; its bytes are not looked at
 *
 * Return: false when there is no room, so it will not be kept.
 */
bool node_ledger_changed(struct node_ledger *g, struct om_bytes bytes,
                         const struct node_ledger_part *ours);

/** node_ledger_work() - ask for @g whom is due. Return: false when nobody was. */
bool node_ledger_work(struct node_ledger *g);

/** node_ledger_up() - @n holds a session of a member with @p since @now; @is_behind: one of the two
 *  is behind with its epoch. */
void node_ledger_up(struct om_node *n, om_time now, struct om_peer *p, bool is_behind);

/** node_ledger_asked() - is @c, just asked at @now, about a ledger? Then it was answered. */
bool node_ledger_asked(struct node_call *c, om_time now);

/** node_ledger_answered() - our question @c ended at @now; @is_ok: with all its bytes. */
void node_ledger_answered(struct node_call *c, om_time now, bool is_ok);

#endif
