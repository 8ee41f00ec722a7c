/* test_node_later.c - PINGs that are answered after a while. */
#include "harness.h"

#include "node/keep.h"
#include "node/sockets.h"
#include "pair.h"

/* a asks b from a socket beside its own; what b sends there is counted. */
struct desk {
    struct pair p;
    struct om_node *a, *b;
    struct om_addr spare;
    om_time now;
    unsigned answers;
    unsigned aside; /* of them, from sockets of their own */
    size_t longest;
};

static bool desk_init(struct desk *d)
{
    const struct pair_options o = pair_defaults();

    *d = (struct desk){.spare = om_addr_v4(0x0a000009, 4000)};
    if (!pair_init(&d->p, &o) || pair_connect(&d->p, 0) != OM_OK)
        return false;
    pair_run(&d->p, d->p.now + OM_SEC(1));
    d->a = d->p.side[0].node;
    d->b = d->p.side[1].node;
    d->now = d->p.now;
    return pair_peer(&d->p, 1).has_session;
}

static struct om_peer *peer_of(struct desk *d, int side)
{
    struct om_node *n = d->p.side[side].node;

    return om_peers_find(&n->peers, n->networks[0], &d->p.side[!side].id);
}

static void drain_b(struct desk *d)
{
    struct om_act act;

    while (om_node_next(d->b, &act)) {
        if (act.kind != OM_ACT_SEND)
            continue;
        size_t n = om_sealed_bytes(act.send.dgram).n;
        if (om_addr_equal(&act.send.via.remote, &d->spare)) {
            d->answers++;
            d->aside += act.send.via.socket != 0;
            d->longest = n > d->longest ? n : d->longest;
        }
        om_node_sent(d->b, act.send.dgram);
    }
}

static void pass(struct desk *d, om_time by)
{
    d->now += by;
    om_node_tick(d->b, d->now);
    drain_b(d);
}

/* @size of the plaintext; @before: another frame comes first. Returns the size of the datagram. */
static size_t ask(struct desk *d, uint16_t seconds, size_t size, bool before)
{
    struct om_peer *p = peer_of(d, 0);
    struct om_buf *b = node_plain(d->a);
    struct om_wr w = om_wr(om_mut(om_buf_put(b, size), size));
    struct om_act act;
    size_t n = 0;

    if (before)
        om_frame_write_ping(&w, 3);
    om_frame_write_ping_later(&w, &(struct om_frame_ping_later){7, seconds});
    om_wr_zero(&w, om_wr_left(&w));
    node_send_over(d->a, d->now, p, om_association_sealing(p->assoc, d->now), b,
                   &(struct om_via){.remote = d->p.side[1].addr});
    while (om_node_next(d->a, &act)) {
        uint8_t copy[OM_DGRAM_MAX];
        if (act.kind != OM_ACT_SEND)
            continue;
        struct om_bytes sealed = om_sealed_bytes(act.send.dgram);
        n = sealed.n;
        memcpy(copy, sealed.p, n);
        om_node_sent(d->a, act.send.dgram);
        struct om_dgram in = {.via.remote = d->spare, .data = copy, .len = n};
        om_node_input(d->b, d->now, &in, 1);
        drain_b(d);
    }
    return n;
}

static uint64_t dropped(struct desk *d)
{
    return pair_info(&d->p, 1).drops[OM_DROP_PING_LATER];
}

OM_TEST(later_answers_where_it_was_asked)
{
    struct desk d;

    OM_TRY(desk_init(&d));
    size_t asked = ask(&d, 0, OM_PONG_SIZE, false);
    CHECK_EQ(d.answers, 1);
    CHECK(d.longest <= asked);
    ask(&d, 20, OM_PONG_SIZE, false);
    pass(&d, OM_SEC(20) - OM_MS(1));
    CHECK_EQ(d.answers, 1);
    pass(&d, OM_MS(2));
    CHECK_EQ(d.answers, 2);
    pass(&d, OM_SEC(100)); /* once */
    CHECK_EQ(d.answers, 2);
    CHECK_EQ(dropped(&d), 0);
out:
    pair_fini(&d.p);
}

OM_TEST(later_is_bounded)
{
    struct desk d;

    OM_TRY(desk_init(&d));
    for (unsigned i = 0; i < OM_LATERS_PER_PEER + 3; i++)
        ask(&d, 10, OM_PONG_SIZE, false);
    CHECK_EQ(dropped(&d), 3);
    ask(&d, OM_PING_LATER_MAX_S + 1, OM_PONG_SIZE, false);
    CHECK_EQ(dropped(&d), 4);
    pass(&d, OM_SEC(10));
    CHECK_EQ(d.answers, OM_LATERS_PER_PEER);
    ask(&d, OM_PING_LATER_MAX_S, OM_PONG_SIZE, false); /* its room is free again */
    CHECK_EQ(dropped(&d), 4);
    for (unsigned i = 0; i < OM_PONGS_PER_S + 5; i++)
        ask(&d, 0, OM_PONG_SIZE, false);
    CHECK(dropped(&d) >= 4 + 5);
    CHECK(d.answers <= OM_LATERS_PER_PEER + OM_PONGS_PER_S);
    CHECK_EQ(d.b->laters.count, 1);
    node_forget_association(d.b, peer_of(&d, 1)); /* nothing is owed to who is gone */
    CHECK_EQ(d.b->laters.count, 0);
out:
    pair_fini(&d.p);
}

/* A question shorter than its answer gets none, and a second one in a packet neither. */
OM_TEST(later_is_no_lever)
{
    struct desk d;

    OM_TRY(desk_init(&d));
    ask(&d, 0, OM_PING_LATER_SIZE, false);
    CHECK_EQ(d.answers, 0);
    CHECK_EQ(dropped(&d), 1);
    ask(&d, 0, OM_PONG_SIZE - 1, false);
    CHECK_EQ(d.answers, 0);
    CHECK_EQ(dropped(&d), 2);
    ask(&d, 0, OM_PONG_SIZE, false); /* the control */
    CHECK_EQ(d.answers, 1);
    ask(&d, 9, OM_PONG_SIZE, true); /* behind a PING, which is answered */
    CHECK_EQ(d.b->laters.count, 0);
    ask(&d, 9, OM_PONG_SIZE, false);
    CHECK_EQ(d.b->laters.count, 1);
out:
    pair_fini(&d.p);
}

/* Neither a way to the peer nor, where it has lanes, where its relay sends. */
OM_TEST(later_trial_is_no_path)
{
    struct desk d;

    OM_TRY(desk_init(&d));
    const struct om_via spare = {.remote = d.spare};
    struct om_peer *p = peer_of(&d, 1);
    ask(&d, 5, OM_PONG_SIZE, false);
    CHECK_EQ(om_paths_find(p->paths, &spare), NULL);
    pass(&d, OM_SEC(4));
    CHECK_EQ(d.answers, 0);
    ask(&d, 5, OM_PONG_SIZE, true); /* the control: other packets are to be looked into */
    CHECK(om_paths_find(p->paths, &spare) != NULL);
out:
    pair_fini(&d.p);
}

/* From a socket that is there for this answer, and gone after it. */
OM_TEST(later_answers_from_elsewhere)
{
    struct desk d;

    OM_TRY(desk_init(&d));
    size_t asked = ask(&d, OM_PING_ELSEWHERE, OM_PONG_ASIDE_SIZE, false);
    CHECK(d.answers == 1 && d.aside == 1);
    CHECK(d.longest <= asked);
    CHECK_EQ(d.b->sockets.count, 0);
    ask(&d, OM_PING_ELSEWHERE, OM_PONG_ASIDE_SIZE - 1, false); /* shorter than its answer */
    CHECK_EQ(d.answers, 1);
    CHECK_EQ(dropped(&d), 1);
    ask(&d, 0, OM_PONG_SIZE, false);
    CHECK(d.answers == 2 && d.aside == 1);
out:
    pair_fini(&d.p);
}

/* Who has no socket left answers from where it was asked, which says so. */
OM_TEST(later_elsewhere_is_bounded)
{
    struct desk d;

    OM_TRY(desk_init(&d));
    for (unsigned i = 0; i < OM_ELSEWHERE_PER_S + 3; i++)
        ask(&d, OM_PING_ELSEWHERE, OM_PONG_ASIDE_SIZE, false);
    CHECK_EQ(d.answers, OM_ELSEWHERE_PER_S + 3);
    CHECK_EQ(d.aside, OM_ELSEWHERE_PER_S);
    pass(&d, OM_SEC(1));
    uint32_t taken = node_sockets_open(d.b, OM_SOCKETS_MAX);
    CHECK(taken != 0);
    ask(&d, OM_PING_ELSEWHERE, OM_PONG_ASIDE_SIZE, false);
    CHECK_EQ(d.aside, OM_ELSEWHERE_PER_S);
    node_sockets_close(d.b, taken, OM_SOCKETS_MAX, 0);
    drain_b(&d);
    ask(&d, OM_PING_ELSEWHERE, OM_PONG_ASIDE_SIZE, false);
    CHECK_EQ(d.aside, OM_ELSEWHERE_PER_S + 1);
    CHECK_EQ(d.answers, OM_ELSEWHERE_PER_S + 5);
out:
    pair_fini(&d.p);
}
