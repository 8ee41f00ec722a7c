/* test_guard_link.c - the gate at a card: whom frames are for, and who speaks as a router. */
#include "harness.h"

#include "craft.h"
#include "guard/guard.h"

#define VM     "10.0.0.2"
#define VM6    "fd00::2"
#define LINK6  "fe80::2"
#define SERVER "192.0.2.9"
#define NODES  "ff02::1"

static struct craft c;
static struct om_guard g;
static const uint8_t sip_key[OM_SIP_KEY] = {1, 2, 3};
static const uint8_t vm_mac[OM_MAC] = {2, 0, 0, 0, 0, 2}, our_mac[OM_MAC] = {2, 0, 0, 0, 0, 1};

static void start(bool is_ours_known)
{
    struct om_guard_port port = {.has_mac = true, .n_near = 2, .n_own = 1};
    struct om_rule r;

    memcpy(port.mac, vm_mac, OM_MAC);
    if (is_ours_known)
        memcpy(port.own_mac, our_mac, OM_MAC);
    CHECK_OK(om_cidr_parse(&port.near[0], VM, NULL));
    CHECK_OK(om_cidr_parse(&port.near[1], VM6, NULL));
    port.own[0] = craft_ip("10.0.0.1");
    CHECK_OK(om_guard_init(&g, 0, &port, sip_key));
    CHECK_OK(om_rule_parse(&r, "allow out any", NULL));
    CHECK_OK(om_rules_add(&g.rules, &r));
}

static const char *judged(struct om_judgement j)
{
    if (j.verdict == OM_DENY)
        return om_reason_name(j.reason);
    return j.verdict == OM_PASS ? "pass" : "local";
}

/* What craft made, in a frame to @dst. */
static const char *judge(uint16_t type, const uint8_t dst[OM_MAC])
{
    static uint8_t b[CRAFT_MAX + OM_ETHER_HEAD];
    struct om_ether e = {.type = type};
    struct om_wr w = om_wr(om_mut(b, sizeof b));

    memcpy(e.src, vm_mac, OM_MAC);
    memcpy(e.dst, dst, OM_MAC);
    om_ether_write(&w, &e);
    om_wr_bytes(&w, craft_bytes(&c));
    return judged(om_guard_frame(&g, 0, om_bytes(b, om_wr_len(&w))));
}

OM_TEST(guard_frame_is_for_us_or_a_group)
{
    static const uint8_t third[OM_MAC] = {2, 0, 0, 0, 0, 3},
                         all[OM_MAC] = {255, 255, 255, 255, 255, 255};

    for (unsigned is_known = 0; is_known < 2; is_known++) {
        start(is_known);
        craft_udp(&c, VM, 1000, SERVER, 53, 0);
        OM_TRY(strcmp(judge(OM_ETHER_IP4, our_mac), "pass") == 0);
        CHECK_STR(judge(OM_ETHER_IP4, third), is_known ? "martian" : "pass");
        CHECK_STR(judge(OM_ETHER_IP4, all), "pass");
        CHECK_STR(judge(OM_ETHER_ARP, third), is_known ? "martian" : "malformed");
        om_guard_fini(&g);
    }
    return;
out:
    om_guard_fini(&g);
}

/* Neighbour Discovery from @src, about @target. */
static const char *neighbour(const char *src, uint8_t type, const char *target)
{
    struct om_addr a = craft_ip(target);

    (void)craft_icmp(&c, src, NODES, type, 0, a.ip, sizeof a.ip);
    c.b[7] = 255; /* the hop limit of neighbours */
    return judge(OM_ETHER_IP6, our_mac);
}

OM_TEST(guard_knows_who_speaks_as_a_router)
{
    start(true);
    CHECK_STR(neighbour(VM6, 136, VM6), "local");
    CHECK_STR(neighbour(LINK6, 136, LINK6), "local");
    CHECK_STR(neighbour(LINK6, 135, "fd00::1"), "local"); /* asks where that is */
    CHECK_STR(neighbour(LINK6, 133, "::"), "local");      /* asks for a router */
    CHECK_STR(neighbour(LINK6, 143, "::"), "local");
    CHECK_EQ(om_rogue_score(&g.rogue, 0), 0);
    CHECK_STR(neighbour(LINK6, 136, "fd00::1"), "spoofed");
    CHECK_STR(neighbour(VM6, 136, "2001:db8::1"), "spoofed");
    CHECK_STR(neighbour(LINK6, 134, "::"), "spoofed");
    CHECK_STR(neighbour(LINK6, 137, "fd00::1"), "spoofed");
    CHECK_STR(neighbour(LINK6, 130, "::"), "spoofed");
    (void)craft_icmp(&c, LINK6, NODES, 136, 0, NULL, 0); /* about nothing */
    c.b[7] = 255;
    CHECK_STR(judge(OM_ETHER_IP6, our_mac), "spoofed");
    om_guard_fini(&g);
}

OM_TEST(guard_counts_frames_that_nobody_read)
{
    start(true);
    CHECK_STR(judged(om_guard_too_long(&g, 0)), "malformed");
    CHECK_EQ(g.refused[OM_OUT][OM_REASON_MALFORMED], 1);
    CHECK_EQ(g.bad[OM_BAD_LENGTH], 1);
    CHECK(om_rogue_score(&g.rogue, 0) > 0);
    om_guard_fini(&g);
}
