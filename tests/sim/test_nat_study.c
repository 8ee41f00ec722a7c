/* test_nat_study.c - a node finds out, for a punch and only then, what the NAT before it does. */
#include "harness.h"

#include "fault.h"
#include "natkind.h"
#include "node/study.h"
#include "request.h"
#include "router.h"
#include "socket.h"

enum { WITNESSES = 4 };

/* A node behind a box, and public members of which it was told one. */
struct street {
    struct sim_world *w;
    struct sim_actor *node, *seen[WITNESSES];
};

static struct street street_new(const char *kind)
{
    static const char *const names[WITNESSES] = {"p", "q", "r", "s"};
    struct street s = {.w = sim_world_new(5, NULL)};
    struct sim_node_spec spec = {.gossip = true};
    struct sim_nat_model m;

    sim_network_add(s.w, "main", true, 0);
    CHECK(sim_nat_kind(kind, &m));
    (void)sim_router_add(s.w, "near", &m, NULL);
    for (unsigned i = 0; i < WITNESSES; i++)
        s.seen[i] = sim_node_add(s.w, names[i], &spec);
    spec.router = 1;
    s.node = sim_node_add(s.w, "node", &spec);
    for (unsigned i = 1; i < WITNESSES; i++)
        CHECK_OK(sim_connect(s.seen[i], NULL, s.seen[0], NULL, 0));
    CHECK_OK(sim_connect(s.node, NULL, s.seen[0], NULL, 0));
    sim_run(s.w, s.w->now + OM_SEC(5));
    return s;
}

static void street_free(struct street *s)
{
    CHECK_STR(s->w->broken, "");
    sim_world_free(s->w);
}

static bool begin(struct street *s)
{
    struct om_node *n = s->node->node;
    bool is_busy = node_study_begin(n, sim_node_clock(s->node), n->networks[0]);

    sim_node_drain(s->node);
    return is_busy;
}

/* What is known when it is over. */
static struct om_punch_profile study(struct street *s)
{
    struct om_node *n = s->node->node;
    struct om_punch_profile p;

    (void)begin(s); /* false: the members it met by itself have said enough */
    sim_run(s->w, s->w->now + OM_SEC(4));
    CHECK(!node_study_is_busy(n));
    om_punch_profile_of(&p, &n->where.nats[0], sim_node_clock(s->node));
    node_study_profile(n, &p);
    return p;
}

static unsigned open_sockets(const struct street *s)
{
    return s->node->sockets ? s->node->sockets->count : 0;
}

OM_TEST(study_learns_an_easy_nat)
{
    static const char *const kinds[] = {"full", "port", "carrier"};

    for (unsigned k = 0; k < OM_ARRAY_SIZE(kinds); k++) {
        struct street s = street_new(kinds[k]);
        CHECK_EQ(study(&s).class, OM_NAT_EIM);
        CHECK_EQ(s.node->node->where.shared.at, 0);
        CHECK(!begin(&s)); /* it is known now */
        street_free(&s);
    }
}

OM_TEST(study_learns_a_random_nat)
{
    struct street s = street_new("sym");

    CHECK_EQ(study(&s).class, OM_NAT_RANDOM);
    CHECK_EQ(s.node->node->where.shared.at, 0);
    street_free(&s);
}

OM_TEST(study_learns_a_shared_block)
{
    static const struct {
        const char *kind;
        enum om_nat_reuse reuse;
    } rows[] = {{"symblock", OM_NAT_REUSED}, {"blockex", OM_NAT_EXCLUSIVE}};

    for (unsigned k = 0; k < OM_ARRAY_SIZE(rows); k++) {
        struct street s = street_new(rows[k].kind);
        struct om_punch_profile p = study(&s);
        CHECK_EQ(p.class, OM_NAT_BLOCK);
        CHECK_EQ(p.reuse, rows[k].reuse);
        CHECK(p.last_port - p.first_port > 440 && p.last_port - p.first_port < 512);
        CHECK(s.node->sockets->drawn <= OM_STUDY_SOCKETS + OM_STUDY_ASKS_MAX / WITNESSES + 1);
        street_free(&s);
    }
}

/* Forged answers of @liar to all that it was asked. */
static unsigned lie(struct street *s, struct sim_actor *liar)
{
    struct om_node *n = s->node->node;
    struct om_peer *p =
        om_peers_find(&n->peers, n->networks[0], sim_actor_id(liar, &s->w->networks[0]));
    unsigned taken = 0;

    for (unsigned i = 0; i < n->study->sent; i++) {
        const struct om_frame_pong pong = {.token = n->study->token + i,
                                           .seen = om_addr_v4(0x0b000001, (uint16_t)(9000 + i))};
        taken += node_study_pong(n, sim_node_clock(s->node), p, &pong);
    }
    return taken;
}

OM_TEST(study_one_liar_changes_nothing)
{
    struct street s = street_new("symblock");
    struct om_node *n = s.node->node;

    CHECK(begin(&s));
    while (n->study->stage != NODE_STUDY_ASKING || n->study->sent < n->study->count)
        sim_run(s.w, s.w->now + OM_MS(1));
    CHECK_EQ(n->study->witness_count, WITNESSES);
    CHECK_EQ(lie(&s, s.seen[2]), OM_STUDY_SOCKETS);
    CHECK_EQ(lie(&s, s.seen[2]), 0);
    sim_run(s.w, s.w->now + OM_SEC(4));
    const struct om_nat_fit *f = om_nat_judge(&n->where.nats[0], sim_node_clock(s.node));
    CHECK(f->class == OM_NAT_BLOCK && f->is_believed);
    CHECK(f->outliers >= OM_STUDY_SOCKETS);
    CHECK(f->first_port > 19800 && f->last_port < 20712);
    street_free(&s);
}

OM_TEST(study_is_only_made_for_a_punch)
{
    struct street s = street_new("sym");
    struct om_node *n = s.node->node;

    sim_run(s.w, s.w->now + OM_SEC(300));
    CHECK_EQ(n->where.studied_at, 0);
    CHECK(open_sockets(&s) == 0 && !n->study);
    CHECK_EQ(study(&s).class, OM_NAT_RANDOM);
    CHECK(n->where.studied_at > 0 && s.node->sockets->drawn == OM_STUDY_SOCKETS);
    street_free(&s);
}

OM_TEST(study_closes_its_sockets)
{
    struct street s = street_new("symblock");
    struct om_node *n = s.node->node;

    CHECK(begin(&s));
    while (n->study && n->study->stage != NODE_STUDY_SHARING)
        sim_run(s.w, s.w->now + OM_MS(1));
    CHECK(open_sockets(&s) > OM_STUDY_SOCKETS);
    sim_run(s.w, s.w->now + OM_SEC(4));
    CHECK(open_sockets(&s) == 0 && n->sockets.count == 0 && !n->study);
    street_free(&s);
}

OM_TEST(study_without_sockets_ends)
{
    struct street s = street_new("symblock");
    struct om_node *n = s.node->node;
    uint32_t taken;

    CHECK(begin(&s));
    while (n->study->stage != NODE_STUDY_ASKING || n->study->sent < n->study->count)
        sim_run(s.w, s.w->now + OM_MS(1));
    taken = node_sockets_open(n, OM_SOCKETS_MAX - OM_STUDY_SOCKETS); /* as punches would */
    CHECK(taken != 0);
    sim_node_drain(s.node);
    sim_run(s.w, s.w->now + OM_SEC(4));
    CHECK(!n->study && n->where.shared.at != 0);
    CHECK_EQ(n->where.shared.reuse, OM_NAT_REUSE_UNKNOWN);
    node_sockets_close(n, taken, OM_SOCKETS_MAX, 0);
    sim_node_drain(s.node);
    CHECK_EQ(open_sockets(&s), 0);
    street_free(&s);
}

OM_TEST(study_of_the_silent_ends)
{
    struct street s = street_new("sym");
    struct om_node *n = s.node->node;

    for (unsigned i = 0; i < WITNESSES; i++)
        CHECK_OK(sim_crash(s.seen[i]));
    CHECK(begin(&s));
    sim_run(s.w, s.w->now + OM_MS(OM_STUDY_MEET_MAX_MS + 2 * OM_STUDY_WAIT_MS + 100));
    CHECK(!n->study && open_sockets(&s) == 0);
    CHECK(!begin(&s)); /* not at once */
    sim_run(s.w, s.w->now + OM_SEC(OM_STUDY_REST_S));
    CHECK(begin(&s));
    street_free(&s);
}

OM_TEST(study_of_the_young_waits)
{
    static const om_time ages[] = {OM_MS(OM_STUDY_YOUNG_MS) / 2, 2 * OM_MS(OM_STUDY_YOUNG_MS)};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(ages); i++) {
        struct sim_world *w = sim_world_new(5, NULL);
        const struct sim_node_spec spec = {.gossip = true};
        sim_network_add(w, "main", true, 0);
        struct sim_actor *a = sim_node_add(w, "a", &spec);
        struct om_node *n = a->node;
        sim_run(w, w->now + ages[i]);
        CHECK(node_study_begin(n, sim_node_clock(a), n->networks[0])); /* nobody is known */
        sim_node_drain(a);
        sim_run(w, w->now + OM_MS(3 * OM_STUDY_LOOK_MS));
        CHECK_EQ(node_study_is_busy(n), i == 0);
        sim_run(w, w->now + OM_MS(OM_STUDY_YOUNG_MS));
        CHECK(!node_study_is_busy(n));
        sim_world_free(w);
    }
}

OM_TEST(study_takes_no_foreign_answer)
{
    struct street s = street_new("sym");
    struct om_node *n = s.node->node;

    CHECK(begin(&s));
    while (n->study->stage != NODE_STUDY_ASKING || n->study->sent < n->study->count)
        sim_run(s.w, s.w->now + OM_MS(1));
    for (unsigned i = 0; i < n->study->count; i++) {
        const struct node_witness *w = &n->study->witnesses[n->study->asks[i].witness];
        const struct om_frame_pong pong = {.token = n->study->token + i, .seen = w->to};
        for (unsigned k = 0; k < WITNESSES; k++) {
            const struct om_id *id = sim_actor_id(s.seen[k], &s.w->networks[0]);
            struct om_peer *p = om_peers_find(&n->peers, n->networks[0], id);
            CHECK(om_id_equal(id, &w->id) || !node_study_pong(n, s.w->now, p, &pong));
        }
    }
    const struct om_frame_pong beyond = {.token = n->study->token + n->study->count};
    CHECK_EQ(n->study->answered, 0);
    struct om_peer *p = om_peers_find(&n->peers, n->networks[0], &n->study->witnesses[0].id);
    CHECK(!node_study_pong(n, s.w->now, p, &beyond));
    sim_run(s.w, s.w->now + OM_SEC(4));
    street_free(&s);
}

/* Whom it lets in is asked for as soon as its class is believed, without a punch. */
OM_TEST(filter_is_learnt_at_rest)
{
    static const struct {
        const char *kind;
        enum om_nat_filter filter;
    } rows[] = {{"full", OM_FILTER_ADDRESS},    {"addr", OM_FILTER_ADDRESS},
                {"carrier", OM_FILTER_ADDRESS}, {"restricted", OM_FILTER_PORT},
                {"port", OM_FILTER_PORT},       {"portdrop", OM_FILTER_PORT}};

    for (unsigned k = 0; k < OM_ARRAY_SIZE(rows); k++) {
        struct street s = street_new(rows[k].kind);
        struct om_node *n = s.node->node;
        sim_run(s.w, s.w->now + OM_SEC(120));
        CHECK_EQ(om_nat_filter(&n->where.nats[0]), rows[k].filter);
        CHECK(!n->filter.is_waiting && n->filter.peer_count <= 2);
        CHECK_EQ(open_sockets(&s), 0);
        street_free(&s);
    }
}

/* The trial once more. */
static enum om_nat_filter filter_again(struct street *s)
{
    struct om_node *n = s->node->node;

    node_filter_stop(n);
    memset(n->where.nats[0].from, 0, sizeof n->where.nats[0].from);
    node_filter_look(n, sim_node_clock(s->node));
    CHECK(n->filter.is_waiting);
    sim_node_drain(s->node);
    sim_run(s->w, s->w->now + OM_SEC(20));
    CHECK(!n->filter.is_waiting);
    return om_nat_filter(&n->where.nats[0]);
}

/* Who is not there, or has no other socket, says nothing of our NAT. */
OM_TEST(filter_takes_who_answers_a_control)
{
    struct street s = street_new("port");

    sim_run(s.w, s.w->now + OM_SEC(120));
    CHECK_EQ(filter_again(&s), OM_FILTER_PORT); /* the control */
    for (unsigned i = 0; i < WITNESSES; i++) {
        CHECK(node_sockets_open(s.seen[i]->node, OM_SOCKETS_MAX) != 0);
        sim_node_drain(s.seen[i]);
    }
    CHECK_EQ(filter_again(&s), OM_FILTER_UNKNOWN);
    for (unsigned i = 0; i < WITNESSES; i++)
        CHECK_OK(sim_crash(s.seen[i]));
    CHECK_EQ(filter_again(&s), OM_FILTER_UNKNOWN);
    street_free(&s);
}

/* Whom it asks may go meanwhile. */
OM_TEST(filter_forgets_who_goes)
{
    struct street s = street_new("port");
    struct om_node *n = s.node->node;

    node_filter_stop(n);
    memset(n->where.nats[0].from, 0, sizeof n->where.nats[0].from);
    node_filter_look(n, sim_node_clock(s.node));
    CHECK(n->filter.is_waiting);
    struct om_peer *p = om_peers_find(&n->peers, n->networks[0], &n->filter.peers[0]);
    node_forget_association(n, p);
    CHECK(!n->filter.is_waiting && n->filter.timer.at == OM_NEVER);
    sim_node_drain(s.node);
    sim_run(s.w, s.w->now + OM_SEC(1));
    street_free(&s);
}

static struct om_peer *peer_of(const struct street *s, struct sim_actor *a)
{
    const struct om_node *n = s->node->node;

    return om_peers_find(&n->peers, n->networks[0], sim_actor_id(a, &s->w->networks[0]));
}

/* @who says that it saw the node at 11.9.9.@host; does the node tell others so? */
static bool tells(struct street *s, struct sim_actor *who, uint8_t host)
{
    struct om_node *n = s->node->node;
    om_time now = sim_node_clock(s->node);
    struct om_nat_sample x = {.peer = *sim_actor_id(who, &s->w->networks[0]),
                              .to = who->addr,
                              .seen = om_addr_v4(0x0b090900U + host, 5000),
                              .at = now};
    bool is_told = false;

    node_where_flow(n, now, n->where.nats[0].generation, true, &x);
    for (unsigned i = 0; i < n->where.ours.count; i++)
        is_told |= om_addr_equal(&n->where.ours.ends[i].addr, &x.seen);
    sim_node_drain(s->node);
    return is_told;
}

OM_TEST(where_one_word_waits_for_others)
{
    struct street s = street_new("port");
    struct om_node *n = s.node->node;
    struct om_peer *r;

    sim_run(s.w, s.w->now + OM_SEC(120));
    r = peer_of(&s, s.seen[2]);
    CHECK(r && !r->is_typed && peer_of(&s, s.seen[0])->is_typed);
    om_nat_reset(&n->where.nats[0]);
    CHECK(tells(&s, s.seen[1], 1)); /* nobody else was asked */
    om_nat_reset(&n->where.nats[0]);
    r->assoc->pings[0] = (struct om_ping){.token = 1, .sent_at = sim_node_clock(s.node)};
    CHECK(!tells(&s, s.seen[1], 1)); /* r was */
    CHECK(!tells(&s, s.seen[2], 2)); /* and sees it elsewhere: either may lie */
    CHECK(!tells(&s, s.seen[1], 1));
    CHECK(tells(&s, s.seen[3], 2)); /* two that agree */
    CHECK(!tells(&s, s.seen[1], 1));
    CHECK(tells(&s, s.seen[0], 3)); /* whom the user named */
    street_free(&s);
}
