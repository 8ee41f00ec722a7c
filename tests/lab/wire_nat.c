/* wire_nat.c - the words of the box, and the bytes of what passes it. */
#include "wire_nat.h"

#include <string.h>

#include "natkind.h"
#include "netstack/packet/cksum.h"
#include "netstack/packet/ip.h"
#include "netstack/packet/l4.h"

enum {
    TEXT_MAX_BYTES = 256,
    WORDS_MAX = 24,
    ETHER_BYTES = 14,
    ETHER_MAC = 6,
    ETHER_IP4 = 0x0800,
    IP4_CKSUM = 10, /* offsets in their headers */
    IP4_SRC = 12,
    IP4_DST = 16,
    UDP_SRC = 0,
    UDP_DST = 2,
    UDP_CKSUM = 6,
    MAPPED = 12 /* where IPv4 stands in an IPv4-mapped address */
};

bool wire_nat_init(struct wire_nat *n, const char *text, uint64_t seed)
{
    char copy[TEXT_MAX_BYTES], *words[WORDS_MAX], *rest = NULL;
    struct sim_nat_model model;
    struct om_addr outside;
    int count = 0;

    if (strlen(text) >= sizeof copy)
        return false;
    memcpy(copy, text, strlen(text) + 1);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (count == WORDS_MAX)
            return false;
        words[count++] = word;
    }
    if (sim_nat_box(words, count, &model, &outside) || !om_addr_is_v4(&outside))
        return false;
    sim_natbox_init(&n->box, &model, &outside, seed);
    n->untranslated = 0;
    return true;
}

void wire_nat_fini(struct wire_nat *n)
{
    sim_natbox_fini(&n->box);
}

static uint16_t word_get(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void word_put(uint8_t *at, uint16_t word)
{
    at[0] = (uint8_t)(word >> 8);
    at[1] = (uint8_t)word;
}

/* Puts @is at @at, and mends the @count checksums that cover it. */
static void word_change(uint8_t *at, uint16_t is, uint8_t *const *cksums, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        word_put(cksums[i], om_cksum_update(word_get(cksums[i]), word_get(at), is));
    word_put(at, is);
}

/* One end of a datagram whose checksums are at @cksums, that of IP first; no @udp sum: one. */
static void end_change(uint8_t *ip, uint8_t *port, const struct om_addr *is, uint8_t *const *cksums,
                       unsigned count)
{
    word_change(ip, word_get(is->ip + MAPPED), cksums, count);
    word_change(ip + 2, word_get(is->ip + MAPPED + 2), cksums, count);
    word_change(port, is->port, cksums + 1, count - 1);
}

/* Writes the ends of @p into @packet, whose UDP begins at @head. */
static void rewrite(uint8_t *packet, size_t head, const struct sim_nat_packet *p)
{
    uint8_t *udp = packet + head;
    uint8_t *const cksums[] = {packet + IP4_CKSUM, udp + UDP_CKSUM};
    unsigned count = word_get(udp + UDP_CKSUM) != 0 ? 2 : 1; /* 0: it has none, RFC 768 */

    end_change(packet + IP4_SRC, udp + UDP_SRC, &p->from, cksums, count);
    end_change(packet + IP4_DST, udp + UDP_DST, &p->to, cksums, count);
    if (count == 2 && word_get(udp + UDP_CKSUM) == 0)
        word_put(udp + UDP_CKSUM, UINT16_MAX);
}

/* Exchanges sender and receiver of @frame. */
static void turn(uint8_t *frame)
{
    uint8_t mac[ETHER_MAC];

    memcpy(mac, frame, sizeof mac);
    memcpy(frame, frame + ETHER_MAC, sizeof mac);
    memcpy(frame + ETHER_MAC, mac, sizeof mac);
}

/* The ends of the datagram in @in, and where its UDP begins; false for anything else. */
static bool read_datagram(struct om_bytes in, struct sim_nat_packet *p, size_t *head)
{
    struct om_ip ip;
    struct om_l4 udp;

    if (om_ip_parse(&ip, in) != OM_BAD_NONE || ip.proto != OM_PROTO_UDP || ip.is_fragment ||
        om_l4_parse(&udp, &ip) != OM_BAD_NONE)
        return false;
    *head = ip.whole.n - ip.payload.n;
    *p = (struct sim_nat_packet){ip.src, ip.dst, SIM_TTL};
    p->from.port = udp.src_port;
    p->to.port = udp.dst_port;
    return true;
}

enum wire_nat_way wire_nat_frame(struct wire_nat *n, om_time now, bool is_out, struct om_mut frame)
{
    struct sim_nat_packet p;
    enum sim_nat_answer a;
    size_t head;

    if (frame.n < ETHER_BYTES || word_get(frame.p + ETHER_BYTES - 2) != ETHER_IP4)
        return WIRE_NAT_ON;
    if (!read_datagram(om_bytes(frame.p + ETHER_BYTES, frame.n - ETHER_BYTES), &p, &head) ||
        (!is_out && !sim_natbox_is_outside(&n->box, &p.to))) {
        n->untranslated++;
        return WIRE_NAT_DROP;
    }
    a = is_out ? sim_natbox_outbound(&n->box, now, &p) : sim_natbox_inbound(&n->box, now, &p);
    if (a != SIM_NAT_OUT && a != SIM_NAT_IN)
        return WIRE_NAT_DROP;
    rewrite(frame.p + ETHER_BYTES, head, &p);
    if (!is_out || a == SIM_NAT_OUT)
        return WIRE_NAT_ON;
    turn(frame.p);
    return WIRE_NAT_BACK;
}
