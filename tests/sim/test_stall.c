/* test_stall.c - members that accept what they are asked, and then say neither more nor the end. */
#include "harness.h"

#include "crowd.h"
#include "fault.h"
#include "gossip/gossip_state.h"
#include "member.h"
#include "node/call.h"
#include "node/ledger.h"
#include "request.h"

enum { LIARS_MAX = 96, NODES = 20 };

static const struct om_node *liars[LIARS_MAX];
static unsigned liar_count, stalled;
static bool is_stalling, is_trickling;

static bool is_liar(const struct om_node *n)
{
    for (unsigned i = 0; i < liar_count; i++)
        if (liars[i] == n)
            return true;
    return false;
}

/* Accepts @c as nobody does who goes by the rules: it never ends, whatever the asker says. */
static bool stall(struct node_call *c)
{
    CHECK_OK(om_call_accept(&c->rpc, om_bytes(NULL, 0)));
    CHECK_OK(om_stream_write(&c->peer->carrier->mux, c->stream, om_call_output(&c->rpc)));
    c->owner = CALL_OF_ISSUE; /* as one that is answered later */
    stalled++;
    return true;
}

/* The linker asks for these names. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*) */

bool __real_node_gossip_asked(struct node_call *c, om_time now);
bool __wrap_node_gossip_asked(struct node_call *c, om_time now);
bool __wrap_node_gossip_asked(struct node_call *c, om_time now)
{
    if (is_stalling && is_liar(c->node) && strncmp(c->rpc.method, "gossip.", 7) == 0)
        return stall(c);
    return __real_node_gossip_asked(c, now);
}

bool __real_node_ledger_asked(struct node_call *c, om_time now);
bool __wrap_node_ledger_asked(struct node_call *c, om_time now);
bool __wrap_node_ledger_asked(struct node_call *c, om_time now)
{
    if (is_stalling && is_liar(c->node) && strcmp(c->rpc.method, OM_METHOD_LEDGER) == 0)
        return stall(c);
    return __real_node_ledger_asked(c, now);
}

/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */

static void begin(bool stalls, bool trickles)
{
    liar_count = stalled = 0;
    is_stalling = stalls;
    is_trickling = trickles;
}

/* @a says one byte more on all that it stalls. */
static void trickle(struct sim_actor *a)
{
    static const uint8_t byte[1];
    void *value;

    for (size_t at = 0; is_trickling && om_table_next(&a->node->calls, &at, NULL, &value);) {
        const struct node_call *c = value;
        if (c->owner != CALL_OF_ISSUE || !c->stream ||
            om_stream_write(&c->peer->carrier->mux, c->stream, om_bytes(byte, 1)) != OM_OK)
            continue; /* it was told to stop */
        node_flush(a->node, sim_node_clock(a), c->peer);
        node_rearm(a->node, sim_node_clock(a), c->peer);
    }
    sim_node_drain(a);
}

/* The liar asks @h what changed and claims each time that its own record did, for two minutes.
 * Return: how many calls of @h it held at most. */
static unsigned provoke(struct sim_crowd *c, struct sim_actor *liar, struct sim_actor *h)
{
    struct om_gossip *g = liar->node->gossips[0]->gossip;
    const struct om_gossip *of_h = h->node->gossips[0]->gossip;
    unsigned most = 0;

    for (unsigned i = 0; i < 120; i++) {
        om_records_find(&g->store, &g->self->id)->sequence++;
        gossip_sync_with(g, sim_actor_id(h, &c->w->networks[0]), 0);
        memset(g->asked, 0, sizeof g->asked); /* it waits for nothing */
        trickle(liar);
        sim_run(c->w, c->w->now + OM_SEC(1));
        const unsigned owed = gossip_owed(of_h, &g->self->id);
        most = owed > most ? owed : most;
    }
    return most;
}

/* What is done to the honest node by a liar that @stalls, and @trickles. */
static void check_gossip(bool stalls, bool trickles)
{
    struct sim_crowd c;

    begin(stalls, trickles);
    sim_crowd_settled(&c, 4, NODES, NODES);
    struct sim_actor *liar = c.nodes[0], *h = c.nodes[9];
    struct om_gossip *g = h->node->gossips[0]->gossip;
    liars[liar_count++] = liar->node;
    CHECK_OK(sim_connect(liar, NULL, h, NULL, 0));
    sim_run(c.w, c.w->now + OM_SEC(2));
    const unsigned most = provoke(&c, liar, h);
    CHECK_EQ(stalled > 0, stalls);
    CHECK(stalls ? most > 0 && most <= GOSSIP_PROVOKED_MAX + GOSSIP_OWED_MAX : most <= 1);
    sim_run(c.w, c.w->now + OM_SEC(60));
    CHECK_EQ(gossip_owed(g, sim_actor_id(liar, &c.w->networks[0])), 0);
    CHECK(om_table_count(&h->node->calls) <= 2);
    const uint64_t had = om_gossip_counts(g)->syncs;
    sim_run(c.w, c.w->now + OM_SEC(600));
    const unsigned syncs = (unsigned)(om_gossip_counts(g)->syncs - had);
    print_message("%u stalled, %u held at most, %u syncs in ten minutes after\n", stalled, most,
                  syncs);
    CHECK(syncs >= 8); /* one in 75 s at least */
    CHECK_STR(c.w->broken, "");
    sim_crowd_fini(&c);
}

OM_TEST(stall_gives_back_what_gossip_asked)
{
    check_gossip(false, false); /* the control */
    check_gossip(true, false);
    check_gossip(true, true);
}

/* A closed network whose admin and one member have no way to each other but by a third; and the
 * member knows many more. */
struct club {
    struct sim_world *w;
    struct sim_actor *boss, *third, *member, *others[LIARS_MAX];
    unsigned count;
};

static void club_init(struct club *c, unsigned count)
{
    const struct sim_node_spec member = {.cert = SIM_CERT_MEMBER}, admin = {.cert = SIM_CERT_ADMIN};
    char name[SIM_NAME_MAX + 1];

    *c = (struct club){.w = sim_world_new(7, NULL), .count = count};
    sim_member_close(c->w, sim_network_add(c->w, "club", false, 1));
    c->boss = sim_node_add(c->w, "boss", &admin);
    c->member = sim_node_add(c->w, "member", &member);
    c->third = sim_node_add(c->w, "third", &member);
    sim_cut(c->boss, c->member, true);
    CHECK_OK(sim_connect(c->third, NULL, c->boss, NULL, 0));
    CHECK_OK(sim_connect(c->third, NULL, c->member, NULL, 0));
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "e%u", i);
        c->others[i] = sim_node_add(c->w, name, &member);
        liars[liar_count++] = c->others[i]->node;
        CHECK_OK(sim_connect(c->member, NULL, c->others[i], NULL, 0));
    }
    sim_run(c->w, OM_SEC(60));
}

/* The others keep themselves heard, so that they are asked before the third, */
static void chatter(struct club *c)
{
    for (unsigned i = 0; i < c->count; i++)
        (void)!sim_ping(c->others[i], NULL, c->member);
}

/* and each has said that it has more. */
static void claim(struct club *c)
{
    struct om_node *n = c->member->node;
    struct node_ledger *g = n->ledgers[0];

    for (unsigned i = 0; i < c->count; i++) {
        const struct om_id *id = sim_actor_id(c->others[i], &c->w->networks[0]);
        struct om_peer *p = om_peers_find(&n->peers, g->net, id);
        if (!p)
            continue; /* it was thrown out */
        p->ledger_at = 0;
        p->ledger_claims = true;
    }
    node_ledger_kick(g, sim_node_clock(c->member));
    sim_node_drain(c->member);
}

/* Milliseconds until the member has heard that the admin revoked @bad. */
static unsigned hear_of(struct club *c, struct sim_actor *bad)
{
    enum { STEP_MS = 100, PATIENCE_MS = 300 * 1000 };
    const struct sim_network *n = &c->w->networks[0];
    const struct om_node *node = c->member->node;
    unsigned ms = 0;

    claim(c);
    CHECK_OK(sim_member_revoke(c->boss, NULL, bad));
    while (ms < PATIENCE_MS &&
           !node_ledger_is_revoked(node, node_network(node, &n->id), sim_actor_id(bad, n))) {
        chatter(c);
        sim_run(c->w, c->w->now + OM_MS(STEP_MS));
        ms += STEP_MS;
    }
    return ms;
}

/* @count members stall, from the start or as the first news comes: how long do they delay it, and
 * what comes a minute later? */
static void check_ledger(unsigned count, bool stalls, bool from_start, unsigned most_ms)
{
    unsigned first, second;
    struct club c;

    begin(stalls && from_start, false);
    club_init(&c, count);
    is_stalling = stalls;
    first = hear_of(&c, c.others[0]);
    sim_run(c.w, c.w->now + OM_SEC(60));
    second = hear_of(&c, c.others[1]);
    print_message("%u members, %u stalled: heard after %u ms, then after %u ms\n", count, stalled,
                  first, second);
    CHECK_EQ(stalled > 0, stalls);
    CHECK(first <= most_ms);
    CHECK(second <= 5000);
    CHECK(om_table_count(&c.member->node->calls) <= 2 * OM_LEDGER_ASKS_MAX);
    CHECK_STR(c.w->broken, "");
    sim_world_free(c.w);
}

OM_TEST(stall_of_many_delays_a_revocation_by_seconds)
{
    check_ledger(17, false, true, 5000); /* the control */
    check_ledger(17, true, true, 5000);
    check_ledger(17, true, false, 15000);
    check_ledger(LIARS_MAX, true, false, 60000);
}

/* An answer that is whole and in time, says what everybody knows, and that there is more. */
static void say_old(struct club *c, struct node_call *call)
{
    struct om_admin_entry e = {.number = 1, .kind = OM_ADMIN_KEY_REVOKED};
    const struct om_id nobody = {{0x99}};
    uint8_t entry[OM_ADMIN_ENTRY_MAX], part[OM_LEDGER_ANSWER_LEAST];
    const struct om_network *net = c->boss->node->networks[0];
    const struct om_ledger_told t = {
        &nobody, false, om_bytes(entry, om_admin_entry_encode(entry, &e, &net->self, &net->id))};

    call->tail = part;
    call->tail_len = om_ledger_part(part, &t);
    part[0] = 1;
    node_ledger_answered(call, c->member->node->now, true);
}

OM_TEST(stall_by_old_news_ends)
{
    struct club c;

    begin(false, false);
    club_init(&c, 1);
    struct om_node *n = c.member->node;
    struct node_ledger *g = n->ledgers[0];
    struct node_ledger_ask *a = &g->asks[OM_LEDGER_ASKS_MAX - 1];
    struct om_peer *p = om_peers_find(&n->peers, g->net, sim_actor_id(c.others[0], c.w->networks));
    OM_TRY(p && !a->is_open);
    struct node_call call = {
        .node = n, .network = g->net->id, .id = p->id, .tag = OM_LEDGER_ASKS_MAX - 1};
    *a = (struct node_ledger_ask){.peer = p->id, .news_at = n->now, .is_open = true};
    say_old(&c, &call);
    CHECK(a->is_open && a->is_due && !p->ledger_failed); /* the control: it may go on */
    a->news_at = n->now - OM_SEC(OM_LEDGER_NEWS_S) - 1;
    say_old(&c, &call);
    CHECK(!a->is_open && p->ledger_failed);
    CHECK_EQ(p->ledger_again, n->now + OM_SEC(OM_LEDGER_RETRY_S));
out:
    sim_world_free(c.w);
}
