/* guard.c - from a packet to a verdict. */
#include "guard/guard.h"

#include <string.h>

enum { DHCP_SERVER = 67, DHCP_CLIENT = 68, HOPS_ON_LINK = 255 };

static const om_time fragment_patience = OM_SEC(30);

static const struct {
    const char *name, *text;
    uint32_t weight;
} reasons[OM_REASON_COUNT] = {
#define X(code, name, weight, help) {name, help, weight},
    OM_REASONS(X)
#undef X
};

/* Nothing between the fields: the whole is the key. */
struct fragment_key {
    uint8_t src[16], dst[16];
    uint32_t id;
    uint8_t proto, direction;
    uint8_t zero[2];
};

static_assert(sizeof(struct fragment_key) == 40, "a key has padding");

const char *om_reason_name(enum om_reason r)
{
    return (unsigned)r < OM_REASON_COUNT ? reasons[r].name : "unknown";
}

const char *om_reason_text(enum om_reason r)
{
    return (unsigned)r < OM_REASON_COUNT ? reasons[r].text : "unknown";
}

enum om_err om_guard_init(struct om_guard *g, om_time now, const struct om_guard_port *port,
                          const uint8_t sip_key[static OM_SIP_KEY])
{
    *g = (struct om_guard){0};
    if (port->n_near > OM_GUARD_NEAR_MAX || port->n_own > OM_GUARD_OWN_MAX)
        return OM_E_RANGE;
    g->port = *port;
    om_rogue_init(&g->rogue, now);
    enum om_err e = om_lru_init(&g->fragments, sizeof(struct fragment_key), sizeof(om_time),
                                OM_GUARD_FRAGMENTS_MAX, sip_key);
    return e == OM_OK ? om_flows_init(&g->flows, OM_GUARD_FLOWS_MAX, sip_key) : e;
}

void om_guard_fini(struct om_guard *g)
{
    om_flows_fini(&g->flows);
    om_lru_fini(&g->fragments);
}

void om_guard_tick(struct om_guard *g, om_time now)
{
    om_flows_tick(&g->flows, now);
}

om_time om_guard_deadline(const struct om_guard *g)
{
    return om_flows_deadline(&g->flows);
}

static bool is_near(const struct om_guard *g, const struct om_addr *a)
{
    for (unsigned i = 0; i < g->port.n_near; i++) {
        if (om_cidr_contains(&g->port.near[i], a))
            return true;
    }
    return false;
}

static bool is_own(const struct om_guard *g, const struct om_addr *a)
{
    for (unsigned i = 0; i < g->port.n_own; i++) {
        if (memcmp(g->port.own[i].ip, a->ip, sizeof a->ip) == 0)
            return true;
    }
    return false;
}

static bool is_link_local6(const struct om_addr *a)
{
    return a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

static bool is_broadcast(const struct om_addr *a)
{
    struct om_addr all = om_addr_v4(0xffffffff, 0);

    return memcmp(a->ip, all.ip, sizeof a->ip) == 0;
}

/* ff02::/16: the groups of one link. */
static bool is_link_group6(const struct om_addr *a)
{
    return a->ip[0] == 0xff && (a->ip[1] & 0x0f) == 2;
}

static bool is_dhcp(const struct om_guard *g, const struct om_packet *p)
{
    return p->carries == OM_CARRIES_UDP && p->ip.version == 4 && p->ip.src.port == DHCP_CLIENT &&
           p->ip.dst.port == DHCP_SERVER && (is_broadcast(&p->ip.dst) || is_own(g, &p->ip.dst));
}

static bool is_neighbourly(const struct om_packet *p)
{
    return p->carries == OM_CARRIES_ICMP &&
           (p->icmp.kind == OM_ICMP_NEIGHBOUR || p->icmp.kind == OM_ICMP_LISTENER);
}

/* Sources that are no address of the port, and may still speak: who has none yet, and link-local
 * ones on the link. */
static bool may_speak(const struct om_guard *g, const struct om_packet *p, enum om_addr_class src)
{
    if (is_near(g, &p->ip.src))
        return true;
    if (!g->port.has_mac)
        return false;
    if (src == OM_ADDR_UNSPECIFIED)
        return is_dhcp(g, p) || (is_neighbourly(p) && is_link_group6(&p->ip.dst));
    return p->ip.version == 6 && is_link_local6(&p->ip.src) &&
           (is_link_local6(&p->ip.dst) || p->ip.dst.ip[0] == 0xff || is_own(g, &p->ip.dst));
}

/* What only routers say, or the owner of an address that is not the port's: RFC 4861 sections 4.2,
 * 4.4 and 4.5, RFC 3810 section 5.1. */
static bool speaks_as_another(const struct om_guard *g, const struct om_packet *p)
{
    enum { QUERY = 130, ROUTER = 134, ADVERTISEMENT = 136, REDIRECT = 137, TARGET_AT = 8 };
    struct om_rd r = om_rd(p->ip.payload);
    struct om_addr target = {.port = 0};

    if (!is_neighbourly(p))
        return false;
    if (p->icmp.type != ADVERTISEMENT)
        return p->icmp.type == QUERY || p->icmp.type == ROUTER || p->icmp.type == REDIRECT;
    (void)om_rd_take(&r, TARGET_AT);
    om_rd_copy(&r, target.ip, sizeof target.ip);
    return r.bad || (!is_near(g, &target) && !is_link_local6(&target));
}

/* OM_PASS: nothing is said about the packet yet. */
static enum om_verdict check_addresses_out(const struct om_guard *g, const struct om_packet *p,
                                           enum om_reason *why)
{
    enum om_addr_class dst = om_addr_classify(&p->ip.dst);

    *why = OM_REASON_SPOOFED;
    if (!may_speak(g, p, om_addr_classify(&p->ip.src)) ||
        (g->port.has_mac && speaks_as_another(g, p)))
        return OM_DENY;
    *why = OM_REASON_MARTIAN;
    if (p->carries == OM_CARRIES_ICMP && p->icmp.kind == OM_ICMP_NEIGHBOUR &&
        p->ip.ttl != HOPS_ON_LINK) /* RFC 4861 section 7.1: it came from elsewhere */
        return OM_DENY;
    if (is_dhcp(g, p) || is_own(g, &p->ip.dst) || (g->port.has_mac && is_neighbourly(p)))
        return OM_LOCAL;
    if (dst == OM_ADDR_LOOPBACK || dst == OM_ADDR_UNSPECIFIED || is_link_local6(&p->ip.dst))
        return OM_DENY;
    *why = OM_REASON_GROUP;
    return dst == OM_ADDR_MULTICAST || is_broadcast(&p->ip.dst) ? OM_DENY : OM_PASS;
}

static enum om_verdict check_addresses_in(const struct om_guard *g, const struct om_packet *p,
                                          enum om_reason *why)
{
    enum om_addr_class src = om_addr_classify(&p->ip.src);

    *why = OM_REASON_SPOOFED;
    if (is_near(g, &p->ip.src) || is_own(g, &p->ip.src))
        return OM_DENY;
    *why = OM_REASON_MARTIAN;
    if (src == OM_ADDR_LOOPBACK || src == OM_ADDR_UNSPECIFIED || src == OM_ADDR_MULTICAST ||
        is_broadcast(&p->ip.src) || is_link_local6(&p->ip.src))
        return OM_DENY;
    return is_near(g, &p->ip.dst) ? OM_PASS : OM_DENY;
}

static struct fragment_key fragment_key(enum om_direction d, const struct om_ip *ip)
{
    struct fragment_key k = {.id = ip->id, .proto = ip->proto, .direction = (uint8_t)d};

    memcpy(k.src, ip->src.ip, sizeof k.src);
    memcpy(k.dst, ip->dst.ip, sizeof k.dst);
    /* The first fragment of IPv6 names what is behind the chain, later ones what starts it. */
    k.proto = ip->version == 6 ? OM_PROTO_FRAGMENT : k.proto;
    return k;
}

static enum om_reason check_later_fragment(struct om_guard *g, om_time now, enum om_direction d,
                                           const struct om_ip *ip)
{
    struct fragment_key k = fragment_key(d, ip);
    const om_time *at = om_lru_peek(&g->fragments, &k);

    return at && now - *at < fragment_patience ? OM_REASON_NONE : OM_REASON_FRAGMENT;
}

static enum om_reason remember_first(struct om_guard *g, om_time now, enum om_direction d,
                                     const struct om_ip *ip)
{
    struct fragment_key k = fragment_key(d, ip);
    om_time *at = om_lru_put(&g->fragments, &k, NULL);

    if (!at)
        return OM_REASON_MEMORY;
    *at = now;
    return OM_REASON_NONE;
}

static enum om_reason check_flow(struct om_guard *g, om_time now, enum om_direction d,
                                 const struct om_packet *p)
{
    const struct om_rule *rule;

    if (g->mode == OM_GUARD_STATELESS) {
        rule = om_rules_match(&g->rules, d, p);
        return rule && rule->is_allow ? OM_REASON_NONE : OM_REASON_POLICY;
    }
    switch (om_flows_see(&g->flows, now, d, p)) {
    case OM_FLOW_KNOWN:
        return OM_REASON_NONE;
    case OM_FLOW_STRAY:
        return OM_REASON_STRAY;
    case OM_FLOW_OPENS:
        break;
    }
    rule = om_rules_match(&g->rules, d, p);
    if (!rule || !rule->is_allow)
        return OM_REASON_POLICY;
    return om_flows_open(&g->flows, now, d, p) == OM_OK ? OM_REASON_NONE : OM_REASON_MEMORY;
}

static struct om_judgement refuse(struct om_guard *g, om_time now, enum om_direction d,
                                  enum om_reason why, enum om_bad bad)
{
    struct om_judgement j = {.verdict = OM_DENY, .reason = why, .bad = bad};

    g->refused[d][why]++;
    if (why == OM_REASON_MALFORMED)
        g->bad[bad]++;
    if (d == OM_OUT)
        j.level = om_rogue_note(&g->rogue, now, reasons[why].weight);
    return j;
}

struct om_judgement om_guard_check(struct om_guard *g, om_time now, enum om_direction d,
                                   struct om_bytes packet)
{
    struct om_packet p;
    enum om_reason why;
    enum om_bad bad = om_packet_parse(&p, packet);

    if (bad != OM_BAD_NONE)
        return refuse(g, now, d, OM_REASON_MALFORMED, bad);
    enum om_verdict v =
        d == OM_OUT ? check_addresses_out(g, &p, &why) : check_addresses_in(g, &p, &why);
    if (v == OM_DENY)
        return refuse(g, now, d, why, OM_BAD_NONE);
    if (!g->port.allows_fragments && (p.ip.offset > 0 || p.ip.has_more))
        return refuse(g, now, d, OM_REASON_FRAGMENT, OM_BAD_NONE);
    if (v == OM_LOCAL)
        return (struct om_judgement){.verdict = OM_LOCAL};
    if (p.ip.offset > 0) {
        why = check_later_fragment(g, now, d, &p.ip);
    } else {
        why = check_flow(g, now, d, &p);
        if (why == OM_REASON_NONE && p.ip.has_more)
            why = remember_first(g, now, d, &p.ip);
    }
    if (why != OM_REASON_NONE)
        return refuse(g, now, d, why, OM_BAD_NONE);
    g->passed++;
    return (struct om_judgement){.verdict = OM_PASS};
}

void om_guard_answer(struct om_guard *g, om_time now, struct om_bytes packet)
{
    enum { TCP_FLAGS_AT = 13, MOVES = OM_TCP_FIN | OM_TCP_SYN | OM_TCP_RST };
    struct om_packet p;
    struct om_ip ip;

    if (om_ip_parse(&ip, packet) != OM_BAD_NONE || is_own(g, &ip.src) || ip.offset > 0)
        return;
    struct om_rd r = om_rd(ip.payload);
    (void)om_rd_take(&r, TCP_FLAGS_AT);
    /* Data moves no flow on, and what acknowledges it keeps the flow fresh. */
    if (ip.proto == OM_PROTO_TCP && !(om_rd_u8(&r) & MOVES))
        return;
    if (om_packet_parse(&p, packet) == OM_BAD_NONE)
        (void)om_flows_see(&g->flows, now, OM_IN, &p);
}

static struct om_judgement check_arp(struct om_guard *g, om_time now, struct om_bytes payload)
{
    struct om_arp arp;
    enum om_bad bad = om_arp_parse(&arp, payload);

    if (bad != OM_BAD_NONE)
        return refuse(g, now, OM_OUT, OM_REASON_MALFORMED, bad);
    /* RFC 5227: a probe for an address that is wanted comes from 0.0.0.0. */
    bool is_probe = om_addr_classify(&arp.src) == OM_ADDR_UNSPECIFIED;
    if (memcmp(arp.src_mac, g->port.mac, OM_MAC) != 0 || (!is_probe && !is_near(g, &arp.src)))
        return refuse(g, now, OM_OUT, OM_REASON_SPOOFED, OM_BAD_NONE);
    return (struct om_judgement){.verdict = OM_LOCAL};
}

/* Two ends share the wire: a frame for a third goes nowhere. */
static bool is_for_us(const struct om_guard *g, const uint8_t dst[static OM_MAC])
{
    static const uint8_t anybody[OM_MAC];

    return (dst[0] & 1) || memcmp(g->port.own_mac, anybody, OM_MAC) == 0 ||
           memcmp(g->port.own_mac, dst, OM_MAC) == 0;
}

struct om_judgement om_guard_too_long(struct om_guard *g, om_time now)
{
    return refuse(g, now, OM_OUT, OM_REASON_MALFORMED, OM_BAD_LENGTH);
}

struct om_judgement om_guard_frame(struct om_guard *g, om_time now, struct om_bytes frame)
{
    struct om_ether e;
    enum om_bad bad = om_ether_parse(&e, frame);

    if (bad != OM_BAD_NONE)
        return refuse(g, now, OM_OUT, OM_REASON_MALFORMED, bad);
    if (!g->port.has_mac || memcmp(e.src, g->port.mac, OM_MAC) != 0)
        return refuse(g, now, OM_OUT, OM_REASON_SPOOFED, OM_BAD_NONE);
    if (!is_for_us(g, e.dst))
        return refuse(g, now, OM_OUT, OM_REASON_MARTIAN, OM_BAD_NONE);
    if (e.type == OM_ETHER_ARP)
        return check_arp(g, now, e.payload);
    if (e.type != OM_ETHER_IP4 && e.type != OM_ETHER_IP6)
        return refuse(g, now, OM_OUT, OM_REASON_FOREIGN, OM_BAD_NONE);
    unsigned version = e.payload.n > 0 ? e.payload.p[0] >> 4 : 0;
    if (version != 0 && version != (e.type == OM_ETHER_IP4 ? 4U : 6U))
        return refuse(g, now, OM_OUT, OM_REASON_MALFORMED, OM_BAD_VERSION);
    return om_guard_check(g, now, OM_OUT, e.payload);
}
