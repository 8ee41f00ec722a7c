/*
 * hello.h - a node tells its LAN that it is there, and what of what it hears is acted on
 *
 * What:  group and port of a network on a LAN, the signed body of a hello, when one is sent, and
 *        the judgement on one that was heard.
 * Why:   two members of a network on one LAN should find each other with no server between them.
 *        What is heard is a claim anyone in the network can make, so it starts little and seldom.
 * Keeps: hello_group_follows_from_the_secret; hello_round_trips; hello_refuses_malformed_bodies;
 *        hello_signature_binds_every_part; hello_is_sent_thrice_then_each_minute;
 *        hello_acts_once_on_what_is_new_near_and_signed; hello_acts_seldom;
 *        hello_memory_of_keys_is_bounded.
 *
 *     body = 32 B key, u48 time (ms), u8 n <= 8, n addresses of 18 B, 64 B signature (kind "hello")
 *
 * Full: OM_HELLO_KEYS_MAX keys are remembered; then the one heard longest ago is forgotten, and
 * an old hello of it would pass for new: it still starts no more than the two rates allow.
 *
 * Source: PROTOCOL section 3, LAN hello; RFC 2365 section 6 (239.0.0.0/8), RFC 3307 section 4.3
 *         (dynamic IPv6 group ids have their highest bit set).
 */
#ifndef OM_GOSSIP_HELLO_H
#define OM_GOSSIP_HELLO_H

#include <omerta/addr.h>
#include <omerta/bucket.h>
#include <omerta/hello.h>
#include <omerta/lru.h>

#include "crypto/identity.h"
#include "network/epoch.h"

enum {
    OM_HELLO_BODY_MAX = OM_ID_BYTES + 6 + 1 + OM_HELLO_ADDRS_MAX * OM_ADDR_WIRE + OM_SIGN_BYTES,
    OM_HELLO_PORT = 49152, /* the lowest; 14 bits more come from the key */
    OM_HELLO_QUICK = 3,    /* sent so often at the start and when the link changes */
    OM_HELLO_QUICK_S = 1,
    OM_HELLO_EVERY_S = 60,
    OM_HELLO_KEY_S = 30,         /* between two initiations to one key */
    OM_HELLO_STARTS_PER_S = 10,  /* initiations, over all keys and networks */
    OM_HELLO_CHECKS_PER_S = 100, /* signatures checked; only members can make us do it */
    OM_HELLO_KEYS_MAX = 256      /* per network */
};

/* What a hello says. */
struct om_hello {
    struct om_id id;
    uint64_t time_ms; /* of its sender's clock; never the same twice */
    struct om_addr addrs[OM_HELLO_ADDRS_MAX];
    unsigned count;
};

/* When to send; read freely. */
struct om_hello_pace {
    unsigned quick; /* still to be sent at short distance */
    om_time next;   /* OM_NEVER: not announcing */
};

/* What all that is heard by one node may cost. */
struct om_hello_budget {
    struct om_bucket starts, checks;
};

/* What was heard in one network. */
struct om_hello_ear {
    struct om_lru heard; /* key -> its newest hello, and when we last acted on one */
};

enum om_hello_verdict {
    OM_HELLO_GOOD,   /* new, near and signed */
    OM_HELLO_FORM,   /* not a hello */
    OM_HELLO_OWN,    /* ours, come back */
    OM_HELLO_SOURCE, /* from an address that is not among those signed */
    OM_HELLO_OLD,    /* not newer than the last of that key */
    OM_HELLO_FORGED, /* the signature is wrong */
    OM_HELLO_RATE,   /* more than we care to check */
    OM_HELLO_NO_MEM
};

/** om_hello_group() - where hellos of the network of @epoch go: its IPv6 group if @v6, or IPv4. */
struct om_addr om_hello_group(const struct om_epoch *epoch, bool v6);

/**
 * om_hello_encode() - write and sign a body
 * @h:        at most OM_HELLO_ADDRS_MAX addresses; its id is not looked at
 * @self:     who says it
 * @network:  to whose members
 * @out:      OM_HELLO_BODY_MAX bytes
 *
 * Return: bytes written.
 */
size_t om_hello_encode(const struct om_hello *h, const struct om_identity *self,
                       const struct om_id *network, uint8_t out[static OM_HELLO_BODY_MAX]);

/**
 * om_hello_decode() - read a body; the signature is not checked
 * @out:  untouched on failure
 * @in:   as received
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err om_hello_decode(struct om_hello *out, struct om_bytes in);

/** om_hello_pace_start() - let @p send at once at @now, and start over what was begun. */
void om_hello_pace_start(struct om_hello_pace *p, om_time now);

/** om_hello_pace_stop() - let @p send nothing. */
void om_hello_pace_stop(struct om_hello_pace *p);

/** om_hello_pace_due() - is one to be sent at @now? Then @p waits for the next. */
bool om_hello_pace_due(struct om_hello_pace *p, om_time now);

/** om_hello_budget_init() - full budget @b at @now. */
void om_hello_budget_init(struct om_hello_budget *b, om_time now);

/** om_hello_ear_init() - @e has heard nothing; @sip_key is secret. Return: as om_lru_init(). */
OM_MUST enum om_err om_hello_ear_init(struct om_hello_ear *e,
                                      const uint8_t sip_key[static OM_SIP_KEY]);

/** om_hello_ear_fini() - release @e, which may be zeroed. */
void om_hello_ear_fini(struct om_hello_ear *e);

/* A body as it came by multicast, under a T that holds. */
struct om_hello_heard {
    struct om_bytes body;
    struct om_addr source;
    const struct om_id *self; /* we */
    const struct om_id *network;
};

/**
 * om_hello_judge() - what to do about a hello
 * @e:    remembers what is genuine
 * @b:    is charged
 * @now:  time
 * @in:   what was heard; the caller knows that it came over the link
 * @out:  filled unless OM_HELLO_FORM
 *
 * Return: the verdict.
 */
enum om_hello_verdict om_hello_judge(struct om_hello_ear *e, struct om_hello_budget *b, om_time now,
                                     const struct om_hello_heard *in, struct om_hello *out);

/**
 * om_hello_may_act() - may we initiate to the sender of a good hello, with whom we have no session?
 * @e:    heard it
 * @b:    is charged
 * @now:  time
 * @id:   its key
 *
 * Return: false when we did so too lately, for this key or for all of them.
 */
bool om_hello_may_act(struct om_hello_ear *e, struct om_hello_budget *b, om_time now,
                      const struct om_id *id);

#endif
