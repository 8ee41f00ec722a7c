/*
 * filter.h - the owner's rules on who may have a VM: filters.json
 *
 * What:  a list of named rules, each with conditions that must all hold and what then follows:
 *        allow, deny or ask; and what follows when no rule holds.
 * Why:   rules are read by whoever must live with them: one kind of word for one kind of
 *        condition, and a misspelt one is refused, as it would otherwise let everybody in.
 * Keeps: filter_round_trips; filter_refuses_with_the_place; filter_rules_have_one_name_each;
 *        filter_is_changed_rule_by_rule.
 *
 *   {"default": "ask",
 *    "rules": [{"name": "night", "then": "deny", "note": "the fan is loud",
 *               "peer": [ID], "network": [ID], "address": ["192.0.2.0/24"],
 *               "resources": {"cpus_over": 4, "memory_over": "8G", "disk_over": "50G",
 *                             "ttl_over": "1d", "egress": "internet"},
 *               "description": {"words": ["mining"], "missing": true},
 *               "hours": {"from": "22:00", "to": "08:00"},
 *               "reputation": {"below": 30}}]}
 *
 * Lists and the members of resources and of description are alternatives: one of them suffices.
 * A rule without a condition holds for everybody.
 *
 * Full: OM_VM_RULES_MAX rules, OM_VM_RULE_LIST elements in a list; more is refused.
 */
#ifndef OM_VM_FILTER_H
#define OM_VM_FILTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <omerta/cidr.h>
#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/time.h>

enum {
    OM_VM_RULES_MAX = 64,
    OM_VM_RULE_LIST = 16,
    OM_VM_RULE_NAME = 32,
    OM_VM_RULE_WORD = 32,
    OM_VM_RULE_NOTE = 128,
    OM_VM_DAY_MINUTES = 24 * 60
};

enum om_vm_verdict { OM_VM_ALLOW, OM_VM_DENY, OM_VM_ASK, OM_VM_VERDICT_COUNT };

/* Kinds of conditions. */
#define OM_VM_CONDITIONS(X)                                                                        \
    X(PEER, "peer")                                                                                \
    X(NETWORK, "network")                                                                          \
    X(ADDRESS, "address")                                                                          \
    X(RESOURCES, "resources")                                                                      \
    X(DESCRIPTION, "description")                                                                  \
    X(HOURS, "hours")                                                                              \
    X(REPUTATION, "reputation")

enum om_vm_condition {
#define X(code, name) OM_VM_IF_##code,
    OM_VM_CONDITIONS(X)
#undef X
        OM_VM_IF_COUNT
};

struct om_vm_rule {
    char name[OM_VM_RULE_NAME];
    char note[OM_VM_RULE_NOTE]; /* told to who is refused */
    enum om_vm_verdict then;
    bool has[OM_VM_IF_COUNT];
    unsigned peers, networks, addresses, words;
    struct om_id peer[OM_VM_RULE_LIST];
    struct om_id network[OM_VM_RULE_LIST];
    struct om_cidr address[OM_VM_RULE_LIST];
    char word[OM_VM_RULE_LIST][OM_VM_RULE_WORD]; /* in small letters */
    bool is_missing;                             /* no description at all */
    bool is_egress;                              /* asks for the internet */
    uint32_t cpus_over, memory_over, disk_over;  /* UINT32_MAX: whatever it is */
    om_time ttl_over;                            /* OM_NEVER: whatever it is */
    unsigned from, to; /* minutes of the local day; @to is not in it, and may be the next day's */
    unsigned below, above; /* reputation; 0 and 100: nobody is */
};

/* Large: keep it on the heap. Read freely; write only through om_vm_filter_*(). */
struct om_vm_filter {
    enum om_vm_verdict otherwise;
    unsigned count;
    struct om_vm_rule rule[OM_VM_RULES_MAX]; /* the first that holds decides */
};

/** om_vm_verdict_name() - "allow", "deny" or "ask" for @v. */
const char *om_vm_verdict_name(enum om_vm_verdict v);

/** om_vm_condition_name() - "peer" and so on, for @c. */
const char *om_vm_condition_name(enum om_vm_condition c);

/** om_vm_filter_init() - no rules in @f: everybody is asked for. */
void om_vm_filter_init(struct om_vm_filter *f);

/**
 * om_vm_filter_read() - filters.json
 * @out:  untouched on failure
 * @o:    the object
 * @err:  sentence with the place; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE, OM_E_RANGE or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_filter_read(struct om_vm_filter *out, const json_t *o,
                                      struct om_error *err);

/** om_vm_filter_write() - @f as om_vm_filter_read() reads it, owned by the caller; NULL without
 *  memory. */
json_t *om_vm_filter_write(const struct om_vm_filter *f);

/**
 * om_vm_filter_add() - one more rule
 * @f:    the rules
 * @o:    the rule's object
 * @at:   before which one, from 0; beyond the last: behind it
 * @err:  sentence with the place; may be NULL
 *
 * Return: as om_vm_filter_read(), OM_E_EXISTS for a name that is there, OM_E_FULL.
 */
OM_MUST enum om_err om_vm_filter_add(struct om_vm_filter *f, const json_t *o, unsigned at,
                                     struct om_error *err);

/** om_vm_filter_remove() - forget the rule called @name in @f; false when there is none. */
bool om_vm_filter_remove(struct om_vm_filter *f, const char *name);

#endif
