/*
 * cloister.h - two peers agree on a private network of their own
 *
 * What:  one agreement with one peer, over a session with it: a key that only the two know, a short
 *        code that both people compare, and, when both have said yes, the keys that they will have
 *        in a direct network made of that key.
 * Why:   a peer is known by a key that somebody gave out; the code tells whether the person who was
 *        meant holds it. Who has to show his hand first, and is bound to it, has one guess.
 * Keeps: cloister_two_agree; cloister_without_our_word_never_is; cloister_codes_tell_of_a_third;
 *        cloister_holds_the_asker_to_what_it_committed; cloister_replay_leads_nowhere;
 *        cloister_refuses_points_of_low_order; cloister_refuses_a_foreign_proof;
 *        cloister_two_at_once_one_answers; cloister_expires; cloister_leaves_no_secret;
 *        cloister_refuses_what_is_out_of_turn; cloister_matches_independent_figures.
 *
 *   asker     ASKED ---ANSWER, we REVEAL---.
 *                                           +--> COMPARING --both AGREE--> DONE
 *   answerer  ANSWERED --------REVEAL------'        | no, time over, nonsense
 *                                                   +-----------------------> FAILED: why
 *
 * The messages go over one call "cloister", whose peer is authenticated (plans/services.md).
 *
 * Source: PROTOCOL section 7 (Cloister); RFC 7748 section 6.1 (all-zero results); S. Vaudenay,
 *         "Secure Communications over Insecure Channels Based on Short Authenticated Strings",
 *         CRYPTO 2005.
 */
#ifndef OMERTA_CLOISTER_H
#define OMERTA_CLOISTER_H

#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/rng.h>
#include <omerta/time.h>

#define OM_METHOD_CLOISTER "cloister"

enum {
    OM_CLOISTER_HANDS_S = 30,   /* until the code is known: machines only */
    OM_CLOISTER_PEOPLE_S = 300, /* and from there until both have said yes */
    OM_CLOISTER_NONCE = 16,
    OM_CLOISTER_CODE = 6,    /* characters: 30 bits, and one guess */
    OM_CLOISTER_COMMIT = 32, /* bytes of messages: an OFFER, */
    OM_CLOISTER_POINT = 32,  /* an ANSWER, */
    OM_CLOISTER_REVEAL = OM_CLOISTER_POINT + OM_CLOISTER_NONCE,
    OM_CLOISTER_AGREE = 32 + 16, /* the sender's new key, and a MAC */
    OM_CLOISTER_BODY_MAX = 48
};

enum om_cloister_step {
    OM_CLOISTER_NONE,
    OM_CLOISTER_ASKED,
    OM_CLOISTER_ANSWERED,
    OM_CLOISTER_COMPARING,
    OM_CLOISTER_DONE,
    OM_CLOISTER_FAILED
};

#define OM_CLOISTER_WHYS(X)                                                                        \
    X(DENIED, "denied", "the answer here was no")                                                  \
    X(REFUSED, "refused", "the peer said no")                                                      \
    X(BUSY, "busy", "the peer has such a question waiting already, or too many of them")           \
    X(EXPIRED, "expired", "nobody said yes in time")                                               \
    X(GARBAGE, "garbage", "the peer did not keep to the protocol: this may be an attack")          \
    X(GONE, "gone", "the peer cannot be reached any more")

enum om_cloister_why {
#define X(symbol, name, help) OM_CLOISTER_##symbol,
    OM_CLOISTER_WHYS(X)
#undef X
        OM_CLOISTER_WHY_COUNT
};

struct om_cloister_message {
    uint8_t len;
    uint8_t body[OM_CLOISTER_BODY_MAX];
};

/* Read freely; write only through om_cloister_*(). Holds secrets: om_cloister_wipe() ends it. */
struct om_cloister {
    enum om_cloister_step step;
    enum om_cloister_why why; /* FAILED */
    bool is_asker, we_agree, they_agree;
    char code[OM_CLOISTER_CODE + 1]; /* from COMPARING on */
    struct om_id self, peer;         /* keys in the network that there is */
    struct om_id network;            /* the new one, from COMPARING on */
    struct om_id their_key;          /* in it, once they agree */
    uint8_t key[32];                 /* of it: a secret */
    uint8_t proof[32];               /* the key of MACs over the new keys: a secret */
    uint8_t secret[32];              /* of our point, until COMPARING */
    uint8_t point[32], nonce[OM_CLOISTER_NONCE];
    uint8_t commit[OM_CLOISTER_COMMIT]; /* of an asker that we answered */
    om_time until;
    struct om_cloister_message out[2];
    unsigned out_count;
};

/** om_cloister_why_name() - @why as a word. */
const char *om_cloister_why_name(enum om_cloister_why why);

/** om_cloister_why_text() - @why as a sentence. */
const char *om_cloister_why_text(enum om_cloister_why why);

/** om_cloister_yields() - of two that ask each other at once, who gives its own question up and
 *  answers: is it @self and not @peer? */
bool om_cloister_yields(const struct om_id *self, const struct om_id *peer);

/**
 * om_cloister_ask() - begin, as the asker; an OFFER waits in om_cloister_next() then
 * @c:     none, or one that is over and wiped
 * @now:   time
 * @self:  our key in the network that there is
 * @peer:  the peer's
 * @rng:   secret randomness
 */
void om_cloister_ask(struct om_cloister *c, om_time now, const struct om_id *self,
                     const struct om_id *peer, const struct om_rng *rng);

/**
 * om_cloister_answer() - begin, as who was asked; an ANSWER waits then
 * @c:      none, or one that is over and wiped
 * @now:    time
 * @self:   our key in the network that there is
 * @peer:   the peer's, authenticated
 * @offer:  as it came
 * @rng:    secret randomness
 *
 * Nothing is agreed by that, and nobody needs to be asked for it.
 *
 * Return: OM_OK, or OM_E_PARSE with @c untouched.
 */
OM_MUST enum om_err om_cloister_answer(struct om_cloister *c, om_time now, const struct om_id *self,
                                       const struct om_id *peer, struct om_bytes offer,
                                       const struct om_rng *rng);

/** om_cloister_wants() - bytes of the next message of the peer that @c can take; 0: none. */
size_t om_cloister_wants(const struct om_cloister *c);

/**
 * om_cloister_input() - the next message of the peer came
 * @c:    the agreement
 * @now:  time
 * @in:   om_cloister_wants() bytes; anything else is nonsense
 *
 * Return: OM_OK; OM_E_CRYPTO or OM_E_PARSE, and unless it was DONE it has FAILED.
 */
OM_MUST enum om_err om_cloister_input(struct om_cloister *c, om_time now, struct om_bytes in);

/**
 * om_cloister_agree() - the person here said yes; an AGREE waits then
 * @c:    the agreement
 * @own:  the key that this node will have in @c->network
 *
 * Return: OM_OK, or OM_E_STATE when there is nothing (more) to be said yes to.
 */
OM_MUST enum om_err om_cloister_agree(struct om_cloister *c, const struct om_id *own);

/** om_cloister_fail() - @c ends for @why, unless it FAILED before; its secrets are wiped. */
void om_cloister_fail(struct om_cloister *c, enum om_cloister_why why);

/** om_cloister_tick() - time passed in @c, until @now. */
void om_cloister_tick(struct om_cloister *c, om_time now);

/** om_cloister_deadline() - when om_cloister_tick() of @c is due, or OM_NEVER. */
om_time om_cloister_deadline(const struct om_cloister *c);

/** om_cloister_next() - the next message of @c to the peer into @out; false: none. */
bool om_cloister_next(struct om_cloister *c, struct om_cloister_message *out);

/** om_cloister_wipe() - forget all of @c. */
void om_cloister_wipe(struct om_cloister *c);

#endif
