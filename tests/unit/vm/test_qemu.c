/* test_qemu.c - a real QEMU, without a guest: started, left, found again, ended. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "qemu.h"
#include "vm/host/ident.h"
#include "vm/host/ledger.h"
#include "vm/host/socket.h"
#include "vm/host/spawner.h"
#include "vm/host/wipe.h"

struct rig {
    struct loop loop;
    char qemu[OM_VM_PATH_MAX], vm[FOLDER_MAX + 16], log[FOLDER_MAX + 32], db[FOLDER_MAX + 16];
    struct om_vm_spawner *spawner;
    struct om_vm_process *process;
    struct om_vm_ledger *ledger;
    struct om_vm_socket *qmp, *nic;
    bool has_ended, has_qmp, has_nic, has_greeting;
    struct om_vm_exit how;
    struct om_vm_ident found;
    char said[8192];
    size_t said_n;
    struct om_error err;
};

static void on_exit_of(void *self, const struct om_vm_exit *how)
{
    struct rig *r = self;

    r->how = *how;
    r->has_ended = true;
}

static void on_qmp_open(void *self)
{
    struct rig *r = self;

    r->has_qmp = true;
}

static void on_nic_open(void *self)
{
    struct rig *r = self;

    r->has_nic = true;
}

static void on_qmp_bytes(void *self, const uint8_t *p, size_t n)
{
    struct rig *r = self;

    if (n > sizeof r->said - 1 - r->said_n)
        n = sizeof r->said - 1 - r->said_n;
    memcpy(r->said + r->said_n, p, n);
    r->said_n += n;
    r->said[r->said_n] = 0;
    r->has_greeting = strstr(r->said, "\"QMP\"") != NULL;
}

static void on_qmp_close(void *self, enum om_err e OM_UNUSED, const char *why OM_UNUSED)
{
    struct rig *r = self;

    r->qmp = NULL;
}

static void on_nic_close(void *self, enum om_err e OM_UNUSED, const char *why OM_UNUSED)
{
    struct rig *r = self;

    r->nic = NULL;
}

static bool rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    CHECK(loop_init(&r->loop));
    folder_at(r->vm, r->loop.top, "vm");
    folder_at(r->db, r->loop.top, "vm.db");
    (void)snprintf(r->log, sizeof r->log, "%s/log", r->vm);
    CHECK_EQ(mkdir(r->vm, 0700), 0);
    return qemu_find(r->qemu);
}

/* As when the daemon is killed: everything of it goes, QEMU does not. */
static void leave(struct rig *r)
{
    if (r->qmp)
        om_vm_socket_close(r->qmp);
    if (r->nic)
        om_vm_socket_close(r->nic);
    r->qmp = r->nic = NULL;
    om_vm_process_close(r->process);
    r->process = NULL;
    om_vm_spawner_close(r->spawner);
    r->spawner = NULL;
    om_vm_ledger_close(r->ledger);
    r->ledger = NULL;
    r->has_qmp = r->has_nic = r->has_greeting = false;
    r->said_n = 0;
    (void)uv_run(&r->loop.uv, UV_RUN_DEFAULT);
}

static enum om_err come(struct rig *r)
{
    const char *argv[] = {OM_VM_HELPER, "--vm-spawner", r->qemu, NULL};
    struct om_vm_spawner_config c = {&r->loop.uv, argv, NULL, NULL};

    enum om_err e = om_vm_ledger_open(&r->ledger, r->db, &r->err);
    return e == OM_OK ? om_vm_spawner_open(&r->spawner, &c, &r->err) : e;
}

static struct om_vm_process_config config_of(struct rig *r, const char *const *argv)
{
    return (struct om_vm_process_config){
        .loop = &r->loop.uv,
        .via = r->spawner,
        .argv = argv,
        .folder = r->vm,
        .log = r->log,
        .limits = {.memory_bytes = 2UL << 30, .file_bytes = 1 << 20, .files = 64, .nice = 5},
        .on_exit = on_exit_of,
        .self = r};
}

static enum om_err start_qemu(struct rig *r)
{
    const char *argv[] = {r->qemu,
                          "-nodefaults",
                          "-no-user-config",
                          "-display",
                          "none",
                          "-machine",
                          "pc",
                          "-accel",
                          "tcg,tb-size=16",
                          "-m",
                          "32",
                          "-S",
                          "-qmp",
                          "unix:qmp.sock,server=on,wait=off",
                          "-netdev",
                          "stream,id=nic,server=on,addr.type=unix,addr.path=nic.sock",
                          "-device",
                          "virtio-net-pci,netdev=nic",
                          "-sandbox",
                          OM_VM_SANDBOX,
                          NULL};
    struct om_vm_process_config c = config_of(r, argv);

    return om_vm_process_spawn(&r->process, &c, &r->err);
}

static enum om_err connect_both(struct rig *r)
{
    struct om_vm_socket_config qmp = {&r->loop.uv, r->vm,        "qmp.sock",   60000,
                                      on_qmp_open, on_qmp_bytes, on_qmp_close, r};
    struct om_vm_socket_config nic = {&r->loop.uv, r->vm, "nic.sock",   60000,
                                      on_nic_open, NULL,  on_nic_close, r};
    enum om_err e = om_vm_socket_open(&r->qmp, &qmp, &r->err);

    return e == OM_OK ? om_vm_socket_open(&r->nic, &nic, &r->err) : e;
}

static void on_row(void *self, const struct om_vm_row *row)
{
    struct rig *r = self;

    r->found = row->process;
}

OM_TEST(qemu_outlives_the_daemon_and_is_found_again)
{
    static const char quit[] = "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"quit\"}\n";
    struct rig r;
    int32_t pid = 0;

    if (!rig_init(&r))
        goto out;
    OM_TRY(come(&r) == OM_OK);
    OM_TRY(start_qemu(&r) == OM_OK);
    pid = om_vm_process_ident(r.process)->pid;
    struct om_vm_row row = {.id = "vm-1",
                            .request = "",
                            .folder = r.vm,
                            .state = "booting",
                            .process = *om_vm_process_ident(r.process),
                            .words = "{}"};
    CHECK_OK(om_vm_ledger_put(r.ledger, &row, &r.err));
    OM_TRY(connect_both(&r) == OM_OK);
    CHECK(loop_until(&r.loop, &r.has_greeting));
    CHECK(loop_until(&r.loop, &r.has_nic));
    CHECK_EQ(om_vm_socket_peer(r.qmp), pid);
    leave(&r);
    CHECK_EQ(kill(pid, 0), 0);

    OM_TRY(come(&r) == OM_OK);
    CHECK_OK(om_vm_ledger_each(r.ledger, on_row, &r, &r.err));
    CHECK_EQ(r.found.pid, pid);
    struct om_vm_process_config c = config_of(&r, NULL);
    OM_TRY(om_vm_process_adopt(&r.process, &c, &r.found, &r.err) == OM_OK);
    OM_TRY(connect_both(&r) == OM_OK);
    CHECK(loop_until(&r.loop, &r.has_greeting));
    CHECK(loop_until(&r.loop, &r.has_nic));
    CHECK_EQ(om_vm_socket_peer(r.qmp), pid);
    OM_TRY(om_vm_socket_send(r.qmp, quit, sizeof quit - 1) == OM_OK);
    CHECK(loop_until(&r.loop, &r.has_ended));
    pid = 0;
    om_vm_process_close(r.process);
    r.process = NULL;
    enum om_err e = om_vm_process_adopt(&r.process, &c, &r.found, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING); /* and a third daemon would know that it is gone */
    CHECK_OK(om_vm_wipe(r.vm, &r.err));
    CHECK(access(r.vm, F_OK) != 0);
out:
    if (pid > 0)
        (void)kill(pid, SIGKILL);
    leave(&r);
    CHECK(loop_fini(&r.loop));
}
