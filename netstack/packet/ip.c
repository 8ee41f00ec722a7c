/* ip.c - packets of both families. */
#include "packet/ip.h"

#include "packet/cksum.h"

enum { MORE_V4 = 0x2000, OFFSET_V4 = 0x1fff, TCP_HEAD_LEAST = 20 };

static struct om_addr read_v4(struct om_rd *r)
{
    return om_addr_v4(om_rd_u32(r), 0);
}

static struct om_addr read_v6(struct om_rd *r)
{
    struct om_addr a = {0};

    om_rd_copy(r, a.ip, sizeof a.ip);
    return a;
}

static enum om_bad check_fragment(const struct om_ip *ip)
{
    if (ip->offset + ip->payload.n > OM_IP_PACKET_MAX || (ip->has_more && ip->payload.n % 8 != 0))
        return OM_BAD_FRAGMENT;
    if (ip->proto == OM_PROTO_TCP && ip->offset > 0 && ip->offset < TCP_HEAD_LEAST)
        return OM_BAD_FRAGMENT;
    return OM_BAD_NONE;
}

static enum om_bad parse_v4(struct om_ip *out, struct om_bytes in, bool is_quoted)
{
    struct om_rd r = om_rd(in);
    struct om_ip ip = {.version = 4};
    size_t head = (size_t)(om_rd_u8(&r) & 0x0f) * 4;
    size_t total;

    (void)om_rd_u8(&r); /* DSCP and ECN */
    total = om_rd_u16(&r);
    ip.id = om_rd_u16(&r);
    uint16_t word = om_rd_u16(&r);
    ip.ttl = om_rd_u8(&r);
    ip.proto = om_rd_u8(&r);
    (void)om_rd_u16(&r); /* the checksum, which the sum below covers */
    ip.src = read_v4(&r);
    ip.dst = read_v4(&r);
    if (head >= OM_IP4_HEAD)
        (void)om_rd_take(&r, head - OM_IP4_HEAD);
    if (r.bad)
        return OM_BAD_SHORT;
    if (head < OM_IP4_HEAD)
        return OM_BAD_HEADER;
    if (total < head)
        return OM_BAD_LENGTH;
    if (total > in.n && !is_quoted)
        return OM_BAD_SHORT;
    total = total < in.n ? total : in.n;
    if (!is_quoted && om_cksum_end(om_cksum_add(0, om_bytes(in.p, head))) != 0)
        return OM_BAD_SUM;
    ip.has_more = (word & MORE_V4) != 0;
    ip.offset = (uint16_t)((word & OFFSET_V4) * 8);
    ip.is_fragment = ip.has_more || ip.offset > 0;
    ip.whole = om_bytes(in.p, total);
    ip.payload = om_rd_bytes(&r, total - head);
    enum om_bad bad = is_quoted ? OM_BAD_NONE : check_fragment(&ip);
    if (bad == OM_BAD_NONE)
        *out = ip;
    return bad;
}

/* Reads one extension header; @r is behind it then. */
static enum om_bad read_extension(struct om_ip *ip, struct om_rd *r)
{
    uint8_t kind = ip->proto;

    ip->proto = om_rd_u8(r);
    uint8_t second = om_rd_u8(r);
    if (kind == OM_PROTO_FRAGMENT) {
        uint16_t word = om_rd_u16(r);

        ip->id = om_rd_u32(r);
        ip->offset = word & 0xfff8;
        ip->has_more = (word & 1) != 0;
        ip->is_fragment = true;
    } else {
        uint8_t routing = om_rd_u8(r);

        (void)om_rd_take(r, 8 * ((size_t)second + 1) - 3);
        if (kind == OM_PROTO_ROUTING && routing == 0 && !r->bad)
            return OM_BAD_CHAIN;
    }
    return r->bad ? OM_BAD_SHORT : OM_BAD_NONE;
}

static bool is_extension(uint8_t proto)
{
    return proto == OM_PROTO_HOP_BY_HOP || proto == OM_PROTO_ROUTING ||
           proto == OM_PROTO_FRAGMENT || proto == OM_PROTO_DESTINATION;
}

static enum om_bad walk_chain(struct om_ip *ip, struct om_rd *r)
{
    enum om_bad bad;

    for (unsigned n = 0; is_extension(ip->proto) && ip->offset == 0; n++) {
        /* RFC 8200 section 4.1: hop-by-hop comes first; a packet is cut into fragments once. */
        if (n == OM_IP6_CHAIN_MAX || (n > 0 && ip->proto == OM_PROTO_HOP_BY_HOP) ||
            (ip->is_fragment && ip->proto == OM_PROTO_FRAGMENT))
            return OM_BAD_CHAIN;
        bad = read_extension(ip, r);
        if (bad != OM_BAD_NONE)
            return bad;
    }
    return OM_BAD_NONE;
}

static enum om_bad parse_v6(struct om_ip *out, struct om_bytes in, bool is_quoted)
{
    struct om_rd r = om_rd(in);
    struct om_ip ip = {.version = 6};

    (void)om_rd_u32(&r); /* version, traffic class, flow label */
    size_t total = OM_IP6_HEAD + (size_t)om_rd_u16(&r);
    ip.proto = om_rd_u8(&r);
    ip.ttl = om_rd_u8(&r);
    ip.src = read_v6(&r);
    ip.dst = read_v6(&r);
    if (r.bad || (total > in.n && !is_quoted))
        return OM_BAD_SHORT;
    /* RFC 4291 section 2.5.5.2: mapped addresses never travel; here they would pass for IPv4. */
    if (om_addr_is_v4(&ip.src) || om_addr_is_v4(&ip.dst))
        return OM_BAD_VERSION;
    ip.whole = om_bytes(in.p, total < in.n ? total : in.n);
    r = om_rd(ip.whole);
    (void)om_rd_take(&r, OM_IP6_HEAD);
    enum om_bad bad = walk_chain(&ip, &r);
    if (bad != OM_BAD_NONE)
        return bad;
    ip.payload = om_rd_rest(&r);
    /* A fragment's offset counts from behind its fragment header; what follows that is payload. */
    bad = is_quoted ? OM_BAD_NONE : check_fragment(&ip);
    if (bad == OM_BAD_NONE)
        *out = ip;
    return bad;
}

static enum om_bad parse(struct om_ip *out, struct om_bytes in, bool is_quoted)
{
    struct om_rd r = om_rd(in);
    unsigned version = om_rd_u8(&r) >> 4;

    if (r.bad)
        return OM_BAD_SHORT;
    if (version == 4)
        return parse_v4(out, in, is_quoted);
    return version == 6 ? parse_v6(out, in, is_quoted) : OM_BAD_VERSION;
}

enum om_bad om_ip_parse(struct om_ip *out, struct om_bytes in)
{
    return parse(out, in, false);
}

enum om_bad om_ip_parse_quoted(struct om_ip *out, struct om_bytes in)
{
    return parse(out, in, true);
}
