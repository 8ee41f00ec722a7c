/* portmap_natpmp.c - two requests for a mapping, one to give it back. */
#include "portmap_natpmp.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/time.h>

#include "clock.h"
#include "gateway.h"

static int slice_ms(natpmp_t *p, om_time until, om_time now)
{
    struct timeval retry = {0};
    om_time left = until - now;

    if (getnatpmprequesttimeout(p, &retry) == 0)
        left = om_time_min(left, OM_SEC(retry.tv_sec) + retry.tv_usec);
    left = om_time_min(left, OM_MS(PORTMAP_SLICE_MS));
    return left > 0 ? (int)(left / 1000) + 1 : 0;
}

int portmap_natpmp_wait(natpmp_t *p, om_time until, atomic_bool *is_off, natpmpresp_t *answer)
{
    int e = NATPMP_TRYAGAIN;
    om_time now;

    while (e == NATPMP_TRYAGAIN && (now = om_clock_now()) < until &&
           !(is_off && atomic_load(is_off))) {
        struct pollfd fd = {.fd = p->s, .events = POLLIN};
        (void)poll(&fd, 1, slice_ms(p, until, now));
        e = readnatpmpresponseorretry(p, answer);
    }
    return e;
}

static void say(struct om_portmap_answer *out, enum om_portmap_result result, const char *why)
{
    *out = (struct om_portmap_answer){.result = result};
    (void)snprintf(out->why, sizeof out->why, "%s", why);
}

static void say_error(struct om_portmap_answer *out, int e)
{
    switch (e) {
    case NATPMP_ERR_NOTAUTHORIZED:
        say(out, OM_PORTMAP_REFUSED, "not authorized");
        break;
    case NATPMP_ERR_NETWORKFAILURE:
        say(out, OM_PORTMAP_REFUSED, "network failure: the router has no outside address");
        break;
    case NATPMP_ERR_OUTOFRESOURCES:
        say(out, OM_PORTMAP_REFUSED, "out of resources");
        break;
    case NATPMP_ERR_UNSUPPORTEDVERSION:
    case NATPMP_ERR_UNSUPPORTEDOPCODE:
    case NATPMP_ERR_UNDEFINEDERROR:
        say(out, OM_PORTMAP_REFUSED, "the router does not do that");
        break;
    case NATPMP_ERR_NOGATEWAYSUPPORT:
    case NATPMP_TRYAGAIN:
        say(out, OM_PORTMAP_SILENT, "no answer");
        break;
    default:
        say(out, OM_PORTMAP_UNASKED, "it could not be sent");
        break;
    }
}

/* One request that was just sent; 0, or said in @out. */
static bool answered(natpmp_t *p, struct portmap_question *q, bool may_stop, uint16_t type,
                     natpmpresp_t *answer, struct om_portmap_answer *out)
{
    om_time until = om_time_min(q->until, om_clock_now() + OM_MS(PORTMAP_NATPMP_MS));
    int e = portmap_natpmp_wait(p, until, may_stop ? &q->is_off : NULL, answer);

    if (e != 0)
        say_error(out, e);
    else if (answer->type != type)
        say(out, OM_PORTMAP_ABSURD, "it answered another question");
    return e == 0 && answer->type == type;
}

static void map(natpmp_t *p, struct portmap_question *q, struct om_portmap_answer *out)
{
    natpmpresp_t at, made;

    bool is_sent = sendpublicaddressrequest(p) >= 0;
    if (is_sent &&
        (!answered(p, q, true, NATPMP_RESPTYPE_PUBLICADDRESS, &at, out) || atomic_load(&q->is_off)))
        return;
    is_sent = is_sent && sendnewportmappingrequest(p, NATPMP_PROTOCOL_UDP, q->act.inner,
                                                   q->act.outer, q->act.life_s) >= 0;
    if (!is_sent) {
        say(out, OM_PORTMAP_UNASKED, "it could not be sent");
        return;
    }
    if (!answered(p, q, false, NATPMP_RESPTYPE_UDPPORTMAPPING, &made, out))
        return;
    if (made.pnu.newportmapping.privateport != q->act.inner)
        say(out, OM_PORTMAP_ABSURD, "it mapped another port than was asked for");
    else
        *out = (struct om_portmap_answer){.result = OM_PORTMAP_MAPPED,
                                          .external =
                                              om_addr_v4(ntohl(at.pnu.publicaddress.addr.s_addr),
                                                         made.pnu.newportmapping.mappedpublicport),
                                          .life_s = made.pnu.newportmapping.lifetime};
}

static void unmap(natpmp_t *p, struct portmap_question *q, struct om_portmap_answer *out)
{
    natpmpresp_t gone;

    if (sendnewportmappingrequest(p, NATPMP_PROTOCOL_UDP, q->act.inner, 0, 0) < 0)
        say(out, OM_PORTMAP_UNASKED, "it could not be sent");
    else
        (void)answered(p, q, false, NATPMP_RESPTYPE_UDPPORTMAPPING, &gone, out);
}

void portmap_natpmp_at(uint32_t gateway, struct portmap_question *q, struct om_portmap_answer *out)
{
    natpmp_t p;

    say(out, OM_PORTMAP_UNASKED, "it was called off");
    if (initnatpmp(&p, 1, gateway) != 0) {
        say(out, OM_PORTMAP_UNASKED, "no socket");
        return;
    }
    if (q->act.kind == OM_PORTMAP_ACT_REMOVE)
        unmap(&p, q, out);
    else
        map(&p, q, out);
    (void)closenatpmp(&p);
}

void portmap_natpmp(struct portmap_question *q, struct om_portmap_answer *out)
{
    uint32_t gateway = gateway_find();

    if (gateway == 0)
        say(out, OM_PORTMAP_SILENT, "no IPv4 router");
    else
        portmap_natpmp_at(gateway, q, out);
}
