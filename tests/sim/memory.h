/*
 * memory.h - the records of others that a node finds again after a restart
 *
 * What:  keeps what OM_ACT_RECORD reports and gives it back to the next node, as the daemon's
 *        store does.
 * Why:   who comes back finds the others by itself; but a crowd of thousands keeps nothing.
 * Keeps: script_gossip_is_remembered.
 * Full:  of SIM_MEMORY_MAX records the oldest gives way.
 */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <omerta/gossip.h>

struct sim_actor;
struct sim_memory;

enum { SIM_MEMORY_MAX = 64 };

/** sim_memory_keep() - @a keeps @r, if its node was declared to remember (sim_node_spec). */
void sim_memory_keep(struct sim_actor *a, const struct om_act_record *r);

/** sim_memory_recall() - @a's new node learns what is kept. */
void sim_memory_recall(struct sim_actor *a);

/** sim_memory_free() - @a forgets all. */
void sim_memory_free(struct sim_actor *a);

#endif
