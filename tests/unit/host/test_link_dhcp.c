/* What a card asks of its link: through the gate, and answered or not. */
#include "harness.h"

#include <omerta/table.h>

#include "links/link_dhcp.h"
#include "links/link_gate.h"
#include "netstack/dhcp/advert.h"
#include "netstack/dhcp/server.h"
#include "netstack/packet/packet.h"
#include "netstack/craft.h"

enum {
    ADDR = 0x0a400002,
    US = 0x0a400001,
    MESSAGE = 260,
    TYPE_AT = 242,       /* in a message of DHCP */
    PREFIX_FLAGS_AT = 35 /* in an advertisement */
};

static const uint8_t card[OM_MAC] = {0x52, 0x54, 0, 0, 0, 2},
                     ours[OM_MAC] = {2, 0x6f, 0x6d, 0, 0, 1};
static uint8_t frame[CRAFT_MAX], room[LINK_DHCP_FRAME];
static struct link_dhcp *d;
static struct link_gate *gate;

static struct link_config config(void)
{
    struct link_config c = {.kind = OM_PORT_ETHER,
                            .mtu = 1400,
                            .name = "vm-1",
                            .has_dhcp = true,
                            .sides = {.has_v4 = true,
                                      .has_v6 = true,
                                      .v4_prefix = 24,
                                      .here = craft_ip("10.64.0.1"),
                                      .there = craft_ip("10.64.0.2"),
                                      .here6 = craft_ip("fd64::1"),
                                      .there6 = craft_ip("fd64::5054:ff:fe00:2")}};

    memcpy(c.mac, card, sizeof c.mac);
    memcpy(c.here_mac, ours, sizeof c.here_mac);
    return c;
}

static bool start(const struct link_config *c)
{
    static const uint8_t key[OM_SIP_KEY] = {7};

    return link_dhcp_new(&d, c, OM_SEC(5)) == OM_OK && link_gate_new(&gate, c, 0, key) == OM_OK;
}

static void end(void)
{
    link_dhcp_free(d);
    link_gate_free(gate);
    d = NULL;
    gate = NULL;
}

static struct om_bytes framed(const struct craft *c)
{
    struct om_wr w = om_wr(om_mut(frame, sizeof frame));
    struct om_ether e = {.dst = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                         .type = c->head == 20 ? OM_ETHER_IP4 : OM_ETHER_IP6};

    memcpy(e.src, card, sizeof e.src);
    om_ether_write(&w, &e);
    om_wr_copy(&w, c->b, c->n);
    return om_bytes(frame, om_wr_len(&w));
}

/* DHCP of @type, for address @wanted if it is not 0. */
static struct om_bytes dhcp(struct craft *c, const char *src, const char *dst, uint8_t type,
                            uint32_t wanted)
{
    craft_udp(c, src, 68, dst, 67, MESSAGE);
    struct om_wr w = om_wr(om_mut(c->b + 28, MESSAGE));
    om_wr_u32(&w, 0x01010600);
    om_wr_zero(&w, 24);
    om_wr_copy(&w, card, sizeof card);
    om_wr_zero(&w, 202);
    om_wr_u32(&w, 0x63825363);
    om_wr_copy(&w, (const uint8_t[]){53, 1, type, 50, 4}, 5);
    om_wr_u32(&w, wanted);
    om_wr_u8(&w, 255);
    om_wr_zero(&w, MESSAGE - om_wr_len(&w));
    craft_seal_l4(c, 17, 6);
    return framed(c);
}

static struct om_bytes solicit(struct craft *c, const char *src, const void *body, size_t n)
{
    uint8_t *p = craft_icmp(c, src, "ff02::2", 133, 0, body, n);

    c->b[7] = 255; /* hops */
    OM_BUG_IF(p != c->b + 40);
    return framed(c);
}

/* Through the gate, as the link has it; false: it is the stack's. */
static bool taken(struct om_bytes in, struct om_bytes *answer)
{
    return link_gate_passes(gate, OM_SEC(5), in) &&
           link_dhcp_input(d, OM_SEC(5), in, om_mut(room, sizeof room), answer);
}

/* The answer is a frame of ours that the card takes, its checksums right. */
static bool reads(struct om_packet *p, struct om_bytes answer)
{
    struct om_ether e;

    return om_ether_parse(&e, answer) == OM_BAD_NONE && memcmp(e.src, ours, OM_MAC) == 0 &&
           om_packet_parse(p, e.payload) == OM_BAD_NONE;
}

OM_TEST(link_dhcp_gives_the_card_its_address)
{
    const struct link_config c = config();
    struct om_bytes answer;
    struct om_packet p;
    struct craft q;

    OM_TRY(start(&c));
    OM_TRY(taken(dhcp(&q, "0.0.0.0", "255.255.255.255", OM_DHCP_DISCOVER, 0), &answer));
    OM_TRY(reads(&p, answer));
    CHECK_MEM(answer.p, card, OM_MAC);
    CHECK(om_addr_equal(&p.ip.src,
                        &(struct om_addr){.port = 67, .ip = {[10] = 0xff, 0xff, 10, 64, 0, 1}}));
    CHECK_EQ(p.ip.dst.port, 68);
    CHECK_EQ(om_load32(p.l4.payload.p + 16), ADDR);
    OM_TRY(taken(dhcp(&q, "0.0.0.0", "255.255.255.255", OM_DHCP_REQUEST, ADDR), &answer));
    OM_TRY(reads(&p, answer));
    CHECK_EQ(p.l4.payload.p[TYPE_AT], OM_DHCP_ACK);
    OM_TRY(taken(dhcp(&q, "10.64.0.2", "10.64.0.1", OM_DHCP_REQUEST, ADDR), &answer)); /* renews */
    CHECK(reads(&p, answer));
    /* A refusal is for everybody: who asked has no address. */
    OM_TRY(taken(dhcp(&q, "0.0.0.0", "255.255.255.255", OM_DHCP_REQUEST, US), &answer));
    OM_TRY(reads(&p, answer));
    CHECK_EQ(answer.p[0], 0xff);
    CHECK_EQ(p.l4.payload.p[TYPE_AT], OM_DHCP_NAK);
    CHECK_EQ(link_dhcp_answered(d), 4);
    CHECK_EQ(link_dhcp_dropped(d), 0);
out:
    end();
}

OM_TEST(link_dhcp_advertises)
{
    static const uint8_t option[8] = {1, 1, 0x52, 0x54, 0, 0, 0, 2};
    struct link_config c = config();
    struct om_bytes answer;
    struct om_packet p;
    struct craft q;

    OM_TRY(start(&c));
    OM_TRY(taken(solicit(&q, "fe80::5054:ff:fe00:2", option, sizeof option), &answer));
    OM_TRY(reads(&p, answer));
    CHECK_MEM(answer.p, card, OM_MAC);
    CHECK_EQ(p.icmp.type, 134);
    CHECK_EQ(p.ip.payload.p[PREFIX_FLAGS_AT], 0xc0);
    struct om_addr from = craft_ip("fe80::6f:6dff:fe00:1");
    CHECK_MEM(p.ip.src.ip, from.ip, sizeof from.ip);
    OM_TRY(taken(solicit(&q, "::", NULL, 0), &answer));
    OM_TRY(reads(&p, answer));
    CHECK_EQ(answer.p[0], 0x33);
    CHECK_EQ(link_dhcp_deadline(d), OM_SEC(5));
    CHECK(reads(&p, link_dhcp_tick(d, OM_SEC(5), om_mut(room, sizeof room))));
    CHECK_EQ(link_dhcp_deadline(d), OM_SEC(5 + LINK_ADVERT_S));
    CHECK_EQ(link_dhcp_tick(d, OM_SEC(6), om_mut(room, sizeof room)).n, 0);
    c.sides.there6 = craft_ip("fd64::2"); /* which the card cannot make of its MAC */
    end();
    OM_TRY(start(&c));
    OM_TRY(reads(&p, link_dhcp_tick(d, OM_SEC(5), om_mut(room, sizeof room))));
    CHECK_EQ(p.ip.payload.p[PREFIX_FLAGS_AT], 0x80);
    c.sides.has_v6 = false;
    end();
    OM_TRY(start(&c));
    CHECK_EQ(link_dhcp_deadline(d), OM_NEVER);
out:
    end();
}

OM_TEST(link_dhcp_leaves_the_rest)
{
    struct link_config c = config();
    struct om_bytes answer;
    struct craft q;

    OM_TRY(start(&c));
    craft_udp(&q, "10.64.0.2", 4000, "10.64.0.1", 68, 10);
    CHECK(!taken(framed(&q), &answer));
    craft_udp(&q, "10.64.0.2", 68, "192.0.2.7", 67, 10); /* another server, behind the peer */
    CHECK(!taken(framed(&q), &answer));
    CHECK(link_gate_passes(gate, OM_SEC(5), framed(&q)));
    craft_icmp(&q, "fd64::5054:ff:fe00:2", "fd64::1", 128, 1, NULL, 0);
    CHECK(!taken(framed(&q), &answer));
    c.sides.has_v4 = c.sides.has_v6 = false;
    end();
    OM_TRY(start(&c));
    CHECK(!taken(dhcp(&q, "0.0.0.0", "255.255.255.255", OM_DHCP_DISCOVER, 0), &answer));
    CHECK(!taken(solicit(&q, "::", NULL, 0), &answer));
    CHECK_EQ(link_dhcp_answered(d), 0);
out:
    end();
}

OM_TEST(link_dhcp_counts_what_is_wrong)
{
    static const uint8_t endless[8] = {1, 0};
    const struct link_config c = config();
    struct om_bytes answer = om_bytes(NULL, 0);
    struct craft q;

    OM_TRY(start(&c));
    OM_TRY(taken(solicit(&q, "fe80::5054:ff:fe00:2", endless, sizeof endless), &answer));
    CHECK_EQ(answer.n, 0);
    CHECK_EQ(link_dhcp_dropped(d), 1);
    craft_udp(&q, "0.0.0.0", 68, "255.255.255.255", 67, 9);
    OM_TRY(taken(framed(&q), &answer));
    CHECK_EQ(answer.n, 0);
    CHECK_EQ(link_dhcp_dropped(d), 2);
    (void)dhcp(&q, "0.0.0.0", "255.255.255.255", OM_DHCP_DISCOVER, 0);
    q.b[28 + 28 + 5] ^= 1; /* in the name of another card */
    craft_seal_l4(&q, 17, 6);
    OM_TRY(taken(framed(&q), &answer));
    CHECK_EQ(answer.n, 0);
    CHECK_EQ(link_dhcp_dropped(d), 3);
    q.b[28 + 28 + 5] ^= 1; /* control */
    craft_seal_l4(&q, 17, 6);
    CHECK(taken(framed(&q), &answer) && answer.n > 0);
    /* One that came from elsewhere is the gate's to drop. */
    struct om_bytes in = solicit(&q, "fe80::5054:ff:fe00:2", NULL, 0);
    frame[OM_ETHER_HEAD + 7] = 254;
    CHECK(!link_gate_passes(gate, OM_SEC(5), in));
out:
    end();
}
