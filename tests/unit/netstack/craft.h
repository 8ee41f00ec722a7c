/*
 * craft.h - packets for tests, made field by field
 *
 * What:  IPv4 and IPv6 packets with TCP, UDP or ICMP in them, checksums right.
 * Why:   what is under test must not make its own input; the sum here is the naive one.
 */
#ifndef OM_TESTS_CRAFT_H
#define OM_TESTS_CRAFT_H

#include <omerta/addr.h>
#include <omerta/wire.h>

enum { CRAFT_MAX = 2048 };

struct craft {
    uint8_t b[CRAFT_MAX];
    size_t n;
    size_t head; /* of IP */
};

static inline uint32_t craft_sum(uint32_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    return sum;
}

static inline void craft_put_sum(uint8_t *at, uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    at[0] = (uint8_t)(~sum >> 8);
    at[1] = (uint8_t)~sum;
}

static inline struct om_addr craft_ip(const char *text)
{
    struct om_addr a = {0};

    OM_BUG_IF(!om_addr_ip_parse(a.ip, text));
    return a;
}

/* The checksum of the IPv4 head, again. */
static inline void craft_seal(struct craft *c)
{
    c->b[10] = c->b[11] = 0;
    craft_put_sum(c->b + 10, craft_sum(0, c->b, c->head));
}

/* An IP head for @n bytes of payload, which the caller puts behind it. */
static inline uint8_t *craft_head(struct craft *c, const char *src, const char *dst, uint8_t proto,
                                  size_t n)
{
    struct om_addr s = craft_ip(src), d = craft_ip(dst);
    struct om_wr w = om_wr(om_mut(c->b, sizeof c->b));

    memset(c, 0, sizeof *c);
    if (om_addr_is_v4(&s)) {
        om_wr_u16(&w, 0x4500);
        om_wr_u16(&w, (uint16_t)(20 + n));
        om_wr_u32(&w, 0x12340000);
        om_wr_u8(&w, 64);
        om_wr_u8(&w, proto);
        om_wr_u16(&w, 0);
        om_wr_copy(&w, s.ip + 12, 4);
        om_wr_copy(&w, d.ip + 12, 4);
        c->head = 20;
        craft_seal(c);
    } else {
        om_wr_u32(&w, 0x60000000);
        om_wr_u16(&w, (uint16_t)n);
        om_wr_u8(&w, proto);
        om_wr_u8(&w, 64);
        om_wr_copy(&w, s.ip, 16);
        om_wr_copy(&w, d.ip, 16);
        c->head = 40;
    }
    c->n = c->head + n;
    return c->b + c->head;
}

/* The checksum at offset @at of the payload, which protocol @proto covers with a pseudo header. */
static inline void craft_seal_l4(struct craft *c, uint8_t proto, size_t at)
{
    uint8_t *p = c->b + c->head;
    size_t n = c->n - c->head, from = c->head == 20 ? 12 : 8;
    uint32_t sum = proto == 1 ? 0 : craft_sum((uint32_t)(proto + n), c->b + from, c->head - from);

    p[at] = p[at + 1] = 0;
    craft_put_sum(p + at, craft_sum(sum, p, n));
}

/* UDP with @n bytes in it. */
static inline void craft_udp(struct craft *c, const char *src, uint16_t sport, const char *dst,
                             uint16_t dport, size_t n)
{
    uint8_t *p = craft_head(c, src, dst, 17, 8 + n);
    struct om_wr w = om_wr(om_mut(p, CRAFT_MAX - c->head));

    om_wr_u16(&w, sport);
    om_wr_u16(&w, dport);
    om_wr_u16(&w, (uint16_t)(8 + n));
    memset(p + 8, 'u', n);
    craft_seal_l4(c, 17, 6);
}

/* TCP with @n bytes of options (NOPs where the caller puts nothing else), without payload. */
static inline uint8_t *craft_tcp(struct craft *c, const char *src, uint16_t sport, const char *dst,
                                 uint16_t dport, uint8_t flags, size_t n)
{
    uint8_t *p = craft_head(c, src, dst, 6, 20 + n);
    struct om_wr w = om_wr(om_mut(p, CRAFT_MAX - c->head));

    om_wr_u16(&w, sport);
    om_wr_u16(&w, dport);
    om_wr_u32(&w, 1000);
    om_wr_u32(&w, 2000);
    om_wr_u8(&w, (uint8_t)((20 + n) / 4 << 4));
    om_wr_u8(&w, flags);
    om_wr_u16(&w, 4096);
    memset(p + 20, 1, n);
    craft_seal_l4(c, 6, 16);
    return p;
}

/* ICMP of the family of @src, with @n bytes of @body. */
static inline uint8_t *craft_icmp(struct craft *c, const char *src, const char *dst, uint8_t type,
                                  uint16_t id, const void *body, size_t n)
{
    struct om_addr s = craft_ip(src);
    uint8_t proto = om_addr_is_v4(&s) ? 1 : 58;
    uint8_t *p = craft_head(c, src, dst, proto, 8 + n);

    p[0] = type;
    p[4] = (uint8_t)(id >> 8);
    p[5] = (uint8_t)id;
    if (n > 0)
        memcpy(p + 8, body, n);
    craft_seal_l4(c, proto, 2);
    return p;
}

static inline struct om_bytes craft_bytes(const struct craft *c)
{
    return om_bytes(c->b, c->n);
}

#endif
