/* mapping.c - when a mapping is wanted, and who hears of it. */
#include "mapping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/clock.h"
#include "host/natpmp_hear.h"
#include "host/portmapper.h"
#include "state.h"

struct mapping {
    struct om_daemon *d;
    struct om_portmapper *mapper;
    struct om_natpmp_hear *hear; /* while one is wanted; NULL: the port is another's */
    const char *off;             /* why none is wanted; NULL: it is */
    uint64_t seen;               /* a digest of our IPv4 addresses */
};

static void log_news(struct om_daemon *d, const struct om_portmap_act *news, const char *text)
{
    struct om_logline line;
    char addr[OM_ADDR_TEXT];
    bool is_up = news->kind == OM_PORTMAP_ACT_UP;
    bool is_down = news->kind == OM_PORTMAP_ACT_DOWN;

    if (!om_log_begin(&line, &d->log, OM_LOG_INFO, "portmap",
                      is_up     ? "the router maps our port"
                      : is_down ? "the mapping is gone"
                                : "no mapping"))
        return;
    if (is_up)
        om_log_str(&line, "protocol", om_portmap_how_name(news->how));
    if (is_up || is_down)
        om_log_str(&line, "external", om_addr_print(&news->external, addr));
    else
        om_log_str(&line, "why", text);
    om_log_end(&line);
}

static void on_news(void *self, const struct om_portmap_act *news)
{
    struct mapping *m = self;
    const struct om_portmap *p = om_portmapper_machine(m->mapper);
    struct om_event e = {.kind = OM_EVENT_MAPPED, .at = om_clock_now(), .addr = news->external};
    char text[MAPPING_TEXT];

    e.a = news->life_s;
    e.b = (uint64_t)news->how;
    if (news->kind == OM_PORTMAP_ACT_DOWN) {
        e.kind = OM_EVENT_UNMAPPED;
        e.a = e.b = 0;
    } else if (news->kind == OM_PORTMAP_ACT_FAILED) {
        e = (struct om_event){.kind = OM_EVENT_MAP_FAILED, .at = e.at};
        e.a = p->tried[OM_PORTMAP_NATPMP].answer.result;
        e.b = p->tried[OM_PORTMAP_UPNP].answer.result;
    }
    daemon_event(m->d, &e);
    log_news(m->d, news, mapping_print(m, text));
    if (news->kind != OM_PORTMAP_ACT_FAILED)
        daemon_presence_tell(m->d);
}

/* Of the addresses that a router may map to; 0: there is none. */
static uint64_t digest(const struct om_daemon *d)
{
    unsigned count;
    const struct om_iface *list = om_netwatch_ifaces(d->netwatch, &count);
    uint64_t sum = 0;

    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < list[i].addr_count; k++) {
            const struct om_addr *a = &list[i].addrs[k];
            if (!list[i].is_up || list[i].is_loopback || !om_addr_is_v4(a))
                continue;
            for (unsigned b = 0; b < sizeof a->ip; b++)
                sum = (sum ^ a->ip[b]) * 0x100000001b3; /* FNV-1a's prime */
            sum |= 1;
        }
    return sum;
}

static const char *why_off(const struct om_daemon *d, const struct om_udp_info *udp)
{
    struct om_addr bound = {.port = 0};

    if (!d->config.portmap)
        return "off by configuration (portmap)";
    if (!udp->has_v4)
        return "off: IPv4 is not used";
    if (*d->config.bind4 && om_addr_ip_parse(bound.ip, d->config.bind4) &&
        om_addr_classify(&bound) == OM_ADDR_LOOPBACK)
        return "off: bound to the loopback (bind4)";
    if (digest(d) == 0)
        return "off: this machine is in no IPv4 network";
    return NULL;
}

static void on_word(void *self)
{
    struct mapping *m = self;

    om_portmapper_ask_again(m->mapper);
}

/* Hears the router while a mapping is wanted; that it cannot is no reason to do without one. */
static void hear(struct mapping *m)
{
    const struct om_natpmp_hear_config c = {.loop = &m->d->loop, .on_word = on_word, .self = m};

    if (m->off) {
        om_natpmp_hear_close(m->hear);
        m->hear = NULL;
    } else if (!m->hear && om_natpmp_hear_open(&m->hear, &c) != OM_OK) {
        m->hear = NULL;
    }
}

void mapping_look(struct mapping *m, bool is_moved)
{
    struct om_udp_info udp;
    uint64_t sum = digest(m->d);
    bool is_other = is_moved || sum != m->seen;

    om_udp_info(om_pump_udp(m->d->pump), &udp);
    m->seen = sum;
    m->off = why_off(m->d, &udp);
    hear(m);
    om_portmapper_want(m->mapper, m->off ? 0 : udp.port);
    if (is_other)
        om_portmapper_network_changed(m->mapper);
}

bool mapping_open(struct mapping **out, struct om_daemon *d, struct om_error *err)
{
    struct mapping *m = calloc(1, sizeof *m);
    const struct om_portmapper_config config = {.loop = &d->loop, .on_news = on_news, .self = m};

    if (!m || om_portmapper_open(&m->mapper, &config) != OM_OK) {
        free(m);
        (void)om_fail(err, OM_E_NO_MEM, "asking the router for a port: out of memory");
        return false;
    }
    m->d = d;
    m->seen = digest(d);
    *out = m;
    mapping_look(m, false);
    return true;
}

void mapping_close(struct mapping *m)
{
    if (!m)
        return;
    om_natpmp_hear_close(m->hear);
    om_portmapper_close(m->mapper);
    free(m);
}

const struct om_addr *mapping_external(const struct mapping *m)
{
    const struct om_portmap *p = om_portmapper_machine(m->mapper);

    return p->held.inner ? &p->external : NULL;
}

const struct om_portmap *mapping_machine(const struct mapping *m)
{
    return om_portmapper_machine(m->mapper);
}

uint64_t mapping_hung(const struct mapping *m)
{
    return om_portmapper_hung(m->mapper);
}

static void print_held(const struct om_portmap *p, char out[static MAPPING_TEXT])
{
    time_t end = (time_t)((om_clock_wall().unix_ms + (p->expires - om_clock_now()) / 1000) / 1000);
    char addr[OM_ADDR_TEXT], when[32];
    struct tm tm;

    (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&end, &tm));
    (void)snprintf(out, MAPPING_TEXT, "%s %s until %s", om_portmap_how_name(p->held.how),
                   om_addr_print(&p->external, addr), when);
}

/* What those said who said anything. */
static void print_failed(const struct om_portmap *p, char out[static MAPPING_TEXT])
{
    size_t n = 0;

    for (unsigned i = 0; i < OM_PORTMAP_HOWS && n < MAPPING_TEXT; i++) {
        const struct om_portmap_answer *a = &p->tried[i].answer;
        if (a->result == OM_PORTMAP_SILENT || a->result == OM_PORTMAP_UNTRIED)
            continue;
        n += (size_t)snprintf(out + n, MAPPING_TEXT - n, "%s%s: %s", n > 0 ? "; " : "refused: ",
                              om_portmap_how_name((enum om_portmap_how)i), a->why);
    }
    if (n == 0)
        (void)snprintf(out, MAPPING_TEXT, "no router answers");
}

char *mapping_print(const struct mapping *m, char out[static MAPPING_TEXT])
{
    const struct om_portmap *p = om_portmapper_machine(m->mapper);

    switch (om_portmap_state(p)) {
    case OM_PORTMAP_OFF:
        (void)snprintf(out, MAPPING_TEXT, "%s", m->off ? m->off : "off");
        break;
    case OM_PORTMAP_ASKING:
        (void)snprintf(out, MAPPING_TEXT, "asking the router");
        break;
    case OM_PORTMAP_HELD:
        print_held(p, out);
        break;
    case OM_PORTMAP_WAITING:
        print_failed(p, out);
        break;
    }
    return out;
}
