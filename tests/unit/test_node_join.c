/* test_node_join.c - one with a link becomes a member. */
#include "desk.h"

static const char one_longer[] = "a name that is of thirty-three ch"; /* than any may be */
static_assert(sizeof one_longer == OM_NAME_MAX + 2, "it is not");

OM_TEST(join_by_link_makes_a_member)
{
    struct om_member m;
    struct desk d;

    desk_init(&d);
    CHECK_EQ(om_node_call_network(d.p.side[0].node, &d.certs.network, one_longer), OM_E_RANGE);
    CHECK_OK(om_node_call_network(d.p.side[0].node, &d.certs.network, "My Team"));
    CHECK_OK(join(&d, "alice"));
    pair_run(&d.p, OM_SEC(3));
    CHECK_EQ(d.joined, 1);
    CHECK(d.is_called);
    CHECK_EQ(d.issued, 1);
    CHECK_EQ(d.refused, 0);
    CHECK(d.is_secret);
    const struct om_id *self = om_node_id(d.p.side[1].node, &d.certs.network);
    CHECK_OK(om_node_member(d.p.side[0].node, &d.certs.network, self, &m));
    CHECK_STR(m.name, "alice");
    CHECK(m.overlay >> 22 == 0x64400000u >> 22);
    /* And now it is one like others. */
    CHECK_OK(om_node_send(d.p.side[1].node, d.p.now, &d.certs.network, &d.admin.id, "test",
                          om_bytes("hi", 2)));
    pair_run(&d.p, OM_SEC(4));
    CHECK_EQ(d.p.side[0].delivered, 1);
    pair_fini(&d.p);
}

/* Else an invitation for one would be good for another one after the admin's restart. */
OM_TEST(join_is_written_down_before_it_is_answered)
{
    for (int dies = 0; dies < 2; dies++) {
        struct desk d;

        desk_init(&d);
        d.dies = dies == 1;
        d.p.filter = desk_is_alive;
        d.p.filter_arg = &d;
        CHECK_OK(join(&d, "alice"));
        pair_run(&d.p, OM_SEC(3));
        CHECK_EQ(d.issued, 1);
        CHECK_EQ(d.joined, dies == 0);
        pair_fini(&d.p);
    }
}

/* Else an invitation for one would be good for two: nobody remembers the first. */
OM_TEST(join_that_cannot_be_kept_is_refused)
{
    const enum om_member_news unkept[] = {OM_MEMBER_ISSUED, OM_MEMBER_LEDGER};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(unkept); i++) {
        struct om_issued noted;
        struct desk d;
        desk_init(&d);
        struct om_node *admin = d.p.side[0].node, *one = d.p.side[1].node;
        const struct node_join *j = node_join_of(admin, node_network(admin, &d.certs.network));
        CHECK(j != NULL);
        d.unkept = unkept[i];
        CHECK_OK(join(&d, "alice"));
        pair_run(&d.p, OM_SEC(5)); /* and not after a minute: there is nobody else to ask */
        CHECK_EQ(d.joined, 0);
        CHECK_EQ(d.refused, 1);
        CHECK_EQ(d.why, OM_JOIN_UNKEPT);
        const struct om_id key = *om_node_id(one, &d.certs.network);
        CHECK_EQ(j && om_issuer_find(&j->issuer, &key, &noted), unkept[i] == OM_MEMBER_LEDGER);
        d.unkept = OM_MEMBER_JOINED;
        CHECK_OK(om_node_leave(one, d.p.now, &d.certs.network));
        CHECK_OK(join(&d, "alice"));
        pair_run(&d.p, OM_SEC(10));
        CHECK_EQ(d.joined, 1);
        CHECK_EQ(d.issued, 2);
        CHECK(j && om_issuer_find(&j->issuer, &key, &noted));
        pair_fini(&d.p);
    }
}

OM_TEST(join_with_a_name_that_is_taken_gets_another)
{
    struct om_node_cert taken = {
        .name = "alice", .key = {{9}}, .expires = CERTS_NOW_S + CERTS_DAY_S};
    uint8_t bytes[OM_NODE_CERT_MAX];
    struct om_member m;
    struct desk d;

    desk_init(&d);
    size_t n = om_node_cert_encode(bytes, &taken, &d.admin, &d.certs.network);
    CHECK_OK(om_node_issued(d.p.side[0].node, &d.certs.network, om_bytes(bytes, n)));
    CHECK_OK(join(&d, "alice"));
    pair_run(&d.p, OM_SEC(3));
    CHECK_EQ(d.joined, 1);
    CHECK_OK(om_node_member(d.p.side[1].node, &d.certs.network,
                            om_node_id(d.p.side[1].node, &d.certs.network), &m));
    CHECK_STR(m.name, "alice-2"); /* as it is told */
    pair_fini(&d.p);
}

OM_TEST(join_with_a_used_invitation_is_refused)
{
    struct om_node_cert other = {.key = {{9}}};
    uint8_t bytes[OM_NODE_CERT_MAX];
    struct desk d;

    desk_init(&d);
    memcpy(other.invite, d.grant.invite, sizeof other.invite);
    size_t n = om_node_cert_encode(bytes, &other, &d.admin, &d.certs.network);
    CHECK_OK(om_node_issued(d.p.side[0].node, &d.certs.network, om_bytes(bytes, n)));
    CHECK_OK(join(&d, ""));
    pair_run(&d.p, OM_SEC(3));
    CHECK_EQ(d.refused, 1);
    CHECK_EQ(d.why, OM_JOIN_USED);
    pair_fini(&d.p);
}

OM_TEST(join_by_one_who_is_no_admin_says_so)
{
    struct desk d;

    desk_init(&d);
    CHECK_OK(om_node_admin(d.p.side[0].node, d.p.now, &d.certs.network, om_bytes(NULL, 0)));
    CHECK_OK(join(&d, ""));
    pair_run(&d.p, OM_SEC(OM_JOIN_PATIENCE_S + 5));
    CHECK_EQ(d.refused, 1);
    CHECK_EQ(d.why, OM_JOIN_NO_ADMIN);
    pair_fini(&d.p);
}

/* As if so many had come by links of @network to side 0 that nobody else is let in. */
static void fill_proofs(struct desk *d, const struct om_id *network)
{
    struct om_node *n = d->p.side[0].node;
    struct node_join *j = node_join_of(n, node_network(n, network));

    CHECK(j != NULL);
    for (uint32_t i = 0; j && i < OM_PROOFS_MAX; i++) {
        const uint8_t key[32] = {(uint8_t)i, (uint8_t)(i >> 8)};
        om_time *at = om_lru_put(&j->proofs.seen, key, NULL);
        CHECK(at != NULL);
        if (at)
            *at = d->p.now;
    }
}

OM_TEST(join_is_not_stopped_by_links_of_another_network)
{
    for (int is_own = 0; is_own < 2; is_own++) {
        struct om_network_config other = {.id = {{0x77}}, .epoch = 1, .secret = {0x77}};
        struct desk d;
        desk_init(&d);
        other.authority = d.certs.admin.id;
        CHECK_OK(om_node_join(d.p.side[0].node, &other, NULL));
        fill_proofs(&d, is_own ? &d.certs.network : &other.id);
        CHECK_OK(join(&d, "alice"));
        pair_run(&d.p, OM_SEC(OM_JOIN_PATIENCE_S + 5));
        CHECK_EQ(d.joined, !is_own);
        CHECK_EQ(d.refused, is_own);
        CHECK_EQ(d.why, is_own ? OM_JOIN_NOBODY : 0);
        pair_fini(&d.p);
    }
}

static bool is_void_before_the_question(struct pair *p, const struct pair_dgram *sent)
{
    struct desk *d = p->filter_arg;

    if (sent->to == 1 && pair_info(p, 0).responses_out == 1 && !d->dies) {
        d->dies = true; /* once: its handshake was answered, the question is to come */
        CHECK_OK(om_node_void(p->side[0].node, p->now, &d->certs.network, d->grant.invite));
    }
    return true;
}

OM_TEST(join_by_an_invitation_taken_back_meanwhile_is_told_so)
{
    struct desk d;

    desk_init(&d);
    d.p.filter = is_void_before_the_question;
    d.p.filter_arg = &d;
    CHECK_OK(join(&d, "alice"));
    pair_run(&d.p, OM_SEC(5)); /* and not after a minute, as when nobody answers */
    CHECK_EQ(d.joined + d.issued, 0);
    CHECK_EQ(d.refused, 1);
    CHECK_EQ(d.why, OM_JOIN_REVOKED);
    pair_fini(&d.p);
}

/* Proofs of those who came to side 0, by an invitation taken back or by another. */
static unsigned noted(struct desk *d, bool is_void)
{
    struct om_node *n = d->p.side[0].node;
    const struct node_join *j = node_join_of(n, node_network(n, &d->certs.network));

    CHECK(j != NULL);
    return !j ? 0 : om_lru_count(is_void ? &j->proofs.of_void : &j->proofs.seen);
}

OM_TEST(join_by_an_invitation_taken_back_is_told_so)
{
    for (int is_admin = 0; is_admin < 2; is_admin++) { /* any member knows it */
        struct desk d;
        desk_init(&d);
        const struct om_bytes cert = om_bytes(d.admin_cert, is_admin ? sizeof d.admin_cert : 0);
        CHECK_OK(om_node_void(d.p.side[0].node, d.p.now, &d.certs.network, d.grant.invite));
        CHECK_OK(om_node_admin(d.p.side[0].node, d.p.now, &d.certs.network, cert));
        CHECK_OK(join(&d, ""));
        pair_run(&d.p, OM_SEC(5));
        CHECK_EQ(d.joined + d.issued, 0);
        CHECK_EQ(d.refused, 1);
        CHECK_EQ(d.why, OM_JOIN_REVOKED);
        CHECK_EQ(noted(&d, true), 1);
        CHECK_EQ(noted(&d, false), 0); /* who may come finds all the room there is */
        pair_fini(&d.p);
    }
}

OM_TEST(join_by_one_of_many_that_were_taken_back_hears_nothing)
{
    struct desk d;

    desk_init(&d);
    CHECK_OK(om_node_void(d.p.side[0].node, d.p.now, &d.certs.network, d.grant.invite));
    struct om_node *n = d.p.side[0].node;
    struct node_join *j = node_join_of(n, node_network(n, &d.certs.network));
    if (j)
        om_bucket_init(&j->pardons, 0, 0, d.p.now); /* as after many a second */
    CHECK_OK(join(&d, ""));
    pair_run(&d.p, OM_SEC(OM_JOIN_PATIENCE_S + 5));
    CHECK_EQ(d.refused, 1);
    CHECK_EQ(d.why, OM_JOIN_NOBODY);
    CHECK_EQ(noted(&d, true) + noted(&d, false), 0);
    pair_fini(&d.p);
}

OM_TEST(join_says_what_silence_may_mean)
{
    const char *text = om_join_why_text(OM_JOIN_NOBODY);

    CHECK(strstr(text, "30 days") && strstr(text, "clock") && strstr(text, "away"));
    CHECK(strlen(text) < OM_ERROR_MSG_MAX);
}

/* Who gave it out lets in until the moment it said; others allow a day, as clocks differ. */
OM_TEST(join_late_is_told_so_by_who_invited)
{
    enum { IN_TIME, LATE, LATE_BY_ANOTHER, CASES };

    for (int i = 0; i < CASES; i++) {
        struct desk d;
        desk_init(&d);
        d.grant.issued = CERTS_NOW_S - 600;
        d.grant.expires = i == IN_TIME ? CERTS_NOW_S + 600 : CERTS_NOW_S - 300;
        d.is_authoritys = i == LATE_BY_ANOTHER;
        CHECK_OK(join(&d, ""));
        pair_run(&d.p, OM_SEC(5));
        CHECK_EQ(d.joined, i != LATE);
        CHECK_EQ(d.refused, i == LATE);
        CHECK_EQ(d.why, i == LATE ? OM_JOIN_EXPIRED : 0);
        pair_fini(&d.p);
    }
}

OM_TEST(join_looks_at_the_calendar)
{
    struct desk d;

    desk_init(&d);
    d.grant.expires = CERTS_NOW_S - CERTS_DAY_S - 60;
    d.grant.issued = d.grant.expires - 60;
    CHECK_EQ(join(&d, ""), OM_E_STATE);
    CHECK_STR(d.err.msg, om_join_why_text(OM_JOIN_EXPIRED));
    d.grant.issued = CERTS_NOW_S + CERTS_DAY_S + 60;
    d.grant.expires = d.grant.issued + 60;
    CHECK_EQ(join(&d, ""), OM_E_STATE);
    CHECK_STR(d.err.msg, om_join_why_text(OM_JOIN_CLOCK));
    d.grant.issued -= 120; /* the control: within the day that clocks may differ */
    CHECK_OK(join(&d, ""));
    pair_fini(&d.p);
}

OM_TEST(join_without_the_invitation_gets_nothing)
{
    struct desk d;

    desk_init(&d);
    d.seed[5] ^= 1; /* it has the network's J, and a grant that is another's */
    CHECK_OK(join(&d, ""));
    pair_run(&d.p, OM_SEC(65));
    CHECK_EQ(d.refused, 1);
    CHECK_EQ(d.why, OM_JOIN_NOBODY);
    CHECK(pair_info(&d.p, 0).drops[OM_DROP_HS_CREDENTIAL] > 0);
    CHECK_EQ(pair_info(&d.p, 0).responses_out, 0);
    pair_fini(&d.p);
}

/* The admin still calls the member who left, and is not to take its own question for theirs. */
OM_TEST(join_again_by_one_who_left)
{
    const struct om_call_config question = {.method = "test", .timeout = OM_SEC(120)};
    struct om_id self;
    uint64_t call;
    struct desk d;

    desk_init(&d);
    CHECK_OK(join(&d, "alice"));
    pair_run(&d.p, OM_SEC(3));
    CHECK_EQ(d.joined, 1);
    self = *om_node_id(d.p.side[1].node, &d.certs.network);
    CHECK_OK(om_node_leave(d.p.side[1].node, d.p.now, &d.certs.network));
    pair_run(&d.p, OM_SEC(10));
    CHECK_OK(om_node_call(d.p.side[0].node, d.p.now, &d.certs.network, &self, &question, &call));
    pair_run(&d.p, OM_SEC(11));
    CHECK_OK(join(&d, "alice"));
    pair_run(&d.p, OM_SEC(80));
    CHECK_EQ(d.joined, 2);
    CHECK_EQ(d.refused, 0);
    pair_fini(&d.p);
}

OM_TEST(join_may_be_left_and_begun_again)
{
    struct desk d;

    desk_init(&d);
    CHECK_OK(join(&d, "alice"));
    CHECK_EQ(join(&d, "alice"), OM_E_EXISTS);
    pair_run(&d.p, d.p.now + OM_MS(5)); /* the question is on its way */
    CHECK_OK(om_node_leave(d.p.side[1].node, d.p.now, &d.certs.network));
    pair_run(&d.p, OM_SEC(70));
    CHECK_EQ(d.joined + d.refused, 0);
    CHECK_OK(join(&d, "alice"));
    CHECK_OK(om_node_leave(d.p.side[1].node, d.p.now, &d.p.network)); /* the others move up */
    pair_run(&d.p, OM_SEC(75));
    CHECK_EQ(d.joined, 1);
    CHECK_OK(om_node_leave(d.p.side[0].node, d.p.now, &d.certs.network)); /* the admin itself */
    CHECK_OK(om_node_leave(d.p.side[1].node, d.p.now, &d.certs.network));
    pair_run(&d.p, OM_SEC(80));
    pair_fini(&d.p);
}
