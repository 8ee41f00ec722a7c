/* ether.c - frames, and ARP. */
#include "packet/ether.h"

enum { TAG_C = 0x8100, TAG_S = 0x88a8, TAG_OLD = 0x9100, TYPE_LEAST = 0x0600, GROUP = 1 };

enum om_bad om_ether_parse(struct om_ether *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_ether e;

    om_rd_copy(&r, e.dst, sizeof e.dst);
    om_rd_copy(&r, e.src, sizeof e.src);
    e.type = om_rd_u16(&r);
    if (r.bad)
        return OM_BAD_SHORT;
    if (e.type == TAG_C || e.type == TAG_S || e.type == TAG_OLD)
        return OM_BAD_TAGGED;
    if (e.type < TYPE_LEAST)
        return OM_BAD_LLC;
    if (e.src[0] & GROUP)
        return OM_BAD_MAC;
    e.payload = om_rd_rest(&r);
    *out = e;
    return OM_BAD_NONE;
}

void om_ether_write(struct om_wr *w, const struct om_ether *e)
{
    om_wr_copy(w, e->dst, sizeof e->dst);
    om_wr_copy(w, e->src, sizeof e->src);
    om_wr_u16(w, e->type);
}

enum om_bad om_arp_parse(struct om_arp *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_arp a = {0};
    uint64_t kinds = om_rd_u48(&r); /* hardware, protocol, their lengths */

    a.op = om_rd_u16(&r);
    om_rd_copy(&r, a.src_mac, sizeof a.src_mac);
    a.src = om_addr_v4(om_rd_u32(&r), 0);
    (void)om_rd_take(&r, OM_MAC);
    a.dst = om_addr_v4(om_rd_u32(&r), 0);
    if (r.bad)
        return OM_BAD_SHORT;
    if (kinds != 0x000108000604)
        return OM_BAD_HEADER;
    *out = a;
    return OM_BAD_NONE;
}
