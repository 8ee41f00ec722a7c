/* wanted_bound.c - machines that live no longer than the program that asked for them. */
#include "host/clock.h"
#include "service/choose.h"
#include "service/wanted_parts.h"

enum { KNOWN_SOON_MS = 200, RELEASE_AGAIN_MS = 5000 };

void wanted_unbind(struct wanted_vm *v)
{
    if (!v->is_bound || v->leave_at != OM_NEVER)
        return;
    v->leave_at = om_clock_now();
    wanted_arm(v->hub);
}

void wanted_client_gone(struct wanted *w, uint64_t client)
{
    choose_client_gone(w, client);
    for (struct om_link *l = om_list_first(&w->machines); l; l = om_list_next(&w->machines, l)) {
        struct wanted_vm *v = OM_CONTAINER_OF(l, struct wanted_vm, link);
        if (v->client == client)
            wanted_unbind(v);
    }
}

void wanted_leave(struct wanted_vm *v)
{
    struct wanted *w = v->hub;
    struct om_error err; /* what is refused is asked again, until the machine is gone */
    bool is_known = *v->vm != '\0';

    v->leave_at = om_clock_now() + OM_MS(is_known ? RELEASE_AGAIN_MS : KNOWN_SOON_MS);
    if (is_known)
        (void)wanted_ask(w, &v->network, &v->provider, "vm.release",
                         json_pack("{s:s}", "vm", v->vm), ++w->numbers, &err);
}
