/* hub.c - the beginning of the virtual machines' hub, when they are looked at, and its end. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "service/jobs.h"
#include "service/offers.h"
#include "service/parts.h"

enum { US_PER_MS = 1000, AT_ONCE_MS = 0, LAST_MS = 20 };

static void on_timer(uv_timer_t *t);

void vms_touch(struct vms *s)
{
    if (!uv_is_closing((uv_handle_t *)&s->timer))
        (void)uv_timer_start(&s->timer, on_timer, AT_ONCE_MS, 0);
    offers_touch(s->d->offers);
}

void vms_kick(const struct vms *s)
{
    if (!s->is_closing) /* else the calls may be gone: machines end after them */
        om_calls_kick(s->d->calls);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct vms *s = h->data;

    om_vm_spawner_close(s->spawner);
    om_vm_ledger_close(s->ledger);
    admit_close(s);
    free(s);
}

/* Nothing of ours is at work for it. */
static bool is_idle(const struct service_vm *v)
{
    return v->jobs == 0 && !v->disk && !v->seed;
}

/* Is @v for the next daemon? One that is gone is not: its consumer still hears so from us. */
static bool is_left(const struct service_vm *v, om_time now)
{
    const struct vms *s = v->hub;

    return is_idle(v) &&
           ((s->is_lost && !machine_is_over(v)) || (s->is_closing && s->close_by <= now));
}

/* Its process, folder and row stay, for the next daemon. */
static void leave(struct service_vm *v)
{
    om_vm_process_close(v->process);
    v->process = NULL;
    (void)om_vm_quota_release(&v->hub->quota, v->number);
    om_list_remove(&v->link);
    v->hub->count--;
    machine_free(v);
}

static void on_timer(uv_timer_t *t)
{
    struct vms *s = t->data;
    om_time now = om_clock_now(), at = s->is_closing ? s->close_by : OM_NEVER;

    admit_tick(s, now);
    at = om_time_min(at, admit_deadline(s));
    jobs_tick(s, now);
    serve_shorts(s, now);
    at = om_time_min(at, serve_shorts_deadline(s));
    for (struct om_link *l = om_list_first(&s->machines), *next; l; l = next) {
        struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        next = om_list_next(&s->machines, l);
        if (is_left(v, now)) {
            leave(v);
            continue;
        }
        if (v->is_unsure && !s->is_lost) {
            v->is_unsure = false;
            v->ident.pid = 0;
            machine_input(v, OM_VM_IN_EXITED, "QEMU ended");
        }
        plugs_tick(v, now);
        gate_tick(v, now);
        if (om_vm_deadline(&v->vm) <= now)
            om_vm_tick(&v->vm, now);
        machine_drain(v);
        serve_tick(v, now);
        if (machine_is_over(v) && (!v->owner.is_open || s->is_closing)) {
            om_list_remove(&v->link);
            s->count--;
            machine_free(v);
            continue;
        }
        at = om_time_min(at, om_time_min(om_vm_deadline(&v->vm), serve_deadline(v)));
        at = om_time_min(at, om_time_min(plugs_deadline(v), gate_deadline(v)));
    }
    at = om_time_min(at, jobs_deadline(s));
    vms_kick(s);
    (void)uv_timer_stop(t); /* what was done asked for another round at once; it just was made */
    if (s->is_closing && s->count == 0) {
        /* The test guest was killed, and its end is still to be heard of. */
        if (s->spawner && !om_vm_spawner_is_idle(s->spawner))
            (void)uv_timer_start(t, on_timer, LAST_MS, 0);
        else
            uv_close((uv_handle_t *)t, on_timer_closed);
        return;
    }
    if (at != OM_NEVER)
        (void)uv_timer_start(t, on_timer,
                             at <= now ? 1 : (uint64_t)((at - now + US_PER_MS - 1) / US_PER_MS), 0);
}

/* The programs that are run; without them there are no machines, and why is kept. */
static bool find_programs(struct vms *s)
{
    ssize_t n = readlink("/proc/self/exe", s->self_path, sizeof s->self_path - 1);

    s->self_path[n > 0 ? n : 0] = 0;
    if (om_vm_process_find(s->qemu, sizeof s->qemu, "qemu-system-x86_64", NULL) == OM_OK &&
        om_vm_process_find(s->qemu_img, sizeof s->qemu_img, "qemu-img", NULL) == OM_OK && n > 0)
        return true;
    (void)snprintf(s->missing, sizeof s->missing,
                   "QEMU is not installed here (apt install qemu-system-x86 qemu-utils, then start"
                   " the daemon again)");
    return false;
}

/* It died: what it watched was told to have ended in an unknown way, and goes on. */
static void on_spawner_lost(void *self)
{
    struct vms *s = self;

    (void)snprintf(s->missing, sizeof s->missing,
                   "the process that starts programs ended (start the daemon again)");
    vms_complain(s, "", s->missing);
    builder_close(s);
    om_vm_spawner_close(s->spawner);
    s->spawner = NULL;
    s->is_lost = true;
    vms_touch(s);
}

static bool start_spawner(struct vms *s, struct om_error *err)
{
    const char *argv[] = {s->self_path, "--vm-spawner", s->qemu, s->qemu_img,
                          s->self_path, NULL,           NULL};
    const struct om_vm_spawner_config config = {
        .loop = &s->d->loop, .argv = argv, .on_lost = on_spawner_lost, .self = s};

    builder_find(s);
    if (*s->build_tool)
        argv[5] = s->build_tool;
    return om_vm_spawner_open(&s->spawner, &config, err) == OM_OK;
}

static bool open_files(struct vms *s, struct om_error *err)
{
    char path[OM_PATH_MAX];

    if (om_home_sub(s->d->home, "vms", err) != OM_OK ||
        om_home_sub(s->d->home, "images", err) != OM_OK ||
        !provide_load(&s->provide, s->d->place.home, err))
        return false;
    if (!om_home_join(s->d->home, path, sizeof path, "vm.db"))
        return om_fail(err, OM_E_RANGE, "the path of the home is too long") == OM_OK;
    return om_vm_ledger_open(&s->ledger, path, err) == OM_OK;
}

bool vms_open(struct vms **out, struct om_daemon *d, struct om_error *err)
{
    struct vms *s = calloc(1, sizeof *s);

    (void)om_fail(err, OM_E_NO_MEM, "no memory for virtual machines");
    if (!s || uv_timer_init(&d->loop, &s->timer) < 0) {
        free(s);
        return false;
    }
    s->d = d;
    s->timer.data = s;
    om_list_init(&s->machines);
    om_list_init(&s->shorts);
    om_list_init(&s->jobs);
    *out = s;
    if (!open_files(s, err))
        return false;
    if (find_programs(s) && !start_spawner(s, err)) /* the rest of the node is none the worse */
        (void)snprintf(s->missing, sizeof s->missing, "no program can be started: %.150s",
                       err->msg);
    om_vm_quota_init(&s->quota, &s->provide.limits);
    if (!admit_open(s, err))
        return false;
    gate_open(s);
    if (!rows_recall(s, err))
        return false;
    if (s->provide.is_on)
        engine_look(s);
    vms_touch(s);
    return true;
}

void vms_close(struct vms *s)
{
    if (!s)
        return;
    s->is_closing = true;
    s->close_by = om_clock_now() + OM_SEC(VM_CLOSE_S);
    serve_close(s);
    jobs_close(s);
    if (s->looking)
        om_vm_accel_cancel(s->looking);
    s->looking = NULL;
    builder_close(s);
    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l)) {
        struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        serve_drop(v);
        machine_input(v, OM_VM_IN_EVICT, "its provider stops");
        if (v->process) /* whose guest is given no time: this process is waited for */
            (void)om_vm_process_signal(v->process, SIGKILL);
    }
    vms_touch(s);
}
