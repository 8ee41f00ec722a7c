/* message.c - a client's message. */
#include "dhcp/message.h"

enum { BOOTREQUEST = 1, ETHERNET = 1, SNAME = 64, FILE_NAME = 128, COOKIE = 0x63825363 };

struct found {
    struct om_dhcp *d;
    uint8_t overload;
};

static bool read_u8(struct om_bytes data, uint8_t *out)
{
    struct om_rd r = om_rd(data);

    *out = om_rd_u8(&r);
    return om_rd_done(&r);
}

static bool read_u32(struct om_bytes data, uint32_t *out)
{
    struct om_rd r = om_rd(data);

    *out = om_rd_u32(&r);
    return om_rd_done(&r);
}

static bool read_option(struct found *f, uint8_t kind, struct om_bytes data)
{
    switch (kind) {
    case OM_DHCP_OPT_TYPE:
        return read_u8(data, &f->d->type);
    case OM_DHCP_OPT_WANTED:
        return read_u32(data, &f->d->wanted);
    case OM_DHCP_OPT_SERVER:
        return read_u32(data, &f->d->server);
    case OM_DHCP_OPT_OVERLOAD:
        return read_u8(data, &f->overload) && f->overload >= 1 && f->overload <= 3;
    default:
        return true;
    }
}

/* Up to the end of the field too: RFC 2131 wants an END, clients forget it. */
static bool read_options(struct found *f, struct om_bytes field)
{
    struct om_rd r = om_rd(field);

    while (om_rd_left(&r) > 0) {
        uint8_t kind = om_rd_u8(&r);

        if (kind == OM_DHCP_OPT_END)
            return true;
        if (kind == OM_DHCP_OPT_PAD)
            continue;
        uint8_t n = om_rd_u8(&r);
        struct om_bytes data = om_rd_bytes(&r, n);
        if (r.bad || !read_option(f, kind, data))
            return false;
    }
    return true;
}

enum om_dhcp_bad om_dhcp_parse(struct om_dhcp *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_dhcp d = {0};
    struct found f = {&d, 0};
    uint8_t op = om_rd_u8(&r), hardware = om_rd_u8(&r), hardware_bytes = om_rd_u8(&r);

    (void)om_rd_u8(&r); /* hops */
    d.xid = om_rd_u32(&r);
    (void)om_rd_u16(&r); /* seconds */
    d.flags = om_rd_u16(&r);
    d.client = om_rd_u32(&r);
    (void)om_rd_u64(&r); /* yiaddr, siaddr */
    uint32_t relay = om_rd_u32(&r);
    om_rd_copy(&r, d.mac, sizeof d.mac);
    (void)om_rd_take(&r, 16 - OM_MAC);
    struct om_bytes sname = om_rd_bytes(&r, SNAME), file = om_rd_bytes(&r, FILE_NAME);
    uint32_t cookie = om_rd_u32(&r);
    if (r.bad)
        return OM_DHCP_BAD_SHORT;
    if (op != BOOTREQUEST || hardware != ETHERNET || hardware_bytes != OM_MAC || cookie != COOKIE)
        return OM_DHCP_BAD_KIND;
    if (relay != 0)
        return OM_DHCP_BAD_RELAY;
    if (!read_options(&f, om_rd_rest(&r)))
        return OM_DHCP_BAD_OPTION;
    uint8_t overload = f.overload; /* RFC 2131 section 4.1: the file before the name */
    if (((overload & 1) && !read_options(&f, file)) || ((overload & 2) && !read_options(&f, sname)))
        return OM_DHCP_BAD_OPTION;
    if (d.type == 0)
        return OM_DHCP_BAD_KIND;
    *out = d;
    return OM_DHCP_BAD_NONE;
}
