/* reach.c - who is known, and from a key to something that can be talked to. */
#include <stdlib.h>

#include "host/clock.h"
#include "state.h"

unsigned daemon_peers(const struct om_daemon *d, const struct om_id *network, struct om_id **out)
{
    unsigned count = om_node_peers(daemon_node(d), network, NULL, 0);

    *out = calloc(count > 0 ? count : 1, sizeof **out);
    return *out ? om_node_peers(daemon_node(d), network, *out, count) : 0;
}

enum om_err daemon_reach(struct om_daemon *d, const struct daemon_network *net,
                         const struct om_id *peer)
{
    struct om_node *n = daemon_node(d);
    struct om_peer_info info;
    struct om_announce a;
    om_time now = om_clock_now();

    if (om_id_equal(peer, &net->self))
        return OM_OK; /* nobody has to be met for that */
    bool is_known = om_node_peer_info(n, now, &net->id, peer, &info) == OM_OK;

    if (is_known && info.has_session)
        return OM_OK;
    if (om_node_record(n, &net->id, peer, &a, NULL) != OM_OK)
        return is_known ? OM_OK : OM_E_MISSING;
    return om_node_connect(n, now, &net->id, peer, a.ends, a.end_count);
}
