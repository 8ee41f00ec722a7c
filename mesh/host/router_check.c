/* router_check.c - the default gateway, NAT-PMP, SSDP and UPnP. */
#include "router_check.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <linux/netlink.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <natpmp.h>

#include <omerta/time.h>

#include "clock.h"
#include "netlink_dump.h"

enum { SSDP_TTL = 2 }; /* UPnP Device Architecture 1.1 section 1.3.3 */

/* A newer version answers as well (UPnP Device Architecture 1.1 section 1.3.2); asking for each
 * kind by itself would wait once for each. */
static const char igd[] = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";

static void note_address(struct router_answer *out, const char *text)
{
    struct in_addr addr;

    if (inet_pton(AF_INET, text, &addr) == 1 && addr.s_addr != INADDR_ANY)
        (void)inet_ntop(AF_INET, &addr, out->external, sizeof out->external);
}

/* The gateway of the IPv4 default route of the lowest metric, in network order; 0: none. */
static uint32_t find_gateway(void)
{
    struct net_view *v = calloc(1, sizeof *v);
    void *buffer = aligned_alloc(alignof(max_align_t), NET_DUMP_BYTES);
    const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 section 2.5.5.2 */
    const struct net_route *best = NULL;
    uint32_t found = 0;

    if (v && buffer && netlink_dump(v, buffer) == 0)
        for (unsigned i = 0; i < v->route_count; i++) {
            const struct net_route *r = &v->routes[i];
            if (!r->is_v6 && (!best || r->metric < best->metric))
                best = r;
        }
    if (best && memcmp(best->gateway, mapped, sizeof mapped) == 0)
        memcpy(&found, best->gateway + sizeof mapped, sizeof found);
    free(buffer);
    free(v);
    return found;
}

static int ms_left(natpmp_t *p, om_time until)
{
    struct timeval retry = {0};
    om_time left = until - om_clock_now();

    if (getnatpmprequesttimeout(p, &retry) == 0)
        left = om_time_min(left, OM_SEC(retry.tv_sec) + retry.tv_usec);
    return left > 0 ? (int)(left / 1000) + 1 : 0;
}

void router_natpmp(uint32_t gateway, struct router_answer *out)
{
    om_time until = om_clock_now() + OM_MS(ROUTER_NATPMP_MS);
    int e = NATPMP_TRYAGAIN;
    natpmpresp_t answer;
    natpmp_t p;

    if (initnatpmp(&p, 1, gateway) != 0)
        return;
    if (sendpublicaddressrequest(&p) >= 0)
        while (e == NATPMP_TRYAGAIN && om_clock_now() < until) {
            struct pollfd fd = {.fd = p.s, .events = POLLIN};
            (void)poll(&fd, 1, ms_left(&p, until));
            e = readnatpmpresponseorretry(&p, &answer);
        }
    if (e == 0 && answer.type == NATPMP_RESPTYPE_PUBLICADDRESS) {
        char text[INET_ADDRSTRLEN];
        out->has_natpmp = true;
        if (inet_ntop(AF_INET, &answer.pnu.publicaddress.addr, text, sizeof text))
            note_address(out, text);
    }
    (void)closenatpmp(&p);
}

static void ask_upnp(struct router_answer *out)
{
    int error = 0;
    struct UPNPDev *list = upnpDiscoverDevice(igd, ROUTER_SSDP_MS, NULL, NULL, UPNP_LOCAL_PORT_ANY,
                                              0, SSDP_TTL, &error);
    struct UPNPUrls urls = {0};
    struct IGDdatas data = {0};
    char lan[64] = "", external[64] = "";
    int found = list ? UPNP_GetValidIGD(list, &urls, &data, lan, sizeof lan) : 0;

    /* 2 is an IGD that is not connected: it maps, and may not know its address yet. */
    if (found == 1 || found == 2) {
        out->has_upnp = true;
        if (UPNP_GetExternalIPAddress(urls.controlURL, data.first.servicetype, external) ==
            UPNPCOMMAND_SUCCESS)
            note_address(out, external);
    }
    if (found != 0)
        FreeUPNPUrls(&urls);
    freeUPNPDevlist(list);
}

void router_check(struct router_answer *out)
{
    uint32_t gateway = find_gateway();

    *out = (struct router_answer){.has_gateway = gateway != 0};
    if (!out->has_gateway)
        return;
    (void)inet_ntop(AF_INET, &gateway, out->gateway, sizeof out->gateway);
    router_natpmp(gateway, out);
    ask_upnp(out);
}

bool router_sentence(const struct router_answer *a, char out[static ROUTER_SENTENCE])
{
    const char *what = a->has_natpmp && a->has_upnp ? "NAT-PMP and UPnP IGD"
                       : a->has_natpmp              ? "NAT-PMP"
                                                    : "UPnP IGD";

    if (!a->has_gateway)
        (void)snprintf(out, ROUTER_SENTENCE,
                       "no IPv4 router to ask for port mappings: where no direct way is found, "
                       "relays will be used");
    else if (!a->has_natpmp && !a->has_upnp)
        (void)snprintf(out, ROUTER_SENTENCE,
                       "%s answers neither NAT-PMP nor UPnP IGD, so it makes no port mappings: "
                       "where no direct way is found, relays will be used",
                       a->gateway);
    else
        (void)snprintf(out, ROUTER_SENTENCE, "%s makes port mappings by %s; external address %s",
                       a->gateway, what, *a->external ? a->external : "not told");
    return a->has_natpmp || a->has_upnp;
}
