/* advert.c - router advertisements. */
#include "dhcp/advert.h"

#include "packet/cksum.h"
#include "packet/ip.h"

enum {
    TYPE = 134,
    HOPS = 255, /* RFC 4861 section 6.1.2: anything less came from elsewhere */
    MANAGED = 0x80,
    ON_LINK = 0x80,
    AUTONOMOUS = 0x40,
    OPT_SOURCE = 1,
    OPT_PREFIX = 3,
    OPT_MTU = 5,
    OPT_DNS = 25,
    SUM_AT = 2
};

static void write_message(struct om_wr *w, const struct om_advert *a)
{
    om_wr_u8(w, TYPE);
    om_wr_u8(w, 0);
    om_wr_u16(w, 0); /* the checksum, below */
    om_wr_u8(w, 64); /* hop limit to use */
    om_wr_u8(w, a->is_managed ? MANAGED : 0);
    om_wr_u16(w, a->router_s);
    om_wr_u64(w, 0); /* reachable and retransmission times: theirs */
    om_wr_u8(w, OPT_SOURCE);
    om_wr_u8(w, 1);
    om_wr_copy(w, a->mac, OM_MAC);
    if (a->mtu > 0) {
        om_wr_u8(w, OPT_MTU);
        om_wr_u8(w, 1);
        om_wr_u16(w, 0);
        om_wr_u32(w, a->mtu);
    }
    if (a->prefix.bits > 0) {
        om_wr_u8(w, OPT_PREFIX);
        om_wr_u8(w, 4);
        om_wr_u8(w, a->prefix.bits);
        om_wr_u8(w, (uint8_t)(ON_LINK | (a->is_autonomous ? AUTONOMOUS : 0)));
        om_wr_u32(w, a->prefix_s);
        om_wr_u32(w, a->prefix_s);
        om_wr_u32(w, 0);
        om_wr_copy(w, a->prefix.ip, sizeof a->prefix.ip);
    }
    if (a->n_dns > 0) {
        om_wr_u8(w, OPT_DNS);
        om_wr_u8(w, (uint8_t)(1 + 2 * a->n_dns));
        om_wr_u16(w, 0);
        om_wr_u32(w, a->prefix_s);
        for (unsigned i = 0; i < a->n_dns && i < OM_ADVERT_DNS_MAX; i++)
            om_wr_copy(w, a->dns[i].ip, sizeof a->dns[i].ip);
    }
}

size_t om_advert_write(struct om_mut out, const struct om_advert *a, const struct om_addr *to)
{
    uint8_t b[OM_ADVERT_MAX - OM_IP6_HEAD];
    struct om_wr m = om_wr(om_mut(b, sizeof b)), w = om_wr(out);

    OM_BUG_IF(a->n_dns > OM_ADVERT_DNS_MAX);
    write_message(&m, a);
    size_t n = om_wr_len(&m);
    uint32_t sum = om_cksum_pseudo(&a->from, to, OM_PROTO_ICMP6, (uint32_t)n);
    uint16_t cksum = om_cksum_end(om_cksum_add(sum, om_bytes(b, n)));
    struct om_wr at = om_wr(om_mut(b + SUM_AT, 2));
    om_wr_u16(&at, cksum);
    om_wr_u32(&w, 0x60000000);
    om_wr_u16(&w, (uint16_t)n);
    om_wr_u8(&w, OM_PROTO_ICMP6);
    om_wr_u8(&w, HOPS);
    om_wr_copy(&w, a->from.ip, sizeof a->from.ip);
    om_wr_copy(&w, to->ip, sizeof to->ip);
    om_wr_copy(&w, b, n);
    return om_wr_len(&w);
}
