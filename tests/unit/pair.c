/* pair.c - the driver of two nodes. */
#include "pair.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "crypto/kdf.h"

/* Seeded randomness that also notes its 32-byte draws, so that a test may know ephemeral keys. */
static void fill(void *self, void *dst, size_t n)
{
    struct pair_side *s = self;
    uint8_t *at = dst;

    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)om_prng_u64(&s->prng);
    if (n == 32 && s->drawn_count < OM_ARRAY_SIZE(s->drawn))
        memcpy(s->drawn[s->drawn_count++], dst, 32);
}

struct pair_options pair_defaults(void)
{
    struct pair_options o = {.seed = 1, .audit = true};

    om_limits_default(&o.limits);
    return o;
}

static bool make_node(struct pair *p, int i, const struct pair_options *o)
{
    struct pair_side *s = &p->side[i];
    struct om_node_config c = {
        .home_seed = s->seed,
        .rng = {fill, s},
        .pool = p->pool,
        .wall = {INT64_C(1000) * PAIR_WALL_MS + p->now / 1000 + o->wall_skew_ms[i]},
        .limits = o->limits,
        .ciphers = o->ciphers[i],
        .version_min = o->version[i],
        .version_max = o->version[i],
        .lock_secrets = o->lock_secrets,
        .audit = o->audit,
    };
    struct om_network_config net = {.id = p->network,
                                    .open = !o->closed,
                                    .epoch = o->epoch[i],
                                    .authority = o->authority,
                                    .chain = o->chain[i]};
    uint8_t which[2] = {(uint8_t)o->epoch[i], (uint8_t)(o->wrong_secret && i == 1)};

    om_hash(net.secret, om_bytes("secret", 6), om_bytes(which, sizeof which));
    if (om_node_new(&s->node, &c, p->now, NULL) != OM_OK)
        return false;
    if (om_node_join(s->node, &net, NULL) != OM_OK) {
        om_node_free(s->node);
        s->node = NULL;
        return false;
    }
    s->id = *om_node_id(s->node, &p->network);
    return true;
}

enum { NETWORK = 0x4e, SEED = 0x10 };

struct om_identity pair_identity(int side)
{
    struct om_identity self = {.id = {{0}}};
    struct om_id network;
    uint8_t seed[32];

    memset(network.b, NETWORK, sizeof network.b);
    memset(seed, SEED + side, sizeof seed);
    OM_BUG_IF(om_identity_for_network(&self, seed, &network) != OM_OK);
    return self;
}

bool pair_init(struct pair *p, const struct pair_options *o)
{
    *p = (struct pair){.now = OM_SEC(1)};
    memset(p->network.b, NETWORK, sizeof p->network.b);
    p->tape = calloc(PAIR_TAPE_MAX, sizeof *p->tape);
    p->pool = om_pool_new(OM_BLOCK_BYTES, 512);
    if (!p->pool || !p->tape)
        goto fail;
    for (int i = 0; i < 2; i++) {
        struct pair_side *s = &p->side[i];
        om_prng_seed(&s->prng, o->seed * 2 + (unsigned)i);
        memset(s->seed, SEED + i, sizeof s->seed);
        s->addr = om_addr_v4(0x0a000001u + (unsigned)i, 18002);
        if (!make_node(p, i, o))
            goto fail;
    }
    return true;
fail:
    pair_fini(p);
    return false;
}

void pair_fini(struct pair *p)
{
    for (int i = 0; i < 2; i++)
        om_node_free(p->side[i].node);
    om_pool_free(p->pool);
    for (unsigned i = 0; p->tape && i < p->sent; i++)
        free(p->tape[i].bytes);
    free(p->tape);
    memset(p, 0, sizeof *p);
}

static void record(struct pair *p, int from, const struct om_act_send *send)
{
    struct om_bytes b = om_sealed_bytes(send->dgram);
    struct pair_dgram *d = &p->tape[p->sent];

    if (p->sent == PAIR_TAPE_MAX || !om_addr_equal(&send->via.remote, &p->side[!from].addr))
        return;
    *d = (struct pair_dgram){p->now + OM_MS(PAIR_DELAY_MS), !from, malloc(b.n), b.n};
    if (!d->bytes)
        return;
    memcpy(d->bytes, b.p, b.n);
    p->sent++;
}

static void act(struct pair *p, int i, const struct om_act *a)
{
    struct pair_side *s = &p->side[i];

    switch (a->kind) {
    case OM_ACT_SOCKETS:
        break;
    case OM_ACT_SEND:
        record(p, i, &a->send);
        om_node_sent(s->node, a->send.dgram);
        break;
    case OM_ACT_DELIVER:
        s->delivered++;
        memset(s->last, 0, sizeof s->last);
        memcpy(s->last, a->deliver.data.p,
               a->deliver.data.n < sizeof s->last ? a->deliver.data.n : sizeof s->last - 1);
        break;
    case OM_ACT_IP:
        s->packets++;
        s->packet_bytes = a->ip.packet.n;
        memcpy(s->last, a->ip.packet.p,
               a->ip.packet.n < sizeof s->last ? a->ip.packet.n : sizeof s->last - 1);
        break;
    case OM_ACT_PONG:
        s->pongs++;
        break;
    case OM_ACT_EVENT:
        s->events[a->event.kind]++;
        break;
    case OM_ACT_RECORD:
    case OM_ACT_ITEM:
    case OM_ACT_MESSAGE:
    case OM_ACT_RECEIPT:
    case OM_ACT_STATUS:
    case OM_ACT_HEALTH:
    case OM_ACT_FOUND:
    case OM_ACT_MEMBER:
    case OM_ACT_CALL:
    case OM_ACT_REPLY:
    case OM_ACT_STREAM:
        if (p->on_call)
            p->on_call(p, i, a);
        break;
    case OM_ACT_REMEMBER:
        if (a->remember.kind == OM_REMEMBER_CLOCK)
            s->clock = a->remember;
        else
            s->peer = a->remember;
        break;
    }
}

static void drain(struct pair *p)
{
    struct om_act a;

    for (int i = 0; i < 2; i++)
        while (p->side[i].node && om_node_next(p->side[i].node, &a))
            act(p, i, &a);
}

bool pair_restart(struct pair *p, int side, const struct pair_options *o, bool recall)
{
    struct pair_side *s = &p->side[side];

    om_node_free(s->node);
    s->node = NULL;
    if (!make_node(p, side, o))
        return false;
    if (recall && s->clock.value)
        return om_node_recall(s->node, &s->clock) == OM_OK &&
               (s->peer.value == 0 || om_node_recall(s->node, &s->peer) == OM_OK);
    return true;
}

enum om_err pair_connect(struct pair *p, int from)
{
    struct pair_side *s = &p->side[from], *t = &p->side[!from];
    enum om_err e = om_node_connect(s->node, p->now, &p->network, &t->id, &t->addr, 1);

    drain(p);
    return e;
}

enum om_err pair_send(struct pair *p, int from, const char *text)
{
    enum om_err e = om_node_send(p->side[from].node, p->now, &p->network, &p->side[!from].id,
                                 "test", om_bytes(text, strlen(text)));

    drain(p);
    return e;
}

void pair_inject_from(struct pair *p, int to, const struct om_addr *from, const void *bytes,
                      size_t len)
{
    uint8_t *copy = malloc(len ? len : 1); /* its own block: reads past the end are seen */
    struct om_dgram d = {.via.remote = *from, .data = copy, .len = len};

    if (!copy)
        return;
    if (len)
        memcpy(copy, bytes, len);
    om_node_input(p->side[to].node, p->now, &d, 1);
    drain(p);
    sodium_memzero(copy, len); /* opened in place: as a host does */
    free(copy);
}

void pair_inject(struct pair *p, int to, const void *bytes, size_t len)
{
    pair_inject_from(p, to, &p->side[!to].addr, bytes, len);
}

void pair_run(struct pair *p, om_time until)
{
    drain(p);
    for (;;) {
        const struct pair_dgram *d = p->arrived < p->sent ? &p->tape[p->arrived] : NULL;
        om_time at = d ? d->at : OM_NEVER;

        for (int i = 0; i < 2; i++)
            at = om_time_min(at, om_node_deadline(p->side[i].node));
        if (at > until)
            break;
        p->now = at > p->now ? at : p->now;
        if (d && d->at <= p->now) {
            p->arrived++;
            if (!p->filter || p->filter(p, d))
                pair_inject(p, d->to, d->bytes, d->len);
        }
        for (int i = 0; i < 2; i++)
            om_node_tick(p->side[i].node, p->now);
        drain(p);
    }
    p->now = until;
}

struct om_peer_info pair_peer(const struct pair *p, int side)
{
    struct om_peer_info info = {.cipher = ""};

    if (om_node_peer_info(p->side[side].node, p->now, &p->network, &p->side[!side].id, &info) !=
        OM_OK)
        info.cipher = "unknown peer";
    return info;
}

struct om_node_info pair_info(const struct pair *p, int side)
{
    struct om_node_info info;

    om_node_info(p->side[side].node, &info);
    return info;
}
