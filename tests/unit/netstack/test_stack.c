/* test_stack.c - ports of a stack: who is answered, echo, datagrams, Ethernet */
#include "link.h"

#include <stdio.h>

/* The Internet checksum, RFC 1071, the plain way. */
static uint16_t sum(const uint8_t *p, size_t n, uint32_t start)
{
    uint32_t s = start;

    for (size_t i = 0; i < n; i++)
        s += (uint32_t)p[i] << (i % 2 ? 0 : 8);
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

static void put16(uint8_t *at, unsigned v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* An IPv4 packet of @protocol around @n bytes at @out + 20; its size. */
static size_t ip_v4(uint8_t *out, const char *from, const char *to, uint8_t protocol, size_t n)
{
    static const uint8_t head[12] = {0x45, 0, 0, 0, 0, 1, 0, 0, 64};
    struct om_addr a = {0}, b = {0};

    CHECK(om_addr_ip_parse(a.ip, from) && om_addr_ip_parse(b.ip, to));
    memcpy(out, head, sizeof head);
    out[9] = protocol;
    put16(out + 2, (unsigned)(20 + n));
    memcpy(out + 12, a.ip + 12, 4);
    memcpy(out + 16, b.ip + 12, 4);
    put16(out + 10, sum(out, 20, 0));
    return 20 + n;
}

/* An echo request; its size. */
static size_t ping_v4(uint8_t out[static 64], const char *from, const char *to)
{
    memcpy(out + 20, (uint8_t[]){8, 0, 0, 0, 0, 9, 0, 1, 'h', 'i'}, 10);
    put16(out + 22, sum(out + 20, 10, 0));
    return ip_v4(out, from, to, 1, 10);
}

static size_t ping_v6(uint8_t out[static 64], const char *from, const char *to)
{
    static const uint8_t head[8] = {0x60, 0, 0, 0, 0, 10, 58, 64};

    memcpy(out, head, sizeof head);
    CHECK(om_addr_ip_parse(out + 8, from) && om_addr_ip_parse(out + 24, to));
    memcpy(out + 40, (uint8_t[]){128, 0, 0, 0, 0, 9, 0, 1, 'h', 'i'}, 10);
    put16(out + 42, sum(out + 8, 42, 10 + 58));
    return 50;
}

/* What @port answers to a packet; the size of it, and the answer in l->last. */
static size_t answer(struct link *l, unsigned port, const uint8_t *packet, size_t n)
{
    l->last_n = 0;
    l->drop_every = 1;
    om_stack_input(l->stack, l->now, l->port[port], om_bytes(packet, n));
    link_drain(l);
    return l->last_n;
}

OM_TEST(stack_is_one_in_a_process)
{
    struct link l;
    struct om_stack *second;

    OM_TRY(link_start(&l));
    CHECK_ERR(om_stack_new(&second, &(struct om_rng){link_rand, &l}, 0), OM_E_EXISTS);
    link_stop(&l);
    OM_TRY(link_start(&l));
out:
    link_stop(&l);
}

OM_TEST(stack_checks_the_config_of_a_port)
{
    struct link l;
    struct om_port_config good = link_config(false), bad;
    uint32_t port = 0;

    OM_TRY(link_start(&l));
    bad = good, bad.mtu = OM_STACK_MTU_MIN - 1;
    CHECK_ERR(om_stack_port_add(l.stack, &bad, &port), OM_E_RANGE);
    bad = good, bad.mtu = OM_STACK_MTU_MAX + 1;
    CHECK_ERR(om_stack_port_add(l.stack, &bad, &port), OM_E_RANGE);
    bad = good, bad.v4_prefix = 33;
    CHECK_ERR(om_stack_port_add(l.stack, &bad, &port), OM_E_RANGE);
    bad = good, bad.v4 = bad.v6;
    CHECK_ERR(om_stack_port_add(l.stack, &bad, &port), OM_E_RANGE);
    bad = good, bad.v6 = link_addr("[ff02::1]:0");
    CHECK_ERR(om_stack_port_add(l.stack, &bad, &port), OM_E_RANGE);
    bad = good, bad.has_v4 = bad.has_v6 = false;
    CHECK_ERR(om_stack_port_add(l.stack, &bad, &port), OM_E_RANGE);
    bad = good, bad.flows_max = OM_FLOWS_MAX + 1;
    CHECK_ERR(om_stack_port_add(l.stack, &bad, &port), OM_E_RANGE);
    bad = good, bad.kind = OM_PORT_ETHER, bad.mac[0] = 1;
    CHECK_ERR(om_stack_port_add(l.stack, &bad, &port), OM_E_RANGE);
    CHECK_EQ(port, 0);
    for (unsigned i = 2; i < OM_PORTS_MAX; i++)
        OM_TRY(om_stack_port_add(l.stack, &good, &port) == OM_OK);
    CHECK_ERR(om_stack_port_add(l.stack, &good, &port), OM_E_FULL);
    om_stack_port_remove(l.stack, port);
    uint32_t again = port;
    OM_TRY(om_stack_port_add(l.stack, &good, &again) == OM_OK);
    CHECK(again != port); /* an old handle is nobody's */
out:
    link_stop(&l);
}

OM_TEST(stack_answers_echo_for_any_address)
{
    struct link l;
    uint8_t p[64];
    size_t n = ping_v4(p, "10.0.0.1", "203.0.113.9");

    OM_TRY(link_start(&l));
    OM_TRY(answer(&l, 1, p, n) == n);
    CHECK_EQ(l.last[20], 0);
    CHECK_MEM(l.last + 12, p + 16, 4);
    CHECK_MEM(l.last + 16, p + 12, 4);
    n = ping_v6(p, "fd00::1", "2001:db8::9");
    OM_TRY(answer(&l, 1, p, n) == n);
    CHECK_EQ(l.last[40], 129);
    CHECK_MEM(l.last + 8, p + 24, 16);
    n = ping_v4(p, "10.0.0.2", "10.0.0.1"); /* the plain port answers for itself */
    OM_TRY(answer(&l, 0, p, n) == n);
    p[22] ^= 1; /* a wrong checksum */
    CHECK_EQ(answer(&l, 0, p, n), 0);
out:
    link_stop(&l);
}

OM_TEST(stack_drops_what_is_not_for_the_port)
{
    static const char *const wrong[][2] = {
        {"10.0.0.9", "10.0.0.2"}, /* the other port's address */
        {"10.0.0.9", "203.0.113.9"}, {"10.0.0.9", "10.0.0.255"}, {"10.0.0.9", "255.255.255.255"},
        {"10.0.0.9", "127.0.0.1"},   {"127.0.0.1", "10.0.0.1"},  {"224.0.0.1", "10.0.0.1"},
        {"0.0.0.0", "10.0.0.1"}};
    struct link l;
    uint8_t p[64] = {0};
    size_t n;

    OM_TRY(link_start(&l));
    for (size_t i = 0; i < OM_ARRAY_SIZE(wrong); i++) {
        n = ping_v4(p, wrong[i][0], wrong[i][1]);
        CHECK_EQ(answer(&l, 0, p, n), 0);
    }
    CHECK_EQ(om_stack_counts(l.stack)->not_for_us, OM_ARRAY_SIZE(wrong));
    for (size_t i = 3; i < OM_ARRAY_SIZE(wrong); i++) { /* the catch-all is not for these either */
        n = ping_v4(p, wrong[i][0], wrong[i][1]);
        CHECK_EQ(answer(&l, 1, p, n), 0);
    }
    n = ping_v6(p, "fd00::9", "ff02::1");
    CHECK_EQ(answer(&l, 1, p, n), 0);
    n = ping_v4(p, "10.0.0.9", "10.0.0.1");
    OM_TRY(answer(&l, 0, p, n) == n);
    for (size_t cut = 0; cut < 20; cut++)
        CHECK_EQ(answer(&l, 0, p, cut), 0);
    CHECK_EQ(om_stack_counts(l.stack)->malformed, 20);
out:
    link_stop(&l);
}

/* A datagram from port 0 to port 1, a bit of it turned over on the way: does it arrive? */
static bool spoilt_arrives(struct link *l)
{
    const struct om_addr from = link_addr("10.0.0.1:1000"), to = link_addr("192.0.2.7:53");
    struct om_stack_act act;
    uint8_t p[128];

    OM_TRY(om_stack_send(l->stack, l->now, l->port[0], &from, &to, om_bytes("hello", 5)) == OM_OK);
    OM_TRY(om_stack_next(l->stack, &act) && act.kind == OM_STACK_PACKET && act.bytes.n < sizeof p);
    size_t n = act.bytes.n;
    memcpy(p, act.bytes.p, n);
    p[n - 1] ^= 1;
    om_stack_input(l->stack, l->now, l->port[1], om_bytes(p, n));
    return om_stack_next(l->stack, &act) && act.kind == OM_STACK_DATAGRAM;
out:
    return false;
}

OM_TEST(stack_trusts_what_was_checked)
{
    struct om_port_config config[2] = {link_config(false), link_config(true)};
    struct link l;

    OM_TRY(link_start_with(&l, config));
    CHECK(!spoilt_arrives(&l));
    link_stop(&l);
    config[1].is_checked = true;
    OM_TRY(link_start_with(&l, config));
    OM_TRY(spoilt_arrives(&l));
out:
    link_stop(&l);
}

OM_TEST(stack_ports_with_one_address_stay_apart)
{
    struct link l;
    uint8_t p[64];
    struct om_port_config config[2] = {link_config(false), link_config(false)};

    OM_TRY(link_start_with(&l, config)); /* as two VMs that each believe to be 10.0.0.1 */
    size_t n = ping_v4(p, "10.0.0.1", "10.0.0.1");
    for (unsigned i = 0; i < 4; i++) {
        struct om_stack_act act = {0};
        om_stack_input(l.stack, l.now, l.port[i % 2], om_bytes(p, n));
        OM_TRY(om_stack_next(l.stack, &act));
        CHECK(act.kind == OM_STACK_PACKET && act.port == l.port[i % 2]);
        CHECK(!om_stack_next(l.stack, &act));
    }
out:
    link_stop(&l);
}

OM_TEST(stack_port_remove_forgets_its_flows)
{
    struct link l;

    OM_TRY(link_start(&l));
    OM_TRY(link_connect(&l, "192.0.2.77:80", 0));
    link_carry(&l);
    l.policy = LINK_HOLD;
    OM_TRY(link_connect(&l, "192.0.2.77:81", 0));
    link_carry(&l);
    OM_TRY(l.end_count == 3 && om_stack_flows(l.stack) == 3);
    unsigned carried = l.carried;
    om_stack_port_remove(l.stack, l.port[1]);
    om_stack_port_remove(l.stack, l.port[1]);
    CHECK_EQ(om_stack_flows(l.stack), 2);
    link_drain(&l);
    CHECK_EQ(l.carried, carried);
    om_stack_port_remove(l.stack, l.port[0]);
    CHECK_EQ(om_stack_flows(l.stack), 0);
    link_drain(&l);
    CHECK(om_stack_deadline(l.stack) == OM_NEVER);
out:
    link_stop(&l);
}

OM_TEST(stack_idle_has_no_deadline)
{
    struct link l;
    uint8_t p[64];

    OM_TRY(link_start(&l));
    CHECK(om_stack_deadline(l.stack) == OM_NEVER);
    size_t n = ping_v4(p, "10.0.0.9", "10.0.0.1");
    answer(&l, 0, p, n);
    CHECK(om_stack_deadline(l.stack) == OM_NEVER);
    p[6] = 0x20; /* more fragments, which never come */
    p[11]++;     /* and the checksum that goes with it */
    put16(p + 10, 0);
    put16(p + 10, sum(p, 20, 0));
    CHECK_EQ(answer(&l, 0, p, n), 0);
    CHECK(om_stack_deadline(l.stack) != OM_NEVER);
    link_pass(&l, l.now + OM_SEC(120));
    CHECK(om_stack_deadline(l.stack) == OM_NEVER);
out:
    link_stop(&l);
}

OM_TEST(stack_carries_datagrams_both_ways)
{
    static const char *const ends[][2] = {{"10.0.0.1:5000", "203.0.113.9:53"},
                                          {"[fd00::1]:5000", "[2001:db8::9]:53"}};
    const struct om_addr any = link_addr("10.0.0.1:1");
    struct link l;
    uint8_t bytes[2000]; /* more than a packet */

    OM_TRY(link_start(&l));
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < 2 * OM_ARRAY_SIZE(ends); i++) {
        struct om_addr from = link_addr(ends[i / 2][0]), to = link_addr(ends[i / 2][1]);
        size_t n = i % 2 ? sizeof bytes : 5;
        unsigned before = l.datagrams;
        OM_TRY(om_stack_send(l.stack, l.now, l.port[0], &from, &to, om_bytes(bytes, n)) == OM_OK);
        link_carry(&l);
        OM_TRY(l.datagrams == before + 1 && l.datagram.bytes.n == n);
        CHECK(l.datagram.port == l.port[1]);
        CHECK(om_addr_equal(&l.datagram.from, &from) && om_addr_equal(&l.datagram.to, &to));
        CHECK_MEM(l.datagram_bytes, bytes, n);
        OM_TRY(om_stack_send(l.stack, l.now, l.port[1], &to, &from, om_bytes(bytes, n)) == OM_OK);
        link_carry(&l);
        OM_TRY(l.datagrams == before + 2 && l.datagram.bytes.n == n);
        CHECK(l.datagram.port == l.port[0] && om_addr_equal(&l.datagram.from, &to));
        CHECK_ERR(om_stack_send(l.stack, l.now, l.port[0], &to, &from, om_bytes("x", 1)),
                  OM_E_RANGE); /* not the plain port's address */
    }
    CHECK_ERR(om_stack_send(l.stack, l.now, 12345, &any, &any, om_bytes("x", 1)), OM_E_MISSING);
out:
    link_stop(&l);
}

OM_TEST(stack_datagrams_are_bounded)
{
    static uint8_t bytes[60000];
    struct link l;
    struct om_addr from = link_addr("10.0.0.1:5000"), to = link_addr("10.0.0.2:53");
    struct om_port_config config[2] = {link_config(false), link_config(true)};
    struct om_stack_act act;
    unsigned got = 0;

    config[0].mtu = config[1].mtu = OM_STACK_MTU_MAX;
    OM_TRY(link_start_with(&l, config));
    for (unsigned i = 0; i < 30; i++) {
        OM_TRY(om_stack_send(l.stack, l.now, l.port[0], &from, &to,
                             om_bytes(bytes, sizeof bytes)) == OM_OK);
        OM_TRY(om_stack_next(l.stack, &act) && act.kind == OM_STACK_PACKET);
        static uint8_t copy[OM_STACK_MTU_MAX];
        memcpy(copy, act.bytes.p, act.bytes.n);
        om_stack_input(l.stack, l.now, l.port[1], om_bytes(copy, act.bytes.n));
    }
    while (om_stack_next(l.stack, &act))
        got += act.kind == OM_STACK_DATAGRAM;
    OM_TRY(got == OM_STACK_DATAGRAMS_MAX / 60000);
    CHECK_EQ(om_stack_counts(l.stack)->datagrams_full, 30 - got);
out:
    link_stop(&l);
}

/* A VM that knows only its card: it finds the gateway by ARP and by neighbour discovery. */
static struct om_port_config ether_config(bool is_catch_all)
{
    struct om_port_config c = link_config(is_catch_all);

    c.kind = OM_PORT_ETHER;
    memcpy(c.mac, (uint8_t[]){0x52, 0x54, 0, 0, 0, is_catch_all ? 2 : 1}, OM_STACK_MAC);
    return c;
}

OM_TEST(stack_finds_neighbours_on_ethernet)
{
    struct link l;
    struct om_port_config config[2] = {ether_config(false), ether_config(true)};
    static const char *const near[] = {"10.0.0.2:80", "[fd00::2]:80"};

    for (unsigned i = 0; i < 2; i++) {
        OM_TRY(link_start_with(&l, config));
        l.server_goal = 3000;
        OM_TRY(link_connect(&l, near[i], 5000));
        OM_TRY(link_until(&l, link_all_read));
        CHECK_MEM(l.last + 6, config[1].mac, 5);
        CHECK(l.last_n > 14 + 20);
        CHECK_EQ(l.ends[0].wrong + l.ends[1].wrong, 0);
        link_stop(&l);
    }
out:
    link_stop(&l);
}

OM_TEST(stack_ethernet_catches_all_but_other_cards)
{
    static const uint8_t vm[6] = {0x52, 0x54, 0, 0, 0, 1};
    struct link l;
    uint8_t f[128] = {0};
    struct om_port_config config[2] = {link_config(false), ether_config(true)};

    OM_TRY(link_start_with(&l, config));
    memcpy(f, config[1].mac, 6);
    memcpy(f + 6, vm, 6);
    put16(f + 12, 0x0800);
    size_t n = 14 + ping_v4(f + 14, "10.0.0.1", "203.0.113.9");
    OM_TRY(answer(&l, 1, f, n) == 42); /* it asks who 10.0.0.1 is, as 10.0.0.2: never as 203. */
    CHECK_MEM(l.last + 12, ((uint8_t[]){8, 6}), 2);
    CHECK_MEM(l.last + 28, ((uint8_t[]){10, 0, 0, 2}), 4);
    CHECK_MEM(l.last + 38, ((uint8_t[]){10, 0, 0, 1}), 4);
    uint8_t arp[42];
    memcpy(arp, l.last, sizeof arp);
    memcpy(arp, config[1].mac, 6);
    memcpy(arp + 6, vm, 6);
    arp[21] = 2;
    memcpy(arp + 22, vm, 6);
    memcpy(arp + 28, l.last + 38, 4);
    memcpy(arp + 32, config[1].mac, 6);
    memcpy(arp + 38, l.last + 28, 4);
    OM_TRY(answer(&l, 1, arp, sizeof arp) == n); /* the reply to the ping waited for that */
    CHECK_EQ(l.last[14 + 20], 0);
    CHECK_MEM(l.last, vm, 6);
    CHECK_MEM(l.last + 14 + 12, f + 14 + 16, 4);
    uint64_t before = om_stack_counts(l.stack)->not_for_us;
    f[5] = 9; /* to another card */
    CHECK_EQ(answer(&l, 1, f, n), 0);
    CHECK_EQ(om_stack_counts(l.stack)->not_for_us, before + 1);
out:
    link_stop(&l);
}
