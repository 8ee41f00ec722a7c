/* siege.c - floods, guesses and lies of one member. */
#include "siege.h"

#include <string.h>

#include "flight.h"
#include "node/lane.h"

/* The relay as the member's node knows it. */
static struct om_peer *at_relay(const struct sim_siege *s)
{
    struct om_node *n = s->member->node;
    const struct sim_network *net = sim_common_network(s->member, s->relay);

    return om_peers_find(&n->peers, n->networks[0], sim_actor_id(s->relay, net));
}

/* The @i-th of the member's open lanes; NULL when there are no more. */
static struct om_lane *lane_at(const struct sim_siege *s, unsigned i)
{
    const struct om_peer *p = at_relay(s);

    if (!p || !p->lane_relay)
        return NULL;
    for (struct om_link *k = om_list_first(&p->lane_relay->all); k;
         k = om_list_next(&p->lane_relay->all, k)) {
        struct om_lane *lane = OM_CONTAINER_OF(k, struct om_lane, of_relay);
        if (lane->state == OM_LANE_OPEN && i-- == 0)
            return lane;
    }
    return NULL;
}

unsigned sim_siege_lanes(const struct sim_siege *s)
{
    unsigned count = 0;

    while (lane_at(s, count))
        count++;
    return count;
}

/* The id of a random lane of others, as whoever watches the wire can read it. */
static uint32_t id_of_others(struct sim_siege *s)
{
    const struct om_relay *r = &s->relay->node->relay;
    const struct om_peer *me = NULL;
    struct om_link *k = om_list_first(&r->lanes);
    const struct om_relay_lane *lane = NULL;

    for (uint64_t i = om_prng_below(&s->prng, r->shares.rows ? r->shares.rows : 1); k && i > 0; i--)
        k = om_list_next(&r->lanes, k);
    if (k)
        lane = OM_CONTAINER_OF(k, struct om_relay_lane, all);
    for (unsigned i = 0; lane && i < 2; i++) {
        me = lane->legs[i].end->user;
        if (sim_actor_by_id(s->relay->world, &me->id) == s->member)
            return 0;
    }
    return lane ? lane->legs[om_prng_below(&s->prng, 2)].hop.receive_id : 0;
}

static void send(struct sim_siege *s, struct sim_actor *by, const struct sim_actor *from,
                 struct om_hop *hop, size_t size)
{
    const struct om_session *session = node_lane_session(s->member->node, at_relay(s));
    struct om_rng rng = om_prng_rng(&s->prng);
    uint8_t d[SIM_SIEGE_SIZE];

    if (!session)
        return;
    om_rng_fill(&rng, d, size);
    om_hop_wrap(hop, session->epoch->mask, d, size);
    sim_transmit(by->world, by, &from->addr, &s->relay->addr, om_bytes(d, size));
}

static void flood(struct sim_siege *s, bool is_borrowed)
{
    unsigned lanes = sim_siege_lanes(s);
    struct om_lane *lane = lanes ? lane_at(s, (unsigned)om_prng_below(&s->prng, lanes)) : NULL;

    if (lane && is_borrowed)
        send(s, s->helper, s->victim, &lane->hop, SIM_SIEGE_SIZE);
    else if (lane)
        send(s, s->member, s->member, &lane->hop, SIM_SIEGE_SIZE);
}

static void guess(struct sim_siege *s, const struct sim_actor *from, uint32_t id)
{
    struct om_rng rng = om_prng_rng(&s->prng);
    uint8_t keys[2 * OM_LANE_KEY_BYTES];
    struct om_hop hop;

    om_rng_fill(&rng, keys, sizeof keys);
    om_hop_init(&hop, 1, id ? id : 1, keys);
    send(s, s->helper, from, &hop,
         SIM_SIEGE_LEAST + om_prng_below(&s->prng, SIM_SIEGE_SIZE - SIM_SIEGE_LEAST));
}

static void say(struct sim_siege *s, struct om_frame *f)
{
    struct om_peer *p = at_relay(s);

    f->is_known = true;
    if (p)
        node_lane_say(s->member->node, p, f);
}

static void ask(struct sim_siege *s)
{
    struct sim_actor *end = s->ends[om_prng_below(&s->prng, s->count)];
    struct om_frame f = {.type = OM_FRAME_LANE_OFFER};

    f.lane_offer = (struct om_frame_lane_offer){
        .is_asked = true,
        .peer = *sim_actor_id(end, sim_common_network(s->member, end)),
        .lane = (uint32_t)om_prng_u64(&s->prng) | 1,
    };
    say(s, &f);
}

static void meddle(struct sim_siege *s)
{
    uint32_t lane = id_of_others(s);
    struct om_frame f = {.type = OM_FRAME_LANE_CLOSE, .lane_close = lane};

    if (lane == 0)
        return;
    switch (om_prng_below(&s->prng, 3)) {
    case 0:
        f.type = OM_FRAME_LANE_ACCEPT;
        f.lane_accept = (struct om_frame_lane_accept){.lane = lane, .send_id = 5};
        break;
    case 1:
        f.type = OM_FRAME_LANE_REFUSE;
        f.lane_refuse = (struct om_frame_lane_refuse){lane, OM_LANE_DENIED};
        break;
    }
    say(s, &f);
}

void sim_siege_do(struct sim_siege *s, enum sim_siege_deed deed, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        switch (deed) {
        case SIM_SIEGE_FLOOD:
        case SIM_SIEGE_BORROW:
            flood(s, deed == SIM_SIEGE_BORROW);
            break;
        case SIM_SIEGE_GUESS:
            guess(s, s->helper, (uint32_t)om_prng_u64(&s->prng));
            break;
        case SIM_SIEGE_REFLECT:
            guess(s, s->victim, (uint32_t)om_prng_u64(&s->prng));
            break;
        case SIM_SIEGE_AIM:
            guess(s, i % 2 ? s->victim : s->helper, id_of_others(s));
            break;
        case SIM_SIEGE_ASK:
            ask(s);
            break;
        case SIM_SIEGE_MEDDLE:
            meddle(s);
            break;
        case SIM_SIEGE_DEEDS:
            return;
        }
        s->done[deed]++;
    }
    sim_node_drain(s->member);
}

const char *sim_siege_word(enum sim_siege_deed deed)
{
    static const char *const words[] = {"flood own lanes",
                                        "the same, victim's address",
                                        "guess lane ids",
                                        "the same, victim's address",
                                        "others' lane ids, wrong MAC",
                                        "ask for lanes",
                                        "answer and close what is others'"};

    static_assert(OM_ARRAY_SIZE(words) == SIM_SIEGE_DEEDS, "a deed has no word");
    return words[deed];
}
