/* model_punch.c - two machines behind two simulated NATs of every kind, with latency and loss. */
#include "harness.h"

#include "natbox.h"
#include "natkind.h"
#include "path/punch.h"

enum {
    SEEDS = 50,
    EVENTS_MAX = 4096,
    LATENCY_MS = 40,
    LOSS_PERCENT = 1,
    HOPS = 4, /* routers between the NATs */
    TTL = 64,
    LOCAL_PORT = 40000,
    LAND = 0x0a000002, /* inside addresses: 10.N.0.2 */
    STREET = 0x50000001
};

/* What a kind of box is to those who know it. */
struct sort {
    const char *name, *kind; /* of natkind.h; NULL: no box at all */
    const char *words[2];    /* and what is different */
    struct om_punch_profile is;
    bool is_hard, is_shared; /* shared: a block of which ports are reused */
};

/* clang-format off */
static const struct sort sorts[] = {
    {"open", NULL, {0}, {.class = OM_NAT_OPEN, .filter = OM_FILTER_NONE}, false, false},
    {"full", "full", {0}, {.class = OM_NAT_EIM, .filter = OM_FILTER_NONE}, false, false},
    {"addr", "addr", {0}, {.class = OM_NAT_EIM, .filter = OM_FILTER_ADDRESS}, false, false},
    {"restricted", "restricted", {0}, {.class = OM_NAT_EIM, .filter = OM_FILTER_PORT},
     false, false},
    {"masq", "port", {0}, {.class = OM_NAT_EIM, .filter = OM_FILTER_PORT}, false, false},
    {"masqdrop", "portdrop", {0}, {.class = OM_NAT_EIM, .filter = OM_FILTER_PORT}, false, false},
    {"carrier", "carrier", {"filter=apd"}, {.class = OM_NAT_EIM, .filter = OM_FILTER_PORT},
     false, false},
    {"next", "next", {0}, {.class = OM_NAT_STRIDE, .filter = OM_FILTER_PORT, .stride = 1},
     true, false},
    {"stride4", "stride", {0}, {.class = OM_NAT_STRIDE, .filter = OM_FILTER_PORT, .stride = 4},
     true, false},
    {"random", "symrand", {0}, {.class = OM_NAT_RANDOM, .filter = OM_FILTER_PORT}, true, false},
    {"block512", "block", {0}, {.class = OM_NAT_BLOCK, .filter = OM_FILTER_PORT,
     .reuse = OM_NAT_REUSED}, true, true},
    {"block2048", "block", {"block=2048"}, {.class = OM_NAT_BLOCK, .filter = OM_FILTER_PORT,
     .reuse = OM_NAT_REUSED}, true, true},
    {"claim512", "symblock", {0}, {.class = OM_NAT_BLOCK, .filter = OM_FILTER_PORT,
     .reuse = OM_NAT_REUSED}, true, true},
    {"exclusive", "blockex", {0}, {.class = OM_NAT_BLOCK, .filter = OM_FILTER_PORT,
     .reuse = OM_NAT_EXCLUSIVE}, true, false},
};
/* clang-format on */
enum { SORTS = OM_ARRAY_SIZE(sorts) };

struct side {
    const struct sort *sort;
    struct om_id key;
    struct sim_natbox box;
    struct om_addr outside; /* port 0 */
    struct om_addr said;    /* where others see its main socket */
    uint32_t inside;
    struct om_nat nat;
    struct om_punch_profile profile;
    struct om_punch m;
    struct om_reach reach;
    unsigned open; /* sockets beside the main one */
    unsigned kept;
    om_time done;
    om_time sent[8192]; /* newest, for the rate */
    unsigned count;     /* datagrams to the other's address */
};

struct event {
    om_time at;
    uint64_t order;
    unsigned to; /* side */
    bool is_word;
    struct sim_nat_packet packet;
    struct om_punch_word word;
};

struct lab {
    struct side side[2];
    struct event events[EVENTS_MAX];
    unsigned count;
    uint64_t order;
    struct om_prng prng;
    om_time now;
};

struct tally {
    unsigned runs, direct, relay, slow;
    om_time worst, sum;
    unsigned packets; /* most by one side */
};

static bool lost(struct lab *l, unsigned hops)
{
    for (unsigned i = 0; i < hops; i++)
        if (om_prng_below(&l->prng, 100) < LOSS_PERCENT)
            return true;
    return false;
}

static struct event *post(struct lab *l, unsigned to, om_time at)
{
    struct event *e = &l->events[l->count++];

    CHECK(l->count <= EVENTS_MAX);
    *e = (struct event){.at = at, .order = l->order++, .to = to};
    return e;
}

static struct om_addr socket_addr(const struct side *s, unsigned socket)
{
    return om_addr_v4(s->inside, (uint16_t)(LOCAL_PORT + socket));
}

/* @s sends to @to: what leaves its NAT. */
static bool leave(struct lab *l, struct side *s, struct sim_nat_packet *p)
{
    if (!s->sort->kind) {
        p->from = s->outside;
        p->from.port = LOCAL_PORT;
        return true;
    }
    return sim_natbox_outbound(&s->box, l->now, p) == SIM_NAT_OUT;
}

static void send_direct(struct lab *l, unsigned by, const struct om_punch_act *a, unsigned ttl)
{
    struct side *s = &l->side[by];
    struct sim_nat_packet p = {socket_addr(s, a->socket), a->to, ttl};

    CHECK(a->socket <= s->open);
    s->sent[s->count++ % OM_ARRAY_SIZE(s->sent)] = l->now;
    if (!leave(l, s, &p) || p.ttl <= HOPS || lost(l, 1))
        return;
    p.ttl -= HOPS;
    if (memcmp(p.to.ip, l->side[!by].outside.ip, 16) != 0)
        return; /* somebody else's */
    struct event *e = post(l, !by, l->now + OM_MS(LATENCY_MS));
    e->packet = p;
    e->word = a->word;
}

/* Which socket of @s gets @p; -1: none. */
static int arrive(struct lab *l, struct side *s, struct sim_nat_packet *p)
{
    if (!s->sort->kind)
        return p->to.port == LOCAL_PORT ? 0 : -1;
    if (sim_natbox_inbound(&s->box, l->now, p) != SIM_NAT_IN)
        return -1;
    unsigned socket = p->to.port - LOCAL_PORT;
    bool is_open = socket == 0 || socket == s->kept || (s->kept == 0 && socket <= s->open);
    return is_open ? (int)socket : -1;
}

static struct om_punch_facts facts_of(const struct lab *l, unsigned i)
{
    const struct side *s = &l->side[i], *o = &l->side[!i];
    return (struct om_punch_facts){
        .ours = s->profile,
        .peer = o->said,
        .left = om_reach_left(&s->reach, l->now, &o->said, &o->key),
    };
}

static void deliver(struct lab *l, const struct event *e)
{
    struct side *s = &l->side[e->to];
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
    struct side *s = &l->side[i];
    struct om_punch_act a;

    while (om_punch_next(&s->m, &s->reach, l->now, &a)) {
        switch (a.kind) {
        case OM_PUNCH_DO_WORD:
            if (!lost(l, 2)) {
                struct event *e = post(l, !i, l->now + 2 * OM_MS(LATENCY_MS));
                e->is_word = true;
                e->word = a.word;
            }
            break;
        case OM_PUNCH_DO_OPEN:
            s->open = a.socket;
            s->kept = 0;
            break;
        case OM_PUNCH_DO_CLOSE:
            s->kept = a.socket;
            s->open = a.socket;
            break;
        case OM_PUNCH_DO_OPENER:
            send_direct(l, i, &a, a.ttl);
            break;
        case OM_PUNCH_DO_SEND:
            send_direct(l, i, &a, TTL);
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
        const struct event *a = &l->events[i], *b = &l->events[first];
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
        struct event e = l->events[first];
        l->events[first] = l->events[--l->count];
        deliver(l, &e);
    }
    drain(l, 0);
    drain(l, 1);
    return true;
}

static void run(struct lab *l, om_time until)
{
    while (step(l, until))
        ;
    if (until > l->now)
        l->now = until;
}

/* Where @s is seen by host @who at @port, asked from its main socket. */
static struct om_addr seen_by(struct lab *l, struct side *s, uint32_t who, uint16_t port)
{
    struct sim_nat_packet p = {socket_addr(s, 0), om_addr_v4(who, port), TTL};

    bool is_out = leave(l, s, &p);
    CHECK(is_out);
    if (s->sort->kind) { /* it answers, so that the mapping lasts */
        struct sim_nat_packet back = {p.to, p.from, TTL};
        sim_natbox_inbound(&s->box, l->now, &back);
    }
    return p.from;
}

/* What the box is, for those who know: the rest of the profile. */
static void know(struct side *s, bool is_vague)
{
    s->profile = s->sort->is;
    if (!is_vague)
        s->profile.hops = 2;
    else if (s->sort->kind)
        s->profile.filter = OM_FILTER_UNKNOWN;
    if (s->profile.class == OM_NAT_STRIDE)
        s->profile.last = s->said.port;
    if (s->profile.class != OM_NAT_BLOCK)
        return;
    unsigned base = s->box.model.first, size = s->box.model.last - base + 1U;
    if (s->box.model.ports == SIM_NAT_BLOCK) {
        size = s->box.model.block;
        base += (s->said.port - base) / size * size;
    }
    s->profile.first_port = (uint16_t)base;
    s->profile.last_port = (uint16_t)(base + size - 1);
}

static void side_init(struct lab *l, unsigned i, const struct sort *sort, uint64_t seed)
{
    static const uint8_t sip[OM_SIP_KEY] = {3};
    struct side *s = &l->side[i];
    struct sim_nat_model model;

    *s = (struct side){.sort = sort};
    s->key.b[0] = (uint8_t)(1 + (i ^ (seed & 1)));
    s->outside = om_addr_v4(STREET + 256 * i, 0);
    s->inside = sort->kind ? LAND + (i << 16) : STREET + 256 * i;
    if (sort->kind) {
        CHECK(sim_nat_kind(sort->kind, &model));
        for (unsigned k = 0; k < 2 && sort->words[k]; k++)
            CHECK(sim_nat_set(&model, sort->words[k]));
        sim_natbox_init(&s->box, &model, &s->outside, seed * 2 + i);
    }
    om_reach_init(&s->reach, l->now, sip);
}

static void lab_init(struct lab *l, const struct sort *a, const struct sort *b, uint64_t seed)
{
    l->count = 0;
    l->order = 0;
    l->now = OM_SEC(10);
    om_prng_seed(&l->prng, seed);
    side_init(l, 0, a, seed);
    side_init(l, 1, b, seed);
    for (unsigned i = 0; i < 2; i++) {
        struct side *s = &l->side[i], *o = &l->side[!i];
        for (uint16_t k = 0; k < 4; k++)
            s->said = seen_by(l, s, 0x05000001 + 256U * k, 7000);
        know(s, seed & 2);
        om_punch_init(&s->m, &s->key, &o->key, seed * 31 + i);
    }
}

static void attest(struct lab *l)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct om_reach_word w = {.by = {{99}}, .witness = OM_WITNESS_RELAY, .at = l->now};
        struct side *s = &l->side[i], *o = &l->side[!i];
        CHECK(om_reach_attest(&s->reach, l->now, &o->key, &o->outside, &w));
    }
}

static void lab_fini(struct lab *l)
{
    for (unsigned i = 0; i < 2; i++) {
        if (l->side[i].sort->kind)
            sim_natbox_fini(&l->side[i].box);
        om_reach_fini(&l->side[i].reach);
    }
}

/* Does a datagram from @by, on the way it keeps, come to the socket that the other keeps? */
static bool carries(struct lab *l, unsigned by)
{
    struct side *s = &l->side[by], *o = &l->side[!by];
    struct sim_nat_packet p = {socket_addr(s, s->m.via_socket), s->m.via, TTL};

    return leave(l, s, &p) && arrive(l, o, &p) == (int)o->m.via_socket;
}

static void check_rate(const struct side *s)
{
    unsigned n = s->count < OM_ARRAY_SIZE(s->sent) ? s->count : OM_ARRAY_SIZE(s->sent);

    CHECK(s->m.sent <= OM_REACH_CORROBORATED_MAX);
    CHECK(s->count < OM_ARRAY_SIZE(s->sent));
    for (unsigned i = OM_REACH_PER_S + 64; i < n; i++) /* 64: answers, which do not count */
        CHECK(s->sent[i] - s->sent[i - OM_REACH_PER_S - 64] > OM_SEC(1));
}

/* One attempt of @a with @b. */
static void meet(struct lab *l, const struct sort *a, const struct sort *b, uint64_t seed,
                 struct tally *t)
{
    lab_init(l, a, b, seed);
    attest(l);
    om_time began = l->now;
    unsigned starter = seed % 3 == 0;
    struct om_punch_facts f = facts_of(l, starter);
    CHECK_OK(om_punch_start(&l->side[starter].m, l->now, &f, OM_PUNCH_PLAIN, seed + 77));
    drain(l, starter);
    run(l, began + OM_SEC(8));
    t->runs++;
    bool is_done = l->side[0].m.state == OM_PUNCH_DONE && l->side[1].m.state == OM_PUNCH_DONE;
    if (is_done && carries(l, 0) && carries(l, 1)) {
        om_time took = l->side[0].done > l->side[1].done ? l->side[0].done : l->side[1].done;
        took -= began;
        t->direct++;
        t->sum += took;
        t->slow += took > OM_SEC(a->is_hard && b->is_hard ? 5 : 3);
        t->worst = took > t->worst ? took : t->worst;
    } else {
        CHECK(!is_done); /* both kept a way, and it does not carry */
        t->relay += l->side[starter].m.end == OM_PUNCH_NO_WAY ||
                    l->side[starter].m.end == OM_PUNCH_UNWILLING;
    }
    for (unsigned i = 0; i < 2; i++) {
        check_rate(&l->side[i]);
        if (l->side[i].count > t->packets)
            t->packets = l->side[i].count;
    }
    lab_fini(l);
}

static void print(const struct sort *a, const struct sort *b, const struct tally *t)
{
    print_message("%-10s %-10s direct %3u/%u, relay at once %2u, mean %5.2f s, worst %5.2f s, at "
                  "most %4u datagrams of a side\n",
                  a->name, b->name, t->direct, t->runs, t->relay,
                  t->direct ? (double)t->sum / t->direct / 1e6 : 0, (double)t->worst / 1e6,
                  t->packets);
}

OM_TEST(punch_model_matrix)
{
    static struct lab l;
    struct tally spread = {0}, both = {0};

    for (unsigned i = 0; i < SORTS; i++) {
        for (unsigned k = i; k < SORTS; k++) {
            const struct sort *a = &sorts[i], *b = &sorts[k];
            struct tally t = {0};
            for (uint64_t seed = 1; seed <= SEEDS; seed++)
                meet(&l, a, b, seed * 1000 + i * 50 + k, &t);
            print(a, b, &t);
            if (!a->is_hard && !b->is_hard)
                CHECK(t.direct == t.runs && t.packets < 40);
            else if (a->is_shared && b->is_shared)
                both.runs += t.runs, both.direct += t.direct, both.slow += t.slow;
            else if (a->is_hard && b->is_hard)
                CHECK(t.relay == t.runs && t.packets == 0);
            else
                spread.runs += t.runs, spread.direct += t.direct, spread.slow += t.slow;
        }
    }
    print_message("easy x hard: %u of %u, %u of them in more than 3 s\n", spread.direct,
                  spread.runs, spread.slow);
    print_message("block x block: %u of %u, %u of them in more than 5 s\n", both.direct, both.runs,
                  both.slow);
    CHECK((spread.direct - spread.slow) * 100 >= spread.runs * 98);
    CHECK((both.direct - both.slow) * 100 >= both.runs * 95);
}
