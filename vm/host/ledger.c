/* ledger.c - one table, four statements. */
#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omerta/attr.h>
#include <sqlite3.h>

enum { VERSION = 1, BUSY_MS = 1000 };

static const char set_up[] =
    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 1048576; PRAGMA secure_delete = ON";

static const char schema[] =
    "BEGIN IMMEDIATE; CREATE TABLE vm (id TEXT NOT NULL PRIMARY KEY, consumer BLOB NOT NULL CHECK"
    " (length(consumer) = 32), network BLOB NOT NULL CHECK (length(network) = 32),"
    " request TEXT NOT NULL, folder TEXT NOT NULL, state TEXT NOT NULL, pid INTEGER NOT NULL,"
    " start INTEGER NOT NULL, boot TEXT NOT NULL, begun_ms INTEGER NOT NULL,"
    " until_ms INTEGER NOT NULL, limit_ms INTEGER NOT NULL, words TEXT NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX vm_request ON vm (consumer, request) WHERE request <> '';"
    "PRAGMA user_version = 1; COMMIT";

enum statement { PUT, FORGET, EACH, FIND, COUNT_OTHERS, STATEMENTS };

#define COLUMNS                                                                                    \
    "id, consumer, network, request, folder, state, pid, start, boot, begun_ms, until_ms,"         \
    " limit_ms, words"

static const char *const sql[STATEMENTS] = {
    /* REPLACE would also remove another row with that request, whose machine is then forgotten. */
    [PUT] = "INSERT INTO vm (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO"
            " UPDATE SET consumer = excluded.consumer, network = excluded.network,"
            " request = excluded.request, folder = excluded.folder, state = excluded.state,"
            " pid = excluded.pid, start = excluded.start, boot = excluded.boot,"
            " begun_ms = excluded.begun_ms, until_ms = excluded.until_ms,"
            " limit_ms = excluded.limit_ms, words = excluded.words",
    [FORGET] = "DELETE FROM vm WHERE id = ?",
    [EACH] = "SELECT " COLUMNS " FROM vm ORDER BY id",
    [FIND] = "SELECT id FROM vm WHERE consumer = ? AND request = ?",
    [COUNT_OTHERS] = "SELECT count(*) FROM vm WHERE id <> ?"};

struct om_vm_ledger {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    char path[];
};

static enum om_err failed(sqlite3 *db, const char *path, const char *what, struct om_error *err)
{
    int code = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;

    if (code == SQLITE_NOMEM)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return om_fail(err, OM_E_PARSE, "damaged (%.50s), nothing was changed: %.90s",
                       sqlite3_errmsg(db), path);
    if (sqlite3_extended_errcode(db) == SQLITE_CONSTRAINT_UNIQUE)
        return om_fail(err, OM_E_EXISTS, "this request has a machine already");
    if (code == SQLITE_FULL)
        return om_fail(err, OM_E_FULL, "disk full: cannot %s %.90s", what, path);
    return om_fail(err, OM_E_STATE, "cannot %s %.90s: %.60s", what, path, sqlite3_errmsg(db));
}

/* A row of one text or number, compared or taken. */
static int ask(sqlite3 *db, const char *question, const char *wanted, int *number)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(db, question, -1, &q, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(q, 0);
        rc = SQLITE_OK;
        if (number)
            *number = sqlite3_column_int(q, 0);
        if (wanted && (!text || strcmp((const char *)text, wanted) != 0))
            rc = SQLITE_CORRUPT;
    }
    (void)sqlite3_finalize(q);
    return rc;
}

static enum om_err prepare(struct om_vm_ledger *l, struct om_error *err)
{
    int version = 0;

    (void)sqlite3_busy_timeout(l->db, BUSY_MS);
    int rc = ask(l->db, "PRAGMA quick_check(1)", "ok", NULL);
    if (rc == SQLITE_CORRUPT && sqlite3_errcode(l->db) != SQLITE_NOMEM)
        return om_fail(err, OM_E_PARSE, "damaged, nothing was changed: %.120s", l->path);
    if (rc != SQLITE_OK || ask(l->db, "PRAGMA user_version", NULL, &version) != SQLITE_OK)
        return failed(l->db, l->path, "read", err);
    if (version < 0 || version > VERSION)
        return om_fail(err, OM_E_UNSUPPORTED,
                       "version %d of the file is newer than this program, which knows up to %d:"
                       " %.90s",
                       version, VERSION, l->path);
    if (sqlite3_exec(l->db, set_up, NULL, NULL, NULL) != SQLITE_OK ||
        (version == 0 && sqlite3_exec(l->db, schema, NULL, NULL, NULL) != SQLITE_OK))
        return failed(l->db, l->path, "set up", err);
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v3(l->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &l->statements[i],
                               NULL) != SQLITE_OK)
            return failed(l->db, l->path, "use", err);
    return OM_OK;
}

enum om_err om_vm_ledger_open(struct om_vm_ledger **out, const char *path, struct om_error *err)
{
    size_t n = strlen(path) + 1;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0 || fchmod(fd, 0600) != 0) {
        int cause = errno;
        if (fd >= 0)
            (void)close(fd);
        return om_fail(err, OM_E_STATE, "cannot open %.120s: %s", path, strerror(cause));
    }
    (void)close(fd);
    struct om_vm_ledger *l = calloc(1, sizeof *l + n);
    enum om_err e = OM_OK;
    if (!l)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    memcpy(l->path, path, n);
    if (sqlite3_open_v2(path, &l->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        e = failed(l->db, path, "open", err);
    else
        e = prepare(l, err);
    if (e == OM_OK)
        *out = l;
    else
        om_vm_ledger_close(l);
    return e;
}

void om_vm_ledger_close(struct om_vm_ledger *l)
{
    if (!l)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        (void)sqlite3_finalize(l->statements[i]);
    OM_BUG_IF(sqlite3_close(l->db) != SQLITE_OK);
    free(l);
}

static void bind_text(sqlite3_stmt *q, int at, const char *text)
{
    (void)sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);
}

static void bind_id(sqlite3_stmt *q, int at, const struct om_id *id)
{
    (void)sqlite3_bind_blob(q, at, id->b, sizeof id->b, SQLITE_STATIC);
}

/* A binding that failed leaves NULL behind, which no column takes. */
static int run(sqlite3_stmt *q)
{
    int rc = sqlite3_step(q);

    (void)sqlite3_reset(q);
    (void)sqlite3_clear_bindings(q);
    return rc;
}

static bool fits(const struct om_vm_row *r)
{
    return *r->id && strlen(r->id) < OM_VM_LEDGER_VM_TEXT &&
           strlen(r->request) < OM_VM_LEDGER_TEXT && strlen(r->state) < OM_VM_LEDGER_TEXT &&
           strlen(r->folder) < OM_VM_LEDGER_WORDS_MAX && strlen(r->words) < OM_VM_LEDGER_WORDS_MAX;
}

static bool is_full(struct om_vm_ledger *l, const char *id)
{
    sqlite3_stmt *q = l->statements[COUNT_OTHERS];

    bind_text(q, 1, id);
    bool full = sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int(q, 0) >= OM_VM_LEDGER_MAX;
    (void)sqlite3_reset(q);
    (void)sqlite3_clear_bindings(q);
    return full;
}

enum om_err om_vm_ledger_put(struct om_vm_ledger *l, const struct om_vm_row *row,
                             struct om_error *err)
{
    sqlite3_stmt *q = l->statements[PUT];

    if (!fits(row))
        return om_fail(err, OM_E_RANGE, "a text of machine \"%.60s\" is too long", row->id);
    if (is_full(l, row->id))
        return om_fail(err, OM_E_FULL, "want at most %d machines", OM_VM_LEDGER_MAX);
    bind_text(q, 1, row->id);
    bind_id(q, 2, &row->consumer);
    bind_id(q, 3, &row->network);
    bind_text(q, 4, row->request);
    bind_text(q, 5, row->folder);
    bind_text(q, 6, row->state);
    (void)sqlite3_bind_int64(q, 7, row->process.pid);
    (void)sqlite3_bind_int64(q, 8, (sqlite3_int64)row->process.start);
    bind_text(q, 9, row->process.boot);
    (void)sqlite3_bind_int64(q, 10, row->begun.unix_ms);
    (void)sqlite3_bind_int64(q, 11, row->until.unix_ms);
    (void)sqlite3_bind_int64(q, 12, row->limit.unix_ms);
    bind_text(q, 13, row->words);
    return run(q) == SQLITE_DONE ? OM_OK : failed(l->db, l->path, "write to", err);
}

enum om_err om_vm_ledger_forget(struct om_vm_ledger *l, const char *id, struct om_error *err)
{
    sqlite3_stmt *q = l->statements[FORGET];

    bind_text(q, 1, id);
    return run(q) == SQLITE_DONE ? OM_OK : failed(l->db, l->path, "write to", err);
}

/* Lent by SQLite until the next step; NULL is what a full memory gives. */
static const char *text_of(sqlite3_stmt *q, int column)
{
    return (const char *)sqlite3_column_text(q, column);
}

static bool read_id(sqlite3_stmt *q, int column, struct om_id *id)
{
    const void *p = sqlite3_column_blob(q, column);

    if (!p || sqlite3_column_bytes(q, column) != (int)sizeof id->b)
        return false;
    memcpy(id->b, p, sizeof id->b);
    return true;
}

static bool read_row(sqlite3_stmt *q, struct om_vm_row *r)
{
    const char *boot = text_of(q, 8);
    sqlite3_int64 pid = sqlite3_column_int64(q, 6);

    *r = (struct om_vm_row){.id = text_of(q, 0),
                            .request = text_of(q, 3),
                            .folder = text_of(q, 4),
                            .state = text_of(q, 5),
                            .begun.unix_ms = sqlite3_column_int64(q, 9),
                            .until.unix_ms = sqlite3_column_int64(q, 10),
                            .limit.unix_ms = sqlite3_column_int64(q, 11),
                            .words = text_of(q, 12)};
    if (!r->id || !r->request || !r->folder || !r->state || !r->words || !boot || !fits(r) ||
        strlen(boot) >= sizeof r->process.boot || pid < 0 || pid > INT32_MAX ||
        !read_id(q, 1, &r->consumer) || !read_id(q, 2, &r->network))
        return false;
    r->process.pid = (int32_t)pid;
    r->process.start = (uint64_t)sqlite3_column_int64(q, 7);
    memcpy(r->process.boot, boot, strlen(boot) + 1);
    return true;
}

enum om_err om_vm_ledger_each(struct om_vm_ledger *l,
                              void (*each)(void *self, const struct om_vm_row *row), void *self,
                              struct om_error *err)
{
    sqlite3_stmt *q = l->statements[EACH];
    enum om_err e = OM_OK;
    int rc = SQLITE_ROW;

    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct om_vm_row row;
        if (read_row(q, &row))
            each(self, &row);
        else
            e = om_fail(err, OM_E_PARSE, "machine \"%.60s\" in %.90s makes no sense",
                        text_of(q, 0) ? text_of(q, 0) : "", l->path);
    }
    if (rc != SQLITE_DONE)
        e = failed(l->db, l->path, "read", err);
    (void)sqlite3_reset(q);
    return e;
}

enum om_err om_vm_ledger_find(struct om_vm_ledger *l, const struct om_id *consumer,
                              const char *request, char *id)
{
    sqlite3_stmt *q = l->statements[FIND];

    bind_id(q, 1, consumer);
    bind_text(q, 2, request);
    int rc = sqlite3_step(q);
    const char *text = rc == SQLITE_ROW ? text_of(q, 0) : NULL;
    bool fits_in = text && strlen(text) < OM_VM_LEDGER_VM_TEXT;
    if (fits_in)
        memcpy(id, text, strlen(text) + 1);
    (void)sqlite3_reset(q);
    (void)sqlite3_clear_bindings(q);
    if (fits_in)
        return OM_OK;
    return rc == SQLITE_DONE ? OM_E_MISSING : OM_E_STATE;
}
