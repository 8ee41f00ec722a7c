/* prop_members.c - who still lets in one that was thrown out in one of three parts, and when. */
#include "harness.h"

#include <stdlib.h>

#include "crowd.h"
#include "fault.h"
#include "member.h"
#include "node/ledger.h"
#include "request.h"

enum {
    MEMBERS = OM_HAS_SANITIZER ? 60 : 200, /* many times slower there */
    PARTS = 3,                             /* the first node of each is an admin */
    HEARD_S = 30                           /* all who can know of it by then */
};

struct society {
    struct sim_crowd c;
    struct sim_actor *bad; /* the last of the crowd; in no part, it speaks with all */
};

static void meet(struct society *s, uint64_t seed)
{
    struct sim_crowd *c = &s->c;
    char name[16];

    *c = (struct sim_crowd){.w = sim_world_new(seed, NULL)};
    om_prng_seed(&c->prng, seed);
    c->nodes = sim_alloc(MEMBERS * sizeof(struct sim_actor *));
    sim_member_close(c->w, sim_network_add(c->w, "club", false, 3));
    c->w->model.latency = OM_MS(20);
    c->w->model.jitter = OM_MS(30);
    c->w->steps_max = UINT64_MAX;
    for (unsigned i = 0; i < MEMBERS; i++) {
        const struct sim_node_spec spec = {
            .gossip = true, .indices = 1024, .cert = i < PARTS ? SIM_CERT_ADMIN : SIM_CERT_MEMBER};
        snprintf(name, sizeof name, "n%u", i);
        c->nodes[c->count++] = sim_node_add(c->w, name, &spec);
        if (i > 0)
            sim_crowd_join(c, c->nodes[i]);
        sim_run(c->w, c->w->now + OM_MS(20));
    }
    s->bad = c->nodes[MEMBERS - 1];
    sim_run(c->w, c->w->now + OM_SEC(30));
}

/* Nobody of one part reaches one of another; or everybody again. */
static void part(const struct society *s, bool apart)
{
    for (unsigned i = 0; i + 1 < MEMBERS; i++)
        for (unsigned k = 0; k < i; k++)
            if (i % PARTS != k % PARTS)
                sim_cut(s->c.nodes[i], s->c.nodes[k], apart);
}

/* How many others of @part (PARTS: of all) have something of @bad, as @has says? */
static unsigned count(const struct society *s, unsigned part,
                      bool (*has)(const struct sim_actor *a, struct sim_actor *bad))
{
    unsigned n = 0;

    for (unsigned i = 0; i + 1 < MEMBERS; i++)
        n += (part == PARTS || i % PARTS == part) && has(s->c.nodes[i], s->bad);
    return n;
}

static bool is_accepting(const struct sim_actor *a, struct sim_actor *bad)
{
    const struct sim_network *n = &a->world->networks[0];
    struct om_peer_info info;

    return om_node_peer_info(a->node, sim_node_clock(a), &n->id, sim_actor_id(bad, n), &info) ==
               OM_OK &&
           info.has_session;
}

static bool is_told(const struct sim_actor *a, struct sim_actor *bad)
{
    const struct sim_network *n = &a->world->networks[0];

    return om_ledger_revoked(&node_ledger_of(a->node, &n->id)->all, sim_actor_id(bad, n));
}

/* Whoever has heard has let go, also in the gossip round in which it heard. */
static bool is_slow(const struct sim_actor *a, struct sim_actor *bad)
{
    return is_told(a, bad) && is_accepting(a, bad);
}

static bool has_cut_off(const struct sim_actor *a, struct sim_actor *bad)
{
    return sim_pair(a->world, (struct sim_actor *)(uintptr_t)a, bad)->events[OM_EVENT_REVOKED] > 0;
}

/* It asks everybody. */
static void knock(const struct society *s)
{
    for (unsigned i = 0; i + 1 < MEMBERS; i++)
        CHECK_OK(sim_connect(s->bad, NULL, s->c.nodes[i], NULL, 0));
    sim_run(s->c.w, s->c.w->now + OM_SEC(10));
}

static uint64_t refusals(const struct sim_actor *a)
{
    struct om_node_info info;

    om_node_info(a->node, &info);
    return info.drops[OM_DROP_HS_CREDENTIAL];
}

/* From now on, second by second, until all @others of @part refuse it. Return: after how many. */
static unsigned converge(const struct society *s, unsigned part, unsigned others)
{
    unsigned second = 0, told = 0, accepting = others;

    print_message("      s   gossip rounds   told   still with a session   of %u\n", others);
    while ((told < others || accepting > 0) && second < HEARD_S) {
        sim_run(s->c.w, s->c.w->now + OM_SEC(1));
        second++;
        told = count(s, part, is_told);
        accepting = count(s, part, is_accepting);
        CHECK_EQ(count(s, part, is_slow), 0);
        CHECK(told + accepting <= others);
        print_message("  %5u   %13u   %4u   %20u\n", second, second * 1000 / OM_GOSSIP_ROUND_MS,
                      told, accepting);
    }
    return second;
}

/* Once all know, nobody answers it, whatever it asks and however often; and all hear it ask. */
static void refuse(struct society *s)
{
    uint64_t had[MEMBERS], up = 0;
    unsigned deaf = 0;

    for (unsigned i = 0; i + 1 < MEMBERS; i++) {
        had[i] = refusals(s->c.nodes[i]);
        up += sim_pair(s->c.w, s->c.nodes[i], s->bad)->events[OM_EVENT_SESSION_UP];
    }
    CHECK_OK(sim_crash(s->bad));
    CHECK_OK(sim_restart(s->bad, false, false));
    knock(s);
    knock(s);
    CHECK_EQ(count(s, PARTS, is_accepting), 0);
    for (unsigned i = 0; i + 1 < MEMBERS; i++) {
        deaf += refusals(s->c.nodes[i]) == had[i];
        up -= sim_pair(s->c.w, s->c.nodes[i], s->bad)->events[OM_EVENT_SESSION_UP];
    }
    CHECK_EQ(up, 0);
    CHECK_EQ(deaf, 0);
}

OM_TEST(prop_a_member_revoked_in_one_part_is_out_in_all)
{
    const unsigned others = MEMBERS - 1, of_first = (others + PARTS - 1) / PARTS;
    struct society s;

    meet(&s, 1);
    knock(&s);
    CHECK_EQ(count(&s, PARTS, is_accepting), others); /* the control: it is a member */
    part(&s, true);
    sim_run(s.c.w, s.c.w->now + OM_SEC(10));
    CHECK_OK(sim_member_revoke(s.c.nodes[0], NULL, s.bad));
    unsigned heard = converge(&s, 0, of_first);
    CHECK(heard < HEARD_S);
    CHECK_EQ(count(&s, PARTS, is_told), of_first); /* the control: the others cannot have heard, */
    knock(&s);
    CHECK_EQ(count(&s, PARTS, is_accepting), others - of_first); /* and take it in */
    part(&s, false);
    unsigned healed = converge(&s, PARTS, others);
    CHECK(healed < HEARD_S);
    CHECK_EQ(count(&s, PARTS, has_cut_off), others);
    print_message("%u members in %u parts: out of its own part after %u s, and of all %u s after "
                  "healing\n",
                  MEMBERS, PARTS, heard, healed);
    refuse(&s);
    for (unsigned i = 0; i + 1 < MEMBERS; i++) /* nobody else was thrown out */
        CHECK_EQ(s.c.nodes[i]->events[OM_EVENT_REVOKED], 1);
    CHECK_STR(s.c.w->broken, "");
    sim_crowd_fini(&s.c);
}
