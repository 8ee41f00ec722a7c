/*
 * inbox.h - messages that came and went lately
 *
 * What:  the newest messages of this daemon's life, with what became of those that were sent.
 * Why:   whoever types `omerta message --list` was not there when they came.
 * Keeps: inbox_keeps_the_newest; inbox_follows_receipts; inbox_read_once;
 *        inbox_of_a_crowd_leaves_the_others.
 *
 * Full: of OM_INBOX_MAX the oldest of the network with the most gives way.
 */
#ifndef OM_MESHD_INBOX_H
#define OM_MESHD_INBOX_H

#include <omerta/list.h>
#include <omerta/service.h>

enum { OM_INBOX_MAX = 1000 };

enum inbox_state {
    INBOX_CAME, /* and nobody read it yet */
    INBOX_SEEN, /* came, and was read here */
    INBOX_SENT, /* under way */
    INBOX_DELIVERED,
    INBOX_READ,
    INBOX_REJECTED,
    INBOX_FAILED
};

struct inbox_entry {
    struct om_link link;
    uint8_t id[OM_MESSAGE_ID];
    struct om_id network, peer;
    enum inbox_state state;
    enum om_message_kind kind;
    int64_t at_ms;   /* of the calendar */
    char reason[33]; /* of a rejection or failure */
    size_t len;
    char bytes[]; /* with a zero behind them */
};

struct inbox {
    struct om_list entries; /* oldest first */
    unsigned count;
};

/** inbox_init() - @b is empty. */
void inbox_init(struct inbox *b);

/** inbox_fini() - wipe and free what is in @b. */
void inbox_fini(struct inbox *b);

/**
 * inbox_add() - keep a message
 * @b:      the inbox
 * @e:      everything but link, len and bytes
 * @bytes:  copied
 *
 * Return: the entry, lent until others push it out; NULL without memory.
 */
struct inbox_entry *inbox_add(struct inbox *b, const struct inbox_entry *e, struct om_bytes bytes);

/** inbox_find() - the message of @b with @id from or to @peer, or NULL. */
struct inbox_entry *inbox_find(const struct inbox *b, const struct om_id *peer,
                               const uint8_t id[static OM_MESSAGE_ID]);

/** inbox_receipt() - note in @b what @r says became of a message; the entry, or NULL. */
struct inbox_entry *inbox_receipt(struct inbox *b, const struct om_act_receipt *r);

/** inbox_state_name() - "came", "sent" ... of @s. */
const char *inbox_state_name(enum inbox_state s);

#endif
