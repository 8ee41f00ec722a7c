/* router_check.c - the default gateway, NAT-PMP, SSDP and UPnP. */
#include "router_check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <natpmp.h>

#include <omerta/time.h>

#include "clock.h"
#include "gateway.h"
#include "portmap_natpmp.h"

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

void router_natpmp(uint32_t gateway, struct router_answer *out)
{
    natpmpresp_t answer;
    natpmp_t p;
    int e = NATPMP_TRYAGAIN;

    if (initnatpmp(&p, 1, gateway) != 0)
        return;
    if (sendpublicaddressrequest(&p) >= 0)
        e = portmap_natpmp_wait(&p, om_clock_now() + OM_MS(ROUTER_NATPMP_MS), NULL, &answer);
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
    uint32_t gateway = gateway_find();

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
