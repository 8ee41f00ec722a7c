/* bootstrap.c - parsing of [NETWORK/]PEER@HOST:PORT. */
#include "bootstrap.h"

#include <string.h>

#include <omerta/addr.h>
#include <omerta/text.h>

static enum om_err refuse(struct om_error *err, const char *text, const char *why)
{
    char shown[OM_SHOW_TEXT];

    return om_fail(err, OM_E_PARSE, "\"%s\": %s; want PEER@HOST:PORT", om_text_show(shown, text),
                   why);
}

/* @n bytes of @from as a text of their own. */
static bool cut(char *out, size_t size, const char *from, size_t n)
{
    if (n == 0 || n >= size)
        return false;
    memcpy(out, from, n);
    out[n] = 0;
    return true;
}

static bool is_host(const char *host)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

    return host[strspn(host, allowed)] == 0 && *host != '-' && *host != '.';
}

/* "HOST" or "[v6]", from @host up to @end. */
static bool cut_host(char out[OM_HOST_TEXT], const char *host, const char *end)
{
    uint8_t ip[16];

    if (*host == '[')
        return end - host > 2 && end[-1] == ']' &&
               cut(out, OM_HOST_TEXT, host + 1, (size_t)(end - host) - 2) && strchr(out, ':') &&
               om_addr_ip_parse(ip, out);
    return cut(out, OM_HOST_TEXT, host, (size_t)(end - host)) && is_host(out);
}

enum om_err om_bootstrap_parse(struct om_bootstrap *out, const char *text, struct om_error *err)
{
    const char *slash = strchr(text, '/'), *peer = slash ? slash + 1 : text;
    const char *at = strchr(peer, '@'), *colon = at ? strrchr(at, ':') : NULL;
    struct om_bootstrap b = {0};
    char id[OM_ID_TEXT];
    uint64_t port;

    if (slash && !cut(b.network, sizeof b.network, text, (size_t)(slash - text)))
        return refuse(err, text, "the network before \"/\" has no name, or one too long");
    if (!at)
        return refuse(err, text, "no \"@\"");
    if (!cut(id, sizeof id, peer, (size_t)(at - peer)) || om_id_parse(&b.peer, id, NULL) != OM_OK)
        return refuse(err, text, "what precedes \"@\" is no peer id, 52 characters a-z 2-7");
    if (!colon || om_u64_parse(&port, colon + 1, UINT16_MAX, NULL) != OM_OK || port == 0)
        return refuse(err, text, "it does not end in \":\" and a port from 1 to 65535");
    if (!cut_host(b.host, at + 1, colon))
        return refuse(err, text,
                      "what follows \"@\" is no host name, IPv4 address or [IPv6 address]");
    b.port = (uint16_t)port;
    *out = b;
    return OM_OK;
}
