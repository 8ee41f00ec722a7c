/* watch.c - what the owner of this machine sees of those that run here, and says to them. */
#include <string.h>

#include "links/links.h"
#include "service/parts.h"

json_t *machine_traffic(const struct service_vm *v, struct om_error *err)
{
    json_t *o = links_traffic(v->hub->d->links, v->nic_link);

    if (!o)
        (void)om_fail(err, OM_E_STATE, "%s has no card yet: it is %s", v->id,
                      om_vm_state_name(v->vm.state));
    else
        (void)json_object_set_new(o, "vm", json_string(v->id));
    return o;
}

uint64_t vms_answers(const struct vms *s, enum gate_policy p)
{
    return s ? s->answers[p] : 0;
}

/* The machine that runs here and whose id is or begins with @name; NULL and @err. */
static struct service_vm *find_here(const struct vms *s, const char *name, struct om_error *err)
{
    struct service_vm *found = NULL;
    size_t n = name ? strlen(name) : 0;

    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l)) {
        struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        if (v->vm.state == OM_VM_GONE || (name && strncmp(v->id, name, n) != 0))
            continue;
        if (found) {
            (void)om_fail(err, OM_E_RANGE, "several virtual machines run here: name one");
            return NULL;
        }
        found = v;
    }
    if (!found)
        (void)om_fail(err, OM_E_MISSING, "no such virtual machine runs here (omerta vm list)");
    return found;
}

json_t *vms_traffic(const struct vms *s, const char *name, struct om_error *err)
{
    const struct service_vm *v = find_here(s, name, err);

    return v ? machine_traffic(v, err) : NULL;
}

json_t *vms_resume(struct vms *s, const char *name, struct om_error *err)
{
    struct service_vm *v = find_here(s, name, err);

    if (v && (v->vm.state != OM_VM_PAUSED || v->vm.is_disk_full)) {
        (void)om_fail(err, OM_E_STATE, "%s is not paused: it is %s", v->id,
                      om_vm_state_name(v->vm.state));
        return NULL;
    }
    if (!v)
        return NULL;
    gate_resume(v);
    return machine_json(v);
}

bool vms_tap(const struct vms *s, const char *name, struct link_tap *t, struct om_error *err)
{
    const struct service_vm *v = find_here(s, name, err);

    return v && (links_tap(s->d->links, v->nic_link, t) ||
                 om_fail(err, OM_E_STATE, "%s has no card yet", v->id) == OM_OK);
}
