/* test_node_hello.c - nodes that find each other on a LAN. */
#include "harness.h"
#include "pair.h"

#include <omerta/hello.h>

#include "node/state.h"

struct caught {
    struct om_addr to;
    uint8_t bytes[OM_HANDSHAKE_MAX];
    size_t len;
};

/* What @side wants to send now; the first @max of it into @out. */
static unsigned catch (const struct pair *p, int side, struct caught *out, unsigned max)
{
    struct om_node *n = p->side[side].node;
    unsigned count = 0;
    struct om_act a;

    while (om_node_next(n, &a)) {
        if (a.kind != OM_ACT_SEND)
            continue;
        struct om_bytes b = om_sealed_bytes(a.send.dgram);
        if (count < max && b.n <= sizeof out->bytes) {
            out[count].to = a.send.via.remote;
            out[count].len = b.n;
            memcpy(out[count].bytes, b.p, b.n);
        }
        count++;
        om_node_sent(n, a.send.dgram);
    }
    return count;
}

static enum om_err announce(const struct pair *p, int side)
{
    return om_node_hello(p->side[side].node, p->now, &p->network, &p->side[side].addr, 1);
}

static void hear(const struct pair *p, int side, const struct caught *c, const struct om_addr *from,
                 bool is_multicast)
{
    uint8_t copy[OM_HANDSHAKE_MAX];
    struct om_dgram d = {
        .via.remote = *from, .data = copy, .len = c->len, .is_multicast = is_multicast};

    memcpy(copy, c->bytes, c->len);
    om_node_input(p->side[side].node, p->now, &d, 1);
}

static bool is_hello(const struct om_epoch *epoch, const struct caught *c)
{
    uint8_t header[OM_HEADER_BYTES];
    struct om_handshake_plain plain;

    om_header_mask(epoch->mask, om_bytes(c->bytes, c->len), header);
    return om_header_decode(header).index == 0 &&
           om_handshake_unmask(&plain, epoch, om_bytes(c->bytes, c->len), header) == OM_OK &&
           plain.kind == OM_HANDSHAKE_HELLO && plain.sender == 0 && plain.receiver == 0 &&
           om_handshake_verify(&plain, epoch, om_bytes(NULL, 0));
}

/* Who has another secret sees bytes of handshake size, and goes to another group besides. */
OM_TEST(node_hello_is_sealed_and_signed)
{
    struct pair_options o = pair_defaults();
    struct caught c[3];
    struct pair p;

    o.wrong_secret = true;
    OM_TRY(pair_init(&p, &o));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(c); i++) {
        if (i == 0)
            OM_TRY(announce(&p, 0) == OM_OK);
        else
            om_node_tick(p.side[0].node, p.now);
        OM_TRY(catch (&p, 0, &c[i], 1) == 1);
        const struct om_epoch *ours = p.side[0].node->networks[0]->current;
        const struct om_epoch *other = p.side[1].node->networks[0]->current;
        struct om_addr group = om_hello_group(ours, false), theirs = om_hello_group(other, false);
        CHECK(om_addr_equal(&c[i].to, &group) && !om_addr_equal(&c[i].to, &theirs));
        CHECK(c[i].len >= OM_HANDSHAKE_MIN && c[i].len <= OM_HANDSHAKE_MAX);
        CHECK(is_hello(ours, &c[i]));
        CHECK(!is_hello(other, &c[i]));
        for (unsigned k = 0; k < i; k++)
            CHECK_MEM_DIFF(c[i].bytes, c[k].bytes, 16);
        p.now += OM_SEC(1);
    }
    om_node_tick(p.side[0].node, p.now); /* three were enough */
    CHECK_EQ(catch (&p, 0, c, 0), 0);
    struct om_node_info info = pair_info(&p, 0);
    CHECK_EQ(info.hellos_out, 3);
    CHECK_EQ(info.audited, 3);
    CHECK_EQ(info.audit_refused, 0);
out:
    pair_fini(&p);
}

OM_TEST(node_hello_starts_a_session)
{
    struct pair_options o = pair_defaults();
    struct caught c, own;
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    OM_TRY(announce(&p, 0) == OM_OK && catch (&p, 0, &c, 1) == 1);
    OM_TRY(announce(&p, 1) == OM_OK && catch (&p, 1, &own, 1) == 1);
    hear(&p, 1, &own, &p.side[1].addr, true);
    hear(&p, 1, &c, &p.side[0].addr, true);
    OM_TRY(pair_info(&p, 1).hello_starts == 1 && pair_info(&p, 1).initiations_out == 1);
    hear(&p, 1, &c, &p.side[0].addr, true); /* nothing is begun twice */
    struct om_node_info info = pair_info(&p, 1);
    CHECK_EQ(info.hellos_in, 3);
    CHECK_EQ(info.hello_starts, 1);
    CHECK_EQ(info.hellos_out, 1); /* nor is a hello an answer to one */
    CHECK_EQ(info.drops[OM_DROP_HELLO_OWN], 1);
    CHECK_EQ(info.drops[OM_DROP_HELLO_OLD], 1);
    pair_run(&p, p.now + OM_MS(500));
    OM_TRY(pair_peer(&p, 0).has_session && pair_peer(&p, 1).has_session);
    CHECK(pair_peer(&p, 1).initiated);

    pair_run(&p, p.now + OM_SEC(59)); /* a's next: there is a session, and so nothing to do */
    p.now += OM_SEC(3);
    om_node_tick(p.side[0].node, p.now);
    OM_TRY(catch (&p, 0, &c, 1) == 1);
    hear(&p, 1, &c, &p.side[0].addr, true);
    OM_TRY(pair_info(&p, 1).hellos_in == 4);
    CHECK_EQ(pair_info(&p, 1).hello_starts, 1);
    CHECK_EQ(pair_info(&p, 1).drops[OM_DROP_HELLO_RATE], 0);
out:
    pair_fini(&p);
}

/* The member that announced itself has left: that is found out after some tries, not after none. */
OM_TEST(node_hello_tries_end)
{
    struct pair_options o = pair_defaults();
    struct caught c;
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    OM_TRY(announce(&p, 0) == OM_OK && catch (&p, 0, &c, 1) == 1);
    OM_TRY(announce(&p, 1) == OM_OK);
    hear(&p, 1, &c, &p.side[0].addr, true);
    for (unsigned i = 0; i < 600; i++, p.now += OM_MS(500)) {
        om_node_tick(p.side[1].node, p.now);
        (void)catch (&p, 1, &c, 0);
    }
    uint64_t sent = pair_info(&p, 1).initiations_out;
    OM_TRY(sent >= 3 && sent <= OM_HANDSHAKE_QUICK + 1);
out:
    pair_fini(&p);
}

OM_TEST(node_hello_is_heard_only_over_the_link)
{
    const struct om_addr elsewhere = om_addr_v4(0x0a000009, 18002);
    struct pair_options o = pair_defaults();
    struct caught c;
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    OM_TRY(announce(&p, 0) == OM_OK && catch (&p, 0, &c, 1) == 1);
    hear(&p, 1, &c, &p.side[0].addr, true); /* b says nothing about itself, and hears nothing */
    OM_TRY(announce(&p, 1) == OM_OK);
    hear(&p, 1, &c, &p.side[0].addr, false);
    hear(&p, 1, &c, &elsewhere, true);
    struct om_node_info info = pair_info(&p, 1);
    CHECK_EQ(info.hellos_in, 3);
    CHECK_EQ(info.drops[OM_DROP_HELLO_OFF], 1);
    CHECK_EQ(info.drops[OM_DROP_HELLO_LINK], 1);
    CHECK_EQ(info.drops[OM_DROP_HELLO_SOURCE], 1);
    CHECK_EQ(info.hello_starts, 0);
    CHECK_EQ(info.peers, 0);
    hear(&p, 1, &c, &p.side[0].addr, true);
    OM_TRY(pair_info(&p, 1).hello_starts == 1);
out:
    pair_fini(&p);
}

OM_TEST(node_hello_stops)
{
    struct pair_options o = pair_defaults();
    struct caught c;
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    struct om_node *a = p.side[0].node;
    CHECK_OK(om_node_hello(a, p.now, &p.network, NULL, 0)); /* never began */
    CHECK_EQ(om_node_deadline(a), OM_NEVER);
    OM_TRY(announce(&p, 0) == OM_OK && catch (&p, 0, &c, 1) == 1);
    CHECK_EQ(om_node_deadline(a), p.now + OM_SEC(1));
    CHECK_OK(om_node_hello(a, p.now, &p.network, NULL, 0));
    CHECK_EQ(om_node_deadline(a), OM_NEVER);
    om_node_tick(a, p.now + OM_SEC(100));
    CHECK_EQ(catch (&p, 0, &c, 1), 0);
    OM_TRY(announce(&p, 0) == OM_OK && catch (&p, 0, &c, 1) == 1);
out:
    pair_fini(&p);
}

OM_TEST(node_hello_follows_the_epoch)
{
    struct om_addr before[OM_HELLO_GROUPS_MAX], after[OM_HELLO_GROUPS_MAX];
    const struct om_id stranger = {{1}};
    struct pair_options o = pair_defaults();
    const uint8_t secret[32] = {5};
    struct caught c;
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    struct om_node *a = p.side[0].node;
    CHECK_EQ(om_node_hello_groups(a, p.now, &stranger, before), 0);
    CHECK_EQ(om_node_hello_groups(a, p.now, &p.network, before), 2);
    CHECK(om_addr_is_v4(&before[0]) && !om_addr_is_v4(&before[1]));
    OM_TRY(announce(&p, 0) == OM_OK && catch (&p, 0, &c, 1) == 1);
    CHECK(om_addr_equal(&c.to, &before[0]));
    OM_TRY(om_node_epoch(a, p.now, &p.network, 1, secret) == OM_OK);
    CHECK_EQ(om_node_hello_groups(a, p.now, &p.network, after), 4);
    CHECK(om_addr_equal(&after[2], &before[0]) && om_addr_equal(&after[3], &before[1]));
    CHECK(!om_addr_equal(&after[0], &before[0]) && !om_addr_equal(&after[1], &before[1]));
    om_node_tick(a, p.now + OM_SEC(1));
    OM_TRY(catch (&p, 0, &c, 1) == 1);
    CHECK(om_addr_equal(&c.to, &after[0]));
    CHECK_EQ(om_node_hello_groups(a, p.now + OM_SEC(3600), &p.network, after), 2);
out:
    pair_fini(&p);
}

OM_TEST(node_hello_refuses_bad_addresses)
{
    struct om_addr addrs[OM_HELLO_ADDRS_MAX + 1];
    const struct om_id stranger = {{1}};
    struct pair_options o = pair_defaults();
    struct caught c[2];
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    struct om_node *a = p.side[0].node;
    for (unsigned i = 0; i < OM_ARRAY_SIZE(addrs); i++)
        addrs[i] = om_addr_v4(0x0a000001 + i, 1);
    CHECK_ERR(om_node_hello(a, p.now, &stranger, addrs, 1), OM_E_MISSING);
    CHECK_ERR(om_node_hello(a, p.now, &p.network, addrs, OM_HELLO_ADDRS_MAX + 1), OM_E_RANGE);
    addrs[1].port = 0;
    CHECK_ERR(om_node_hello(a, p.now, &p.network, addrs, 2), OM_E_RANGE);
    addrs[1] = om_addr_v4(0xef000001, 1);
    CHECK_ERR(om_node_hello(a, p.now, &p.network, addrs, 2), OM_E_RANGE);
    addrs[1] = om_addr_v4(0, 1);
    CHECK_ERR(om_node_hello(a, p.now, &p.network, addrs, 2), OM_E_RANGE);
    CHECK_EQ(catch (&p, 0, c, 2), 0);
    CHECK_OK(om_addr_parse(&addrs[1], "[fe80::1]:1", 0, NULL));
    OM_TRY(om_node_hello(a, p.now, &p.network, addrs, 2) == OM_OK);
    OM_TRY(catch (&p, 0, c, 2) == 2); /* one for each family */
    CHECK(om_addr_is_v4(&c[0].to) && !om_addr_is_v4(&c[1].to));
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(om_addr_classify(&c[i].to), OM_ADDR_MULTICAST);
out:
    pair_fini(&p);
}
