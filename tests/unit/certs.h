/*
 * certs.h - a closed network for tests: its authority, an admin, and the certificates they sign
 *
 * What:  makes chains for the two nodes of a pair, right or wrong in one respect.
 */
#ifndef OM_TESTS_CERTS_H
#define OM_TESTS_CERTS_H

#include "harness.h"

#include <stdio.h>

#include "network/join_link.h"
#include "network/verified.h"
#include "pair.h"

enum { CERTS_DAY_S = 24 * 3600, CERTS_NOW_S = PAIR_WALL_MS /* which is in s, as Unix counts */ };

struct certs {
    struct om_id network;
    struct om_identity authority, admin;
    uint8_t node[OM_NODE_CERT_MAX], of_admin[OM_ADMIN_CERT_BYTES];
};

/* What a chain is to say; zeroed fields: a member's, valid from yesterday for 90 days. */
struct certs_wish {
    struct om_id key;
    int64_t from_s, until_s; /* from now */
    const struct om_identity
        *signer; /* of the node certificate; NULL: the authority, or the admin */
    bool by_admin;
    bool has_no_right; /* the admin's certificate does not let it make members */
    int64_t admin_until_s;
    uint8_t roles;
    const char *name;
};

/* Somebody, the same each time. */
static inline struct om_identity certs_someone(uint8_t which)
{
    uint8_t seed[32] = {0xce, which};
    struct om_identity who;

    while (om_identity_from_seed(&who, seed) != OM_OK)
        seed[31]++;
    return who;
}

/* A network, and no certificate yet. */
static inline struct certs certs_make(void)
{
    struct certs c = {.authority = certs_someone(1), .admin = certs_someone(2)};

    memset(c.network.b, 0x4e, sizeof c.network.b);
    return c;
}

/* The same, with the id that follows from its authority. */
static inline struct certs certs_make_real(void)
{
    struct certs c = certs_make();
    const struct om_join_link l = {.authority = c.authority.id};

    om_join_link_network(&c.network, &l);
    return c;
}

/* Lent by @c until the next. */
static inline struct om_cert_chain certs_chain(struct certs *c, const struct certs_wish *w)
{
    struct om_node_cert node = {
        .roles = w->roles,
        .number = 1,
        .issued = (uint32_t)(CERTS_NOW_S + (w->from_s ? w->from_s : -CERTS_DAY_S)),
        .expires = (uint32_t)(CERTS_NOW_S + (w->until_s ? w->until_s : 89 * CERTS_DAY_S)),
        .key = w->key,
    };
    const struct om_admin_cert admin = {
        .rights = w->has_no_right ? 0 : OM_RIGHT_MEMBERS,
        .number = 1,
        .issued = CERTS_NOW_S - CERTS_DAY_S,
        .expires = (uint32_t)(CERTS_NOW_S + (w->admin_until_s ? w->admin_until_s : CERTS_DAY_S)),
        .key = c->admin.id,
    };
    const struct om_identity *signer = w->by_admin ? &c->admin : &c->authority;

    if (w->name)
        (void)snprintf(node.name, sizeof node.name, "%s", w->name);
    if (w->signer)
        signer = w->signer;
    size_t n = om_node_cert_encode(c->node, &node, signer, &c->network);
    om_admin_cert_encode(c->of_admin, &admin, &c->authority, &c->network);
    return (struct om_cert_chain){om_bytes(c->node, n),
                                  om_bytes(c->of_admin, w->by_admin ? sizeof c->of_admin : 0)};
}

#endif
