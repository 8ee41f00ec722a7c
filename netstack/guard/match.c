/* match.c - the first rule that fits. */
#include "guard/match.h"

enum om_err om_rules_add(struct om_rules *rules, const struct om_rule *r)
{
    if (rules->n >= OM_RULES_MAX)
        return OM_E_FULL;
    rules->at[rules->n++] = *r;
    return OM_OK;
}

static bool fits_proto(const struct om_rule *r, const struct om_packet *p)
{
    switch (r->proto) {
    case OM_RULE_ANY:
        return true;
    case OM_RULE_TCP:
        return p->carries == OM_CARRIES_TCP;
    case OM_RULE_UDP:
        return p->carries == OM_CARRIES_UDP;
    case OM_RULE_ICMP:
        return p->carries == OM_CARRIES_ICMP;
    case OM_RULE_PROTO_COUNT:
        break;
    }
    return false;
}

static bool fits(const struct om_rule *r, enum om_direction d, const struct om_packet *p)
{
    const struct om_addr *far = d == OM_OUT ? &p->ip.dst : &p->ip.src;

    if (!r->is_of[d] || !fits_proto(r, p) || !om_cidr_contains(&r->net, far))
        return false;
    if (r->proto != OM_RULE_TCP && r->proto != OM_RULE_UDP)
        return true;
    return p->ip.dst.port >= r->port_first && p->ip.dst.port <= r->port_last;
}

const struct om_rule *om_rules_match(const struct om_rules *rules, enum om_direction d,
                                     const struct om_packet *p)
{
    for (unsigned i = 0; i < rules->n; i++) {
        if (fits(&rules->at[i], d, p))
            return &rules->at[i];
    }
    return NULL;
}
