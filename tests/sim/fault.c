/* fault.c - crash, restart, move, segment, calendar, partition. */
#include "fault.h"

#include "memory.h"

enum om_err sim_crash(struct sim_actor *a)
{
    if (!a->node)
        return OM_E_STATE;
    sim_node_halt(a);
    return OM_OK;
}

enum om_err sim_restart(struct sim_actor *a, bool fresh, bool newkey)
{
    if (a->node || a->is_attacker)
        return OM_E_STATE;
    if (fresh || newkey) {
        a->kept_count = 0;
        a->epochs.len = 0;
        sim_memory_free(a);
    }
    if (newkey)
        sim_node_draw_home(a);
    return sim_node_boot(a) ? OM_OK : OM_E_STATE;
}

void sim_move(struct sim_actor *a)
{
    sim_actor_settle(a);
    if (a->node && a->spec.gossip) {
        sim_node_announce(a, a->name);
        sim_node_drain(a);
    }
    if (a->lan > 0)
        sim_plug(a, a->lan);
}

void sim_plug(struct sim_actor *a, unsigned lan)
{
    a->lan = lan;
    if (!a->node)
        return;
    sim_node_hello(a);
    sim_node_drain(a);
}

void sim_step_wall(struct sim_actor *a, om_time by)
{
    a->spec.skew += by;
    if (!a->node)
        return;
    om_node_set_wall(a->node, sim_node_clock(a), sim_node_wall(a));
    sim_node_drain(a);
}

void sim_cut(struct sim_actor *a, struct sim_actor *b, bool cut)
{
    if (!b) {
        a->is_isolated = cut;
        return;
    }
    sim_pair(a->world, a, b)->is_cut = cut;
    sim_pair(a->world, b, a)->is_cut = cut;
}
