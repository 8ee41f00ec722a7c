/* link_gate.c - the guard of one link. */
#include "links/link_gate.h"

#include <stdlib.h>
#include <string.h>

#include "netstack/guard/guard.h"

enum { IP_BITS = 128 };

struct link_gate {
    struct om_guard guard;
    bool is_ether;
    enum om_rogue_level alarm;
};

static void add_side(struct om_guard_port *p, const struct om_addr *here,
                     const struct om_addr *there)
{
    struct om_cidr *near = &p->near[p->n_near++];

    memcpy(near->ip, there->ip, sizeof near->ip);
    near->bits = IP_BITS;
    p->own[p->n_own++] = *here;
}

enum om_err link_gate_new(struct link_gate **out, const struct link_config *config, om_time now,
                          const uint8_t key[static 16])
{
    /* What a link carries. The rest would meet a stack that drops it, and nobody would know. */
    static const enum om_rule_proto carried[] = {OM_RULE_TCP, OM_RULE_UDP};
    struct om_guard_port port = {.has_mac = config->kind == OM_PORT_ETHER};
    struct link_gate *g = calloc(1, sizeof *g);

    if (!g)
        return OM_E_NO_MEM;
    memcpy(port.mac, config->mac, sizeof port.mac);
    memcpy(port.own_mac, config->here_mac, sizeof port.own_mac);
    if (config->sides.has_v4)
        add_side(&port, &config->sides.here, &config->sides.there);
    if (config->sides.has_v6)
        add_side(&port, &config->sides.here6, &config->sides.there6);
    g->is_ether = config->kind == OM_PORT_ETHER;
    enum om_err e = om_guard_init(&g->guard, now, &port, key);
    if (config->gate == LINK_GATE_FILTERED)
        g->guard.mode = OM_GUARD_STATELESS;
    for (unsigned i = 0; e == OM_OK && i < OM_ARRAY_SIZE(carried); i++) {
        const struct om_rule out_there = {.is_allow = true,
                                          .is_of = {[OM_OUT] = true},
                                          .proto = carried[i],
                                          .port_last = UINT16_MAX};
        e = om_rules_add(&g->guard.rules, &out_there);
    }
    if (e != OM_OK) {
        link_gate_free(g);
        return e;
    }
    *out = g;
    return OM_OK;
}

void link_gate_free(struct link_gate *g)
{
    if (g)
        om_guard_fini(&g->guard);
    free(g);
}

static void note_level(struct link_gate *g, enum om_rogue_level level)
{
    g->alarm = level > g->alarm ? level : g->alarm;
}

bool link_gate_passes(struct link_gate *g, om_time now, struct om_bytes frame)
{
    struct om_judgement j = g->is_ether ? om_guard_frame(&g->guard, now, frame)
                                        : om_guard_check(&g->guard, now, OM_OUT, frame);

    note_level(g, j.level);
    return j.verdict != OM_DENY;
}

void link_gate_too_long(struct link_gate *g, om_time now)
{
    note_level(g, om_guard_too_long(&g->guard, now).level);
}

enum om_rogue_level link_gate_alarm(struct link_gate *g)
{
    enum om_rogue_level alarm = g->alarm;

    g->alarm = OM_ROGUE_NONE;
    return alarm;
}

void link_gate_answer(struct link_gate *g, om_time now, struct om_bytes frame)
{
    struct om_ether e;

    if (!g->is_ether)
        om_guard_answer(&g->guard, now, frame);
    else if (om_ether_parse(&e, frame) == OM_BAD_NONE && e.type != OM_ETHER_ARP)
        om_guard_answer(&g->guard, now, e.payload);
}

om_time link_gate_deadline(const struct link_gate *g)
{
    return om_guard_deadline(&g->guard);
}

void link_gate_tick(struct link_gate *g, om_time now)
{
    om_guard_tick(&g->guard, now);
}

void link_gate_forgive(struct link_gate *g, om_time now)
{
    om_rogue_init(&g->guard.rogue, now);
    g->alarm = OM_ROGUE_NONE;
}

unsigned link_gate_score(const struct link_gate *g, om_time now)
{
    return om_rogue_score(&g->guard.rogue, now);
}

static_assert((unsigned)OM_REASON_COUNT <= LINK_REASONS_MAX, "more reasons than there is room for");

unsigned link_gate_reasons(void)
{
    return OM_REASON_COUNT;
}

const char *link_gate_reason(unsigned reason)
{
    return om_reason_name((enum om_reason)reason);
}

uint64_t link_gate_refused(const struct link_gate *g, unsigned reason)
{
    return g->guard.refused[OM_OUT][reason];
}

uint64_t link_gate_refused_all(const struct link_gate *g)
{
    uint64_t n = 0;

    for (unsigned r = OM_REASON_NONE + 1; r < OM_REASON_COUNT; r++)
        n += link_gate_refused(g, r);
    return n;
}

json_t *link_gate_dropped(const struct link_gate *g)
{
    json_t *out = json_object();

    for (unsigned r = OM_REASON_NONE + 1; out && r < OM_REASON_COUNT; r++) {
        uint64_t n = link_gate_refused(g, r);
        if (n > 0)
            (void)json_object_set_new(out, link_gate_reason(r), json_integer((json_int_t)n));
    }
    return out;
}
