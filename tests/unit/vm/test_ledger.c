/* test_ledger.c - rows that outlive who wrote them. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "host/folder.h"
#include "vm/host/ledger.h"

struct rig {
    char top[FOLDER_MAX], path[FOLDER_MAX + 16];
    struct om_vm_ledger *l;
    struct om_error err;
    unsigned count;
    char last[64], words[64], state[64];
    struct om_vm_row row; /* the last, without its texts */
};

static void rig_init(struct rig *r)
{
    *r = (struct rig){.count = 0};
    CHECK(folder_make(r->top));
    folder_at(r->path, r->top, "vm.db");
}

static enum om_err reopen(struct rig *r)
{
    om_vm_ledger_close(r->l);
    r->l = NULL;
    return om_vm_ledger_open(&r->l, r->path, &r->err);
}

static void rig_fini(struct rig *r)
{
    om_vm_ledger_close(r->l);
    folder_remove(r->top);
}

static struct om_vm_row row_of(const char *id)
{
    return (struct om_vm_row){.id = id,
                              .consumer = {{1, 2, 3}},
                              .network = {{4}},
                              .request = "",
                              .folder = "/home/vm",
                              .state = "booting",
                              .process = {4711, 1UL << 40, "b00t"},
                              .begun = {1000},
                              .until = {2000},
                              .limit = {3000},
                              .words = "{\"memory\":1}"};
}

static void on_row(void *self, const struct om_vm_row *row)
{
    struct rig *r = self;

    r->count++;
    (void)snprintf(r->last, sizeof r->last, "%s", row->id);
    (void)snprintf(r->words, sizeof r->words, "%s", row->words);
    (void)snprintf(r->state, sizeof r->state, "%s", row->state);
    r->row = *row;
}

static enum om_err read_all(struct rig *r)
{
    r->count = 0;
    return om_vm_ledger_each(r->l, on_row, r, &r->err);
}

OM_TEST(ledger_gives_back_what_was_put)
{
    struct rig r;

    rig_init(&r);
    OM_TRY(reopen(&r) == OM_OK);
    CHECK_OK(read_all(&r));
    CHECK_EQ(r.count, 0);
    struct om_vm_row row = row_of("vm-1");
    CHECK_OK(om_vm_ledger_put(r.l, &row, &r.err));
    row.state = "running";
    row.words = "{\"it's\": \"so\"}";
    CHECK_OK(om_vm_ledger_put(r.l, &row, &r.err)); /* instead of the first */
    row.id = "vm-0";
    row.process = (struct om_vm_ident){.pid = 0};
    CHECK_OK(om_vm_ledger_put(r.l, &row, &r.err));
    OM_TRY(reopen(&r) == OM_OK);
    CHECK_OK(read_all(&r));
    CHECK_EQ(r.count, 2);
    CHECK_STR(r.last, "vm-1"); /* by id */
    CHECK_STR(r.words, "{\"it's\": \"so\"}");
    CHECK_STR(r.state, "running");
    struct om_vm_ident who = {4711, 1UL << 40, "b00t"};
    CHECK(om_vm_ident_equal(&r.row.process, &who));
    CHECK(om_id_cmp(&r.row.consumer, &row.consumer) == 0);
    CHECK_EQ(r.row.begun.unix_ms, 1000);
    CHECK_EQ(r.row.until.unix_ms, 2000);
    CHECK_EQ(r.row.limit.unix_ms, 3000);
    CHECK_OK(om_vm_ledger_forget(r.l, "vm-1", &r.err));
    CHECK_OK(om_vm_ledger_forget(r.l, "vm-1", &r.err));
    CHECK_OK(read_all(&r));
    CHECK_EQ(r.count, 1);
    CHECK_STR(r.last, "vm-0");
out:
    rig_fini(&r);
}

OM_TEST(ledger_outlives_a_killed_daemon)
{
    struct rig r;
    int status = 0;

    rig_init(&r);
    pid_t child = fork();
    if (child == 0) {
        struct om_vm_row row = row_of("vm-1");
        enum om_err e = reopen(&r);
        if (e == OM_OK && om_vm_ledger_put(r.l, &row, NULL) == OM_OK)
            (void)raise(SIGKILL); /* with the file open and nothing flushed */
        _exit(e == OM_E_NO_MEM ? 9 : 8);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 9)
        goto out; /* it was the child that had no memory */
    CHECK(WIFSIGNALED(status));
    OM_TRY(reopen(&r) == OM_OK);
    CHECK_OK(read_all(&r));
    CHECK_EQ(r.count, 1);
    CHECK_STR(r.last, "vm-1");
out:
    rig_fini(&r);
}

OM_TEST(ledger_finds_a_request)
{
    struct rig r;
    char id[OM_VM_LEDGER_VM_TEXT] = "";
    struct om_id other = {{9}};

    rig_init(&r);
    OM_TRY(reopen(&r) == OM_OK);
    struct om_vm_row row = row_of("vm-1");
    row.request = "key";
    CHECK_OK(om_vm_ledger_put(r.l, &row, &r.err));
    CHECK_OK(om_vm_ledger_find(r.l, &row.consumer, "key", id));
    CHECK_STR(id, "vm-1");
    CHECK_ERR(om_vm_ledger_find(r.l, &row.consumer, "other", id), OM_E_MISSING);
    CHECK_ERR(om_vm_ledger_find(r.l, &other, "key", id), OM_E_MISSING);
    row.id = "vm-2"; /* one request, one machine */
    CHECK_ERR(om_vm_ledger_put(r.l, &row, &r.err), OM_E_EXISTS);
    CHECK_OK(read_all(&r));
    CHECK_EQ(r.count, 1);
    row.consumer = other; /* another's request may have the same key, and none is no key */
    CHECK_OK(om_vm_ledger_put(r.l, &row, &r.err));
    row.request = "";
    row.id = "vm-3";
    CHECK_OK(om_vm_ledger_put(r.l, &row, &r.err));
    row.id = "vm-4";
    CHECK_OK(om_vm_ledger_put(r.l, &row, &r.err));
out:
    rig_fini(&r);
}

OM_TEST(ledger_full_refuses_and_keeps_the_rest)
{
    struct rig r;
    char id[32];
    static char huge[OM_VM_LEDGER_WORDS_MAX + 1];

    rig_init(&r);
    OM_TRY(reopen(&r) == OM_OK);
    for (int i = 0; i < OM_VM_LEDGER_MAX; i++) {
        (void)snprintf(id, sizeof id, "vm-%04d", i);
        struct om_vm_row row = row_of(id);
        CHECK_OK(om_vm_ledger_put(r.l, &row, &r.err));
    }
    struct om_vm_row row = row_of("vm-more");
    CHECK_ERR(om_vm_ledger_put(r.l, &row, &r.err), OM_E_FULL);
    row.id = "vm-0000"; /* one that is there may still change */
    CHECK_OK(om_vm_ledger_put(r.l, &row, &r.err));
    memset(huge, ' ', OM_VM_LEDGER_WORDS_MAX);
    row.words = huge;
    CHECK_ERR(om_vm_ledger_put(r.l, &row, &r.err), OM_E_RANGE);
    CHECK_OK(read_all(&r));
    CHECK_EQ(r.count, OM_VM_LEDGER_MAX);
out:
    rig_fini(&r);
}

OM_TEST(ledger_damaged_is_refused_and_untouched)
{
    struct rig r;
    struct stat st;

    rig_init(&r);
    int fd = open(r.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(write(fd, "nonsense", 8), 8);
    (void)close(fd);
    enum om_err e = reopen(&r);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_PARSE);
    CHECK(strncmp(r.err.msg, "damaged", 7) == 0);
    CHECK_EQ(stat(r.path, &st), 0);
    CHECK_EQ(st.st_size, 8000);
out:
    rig_fini(&r);
}

static void execute(const struct rig *r, const char *sql)
{
    sqlite3 *db = NULL;

    CHECK_EQ(sqlite3_open_v2(r->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    CHECK_EQ(sqlite3_close(db), SQLITE_OK);
}

OM_TEST(ledger_of_the_future_is_refused)
{
    struct rig r;

    rig_init(&r);
    OM_TRY(reopen(&r) == OM_OK);
    execute(&r, "PRAGMA user_version = 2");
    enum om_err e = reopen(&r);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_UNSUPPORTED);
    execute(&r, "PRAGMA user_version = 1");
    OM_TRY(reopen(&r) == OM_OK);
out:
    rig_fini(&r);
}

OM_TEST(ledger_row_that_is_damaged_is_named)
{
    struct rig r;

    rig_init(&r);
    OM_TRY(reopen(&r) == OM_OK);
    struct om_vm_row row = row_of("vm-1");
    CHECK_OK(om_vm_ledger_put(r.l, &row, &r.err));
    row.id = "vm-2";
    CHECK_OK(om_vm_ledger_put(r.l, &row, &r.err));
    execute(&r, "UPDATE vm SET pid = -5 WHERE id = 'vm-1'");
    CHECK_ERR(read_all(&r), OM_E_PARSE);
    CHECK(strstr(r.err.msg, "\"vm-1\"") != NULL);
    CHECK_EQ(r.count, 1); /* the others are given all the same */
    CHECK_STR(r.last, "vm-2");
out:
    rig_fini(&r);
}

OM_TEST(ledger_is_the_users_alone)
{
    struct rig r;
    struct stat st;

    rig_init(&r);
    OM_TRY(reopen(&r) == OM_OK);
    CHECK_EQ(stat(r.path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    om_vm_ledger_close(r.l);
    r.l = NULL;
    char link_at[FOLDER_MAX + 16];
    folder_at(link_at, r.top, "link");
    CHECK_EQ(symlink(r.path, link_at), 0);
    CHECK_ERR(om_vm_ledger_open(&r.l, link_at, &r.err), OM_E_STATE);
out:
    rig_fini(&r);
}
