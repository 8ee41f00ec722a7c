/* pace.c - one bucket for each peer that asked lately. */
#include "vm/core/pace.h"

enum { WHOLE = OM_VM_PACE_BURST * OM_VM_PACE_S, US_PER_S = 1000000 };

/* When @r has its whole burst again: then it is as one that was never there. */
static om_time calm_at(const struct om_vm_pace_row *r, om_time now)
{
    return om_bucket_ready(&r->bucket, now, WHOLE);
}

static struct om_vm_pace_row *row_of(struct om_vm_pace *p, const struct om_id *peer, om_time now)
{
    struct om_vm_pace_row *least = &p->row[0];

    for (unsigned i = 0; i < p->count; i++) {
        if (om_id_equal(&p->row[i].peer, peer))
            return &p->row[i];
        if (calm_at(&p->row[i], now) < calm_at(least, now))
            least = &p->row[i];
    }
    if (p->count < OM_VM_PACE_PEERS)
        least = &p->row[p->count++];
    *least = (struct om_vm_pace_row){.peer = *peer};
    om_bucket_init(&least->bucket, 1, WHOLE, now);
    return least;
}

enum om_err om_vm_pace_take(struct om_vm_pace *p, const struct om_id *peer, om_time now,
                            bool *is_news, struct om_error *err)
{
    struct om_vm_pace_row *r = row_of(p, peer, now);

    if (calm_at(r, now) <= now)
        r->is_told = false;
    *is_news = false;
    if (om_bucket_take(&r->bucket, now, OM_VM_PACE_S))
        return OM_OK;
    *is_news = !r->is_told;
    r->is_told = true;
    om_time wait = om_bucket_ready(&r->bucket, now, OM_VM_PACE_S) - now;
    return om_fail(err, OM_E_FULL,
                   "you ask for virtual machines too fast (%d at once, then one each %d s): wait "
                   "%d s",
                   OM_VM_PACE_BURST, OM_VM_PACE_S, (int)((wait + US_PER_S - 1) / US_PER_S));
}
