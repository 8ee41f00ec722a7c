/* mux_in.c - frames arrive, or their fates. */
#include "stream/mux_state.h"

/* Mostly the one asked for last: packets that follow each other carry frames of few streams. */
static struct om_stream *find(struct om_mux *m, uint32_t id)
{
    if (!m->recent || m->recent->id != id)
        m->recent = om_mux_find(m, id);
    return m->recent;
}

/* The stream that a frame with @id is for. *@out is NULL with OM_OK for one that is over. */
static enum om_err lookup(struct om_mux *m, uint32_t id, struct om_stream **out)
{
    bool is_ours = (id % 2 == 0) == m->we_are_lower;

    *out = NULL;
    if (id < 2)
        return OM_E_RANGE;
    *out = find(m, id);
    if (*out)
        return OM_OK;
    if (is_ours)
        return m->our_next != 0 && id >= m->our_next ? OM_E_RANGE : OM_OK;
    if (m->their_next == 0 || id < m->their_next)
        return OM_OK;

    /* It opens, and so do those below it, whose frames are on their way. */
    uint32_t count = (id - m->their_next) / 2 + 1;
    if (count > OM_STREAMS_MAX || m->receiving + count > OM_STREAMS_MAX ||
        om_table_count(&m->streams) + count > OM_STREAMS_KEPT_MAX)
        return OM_E_FULL;
    while (count-- > 0) {
        *out = mux_make(m, m->their_next, false);
        if (!*out)
            return OM_E_NO_MEM;
        m->their_next = m->their_next <= UINT32_MAX - 2 ? m->their_next + 2 : 0;
    }
    return OM_OK;
}

static void announce(struct om_mux *m, struct om_stream *s)
{
    if (!s->is_announced)
        mux_tell(m, s, OM_NEWS_OPENED);
    s->is_announced = true;
}

/* How far the peer may go on @s, by both credits. */
static uint64_t limit_of(const struct om_mux *m, const struct om_stream *s)
{
    uint64_t session = s->receive.highest + (m->credit.granted - m->highest);

    return session < s->credit.granted ? session : s->credit.granted;
}

static enum om_err on_stream(struct om_mux *m, struct om_stream *s, const struct om_frame_stream *f)
{
    struct om_receive *r = &s->receive;
    struct mux_tally before = mux_tally(s);
    uint64_t received = r->received;
    bool was_complete = om_receive_is_complete(r);
    uint32_t gaps = before.ranges + (OM_MUX_RANGES_MAX - m->ranges);
    enum om_err e;

    if (gaps > OM_RECEIVE_RANGES_MAX)
        gaps = OM_RECEIVE_RANGES_MAX;
    e = om_receive_input(r, f->offset, f->data, f->is_fin, limit_of(m, s), gaps);
    if (e != OM_OK)
        return e;
    announce(m, s);
    if (!r->is_stopped && !r->is_reset &&
        (r->received > received || om_receive_is_complete(r) != was_complete))
        mux_tell(m, s, OM_NEWS_READABLE);
    mux_account(m, s, &before);
    mux_settle(m, s);
    return OM_OK;
}

static enum om_err on_reset(struct om_mux *m, struct om_stream *s,
                            const struct om_frame_stream_reset *f)
{
    struct mux_tally before = mux_tally(s);
    bool was_complete = om_receive_is_complete(&s->receive);
    enum om_err e = om_receive_reset(&s->receive, f->final, limit_of(m, s));

    if (e != OM_OK)
        return e;
    announce(m, s);
    if (!was_complete) {
        s->reset_code = f->code;
        s->pending &= (uint8_t)~OM_NEWS_READABLE;
        if (!s->receive.is_stopped)
            mux_tell(m, s, OM_NEWS_RESET);
    }
    mux_account(m, s, &before);
    mux_settle(m, s);
    return OM_OK;
}

static void on_stop(struct om_mux *m, struct om_stream *s, const struct om_frame_stream_stop *f)
{
    announce(m, s);
    if (s->send.is_reset || om_send_is_done(&s->send))
        return;
    s->stop_code = f->code;
    mux_give_up(m, s, f->code);
    mux_tell(m, s, OM_NEWS_STOPPED);
}

static void on_credit(struct om_mux *m, struct om_stream *s, uint64_t value)
{
    announce(m, s);
    if (value > s->send.credit)
        s->send.credit = value;
    mux_schedule(m, s);
}

enum om_err om_mux_input(struct om_mux *m, om_time now, om_time rtt, const struct om_frame *f)
{
    bool is_session = f->type == OM_FRAME_STREAM_CREDIT && f->credit.id == 0;
    struct om_stream *s = NULL;
    uint32_t id = 0;
    enum om_err e;

    m->now = now;
    m->rtt = rtt;
    if (f->type == OM_FRAME_STREAM)
        id = f->stream.id;
    else if (f->type == OM_FRAME_STREAM_CREDIT)
        id = f->credit.id;
    else if (f->type == OM_FRAME_STREAM_RESET)
        id = f->reset.id;
    else if (f->type == OM_FRAME_STREAM_STOP)
        id = f->stop.id;
    e = is_session ? OM_OK : lookup(m, id, &s);
    if (is_session && f->credit.value > m->peer_credit)
        m->peer_credit = f->credit.value;
    if (e != OM_OK || !s || s->is_done)
        return e;
    if (f->type == OM_FRAME_STREAM)
        return on_stream(m, s, &f->stream);
    if (f->type == OM_FRAME_STREAM_RESET)
        return on_reset(m, s, &f->reset);
    if (f->type == OM_FRAME_STREAM_STOP)
        on_stop(m, s, &f->stop);
    else
        on_credit(m, s, f->credit.value);
    return OM_OK;
}

static void stream_fate(struct om_mux *m, struct om_stream *s, const struct om_sent_frame *f,
                        bool acked)
{
    bool was_ending = s->send.is_ending;

    if (acked && om_send_on_acked(&s->send, f)) {
        s->released = s->send.acked;
        mux_tell(m, s, OM_NEWS_RELEASED);
    }
    if (was_ending && s->send.is_reset) {
        s->wants_reset = true;
        mux_control(m, s);
    }
    if (!acked)
        om_send_on_lost(&s->send, f);
    mux_schedule(m, s);
    mux_settle(m, s);
}

void om_mux_on_fate(struct om_mux *m, om_time now, const struct om_sent_frame *f, bool acked)
{
    struct om_stream *s = find(m, f->stream);

    m->now = now;
    if (f->stream == 0 && !acked)
        m->wants_credit |= f->offset == m->credit.granted; /* else a newer one is on its way */
    if (!s || s->is_done)
        return;
    switch ((enum om_sent_kind)f->kind) {
    case OM_SENT_STREAM:
        stream_fate(m, s, f, acked);
        return;
    case OM_SENT_CREDIT:
        s->wants_credit |= !acked && f->offset == s->credit.granted &&
                           s->receive.final == OM_RECEIVE_UNKNOWN && !s->receive.is_stopped;
        break;
    case OM_SENT_RESET:
        s->send.is_reset_acked |= acked;
        s->wants_reset = !s->send.is_reset_acked && (s->wants_reset || !acked);
        break;
    case OM_SENT_STOP:
        s->wants_stop |= !acked && !om_receive_is_complete(&s->receive);
        break;
    case OM_SENT_WORD:
        return; /* no stream's */
    }
    mux_control(m, s);
    mux_settle(m, s);
}
