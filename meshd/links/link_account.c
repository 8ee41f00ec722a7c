/* link_account.c - flows of a link, counted. */
#include "links/link_account.h"

#include <stdio.h>
#include <string.h>

#include <omerta/attr.h>

#include "netstack/packet/ether.h"
#include "netstack/packet/ip.h"

enum { US_PER_S = 1000000, PROTO_TEXT = 8 };

/* Nothing between the fields: the whole is the key. */
struct key {
    uint8_t near[16], far[16];
    uint16_t near_port, far_port;
    uint8_t proto;
    uint8_t zero[3];
};

static_assert(sizeof(struct key) == 40, "a key has padding");

struct flow {
    om_time began, at;
    uint64_t packets[LINK_WAYS], bytes[LINK_WAYS];
};

void link_account_init(struct link_account *a, unsigned sample, bool is_ether,
                       const uint8_t key[static 16])
{
    *a = (struct link_account){.sample = sample, .is_ether = is_ether};
    OM_BUG_IF(sample == 0);
    OM_BUG_IF(om_lru_init(&a->flows, sizeof(struct key), sizeof(struct flow), LINK_ACCOUNT_MAX,
                          key) != OM_OK);
}

void link_account_fini(struct link_account *a)
{
    om_lru_fini(&a->flows);
}

/* Ends and protocol; false when it is no packet of IP, or the later part of one. */
static bool read_key(struct key *k, bool is_ether, enum link_way way, struct om_bytes frame)
{
    struct om_ether e = {.payload = frame};
    struct om_ip ip;

    *k = (struct key){.proto = 0};
    if (is_ether && (om_ether_parse(&e, frame) != OM_BAD_NONE ||
                     (e.type != OM_ETHER_IP4 && e.type != OM_ETHER_IP6)))
        return false;
    if (om_ip_parse(&ip, e.payload) != OM_BAD_NONE || ip.offset > 0)
        return false;
    struct om_rd r = om_rd(ip.payload);
    bool has_ports = ip.proto == OM_PROTO_TCP || ip.proto == OM_PROTO_UDP;
    uint16_t src = has_ports ? om_rd_u16(&r) : 0, dst = has_ports ? om_rd_u16(&r) : 0;
    memcpy(way == LINK_SENT ? k->near : k->far, ip.src.ip, sizeof k->near);
    memcpy(way == LINK_SENT ? k->far : k->near, ip.dst.ip, sizeof k->far);
    k->near_port = way == LINK_SENT ? src : dst;
    k->far_port = way == LINK_SENT ? dst : src;
    k->proto = ip.proto;
    return true;
}

bool link_account_count(struct link_account *a, om_time now, enum link_way way,
                        struct om_bytes frame)
{
    struct key k;
    bool is_new = false;

    if (++a->at[way] < a->sample)
        return false;
    a->at[way] = 0;
    if (!read_key(&k, a->is_ether, way, frame))
        return true;
    bool is_full = om_lru_count(&a->flows) == LINK_ACCOUNT_MAX;
    struct flow *f = om_lru_put(&a->flows, &k, &is_new);
    if (!f)
        return true;
    a->forgotten += is_new && is_full;
    if (is_new)
        f->began = now;
    f->at = now;
    f->packets[way] += a->sample;
    f->bytes[way] += (uint64_t)a->sample * frame.n;
    return true;
}

static const char *proto_of(uint8_t proto, char out[static PROTO_TEXT])
{
    switch (proto) {
    case OM_PROTO_TCP:
        return "tcp";
    case OM_PROTO_UDP:
        return "udp";
    case OM_PROTO_ICMP:
    case OM_PROTO_ICMP6:
        return "icmp";
    default:
        (void)snprintf(out, PROTO_TEXT, "%u", (unsigned)proto);
        return out;
    }
}

json_t *link_account_rows(const struct link_account *a, om_time now)
{
    json_t *out = json_array();
    const struct flow *f;
    const void *key;
    uint32_t place = 0;

    while (out && json_array_size(out) < LINK_ACCOUNT_SHOWN &&
           (f = om_lru_walk(&a->flows, &place, &key))) {
        char to[OM_IP_TEXT], proto[PROTO_TEXT];
        struct key k; /* which lies in the map as bytes */
        memcpy(&k, key, sizeof k);
        (void)json_array_append_new(
            out,
            json_pack("{s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "proto",
                      proto_of(k.proto, proto), "to", om_addr_ip_print(k.far, to), "port",
                      (int)k.far_port, "from_port", (int)k.near_port, "packets_sent",
                      (json_int_t)f->packets[LINK_SENT], "packets_got",
                      (json_int_t)f->packets[LINK_GOT], "bytes_sent",
                      (json_int_t)f->bytes[LINK_SENT], "bytes_got", (json_int_t)f->bytes[LINK_GOT],
                      "age_s", (json_int_t)((now - f->began) / US_PER_S), "silent_s",
                      (json_int_t)((now - f->at) / US_PER_S)));
    }
    return out;
}
