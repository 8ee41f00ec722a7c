/* node_loop.c - two ends in one node, and the bytes that lie between them. */
#include "node/loop.h"

#include <stdlib.h>

/* One direction. */
struct way {
    struct om_ring lent; /* of struct om_bytes: what is left of each write, oldest first */
    uint64_t written, released;
    bool is_finished; /* by its writer */
    bool is_cut;      /* given up by either side: nothing is left to read */
};

struct node_loop {
    struct node_call *end[2]; /* 0 asked; NULL: it is gone */
    struct way way[2];        /* written by the end of the same number */
    bool is_done;             /* the ends were told so */
};

static int side_of(const struct node_call *c)
{
    return c->loop->end[0] != c;
}

static struct node_call *far_of(const struct node_call *c)
{
    return c->loop->end[!side_of(c)];
}

static struct way *out_of(const struct node_call *c)
{
    return &c->loop->way[side_of(c)];
}

static struct way *in_of(const struct node_call *c)
{
    return &c->loop->way[!side_of(c)];
}

static bool is_over(const struct way *w)
{
    return w->is_cut || (w->is_finished && w->released == w->written);
}

static void cut(struct way *w)
{
    w->is_cut = true;
    w->released = w->written;
    om_ring_fini(&w->lent);
}

/* Before the answer there are no bytes to have news of. */
static void tell(struct node_call *c, unsigned news)
{
    if (c && c->is_data)
        node_call_due(c, news);
}

/* Tells both ends once that both directions are over. */
static void settle(struct node_loop *l)
{
    if (l->is_done || !is_over(&l->way[0]) || !is_over(&l->way[1]))
        return;
    l->is_done = true;
    for (int i = 0; i < 2; i++)
        tell(l->end[i], OM_CALL_DONE);
}

static struct node_loop *loop_new(void)
{
    struct node_loop *l = calloc(1, sizeof *l);

    for (int i = 0; l && i < 2; i++) {
        enum om_err e = om_ring_init(&l->way[i].lent, sizeof(struct om_bytes), OM_LOOP_PIECES_MAX);
        OM_BUG_IF(e != OM_OK);
    }
    return l;
}

enum om_err node_loop_call(struct om_node *n, om_time now, const struct om_network *net,
                           const struct om_call_config *config, struct node_call **out)
{
    struct node_loop *l;
    struct node_call *asks, *asked = NULL;
    enum om_err e = OM_E_NO_MEM;

    if (om_table_count(&n->calls) + 2 > OM_CALLS_MAX)
        return OM_E_FULL;
    asks = node_call_make(n, &net->id, &net->self.id);
    if (!asks)
        return OM_E_NO_MEM;
    asked = node_call_make(n, &net->id, &net->self.id);
    l = asked ? loop_new() : NULL;
    if (l)
        e = om_call_ask(&asks->rpc, now, config->method, config->args, config->timeout);
    if (e != OM_OK) {
        free(l);
        if (asked)
            node_call_free(asked);
        node_call_free(asks);
        return e;
    }
    l->end[0] = asks;
    l->end[1] = asked;
    asks->loop = asked->loop = l;
    om_call_hear(&asked->rpc, now);
    node_call_advance(asks, now); /* whose question is heard at once */
    *out = asks;
    return OM_OK;
}

void node_loop_pass(struct node_call *c, om_time now)
{
    struct node_call *far = far_of(c);
    struct om_bytes said = om_call_output(&c->rpc);

    if (!far || said.n == 0 || om_call_deadline(&far->rpc) == OM_NEVER)
        return; /* an answer that comes too late */
    (void)om_call_input(&far->rpc, now, said);
    node_call_advance(far, now);
}

bool node_loop_is_whole(const struct node_call *c)
{
    return c->loop && far_of(c) != NULL;
}

enum om_err node_loop_write(struct node_call *c, struct om_bytes data)
{
    struct way *w = out_of(c);
    struct om_bytes *piece;

    if (w->is_finished || w->is_cut)
        return OM_E_STATE;
    if (data.n == 0)
        return OM_OK;
    if (om_ring_is_full(&w->lent))
        return OM_E_BUSY;
    piece = om_ring_push(&w->lent);
    if (!piece)
        return OM_E_NO_MEM;
    *piece = data;
    w->written += data.n;
    tell(far_of(c), OM_CALL_READABLE);
    return OM_OK;
}

enum om_err node_loop_finish(struct node_call *c)
{
    struct way *w = out_of(c);

    if (w->is_cut)
        return OM_E_STATE;
    if (w->is_finished)
        return OM_OK;
    w->is_finished = true;
    tell(far_of(c), OM_CALL_READABLE);
    settle(c->loop);
    return OM_OK;
}

static bool at_end(const struct way *w)
{
    return w->is_finished && !w->is_cut && w->released == w->written;
}

bool node_loop_has(const struct node_call *c)
{
    const struct way *w = in_of(c);

    return om_ring_count(&w->lent) > 0 || at_end(w);
}

unsigned node_loop_pieces(const struct node_call *c, struct om_bytes *out, unsigned max,
                          bool *is_end)
{
    const struct way *w = in_of(c);
    unsigned count = 0;

    if (is_end)
        *is_end = at_end(w);
    for (const struct om_bytes *piece; count < max && (piece = om_ring_at(&w->lent, count));)
        out[count++] = *piece;
    return count;
}

void node_loop_consume(struct node_call *c, size_t bytes)
{
    struct way *w = in_of(c);

    if (bytes == 0 || w->is_cut) /* who copied before the cut may not know of it yet */
        return;
    OM_BUG_IF(bytes > w->written - w->released);
    w->released += bytes;
    while (bytes > 0) {
        struct om_bytes *piece = om_ring_front(&w->lent);
        size_t n = bytes < piece->n ? bytes : piece->n;
        *piece = om_bytes(piece->p + n, piece->n - n);
        bytes -= n;
        if (piece->n == 0)
            om_ring_pop(&w->lent);
    }
    tell(far_of(c), OM_CALL_RELEASED);
    settle(c->loop);
}

uint64_t node_loop_released(const struct node_call *c)
{
    return out_of(c)->released;
}

/* The end @far learns by @code that nothing more comes and nothing is wanted. */
static void tell_left(struct node_call *far, uint32_t code, bool lost, bool unread)
{
    switch (far->rpc.state) {
    case OM_CALL_ASKING:
    case OM_CALL_HEARING:
        om_call_ended(&far->rpc);
        node_call_advance(far, far->node->now);
        return;
    case OM_CALL_ASKED:
        far->code = code;
        node_call_due(far, OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE);
        return;
    case OM_CALL_REFUSED:
        return;
    case OM_CALL_ACCEPTED:
        if (lost || unread)
            far->code = code;
        node_call_due(far, (lost ? OM_CALL_RESET : 0u) |
                               (unread ? OM_CALL_STOPPED | OM_CALL_RELEASED : 0u));
        settle(far->loop);
        return;
    }
}

void node_loop_leave(struct node_call *c, uint32_t code)
{
    struct node_loop *l = c->loop;
    struct node_call *far = far_of(c);
    bool lost = !is_over(out_of(c)), unread = !is_over(in_of(c));

    if (lost)
        cut(out_of(c));
    if (unread)
        cut(in_of(c));
    l->end[side_of(c)] = NULL;
    c->loop = NULL;
    if (far) {
        tell_left(far, code, lost, unread);
        return;
    }
    om_ring_fini(&l->way[0].lent);
    om_ring_fini(&l->way[1].lent);
    free(l);
}
