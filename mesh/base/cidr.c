/* cidr.c - prefixes: text, and bit comparison. */
#include <omerta/cidr.h>

#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

static bool same_prefix(const uint8_t a[static 16], const uint8_t b[static 16], unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (bits > OM_CIDR_BITS_MAX || memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static struct om_cidr cut(const uint8_t ip[static 16], unsigned bits)
{
    struct om_cidr c = {.bits = (uint8_t)bits};
    unsigned whole = bits / 8, rest = bits % 8;

    memcpy(c.ip, ip, whole);
    if (rest > 0)
        c.ip[whole] = (uint8_t)(ip[whole] & 0xff << (8 - rest));
    return c;
}

enum om_err om_cidr_parse(struct om_cidr *out, const char *text, struct om_error *err)
{
    char host[OM_IP_TEXT] = "", shown[OM_SHOW_TEXT], right[OM_CIDR_TEXT];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    bool is_v4 = memchr(text, ':', len) == NULL;
    unsigned width = is_v4 ? 32 : OM_CIDR_BITS_MAX;
    uint64_t bits = width;
    struct om_cidr c;
    uint8_t ip[16];

    if (len < sizeof host)
        memcpy(host, text, len);
    if (!om_addr_ip_parse(ip, host))
        return om_fail(err, OM_E_PARSE, "\"%s\": want a range such as 10.0.0.0/8 or 2001:db8::/32",
                       om_text_show(shown, text));
    if (slash && om_u64_parse(&bits, slash + 1, width, NULL))
        return om_fail(err, OM_E_PARSE, "\"%s\": want a prefix length from 0 to %u after the \"/\"",
                       om_text_show(shown, text), width);
    c = cut(ip, (unsigned)bits + OM_CIDR_BITS_MAX - width);
    if (memcmp(c.ip, ip, sizeof ip) != 0)
        return om_fail(err, OM_E_PARSE, "\"%s\": bits behind the prefix are set: did you mean %s?",
                       om_text_show(shown, text), om_cidr_print(&c, right));
    *out = c;
    return OM_OK;
}

char *om_cidr_print(const struct om_cidr *c, char out[static OM_CIDR_TEXT])
{
    static const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff};
    bool is_v4 = c->bits >= 96 && same_prefix(c->ip, v4, 96);
    char ip[OM_IP_TEXT];

    snprintf(out, OM_CIDR_TEXT, "%s/%u", om_addr_ip_print(c->ip, ip),
             (unsigned)c->bits - (is_v4 ? 96 : 0));
    return out;
}

bool om_cidr_contains(const struct om_cidr *c, const struct om_addr *a)
{
    return same_prefix(c->ip, a->ip, c->bits);
}

bool om_cidr_overlaps(const struct om_cidr *a, const struct om_cidr *b)
{
    if (a->bits > OM_CIDR_BITS_MAX || b->bits > OM_CIDR_BITS_MAX)
        return false;
    return same_prefix(a->ip, b->ip, a->bits < b->bits ? a->bits : b->bits);
}
