/* member.c - who is a member of what, by certificate. */
#include "member.h"

#include <string.h>

#include <sodium.h>

#include <omerta/authority.h>
#include <omerta/rotate.h>

#include "network/epoch.h"
#include "network/join_link.h"
#include "node/ledger.h"

enum { DAY_S = 24 * 3600, LIFE_S = 90 * DAY_S, LONG_AGO_S = 100 * DAY_S };

static struct om_identity from_seed(const uint8_t seed[static 32])
{
    struct om_identity who = {.id = {{0}}};
    uint8_t next[32];

    memcpy(next, seed, sizeof next);
    while (om_identity_from_seed(&who, next) != OM_OK)
        sodium_increment(next, sizeof next);
    return who;
}

static struct om_identity authority_of(const struct sim_network *n)
{
    return from_seed(n->authority_seed);
}

void sim_member_close(struct sim_world *w, struct sim_network *n)
{
    struct om_join_link l = {.is_open = false};

    sim_network_secret(w, n, UINT32_MAX, true, n->authority_seed); /* of no epoch */
    n->is_closed = true;
    l.authority = n->authority = authority_of(n).id;
    om_join_link_network(&n->id, &l);
}

static struct om_identity identity_of(const struct sim_actor *a, const struct sim_network *n)
{
    struct om_identity self = {.id = {{0}}};

    if (om_identity_for_network(&self, a->home_seed, &n->id) != OM_OK)
        sim_break(a->world, "%s: has no key in network %s", a->name, n->name);
    return self;
}

static void admin_cert(const struct sim_actor *a, const struct sim_network *n,
                       uint8_t out[static OM_ADMIN_CERT_BYTES])
{
    const struct om_identity authority = authority_of(n);
    const struct om_admin_cert c = {.rights = OM_RIGHT_MEMBERS,
                                    .number = 1,
                                    .issued = (uint32_t)(SIM_WALL_MS / 1000 - DAY_S),
                                    .expires = (uint32_t)(SIM_WALL_MS / 1000 + LIFE_S),
                                    .key = identity_of(a, n).id};

    om_admin_cert_encode(out, &c, &authority, &n->id);
}

/* What @a has to show in @n; empty for nothing. */
static struct om_bytes node_cert(const struct sim_actor *a, const struct sim_network *n,
                                 uint8_t out[static OM_NODE_CERT_MAX])
{
    const int64_t now_s = SIM_WALL_MS / 1000;
    const struct om_identity authority = authority_of(n);
    struct om_node_cert c = {.number = 1,
                             .issued = (uint32_t)(now_s - DAY_S),
                             .expires = (uint32_t)(now_s + LIFE_S),
                             .key = identity_of(a, n).id};

    if (a->spec.cert == SIM_CERT_NONE || a->spec.cert == SIM_CERT_LINK ||
        a->spec.cert == SIM_CERT_OPEN)
        return om_bytes(NULL, 0);
    if (a->spec.cert == SIM_CERT_ADMIN)
        c.roles = OM_ROLE_ADMIN;
    if (a->spec.cert == SIM_CERT_RELAY)
        c.roles = OM_ROLE_RELAY;
    if (a->spec.cert == SIM_CERT_EXPIRED || a->spec.cert == SIM_CERT_OLD) {
        c.issued = (uint32_t)(now_s - (a->spec.cert == SIM_CERT_OLD ? 2 : 1) * LONG_AGO_S);
        c.expires = c.issued + LIFE_S;
    }
    if (om_cert_is_name(a->name, strlen(a->name)))
        memcpy(c.name, a->name, strlen(a->name) + 1);
    return om_bytes(out, om_node_cert_encode(out, &c, &authority, &n->id));
}

bool sim_member_is_in(const struct sim_actor *a, const struct sim_network *n)
{
    return a->node && om_node_id(a->node, &n->id) &&
           (!n->is_closed || a->spec.cert != SIM_CERT_LINK || a->is_let_in);
}

static bool know(struct sim_actor *a, const struct sim_network *n, struct om_error *err)
{
    const struct om_id *id = sim_actor_id(a, n);

    if (sim_actor_by_id(a->world, id) == a || om_table_put(&a->world->by_id, id->b, a) == OM_OK)
        return true;
    om_fail(err, OM_E_EXISTS, "its key is another's");
    return false;
}

void sim_member_told(struct sim_actor *a, const struct om_act_member *m)
{
    if (m->news != OM_MEMBER_EPOCH)
        return;
    a->epochs = (struct sim_epochs){.network = m->network, .number = m->epoch, .len = m->epochs.n};
    memcpy(a->epochs.secret, m->secret, sizeof a->epochs.secret);
    memcpy(a->epochs.kept, m->epochs.p, m->epochs.n);
}

static bool has_epochs(const struct sim_actor *a, const struct sim_network *n)
{
    return a->epochs.len > 0 && om_id_equal(&a->epochs.network, &n->id);
}

bool sim_member_join(struct sim_actor *a, const struct sim_network *n, struct om_error *err)
{
    uint8_t node[OM_NODE_CERT_MAX], admin[OM_ADMIN_CERT_BYTES];
    struct om_network_config c = {
        .id = n->id, .open = n->is_open, .epoch = n->epoch, .gossip = a->spec.gossip};

    a->is_let_in = false;
    if (n->is_closed && a->spec.cert == SIM_CERT_LINK)
        return know(a, n, err);
    if (n->is_closed) {
        c.authority = n->authority;
        c.chain.node = node_cert(a, n, node);
        c.open = a->spec.cert == SIM_CERT_OPEN;
    }
    sim_network_secret(a->world, n, n->epoch, a->spec.wrong_secret, c.secret);
    if (has_epochs(a, n)) {
        c.epoch = a->epochs.number;
        memcpy(c.secret, a->epochs.secret, sizeof c.secret);
    }
    if (om_node_join(a->node, &c, err) != OM_OK)
        return false;
    if (has_epochs(a, n) && om_node_epochs(a->node, sim_node_clock(a), &n->id,
                                           om_bytes(a->epochs.kept, a->epochs.len)) != OM_OK)
        sim_break(a->world, "%s: takes not back what it told of its epochs", a->name);
    if (n->is_closed && a->spec.cert == SIM_CERT_ADMIN) {
        admin_cert(a, n, admin);
        enum om_err e =
            om_node_admin(a->node, sim_node_clock(a), &n->id, om_bytes(admin, sizeof admin));
        if (e != OM_OK) {
            om_fail(err, e, "it cannot be an admin");
            return false;
        }
    }
    if (n->is_closed && a->spec.cert >= SIM_CERT_ALIEN)
        sim_member_pretend(a, n);
    return know(a, n, err);
}

/* By which the logs know invitation @token, for @uses. */
static void invite_of(uint8_t out[static OM_CERT_INVITE], uint64_t token, uint16_t uses)
{
    out[0] = (uint8_t)(uses >> 8);
    out[1] = (uint8_t)uses;
    memcpy(out + 2, &token, OM_CERT_INVITE - 2);
}

/* The invitation @i to @n into @l. */
static void write_link(struct om_join_link *l, const struct sim_network *n,
                       const struct sim_invite *i)
{
    const struct om_identity by = identity_of(i->by, n);
    const int64_t made_s = SIM_WALL_MS / 1000 + (i->by->world->now - i->age) / OM_SEC(1);
    uint8_t secret[32];
    struct om_grant g = {
        .uses = i->uses, .issued = (uint32_t)made_s, .expires = (uint32_t)(made_s + DAY_S)};

    *l = (struct om_join_link){.has_admin = true, .authority = n->authority, .epoch = n->epoch};
    sim_network_secret(i->by->world, n, n->epoch, false, secret);
    om_epoch_join_secret(l->secret, secret);
    invite_of(g.invite, i->token, i->uses);
    memcpy(l->seed, &i->token, sizeof i->token);
    struct om_identity key = from_seed(l->seed);
    memcpy(l->seed, key.seed, sizeof l->seed);
    g.key = key.id;
    om_grant_encode(l->grant, &g, &by, &n->id);
    admin_cert(i->by, n, l->admin);
    for (unsigned k = 0; k < i->peer_count && k < OM_JOIN_PEERS_MAX; k++)
        l->peers[l->peer_count++] =
            (struct om_join_peer){*sim_actor_id(i->peers[k], n), i->peers[k]->addr};
}

enum om_err sim_member_invited(struct sim_actor *a, const struct sim_network *n,
                               const struct sim_invite *i)
{
    const char *name = om_cert_is_name(a->name, strlen(a->name)) ? a->name : "";
    char text[OM_JOIN_TEXT];
    struct om_join_link l;
    struct om_id network;

    if (!a->node)
        return OM_E_STATE;
    write_link(&l, n ? n : &a->world->networks[a->spec.networks[0]], i);
    om_join_link_print(text, &l);
    enum om_err e = om_node_join_by_link(a->node, sim_node_clock(a), text, name, &network, NULL);
    sim_node_drain(a);
    return e;
}

enum om_err sim_member_void(struct sim_actor *a, const struct sim_network *n, uint64_t token,
                            uint16_t uses)
{
    uint8_t invite[OM_CERT_INVITE];

    if (!n)
        n = &a->world->networks[a->spec.networks[0]];
    if (!a->node)
        return OM_E_STATE;
    invite_of(invite, token, uses);
    enum om_err e = om_node_void(a->node, sim_node_clock(a), &n->id, invite);
    sim_node_drain(a);
    return e;
}

enum om_err sim_member_certify(struct sim_actor *a, const struct sim_network *n)
{
    struct om_identity authority;
    struct om_certs c;

    if (!n)
        n = &a->world->networks[a->spec.networks[0]];
    if (!a->node || !n->is_closed)
        return OM_E_STATE;
    authority = authority_of(n);
    om_time now = sim_node_clock(a);
    uint32_t now_s = (uint32_t)(node_unix_ms(a->node, now) / 1000);
    enum om_err e = om_authority_certify(&c, authority.seed, sim_actor_id(a, n), a->name, now_s);
    const struct om_cert_chain chain = {.node = om_bytes(c.node, c.node_len)};
    if (e == OM_OK)
        e = om_node_credential(a->node, now, &n->id, &chain);
    if (e == OM_OK)
        e = om_node_authority(a->node, &n->id, authority.seed);
    if (e == OM_OK)
        e = om_node_admin(a->node, now, &n->id, om_bytes(c.admin, c.admin_len));
    sim_node_drain(a);
    return e;
}

enum om_err sim_member_revoke(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b)
{
    if (!n)
        n = &a->world->networks[a->spec.networks[0]];
    if (!a->node)
        return OM_E_STATE;
    enum om_err e = om_node_revoke(a->node, sim_node_clock(a), &n->id, sim_actor_id(b, n));
    sim_node_drain(a);
    return e;
}

enum om_err sim_member_oust(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b,
                            unsigned honour)
{
    struct sim_network *in = &a->world->networks[n ? n - a->world->networks : a->spec.networks[0]];
    const struct om_identity authority = authority_of(in);
    const struct node_ledger *g = b->node ? node_ledger_of(b->node, &in->id) : NULL;
    const struct om_ledger_log *log = g ? om_ledger_log(&g->all, sim_actor_id(b, in)) : NULL;
    struct om_admin_entry e = {.number = in->said + 1, .kind = OM_ADMIN_REVOKED, .last = honour};
    uint8_t entry[OM_ADMIN_ENTRY_MAX], part[OM_LEDGER_ANSWER_LEAST];

    if (!a->node || !log)
        return OM_E_STATE;
    if (honour > log->count)
        return OM_E_MISSING;
    memcpy(e.previous, in->said_last, sizeof e.previous);
    memcpy(e.subject, sim_actor_id(b, in)->b, sizeof e.subject);
    if (honour > 0)
        memcpy(e.last_hash, log->entries[honour - 1]->hash, sizeof e.last_hash);
    const struct om_ledger_told told = {
        .owner = &in->authority,
        .bytes = om_bytes(entry, om_admin_entry_encode(entry, &e, &authority, &in->id))};
    om_admin_entry_hash(in->said_last, told.bytes);
    in->said++;
    enum om_err err = om_node_ledger(a->node, sim_node_clock(a), &in->id,
                                     om_bytes(part, om_ledger_part(part, &told)));
    sim_node_drain(a);
    return err;
}

/* Somebody of no network, the same each time. */
static struct om_identity nobody(uint8_t which)
{
    const uint8_t seed[32] = {0x1b, which};

    return from_seed(seed);
}

/* That @key is an admin's of @n, as @by says. */
static void make_admin(uint8_t out[static OM_ADMIN_CERT_BYTES], const struct sim_network *n,
                       const struct om_id *key, const struct om_identity *by, uint8_t rights)
{
    const struct om_admin_cert c = {.rights = rights,
                                    .number = 1,
                                    .issued = (uint32_t)(SIM_WALL_MS / 1000 - DAY_S),
                                    .expires = (uint32_t)(SIM_WALL_MS / 1000 + LIFE_S),
                                    .key = *key};

    om_admin_cert_encode(out, &c, by, &n->id);
}

void sim_member_pretend(const struct sim_actor *a, const struct sim_network *n)
{
    const struct om_identity authority = authority_of(n), alien = nobody(1), middle = nobody(2);
    const struct om_identity admin = nobody(3);
    const struct om_identity *signer = &admin, *maker = &authority;
    struct om_node_cert c = {.number = 1,
                             .issued = (uint32_t)(SIM_WALL_MS / 1000 - DAY_S),
                             .expires = (uint32_t)(SIM_WALL_MS / 1000 + LIFE_S),
                             .key = identity_of(a, n).id};
    uint8_t node[OM_NODE_CERT_MAX], of_admin[OM_ADMIN_CERT_BYTES];
    uint8_t rights = OM_RIGHT_MEMBERS;
    bool has_admin = true;

    switch (a->spec.cert) {
    case SIM_CERT_ALIEN:
        maker = &alien;
        break;
    case SIM_CERT_BYMEMBER:
        has_admin = false;
        break;
    case SIM_CERT_NORIGHT:
        rights = 0;
        break;
    case SIM_CERT_CHAIN:
        maker = &middle; /* whom the authority did make one, which nobody can show */
        break;
    case SIM_CERT_STOLEN:
        signer = &authority;
        has_admin = false;
        c.key = nobody(4).id;
        break;
    default:
        return;
    }
    make_admin(of_admin, n, &admin.id, maker, rights);
    const struct om_cert_chain chain = {
        om_bytes(node, om_node_cert_encode(node, &c, signer, &n->id)),
        om_bytes(of_admin, has_admin ? sizeof of_admin : 0)};
    if (om_credential_set(node_network(a->node, &n->id), &chain) != OM_OK)
        sim_break(a->world, "%s: cannot pretend", a->name);
}

enum om_err sim_member_rotate(struct sim_actor *a, const struct sim_network *n)
{
    if (!n)
        n = &a->world->networks[a->spec.networks[0]];
    if (!a->node)
        return OM_E_STATE;
    enum om_err e = om_node_rotate(a->node, sim_node_clock(a), &n->id);
    sim_node_drain(a);
    return e;
}
