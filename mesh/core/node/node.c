/* node.c - making a node, what programs ask of it, and the four verbs. */
#include "node/join.h"
#include "node/keep.h"
#include "node/lane.h"
#include "node/block.h"
#include "node/ledger.h"
#include "node/member.h"
#include "node/services.h"
#include "node/size.h"
#include "node/study.h"
#include "node/why.h"
#include "service/words.h"

#include <stdlib.h>

#include <sodium.h>

enum { HOME_SEED_BYTES = 32 };

static void fini_vaults(struct om_node *n)
{
    if (n->home_seed)
        om_vault_give(n->seed_vault, n->home_seed);
    om_vault_free(n->seed_vault);
    om_vault_free(n->networks_vault);
    om_vault_free(n->handshakes);
}

/* What holds long-term secrets, before the session keys use up what may be locked. */
static enum om_err init_vaults(struct om_node *n, const uint8_t home_seed[static HOME_SEED_BYTES])
{
    n->seed_vault = om_vault_new(HOME_SEED_BYTES, 1, n->lock_secrets);
    n->networks_vault = om_vault_new(sizeof(struct om_network), OM_NETWORKS_MAX, n->lock_secrets);
    n->handshakes = om_vault_new(sizeof(struct om_handshake), n->limits.peers_max, n->lock_secrets);
    if (n->seed_vault && n->networks_vault && n->handshakes)
        n->home_seed = om_vault_take(n->seed_vault);
    if (!n->home_seed) {
        fini_vaults(n);
        return OM_E_NO_MEM;
    }
    memcpy(n->home_seed, home_seed, HOME_SEED_BYTES);
    return OM_OK;
}

static enum om_err init_parts(struct om_node *n, const uint8_t home_seed[static HOME_SEED_BYTES],
                              om_time now)
{
    enum om_err e = init_vaults(n, home_seed);

    if (e != OM_OK)
        return e;
    e = om_keyring_init(&n->keyring, n->sip_key, n->lock_secrets, now);
    if (e != OM_OK)
        goto no_keyring;
    static_assert((int)OM_VERIFIED_NETWORKS >= OM_NETWORKS_MAX, "each needs its share");
    om_verified_init(&n->verified, n->sip_key);
    e = om_sessions_init(&n->sessions, &n->keyring, &n->limits, &n->network_count, &n->rng,
                         n->lock_secrets);
    if (e != OM_OK)
        goto no_sessions;
    e = om_peers_init(&n->peers, n->limits.peers_max, n->sip_key);
    if (e != OM_OK)
        goto no_peers;
    e = om_responder_init(&n->responder, &n->limits, &n->rng, n->sip_key, now);
    if (e != OM_OK)
        goto no_responder;
    e = om_ring_init(&n->acts, sizeof(struct om_act), OM_ACTS_MAX);
    if (e != OM_OK)
        goto no_acts;
    e = om_table_init(&n->calls, sizeof(uint64_t), OM_CALLS_MAX, n->sip_key);
    if (e != OM_OK)
        goto no_calls;
    e = node_lane_start(n);
    OM_BUG_IF(e != OM_OK); /* its limits are ours */
    om_list_init(&n->ready);
    node_where_init(n);
    node_later_start(n, now);
    om_reach_init(&n->reach, now, n->sip_key);
    om_punch_memory_init(&n->punches, n->sip_key);
    om_hello_budget_init(&n->hello_budget, now);
    om_bucket_init(&n->responses, OM_RESPONSES_PER_S, OM_RESPONSES_PER_S, now);
    om_timers_init(&n->timers, 2 * n->limits.peers_max + 7 + OM_CALLS_MAX + 8 * OM_NETWORKS_MAX);
    return OM_OK;

no_calls:
    om_ring_fini(&n->acts);
no_acts:
    om_responder_fini(&n->responder);
no_responder:
    om_peers_fini(&n->peers);
    om_reach_fini(&n->reach);
    om_punch_memory_fini(&n->punches);
no_peers:
    om_sessions_fini(&n->sessions);
no_sessions:
    om_keyring_fini(&n->keyring);
no_keyring:
    fini_vaults(n);
    return e;
}

enum om_err om_node_new(struct om_node **out, const struct om_node_config *config, om_time now,
                        struct om_error *err)
{
    uint64_t seed;

    if (sodium_init() < 0) /* finds out what the processor can; harmless when done before */
        return om_fail(err, OM_E_CRYPTO, "libsodium does not start");
    enum om_err e = om_cipher_self_check(err);
    if (e != OM_OK)
        return e;
    if (om_pool_block(config->pool) < OM_BLOCK_BYTES)
        return om_fail(err, OM_E_RANGE, "datagram pool: blocks of %zu bytes: want at least %d",
                       om_pool_block(config->pool), OM_BLOCK_BYTES);
    struct om_node *n = calloc(1, sizeof *n);
    if (!n)
        return om_fail(err, OM_E_NO_MEM, "node: %s", om_err_text(OM_E_NO_MEM));
    n->rng = config->rng;
    n->pool = config->pool;
    n->log = config->log;
    n->limits = config->limits;
    n->wall = config->wall;
    n->wall_at = n->now = n->born_at = now;
    n->congestion = config->congestion == OM_CONGESTION_CUBIC ? &om_cubic_ops : &om_bbr_ops;
    n->audit = config->audit;
    n->lock_secrets = config->lock_secrets;
    n->ciphers = om_cipher_offered();
    if (config->ciphers)
        n->ciphers &= config->ciphers;
    n->version_min = config->version_min ? config->version_min : OM_VERSION;
    n->version_max = config->version_max ? config->version_max : OM_VERSION;
    n->wide = om_pool_new(OM_WIDE_BYTES, OM_WIDE_MAX);
    if (!n->wide) {
        free(n);
        return om_fail(err, OM_E_NO_MEM, "node: %s", om_err_text(OM_E_NO_MEM));
    }
    OM_BUG_IF(om_ring_init(&n->joined, sizeof(uint8_t *), OM_JOINED_MAX) != OM_OK);
    om_rng_fill(&n->rng, n->sip_key, sizeof n->sip_key);
    om_rng_fill(&n->rng, &seed, sizeof seed);
    om_prng_seed(&n->prng, seed);
    om_words_seed((uint32_t)om_prng_u64(&n->prng));
    e = init_parts(n, config->home_seed, now);
    if (e != OM_OK) {
        om_pool_free(n->wide);
        sodium_memzero(n, sizeof *n);
        free(n);
        return om_fail(err, e, "node: %s", om_err_text(e));
    }
    *out = n;
    return OM_OK;
}

void om_node_free(struct om_node *n)
{
    size_t at = 0;
    const void *key;
    void *peer;

    if (!n)
        return;
    for (struct om_act a; om_node_next(n, &a);)
        if (a.kind == OM_ACT_SEND)
            om_node_sent(n, a.send.dgram);
    while (om_table_next(&n->peers.table, &at, &key, &peer))
        node_peer_free(n, peer);
    for (at = 0; om_table_next(&n->calls, &at, &key, &peer);)
        node_call_free(peer);
    om_table_fini(&n->calls);
    node_gossip_stop(n);
    node_service_stop(n);
    node_join_stop(n);
    node_ledger_stop(n);
    node_block_stop(n);
    node_hello_stop(n);
    node_select_stop(n);
    node_study_stop(n);
    node_hairpin_stop(n);
    node_filter_stop(n);
    node_lane_stop(n);
    node_later_stop(n);
    om_timer_stop(&n->timers, &n->load_timer);
    om_timers_fini(&n->timers);
    node_sockets_fini(&n->sockets);
    om_ring_fini(&n->acts);
    om_responder_fini(&n->responder);
    om_peers_fini(&n->peers);
    om_reach_fini(&n->reach);
    om_punch_memory_fini(&n->punches);
    om_sessions_fini(&n->sessions);
    om_keyring_fini(&n->keyring);
    om_verified_fini(&n->verified);
    for (unsigned i = 0; i < n->network_count; i++)
        om_vault_give(n->networks_vault, n->networks[i]);
    fini_vaults(n);
    node_joined_free(n);
    om_ring_fini(&n->joined);
    om_pool_free(n->wide);
    sodium_memzero(n, sizeof *n);
    free(n);
}

void om_node_set_wall(struct om_node *n, om_time now, struct om_wall wall)
{
    n->wall = wall;
    n->wall_at = now;
    node_gossip_wall(n, now, wall);
    node_renew_wall(n, now);
}

int64_t node_unix_ms(const struct om_node *n, om_time now)
{
    return n->wall.unix_ms + (now - n->wall_at) / 1000;
}

struct om_network *node_network(const struct om_node *n, const struct om_id *id)
{
    for (unsigned i = 0; i < n->network_count; i++)
        if (om_id_equal(&n->networks[i]->id, id))
            return n->networks[i];
    return NULL;
}

enum om_err om_node_join(struct om_node *n, const struct om_network_config *config,
                         struct om_error *err)
{
    char id[OM_ID_TEXT];

    if (node_network(n, &config->id))
        return om_fail(err, OM_E_EXISTS, "network %s: already joined",
                       om_id_print(&config->id, id));
    if (n->network_count == OM_NETWORKS_MAX)
        return om_fail(err, OM_E_FULL, "network %s: already in %d, which is the most",
                       om_id_print(&config->id, id), OM_NETWORKS_MAX);
    struct om_network *net = om_vault_take(n->networks_vault);
    if (!net)
        return om_fail(err, OM_E_NO_MEM, "network: %s", om_err_text(OM_E_NO_MEM));
    net->id = config->id;
    net->is_open = config->open;
    if (!config->open)
        net->authority = config->authority;
    net->pins = config->pins;
    enum om_err e = om_identity_for_network(&net->self, n->home_seed, &net->id);
    if (e == OM_OK && config->chain.node.n > 0)
        e = node_member_set(n, n->wall_at, net, &config->chain);
    if (e == OM_OK)
        e = om_keyring_add(&n->keyring, n->wall_at, net, config->epoch, config->secret);
    if (e != OM_OK) {
        om_verified_leave(&n->verified, &net->id);
        om_vault_give(n->networks_vault, net);
        return om_fail(err, e, "network %s: %s", om_id_print(&config->id, id), om_err_text(e));
    }
    n->networks[n->network_count++] = net;
    if (node_ledger_start(n, n->network_count - 1) != OM_OK)
        return om_fail(err, OM_E_NO_MEM, "network %s: %s", om_id_print(&config->id, id),
                       om_err_text(OM_E_NO_MEM));
    if (net->credential_len > 0)
        node_member_shown(n, n->wall_at, net);
    if (node_service_start(n, n->network_count - 1) != OM_OK)
        return om_fail(err, OM_E_NO_MEM, "network %s: %s", om_id_print(&config->id, id),
                       om_err_text(OM_E_NO_MEM));
    if (config->gossip && node_gossip_start(n, n->network_count - 1) != OM_OK)
        return om_fail(err, OM_E_NO_MEM, "network %s: %s", om_id_print(&config->id, id),
                       om_err_text(OM_E_NO_MEM));
    return OM_OK;
}

enum om_err om_node_epoch(struct om_node *n, om_time now, const struct om_id *network,
                          uint32_t number, const uint8_t secret[static 32])
{
    struct om_network *net = node_network(n, network);

    if (!net)
        return OM_E_MISSING;
    if (node_ledger_of(n, network))
        return OM_E_STATE; /* its admins see to that */
    if (number <= net->current->number)
        return OM_E_RANGE;
    return om_keyring_add(&n->keyring, now, net, number, secret);
}

const struct om_id *om_node_id(const struct om_node *n, const struct om_id *network)
{
    const struct om_network *net = node_network(n, network);

    return net ? &net->self.id : NULL;
}

enum om_err om_node_id_ahead(const struct om_node *n, const struct om_id *network,
                             struct om_id *out)
{
    struct om_identity self;
    enum om_err e = om_identity_for_network(&self, n->home_seed, network);

    if (e == OM_OK)
        *out = self.id;
    om_identity_wipe(&self);
    return e;
}

enum om_err om_node_connect(struct om_node *n, om_time now, const struct om_id *network,
                            const struct om_id *peer, const struct om_addr *ends, unsigned count)
{
    struct om_network *net = node_network(n, network);
    struct om_peer *p;

    if (!net)
        return OM_E_MISSING;
    if (count > OM_ENDPOINTS_MAX)
        return OM_E_RANGE;
    enum om_err e = node_add_peer(n, net, peer, &p);
    if (e != OM_OK)
        return e;
    if (count > 0) {
        memcpy(p->ends, ends, count * sizeof *ends);
        p->end_count = count;
    }
    p->is_typed |= count > 0;
    for (unsigned i = 0; i < count; i++)
        (void)om_reach_exempt(&n->reach, now, &ends[i], peer, OM_NEVER);
    if (!om_peer_session(p, now)) {
        p->is_wanted = true;
        if (p->handshake && p->handshake->attempt > OM_HANDSHAKE_QUICK)
            node_end_handshake(n, p); /* someone asks: do not wait out the minute */
        node_need_session(n, now, p);
    }
    node_rearm(n, now, p);
    return OM_OK;
}

size_t om_node_send_max(const char *channel)
{
    return OM_PLAIN_MAX - OM_FRAME_HEAD - 1 - strnlen(channel, OM_CHANNEL_MAX);
}

enum om_err node_find_reachable(const struct om_node *n, const struct om_id *network,
                                const struct om_id *id, struct om_peer **out)
{
    const struct om_network *net = node_network(n, network);

    *out = net ? om_peers_find(&n->peers, net, id) : NULL;
    if (!*out)
        return OM_E_MISSING;
    if (!node_member_is_full(*out))
        return OM_E_NO_ROUTE;
    (*out)->used_at = n->now;
    if (om_peer_path_count(*out) > 0 || node_lane_may_reach(n, *out))
        return OM_OK;
    /* Its own handshake was answered: the way there comes with its first word. */
    return (*out)->assoc && (*out)->assoc->unconfirmed ? OM_OK : OM_E_NO_ROUTE;
}

/* A buffer for what a program sends. What would have to wait leaves the last quarter of the pool
 * alone: without it no handshake could leave, and all of it would wait for ever. */
static struct om_buf *take_for(struct om_node *n, om_time now, const struct om_peer *p,
                               size_t plain)
{
    unsigned max = om_pool_max(n->pool), left = max - om_pool_live(n->pool);

    if (left <= max / 4 && !om_peer_session(p, now))
        return NULL;
    return node_room(n, plain);
}

enum om_err node_send_datagram(struct om_node *n, om_time now, struct om_peer *p,
                               const char *channel, struct om_bytes data)
{
    size_t name = strnlen(channel, OM_CHANNEL_MAX + 1);

    bool is_ours = strncmp(channel, OM_CHANNEL_OURS, strlen(OM_CHANNEL_OURS)) == 0;
    size_t most = is_ours ? OM_PROBE_BYTES_MAX : om_node_send_max(channel);
    if (name == 0 || name > OM_CHANNEL_MAX || data.n > most)
        return OM_E_RANGE;
    struct om_buf *b = take_for(n, now, p, OM_FRAME_HEAD + 1 + name + data.n);
    if (!b)
        return OM_E_BUSY;
    size_t size = OM_FRAME_HEAD + 1 + name + data.n;
    struct om_wr w = om_wr(om_mut(om_buf_put(b, size), size));
    om_frame_write_datagram(&w, channel, data);
    node_send_frames(n, now, p, b);
    return OM_OK;
}

enum om_err om_node_send(struct om_node *n, om_time now, const struct om_id *network,
                         const struct om_id *peer, const char *channel, struct om_bytes data)
{
    struct om_peer *p;
    enum om_err e = node_find_reachable(n, network, peer, &p);

    if (e != OM_OK)
        return e;
    if (strncmp(channel, OM_CHANNEL_OURS, strlen(OM_CHANNEL_OURS)) == 0)
        return OM_E_RANGE;
    return node_send_datagram(n, now, p, channel, data);
}

enum om_err om_node_ping(struct om_node *n, om_time now, const struct om_id *network,
                         const struct om_id *peer, uint64_t token)
{
    struct om_peer *p;
    enum om_err e = node_find_reachable(n, network, peer, &p);

    if (e != OM_OK)
        return e;
    struct om_buf *b = take_for(n, now, p, OM_FRAME_HEAD + 8);
    if (!b)
        return OM_E_BUSY;
    struct om_wr w = om_wr(om_mut(om_buf_put(b, OM_FRAME_HEAD + 8), OM_FRAME_HEAD + 8));
    om_frame_write_ping(&w, token);
    node_send_frames(n, now, p, b);
    return OM_OK;
}

enum om_err om_node_close(struct om_node *n, om_time now, const struct om_id *network,
                          const struct om_id *peer, uint32_t code, const char *text)
{
    const struct om_network *net = node_network(n, network);
    struct om_peer *p = net ? om_peers_find(&n->peers, net, peer) : NULL;

    if (!p)
        return OM_E_MISSING;
    node_close(n, now, p, code, text ? text : "");
    node_rearm(n, now, p);
    return OM_OK;
}

enum om_err om_node_recall(struct om_node *n, const struct om_act_remember *r)
{
    const struct om_network *net;

    if (r->kind == OM_REMEMBER_CLOCK) {
        if (r->value > n->stamp_last)
            n->stamp_last = r->value;
        return OM_OK;
    }
    net = node_network(n, &r->network);
    if (!net)
        return OM_E_MISSING;
    return om_peers_set_stamp(&n->peers, net, &r->peer, r->value);
}

void om_node_tick(struct om_node *n, om_time now)
{
    struct om_timer *t;

    n->now = now;
    node_joined_free(n);
    while ((t = om_timers_pop(&n->timers, now)) != NULL) {
        if (t == &n->load_timer)
            node_load_tick(n, now);
        else if (t->fire)
            t->fire(t, now);
        else
            node_peer_tick(n, now, OM_CONTAINER_OF(t, struct om_peer, timer));
    }
}

bool om_node_next(struct om_node *n, struct om_act *out)
{
    for (;;) {
        /* First what must be kept: the actions that wait may tell others of it. */
        if (node_ledger_tell(n, out))
            return true;
        enum node_step step = node_join_tell(n, out);
        if (step == NODE_TOLD)
            return true;
        if (step == NODE_WORKED)
            continue;
        const struct om_act *a = om_ring_front(&n->acts);
        if (a) {
            *out = *a;
            om_ring_pop(&n->acts);
            return true;
        }
        if (node_sockets_next(n, out) || node_call_next(n, out))
            return true;
        step = node_lane_next(n);
        if (step == NODE_IDLE)
            step = node_service_next(n, out);
        if (step == NODE_IDLE)
            step = node_ledger_next(n, out);
        if (step == NODE_IDLE)
            step = node_join_next(n, out);
        if (step == NODE_IDLE)
            step = node_gossip_next(n, out);
        if (step != NODE_WORKED) /* which may have made actions */
            return step == NODE_TOLD;
    }
}

om_time om_node_deadline(const struct om_node *n)
{
    return om_timers_deadline(&n->timers);
}

void om_node_trim(struct om_node *n)
{
    size_t at = 0;
    const void *key;
    void *peer;

    om_pool_trim(n->wide);
    om_ring_trim(&n->acts);
    while (om_table_next(&n->peers.table, &at, &key, &peer))
        if (((struct om_peer *)peer)->carrier)
            om_carrier_trim(((struct om_peer *)peer)->carrier);
}

void om_node_sent(struct om_node *n, struct om_sealed *s)
{
    node_give(n, om_sealed_release(s));
}
