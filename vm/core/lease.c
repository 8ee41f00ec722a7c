/* lease.c - sums and minima of times. */
#include "vm/core/lease.h"

#include <omerta/attr.h>
#include <omerta/text.h>

/* The moment @d after @now; the end of time instead of beyond it. */
static om_time after(om_time now, om_time d)
{
    return d > OM_NEVER - now ? OM_NEVER : now + d;
}

void om_vm_lease_restart(struct om_vm_lease *l, om_time now, om_time ttl, om_time left,
                         om_time most_left)
{
    OM_BUG_IF(ttl <= 0 || now < 0);
    *l = (struct om_vm_lease){.ttl = ttl, .most = after(now, most_left > 0 ? most_left : 0)};
    l->until = om_time_min(after(now, left > 0 ? left : 0), l->most);
    l->warn[0] = ttl / 4;
    l->warn[1] = ttl / 4 > OM_SEC(60) ? OM_SEC(60) : 0;
}

void om_vm_lease_start(struct om_vm_lease *l, om_time now, om_time ttl, om_time most)
{
    om_vm_lease_restart(l, now, ttl, ttl, most);
}

/* The end moves back to @until, if that is later; warnings of the old end count no more. */
static void move(struct om_vm_lease *l, om_time now, om_time until)
{
    until = om_time_min(until, l->most);
    if (until <= l->until)
        return;
    l->until = until;
    while (l->told > 0 && until - now > l->warn[l->told - 1])
        l->told--;
}

void om_vm_lease_renew(struct om_vm_lease *l, om_time now)
{
    if (!l->is_over && now < l->until)
        move(l, now, after(now, l->ttl));
}

enum om_err om_vm_lease_extend(struct om_vm_lease *l, om_time now, om_time by, struct om_error *err)
{
    char text[OM_DURATION_TEXT];

    if (l->is_over || now >= l->until)
        return om_fail(err, OM_E_STATE, "the lease has ended");
    if (l->until == l->most)
        return om_fail(err, OM_E_RANGE,
                       "the lease ends at its maximum, in %s: its provider allows no more",
                       om_duration_print(l->until - now, text, sizeof text));
    move(l, now, after(l->until, by));
    return OM_OK;
}

static om_time warning_at(const struct om_vm_lease *l)
{
    bool is_left = l->told < OM_VM_LEASE_WARNINGS && l->warn[l->told] > 0;

    return is_left && l->until != OM_NEVER ? l->until - l->warn[l->told] : OM_NEVER;
}

bool om_vm_lease_next(struct om_vm_lease *l, om_time now, struct om_vm_lease_event *out)
{
    bool is_final = l->until == l->most;

    if (l->is_over)
        return false;
    if (now >= l->until) {
        l->is_over = true;
        *out = (struct om_vm_lease_event){OM_VM_LEASE_EXPIRED, 0, is_final};
        return true;
    }
    if (now < warning_at(l))
        return false;
    while (warning_at(l) <= now)
        l->told++; /* who comes late hears of both in one */
    *out = (struct om_vm_lease_event){OM_VM_LEASE_WARNING, l->until - now, is_final};
    return true;
}

om_time om_vm_lease_deadline(const struct om_vm_lease *l)
{
    return l->is_over ? OM_NEVER : om_time_min(l->until, warning_at(l));
}
