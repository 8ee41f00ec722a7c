/* message.c - what goes to peers: posted, kept, called, told. */
#include "service/message.h"

#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>
#include <sodium.h>

#include "service/message_peer.h"

/* Of a message as JSON: leaves room for the other members. */
enum { JSON_TEXT_MAX = OM_WORDS_MAX - 256 };

static const om_time backoff[] = {OM_SEC(5), OM_SEC(30), OM_SEC(120), OM_SEC(600)};

void om_message_init(struct om_message *m, const struct om_rng *rng, om_time ttl)
{
    *m = (struct om_message){.rng = *rng, .ttl = ttl > 0 ? ttl : OM_SEC(3600) * OM_MESSAGE_TTL_H};
    om_rng_fill(rng, m->sip_key, sizeof m->sip_key);
    enum om_err e = om_table_init(&m->peers, OM_ID_BYTES, OM_MESSAGE_PEERS, m->sip_key);
    OM_BUG_IF(e != OM_OK);
    om_list_init(&m->ready);
    om_list_init(&m->news);
    om_list_init(&m->inbox);
    om_list_init(&m->flights);
}

static void return_lent(struct om_message *m)
{
    free(m->lent);
    free(m->lent_args);
    m->lent = NULL;
    m->lent_args = NULL;
}

void om_message_fini(struct om_message *m)
{
    size_t cursor = 0;
    void *value;
    struct om_link *next;

    while (om_table_next(&m->peers, &cursor, NULL, &value))
        message_peer_free(m, value);
    for (struct om_link *l = om_list_first(&m->news); l; l = next) { /* failed, and never told */
        next = om_list_next(&m->news, l);
        message_item_free(m, OM_CONTAINER_OF(l, struct message_item, news));
    }
    for (struct om_link *l = om_list_first(&m->inbox); l; l = next) {
        next = om_list_next(&m->inbox, l);
        free(OM_CONTAINER_OF(l, struct message_entry, link));
    }
    return_lent(m);
    om_table_fini(&m->peers);
}

/* Bytes of text once it is a JSON string: controls take up to six. */
static size_t json_length(struct om_bytes text)
{
    size_t n = 2;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] < 0x20 ? 6 : text.p[i] == '"' || text.p[i] == '\\' ? 2 : 1;
    return n;
}

static enum om_err judge(enum om_message_kind kind, struct om_bytes data)
{
    if (data.n > OM_MESSAGE_MAX)
        return OM_E_RANGE;
    if (kind == OM_MESSAGE_BINARY || data.n == 0)
        return OM_OK;
    if (!om_text_is_utf8(data) || memchr(data.p, 0, data.n))
        return OM_E_PARSE;
    return json_length(data) > JSON_TEXT_MAX ? OM_E_RANGE : OM_OK;
}

static struct message_item *enqueue(struct om_message *m, struct message_peer *p)
{
    struct message_item *i = calloc(1, sizeof *i);

    if (!i)
        return NULL;
    i->peer = p;
    i->to = p->id;
    i->expires = m->now + m->ttl;
    om_list_push_back(&p->queue, &i->of_peer);
    return i;
}

enum om_err om_message_post(struct om_message *m, om_time now, const struct om_id *peer,
                            enum om_message_kind kind, struct om_bytes data,
                            uint8_t id[static OM_MESSAGE_ID])
{
    enum om_err e = judge(kind, data);

    m->now = now;
    if (e != OM_OK)
        return e;
    struct message_peer *p = message_peer_get(m, peer);
    if (!p)
        return om_table_count(&m->peers) == OM_MESSAGE_PEERS ? OM_E_FULL : OM_E_NO_MEM;
    if (p->messages == OM_MESSAGE_PEER_ITEMS || p->bytes + data.n > OM_MESSAGE_PEER_BYTES ||
        m->bytes + data.n > OM_MESSAGE_BYTES)
        return OM_E_FULL;
    uint8_t *copy = malloc(data.n + 1);
    struct message_item *i = copy ? enqueue(m, p) : NULL;
    if (!i) {
        free(copy);
        return OM_E_NO_MEM;
    }
    if (data.n > 0)
        memcpy(copy, data.p, data.n);
    i->data = copy;
    i->n = data.n;
    i->kind = kind;
    om_rng_fill(&m->rng, i->id, sizeof i->id);
    memcpy(id, i->id, sizeof i->id);
    p->messages++;
    p->bytes += i->n;
    m->bytes += i->n;
    m->counts.posted++;
    message_peer_consider(m, p);
    return OM_OK;
}

static enum om_err acknowledge(struct om_message *m, om_time now, const struct om_id *peer,
                               const uint8_t id[static OM_MESSAGE_ID], enum message_state state)
{
    struct message_peer *p = message_peer_find(m, peer);
    uint8_t *seen = p ? om_lru_peek(&p->seen, id) : NULL;

    m->now = now;
    if (!seen)
        return OM_E_MISSING;
    if (*seen != MESSAGE_DELIVERED)
        return OM_E_STATE;
    if (p->receipts == OM_MESSAGE_PEER_ITEMS)
        return OM_E_FULL;
    struct message_item *i = enqueue(m, p);
    if (!i)
        return OM_E_NO_MEM;
    memcpy(i->id, id, sizeof i->id);
    i->is_receipt = true;
    i->state = state;
    *seen = (uint8_t)state;
    p->receipts++;
    message_peer_consider(m, p);
    return OM_OK;
}

enum om_err om_message_read(struct om_message *m, om_time now, const struct om_id *peer,
                            const uint8_t id[static OM_MESSAGE_ID])
{
    return acknowledge(m, now, peer, id, MESSAGE_READ);
}

enum om_err om_message_reject(struct om_message *m, om_time now, const struct om_id *peer,
                              const uint8_t id[static OM_MESSAGE_ID])
{
    return acknowledge(m, now, peer, id, MESSAGE_REJECTED);
}

void om_message_peer_up(struct om_message *m, om_time now, const struct om_id *peer)
{
    struct message_peer *p = message_peer_get(m, peer);

    m->now = now;
    if (!p)
        return; /* nothing waits for it; the first post finds a place or says so */
    p->up = true;
    p->failures = 0;
    p->retry_at = now;
    message_peer_consider(m, p);
}

void om_message_peer_down(struct om_message *m, om_time now, const struct om_id *peer)
{
    struct message_peer *p = message_peer_find(m, peer);

    m->now = now;
    if (!p)
        return;
    p->up = false;
    if (p->flying)
        message_item_land(m, p->flying);
    message_peer_consider(m, p);
}

/* Reasons to try again: the peer, or the way to it, may do better later. */
static bool is_passing(const char *error)
{
    static const enum om_call_error passing[] = {OM_CALL_TIMEOUT_ERROR,  OM_CALL_CANCELLED_ERROR,
                                                 OM_CALL_BUSY_ERROR,     OM_CALL_GONE_ERROR,
                                                 OM_CALL_INTERNAL_ERROR, OM_CALL_GARBAGE_ERROR};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(passing); i++)
        if (strcmp(om_call_error_name(passing[i]), error) == 0)
            return true;
    return false;
}

static void try_later(struct om_message *m, struct message_peer *p)
{
    unsigned last = OM_ARRAY_SIZE(backoff) - 1;

    p->retry_at = m->now + backoff[p->failures < last ? p->failures : last];
    p->failures++;
    message_peer_consider(m, p);
}

static void on_answer(struct om_message *m, struct message_item *i, const json_t *ok)
{
    const char *receipt = json_string_value(json_object_get(ok, "receipt"));

    if (!i->is_receipt && (!receipt || strcmp(receipt, "delivered") != 0)) {
        m->counts.bad_answers++;
        try_later(m, i->peer);
        return;
    }
    i->peer->failures = 0;
    if (i->is_receipt) {
        struct message_peer *p = i->peer;
        message_item_free(m, i);
        message_peer_consider(m, p);
        return;
    }
    m->counts.delivered++;
    message_item_settle(m, i, MESSAGE_DELIVERED, DUE_DELIVERED);
}

static void on_refusal(struct om_message *m, struct message_item *i, const char *error)
{
    struct message_peer *p = i->peer;

    if (is_passing(error)) {
        try_later(m, p);
        return;
    }
    p->failures = 0;
    if (i->is_receipt) {
        message_item_free(m, i);
        message_peer_consider(m, p);
        return;
    }
    snprintf(i->reason, sizeof i->reason, "%s", error);
    message_item_settle(m, i, MESSAGE_REJECTED, DUE_REJECTED);
}

void om_message_reply(struct om_message *m, om_time now, uint64_t tag, const json_t *ok,
                      const char *error)
{
    m->now = now;
    for (struct om_link *l = om_list_first(&m->flights); l; l = om_list_next(&m->flights, l)) {
        struct message_item *i = OM_CONTAINER_OF(l, struct message_item, flight);
        if (i->tag != tag)
            continue;
        message_item_land(m, i);
        if (ok)
            on_answer(m, i, ok);
        else
            on_refusal(m, i, error);
        return;
    }
}

static struct message_item *head(const struct message_peer *p)
{
    struct om_link *l = om_list_first(&p->queue);

    return l ? OM_CONTAINER_OF(l, struct message_item, of_peer) : NULL;
}

/* Whatever is out is let land first: its answer may say that it arrived. */
static void expire(struct om_message *m, struct message_peer *p)
{
    struct message_item *i;

    while ((i = head(p)) != NULL && i != p->flying && m->now >= i->expires) {
        if (i->is_receipt) {
            message_item_free(m, i);
            continue;
        }
        snprintf(i->reason, sizeof i->reason, "%s", om_call_error_name(OM_CALL_TIMEOUT_ERROR));
        m->counts.failed++;
        message_item_settle(m, i, MESSAGE_WAITS, DUE_FAILED);
    }
    message_peer_consider(m, p);
}

void om_message_tick(struct om_message *m, om_time now)
{
    size_t cursor = 0;
    void *value;

    m->now = now;
    while (om_table_next(&m->peers, &cursor, NULL, &value))
        expire(m, value);
}

om_time om_message_deadline(const struct om_message *m)
{
    om_time first = OM_NEVER;
    size_t cursor = 0;
    void *value;

    while (om_table_next(&m->peers, &cursor, NULL, &value)) {
        const struct message_peer *p = value;
        const struct message_item *i = head(p);
        if (!i || p->flying)
            continue;
        first = om_time_min(first, i->expires);
        if (p->up && !om_link_is_linked(&p->ready))
            first = om_time_min(first, p->retry_at);
    }
    return first;
}

static const char name_of_state[][9] = {"", "", "read", "rejected"};

/* The arguments of the call for @i, to be freed; NULL when memory is out. */
static char *write_args(const struct message_item *i)
{
    char hex[2 * OM_MESSAGE_ID + 1];
    json_t *o;

    sodium_bin2hex(hex, sizeof hex, i->id, sizeof i->id);
    if (i->is_receipt) {
        o = json_pack("{s:s, s:s}", "id", hex, "state", name_of_state[i->state]);
    } else if (i->kind == OM_MESSAGE_TEXT) {
        o = json_pack("{s:s, s:s, s:s%}", "id", hex, "kind", "text", "data", (const char *)i->data,
                      i->n);
    } else {
        size_t room = sodium_base64_encoded_len(i->n, sodium_base64_VARIANT_ORIGINAL);
        char *text = malloc(room);
        if (!text)
            return NULL;
        sodium_bin2base64(text, room, i->data, i->n, sodium_base64_VARIANT_ORIGINAL);
        o = json_pack("{s:s, s:s, s:s}", "id", hex, "kind", "binary", "data", text);
        free(text);
    }
    char *args = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    return args;
}

static bool next_call(struct om_message *m, struct om_message_act *out)
{
    struct om_link *l = om_list_first(&m->ready);

    if (!l)
        return false;
    struct message_peer *p = OM_CONTAINER_OF(l, struct message_peer, ready);
    struct message_item *i = head(p);
    om_list_remove(l);
    m->lent_args = write_args(i);
    if (!m->lent_args) {
        try_later(m, p);
        return false;
    }
    i->tag = ++m->tags;
    i->was_called = true;
    p->flying = i;
    om_list_push_back(&m->flights, &i->flight);
    *out = (struct om_message_act){.kind = OM_MESSAGE_CALL,
                                   .peer = p->id,
                                   .tag = i->tag,
                                   .method = i->is_receipt ? "message.receipt" : "message.send",
                                   .args = om_bytes(m->lent_args, strlen(m->lent_args))};
    return true;
}

/* One thing at a time, in the order in which they happened. */
static bool next_receipt(struct om_message *m, struct om_message_act *out)
{
    static const struct {
        unsigned due;
        enum om_receipt receipt;
    } order[] = {{DUE_DELIVERED, OM_RECEIPT_DELIVERED},
                 {DUE_READ, OM_RECEIPT_READ},
                 {DUE_REJECTED, OM_RECEIPT_REJECTED},
                 {DUE_FAILED, OM_RECEIPT_FAILED}};
    struct om_link *l = om_list_first(&m->news);
    unsigned k = 0;

    if (!l)
        return false;
    struct message_item *i = OM_CONTAINER_OF(l, struct message_item, news);
    while (!(i->due & order[k].due))
        k++;
    *out = (struct om_message_act){
        .kind = OM_MESSAGE_RECEIPT, .peer = i->to, .receipt = order[k].receipt};
    memcpy(out->id, i->id, sizeof out->id);
    if (order[k].receipt != OM_RECEIPT_DELIVERED)
        memcpy(out->reason, i->reason, sizeof out->reason);
    i->due &= ~order[k].due;
    if (i->due == 0) {
        om_list_remove(l);
        if (!i->peer)
            message_item_free(m, i);
    }
    return true;
}

static bool next_delivery(struct om_message *m, struct om_message_act *out)
{
    struct om_link *l = om_list_first(&m->inbox);

    if (!l)
        return false;
    struct message_entry *e = OM_CONTAINER_OF(l, struct message_entry, link);
    om_list_remove(l);
    m->arrived--;
    m->lent = e;
    *out = (struct om_message_act){.kind = OM_MESSAGE_DELIVER,
                                   .peer = e->peer,
                                   .type = e->kind,
                                   .bytes = om_bytes(e->data, e->n)};
    memcpy(out->id, e->id, sizeof out->id);
    return true;
}

bool om_message_next(struct om_message *m, struct om_message_act *out)
{
    return_lent(m);
    return next_receipt(m, out) || next_delivery(m, out) || next_call(m, out);
}
