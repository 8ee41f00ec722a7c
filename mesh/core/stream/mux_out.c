/* mux_out.c - which frames go into the next packet. */
#include "stream/mux_state.h"

/* Where the notes of a packet go. */
struct notes {
    struct om_sent_frame *at;
    unsigned count, max;
};

static bool has_room(const struct om_wr *w, const struct notes *n, size_t size)
{
    return n->count < n->max && om_wr_left(w) >= size;
}

static void note(struct notes *n, enum om_sent_kind kind, uint32_t stream, uint64_t offset)
{
    n->at[n->count++] =
        (struct om_sent_frame){.offset = offset, .stream = stream, .kind = (uint8_t)kind};
}

static bool fill_stop(struct om_stream *s, struct om_wr *w, struct notes *n)
{
    if (!has_room(w, n, OM_STREAM_STOP_SIZE))
        return false;
    om_frame_write_stream_stop(w, &(struct om_frame_stream_stop){s->id, s->our_stop_code});
    note(n, OM_SENT_STOP, s->id, 0);
    s->wants_stop = false;
    return true;
}

static bool fill_reset(struct om_stream *s, struct om_wr *w, struct notes *n)
{
    uint64_t final = om_send_final(&s->send);

    if (!has_room(w, n, OM_STREAM_RESET_SIZE))
        return false;
    om_frame_write_stream_reset(w,
                                &(struct om_frame_stream_reset){s->id, s->send.reset_code, final});
    note(n, OM_SENT_RESET, s->id, final);
    s->wants_reset = false;
    return true;
}

static bool fill_credit(uint32_t id, uint64_t value, struct om_wr *w, struct notes *n)
{
    if (!has_room(w, n, OM_STREAM_CREDIT_SIZE))
        return false;
    om_frame_write_stream_credit(w, &(struct om_frame_stream_credit){id, value});
    note(n, OM_SENT_CREDIT, id, value);
    return true;
}

/* Control frames. False when one did not fit: then the packet is as good as full. */
static bool fill_control(struct om_mux *m, struct om_wr *w, struct notes *n)
{
    struct om_link *link;

    if (m->wants_credit && !fill_credit(0, m->credit.granted, w, n))
        return false;
    m->wants_credit = false;
    while ((link = om_list_first(&m->control)) != NULL) {
        struct om_stream *s = OM_CONTAINER_OF(link, struct om_stream, in_control);
        if (s->wants_stop && !fill_stop(s, w, n))
            return false;
        if (s->wants_reset && !fill_reset(s, w, n))
            return false;
        if (s->wants_credit && !fill_credit(s->id, s->credit.granted, w, n))
            return false;
        s->wants_credit = false;
        om_list_remove(link);
    }
    return true;
}

/* The stream of class @p whose turn it is, NULL when none can send. */
static struct om_stream *next_of(const struct om_mux *m, unsigned p)
{
    struct om_link *link = om_list_first(&m->again[p]);

    if (link)
        return OM_CONTAINER_OF(link, struct om_stream, in_again);
    if (m->sent >= m->peer_credit)
        return NULL;
    link = om_list_first(&m->fresh[p]);
    return link ? OM_CONTAINER_OF(link, struct om_stream, in_fresh) : NULL;
}

/* Behind the others of its class. */
static void rotate(struct om_mux *m, struct om_stream *s)
{
    om_list_remove(&s->in_again);
    om_list_remove(&s->in_fresh);
    mux_schedule(m, s);
}

/* Streams of class @p fill what they can; false when the packet is full. */
static bool fill_class(struct om_mux *m, unsigned p, struct om_wr *w, struct notes *n)
{
    struct om_stream *s, *last = NULL;

    while ((s = next_of(m, p)) != NULL) {
        uint64_t sent = s->send.sent;
        if (n->count == n->max ||
            !om_send_fill(&s->send, s->id, w, m->peer_credit - m->sent, &n->at[n->count]))
            break;
        n->count++;
        m->sent += s->send.sent - sent;
        mux_schedule(m, s);
        last = s;
    }
    if (last)
        rotate(m, last); /* who filled this packet lets the others fill the next ones */
    return s == NULL;
}

unsigned om_mux_fill(struct om_mux *m, struct om_wr *w, struct om_sent_frame *frames, unsigned max)
{
    static const uint8_t orders[3][OM_PRIORITIES] = {
        {OM_INTERACTIVE, OM_NORMAL, OM_BULK},
        {OM_BULK, OM_NORMAL, OM_INTERACTIVE},
        {OM_NORMAL, OM_BULK, OM_INTERACTIVE},
    };
    struct notes n = {frames, 0, max};
    unsigned guard = (m->turn + 1) % (2 * OM_MUX_GUARD), before, order = 0;

    if (guard % OM_MUX_GUARD == 0)
        order = guard == 0 ? 2 : 1;
    if (!fill_control(m, w, &n))
        return n.count;
    before = n.count;
    for (unsigned i = 0; i < OM_PRIORITIES; i++)
        if (!fill_class(m, orders[order][i], w, &n))
            break;
    m->turn += n.count > before;
    return n.count;
}

bool om_mux_has_output(const struct om_mux *m)
{
    if (m->wants_credit || !om_list_is_empty(&m->control))
        return true;
    for (unsigned p = 0; p < OM_PRIORITIES; p++)
        if (next_of(m, p))
            return true;
    return false;
}

bool om_mux_fill_credit(const struct om_mux *m, struct om_wr *w)
{
    if (om_wr_left(w) < OM_STREAM_CREDIT_SIZE)
        return false;
    om_frame_write_stream_credit(w, &(struct om_frame_stream_credit){0, m->credit.granted});
    return true;
}
