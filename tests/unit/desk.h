/*
 * desk.h - an admin and one who wants in, for the tests of joining and of renewal
 *
 * What:  two nodes and a wire: side 0 is an admin of a closed network, side 1 follows a link to it.
 * Why:   how one becomes a member and how one stays it begin alike.
 */
#ifndef OM_TESTS_DESK_H
#define OM_TESTS_DESK_H

#include "certs.h"

#include <sodium.h>

#include <omerta/authority.h>

#include "network/epoch.h"
#include "node/join.h"

static const uint8_t secret[32] = {0x5e, 0xc2};

struct desk {
    struct certs certs;
    struct pair p;
    struct om_identity admin; /* side 0 there */
    uint8_t admin_cert[OM_ADMIN_CERT_BYTES];
    struct om_grant grant;
    uint8_t seed[32]; /* of the invitation's key */
    bool link_ahead;
    bool is_authoritys; /* the invitation, instead of side 0's */
    /* What happened. */
    unsigned joined, refused, issued, renewed;
    enum om_join_why why;
    struct om_error err; /* of the last link followed */
    uint8_t node[OM_NODE_CERT_MAX];
    size_t node_len;
    bool is_secret;
    bool is_called;             /* told what the admin calls the network */
    bool dies;                  /* the admin does, while it writes down what it issued */
    enum om_member_news unkept; /* news of the admin that its disk does not take; 0: takes all */
    unsigned heard;             /* datagrams that it had sent by then */
};

static inline bool desk_is_alive(struct pair *p, const struct pair_dgram *sent)
{
    const struct desk *d = p->filter_arg;

    return sent->to != 1 || d->issued == 0 || !d->dies || sent < p->tape + d->heard;
}

/* What the test asks about, and what it breaks. */
static inline void desk_on_act(struct pair *p, int side, const struct om_act *act)
{
    struct desk *d = p->on_call_arg;

    if (act->kind != OM_ACT_MEMBER)
        return;
    if (d->unkept != OM_MEMBER_JOINED && act->member.news == d->unkept)
        om_node_unkept(p->side[side].node, &d->certs.network);
    switch (act->member.news) {
    case OM_MEMBER_JOINED:
        CHECK_EQ(side, 1);
        d->joined++;
        d->is_secret = act->member.epoch == 7 && memcmp(act->member.secret, secret, 32) == 0;
        d->is_called = strcmp(act->member.called, "My Team") == 0;
        d->node_len = act->member.chain.node.n;
        memcpy(d->node, act->member.chain.node.p, d->node_len);
        return;
    case OM_MEMBER_REFUSED:
        CHECK_EQ(side, 1);
        d->refused++;
        d->why = act->member.why;
        return;
    case OM_MEMBER_ISSUED:
        CHECK_EQ(side, 0);
        if (d->issued++ == 0)
            d->heard = p->sent;
        return;
    case OM_MEMBER_RENEWED:
        CHECK_EQ(side, 1);
        d->renewed++;
        return;
    case OM_MEMBER_LEDGER:
    case OM_MEMBER_EPOCH:
        return;
    }
}

/* Side 0 is an admin of a closed network; side 1 knows nothing of it. */
static inline void desk_init(struct desk *d)
{
    const struct pair_options o = pair_defaults();
    struct om_admin_cert cert = {.rights = OM_RIGHT_MEMBERS,
                                 .number = 1,
                                 .issued = CERTS_NOW_S - CERTS_DAY_S,
                                 .expires = CERTS_NOW_S + 300 * CERTS_DAY_S};
    uint8_t seed[32];

    *d = (struct desk){.certs = certs_make_real(), .seed = {0x1a}};
    CHECK(pair_init(&d->p, &o));
    d->p.on_call = desk_on_act;
    d->p.on_call_arg = d;
    memset(seed, 0x10, sizeof seed);
    CHECK_OK(om_identity_for_network(&d->admin, seed, &d->certs.network));
    cert.key = d->admin.id;
    om_admin_cert_encode(d->admin_cert, &cert, &d->certs.authority, &d->certs.network);
    struct om_network_config c = {
        .id = d->certs.network, .epoch = 7, .gossip = true, .authority = d->certs.authority.id};
    memcpy(c.secret, secret, sizeof secret);
    c.chain = certs_chain(
        &d->certs,
        &(struct certs_wish){.key = d->admin.id, .roles = OM_ROLE_ADMIN, .name = "boss"});
    CHECK_OK(om_node_join(d->p.side[0].node, &c, NULL));
    CHECK_OK(om_node_admin(d->p.side[0].node, d->p.now, &d->certs.network,
                           om_bytes(d->admin_cert, sizeof d->admin_cert)));
    uint8_t sk[64];
    crypto_sign_seed_keypair(d->grant.key.b, sk, d->seed);
    d->grant.uses = 1;
    d->grant.issued = CERTS_NOW_S - 60;
    d->grant.expires = CERTS_NOW_S + CERTS_DAY_S;
    memcpy(d->grant.invite, "\0\1vite01", 8);
}

/* Side 1 of @d follows the link as @name. */
static inline enum om_err join(struct desk *d, const char *name)
{
    struct om_join_link l = {.has_admin = !d->is_authoritys,
                             .authority = d->certs.authority.id,
                             .epoch = 7,
                             .peer_count = 1};
    char text[OM_JOIN_TEXT];
    struct om_id network;

    om_epoch_join_secret(l.secret, secret);
    memcpy(l.seed, d->seed, sizeof l.seed);
    om_grant_encode(l.grant, &d->grant, d->is_authoritys ? &d->certs.authority : &d->admin,
                    &d->certs.network);
    memcpy(l.admin, d->admin_cert, sizeof l.admin);
    l.peers[0] = (struct om_join_peer){d->admin.id, d->p.side[0].addr};
    om_join_link_print(text, &l);
    return om_node_join_by_link(d->p.side[1].node, d->p.now, text, name, &network, &d->err);
}

#endif
