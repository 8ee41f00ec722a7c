/* addr.c - text and wire form of an address, and the registries it is classified by. */
#include <omerta/addr.h>

#include <arpa/inet.h>
#include <stdio.h>

#include <omerta/text.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b}; /* RFC 6052 section 2.1 */

struct range {
    uint8_t ip[16];
    uint8_t bits;
    enum om_addr_class class;
};

/*
 * The most particular range comes first. The few entries that the registry calls globally
 * reachable inside a reserved block (anycast of PCP and TURN) stay reserved: no peer lives there.
 */
#define V4(a, b, c, d)                                                                             \
    {                                                                                              \
        [10] = 0xff, [11] = 0xff, [12] = (a), [13] = (b), [14] = (c), [15] = (d)                   \
    }
static const struct range ranges_v4[] = {
    {V4(0, 0, 0, 0), 128, OM_ADDR_UNSPECIFIED},
    {V4(169, 254, 169, 254), 128, OM_ADDR_METADATA}, /* AWS, GCP, Azure, OpenStack */
    {V4(169, 254, 170, 2), 128, OM_ADDR_METADATA},   /* AWS container credentials */
    {V4(100, 100, 100, 200), 128, OM_ADDR_METADATA}, /* Alibaba */
    {V4(168, 63, 129, 16), 128, OM_ADDR_METADATA},   /* Azure's host agent, a public address */
    {V4(192, 0, 0, 192), 128, OM_ADDR_METADATA},     /* Oracle, older images */
    {V4(0, 0, 0, 0), 104, OM_ADDR_RESERVED},         /* RFC 1122 section 3.2.1.3 */
    {V4(10, 0, 0, 0), 104, OM_ADDR_PRIVATE},
    {V4(100, 64, 0, 0), 106, OM_ADDR_SHARED}, /* RFC 6598 */
    {V4(127, 0, 0, 0), 104, OM_ADDR_LOOPBACK},
    {V4(169, 254, 0, 0), 112, OM_ADDR_LINK_LOCAL}, /* RFC 3927 */
    {V4(172, 16, 0, 0), 108, OM_ADDR_PRIVATE},
    {V4(192, 0, 0, 0), 120, OM_ADDR_RESERVED},   /* IETF protocol assignments */
    {V4(192, 0, 2, 0), 120, OM_ADDR_RESERVED},   /* RFC 5737, documentation */
    {V4(192, 88, 99, 0), 120, OM_ADDR_RESERVED}, /* RFC 7526, dead 6to4 anycast */
    {V4(192, 168, 0, 0), 112, OM_ADDR_PRIVATE},
    {V4(198, 18, 0, 0), 111, OM_ADDR_RESERVED},   /* RFC 2544, benchmarking */
    {V4(198, 51, 100, 0), 120, OM_ADDR_RESERVED}, /* RFC 5737 */
    {V4(203, 0, 113, 0), 120, OM_ADDR_RESERVED},  /* RFC 5737 */
    {V4(224, 0, 0, 0), 100, OM_ADDR_MULTICAST},
    {V4(240, 0, 0, 0), 100, OM_ADDR_RESERVED}, /* RFC 1112, with limited broadcast at its end */
};
#undef V4

static const struct range ranges_v6[] = {
    {{0}, 128, OM_ADDR_UNSPECIFIED},
    {{[15] = 1}, 128, OM_ADDR_LOOPBACK},
    {{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}, 128, OM_ADDR_METADATA}, /* AWS */
    {{0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54}, 128, OM_ADDR_METADATA}, /* GCP */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, OM_ADDR_RESERVED}, /* RFC 3849, documentation */
    {{0x20, 0x01}, 23, OM_ADDR_RESERVED}, /* IETF assignments: Teredo, benchmarking, ORCHID */
    {{0x20, 0x02}, 16, OM_ADDR_RESERVED}, /* 6to4: its IPv4 part could name anything */
    {{0x3f, 0xff}, 20, OM_ADDR_RESERVED}, /* RFC 9637, documentation */
    {{0x20}, 3, OM_ADDR_GLOBAL},          /* the only global unicast block IANA hands out */
    {{0xfc}, 7, OM_ADDR_PRIVATE},
    {{0xfe, 0x80}, 10, OM_ADDR_LINK_LOCAL},
    {{0xff}, 8, OM_ADDR_MULTICAST},
    {{0}, 0, OM_ADDR_RESERVED},
};

static bool in_range(const uint8_t ip[static 16], const struct range *r)
{
    unsigned whole = r->bits / 8, rest = r->bits % 8;

    if (memcmp(ip, r->ip, whole) != 0)
        return false;
    return rest == 0 || (ip[whole] ^ r->ip[whole]) >> (8 - rest) == 0;
}

enum om_addr_class om_addr_classify(const struct om_addr *a)
{
    uint8_t ip[16];

    memcpy(ip, a->ip, sizeof ip);
    if (memcmp(ip, nat64, sizeof nat64) == 0)
        memcpy(ip, mapped, sizeof mapped);
    if (memcmp(ip, mapped, sizeof mapped) == 0) {
        for (size_t i = 0; i < OM_ARRAY_SIZE(ranges_v4); i++)
            if (in_range(ip, &ranges_v4[i]))
                return ranges_v4[i].class;
        return OM_ADDR_GLOBAL;
    }
    for (size_t i = 0; i < OM_ARRAY_SIZE(ranges_v6); i++)
        if (in_range(ip, &ranges_v6[i]))
            return ranges_v6[i].class;
    return OM_ADDR_RESERVED;
}

const char *om_addr_class_name(enum om_addr_class c)
{
    static const char *const names[] = {
        [OM_ADDR_UNSPECIFIED] = "unspecified", [OM_ADDR_LOOPBACK] = "loopback",
        [OM_ADDR_LINK_LOCAL] = "link-local",   [OM_ADDR_PRIVATE] = "private",
        [OM_ADDR_SHARED] = "shared",           [OM_ADDR_MULTICAST] = "multicast",
        [OM_ADDR_METADATA] = "metadata",       [OM_ADDR_RESERVED] = "reserved",
        [OM_ADDR_GLOBAL] = "global",
    };
    static_assert(OM_ARRAY_SIZE(names) == OM_ADDR_CLASS_COUNT, "a class has no name");

    return (unsigned)c < OM_ADDR_CLASS_COUNT ? names[c] : "unknown";
}

bool om_addr_ip_parse(uint8_t ip[static 16], const char *text)
{
    uint8_t b[16];

    memcpy(b, mapped, sizeof mapped);
    if (inet_pton(AF_INET, text, b + sizeof mapped) != 1 && inet_pton(AF_INET6, text, b) != 1)
        return false;
    memcpy(ip, b, sizeof b);
    return true;
}

char *om_addr_ip_print(const uint8_t ip[static 16], char out[static OM_IP_TEXT])
{
    bool is_v4 = memcmp(ip, mapped, sizeof mapped) == 0;
    const char *done = is_v4 ? inet_ntop(AF_INET, ip + sizeof mapped, out, OM_IP_TEXT)
                             : inet_ntop(AF_INET6, ip, out, OM_IP_TEXT);

    OM_BUG_IF(!done);
    return out;
}

/*
 * Cuts @text into the IP and the text after it: "" or ":port". One colon means IPv4 with a port,
 * two mean IPv6 without one, so an IPv6 address with a port needs its brackets.
 */
static const char *split(const char *text, char host[static OM_IP_TEXT])
{
    const char *colon = strchr(text, ':');
    const char *start = text, *end, *rest;

    if (*text == '[') {
        start = text + 1;
        end = strchr(start, ']');
        if (!end || !colon || colon > end)
            return NULL;
        rest = end + 1;
    } else if (colon && !strchr(colon + 1, ':')) {
        end = rest = colon;
    } else {
        end = rest = text + strlen(text);
    }
    if ((size_t)(end - start) >= OM_IP_TEXT)
        return NULL;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    return rest;
}

enum om_err om_addr_parse(struct om_addr *out, const char *text, uint16_t port,
                          struct om_error *err)
{
    struct om_addr a = {.port = port};
    char host[OM_IP_TEXT], shown[OM_SHOW_TEXT];
    uint64_t number = port;
    const char *rest = split(text, host);

    if (!rest || !om_addr_ip_parse(a.ip, host))
        return om_fail(err, OM_E_PARSE, "\"%s\": want an address such as %s",
                       om_text_show(shown, text), "192.0.2.1:80 or [2001:db8::1]:80");
    if (*rest == '\0' && port == 0)
        return om_fail(err, OM_E_PARSE, "\"%s\": port missing: want for example %s",
                       om_text_show(shown, text),
                       om_addr_is_v4(&a) ? "192.0.2.1:80" : "[2001:db8::1]:80");
    if (*rest != '\0' && (*rest != ':' || om_u64_parse(&number, rest + 1, UINT16_MAX, NULL)))
        return om_fail(err, OM_E_PARSE, "\"%s\": want a port from 0 to 65535 after the address",
                       om_text_show(shown, text));
    a.port = (uint16_t)number;
    *out = a;
    return OM_OK;
}

char *om_addr_print(const struct om_addr *a, char out[static OM_ADDR_TEXT])
{
    char ip[OM_IP_TEXT];

    snprintf(out, OM_ADDR_TEXT, om_addr_is_v4(a) ? "%s:%u" : "[%s]:%u", om_addr_ip_print(a->ip, ip),
             (unsigned)a->port);
    return out;
}

struct om_addr om_addr_v4(uint32_t ip, uint16_t port)
{
    struct om_addr a = {.port = port};

    memcpy(a.ip, mapped, sizeof mapped);
    for (unsigned i = 0; i < 4; i++)
        a.ip[12 + i] = (uint8_t)(ip >> (24 - 8 * i));
    return a;
}

bool om_addr_is_v4(const struct om_addr *a)
{
    return memcmp(a->ip, mapped, sizeof mapped) == 0;
}

bool om_addr_equal(const struct om_addr *a, const struct om_addr *b)
{
    return a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

void om_addr_source(const struct om_addr *a, uint8_t out[static 16])
{
    memcpy(out, a->ip, 16);
    if (!om_addr_is_v4(a))
        memset(out + 8, 0, 8);
}

struct om_addr om_addr_read(struct om_rd *r)
{
    struct om_addr a;

    om_rd_copy(r, a.ip, sizeof a.ip);
    a.port = om_rd_u16(r);
    return a;
}

void om_addr_write(struct om_wr *w, const struct om_addr *a)
{
    om_wr_copy(w, a->ip, sizeof a->ip);
    om_wr_u16(w, a->port);
}
