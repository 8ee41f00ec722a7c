/* authority.c - the key that a closed network begins with. */
#include <omerta/authority.h>

#include <sodium.h>
#include <string.h>

#include "crypto/identity.h"
#include "network/cert.h"
#include "network/epoch.h"
#include "network/issuer.h"
#include "network/join_link.h"

static_assert((int)OM_CHAIN_NODE_MAX >= (int)OM_NODE_CERT_MAX, "a node certificate does not fit");
static_assert((int)OM_CHAIN_ADMIN_MAX == (int)OM_ADMIN_CERT_BYTES, "an admin's does not fit");

void om_authority_new(struct om_network_link *out, uint8_t seed[static 32],
                      const struct om_rng *rng)
{
    struct om_identity key;

    *out = (struct om_network_link){.kind = OM_NETWORK_CLOSED};
    om_rng_fill(rng, out->secret, sizeof out->secret);
    do /* every other one will do */
        om_rng_fill(rng, seed, 32);
    while (om_identity_from_seed(&key, seed) != OM_OK);
    out->authority = key.id;
    om_identity_wipe(&key);
    om_network_link_derive(out);
}

enum om_err om_invite_read(struct om_invite_seen *out, const char *link, struct om_error *err)
{
    struct om_join_link l;
    struct om_grant g;
    enum om_err e = om_join_link_parse(&l, link, err);

    if (e != OM_OK)
        return e;
    if (l.is_open || om_grant_decode(&g, om_bytes(l.grant, sizeof l.grant)) != OM_OK) {
        e = om_fail(err, OM_E_PARSE, "the link holds no invitation");
    } else {
        *out = (struct om_invite_seen){
            .what = {.uses = g.uses, .roles = g.role, .issued = g.issued, .expires = g.expires}};
        om_join_link_network(&out->network, &l);
        memcpy(out->id, g.invite, sizeof out->id);
    }
    sodium_memzero(&l, sizeof l);
    return e;
}

static void network_of(struct om_id *out, const struct om_identity *authority)
{
    const struct om_join_link l = {.authority = authority->id};

    om_join_link_network(out, &l);
}

enum om_err om_authority_certify(struct om_certs *out, const uint8_t seed[static 32],
                                 const struct om_id *self, const char *name, uint32_t now_s)
{
    struct om_node_cert node = {.roles = OM_ROLE_RELAY | OM_ROLE_PROVIDER | OM_ROLE_ADMIN,
                                .issued = now_s,
                                .expires = now_s + OM_CERT_LIFE_S,
                                .key = *self};
    const struct om_admin_cert admin = {.rights = OM_RIGHT_MEMBERS,
                                        .issued = now_s,
                                        .expires = now_s + OM_CERT_LIFE_S,
                                        .key = *self};
    struct om_identity authority;
    struct om_id network;
    size_t n = strlen(name);

    if (n > 0 && !om_cert_is_name(name, n))
        return OM_E_RANGE;
    if (om_identity_from_seed(&authority, seed) != OM_OK)
        return OM_E_CRYPTO;
    memcpy(node.name, name, n);
    node.overlay = om_issuer_overlay(self); /* the first member: nobody has it */
    network_of(&network, &authority);
    out->node_len = om_node_cert_encode(out->node, &node, &authority, &network);
    om_admin_cert_encode(out->admin, &admin, &authority, &network);
    out->admin_len = sizeof out->admin;
    om_identity_wipe(&authority);
    return OM_OK;
}

enum om_err om_authority_invite(char text[static OM_NETWORK_LINK_TEXT],
                                const uint8_t seed[static 32], const struct om_network_link *l,
                                const struct om_invite *i, const struct om_rng *rng)
{
    struct om_join_link j = {
        .authority = l->authority, .epoch = l->epoch, .peer_count = l->peer_count};
    struct om_identity authority;

    if (om_identity_from_seed(&authority, seed) != OM_OK)
        return OM_E_CRYPTO;
    om_epoch_join_secret(j.secret, l->secret);
    om_join_link_invite(&j, i, &authority, &l->id, rng);
    for (unsigned k = 0; k < l->peer_count; k++)
        j.peers[k] = (struct om_join_peer){l->peers[k].key, l->peers[k].addr};
    (void)om_join_link_print(text, &j);
    om_identity_wipe(&authority);
    sodium_memzero(&j, sizeof j);
    return OM_OK;
}
