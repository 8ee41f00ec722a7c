/* punch_lab.c - events in order, boxes on the way. */
#include "punch_lab.h"

#include "harness.h"

enum {
    HOME = 0x0a000002,   /* inside addresses: 10.N.0.2 */
    MIDDLE = 0x64400002, /* between two boxes */
    STREET = 0x50000001,
    PEERS = 0x05000001
};

static bool lost(struct lab *l, unsigned hops)
{
    for (unsigned i = 0; i < hops; i++)
        if (om_prng_below(&l->prng, 100) < LAB_LOSS_PERCENT)
            return true;
    return false;
}

static struct lab_event *post(struct lab *l, unsigned to, om_time at)
{
    struct lab_event *e = &l->events[l->count++];

    CHECK(l->count <= LAB_EVENTS_MAX);
    *e = (struct lab_event){.at = at, .order = l->order++, .to = to};
    return e;
}

static struct om_addr socket_addr(const struct lab_side *s, unsigned socket)
{
    return om_addr_v4(s->inside, (uint16_t)(LAB_PORT + socket));
}

/* @s sends @p: what leaves its boxes. */
static bool leave(struct lab *l, struct lab_side *s, struct sim_nat_packet *p)
{
    if (!s->sort->kind) {
        p->from = s->outside;
        p->from.port = LAB_PORT;
        return true;
    }
    return sim_natbox_outbound(&s->box, l->now, p) == SIM_NAT_OUT &&
           (!s->sort->outer || sim_natbox_outbound(&s->outer, l->now, p) == SIM_NAT_OUT);
}

static void send_direct(struct lab *l, unsigned by, const struct om_punch_act *a, unsigned ttl)
{
    struct lab_side *s = &l->side[by];
    struct sim_nat_packet p = {socket_addr(s, a->socket), a->to, ttl};

    CHECK(a->socket == 0 || (s->is_closed ? a->socket == s->kept : a->socket <= s->open));
    CHECK(s->count < LAB_SENT_MAX);
    s->sent[s->count++] = l->now;
    if (!leave(l, s, &p) || p.ttl <= LAB_HOPS || lost(l, 1))
        return;
    p.ttl -= LAB_HOPS;
    if (memcmp(p.to.ip, l->side[!by].outside.ip, 16) != 0)
        return; /* somebody else's */
    struct lab_event *e = post(l, !by, l->now + OM_MS(LAB_LATENCY_MS));
    e->packet = p;
    e->word = a->word;
}

/* Which socket of @s gets @p; -1: none. */
static int arrive(struct lab *l, struct lab_side *s, struct sim_nat_packet *p)
{
    if (!s->sort->kind)
        return p->to.port == LAB_PORT ? 0 : -1;
    if ((s->sort->outer && sim_natbox_inbound(&s->outer, l->now, p) != SIM_NAT_IN) ||
        sim_natbox_inbound(&s->box, l->now, p) != SIM_NAT_IN)
        return -1;
    unsigned socket = p->to.port - LAB_PORT;
    bool is_open = socket == 0 || (s->is_closed ? socket == s->kept : socket <= s->open);
    return is_open ? (int)socket : -1;
}

static struct om_punch_facts facts_of(const struct lab *l, unsigned i)
{
    const struct lab_side *s = &l->side[i], *o = &l->side[!i];
    return (struct om_punch_facts){
        .ours = s->profile,
        .peer = o->said,
        .rtt = 4 * OM_MS(LAB_LATENCY_MS) + l->extra[0] + l->extra[1],
        .left = om_reach_left(&s->reach, l->now, &o->said, &o->key),
    };
}

static void deliver(struct lab *l, const struct lab_event *e)
{
    struct lab_side *s = &l->side[e->to];
    struct sim_nat_packet p = e->packet;

    if (e->is_word) {
        struct om_punch_facts f = facts_of(l, e->to);
        om_punch_told(&s->m, l->now, &e->word, &f);
        return;
    }
    int socket = arrive(l, s, &p);
    if (socket >= 0)
        om_punch_heard(&s->m, l->now, &e->word.frame, &p.from, (unsigned)socket);
}

static void drain(struct lab *l, unsigned i)
{
    struct lab_side *s = &l->side[i];
    struct om_punch_act a;

    while (om_punch_next(&s->m, &s->reach, l->now, &a)) {
        switch (a.kind) {
        case OM_PUNCH_DO_WORD:
            if (!lost(l, 2)) {
                struct lab_event *e =
                    post(l, !i, l->now + 2 * OM_MS(LAB_LATENCY_MS) + l->extra[!i]);
                e->is_word = true;
                e->word = a.word;
            }
            break;
        case OM_PUNCH_DO_OPEN:
            s->open = a.socket;
            s->is_closed = false;
            break;
        case OM_PUNCH_DO_CLOSE:
            s->kept = a.socket;
            s->is_closed = true;
            break;
        case OM_PUNCH_DO_OPENER:
            send_direct(l, i, &a, l->has_no_opener ? 1 : a.ttl);
            break;
        case OM_PUNCH_DO_SEND:
            send_direct(l, i, &a, LAB_TTL);
            break;
        case OM_PUNCH_DO_SUCCEED:
            s->done = l->now;
            break;
        case OM_PUNCH_DO_FAIL:
            break;
        }
    }
}

/* The next thing that happens, until @until. */
static bool step(struct lab *l, om_time until)
{
    om_time at = om_time_min(om_punch_deadline(&l->side[0].m), om_punch_deadline(&l->side[1].m));
    unsigned first = 0;

    for (unsigned i = 1; i < l->count; i++) {
        const struct lab_event *a = &l->events[i], *b = &l->events[first];
        if (a->at < b->at || (a->at == b->at && a->order < b->order))
            first = i;
    }
    bool is_event = l->count > 0 && l->events[first].at <= at;
    if (is_event)
        at = l->events[first].at;
    if (at > until)
        return false;
    if (at > l->now)
        l->now = at;
    if (is_event) {
        struct lab_event e = l->events[first];
        l->events[first] = l->events[--l->count];
        deliver(l, &e);
    }
    drain(l, 0);
    drain(l, 1);
    return true;
}

void lab_run(struct lab *l, om_time until)
{
    while (step(l, until))
        ;
    if (until > l->now)
        l->now = until;
}

void lab_start(struct lab *l, unsigned i, enum om_punch_style style, uint64_t nonce)
{
    struct om_punch_facts f = facts_of(l, i);

    CHECK_OK(om_punch_start(&l->side[i].m, l->now, &f, style, nonce));
    drain(l, i);
}

/* Where @socket of @s is seen by host @who at @port. */
static struct om_addr seen_by(struct lab *l, struct lab_side *s, unsigned socket, uint32_t who,
                              uint16_t port)
{
    struct sim_nat_packet p = {socket_addr(s, socket), om_addr_v4(who, port), LAB_TTL};

    bool is_out = leave(l, s, &p);
    CHECK(is_out);
    if (s->sort->kind) { /* it answers, so that the mapping lasts */
        struct sim_nat_packet back = {p.to, p.from, LAB_TTL};
        (void)arrive(l, s, &back);
    }
    return p.from;
}

void lab_know(struct lab *l, unsigned i, bool is_vague)
{
    struct lab_side *s = &l->side[i];
    const struct sim_natbox *box = s->sort->outer ? &s->outer : &s->box;

    s->profile = s->sort->is;
    if (!is_vague)
        s->profile.hops = s->sort->outer ? 3 : 2;
    else if (s->sort->kind)
        s->profile.filter = OM_FILTER_UNKNOWN;
    if (s->profile.class == OM_NAT_STRIDE)
        s->profile.last = s->said.port;
    if (s->profile.class != OM_NAT_BLOCK)
        return;
    unsigned base = box->model.first, size = box->model.last - base + 1U;
    if (box->model.ports == SIM_NAT_BLOCK) {
        size = box->model.block;
        base += (s->said.port - base) / size * size;
    }
    s->profile.first_port = (uint16_t)base;
    s->profile.last_port = (uint16_t)(base + size - 1);
}

void lab_observe(struct lab *l, unsigned i)
{
    struct lab_side *s = &l->side[i];
    const struct om_addr home = om_addr_v4(HOME, 0), street = om_addr_v4(STREET + 99, 0);
    struct om_nat n;

    om_nat_init(&n, false);
    for (unsigned k = 0; k < 24; k++) {
        uint32_t who = PEERS + 256 * (k / 2 + 8);
        uint16_t port = (uint16_t)(7000 + k % 2);
        struct om_nat_sample x = {.peer = {{(uint8_t)(k / 2 + 1)}},
                                  .local = socket_addr(s, 0),
                                  .to = om_addr_v4(who, port),
                                  .at = l->now};
        x.seen = s->said = seen_by(l, s, 0, who, port);
        (void)om_nat_sample(&n, l->now, n.generation, &x);
        l->now += OM_MS(2);
    }
    if (s->sort->kind) {
        om_nat_hop(&n, 1, &home);
        om_nat_hop(&n, s->sort->outer ? 3 : 2, &street);
    }
    om_punch_profile_of(&s->profile, &n, l->now);
}

void lab_share(struct lab *l, unsigned i)
{
    enum { FRESH = 1000, FRIENDS = 4 };
    struct lab_side *s = &l->side[i];
    struct om_nat_share share;

    if (s->profile.class != OM_NAT_BLOCK)
        return;
    unsigned width = s->profile.last_port - s->profile.first_port + 1U;
    om_nat_share_init(&share, s->outside.ip);
    for (unsigned k = 0; k < om_nat_share_flows(width); k++) {
        unsigned socket = FRESH + k / FRIENDS, who = 8 + k % FRIENDS;
        struct om_nat_sample x = {.peer = {{(uint8_t)(1 + who)}},
                                  .local = socket_addr(s, socket),
                                  .to = om_addr_v4(PEERS + 256 * who, 7000)};
        x.seen = seen_by(l, s, socket, PEERS + 256 * who, 7000);
        (void)om_nat_share_word(&share, &x);
    }
    s->profile.reuse = om_nat_share_judge(&share, width);
}

static void box_init(struct sim_natbox *b, const char *kind, const char *word,
                     const struct om_addr *outside, uint64_t seed)
{
    struct sim_nat_model model;

    CHECK(sim_nat_kind(kind, &model) && (!word || sim_nat_set(&model, word)));
    sim_natbox_init(b, &model, outside, seed);
}

static void side_init(struct lab *l, unsigned i, const struct lab_sort *sort, uint64_t seed)
{
    static const uint8_t sip[OM_SIP_KEY] = {3};
    const struct om_addr middle = om_addr_v4(MIDDLE + (i << 16), 0);
    struct lab_side *s = &l->side[i];

    *s = (struct lab_side){.sort = sort};
    s->key.b[0] = (uint8_t)(1 + (i ^ (seed & 1)));
    s->outside = om_addr_v4(STREET + 256 * i, 0);
    s->inside = sort->kind ? HOME + (i << 16) : STREET + 256 * i;
    if (sort->kind)
        box_init(&s->box, sort->kind, sort->outer ? NULL : sort->word,
                 sort->outer ? &middle : &s->outside, seed * 2 + i);
    if (sort->outer)
        box_init(&s->outer, sort->outer, sort->word, &s->outside, seed * 3 + i);
    om_reach_init(&s->reach, l->now, sip);
}

void lab_init(struct lab *l, const struct lab_sort *a, const struct lab_sort *b, uint64_t seed)
{
    l->count = 0;
    l->order = 0;
    l->now = OM_SEC(10);
    l->extra[0] = l->extra[1] = 0;
    l->has_no_opener = false;
    om_prng_seed(&l->prng, seed);
    side_init(l, 0, a, seed);
    side_init(l, 1, b, seed);
    for (unsigned i = 0; i < 2; i++) {
        struct lab_side *s = &l->side[i], *o = &l->side[!i];
        for (uint16_t k = 0; k < 4; k++)
            s->said = seen_by(l, s, 0, PEERS + 256U * k, 7000);
        lab_know(l, i, seed & 2);
        om_punch_init(&s->m, &s->key, &o->key, seed * 31 + i);
    }
}

void lab_attest(struct lab *l)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct om_reach_word w = {.by = {{99}}, .witness = OM_WITNESS_RELAY, .at = l->now};
        struct lab_side *s = &l->side[i], *o = &l->side[!i];
        CHECK(om_reach_attest(&s->reach, l->now, &o->key, &o->outside, &w));
        (void)seen_by(l, s, 0, PEERS, 7000); /* the relay's own datagrams keep its mapping */
    }
}

void lab_fini(struct lab *l)
{
    for (unsigned i = 0; i < 2; i++) {
        if (l->side[i].sort->kind)
            sim_natbox_fini(&l->side[i].box);
        if (l->side[i].sort->outer)
            sim_natbox_fini(&l->side[i].outer);
        om_reach_fini(&l->side[i].reach);
    }
}

/* Does a datagram from @by, on the way it keeps, come to the socket that the other keeps? */
static bool carries(struct lab *l, unsigned by)
{
    struct lab_side *s = &l->side[by], *o = &l->side[!by];
    struct sim_nat_packet p = {socket_addr(s, s->m.via_socket), s->m.via, LAB_TTL};

    return leave(l, s, &p) && arrive(l, o, &p) == (int)o->m.via_socket;
}

bool lab_met(struct lab *l)
{
    return l->side[0].m.state == OM_PUNCH_DONE && l->side[1].m.state == OM_PUNCH_DONE &&
           carries(l, 0) && carries(l, 1);
}
