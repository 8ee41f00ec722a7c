/* node_authority.c - what a node signs for others beside certificates of members. */
#include <omerta/authority.h>

#include <sodium.h>

#include "network/join_link.h"
#include "node/join.h"
#include "node/ledger.h"

enum om_err om_node_authority(struct om_node *n, const struct om_id *network,
                              const uint8_t seed[static 32])
{
    struct om_network *net = node_network(n, network);
    struct om_identity key;

    if (!net)
        return OM_E_MISSING;
    if (net->is_open)
        return OM_E_STATE;
    enum om_err e = om_identity_from_seed(&key, seed);
    if (e == OM_OK && !om_id_equal(&key.id, &net->authority))
        e = OM_E_CRYPTO;
    if (e == OM_OK) {
        net->signer = key;
        net->has_signer = true;
    }
    om_identity_wipe(&key);
    return e;
}

void node_authority_sign(const struct om_network *net, const struct om_node_cert *cert,
                         struct om_join_answer *out)
{
    const struct om_admin_cert admin = {.rights = OM_RIGHT_MEMBERS,
                                        .issued = cert->expires - OM_CERT_LIFE_S,
                                        .expires = cert->expires,
                                        .key = cert->key};

    out->node_len = om_node_cert_encode(out->node, cert, &net->signer, &net->id);
    om_admin_cert_encode(out->admin, &admin, &net->signer, &net->id);
}

enum om_err om_node_invite(struct om_node *n, om_time now, const struct om_id *network,
                           const struct om_invite *i, const struct om_network_peer *peers,
                           unsigned count, char text[static OM_NETWORK_LINK_TEXT])
{
    const struct om_network *net = node_network(n, network);
    struct om_join_link l = {.has_admin = true};

    if (!net)
        return OM_E_MISSING;
    n->now = now;
    const struct node_join *j = net->is_open ? NULL : node_join_of(n, net);
    if (!j || !j->is_admin || !node_ledger_may_sign(n, net, &net->self.id))
        return OM_E_STATE;
    if (i->roles & OM_ROLE_ADMIN || i->uses == 0 || count > OM_JOIN_PEERS_MAX)
        return OM_E_RANGE;
    l.authority = net->authority;
    l.epoch = net->current->number;
    om_epoch_join_secret(l.secret, net->current->secret);
    memcpy(l.admin, j->issuer.cert, sizeof l.admin);
    om_join_link_invite(&l, i, &net->self, &net->id, &n->rng);
    for (; l.peer_count < count; l.peer_count++)
        l.peers[l.peer_count] =
            (struct om_join_peer){peers[l.peer_count].key, peers[l.peer_count].addr};
    (void)om_join_link_print(text, &l);
    sodium_memzero(&l, sizeof l);
    return OM_OK;
}
