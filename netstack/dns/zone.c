/* zone.c - our names. */
#include "dns/zone.h"

#include <string.h>

enum { LABELS_MAX = 128, LABELS_V4 = 6, LABELS_V6 = 34 };

struct label {
    const uint8_t *p;
    unsigned n;
};

static unsigned cut(const struct om_dns_name *name, struct label labels[LABELS_MAX])
{
    unsigned n = 0;

    for (unsigned at = 0; name->b[at] > 0 && n < LABELS_MAX; at += name->b[at] + 1U)
        labels[n++] = (struct label){name->b + at + 1, name->b[at]};
    return n;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool begins(const struct label *l, const char *text)
{
    for (unsigned i = 0; i < l->n; i++) {
        if (text[i] == '\0' || lower(l->p[i]) != lower((uint8_t)text[i]))
            return false;
    }
    return true;
}

static bool is(const struct label *l, const char *text)
{
    return begins(l, text) && text[l->n] == '\0';
}

static bool read_octet(const struct label *l, uint8_t *out)
{
    unsigned v = 0;

    if (l->n == 0 || l->n > 3 || (l->n > 1 && l->p[0] == '0'))
        return false;
    for (unsigned i = 0; i < l->n; i++) {
        if (l->p[i] < '0' || l->p[i] > '9')
            return false;
        v = v * 10 + l->p[i] - '0';
    }
    *out = (uint8_t)v;
    return v <= UINT8_MAX;
}

static bool read_nibble(const struct label *l, unsigned *out)
{
    uint8_t c = l->n == 1 ? lower(l->p[0]) : 0;

    if (c >= '0' && c <= '9')
        *out = c - '0';
    else if (c >= 'a' && c <= 'f')
        *out = c - 'a' + 10U;
    else
        return false;
    return true;
}

static bool read_v4(struct om_addr *out, const struct label *labels)
{
    uint8_t b[4];

    for (unsigned i = 0; i < 4; i++) {
        if (!read_octet(&labels[i], &b[3 - i]))
            return false;
    }
    *out = om_addr_v4(om_load32(b), 0);
    return true;
}

static bool read_v6(struct om_addr *out, const struct label *labels)
{
    struct om_addr a = {0};

    for (unsigned i = 0; i < 32; i++) {
        unsigned v;

        if (!read_nibble(&labels[i], &v))
            return false;
        a.ip[15 - i / 2] |= (uint8_t)(i % 2 ? v << 4 : v);
    }
    *out = a;
    return true;
}

bool om_dns_name_addr(struct om_addr *out, const struct om_dns_name *name)
{
    struct label labels[LABELS_MAX];
    unsigned n = cut(name, labels);

    if (n == LABELS_V4 && is(&labels[4], "in-addr") && is(&labels[5], "arpa"))
        return read_v4(out, labels);
    return n == LABELS_V6 && is(&labels[32], "ip6") && is(&labels[33], "arpa") &&
           read_v6(out, labels);
}

static bool has_addr(const struct om_zone_host *h, const struct om_addr *a)
{
    for (unsigned i = 0; i < h->n_addrs; i++) {
        if (memcmp(h->addrs[i].ip, a->ip, sizeof a->ip) == 0)
            return true;
    }
    return false;
}

/* The name of @h; false when its words are none. */
static bool name_of(struct om_dns_name *out, const struct om_zone_host *h)
{
    char text[3 * (OM_DNS_LABEL_MAX + 1)];
    size_t peer = strlen(h->peer), network = strlen(h->network);

    if (peer > OM_DNS_LABEL_MAX || network > OM_DNS_LABEL_MAX)
        return false;
    memcpy(text, h->peer, peer);
    text[peer] = '.';
    memcpy(text + peer + 1, h->network, network);
    memcpy(text + peer + 1 + network, "." OM_ZONE_APEX, sizeof "." OM_ZONE_APEX);
    return om_dns_name_from(out, text);
}

static size_t answer_addr(struct om_mut out, const struct om_zone *zone,
                          const struct om_dns_question *q, const struct om_addr *a)
{
    struct om_dns_name name;
    struct om_dns_reply r = {
        .is_ours = true, .apex = OM_ZONE_APEX, .ttl = OM_ZONE_TTL, .ptr = &name};

    for (unsigned i = 0; i < zone->n; i++) {
        if (has_addr(&zone->hosts[i], a) && name_of(&name, &zone->hosts[i]))
            return om_dns_reply_write(out, q, &r);
    }
    return 0;
}

/* Hosts that a label may mean. */
struct meant {
    const struct om_zone_host *whole, *start; /* the first; NULL: none */
    unsigned starts;
};

static void weigh(struct meant *m, const struct label *l, const struct om_zone_host *h)
{
    if (is(l, h->peer) && (!m->whole || (h->is_id && !m->whole->is_id)))
        m->whole = h; /* a peer may call itself what another's id is */
    if (h->is_id && l->n >= OM_ZONE_START && begins(l, h->peer)) {
        m->start = h;
        m->starts++;
    }
}

/* NULL: nobody, or one of several. */
static const struct om_zone_host *meant(const struct meant *m)
{
    if (!m->whole)
        return m->starts == 1 ? m->start : NULL;
    bool is_other = m->starts > 1 || (m->starts == 1 && m->start->addrs != m->whole->addrs);
    return m->whole->is_id || !is_other ? m->whole : NULL;
}

static void look_up(const struct om_zone *zone, const struct label *labels, unsigned n,
                    struct om_dns_reply *r)
{
    bool is_known = n == 1;
    struct meant m = {0};

    for (unsigned i = 0; i < zone->n; i++) {
        const struct om_zone_host *h = &zone->hosts[i];
        bool is_network = n >= 2 && n <= 3 && is(&labels[n - 2], h->network);
        bool is_short = n == 2 && zone->only && strcmp(zone->only, h->network) == 0;

        if (n == 2 && is_network)
            is_known = true;
        if ((n == 3 && is_network) || is_short)
            weigh(&m, &labels[0], h);
    }
    const struct om_zone_host *h = meant(&m);
    if (h) {
        r->addrs = h->addrs;
        r->n_addrs = h->n_addrs;
        r->txt = h->txt;
        return;
    }
    r->rcode = is_known ? OM_DNS_NOERROR : OM_DNS_NXDOMAIN;
}

size_t om_zone_answer(struct om_mut out, const struct om_zone *zone,
                      const struct om_dns_question *q)
{
    struct label labels[LABELS_MAX];
    struct om_dns_reply r = {.is_ours = true, .apex = OM_ZONE_APEX, .ttl = OM_ZONE_TTL};
    struct om_addr a;
    unsigned n = cut(&q->name, labels);

    if (om_dns_name_addr(&a, &q->name))
        return answer_addr(out, zone, q, &a);
    if (n == 0 || !is(&labels[n - 1], OM_ZONE_APEX))
        return 0;
    look_up(zone, labels, n, &r);
    return om_dns_reply_write(out, q, &r);
}

bool om_dns_name_is_private(const struct om_dns_name *name)
{
    static const char *const tops[] = {OM_ZONE_APEX, "internal",  "invalid",
                                       "local",      "localhost", "onion"};
    struct label labels[LABELS_MAX];
    unsigned n = cut(name, labels);
    struct om_addr a;

    if (om_dns_name_addr(&a, name))
        return om_addr_classify(&a) != OM_ADDR_GLOBAL;
    for (unsigned i = 0; n > 0 && i < OM_ARRAY_SIZE(tops); i++)
        if (is(&labels[n - 1], tops[i]))
            return true;
    return n >= 2 && is(&labels[n - 1], "arpa") && is(&labels[n - 2], "home");
}
