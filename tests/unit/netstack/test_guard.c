/* test_guard.c - flows, the rogue score and the gate. */
#include "harness.h"

#include "craft.h"
#include "guard/guard.h"

#define VM     "10.0.0.2"
#define VM6    "fd00::2"
#define US     "10.0.0.1"
#define SERVER "192.0.2.9"

static struct craft c;
static const uint8_t sip_key[OM_SIP_KEY] = {1, 2, 3};
static const uint8_t vm_mac[OM_MAC] = {2, 0, 0, 0, 0, 2};

static struct om_rule rule(const char *text)
{
    struct om_rule r;

    CHECK_OK(om_rule_parse(&r, text, NULL));
    return r;
}

static struct om_packet parsed(void)
{
    struct om_packet p;

    CHECK_STR(om_bad_name(om_packet_parse(&p, craft_bytes(&c))), "none");
    return p;
}

static void add(struct om_rules *rules, const char *text)
{
    struct om_rule r = rule(text);

    CHECK_OK(om_rules_add(rules, &r));
}

static enum om_flow_answer see(struct om_flows *f, om_time now, enum om_direction d)
{
    struct om_packet p = parsed();

    return om_flows_see(f, now, d, &p);
}

static bool open_flow(struct om_flows *f, om_time now, enum om_direction d)
{
    struct om_packet p = parsed();

    CHECK_EQ(om_flows_see(f, now, d, &p), OM_FLOW_OPENS);
    return om_flows_open(f, now, d, &p) == OM_OK;
}

static enum om_flow_answer tcp_out(struct om_flows *f, om_time now, uint8_t flags)
{
    (void)craft_tcp(&c, VM, 1000, SERVER, 80, flags, 0);
    return see(f, now, OM_OUT);
}

static enum om_flow_answer tcp_in(struct om_flows *f, om_time now, uint8_t flags)
{
    (void)craft_tcp(&c, SERVER, 80, VM, 1000, flags, 0);
    return see(f, now, OM_IN);
}

OM_TEST(flow_lets_answers_in)
{
    struct om_flows f;

    CHECK_OK(om_flows_init(&f, 10, sip_key));
    craft_udp(&c, SERVER, 53, VM, 1000, 0);
    CHECK_EQ(see(&f, 0, OM_IN), OM_FLOW_OPENS);
    craft_udp(&c, VM, 1000, SERVER, 53, 0);
    OM_TRY(open_flow(&f, 0, OM_OUT));
    craft_udp(&c, SERVER, 53, VM, 1000, 0);
    CHECK_EQ(see(&f, 1, OM_IN), OM_FLOW_KNOWN);
    craft_udp(&c, SERVER, 54, VM, 1000, 0);
    CHECK_EQ(see(&f, 1, OM_IN), OM_FLOW_OPENS);
    (void)craft_icmp(&c, SERVER, VM, 0, 7, NULL, 0);
    CHECK_EQ(see(&f, 1, OM_IN), OM_FLOW_STRAY);
    (void)craft_icmp(&c, VM, SERVER, 8, 7, NULL, 0);
    OM_TRY(open_flow(&f, 1, OM_OUT));
    (void)craft_icmp(&c, SERVER, VM, 0, 7, NULL, 0);
    CHECK_EQ(see(&f, 2, OM_IN), OM_FLOW_KNOWN);
    (void)craft_icmp(&c, SERVER, VM, 8, 7, NULL, 0); /* asks itself: the rules must say */
    CHECK_EQ(see(&f, 2, OM_IN), OM_FLOW_OPENS);
    struct craft inner;
    craft_udp(&inner, VM, 1000, SERVER, 53, 0);
    (void)craft_icmp(&c, "198.51.100.1", VM, 3, 0, inner.b, inner.n);
    CHECK_EQ(see(&f, 2, OM_IN), OM_FLOW_KNOWN);
    (void)craft_icmp(&c, "198.51.100.1", "10.0.0.3", 3, 0, inner.b, inner.n);
    CHECK_EQ(see(&f, 2, OM_IN), OM_FLOW_STRAY); /* to another one than whose packet it quotes */
    craft_udp(&inner, VM, 1001, SERVER, 53, 0);
    (void)craft_icmp(&c, "198.51.100.1", VM, 3, 0, inner.b, inner.n);
    CHECK_EQ(see(&f, 2, OM_IN), OM_FLOW_STRAY);
out:
    om_flows_fini(&f);
}

OM_TEST(flow_wants_a_syn_to_open)
{
    struct om_flows f;

    CHECK_OK(om_flows_init(&f, 10, sip_key));
    CHECK_EQ(tcp_out(&f, 0, OM_TCP_ACK), OM_FLOW_STRAY);
    CHECK_EQ(tcp_out(&f, 0, OM_TCP_SYN | OM_TCP_ACK), OM_FLOW_STRAY);
    CHECK_EQ(tcp_out(&f, 0, OM_TCP_RST), OM_FLOW_STRAY);
    CHECK_EQ(tcp_out(&f, 0, OM_TCP_SYN), OM_FLOW_OPENS);
    om_flows_fini(&f);
    CHECK_ERR(om_flows_init(&f, 0, sip_key), OM_E_RANGE);
    CHECK_ERR(om_flows_init(&f, OM_GUARD_FLOWS_MAX + 1, sip_key), OM_E_RANGE);
}

OM_TEST(flow_follows_tcp)
{
    struct om_flows f;

    CHECK_OK(om_flows_init(&f, 10, sip_key));
    (void)craft_tcp(&c, VM, 1000, SERVER, 80, OM_TCP_SYN, 0);
    OM_TRY(open_flow(&f, 0, OM_OUT));
    CHECK_EQ(tcp_in(&f, 1, OM_TCP_SYN), OM_FLOW_STRAY); /* both cannot have opened it */
    CHECK_EQ(tcp_out(&f, 1, OM_TCP_ACK), OM_FLOW_KNOWN);
    CHECK_EQ(om_flows_deadline(&f), 1 + OM_SEC(120)); /* the other end did not answer */
    CHECK_EQ(tcp_in(&f, 2, OM_TCP_SYN | OM_TCP_ACK), OM_FLOW_KNOWN);
    CHECK_EQ(om_flows_deadline(&f), 2 + OM_SEC(120));
    CHECK_EQ(tcp_out(&f, 3, OM_TCP_ACK), OM_FLOW_KNOWN);
    OM_TRY(om_flows_deadline(&f) == 3 + OM_SEC(24 * 3600));
    CHECK_EQ(tcp_out(&f, 4, OM_TCP_FIN | OM_TCP_ACK), OM_FLOW_KNOWN);
    CHECK_EQ(om_flows_deadline(&f), 4 + OM_SEC(24 * 3600)); /* half-closed may stay long */
    CHECK_EQ(tcp_in(&f, 5, OM_TCP_FIN | OM_TCP_ACK), OM_FLOW_KNOWN);
    OM_TRY(om_flows_deadline(&f) == 5 + OM_SEC(120));
    CHECK_EQ(tcp_out(&f, 6, OM_TCP_ACK), OM_FLOW_KNOWN);
out:
    om_flows_fini(&f);
}

OM_TEST(flow_syn_on_a_closed_connection_is_new)
{
    struct om_flows f;

    CHECK_OK(om_flows_init(&f, 10, sip_key));
    (void)craft_tcp(&c, VM, 1000, SERVER, 80, OM_TCP_SYN, 0);
    OM_TRY(open_flow(&f, 0, OM_OUT));
    CHECK_EQ(tcp_out(&f, 0, OM_TCP_SYN), OM_FLOW_KNOWN); /* sent again */
    CHECK_EQ(tcp_in(&f, 1, OM_TCP_RST | OM_TCP_ACK), OM_FLOW_KNOWN);
    OM_TRY(om_lru_count(&f.stage[OM_STAGE_CLOSING]) == 1);
    CHECK_EQ(tcp_out(&f, 2, OM_TCP_SYN), OM_FLOW_OPENS);
    CHECK_EQ(om_flows_count(&f), 0);
out:
    om_flows_fini(&f);
}

OM_TEST(flow_expires_when_silent)
{
    struct om_flows f;

    CHECK_OK(om_flows_init(&f, 10, sip_key));
    CHECK_EQ(om_flows_deadline(&f), OM_NEVER);
    craft_udp(&c, VM, 1000, SERVER, 53, 0);
    OM_TRY(open_flow(&f, 0, OM_OUT));
    CHECK_EQ(om_flows_deadline(&f), OM_SEC(30));
    CHECK_EQ(see(&f, OM_SEC(29), OM_OUT), OM_FLOW_KNOWN); /* asks again */
    CHECK_EQ(om_flows_deadline(&f), OM_SEC(59));
    craft_udp(&c, SERVER, 53, VM, 1000, 0);
    CHECK_EQ(see(&f, OM_SEC(58), OM_IN), OM_FLOW_KNOWN);
    OM_TRY(om_flows_deadline(&f) == OM_SEC(178));
    om_flows_tick(&f, OM_SEC(178) - 1);
    CHECK_EQ(om_flows_count(&f), 1);
    CHECK_EQ(see(&f, OM_SEC(178), OM_IN), OM_FLOW_OPENS); /* before any tick */
    craft_udp(&c, VM, 1000, SERVER, 53, 0);
    OM_TRY(open_flow(&f, OM_SEC(200), OM_OUT));
    om_flows_tick(&f, OM_SEC(230));
    CHECK_EQ(om_flows_count(&f), 0);
out:
    om_flows_fini(&f);
}

OM_TEST(flow_full_table_forgets_the_least_useful)
{
    struct om_flows f;

    CHECK_OK(om_flows_init(&f, 4, sip_key));
    (void)craft_tcp(&c, VM, 1000, SERVER, 80, OM_TCP_SYN, 0);
    OM_TRY(open_flow(&f, 0, OM_OUT));
    CHECK_EQ(tcp_in(&f, 0, OM_TCP_SYN | OM_TCP_ACK), OM_FLOW_KNOWN);
    CHECK_EQ(tcp_out(&f, 0, OM_TCP_ACK), OM_FLOW_KNOWN);
    OM_TRY(om_lru_count(&f.stage[OM_STAGE_OPEN]) == 1);
    for (uint16_t port = 1; port < 50; port++) { /* a scan */
        (void)craft_tcp(&c, VM, 2000, SERVER, port, OM_TCP_SYN, 0);
        OM_TRY(open_flow(&f, port, OM_OUT));
        CHECK(om_flows_count(&f) <= 4);
    }
    CHECK_EQ(f.evicted, 46);
    CHECK_EQ(tcp_out(&f, 60, OM_TCP_ACK), OM_FLOW_KNOWN);
out:
    om_flows_fini(&f);
}

OM_TEST(rogue_tells_each_level_once)
{
    struct om_rogue r;
    unsigned told[OM_ROGUE_LEVELS] = {0};

    om_rogue_init(&r, 0);
    for (unsigned i = 1; i <= 6000; i++) {
        enum om_rogue_level level = om_rogue_note(&r, 0, 1);

        told[level]++;
        CHECK_EQ(level == OM_ROGUE_WARN, i == OM_ROGUE_WARN_AT);
        CHECK_EQ(level == OM_ROGUE_PAUSE, i == OM_ROGUE_PAUSE_AT);
        CHECK_EQ(level == OM_ROGUE_KILL, i == OM_ROGUE_KILL_AT);
    }
    CHECK_EQ(om_rogue_note(&r, 0, 0), OM_ROGUE_NONE);
    CHECK_EQ(om_rogue_score(&r, 0), 6000);
    CHECK_EQ(om_rogue_note(&r, 0, UINT32_MAX), OM_ROGUE_NONE);
    CHECK_EQ(om_rogue_score(&r, 0), UINT32_MAX);
    om_rogue_init(&r, 0);
    CHECK_EQ(om_rogue_note(&r, 0, 5000), OM_ROGUE_KILL); /* the highest of those reached */
}

OM_TEST(rogue_forgets_with_time)
{
    struct om_rogue r;

    om_rogue_init(&r, 0);
    for (unsigned i = 0; i < 10000; i++) /* as fast as it decays */
        CHECK_EQ(om_rogue_note(&r, OM_MS(500) * i, 1), OM_ROGUE_NONE);
    CHECK_EQ(om_rogue_note(&r, OM_SEC(5000), 99), OM_ROGUE_NONE);
    CHECK_EQ(om_rogue_note(&r, OM_SEC(5000), 1), OM_ROGUE_WARN);
    CHECK_EQ(om_rogue_score(&r, OM_SEC(5010)), 80);
    CHECK_EQ(om_rogue_note(&r, OM_SEC(5010), 30), OM_ROGUE_NONE); /* told, and never at 0 since */
    CHECK_EQ(om_rogue_note(&r, OM_SEC(6000), 100), OM_ROGUE_WARN);
    CHECK_EQ(om_rogue_note(&r, 0, 100), OM_ROGUE_NONE); /* time going back */
    CHECK_EQ(om_rogue_score(&r, OM_NEVER), 0);
}

OM_TEST(rogue_level_can_be_off)
{
    struct om_rogue r;

    om_rogue_init(&r, 0);
    r.threshold[OM_ROGUE_KILL] = 0;
    CHECK_EQ(om_rogue_note(&r, 0, 100000), OM_ROGUE_PAUSE);
    CHECK_EQ(om_rogue_note(&r, 0, 100000), OM_ROGUE_NONE);
}

static struct om_guard g;

static void start(const char *text)
{
    struct om_guard_port port = {.has_mac = true, .n_near = 2, .n_own = 2};

    memcpy(port.mac, vm_mac, OM_MAC);
    CHECK_OK(om_cidr_parse(&port.near[0], VM, NULL));
    CHECK_OK(om_cidr_parse(&port.near[1], VM6, NULL));
    port.own[0] = craft_ip(US);
    port.own[1] = craft_ip("fe80::1");
    CHECK_OK(om_guard_init(&g, 0, &port, sip_key));
    if (text)
        add(&g.rules, text);
}

/* Judges what craft made, at time 0; the reason, or the verdict when it is not refused. */
static const char *judge(enum om_direction d)
{
    struct om_judgement j = om_guard_check(&g, 0, d, craft_bytes(&c));

    if (j.verdict == OM_DENY)
        return om_reason_name(j.reason);
    return j.verdict == OM_PASS ? "pass" : "local";
}

OM_TEST(guard_denies_by_default)
{
    start(NULL);
    craft_udp(&c, VM, 1000, SERVER, 53, 0);
    CHECK_STR(judge(OM_OUT), "policy");
    (void)craft_tcp(&c, SERVER, 1000, VM, 22, OM_TCP_SYN, 0);
    CHECK_STR(judge(OM_IN), "policy");
    add(&g.rules, "allow out any");
    craft_udp(&c, VM, 1000, SERVER, 53, 0);
    OM_TRY(strcmp(judge(OM_OUT), "pass") == 0);
    CHECK_EQ(g.passed, 1);
    struct om_guard_port port = {.n_near = OM_GUARD_NEAR_MAX + 1};
    struct om_guard other;
    CHECK_ERR(om_guard_init(&other, 0, &port, sip_key), OM_E_RANGE);
    om_guard_fini(&other);
out:
    om_guard_fini(&g);
}

OM_TEST(guard_lets_answers_in)
{
    start("allow out any tcp 80");
    (void)craft_tcp(&c, SERVER, 80, VM, 1000, OM_TCP_SYN | OM_TCP_ACK, 0);
    CHECK_STR(judge(OM_IN), "stray");
    (void)craft_tcp(&c, VM, 1000, SERVER, 80, OM_TCP_SYN, 0);
    OM_TRY(strcmp(judge(OM_OUT), "pass") == 0);
    (void)craft_tcp(&c, SERVER, 80, VM, 1000, OM_TCP_SYN | OM_TCP_ACK, 0);
    CHECK_STR(judge(OM_IN), "pass");
    (void)craft_tcp(&c, SERVER, 80, VM, 1000, OM_TCP_SYN, 0);
    CHECK_STR(judge(OM_IN), "stray");
out:
    om_guard_fini(&g);
}

OM_TEST(guard_follows_answers_of_our_own)
{
    start("allow out any tcp 80");
    (void)craft_tcp(&c, VM, 1000, SERVER, 80, OM_TCP_SYN, 0);
    OM_TRY(strcmp(judge(OM_OUT), "pass") == 0);
    (void)craft_tcp(&c, SERVER, 80, VM, 1000, OM_TCP_SYN | OM_TCP_ACK, 0);
    om_guard_answer(&g, 0, craft_bytes(&c));
    (void)craft_tcp(&c, VM, 1000, SERVER, 80, OM_TCP_ACK, 0);
    CHECK_STR(judge(OM_OUT), "pass");
    OM_TRY(om_lru_count(&g.flows.stage[OM_STAGE_OPEN]) == 1);
    (void)craft_tcp(&c, US, 80, VM, 1000, OM_TCP_RST, 0); /* what is ours has no flow */
    om_guard_answer(&g, 0, craft_bytes(&c));
    om_guard_answer(&g, 0, om_bytes(c.b, 3));
    CHECK_EQ(g.refused[OM_IN][OM_REASON_SPOOFED], 0);
    CHECK_EQ(g.refused[OM_IN][OM_REASON_MALFORMED], 0);
out:
    om_guard_fini(&g);
}

OM_TEST(guard_drops_spoofed_sources)
{
    start("allow both any");
    craft_udp(&c, "10.0.0.3", 1000, SERVER, 53, 0);
    CHECK_STR(judge(OM_OUT), "spoofed");
    craft_udp(&c, "0.0.0.0", 1000, SERVER, 53, 0);
    CHECK_STR(judge(OM_OUT), "spoofed");
    craft_udp(&c, US, 1000, SERVER, 53, 0);
    CHECK_STR(judge(OM_OUT), "spoofed");
    craft_udp(&c, "fe80::2", 1000, "2001:db8::9", 53, 0);
    CHECK_STR(judge(OM_OUT), "spoofed");
    craft_udp(&c, VM, 1000, "10.0.0.2", 53, 0); /* its own address, from outside */
    CHECK_STR(judge(OM_IN), "spoofed");
    craft_udp(&c, US, 1000, VM, 53, 0);
    CHECK_STR(judge(OM_IN), "spoofed");
    craft_udp(&c, "127.0.0.1", 1000, VM, 53, 0);
    CHECK_STR(judge(OM_IN), "martian");
    craft_udp(&c, SERVER, 1000, "10.0.0.3", 53, 0);
    CHECK_STR(judge(OM_IN), "martian");
    craft_udp(&c, VM, 1000, "127.0.0.1", 53, 0);
    CHECK_STR(judge(OM_OUT), "martian");
    CHECK_EQ(g.refused[OM_OUT][OM_REASON_SPOOFED], 4);
    craft_udp(&c, VM, 1000, SERVER, 53, 0);
    OM_TRY(strcmp(judge(OM_OUT), "pass") == 0);
out:
    om_guard_fini(&g);
}

OM_TEST(guard_serves_the_link_locally)
{
    start(NULL);
    craft_udp(&c, "0.0.0.0", 68, "255.255.255.255", 67, 240);
    CHECK_STR(judge(OM_OUT), "local");
    craft_udp(&c, VM, 1000, US, 53, 0);
    CHECK_STR(judge(OM_OUT), "local");
    (void)craft_icmp(&c, "::", "ff02::1:ff00:2", 135, 0, NULL, 0);
    CHECK_STR(judge(OM_OUT), "martian");
    c.b[7] = 255; /* the hop limit of neighbours */
    CHECK_STR(judge(OM_OUT), "local");
    (void)craft_icmp(&c, "fe80::2", "ff02::16", 143, 0, NULL, 0);
    CHECK_STR(judge(OM_OUT), "local");
    craft_udp(&c, "fe80::2", 1000, "fe80::1", 53, 0);
    CHECK_STR(judge(OM_OUT), "local");
    craft_udp(&c, "fe80::2", 1000, "fe80::3", 53, 0);
    CHECK_STR(judge(OM_OUT), "martian");
    om_guard_fini(&g);
}

OM_TEST(guard_drops_groups_without_score)
{
    start("allow out any");
    for (unsigned i = 0; i < 1000; i++) {
        craft_udp(&c, VM, 5353, "224.0.0.251", 5353, 0);
        CHECK_STR(judge(OM_OUT), "group");
        craft_udp(&c, "fe80::2", 5353, "ff02::fb", 5353, 0);
        CHECK_STR(judge(OM_OUT), "group");
        craft_udp(&c, VM, 137, "255.255.255.255", 137, 0);
        CHECK_STR(judge(OM_OUT), "group");
    }
    CHECK_EQ(om_rogue_score(&g.rogue, 0), 0);
    om_guard_fini(&g);
}

/* A fragment of UDP at @offset bytes, of datagram @id. */
static void fragment(uint8_t id, uint16_t offset, bool has_more)
{
    craft_udp(&c, VM, 1000, SERVER, 53, 8);
    if (has_more)
        c.b[20 + 5] = 100; /* the datagram goes on */
    c.b[5] = id;
    c.b[6] = (uint8_t)((has_more ? 0x20 : 0) | offset / 8 >> 8);
    c.b[7] = (uint8_t)(offset / 8);
    craft_seal(&c);
}

OM_TEST(guard_drops_fragments_by_default)
{
    start("allow out any udp 53");
    fragment(1, 0, true);
    CHECK_STR(judge(OM_OUT), "fragment");
    fragment(1, 16, false);
    CHECK_STR(judge(OM_OUT), "fragment");
    craft_udp(&c, VM, 1000, US, 53, 8); /* to us, too */
    c.b[6] = 0x20;
    c.b[20 + 5] = 100;
    craft_seal(&c);
    CHECK_STR(judge(OM_OUT), "fragment");
    CHECK_EQ(g.refused[OM_OUT][OM_REASON_FRAGMENT], 3);
    craft_udp(&c, VM, 1000, US, 53, 8);
    CHECK_STR(judge(OM_OUT), "local");
    craft_udp(&c, VM, 1000, SERVER, 53, 8);
    OM_TRY(strcmp(judge(OM_OUT), "pass") == 0);
out:
    om_guard_fini(&g);
}

OM_TEST(guard_drops_unknown_fragments)
{
    start("allow out any udp 53");
    g.port.allows_fragments = true;
    fragment(1, 16, false);
    CHECK_STR(judge(OM_OUT), "fragment");
    fragment(1, 0, true);
    OM_TRY(strcmp(judge(OM_OUT), "pass") == 0);
    fragment(1, 16, false);
    CHECK_STR(judge(OM_OUT), "pass");
    fragment(2, 16, false);
    CHECK_STR(judge(OM_OUT), "fragment");
    fragment(1, 16, false);
    struct om_judgement j = om_guard_check(&g, OM_SEC(30), OM_OUT, craft_bytes(&c));
    CHECK_EQ(j.reason, OM_REASON_FRAGMENT);
    g.rules.n = 0;
    fragment(3, 0, true);
    c.b[20]++; /* another flow, which nothing allows; no sum is looked at in fragments */
    CHECK_STR(judge(OM_OUT), "policy");
    fragment(3, 16, false);
    CHECK_STR(judge(OM_OUT), "fragment");
out:
    om_guard_fini(&g);
}

OM_TEST(guard_counts_each_reason)
{
    struct om_judgement j;

    start(NULL);
    craft_udp(&c, VM, 1000, SERVER, 53, 0);
    c.b[8]--;
    j = om_guard_check(&g, 0, OM_OUT, craft_bytes(&c));
    CHECK_EQ(j.reason, OM_REASON_MALFORMED);
    CHECK_EQ(j.bad, OM_BAD_SUM);
    CHECK_EQ(g.bad[OM_BAD_SUM], 1);
    CHECK_EQ(g.refused[OM_OUT][OM_REASON_MALFORMED], 1);
    for (unsigned i = 0; i < OM_REASON_COUNT; i++)
        CHECK(om_reason_name(i)[0] != '\0' && om_reason_text(i)[0] != '\0');
    CHECK_STR(om_reason_name(OM_REASON_COUNT), "unknown");
    CHECK_STR(om_reason_text(OM_REASON_COUNT), "unknown");
    om_guard_fini(&g);
}

OM_TEST(guard_tells_a_scan)
{
    unsigned told[OM_ROGUE_LEVELS] = {0};

    start(NULL);
    for (uint16_t port = 1; port < 6000; port++) {
        (void)craft_tcp(&c, VM, 1000, SERVER, port, OM_TCP_SYN, 0);
        told[om_guard_check(&g, OM_MS(port), OM_OUT, craft_bytes(&c)).level]++;
    }
    CHECK_EQ(told[OM_ROGUE_WARN], 1);
    CHECK_EQ(told[OM_ROGUE_PAUSE], 1);
    CHECK_EQ(told[OM_ROGUE_KILL], 1);
    om_guard_fini(&g);
}

OM_TEST(guard_score_is_of_what_the_port_sends)
{
    start(NULL);
    for (unsigned i = 0; i < 200; i++) {
        (void)craft_tcp(&c, SERVER, 1000, VM, 22, OM_TCP_SYN, 0);
        CHECK_STR(judge(OM_IN), "policy");
    }
    CHECK_EQ(om_rogue_score(&g.rogue, 0), 0);
    CHECK_EQ(g.refused[OM_IN][OM_REASON_POLICY], 200);
    om_guard_fini(&g);
}

OM_TEST(guard_without_flows_asks_the_rules)
{
    start("allow out any tcp 80");
    (void)craft_tcp(&c, VM, 1000, SERVER, 80, OM_TCP_ACK, 0);
    CHECK_STR(judge(OM_OUT), "stray");
    g.mode = OM_GUARD_STATELESS;
    CHECK_STR(judge(OM_OUT), "pass");
    CHECK_EQ(om_flows_count(&g.flows), 0);
    (void)craft_tcp(&c, VM, 1000, SERVER, 81, OM_TCP_ACK, 0);
    CHECK_STR(judge(OM_OUT), "policy");
    (void)craft_tcp(&c, "10.0.0.3", 1000, SERVER, 80, OM_TCP_SYN, 0);
    CHECK_STR(judge(OM_OUT), "spoofed");
    (void)craft_tcp(&c, SERVER, 80, VM, 1000, OM_TCP_SYN | OM_TCP_ACK, 0);
    CHECK_STR(judge(OM_IN), "policy");
    om_guard_fini(&g);
}

OM_TEST(guard_times_are_bounded)
{
    start("allow out any");
    CHECK_EQ(om_guard_deadline(&g), OM_NEVER);
    craft_udp(&c, VM, 1000, SERVER, 53, 0);
    OM_TRY(strcmp(judge(OM_OUT), "pass") == 0);
    CHECK_EQ(om_guard_deadline(&g), OM_SEC(30));
    om_guard_tick(&g, OM_SEC(30));
    CHECK_EQ(om_guard_deadline(&g), OM_NEVER);
out:
    om_guard_fini(&g);
}

static const char *judge_frame(uint16_t type, const uint8_t mac[OM_MAC])
{
    static uint8_t b[CRAFT_MAX + OM_ETHER_HEAD];
    struct om_ether e = {.type = type};
    struct om_wr w = om_wr(om_mut(b, sizeof b));

    memcpy(e.src, mac, OM_MAC);
    om_ether_write(&w, &e);
    om_wr_bytes(&w, craft_bytes(&c));
    struct om_judgement j = om_guard_frame(&g, 0, om_bytes(b, om_wr_len(&w)));
    if (j.verdict == OM_DENY)
        return om_reason_name(j.reason);
    return j.verdict == OM_PASS ? "pass" : "local";
}

OM_TEST(guard_frame_checks_the_mac)
{
    static const uint8_t other[OM_MAC] = {2, 0, 0, 0, 0, 3};
    static const uint8_t arp[28] = {0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2};

    start("allow out any");
    craft_udp(&c, VM, 1000, SERVER, 53, 0);
    OM_TRY(strcmp(judge_frame(OM_ETHER_IP4, vm_mac), "pass") == 0);
    CHECK_STR(judge_frame(OM_ETHER_IP4, other), "spoofed");
    CHECK_STR(judge_frame(OM_ETHER_IP6, vm_mac), "malformed");
    CHECK_STR(judge_frame(0x8100, vm_mac), "malformed");
    CHECK_STR(judge_frame(0x88cc, vm_mac), "foreign");
    memcpy(c.b, arp, sizeof arp);
    CHECK_STR(judge_frame(OM_ETHER_ARP, vm_mac), "local");
    c.b[17] = 0;
    c.b[14] = 0; /* 0.0.0.0 asks whether an address is taken */
    CHECK_STR(judge_frame(OM_ETHER_ARP, vm_mac), "local");
    c.b[17] = 9;
    CHECK_STR(judge_frame(OM_ETHER_ARP, vm_mac), "spoofed");
    memcpy(c.b, arp, sizeof arp);
    c.b[13] = 3;
    CHECK_STR(judge_frame(OM_ETHER_ARP, vm_mac), "spoofed");
    c.b[0] = 1;
    CHECK_STR(judge_frame(OM_ETHER_ARP, vm_mac), "malformed");
out:
    om_guard_fini(&g);
}
