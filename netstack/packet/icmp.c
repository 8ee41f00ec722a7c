/* icmp.c - messages of both families. */
#include "packet/icmp.h"

#include "packet/cksum.h"

enum { HEAD = 8, UNREACHABLE4 = 3, ADMIN4 = 13, UNREACHABLE6 = 1, ADMIN6 = 1, TTL = 64 };

static enum om_icmp_kind kind4(uint8_t type)
{
    switch (type) {
    case 0:
        return OM_ICMP_ECHO_REPLY;
    case 8:
        return OM_ICMP_ECHO;
    case 3:  /* unreachable */
    case 11: /* time exceeded */
    case 12: /* parameter problem */
        return OM_ICMP_ERROR;
    default: /* source quench and redirect are outdated, the rest is for routers */
        return OM_ICMP_OTHER;
    }
}

static enum om_icmp_kind kind6(uint8_t type)
{
    switch (type) {
    case 128:
        return OM_ICMP_ECHO;
    case 129:
        return OM_ICMP_ECHO_REPLY;
    case 1:
    case 2:
    case 3:
    case 4:
        return OM_ICMP_ERROR;
    case 130:
    case 131:
    case 132:
    case 143:
        return OM_ICMP_LISTENER;
    default:
        return type >= 133 && type <= 137 ? OM_ICMP_NEIGHBOUR : OM_ICMP_OTHER;
    }
}

static uint32_t sum_start(const struct om_ip *ip)
{
    return ip->version == 6
               ? om_cksum_pseudo(&ip->src, &ip->dst, OM_PROTO_ICMP6, (uint32_t)ip->payload.n)
               : 0;
}

static void read_head(struct om_icmp *m, struct om_rd *r, uint8_t version)
{
    m->type = om_rd_u8(r);
    m->code = om_rd_u8(r);
    (void)om_rd_u16(r);
    m->kind = version == 6 ? kind6(m->type) : kind4(m->type);
    if (m->kind == OM_ICMP_ECHO || m->kind == OM_ICMP_ECHO_REPLY)
        m->id = om_rd_u16(r);
    else
        (void)om_rd_u16(r);
    (void)om_rd_u16(r);
}

enum om_bad om_icmp_parse(struct om_icmp *out, const struct om_ip *ip)
{
    struct om_rd r = om_rd(ip->payload);
    struct om_icmp m = {0};

    read_head(&m, &r, ip->version);
    if (r.bad)
        return OM_BAD_SHORT;
    if (!ip->is_fragment && om_cksum_end(om_cksum_add(sum_start(ip), ip->payload)) != 0)
        return OM_BAD_SUM;
    if (m.kind == OM_ICMP_ERROR)
        m.quoted = om_rd_rest(&r);
    *out = m;
    return OM_BAD_NONE;
}

enum om_bad om_icmp_quoted(const struct om_icmp *m, struct om_ip *out)
{
    struct om_ip ip;
    enum om_bad bad = om_ip_parse_quoted(&ip, m->quoted);

    if (bad != OM_BAD_NONE)
        return bad;
    if (ip.offset > 0)
        return OM_BAD_FRAGMENT;
    struct om_rd r = om_rd(ip.payload);
    if (ip.proto == OM_PROTO_TCP || ip.proto == OM_PROTO_UDP) {
        ip.src.port = om_rd_u16(&r);
        ip.dst.port = om_rd_u16(&r);
    } else if (ip.proto == (ip.version == 6 ? OM_PROTO_ICMP6 : OM_PROTO_ICMP)) {
        struct om_icmp inner = {0};

        read_head(&inner, &r, ip.version);
        ip.src.port = ip.dst.port = inner.id;
    }
    if (r.bad)
        return OM_BAD_SHORT;
    *out = ip;
    return OM_BAD_NONE;
}

/* RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e). */
static bool may_refuse(const struct om_ip *ip)
{
    static const uint8_t bcast[16] = {[10] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct om_icmp m;
    enum om_addr_class src = om_addr_classify(&ip->src);

    if (ip->offset > 0 || src == OM_ADDR_UNSPECIFIED || src == OM_ADDR_MULTICAST ||
        om_addr_classify(&ip->dst) == OM_ADDR_MULTICAST ||
        memcmp(ip->dst.ip, bcast, sizeof bcast) == 0)
        return false;
    if (ip->proto != OM_PROTO_ICMP && ip->proto != OM_PROTO_ICMP6)
        return true;
    return om_icmp_parse(&m, ip) == OM_BAD_NONE && m.kind == OM_ICMP_ECHO;
}

static void write_head4(struct om_wr *w, const struct om_ip *ip, const struct om_addr *from,
                        size_t total)
{
    uint8_t *start = w->p;

    om_wr_u16(w, 0x4500);
    om_wr_u16(w, (uint16_t)total);
    om_wr_u32(w, 0x4000); /* no id; not to be cut */
    om_wr_u8(w, TTL);
    om_wr_u8(w, OM_PROTO_ICMP);
    om_wr_u16(w, 0);
    om_wr_copy(w, from->ip + 12, 4);
    om_wr_copy(w, ip->src.ip + 12, 4);
    if (!w->bad) {
        uint16_t sum = om_cksum_end(om_cksum_add(0, om_bytes(start, OM_IP4_HEAD)));
        struct om_wr at = om_wr(om_mut(start + 10, 2));

        om_wr_u16(&at, sum);
    }
}

static void write_head6(struct om_wr *w, const struct om_ip *ip, const struct om_addr *from,
                        size_t total)
{
    om_wr_u32(w, 0x60000000);
    om_wr_u16(w, (uint16_t)(total - OM_IP6_HEAD));
    om_wr_u8(w, OM_PROTO_ICMP6);
    om_wr_u8(w, TTL);
    om_wr_copy(w, from->ip, 16);
    om_wr_copy(w, ip->src.ip, 16);
}

size_t om_icmp_refuse(struct om_mut out, const struct om_ip *ip, const struct om_addr *from)
{
    bool is_v6 = ip->version == 6;
    size_t head = is_v6 ? OM_IP6_HEAD : OM_IP4_HEAD;
    size_t room = OM_ICMP_REFUSAL_MAX - head - HEAD;
    struct om_bytes quoted = om_bytes(ip->whole.p, ip->whole.n < room ? ip->whole.n : room);
    size_t total = head + HEAD + quoted.n;
    struct om_wr w = om_wr(out);
    uint32_t sum = 0;

    if (!may_refuse(ip))
        return 0;
    if (is_v6)
        write_head6(&w, ip, from, total);
    else
        write_head4(&w, ip, from, total);
    if (is_v6)
        sum = om_cksum_pseudo(from, &ip->src, OM_PROTO_ICMP6, (uint32_t)(total - head));
    uint8_t type = is_v6 ? UNREACHABLE6 : UNREACHABLE4, code = is_v6 ? ADMIN6 : ADMIN4;
    sum = om_cksum_add(sum, om_bytes((const uint8_t[]){type, code}, 2));
    om_wr_u8(&w, type);
    om_wr_u8(&w, code);
    om_wr_u16(&w, om_cksum_end(om_cksum_add(sum, quoted)));
    om_wr_u32(&w, 0);
    om_wr_bytes(&w, quoted);
    return om_wr_len(&w);
}
