/* endpoint.c - candidates in order, and where not to send. */
#include "path/endpoint.h"

#include <string.h>

static bool is_near(const struct om_endpoint_view *v, const struct om_addr *a)
{
    for (unsigned i = 0; i < v->near_count; i++)
        if (om_cidr_contains(&v->near[i], a))
            return true;
    return false;
}

/* The last address of an IPv4 link of ours is its broadcast, the first names the link. */
static bool is_broadcast(const struct om_endpoint_view *v, const struct om_addr *a)
{
    for (unsigned i = 0; i < v->near_count; i++) {
        unsigned host_bits = OM_CIDR_BITS_MAX - v->near[i].bits;
        if (!om_addr_is_v4(a) || !om_cidr_contains(&v->near[i], a) || host_bits < 2 ||
            host_bits > 32)
            continue;
        uint32_t mask = UINT32_MAX >> (32 - host_bits);
        uint32_t host = ((uint32_t)a->ip[12] << 24 | (uint32_t)a->ip[13] << 16 |
                         (uint32_t)a->ip[14] << 8 | a->ip[15]) &
                        mask;
        if (host == mask || host == 0)
            return true;
    }
    return false;
}

/* 0/8 and 240/4 are no one's address, and a translator's prefix names an IPv4 address anew. */
static bool is_unusable(const struct om_addr *a)
{
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

    if (om_addr_is_v4(a))
        return a->ip[12] == 0 || a->ip[12] >= 224;
    return memcmp(a->ip, nat64, sizeof nat64) == 0 || memcmp(a->ip, (uint8_t[12]){0}, 12) == 0;
}

static enum om_endpoint_verdict check_range(const struct om_endpoint_view *v,
                                            const struct om_addr *a)
{
    switch (om_addr_classify(a)) {
    case OM_ADDR_UNSPECIFIED:
    case OM_ADDR_LOOPBACK:
    case OM_ADDR_MULTICAST:
    case OM_ADDR_METADATA:
    case OM_ADDR_CLASS_COUNT:
        return OM_ENDPOINT_NOWHERE;
    case OM_ADDR_LINK_LOCAL:
        if (!om_addr_is_v4(a))
            return OM_ENDPOINT_NOWHERE;
        return is_near(v, a) ? OM_ENDPOINT_OK : OM_ENDPOINT_FOREIGN;
    case OM_ADDR_PRIVATE:
    case OM_ADDR_SHARED:
    case OM_ADDR_RESERVED:
        return is_near(v, a) ? OM_ENDPOINT_OK : OM_ENDPOINT_FOREIGN;
    case OM_ADDR_GLOBAL:
        return OM_ENDPOINT_OK;
    }
    return OM_ENDPOINT_NOWHERE;
}

static bool is_known_kind(uint8_t kind)
{
    return kind >= OM_END_HOST && kind <= OM_END_RELAY;
}

enum om_endpoint_verdict om_endpoint_check(const struct om_endpoint_view *v,
                                           const struct om_record_end *e)
{
    if (!is_known_kind(e->kind))
        return OM_ENDPOINT_KIND;
    if (e->addr.port == 0 || is_unusable(&e->addr) || is_broadcast(v, &e->addr))
        return OM_ENDPOINT_NOWHERE;
    for (unsigned i = 0; i < v->own_count; i++)
        if (om_addr_equal(&v->own[i], &e->addr))
            return OM_ENDPOINT_OWN;
    return check_range(v, &e->addr);
}

const char *om_endpoint_verdict_name(enum om_endpoint_verdict v)
{
    static const char *const names[] = {"ok", "kind", "nowhere", "foreign", "own"};

    static_assert(sizeof names / sizeof names[0] == OM_ENDPOINT_VERDICTS, "one name for each");
    return (unsigned)v < OM_ENDPOINT_VERDICTS ? names[v] : "unknown";
}

/* Lower is better: near before far, what needs no NAT before what does, IPv6 before IPv4. */
static unsigned rank(const struct om_record_end *e)
{
    static const uint8_t by_kind[] = {[OM_END_LAN] = 0,
                                      [OM_END_HOST] = 2,
                                      [OM_END_MAPPED] = 4,
                                      [OM_END_REFLEXIVE] = 6,
                                      [OM_END_RELAY] = 8};

    return by_kind[e->kind] + (om_addr_is_v4(&e->addr) ? 1U : 0);
}

static void drop_at(struct om_endpoints *l, unsigned i)
{
    l->count--;
    memmove(&l->ends[i], &l->ends[i + 1], (l->count - i) * sizeof l->ends[0]);
}

/* One rank is one kind of one family. */
static unsigned count_of(const struct om_endpoints *l, unsigned r)
{
    unsigned n = 0;

    for (unsigned i = 0; i < l->count; i++)
        n += rank(&l->ends[i]) == r;
    return n;
}

bool om_endpoints_add(struct om_endpoints *l, const struct om_record_end *e)
{
    unsigned at = 0;

    if (!is_known_kind(e->kind))
        return false;
    for (unsigned i = 0; i < l->count; i++) {
        if (!om_addr_equal(&l->ends[i].addr, &e->addr))
            continue;
        if (rank(&l->ends[i]) <= rank(e))
            return true;
        drop_at(l, i);
        break;
    }
    if (count_of(l, rank(e)) >= OM_ENDPOINTS_KIND_MAX)
        return false;
    if (l->count == OM_CANDIDATES_MAX) {
        if (rank(&l->ends[l->count - 1]) <= rank(e))
            return false;
        l->count--;
    }
    while (at < l->count && rank(&l->ends[at]) <= rank(e))
        at++;
    memmove(&l->ends[at + 1], &l->ends[at], (l->count - at) * sizeof l->ends[0]);
    l->ends[at] = *e;
    l->count++;
    return true;
}

bool om_endpoints_replace(struct om_endpoints *l, const struct om_endpoints *new)
{
    bool is_same = l->count == new->count;

    for (unsigned i = 0; i < new->count &&is_same; i++)
        is_same = l->ends[i].kind ==
                  new->ends[i].kind &&om_addr_equal(&l->ends[i].addr, &new->ends[i].addr);
    if (is_same)
        return false;
    memcpy(l->ends, new->ends, sizeof l->ends);
    l->count = new->count;
    l->sequence++;
    return true;
}

size_t om_endpoints_encode(uint8_t out[static OM_ENDPOINTS_BYTES_MAX], const struct om_endpoints *l)
{
    struct om_wr w = om_wr(om_mut(out, OM_ENDPOINTS_BYTES_MAX));

    om_wr_u32(&w, l->sequence);
    om_wr_u8(&w, (uint8_t)l->count);
    for (unsigned i = 0; i < l->count; i++) {
        om_wr_u8(&w, l->ends[i].kind);
        om_addr_write(&w, &l->ends[i].addr);
    }
    OM_BUG_IF(w.bad);
    return om_wr_len(&w);
}

enum om_err om_endpoints_decode(struct om_endpoints *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_endpoints l = {0};

    l.sequence = om_rd_u32(&r);
    l.count = om_rd_u8(&r);
    if (l.count > OM_CANDIDATES_MAX)
        return OM_E_PARSE;
    for (unsigned i = 0; i < l.count; i++) {
        l.ends[i].kind = om_rd_u8(&r);
        l.ends[i].addr = om_addr_read(&r);
    }
    if (!om_rd_done(&r))
        return OM_E_PARSE;
    *out = l;
    return OM_OK;
}

void om_endpoints_take(struct om_endpoints *out, const struct om_endpoint_view *v,
                       const struct om_endpoints *said, uint64_t why[static OM_ENDPOINT_VERDICTS])
{
    *out = (struct om_endpoints){.sequence = said->sequence};
    for (unsigned i = 0; i < said->count; i++) {
        enum om_endpoint_verdict verdict = om_endpoint_check(v, &said->ends[i]);
        why[verdict]++;
        if (verdict == OM_ENDPOINT_OK)
            (void)om_endpoints_add(out, &said->ends[i]);
    }
}
