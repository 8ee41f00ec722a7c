/* l4.c - heads of TCP and UDP. */
#include "packet/l4.h"

#include "packet/cksum.h"

enum { OPT_END = 0, OPT_NOP = 1, OPT_MSS = 2, OPT_MSS_LEN = 4, TCP_SUM_AT = 16 };

static bool is_sum_right(const struct om_ip *ip, struct om_bytes covered)
{
    uint32_t sum = om_cksum_pseudo(&ip->src, &ip->dst, ip->proto, (uint32_t)covered.n);

    return om_cksum_end(om_cksum_add(sum, covered)) == 0;
}

/* None at all, SYN with FIN or RST, FIN without ACK: scans, and no TCP. */
static bool are_flags_odd(uint8_t f)
{
    uint8_t known = f & (OM_TCP_FIN | OM_TCP_SYN | OM_TCP_RST | OM_TCP_ACK);

    return known == 0 || ((f & OM_TCP_SYN) && (f & (OM_TCP_FIN | OM_TCP_RST))) ||
           ((f & OM_TCP_FIN) && !(f & (OM_TCP_ACK | OM_TCP_RST)));
}

static bool are_options_sound(struct om_bytes options)
{
    struct om_rd r = om_rd(options);

    while (om_rd_left(&r) > 0) {
        uint8_t kind = om_rd_u8(&r);

        if (kind == OPT_END)
            return true;
        if (kind == OPT_NOP)
            continue;
        uint8_t len = om_rd_u8(&r);
        if (len < 2)
            return false;
        (void)om_rd_take(&r, len - 2U);
        if (r.bad)
            return false;
    }
    return !r.bad;
}

static enum om_bad parse_tcp(struct om_l4 *out, const struct om_ip *ip)
{
    struct om_rd r = om_rd(ip->payload);
    struct om_l4 l = {0};

    l.src_port = om_rd_u16(&r);
    l.dst_port = om_rd_u16(&r);
    l.seq = om_rd_u32(&r);
    l.ack = om_rd_u32(&r);
    size_t head = (size_t)(om_rd_u8(&r) >> 4) * 4;
    l.flags = om_rd_u8(&r) & 0x3f;
    l.window = om_rd_u16(&r);
    (void)om_rd_u32(&r); /* checksum, urgent pointer */
    if (r.bad)
        return OM_BAD_SHORT;
    if (head < OM_TCP_HEAD || head > ip->payload.n)
        return OM_BAD_HEADER;
    l.options = om_rd_bytes(&r, head - OM_TCP_HEAD);
    l.payload = om_rd_rest(&r);
    if (are_flags_odd(l.flags))
        return OM_BAD_FLAGS;
    if (!are_options_sound(l.options))
        return OM_BAD_OPTION;
    if (!ip->is_fragment && !is_sum_right(ip, ip->payload))
        return OM_BAD_SUM;
    *out = l;
    return OM_BAD_NONE;
}

static enum om_bad parse_udp(struct om_l4 *out, const struct om_ip *ip)
{
    struct om_rd r = om_rd(ip->payload);
    struct om_l4 l = {0};

    l.src_port = om_rd_u16(&r);
    l.dst_port = om_rd_u16(&r);
    size_t n = om_rd_u16(&r);
    uint16_t sum = om_rd_u16(&r);
    if (r.bad)
        return OM_BAD_SHORT;
    if (n < OM_UDP_HEAD || (n > ip->payload.n) != ip->has_more)
        return OM_BAD_LENGTH;
    l.payload = om_rd_bytes(&r, (ip->has_more ? ip->payload.n : n) - OM_UDP_HEAD);
    if (sum == 0 && ip->version == 6)
        return OM_BAD_SUM;
    if (sum != 0 && !ip->is_fragment && !is_sum_right(ip, om_bytes(ip->payload.p, n)))
        return OM_BAD_SUM;
    *out = l;
    return OM_BAD_NONE;
}

enum om_bad om_l4_parse(struct om_l4 *out, const struct om_ip *ip)
{
    return ip->proto == OM_PROTO_TCP ? parse_tcp(out, ip) : parse_udp(out, ip);
}

/* Where the value of the MSS option lies in @options; 0 when there is none. */
static size_t find_mss(struct om_bytes options)
{
    struct om_rd r = om_rd(options);

    while (om_rd_left(&r) > 0) {
        uint8_t kind = om_rd_u8(&r);

        if (kind == OPT_END)
            return 0;
        if (kind == OPT_NOP)
            continue;
        uint8_t len = om_rd_u8(&r);
        if (kind == OPT_MSS && len == OPT_MSS_LEN && om_rd_left(&r) >= 2)
            return (size_t)(r.p - options.p);
        (void)om_rd_take(&r, len - 2U);
    }
    return 0;
}

static uint16_t load16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void store16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* An option may start at an odd place: then its value lies across two words of the sum. */
static uint16_t updated(uint16_t sum, uint16_t was, uint16_t is, bool is_odd)
{
    if (is_odd) {
        was = (uint16_t)(was << 8 | was >> 8);
        is = (uint16_t)(is << 8 | is >> 8);
    }
    return om_cksum_update(sum, was, is);
}

bool om_l4_clamp_mss(struct om_mut packet, uint16_t mss)
{
    struct om_ip ip;
    struct om_l4 l;

    if (om_ip_parse(&ip, om_bytes(packet.p, packet.n)) != OM_BAD_NONE || ip.proto != OM_PROTO_TCP ||
        ip.is_fragment || om_l4_parse(&l, &ip) != OM_BAD_NONE || !(l.flags & OM_TCP_SYN))
        return false;
    size_t at = find_mss(l.options);
    uint8_t *head = packet.p + (ip.payload.p - packet.p), *value = head + OM_TCP_HEAD + at;
    if (at == 0 || load16(value) <= mss)
        return false;
    uint16_t sum = updated(load16(head + TCP_SUM_AT), load16(value), mss, at % 2 != 0);
    store16(value, mss);
    store16(head + TCP_SUM_AT, sum);
    return true;
}
