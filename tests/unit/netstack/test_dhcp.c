/* test_dhcp.c - the DHCP server of a port, and its router advertisement. */
#include "harness.h"

#include "craft.h"
#include "dhcp/advert.h"
#include "dhcp/server.h"
#include "packet/packet.h"

enum { ADDR = 0x0a000002, US = 0x0a000001 };

static uint8_t msg[600], out[OM_DHCP_REPLY_MAX];
static size_t msg_n;
static struct om_dhcp_server s;
static struct om_addr to;

/* A client's message of this type, with options 50 and 54 where they are not 0. */
static void say(uint8_t type, uint32_t client, uint32_t wanted, uint32_t server)
{
    struct om_wr w = om_wr(om_mut(msg, sizeof msg));

    memset(msg, 0, sizeof msg);
    om_wr_u32(&w, 0x01010600);
    om_wr_u32(&w, 0xabcdef01);
    om_wr_u32(&w, 0);
    om_wr_u32(&w, client);
    om_wr_zero(&w, 12);
    om_wr_copy(&w, (const uint8_t[]){2, 0, 0, 0, 0, 2}, 6);
    om_wr_zero(&w, 202);
    om_wr_u32(&w, 0x63825363);
    om_wr_copy(&w, (const uint8_t[]){53, 1, type, 0, 55, 2, 1, 3}, 8);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t v = i == 0 ? wanted : server;

        if (v == 0)
            continue;
        om_wr_u8(&w, i == 0 ? 50 : 54);
        om_wr_u8(&w, 4);
        om_wr_u32(&w, v);
    }
    om_wr_u8(&w, 255);
    msg_n = om_wr_len(&w);
}

static struct om_dhcp_config config(void)
{
    struct om_dhcp_config c = {.mac = {2, 0, 0, 0, 0, 2},
                               .addr = ADDR,
                               .server = US,
                               .router = US,
                               .prefix_bits = 24,
                               .dns = {US},
                               .n_dns = 1,
                               .host = "vm",
                               .domain = "home.omerta",
                               .mtu = 9000,
                               .lease_s = 3600};
    return c;
}

static void start(void)
{
    struct om_dhcp_config c = config();

    CHECK_OK(om_dhcp_init(&s, &c));
}

static size_t input(om_time now)
{
    return om_dhcp_input(&s, now, om_bytes(msg, msg_n), om_mut(out, sizeof out), &to);
}

/* The data of an option of the answer of @n bytes; an empty view when it has none. */
static struct om_bytes option(size_t n, uint8_t want)
{
    struct om_rd r = om_rd(om_bytes(out, n));

    (void)om_rd_take(&r, OM_DHCP_HEAD);
    while (om_rd_left(&r) > 0) {
        uint8_t kind = om_rd_u8(&r);

        if (kind == 255)
            break;
        struct om_bytes data = om_rd_bytes(&r, om_rd_u8(&r));
        CHECK(!r.bad);
        if (kind == want)
            return data;
    }
    return om_bytes(NULL, 0);
}

static void check_u32(size_t n, uint8_t kind, uint32_t want)
{
    struct om_bytes data = option(n, kind);

    CHECK_EQ(data.n, 4);
    CHECK_EQ(om_load32(data.p), want);
}

static uint8_t type_of(size_t n)
{
    struct om_bytes data = option(n, 53);

    CHECK_EQ(data.n, 1);
    return data.p[0];
}

OM_TEST(dhcp_reads_a_message)
{
    struct om_dhcp d;

    say(OM_DHCP_REQUEST, 7, 8, 9);
    CHECK_EQ(om_dhcp_parse(&d, om_bytes(msg, msg_n)), OM_DHCP_BAD_NONE);
    CHECK(d.type == OM_DHCP_REQUEST && d.client == 7 && d.wanted == 8 && d.server == 9);
    CHECK_EQ(d.xid, 0xabcdef01);
    CHECK_EQ(d.mac[5], 2);
    CHECK_EQ(om_dhcp_parse(&d, om_bytes(msg, msg_n - 1)), OM_DHCP_BAD_NONE); /* no END */
}

static void check_bad(enum om_dhcp_bad want)
{
    struct om_dhcp d = {.xid = 99};

    CHECK_EQ(om_dhcp_parse(&d, om_bytes(msg, msg_n)), want);
    CHECK_EQ(d.xid, 99);
}

OM_TEST(dhcp_refuses_by_name)
{
    static const size_t kinds[] = {0, 1, 2, 236}; /* op, hardware, its length, cookie */

    for (size_t i = 0; i < OM_ARRAY_SIZE(kinds); i++) {
        say(OM_DHCP_DISCOVER, 0, 0, 0);
        msg[kinds[i]] ^= 2;
        check_bad(OM_DHCP_BAD_KIND);
    }
    say(0, 0, 0, 0);
    check_bad(OM_DHCP_BAD_KIND);
    say(OM_DHCP_DISCOVER, 0, 0, 0);
    msg[24] = 10;
    check_bad(OM_DHCP_BAD_RELAY);
    say(OM_DHCP_DISCOVER, 0, 0, 0);
    msg[241] = 2; /* a type of two bytes */
    check_bad(OM_DHCP_BAD_OPTION);
    say(OM_DHCP_DISCOVER, 0, 0, 0);
    msg[245] = 100; /* beyond the end */
    check_bad(OM_DHCP_BAD_OPTION);
    msg_n = OM_DHCP_HEAD - 1;
    check_bad(OM_DHCP_BAD_SHORT);
}

OM_TEST(dhcp_reads_overloaded_fields)
{
    static const uint8_t wanted[] = {50, 4, 0, 0, 0, 8, 255}, server[] = {54, 4, 0, 0, 0, 9, 255};
    struct om_dhcp d;

    say(OM_DHCP_REQUEST, 0, 0, 0);
    memcpy(msg + 44, server, sizeof server);
    memcpy(msg + 108, wanted, sizeof wanted);
    CHECK_EQ(om_dhcp_parse(&d, om_bytes(msg, msg_n)), OM_DHCP_BAD_NONE);
    CHECK(d.wanted == 0 && d.server == 0);
    memcpy(msg + msg_n - 1, (const uint8_t[]){52, 1, 3, 255}, 4);
    msg_n += 3;
    CHECK_EQ(om_dhcp_parse(&d, om_bytes(msg, msg_n)), OM_DHCP_BAD_NONE);
    CHECK(d.wanted == 8 && d.server == 9);
    msg[109] = 200;
    check_bad(OM_DHCP_BAD_OPTION);
}

OM_TEST(lease_ends_with_its_time)
{
    struct om_lease l = {0};

    CHECK_EQ(om_lease_at(&l, 0), OM_LEASE_FREE);
    om_lease_offer(&l, 0);
    CHECK_EQ(om_lease_at(&l, OM_SEC(60) - 1), OM_LEASE_OFFERED);
    CHECK_EQ(om_lease_at(&l, OM_SEC(60)), OM_LEASE_FREE);
    om_lease_take(&l, 0, 100);
    CHECK_EQ(om_lease_at(&l, OM_SEC(100) - 1), OM_LEASE_TAKEN);
    CHECK_EQ(om_lease_at(&l, OM_SEC(100)), OM_LEASE_FREE);
}

OM_TEST(lease_offer_leaves_a_taken_one)
{
    struct om_lease l = {0};

    om_lease_take(&l, 0, 100);
    om_lease_offer(&l, OM_SEC(1));
    CHECK_EQ(om_lease_at(&l, OM_SEC(99)), OM_LEASE_TAKEN);
    om_lease_free(&l);
    CHECK_EQ(om_lease_at(&l, OM_SEC(1)), OM_LEASE_FREE);
}

static void check_network(size_t n)
{
    struct om_bytes mtu = option(n, 26), host = option(n, 12), domain = option(n, 15);

    check_u32(n, 1, 0xffffff00);
    check_u32(n, 3, US);
    check_u32(n, 6, US);
    check_u32(n, 54, US);
    CHECK(mtu.n == 2 && mtu.p[0] << 8 == (9000 & 0xff00) && mtu.p[1] == (9000 & 0xff));
    CHECK_EQ(host.n, 2);
    CHECK_MEM(host.p, "vm", 2);
    CHECK_EQ(domain.n, 11);
    CHECK_MEM(domain.p, "home.omerta", 11);
}

OM_TEST(dhcp_gives_the_address)
{
    start();
    say(OM_DHCP_DISCOVER, 0, 0x0a000009, 0);
    size_t n = input(0);
    CHECK(n >= OM_DHCP_LEAST);
    CHECK_EQ(type_of(n), OM_DHCP_OFFER);
    CHECK_EQ(om_load32(out + 16), ADDR);
    CHECK_EQ(om_load32(out + 4), 0xabcdef01);
    CHECK_EQ(om_lease_at(&s.lease, 0), OM_LEASE_OFFERED);
    check_network(n);
    say(OM_DHCP_REQUEST, 0, ADDR, US);
    n = input(1);
    CHECK_EQ(type_of(n), OM_DHCP_ACK);
    check_u32(n, 51, 3600);
    check_u32(n, 58, 1800);
    check_u32(n, 59, 3150);
    check_network(n);
    CHECK_EQ(s.lease.until, 1 + OM_SEC(3600));
    say(OM_DHCP_REQUEST, ADDR, 0, 0); /* extended */
    CHECK_EQ(type_of(input(OM_SEC(1800))), OM_DHCP_ACK);
    CHECK_EQ(s.lease.until, OM_SEC(5400));
    say(OM_DHCP_REQUEST, 0, ADDR, 0); /* remembered after a start, even when it is over */
    CHECK_EQ(type_of(input(OM_SEC(9000))), OM_DHCP_ACK);
}

OM_TEST(dhcp_refuses_another_address)
{
    start();
    say(OM_DHCP_REQUEST, 0, 0x0a000009, US);
    size_t n = input(0);
    CHECK_EQ(type_of(n), OM_DHCP_NAK);
    CHECK_EQ(om_load32(out + 16), 0);
    CHECK_EQ(option(n, 51).n, 0);
    CHECK_EQ(option(n, 1).n, 0);
    say(OM_DHCP_REQUEST, 0x0a000009, 0, 0);
    CHECK_EQ(type_of(input(0)), OM_DHCP_NAK);
    CHECK_EQ(om_load32(to.ip + 12), 0xffffffff);
    CHECK_EQ(s.naks, 2);
    CHECK_EQ(om_lease_at(&s.lease, 0), OM_LEASE_FREE);
}

OM_TEST(dhcp_informs_without_a_lease)
{
    start();
    say(OM_DHCP_INFORM, ADDR, 0, 0);
    size_t n = input(0);
    CHECK_EQ(type_of(n), OM_DHCP_ACK);
    CHECK_EQ(om_load32(out + 16), 0);
    CHECK_EQ(option(n, 51).n, 0);
    check_network(n);
    CHECK_EQ(om_lease_at(&s.lease, 0), OM_LEASE_FREE);
}

OM_TEST(dhcp_serves_its_client_only)
{
    start();
    say(OM_DHCP_DISCOVER, 0, 0, 0);
    CHECK(input(0) > 0);
    msg[33] = 3;
    CHECK_EQ(input(0), 0);
    CHECK_EQ(s.bad[OM_DHCP_BAD_CLIENT], 1);
    say(OM_DHCP_REQUEST, 0, ADDR, 0x0a000007);
    CHECK_EQ(input(0), 0);
    CHECK_EQ(s.bad[OM_DHCP_BAD_SERVER], 1);
    say(OM_DHCP_ACK, 0, ADDR, 0);
    CHECK_EQ(input(0), 0);
    CHECK_EQ(s.bad[OM_DHCP_BAD_TYPE], 1);
    msg_n = 10;
    CHECK_EQ(input(0), 0);
    CHECK_EQ(s.bad[OM_DHCP_BAD_SHORT], 1);
}

OM_TEST(dhcp_releases)
{
    start();
    say(OM_DHCP_REQUEST, 0, ADDR, US);
    CHECK(input(0) > 0);
    CHECK_EQ(om_lease_at(&s.lease, 1), OM_LEASE_TAKEN);
    say(OM_DHCP_RELEASE, ADDR, 0, US);
    CHECK_EQ(input(1), 0);
    CHECK_EQ(om_lease_at(&s.lease, 1), OM_LEASE_FREE);
    say(OM_DHCP_DECLINE, 0, ADDR, US);
    CHECK_EQ(input(1), 0);
    CHECK_EQ(s.declines, 1);
}

OM_TEST(dhcp_routes_follow_the_rfc)
{
    static const uint8_t want[] = {8,  10,  10, 0, 0,   1,           /* 10.0.0.0/8 */
                                   25, 192, 0,  2, 128, 10, 0, 0, 1, /* 192.0.2.128/25 */
                                   0,  10,  0,  0, 1};               /* the default route */
    struct om_dhcp_config c = config();

    c.n_routes = 2;
    CHECK_OK(om_cidr_parse(&c.routes[0].net, "10.0.0.0/8", NULL));
    CHECK_OK(om_cidr_parse(&c.routes[1].net, "192.0.2.128/25", NULL));
    c.routes[0].gateway = c.routes[1].gateway = US;
    CHECK_OK(om_dhcp_init(&s, &c));
    say(OM_DHCP_DISCOVER, 0, 0, 0);
    struct om_bytes routes = option(input(0), 121);
    CHECK_EQ(routes.n, sizeof want);
    CHECK_MEM(routes.p, want, sizeof want);
    CHECK_OK(om_cidr_parse(&c.routes[0].net, "fd00::/8", NULL));
    CHECK_ERR(om_dhcp_init(&s, &c), OM_E_RANGE);
    c = config();
    c.n_dns = OM_DHCP_DNS_MAX + 1;
    CHECK_ERR(om_dhcp_init(&s, &c), OM_E_RANGE);
}

OM_TEST(dhcp_answers_where_the_client_hears)
{
    start();
    say(OM_DHCP_DISCOVER, 0, 0, 0);
    CHECK(input(0) > 0);
    CHECK_EQ(om_load32(to.ip + 12), ADDR);
    CHECK_EQ(to.port, 68);
    msg[10] = 0x80;
    CHECK(input(0) > 0);
    CHECK_EQ(om_load32(to.ip + 12), 0xffffffff);
    say(OM_DHCP_REQUEST, ADDR, 0, 0);
    msg[10] = 0x80;
    CHECK(input(0) > 0);
    CHECK_EQ(om_load32(to.ip + 12), ADDR);
}

OM_TEST(dhcp_reply_fits_or_is_none)
{
    struct om_dhcp_config c = config();

    c.n_routes = OM_DHCP_ROUTES_MAX;
    for (unsigned i = 0; i < OM_DHCP_ROUTES_MAX; i++)
        CHECK_OK(om_cidr_parse(&c.routes[i].net, "192.0.2.1", NULL));
    c.n_dns = OM_DHCP_DNS_MAX;
    memset(c.host, 'h', OM_DHCP_NAME_MAX - 1);
    memset(c.domain, 'd', OM_DHCP_NAME_MAX - 1);
    CHECK_OK(om_dhcp_init(&s, &c));
    say(OM_DHCP_REQUEST, ADDR, 0, 0);
    CHECK(input(0) > 0); /* the largest there is */
    CHECK_EQ(om_dhcp_input(&s, 0, om_bytes(msg, msg_n), om_mut(out, 299), &to), 0);
    c.host[OM_DHCP_NAME_MAX - 1] = 'h';
    CHECK_ERR(om_dhcp_init(&s, &c), OM_E_RANGE);
}

static struct om_advert advert(void)
{
    struct om_advert a = {.mac = {2, 0, 0, 0, 0, 1},
                          .from = craft_ip("fe80::1"),
                          .is_autonomous = true,
                          .router_s = 1800,
                          .prefix_s = 86400,
                          .mtu = 9000,
                          .n_dns = 1};

    CHECK_OK(om_cidr_parse(&a.prefix, "fd00::/64", NULL));
    a.dns[0] = craft_ip("fd00::1");
    return a;
}

OM_TEST(advert_is_a_packet_with_its_options)
{
    struct om_advert a = advert();
    struct om_addr all = craft_ip("ff02::1");
    struct om_packet p;
    size_t n = om_advert_write(om_mut(out, sizeof out), &a, &all);

    CHECK_EQ(om_packet_parse(&p, om_bytes(out, n)), OM_BAD_NONE); /* the checksum too */
    CHECK_EQ(p.icmp.kind, OM_ICMP_NEIGHBOUR);
    CHECK_EQ(p.icmp.type, 134);
    CHECK_EQ(p.ip.ttl, 255);
    CHECK(om_addr_equal(&p.ip.dst, &all));
    CHECK_EQ(p.ip.payload.n, 16 + 8 + 8 + 32 + 24);
    const uint8_t *at = p.ip.payload.p + 16;
    CHECK(at[0] == 1 && at[1] == 1 && at[7] == 1);
    at += 8;
    CHECK(at[0] == 5 && om_load32(at + 4) == 9000);
    at += 8;
    CHECK(at[0] == 3 && at[1] == 4 && at[2] == 64 && at[3] == 0xc0);
    CHECK_MEM(at + 16, a.prefix.ip, 16);
    at += 32;
    CHECK(at[0] == 25 && at[1] == 3);
    CHECK_MEM(at + 8, a.dns[0].ip, 16);
}

OM_TEST(advert_needs_its_room)
{
    struct om_advert a = advert();
    struct om_addr all = craft_ip("ff02::1");

    a.n_dns = OM_ADVERT_DNS_MAX;
    size_t n = om_advert_write(om_mut(out, OM_ADVERT_MAX), &a, &all);
    CHECK(n > 0);
    CHECK_EQ(om_advert_write(om_mut(out, n - 1), &a, &all), 0);
}
