/*
 * member.h - being a member of a closed network: certificates, and how one is come by
 *
 * What:  a node's certificate for a network, given or renewed; joining by a link; letting a node
 *        that is an admin answer those who join; what is known of a member.
 * Why:   to know a network's secret and to be its member are two things: the first can be copied,
 *        the second is signed, for one key and a time.
 * Keeps: member_meets_member; member_stranger_with_the_secret_gets_nothing;
 *        join_by_link_makes_a_member; join_without_the_invitation_gets_nothing;
 *        roles_relay_is_believed_by_its_certificate;
 *        roles_own_record_says_relay_only_with_the_role.
 *
 * A closed network is joined with om_network_config.authority and .chain. Without a chain a node
 * is refused by everybody there until om_node_credential() gives it one.
 *
 * Source: PROTOCOL sections 3 (Credentials) and 7 (Membership).
 */
#ifndef OMERTA_MEMBER_H
#define OMERTA_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/attr.h>
#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/time.h>

struct om_node;

enum {
    OM_MEMBER_NAME_MAX = 32,
    OM_MEMBER_INVITE = 8,   /* bytes that name an invitation; zeros: none */
    OM_JOIN_PATIENCE_S = 60 /* from the asking to the answer, whatever it is */
};

/* What a member may do beyond being one: carry the lanes of others, offer virtual machines, let
 * others in. Who lacks the role refuses, and is not believed; an admin may do all three. Bits;
 * others are kept and mean nothing. */
enum om_role { OM_ROLE_RELAY = 1, OM_ROLE_PROVIDER = 2, OM_ROLE_ADMIN = 4 };

/* A certificate as it travels: the admin's is empty when the authority signed. */
struct om_cert_chain {
    struct om_bytes node, admin;
};

/* What a member's certificate says; its signatures held when it was looked at. */
struct om_member {
    struct om_id key;
    struct om_id issuer;
    uint8_t hash[32];     /* BLAKE2b-256 of the certificate: so its issuer's log names it */
    uint32_t number;      /* of the issuer's log */
    uint32_t from, until; /* Unix s; of the whole chain */
    uint32_t issued;      /* Unix s; of the member's own part */
    uint32_t overlay;     /* IPv4, host order; 0: none */
    uint8_t roles;        /* enum om_role; that of an admin only if the authority signed it */
    uint8_t invite[OM_MEMBER_INVITE];
    char name[OM_MEMBER_NAME_MAX + 1]; /* a label of DNS; "": none */
};

/**
 * om_node_credential() - the certificate that a node shows in a closed network from now on
 * @n:        the node
 * @now:      time
 * @network:  one that was joined, closed
 * @chain:    of this node's key there; copied
 *
 * Sessions that stand keep standing; the next handshakes show it.
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_STATE for an open network, OM_E_CRYPTO when the certificate is
 * another's, or its signatures do not hold.
 */
OM_MUST enum om_err om_node_credential(struct om_node *n, om_time now, const struct om_id *network,
                                       const struct om_cert_chain *chain);

/* Why one that asked to join was not let in. */
#define OM_JOIN_WHYS(X)                                                                            \
    X(NOBODY, "nobody",                                                                            \
      "none of those that the link names answered: they are away, the link or its invitation is "  \
      "too old (30 days, or 8 changes of the secret), or this clock is off by over a day")         \
    X(NO_ADMIN, "no_admin", "no admin of the network could be reached")                            \
    X(NO_CREATOR, "no_creator",                                                                    \
      "who made the network could not be reached, and only he can let an admin in")                \
    X(EXPIRED, "expired", "the invitation is too old: ask for a new one")                          \
    X(USED, "used", "the invitation was used as often as it may be: ask for a new one")            \
    X(REVOKED, "revoked", "the invitation was taken back: ask for a new one")                      \
    X(NAME_TAKEN, "name_taken", "another member has that name")                                    \
    X(FULL, "full", "the admin can note no more members")                                          \
    X(UNKEPT, "unkept",                                                                            \
      "the admin cannot keep it: its disk may be full; try again, or by another admin's link")     \
    X(GARBAGE, "garbage", "the answer was none that holds")                                        \
    X(CLOCK, "clock", "this machine's calendar is before the invitation was made")

enum om_join_why {
#define X(symbol, name, help) OM_JOIN_##symbol,
    OM_JOIN_WHYS(X)
#undef X
        OM_JOIN_WHY_COUNT
};

/** om_join_why_name() - @why as a word; "unknown" for other values. */
const char *om_join_why_name(enum om_join_why why);

/** om_join_why_text() - @why as a sentence; "" for other values. */
const char *om_join_why_text(enum om_join_why why);

enum om_member_news {
    OM_MEMBER_JOINED, /* we are a member: chain, epoch, secret, called. Where the admin of the chain
                          is we ourselves, we were made one: om_node_admin() */
    OM_MEMBER_REFUSED, /* we are not: why. Nothing is sent there any more */
    OM_MEMBER_RENEWED, /* our certificate is a new one: chain */
    OM_MEMBER_ISSUED,  /* we, an admin, made a member: chain, to be given back after a restart */
    OM_MEMBER_LEDGER,  /* more of what admins signed: ledger, to be given back, in that order */
    OM_MEMBER_EPOCH    /* another secret: epoch, secret, epochs, in the place of those before */
};

/* For OM_ACT_MEMBER. What it points to is lent until the next om_node_*(). */
struct om_act_member {
    struct om_id network;
    enum om_member_news news;
    enum om_join_why why;
    uint32_t epoch;
    const uint8_t *secret; /* 32 B, the epoch's */
    struct om_cert_chain chain;
    const char
        *called; /* the network, by the admin's wish: of JOINED; at most OM_NAME_MAX, or "" */
    struct om_bytes ledger;
    struct om_bytes epochs; /* secrets; for om_node_epochs() (rotate.h) */
};

/**
 * om_node_join_by_link() - become a member of a closed network
 * @n:        the node
 * @now:      time
 * @link:     omerta://join/...; a secret, not kept longer than it takes
 * @name:     wished in the network; "" for none
 * @network:  receives its id
 * @err:      sentence for a person, without any of the link; may be NULL
 *
 * Ends with OM_ACT_MEMBER, JOINED or REFUSED, within OM_JOIN_PATIENCE_S. Until then the network is
 * joined, but nothing but that can be done in it. After JOINED it is as after om_node_join() with
 * gossip.
 *
 * Return: OM_OK; OM_E_PARSE or OM_E_RANGE for no link, or one of an open network; OM_E_STATE for
 * one that has expired or is from the future, by our calendar; OM_E_EXISTS when it is joined;
 * OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_join_by_link(struct om_node *n, om_time now, const char *link,
                                         const char *name, struct om_id *network,
                                         struct om_error *err);

/**
 * om_node_admin() - answer those who join a closed network, and those who renew
 * @n:        the node
 * @now:      time
 * @network:  one that was joined, closed
 * @cert:     the admin certificate of our key there; copied; empty: no longer
 *
 * Each certificate that is made so is told by OM_ACT_MEMBER, ISSUED; who asked for it has it once
 * the node is asked for its next action, unless om_node_unkept() was called by then.
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_STATE for an open network, OM_E_CRYPTO for a certificate that
 * is another's or not the authority's, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_admin(struct om_node *n, om_time now, const struct om_id *network,
                                  struct om_bytes cert);

/** om_node_unkept() - what @n told last of @network, ISSUED or LEDGER, cannot be kept: who waits
 *  for a certificate is refused it, and its invitation is as good as before; for its own key alone
 *  once the certificate was kept. What this node itself signed of LEDGER was never said: a number
 *  of its log that it forgot, and another has, would be signed a second time. To be called before
 *  anything else of @n. */
void om_node_unkept(struct om_node *n, const struct om_id *network);

/** om_node_call_network() - let @n, when it lets others in, tell them that @network is called
 *  @name: at most OM_NAME_MAX bytes, "" for nothing. Return: OM_OK, OM_E_MISSING, OM_E_RANGE. */
OM_MUST enum om_err om_node_call_network(struct om_node *n, const struct om_id *network,
                                         const char *name);

/** om_node_issued() - give @n, an admin of @network, back a certificate it had told as ISSUED:
 *  @node of its chain. Return: OM_OK, OM_E_MISSING, OM_E_PARSE, OM_E_FULL. */
OM_MUST enum om_err om_node_issued(struct om_node *n, const struct om_id *network,
                                   struct om_bytes node);

/**
 * om_node_ledger() - give a node back what it had told as OM_MEMBER_LEDGER
 * @n:        the node
 * @now:      time
 * @network:  one that was joined, closed
 * @part:     as it was told; an admin that lost some of its own says what it said before twice, so
 *            all of it comes before om_node_admin()
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_STATE for an open network, OM_E_PARSE, OM_E_CRYPTO,
 * OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_ledger(struct om_node *n, om_time now, const struct om_id *network,
                                   struct om_bytes part);

/* What is read out of a ledger. */
enum {
    OM_LEDGER_PART_MAX = 512, /* bytes of a part */
    OM_LEDGER_KEPT_MAX =
        80 << 20 /* of all parts, and as many times two; most networks': some KiB */
};

/* How far it was read out; zeroed before the first part. */
struct om_ledger_place {
    unsigned log, given;
    bool is_begun, is_downward;
};

/**
 * om_node_ledger_all() - all that a node has of a ledger, in place of what it told so far
 * @n:        the node
 * @network:  one that was joined, closed
 * @place:    where it is; nothing else is asked of @n until the last part
 * @out:      receives a part, for om_node_ledger()
 *
 * What was told may be more: of what an admin who lies says much is forgotten again. What is still
 * to be told is not among it.
 *
 * Return: bytes of the part; 0: there is no more.
 */
size_t om_node_ledger_all(struct om_node *n, const struct om_id *network,
                          struct om_ledger_place *place, uint8_t out[static OM_LEDGER_PART_MAX]);

/**
 * om_node_revoke() - throw a member out of a closed network, for good
 * @n:        the node, an admin there
 * @now:      time
 * @network:  one that was joined
 * @key:      the member's; it need not be known
 *
 * It loses its sessions at once, here and with everybody who hears of it. Who has not heard accepts
 * it until its certificate is over.
 *
 * Return: OM_OK also when it was revoked before; OM_E_MISSING; OM_E_STATE when this node is no
 * admin there, or no more, or has to hear first what it said before; OM_E_RANGE for our own key,
 * and for an admin's, who is the authority's to end first (om_node_unadmin()); OM_E_FULL,
 * OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_revoke(struct om_node *n, om_time now, const struct om_id *network,
                                   const struct om_id *key);

/** om_node_void() - as om_node_revoke(): nobody more joins @network by the @invite of a grant;
 *  OM_E_RANGE for zeros. */
OM_MUST enum om_err om_node_void(struct om_node *n, om_time now, const struct om_id *network,
                                 const uint8_t invite[static OM_MEMBER_INVITE]);

/**
 * om_node_member() - what a peer's certificate says
 * @n:        the node
 * @network:  one that was joined, closed
 * @peer:     whose; our own key: ours
 * @out:      filled on success
 *
 * Return: OM_OK, or OM_E_MISSING when no certificate of its was seen lately.
 */
OM_MUST enum om_err om_node_member(const struct om_node *n, const struct om_id *network,
                                   const struct om_id *peer, struct om_member *out);

/** om_node_may() - may @peer, or this node itself, do in @network what @role is for? Where @n takes
 *  bare keys, anybody; else who has that role, or the admin's, by the certificate seen last. */
bool om_node_may(const struct om_node *n, const struct om_id *network, const struct om_id *peer,
                 enum om_role role);

#endif
