/* request.c - from names to keys and addresses, and the text of datagrams. */
#include "request.h"

#include <string.h>

#include <omerta/block.h>
#include <omerta/ip.h>

enum { SEND_MAX = OM_IP_MAX, FILL_PERIOD = 256 };

static const struct sim_network *network_or(const struct sim_network *n, const struct sim_actor *a,
                                            const struct sim_actor *b)
{
    return n ? n : sim_common_network(a, b);
}

enum om_err sim_connect(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b,
                        struct sim_actor *const *at, unsigned count)
{
    struct om_addr ends[OM_ENDPOINTS_MAX];

    if (!a->node)
        return OM_E_STATE;
    if (count > OM_ENDPOINTS_MAX)
        return OM_E_RANGE;
    n = network_or(n, a, b);
    for (unsigned i = 0; at && i < count; i++)
        ends[i] = at[i]->addr;
    if (!at) {
        ends[0] = b->addr;
        count = 1;
    }
    enum om_err e =
        om_node_connect(a->node, sim_node_clock(a), &n->id, sim_actor_id(b, n), ends, count);
    sim_node_drain(a);
    return e;
}

enum om_err sim_connect_seen(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b,
                             struct sim_actor *by)
{
    const struct om_addr seen = sim_pair(a->world, by, b)->came_from;

    if (!a->node)
        return OM_E_STATE;
    if (seen.port == 0)
        return OM_E_MISSING;
    n = network_or(n, a, b);
    enum om_err e =
        om_node_connect(a->node, sim_node_clock(a), &n->id, sim_actor_id(b, n), &seen, 1);
    sim_node_drain(a);
    return e;
}

/* What stands at @i of a datagram; the same again each FILL_PERIOD bytes. */
static uint8_t fill_byte(uint64_t seq, size_t i)
{
    return (uint8_t)(seq * 7 + i);
}

static void fill(uint64_t seq, size_t from, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n && i < FILL_PERIOD; i++)
        out[i] = fill_byte(seq, from + i);
    for (size_t i = FILL_PERIOD; i < n; i += FILL_PERIOD)
        memcpy(out + i, out, n - i < FILL_PERIOD ? n - i : FILL_PERIOD);
}

static bool is_filled(uint64_t seq, size_t from, struct om_bytes data)
{
    for (size_t i = 0; i < data.n && i < FILL_PERIOD; i++)
        if (data.p[i] != fill_byte(seq, from + i))
            return false;
    return data.n <= FILL_PERIOD || memcmp(data.p, data.p + FILL_PERIOD, data.n - FILL_PERIOD) == 0;
}

enum om_err sim_send(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b,
                     const char *channel, struct om_bytes text, size_t size)
{
    struct sim_pair *p = sim_pair(a->world, a, b);
    uint8_t data[SEND_MAX];
    struct om_wr w = om_wr(om_mut(data, sizeof data));

    if (!a->node)
        return OM_E_STATE;
    if (size > sizeof data || text.n > sizeof data - SIM_TEXT_HEAD)
        return OM_E_RANGE;
    n = network_or(n, a, b);
    om_wr_u64(&w, p->seq);
    om_wr_u64(&w, (uint64_t)a->world->now);
    om_wr_u16(&w, (uint16_t)text.n);
    om_wr_bytes(&w, text);
    size_t at = om_wr_len(&w);
    if (at < size)
        fill(p->seq, at, om_wr_room(&w, size - at), size - at);
    struct om_bytes bytes = om_bytes(data, om_wr_len(&w));
    enum om_err e =
        strcmp(channel, SIM_CHANNEL_IP) == 0
            ? om_node_send_ip(a->node, sim_node_clock(a), &n->id, sim_actor_id(b, n), bytes)
            : om_node_send(a->node, sim_node_clock(a), &n->id, sim_actor_id(b, n), channel, bytes);
    if (e == OM_OK)
        p->seq++;
    sim_node_drain(a);
    return e;
}

bool sim_text_open(struct om_bytes data, uint64_t *seq, om_time *sent, struct om_bytes *text)
{
    struct om_rd r = om_rd(data);

    *seq = om_rd_u64(&r);
    *sent = (om_time)om_rd_u64(&r);
    *text = om_rd_bytes(&r, om_rd_u16(&r));
    return !r.bad && is_filled(*seq, SIM_TEXT_HEAD + text->n, om_rd_rest(&r));
}

enum om_err sim_allow(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b)
{
    if (!a->node)
        return OM_E_STATE;
    n = network_or(n, a, b);
    return om_node_allow_ip(a->node, &n->id, sim_actor_id(b, n), true);
}

enum om_err sim_ping(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b)
{
    if (!a->node)
        return OM_E_STATE;
    n = network_or(n, a, b);
    enum om_err e = om_node_ping(a->node, sim_node_clock(a), &n->id, sim_actor_id(b, n),
                                 om_prng_u64(&a->world->prng));
    sim_node_drain(a);
    return e;
}

enum om_err sim_keep(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b)
{
    if (!a->node)
        return OM_E_STATE;
    n = network_or(n, a, b);
    enum om_err e = om_node_keep(a->node, sim_node_clock(a), &n->id, sim_actor_id(b, n), true);
    sim_node_drain(a);
    return e;
}

enum om_err sim_block(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b)
{
    if (!a->node)
        return OM_E_STATE;
    n = network_or(n, a, b);
    enum om_err e = om_node_block(a->node, sim_node_clock(a), &n->id, sim_actor_id(b, n), true);
    sim_node_drain(a);
    return e;
}

enum om_err sim_close(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b)
{
    if (!a->node)
        return OM_E_STATE;
    n = network_or(n, a, b);
    enum om_err e =
        om_node_close(a->node, sim_node_clock(a), &n->id, sim_actor_id(b, n), 0, "told to");
    sim_node_drain(a);
    return e;
}

enum om_err sim_epoch(struct sim_actor *a, const struct sim_network *n, uint32_t number)
{
    uint8_t secret[32];

    if (!a->node)
        return OM_E_STATE;
    if (!n)
        n = &a->world->networks[a->spec.networks[0]];
    sim_network_secret(a->world, n, number, a->spec.wrong_secret, secret);
    enum om_err e = om_node_epoch(a->node, sim_node_clock(a), &n->id, number, secret);
    sim_node_drain(a);
    return e;
}

enum om_err sim_peer_info(const struct sim_actor *a, struct sim_actor *b, struct om_peer_info *out)
{
    if (!a->node)
        return OM_E_STATE;
    const struct sim_network *n = sim_common_network(a, b);
    return om_node_peer_info(a->node, sim_node_clock(a), &n->id, sim_actor_id(b, n), out);
}

bool sim_has_session(const struct sim_actor *a, struct sim_actor *b)
{
    struct om_peer_info info;

    return sim_peer_info(a, b, &info) == OM_OK && info.has_session;
}
