/*
 * match.h - which rule of a list speaks first
 *
 * What:  walks the rules in order for a packet that opens something; later packets follow flow.h.
 * Why:   at most OM_RULES_MAX comparisons, and only once for each flow: a tree would cost more to
 *        explain than it saves. Order is then what the person wrote.
 * Keeps: match_first_rule_wins; match_denies_by_default; match_counts_ports_and_protocols;
 *        match_looks_at_the_far_end.
 */
#ifndef OM_GUARD_MATCH_H
#define OM_GUARD_MATCH_H

#include "guard/rule.h"
#include "packet/packet.h"

enum { OM_RULES_MAX = 256 };

/* Read freely; write only through om_rules_add(). Zeroed, it denies everything. */
struct om_rules {
    struct om_rule at[OM_RULES_MAX];
    unsigned n;
};

/** om_rules_add() - @r as the last of @rules; OM_OK, or OM_E_FULL at OM_RULES_MAX. */
OM_MUST enum om_err om_rules_add(struct om_rules *rules, const struct om_rule *r);

/**
 * om_rules_match() - the rule that decides
 * @rules:  in the order of their adding
 * @d:      where the packet goes
 * @p:      a packet; of a rule with ports, only one with ports can be meant
 *
 * Return: the rule, lent; NULL when none speaks, which denies.
 */
const struct om_rule *om_rules_match(const struct om_rules *rules, enum om_direction d,
                                     const struct om_packet *p);

#endif
