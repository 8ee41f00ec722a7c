/*
 * prop_relay.c - 200 pairs talk through one relay while a member does to it all that it can
 *
 * All ends are behind NATs that cannot meet. The same world is run in peace first: what the pairs
 * get then is what they must get. The relay's way out has room for the pairs and for what the
 * hostile one's lanes may carry each second, and none for what it sends.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "attack.h"
#include "flight.h"
#include "natkind.h"
#include "node/lane.h"
#include "request.h"
#include "router.h"
#include "siege.h"

enum { PAIRS = OM_HAS_SANITIZER ? 40 : 200 }; /* ten times slower there */

enum {
    ENDS = 2 * PAIRS,
    HOSTILE_MEETS = 72, /* honest ends: more than it may have lanes */
    SIZE = 400,
    EVERY_MS = 50, /* each way: 80 kb/s on a lane that carries 256 */
    STEP_MS = 25,
    STEP_PARTS = 10,
    LASTS_S = 20,
    BEFORE_S = 2, /* windows grow, and 64 lanes use up the 2 MB that they may carry at once */
    PEACE_S = 8,
    CONTROL_S = 2,
    HOSTILE_LANES = HOSTILE_MEETS + 1, /* others ask for what it may not; and one to its ear */
    TAPED = 4,                         /* ends whose datagrams are replayed */
    END_BITS = 130000,                 /* of the way out, for an honest end, */
    LANE_BITS = 270000,                /* and for a lane of the hostile one */
    AGES_MAX = PAIRS * 2 * LASTS_S * 1000 / EVERY_MS + 1
};

static_assert(HOSTILE_MEETS <= ENDS, "it meets only who is there");

/* What the relay holds on behalf of others. */
struct holding {
    unsigned lanes, spare, indices, peers, words, addresses;
    size_t bytes;
};

struct plan {
    const char *name;
    bool is_besieged;
    uint64_t carry_bits; /* of the relay on each lane; 0: default */
    unsigned lasts_s;
};

struct result {
    uint64_t sent, came;
    double worst; /* share that came, of the end that got least */
    om_time p50, p95, most;
    uint64_t uplink_bits, uplink_dropped; /* the first each second */
    struct holding before, most_held, after;
    struct om_relay_counts counts;
    unsigned hostile_lanes;
    uint64_t accomplice, helper, victim; /* datagrams that they heard */
    uint64_t replayed;                   /* by the helper */
};

struct town {
    struct sim_world *w;
    struct sim_actor *relay, *ends[ENDS], *accomplice;
    struct sim_siege siege;
    struct sim_neck *uplink;
    om_time from; /* what was sent since then counts; OM_NEVER: not yet */
    uint64_t came[ENDS], sent[ENDS];
    om_time *ages;
    unsigned age_count;
    unsigned order;
    unsigned flood; /* datagrams of the hostile one in each part of a step */
};

static void on_note(void *self, const struct sim_note *n)
{
    struct town *t = self;

    unsigned i = n->self->index - 1; /* the relay came first, then the ends */
    if (n->kind != SIM_NOTE_DELIVER || n->at - n->age < t->from || i >= ENDS ||
        n->other != t->ends[i ^ 1])
        return;
    t->came[i]++;
    OM_BUG_IF(t->age_count == AGES_MAX);
    t->ages[t->age_count++] = n->age;
}

static struct sim_actor *behind_its_own(struct town *t, const char *name)
{
    struct sim_node_spec spec = {.gossip = true};
    struct om_announce says = {.name = "hidden"};
    struct sim_nat_model model;
    char box[SIM_NAME_MAX + 1];

    snprintf(box, sizeof box, "box-%s", name);
    OM_BUG_IF(!sim_nat_kind("symblock", &model)); /* which a single witness leads no one to sweep */
    struct sim_router *r = sim_router_add(t->w, box, &model, NULL);
    spec.router = r->index + 1;
    struct sim_actor *a = sim_node_add(t->w, name, &spec);
    /* without an address in its record gossip makes no partner of it */
    if (om_node_announce(a->node, sim_node_clock(a), &t->w->networks[0].id, &says) != OM_OK)
        sim_break(t->w, "%s cannot announce itself", a->name);
    sim_node_drain(a);
    return a;
}

/* The way from the relay to everybody. */
static void lead(struct town *t, unsigned bits)
{
    const struct sim_pipe_model m = {.rate_bps = bits, .queue_bytes = bits / 8 / 20};

    t->uplink = sim_neck_add(t->w, "uplink");
    sim_neck_change(t->uplink, &m);
    for (unsigned i = 0; i < t->w->actor_count; i++)
        if (t->w->actors[i] != t->relay)
            sim_neck_lead(t->uplink, t->relay, t->w->actors[i]);
}

static void build(struct town *t, const struct plan *plan)
{
    const struct sim_node_spec relay = {
        .gossip = true, .relays = true, .load = 1000, .carry_bits = plan->carry_bits};
    char name[SIM_NAME_MAX + 1];

    *t = (struct town){.w = sim_world_new(1, NULL), .from = OM_NEVER};
    t->ages = calloc(AGES_MAX, sizeof *t->ages);
    OM_BUG_IF(!t->ages);
    sim_network_add(t->w, "main", true, 0);
    t->w->model.latency = OM_MS(20);
    t->w->model.jitter = OM_MS(2);
    t->w->on_note = on_note;
    t->w->on_note_self = t;
    t->relay = sim_node_add(t->w, "r", &relay);
    for (unsigned i = 0; i < ENDS; i++) {
        snprintf(name, sizeof name, "n%u", i);
        t->ends[i] = behind_its_own(t, name);
    }
    t->siege = (struct sim_siege){.relay = t->relay,
                                  .member = behind_its_own(t, "hostile"),
                                  .helper = sim_attacker_add(t->w, "helper", true),
                                  .victim = sim_attacker_add(t->w, "victim", false),
                                  .ends = t->ends,
                                  .count = ENDS};
    om_prng_seed(&t->siege.prng, 1);
    t->accomplice = behind_its_own(t, "accomplice");
    lead(t, ENDS * END_BITS + OM_RELAY_LANES_PER_END * LANE_BITS);
}

static void join(struct town *t, struct sim_actor *a)
{
    if (sim_connect(a, NULL, t->relay, NULL, 0) != OM_OK)
        sim_break(t->w, "%s does not connect to the relay", a->name);
    sim_run(t->w, t->w->now + OM_MS(5));
}

/* Told no address: so over the relay. */
static void meet(struct town *t, struct sim_actor *a, struct sim_actor *b)
{
    if (sim_connect(a, NULL, b, &a, 0) != OM_OK)
        sim_break(t->w, "%s does not connect to %s", a->name, b->name);
    sim_run(t->w, t->w->now + OM_MS(20));
}

static void gather(struct town *t)
{
    for (unsigned i = 0; i < ENDS; i++)
        join(t, t->ends[i]);
    join(t, t->siege.member);
    join(t, t->accomplice);
    sim_run(t->w, t->w->now + OM_SEC(5));
    for (unsigned i = 0; i < ENDS; i += 2)
        meet(t, t->ends[i], t->ends[i + 1]);
    meet(t, t->siege.member, t->accomplice);
    sim_run(t->w, t->w->now + OM_SEC(10));
    for (unsigned i = 0; i < ENDS; i += 2)
        if (!sim_has_session(t->ends[i], t->ends[i + 1]))
            sim_break(t->w, "pair %u did not meet", i / 2);
}

static void say(struct town *t, unsigned i)
{
    if (sim_send(t->ends[i], NULL, t->ends[i ^ 1], "chat", om_bytes("on and on", 9), SIZE) != OM_OK)
        sim_break(t->w, "%s may not send", t->ends[i]->name);
    if (t->from != OM_NEVER)
        t->sent[i]++;
}

/* What is said in a step is spread over it. */
static void talk_step(struct town *t)
{
    const unsigned parts = STEP_PARTS;
    om_time begin = t->w->now;

    for (unsigned p = 0; p < parts; p++) {
        for (unsigned i = p; i < ENDS; i += parts)
            if ((i / parts + t->order) % (EVERY_MS / STEP_MS) == 0)
                say(t, i);
        sim_siege_do(&t->siege, SIM_SIEGE_FLOOD, t->flood);
        sim_run(t->w, begin + OM_MS(STEP_MS) * (p + 1) / parts);
    }
    t->order++;
}

static struct holding held(const struct town *t)
{
    const struct om_relay *r = &t->relay->node->relay;
    struct holding h = {.lanes = r->shares.rows,
                        .indices = t->relay->node->sessions.indices.live,
                        .peers = t->relay->node->peers.table.count,
                        .words = om_ring_count(&r->words),
                        .addresses = om_lru_count(&r->addresses)};

    for (struct om_link *k = om_list_first(&r->spare); k; k = om_list_next(&r->spare, k))
        h.spare++;
    h.bytes = (h.lanes + h.spare) * sizeof(struct om_relay_lane);
    return h;
}

static void raise(struct holding *most, struct holding h)
{
#define OM_RAISE(field) most->field = h.field > most->field ? h.field : most->field
    OM_RAISE(lanes);
    OM_RAISE(spare);
    OM_RAISE(indices);
    OM_RAISE(peers);
    OM_RAISE(words);
    OM_RAISE(addresses);
    OM_RAISE(bytes);
#undef OM_RAISE
}

/* What was taped of some ends, and of the hostile one itself, from its place and from theirs. */
static uint64_t replay(struct town *t)
{
    uint64_t count = 0;

    for (unsigned i = 0; i <= TAPED; i++) {
        struct sim_actor *a = i < TAPED ? t->ends[i] : t->siege.member;
        struct sim_replay r = {.by = t->siege.helper,
                               .tape = sim_pair(t->w, a, t->relay)->tape,
                               .times = 1,
                               .spacing = OM_MS(1),
                               .own_source = i % 2 == 0};
        sim_replay_start(&r);
        r.own_source = !r.own_source;
        sim_replay_start(&r);
        count += 2 * r.times * sim_tape_count(r.tape);
    }
    return count;
}

static void attack_step(struct town *t, unsigned step, uint64_t *replayed)
{
    static const unsigned per_step[SIM_SIEGE_DEEDS] = {
        [SIM_SIEGE_BORROW] = 20, [SIM_SIEGE_GUESS] = 20, [SIM_SIEGE_REFLECT] = 20,
        [SIM_SIEGE_AIM] = 20,    [SIM_SIEGE_ASK] = 5,    [SIM_SIEGE_MEDDLE] = 5};

    for (unsigned d = 0; d < SIM_SIEGE_DEEDS; d++)
        sim_siege_do(&t->siege, (enum sim_siege_deed)d, per_step[d]);
    if (step % 400 == 100)
        *replayed += replay(t);
}

static int by_age(const void *a, const void *b)
{
    const om_time *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void look(struct town *t, struct result *out)
{
    out->worst = 1;
    for (unsigned i = 0; i < ENDS; i++) {
        double share = (double)t->came[i] / (double)t->sent[i ^ 1];
        out->sent += t->sent[i ^ 1];
        out->came += t->came[i];
        out->worst = share < out->worst ? share : out->worst;
    }
    qsort(t->ages, t->age_count, sizeof *t->ages, by_age);
    if (t->age_count > 0) {
        out->p50 = t->ages[t->age_count / 2];
        out->p95 = t->ages[(size_t)t->age_count * 95 / 100];
        out->most = t->ages[t->age_count - 1];
    }
    out->uplink_dropped = t->uplink->pipe.meter.dropped[SIM_LAPSE_FULL];
    out->counts = t->relay->node->relay.counts;
    out->accomplice = t->accomplice->heard;
    out->helper = t->siege.helper->heard;
    out->victim = t->siege.victim->heard;
}

static void all_relayed(struct town *t)
{
    for (unsigned i = 0; i < ENDS; i++) {
        struct om_peer_info info;
        if (sim_peer_info(t->ends[i], t->ends[i ^ 1], &info) != OM_OK || !info.is_relayed)
            sim_break(t->w, "%s does not speak over the relay", t->ends[i]->name);
    }
}

/* The hostile one has as many lanes as it can get, its accomplice is but an ear, the tapes run. */
static void arm(struct town *t)
{
    for (unsigned i = 0; i < HOSTILE_MEETS; i++)
        meet(t, t->siege.member, t->ends[i]);
    for (unsigned i = 0; i < TAPED; i++)
        sim_record(t->ends[i], t->relay);
    sim_record(t->siege.member, t->relay);
    sim_run(t->w, t->w->now + OM_SEC(2));
    sim_node_halt(t->accomplice);
    t->accomplice->is_attacker = true;
    /* three times what its lanes carry */
    t->flood = 3 * OM_RELAY_LANES_PER_END * (LANE_BITS / 1000) * STEP_MS /
               (SIM_SIEGE_SIZE * 8 * STEP_PARTS);
}

static void live(const struct plan *plan, struct result *out)
{
    struct town t;

    *out = (struct result){.worst = 0};
    build(&t, plan);
    gather(&t);
    out->before = held(&t);
    if (plan->is_besieged)
        arm(&t);
    out->hostile_lanes = sim_siege_lanes(&t.siege);
    for (unsigned i = 0; i < (BEFORE_S + plan->lasts_s) * 1000 / STEP_MS; i++) {
        if (i == BEFORE_S * 1000 / STEP_MS) {
            sim_pipe_measure(&t.uplink->pipe, t.w->now);
            t.from = t.w->now;
        }
        if (plan->is_besieged)
            attack_step(&t, i, &out->replayed);
        talk_step(&t);
        raise(&out->most_held, held(&t));
    }
    out->uplink_bits =
        sim_meter_read(&t.uplink->pipe.meter, &t.uplink->pipe.rate, SIM_READ_RATE, t.w->now);
    sim_run(t.w, t.w->now + OM_SEC(1));
    all_relayed(&t);
    look(&t, out);
    /* the ears are open: what is sent to them is heard */
    sim_transmit(t.w, t.relay, &t.relay->addr, &t.siege.victim->addr, om_bytes("x", 1));
    sim_transmit(t.w, t.relay, &t.relay->addr, &t.siege.helper->addr, om_bytes("x", 1));
    sim_run(t.w, t.w->now + OM_SEC(1));
    CHECK_EQ(t.siege.victim->heard, out->victim + 1);
    CHECK_EQ(t.siege.helper->heard, out->helper + 1);
    if (sim_close(t.siege.member, NULL, t.relay) != OM_OK)
        sim_break(t.w, "the hostile one does not go");
    sim_run(t.w, t.w->now + OM_SEC(1));
    out->after = held(&t);
    CHECK_STR(t.w->broken, "");
    for (unsigned d = 0; plan->is_besieged && d < SIM_SIEGE_DEEDS; d++)
        print_message("%-34s %8llu\n", sim_siege_word((enum sim_siege_deed)d),
                      (unsigned long long)t.siege.done[d]);
    sim_world_free(t.w);
    free(t.ages);
}

static void show(const char *name, const struct result *r)
{
    const struct om_relay_counts *c = &r->counts;

    print_message("%-9s %llu of %llu came, of the worst end %.2f %%; p50 %.1f ms, p95 %.1f ms, "
                  "most %.1f ms; uplink %.1f Mb/s, dropped %llu\n",
                  name, (unsigned long long)r->came, (unsigned long long)r->sent, 100 * r->worst,
                  (double)r->p50 / 1000, (double)r->p95 / 1000, (double)r->most / 1000,
                  (double)r->uplink_bits / 1e6, (unsigned long long)r->uplink_dropped);
    print_message("          carried %llu; dropped: forged %llu, replayed %llu, over rate %llu, "
                  "kept back %llu; offers %llu, refused %llu, words left out %llu\n",
                  (unsigned long long)c->carried, (unsigned long long)c->forged,
                  (unsigned long long)c->replayed, (unsigned long long)c->over_rate,
                  (unsigned long long)c->kept_back, (unsigned long long)c->offers,
                  (unsigned long long)c->refused, (unsigned long long)c->words_lost);
    print_message("          lanes %u, at most %u, after %u; spare %u; indices %u, %u, %u; "
                  "peers %u, %u, %u; words %u; addresses %u; %zu KiB of lanes\n",
                  r->before.lanes, r->most_held.lanes, r->after.lanes, r->after.spare,
                  r->before.indices, r->most_held.indices, r->after.indices, r->before.peers,
                  r->most_held.peers, r->after.peers, r->most_held.words, r->most_held.addresses,
                  r->most_held.bytes / 1024);
    print_message("          hostile lanes %u; heard: accomplice %llu, helper %llu, victim %llu; "
                  "replayed by the helper %llu\n",
                  r->hostile_lanes, (unsigned long long)r->accomplice,
                  (unsigned long long)r->helper, (unsigned long long)r->victim,
                  (unsigned long long)r->replayed);
}

OM_TEST(prop_relay_bears_a_hostile_member)
{
    const struct plan plans[] = {{"in peace", false, 0, PEACE_S},
                                 {"besieged", true, 0, LASTS_S},
                                 {"no limit", true, 10000000, CONTROL_S}};
    struct result peace, siege, control;

    live(&plans[0], &peace);
    live(&plans[1], &siege);
    live(&plans[2], &control);
    show(plans[0].name, &peace);
    show(plans[1].name, &siege);
    show(plans[2].name, &control);
    CHECK(peace.worst >= 0.999);
    CHECK(siege.worst >= 0.999);
    CHECK_EQ(siege.sent, (uint64_t)ENDS * LASTS_S * 1000 / EVERY_MS);
    CHECK(siege.p95 <= peace.p95 + OM_MS(5));
    CHECK(control.worst < 0.99); /* so it is the rate of its lanes that holds it */

    /* it did what it could, and was seen to */
    CHECK_EQ(siege.hostile_lanes, OM_RELAY_LANES_PER_END);
    CHECK(siege.counts.forged > 5000 && siege.counts.replayed > 1000);
    CHECK(siege.counts.over_rate > 10000 && siege.counts.refused > 1000);
    CHECK_EQ(peace.counts.forged + peace.counts.replayed, 0);
    /* larger datagrams are tried for, and strangers tell each other whom they know */
    CHECK(peace.counts.over_rate < peace.counts.carried / 100);

    /* bounded, and all given back */
    CHECK(siege.most_held.lanes <= siege.before.lanes + HOSTILE_LANES);
    CHECK(siege.most_held.bytes <=
          siege.before.bytes + HOSTILE_LANES * sizeof(struct om_relay_lane));
    CHECK(siege.most_held.indices <= siege.before.indices + 2 * HOSTILE_LANES);
    CHECK(siege.after.lanes + siege.after.spare <= siege.most_held.lanes);
    CHECK(siege.after.indices <= siege.before.indices);
    CHECK(siege.most_held.words <= OM_RELAY_WORDS_MAX);
    CHECK(siege.most_held.addresses <= OM_RELAY_ADDRESSES_MAX);
    CHECK(siege.most_held.peers <= siege.before.peers);
    CHECK_EQ(siege.after.lanes, peace.after.lanes);

    /* who is not bound hears nothing, and nobody for whom somebody else spoke; who is bound does */
    CHECK_EQ(siege.helper, 0);
    CHECK_EQ(siege.victim, 0);
    CHECK(siege.accomplice > 100);
    CHECK_EQ(peace.accomplice, 0);
}
