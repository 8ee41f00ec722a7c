/*
 * message_peer.h - what is kept for each peer of the message service
 *
 * What:  the queue of what goes to a peer, what it has and may yet read, and the ids of what came
 *        from it.
 * Why:   sending (message.c) and receiving (message_in.c) share it and nobody else does.
 */
#ifndef OM_SERVICE_MESSAGE_PEER_H
#define OM_SERVICE_MESSAGE_PEER_H

#include <omerta/lru.h>

#include "service/message.h"

enum { DUE_DELIVERED = 1, DUE_READ = 2, DUE_REJECTED = 4, DUE_FAILED = 8 };

enum message_state { MESSAGE_WAITS, MESSAGE_DELIVERED, MESSAGE_READ, MESSAGE_REJECTED };

/* A message, or a receipt for one of the peer's. */
struct message_item {
    struct om_link of_peer; /* in queue, later in sent; in neither: it goes once told */
    struct om_link news;
    struct om_link flight;
    struct message_peer *peer; /* NULL once it failed */
    struct om_id to;           /* the same peer's key */
    uint8_t id[OM_MESSAGE_ID];
    bool is_receipt;
    bool was_called; /* so the peer may have it */
    enum om_message_kind kind;
    enum message_state state; /* of a receipt: what it says */
    unsigned due;
    uint64_t tag;
    om_time expires;
    size_t n;
    uint8_t *data; /* owned; NULL once delivered */
    char reason[OM_WORDS_NAME_MAX + 1];
};

struct message_peer {
    struct om_id id;
    bool up;
    struct om_list queue; /* in the order of posting, so in that of expiry too */
    struct om_list sent;
    unsigned messages, receipts; /* in queue */
    unsigned sent_count;
    size_t bytes; /* of messages in queue */
    struct message_item *flying;
    unsigned failures;
    om_time retry_at;
    struct om_lru seen; /* id -> enum message_state */
    struct om_link ready;
};

/* Something that came from a peer and was not yet taken. */
struct message_entry {
    struct om_link link;
    struct om_id peer;
    uint8_t id[OM_MESSAGE_ID];
    enum om_message_kind kind;
    size_t n;
    uint8_t data[];
};

/** message_peer_find() - the peer of @m named @id, or NULL. */
struct message_peer *message_peer_find(const struct om_message *m, const struct om_id *id);

/**
 * message_peer_get() - the peer of that name, made if need be
 * @m:   the machine; when it is full, a peer that is away and for whom nothing waits gives way
 * @id:  its key
 *
 * Return: the peer; NULL when there is no place or no memory.
 */
struct message_peer *message_peer_get(struct om_message *m, const struct om_id *id);

/** message_peer_free() - forget @p of @m and all that was kept for it. */
void message_peer_free(struct om_message *m, struct message_peer *p);

/** message_peer_consider() - if something can be sent to @p of @m, next() will. */
void message_peer_consider(struct om_message *m, struct message_peer *p);

/** message_item_land() - @i of @m is on its way no more. */
void message_item_land(struct om_message *m, struct message_item *i);

/**
 * message_item_settle() - a message waits no more
 * @m:      the machine
 * @i:      the item; freed in the end, when its program was told
 * @state:  what it came to
 * @due:    what to tell
 */
void message_item_settle(struct om_message *m, struct message_item *i, enum message_state state,
                         unsigned due);

/** message_item_tell() - let next() of @m tell @due of @i. */
void message_item_tell(struct om_message *m, struct message_item *i, unsigned due);

/** message_item_free() - release @i of @m, wherever it is linked. */
void message_item_free(struct om_message *m, struct message_item *i);

#endif
