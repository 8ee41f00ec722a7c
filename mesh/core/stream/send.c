/* send.c - the sending half of a stream. */
#include "stream/send.h"

#include "envelope/frame.h"

struct om_send_piece {
    const uint8_t *p;
    uint64_t start, end; /* offsets in the stream */
};

void om_send_init(struct om_send *s, uint64_t credit)
{
    *s = (struct om_send){.credit = credit};
    enum om_err e = om_ring_init(&s->pieces, sizeof(struct om_send_piece), OM_STREAM_PIECES_MAX);
    OM_BUG_IF(e != OM_OK);
}

void om_send_fini(struct om_send *s)
{
    om_ring_fini(&s->pieces);
    om_ranges_clear(&s->above);
    om_ranges_clear(&s->lost);
}

enum om_err om_send_write(struct om_send *s, struct om_bytes data)
{
    struct om_send_piece *piece;

    if (s->is_finished || s->is_reset || s->is_ending)
        return OM_E_STATE;
    if (data.n > OM_STREAM_END_MAX - s->written)
        return OM_E_RANGE;
    if (data.n == 0)
        return OM_OK;
    if (om_ring_is_full(&s->pieces))
        return OM_E_BUSY;
    piece = om_ring_push(&s->pieces);
    if (!piece)
        return OM_E_NO_MEM;
    *piece = (struct om_send_piece){data.p, s->written, s->written + data.n};
    s->written += data.n;
    return OM_OK;
}

void om_send_finish(struct om_send *s)
{
    s->is_finished = true;
}

void om_send_reset(struct om_send *s, uint32_t code)
{
    om_send_fini(s);
    s->is_reset = true;
    s->is_ending = false;
    s->reset_code = code;
    s->acked = s->written;
}

void om_send_reset_after(struct om_send *s, uint32_t code, uint64_t keep)
{
    if (s->is_reset)
        return;
    if (s->acked >= keep) {
        om_send_reset(s, code);
        return;
    }
    OM_BUG_IF(keep > s->written);
    /* What is cut off at the top cannot split a range: no memory is needed. */
    (void)om_ranges_remove(&s->lost, keep, UINT64_MAX, OM_SEND_RANGES_MAX);
    (void)om_ranges_remove(&s->above, keep, UINT64_MAX, OM_SEND_RANGES_MAX);
    s->written = keep;      /* no piece behind it is read any more */
    s->is_finished = false; /* it ends otherwise */
    s->is_ending = true;
    s->reset_code = code;
}

/* Where frame @f ends, of what still counts. */
static uint64_t end_of(const struct om_send *s, const struct om_sent_frame *f)
{
    uint64_t high = f->offset + f->len;

    return s->is_ending && high > s->written ? s->written : high;
}

static bool wants_fin(const struct om_send *s)
{
    return s->is_finished && !s->is_fin_sent && !s->is_fin_acked;
}

bool om_send_has_again(const struct om_send *s)
{
    if (s->is_reset)
        return false;
    return om_ranges_count(&s->lost) > 0 || (wants_fin(s) && s->sent == s->written);
}

bool om_send_has_fresh(const struct om_send *s)
{
    return !s->is_reset && s->sent < s->written && s->sent < s->credit;
}

bool om_send_is_done(const struct om_send *s)
{
    return s->is_reset ? s->is_reset_acked : s->is_fin_acked && s->acked == s->written;
}

/* Index of the piece that holds byte @at, which was written and is not acknowledged. */
static unsigned piece_of(const struct om_send *s, uint64_t at)
{
    unsigned low = 0, high = om_ring_count(&s->pieces);

    while (low + 1 < high) {
        unsigned mid = low + (high - low) / 2;
        const struct om_send_piece *piece = om_ring_at(&s->pieces, mid);
        if (piece->start <= at)
            low = mid;
        else
            high = mid;
    }
    return low;
}

static void copy_out(const struct om_send *s, uint64_t at, uint8_t *to, size_t n)
{
    for (unsigned i = piece_of(s, at); n > 0; i++) {
        const struct om_send_piece *piece = om_ring_at(&s->pieces, i);
        OM_BUG_IF(!piece || at < piece->start || at >= piece->end);
        size_t part = piece->end - at < n ? (size_t)(piece->end - at) : n;
        memcpy(to, piece->p + (at - piece->start), part);
        to += part;
        at += part;
        n -= part;
    }
}

/* What goes next: lost bytes before new ones. False when there is nothing. */
static bool choose(const struct om_send *s, uint64_t fresh, uint64_t *low, uint64_t *high)
{
    const struct om_range *lost = om_ranges_above(&s->lost, 0);

    if (lost) {
        *low = lost->low;
        *high = lost->high;
        return true;
    }
    *low = s->sent;
    *high = s->written < s->credit ? s->written : s->credit;
    if (*high <= *low || fresh == 0) {
        *high = *low;
        return wants_fin(s) && s->sent == s->written;
    }
    if (*high - *low > fresh)
        *high = *low + fresh;
    return true;
}

bool om_send_fill(struct om_send *s, uint32_t id, struct om_wr *w, uint64_t fresh,
                  struct om_sent_frame *out)
{
    const size_t head = OM_FRAME_HEAD + OM_STREAM_HEAD;
    size_t room = om_wr_left(w);
    uint64_t low, high;

    if (room < head || s->is_reset || !choose(s, fresh, &low, &high))
        return false;
    room = room - head < UINT16_MAX - OM_STREAM_HEAD ? room - head : UINT16_MAX - OM_STREAM_HEAD;
    if (high - low > room) {
        if (room < OM_SEND_FRAGMENT_MIN)
            return false; /* the next packet has a better place for it */
        high = low + room;
    }
    struct om_frame_stream f = {.id = id, .offset = low, .data = {NULL, (size_t)(high - low)}};
    f.is_fin = s->is_finished && high == s->written;
    uint8_t *to = om_frame_write_stream_head(w, &f);
    OM_BUG_IF(!to);
    copy_out(s, low, to, f.data.n);

    om_ranges_cut(&s->lost, high); /* it was the lowest, or there were none */
    if (high > s->sent)
        s->sent = high;
    s->is_fin_sent |= f.is_fin;
    *out = (struct om_sent_frame){
        .offset = low,
        .stream = id,
        .len = (uint16_t)f.data.n,
        .kind = OM_SENT_STREAM,
        .flags = f.is_fin ? OM_SENT_FIN : 0,
    };
    return true;
}

/* Moves @acked over what is acknowledged beyond it, and lets go of the pieces below. */
static void advance(struct om_send *s, uint64_t to)
{
    const struct om_send_piece *piece;
    const struct om_range *next;

    om_ranges_cut(&s->above, to); /* first: it may hold stretches that are wholly below */
    next = om_ranges_above(&s->above, 0);
    if (next && next->low <= to)
        to = next->high;
    s->acked = to;
    om_ranges_cut(&s->above, to);
    om_ranges_cut(&s->lost, to);
    while ((piece = om_ring_front(&s->pieces)) != NULL && piece->end <= to)
        om_ring_pop(&s->pieces);
    if (om_ring_count(&s->pieces) == 0) {
        om_ring_fini(&s->pieces); /* an idle stream holds nothing */
        enum om_err e =
            om_ring_init(&s->pieces, sizeof(struct om_send_piece), OM_STREAM_PIECES_MAX);
        OM_BUG_IF(e != OM_OK);
    }
}

bool om_send_on_acked(struct om_send *s, const struct om_sent_frame *f)
{
    uint64_t low = f->offset, high = end_of(s, f);

    if (s->is_reset)
        return false;
    s->is_fin_acked |= (f->flags & OM_SENT_FIN) != 0;
    if (high <= s->acked || high <= low)
        return false;
    if (low <= s->acked) {
        advance(s, high);
        if (s->is_ending && s->acked == s->written)
            om_send_reset(s, s->reset_code);
        return true;
    }
    if (om_ranges_add(&s->above, low, high, OM_SEND_RANGES_MAX) != OM_OK) {
        om_ranges_stretch(&s->lost, low, high, OM_SEND_RANGES_MAX); /* as if it had not come */
        return false;
    }
    /* Where there is no room to split a stretch, more than was lost is sent again. */
    (void)om_ranges_remove(&s->lost, low, high, OM_SEND_RANGES_MAX);
    return false;
}

void om_send_on_lost(struct om_send *s, const struct om_sent_frame *f)
{
    uint64_t low = f->offset, high = end_of(s, f);

    if (s->is_reset)
        return;
    if ((f->flags & OM_SENT_FIN) && !s->is_fin_acked)
        s->is_fin_sent = false; /* of one that is ending nobody asks */
    if (low < s->acked)
        low = s->acked;
    while (low < high) {
        const struct om_range *had = om_ranges_above(&s->above, low);
        if (had && had->low <= low) {
            low = had->high;
            continue;
        }
        uint64_t end = had && had->low < high ? had->low : high;
        om_ranges_stretch(&s->lost, low, end, OM_SEND_RANGES_MAX);
        low = end;
    }
}
