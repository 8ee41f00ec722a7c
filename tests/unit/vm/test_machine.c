/* test_machine.c - vm/core's command line, vm/host's files and process, and a real QEMU. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "qemu.h"
#include "vm/core/qemu_args.h"
#include "vm/core/qmp.h"
#include "vm/core/seed.h"
#include "vm/host/console.h"
#include "vm/host/disk.h"
#include "vm/host/seed_job.h"
#include "vm/host/socket.h"
#include "vm/host/spawner.h"
#include "vm/host/wipe.h"

enum { MEMORY_MIB = 128, OVERHEAD_MIB = 1024 };

struct rig {
    struct loop loop;
    char qemu[OM_VM_PATH_MAX], qemu_img[OM_VM_PATH_MAX];
    char vm[FOLDER_MAX + 16], disk[FOLDER_MAX + 32], seed[FOLDER_MAX + 32], log[FOLDER_MAX + 32];
    char kernel[512], initrd[512];
    struct om_vm_spawner *spawner;
    struct om_vm_process *process;
    struct om_vm_socket *qmp_socket, *console_socket;
    struct om_vm_qmp qmp;
    struct om_vm_console console;
    struct om_vm_args args;
    struct om_vm_exit how;
    struct om_error err;
    bool is_done, is_ready, is_told, has_ended, has_said; /* told: ready, or never will be */
    enum om_err e;
    uint64_t begun_ns;
    const char *awaited; /* on the console */
};

static om_time now_of(const struct rig *r)
{
    return (om_time)uv_now(&r->loop.uv) * 1000;
}

static void on_done(void *self, enum om_err e, const char *why)
{
    struct rig *r = self;

    if (e != OM_OK)
        print_message("%s\n", why);
    r->e = e;
    r->is_done = true;
}

static void on_exit_of(void *self, const struct om_vm_exit *how)
{
    struct rig *r = self;

    r->how = *how;
    r->has_ended = true;
}

static bool drive_qmp(struct rig *r)
{
    struct om_vm_qmp_event event;

    while (om_vm_qmp_next(&r->qmp, &event)) {
        if (event.kind == OM_VM_QMP_READY)
            r->is_ready = true;
        r->is_told = r->is_told || event.kind == OM_VM_QMP_READY || event.kind == OM_VM_QMP_BROKEN;
    }
    struct om_bytes out = om_vm_qmp_out(&r->qmp);
    if (out.n == 0)
        return true;
    if (!r->qmp_socket || om_vm_socket_send(r->qmp_socket, out.p, out.n) != OM_OK) {
        r->is_told = true;
        return false;
    }
    om_vm_qmp_sent(&r->qmp, out.n);
    return true;
}

static void on_qmp_bytes(void *self, const uint8_t *p, size_t n)
{
    struct rig *r = self;

    om_vm_qmp_input(&r->qmp, om_bytes(p, n));
    (void)drive_qmp(r);
}

static void on_qmp_close(void *self, enum om_err e OM_UNUSED, const char *why OM_UNUSED)
{
    struct rig *r = self;

    r->qmp_socket = NULL;
}

static void on_console_bytes(void *self, const uint8_t *p, size_t n)
{
    static char text[OM_VM_CONSOLE_BYTES + 1];
    struct rig *r = self;
    uint64_t place = 0;

    om_vm_console_add(&r->console, p, n);
    text[om_vm_console_read(&r->console, &place, text, sizeof text - 1, NULL)] = 0;
    r->has_said = r->awaited && strstr(text, r->awaited);
}

static void on_console_close(void *self, enum om_err e OM_UNUSED, const char *why OM_UNUSED)
{
    struct rig *r = self;

    r->console_socket = NULL;
}

static bool rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    CHECK(loop_init(&r->loop));
    folder_at(r->vm, r->loop.top, "vm");
    (void)snprintf(r->disk, sizeof r->disk, "%s/disk", r->vm);
    (void)snprintf(r->seed, sizeof r->seed, "%s/seed.iso", r->vm);
    (void)snprintf(r->log, sizeof r->log, "%s/log", r->vm);
    CHECK_EQ(mkdir(r->vm, 0700), 0);
    if (!qemu_find(r->qemu))
        return false;
    if (om_vm_process_find(r->qemu_img, sizeof r->qemu_img, "qemu-img", NULL) == OM_OK)
        return true;
    print_message("skipped: qemu-img is not installed\n");
    return false;
}

static void rig_fini(struct rig *r)
{
    if (r->process && !r->has_ended)
        (void)om_vm_process_signal(r->process, SIGKILL);
    if (r->qmp_socket)
        om_vm_socket_close(r->qmp_socket);
    if (r->console_socket)
        om_vm_socket_close(r->console_socket);
    om_vm_process_close(r->process);
    om_vm_spawner_close(r->spawner);
    om_vm_qmp_fini(&r->qmp);
    CHECK(loop_fini(&r->loop));
}

static enum om_err make_files(struct rig *r)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0, 1, 2, 3};
    static const char *const helper[] = {OM_VM_HELPER, "--make-seed", NULL};
    struct om_vm_seed seed = {.instance_id = "vm-1", .hostname = "guest", .mac = mac};
    struct om_vm_seed_texts texts = {NULL, NULL, NULL};
    struct om_vm_seed_job *j = NULL;
    struct om_vm_disk *d = NULL;

    enum om_err e = om_vm_seed_build(&texts, &seed, &r->err);
    if (e != OM_OK)
        return e;
    const struct om_vm_iso_file files[] = {
        {"user-data", texts.user_data, strlen(texts.user_data)},
        {"meta-data", texts.meta_data, strlen(texts.meta_data)},
        {"network-config", texts.network_config, strlen(texts.network_config)}};
    struct om_vm_seed_job_config c = {&r->loop.uv, r->spawner, helper,  r->vm, "seed.iso",
                                      files,       3,          on_done, r};
    e = om_vm_seed_job_start(&j, &c, &r->err);
    om_vm_seed_texts_fini(&texts);
    if (e != OM_OK)
        return e;
    CHECK(loop_until(&r->loop, &r->is_done));
    CHECK_OK(r->e);
    struct om_vm_disk_config disk = {.loop = &r->loop.uv,
                                     .via = r->spawner,
                                     .qemu_img = r->qemu_img,
                                     .folder = r->vm,
                                     .name = "disk",
                                     .bytes = 1 << 30,
                                     .on_done = on_done,
                                     .self = r};
    r->is_done = false;
    e = om_vm_disk_start(&d, &disk, &r->err);
    if (e != OM_OK)
        return e;
    CHECK(loop_until(&r->loop, &r->is_done));
    CHECK_OK(r->e);
    return OM_OK;
}

static enum om_err start(struct rig *r)
{
    struct om_vm_machine m = {.qemu = r->qemu,
                              .name = "guest, with a comma",
                              .folder = r->vm,
                              .kernel = r->kernel[0] ? r->kernel : NULL,
                              .initrd = r->initrd[0] ? r->initrd : NULL,
                              .append = "console=ttyS0 panic=-1",
                              .disk = r->disk,
                              .seed = r->seed,
                              .engine = OM_VM_TCG,
                              .cpus = 1,
                              .memory_mib = MEMORY_MIB,
                              .disk_bytes_per_s = 100 << 20,
                              .mac = {0x52, 0x54, 0, 1, 2, 3},
                              .mtu = 1400};
    enum om_err e = om_vm_args_build(&r->args, &m, &r->err);
    if (e != OM_OK)
        return e;
    struct om_vm_process_config c = {
        .loop = &r->loop.uv,
        .via = r->spawner,
        .argv = (const char *const *)r->args.argv,
        .folder = r->vm,
        .log = r->log,
        .limits = {.memory_bytes = (uint64_t)(MEMORY_MIB + OVERHEAD_MIB) << 20,
                   .file_bytes = 2UL << 30,
                   .files = 64,
                   .nice = 5},
        .on_exit = on_exit_of,
        .self = r};
    r->begun_ns = uv_hrtime();
    return om_vm_process_spawn(&r->process, &c, &r->err);
}

static enum om_err connect_to(struct rig *r)
{
    struct om_vm_socket_config qmp = {&r->loop.uv, r->vm,        "qmp.sock",   60000,
                                      NULL,        on_qmp_bytes, on_qmp_close, r};
    struct om_vm_socket_config console = {
        &r->loop.uv, r->vm, "console.sock", 60000, NULL, on_console_bytes, on_console_close, r};
    enum om_err e = om_vm_socket_open(&r->qmp_socket, &qmp, &r->err);

    if (e == OM_OK)
        e = om_vm_socket_open(&r->console_socket, &console, &r->err);
    om_vm_qmp_init(&r->qmp, now_of(r));
    return e;
}

static enum om_err prepare(struct rig *r)
{
    const char *argv[] = {OM_VM_HELPER, "--vm-spawner", OM_VM_HELPER, r->qemu, r->qemu_img, NULL};
    struct om_vm_spawner_config c = {&r->loop.uv, argv, NULL, NULL};

    enum om_err e = om_vm_spawner_open(&r->spawner, &c, &r->err);
    if (e == OM_OK)
        e = make_files(r);
    if (e == OM_OK)
        e = start(r);
    return e == OM_OK ? connect_to(r) : e;
}

OM_TEST(machine_command_line_is_one_that_qemu_takes)
{
    static struct rig r;

    if (!rig_init(&r))
        goto out;
    OM_TRY(prepare(&r) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_told));
    OM_TRY(r.is_ready);
    OM_TRY(om_vm_qmp_give(&r.qmp, now_of(&r), OM_VM_QMP_QUIT) == OM_OK);
    OM_TRY(drive_qmp(&r));
    CHECK(loop_until(&r.loop, &r.has_ended));
    CHECK(r.how.is_known && r.how.code == 0 && r.how.signal == 0);
    struct stat st;
    CHECK_EQ(stat(r.log, &st), 0);
    CHECK_EQ(st.st_size, 0); /* QEMU had nothing to complain about */
out:
    rig_fini(&r);
}

/* With an image at hand, its folder in OMERTA_TEST_IMAGE, also: does it boot within the limits? */
OM_TEST(machine_boots_within_its_limits)
{
    static struct rig r;
    const char *image = getenv("OMERTA_TEST_IMAGE");

    if (!rig_init(&r))
        goto out;
    if (!image || om_test_oom_hit()) {
        print_message("skipped: no image in OMERTA_TEST_IMAGE\n");
        goto out;
    }
    (void)snprintf(r.kernel, sizeof r.kernel, "%s/vmlinux", image);
    (void)snprintf(r.initrd, sizeof r.initrd, "%s/initrd", image);
    r.awaited = "Run /init as init process";
    OM_TRY(prepare(&r) == OM_OK);
    CHECK(loop_until(&r.loop, &r.has_said));
    print_message("init after %.2f s\n", (double)(uv_hrtime() - r.begun_ns) / 1e9);
    CHECK(r.is_ready);
    OM_TRY(om_vm_qmp_give(&r.qmp, now_of(&r), OM_VM_QMP_QUIT) == OM_OK);
    OM_TRY(drive_qmp(&r));
    CHECK(loop_until(&r.loop, &r.has_ended));
    CHECK_EQ(r.how.code, 0);
out:
    rig_fini(&r);
}
