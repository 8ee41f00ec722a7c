/* store_put.c - copying what is to be saved into the queue. */
#include <stdlib.h>
#include <string.h>

#include "store_state.h"

static enum om_err put(struct om_store *s, const struct om_store_put *what, uint64_t *seq)
{
    size_t extra = what->kind == OM_STORE_RECORD ? what->record.bytes.n : 0;

    OM_BUG_IF(s->is_closing);
    if (s->waiting >= OM_STORE_QUEUE_MAX)
        return OM_E_BUSY;
    struct om_store_put *p = malloc(sizeof *p + extra);
    if (!p)
        return OM_E_NO_MEM;
    *p = *what;
    if (p->kind == OM_STORE_RECORD) {
        if (extra > 0)
            memcpy(p->bytes, what->record.bytes.p, extra);
        p->record.bytes = om_bytes(p->bytes, extra);
    }
    p->seq = ++s->last_seq;
    om_list_push_back(&s->queued, &p->link);
    s->waiting++;
    if (seq)
        *seq = p->seq;
    om_store_retry(s);
    return OM_OK;
}

enum om_err om_store_put_network(struct om_store *s, const struct om_store_network *row,
                                 uint64_t *seq)
{
    struct om_store_put p = {.kind = OM_STORE_NETWORK, .network = *row};

    return put(s, &p, seq);
}

enum om_err om_store_put_peer(struct om_store *s, const struct om_store_peer *row, uint64_t *seq)
{
    struct om_store_put p = {.kind = OM_STORE_PEER, .peer = *row};

    return put(s, &p, seq);
}

enum om_err om_store_put_end(struct om_store *s, const struct om_store_end *row, uint64_t *seq)
{
    struct om_store_put p = {.kind = OM_STORE_END, .end = *row};

    return put(s, &p, seq);
}

enum om_err om_store_put_nat(struct om_store *s, const struct om_store_nat *row, uint64_t *seq)
{
    struct om_store_put p = {.kind = OM_STORE_NAT, .nat = *row};

    return put(s, &p, seq);
}

enum om_err om_store_put_remember(struct om_store *s, const struct om_act_remember *row,
                                  uint64_t *seq)
{
    struct om_store_put p = {.kind = OM_STORE_REMEMBER, .remember = *row};

    return row->value > INT64_MAX ? OM_E_RANGE : put(s, &p, seq);
}

enum om_err om_store_put_record(struct om_store *s, const struct om_store_record *row,
                                uint64_t *seq)
{
    struct om_store_put p = {.kind = OM_STORE_RECORD, .record = *row};

    return row->bytes.n > OM_STORE_RECORD_BYTES ? OM_E_RANGE : put(s, &p, seq);
}

enum om_err om_store_forget_network(struct om_store *s, const struct om_id *network, uint64_t *seq)
{
    struct om_store_put p = {.kind = OM_STORE_FORGET, .forget = *network};

    return put(s, &p, seq);
}
