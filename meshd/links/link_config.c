/* link_config.c - what a link is to be. */
#include "links/link_config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { V4_PREFIX_MIN = 1, V4_PREFIX_MAX = 30, V6_PREFIX = 64, V4_IN_V6 = 96 };

static bool fail(struct om_error *err, const char *sentence)
{
    (void)om_fail(err, OM_E_PARSE, "%s", sentence);
    return false;
}

static bool read_name(struct link_config *c, const json_t *words, struct om_error *err)
{
    const json_t *name = json_object_get(words, "name");
    const char *text = name ? json_string_value(name) : NULL;
    size_t n = text ? strlen(text) : 0;

    if (!name)
        return true;
    if (n < 1 || n > LINK_NAME_MAX || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != n) {
        (void)om_fail(err, OM_E_PARSE, "\"name\": want 1 to %d of a-z, 0-9 and hyphen",
                      LINK_NAME_MAX);
        return false;
    }
    memcpy(c->name, text, n + 1);
    return true;
}

static bool read_bool(bool *out, const json_t *words, const char *key, struct om_error *err)
{
    const json_t *b = json_object_get(words, key);

    *out = json_is_true(b);
    if (!b || json_is_boolean(b))
        return true;
    (void)om_fail(err, OM_E_PARSE, "\"%s\": want true or false", key);
    return false;
}

static bool read_kind(struct link_config *c, const json_t *words, struct om_error *err)
{
    const char *kind = json_string_value(json_object_get(words, "kind"));

    c->kind = kind && strcmp(kind, "ether") == 0 ? OM_PORT_ETHER : OM_PORT_IP;
    if (kind && (c->kind == OM_PORT_ETHER || strcmp(kind, "ip") == 0))
        return true;
    return fail(err, "\"kind\": want \"ip\" or \"ether\"");
}

static bool read_mtu(struct link_config *c, const json_t *words, struct om_error *err)
{
    const json_t *mtu = json_object_get(words, "mtu");
    json_int_t n = mtu ? json_integer_value(mtu) : LINK_MTU_USUAL;

    if (n < OM_STACK_MTU_MIN || n > OM_STACK_MTU_MAX) {
        (void)om_fail(err, OM_E_PARSE, "\"mtu\": want %d to %d", OM_STACK_MTU_MIN,
                      OM_STACK_MTU_MAX);
        return false;
    }
    c->mtu = (uint16_t)n;
    return true;
}

/* An address alone. */
static bool read_there(struct om_addr *out, const json_t *words, const char *key, bool is_v4,
                       struct om_error *err)
{
    const char *text = json_string_value(json_object_get(words, key));

    *out = (struct om_addr){.port = 0};
    if (text && om_addr_ip_parse(out->ip, text) && om_addr_is_v4(out) == is_v4)
        return true;
    (void)om_fail(err, OM_E_PARSE, "\"%s\": want an IPv%d address without a prefix", key,
                  is_v4 ? 4 : 6);
    return false;
}

/* An address and its prefix, at least @min and at most @max long. */
static bool read_here(struct om_addr *out, uint8_t *prefix, const json_t *words, const char *key,
                      const unsigned long range[2], struct om_error *err)
{
    const char *text = json_string_value(json_object_get(words, key));
    const char *slash = text ? strchr(text, '/') : NULL;
    bool is_v4 = range[1] <= 32;
    char ip[OM_IP_TEXT] = "", *end = NULL;
    unsigned long bits =
        slash && slash[1] >= '0' && slash[1] <= '9' ? strtoul(slash + 1, &end, 10) : ULONG_MAX;

    *out = (struct om_addr){.port = 0};
    if (slash && (size_t)(slash - text) < sizeof ip)
        memcpy(ip, text, (size_t)(slash - text));
    if (!end || *end || bits < range[0] || bits > range[1] || !om_addr_ip_parse(out->ip, ip) ||
        om_addr_is_v4(out) != is_v4) {
        (void)om_fail(err, OM_E_PARSE, "\"%s\": want an address and its prefix, such as %s", key,
                      is_v4 ? "10.64.0.1/24 (1 to 30)" : "fd64::1/64 (always 64)");
        return false;
    }
    *prefix = (uint8_t)bits;
    return true;
}

/* Both ends on one link, and neither the name of the link itself nor everybody's. */
static bool is_pair(const struct om_addr *here, const struct om_addr *there, unsigned bits)
{
    struct om_cidr c = {.bits = (uint8_t)bits};
    bool is_lowest = true, is_highest = true;

    memcpy(c.ip, here->ip, sizeof c.ip);
    for (unsigned i = bits; i < 128; i++) {
        uint8_t bit = (uint8_t)(0x80 >> i % 8);
        c.ip[i / 8] = (uint8_t)(c.ip[i / 8] & ~bit);
        is_lowest = is_lowest && !(there->ip[i / 8] & bit);
        is_highest = is_highest && (there->ip[i / 8] & bit);
    }
    if (om_addr_is_v4(here) && (is_lowest || is_highest))
        return false;
    return om_cidr_contains(&c, there) && memcmp(here->ip, there->ip, sizeof here->ip) != 0;
}

static bool read_v4(struct link_sides *s, const json_t *words, struct om_error *err)
{
    static const unsigned long range[2] = {V4_PREFIX_MIN, V4_PREFIX_MAX};

    s->has_v4 = json_object_get(words, "here") || json_object_get(words, "there");
    if (!s->has_v4)
        return true;
    if (!read_here(&s->here, &s->v4_prefix, words, "here", range, err) ||
        !read_there(&s->there, words, "there", true, err))
        return false;
    return is_pair(&s->here, &s->there, V4_IN_V6 + s->v4_prefix) ||
           fail(err, "\"there\": want another address within the prefix of \"here\"");
}

static int digit(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    if (!at)
        return -1;
    return (int)(at - digits < 16 ? at - digits : at - digits - 6);
}

/* Six pairs of hex digits with colons; a group's address is nobody's card. */
static bool read_mac(uint8_t out[static OM_STACK_MAC], const json_t *words, const char *key,
                     const char *usual, struct om_error *err)
{
    const json_t *mac = json_object_get(words, key);
    const char *text = mac ? json_string_value(mac) : usual;
    bool is_good = text && strlen(text) == 3 * (size_t)OM_STACK_MAC - 1;

    for (size_t i = 0; is_good && i < OM_STACK_MAC; i++) {
        int high = digit(text[3 * i]), low = digit(text[3 * i + 1]);
        is_good = high >= 0 && low >= 0 && (i + 1 == OM_STACK_MAC || text[3 * i + 2] == ':');
        out[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
    if (is_good && !(out[0] & 1))
        return true;
    (void)om_fail(err, OM_E_PARSE, "\"%s\": want a card's address, such as 52:54:00:00:00:02", key);
    return false;
}

void link_config_own6(struct om_addr *out, const struct om_addr *prefix,
                      const uint8_t mac[static OM_STACK_MAC])
{
    const uint8_t card[8] = {mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};

    *out = (struct om_addr){.port = 0};
    memcpy(out->ip, prefix->ip, V6_PREFIX / 8);
    memcpy(out->ip + V6_PREFIX / 8, card, sizeof card);
}

/* A card that is told its prefix makes the address that nobody named. */
static bool read_v6(struct link_config *c, const json_t *words, struct om_error *err)
{
    static const unsigned long range[2] = {V6_PREFIX, V6_PREFIX};
    bool is_told = !c->has_dhcp || json_object_get(words, "there6");
    struct link_sides *s = &c->sides;
    uint8_t prefix;

    s->has_v6 = json_object_get(words, "here6") || json_object_get(words, "there6");
    if (!s->has_v6)
        return true;
    if (!read_here(&s->here6, &prefix, words, "here6", range, err) ||
        (is_told && !read_there(&s->there6, words, "there6", false, err)))
        return false;
    if (!is_told)
        link_config_own6(&s->there6, &s->here6, c->mac);
    return is_pair(&s->here6, &s->there6, V6_PREFIX) ||
           fail(err, "\"there6\": want another address within the prefix of \"here6\"");
}

bool link_config_read(struct link_config *out, const json_t *words, struct om_error *err)
{
    struct link_config c = {.kind = OM_PORT_IP};

    if (!read_kind(&c, words, err) || !read_mtu(&c, words, err) || !read_name(&c, words, err) ||
        !read_bool(&c.has_dns, words, "dns", err) || !read_bool(&c.has_dhcp, words, "dhcp", err) ||
        !read_bool(&c.is_inward, words, "inward", err) || !read_v4(&c.sides, words, err))
        return false;
    if (c.has_dhcp && c.kind != OM_PORT_ETHER)
        return fail(err, "\"dhcp\": only a link of \"ether\" has a card to tell");
    if (c.kind == OM_PORT_ETHER &&
        (!read_mac(c.mac, words, "mac", NULL, err) ||
         !read_mac(c.here_mac, words, "here_mac", "02:6f:6d:00:00:01", err)))
        return false;
    if (!read_v6(&c, words, err))
        return false;
    if (!c.sides.has_v4 && !c.sides.has_v6)
        return fail(err, "want \"here\" and \"there\", \"here6\" and \"there6\", or all four");
    *out = c;
    return true;
}

static const char *const modes[LINK_GATE_MODE_COUNT] = {
#define X(code, name) name,
    LINK_GATE_MODES(X)
#undef X
};

const char *link_gate_mode_name(enum link_gate_mode m)
{
    return (unsigned)m < LINK_GATE_MODE_COUNT ? modes[m] : "unknown";
}

bool link_gate_mode_read(enum link_gate_mode *out, const char *name)
{
    for (unsigned i = 0; i < LINK_GATE_MODE_COUNT; i++) {
        if (strcmp(modes[i], name) == 0) {
            *out = (enum link_gate_mode)i;
            return true;
        }
    }
    return false;
}
