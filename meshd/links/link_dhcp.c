/* link_dhcp.c - addresses for the card behind a link. */
#include "links/link_dhcp.h"

#include <stdlib.h>
#include <string.h>

#include "netstack/dhcp/advert.h"
#include "netstack/dhcp/server.h"
#include "netstack/packet/cksum.h"
#include "netstack/packet/packet.h"

enum {
    V4_IN_V6 = 96,
    V6_PREFIX = 64,
    V4_HEAD_WORDS = 0x4500, /* version 4, 20 bytes, no service */
    V4_DONT_FRAGMENT = 0x4000,
    V4_TTL = 64,
    V4_SUM_AT = 10,
    UDP_SUM_AT = 6,
    SOLICIT_HEAD = 8
};

static_assert((int)LINK_DHCP_FRAME >=
                      (int)OM_ETHER_HEAD + OM_IP4_HEAD + OM_UDP_HEAD + OM_DHCP_REPLY_MAX &&
                  (int)LINK_DHCP_FRAME >= (int)OM_ETHER_HEAD + OM_ADVERT_MAX,
              "an answer is larger than its room");

struct link_dhcp {
    bool has_v4, has_v6;
    uint8_t mac[OM_MAC], here_mac[OM_MAC];
    struct om_addr here;
    struct om_dhcp_server server; /* of has_v4 */
    struct om_advert advert;      /* of has_v6 */
    om_time advert_at;            /* the next that nobody asked for */
    uint64_t answered, bad_solicits;
};

static uint32_t v4_of(const struct om_addr *a)
{
    return om_load32(a->ip + 12);
}

static void init_v4(struct link_dhcp *d, const struct link_config *c)
{
    uint32_t here = v4_of(&c->sides.here);
    struct om_dhcp_config config = {.addr = v4_of(&c->sides.there),
                                    .server = here,
                                    .router = here,
                                    .prefix_bits = c->sides.v4_prefix,
                                    .dns = {here},
                                    .n_dns = 1,
                                    .mtu = c->mtu,
                                    .lease_s = LINK_LEASE_S};

    static_assert((int)LINK_NAME_MAX < (int)OM_DHCP_NAME_MAX,
                  "a name of a link is no name of a host");
    memcpy(config.mac, c->mac, sizeof config.mac);
    memcpy(config.host, c->name, sizeof c->name);
    OM_BUG_IF(om_dhcp_init(&d->server, &config) != OM_OK);
}

static void init_v6(struct link_dhcp *d, const struct link_config *c)
{
    static const struct om_addr fe80 = {.ip = {0xfe, 0x80}};
    struct om_advert *a = &d->advert;
    struct om_addr own;

    memcpy(a->mac, c->here_mac, sizeof a->mac);
    link_config_own6(&a->from, &fe80, c->here_mac);
    a->prefix.bits = V6_PREFIX;
    memcpy(a->prefix.ip, c->sides.here6.ip, V6_PREFIX / 8);
    link_config_own6(&own, &c->sides.here6, c->mac);
    a->is_autonomous = memcmp(own.ip, c->sides.there6.ip, sizeof own.ip) == 0;
    a->router_s = LINK_ROUTER_S;
    a->prefix_s = LINK_PREFIX_S;
    a->mtu = c->mtu;
    a->dns[0] = c->sides.here6;
    a->n_dns = 1;
}

enum om_err link_dhcp_new(struct link_dhcp **out, const struct link_config *config, om_time now)
{
    struct link_dhcp *d = calloc(1, sizeof *d);

    if (!d)
        return OM_E_NO_MEM;
    d->has_v4 = config->sides.has_v4;
    d->has_v6 = config->sides.has_v6;
    d->here = config->sides.here;
    d->advert_at = d->has_v6 ? now : OM_NEVER;
    memcpy(d->mac, config->mac, sizeof d->mac);
    memcpy(d->here_mac, config->here_mac, sizeof d->here_mac);
    if (d->has_v4)
        init_v4(d, config);
    if (d->has_v6)
        init_v6(d, config);
    *out = d;
    return OM_OK;
}

void link_dhcp_free(struct link_dhcp *d)
{
    free(d);
}

static void write_head(struct om_wr *w, const struct link_dhcp *d, uint16_t type, const uint8_t *to)
{
    struct om_ether e = {.type = type};

    memcpy(e.dst, to, sizeof e.dst);
    memcpy(e.src, d->here_mac, sizeof e.src);
    om_ether_write(w, &e);
}

static void put_sum(uint8_t *at, uint16_t sum)
{
    struct om_wr w = om_wr(om_mut(at, 2));

    om_wr_u16(&w, sum);
}

/* UDP from @d to @to, with the checksums that a card wants to see. */
static struct om_bytes write_udp(const struct link_dhcp *d, const struct om_addr *to,
                                 struct om_bytes payload, struct om_mut room)
{
    static const uint8_t everybody[OM_MAC] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint8_t *ip = room.p + OM_ETHER_HEAD, *udp = ip + OM_IP4_HEAD;
    const size_t n = OM_UDP_HEAD + payload.n;
    struct om_wr w = om_wr(room);

    write_head(&w, d, OM_ETHER_IP4, v4_of(to) == UINT32_MAX ? everybody : d->mac);
    om_wr_u16(&w, V4_HEAD_WORDS);
    om_wr_u16(&w, (uint16_t)(OM_IP4_HEAD + n));
    om_wr_u16(&w, 0);
    om_wr_u16(&w, V4_DONT_FRAGMENT);
    om_wr_u8(&w, V4_TTL);
    om_wr_u8(&w, OM_PROTO_UDP);
    om_wr_u16(&w, 0);
    om_wr_u32(&w, v4_of(&d->here));
    om_wr_u32(&w, v4_of(to));
    om_wr_u16(&w, OM_DHCP_SERVER_PORT);
    om_wr_u16(&w, to->port);
    om_wr_u16(&w, (uint16_t)n);
    om_wr_u16(&w, 0);
    om_wr_copy(&w, payload.p, payload.n);
    OM_BUG_IF(w.bad);
    put_sum(ip + V4_SUM_AT, om_cksum_end(om_cksum_add(0, om_bytes(ip, OM_IP4_HEAD))));
    uint32_t sum = om_cksum_pseudo(&d->here, to, OM_PROTO_UDP, (uint32_t)n);
    put_sum(udp + UDP_SUM_AT, om_cksum_end(om_cksum_add(sum, om_bytes(udp, n))));
    return om_bytes(room.p, om_wr_len(&w));
}

static struct om_bytes answer_dhcp(struct link_dhcp *d, om_time now, struct om_bytes in,
                                   struct om_mut room)
{
    uint8_t reply[OM_DHCP_REPLY_MAX];
    struct om_addr to;
    size_t n = om_dhcp_input(&d->server, now, in, om_mut(reply, sizeof reply), &to);

    return n > 0 ? write_udp(d, &to, om_bytes(reply, n), room) : om_bytes(NULL, 0);
}

static struct om_bytes write_advert(const struct link_dhcp *d, const struct om_addr *to,
                                    const uint8_t *mac, struct om_mut room)
{
    struct om_wr w = om_wr(room);

    write_head(&w, d, OM_ETHER_IP6, mac);
    size_t head = om_wr_len(&w);
    size_t n = om_advert_write(om_mut(room.p + head, room.n - head), &d->advert, to);
    return om_bytes(room.p, head + n);
}

static struct om_bytes advert_to_all(const struct link_dhcp *d, struct om_mut room)
{
    static const struct om_addr all = {.ip = {0xff, 0x02, [15] = 1}};
    static const uint8_t all_mac[OM_MAC] = {0x33, 0x33, [5] = 1};

    return write_advert(d, &all, all_mac, room);
}

/* RFC 4861 section 6.1.1; hop limit and checksum are the gate's. */
static bool is_solicit_good(const struct om_packet *p)
{
    struct om_rd r = om_rd(p->ip.payload);

    if (p->icmp.code != 0 || !om_rd_take(&r, SOLICIT_HEAD))
        return false;
    while (om_rd_left(&r) > 0) {
        (void)om_rd_u8(&r);
        size_t n = (size_t)om_rd_u8(&r) * 8;
        if (n == 0 || !om_rd_take(&r, n - 2))
            return false;
    }
    return true;
}

static struct om_bytes answer_solicit(struct link_dhcp *d, const struct om_packet *p,
                                      struct om_mut room)
{
    if (!is_solicit_good(p)) {
        d->bad_solicits++;
        return om_bytes(NULL, 0);
    }
    if (om_addr_classify(&p->ip.src) == OM_ADDR_UNSPECIFIED)
        return advert_to_all(d, room);
    return write_advert(d, &p->ip.src, d->mac, room);
}

static bool is_for_server(const struct link_dhcp *d, const struct om_packet *p)
{
    return d->has_v4 && p->ip.version == 4 && p->carries == OM_CARRIES_UDP &&
           p->ip.dst.port == OM_DHCP_SERVER_PORT &&
           (v4_of(&p->ip.dst) == UINT32_MAX || v4_of(&p->ip.dst) == v4_of(&d->here));
}

static bool is_for_router(const struct link_dhcp *d, const struct om_packet *p)
{
    return d->has_v6 && p->carries == OM_CARRIES_ICMP && p->icmp.kind == OM_ICMP_NEIGHBOUR &&
           p->icmp.type == OM_ADVERT_SOLICIT;
}

bool link_dhcp_input(struct link_dhcp *d, om_time now, struct om_bytes frame, struct om_mut room,
                     struct om_bytes *answer)
{
    struct om_packet p;
    struct om_ether e;

    *answer = om_bytes(NULL, 0);
    if (om_ether_parse(&e, frame) != OM_BAD_NONE ||
        (e.type != OM_ETHER_IP4 && e.type != OM_ETHER_IP6) ||
        om_packet_parse(&p, e.payload) != OM_BAD_NONE)
        return false;
    if (is_for_server(d, &p))
        *answer = answer_dhcp(d, now, p.l4.payload, room);
    else if (is_for_router(d, &p))
        *answer = answer_solicit(d, &p, room);
    else
        return false;
    d->answered += answer->n > 0;
    return true;
}

om_time link_dhcp_deadline(const struct link_dhcp *d)
{
    return d->advert_at;
}

struct om_bytes link_dhcp_tick(struct link_dhcp *d, om_time now, struct om_mut room)
{
    if (now < d->advert_at)
        return om_bytes(NULL, 0);
    d->advert_at = now + OM_SEC(LINK_ADVERT_S);
    return advert_to_all(d, room);
}

uint64_t link_dhcp_answered(const struct link_dhcp *d)
{
    return d ? d->answered : 0;
}

uint64_t link_dhcp_dropped(const struct link_dhcp *d)
{
    uint64_t n = d ? d->bad_solicits : 0;

    for (unsigned i = 0; d && i < OM_DHCP_BADS; i++)
        n += d->server.bad[i];
    return n;
}
