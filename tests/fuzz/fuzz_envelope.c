/*
 * fuzz_envelope.c - a node with a live session: any datagram, and any frames in a sealed one
 *
 * The first byte chooses: the rest arrives as it is (nothing may be delivered), or the rest is
 * what an authenticated peer sealed (nothing may break).
 */
#include "fuzz.h"
#include "node/state.h"
#include "pair.h"

static struct pair world;

static void make_world(void)
{
    struct pair_options o = pair_defaults();

    o.audit = false;
    FUZZ_MUST(pair_init(&world, &o));
}

static struct om_session *live_session(void)
{
    struct om_node *a = world.side[0].node;
    struct om_peer *p = om_peers_find(&a->peers, a->networks[0], &world.side[1].id);

    if (!p || !p->assoc || !p->assoc->carry) {
        FUZZ_MUST(pair_connect(&world, 0) == OM_OK);
        pair_run(&world, world.now + OM_SEC(1));
        p = om_peers_find(&a->peers, a->networks[0], &world.side[1].id);
    }
    FUZZ_MUST(p && p->assoc && p->assoc->carry);
    return p->assoc->carry;
}

static void sealed_input(const uint8_t *data, size_t size)
{
    struct om_session *s = live_session();
    struct om_association *a = s->peer->assoc;
    struct om_buf *b = om_pool_take(world.pool, OM_HEADROOM);
    struct om_sealed *d;

    FUZZ_MUST(b != NULL);
    if (size > OM_PLAIN_MAX)
        size = OM_PLAIN_MAX;
    if (size)
        memcpy(om_buf_put(b, size), data, size);
    FUZZ_MUST(om_seal(&d, s, a->counter++, b) == OM_OK);
    struct om_bytes bytes = om_sealed_bytes(d);
    pair_inject(&world, 1, bytes.p, bytes.n);
    om_pool_give(world.pool, om_sealed_release(d));
    pair_run(&world, world.now + OM_MS(100));
    /* A protocol error closes the far end; the next input begins a new session. */
    if (!pair_peer(&world, 1).has_session)
        (void)!om_node_close(world.side[0].node, world.now, &world.network, &world.side[1].id, 0,
                             NULL);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (!world.pool || world.sent > PAIR_TAPE_MAX / 2) {
        if (world.pool)
            pair_fini(&world);
        make_world();
    }
    if (data[0] & 1) {
        sealed_input(data + 1, size - 1);
        return 0;
    }
    live_session();
    unsigned before = world.side[1].delivered;
    pair_inject(&world, 1, data + 1, size - 1);
    FUZZ_MUST(world.side[1].delivered == before);
    return 0;
}
