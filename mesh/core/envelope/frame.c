/* frame.c - codecs; each writer mirrors its reader line by line. */
#include "envelope/frame.h"

enum { ACK_HEAD = 8 + 4 + 3 * 4 + 4, ACK_RANGE = 8, FLAG_FIN = 1 };

static bool read_pong(struct om_rd *r, struct om_frame_pong *p)
{
    p->token = om_rd_u64(r);
    p->held_us = om_rd_u32(r);
    p->seen = om_addr_read(r);
    return om_rd_done(r);
}

/* Takes @n packets off @below; false when the sender counts below packet 0. */
static bool count_down(uint64_t *below, uint32_t n)
{
    if (n == 0 || *below < n)
        return false;
    *below -= n;
    return true;
}

static bool read_ack(struct om_rd *r, struct om_frame_ack *a)
{
    uint64_t below;

    a->largest = om_rd_u64(r);
    a->delay_us = om_rd_u32(r);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(a->ecn); i++)
        a->ecn[i] = om_rd_u32(r);
    a->run = om_rd_u32(r);
    if (r->bad || a->largest == UINT64_MAX)
        return false;
    below = a->largest + 1;
    if (!count_down(&below, a->run))
        return false;
    for (a->count = 0; om_rd_left(r) > 0; a->count++) {
        if (a->count == OM_ACK_RANGES_MAX)
            return false;
        struct om_ack_range *g = &a->ranges[a->count];
        g->missing = om_rd_u32(r);
        g->run = om_rd_u32(r);
        if (r->bad || !count_down(&below, g->missing) || !count_down(&below, g->run))
            return false;
    }
    return om_rd_done(r);
}

static bool read_stream(struct om_rd *r, struct om_frame_stream *s)
{
    s->id = om_rd_u32(r);
    s->offset = om_rd_u64(r);
    uint8_t flags = om_rd_u8(r);
    s->is_fin = flags & FLAG_FIN;
    s->data = om_rd_rest(r);
    if (!om_rd_done(r) || (flags & ~FLAG_FIN) || s->offset > OM_STREAM_END_MAX - s->data.n)
        return false;
    return s->data.n > 0 || s->is_fin || s->offset == 0; /* else it would say nothing */
}

static bool read_credit(struct om_rd *r, struct om_frame_stream_credit *c)
{
    c->id = om_rd_u32(r);
    c->value = om_rd_u64(r);
    return om_rd_done(r) && c->value <= OM_STREAM_END_MAX;
}

static bool read_reset(struct om_rd *r, struct om_frame_stream_reset *s)
{
    s->id = om_rd_u32(r);
    s->code = om_rd_u32(r);
    s->final = om_rd_u64(r);
    return om_rd_done(r) && s->final <= OM_STREAM_END_MAX;
}

static bool read_stop(struct om_rd *r, struct om_frame_stream_stop *s)
{
    s->id = om_rd_u32(r);
    s->code = om_rd_u32(r);
    return om_rd_done(r);
}

static bool read_datagram(struct om_rd *r, struct om_frame_datagram *d)
{
    uint8_t n = om_rd_u8(r);

    if (n == 0 || n > OM_CHANNEL_MAX)
        return false;
    om_rd_copy(r, d->channel, n);
    d->channel[n] = '\0';
    d->data = om_rd_rest(r);
    return om_rd_done(r) && memchr(d->channel, '\0', n) == NULL;
}

static bool read_ping_later(struct om_rd *r, struct om_frame_ping_later *p)
{
    p->token = om_rd_u64(r);
    p->seconds = om_rd_u16(r);
    return om_rd_done(r);
}

static bool read_close(struct om_rd *r, struct om_frame_close *c)
{
    c->code = om_rd_u32(r);
    c->text = om_rd_rest(r);
    return om_rd_done(r);
}

static bool read_body(struct om_rd *r, struct om_frame *f)
{
    switch (f->type) {
    case OM_FRAME_PING:
        f->ping = om_rd_u64(r);
        return om_rd_done(r);
    case OM_FRAME_PONG:
        return read_pong(r, &f->pong);
    case OM_FRAME_ACK:
        return read_ack(r, &f->ack);
    case OM_FRAME_STREAM:
        return read_stream(r, &f->stream);
    case OM_FRAME_STREAM_CREDIT:
        return read_credit(r, &f->credit);
    case OM_FRAME_STREAM_RESET:
        return read_reset(r, &f->reset);
    case OM_FRAME_STREAM_STOP:
        return read_stop(r, &f->stop);
    case OM_FRAME_DATAGRAM:
        return read_datagram(r, &f->datagram);
    case OM_FRAME_CANDIDATES:
        f->candidates = om_rd_rest(r);
        return om_rd_done(r);
    case OM_FRAME_PUNCH:
        return om_frame_read_punch(r, &f->punch);
    case OM_FRAME_LANE_OFFER:
        return om_frame_read_lane_offer(r, &f->lane_offer);
    case OM_FRAME_LANE_ACCEPT:
        return om_frame_read_lane_accept(r, &f->lane_accept);
    case OM_FRAME_LANE_REFUSE:
        return om_frame_read_lane_refuse(r, &f->lane_refuse);
    case OM_FRAME_LANE_BOUND:
        return om_frame_read_lane_bound(r, &f->lane_bound);
    case OM_FRAME_LANE_CLOSE:
        return om_frame_read_lane_close(r, &f->lane_close);
    case OM_FRAME_PATH_CHALLENGE:
    case OM_FRAME_PATH_RESPONSE:
        f->path = om_rd_u64(r);
        return om_rd_done(r);
    case OM_FRAME_MTU_PROBE:
        om_rd_rest(r); /* zeros, but nobody looks */
        return true;
    case OM_FRAME_IP:
        f->ip = om_rd_rest(r);
        return om_rd_done(r);
    case OM_FRAME_SLICE:
        return om_frame_read_slice(r, &f->slice);
    case OM_FRAME_CLOSE:
        return read_close(r, &f->close);
    case OM_FRAME_PING_LATER:
        return read_ping_later(r, &f->ping_later);
    }
    f->is_known = false;
    return true;
}

enum om_err om_frame_next(struct om_rd *r, struct om_frame *out)
{
    if (om_rd_left(r) == 0)
        return OM_E_MISSING;
    out->type = om_rd_u8(r);
    out->is_known = true;
    if (out->type == OM_FRAME_PAD)
        return OM_E_MISSING;

    uint16_t n = om_rd_u16(r);
    struct om_rd body = om_rd(om_rd_bytes(r, n));
    if (r->bad || !read_body(&body, out))
        return OM_E_PARSE;
    return OM_OK;
}

bool om_frame_is_eliciting(uint8_t type)
{
    switch (type) { /* PROTOCOL 4 exempts these */
    case OM_FRAME_PAD:
    case OM_FRAME_ACK:
    case OM_FRAME_PING:
    case OM_FRAME_PONG:
    case OM_FRAME_PUNCH:
    case OM_FRAME_PATH_CHALLENGE:
    case OM_FRAME_PATH_RESPONSE:
    case OM_FRAME_PING_LATER:
    case OM_FRAME_CLOSE:
        return false;
    }
    return true;
}

bool om_frame_is_moving(uint8_t type)
{
    switch (type) {
    case OM_FRAME_PAD:
    case OM_FRAME_PING:
    case OM_FRAME_PONG:
    case OM_FRAME_PUNCH:
    case OM_FRAME_PATH_CHALLENGE:
    case OM_FRAME_PATH_RESPONSE:
    case OM_FRAME_MTU_PROBE:
    case OM_FRAME_PING_LATER:
        return false;
    }
    return true;
}

bool om_frame_may_answer(const struct om_frame *f, bool is_later, unsigned *answered)
{
    bool is_ping = f->type == OM_FRAME_PING || f->type == OM_FRAME_PATH_CHALLENGE ||
                   (is_later && f->type == OM_FRAME_PING_LATER);
    bool is_probe = f->type == OM_FRAME_PUNCH && f->punch.step != OM_PUNCH_PLAN;
    unsigned what = (unsigned)is_ping | (unsigned)is_probe << 1;
    bool may = (*answered & what) == 0;

    *answered |= what;
    return may;
}

bool om_frame_is_later(struct om_bytes packet)
{
    return packet.n > 0 && packet.p[0] == OM_FRAME_PING_LATER;
}

void om_frame_write_head(struct om_wr *w, enum om_frame_type type, size_t n)
{
    if (n > UINT16_MAX) {
        w->bad = true;
        return;
    }
    om_wr_u8(w, (uint8_t)type);
    om_wr_u16(w, (uint16_t)n);
}

void om_frame_write_ping(struct om_wr *w, uint64_t token)
{
    om_frame_write_head(w, OM_FRAME_PING, 8);
    om_wr_u64(w, token);
}

void om_frame_write_pong(struct om_wr *w, const struct om_frame_pong *p)
{
    om_frame_write_head(w, OM_FRAME_PONG, 8 + 4 + OM_ADDR_WIRE);
    om_wr_u64(w, p->token);
    om_wr_u32(w, p->held_us);
    om_addr_write(w, &p->seen);
}

void om_frame_write_ack(struct om_wr *w, const struct om_frame_ack *a)
{
    size_t left = om_wr_left(w);
    size_t fit =
        left > OM_FRAME_HEAD + ACK_HEAD ? (left - OM_FRAME_HEAD - ACK_HEAD) / ACK_RANGE : 0;
    unsigned count = a->count < fit ? a->count : (unsigned)fit;

    om_frame_write_head(w, OM_FRAME_ACK, ACK_HEAD + (size_t)count * ACK_RANGE);
    om_wr_u64(w, a->largest);
    om_wr_u32(w, a->delay_us);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(a->ecn); i++)
        om_wr_u32(w, a->ecn[i]);
    om_wr_u32(w, a->run);
    for (unsigned i = 0; i < count; i++) {
        om_wr_u32(w, a->ranges[i].missing);
        om_wr_u32(w, a->ranges[i].run);
    }
}

uint8_t *om_frame_write_stream_head(struct om_wr *w, const struct om_frame_stream *f)
{
    if (om_wr_left(w) < OM_FRAME_HEAD + OM_STREAM_HEAD + f->data.n) {
        w->bad = true;
        return NULL;
    }
    om_frame_write_head(w, OM_FRAME_STREAM, OM_STREAM_HEAD + f->data.n);
    om_wr_u32(w, f->id);
    om_wr_u64(w, f->offset);
    om_wr_u8(w, f->is_fin ? FLAG_FIN : 0);
    return om_wr_room(w, f->data.n);
}

void om_frame_write_stream(struct om_wr *w, const struct om_frame_stream *f)
{
    uint8_t *to = om_frame_write_stream_head(w, f);

    if (to && f->data.n > 0)
        memcpy(to, f->data.p, f->data.n);
}

void om_frame_write_stream_credit(struct om_wr *w, const struct om_frame_stream_credit *f)
{
    om_frame_write_head(w, OM_FRAME_STREAM_CREDIT, OM_STREAM_CREDIT_SIZE - OM_FRAME_HEAD);
    om_wr_u32(w, f->id);
    om_wr_u64(w, f->value);
}

void om_frame_write_stream_reset(struct om_wr *w, const struct om_frame_stream_reset *f)
{
    om_frame_write_head(w, OM_FRAME_STREAM_RESET, OM_STREAM_RESET_SIZE - OM_FRAME_HEAD);
    om_wr_u32(w, f->id);
    om_wr_u32(w, f->code);
    om_wr_u64(w, f->final);
}

void om_frame_write_stream_stop(struct om_wr *w, const struct om_frame_stream_stop *f)
{
    om_frame_write_head(w, OM_FRAME_STREAM_STOP, OM_STREAM_STOP_SIZE - OM_FRAME_HEAD);
    om_wr_u32(w, f->id);
    om_wr_u32(w, f->code);
}

void om_frame_write_datagram(struct om_wr *w, const char *channel, struct om_bytes data)
{
    size_t n = strlen(channel);

    om_frame_write_head(w, OM_FRAME_DATAGRAM, 1 + n + data.n);
    om_wr_u8(w, (uint8_t)n);
    om_wr_copy(w, channel, n);
    om_wr_bytes(w, data);
}

void om_frame_write_close(struct om_wr *w, uint32_t code, struct om_bytes text)
{
    if (text.n > OM_CLOSE_TEXT_MAX)
        text.n = OM_CLOSE_TEXT_MAX;
    om_frame_write_head(w, OM_FRAME_CLOSE, 4 + text.n);
    om_wr_u32(w, code);
    om_wr_bytes(w, text);
}
