/* vm.c - one function for each thing that can happen, one for each way onward. */
#include "vm/core/vm.h"

#include <stdio.h>
#include <string.h>

static om_time after(om_time now, unsigned seconds)
{
    return now + OM_SEC(seconds);
}

static struct om_vm_act *push(struct om_vm *v, enum om_vm_act_kind kind)
{
    OM_BUG_IF(v->acts == OM_VM_ACTS_MAX);
    struct om_vm_act *a = &v->act[(v->act_at + v->acts++) % OM_VM_ACTS_MAX];

    *a = (struct om_vm_act){.kind = kind};
    return a;
}

static void command(struct om_vm *v, enum om_vm_qmp_command c)
{
    if (v->is_ready)
        push(v, OM_VM_ACT_COMMAND)->command = c;
}

static void enter(struct om_vm *v, enum om_vm_state s, om_time by)
{
    v->state = s;
    v->by = by;
    push(v, OM_VM_ACT_TELL)->state = s;
}

static void say(struct om_vm *v, const char *text)
{
    (void)snprintf(v->text, sizeof v->text, "%s", text ? text : "");
}

static void prepare(struct om_vm *v, om_time now)
{
    enter(v, OM_VM_PREPARING, after(now, OM_VM_PREPARE_S));
    v->has_files = true;
    v->is_preparing = true;
    push(v, OM_VM_ACT_PREPARE);
}

static void spawn(struct om_vm *v, om_time now)
{
    enter(v, OM_VM_STARTING, after(now, OM_VM_SPAWN_S));
    v->is_spawning = true;
    push(v, OM_VM_ACT_SPAWN);
}

static void connect(struct om_vm *v, om_time now)
{
    v->has_process = true;
    v->has_links = true;
    v->connects = 0;
    v->qmp_by = after(now, OM_VM_CONNECT_S);
    push(v, OM_VM_ACT_CONNECT);
}

/* The files are gone, or given up: so is the VM. */
static void done(struct om_vm *v)
{
    v->has_files = false;
    v->is_wiping = false;
    if (v->has_quota)
        push(v, OM_VM_ACT_GIVE_BACK);
    v->has_quota = false;
    enter(v, OM_VM_GONE, OM_NEVER);
}

/* There is no process any more. */
static void wipe(struct om_vm *v, om_time now)
{
    if (!v->has_files) {
        done(v);
        return;
    }
    enter(v, OM_VM_WIPING, after(now, OM_VM_WIPE_S));
    v->is_wiping = true;
    push(v, OM_VM_ACT_WIPE);
}

static void kill_it(struct om_vm *v, om_time now)
{
    push(v, OM_VM_ACT_KILL);
    v->by = after(now, OM_VM_KILL_S);
}

/* Onward from STOPPING, when nothing is awaited any more. */
static void stopped(struct om_vm *v, om_time now)
{
    if (v->again == OM_VM_PREPARING)
        prepare(v, now);
    else if (v->again == OM_VM_STARTING)
        spawn(v, now);
    else
        wipe(v, now);
    v->again = OM_VM_GONE;
}

/* @is_ending: the process ends by itself, and may finish its writing. */
static void stop(struct om_vm *v, om_time now, bool is_ending)
{
    bool is_gentle =
        v->end == OM_VM_END_RELEASED || v->end == OM_VM_END_EXPIRED || v->end == OM_VM_END_EVICTED;

    if (v->is_preparing) {
        enter(v, OM_VM_STOPPING, after(now, OM_VM_WIPE_S));
        push(v, OM_VM_ACT_CANCEL);
    } else if (v->is_spawning || v->is_adopting) {
        enter(v, OM_VM_STOPPING, after(now, OM_VM_SPAWN_S));
    } else if (!v->has_process) {
        stopped(v, now);
    } else if (is_gentle && v->state == OM_VM_RUNNING && v->is_ready) {
        enter(v, OM_VM_STOPPING, after(now, OM_VM_BUTTON_S));
        command(v, OM_VM_QMP_POWERDOWN);
    } else if (is_ending) {
        enter(v, OM_VM_STOPPING, after(now, OM_VM_BUTTON_S));
    } else {
        enter(v, OM_VM_STOPPING, OM_NEVER);
        kill_it(v, now);
    }
}

/* It ends, for this reason unless there was one before. */
static void finish(struct om_vm *v, om_time now, enum om_vm_end end, const char *text)
{
    if (v->end != OM_VM_END_NONE)
        return;
    v->end = end;
    v->again = OM_VM_GONE;
    v->qmp_by = OM_NEVER;
    say(v, text);
    if (v->state == OM_VM_STOPPING)
        push(v, OM_VM_ACT_TELL)->state = v->state; /* it was to come back, and will not */
    else
        stop(v, now, end == OM_VM_END_SHUT_DOWN);
}

/* Once more from @from, when the process is gone. */
static void restart(struct om_vm *v, om_time now, enum om_vm_state from, bool is_ending)
{
    v->again = from;
    v->qmp_by = OM_NEVER;
    stop(v, now, is_ending);
}

/* KVM is there and does not work: the same VM under TCG. What a guest that was not up yet wrote to
 * its disk is thrown away. */
static void fall_back(struct om_vm *v, om_time now, const char *text)
{
    v->engine = OM_VM_TCG;
    push(v, OM_VM_ACT_KVM_FAILED);
    if (!v->has_lease)
        push(v, OM_VM_ACT_DISTRUST_KVM);
    say(v, text);
    if (v->start_by != OM_NEVER) /* what KVM took is not the consumer's */
        v->start_by = now + v->config.timeout;
    restart(v, now, v->has_lease ? OM_VM_STARTING : OM_VM_PREPARING, false);
}

static void run(struct om_vm *v, om_time now)
{
    if (!v->has_lease)
        om_vm_lease_start(&v->lease, now, v->config.ttl, v->config.most);
    v->has_lease = true;
    v->start_by = OM_NEVER;
    v->is_disk_full = false;
    say(v, "");
    enter(v, OM_VM_RUNNING, OM_NEVER);
}

static bool is_starting(const struct om_vm *v)
{
    return v->state == OM_VM_STARTING || v->state == OM_VM_BOOTING;
}

/* QEMU is up and should work. */
static bool is_live(const struct om_vm *v)
{
    return v->has_process && v->state != OM_VM_STOPPING;
}

static void on_exited(struct om_vm *v, om_time now, const char *text)
{
    if (!v->has_process)
        return;
    if (v->has_links)
        push(v, OM_VM_ACT_DISCONNECT);
    v->has_process = v->has_links = v->is_ready = false;
    v->qmp_by = OM_NEVER;
    if (v->state == OM_VM_STOPPING)
        stopped(v, now);
    else if (v->engine == OM_VM_KVM && is_starting(v))
        fall_back(v, now, text ? text : "QEMU ended");
    else
        finish(v, now, OM_VM_END_DIED, text);
}

static void on_broken(struct om_vm *v, om_time now, const char *text)
{
    v->is_ready = false;
    v->qmp_by = OM_NEVER;
    if (!is_live(v))
        return;
    if (v->broke_at == 0 || now - v->broke_at > OM_SEC(OM_VM_CALM_S))
        v->connects = 0;
    v->broke_at = now;
    if (++v->connects > OM_VM_CONNECTS_MAX) {
        finish(v, now, OM_VM_END_FAILED, text);
        return;
    }
    v->qmp_by = after(now, OM_VM_CONNECT_S);
    push(v, OM_VM_ACT_CONNECT_QMP);
}

static void on_ready(struct om_vm *v, om_time now)
{
    v->is_ready = true;
    v->qmp_by = OM_NEVER;
    if (v->state == OM_VM_STARTING)
        enter(v, OM_VM_BOOTING,
              after(now, v->engine == OM_VM_KVM ? OM_VM_BOOT_KVM_S : OM_VM_BOOT_S));
    if (v->state == OM_VM_PAUSED && !v->is_disk_full)
        command(v, OM_VM_QMP_PAUSE);
    command(v, OM_VM_QMP_STATUS);
}

static void on_disk_full(struct om_vm *v, om_time now)
{
    bool is_told = v->state == OM_VM_PAUSED;

    if (v->state == OM_VM_BOOTING) {
        finish(v, now, OM_VM_END_FAILED, "the provider's disk is full");
        return;
    }
    if (is_told)
        return;
    v->is_disk_full = true;
    say(v, "the provider's disk is full");
    enter(v, OM_VM_PAUSED, after(now, OM_VM_RETRY_S));
}

static void on_status(struct om_vm *v, om_time now, const char *is)
{
    bool is_paused = v->state == OM_VM_PAUSED;

    if (strcmp(is, "internal-error") == 0 && v->engine == OM_VM_KVM)
        fall_back(v, now, "the processor's virtualisation cannot run this guest");
    else if (strcmp(is, "internal-error") == 0)
        finish(v, now, OM_VM_END_FAILED, "QEMU reports an internal error");
    else if (strcmp(is, "guest-panicked") == 0)
        finish(v, now, OM_VM_END_PANICKED, "");
    else if (strcmp(is, "shutdown") == 0)
        finish(v, now, OM_VM_END_SHUT_DOWN, "");
    else if (strcmp(is, "io-error") == 0)
        on_disk_full(v, now);
    else if (strcmp(is, "running") == 0 &&
             (v->state == OM_VM_LOST || (is_paused && v->is_disk_full)))
        run(v, now);
    else if (strcmp(is, "paused") == 0 && v->state == OM_VM_LOST)
        enter(v, OM_VM_PAUSED, OM_NEVER);
    else if (strcmp(is, "paused") == 0 && !is_paused)
        command(v, OM_VM_QMP_CONTINUE);
}

static void on_shutdown(struct om_vm *v, om_time now, const struct om_vm_qmp_event *e)
{
    bool is_reset = strcmp(e->text, "guest-reset") == 0;

    if (!e->is_guest)
        return; /* somebody ended QEMU: its exit follows */
    if (!is_reset) {
        finish(v, now, OM_VM_END_SHUT_DOWN, "");
    } else if (is_starting(v) && v->engine == OM_VM_KVM) {
        fall_back(v, now, "the guest fell over while it booted under KVM");
    } else if (is_starting(v)) {
        finish(v, now, OM_VM_END_FAILED, "the guest fell over while it booted");
    } else if (v->reboots == OM_VM_REBOOTS_MAX) {
        finish(v, now, OM_VM_END_FAILED, "the guest rebooted too often");
    } else {
        v->reboots++;
        say(v, "the guest rebooted");
        restart(v, now, OM_VM_STARTING, true);
    }
}

static void on_qmp(struct om_vm *v, om_time now, const struct om_vm_qmp_event *e)
{
    if (e->kind == OM_VM_QMP_BROKEN) {
        on_broken(v, now, e->text);
        return;
    }
    if (e->kind == OM_VM_QMP_REFUSED && e->command == OM_VM_QMP_POWERDOWN &&
        v->state == OM_VM_STOPPING && v->has_process)
        kill_it(v, now);
    if (!is_live(v))
        return;
    switch (e->kind) {
    case OM_VM_QMP_READY:
        on_ready(v, now);
        break;
    case OM_VM_QMP_IS:
        on_status(v, now, e->text);
        break;
    case OM_VM_QMP_STOPPED:
        if (v->state != OM_VM_PAUSED)
            command(v, OM_VM_QMP_STATUS);
        break;
    case OM_VM_QMP_RESUMED:
        if (v->state == OM_VM_PAUSED && v->is_disk_full)
            run(v, now);
        break;
    case OM_VM_QMP_PANICKED:
        finish(v, now, OM_VM_END_PANICKED, "");
        break;
    case OM_VM_QMP_SHUTDOWN:
        on_shutdown(v, now, e);
        break;
    case OM_VM_QMP_DONE:
    case OM_VM_QMP_REFUSED:
    case OM_VM_QMP_POWERED:
    case OM_VM_QMP_NIC_UP:
    case OM_VM_QMP_NIC_DOWN:
    case OM_VM_QMP_BROKEN:
        break;
    }
}

static void on_prepared(struct om_vm *v, om_time now, bool is_good, const char *text)
{
    if (!v->is_preparing) {
        /* too late: what it made after all has to go */
        if (is_good && (v->state == OM_VM_WIPING || v->state == OM_VM_GONE))
            push(v, OM_VM_ACT_WIPE);
        return;
    }
    v->is_preparing = false;
    if (v->state == OM_VM_STOPPING)
        stopped(v, now);
    else if (is_good)
        spawn(v, now);
    else
        finish(v, now, OM_VM_END_FAILED, text);
}

/* A process is there, or is not: newly started, or found. */
static void on_process(struct om_vm *v, om_time now, bool is_there, const char *text)
{
    bool was_awaited = v->is_spawning || v->is_adopting;

    if (!was_awaited) {
        if (is_there && !v->has_process)
            push(v, OM_VM_ACT_KILL); /* too late */
        return;
    }
    v->is_spawning = false;
    v->is_adopting = false;
    if (is_there)
        v->has_process = true;
    if (v->state != OM_VM_STOPPING && is_there) {
        connect(v, now);
    } else if (v->state != OM_VM_STOPPING) {
        finish(v, now, v->state == OM_VM_LOST ? OM_VM_END_DIED : OM_VM_END_FAILED, text);
    } else if (is_there) {
        kill_it(v, now);
    } else {
        stopped(v, now);
    }
}

static void on_pause(struct om_vm *v, const char *text)
{
    if (v->state != OM_VM_RUNNING && v->state != OM_VM_PAUSED)
        return;
    v->is_disk_full = false;
    say(v, text);
    enter(v, OM_VM_PAUSED, OM_NEVER);
    command(v, OM_VM_QMP_PAUSE);
}

static void on_resume(struct om_vm *v, om_time now)
{
    if (v->state != OM_VM_PAUSED || v->is_disk_full)
        return;
    run(v, now);
    command(v, OM_VM_QMP_CONTINUE);
}

static void on_admitted(struct om_vm *v, om_time now)
{
    if (v->state != OM_VM_REQUESTED) {
        push(v, OM_VM_ACT_GIVE_BACK); /* too late */
        return;
    }
    v->has_quota = true;
    v->start_by = now + v->config.timeout;
    prepare(v, now);
}

void om_vm_input(struct om_vm *v, om_time now, const struct om_vm_input *in)
{
    switch (in->kind) {
    case OM_VM_IN_ADMITTED:
        on_admitted(v, now);
        break;
    case OM_VM_IN_REFUSED:
        if (v->state == OM_VM_REQUESTED)
            finish(v, now, OM_VM_END_REFUSED, in->text);
        break;
    case OM_VM_IN_PREPARED:
    case OM_VM_IN_UNPREPARED:
        on_prepared(v, now, in->kind == OM_VM_IN_PREPARED, in->text);
        break;
    case OM_VM_IN_SPAWNED:
    case OM_VM_IN_ADOPTED:
        on_process(v, now, true, in->text);
        break;
    case OM_VM_IN_UNSPAWNED:
    case OM_VM_IN_UNADOPTED:
        on_process(v, now, false, in->text);
        break;
    case OM_VM_IN_EXITED:
        on_exited(v, now, in->text);
        break;
    case OM_VM_IN_WIPED:
        v->is_unclean |= in->text && in->text[0];
        if (v->is_wiping)
            done(v);
        break;
    case OM_VM_IN_GUEST_UP:
        if (v->has_process && is_starting(v))
            run(v, now);
        break;
    case OM_VM_IN_RELEASE:
        finish(v, now, OM_VM_END_RELEASED, "");
        break;
    case OM_VM_IN_EVICT:
        finish(v, now, OM_VM_END_EVICTED, in->text);
        break;
    case OM_VM_IN_VIOLATION:
        finish(v, now, OM_VM_END_VIOLATION, in->text);
        break;
    case OM_VM_IN_PAUSE:
        on_pause(v, in->text);
        break;
    case OM_VM_IN_RESUME:
        on_resume(v, now);
        break;
    case OM_VM_IN_QMP:
        on_qmp(v, now, in->qmp);
        break;
    case OM_VM_IN_COUNT:
        break;
    }
}

void om_vm_request(struct om_vm *v, om_time now, const struct om_vm_config *config)
{
    *v = (struct om_vm){.config = *config,
                        .engine = config->engine,
                        .again = OM_VM_GONE,
                        .start_by = OM_NEVER,
                        .qmp_by = OM_NEVER};
    enter(v, OM_VM_REQUESTED, now + config->wait);
}

void om_vm_recover(struct om_vm *v, om_time now, const struct om_vm_config *config, om_time left,
                   om_time most_left)
{
    om_vm_request(v, now, config);
    v->acts = 0;
    v->has_quota = v->has_files = v->has_lease = v->is_adopting = true;
    om_vm_lease_restart(&v->lease, now, config->ttl, left, most_left);
    enter(v, OM_VM_LOST, after(now, OM_VM_ADOPT_S));
    push(v, OM_VM_ACT_ADOPT);
}

static bool is_timed(const struct om_vm *v)
{
    return v->end == OM_VM_END_NONE &&
           (v->state == OM_VM_PREPARING || is_starting(v) || v->state == OM_VM_STOPPING);
}

om_time om_vm_deadline(const struct om_vm *v)
{
    om_time at = om_time_min(v->by, v->qmp_by);

    if (v->state == OM_VM_GONE)
        return OM_NEVER;
    if (is_timed(v))
        at = om_time_min(at, v->start_by);
    if (v->has_lease && v->end == OM_VM_END_NONE)
        at = om_time_min(at, om_vm_lease_deadline(&v->lease));
    return at;
}

/* STOPPING took too long. A process that does not end keeps its memory: so it is killed again and
 * again, and its reservation stays until it is gone. */
static void stop_late(struct om_vm *v, om_time now)
{
    if (v->has_process) {
        kill_it(v, now);
        return;
    }
    v->is_unclean = true;
    v->is_preparing = v->is_spawning = v->is_adopting = false;
    stopped(v, now);
}

static void state_late(struct om_vm *v, om_time now)
{
    switch (v->state) {
    case OM_VM_REQUESTED:
        finish(v, now, OM_VM_END_TIMEOUT, "nobody admitted it in time");
        break;
    case OM_VM_PREPARING:
        finish(v, now, OM_VM_END_TIMEOUT, "image and disk were not ready in time");
        break;
    case OM_VM_STARTING:
        finish(v, now, OM_VM_END_FAILED, "QEMU did not start in time");
        break;
    case OM_VM_BOOTING:
        if (v->engine == OM_VM_KVM)
            fall_back(v, now, "the guest did not come up under KVM");
        else
            finish(v, now, OM_VM_END_TIMEOUT, "the guest did not come up");
        break;
    case OM_VM_PAUSED:
        command(v, OM_VM_QMP_CONTINUE);
        command(v, OM_VM_QMP_STATUS);
        v->by = after(now, OM_VM_RETRY_S);
        break;
    case OM_VM_LOST:
        finish(v, now, OM_VM_END_DIED, "its process could not be taken over");
        break;
    case OM_VM_STOPPING:
        stop_late(v, now);
        break;
    case OM_VM_WIPING:
        v->is_unclean = true;
        done(v);
        break;
    case OM_VM_RUNNING:
    case OM_VM_GONE:
    case OM_VM_STATE_COUNT:
        break;
    }
}

static void tick_lease(struct om_vm *v, om_time now)
{
    struct om_vm_lease_event e;

    while (v->has_lease && v->end == OM_VM_END_NONE && om_vm_lease_next(&v->lease, now, &e)) {
        if (e.kind == OM_VM_LEASE_EXPIRED)
            finish(v, now, OM_VM_END_EXPIRED, "");
        else
            push(v, OM_VM_ACT_WARN)->lease = e;
    }
}

void om_vm_spare(struct om_vm *v)
{
    if (v->state == OM_VM_REQUESTED || v->state == OM_VM_PREPARING)
        v->engine = OM_VM_TCG;
}

void om_vm_tick(struct om_vm *v, om_time now)
{
    if (v->state == OM_VM_GONE)
        return;
    tick_lease(v, now);
    if (is_timed(v) && v->start_by <= now)
        finish(v, now, OM_VM_END_TIMEOUT, "it was not running within its timeout");
    if (v->qmp_by <= now)
        on_broken(v, now, "QEMU's monitor could not be reached");
    if (v->by <= now)
        state_late(v, now);
}

bool om_vm_next(struct om_vm *v, struct om_vm_act *out)
{
    if (v->acts == 0)
        return false;
    *out = v->act[v->act_at];
    v->act_at = (v->act_at + 1) % OM_VM_ACTS_MAX;
    v->acts--;
    return true;
}
