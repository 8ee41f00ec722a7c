/* ssdp.c - a search sent twice, answers of one address only. */
#include "ssdp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

enum { SSDP_PORT = 1900, SSDP_TTL = 2 };

static const char group[] = "239.255.255.250";
/* A newer version answers as well (UPnP Device Architecture 1.1 section 1.3.2). */
static const char search[] = "M-SEARCH * HTTP/1.1\r\n"
                             "HOST: 239.255.255.250:1900\r\n"
                             "MAN: \"ssdp:discover\"\r\n"
                             "MX: 1\r\n"
                             "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
                             "\r\n";

bool ssdp_is_at(const char *url, const char *host)
{
    static const char scheme[] = "http://";
    size_t n = strlen(host);

    if (strncasecmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    url += sizeof scheme - 1;
    return strncmp(url, host, n) == 0 && (url[n] == ':' || url[n] == '/');
}

/* The next line of @in, without its end; false when there is none. */
static bool next_line(struct om_bytes *in, struct om_bytes *line)
{
    const uint8_t *end = in->n > 0 ? memchr(in->p, '\n', in->n) : NULL;

    if (!end)
        return false;
    size_t n = (size_t)(end - in->p);
    *line = om_bytes(in->p, n > 0 && end[-1] == '\r' ? n - 1 : n);
    *in = om_bytes(end + 1, in->n - n - 1);
    return true;
}

/* The value of @line if that is a header called @name, with its colon, as text of @room bytes. */
static bool header(struct om_bytes line, const char *name, char *out, size_t room)
{
    size_t n = strlen(name), at = n;

    if (line.n < n || strncasecmp((const char *)line.p, name, n) != 0)
        return false;
    while (at < line.n && (line.p[at] == ' ' || line.p[at] == '\t'))
        at++;
    if (line.n - at >= room)
        return false;
    for (size_t i = at; i < line.n; i++)
        if (line.p[i] <= ' ' || line.p[i] >= 0x7f)
            return false;
    memcpy(out, line.p + at, line.n - at);
    out[line.n - at] = 0;
    return true;
}

bool ssdp_read(struct om_bytes in, const char *host, char url[static SSDP_URL])
{
    static const char status[] = "HTTP/1.1 200";
    char found[SSDP_URL] = "", what[128] = "";
    struct om_bytes line;

    if (!next_line(&in, &line) || line.n < sizeof status - 1 ||
        memcmp(line.p, status, sizeof status - 1) != 0)
        return false;
    while (next_line(&in, &line) && line.n > 0)
        if (!header(line, "location:", found, sizeof found))
            (void)header(line, "st:", what, sizeof what);
    if (!strstr(what, ":InternetGatewayDevice:") || !ssdp_is_at(found, host))
        return false;
    memcpy(url, found, sizeof found);
    return true;
}

static void send_search(int fd, uint32_t gateway)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(SSDP_PORT)};

    (void)inet_pton(AF_INET, group, &to.sin_addr);
    (void)!sendto(fd, search, sizeof search - 1, 0, (const struct sockaddr *)&to, sizeof to);
    to.sin_addr.s_addr = gateway;
    (void)!sendto(fd, search, sizeof search - 1, 0, (const struct sockaddr *)&to, sizeof to);
}

/* What lies in the socket; true when the gateway's answer was there. */
static bool hear(int fd, uint32_t gateway, const char *host, char *url, unsigned *left)
{
    uint8_t bytes[SSDP_ANSWER_BYTES];
    struct sockaddr_in from = {0};
    socklen_t size = sizeof from;
    ssize_t n;

    while (*left > 0 && (n = recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT,
                                      (struct sockaddr *)&from, &size)) >= 0) {
        --*left;
        if (from.sin_addr.s_addr == gateway && ssdp_read(om_bytes(bytes, (size_t)n), host, url))
            return true;
        size = sizeof from;
    }
    return false;
}

bool ssdp_find(uint32_t gateway, om_time until, atomic_bool *is_off, char url[static SSDP_URL])
{
    const int ttl = SSDP_TTL;
    om_time now = om_clock_now(), again = now + OM_MS(SSDP_AGAIN_MS);
    char host[INET_ADDRSTRLEN];
    unsigned left = SSDP_ANSWERS_MAX;
    bool is_found = false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || !inet_ntop(AF_INET, &gateway, host, sizeof host)) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    (void)setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl);
    until = om_time_min(until, now + OM_MS(SSDP_MS));
    send_search(fd, gateway);
    while (!is_found && left > 0 && !atomic_load(is_off) && (now = om_clock_now()) < until) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (now >= again) {
            send_search(fd, gateway);
            again = OM_NEVER;
        }
        if (poll(&p, 1, PORTMAP_SLICE_MS) > 0)
            is_found = hear(fd, gateway, host, url, &left);
    }
    (void)close(fd);
    return is_found;
}
