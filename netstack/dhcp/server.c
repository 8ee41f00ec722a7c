/* server.c - answers to the client of a port. */
#include "dhcp/server.h"

#include <string.h>

enum { BOOTREPLY = 2, ETHERNET = 1, COOKIE = 0x63825363, WANTS_BROADCAST = 0x8000, V4_AT = 96 };

enum om_err om_dhcp_init(struct om_dhcp_server *s, const struct om_dhcp_config *config)
{
    *s = (struct om_dhcp_server){.config = *config};
    if (config->n_dns > OM_DHCP_DNS_MAX || config->n_routes > OM_DHCP_ROUTES_MAX ||
        config->prefix_bits > 32 || config->lease_s < 8 || config->addr == 0 ||
        config->server == 0 || !memchr(config->host, 0, sizeof config->host) ||
        !memchr(config->domain, 0, sizeof config->domain))
        return OM_E_RANGE;
    for (unsigned i = 0; i < config->n_routes; i++) {
        if (config->routes[i].net.bits < V4_AT || config->routes[i].net.bits > OM_CIDR_BITS_MAX)
            return OM_E_RANGE;
    }
    return OM_OK;
}

static void write_u32(struct om_wr *w, enum om_dhcp_option kind, uint32_t v)
{
    om_wr_u8(w, (uint8_t)kind);
    om_wr_u8(w, 4);
    om_wr_u32(w, v);
}

static void write_text(struct om_wr *w, enum om_dhcp_option kind, const char *text)
{
    size_t n = strlen(text);

    if (n == 0)
        return;
    om_wr_u8(w, (uint8_t)kind);
    om_wr_u8(w, (uint8_t)n);
    om_wr_copy(w, text, n);
}

static void write_route(struct om_wr *w, const uint8_t *net, unsigned bits, uint32_t gateway)
{
    om_wr_u8(w, (uint8_t)bits);
    om_wr_copy(w, net, (bits + 7) / 8);
    om_wr_u32(w, gateway);
}

static void write_routes(struct om_wr *w, const struct om_dhcp_config *c)
{
    uint8_t b[(OM_DHCP_ROUTES_MAX + 1) * 9];
    struct om_wr routes = om_wr(om_mut(b, sizeof b));

    if (c->n_routes == 0)
        return;
    for (unsigned i = 0; i < c->n_routes; i++) {
        const struct om_cidr *net = &c->routes[i].net;

        write_route(&routes, net->ip + 12, net->bits - V4_AT, c->routes[i].gateway);
    }
    if (c->router != 0)
        write_route(&routes, NULL, 0, c->router);
    om_wr_u8(w, OM_DHCP_OPT_ROUTES);
    om_wr_u8(w, (uint8_t)om_wr_len(&routes));
    om_wr_copy(w, b, om_wr_len(&routes));
}

static void write_network(struct om_wr *w, const struct om_dhcp_config *c)
{
    write_u32(w, OM_DHCP_OPT_MASK, c->prefix_bits == 0 ? 0 : UINT32_MAX << (32U - c->prefix_bits));
    write_routes(w, c);
    if (c->router != 0)
        write_u32(w, OM_DHCP_OPT_ROUTER, c->router);
    if (c->n_dns > 0) {
        om_wr_u8(w, OM_DHCP_OPT_DNS);
        om_wr_u8(w, (uint8_t)(4 * c->n_dns));
        for (unsigned i = 0; i < c->n_dns; i++)
            om_wr_u32(w, c->dns[i]);
    }
    write_text(w, OM_DHCP_OPT_HOST, c->host);
    write_text(w, OM_DHCP_OPT_DOMAIN, c->domain);
    if (c->mtu > 0) {
        om_wr_u8(w, OM_DHCP_OPT_MTU);
        om_wr_u8(w, 2);
        om_wr_u16(w, c->mtu);
    }
}

static void write_head(struct om_wr *w, const struct om_dhcp *d, enum om_dhcp_type type,
                       uint32_t yours)
{
    om_wr_u8(w, BOOTREPLY);
    om_wr_u8(w, ETHERNET);
    om_wr_u8(w, OM_MAC);
    om_wr_u8(w, 0);
    om_wr_u32(w, d->xid);
    om_wr_u16(w, 0);
    om_wr_u16(w, (uint16_t)d->flags);
    om_wr_u32(w, type == OM_DHCP_NAK ? 0 : d->client);
    om_wr_u32(w, yours);
    om_wr_u64(w, 0); /* siaddr, giaddr */
    om_wr_copy(w, d->mac, OM_MAC);
    om_wr_zero(w, 16 - OM_MAC + 64 + 128);
    om_wr_u32(w, COOKIE);
    om_wr_u8(w, OM_DHCP_OPT_TYPE);
    om_wr_u8(w, 1);
    om_wr_u8(w, (uint8_t)type);
}

/* RFC 2131 section 4.1. */
static struct om_addr where_to(const struct om_dhcp *d, enum om_dhcp_type type, uint32_t yours)
{
    if (type != OM_DHCP_NAK && d->client != 0)
        return om_addr_v4(d->client, OM_DHCP_CLIENT_PORT);
    if (type == OM_DHCP_NAK || (d->flags & WANTS_BROADCAST) || yours == 0)
        return om_addr_v4(UINT32_MAX, OM_DHCP_CLIENT_PORT);
    return om_addr_v4(yours, OM_DHCP_CLIENT_PORT);
}

static size_t reply(const struct om_dhcp_server *s, const struct om_dhcp *d, enum om_dhcp_type type,
                    struct om_mut out, struct om_addr *to)
{
    const struct om_dhcp_config *c = &s->config;
    struct om_wr w = om_wr(out);
    bool has_lease = type != OM_DHCP_NAK && d->type != OM_DHCP_INFORM;
    uint32_t yours = has_lease ? c->addr : 0;

    write_head(&w, d, type, yours);
    write_u32(&w, OM_DHCP_OPT_SERVER, c->server);
    if (has_lease) {
        write_u32(&w, OM_DHCP_OPT_LEASE, c->lease_s);
        write_u32(&w, OM_DHCP_OPT_RENEW, c->lease_s / 2);
        write_u32(&w, OM_DHCP_OPT_REBIND, c->lease_s - c->lease_s / 8);
    }
    if (type != OM_DHCP_NAK)
        write_network(&w, c);
    om_wr_u8(&w, OM_DHCP_OPT_END);
    if (!w.bad && om_wr_len(&w) < OM_DHCP_LEAST)
        om_wr_zero(&w, OM_DHCP_LEAST - om_wr_len(&w));
    *to = where_to(d, type, yours);
    return om_wr_len(&w);
}

/* RFC 2131 section 4.3.2: chosen among offers, remembered from before, or extended. */
static size_t on_request(struct om_dhcp_server *s, om_time now, const struct om_dhcp *d,
                         struct om_mut out, struct om_addr *to)
{
    uint32_t asked = d->client != 0 ? d->client : d->wanted;

    if (asked != s->config.addr) {
        s->naks++;
        return reply(s, d, OM_DHCP_NAK, out, to);
    }
    om_lease_take(&s->lease, now, s->config.lease_s);
    return reply(s, d, OM_DHCP_ACK, out, to);
}

size_t om_dhcp_input(struct om_dhcp_server *s, om_time now, struct om_bytes in, struct om_mut out,
                     struct om_addr *to)
{
    struct om_dhcp d;
    enum om_dhcp_bad bad = om_dhcp_parse(&d, in);

    if (bad == OM_DHCP_BAD_NONE && memcmp(d.mac, s->config.mac, OM_MAC) != 0)
        bad = OM_DHCP_BAD_CLIENT;
    if (bad == OM_DHCP_BAD_NONE && d.server != 0 && d.server != s->config.server)
        bad = OM_DHCP_BAD_SERVER;
    if (bad == OM_DHCP_BAD_NONE) {
        switch (d.type) {
        case OM_DHCP_DISCOVER:
            om_lease_offer(&s->lease, now);
            d.client = 0; /* RFC 2131 table 5 */
            return reply(s, &d, OM_DHCP_OFFER, out, to);
        case OM_DHCP_REQUEST:
            return on_request(s, now, &d, out, to);
        case OM_DHCP_INFORM:
            return reply(s, &d, OM_DHCP_ACK, out, to);
        case OM_DHCP_DECLINE:
            s->declines++;
            om_lease_free(&s->lease);
            return 0;
        case OM_DHCP_RELEASE:
            om_lease_free(&s->lease);
            return 0;
        default:
            bad = OM_DHCP_BAD_TYPE;
        }
    }
    s->bad[bad]++;
    return 0;
}
