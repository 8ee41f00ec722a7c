/*
 * fuzz_frames.c - frames of a packet: any bytes
 *
 * Each frame that decodes is encoded again and must give the same bytes.
 */
#include "envelope/frame.h"
#include "fuzz.h"

enum { PACKET_MAX = 1 << 17 };

static void write_lane(struct om_wr *w, const struct om_frame *f)
{
    if (f->type == OM_FRAME_LANE_OFFER)
        om_frame_write_lane_offer(w, &f->lane_offer);
    else if (f->type == OM_FRAME_LANE_ACCEPT)
        om_frame_write_lane_accept(w, &f->lane_accept);
    else if (f->type == OM_FRAME_LANE_REFUSE)
        om_frame_write_lane_refuse(w, &f->lane_refuse);
    else if (f->type == OM_FRAME_LANE_BOUND)
        om_frame_write_lane_bound(w, &f->lane_bound);
    else
        om_frame_write_lane_close(w, f->lane_close);
}

static void write_again(struct om_wr *w, const struct om_frame *f)
{
    switch ((enum om_frame_type)f->type) {
    case OM_FRAME_PAD:
    case OM_FRAME_MTU_PROBE: /* its zeros are not looked at */
        break;
    case OM_FRAME_PING:
        om_frame_write_ping(w, f->ping);
        break;
    case OM_FRAME_PONG:
        om_frame_write_pong(w, &f->pong);
        break;
    case OM_FRAME_ACK:
        om_frame_write_ack(w, &f->ack);
        break;
    case OM_FRAME_STREAM:
        om_frame_write_stream(w, &f->stream);
        break;
    case OM_FRAME_STREAM_CREDIT:
        om_frame_write_stream_credit(w, &f->credit);
        break;
    case OM_FRAME_STREAM_RESET:
        om_frame_write_stream_reset(w, &f->reset);
        break;
    case OM_FRAME_STREAM_STOP:
        om_frame_write_stream_stop(w, &f->stop);
        break;
    case OM_FRAME_DATAGRAM:
        om_frame_write_datagram(w, f->datagram.channel, f->datagram.data);
        break;
    case OM_FRAME_CANDIDATES:
        om_frame_write_candidates(w, f->candidates);
        break;
    case OM_FRAME_PUNCH:
        om_frame_write_punch(w, &f->punch);
        break;
    case OM_FRAME_LANE_OFFER:
    case OM_FRAME_LANE_ACCEPT:
    case OM_FRAME_LANE_REFUSE:
    case OM_FRAME_LANE_BOUND:
    case OM_FRAME_LANE_CLOSE:
        write_lane(w, f);
        break;
    case OM_FRAME_PATH_CHALLENGE:
        om_frame_write_challenge(w, f->path);
        break;
    case OM_FRAME_PATH_RESPONSE:
        om_frame_write_response(w, f->path);
        break;
    case OM_FRAME_IP:
        om_frame_write_ip(w, f->ip);
        break;
    case OM_FRAME_SLICE:
        om_frame_write_slice(w, &f->slice);
        break;
    case OM_FRAME_CLOSE:
        om_frame_write_close(w, f->close.code, f->close.text);
        break;
    case OM_FRAME_PING_LATER:
        om_frame_write_ping_later(w, &f->ping_later);
        break;
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static uint8_t again[PACKET_MAX];
    uint8_t *copy = fuzz_copy(data, size);
    struct om_rd r = om_rd(om_bytes(copy, size));
    struct om_frame f;

    for (;;) {
        const uint8_t *start = r.p;
        if (om_frame_next(&r, &f) != OM_OK)
            break;
        struct om_wr w = om_wr(om_mut(again, sizeof again));
        size_t n = (size_t)(r.p - start);
        bool is_cut = f.type == OM_FRAME_CLOSE && f.close.text.n > OM_CLOSE_TEXT_MAX;
        if (!f.is_known || is_cut || f.type == OM_FRAME_MTU_PROBE)
            continue;
        write_again(&w, &f);
        FUZZ_MUST(om_wr_len(&w) == n && memcmp(again, start, n) == 0);
    }
    free(copy);
    return 0;
}
