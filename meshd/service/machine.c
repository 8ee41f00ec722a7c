/* machine.c - one machine: what vm/core wants done is done here, what comes of it goes back in. */
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/text.h>

#include "control/parts.h"
#include "host/clock.h"
#include "service/parts.h"

enum {
    SAID_MAX = 100,
    QEMU_FILES = 256,
    QEMU_NICE = 5,
    SPARE_MIB = 512, /* what the file of a disk has beside the guest's bytes */
    US_PER_S = 1000000,
    BYTES_PER_MIB = 1024 * 1024
};

/* The last line that QEMU wrote, escaped, or "". */
static void last_words(const struct service_vm *v, char out[static SAID_MAX])
{
    char path[OM_PATH_MAX + 16], tail[SAID_MAX * 2] = "";

    out[0] = 0;
    (void)snprintf(path, sizeof path, "%s/qemu.log", v->folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > (off_t)sizeof tail ? size - (off_t)sizeof tail : 0;
    ssize_t n = pread(fd, tail, sizeof tail - 1, from);
    (void)close(fd);
    while (n > 0 && tail[n - 1] == '\n')
        tail[--n] = 0;
    if (n <= 0)
        return;
    const char *line = strrchr(tail, '\n');
    line = line ? line + 1 : tail;
    (void)om_text_escape(out, SAID_MAX, om_bytes(line, strlen(line)));
}

static void on_exit_of(void *self, const struct om_vm_exit *how)
{
    struct service_vm *v = self;
    char text[OM_VM_TEXT], said[SAID_MAX];

    last_words(v, said);
    if (how->is_known && how->signal)
        (void)snprintf(text, sizeof text, "QEMU was ended by signal %d%s%s", how->signal,
                       *said ? ": " : "", said);
    else
        (void)snprintf(text, sizeof text, "QEMU ended with %d%s%s", how->code, *said ? ": " : "",
                       said);
    om_vm_process_close(v->process);
    v->process = NULL;
    if (!how->is_known) { /* so says a spawner that dies, too; in a moment we know */
        v->is_unsure = true;
        vms_touch(v->hub);
        return;
    }
    v->ident.pid = 0;
    machine_input(v, OM_VM_IN_EXITED, text);
}

/* Paths of the machine's command line. */
struct paths {
    char kernel[OM_PATH_MAX], initrd[OM_PATH_MAX], disk[OM_PATH_MAX + 16], seed[OM_PATH_MAX + 16],
        base[OM_PATH_MAX], log[OM_PATH_MAX + 16];
};

static bool find_paths(struct service_vm *v, struct paths *p)
{
    const char *home = v->hub->d->place.home;
    const char *disk = om_vm_image_find_file(&v->image, "disk.qcow2") ? "disk.qcow2" : "disk.raw";
    int n = 0;

    n |= snprintf(p->kernel, sizeof p->kernel, "%s/images/%s/vmlinux", home, v->image.name) >=
         (int)sizeof p->kernel;
    n |= snprintf(p->initrd, sizeof p->initrd, "%s/images/%s/initrd", home, v->image.name) >=
         (int)sizeof p->initrd;
    n |= snprintf(p->base, sizeof p->base, "%s/images/%s/%s", home, v->image.name, disk) >=
         (int)sizeof p->base;
    (void)snprintf(p->disk, sizeof p->disk, "%s/disk.qcow2", v->folder);
    (void)snprintf(p->seed, sizeof p->seed, "%s/seed.iso", v->folder);
    (void)snprintf(p->log, sizeof p->log, "%s/qemu.log", v->folder);
    return n == 0;
}

static enum om_err build(struct service_vm *v, const struct paths *p, struct om_vm_args *args,
                         struct om_error *err)
{
    bool has_kernel = om_vm_image_find_file(&v->image, "vmlinux") != NULL;
    bool is_qcow2 = om_vm_image_find_file(&v->image, "disk.qcow2") != NULL;
    bool has_base = is_qcow2 || om_vm_image_find_file(&v->image, "disk.raw");
    struct om_vm_machine m = {.qemu = v->hub->qemu,
                              .name = v->id,
                              .folder = v->folder,
                              .kernel = has_kernel ? p->kernel : NULL,
                              .initrd = has_kernel ? p->initrd : NULL,
                              .append = has_kernel ? v->image.cmdline : NULL,
                              .disk = has_base || v->spec.disk_mib > 0 ? p->disk : NULL,
                              .base = has_base ? p->base : NULL,
                              .is_base_qcow2 = is_qcow2,
                              .seed = p->seed,
                              .engine = v->vm.engine,
                              .cpus = v->spec.cpus,
                              .memory_mib = v->spec.memory_mib,
                              .mtu = VM_MTU};

    machine_mac(v, m.mac);
    return om_vm_args_build(args, &m, err);
}

/* The sockets that an earlier QEMU of this machine left would be in the way of the next. */
static void remove_sockets(const struct service_vm *v)
{
    static const char *const names[] = {"qmp.sock", "nic.sock", "agent.sock", "console.sock"};
    char path[OM_PATH_MAX + 16];

    for (unsigned i = 0; i < OM_ARRAY_SIZE(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", v->folder, names[i]);
        (void)unlink(path);
    }
}

static enum om_err start(struct service_vm *v, struct om_error *err)
{
    const char *argv[OM_VM_ARGV_MAX + 1];

    if (!v->hub->spawner) /* seccomp would end this process for starting anything itself */
        return om_fail(err, OM_E_STATE, "%s", v->hub->missing);
    struct om_vm_args *args = calloc(1, sizeof *args);
    struct paths *p = calloc(1, sizeof *p);
    enum om_err e = OM_E_NO_MEM;

    if (args && p)
        e = find_paths(v, p) ? build(v, p, args, err)
                             : om_fail(err, OM_E_RANGE, "the path of the home is too long");
    if (e == OM_OK) {
        for (unsigned i = 0; i <= args->argc; i++)
            argv[i] = args->argv[i];
        const struct om_vm_process_config config = {
            .loop = &v->hub->d->loop,
            .via = v->hub->spawner,
            .argv = argv,
            .folder = v->folder,
            .log = p->log,
            .limits = {.file_bytes = ((uint64_t)v->spec.disk_mib + SPARE_MIB) * BYTES_PER_MIB,
                       .files = QEMU_FILES,
                       .nice = QEMU_NICE},
            .on_exit = on_exit_of,
            .self = v};
        remove_sockets(v);
        e = om_vm_process_spawn(&v->process, &config, err);
    }
    free(args);
    free(p);
    return e;
}

/* What an act came to; who drains goes on with it. */
static void put(struct service_vm *v, enum om_vm_input_kind kind, const char *text)
{
    const struct om_vm_input in = {.kind = kind, .text = text};

    om_vm_input(&v->vm, om_clock_now(), &in);
}

static void spawn(struct service_vm *v)
{
    struct om_error err = {.msg = "no memory"};

    if (start(v, &err) != OM_OK) {
        put(v, OM_VM_IN_UNSPAWNED, err.msg);
        return;
    }
    v->ident = *om_vm_process_ident(v->process);
    if (!rows_put(v, &err)) { /* what nobody would remember must not run */
        (void)om_vm_process_signal(v->process, SIGKILL);
        om_vm_process_close(v->process);
        v->process = NULL;
        v->ident.pid = 0;
        put(v, OM_VM_IN_UNSPAWNED, err.msg);
        return;
    }
    put(v, OM_VM_IN_SPAWNED, NULL);
}

static void adopt(struct service_vm *v)
{
    struct om_error err = {.msg = ""};
    char log[OM_PATH_MAX + 16];
    const struct om_vm_process_config config = {.loop = &v->hub->d->loop,
                                                .via = v->hub->spawner,
                                                .log = log,
                                                .on_exit = on_exit_of,
                                                .self = v};

    (void)snprintf(log, sizeof log, "%s/qemu.log", v->folder);
    enum om_err e = OM_E_MISSING;
    if (v->ident.pid != 0 && !v->hub->spawner) /* QEMU is not found any more; and nobody else may */
        e = om_fail(&err, OM_E_STATE, "%s", v->hub->missing);
    else if (v->ident.pid != 0)
        e = om_vm_process_adopt(&v->process, &config, &v->ident, &err);
    if (e == OM_OK) {
        put(v, OM_VM_IN_ADOPTED, NULL);
        return;
    }
    if (e == OM_E_MISSING) {
        v->ident.pid = 0;
        put(v, OM_VM_IN_UNADOPTED, *err.msg ? err.msg : "it was not running");
        return;
    }
    /* It may run, and who forgot it could never end it. */
    if (v->hub->spawner)
        (void)snprintf(v->hub->missing, sizeof v->hub->missing,
                       "a machine of an earlier run cannot be looked at (start the daemon again)");
    vms_complain(v->hub, v->id, err.msg);
    v->hub->is_lost = true;
    vms_touch(v->hub);
}

/* Why it ends, or what is done for it. A timeout that a build ate is said to be that. */
static const char *text_of(const struct service_vm *v, char out[static 2 * OM_VM_TEXT])
{
    const struct om_vm *m = &v->vm;

    if (!*v->note || (m->end != OM_VM_END_NONE && m->end != OM_VM_END_TIMEOUT))
        return m->text;
    if (m->end == OM_VM_END_NONE)
        return v->note;
    (void)snprintf(out, (size_t)2 * OM_VM_TEXT,
                   "not within its timeout (%.80s); that goes on, ask again", v->note);
    return out;
}

void machine_tell_again(struct service_vm *v)
{
    json_t *event = machine_json(v);

    (void)json_object_set_new(event, "event", json_string("state"));
    serve_tell(v, event);
}

void machine_note(struct service_vm *v, const char *note)
{
    (void)snprintf(v->note, sizeof v->note, "%s", note);
    if (*note)
        machine_tell_again(v);
}

json_t *machine_json(const struct service_vm *v)
{
    om_time now = om_clock_now();
    char id[OM_ID_TEXT], address[32], text[2 * OM_VM_TEXT];
    const struct om_vm *m = &v->vm;
    const char *held = admit_text(v), *said = held ? held : text_of(v, text);
    bool is_up = m->has_lease && m->end == OM_VM_END_NONE;
    json_t *left = is_up ? json_integer((m->lease.until - now) / US_PER_S) : json_null();

    (void)snprintf(address, sizeof address, "10.77.%u.2", v->slot);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:I}", "vm", v->id,
        "key", v->key, "consumer", om_id_print(&v->consumer, id), "state",
        om_vm_state_name(m->state), "end", m->end == OM_VM_END_NONE ? "" : om_vm_end_name(m->end),
        "text", control_text(said, strlen(said)), "left_s", left, "address", address, "host_key",
        v->host_key, "image", v->spec.image, "cpus", (json_int_t)v->spec.cpus, "memory_mib",
        (json_int_t)v->spec.memory_mib, "disk_mib", (json_int_t)v->spec.disk_mib, "engine",
        om_vm_engine_name(m->engine), "pid", (json_int_t)v->ident.pid);
}

static void tell(struct service_vm *v, enum om_vm_state state)
{
    json_t *event = machine_json(v);
    struct om_error err = {.msg = ""};

    if (state == OM_VM_GONE) {
        rows_forget(v);
        admit_over(v);
    }
    if (v->vm.state != OM_VM_GONE && !rows_put(v, &err))
        vms_complain(v->hub, v->id, err.msg);
    (void)json_object_set_new(event, "event", json_string("state"));
    (void)json_object_set_new(event, "state", json_string(om_vm_state_name(state)));
    serve_tell(v, event);
    if (state == OM_VM_GONE)
        serve_drop(v);
}

static void warn(struct service_vm *v, const struct om_vm_lease_event *lease)
{
    char left[OM_DURATION_TEXT], text[OM_VM_TEXT];

    (void)snprintf(text, sizeof text, "its lease ends soon, in %s%s",
                   om_duration_print(lease->left - lease->left % US_PER_S, left, sizeof left),
                   lease->is_final ? ": its provider allows no more" : "");
    serve_tell(v, json_pack("{s:s, s:s, s:I, s:b, s:s}", "event", "warning", "vm", v->id, "left_s",
                            (json_int_t)(lease->left / US_PER_S), "is_final",
                            lease->is_final ? 1 : 0, "text", text));
}

static void act(struct service_vm *v, const struct om_vm_act *a)
{
    switch (a->kind) {
    case OM_VM_ACT_PREPARE:
        prepare_start(v);
        break;
    case OM_VM_ACT_CANCEL:
        prepare_cancel(v);
        break;
    case OM_VM_ACT_SPAWN:
        spawn(v);
        break;
    case OM_VM_ACT_CONNECT:
        for (unsigned i = 0; i < VM_PLUGS; i++)
            plugs_connect(v, (enum vm_plug_kind)i);
        break;
    case OM_VM_ACT_CONNECT_QMP:
        plugs_connect(v, VM_PLUG_QMP);
        break;
    case OM_VM_ACT_DISCONNECT:
        plugs_drop(v);
        break;
    case OM_VM_ACT_COMMAND:
        plugs_command(v, a->command);
        break;
    case OM_VM_ACT_KILL:
        if (v->process)
            (void)om_vm_process_signal(v->process, SIGKILL);
        break;
    case OM_VM_ACT_ADOPT:
        adopt(v);
        break;
    case OM_VM_ACT_WIPE:
        prepare_wipe(v);
        break;
    case OM_VM_ACT_GIVE_BACK:
        (void)om_vm_quota_release(&v->hub->quota, v->number);
        break;
    case OM_VM_ACT_KVM_FAILED:
        engine_failed(v);
        break;
    case OM_VM_ACT_DISTRUST_KVM:
        engine_distrust(v);
        break;
    case OM_VM_ACT_TELL:
        tell(v, a->state);
        break;
    case OM_VM_ACT_WARN:
        warn(v, &a->lease);
        break;
    case OM_VM_ACT_COUNT:
        break;
    }
}

void machine_drain(struct service_vm *v)
{
    struct om_vm_act a;

    if (v->is_draining)
        return;
    v->is_draining = true;
    while (om_vm_next(&v->vm, &a))
        act(v, &a);
    v->is_draining = false;
    vms_touch(v->hub);
}

void machine_input(struct service_vm *v, enum om_vm_input_kind kind, const char *text)
{
    put(v, kind, text);
    machine_drain(v);
}

void machine_qmp(struct service_vm *v, const struct om_vm_qmp_event *e)
{
    const struct om_vm_input in = {.kind = OM_VM_IN_QMP, .qmp = e};

    om_vm_input(&v->vm, om_clock_now(), &in);
    machine_drain(v);
}

void machine_mac(const struct service_vm *v, uint8_t out[static OM_STACK_MAC])
{
    const uint8_t mac[OM_STACK_MAC] = {0x52, 0x54, 0, 0x4f, 0x4d, (uint8_t)v->slot};

    memcpy(out, mac, sizeof mac);
}

bool machine_is_over(const struct service_vm *v)
{
    return v->vm.state == OM_VM_GONE && v->jobs == 0 && !v->disk && !v->seed && !v->process &&
           !v->is_draining;
}

void machine_free(struct service_vm *v)
{
    plugs_drop(v);
    serve_cut(v); /* a stream that only ends would still be heard of */
    om_vm_qmp_fini(&v->qmp);
    free(v->console);
    free(v);
}
