/* inbox.c - a bounded list. */
#include "inbox.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crowd.h"

void inbox_init(struct inbox *b)
{
    om_list_init(&b->entries);
    b->count = 0;
}

static void drop(struct inbox *b, struct inbox_entry *e)
{
    om_list_remove(&e->link);
    sodium_memzero(e->bytes, e->len);
    free(e);
    b->count--;
}

void inbox_fini(struct inbox *b)
{
    struct om_link *next;

    for (struct om_link *l = om_list_first(&b->entries); l; l = next) {
        next = om_list_next(&b->entries, l);
        drop(b, OM_CONTAINER_OF(l, struct inbox_entry, link));
    }
}

/* The oldest of the network with the most; there is one. */
static struct inbox_entry *who_gives_way(const struct inbox *b)
{
    struct crowd c = {.count = 0};

    for (struct om_link *l = om_list_first(&b->entries); l; l = om_list_next(&b->entries, l)) {
        struct inbox_entry *e = OM_CONTAINER_OF(l, struct inbox_entry, link);
        crowd_add(&c, &e->network, e);
    }
    return crowd_oldest(&c);
}

struct inbox_entry *inbox_add(struct inbox *b, const struct inbox_entry *e, struct om_bytes bytes)
{
    struct inbox_entry *own = calloc(1, sizeof *own + bytes.n + 1);

    if (!own)
        return NULL;
    if (b->count == OM_INBOX_MAX)
        drop(b, who_gives_way(b));
    *own = *e;
    own->link = (struct om_link){0};
    own->len = bytes.n;
    if (bytes.n > 0)
        memcpy(own->bytes, bytes.p, bytes.n);
    om_list_push_back(&b->entries, &own->link);
    b->count++;
    return own;
}

struct inbox_entry *inbox_find(const struct inbox *b, const struct om_id *peer,
                               const uint8_t id[static OM_MESSAGE_ID])
{
    for (struct om_link *l = om_list_first(&b->entries); l; l = om_list_next(&b->entries, l)) {
        struct inbox_entry *e = OM_CONTAINER_OF(l, struct inbox_entry, link);
        if (om_id_equal(&e->peer, peer) && memcmp(e->id, id, sizeof e->id) == 0)
            return e;
    }
    return NULL;
}

struct inbox_entry *inbox_receipt(struct inbox *b, const struct om_act_receipt *r)
{
    static const enum inbox_state states[] = {[OM_RECEIPT_DELIVERED] = INBOX_DELIVERED,
                                              [OM_RECEIPT_READ] = INBOX_READ,
                                              [OM_RECEIPT_REJECTED] = INBOX_REJECTED,
                                              [OM_RECEIPT_FAILED] = INBOX_FAILED};
    struct inbox_entry *e = inbox_find(b, &r->peer, r->id);

    if (!e || e->state < INBOX_SENT)
        return NULL;
    e->state = states[r->receipt];
    (void)snprintf(e->reason, sizeof e->reason, "%s", r->reason);
    return e;
}

const char *inbox_state_name(enum inbox_state s)
{
    static const char *const names[] = {"came", "seen",     "sent",  "delivered",
                                        "read", "rejected", "failed"};

    return (unsigned)s < OM_ARRAY_SIZE(names) ? names[s] : "unknown";
}
