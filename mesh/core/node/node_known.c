/* node_known.c - who is known in a network, and what they say of themselves. */
#include <stdlib.h>

#include "node/member.h"
#include "node/state.h"

static int by_key(const void *a, const void *b)
{
    return om_id_cmp(a, b);
}

/* Keeps @out, of which @count are filled, the @max lowest; a heap would do, but this is asked by
 * people. */
static unsigned add(struct om_id *out, unsigned count, unsigned max, const struct om_id *id)
{
    if (count < max) {
        out[count] = *id;
    } else if (max > 0) {
        unsigned last = 0;
        for (unsigned i = 1; i < max; i++)
            if (om_id_cmp(&out[i], &out[last]) > 0)
                last = i;
        if (om_id_cmp(id, &out[last]) < 0)
            out[last] = *id;
    }
    return count + 1;
}

static const struct om_records *store_of(const struct om_node *n, const struct om_network *net)
{
    for (unsigned i = 0; i < n->network_count; i++)
        if (n->networks[i] == net)
            return n->gossips[i] ? om_gossip_store(n->gossips[i]->gossip) : NULL;
    return NULL;
}

unsigned om_node_peers(const struct om_node *n, const struct om_id *network, struct om_id *out,
                       unsigned max)
{
    const struct om_network *net = node_network(n, network);
    unsigned count = 0;
    size_t at = 0;
    void *value;

    if (!net)
        return 0;
    const struct om_records *s = store_of(n, net);
    while (om_table_next(&n->peers.table, &at, NULL, &value)) {
        const struct om_peer *p = value;
        if (p->net == net)
            count = add(out, count, max, &p->id);
    }
    for (struct om_link *l = s ? om_list_first(&s->changes) : NULL; l;
         l = om_list_next(&s->changes, l)) {
        const struct om_held *h = OM_CONTAINER_OF(l, struct om_held, by_change);
        struct om_id id;
        memcpy(id.b, h->key, sizeof id.b);
        if (!h->is_item && !om_id_equal(&id, &net->self.id) && !om_peers_find(&n->peers, net, &id))
            count = add(out, count, max, &id);
    }
    if (max > 0)
        qsort(out, count < max ? count : max, sizeof *out, by_key);
    return count;
}

static void read_field(struct om_announce *out, uint8_t type, struct om_bytes value)
{
    char *to = NULL;

    if (type == OM_FIELD_NAME && value.n <= OM_NAME_MAX)
        to = out->name;
    else if (type == OM_FIELD_SERVICE && value.n <= OM_SERVICE_MAX &&
             out->service_count < OM_ANNOUNCE_SERVICES)
        to = out->services[out->service_count++];
    if (to && value.n > 0) {
        memcpy(to, value.p, value.n);
        to[value.n] = 0;
    }
}

enum om_err om_node_record(const struct om_node *n, const struct om_id *network,
                           const struct om_id *peer, struct om_announce *out, uint64_t *made_ms)
{
    const struct om_network *net = node_network(n, network);
    const struct om_records *s = net ? store_of(n, net) : NULL;
    const struct om_held *h = s ? om_records_find(s, peer) : NULL;
    struct om_record r;
    struct om_bytes value;
    uint8_t type;

    if (!h || om_record_decode(&r, om_bytes(h->bytes, h->len)) != OM_OK)
        return OM_E_MISSING;
    *out = (struct om_announce){.relays = (r.flags & OM_RECORD_RELAY) != 0 &&
                                          node_member_may(n, net, peer, OM_ROLE_RELAY)};
    while (out->end_count < r.end_count && out->end_count < OM_ANNOUNCE_ENDS) {
        out->ends[out->end_count] = r.ends[out->end_count].addr;
        out->mapped[out->end_count] = r.ends[out->end_count].kind == OM_END_MAPPED;
        out->end_count++;
    }
    struct om_rd at = om_rd(r.fields);
    while (om_record_field(&at, &type, &value))
        read_field(out, type, value);
    if (made_ms)
        *made_ms = r.sequence;
    return OM_OK;
}
