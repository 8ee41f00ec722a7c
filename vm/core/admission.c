/* admission.c - one small question for each kind of condition. */
#include "vm/core/admission.h"

#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

static bool is_listed(const struct om_id *list, unsigned n, const struct om_id *id)
{
    for (unsigned i = 0; i < n; i++)
        if (om_id_equal(&list[i], id))
            return true;
    return false;
}

static bool is_in_range(const struct om_vm_rule *r, const struct om_addr *a)
{
    const struct om_addr none = {0};

    for (unsigned i = 0; !om_addr_equal(a, &none) && i < r->addresses; i++)
        if (om_cidr_contains(&r->address[i], a))
            return true;
    return false;
}

static bool is_large(const struct om_vm_rule *r, const struct om_vm_spec *s)
{
    return s->cpus > r->cpus_over || s->memory_mib > r->memory_over || s->disk_mib > r->disk_over ||
           s->ttl > r->ttl_over || (r->is_egress && s->egress == OM_VM_EGRESS_INTERNET);
}

/* @word, in small letters, is in @text, in any. */
static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (; *text; text++) {
        size_t i = 0;
        while (i < n && word[i] == (text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]))
            i++;
        if (i == n)
            return true;
    }
    return false;
}

static bool is_described(const struct om_vm_rule *r, const char *description)
{
    if (r->is_missing && description[0] == '\0')
        return true;
    for (unsigned i = 0; i < r->words; i++)
        if (has_word(description, r->word[i]))
            return true;
    return false;
}

/* From 22:00 to 08:00 is over midnight. */
static bool is_time(const struct om_vm_rule *r, unsigned minute)
{
    if (r->from < r->to)
        return minute >= r->from && minute < r->to;
    return minute >= r->from || minute < r->to;
}

static bool holds(const struct om_vm_rule *r, enum om_vm_condition c, const struct om_vm_ask *a)
{
    switch (c) {
    case OM_VM_IF_PEER:
        return is_listed(r->peer, r->peers, &a->peer);
    case OM_VM_IF_NETWORK:
        return is_listed(r->network, r->networks, &a->network);
    case OM_VM_IF_ADDRESS:
        return is_in_range(r, &a->address);
    case OM_VM_IF_RESOURCES:
        return is_large(r, a->spec);
    case OM_VM_IF_DESCRIPTION:
        return is_described(r, a->spec->description);
    case OM_VM_IF_HOURS:
        return is_time(r, a->minute);
    case OM_VM_IF_REPUTATION:
        return a->reputation < r->below || a->reputation > r->above;
    case OM_VM_IF_COUNT:
        break;
    }
    return false;
}

static bool all_hold(const struct om_vm_rule *r, const struct om_vm_ask *a)
{
    for (enum om_vm_condition c = 0; c < OM_VM_IF_COUNT; c++)
        if (r->has[c] && !holds(r, c, a))
            return false;
    return true;
}

/* rule "night" (peer, hours): the fan is loud */
static void explain(struct om_vm_ruling *out, const struct om_vm_rule *r)
{
    char shown[OM_SHOW_TEXT];
    size_t n = sizeof out->text, at;
    unsigned kinds = 0;

    at = (size_t)snprintf(out->text, n, "rule \"%s\" (", om_text_show(shown, r->name));
    for (enum om_vm_condition c = 0; c < OM_VM_IF_COUNT && at < n; c++)
        if (r->has[c])
            at += (size_t)snprintf(out->text + at, n - at, "%s%s", kinds++ ? ", " : "",
                                   om_vm_condition_name(c));
    if (at < n && kinds == 0)
        at += (size_t)snprintf(out->text + at, n - at, "everybody");
    if (at < n)
        at += (size_t)snprintf(out->text + at, n - at, ")%s", r->note[0] ? ": " : "");
    if (at < n)
        (void)om_text_escape(out->text + at, n - at, om_bytes(r->note, strlen(r->note)));
}

struct om_vm_ruling om_vm_admission_test(const struct om_vm_filter *f, const struct om_vm_ask *a)
{
    struct om_vm_ruling out = {.verdict = f->otherwise, .rule = -1, .text = "no rule holds"};

    if (a->is_owner) {
        out.verdict = OM_VM_ALLOW;
        (void)snprintf(out.text, sizeof out.text, "it is the owner's own");
        return out;
    }
    for (unsigned i = 0; i < f->count; i++)
        if (all_hold(&f->rule[i], a)) {
            out.verdict = f->rule[i].then;
            out.rule = (int)i;
            explain(&out, &f->rule[i]);
            break;
        }
    return out;
}
