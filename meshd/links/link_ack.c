/* link_ack.c - by the headers as our own stack writes them; whatever looks different is kept. */
#include "links/link_ack.h"

#include <string.h>

enum {
    ETHER_HEAD = 14,
    V4_HEAD = 20,
    V4_PLAIN = 0x45, /* version and the length without options */
    V4_LENGTH_AT = 2,
    V4_FRAGMENT_AT = 6,
    V4_PROTO_AT = 9,
    V4_FROM_AT = 12,
    V4_IDS = 8,
    V6_HEAD = 40,
    V6_VERSION = 6,
    V6_LENGTH_AT = 4,
    V6_NEXT_AT = 6,
    V6_FROM_AT = 8,
    V6_IDS = 32,
    PROTO_TCP = 6,
    TCP_HEAD = 20,
    TCP_PLAIN = 0x50, /* a header without options */
    TCP_ACK = 0x10
};

/* Where things are in a frame that is nothing but an acknowledgement. */
struct ack {
    const uint8_t *ids, *tcp; /* addresses of the packet; its TCP header */
    size_t ids_n;
};

static uint32_t u32_at(const uint8_t *p)
{
    struct om_rd r = om_rd(om_bytes(p, sizeof(uint32_t)));

    return om_rd_u32(&r);
}

static uint16_t u16_at(const uint8_t *p)
{
    struct om_rd r = om_rd(om_bytes(p, sizeof(uint16_t)));

    return om_rd_u16(&r);
}

static bool find_tcp(struct ack *a, struct om_bytes ip)
{
    if (ip.n == V4_HEAD + TCP_HEAD && ip.p[0] == V4_PLAIN && ip.p[V4_PROTO_AT] == PROTO_TCP &&
        u16_at(ip.p + V4_LENGTH_AT) == ip.n && (u16_at(ip.p + V4_FRAGMENT_AT) & 0x3fff) == 0) {
        *a = (struct ack){.ids = ip.p + V4_FROM_AT, .tcp = ip.p + V4_HEAD, .ids_n = V4_IDS};
        return true;
    }
    if (ip.n == V6_HEAD + TCP_HEAD && ip.p[0] >> 4 == V6_VERSION && ip.p[V6_NEXT_AT] == PROTO_TCP &&
        u16_at(ip.p + V6_LENGTH_AT) == TCP_HEAD) {
        *a = (struct ack){.ids = ip.p + V6_FROM_AT, .tcp = ip.p + V6_HEAD, .ids_n = V6_IDS};
        return true;
    }
    return false;
}

static bool read_ack(struct ack *a, bool is_ether, struct om_bytes frame)
{
    size_t head = is_ether ? ETHER_HEAD : 0;

    /* Shorter than any: looked at first, as most frames are longer, and have data. */
    if (frame.n < head + V4_HEAD + TCP_HEAD || frame.n > head + V6_HEAD + TCP_HEAD)
        return false;
    return find_tcp(a, om_bytes(frame.p + head, frame.n - head)) && a->tcp[12] == TCP_PLAIN &&
           a->tcp[13] == TCP_ACK;
}

bool link_ack_follows(bool is_ether, struct om_bytes waiting, struct om_bytes next)
{
    struct ack a, b;

    if (waiting.n != next.n || !read_ack(&a, is_ether, waiting) || !read_ack(&b, is_ether, next))
        return false;
    if (a.ids_n != b.ids_n || memcmp(a.ids, b.ids, a.ids_n) != 0)
        return false;
    if (is_ether && memcmp(waiting.p, next.p, ETHER_HEAD) != 0)
        return false;
    /* Ports and our own place in the stream. */
    if (memcmp(a.tcp, b.tcp, 8) != 0)
        return false;
    uint32_t further = u32_at(b.tcp + 8) - u32_at(a.tcp + 8);
    return further > 0 && further < UINT32_C(1) << 31;
}
