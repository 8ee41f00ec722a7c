/* sessions.c - birth and death of sessions. */
#include "crypto/sessions.h"

enum om_err om_sessions_init(struct om_sessions *s, struct om_keyring *keyring,
                             const struct om_limits *limits, const unsigned *networks,
                             const struct om_rng *rng, bool locked)
{
    s->vault = om_vault_new(sizeof(struct om_session), limits->indices_max, locked);
    if (!s->vault)
        return OM_E_NO_MEM;
    om_indices_init(&s->indices, limits->indices_max);
    s->keyring = keyring;
    s->limits = limits;
    s->networks = networks;
    s->rng = rng;
    return OM_OK;
}

void om_sessions_fini(struct om_sessions *s)
{
    OM_BUG_IF(s->live > 0);
    om_indices_fini(&s->indices);
    om_vault_free(s->vault);
    s->vault = NULL;
}

bool om_sessions_fit(const struct om_sessions *s, const struct om_network *net)
{
    struct om_shares taken = s->shares;

    taken.rows = s->indices.live - s->indices.lanes; /* with handshakes, of whichever network */
    return om_shares_fit(&taken, &net->id, s->indices.max, *s->networks);
}

enum om_err om_session_begin(struct om_sessions *s, om_time now, const struct om_session_keys *k,
                             struct om_peer *peer, struct om_session **out)
{
    struct om_session_keys keys = *k;
    struct om_session *session;

    if (k->local == 0 && !om_sessions_fit(s, k->epoch->network))
        return OM_E_FULL; /* the vault has as many slots, and would call it want of memory */
    session = om_vault_take(s->vault);
    if (!session)
        return OM_E_NO_MEM;
    enum om_err e = OM_OK;
    if (k->local == 0)
        e = om_index_draw(&s->indices, s->rng, OM_INDEX_SESSION, session, &keys.local);
    if (e == OM_OK) {
        e = om_session_init(session, &keys, now, s->limits);
        if (e != OM_OK && k->local == 0)
            om_index_drop(&s->indices, keys.local);
    }
    if (e != OM_OK) {
        om_vault_give(s->vault, session);
        return e;
    }
    if (k->local != 0) {
        struct om_index_entry *entry = om_index_find(&s->indices, k->local);
        OM_BUG_IF(!entry);
        entry->kind = OM_INDEX_SESSION;
        entry->owner = session;
    }
    session->peer = peer;
    session->epoch->sessions++;
    om_shares_add(&s->shares, &session->epoch->network->id);
    s->live++;
    *out = session;
    return OM_OK;
}

void om_session_end(struct om_sessions *s, struct om_session *session)
{
    if (!session)
        return;
    struct om_epoch *epoch = session->epoch;

    om_index_drop(&s->indices, session->local);
    om_session_fini(session);
    om_vault_give(s->vault, session);
    om_shares_drop(&s->shares, &epoch->network->id);
    s->live--;
    om_keyring_unref(s->keyring, epoch);
}
