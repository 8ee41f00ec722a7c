/* filter.c - filters.json, read word by word and written back. */
#include "vm/core/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "vm/core/fields.h"
#include "vm/core/limits.h"

enum { WHERE = 32 };

static const char *const verdicts[] = {"allow", "deny", "ask"};
static_assert(OM_ARRAY_SIZE(verdicts) == OM_VM_VERDICT_COUNT, "one name for each");

static const char *const conditions[] = {
#define X(code, name) name,
    OM_VM_CONDITIONS(X)
#undef X
};
static_assert(OM_ARRAY_SIZE(conditions) == OM_VM_IF_COUNT, "one name for each");

static const char *const egresses[] = {"internet"};

const char *om_vm_verdict_name(enum om_vm_verdict v)
{
    return verdicts[v];
}

const char *om_vm_condition_name(enum om_vm_condition c)
{
    return conditions[c];
}

void om_vm_filter_init(struct om_vm_filter *f)
{
    f->otherwise = OM_VM_ASK;
    f->count = 0;
}

/* Calls @take for each text of list @key. */
static bool read_list(struct om_vm_rule *r, struct om_vm_fields *f, const char *key,
                      enum om_err (*take)(struct om_vm_rule *r, const char *s,
                                          struct om_error *err))
{
    const json_t *list = om_vm_fields_list(f, key, OM_VM_RULE_LIST);
    struct om_error why = {0};

    if (list && json_array_size(list) == 0)
        om_vm_fields_fail(f, key, "is empty: such a rule would never hold");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *s = json_string_value(json_array_get(list, i));
        if (!s)
            om_vm_fields_fail(f, key, "element %zu: want a text", i);
        else if (take(r, s, &why) != OM_OK)
            om_vm_fields_fail(f, key, "element %zu: %.120s", i, why.msg);
    }
    return list != NULL;
}

static enum om_err take_peer(struct om_vm_rule *r, const char *s, struct om_error *err)
{
    return om_id_parse(&r->peer[r->peers++], s, err);
}

static enum om_err take_network(struct om_vm_rule *r, const char *s, struct om_error *err)
{
    return om_id_parse(&r->network[r->networks++], s, err);
}

static enum om_err take_address(struct om_vm_rule *r, const char *s, struct om_error *err)
{
    return om_cidr_parse(&r->address[r->addresses++], s, err);
}

static enum om_err take_word(struct om_vm_rule *r, const char *s, struct om_error *err)
{
    char *to = r->word[r->words++];
    size_t n = strlen(s);

    if (n == 0 || n >= OM_VM_RULE_WORD || !om_vm_text_is_plain(s, n))
        return om_fail(err, OM_E_PARSE, "want a word of 1 to %d bytes", OM_VM_RULE_WORD - 1);
    for (size_t i = 0; i <= n; i++)
        to[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] - 'A' + 'a' : s[i]);
    return OM_OK;
}

/* The faults of an object inside a rule are told at the rule. */
static void close_inner(struct om_vm_fields *outer, const char *key, struct om_vm_fields *inner,
                        const struct om_error *why)
{
    if (om_vm_fields_done(inner) != OM_OK)
        om_vm_fields_fail(outer, key, "%.150s", why->msg);
}

static bool read_resources(struct om_vm_rule *r, struct om_vm_fields *f)
{
    const json_t *o = om_vm_fields_get(f, "resources");
    struct om_error why = {0};
    struct om_vm_fields in;
    unsigned egress;
    uint64_t n;

    if (!o)
        return false;
    om_vm_fields_open(&in, o, "resources", &why);
    if (om_vm_fields_number(&in, "cpus_over", 0, OM_VM_CPUS_MAX, &n))
        r->cpus_over = (uint32_t)n;
    (void)om_vm_fields_mib(&in, "memory_over", 0, OM_VM_MEMORY_MAX_MIB, &r->memory_over);
    (void)om_vm_fields_mib(&in, "disk_over", 0, OM_VM_DISK_MAX_MIB, &r->disk_over);
    (void)om_vm_fields_duration(&in, "ttl_over", 0, OM_SEC(366 * 86400), &r->ttl_over);
    r->is_egress = om_vm_fields_word(&in, "egress", egresses, 1, &egress);
    if (json_object_size(o) == 0)
        om_vm_fields_fail(&in, NULL, "is empty: such a rule would never hold");
    close_inner(f, "resources", &in, &why);
    return true;
}

static bool read_description(struct om_vm_rule *r, struct om_vm_fields *f)
{
    const json_t *o = om_vm_fields_get(f, "description");
    struct om_error why = {0};
    struct om_vm_fields in;

    if (!o)
        return false;
    om_vm_fields_open(&in, o, "description", &why);
    (void)read_list(r, &in, "words", take_word);
    (void)om_vm_fields_bool(&in, "missing", &r->is_missing);
    if (!r->is_missing && r->words == 0)
        om_vm_fields_fail(&in, NULL, "want words, or \"missing\": true");
    close_inner(f, "description", &in, &why);
    return true;
}

/* "22:00" as minutes. */
static bool read_minute(struct om_vm_fields *f, const char *key, unsigned *out)
{
    char text[8] = "";
    unsigned hour = 0, minute = 0;
    bool is_there = om_vm_fields_text(f, key, text, sizeof text);
    bool is_form = strlen(text) == 5 && text[2] == ':' && strspn(text, "0123456789") == 2 &&
                   strspn(text + 3, "0123456789") == 2;

    if (is_form) {
        hour = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
        minute = (unsigned)(text[3] - '0') * 10 + (unsigned)(text[4] - '0');
    }
    if (!is_there || !is_form || hour > 23 || minute > 59)
        om_vm_fields_fail(f, key, "want a time of day, \"00:00\" to \"23:59\"");
    *out = hour * 60 + minute;
    return f->bad == OM_OK;
}

static bool read_hours(struct om_vm_rule *r, struct om_vm_fields *f)
{
    const json_t *o = om_vm_fields_get(f, "hours");
    struct om_error why = {0};
    struct om_vm_fields in;

    if (!o)
        return false;
    om_vm_fields_open(&in, o, "hours", &why);
    if (read_minute(&in, "from", &r->from) && read_minute(&in, "to", &r->to) && r->from == r->to)
        om_vm_fields_fail(&in, NULL, "from and to are the same");
    close_inner(f, "hours", &in, &why);
    return true;
}

static bool read_reputation(struct om_vm_rule *r, struct om_vm_fields *f)
{
    const json_t *o = om_vm_fields_get(f, "reputation");
    struct om_error why = {0};
    struct om_vm_fields in;
    uint64_t below = 0, above = 100;

    if (!o)
        return false;
    om_vm_fields_open(&in, o, "reputation", &why);
    bool is_set = om_vm_fields_number(&in, "below", 1, 100, &below);
    is_set |= om_vm_fields_number(&in, "above", 0, 99, &above);
    if (!is_set)
        om_vm_fields_fail(&in, NULL, "want below or above");
    close_inner(f, "reputation", &in, &why);
    r->below = (unsigned)below;
    r->above = (unsigned)above;
    return true;
}

static enum om_err read_rule(struct om_vm_rule *r, const json_t *o, const char *where,
                             struct om_error *err)
{
    struct om_vm_fields f;
    unsigned then = 0;

    *r = (struct om_vm_rule){.cpus_over = UINT32_MAX,
                             .memory_over = UINT32_MAX,
                             .disk_over = UINT32_MAX,
                             .ttl_over = OM_NEVER,
                             .above = 100};
    om_vm_fields_open(&f, o, where, err);
    if (!om_vm_fields_text(&f, "name", r->name, sizeof r->name) || r->name[0] == '\0')
        om_vm_fields_fail(&f, "name", "want one");
    if (!om_vm_fields_word(&f, "then", verdicts, OM_VM_VERDICT_COUNT, &then))
        om_vm_fields_fail(&f, "then", "want allow, deny or ask");
    (void)om_vm_fields_text(&f, "note", r->note, sizeof r->note);
    r->has[OM_VM_IF_PEER] = read_list(r, &f, "peer", take_peer);
    r->has[OM_VM_IF_NETWORK] = read_list(r, &f, "network", take_network);
    r->has[OM_VM_IF_ADDRESS] = read_list(r, &f, "address", take_address);
    r->has[OM_VM_IF_RESOURCES] = read_resources(r, &f);
    r->has[OM_VM_IF_DESCRIPTION] = read_description(r, &f);
    r->has[OM_VM_IF_HOURS] = read_hours(r, &f);
    r->has[OM_VM_IF_REPUTATION] = read_reputation(r, &f);
    r->then = (enum om_vm_verdict)then;
    return om_vm_fields_done(&f);
}

static int find(const struct om_vm_filter *f, const char *name)
{
    for (unsigned i = 0; i < f->count; i++)
        if (strcmp(f->rule[i].name, name) == 0)
            return (int)i;
    return -1;
}

static enum om_err add(struct om_vm_filter *f, const json_t *o, unsigned at, const char *where,
                       struct om_error *err)
{
    char shown[OM_SHOW_TEXT];
    struct om_vm_rule r;
    enum om_err e;

    if (f->count == OM_VM_RULES_MAX)
        return om_fail(err, OM_E_FULL, "there are %d rules: remove one first", OM_VM_RULES_MAX);
    e = read_rule(&r, o, where, err);
    if (e != OM_OK)
        return e;
    if (find(f, r.name) >= 0)
        return om_fail(err, OM_E_EXISTS, "%s: there is a rule \"%s\" already", where,
                       om_text_show(shown, r.name));
    if (at > f->count)
        at = f->count;
    memmove(&f->rule[at + 1], &f->rule[at], (f->count - at) * sizeof f->rule[0]);
    f->rule[at] = r;
    f->count++;
    return OM_OK;
}

enum om_err om_vm_filter_add(struct om_vm_filter *f, const json_t *o, unsigned at,
                             struct om_error *err)
{
    return add(f, o, at, "rule", err);
}

bool om_vm_filter_remove(struct om_vm_filter *f, const char *name)
{
    int at = find(f, name);

    if (at < 0)
        return false;
    f->count--;
    memmove(&f->rule[at], &f->rule[at + 1], ((size_t)f->count - (size_t)at) * sizeof f->rule[0]);
    return true;
}

enum om_err om_vm_filter_read(struct om_vm_filter *out, const json_t *o, struct om_error *err)
{
    unsigned otherwise = OM_VM_ASK;
    struct om_vm_fields f;
    char where[WHERE];
    enum om_err e;

    om_vm_fields_open(&f, o, "filters", err);
    (void)om_vm_fields_word(&f, "default", verdicts, OM_VM_VERDICT_COUNT, &otherwise);
    const json_t *list = om_vm_fields_list(&f, "rules", OM_VM_RULES_MAX);
    e = om_vm_fields_done(&f);
    if (e != OM_OK)
        return e;
    struct om_vm_filter *n = malloc(sizeof *n);
    if (!n)
        return om_fail(err, OM_E_NO_MEM, "no memory");
    om_vm_filter_init(n);
    n->otherwise = (enum om_vm_verdict)otherwise;
    for (size_t i = 0; e == OM_OK && i < json_array_size(list); i++) {
        (void)snprintf(where, sizeof where, "rules[%zu]", i);
        e = add(n, json_array_get(list, i), n->count, where, err);
    }
    if (e == OM_OK)
        *out = *n;
    free(n);
    return e;
}
