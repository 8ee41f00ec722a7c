/* store_schema.c - the tables, and bringing a file to the newest version of them. */
#include "store_schema.h"

#include <stdio.h>
#include <string.h>

/* A peer's row may come before its network's, so networks are no parents to the other tables. */
static const char version_1[] =
    "CREATE TABLE network (id BLOB NOT NULL CHECK (length(id) = 32), name TEXT NOT NULL,"
    " is_open INTEGER NOT NULL, epoch INTEGER NOT NULL, PRIMARY KEY (id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE peer (network BLOB NOT NULL CHECK (length(network) = 32),"
    " id BLOB NOT NULL CHECK (length(id) = 32), name TEXT NOT NULL,"
    " last_seen_ms INTEGER NOT NULL, PRIMARY KEY (network, id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX peer_age ON peer (network, last_seen_ms);"
    "CREATE TABLE endpoint (network BLOB NOT NULL, peer BLOB NOT NULL,"
    " ip BLOB NOT NULL CHECK (length(ip) = 16), port INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " rank INTEGER NOT NULL, last_ok_ms INTEGER NOT NULL, PRIMARY KEY (network, peer, ip, port),"
    " FOREIGN KEY (network, peer) REFERENCES peer (network, id) ON DELETE CASCADE)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE nat_pair (ours INTEGER NOT NULL, theirs INTEGER NOT NULL, plan INTEGER NOT NULL,"
    " wins INTEGER NOT NULL, losses INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " PRIMARY KEY (ours, theirs, plan)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE remember (kind INTEGER NOT NULL,"
    " network BLOB NOT NULL CHECK (length(network) = 32),"
    " peer BLOB NOT NULL CHECK (length(peer) = 32), value INTEGER NOT NULL,"
    " PRIMARY KEY (kind, network, peer)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX remember_age ON remember (kind, network, value);"
    "CREATE TABLE record (network BLOB NOT NULL CHECK (length(network) = 32),"
    " peer BLOB NOT NULL CHECK (length(peer) = 32), bytes BLOB NOT NULL, at_ms INTEGER NOT NULL,"
    " PRIMARY KEY (network, peer)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX record_age ON record (network, at_ms);";

static const char *const schema[] = {version_1};

const char *const *om_store_schema(int *count)
{
    *count = (int)OM_ARRAY_SIZE(schema);
    return schema;
}

enum om_err om_store_fail(sqlite3 *db, const char *path, const char *what, struct om_error *err)
{
    int code = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;

    if (code == SQLITE_NOMEM)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return om_fail(err, OM_E_PARSE,
                       "damaged (%.50s), nothing was changed; move it away to start without what"
                       " it knew: %.90s",
                       sqlite3_errmsg(db), path);
    int cause = sqlite3_system_errno(db);
    if (code == SQLITE_IOERR && cause != 0) /* its own words say no more than "disk I/O error" */
        return om_fail(err, OM_E_STATE, "cannot %s %.90s: %.60s", what, path, strerror(cause));
    return om_fail(err, OM_E_STATE, "cannot %s %.90s: %.60s", what, path, sqlite3_errmsg(db));
}

static int read_version(sqlite3 *db, int *version)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        *version = sqlite3_column_int(q, 0);
    (void)sqlite3_finalize(q);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int take_steps(sqlite3 *db, const char *const *steps, int from, int to)
{
    char text[48];
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    for (int i = from; rc == SQLITE_OK && i < to; i++)
        rc = sqlite3_exec(db, steps[i], NULL, NULL, NULL);
    (void)snprintf(text, sizeof text, "PRAGMA user_version = %d", to);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, text, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    return rc;
}

enum om_err om_store_migrate(sqlite3 *db, const char *path, const char *const *steps, int count,
                             struct om_error *err)
{
    enum om_err e = OM_OK;
    int version = 0;

    if (read_version(db, &version) != SQLITE_OK)
        return om_store_fail(db, path, "read", err);
    if (version < 0 || version > count)
        return om_fail(err, OM_E_UNSUPPORTED,
                       "version %d of the file is newer than this program, which knows up to %d:"
                       " upgrade, or move away %.90s",
                       version, count, path);
    if (version < count && take_steps(db, steps, version, count) != SQLITE_OK)
        e = om_store_fail(db, path, "upgrade", err);
    if (!sqlite3_get_autocommit(db))
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return e;
}
