/* wanted_late.c - providers that take a call and then say nothing. */
#include "host/clock.h"
#include "service/owed.h"
#include "service/wanted_parts.h"

/* No machine without an id can be reached; what was made nevertheless is owed. */
static void give_up(struct wanted_vm *v, const struct om_error *err)
{
    bool is_waited_for = v->spec || v->number || v->run;

    v->word_by = OM_NEVER;
    if (is_waited_for) {
        owed_add(v);
        wanted_refused(v, err);
    } else if (v->owner.is_open) { /* one of an earlier run's */
        om_calls_hang_up(v->hub->d->calls, &v->owner, OM_CLOSE_DONE);
        wanted_again(v);
    }
}

/* Its lease is over, whoever still runs it; should its provider come back, it is owed. */
static void forget(struct wanted_vm *v)
{
    struct wanted *w = v->hub;
    json_t *event =
        json_pack("{s:s, s:s, s:s, s:s}", "event", "state", "state", "gone", "end", "expired",
                  "text", "its provider was not heard of until its lease was over");

    owed_add(v);
    if (!*v->vm || !event) {
        wanted_drop(v);
        wanted_keep(w);
    } else {
        (void)wanted_event(v, event);
    }
    json_decref(event);
}

void wanted_late(struct wanted *w, om_time now)
{
    struct om_error err;

    (void)om_fail(&err, OM_E_STATE, "the provider says nothing");
    for (struct om_link *l = om_list_first(&w->asks), *next; l; l = next) {
        struct wanted_ask *a = OM_CONTAINER_OF(l, struct wanted_ask, link);
        next = om_list_next(&w->asks, l);
        if (a->until <= now)
            wanted_told(a, NULL, &err);
    }
    for (struct om_link *l = om_list_first(&w->machines), *next; l; l = next) {
        struct wanted_vm *v = OM_CONTAINER_OF(l, struct wanted_vm, link);
        next = om_list_next(&w->machines, l);
        if (v->word_by <= now)
            give_up(v, &err);
        else if (v->lost_until <= now)
            forget(v);
    }
    om_calls_kick(w->d->calls);
}

om_time wanted_late_deadline(const struct wanted *w)
{
    om_time at = OM_NEVER;

    for (struct om_link *l = om_list_first(&w->asks); l; l = om_list_next(&w->asks, l))
        at = om_time_min(at, OM_CONTAINER_OF(l, struct wanted_ask, link)->until);
    for (struct om_link *l = om_list_first(&w->machines); l; l = om_list_next(&w->machines, l)) {
        const struct wanted_vm *v = OM_CONTAINER_OF(l, struct wanted_vm, link);
        at = om_time_min(at, om_time_min(v->word_by, v->lost_until));
    }
    return at;
}
