/* target.c - the alphabet of host names. */
#include <omerta/target.h>

static bool in_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* Labels of the allowed letters, none empty or too long, and perhaps a dot at the end. */
static bool is_name(struct om_bytes host)
{
    size_t label = 0;

    for (size_t i = 0; i < host.n; i++) {
        if (host.p[i] == '.' && label > 0)
            label = 0;
        else if (!in_name(host.p[i]) || ++label > OM_TARGET_LABEL_MAX)
            return false;
    }
    return true;
}

/* IPv6 only in brackets, IPv4 only without. */
static bool read_ip(uint8_t ip[static 16], struct om_bytes host)
{
    bool in_brackets = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    size_t skip = in_brackets ? 1 : 0, n = host.n - 2 * skip;
    char text[OM_IP_TEXT];

    if (n >= sizeof text || memchr(host.p, '\0', host.n))
        return false;
    memcpy(text, host.p + skip, n);
    text[n] = '\0';
    return (strchr(text, ':') != NULL) == in_brackets && om_addr_ip_parse(ip, text);
}

bool om_target_from_text(struct om_target *out, struct om_bytes host, uint16_t port)
{
    struct om_addr a = {.port = port};

    if (host.n == 0 || host.n > OM_TARGET_NAME_MAX)
        return false;
    if (read_ip(a.ip, host)) {
        *out = om_target_from_addr(&a);
        return true;
    }
    if (!is_name(host))
        return false;
    *out = (struct om_target){.is_name = true, .addr.port = port};
    memcpy(out->host, host.p, host.n);
    return true;
}

struct om_target om_target_from_addr(const struct om_addr *a)
{
    struct om_target t = {.addr = *a};
    char ip[OM_IP_TEXT];

    om_addr_ip_print(a->ip, ip);
    memcpy(t.host, ip, sizeof ip);
    return t;
}
