/* engine.c - what guests run with here: found out, believed until a guest fails, found out anew. */
#include <stdio.h>

#include "service/offers.h"
#include "service/parts.h"

/* Those that waited to know. */
static void on_found(void *self, const struct om_vm_accel_found *found)
{
    struct vms *s = self;

    s->looking = NULL;
    s->accel = *found;
    s->is_known = true;
    s->is_tcg_good |= found->kind == OM_VM_ACCEL_TCG;
    offers_touch(s->d->offers);
    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l)) {
        struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        if (v->vm.state == OM_VM_REQUESTED && v->hold == ADMIT_GO)
            vms_go(v);
    }
}

static void look(struct vms *s)
{
    const struct om_vm_accel_config config = {.loop = &s->d->loop,
                                              .via = s->spawner,
                                              .qemu = s->qemu,
                                              .want = s->provide.accel,
                                              .is_tcg_good = s->is_tcg_good,
                                              .on_found = on_found,
                                              .self = s};
    struct om_error err = {.msg = ""};

    if (s->looking || *s->missing)
        return;
    if (om_vm_accel_start(&s->looking, &config, &err) != OM_OK)
        vms_complain(s, "", err.msg);
}

void engine_look(struct vms *s)
{
    if (!s->is_known)
        look(s);
}

void engine_again(struct vms *s, bool is_other)
{
    if (s->looking && is_other) {
        om_vm_accel_cancel(s->looking);
        s->looking = NULL;
    }
    if (is_other || !s->is_known || s->accel.kind != OM_VM_ACCEL_KVM)
        look(s);
}

bool engine_is_known(const struct vms *s)
{
    return s->is_known && !s->looking && !*s->missing;
}

bool vms_has_failed_kvm(const struct vms *s)
{
    return s && engine_is_known(s) && s->accel.no_kvm == OM_VM_NO_KVM_FAILED;
}

void engine_failed(struct service_vm *v)
{
    char text[OM_VM_TEXT];

    (void)snprintf(text, sizeof text, "KVM failed it (%.90s): it starts anew under TCG, slower",
                   v->vm.text);
    vms_complain(v->hub, v->id, text);
    serve_tell(v, json_pack("{s:s, s:s, s:s}", "event", "warning", "vm", v->id, "text", text));
}

void engine_distrust(const struct service_vm *v)
{
    struct vms *s = v->hub;

    if (s->accel.kind != OM_VM_ACCEL_KVM) /* the owner may have said more since */
        return;
    s->accel.kind = OM_VM_ACCEL_TCG;
    s->accel.no_kvm = OM_VM_NO_KVM_FAILED;
    (void)snprintf(s->accel.reason, sizeof s->accel.reason,
                   "a guest failed under KVM (%.90s): using TCG (omerta provide on tries again)",
                   v->vm.text);
    offers_touch(s->d->offers);
    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l))
        om_vm_spare(&OM_CONTAINER_OF(l, struct service_vm, link)->vm);
}
