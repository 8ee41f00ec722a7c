/* test_sessions.c - keys, index and the count on the epoch come and go together. */
#include "store.h"

#include <stdlib.h>

OM_TEST(sessions_end_leaves_nothing)
{
    struct om_session *s[3] = {0};
    struct store t;

    OM_TRY(store_init(&t, 8));
    for (unsigned i = 0; i < 3; i++) {
        s[i] = store_session(&t, OM_SEC(1), i == 0, 1);
        OM_TRY(s[i] != NULL);
        CHECK_EQ(t.net.current->sessions, i + 1);
        CHECK_EQ(t.sessions.indices.live, i + 1);
        CHECK_EQ(t.sessions.live, i + 1);
        CHECK(om_index_find(&t.sessions.indices, s[i]->local)->owner == s[i]);
        CHECK_EQ(om_index_find(&t.sessions.indices, s[i]->local)->kind, OM_INDEX_SESSION);
    }
    uint32_t gone = s[1]->local, kept = s[0]->local;
    om_session_end(&t.sessions, s[1]);
    s[1] = NULL;
    CHECK(om_index_find(&t.sessions.indices, gone) == NULL);
    CHECK(om_index_find(&t.sessions.indices, kept) != NULL);
    CHECK_EQ(t.net.current->sessions, 2);
    om_session_end(&t.sessions, NULL);
    CHECK_EQ(t.sessions.live, 2);
out:
    for (unsigned i = 0; i < 3; i++)
        om_session_end(&t.sessions, s[i]);
    if (t.net.current)
        CHECK_EQ(t.net.current->sessions, 0);
    CHECK_EQ(t.sessions.indices.live, 0);
    store_fini(&t);
}

OM_TEST(sessions_refuse_when_indices_are_full)
{
    struct om_session *s[4] = {0}, *more = NULL;
    struct store t;

    OM_TRY(store_init(&t, 4));
    struct om_session_keys k = store_keys(&t, true);
    for (unsigned i = 0; i < 4; i++)
        OM_TRY((s[i] = store_session(&t, 0, true, 1)) != NULL);
    CHECK_ERR(om_session_begin(&t.sessions, 0, &k, NULL, &more), OM_E_FULL);
    CHECK(more == NULL);
    CHECK_EQ(t.sessions.live, 4);
    CHECK_EQ(t.net.current->sessions, 4);
    om_session_end(&t.sessions, s[2]);
    s[2] = NULL;
    OM_TRY((s[2] = store_session(&t, 0, true, 1)) != NULL);
out:
    for (unsigned i = 0; i < 4; i++)
        om_session_end(&t.sessions, s[i]);
    store_fini(&t);
}

/* Handshakes take from the same numbers. */
OM_TEST(sessions_share_indices_with_handshakes)
{
    struct om_session *s = NULL;
    uint32_t index[3];
    struct store t;

    OM_TRY(store_init(&t, 3));
    struct om_session_keys k = store_keys(&t, true);
    for (unsigned i = 0; i < 3; i++)
        OM_TRY(om_index_draw(&t.sessions.indices, &t.rng, OM_INDEX_HANDSHAKE, &t, &index[i]) ==
               OM_OK);
    CHECK_ERR(om_session_begin(&t.sessions, 0, &k, NULL, &s), OM_E_FULL);
    k.local = index[1]; /* the handshake's own changes hands, however full the table is */
    OM_TRY(om_session_begin(&t.sessions, 0, &k, NULL, &s) == OM_OK);
    CHECK_EQ(s->local, index[1]);
    CHECK_EQ(t.sessions.indices.live, 3);
    const struct om_index_entry *e = om_index_find(&t.sessions.indices, index[1]);
    CHECK(e->owner == s && e->kind == OM_INDEX_SESSION);
out:
    om_session_end(&t.sessions, s);
    store_fini(&t);
}

/* Who may be in one network can have four keys of each of his, and as many of those as he likes. */
OM_TEST(sessions_keep_room_for_another_network)
{
    enum { ALL = 2 * OM_SHARES_NETWORKS, SHARE = 2 };
    struct om_session *s[ALL] = {NULL}, *more = NULL;
    struct om_network other = {.id = {{2}}};
    struct om_epoch epoch = {.network = &other, .sessions = 1}; /* so that it stays */
    uint32_t index = 0;
    struct store t;

    OM_TRY(store_init(&t, ALL));
    t.networks = 2;
    for (unsigned i = 0; i < ALL - SHARE - 1; i++)
        OM_TRY((s[i] = store_session(&t, 0, true, 1)) != NULL);
    CHECK(om_sessions_fit(&t.sessions, &t.net));
    OM_TRY(om_index_draw(&t.sessions.indices, &t.rng, OM_INDEX_HANDSHAKE, &t, &index) == OM_OK);
    CHECK(!om_sessions_fit(&t.sessions, &t.net));
    om_index_drop(&t.sessions.indices, index);
    OM_TRY((s[ALL - SHARE - 1] = store_session(&t, 0, true, 1)) != NULL);
    struct om_session_keys k = store_keys(&t, true);
    CHECK_ERR(om_session_begin(&t.sessions, 0, &k, NULL, &more), OM_E_FULL);
    k.epoch = &epoch;
    for (unsigned i = ALL - SHARE; i < ALL; i++)
        OM_TRY(om_session_begin(&t.sessions, 0, &k, NULL, &s[i]) == OM_OK);
    CHECK_ERR(om_session_begin(&t.sessions, 0, &k, NULL, &more), OM_E_FULL);
    om_session_end(&t.sessions, s[0]);
    s[0] = NULL;
    CHECK(om_sessions_fit(&t.sessions, &t.net));
out:
    for (unsigned i = 0; i < ALL; i++)
        om_session_end(&t.sessions, s[i]);
    store_fini(&t);
}

/* What fails gives back what it took, and leaves a given index with its holder. A failing CHECK
 * would count as an answer under --oom, so this one aborts. */
OM_TEST(sessions_failure_keeps_a_given_index)
{
    struct om_session *s = NULL;
    uint32_t index = 0;
    struct store t;

    OM_TRY(store_init(&t, 8));
    struct om_session_keys k = store_keys(&t, true);
    k.audit = true;
    OM_TRY(om_index_draw(&t.sessions.indices, &t.rng, OM_INDEX_HANDSHAKE, &t, &index) == OM_OK);
    k.local = index;
    enum om_err e = om_session_begin(&t.sessions, 0, &k, NULL, &s);
    const struct om_index_entry *entry = om_index_find(&t.sessions.indices, index);
    if (entry->kind != (e == OM_OK ? OM_INDEX_SESSION : OM_INDEX_HANDSHAKE) ||
        t.sessions.live != (e == OM_OK) || t.net.current->sessions != (e == OM_OK))
        abort();
    OM_TRY(e == OM_OK);
out:
    om_session_end(&t.sessions, s);
    store_fini(&t);
}

/* An epoch that was superseded twice lives as long as a session needs its mask key. */
OM_TEST(sessions_hold_their_epoch)
{
    uint8_t secret[32] = {9};
    struct om_session *s = NULL;
    struct store t;

    OM_TRY(store_init(&t, 8));
    OM_TRY((s = store_session(&t, 0, true, 1)) != NULL);
    OM_TRY(om_keyring_add(&t.keyring, 1, &t.net, 2, secret) == OM_OK);
    OM_TRY(om_keyring_add(&t.keyring, 2, &t.net, 3, secret) == OM_OK);
    CHECK_EQ(t.keyring.count, 3);
    CHECK_EQ(s->epoch->number, 1);
    om_session_end(&t.sessions, s);
    s = NULL;
    CHECK_EQ(t.keyring.count, 2);
out:
    om_session_end(&t.sessions, s);
    store_fini(&t);
}
