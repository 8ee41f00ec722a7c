/*
 * fuzz_relay.c - a relay and the lanes of an end: any words and datagrams, in any order
 *
 * Bytes are read as steps: a frame for the relay or for the end, a datagram on a lane, time. Ids
 * are drawn small, so that they are met. Both stay within their bounds, and what they say is
 * well-formed.
 */
#include <omerta/prng.h>

#include "fuzz.h"
#include "relay/relay_client.h"
#include "relay/relay_server.h"

enum { ENDS = 4, SIZE = OM_LANE_BYTES + OM_LANE_INNER_MIN, FRAME_MAX = 700 };

static const uint8_t mask[OM_MASK_KEY_BYTES] = {1};

struct world {
    uint8_t next_id;
    struct om_rng rng;
    struct om_indices at_relay, at_end;
    struct om_relay relay;
    struct om_lanes lanes;
    struct om_relay_end *ends[ENDS];
    struct om_lane_relay *relays[ENDS];
    om_time now;
};

/* Ids come out as 1, 2, 3 ... so that the input can name them. */
static void fill(void *self, void *dst, size_t n)
{
    struct world *w = self;

    memset(dst, 0, n);
    if (++w->next_id == 0)
        w->next_id = 1;
    memcpy(dst, &w->next_id, 1);
}

static const struct om_id *network_of(unsigned end)
{
    static const struct om_id of[2] = {{{1}}, {{2}}};

    return &of[end % 2];
}

static void begin(struct world *w)
{
    static const uint8_t sip[OM_SIP_KEY] = {3};
    static const unsigned networks = 2;
    struct om_relay_limits limits = {8, 4, 1000, 1000};

    memset(w, 0, sizeof *w);
    w->rng = (struct om_rng){fill, w};
    om_indices_init(&w->at_relay, 64);
    om_indices_init(&w->at_end, 64);
    FUZZ_MUST(om_relay_init(&w->relay, &limits, &networks, &w->rng, &w->at_relay, sip) == OM_OK);
    om_relay_set(&w->relay, true);
    om_lanes_init(&w->lanes, &networks, &w->rng, &w->at_end);
    for (unsigned i = 0; i < ENDS; i++) {
        struct om_addr a = om_addr_v4(0x33000001 + i, 9);
        w->ends[i] = om_relay_end_new(&w->relay, NULL, network_of(i), 0, &a);
        w->relays[i] = om_lane_relay_new(&w->lanes, NULL, network_of(i), 0);
        FUZZ_MUST(w->ends[i] && w->relays[i]);
    }
}

static void frame_input(struct world *w, struct om_rd *r, unsigned who)
{
    struct om_rd one = om_rd(om_rd_bytes(r, om_rd_u8(r)));
    struct om_lane *lane;
    struct om_frame f;

    if (om_frame_next(&one, &f) != OM_OK || !f.is_known)
        return;
    switch (f.type) {
    case OM_FRAME_LANE_OFFER:
        if (f.lane_offer.is_asked) {
            om_relay_offer(&w->relay, w->now, w->ends[who], w->ends[f.lane_offer.peer.b[0] % ENDS],
                           &f.lane_offer, who == 3);
            break;
        }
        lane = om_lanes_offer(w->relays[who], w->now, &f.lane_offer);
        if (lane && f.lane_offer.age_s % 2 == 0)
            om_lane_answer(lane, w->now);
        else if (lane && f.lane_offer.age_s % 3 == 0)
            om_lane_decline(lane, OM_LANE_DENIED);
        break;
    case OM_FRAME_LANE_ACCEPT:
        om_relay_accept(&w->relay, w->now, w->ends[who], &f.lane_accept);
        break;
    case OM_FRAME_LANE_BOUND:
        om_lanes_bound(w->relays[who], w->now, &f.lane_bound);
        break;
    case OM_FRAME_LANE_REFUSE:
        om_relay_refuse(&w->relay, w->ends[who], &f.lane_refuse);
        om_lanes_refused(w->relays[who], &f.lane_refuse);
        break;
    case OM_FRAME_LANE_CLOSE:
        om_relay_close(&w->relay, w->ends[who], f.lane_close);
        om_lanes_closed(w->relays[who], f.lane_close);
        break;
    }
}

/* A datagram; @is_good: as the owner of the lane would have sent it. */
static void datagram_input(struct world *w, struct om_rd *r, bool is_good)
{
    struct om_lane_header header;
    uint8_t d[SIZE], id = om_rd_u8(r);
    struct om_index_entry *e;

    om_rd_copy(r, d, is_good ? 8 : SIZE);
    if (is_good)
        memset(d + 8, id, sizeof d - 8);
    e = om_index_find(&w->at_relay, id);
    struct om_relay_leg *leg = e ? e->owner : NULL, *out;
    if (leg && is_good) {
        struct om_hop far = leg->hop;
        far.send_id = leg->hop.receive_id;
        far.sent = om_load32(d);
        memcpy(far.send_key, leg->hop.receive_key, sizeof far.send_key);
        om_hop_wrap(&far, mask, d, sizeof d);
    }
    if (!om_lane_peek(mask, om_bytes(d, sizeof d), &header))
        return;
    out = leg ? om_relay_carry(leg, w->now, &header, om_bytes(d, sizeof d)) : NULL;
    FUZZ_MUST(!out || (is_good && out->hop.send_id != 0 && out->lane->state == OM_RELAY_BOUND));
    if (out)
        om_hop_wrap(&out->hop, mask, d, sizeof d);
    e = om_index_find(&w->at_end, id);
    if (e && om_lane_peek(mask, om_bytes(d, sizeof d), &header))
        om_lane_take(e->owner, w->now, &header, om_bytes(d, sizeof d));
}

static void check_frame(const struct om_frame *f)
{
    uint8_t bytes[FRAME_MAX];
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));
    struct om_frame again;

    switch (f->type) {
    case OM_FRAME_LANE_OFFER:
        om_frame_write_lane_offer(&w, &f->lane_offer);
        break;
    case OM_FRAME_LANE_ACCEPT:
        om_frame_write_lane_accept(&w, &f->lane_accept);
        break;
    case OM_FRAME_LANE_BOUND:
        om_frame_write_lane_bound(&w, &f->lane_bound);
        break;
    case OM_FRAME_LANE_REFUSE:
        om_frame_write_lane_refuse(&w, &f->lane_refuse);
        break;
    default:
        om_frame_write_lane_close(&w, f->lane_close);
        break;
    }
    struct om_rd r = om_rd(om_bytes(bytes, om_wr_len(&w)));
    FUZZ_MUST(!w.bad && om_frame_next(&r, &again) == OM_OK && again.type == f->type);
}

static void say(struct world *w)
{
    struct om_relay_act said;
    struct om_lane_act act;

    while (om_relay_next(&w->relay, w->now, &said))
        check_frame(&said.frame);
    while (om_lanes_next(&w->lanes, &act))
        if (act.kind == OM_LANE_SAY)
            check_frame(&act.frame);
    FUZZ_MUST(w->relay.shares.rows <= w->relay.limits.lanes_max);
    FUZZ_MUST(w->at_relay.live == 2 * w->relay.shares.rows);
    FUZZ_MUST(w->at_end.live == w->lanes.shares.rows);
}

static void step(struct world *w, struct om_rd *r)
{
    uint8_t what = om_rd_u8(r);
    unsigned who = what / 8 % ENDS;
    struct om_addr a = om_addr_v4(0x33000001 + who, 9);
    struct om_id to = {{(uint8_t)(what / 32)}};
    struct om_lane *lane;

    switch (what % 8) {
    case 0:
    case 1:
        frame_input(w, r, who);
        break;
    case 2:
    case 3:
        datagram_input(w, r, what % 8 == 2);
        break;
    case 4:
        w->now += OM_MS(100) * om_rd_u16(r);
        om_relay_tick(&w->relay, w->now);
        om_lanes_tick(&w->lanes, w->now);
        break;
    case 5:
        if (om_lane_ask(w->relays[who], w->now, &to, NULL, &lane) == OM_E_EXISTS)
            om_lane_end(lane);
        break;
    case 6:
        om_relay_heard(w->ends[who], w->now, &a);
        break;
    case 7:
        om_relay_end_free(w->ends[who]);
        om_lane_relay_free(w->relays[who]);
        w->ends[who] = om_relay_end_new(&w->relay, NULL, network_of(who), w->now, &a);
        w->relays[who] = om_lane_relay_new(&w->lanes, NULL, network_of(who), w->now);
        FUZZ_MUST(w->ends[who] && w->relays[who]);
        break;
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static struct world w;
    uint8_t *copy = fuzz_copy(data, size);
    struct om_rd r = om_rd(om_bytes(copy, size));

    begin(&w);
    while (om_rd_left(&r) > 0) {
        step(&w, &r);
        say(&w);
    }
    for (unsigned i = 0; i < ENDS; i++) {
        om_relay_end_free(w.ends[i]);
        om_lane_relay_free(w.relays[i]);
    }
    om_relay_fini(&w.relay);
    om_lanes_fini(&w.lanes);
    FUZZ_MUST(w.at_relay.live == 0 && w.at_end.live == 0);
    om_indices_fini(&w.at_relay);
    om_indices_fini(&w.at_end);
    free(copy);
    return 0;
}
