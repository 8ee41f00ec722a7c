/*
 * message.h - messages with receipts, kept for peers that are away
 *
 * What:  posts messages as calls, one at a time to each peer and in order; keeps them while the
 *        peer is away; says what became of each. Takes the peers' messages, each once, and their
 *        receipts.
 * Why:   "sent" is no answer: a person wants to know whether it arrived, and should not have to
 *        wait for the other's laptop to wake up.
 * Keeps: message_is_delivered_and_read; message_waits_for_its_peer; message_backs_off;
 *        message_expires; message_full_refuses_the_new_one; message_arrives_once;
 *        message_read_before_delivered; message_receipts_never_go_back;
 *        message_receipts_of_others_count_for_nothing; message_refuses_nonsense;
 *        message_refuses_what_is_too_large;
 *        message_refusal_of_the_peer_is_final; message_inbox_full_is_busy;
 *        message_forgets_idle_peers.
 *
 * Words (plans/services.md): message.send {id, kind, data} -> {receipt: "delivered"};
 * message.receipt {id, state}. Ids mean something only together with the authenticated peer.
 *
 * Full: OM_MESSAGE_PEER_ITEMS messages or OM_MESSAGE_PEER_BYTES wait for a peer, OM_MESSAGE_BYTES
 * in all: the new one is refused, nothing that was taken is dropped. OM_MESSAGE_INBOX arrived and
 * not yet taken by next(): the peer is told "busy". OM_MESSAGE_SEEN ids of a peer are remembered,
 * newest first: a copy older than that would be delivered again.
 */
#ifndef OM_SERVICE_MESSAGE_H
#define OM_SERVICE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/list.h>
#include <omerta/rng.h>
#include <omerta/service.h>
#include <omerta/table.h>

#include "service/words.h"

enum {
    OM_MESSAGE_PEERS = 1024,            /* as many as a node knows */
    OM_MESSAGE_PEER_ITEMS = 64,         /* messages that wait for one, and as many receipts */
    OM_MESSAGE_PEER_BYTES = 256 * 1024, /* of messages that wait for one */
    OM_MESSAGE_BYTES = 4 << 20,         /* of messages that wait, in all */
    OM_MESSAGE_SENT = 128,              /* delivered ones of a peer that may yet be read */
    OM_MESSAGE_SEEN = 256,              /* ids of a peer's messages */
    OM_MESSAGE_INBOX = 256,             /* arrived, not taken by next() */
    OM_MESSAGE_TTL_H = 24               /* of a message that waits */
};

struct om_message_counts {
    uint64_t posted, delivered, failed;
    uint64_t arrived, copies; /* copies of what had arrived, answered and dropped */
    uint64_t bad_args;        /* calls of peers that make no sense */
    uint64_t strange;         /* receipts for what we never sent to that peer */
    uint64_t backward;        /* receipts that would undo one */
    uint64_t bad_answers;     /* answers that make no sense */
};

struct message_entry;
struct message_item;

/* Read freely; write only through om_message_*(). */
struct om_message {
    struct om_rng rng;
    om_time ttl;
    om_time now;            /* the latest that anybody told */
    struct om_table peers;  /* struct message_peer, by key */
    struct om_list ready;   /* of peers: something can be sent */
    struct om_list news;    /* of items: somebody wants to know */
    struct om_list inbox;   /* of entries */
    struct om_list flights; /* of items: a call is out */
    unsigned arrived;       /* in the inbox */
    size_t bytes;           /* of all messages that wait */
    uint64_t tags;          /* of calls so far */
    uint8_t sip_key[OM_SIP_KEY];
    struct message_entry *lent; /* by the latest next() */
    char *lent_args;
    struct om_message_counts counts;
};

enum om_message_act_kind { OM_MESSAGE_CALL, OM_MESSAGE_DELIVER, OM_MESSAGE_RECEIPT };

/* Pointers are lent until the next om_message_next(). */
struct om_message_act {
    enum om_message_act_kind kind;
    struct om_id peer;
    uint8_t id[OM_MESSAGE_ID];          /* DELIVER, RECEIPT */
    uint64_t tag;                       /* CALL: for om_message_reply() */
    const char *method;                 /* CALL */
    struct om_bytes args;               /* CALL: a JSON object */
    enum om_message_kind type;          /* DELIVER */
    struct om_bytes bytes;              /* DELIVER: the peer's, so escape it */
    enum om_receipt receipt;            /* RECEIPT */
    char reason[OM_WORDS_NAME_MAX + 1]; /* RECEIPT: name of an error; "" without */
};

/**
 * om_message_init() - nobody known, nothing waits
 * @m:    caller's storage; may not move afterwards
 * @rng:  copied; ids are drawn from it
 * @ttl:  how long a message may wait; 0: OM_MESSAGE_TTL_H
 */
void om_message_init(struct om_message *m, const struct om_rng *rng, om_time ttl);

/** om_message_fini() - release @m and whatever waits. */
void om_message_fini(struct om_message *m);

/**
 * om_message_post() - send a message, now or when the peer is there
 * @m:     the machine
 * @now:   time
 * @peer:  anybody this node knows; that is for the caller to see to
 * @kind:  text is UTF-8 without NUL
 * @data:  at most OM_MESSAGE_MAX bytes; copied
 * @id:    receives the id by which receipts name it
 *
 * Return: OM_OK; OM_E_RANGE for too much, or for text that does not fit a call once its control
 * characters are written as JSON; OM_E_PARSE for text that is none; OM_E_FULL; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_message_post(struct om_message *m, om_time now, const struct om_id *peer,
                                    enum om_message_kind kind, struct om_bytes data,
                                    uint8_t id[static OM_MESSAGE_ID]);

/**
 * om_message_read() - tell a peer that its message was read
 * @m:     the machine
 * @now:   time
 * @peer:  who sent it
 * @id:    of a message that was delivered here
 *
 * Return: OM_OK; OM_E_MISSING when no such message is remembered; OM_E_STATE when it was told
 * already; OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_message_read(struct om_message *m, om_time now, const struct om_id *peer,
                                    const uint8_t id[static OM_MESSAGE_ID]);

/** om_message_reject() - as om_message_read(), but that nobody here wanted it. */
OM_MUST enum om_err om_message_reject(struct om_message *m, om_time now, const struct om_id *peer,
                                      const uint8_t id[static OM_MESSAGE_ID]);

/** om_message_peer_up() - at @now @peer of @m can be called: what waits goes out. */
void om_message_peer_up(struct om_message *m, om_time now, const struct om_id *peer);

/** om_message_peer_down() - at @now @peer of @m is gone; calls that are out count for nothing. */
void om_message_peer_down(struct om_message *m, om_time now, const struct om_id *peer);

/**
 * om_message_call() - a peer calls message.send or message.receipt
 * @m:       the machine
 * @now:     time
 * @peer:    authenticated
 * @method:  its name
 * @args:    an object
 * @error:   receives what to refuse with
 *
 * Return: the answer, owned by the caller; NULL: refuse.
 */
OM_MUST json_t *om_message_call(struct om_message *m, om_time now, const struct om_id *peer,
                                const char *method, const json_t *args, enum om_call_error *error);

/**
 * om_message_reply() - the end of a call that next() asked for
 * @m:      the machine
 * @now:    time
 * @tag:    of the act; one that nobody waits for any more is ignored
 * @ok:     the answer, borrowed; NULL when it was refused or failed
 * @error:  name of the error, when @ok is NULL
 */
void om_message_reply(struct om_message *m, om_time now, uint64_t tag, const json_t *ok,
                      const char *error);

/** om_message_tick() - at @now, let @m give up what is too old and try what may be tried again. */
void om_message_tick(struct om_message *m, om_time now);

/** om_message_deadline() - when om_message_tick() of @m is due; OM_NEVER: when nothing waits. */
om_time om_message_deadline(const struct om_message *m);

/**
 * om_message_next() - what to do
 * @m:    the machine
 * @out:  filled on success
 *
 * Return: false when there is nothing to do.
 */
bool om_message_next(struct om_message *m, struct om_message_act *out);

#endif
