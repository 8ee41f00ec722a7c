/* message_peer.c - the books of one peer of the message service. */
#include "service/message_peer.h"

#include <stdlib.h>

struct message_peer *message_peer_find(const struct om_message *m, const struct om_id *id)
{
    return om_table_find(&m->peers, id->b);
}

static bool is_idle(const struct message_peer *p)
{
    return !p->up && om_list_is_empty(&p->queue) && om_list_is_empty(&p->sent);
}

/* The one known for longest among those for whom nothing is kept but what was seen of them. */
static void make_place(struct om_message *m)
{
    size_t cursor = 0;
    void *value;

    while (om_table_next(&m->peers, &cursor, NULL, &value))
        if (is_idle(value)) {
            message_peer_free(m, value);
            return;
        }
}

struct message_peer *message_peer_get(struct om_message *m, const struct om_id *id)
{
    struct message_peer *p = message_peer_find(m, id);

    if (p)
        return p;
    if (om_table_count(&m->peers) == OM_MESSAGE_PEERS)
        make_place(m);
    p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->id = *id;
    om_list_init(&p->queue);
    om_list_init(&p->sent);
    if (om_lru_init(&p->seen, OM_MESSAGE_ID, 1, OM_MESSAGE_SEEN, m->sip_key) != OM_OK ||
        om_table_put(&m->peers, id->b, p) != OM_OK) {
        free(p);
        return NULL;
    }
    return p;
}

static void free_items(struct om_message *m, struct om_list *list)
{
    struct om_link *next;

    for (struct om_link *l = om_list_first(list); l; l = next) {
        next = om_list_next(list, l);
        message_item_free(m, OM_CONTAINER_OF(l, struct message_item, of_peer));
    }
}

void message_peer_free(struct om_message *m, struct message_peer *p)
{
    free_items(m, &p->queue);
    free_items(m, &p->sent);
    om_list_remove(&p->ready);
    om_table_remove(&m->peers, p->id.b);
    om_lru_fini(&p->seen);
    free(p);
}

void message_peer_consider(struct om_message *m, struct message_peer *p)
{
    bool can = p->up && !p->flying && !om_list_is_empty(&p->queue) && m->now >= p->retry_at;

    if (can && !om_link_is_linked(&p->ready))
        om_list_push_back(&m->ready, &p->ready);
    else if (!can)
        om_list_remove(&p->ready);
}

void message_item_land(struct om_message *m OM_UNUSED, struct message_item *i)
{
    om_list_remove(&i->flight);
    if (i->peer && i->peer->flying == i)
        i->peer->flying = NULL;
}

/* Out of its peer's queue or list, and out of the sums. */
static void unlink_item(struct om_message *m, struct message_item *i)
{
    struct message_peer *p = i->peer;

    message_item_land(m, i);
    if (!om_link_is_linked(&i->of_peer))
        return;
    om_list_remove(&i->of_peer);
    if (i->is_receipt) {
        p->receipts--;
    } else if (i->state == MESSAGE_WAITS) {
        p->messages--;
        p->bytes -= i->n;
        m->bytes -= i->n;
    } else {
        p->sent_count--;
    }
}

void message_item_free(struct om_message *m, struct message_item *i)
{
    unlink_item(m, i);
    om_list_remove(&i->news);
    free(i->data);
    free(i);
}

void message_item_tell(struct om_message *m, struct message_item *i, unsigned due)
{
    i->due |= due;
    if (i->due != 0 && !om_link_is_linked(&i->news))
        om_list_push_back(&m->news, &i->news);
}

/* The oldest that nobody waits to be told about; the others are told soon. */
static void forget_oldest(struct om_message *m, struct message_peer *p)
{
    for (struct om_link *l = om_list_first(&p->sent); l; l = om_list_next(&p->sent, l)) {
        struct message_item *i = OM_CONTAINER_OF(l, struct message_item, of_peer);
        if (i->due == 0) {
            message_item_free(m, i);
            return;
        }
    }
}

void message_item_settle(struct om_message *m, struct message_item *i, enum message_state state,
                         unsigned due)
{
    struct message_peer *p = i->peer;

    unlink_item(m, i);
    free(i->data);
    i->data = NULL;
    i->state = state;
    message_item_tell(m, i, due);
    if (state == MESSAGE_WAITS) {
        i->peer = NULL; /* it failed, and may outlive its peer until that was told */
    } else {
        om_list_push_back(&p->sent, &i->of_peer);
        if (++p->sent_count > OM_MESSAGE_SENT)
            forget_oldest(m, p);
    }
    message_peer_consider(m, p);
}
