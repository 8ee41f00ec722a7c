/* packet.c - IP and what it carries. */
#include "packet/packet.h"

static enum om_bad parse_ports(struct om_packet *p)
{
    enum om_bad bad = om_l4_parse(&p->l4, &p->ip);

    p->carries = p->ip.proto == OM_PROTO_TCP ? OM_CARRIES_TCP : OM_CARRIES_UDP;
    p->ip.src.port = p->l4.src_port;
    p->ip.dst.port = p->l4.dst_port;
    return bad;
}

static enum om_bad parse_icmp(struct om_packet *p)
{
    enum om_bad bad = om_icmp_parse(&p->icmp, &p->ip);

    p->carries = OM_CARRIES_ICMP;
    p->ip.src.port = p->ip.dst.port = p->icmp.id;
    return bad;
}

enum om_bad om_packet_parse(struct om_packet *out, struct om_bytes in)
{
    struct om_packet p = {0};
    enum om_bad bad = om_ip_parse(&p.ip, in);

    if (bad == OM_BAD_NONE && p.ip.offset == 0) {
        if (p.ip.proto == OM_PROTO_TCP || p.ip.proto == OM_PROTO_UDP)
            bad = parse_ports(&p);
        else if (p.ip.proto == (p.ip.version == 6 ? OM_PROTO_ICMP6 : OM_PROTO_ICMP))
            bad = parse_icmp(&p);
    }
    if (bad == OM_BAD_NONE)
        *out = p;
    return bad;
}
