/* message_in.c - what peers send: their messages, each once, and their receipts. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "service/message_peer.h"

static bool read_id(uint8_t id[static OM_MESSAGE_ID], const json_t *args)
{
    static const size_t hex_length = (size_t)2 * OM_MESSAGE_ID;
    const json_t *hex = json_object_get(args, "id");
    const char *text = json_string_value(hex);
    size_t n = 0;

    return json_string_length(hex) == hex_length &&
           sodium_hex2bin(id, OM_MESSAGE_ID, text, hex_length, NULL, &n, NULL) == 0 &&
           n == OM_MESSAGE_ID;
}

/* The bytes of base64 @text into @e, which has room for as many as there can be. */
static bool read_base64(struct message_entry *e, const char *text, size_t n)
{
    const char *end;

    return sodium_base642bin(e->data, n, text, n, NULL, &e->n, &end,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           end == text + n;
}

/* What the arguments describe, to be freed; NULL with @error. */
static struct message_entry *read_message(const json_t *args, enum om_call_error *error)
{
    enum { BASE64_MAX = (OM_MESSAGE_MAX + 2) / 3 * 4 };
    const char *kind = json_string_value(json_object_get(args, "kind"));
    const json_t *data = json_object_get(args, "data");
    size_t n = json_string_length(data);
    uint8_t id[OM_MESSAGE_ID];

    *error = OM_CALL_BAD_ARGS_ERROR;
    if (!kind || !json_is_string(data) || !read_id(id, args))
        return NULL;
    bool is_text = strcmp(kind, "text") == 0;
    if (!is_text && strcmp(kind, "binary") != 0)
        return NULL;
    if (n > (is_text ? (size_t)OM_MESSAGE_MAX : (size_t)BASE64_MAX)) {
        *error = OM_CALL_TOO_LARGE_ERROR;
        return NULL;
    }
    struct message_entry *e = calloc(1, sizeof *e + n);
    if (!e) {
        *error = OM_CALL_INTERNAL_ERROR;
        return NULL;
    }
    memcpy(e->id, id, sizeof e->id);
    e->kind = is_text ? OM_MESSAGE_TEXT : OM_MESSAGE_BINARY;
    e->n = n;
    if (is_text) {
        memcpy(e->data, json_string_value(data), n);
        return e;
    }
    if (read_base64(e, json_string_value(data), n) && e->n <= OM_MESSAGE_MAX)
        return e;
    if (e->n > OM_MESSAGE_MAX)
        *error = OM_CALL_TOO_LARGE_ERROR;
    free(e);
    return NULL;
}

/* Remembered and in the inbox, or neither. */
static bool take(struct om_message *m, struct message_peer *p, struct message_entry *e,
                 enum om_call_error *error)
{
    uint8_t *seen = NULL;

    if (m->arrived == OM_MESSAGE_INBOX)
        *error = OM_CALL_BUSY_ERROR;
    else if (!(seen = om_lru_put(&p->seen, e->id, NULL)))
        *error = OM_CALL_INTERNAL_ERROR;
    if (!seen)
        return false;
    *seen = MESSAGE_DELIVERED;
    e->peer = p->id;
    om_list_push_back(&m->inbox, &e->link);
    m->arrived++;
    m->counts.arrived++;
    return true;
}

static json_t *on_send(struct om_message *m, const struct om_id *peer, const json_t *args,
                       enum om_call_error *error)
{
    struct message_entry *e = read_message(args, error);

    if (!e) {
        m->counts.bad_args += *error != OM_CALL_INTERNAL_ERROR;
        return NULL;
    }
    /* Made first: a message must not be taken whose answer then finds no memory. */
    json_t *answer = json_pack("{s:s}", "receipt", "delivered");
    struct message_peer *p = answer ? message_peer_get(m, peer) : NULL;
    bool is_copy = p && om_lru_find(&p->seen, e->id);
    m->counts.copies += is_copy;
    *error = answer && om_table_count(&m->peers) == OM_MESSAGE_PEERS ? OM_CALL_BUSY_ERROR
                                                                     : OM_CALL_INTERNAL_ERROR;
    if (is_copy || !p || !take(m, p, e, error)) {
        free(e);
        if (!is_copy) {
            json_decref(answer);
            return NULL;
        }
    }
    return answer;
}

static struct message_item *find_in(const struct om_list *list, const uint8_t *id)
{
    for (struct om_link *l = om_list_first(list); l; l = om_list_next(list, l)) {
        struct message_item *i = OM_CONTAINER_OF(l, struct message_item, of_peer);
        if (!i->is_receipt && i->was_called && memcmp(i->id, id, OM_MESSAGE_ID) == 0)
            return i;
    }
    return NULL;
}

static bool apply(struct om_message *m, struct message_item *i, enum message_state state,
                  enum om_call_error *error)
{
    unsigned due = state == MESSAGE_READ ? DUE_READ : DUE_REJECTED;

    if (i->state == state)
        return true;
    if (i->state == MESSAGE_WAITS) { /* its answer is under way, or was lost */
        m->counts.delivered++;
        message_item_settle(m, i, state, DUE_DELIVERED | due);
        return true;
    }
    if (i->state != MESSAGE_DELIVERED) {
        m->counts.backward++;
        *error = OM_CALL_REFUSED_ERROR;
        return false;
    }
    i->state = state;
    message_item_tell(m, i, due);
    return true;
}

static json_t *on_receipt(struct om_message *m, const struct om_id *peer, const json_t *args,
                          enum om_call_error *error)
{
    const char *state = json_string_value(json_object_get(args, "state"));
    bool is_read = state && strcmp(state, "read") == 0;
    uint8_t id[OM_MESSAGE_ID];

    if (!read_id(id, args) || (!is_read && (!state || strcmp(state, "rejected") != 0))) {
        m->counts.bad_args++;
        *error = OM_CALL_BAD_ARGS_ERROR;
        return NULL;
    }
    const struct message_peer *p = message_peer_find(m, peer);
    struct message_item *i = p ? find_in(&p->sent, id) : NULL;
    if (!i && p)
        i = find_in(&p->queue, id);
    if (!i) {
        m->counts.strange++;
        *error = OM_CALL_NOT_FOUND_ERROR;
        return NULL;
    }
    json_t *answer = json_object();
    *error = OM_CALL_INTERNAL_ERROR;
    if (!answer || apply(m, i, is_read ? MESSAGE_READ : MESSAGE_REJECTED, error))
        return answer;
    json_decref(answer);
    return NULL;
}

json_t *om_message_call(struct om_message *m, om_time now, const struct om_id *peer,
                        const char *method, const json_t *args, enum om_call_error *error)
{
    m->now = now;
    if (strcmp(method, "message.send") == 0)
        return on_send(m, peer, args, error);
    if (strcmp(method, "message.receipt") == 0)
        return on_receipt(m, peer, args, error);
    *error = OM_CALL_UNKNOWN_METHOD_ERROR;
    return NULL;
}
