/* test_packet.c - views on packets. */
#include "harness.h"

#include "craft.h"
#include "packet/cksum.h"
#include "packet/ether.h"
#include "packet/packet.h"

static struct craft c;

static enum om_bad parse(struct om_packet *p)
{
    return om_packet_parse(p, craft_bytes(&c));
}

static void check_bad(enum om_bad want)
{
    struct om_packet p = {.ip = {.version = 99}};

    CHECK_STR(om_bad_name(parse(&p)), om_bad_name(want));
    CHECK_EQ(p.ip.version, 99); /* untouched */
}

static bool is_ip(const struct om_addr *a, const char *text, uint16_t port)
{
    struct om_addr want = craft_ip(text);

    want.port = port;
    return om_addr_equal(a, &want);
}

OM_TEST(packet_names_every_reason)
{
    for (unsigned i = 0; i < OM_BAD_COUNT; i++)
        CHECK(om_bad_name(i)[0] != '\0' && om_bad_text(i)[0] != '\0');
    CHECK_STR(om_bad_name(OM_BAD_COUNT), "unknown");
    CHECK_STR(om_bad_text(OM_BAD_COUNT), "unknown");
}

OM_TEST(cksum_meets_the_rfc_example)
{
    static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

    CHECK_EQ(om_cksum_add(0, om_bytes(example, sizeof example)), 0xddf2); /* RFC 1071, section 3 */
    CHECK_EQ(om_cksum_end(0xddf2), 0x220d);
}

OM_TEST(cksum_pieces_are_the_whole)
{
    uint8_t b[97];

    for (size_t i = 0; i < sizeof b; i++)
        b[i] = (uint8_t)(i * 37 + 200);
    for (size_t n = 0; n <= sizeof b; n++) {
        uint8_t naive[2];

        craft_put_sum(naive, craft_sum(0, b, n));
        uint32_t whole = om_cksum_add(0, om_bytes(b, n));
        CHECK_EQ(om_cksum_end(whole), naive[0] << 8 | naive[1]);
        for (size_t cut = 0; cut <= n; cut += 2)
            CHECK_EQ(om_cksum_add(om_cksum_add(0, om_bytes(b, cut)), om_bytes(b + cut, n - cut)),
                     whole);
    }
}

OM_TEST(cksum_update_is_a_new_sum)
{
    uint8_t b[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint16_t sum = om_cksum_end(om_cksum_add(0, om_bytes(b, sizeof b)));

    for (unsigned v = 0; v < 65536; v += 251) {
        uint16_t was = (uint16_t)(b[2] << 8 | b[3]);

        b[2] = (uint8_t)(v >> 8);
        b[3] = (uint8_t)v;
        sum = om_cksum_update(sum, was, (uint16_t)v);
        CHECK_EQ(sum, om_cksum_end(om_cksum_add(0, om_bytes(b, sizeof b))));
    }
}

OM_TEST(ip_reads_v4)
{
    struct om_packet p;

    craft_udp(&c, "10.0.0.2", 1000, "192.0.2.9", 53, 5);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK_EQ(p.ip.version, 4);
    CHECK_EQ(p.ip.ttl, 64);
    CHECK(is_ip(&p.ip.src, "10.0.0.2", 1000) && is_ip(&p.ip.dst, "192.0.2.9", 53));
    CHECK(!p.ip.is_fragment);
    CHECK_EQ(p.l4.payload.n, 5);
}

OM_TEST(ip_cuts_padding)
{
    struct om_packet p;

    craft_udp(&c, "10.0.0.2", 1000, "192.0.2.9", 53, 5);
    CHECK_EQ(om_packet_parse(&p, om_bytes(c.b, 46)), OM_BAD_NONE);
    CHECK_EQ(p.ip.whole.n, 33);
    craft_udp(&c, "fd00::2", 1000, "2001:db8::9", 53, 5);
    CHECK_EQ(om_packet_parse(&p, om_bytes(c.b, 100)), OM_BAD_NONE);
    CHECK_EQ(p.ip.whole.n, 53);
}

/* IPv6 with @n extension headers of these kinds before an empty "no next header". */
static void chain(const uint8_t *kinds, size_t n)
{
    uint8_t *p = craft_head(&c, "fd00::2", "2001:db8::9", n ? kinds[0] : 59, 8 * n);

    for (size_t i = 0; i < n; i++) {
        p[8 * i] = i + 1 < n ? kinds[i + 1] : 59;
        if (kinds[i] == 43)
            p[8 * i + 2] = 4;
    }
}

OM_TEST(ip_reads_v6_behind_its_chain)
{
    static const uint8_t kinds[] = {0, 60, 43, 44, 60};
    struct om_packet p;

    chain(kinds, 5);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK_EQ(p.ip.proto, 59);
    CHECK(p.ip.is_fragment && !p.ip.has_more); /* an atomic one */
    CHECK_EQ(p.ip.payload.n, 0);
    CHECK(is_ip(&p.ip.src, "fd00::2", 0));
    chain(kinds, 5);
    c.b[40 + 16 + 2] = 0; /* the routing header as type 0 */
    check_bad(OM_BAD_CHAIN);
    chain((const uint8_t[]){60, 0}, 2);
    check_bad(OM_BAD_CHAIN);
    chain((const uint8_t[]){44, 44}, 2);
    check_bad(OM_BAD_CHAIN);
    chain((const uint8_t[]){60}, 1);
    c.b[41] = 1; /* 16 bytes, of which there are 8 */
    check_bad(OM_BAD_SHORT);
}

OM_TEST(ip_chain_is_bounded)
{
    uint8_t kinds[OM_IP6_CHAIN_MAX + 1];
    struct om_packet p;

    memset(kinds, 60, sizeof kinds);
    chain(kinds, OM_IP6_CHAIN_MAX);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    chain(kinds, OM_IP6_CHAIN_MAX + 1);
    check_bad(OM_BAD_CHAIN);
}

static void set_fragment(uint16_t word)
{
    c.b[6] = (uint8_t)(word >> 8);
    c.b[7] = (uint8_t)word;
    craft_seal(&c);
}

OM_TEST(ip_tells_fragments)
{
    struct om_packet p;

    craft_udp(&c, "10.0.0.2", 1, "192.0.2.9", 2, 8);
    set_fragment(0x0001);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK(p.ip.is_fragment && !p.ip.has_more);
    CHECK_EQ(p.ip.offset, 8);
    CHECK_EQ(p.ip.id, 0x1234);
    set_fragment(0x2001);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK(p.ip.has_more);
    set_fragment(0x1fff); /* 65,528 + 16 */
    check_bad(OM_BAD_FRAGMENT);
    craft_udp(&c, "10.0.0.2", 1, "192.0.2.9", 2, 9);
    set_fragment(0x2001); /* 17 bytes, and more to come */
    check_bad(OM_BAD_FRAGMENT);
    (void)craft_tcp(&c, "10.0.0.2", 1, "192.0.2.9", 2, OM_TCP_ACK, 0);
    set_fragment(0x0001); /* would write over the flags: RFC 3128 */
    check_bad(OM_BAD_FRAGMENT);
    set_fragment(0x0003);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
}

OM_TEST(packet_leaves_later_fragments_unread)
{
    struct om_packet p;

    craft_udp(&c, "10.0.0.2", 1, "192.0.2.9", 2, 8);
    set_fragment(0x0002);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK_EQ(p.carries, OM_CARRIES_OTHER);
    CHECK(is_ip(&p.ip.src, "10.0.0.2", 0));
}

OM_TEST(ip_refuses_by_name)
{
    struct om_packet p;

    craft_udp(&c, "10.0.0.2", 1, "192.0.2.9", 2, 8);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    for (size_t n = 0; n < c.n; n++)
        CHECK_EQ(om_packet_parse(&p, om_bytes(c.b, n)), OM_BAD_SHORT);
    c.b[8]--; /* TTL */
    check_bad(OM_BAD_SUM);
    c.b[0] = 0x55;
    check_bad(OM_BAD_VERSION);
    c.b[0] = 0x44;
    check_bad(OM_BAD_HEADER);
    c.b[0] = 0x4f;
    check_bad(OM_BAD_SHORT);
    craft_udp(&c, "10.0.0.2", 1, "192.0.2.9", 2, 8);
    c.b[3] = 19;
    check_bad(OM_BAD_LENGTH);
    craft_udp(&c, "fd00::2", 1, "2001:db8::9", 2, 8);
    for (size_t n = 0; n < c.n; n++)
        CHECK_EQ(om_packet_parse(&p, om_bytes(c.b, n)), OM_BAD_SHORT);
    memset(c.b + 8, 0, 10);
    c.b[18] = c.b[19] = 0xff;
    check_bad(OM_BAD_VERSION);
}

OM_TEST(l4_reads_tcp)
{
    struct om_packet p;

    (void)craft_tcp(&c, "fd00::2", 1000, "2001:db8::9", 443, OM_TCP_SYN, 4);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK_EQ(p.carries, OM_CARRIES_TCP);
    CHECK_EQ(p.l4.flags, OM_TCP_SYN);
    CHECK_EQ(p.l4.seq, 1000);
    CHECK_EQ(p.l4.ack, 2000);
    CHECK_EQ(p.l4.window, 4096);
    CHECK_EQ(p.l4.options.n, 4);
    CHECK_EQ(p.l4.payload.n, 0);
    CHECK(is_ip(&p.ip.dst, "2001:db8::9", 443));
}

OM_TEST(l4_reads_udp)
{
    struct om_packet p;
    uint8_t *udp = c.b + 20;

    craft_udp(&c, "10.0.0.2", 1000, "192.0.2.9", 53, 5);
    udp[6] = udp[7] = 0; /* no checksum, which IPv4 allows */
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK_EQ(p.l4.payload.n, 5);
    udp[5] = 10; /* shorter than the packet */
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK_EQ(p.l4.payload.n, 2);
    udp[5] = 14;
    check_bad(OM_BAD_LENGTH);
    udp[5] = 7;
    check_bad(OM_BAD_LENGTH);
    set_fragment(0x2000);
    check_bad(OM_BAD_FRAGMENT); /* 13 bytes */
    craft_udp(&c, "10.0.0.2", 1000, "192.0.2.9", 53, 8);
    set_fragment(0x2000);
    check_bad(OM_BAD_LENGTH); /* all of it in a first fragment: then what is in the others? */
    udp[4] = 5;
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK_EQ(p.l4.payload.n, 8);
}

OM_TEST(l4_refuses_by_name)
{
    static const uint8_t odd[] = {0, OM_TCP_PSH, OM_TCP_SYN | OM_TCP_FIN, OM_TCP_SYN | OM_TCP_RST,
                                  OM_TCP_FIN};
    uint8_t *tcp;

    for (size_t i = 0; i < sizeof odd; i++) {
        (void)craft_tcp(&c, "10.0.0.2", 1, "192.0.2.9", 2, odd[i], 0);
        check_bad(OM_BAD_FLAGS);
    }
    tcp = craft_tcp(&c, "10.0.0.2", 1, "192.0.2.9", 2, OM_TCP_ACK, 4);
    tcp[4]++;
    check_bad(OM_BAD_SUM);
    tcp[12] = 0x40;
    check_bad(OM_BAD_HEADER);
    tcp[12] = 0x70;
    check_bad(OM_BAD_HEADER);
    tcp[12] = 0x60;
    tcp[22] = 2;
    tcp[23] = 4;
    check_bad(OM_BAD_OPTION);
    tcp[23] = 1;
    check_bad(OM_BAD_OPTION);
    craft_udp(&c, "fd00::2", 1, "2001:db8::9", 2, 8);
    c.b[40 + 9]++;
    check_bad(OM_BAD_SUM);
    c.b[40 + 6] = c.b[40 + 7] = 0; /* IPv6 wants one */
    check_bad(OM_BAD_SUM);
}

/* A SYN whose MSS option stands @pad bytes into the options. */
static uint8_t *syn(size_t pad, uint16_t mss, uint8_t flags)
{
    uint8_t *tcp = craft_tcp(&c, "10.0.0.2", 1, "192.0.2.9", 2, flags, 8);

    tcp[20 + pad] = 2;
    tcp[21 + pad] = 4;
    tcp[22 + pad] = (uint8_t)(mss >> 8);
    tcp[23 + pad] = (uint8_t)mss;
    craft_seal_l4(&c, 6, 16);
    return tcp + 22 + pad;
}

OM_TEST(l4_clamps_the_mss_of_a_syn)
{
    struct om_packet p;

    for (size_t pad = 0; pad <= 4; pad++) {
        uint8_t *value = syn(pad, 1460, OM_TCP_SYN);

        CHECK(om_l4_clamp_mss(om_mut(c.b, c.n), 1220));
        CHECK_EQ(value[0] << 8 | value[1], 1220);
        CHECK_EQ(parse(&p), OM_BAD_NONE); /* the checksum too */
        CHECK(!om_l4_clamp_mss(om_mut(c.b, c.n), 1220));
    }
}

OM_TEST(l4_clamp_leaves_everything_else)
{
    struct craft before;

    (void)syn(0, 1000, OM_TCP_SYN);
    before = c;
    CHECK(!om_l4_clamp_mss(om_mut(c.b, c.n), 1000));
    CHECK_MEM(&before, &c, sizeof c);
    (void)syn(0, 1460, OM_TCP_ACK);
    CHECK(!om_l4_clamp_mss(om_mut(c.b, c.n), 1000));
    (void)craft_tcp(&c, "10.0.0.2", 1, "192.0.2.9", 2, OM_TCP_SYN, 0);
    CHECK(!om_l4_clamp_mss(om_mut(c.b, c.n), 1000));
    (void)syn(0, 1460, OM_TCP_SYN);
    c.b[25] ^= 1;
    CHECK(!om_l4_clamp_mss(om_mut(c.b, c.n), 1000));
    CHECK(!om_l4_clamp_mss(om_mut(c.b, 0), 1000));
}

OM_TEST(packet_reads_each_protocol)
{
    struct om_packet p;

    craft_udp(&c, "10.0.0.2", 1, "192.0.2.9", 2, 0);
    CHECK(parse(&p) == OM_BAD_NONE && p.carries == OM_CARRIES_UDP);
    (void)craft_icmp(&c, "10.0.0.2", "192.0.2.9", 8, 77, NULL, 0);
    CHECK(parse(&p) == OM_BAD_NONE && p.carries == OM_CARRIES_ICMP);
    (void)craft_head(&c, "10.0.0.2", "192.0.2.9", 47, 8);
    CHECK(parse(&p) == OM_BAD_NONE && p.carries == OM_CARRIES_OTHER);
}

OM_TEST(packet_takes_the_icmp_of_its_family_only)
{
    struct om_packet p;

    (void)craft_head(&c, "10.0.0.2", "192.0.2.9", 58, 8);
    CHECK(parse(&p) == OM_BAD_NONE && p.carries == OM_CARRIES_OTHER);
    (void)craft_head(&c, "fd00::2", "fd00::1", 1, 8);
    CHECK(parse(&p) == OM_BAD_NONE && p.carries == OM_CARRIES_OTHER);
}

OM_TEST(icmp_reads_echo)
{
    struct om_packet p;

    (void)craft_icmp(&c, "10.0.0.2", "192.0.2.9", 8, 77, "abc", 3);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK_EQ(p.icmp.kind, OM_ICMP_ECHO);
    CHECK_EQ(p.icmp.id, 77);
    CHECK(is_ip(&p.ip.src, "10.0.0.2", 77) && is_ip(&p.ip.dst, "192.0.2.9", 77));
    c.b[30] ^= 1;
    check_bad(OM_BAD_SUM);
    (void)craft_icmp(&c, "fd00::2", "fd00::1", 129, 77, "abc", 3);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK_EQ(p.icmp.kind, OM_ICMP_ECHO_REPLY);
    (void)craft_icmp(&c, "fd00::2", "fd00::1", 135, 0, "abc", 3);
    CHECK(parse(&p) == OM_BAD_NONE && p.icmp.kind == OM_ICMP_NEIGHBOUR);
    (void)craft_icmp(&c, "fd00::2", "fd00::1", 143, 0, "abc", 3);
    CHECK(parse(&p) == OM_BAD_NONE && p.icmp.kind == OM_ICMP_LISTENER);
}

OM_TEST(icmp_reads_the_quoted_ports)
{
    struct om_packet p;
    struct om_ip quoted;
    struct craft inner;

    craft_udp(&inner, "10.0.0.2", 1000, "192.0.2.9", 53, 400);
    inner.b[8] = 1; /* routers change the TTL and we do not check */
    (void)craft_icmp(&c, "198.51.100.1", "10.0.0.2", 11, 0, inner.b, 28);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK_EQ(p.icmp.kind, OM_ICMP_ERROR);
    CHECK_EQ(om_icmp_quoted(&p.icmp, &quoted), OM_BAD_NONE);
    CHECK(is_ip(&quoted.src, "10.0.0.2", 1000) && is_ip(&quoted.dst, "192.0.2.9", 53));
    (void)craft_icmp(&c, "198.51.100.1", "10.0.0.2", 11, 0, inner.b, 23);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK_EQ(om_icmp_quoted(&p.icmp, &quoted), OM_BAD_SHORT);
}

OM_TEST(ip_reads_what_an_error_quotes)
{
    struct om_ip ip;

    craft_udp(&c, "fd00::2", 1000, "2001:db8::9", 53, 400);
    CHECK_EQ(om_ip_parse(&ip, om_bytes(c.b, 60)), OM_BAD_SHORT);
    CHECK_EQ(om_ip_parse_quoted(&ip, om_bytes(c.b, 60)), OM_BAD_NONE);
    CHECK_EQ(ip.payload.n, 20);
    CHECK_EQ(om_ip_parse_quoted(&ip, om_bytes(c.b, 39)), OM_BAD_SHORT);
}

static void check_refusal(const char *from, enum om_icmp_kind kind)
{
    uint8_t out[OM_ICMP_REFUSAL_MAX];
    struct om_packet p, answer;
    struct om_addr us = craft_ip(from);
    struct om_ip quoted;

    CHECK_EQ(parse(&p), OM_BAD_NONE);
    size_t n = om_icmp_refuse(om_mut(out, sizeof out), &p.ip, &us);
    CHECK(n > 0);
    CHECK_EQ(om_packet_parse(&answer, om_bytes(out, n)), OM_BAD_NONE);
    CHECK_EQ(answer.icmp.kind, kind);
    CHECK_EQ(om_icmp_quoted(&answer.icmp, &quoted), OM_BAD_NONE);
    CHECK(om_addr_equal(&quoted.src, &p.ip.src) && om_addr_equal(&quoted.dst, &p.ip.dst));
    CHECK_EQ(om_icmp_refuse(om_mut(out, n - 1), &p.ip, &us), 0);
}

OM_TEST(icmp_refusal_is_a_packet)
{
    craft_udp(&c, "10.0.0.2", 1000, "192.0.2.9", 53, 5);
    check_refusal("10.0.0.1", OM_ICMP_ERROR);
    craft_udp(&c, "10.0.0.2", 1000, "192.0.2.9", 53, 1400);
    check_refusal("10.0.0.1", OM_ICMP_ERROR);
    craft_udp(&c, "fd00::2", 1000, "2001:db8::9", 53, 1400);
    check_refusal("fd00::1", OM_ICMP_ERROR);
    (void)craft_icmp(&c, "10.0.0.2", "192.0.2.9", 8, 77, NULL, 0);
    check_refusal("10.0.0.1", OM_ICMP_ERROR);
}

OM_TEST(icmp_answers_no_error_with_an_error)
{
    static const char *const silent[][2] = {
        {"0.0.0.0", "192.0.2.9"}, {"10.0.0.2", "224.0.0.1"}, {"10.0.0.2", "255.255.255.255"}};
    uint8_t out[OM_ICMP_REFUSAL_MAX];
    struct om_packet p;
    struct om_addr us = craft_ip("10.0.0.1");

    for (size_t i = 0; i < OM_ARRAY_SIZE(silent); i++) {
        craft_udp(&c, silent[i][0], 1, silent[i][1], 2, 0);
        CHECK_EQ(parse(&p), OM_BAD_NONE);
        CHECK_EQ(om_icmp_refuse(om_mut(out, sizeof out), &p.ip, &us), 0);
    }
    (void)craft_icmp(&c, "10.0.0.2", "192.0.2.9", 3, 0, NULL, 0);
    CHECK_EQ(parse(&p), OM_BAD_NONE);
    CHECK_EQ(om_icmp_refuse(om_mut(out, sizeof out), &p.ip, &us), 0);
}

static const uint8_t mac_a[] = {2, 0, 0, 0, 0, 1}, mac_b[] = {2, 0, 0, 0, 0, 2};

static size_t frame(uint8_t *out, size_t max, uint16_t type)
{
    struct om_ether e = {.type = type};
    struct om_wr w = om_wr(om_mut(out, max));

    memcpy(e.dst, mac_a, OM_MAC);
    memcpy(e.src, mac_b, OM_MAC);
    om_ether_write(&w, &e);
    om_wr_zero(&w, 46);
    return om_wr_len(&w);
}

OM_TEST(ether_reads_a_frame)
{
    uint8_t b[60];
    struct om_ether e;
    size_t n = frame(b, sizeof b, OM_ETHER_IP4);

    CHECK_EQ(om_ether_parse(&e, om_bytes(b, n)), OM_BAD_NONE);
    CHECK_EQ(e.type, OM_ETHER_IP4);
    CHECK_EQ(e.payload.n, 46);
    for (n = 0; n < OM_ETHER_HEAD; n++)
        CHECK_EQ(om_ether_parse(&e, om_bytes(b, n)), OM_BAD_SHORT);
    b[6] |= 1;
    CHECK_EQ(om_ether_parse(&e, om_bytes(b, sizeof b)), OM_BAD_MAC);
}

OM_TEST(ether_head_round_trips)
{
    uint8_t b[60], again[OM_ETHER_HEAD];
    struct om_ether e;
    struct om_wr w = om_wr(om_mut(again, sizeof again));

    CHECK_EQ(om_ether_parse(&e, om_bytes(b, frame(b, sizeof b, OM_ETHER_IP6))), OM_BAD_NONE);
    om_ether_write(&w, &e);
    CHECK_EQ(om_wr_len(&w), OM_ETHER_HEAD);
    CHECK_MEM(b, again, sizeof again);
}

OM_TEST(ether_refuses_tags_and_lengths)
{
    static const uint16_t tags[] = {0x8100, 0x88a8, 0x9100};
    uint8_t b[60];
    struct om_ether e;

    for (size_t i = 0; i < OM_ARRAY_SIZE(tags); i++)
        CHECK_EQ(om_ether_parse(&e, om_bytes(b, frame(b, sizeof b, tags[i]))), OM_BAD_TAGGED);
    CHECK_EQ(om_ether_parse(&e, om_bytes(b, frame(b, sizeof b, 46))), OM_BAD_LLC);
}

OM_TEST(ether_reads_arp)
{
    uint8_t b[28] = {0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2, [24] = 10, 0, 0, 1};
    struct om_arp a;

    CHECK_EQ(om_arp_parse(&a, om_bytes(b, sizeof b)), OM_BAD_NONE);
    CHECK_EQ(a.op, 1);
    CHECK_MEM(a.src_mac, mac_b, OM_MAC);
    CHECK(is_ip(&a.src, "10.0.0.2", 0) && is_ip(&a.dst, "10.0.0.1", 0));
    CHECK_EQ(om_arp_parse(&a, om_bytes(b, 27)), OM_BAD_SHORT);
    b[5] = 5;
    CHECK_EQ(om_arp_parse(&a, om_bytes(b, sizeof b)), OM_BAD_HEADER);
}
