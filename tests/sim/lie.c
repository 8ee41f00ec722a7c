/* lie.c - a liar's frames, by the core's own writers and under its own session. */
#include "lie.h"

#include <stdio.h>
#include <string.h>

#include <omerta/gossip.h>

#include "flight.h"
#include "node/state.h"
#include "path/punch_profile.h"

enum { GO_MS = 100 };

/* Who tells whom, in the terms of the liar's node. */
struct teller {
    struct sim_actor *self, *about;
    struct om_node *node;
    om_time now;
    struct om_peer *to;
    struct om_session *session;
};

enum sim_lie_kind sim_lie_kind_parse(const char *name)
{
    static const char *const names[] = {
        [SIM_LIE_CANDIDATE] = "candidate", [SIM_LIE_PUNCH] = "punch",   [SIM_LIE_SEEN] = "seen",
        [SIM_LIE_RECORD] = "record",       [SIM_LIE_SOURCE] = "source", [SIM_LIE_ANSWER] = "answer",
    };

    for (unsigned i = 0; i < SIM_LIE_KIND_COUNT; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum sim_lie_kind)i;
    return SIM_LIE_KIND_COUNT;
}

/* Another port of who is lied about, and what is sent there is his: a victim counts all of it. */
static struct om_addr next_address(struct teller *t)
{
    struct sim_actor *about = t->about;
    struct om_addr a = about->addr;
    uint8_t key[OM_ADDR_WIRE];
    struct om_wr w = om_wr(om_mut(key, sizeof key));

    a.port = (uint16_t)(SIM_LIE_PORT + about->lies++ % SIM_LIE_PORTS);
    om_addr_write(&w, &a);
    if (!om_table_find(&about->world->by_addr, key) &&
        om_table_put(&about->world->by_addr, key, about) != OM_OK)
        sim_break(about->world, "%s: no port is left", about->name);
    return a;
}

static bool say(struct teller *t, void (*write)(struct om_wr *w, const void *what),
                const void *what)
{
    struct om_buf *b = node_plain(t->node);

    if (!b)
        return false;
    struct om_wr w = om_wr(om_mut(om_buf_data(b), OM_PLAIN_MAX));
    write(&w, what);
    om_buf_put(b, om_wr_len(&w));
    node_send_now(t->node, t->now, t->to, t->session, b);
    return true;
}

static void write_candidates(struct om_wr *w, const void *what)
{
    uint8_t body[OM_ENDPOINTS_BYTES_MAX];

    om_frame_write_candidates(w, om_bytes(body, om_endpoints_encode(body, what)));
}

static void write_punch(struct om_wr *w, const void *what)
{
    om_frame_write_punch(w, what);
}

static void write_pong(struct om_wr *w, const void *what)
{
    om_frame_write_pong(w, what);
}

/* Fresher than all that was told, also by the liar's node itself. */
static bool tell_candidates(struct teller *t, unsigned count, enum om_end_kind first)
{
    struct om_endpoints e = {.sequence = (UINT32_C(1) << 30) + t->about->lies, .count = count};

    for (unsigned i = 0; i < count; i++)
        e.ends[i] =
            (struct om_record_end){(uint8_t)((first - 1 + i) % OM_END_RELAY + 1), next_address(t)};
    return say(t, write_candidates, &e);
}

static bool tell_punch(struct teller *t)
{
    struct om_frame_punch f = {.step = OM_PUNCH_PLAN};
    const struct om_punch_profile easy = {.class = OM_NAT_EIM};
    struct om_wr w = om_wr(om_mut(f.profile, sizeof f.profile));

    om_punch_profile_encode(&w, &easy);
    om_rng_fill(&t->node->rng, &f.nonce, sizeof f.nonce);
    if (!tell_candidates(t, 1, OM_END_REFLEXIVE) || !say(t, write_punch, &f))
        return false;
    f.fire_ms = GO_MS;
    return say(t, write_punch, &f);
}

/* Whom it concerns has asked this node where he is seen; the token was in that question. */
static bool tell_seen(struct teller *t, const struct om_association *asker)
{
    bool is_said = true;

    for (unsigned i = 0; asker && is_said && i < OM_PINGS_MAX; i++) {
        const struct om_frame_pong pong = {.token = asker->pings[i].token, .seen = next_address(t)};
        if (asker->pings[i].sent_at != 0)
            is_said = say(t, write_pong, &pong);
    }
    return is_said;
}

static bool tell_record(struct teller *t)
{
    struct om_announce says = {.ends = {next_address(t)}, .end_count = 1, .relays = true};

    snprintf(says.name, sizeof says.name, "%s", t->self->name);
    return om_node_announce(t->node, t->now, &t->to->net->id, &says) == OM_OK;
}

static bool tell_source(struct teller *t, const struct om_addr *to)
{
    struct om_association *a = t->to->assoc;
    struct om_buf *b = node_plain(t->node);
    const struct om_addr from = next_address(t);
    struct om_sealed *d;

    if (!b)
        return false;
    struct om_wr w = om_wr(om_mut(om_buf_data(b), OM_PLAIN_MAX));
    om_frame_write_ping(&w, t->about->lies);
    om_buf_put(b, om_wr_len(&w));
    if (om_seal(&d, t->session, a->counter++, b) != OM_OK)
        return false;
    sim_transmit(t->self->world, t->self, &from, to, om_sealed_bytes(d));
    om_pool_give(t->self->world->pool, om_sealed_release(d));
    return true;
}

enum om_err sim_lie(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b,
                    enum sim_lie_kind kind, struct sim_actor *about)
{
    struct teller t = {.self = a, .about = about, .node = a->node, .now = sim_node_clock(a)};
    bool is_told = false;

    if (!a->node || !b->node)
        return OM_E_STATE;
    if (kind == SIM_LIE_ANSWER) { /* before they meet */
        a->alibi = about;
        a->misled = b;
        return OM_OK;
    }
    if (!n)
        n = sim_common_network(a, b);
    t.to = om_peers_find(&a->node->peers, node_network(a->node, &n->id), sim_actor_id(b, n));
    t.session = t.to && t.to->assoc ? om_association_sealing(t.to->assoc, t.now) : NULL;
    const struct om_peer *back =
        om_peers_find(&b->node->peers, node_network(b->node, &n->id), sim_actor_id(a, n));
    if (!t.session || !back)
        return OM_E_NO_ROUTE;
    switch (kind) {
    case SIM_LIE_CANDIDATE:
        is_told = tell_candidates(&t, OM_CANDIDATES_MAX, OM_END_HOST);
        break;
    case SIM_LIE_PUNCH:
        is_told = tell_punch(&t);
        break;
    case SIM_LIE_SEEN:
        is_told = tell_seen(&t, back->assoc);
        break;
    case SIM_LIE_RECORD:
        is_told = tell_record(&t);
        break;
    case SIM_LIE_SOURCE:
        is_told = tell_source(&t, &b->addr);
        break;
    case SIM_LIE_ANSWER:
    case SIM_LIE_KIND_COUNT:
        break;
    }
    sim_node_drain(a);
    return is_told ? OM_OK : OM_E_BUSY;
}
