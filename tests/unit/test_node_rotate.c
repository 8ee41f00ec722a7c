/* test_node_rotate.c - the secret of a network changes, and who is left goes on. */
#include "certs.h"

#include <omerta/rotate.h>

#include "alloc_hook.h"

#include "network/rotation.h"
#include "node/ledger.h"

enum { LARGE = 400 /* an answer's, and no question's */ };

/* What a side told of its epochs, to be given back. */
struct told {
    unsigned count;
    uint32_t number;
    uint8_t secret[32];
    uint8_t kept[OM_ROTATION_KEPT_MAX];
    size_t len;
};

struct desk {
    struct certs certs;
    struct pair p;
    struct om_identity self[2]; /* side 0 is an admin, side 1 a member */
    uint8_t admin_cert[OM_ADMIN_CERT_BYTES];
    struct told told[2];
    bool is_watched; /* what side 0 told of is looked for in what is freed */
    unsigned large;  /* datagrams to side 1 */
};

static void on_act(struct pair *p, int side, const struct om_act *act)
{
    struct desk *d = p->on_call_arg;
    struct told *t = &d->told[side];

    if (act->kind != OM_ACT_MEMBER || act->member.news != OM_MEMBER_EPOCH)
        return;
    t->count++;
    t->number = act->member.epoch;
    memcpy(t->secret, act->member.secret, sizeof t->secret);
    if (side == 0 && d->is_watched)
        om_hook_watch(t->secret, sizeof t->secret);
    t->len = act->member.epochs.n;
    CHECK(t->len > 0 && t->len <= sizeof t->kept);
    memcpy(t->kept, act->member.epochs.p, t->len);
}

/* With what was told last, or with what the network began with. */
static void join(struct desk *d, int side)
{
    const struct told *t = &d->told[side];
    struct om_network_config c = {.id = d->certs.network,
                                  .epoch = t->count > 0 ? t->number : 7,
                                  .gossip = true,
                                  .authority = d->certs.authority.id};

    memcpy(c.secret, t->count > 0 ? t->secret : (const uint8_t[32]){0x5e, 0xc2}, sizeof c.secret);
    c.chain = certs_chain(&d->certs, &(struct certs_wish){.key = d->self[side].id,
                                                          .roles = side == 0 ? OM_ROLE_ADMIN : 0});
    CHECK_OK(om_node_join(d->p.side[side].node, &c, NULL));
    if (side == 0)
        CHECK_OK(om_node_admin(d->p.side[0].node, d->p.now, &d->certs.network,
                               om_bytes(d->admin_cert, sizeof d->admin_cert)));
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
    for (int i = 0; i < 2; i++)
        join(d, i);
}

static void meet(struct desk *d, int from)
{
    CHECK_OK(om_node_connect(d->p.side[from].node, d->p.now, &d->certs.network, &d->self[!from].id,
                             &d->p.side[!from].addr, 1));
}

static void wait_s(struct desk *d, int64_t s)
{
    pair_run(&d->p, d->p.now + OM_SEC(s));
}

static void revoke(struct desk *d, uint8_t which)
{
    const struct om_identity who = certs_someone(which);

    CHECK_OK(om_node_revoke(d->p.side[0].node, d->p.now, &d->certs.network, &who.id));
}

static uint32_t number(const struct desk *d, int side)
{
    return om_node_epoch_number(d->p.side[side].node, &d->certs.network);
}

static struct om_peer_info other(const struct desk *d, int side)
{
    struct om_peer_info info = {.has_session = false};

    (void)!om_node_peer_info(d->p.side[side].node, d->p.now, &d->certs.network, &d->self[!side].id,
                             &info);
    return info;
}

OM_TEST(rotate_gives_the_next_secret_to_who_is_left)
{
    struct desk d;

    desk_init(&d);
    meet(&d, 1);
    wait_s(&d, 2);
    CHECK_EQ(d.told[0].count, 0); /* nothing is to be changed */
    revoke(&d, 20);
    wait_s(&d, 2 * OM_ROTATION_WAIT_S);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(d.told[i].count, 1);
        CHECK_EQ(d.told[i].number, 8);
        CHECK_EQ(number(&d, i), 8);
        CHECK_EQ(d.p.side[i].events[OM_EVENT_EPOCH], 1);
        CHECK_EQ(d.p.side[i].events[OM_EVENT_CLOSED], 0);
        CHECK_EQ(d.p.side[i].events[OM_EVENT_SESSION_UP], 1); /* the session went on */
        CHECK_EQ(other(&d, i).epoch, 7);
    }
    CHECK_MEM(d.told[0].secret, d.told[1].secret, sizeof d.told[0].secret);
    CHECK_OK(om_node_close(d.p.side[0].node, d.p.now, &d.certs.network, &d.self[1].id, 0, ""));
    wait_s(&d, 1);
    meet(&d, 0);
    wait_s(&d, 2);
    CHECK_EQ(other(&d, 0).epoch, 8);
    /* One who was thrown out is not told of the next. */
    CHECK_OK(om_node_revoke(d.p.side[0].node, d.p.now, &d.certs.network, &d.self[1].id));
    CHECK_OK(om_node_rotate(d.p.side[0].node, d.p.now, &d.certs.network));
    wait_s(&d, 2);
    meet(&d, 1);
    wait_s(&d, 20);
    CHECK_EQ(number(&d, 0), 9);
    CHECK_EQ(number(&d, 1), 8);
    pair_fini(&d.p);
}

/* Of large datagrams to side 1 the first is lost, the second comes, and then nothing does. */
static bool lose_the_first(struct pair *p, const struct pair_dgram *g)
{
    struct desk *d = p->filter_arg;

    if (g->to != 1 || d->large == 2)
        return g->to != 1;
    if (g->len < LARGE)
        return true;
    d->large++;
    return d->large == 2;
}

/* Of an answer with eight entries before it the secret comes with the second datagram, which nobody
 * can read yet when the session ends. */
static void rotate_and_hang_up(struct desk *d)
{
    d->p.filter = lose_the_first;
    d->p.filter_arg = d;
    for (uint8_t i = 0; i < 8; i++)
        revoke(d, (uint8_t)(30 + i));
    CHECK_OK(om_node_rotate(d->p.side[0].node, d->p.now, &d->certs.network));
    for (unsigned i = 0; d->large < 2 && i < 30; i++)
        wait_s(d, 1);
    CHECK_EQ(d->large, 2);
    CHECK_EQ(number(d, 0), 9);
    CHECK_EQ(number(d, 1), 8);
    CHECK_OK(om_node_close(d->p.side[1].node, d->p.now, &d->certs.network, &d->self[0].id, 0, ""));
    wait_s(d, 1);
}

/* With five entries before it the answer that brings it comes in two pieces, cut within it. */
OM_TEST(rotate_leaves_no_secret_in_freed_memory)
{
    const unsigned long before = om_hook_spilt();
    unsigned long spilt;
    struct desk d;

    desk_init(&d);
    d.is_watched = true;
    meet(&d, 1);
    wait_s(&d, 2);
    for (uint8_t i = 0; i < 5; i++)
        revoke(&d, (uint8_t)(20 + i));
    CHECK_OK(om_node_rotate(d.p.side[0].node, d.p.now, &d.certs.network));
    wait_s(&d, 20);
    CHECK_MEM(d.told[0].secret, d.told[1].secret, sizeof d.told[0].secret);
    CHECK_EQ(d.told[1].count, 1);
    CHECK_EQ(om_hook_spilt(), before);
    rotate_and_hang_up(&d);
    pair_fini(&d.p);
    spilt = om_hook_spilt();
    om_hook_watch(NULL, 0);
    CHECK_EQ(spilt, before);
    /* The control: what nobody wiped. */
    char *volatile copy = strdup("what nobody wiped"); /* else nobody need make it */
    OM_TRY(copy != NULL);
    om_hook_watch("nobody", strlen("nobody"));
    free(copy);
    om_hook_watch(NULL, 0);
    CHECK_EQ(om_hook_spilt(), before + 1);
out:
    return;
}

OM_TEST(rotate_waits_for_its_rank)
{
    const struct om_id nowhere = certs_someone(77).id;
    struct desk d;

    desk_init(&d);
    struct om_node *boss = d.p.side[0].node, *member = d.p.side[1].node;
    CHECK_OK(om_node_rotate(boss, d.p.now, &d.certs.network)); /* there is no need */
    CHECK_ERR(om_node_rotate(boss, d.p.now, &nowhere), OM_E_MISSING);
    CHECK_ERR(om_node_rotate(boss, d.p.now, &d.p.network), OM_E_STATE);
    CHECK_ERR(om_node_rotate(member, d.p.now, &d.certs.network), OM_E_STATE);
    wait_s(&d, 5);
    CHECK_EQ(number(&d, 0), 7);
    revoke(&d, 20);
    wait_s(&d, OM_ROTATION_WAIT_S - 1);
    CHECK_EQ(number(&d, 0), 7);
    wait_s(&d, 2);
    CHECK_EQ(number(&d, 0), 8);
    revoke(&d, 21);
    wait_s(&d, OM_ROTATION_SHARE_S - 60);
    CHECK_EQ(number(&d, 0), 8); /* one an hour */
    CHECK_OK(om_node_rotate(boss, d.p.now, &d.certs.network));
    wait_s(&d, 1);
    CHECK_EQ(number(&d, 0), 9);
    CHECK_ERR(om_node_epoch(boss, d.p.now, &d.certs.network, 20, d.told[0].secret), OM_E_STATE);
    CHECK_EQ(om_node_epoch_number(boss, &nowhere), 0);
    pair_fini(&d.p);
}

static void restart(struct desk *d, int side)
{
    const struct pair_options o = pair_defaults();

    CHECK(pair_restart(&d->p, side, &o, true));
    join(d, side);
}

OM_TEST(rotate_survives_a_restart)
{
    const struct om_id nowhere = certs_someone(77).id;
    struct desk d;

    desk_init(&d);
    revoke(&d, 20);
    wait_s(&d, 2 * OM_ROTATION_WAIT_S);
    CHECK_EQ(d.told[0].number, 8);
    restart(&d, 0);
    struct om_node *boss = d.p.side[0].node;
    const struct om_bytes kept = om_bytes(d.told[0].kept, d.told[0].len);
    CHECK_EQ(number(&d, 0), 8);
    CHECK_ERR(om_node_epochs(boss, d.p.now, &d.certs.network, om_bytes("", 0)), OM_E_PARSE);
    CHECK_OK(om_node_epochs(boss, d.p.now, &d.certs.network, kept));
    CHECK_ERR(om_node_epochs(boss, d.p.now, &d.certs.network, kept), OM_E_STATE);
    CHECK_ERR(om_node_epochs(boss, d.p.now, &d.p.network, kept), OM_E_STATE);
    CHECK_ERR(om_node_epochs(boss, d.p.now, &nowhere, kept), OM_E_MISSING);
    /* The other one has slept through it, for longer than the overlap lasts: it is told now. */
    wait_s(&d, OM_EPOCH_PREVIOUS_S);
    CHECK_EQ(number(&d, 1), 7);
    meet(&d, 1);
    wait_s(&d, 20);
    CHECK_EQ(number(&d, 1), 8);
    CHECK_EQ(other(&d, 1).epoch, 8);
    CHECK_MEM(d.told[0].secret, d.told[1].secret, sizeof d.told[0].secret);
    CHECK_EQ(d.told[0].count, 1); /* the driver had it */
    pair_fini(&d.p);
}

OM_TEST(rotate_says_that_nobody_answers)
{
    struct desk d;

    desk_init(&d);
    revoke(&d, 20);
    wait_s(&d, OM_ROTATION_WAIT_S + 1);
    /* Side 0 lost all but the newest secret: side 1 can do nothing about it. */
    restart(&d, 0);
    wait_s(&d, 1);
    meet(&d, 1);
    wait_s(&d, 30);
    CHECK_EQ(number(&d, 0), 8);
    CHECK_EQ(number(&d, 1), 7);
    CHECK_EQ(d.p.side[1].events[OM_EVENT_OUTDATED], 1);
    wait_s(&d, 3600);
    CHECK_EQ(d.p.side[1].events[OM_EVENT_OUTDATED], 1); /* once is enough */
    CHECK_EQ(d.p.side[0].events[OM_EVENT_OUTDATED], 0);
    /* With what was kept it is met, and told. */
    CHECK_OK(om_node_epochs(d.p.side[0].node, d.p.now, &d.certs.network,
                            om_bytes(d.told[0].kept, d.told[0].len)));
    meet(&d, 1);
    wait_s(&d, 90);
    CHECK_EQ(number(&d, 1), 8);
    pair_fini(&d.p);
}
