/* portmap_upnp.c - find, describe, look, map. */
#include "portmap_upnp.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>

#include <omerta/attr.h>

#include "clock.h"
#include "gateway.h"
#include "ssdp.h"

/* Of UPNP_Get...(): sizes that miniupnpc writes. */
enum { IP = 16, PORT = 6, TEXT = 80, SHORT = 4, LIFE = 16, LAN = 64 };

/* Errors of WANIPConnection. */
enum { CONFLICT = 718, PERMANENT_ONLY = 725, TAKEN_OTHERWISE = 729 };

/* An IGD that was found. */
struct igd {
    struct UPNPUrls urls;
    struct IGDdatas data;
    char lan[LAN]; /* our address, as seen on the way to it */
    char host[INET_ADDRSTRLEN];
};

/* An entry of its table. */
struct entry {
    char client[IP], port[PORT], text[TEXT], enabled[SHORT], life[LIFE];
};

static void say(struct om_portmap_answer *out, enum om_portmap_result result, const char *why)
{
    *out = (struct om_portmap_answer){.result = result};
    (void)snprintf(out->why, sizeof out->why, "%s", why);
}

void portmap_upnp_error(int e, struct om_portmap_answer *out)
{
    const char *text = strupnperror(e);

    if (e == CONFLICT || e == TAKEN_OTHERWISE)
        say(out, OM_PORTMAP_CONFLICT, "the port is somebody else's");
    else if (e == UPNPCOMMAND_HTTP_ERROR)
        say(out, OM_PORTMAP_SILENT, "no answer to a question it had offered to answer");
    else if (e < 0)
        say(out, OM_PORTMAP_ABSURD, "its answer cannot be read");
    else {
        *out = (struct om_portmap_answer){.result = OM_PORTMAP_REFUSED};
        (void)snprintf(out->why, sizeof out->why, "error %d, %s", e, text ? text : "unknown");
    }
}

static void print_port(char out[static PORT], uint16_t port)
{
    (void)snprintf(out, PORT, "%u", port);
}

/* What the table of @igd has at the outer port of @q; false: nothing, or it does not tell. */
static bool look(const struct igd *igd, const struct portmap_question *q, struct entry *e)
{
    char outer[PORT];

    *e = (struct entry){.client = ""};
    print_port(outer, q->act.outer);
    return UPNP_GetSpecificPortMappingEntry(igd->urls.controlURL, igd->data.first.servicetype,
                                            outer, "UDP", NULL, e->client, e->port, e->text,
                                            e->enabled, e->life) == UPNPCOMMAND_SUCCESS;
}

static bool is_ours(const struct igd *igd, const struct portmap_question *q, const struct entry *e)
{
    char inner[PORT];

    print_port(inner, q->act.inner);
    return strcmp(e->client, igd->lan) == 0 && strcmp(e->port, inner) == 0;
}

static int add(const struct igd *igd, const struct portmap_question *q, uint32_t life_s)
{
    char outer[PORT], inner[PORT], life[LIFE];

    print_port(outer, q->act.outer);
    print_port(inner, q->act.inner);
    (void)snprintf(life, sizeof life, "%u", (unsigned)life_s);
    return UPNP_AddPortMapping(igd->urls.controlURL, igd->data.first.servicetype, outer, inner,
                               igd->lan, PORTMAP_UPNP_TEXT, "UDP", NULL, life);
}

static void map(const struct igd *igd, struct portmap_question *q, struct om_portmap_answer *out)
{
    uint32_t life_s = q->act.life_s;
    char external[IP] = "";
    struct in_addr ip;
    struct entry e;
    int r = UPNP_GetExternalIPAddress(igd->urls.controlURL, igd->data.first.servicetype, external);

    if (r != UPNPCOMMAND_SUCCESS) {
        portmap_upnp_error(r, out);
        return;
    }
    if (inet_pton(AF_INET, external, &ip) != 1 || ip.s_addr == INADDR_ANY) {
        say(out, OM_PORTMAP_REFUSED, "the router is not connected");
        return;
    }
    if (look(igd, q, &e) && !is_ours(igd, q, &e)) {
        say(out, OM_PORTMAP_CONFLICT, "the port is somebody else's");
        return;
    }
    if (atomic_load(&q->is_off))
        return;
    r = add(igd, q, life_s);
    if (r == PERMANENT_ONLY)
        r = add(igd, q, 0);
    if (r != UPNPCOMMAND_SUCCESS) {
        portmap_upnp_error(r, out);
        return;
    }
    /* What it granted; 0, or nothing readable, is a mapping that stays. */
    if (look(igd, q, &e) && is_ours(igd, q, &e)) {
        unsigned long granted = strtoul(e.life, NULL, 10);
        life_s = granted > 0 && granted < life_s ? (uint32_t)granted : life_s;
    }
    *out = (struct om_portmap_answer){.result = OM_PORTMAP_MAPPED,
                                      .external = om_addr_v4(ntohl(ip.s_addr), q->act.outer),
                                      .life_s = life_s};
}

static void unmap(const struct igd *igd, struct portmap_question *q, struct om_portmap_answer *out)
{
    char outer[PORT];
    struct entry e;

    if (!look(igd, q, &e) || !is_ours(igd, q, &e)) {
        say(out, OM_PORTMAP_REFUSED, "it is not there any more");
        return;
    }
    print_port(outer, q->act.outer);
    portmap_upnp_error(UPNP_DeletePortMapping(igd->urls.controlURL, igd->data.first.servicetype,
                                              outer, "UDP", NULL),
                       out);
}

/* Of two services, the one that is connected. */
static void choose_service(struct igd *igd)
{
    char status[TEXT] = "", error[TEXT] = "";
    unsigned uptime = 0;

    if (!igd->data.second.servicetype[0] ||
        (UPNP_GetStatusInfo(igd->urls.controlURL, igd->data.first.servicetype, status, &uptime,
                            error) == UPNPCOMMAND_SUCCESS &&
         strcmp(status, "Connected") == 0))
        return;
    char *root = igd->urls.rootdescURL ? strdup(igd->urls.rootdescURL) : NULL;
    if (!root)
        return;
    igd->data.first = igd->data.second;
    FreeUPNPUrls(&igd->urls);
    GetUPNPUrls(&igd->urls, &igd->data, root, 0);
    free(root);
}

static void put(struct igd *igd, struct portmap_question *q, struct om_portmap_answer *out)
{
    if (!igd->urls.controlURL || !igd->data.first.servicetype[0]) {
        say(out, OM_PORTMAP_REFUSED, "it maps no ports: no WAN connection is described");
        return;
    }
    if (!ssdp_is_at(igd->urls.controlURL, igd->host)) {
        say(out, OM_PORTMAP_ABSURD, "its description leads to another host");
        return;
    }
    choose_service(igd);
    if (!igd->urls.controlURL || !ssdp_is_at(igd->urls.controlURL, igd->host))
        say(out, OM_PORTMAP_ABSURD, "its description leads to another host");
    else if (q->act.kind == OM_PORTMAP_ACT_REMOVE)
        unmap(igd, q, out);
    else
        map(igd, q, out);
}

void portmap_upnp(struct portmap_question *q, struct om_portmap_answer *out)
{
    uint32_t gateway = gateway_find();
    struct igd *igd = calloc(1, sizeof *igd);
    char url[SSDP_URL];

    say(out, OM_PORTMAP_UNASKED, "it was called off");
    if (!igd) {
        say(out, OM_PORTMAP_UNASKED, "out of memory");
    } else if (gateway == 0 || !inet_ntop(AF_INET, &gateway, igd->host, sizeof igd->host)) {
        say(out, OM_PORTMAP_SILENT, "no IPv4 router");
    } else if (!ssdp_find(gateway, q->until, &q->is_off, url)) {
        say(out, OM_PORTMAP_SILENT, "no answer");
    } else if (!UPNP_GetIGDFromUrl(url, &igd->urls, &igd->data, igd->lan, sizeof igd->lan)) {
        say(out, OM_PORTMAP_ABSURD, "its description cannot be read");
    } else {
        put(igd, q, out);
        FreeUPNPUrls(&igd->urls);
    }
    free(igd);
}
