/* test_lie.c - the means of the lying scenarios: what is told arrives, and only where it can. */
#include "harness.h"

#include "lie.h"
#include "node/state.h"
#include "request.h"

struct stage {
    struct sim_world *world;
    struct sim_actor *liar, *honest, *victim;
};

static void begin(struct stage *s, bool meets)
{
    s->world = sim_world_new(5, NULL);
    CHECK(sim_network_add(s->world, "main", true, 0) != NULL);
    s->liar = sim_node_add(s->world, "liar", NULL);
    s->honest = sim_node_add(s->world, "honest", NULL);
    s->victim = sim_attacker_add(s->world, "victim", false);
    if (meets)
        CHECK_OK(sim_connect(s->liar, NULL, s->honest, NULL, 0));
    sim_run(s->world, OM_SEC(1));
}

static uint64_t sent(const struct stage *s, struct sim_actor *by)
{
    return sim_pair(s->world, by, s->victim)->sent;
}

OM_TEST(lie_ports_belong_to_the_victim)
{
    struct stage s;
    struct om_addr second;

    begin(&s, true);
    CHECK_EQ(sent(&s, s.honest), 0);
    sim_node_where(s.honest); /* what is private may be near */
    CHECK_OK(sim_lie(s.liar, NULL, s.honest, SIM_LIE_CANDIDATE, s.victim));
    sim_run(s.world, OM_SEC(2));
    CHECK_EQ(sent(&s, s.honest), 3); /* to ports that only the lie named */
    CHECK_EQ(s.victim->heard, 3);
    second = s.victim->addr;
    second.port = SIM_LIE_PORT + 1;
    CHECK(sim_actor_at(s.world, &second) == s.victim);
    second.port = SIM_LIE_PORT - 1;
    CHECK(sim_actor_at(s.world, &second) == NULL);
    sim_world_free(s.world);
}

OM_TEST(lie_needs_a_session)
{
    struct stage s;

    for (int meets = 0; meets < 2; meets++) {
        begin(&s, meets == 1);
        CHECK_ERR(sim_lie(s.liar, NULL, s.honest, SIM_LIE_SOURCE, s.victim),
                  meets ? OM_OK : OM_E_NO_ROUTE);
        sim_run(s.world, OM_SEC(2));
        CHECK_EQ(sent(&s, s.honest), meets); /* its challenge, for the PING from there */
        CHECK_EQ(s.world->broken[0], '\0');
        sim_world_free(s.world);
    }
}

OM_TEST(lie_of_where_one_was_seen_is_told_others)
{
    struct stage s;
    bool is_told = false;

    begin(&s, true);
    sim_node_where(s.honest);
    CHECK_OK(sim_ping(s.honest, NULL, s.liar));
    CHECK_OK(sim_lie(s.liar, NULL, s.honest, SIM_LIE_SEEN, s.victim));
    sim_run(s.world, OM_SEC(2));
    const struct om_endpoints *ours = &s.honest->node->where.ours;
    for (unsigned i = 0; i < ours->count; i++)
        is_told |= memcmp(ours->ends[i].addr.ip, s.victim->addr.ip, 16) == 0;
    CHECK(is_told); /* so what the scenario counts is aimed at somebody */
    sim_world_free(s.world);
}

OM_TEST(lie_of_an_answer_ends_when_it_names_the_liar)
{
    for (int is_told = 0; is_told < 2; is_told++) {
        struct stage s;
        begin(&s, false);
        CHECK_OK(sim_lie(s.liar, NULL, s.honest, SIM_LIE_ANSWER, s.victim));
        if (is_told)
            CHECK_OK(sim_lie(s.liar, NULL, s.honest, SIM_LIE_ANSWER, s.liar));
        CHECK_OK(sim_connect(s.honest, NULL, s.liar, NULL, 0));
        sim_run(s.world, OM_SEC(2));
        CHECK_EQ(s.honest->events[OM_EVENT_PATH_UP], is_told);
        CHECK_EQ(sent(&s, s.honest), is_told ? 0 : 2); /* it is asked where it says to be */
        sim_world_free(s.world);
    }
}
