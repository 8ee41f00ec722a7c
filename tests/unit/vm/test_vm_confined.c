/* test_vm_confined.c - all of vm/host under the daemon's own filter of system calls. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "loop.h"
#include "vm/host/accel.h"
#include "vm/host/digest.h"
#include "vm/host/disk.h"
#include "vm/host/ledger.h"
#include "vm/host/seed_job.h"
#include "vm/host/shelf.h"
#include "vm/host/socket.h"
#include "vm/host/spawner.h"
#include "vm/host/wipe.h"

struct rig {
    struct loop loop;
    struct om_vm_spawner *spawner;
    char vm[FOLDER_MAX + 16], path[FOLDER_MAX + 16], disk[FOLDER_MAX + 32];
    char qemu_img[OM_VM_PATH_MAX];
    bool is_done, is_good, has_qemu;
};

static void on_seed(void *self, enum om_err e, const char *why OM_UNUSED)
{
    struct rig *r = self;

    r->is_done = true;
    r->is_good = e == OM_OK;
}

static void on_digest(void *self, const struct om_vm_digest_done *done)
{
    on_seed(self, done->e, NULL);
}

static void on_accel(void *self, const struct om_vm_accel_found *found)
{
    on_seed(self, found->kind != OM_VM_ACCEL_NONE ? OM_OK : OM_E_STATE, NULL);
}

static void on_end(void *self, enum om_err e OM_UNUSED, const char *why OM_UNUSED)
{
    on_seed(self, OM_OK, NULL);
}

static bool wait_for(struct rig *r)
{
    bool ok = loop_until(&r->loop, &r->is_done) && r->is_good;

    r->is_done = r->is_good = false;
    return ok;
}

static bool make_seed(struct rig *r)
{
    static const char *const argv[] = {OM_VM_HELPER, "--make-seed", NULL};
    static const struct om_vm_iso_file file = {"user-data", "{}", 2};
    struct om_vm_seed_job_config c = {&r->loop.uv, r->spawner, argv,    r->vm, "seed.iso",
                                      &file,       1,          on_seed, r};
    struct om_vm_seed_job *j = NULL;

    return om_vm_seed_job_start(&j, &c, NULL) == OM_OK && wait_for(r);
}

static bool make_disk(struct rig *r)
{
    struct om_vm_disk_config c = {.loop = &r->loop.uv,
                                  .via = r->spawner,
                                  .qemu_img = r->qemu_img,
                                  .folder = r->vm,
                                  .name = "disk",
                                  .bytes = 1 << 20,
                                  .on_done = on_seed,
                                  .self = r};
    struct om_vm_disk *d = NULL;

    return om_vm_disk_start(&d, &c, NULL) == OM_OK && wait_for(r);
}

static bool hash(struct rig *r)
{
    struct om_vm_digest_config c = {&r->loop.uv, r->disk, NULL, on_digest, r};
    struct om_vm_digest *d = NULL;

    return om_vm_digest_start(&d, &c, NULL) == OM_OK && wait_for(r);
}

static bool find_accel(struct rig *r)
{
    struct om_vm_accel_config c = {
        .loop = &r->loop.uv, .via = r->spawner, .on_found = on_accel, .self = r};
    struct om_vm_accel *a = NULL;

    return om_vm_accel_start(&a, &c, NULL) == OM_OK && wait_for(r);
}

/* Nobody listens: the way to the end is what is tried. */
static bool try_socket(struct rig *r)
{
    struct om_vm_socket_config c = {&r->loop.uv, r->vm, "nic.sock", 20, NULL, NULL, on_end, r};
    struct om_vm_socket *s = NULL;

    return om_vm_socket_open(&s, &c, NULL) == OM_OK && wait_for(r);
}

static void on_row(void *self OM_UNUSED, const struct om_vm_row *row OM_UNUSED)
{
}

static bool write_down(struct rig *r)
{
    struct om_vm_row row = {
        .id = "vm-1", .request = "", .folder = r->vm, .state = "booting", .words = "{}"};
    struct om_vm_ledger *l = NULL;

    folder_at(r->path, r->loop.top, "vm.db");
    bool ok = om_vm_ledger_open(&l, r->path, NULL) == OM_OK &&
              om_vm_ledger_put(l, &row, NULL) == OM_OK &&
              om_vm_ledger_each(l, on_row, NULL, NULL) == OM_OK;
    om_vm_ledger_close(l);
    return ok;
}

static void on_image(void *self OM_UNUSED, const char *name OM_UNUSED, const char *text OM_UNUSED,
                     size_t n OM_UNUSED)
{
}

static bool look_at_images(struct rig *r)
{
    struct om_vm_shelf *s = NULL;

    folder_at(r->path, r->loop.top, "images");
    bool ok = om_vm_shelf_open(&s, r->path, NULL) == OM_OK && om_vm_shelf_lock(s, true) == OM_OK &&
              om_vm_shelf_each(s, on_image, NULL, NULL) == OM_OK;
    om_vm_shelf_close(s);
    return ok;
}

static void on_who(void *self OM_UNUSED, const struct om_vm_ident *who OM_UNUSED)
{
}

static bool start(struct rig *r, struct om_error *err)
{
    char qemu[OM_VM_PATH_MAX];

    r->has_qemu = om_vm_process_find(qemu, sizeof qemu, "qemu-system-x86_64", NULL) == OM_OK &&
                  om_vm_process_find(r->qemu_img, sizeof r->qemu_img, "qemu-img", NULL) == OM_OK;
    const char *argv[] = {
        OM_VM_HELPER, "--vm-spawner", OM_VM_HELPER, r->has_qemu ? qemu : NULL, r->qemu_img, NULL};
    struct om_vm_spawner_config c = {&r->loop.uv, argv, NULL, NULL};
    folder_at(r->vm, r->loop.top, "vm");
    (void)snprintf(r->disk, sizeof r->disk, "%s/disk", r->vm);
    return mkdir(r->vm, 0700) == 0 && om_confine_early(err) == OM_OK &&
           om_confine_drop(err) == OM_OK && om_vm_spawner_open(&r->spawner, &c, err) == OM_OK &&
           om_confine_seccomp(err) == OM_OK;
}

/* 0, or the step that failed. */
static int live(void)
{
    static struct rig r;
    struct om_error err = {.msg = ""};

    (void)alarm(100);
    if (!loop_init(&r.loop) || !start(&r, &err)) {
        (void)fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    if (!r.has_qemu)
        print_message("skipped in part: QEMU is not installed\n");
    if (!make_seed(&r))
        return 2;
    if (r.has_qemu && (!make_disk(&r) || !hash(&r)))
        return 3;
    if (r.has_qemu && !find_accel(&r))
        return 4;
    if (!try_socket(&r))
        return 5;
    if (!write_down(&r) || !look_at_images(&r))
        return 6;
    if (om_vm_ident_in(r.vm, on_who, NULL, &err) != OM_OK)
        return 9;
    if (om_vm_wipe(r.loop.top, &err) !=
        OM_OK) /* nothing is left for rmdir(2), which is not allowed */
        return 7;
    om_vm_spawner_close(r.spawner);
    (void)uv_run(&r.loop.uv, UV_RUN_DEFAULT);
    return loop_fini(&r.loop) ? 0 : 8;
}

OM_TEST(vm_host_works_under_the_daemons_filter)
{
    int status = -1;

    if (!om_confine_has_seccomp()) {
        print_message("skipped: no filter in this build or on this machine\n");
        return;
    }
    pid_t child = fork();
    if (child == 0)
        _exit(live());
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (om_test_oom_hit())
        return;
    if (WIFSIGNALED(status))
        fail_msg("killed by signal %d: a system call is not on the list", WTERMSIG(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
}
