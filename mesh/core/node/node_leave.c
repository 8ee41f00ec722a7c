/* node_leave.c - the end of a network: its peers, what ran in it, its keys. */
#include "node/block.h"
#include "node/join.h"
#include "node/lane.h"
#include "node/ledger.h"
#include "node/services.h"
#include "node/study.h"

/* Goodbyes first: they are sealed while there are keys, and leave with whatever else waits. */
static void part(struct om_node *n, om_time now, const struct om_network *net)
{
    size_t at = 0;
    void *peer;

    while (om_table_next(&n->peers.table, &at, NULL, &peer)) {
        struct om_peer *p = peer;
        if (p->net != net)
            continue;
        node_close(n, now, p, OM_CLOSE_DONE, "left the network");
        node_peer_evict(n, p);
    }
}

/* The others move up, in their order. */
static void close_gap(struct om_node *n, unsigned i)
{
    for (n->network_count--; i < n->network_count; i++) {
        n->networks[i] = n->networks[i + 1];
        n->services[i] = n->services[i + 1];
        n->gossips[i] = n->gossips[i + 1];
        n->hellos[i] = n->hellos[i + 1];
        n->selects[i] = n->selects[i + 1];
        n->joins[i] = n->joins[i + 1];
        n->ledgers[i] = n->ledgers[i + 1];
    }
    n->networks[i] = NULL;
    n->services[i] = NULL;
    n->gossips[i] = NULL;
    n->hellos[i] = NULL;
    n->selects[i] = NULL;
    n->joins[i] = NULL;
    n->ledgers[i] = NULL;
}

enum om_err om_node_leave(struct om_node *n, om_time now, const struct om_id *network)
{
    struct om_network *net = node_network(n, network);
    unsigned i = 0;

    if (!net)
        return OM_E_MISSING;
    while (n->networks[i] != net)
        i++;
    n->now = now;
    node_study_stop(n); /* whom it asks may be of this network */
    part(n, now, net);
    node_gossip_leave(n, i);
    node_service_leave(n, i);
    node_hello_leave(n, i);
    node_select_leave(n, i);
    node_join_leave(n, i);
    node_ledger_leave(n, i);
    node_block_leave(net);
    om_keyring_leave(&n->keyring, net);
    om_verified_leave(&n->verified, &net->id);
    om_vault_give(n->networks_vault, net);
    close_gap(n, i);
    return OM_OK;
}

enum om_err om_node_set_pins(struct om_node *n, const struct om_id *network,
                             const struct om_pins *pins)
{
    struct om_network *net = node_network(n, network);

    if (!net)
        return OM_E_MISSING;
    if (pins->count + pins->left > OM_PINS_MAX)
        return OM_E_RANGE;
    net->pins = *pins;
    return OM_OK;
}

enum om_err om_node_pins(const struct om_node *n, const struct om_id *network, struct om_pins *out)
{
    const struct om_network *net = node_network(n, network);

    if (!net)
        return OM_E_MISSING;
    *out = net->pins;
    return OM_OK;
}
