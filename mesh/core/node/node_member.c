/* node_member.c - who is a member: certificates that are shown to us, and the one that we show. */
#include "node/member.h"

#include "node/join.h"
#include "node/ledger.h"

static uint32_t unix_s(const struct om_node *n, om_time now)
{
    int64_t ms = node_unix_ms(n, now);

    return ms > 0 ? (uint32_t)(ms / 1000) : 0;
}

/* What a certificate whose signatures hold is good for by the calendar; false for silence. */
static bool is_in_time(const struct om_member *m, enum om_cert_verdict calendar, uint32_t now_s,
                       uint8_t *session_class)
{
    switch (calendar) {
    case OM_CERT_HOLDS:
        *session_class = OM_CLASS_FULL;
        return true;
    case OM_CERT_EXPIRED:
        *session_class = (uint64_t)m->until + OM_CERT_RENEW_S + OM_CERT_SKEW_S < now_s
                             ? OM_CLASS_TOO_OLD
                             : OM_CLASS_RENEW;
        return true;
    case OM_CERT_EARLY:
    case OM_CERT_FORGED:
    case OM_CERT_VERDICTS:
        break;
    }
    return false;
}

void node_member_clock(struct om_node *n, om_time now, const struct om_id *peer, bool is_early)
{
    bool is_told = n->clock_told != 0 && now - n->clock_told < OM_SEC(OM_CLOCK_TELL_S);

    if (is_told)
        return;
    n->clock_told = now ? now : 1;
    node_event(n, now,
               &(struct om_event){.kind = OM_EVENT_WRONG_CLOCK, .peer = *peer, .a = is_early});
}

/* Of what @key showed or was told of it, does the latest hold? Its issuer may have been ended. */
static bool latest_holds(const struct om_node *n, const struct om_network *net,
                         const struct om_id *key)
{
    const struct om_member *m = om_verified_find(&n->verified, net, key);
    const struct node_ledger *g = node_ledger_of(n, &net->id);

    return m && g && om_ledger_of(&g->all, m) == OM_LEDGER_HOLDS;
}

bool node_member_admit(struct om_node *n, om_time now, const struct om_network *net,
                       const struct om_shown *shown, struct om_id *id, uint8_t *session_class)
{
    struct om_member m;
    const uint32_t now_s = unix_s(n, now);
    enum om_cert_verdict calendar = om_verified_check(&n->verified, net, shown, now_s, &m);
    struct om_cert_chain chain;

    if (calendar == OM_CERT_EARLY)
        node_member_clock(n, now, &m.key, true);
    if (!is_in_time(&m, calendar, now_s, session_class))
        return false;
    if (shown->kind != OM_CREDENTIAL_BARE) {
        if (!om_verified_take(&chain, shown) || !node_ledger_admits(n, net, &chain, &m))
            return false;
        if (!latest_holds(n, net, &m.key))
            om_verified_prefer(&n->verified, net, &m);
    }
    *id = m.key;
    return true;
}

uint8_t node_member_class(const struct om_epoch *epoch, om_time now, uint8_t session_class)
{
    bool is_session = session_class == OM_CLASS_FULL || session_class == OM_CLASS_RENEW;

    return is_session && om_epoch_is_behind(epoch, now) ? OM_CLASS_RESYNC : session_class;
}

bool node_member_may_say(uint8_t session_class, uint8_t frame)
{
    if (session_class == OM_CLASS_FULL)
        return true;
    switch ((enum om_frame_type)frame) {
    case OM_FRAME_PAD:
    case OM_FRAME_PING:
    case OM_FRAME_PONG:
    case OM_FRAME_ACK:
    case OM_FRAME_STREAM:
    case OM_FRAME_STREAM_CREDIT:
    case OM_FRAME_STREAM_RESET:
    case OM_FRAME_STREAM_STOP:
    case OM_FRAME_PATH_CHALLENGE:
    case OM_FRAME_PATH_RESPONSE:
    case OM_FRAME_MTU_PROBE:
    case OM_FRAME_CLOSE:
        return true;
    case OM_FRAME_LANE_OFFER:
    case OM_FRAME_LANE_ACCEPT:
    case OM_FRAME_LANE_REFUSE:
    case OM_FRAME_LANE_BOUND:
    case OM_FRAME_LANE_CLOSE:
        return session_class == OM_CLASS_JOIN || session_class == OM_CLASS_RENEW;
    case OM_FRAME_DATAGRAM:
    case OM_FRAME_CANDIDATES:
    case OM_FRAME_PUNCH:
    case OM_FRAME_IP:
    case OM_FRAME_SLICE:
    case OM_FRAME_PING_LATER:
        break;
    }
    return false;
}

bool node_member_is_full(const struct om_peer *p)
{
    const struct om_session *s = p->assoc ? p->assoc->carry : NULL;

    return !s || s->session_class == OM_CLASS_FULL;
}

bool node_member_is_owed(const struct om_peer *p)
{
    return node_is_waiting(p) || !om_list_is_empty(&p->calls);
}

bool node_member_is_behind(const struct om_peer *p)
{
    const struct om_session *s = p->assoc ? p->assoc->carry : NULL;

    return s && s->session_class == OM_CLASS_RESYNC;
}

bool node_member_is_admin(const struct om_node *n, const struct om_peer *p)
{
    const struct om_member *m = om_verified_find(&n->verified, p->net, &p->id);

    return m && m->roles & OM_ROLE_ADMIN && node_ledger_may_sign(n, p->net, &p->id);
}

/* Ours, which others may have pushed out of what was seen. */
static uint8_t own_roles(const struct om_network *net)
{
    struct om_shown ours = {.static_key = net->self.dh_public};
    struct om_cert_chain chain;
    struct om_node_cert c;

    ours.bytes = om_credential_ours(net, &ours.kind);
    if (!om_verified_take(&chain, &ours) || om_node_cert_decode(&c, chain.node) != OM_OK)
        return 0;
    return chain.admin.n > 0 ? c.roles & (uint8_t)~OM_ROLE_ADMIN : c.roles;
}

bool node_member_may(const struct om_node *n, const struct om_network *net, const struct om_id *id,
                     enum om_role role)
{
    const struct om_member *m;

    if (net->is_open)
        return true;
    if (om_id_equal(id, &net->self.id))
        return own_roles(net) & (role | OM_ROLE_ADMIN);
    m = om_verified_find(&n->verified, net, id);
    return m && m->roles & (role | OM_ROLE_ADMIN) && latest_holds(n, net, id);
}

bool om_node_may(const struct om_node *n, const struct om_id *network, const struct om_id *peer,
                 enum om_role role)
{
    const struct om_network *net = node_network(n, network);

    return net && node_member_may(n, net, peer, role);
}

enum om_cert_verdict node_member_judge(struct om_node *n, om_time now, const struct om_network *net,
                                       const struct om_cert_chain *chain, struct om_member *out)
{
    struct om_network shows = {.id = net->id, .authority = net->authority};
    struct om_shown ours = {.static_key = net->self.dh_public};

    if (om_credential_set(&shows, chain) != OM_OK)
        return OM_CERT_FORGED;
    ours.bytes = om_credential_ours(&shows, &ours.kind);
    return om_verified_check(&n->verified, net, &ours, unix_s(n, now), out);
}

enum om_err node_member_set(struct om_node *n, om_time now, struct om_network *net,
                            const struct om_cert_chain *chain)
{
    struct om_member m;

    if (net->is_open)
        return OM_E_STATE;
    if (node_member_judge(n, now, net, chain, &m) == OM_CERT_FORGED)
        return OM_E_CRYPTO;
    enum om_err e = om_credential_set(net, chain);
    if (e == OM_OK)
        node_member_shown(n, now, net);
    return e;
}

void node_member_shown(struct om_node *n, om_time now, struct om_network *net)
{
    struct om_shown ours = {.static_key = net->self.dh_public};
    const struct om_member *m = om_verified_find(&n->verified, net, &net->self.id);
    struct om_cert_chain chain;

    ours.bytes = om_credential_ours(net, &ours.kind);
    if (m && om_verified_take(&chain, &ours))
        node_ledger_own(n, net, &chain, m);
    node_renew_plan(n, now, net);
    node_gossip_again(n, now, &net->id);
}

enum om_err om_node_credential(struct om_node *n, om_time now, const struct om_id *network,
                               const struct om_cert_chain *chain)
{
    struct om_network *net = node_network(n, network);
    enum om_err e = net ? node_member_set(n, now, net, chain) : OM_E_MISSING;

    if (e != OM_OK)
        return e;
    n->now = now;
    node_renew_meet(n, net);
    return OM_OK;
}

enum om_err om_node_member(const struct om_node *n, const struct om_id *network,
                           const struct om_id *peer, struct om_member *out)
{
    const struct om_network *net = node_network(n, network);
    const struct om_member *m = net ? om_verified_find(&n->verified, net, peer) : NULL;

    if (!m)
        return OM_E_MISSING;
    *out = *m;
    return OM_OK;
}
