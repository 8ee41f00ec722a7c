/*
 * fuzz_guard.c - a rule and packets both ways through one gate, in time
 *
 * Input: one byte of flags; a line with a rule; then packets, each behind a byte of direction and
 * seconds and one of length. The packets' sums are set right, or few would be read. Whatever comes,
 * nothing passes that no rule and no flow allows, and a source is the port's.
 */
#include "fuzz.h"
#include "guard/guard.h"
#include "packet/cksum.h"

enum { LINE_MAX_BYTES = 80, IN_BIT = 0x80, FRAME_BIT = 0x40 };

/* Sets the sum at @at of @b to what makes it right, on top of @sum. */
static void mend(uint8_t *b, size_t n, size_t at, uint32_t sum)
{
    if (n < at + 2)
        return;
    b[at] = b[at + 1] = 0;
    uint16_t v = om_cksum_end(om_cksum_add(sum, om_bytes(b, n)));
    b[at] = (uint8_t)(v >> 8);
    b[at + 1] = (uint8_t)v;
}

static void mend_payload(uint8_t *b, const struct om_ip *ip)
{
    uint8_t *l4 = b + (ip->payload.p - b);
    uint32_t pseudo = om_cksum_pseudo(&ip->src, &ip->dst, ip->proto, (uint32_t)ip->payload.n);

    if (ip->offset > 0)
        return;
    if (ip->proto == OM_PROTO_TCP)
        mend(l4, ip->payload.n, 16, pseudo);
    else if (ip->proto == OM_PROTO_UDP)
        mend(l4, ip->payload.n, 6, pseudo);
    else if (ip->proto == OM_PROTO_ICMP || ip->proto == OM_PROTO_ICMP6)
        mend(l4, ip->payload.n, 2, ip->proto == OM_PROTO_ICMP6 ? pseudo : 0);
}

static void mend_packet(uint8_t *b, size_t n)
{
    struct om_ip ip;

    if (n >= OM_IP4_HEAD && b[0] >> 4 == 4 && (size_t)(b[0] & 0x0f) * 4 <= n)
        mend(b, (size_t)(b[0] & 0x0f) * 4, 10, 0);
    if (om_ip_parse(&ip, om_bytes(b, n)) == OM_BAD_NONE)
        mend_payload(b, &ip);
}

static void check(const struct om_guard *g, enum om_direction d, struct om_bytes in,
                  struct om_judgement j)
{
    struct om_packet p;
    bool is_packet = om_packet_parse(&p, in) == OM_BAD_NONE;

    FUZZ_MUST((j.verdict == OM_DENY) == (j.reason != OM_REASON_NONE));
    FUZZ_MUST(om_flows_count(&g->flows) <= OM_GUARD_FLOWS_MAX);
    if (j.verdict == OM_LOCAL)
        FUZZ_MUST(d == OM_OUT);
    if (j.verdict != OM_PASS)
        return;
    FUZZ_MUST(is_packet && g->rules.n > 0 && g->rules.at[0].is_allow);
    const struct om_addr *near = d == OM_OUT ? &p.ip.src : &p.ip.dst;
    FUZZ_MUST(om_cidr_contains(&g->port.near[0], near) || om_cidr_contains(&g->port.near[1], near));
}

static void feed(struct om_guard *g, struct om_rd *r)
{
    om_time now = 0;

    while (om_rd_left(r) >= 2) {
        uint8_t how = om_rd_u8(r), n = om_rd_u8(r);
        struct om_bytes packet = om_rd_bytes(r, om_rd_left(r) < n ? om_rd_left(r) : n);
        uint8_t *copy = fuzz_copy(packet.p, packet.n);
        enum om_direction d = how & IN_BIT ? OM_IN : OM_OUT;

        now += OM_SEC(how & 0x3f);
        mend_packet(copy, packet.n);
        check(g, d, om_bytes(copy, packet.n), om_guard_check(g, now, d, om_bytes(copy, packet.n)));
        if (how & FRAME_BIT)
            (void)om_guard_frame(g, now, om_bytes(copy, packet.n));
        if (packet.n % 4 == 1)
            om_guard_answer(g, now, om_bytes(copy, packet.n));
        if (packet.n % 8 == 0)
            om_guard_tick(g, now);
        free(copy);
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static const uint8_t sip_key[OM_SIP_KEY] = {1};
    struct om_guard_port port = {.mac = {2, 0, 0, 0, 0, 2}, .n_near = 2, .n_own = 1};
    static struct om_guard g;
    struct om_rd r = om_rd(om_bytes(data, size));
    char line[LINE_MAX_BYTES], text[OM_RULE_TEXT], again[OM_RULE_TEXT];
    struct om_rule rule, reread;
    size_t n = 0;

    const uint8_t flags = om_rd_u8(&r);

    port.has_mac = (flags & 1) != 0;
    port.allows_fragments = (flags & 2) != 0;
    FUZZ_MUST(om_cidr_parse(&port.near[0], "10.0.0.2", NULL) == OM_OK);
    FUZZ_MUST(om_cidr_parse(&port.near[1], "fd00::/64", NULL) == OM_OK);
    port.own[0] = om_addr_v4(0x0a000001, 0);
    FUZZ_MUST(om_guard_init(&g, 0, &port, sip_key) == OM_OK);
    while (n < sizeof line - 1 && om_rd_left(&r) > 0 && (line[n] = (char)om_rd_u8(&r)) != '\n')
        n++;
    line[n] = '\0';
    if (om_rule_parse(&rule, line, NULL) == OM_OK) {
        FUZZ_MUST(om_rule_parse(&reread, om_rule_print(&rule, text), NULL) == OM_OK);
        FUZZ_MUST(strcmp(om_rule_print(&reread, again), text) == 0);
        FUZZ_MUST(om_rules_add(&g.rules, &rule) == OM_OK);
    }
    feed(&g, &r);
    om_guard_fini(&g);
    return 0;
}
