/* choose.c - offers that fit, and their order. */
#include "vm/core/choose.h"

#include <stdio.h>
#include <string.h>

static bool has_image(const struct om_vm_offer *o, const char *name)
{
    if (!*name || o->has_more_images)
        return true;
    for (unsigned i = 0; i < o->images; i++)
        if (strcmp(o->image[i], name) == 0)
            return true;
    return false;
}

bool om_vm_choose_fits(const struct om_vm_offer *o, const struct om_vm_need *need,
                       char why[static OM_VM_CHOOSE_WHY])
{
    const struct om_vm_amount *a = &need->amount, *f = &o->free;
    size_t n = OM_VM_CHOOSE_WHY;

    *why = 0;
    if (!o->is_on)
        (void)snprintf(why, n, "it provides nothing");
    else if (f->vms < 1)
        (void)snprintf(why, n, "it has no room for another machine");
    else if (f->cpus < a->cpus)
        (void)snprintf(why, n, "it has %u processors, %u are wanted", f->cpus, a->cpus);
    else if (f->memory_mib < a->memory_mib)
        (void)snprintf(why, n, "it has %u MiB of memory, %u are wanted", f->memory_mib,
                       a->memory_mib);
    else if (f->disk_mib < a->disk_mib)
        (void)snprintf(why, n, "it has %u MiB of disk, %u are wanted", f->disk_mib, a->disk_mib);
    else if (!has_image(o, need->image))
        (void)snprintf(why, n, "it has no image \"%.63s\"", need->image);
    return !*why;
}

/* Of one that is full the rest of what is free says nothing either. */
bool om_vm_choose_was_full(const struct om_vm_offer *o, const struct om_vm_need *need)
{
    return o->is_on && o->free.vms < 1 && has_image(o, need->image);
}

uint64_t om_vm_choose_cost(const struct om_vm_candidate *c)
{
    unsigned fails = c->fails < OM_VM_CHOOSE_FAILS_MAX ? c->fails : OM_VM_CHOOSE_FAILS_MAX;
    uint64_t ms = c->rtt == OM_NEVER ? OM_VM_CHOOSE_FAR_MS
                  : c->rtt < 0       ? 0
                                     : (uint64_t)(c->rtt / OM_MS(1));

    return ms + (uint64_t)c->offer->load * OM_VM_CHOOSE_LOAD_MS +
           (uint64_t)fails * OM_VM_CHOOSE_FAIL_MS +
           (c->offer->is_for_all ? 0 : OM_VM_CHOOSE_NAMED_MS);
}

static unsigned engine_place(enum om_vm_offer_engine e)
{
    return e == OM_VM_OFFER_KVM ? 0 : e == OM_VM_OFFER_TCG ? 1 : 2;
}

/* Is @a asked before @b? */
static bool is_before(const struct om_vm_candidate *a, const struct om_vm_candidate *b,
                      const struct om_vm_need *need)
{
    char why[OM_VM_CHOOSE_WHY];
    bool a_fits = om_vm_choose_fits(a->offer, need, why);
    bool b_fits = om_vm_choose_fits(b->offer, need, why);
    unsigned a_engine = engine_place(a->offer->engine), b_engine = engine_place(b->offer->engine);
    uint64_t a_cost = om_vm_choose_cost(a), b_cost = om_vm_choose_cost(b);

    if (a_fits != b_fits)
        return a_fits;
    if (a_engine != b_engine)
        return a_engine < b_engine;
    if (a_cost != b_cost)
        return a_cost < b_cost;
    return memcmp(a->id.b, b->id.b, sizeof a->id.b) < 0;
}

/* Sifts @c[at] down in a heap of @n whose top is asked last. */
static void sift(struct om_vm_candidate *c, unsigned at, unsigned n, const struct om_vm_need *need)
{
    for (unsigned child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && is_before(&c[child], &c[child + 1], need))
            child++;
        if (!is_before(&c[at], &c[child], need))
            return;
        struct om_vm_candidate t = c[at];
        c[at] = c[child];
        c[child] = t;
    }
}

unsigned om_vm_choose_sort(struct om_vm_candidate *c, unsigned n, const struct om_vm_need *need)
{
    char why[OM_VM_CHOOSE_WHY];
    unsigned fit = 0;

    for (unsigned i = n / 2; i-- > 0;)
        sift(c, i, n, need);
    for (unsigned left = n; left > 1; left--) {
        struct om_vm_candidate t = c[0];
        c[0] = c[left - 1];
        c[left - 1] = t;
        sift(c, 0, left - 1, need);
    }
    while (fit < n && om_vm_choose_fits(c[fit].offer, need, why))
        fit++;
    return fit;
}
