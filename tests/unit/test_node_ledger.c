/* test_node_ledger.c - an admin throws somebody out, and everybody hears of it. */
#include "certs.h"

#include <sodium.h>

#include "gossip/gossip.h"
#include "network/epoch.h"
#include "node/ledger.h"

enum { PARTS_MAX = 64 };

/* What a side told of its ledger, to be given back. */
struct kept {
    uint8_t *part[PARTS_MAX];
    size_t len[PARTS_MAX];
    unsigned count;
};

struct desk {
    struct certs certs;
    struct pair p;
    struct om_identity self[2]; /* side 0 is an admin, side 1 a member */
    uint8_t admin_cert[OM_ADMIN_CERT_BYTES];
    struct kept kept[2];
    unsigned replies, refusals;
    char error[32];
    unsigned joined, refused;
    bool is_full; /* the disk of side 0 */
};

static const uint8_t secret[32] = {0x5e, 0xc2};

static void keep(struct kept *k, struct om_bytes part)
{
    CHECK(k->count < PARTS_MAX);
    k->part[k->count] = malloc(part.n);
    if (!k->part[k->count])
        return;
    memcpy(k->part[k->count], part.p, part.n);
    k->len[k->count++] = part.n;
}

static void on_act(struct pair *p, int side, const struct om_act *act)
{
    struct desk *d = p->on_call_arg;

    if (act->kind == OM_ACT_REPLY) {
        d->replies++;
        d->refusals += !act->reply.is_ok;
        (void)snprintf(d->error, sizeof d->error, "%s", act->reply.error);
    }
    if (act->kind != OM_ACT_MEMBER)
        return;
    d->joined += act->member.news == OM_MEMBER_JOINED;
    d->refused += act->member.news == OM_MEMBER_REFUSED;
    if (act->member.news == OM_MEMBER_LEDGER && side == 0 && d->is_full)
        om_node_unkept(p->side[0].node, &d->certs.network);
    else if (act->member.news == OM_MEMBER_LEDGER)
        keep(&d->kept[side], act->member.ledger);
}

static void join(struct desk *d, int side)
{
    struct om_network_config c = {
        .id = d->certs.network, .epoch = 7, .gossip = true, .authority = d->certs.authority.id};

    memcpy(c.secret, secret, sizeof secret);
    c.chain = certs_chain(&d->certs, &(struct certs_wish){.key = d->self[side].id,
                                                          .roles = side == 0 ? OM_ROLE_ADMIN : 0});
    CHECK_OK(om_node_join(d->p.side[side].node, &c, NULL));
}

static enum om_err become_admin(struct desk *d)
{
    return om_node_admin(d->p.side[0].node, d->p.now, &d->certs.network,
                         om_bytes(d->admin_cert, sizeof d->admin_cert));
}

static void desk_init(struct desk *d)
{
    const struct pair_options o = pair_defaults();
    struct om_admin_cert cert = {.rights = OM_RIGHT_MEMBERS,
                                 .number = 1,
                                 .issued = CERTS_NOW_S - CERTS_DAY_S,
                                 .expires = CERTS_NOW_S + 300 * CERTS_DAY_S};
    uint8_t seed[32];

    *d = (struct desk){.certs = certs_make_real()};
    CHECK(pair_init(&d->p, &o));
    d->p.on_call = on_act;
    d->p.on_call_arg = d;
    for (int i = 0; i < 2; i++) {
        memset(seed, 0x10 + i, sizeof seed);
        CHECK_OK(om_identity_for_network(&d->self[i], seed, &d->certs.network));
    }
    cert.key = d->self[0].id;
    om_admin_cert_encode(d->admin_cert, &cert, &d->certs.authority, &d->certs.network);
    join(d, 0);
    CHECK_OK(become_admin(d));
}

static void desk_fini(struct desk *d)
{
    for (int i = 0; i < 2; i++)
        while (d->kept[i].count > 0)
            free(d->kept[i].part[--d->kept[i].count]);
    pair_fini(&d->p);
}

static enum om_err meet(struct desk *d, int from)
{
    return om_node_connect(d->p.side[from].node, d->p.now, &d->certs.network, &d->self[!from].id,
                           &d->p.side[!from].addr, 1);
}

static enum om_err revoke(struct desk *d, const struct om_id *key)
{
    return om_node_revoke(d->p.side[0].node, d->p.now, &d->certs.network, key);
}

static bool is_out(const struct desk *d, int side, const struct om_id *key)
{
    const struct om_node *n = d->p.side[side].node;

    return node_ledger_is_revoked(n, node_network(n, &d->certs.network), key);
}

OM_TEST(revoke_ends_sessions_and_refuses_new_ones)
{
    struct om_peer_info info;
    struct desk d;

    desk_init(&d);
    join(&d, 1);
    CHECK_OK(meet(&d, 1));
    pair_run(&d.p, OM_SEC(3));
    CHECK_OK(om_node_peer_info(d.p.side[0].node, d.p.now, &d.certs.network, &d.self[1].id, &info));
    CHECK(info.has_session);
    CHECK_EQ(d.p.side[0].events[OM_EVENT_REVOKED], 0);
    CHECK_OK(revoke(&d, &d.self[1].id));
    CHECK_OK(revoke(&d, &d.self[1].id)); /* once is enough */
    pair_run(&d.p, d.p.now + OM_MS(OM_GOSSIP_ROUND_MS));
    CHECK_EQ(d.p.side[0].events[OM_EVENT_REVOKED], 1);
    CHECK_EQ(d.p.side[1].events[OM_EVENT_CLOSED], 1);
    CHECK_EQ(om_node_peer_info(d.p.side[0].node, d.p.now, &d.certs.network, &d.self[1].id, &info),
             OM_E_MISSING);
    CHECK_EQ(meet(&d, 0), OM_E_RANGE);
    uint64_t said = pair_info(&d.p, 0).responses_out;
    CHECK_OK(meet(&d, 1));
    pair_run(&d.p, OM_SEC(8));
    CHECK(pair_info(&d.p, 0).drops[OM_DROP_HS_CREDENTIAL] > 0);
    CHECK_EQ(pair_info(&d.p, 0).responses_out, said); /* silence */
    desk_fini(&d);
}

OM_TEST(revoke_is_for_admins)
{
    const struct om_identity other = certs_someone(9);
    struct desk d;

    desk_init(&d);
    join(&d, 1);
    CHECK_EQ(om_node_revoke(d.p.side[1].node, d.p.now, &d.certs.network, &other.id), OM_E_STATE);
    CHECK_EQ(om_node_revoke(d.p.side[0].node, d.p.now, &d.p.network, &other.id), OM_E_STATE);
    CHECK_EQ(om_node_revoke(d.p.side[0].node, d.p.now, &other.id, &other.id), OM_E_MISSING);
    CHECK_EQ(revoke(&d, &d.self[0].id), OM_E_RANGE);
    CHECK_EQ(revoke(&d, &d.certs.authority.id), OM_E_RANGE);
    CHECK_OK(revoke(&d, &other.id));
    CHECK(is_out(&d, 0, &other.id));
    CHECK(!is_out(&d, 1, &other.id)); /* it was told nobody */
    desk_fini(&d);
}

OM_TEST(revoke_is_told_to_whoever_was_away)
{
    struct om_id keys[6];
    struct desk d;

    desk_init(&d);
    for (size_t i = 0; i < OM_ARRAY_SIZE(keys); i++) {
        keys[i] = certs_someone((uint8_t)(20 + i)).id;
        CHECK_OK(revoke(&d, &keys[i]));
        pair_run(&d.p, d.p.now + OM_MS(1)); /* its driver keeps up */
    }
    join(&d, 1);
    CHECK_OK(meet(&d, 1));
    pair_run(&d.p, OM_SEC(5));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(keys); i++)
        CHECK(is_out(&d, 1, &keys[i]));
    CHECK(!is_out(&d, 1, &d.self[1].id));
    CHECK_EQ(om_node_connect(d.p.side[1].node, d.p.now, &d.certs.network, &keys[0], NULL, 0),
             OM_E_RANGE);
    /* And while they are together. */
    const struct om_id late = certs_someone(99).id;
    CHECK_OK(revoke(&d, &late));
    pair_run(&d.p, d.p.now + OM_SEC(3));
    CHECK(is_out(&d, 1, &late));
    CHECK_EQ(d.kept[1].count > 0, 1);
    desk_fini(&d);
}

/* Side 0 starts again, with what it kept. */
static void restart(struct desk *d)
{
    const struct pair_options o = pair_defaults();
    const struct kept had = d->kept[0];

    CHECK(pair_restart(&d->p, 0, &o, true));
    join(d, 0);
    for (unsigned i = 0; i < had.count; i++)
        CHECK_OK(om_node_ledger(d->p.side[0].node, d->p.now, &d->certs.network,
                                om_bytes(had.part[i], had.len[i])));
    CHECK_OK(become_admin(d));
}

static const struct om_ledger_log *log_of_admin(const struct desk *d, int side)
{
    const struct node_ledger *g = node_ledger_of(d->p.side[side].node, &d->certs.network);
    const struct om_ledger_log *log = om_ledger_log(&g->all, &d->self[0].id);

    CHECK(log != NULL);
    return log;
}

/* Else who forgot what others heard of it signs the same numbers anew, which proves it a liar. */
OM_TEST(revoke_that_cannot_be_kept_was_not_said)
{
    for (unsigned kept = 0; kept < 2; kept++) { /* entries, before the disk is full; 0: no cert. */
        const struct om_id early = certs_someone(20).id,
                           lost[2] = {certs_someone(21).id, certs_someone(22).id};
        struct desk d;
        desk_init(&d);
        join(&d, 1);
        CHECK_OK(meet(&d, 1));
        d.is_full = kept == 0;
        pair_run(&d.p, OM_SEC(2));
        if (kept)
            CHECK_OK(revoke(&d, &early));
        pair_run(&d.p, d.p.now + OM_SEC(2));
        CHECK_EQ(is_out(&d, 1, &early), kept);
        d.is_full = true;
        for (int i = 0; i < 2; i++)
            CHECK_OK(revoke(&d, &lost[i]));
        pair_run(&d.p, d.p.now + OM_SEC(2));
        CHECK_EQ(log_of_admin(&d, 0)->whole, kept);
        CHECK(!is_out(&d, 0, &lost[0]) && !is_out(&d, 1, &lost[0]));
        d.is_full = false;
        CHECK_OK(revoke(&d, &lost[1]));
        pair_run(&d.p, d.p.now + OM_SEC(2));
        CHECK(is_out(&d, 1, &lost[1]));
        restart(&d);
        CHECK_EQ(log_of_admin(&d, 0)->whole, kept + 1);
        CHECK(is_out(&d, 0, &lost[1]) && !is_out(&d, 0, &lost[0]));
        CHECK_OK(revoke(&d, &lost[0]));
        CHECK_OK(meet(&d, 0));
        pair_run(&d.p, d.p.now + OM_SEC(5));
        CHECK(is_out(&d, 1, &lost[0]));
        for (int side = 0; side < 2; side++)
            CHECK_EQ(om_ledger_fork(log_of_admin(&d, side)), 0);
        desk_fini(&d);
    }
}

OM_TEST(revoke_waits_for_room_to_be_kept)
{
    enum om_err e = OM_OK;
    struct desk d;
    unsigned n = 0;

    desk_init(&d);
    for (; e == OM_OK && n < OM_LEDGER_UNTOLD_MAX; n++)
        e = revoke(&d, &(struct om_id){{0x77, (uint8_t)n}});
    CHECK_EQ(e, OM_E_BUSY); /* nothing of it was kept yet */
    pair_run(&d.p, OM_SEC(1));
    CHECK_OK(revoke(&d, &(struct om_id){{0x77, (uint8_t)n}}));
    pair_run(&d.p, OM_SEC(2));
    CHECK_EQ(log_of_admin(&d, 0)->whole, n);
    CHECK_EQ(d.kept[0].count, n + 1); /* and the certificate */
    desk_fini(&d);
}

/* All that a side has, in place of what it told. */
static void read_out(struct desk *d, int side)
{
    uint8_t part[OM_LEDGER_PART_MAX];
    struct om_ledger_place at = {.log = 0};
    size_t n;

    while (d->kept[side].count > 0)
        free(d->kept[side].part[--d->kept[side].count]);
    while ((n = om_node_ledger_all(d->p.side[side].node, &d->certs.network, &at, part)) > 0)
        keep(&d->kept[side], om_bytes(part, n));
}

OM_TEST(ledger_is_read_out_whole)
{
    enum { KEYS = 3 };
    struct desk d;

    desk_init(&d);
    for (unsigned i = 0; i < KEYS; i++)
        CHECK_OK(revoke(&d, &(struct om_id){{0x77, (uint8_t)i}}));
    pair_run(&d.p, OM_SEC(1));
    CHECK_OK(revoke(&d, &(struct om_id){{0x77, KEYS}})); /* which is to be told yet */
    read_out(&d, 0);
    CHECK_EQ(d.kept[0].count, 1 + KEYS);
    restart(&d);
    CHECK_EQ(log_of_admin(&d, 0)->whole, KEYS);
    CHECK(is_out(&d, 0, &(struct om_id){{0x77, KEYS - 1}}));
    CHECK(!is_out(&d, 0, &(struct om_id){{0x77, KEYS}}));
    desk_fini(&d);
}

OM_TEST(revoke_survives_a_restart)
{
    const struct om_id early = certs_someone(20).id, late = certs_someone(21).id;
    struct desk d;

    desk_init(&d);
    CHECK_OK(revoke(&d, &early));
    pair_run(&d.p, OM_SEC(1));
    const struct kept had = d.kept[0];
    d.kept[0].count = 0;
    restart(&d);
    CHECK(!is_out(&d, 0, &early)); /* it knows by what was kept, and by nothing else */
    d.kept[0] = had;
    restart(&d);
    CHECK(is_out(&d, 0, &early));
    CHECK_OK(revoke(&d, &late));
    CHECK_EQ(log_of_admin(&d, 0)->whole, 2);
    CHECK_EQ(om_ledger_fork(log_of_admin(&d, 0)), 0); /* it went on where it was */
    CHECK_EQ(om_node_ledger(d.p.side[0].node, d.p.now, &d.certs.network, om_bytes("", 0)),
             OM_E_PARSE);
    CHECK_EQ(
        om_node_ledger(d.p.side[0].node, d.p.now, &d.p.network, om_bytes(had.part[0], had.len[0])),
        OM_E_STATE);
    desk_fini(&d);
}

/* Side 1 asks to be let in by an invitation that names @uses in its id, and @said in the grant. */
static void ask_in(struct desk *d, uint16_t uses, uint16_t said, const uint8_t rest[static 6])
{
    struct om_join_link l = {
        .has_admin = true, .authority = d->certs.authority.id, .epoch = 7, .peer_count = 1};
    struct om_grant g = {.uses = said,
                         .issued = CERTS_NOW_S - 60,
                         .expires = CERTS_NOW_S + CERTS_DAY_S,
                         .invite = {(uint8_t)(uses >> 8), (uint8_t)uses}};
    char text[OM_JOIN_TEXT];
    struct om_id network;
    uint8_t sk[64];

    memcpy(g.invite + 2, rest, 6);
    om_epoch_join_secret(l.secret, secret);
    l.seed[0] = 0x1a;
    crypto_sign_seed_keypair(g.key.b, sk, l.seed);
    om_grant_encode(l.grant, &g, &d->self[0], &d->certs.network);
    memcpy(l.admin, d->admin_cert, sizeof l.admin);
    l.peers[0] = (struct om_join_peer){d->self[0].id, d->p.side[0].addr};
    om_join_link_print(text, &l);
    CHECK_OK(om_node_join_by_link(d->p.side[1].node, d->p.now, text, "", &network, NULL));
    pair_run(&d->p, d->p.now + OM_SEC(OM_JOIN_PATIENCE_S + 1));
}

OM_TEST(invite_void_lets_nobody_in)
{
    const uint8_t invite[OM_MEMBER_INVITE] = {0, 1, 'a'}, none[OM_MEMBER_INVITE] = {0};

    for (int is_void = 0; is_void < 2; is_void++) {
        struct desk d;
        desk_init(&d);
        CHECK_EQ(om_node_void(d.p.side[0].node, d.p.now, &d.certs.network, none), OM_E_RANGE);
        for (int i = 0; i < 2 && is_void; i++)
            CHECK_OK(om_node_void(d.p.side[0].node, d.p.now, &d.certs.network, invite));
        ask_in(&d, 1, 1, invite + 2);
        CHECK_EQ(d.joined, !is_void);
        CHECK_EQ(d.refused, is_void);
        desk_fini(&d);
    }
}

OM_TEST(invite_says_how_often_itself)
{
    const uint8_t rest[6] = {'b'};

    for (uint16_t said = 1; said < 3; said++) {
        struct desk d;
        desk_init(&d);
        ask_in(&d, 1, said, rest);
        CHECK_EQ(d.joined, said == 1);
        CHECK_EQ(d.refused, said != 1);
        desk_fini(&d);
    }
}

OM_TEST(ledger_sync_refuses_garbage)
{
    static const char *const args[] = {"{\"b\":\"AAAAAAA\"}", "{\"b\":\"AAAA\"}", "{}"};
    struct desk d;
    uint64_t call;

    desk_init(&d);
    join(&d, 1);
    CHECK_OK(meet(&d, 1));
    pair_run(&d.p, OM_SEC(2));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(args); i++) {
        const struct om_call_config c = {.method = OM_METHOD_LEDGER,
                                         .args = om_bytes(args[i], strlen(args[i]))};
        CHECK_OK(
            om_node_call(d.p.side[1].node, d.p.now, &d.certs.network, &d.self[0].id, &c, &call));
        pair_run(&d.p, d.p.now + OM_SEC(1));
        CHECK_EQ(d.replies, i + 1);
        CHECK_EQ(d.refusals, i); /* the first one is a question, of who knows nothing */
    }
    CHECK_STR(d.error, "bad_args");
    CHECK(pair_info(&d.p, 0).drops[OM_DROP_FRAME] >= 2);
    desk_fini(&d);
}

/* @side knows of @count admins, from the @first on, as far as it has room. */
static void fill(struct desk *d, int side, uint8_t first, uint8_t count)
{
    uint8_t cert[OM_ADMIN_CERT_BYTES], part[OM_LEDGER_ANSWER_LEAST];

    for (uint8_t i = 0; i < count; i++) {
        const struct om_id key = certs_someone((uint8_t)(first + i)).id;
        const struct om_admin_cert c = {
            .rights = OM_RIGHT_MEMBERS, .issued = 1, .expires = CERTS_NOW_S, .key = key};
        const struct om_ledger_told t = {&key, true, om_bytes(cert, sizeof cert)};
        om_admin_cert_encode(cert, &c, &d->certs.authority, &d->certs.network);
        CHECK_OK(om_node_ledger(d->p.side[side].node, d->p.now, &d->certs.network,
                                om_bytes(part, om_ledger_part(part, &t))));
    }
}

OM_TEST(ledger_sync_rests_where_nothing_comes_of_it)
{
    struct desk d;

    desk_init(&d);
    join(&d, 1);
    fill(&d, 0, 100, OM_LEDGER_LOGS_MAX);
    fill(&d, 1, 130, 1); /* for which the other has no room: they can never know the same */
    CHECK_OK(meet(&d, 1));
    pair_run(&d.p, OM_SEC(3));
    CHECK(d.p.sent > 10); /* they asked */
    unsigned had = d.p.sent;
    pair_run(&d.p, OM_SEC(30));
    CHECK(d.p.sent < had + 30); /* and leave it at that */
    desk_fini(&d);
}

/* Else one who asks without end has all the answers, also those about its own revocation. */
OM_TEST(ledger_sync_answers_one_less_often_than_all)
{
    static const char nothing[] = "{\"b\":\"AAAAAAA\"}"; /* known to who asks: the least there is */
    enum { QUESTIONS = 5, LEFT = 2 };
    const struct om_call_config c = {.method = OM_METHOD_LEDGER,
                                     .args = om_bytes(nothing, sizeof nothing - 1)};
    struct desk d;
    uint64_t call;

    desk_init(&d);
    join(&d, 1);
    CHECK_OK(meet(&d, 1));
    pair_run(&d.p, OM_SEC(2));
    struct om_node *n = d.p.side[0].node;
    struct node_ledger *g = node_ledger_of(n, &d.certs.network);
    struct om_peer *p = om_peers_find(&n->peers, g->net, &d.self[1].id);
    CHECK(p && p->ledger_asks.burst == OM_LEDGER_PEER_BURST);
    if (p) /* as after many questions */
        om_bucket_init(&p->ledger_asks, OM_LEDGER_PEER_PER_S, LEFT, d.p.now);
    for (unsigned i = 0; i < QUESTIONS; i++)
        CHECK_OK(
            om_node_call(d.p.side[1].node, d.p.now, &d.certs.network, &d.self[0].id, &c, &call));
    pair_run(&d.p, d.p.now + OM_MS(100));
    CHECK_EQ(d.replies, QUESTIONS);
    CHECK_EQ(d.refusals, QUESTIONS - LEFT);
    CHECK(om_bucket_take(&g->answers, d.p.now, OM_LEDGER_ANSWERS_PER_S - LEFT)); /* the others' */
    pair_run(&d.p, d.p.now + OM_SEC(1));
    CHECK_OK(om_node_call(d.p.side[1].node, d.p.now, &d.certs.network, &d.self[0].id, &c, &call));
    pair_run(&d.p, d.p.now + OM_MS(100));
    CHECK_EQ(d.replies, QUESTIONS + 1);
    CHECK_EQ(d.refusals, QUESTIONS - LEFT);
    desk_fini(&d);
}

OM_TEST(ledger_sync_learns_from_whom_it_refuses)
{
    const struct om_id news = certs_someone(130).id;

    for (int is_busy = 0; is_busy < 2; is_busy++) {
        struct desk d;
        desk_init(&d);
        join(&d, 1);
        CHECK_OK(meet(&d, 1));
        pair_run(&d.p, OM_SEC(3));
        struct node_ledger *g = node_ledger_of(d.p.side[0].node, &d.certs.network);
        if (is_busy)
            om_bucket_init(&g->answers, 0, 0, d.p.now);
        CHECK(!om_ledger_log(&g->all, &news));
        fill(&d, 1, 130, 1);
        pair_run(&d.p, d.p.now + OM_SEC(5));
        CHECK(om_ledger_log(&g->all, &news) != NULL);
        desk_fini(&d);
    }
}

/* Else who tells one new thing has its hearers keep, for good, whatever it tells beside that. */
OM_TEST(ledger_sync_keeps_what_is_new)
{
    enum { STRANGERS = 60 };
    struct om_admin_entry e = {.number = 1, .kind = OM_ADMIN_KEY_REVOKED};
    uint8_t entry[OM_ADMIN_ENTRY_MAX], item[OM_LEDGER_ANSWER_LEAST], answer[OM_LEDGER_ANSWER_MAX];
    const struct om_id out = certs_someone(20).id;
    struct desk d;

    desk_init(&d);
    join(&d, 1);
    pair_run(&d.p, OM_SEC(1));
    memcpy(e.subject, out.b, sizeof out.b);
    const struct om_bytes bytes =
        om_bytes(entry, om_admin_entry_encode(entry, &e, &d.certs.authority, &d.certs.network));
    size_t n = 1, one = 0;
    answer[0] = 0;
    for (unsigned i = 0; i <= STRANGERS; i++) {
        const struct om_id nobody = {{0x99, (uint8_t)i}};
        const struct om_ledger_told t = {i == STRANGERS / 2 ? &d.certs.authority.id : &nobody,
                                         false, bytes};
        one = om_ledger_part(item, &t);
        memcpy(answer + n, item + 1, one - 1);
        n += one - 1;
    }
    struct node_ledger *g = node_ledger_of(d.p.side[1].node, &d.certs.network);
    struct node_call c = {.node = d.p.side[1].node,
                          .network = d.certs.network,
                          .id = d.self[0].id,
                          .tail = answer,
                          .tail_len = n};
    const unsigned had = d.kept[1].count;
    g->asks[0] = (struct node_ledger_ask){.peer = c.id, .is_open = true};
    node_ledger_answered(&c, d.p.now, true);
    pair_run(&d.p, d.p.now + OM_SEC(1));
    CHECK(is_out(&d, 1, &out));
    CHECK_EQ(d.kept[1].count, had + 1);
    if (d.kept[1].count == had + 1) {
        struct om_ledger_heard heard;
        CHECK_EQ(d.kept[1].len[had], one);
        g = node_ledger_of(d.p.side[0].node, &d.certs.network);
        CHECK_OK(
            om_ledger_hear(&g->all, om_bytes(d.kept[1].part[had], d.kept[1].len[had]), &heard));
        CHECK_EQ(heard.entries, 1); /* as after a restart */
    }
    desk_fini(&d);
}
