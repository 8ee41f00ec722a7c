/* test_spawner.c - programs run by another process than the one that wants them. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"
#include "qemu.h"
#include "vm/host/parcel.h"
#include "vm/host/spawner.h"

struct rig {
    struct loop loop;
    char log[FOLDER_MAX + 16];
    struct om_vm_spawner *s;
    struct om_vm_process *p;
    struct om_vm_exit how;
    bool has_ended, is_lost;
    struct om_error err;
};

static void on_exit_of(void *self, const struct om_vm_exit *how)
{
    struct rig *r = self;

    r->how = *how;
    r->has_ended = true;
}

static void on_lost(void *self)
{
    struct rig *r = self;

    r->is_lost = true;
}

static enum om_err open_spawner(struct rig *r)
{
    static const char *const argv[] = {OM_VM_HELPER, "--vm-spawner", "/bin/sh", "/bin/true", NULL};
    struct om_vm_spawner_config c = {&r->loop.uv, argv, on_lost, r};

    return om_vm_spawner_open(&r->s, &c, &r->err);
}

static enum om_err rig_init(struct rig *r)
{
    *r = (struct rig){.has_ended = false};
    CHECK(loop_init(&r->loop));
    folder_at(r->log, r->loop.top, "log");
    return open_spawner(r);
}

static void close_process(struct rig *r)
{
    om_vm_process_close(r->p);
    r->p = NULL;
}

static void rig_fini(struct rig *r)
{
    close_process(r);
    om_vm_spawner_close(r->s);
    CHECK(loop_fini(&r->loop));
}

static struct om_vm_process_config config_of(struct rig *r, const char *const *argv)
{
    return (struct om_vm_process_config){.loop = &r->loop.uv,
                                         .via = r->s,
                                         .argv = argv,
                                         .folder = r->loop.top,
                                         .log = r->log,
                                         .on_exit = on_exit_of,
                                         .self = r};
}

static enum om_err start_line(struct rig *r, const char *line, int in, int out)
{
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    struct om_vm_process_config c = config_of(r, argv);

    c.in = in;
    c.out = out;
    r->has_ended = false;
    return om_vm_process_spawn(&r->p, &c, &r->err);
}

OM_TEST(spawner_runs_a_program)
{
    struct rig r;
    char text[16] = {0};

    OM_TRY(rig_init(&r) == OM_OK);
    for (int i = 0; i < 3; i++) {
        OM_TRY(start_line(&r, "echo $PPID >>log; exit 7", 0, 0) == OM_OK);
        CHECK(om_vm_process_ident(r.p)->pid > 0);
        CHECK(loop_until(&r.loop, &r.has_ended));
        CHECK(r.how.is_known);
        CHECK_EQ(r.how.code, 7);
        close_process(&r);
    }
    int fd = open(r.log, O_RDONLY);
    CHECK(read(fd, text, sizeof text - 1) > 0);
    (void)close(fd);
    CHECK(atoi(text) > 0 && atoi(text) != getpid()); /* another is its parent */
    OM_TRY(start_line(&r, "exec sleep 1000", 0, 0) == OM_OK);
    enum om_err e = om_vm_process_signal(r.p, SIGTERM);
    CHECK_OK(e);
    CHECK(loop_until(&r.loop, &r.has_ended));
    CHECK_EQ(r.how.signal, SIGTERM);
    CHECK_ERR(om_vm_process_signal(r.p, SIGTERM), OM_E_MISSING);
out:
    rig_fini(&r);
}

OM_TEST(spawner_says_why_it_cannot)
{
    struct rig r;
    const char *argv[] = {"/bin/true", NULL};

    OM_TRY(rig_init(&r) == OM_OK);
    struct om_vm_process_config c = config_of(&r, argv);
    c.folder = "/nonexistent";
    enum om_err e = om_vm_process_spawn(&r.p, &c, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
    CHECK_STR(r.err.msg, "cannot enter the folder: /nonexistent: No such file or directory");
out:
    rig_fini(&r);
}

OM_TEST(spawner_runs_only_what_it_was_told)
{
    struct rig r;
    const char *argv[] = {"/bin/echo", "hello", NULL};

    OM_TRY(rig_init(&r) == OM_OK);
    struct om_vm_process_config c = config_of(&r, argv);
    enum om_err e = om_vm_process_spawn(&r.p, &c, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_UNSUPPORTED);
    CHECK_STR(r.err.msg, "/bin/echo is none of the programs to be run");
    argv[0] = "/bin/true";
    OM_TRY(om_vm_process_spawn(&r.p, &c, &r.err) == OM_OK);
    CHECK(loop_until(&r.loop, &r.has_ended));
out:
    rig_fini(&r);
}

OM_TEST(spawner_runs_qemu_only_in_its_sandbox)
{
    static const char *const bad[][5] = {
        {"-m", "32"},
        {"-sandbox"},
        {"-sandbox", "off"},
        {"-sandbox", OM_VM_SANDBOX ",spawn=allow"},
        {"-sandbox", OM_VM_SANDBOX, "-sandbox", OM_VM_SANDBOX},
        {"-sandbox", OM_VM_SANDBOX, "--sandbox", "off"},
        {"-sandbox", OM_VM_SANDBOX, "-readconfig", "x"},
        {"-sandbox", OM_VM_SANDBOX, "--readconfig", "x"},
    };
    struct rig r = {.has_ended = false};
    char qemu[FOLDER_MAX + 32];

    CHECK(loop_init(&r.loop));
    folder_at(r.log, r.loop.top, "log");
    (void)snprintf(qemu, sizeof qemu, "%s/qemu-system-x86_64", r.loop.top);
    CHECK(qemu_play(qemu, "exit 5"));
    const char *spawner[] = {OM_VM_HELPER, "--vm-spawner", qemu, NULL};
    struct om_vm_spawner_config s = {&r.loop.uv, spawner, NULL, NULL};
    OM_TRY(om_vm_spawner_open(&r.s, &s, &r.err) == OM_OK);
    for (size_t i = 0; i <= OM_ARRAY_SIZE(bad); i++) {
        const char *argv[7] = {qemu, "-sandbox", OM_VM_SANDBOX, NULL}; /* the last is good */
        if (i < OM_ARRAY_SIZE(bad))
            memcpy(&argv[1], bad[i], sizeof bad[i]);
        struct om_vm_process_config c = config_of(&r, argv);
        enum om_err e = om_vm_process_spawn(&r.p, &c, &r.err);
        OM_TRY(e != OM_E_NO_MEM);
        CHECK_ERR(e, i < OM_ARRAY_SIZE(bad) ? OM_E_UNSUPPORTED : OM_OK);
    }
    CHECK(loop_until(&r.loop, &r.has_ended));
    CHECK_EQ(r.how.code, 5);
out:
    rig_fini(&r);
}

OM_TEST(spawner_hands_over_descriptors)
{
    struct rig r;
    char text[32] = {0};
    int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);

    CHECK_EQ(write(in, "marzipan", 8), 8);
    CHECK_EQ(lseek(in, 0, SEEK_SET), 0);
    OM_TRY(rig_init(&r) == OM_OK);
    OM_TRY(start_line(&r, "tr a-z A-Z; ls /proc/self/fd | wc -l >&2", in, out) == OM_OK);
    CHECK(loop_until(&r.loop, &r.has_ended));
    CHECK_EQ(pread(out, text, sizeof text - 1, 0), 8);
    CHECK_STR(text, "MARZIPAN");
out:
    (void)close(in);
    (void)close(out);
    rig_fini(&r);
}

OM_TEST(spawner_leaves_programs_running)
{
    struct rig r;
    struct om_vm_ident who = {0};

    OM_TRY(rig_init(&r) == OM_OK);
    OM_TRY(start_line(&r, "exec sleep 1000", 0, 0) == OM_OK);
    who = *om_vm_process_ident(r.p);
    close_process(&r);
    om_vm_spawner_close(r.s);
    r.s = NULL;
    (void)uv_run(&r.loop.uv, UV_RUN_DEFAULT); /* the spawner is gone */
    CHECK_EQ(kill(who.pid, 0), 0);
    CHECK(!r.has_ended);
out:
    if (who.pid > 0)
        (void)kill(who.pid, SIGKILL);
    rig_fini(&r);
}

OM_TEST(spawner_adopts_what_outlived_another)
{
    struct rig r;
    struct om_vm_ident who = {0};

    OM_TRY(rig_init(&r) == OM_OK);
    OM_TRY(start_line(&r, "exec sleep 1000", 0, 0) == OM_OK);
    who = *om_vm_process_ident(r.p);
    close_process(&r);
    om_vm_spawner_close(r.s);
    r.s = NULL;
    OM_TRY(open_spawner(&r) == OM_OK);
    struct om_vm_process_config c = config_of(&r, NULL);
    struct om_vm_ident before = who;
    before.start--;
    enum om_err e = om_vm_process_adopt(&r.p, &c, &before, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
    OM_TRY(om_vm_process_adopt(&r.p, &c, &who, &r.err) == OM_OK);
    CHECK(om_vm_ident_equal(om_vm_process_ident(r.p), &who));
    CHECK_OK(om_vm_process_signal(r.p, SIGKILL));
    CHECK(loop_until(&r.loop, &r.has_ended));
    CHECK(!r.how.is_known);
    who.pid = 0;
out:
    if (who.pid > 0)
        (void)kill(who.pid, SIGKILL);
    rig_fini(&r);
}

OM_TEST(spawner_that_died_is_told_of)
{
    struct rig r;
    struct om_vm_ident who = {0};

    OM_TRY(rig_init(&r) == OM_OK);
    OM_TRY(start_line(&r, "echo $PPID >log; exec sleep 1000", 0, 0) == OM_OK);
    who = *om_vm_process_ident(r.p);
    char text[128] = {0}, path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)who.pid);
    int fd = open(path, O_RDONLY), parent = 0;
    CHECK(read(fd, text, sizeof text - 1) > 0);
    (void)close(fd);
    const char *rest = strrchr(text, ')');
    CHECK(rest != NULL);
    parent = atoi(rest + 4);
    CHECK(parent > 1);
    CHECK_EQ(kill(parent, SIGKILL), 0);
    CHECK(loop_until(&r.loop, &r.is_lost));
    CHECK(r.has_ended && !r.how.is_known);
    CHECK_EQ(kill(who.pid, 0), 0); /* it was not taken along */
    struct om_vm_process *other = NULL;
    struct om_vm_process_config c = config_of(&r, NULL);
    enum om_err e = om_vm_process_adopt(&other, &c, &who, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_STATE);
out:
    if (who.pid > 0)
        (void)kill(who.pid, SIGKILL);
    rig_fini(&r);
}

OM_TEST(spawner_refuses_nonsense)
{
    static const char *const argv[] = {OM_VM_HELPER, "--vm-spawner", "/bin/sh", "/bin/true", NULL};
    static const char *const nonsense[] = {
        "{}",
        "[]",
        "\"spawn\"",
        "{\"op\":\"spawn\",\"id\":1}",
        "{\"op\":\"fly\",\"id\":1}",
        "{\"op\":\"close\",\"id\":-4}",
        "\xff\xfe",
        "{\"op\":\"spawn\",\"id\":1,\"argv\":[],\"folder\":\"/\",\"limits\":[0,0,0,0,0],"
        "\"fds\":[false,false,false]}",
        "{\"op\":\"spawn\",\"id\":1,\"argv\":[\"/bin/true\"],\"folder\":\"/\","
        "\"limits\":[0,0,0,0,0],\"fds\":[true,false,false]}"};
    struct rig r = {.has_ended = false};
    int ends[2], fds[OM_VM_ORDER_FDS];
    static char reply[OM_VM_ORDER_MAX];

    CHECK(loop_init(&r.loop));
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    struct om_vm_process_config c = config_of(&r, argv);
    c.log = NULL;
    c.in = ends[1];
    OM_TRY(om_vm_process_spawn(&r.p, &c, &r.err) == OM_OK);
    (void)close(ends[1]);
    ends[1] = -1;
    for (size_t i = 0; i < OM_ARRAY_SIZE(nonsense); i++)
        CHECK(om_vm_parcel_send(ends[0], nonsense[i], strlen(nonsense[i]), NULL, 0));
    /* The last is an order without its descriptor, which it answers; the others it passes over. */
    CHECK(om_vm_parcel_wait(ends[0], 60000));
    ssize_t n = om_vm_parcel_receive(ends[0], reply, fds);
    CHECK(n > 0 && n < (ssize_t)sizeof reply);
    reply[n] = 0;
    CHECK(strstr(reply, "a descriptor is missing") != NULL);
    (void)close(ends[0]);
    ends[0] = -1;
    CHECK(loop_until(&r.loop, &r.has_ended)); /* and ends as it should when the daemon is gone */
    CHECK_EQ(r.how.code, 0);
out:
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            (void)close(ends[i]);
    rig_fini(&r);
}
