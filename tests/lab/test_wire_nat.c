/* test_wire_nat.c - frames through the simulator's NAT, byte by byte. */
#include "harness.h"

#include <stdio.h>

#include "natkind.h"
#include "netstack/packet/cksum.h"
#include "netstack/packet/l4.h"
#include "wire_nat.h"

enum { ETHER = 14, SAYS = 10, FRAME = ETHER + OM_IP4_HEAD + OM_UDP_HEAD + SAYS, SEED = 3 };
enum { INSIDE_PORT = 40000, SERVER_PORT = 5001, OTHER_PORT = 5002 };

static const uint32_t inside_ip = 0xc0a80102, outside_ip = 0x0b000001, server_ip = 0x0b00000b;

/* A datagram with right sums; without @has_sum UDP has none. */
static void frame_make(uint8_t f[FRAME], struct om_addr from, struct om_addr to, bool has_sum)
{
    struct om_wr w = om_wr(om_mut(f, FRAME));

    om_wr_copy(&w, "BBBBBBAAAAAA", 12);
    om_wr_u16(&w, 0x0800);
    om_wr_u16(&w, 0x4500);
    om_wr_u16(&w, FRAME - ETHER);
    om_wr_zero(&w, 4);
    om_wr_u8(&w, 64);
    om_wr_u8(&w, OM_PROTO_UDP);
    om_wr_zero(&w, 2);
    om_wr_copy(&w, from.ip + 12, 4);
    om_wr_copy(&w, to.ip + 12, 4);
    om_wr_u16(&w, from.port);
    om_wr_u16(&w, to.port);
    om_wr_u16(&w, OM_UDP_HEAD + SAYS);
    om_wr_zero(&w, 2);
    om_wr_copy(&w, "some words", SAYS);
    uint8_t *ip = f + ETHER, *udp = ip + OM_IP4_HEAD;
    uint16_t sum = om_cksum_end(om_cksum_add(0, om_bytes(ip, OM_IP4_HEAD)));
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
    if (!has_sum)
        return;
    sum = om_cksum_end(om_cksum_add(om_cksum_pseudo(&from, &to, OM_PROTO_UDP, OM_UDP_HEAD + SAYS),
                                    om_bytes(udp, OM_UDP_HEAD + SAYS)));
    udp[6] = (uint8_t)(sum >> 8);
    udp[7] = (uint8_t)sum;
}

/* The ends of @f, whose sums are right. */
static void frame_read(const uint8_t f[FRAME], struct om_addr *from, struct om_addr *to)
{
    struct om_ip ip;
    struct om_l4 udp;

    CHECK(om_ip_parse(&ip, om_bytes(f + ETHER, FRAME - ETHER)) == OM_BAD_NONE);
    CHECK(om_l4_parse(&udp, &ip) == OM_BAD_NONE);
    CHECK(memcmp(udp.payload.p, "some words", SAYS) == 0);
    CHECK_EQ(ip.ttl, 64);
    *from = ip.src;
    *to = ip.dst;
    from->port = udp.src_port;
    to->port = udp.dst_port;
}

/* Sends from @from to @to; the ends it has behind the box are then in them. */
static enum wire_nat_way send_one(struct wire_nat *n, bool is_out, struct om_addr *from,
                                  struct om_addr *to, bool has_sum)
{
    uint8_t f[FRAME];

    frame_make(f, *from, *to, has_sum);
    enum wire_nat_way way = wire_nat_frame(n, 0, is_out, om_mut(f, sizeof f));
    if (way != WIRE_NAT_DROP)
        frame_read(f, from, to);
    CHECK(memcmp(f, way == WIRE_NAT_BACK ? "AAAAAABBBBBB" : "BBBBBBAAAAAA", 12) == 0);
    return way;
}

OM_TEST(wire_nat_rewrites_both_ways)
{
    struct wire_nat n;

    CHECK(wire_nat_init(&n, "11.0.0.1 stride", SEED));
    for (int has_sum = 0; has_sum < 2; has_sum++) {
        struct om_addr from = om_addr_v4(inside_ip, (uint16_t)(INSIDE_PORT + has_sum));
        struct om_addr to = om_addr_v4(server_ip, SERVER_PORT), own = from, server = to;
        CHECK(send_one(&n, true, &from, &to, has_sum) == WIRE_NAT_ON);
        CHECK(om_addr_equal(
            &from, &(struct om_addr){.ip = {[10] = 255, 255, 11, 0, 0, 1}, .port = from.port}));
        CHECK(from.port != own.port && om_addr_equal(&to, &server));
        struct om_addr seen = from, back = server;
        CHECK(send_one(&n, false, &back, &seen, has_sum) == WIRE_NAT_ON);
        CHECK(om_addr_equal(&back, &server) && om_addr_equal(&seen, &own));
        /* Nobody else may answer. */
        struct om_addr other = om_addr_v4(server_ip, OTHER_PORT);
        CHECK(send_one(&n, false, &other, &from, has_sum) == WIRE_NAT_DROP);
    }
    CHECK_EQ(n.box.counts[SIM_NAT_FILTERED], 2);
    CHECK_EQ(n.untranslated, 0);
    wire_nat_fini(&n);
}

OM_TEST(wire_nat_is_the_simulators)
{
    struct om_addr outside = om_addr_v4(outside_ip, 0);
    const char *kind, *what;

    for (unsigned i = 0; (kind = sim_nat_kind_at(i, &what)) != NULL; i++) {
        struct sim_natbox box;
        struct sim_nat_model model;
        struct wire_nat n;
        char text[64];
        CHECK(sim_nat_kind(kind, &model));
        sim_natbox_init(&box, &model, &outside, SEED);
        snprintf(text, sizeof text, "11.0.0.1 %s", kind);
        CHECK(wire_nat_init(&n, text, SEED));
        for (unsigned k = 0; k < 40; k++) {
            struct om_addr from = om_addr_v4(inside_ip, (uint16_t)(INSIDE_PORT + k % 3));
            struct om_addr to = om_addr_v4(server_ip + k % 2, (uint16_t)(SERVER_PORT + k));
            struct sim_nat_packet p = {from, to, SIM_TTL};
            bool is_out = sim_natbox_outbound(&box, 0, &p) == SIM_NAT_OUT;
            CHECK_EQ(send_one(&n, true, &from, &to, true) == WIRE_NAT_ON, is_out);
            CHECK(!is_out || (om_addr_equal(&from, &p.from) && om_addr_equal(&to, &p.to)));
        }
        wire_nat_fini(&n);
        sim_natbox_fini(&box);
    }
}

OM_TEST(wire_nat_turns_round)
{
    struct om_addr from = om_addr_v4(inside_ip, INSIDE_PORT), own = from;
    struct om_addr to = om_addr_v4(server_ip, SERVER_PORT);
    struct om_addr neighbour = om_addr_v4(inside_ip + 1, INSIDE_PORT);
    struct wire_nat n;

    CHECK(wire_nat_init(&n, "11.0.0.1 carrier", SEED));
    CHECK(send_one(&n, true, &from, &to, true) == WIRE_NAT_ON);
    CHECK(send_one(&n, true, &neighbour, &from, true) == WIRE_NAT_BACK);
    CHECK(om_addr_equal(&from, &own) && sim_natbox_is_outside(&n.box, &neighbour));
    wire_nat_fini(&n);
}

OM_TEST(wire_nat_passes_what_is_not_ipv4)
{
    uint8_t f[FRAME] = {[12] = 0x86, [13] = 0xdd}, arp[ETHER] = {[12] = 0x08, [13] = 0x06};
    uint8_t was[FRAME];
    struct wire_nat n;

    memcpy(was, f, sizeof f);
    CHECK(wire_nat_init(&n, "11.0.0.1 udpblock", SEED));
    for (int is_out = 0; is_out < 2; is_out++) {
        CHECK(wire_nat_frame(&n, 0, is_out, om_mut(f, sizeof f)) == WIRE_NAT_ON);
        CHECK(wire_nat_frame(&n, 0, is_out, om_mut(arp, sizeof arp)) == WIRE_NAT_ON);
        CHECK(wire_nat_frame(&n, 0, is_out, om_mut(arp, 3)) == WIRE_NAT_ON);
    }
    CHECK(memcmp(was, f, sizeof f) == 0);
    wire_nat_fini(&n);
}

OM_TEST(wire_nat_drops_what_it_cannot_translate)
{
    const struct om_addr own = om_addr_v4(inside_ip, INSIDE_PORT);
    const struct om_addr server = om_addr_v4(server_ip, SERVER_PORT);
    struct om_addr from = own, to = server;
    uint8_t f[FRAME];
    struct wire_nat n;

    CHECK(wire_nat_init(&n, "11.0.0.1 full", SEED));
    for (size_t i = ETHER; i < FRAME; i++) {
        frame_make(f, own, server, true);
        f[i] ^= 0x40; /* no byte may change without its sum */
        CHECK(wire_nat_frame(&n, 0, true, om_mut(f, sizeof f)) == WIRE_NAT_DROP);
        frame_make(f, own, server, true);
        CHECK(wire_nat_frame(&n, 0, true, om_mut(f, i)) == WIRE_NAT_DROP);
    }
    CHECK(send_one(&n, false, &from, &to, true) == WIRE_NAT_DROP); /* not for the box */
    CHECK_EQ(n.untranslated, 2 * (FRAME - ETHER) + 1);
    CHECK(send_one(&n, true, &from, &to, true) == WIRE_NAT_ON);
    wire_nat_fini(&n);
}

OM_TEST(wire_nat_refuses_nonsense)
{
    static const char *const texts[] = {"",
                                        "11.0.0.1",
                                        "full",
                                        "11.0.0.1 fullest",
                                        "11.0.0.1 block block=0",
                                        "11.0.0 full",
                                        "2001:db8::1 full",
                                        "11.0.0.1:7 full"};
    char large[600];
    size_t len = 0;
    struct wire_nat n;

    for (size_t i = 0; i < OM_ARRAY_SIZE(texts); i++)
        CHECK(!wire_nat_init(&n, texts[i], SEED));
    memset(large, ' ', sizeof large);
    large[sizeof large - 1] = '\0';
    CHECK(!wire_nat_init(&n, large, SEED));
    for (unsigned i = 0; i < 30; i++)
        len +=
            (size_t)snprintf(large + len, sizeof large - len, "%s", i ? " a=b" : "11.0.0.1 full");
    CHECK(!wire_nat_init(&n, large, SEED));
}
