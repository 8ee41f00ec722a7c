/* test_process.c - programs that end, hang, are left and found again. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"
#include "vm/host/process.h"

struct rig {
    struct loop loop;
    char log[FOLDER_MAX + 16];
    struct om_vm_process *p;
    struct om_vm_exit how;
    bool has_ended, close_at_end;
    struct om_error err;
};

static void on_exit_of(void *self, const struct om_vm_exit *how)
{
    struct rig *r = self;

    r->how = *how;
    r->has_ended = true;
    if (r->close_at_end) {
        om_vm_process_close(r->p);
        r->p = NULL;
    }
}

static void rig_init(struct rig *r)
{
    *r = (struct rig){.has_ended = false};
    CHECK(loop_init(&r->loop));
    folder_at(r->log, r->loop.top, "log");
}

static void rig_fini(struct rig *r)
{
    om_vm_process_close(r->p);
    CHECK(loop_fini(&r->loop));
}

static struct om_vm_process_config config_of(struct rig *r, const char *const *argv)
{
    return (struct om_vm_process_config){.loop = &r->loop.uv,
                                         .argv = argv,
                                         .folder = r->loop.top,
                                         .log = r->log,
                                         .on_exit = on_exit_of,
                                         .self = r};
}

/* Runs the line to its end; false for want of memory. */
static bool run_line(struct rig *r, const char *line, const struct om_vm_rlimits *limits)
{
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    struct om_vm_process_config c = config_of(r, argv);

    if (limits)
        c.limits = *limits;
    r->has_ended = false;
    if (om_vm_process_spawn(&r->p, &c, &r->err) != OM_OK)
        return false;
    bool ended = loop_until(&r->loop, &r->has_ended);
    om_vm_process_close(r->p);
    r->p = NULL;
    return ended;
}

static size_t read_text(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(out, 1, size - 1, f) : 0;

    out[n] = 0;
    if (f)
        (void)fclose(f);
    return n;
}

OM_TEST(process_tells_how_it_ended)
{
    struct rig r;
    char text[64];

    rig_init(&r);
    OM_TRY(run_line(&r, "echo out; echo err >&2; exit 7", NULL));
    CHECK(r.how.is_known);
    CHECK_EQ(r.how.code, 7);
    CHECK_EQ(r.how.signal, 0);
    CHECK(read_text(r.log, text, sizeof text) > 0);
    CHECK_STR(text, "out\nerr\n");
    OM_TRY(run_line(&r, "kill -9 $$", NULL));
    CHECK_EQ(r.how.signal, SIGKILL);
out:
    rig_fini(&r);
}

OM_TEST(process_that_cannot_start_says_why)
{
    const char *argv[] = {"/nonexistent/program", NULL};
    struct rig r;

    rig_init(&r);
    struct om_vm_process_config c = config_of(&r, argv);
    enum om_err e = om_vm_process_spawn(&r.p, &c, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
    CHECK_STR(r.err.msg,
              "cannot execute the program: /nonexistent/program: No such file or directory");
    argv[0] = "/bin/true";
    c.folder = "/nonexistent";
    e = om_vm_process_spawn(&r.p, &c, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
    CHECK_STR(r.err.msg, "cannot enter the folder: /nonexistent: No such file or directory");
    c.folder = r.loop.top;
    c.log = "/nonexistent/log";
    e = om_vm_process_spawn(&r.p, &c, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
    c.log = r.log; /* and with everything there it starts */
    OM_TRY(om_vm_process_spawn(&r.p, &c, &r.err) == OM_OK);
    CHECK(loop_until(&r.loop, &r.has_ended));
    CHECK_EQ(r.how.code, 0);
out:
    rig_fini(&r);
}

OM_TEST(process_has_only_its_three_descriptors)
{
    struct rig r;
    char text[4096];

    rig_init(&r);
    int leaked = open("/dev/null", O_RDONLY); /* as a careless library would */
    CHECK(fcntl(leaked, F_DUPFD, 50) >= 50);
    OM_TRY(run_line(&r, "cd /proc/self/fd; echo *; readlink 0; ps -o sid= -p $$ >/dev/null", NULL));
    CHECK(read_text(r.log, text, sizeof text) > 0);
    CHECK(strncmp(text, "0 1 2", 5) == 0);
    CHECK(strstr(text, "50") == NULL);
    CHECK(strstr(text, "/dev/null") != NULL);
out:
    (void)close(50);
    (void)close(leaked);
    rig_fini(&r);
}

OM_TEST(process_has_its_limits)
{
    static const struct om_vm_rlimits limits = {
        .memory_bytes = 512UL << 20, .file_bytes = 2UL << 20, .files = 33, .cpu_s = 9, .nice = 5};
    struct rig r;
    char text[256];

    rig_init(&r);
    OM_TRY(run_line(&r, "ulimit -v; ulimit -n; ulimit -t; ulimit -c; nice; echo $HOME; pwd; umask",
                    &limits));
    CHECK(read_text(r.log, text, sizeof text) > 0);
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "524288\n33\n9\n0\n%d\n",
                   getpriority(PRIO_PROCESS, 0) + limits.nice);
    CHECK(strncmp(text, wanted, strlen(wanted)) == 0);
    CHECK(strstr(text, r.loop.top) != NULL);
    CHECK(strstr(text, "0077\n") != NULL);
    /* What is used up ends it, and the sentence of the exit says by which signal. */
    OM_TRY(run_line(&r, "while :; do :; done", &(struct om_vm_rlimits){.cpu_s = 1}));
    CHECK(r.how.is_known);
    CHECK_EQ(r.how.signal, SIGXCPU);
out:
    rig_fini(&r);
}

OM_TEST(process_writes_no_file_beyond_its_limit)
{
    static const struct om_vm_rlimits limits = {.file_bytes = 65536};
    struct rig r;
    char big[FOLDER_MAX + 16];
    struct stat st;

    rig_init(&r);
    folder_at(big, r.loop.top, "big");
    OM_TRY(run_line(&r, "head -c 100000 /dev/zero >big; echo still here; exit 3", &limits));
    CHECK_EQ(r.how.code, 3); /* the program was told, not killed */
    CHECK_EQ(stat(big, &st), 0);
    CHECK_EQ(st.st_size, 65536);
    OM_TRY(run_line(&r, "head -c 100000 /dev/zero >big", NULL));
    CHECK_EQ(stat(big, &st), 0);
    CHECK_EQ(st.st_size, 100000);
out:
    rig_fini(&r);
}

OM_TEST(process_log_is_bounded)
{
    struct rig r;
    struct stat st;

    rig_init(&r);
    OM_TRY(run_line(&r, "head -c 200000 /dev/zero", NULL));
    CHECK_EQ(stat(r.log, &st), 0);
    CHECK_EQ(st.st_size, 200000);
    /* A flood, in bits so that the watcher gets to see it grow; then silence until it was seen. */
    OM_TRY(run_line(&r,
                    "i=0; while [ $i -lt 40 ]; do head -c 100000 /dev/zero; i=$((i+1)); done;"
                    " while [ $(stat -c %s log) -gt 262144 ]; do :; done; echo end",
                    NULL));
    CHECK_EQ(stat(r.log, &st), 0);
    CHECK(st.st_size <= OM_VM_LOG_MAX + 4);
out:
    rig_fini(&r);
}

/* A process whose parent is not this one: its number is in the file "pid". */
static int32_t start_stranger(struct rig *r)
{
    char text[32], path[FOLDER_MAX + 16];

    if (!run_line(r, "sleep 1000 >/dev/null 2>&1 & echo $! >pid", NULL))
        return 0;
    folder_at(path, r->loop.top, "pid");
    (void)read_text(path, text, sizeof text);
    return (int32_t)atoi(text);
}

OM_TEST(process_outlives_its_watcher_and_is_adopted)
{
    struct rig r;
    struct om_vm_ident who = {0};

    rig_init(&r);
    int32_t pid = start_stranger(&r);
    OM_TRY(pid > 0);
    CHECK_OK(om_vm_ident_of(&who, pid, NULL));
    struct om_vm_process_config c = config_of(&r, NULL);
    OM_TRY(om_vm_process_adopt(&r.p, &c, &who, &r.err) == OM_OK);
    om_vm_process_close(r.p);    /* the first daemon ends; the process does not */
    c.log = "/nowhere/qemu.log"; /* nor does it where its folder was removed */
    OM_TRY(om_vm_process_adopt(&r.p, &c, &who, &r.err) == OM_OK);
    CHECK(om_vm_ident_equal(om_vm_process_ident(r.p), &who));
    r.has_ended = false;
    CHECK_OK(om_vm_process_signal(r.p, SIGTERM));
    CHECK(loop_until(&r.loop, &r.has_ended));
    CHECK(!r.how.is_known);
    CHECK_ERR(om_vm_process_signal(r.p, SIGKILL), OM_E_MISSING);
    pid = 0;
out:
    if (pid > 0)
        (void)kill(pid, SIGKILL);
    rig_fini(&r);
}

OM_TEST(process_of_a_recycled_number_is_left_alone)
{
    struct rig r;
    struct om_vm_ident who = {0}, before;
    struct om_vm_process *other = NULL;

    rig_init(&r);
    int32_t pid = start_stranger(&r);
    OM_TRY(pid > 0);
    CHECK_OK(om_vm_ident_of(&who, pid, NULL));
    struct om_vm_process_config c = config_of(&r, NULL);
    before = who; /* what the ledger would say of one that had the number earlier, */
    before.start--;
    enum om_err e = om_vm_process_adopt(&other, &c, &before, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
    CHECK(strstr(r.err.msg, "another has its number") != NULL);
    before = who; /* or had it before the machine was started again */
    before.boot[0] = before.boot[0] == '0' ? '1' : '0';
    e = om_vm_process_adopt(&other, &c, &before, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
    CHECK_EQ(kill(pid, 0), 0);                                      /* it lives */
    OM_TRY(om_vm_process_adopt(&other, &c, &who, &r.err) == OM_OK); /* the right one is found */
    r.has_ended = false;
    CHECK_OK(om_vm_process_signal(other, SIGKILL));
    CHECK(loop_until(&r.loop, &r.has_ended));
    pid = 0;
out:
    if (pid > 0)
        (void)kill(pid, SIGKILL);
    om_vm_process_close(other);
    rig_fini(&r);
}

OM_TEST(process_that_is_gone_is_not_adopted)
{
    const char *argv[] = {"/bin/true", NULL};
    struct rig r;
    struct om_vm_process *other = NULL;

    rig_init(&r);
    struct om_vm_process_config c = config_of(&r, argv);
    OM_TRY(om_vm_process_spawn(&r.p, &c, &r.err) == OM_OK);
    struct om_vm_ident who = *om_vm_process_ident(r.p);
    CHECK(loop_until(&r.loop, &r.has_ended));
    enum om_err e = om_vm_process_adopt(&other, &c, &who, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
out:
    rig_fini(&r);
}

OM_TEST(process_that_nobody_waited_for_is_not_adopted)
{
    struct rig r;
    struct om_vm_ident who = {0};
    siginfo_t info;

    rig_init(&r);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0); /* it stays a zombie */
    CHECK_OK(om_vm_ident_of(&who, child, NULL));
    struct om_vm_process_config c = config_of(&r, NULL);
    enum om_err e = om_vm_process_adopt(&r.p, &c, &who, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
out:
    CHECK_EQ(waitpid(child, NULL, 0), child);
    rig_fini(&r);
}

OM_TEST(process_closed_in_its_exit_callback)
{
    const char *argv[] = {"/bin/true", NULL};
    struct rig r;

    rig_init(&r);
    r.close_at_end = true;
    struct om_vm_process_config c = config_of(&r, argv);
    OM_TRY(om_vm_process_spawn(&r.p, &c, &r.err) == OM_OK);
    CHECK(loop_until(&r.loop, &r.has_ended));
    CHECK(r.p == NULL);
out:
    rig_fini(&r);
}

OM_TEST(process_find_looks_along_the_path)
{
    char path[OM_VM_PATH_MAX] = "";

    CHECK_OK(om_vm_process_find(path, sizeof path, "sh", NULL));
    CHECK(path[0] == '/');
    CHECK_ERR(om_vm_process_find(path, sizeof path, "no-such-program-here", NULL), OM_E_MISSING);
    CHECK_ERR(om_vm_process_find(path, sizeof path, "/etc/passwd", NULL), OM_E_MISSING);
    CHECK_OK(om_vm_process_find(path, sizeof path, "/bin/sh", NULL));
    CHECK_STR(path, "/bin/sh");
}
