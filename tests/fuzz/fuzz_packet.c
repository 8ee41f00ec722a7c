/*
 * fuzz_packet.c - any bytes as a frame, a packet, what an error quotes, and a SYN to clamp
 *
 * Each view must lie inside the input; a refusal of ours, and a clamped SYN, must be packets again.
 */
#include "fuzz.h"
#include "packet/ether.h"
#include "packet/packet.h"

static void check_inside(struct om_bytes view, struct om_bytes whole)
{
    FUZZ_MUST(view.n == 0 || (view.p >= whole.p && view.p + view.n <= whole.p + whole.n));
}

static void check_refusal(const struct om_ip *ip)
{
    uint8_t out[OM_ICMP_REFUSAL_MAX];
    struct om_addr us =
        ip->version == 4 ? om_addr_v4(0x0a000001, 0) : (struct om_addr){.ip = {0xfe}};
    struct om_packet answer;
    struct om_ip quoted;
    size_t n = om_icmp_refuse(om_mut(out, sizeof out), ip, &us);

    if (n == 0)
        return;
    FUZZ_MUST(om_packet_parse(&answer, om_bytes(out, n)) == OM_BAD_NONE);
    FUZZ_MUST(answer.icmp.kind == OM_ICMP_ERROR);
    if (om_icmp_quoted(&answer.icmp, &quoted) == OM_BAD_NONE)
        FUZZ_MUST(memcmp(quoted.dst.ip, ip->dst.ip, 16) == 0);
}

static void one_packet(struct om_bytes in)
{
    struct om_packet p;
    struct om_ip ip;

    if (om_ip_parse_quoted(&ip, in) == OM_BAD_NONE)
        check_inside(ip.payload, in);
    if (om_packet_parse(&p, in) != OM_BAD_NONE)
        return;
    check_inside(p.ip.whole, in);
    check_inside(p.ip.payload, p.ip.whole);
    check_inside(p.l4.options, p.ip.payload);
    check_inside(p.l4.payload, p.ip.payload);
    check_inside(p.icmp.quoted, p.ip.payload);
    if (p.icmp.kind == OM_ICMP_ERROR && om_icmp_quoted(&p.icmp, &ip) == OM_BAD_NONE)
        check_inside(ip.payload, p.icmp.quoted);
    check_refusal(&p.ip);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    struct om_packet p;
    struct om_ether e;
    struct om_arp arp;

    one_packet(om_bytes(copy, size));
    if (om_ether_parse(&e, om_bytes(copy, size)) == OM_BAD_NONE) {
        one_packet(e.payload);
        if (om_arp_parse(&arp, e.payload) == OM_BAD_NONE)
            FUZZ_MUST(om_addr_is_v4(&arp.src) && om_addr_is_v4(&arp.dst));
    }
    if (om_l4_clamp_mss(om_mut(copy, size), 1000)) {
        FUZZ_MUST(om_packet_parse(&p, om_bytes(copy, size)) == OM_BAD_NONE);
        FUZZ_MUST(!om_l4_clamp_mss(om_mut(copy, size), 1000));
    }
    free(copy);
    return 0;
}
