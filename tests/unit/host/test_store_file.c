/* test_store_file.c - which files are taken for a mesh.db, and which are not. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "host/store.h"
#include "host/store_schema.h"

static enum om_err try_open(struct om_store **s, const char *path, struct om_error *err)
{
    struct om_store_config c = {.path = path}; /* nothing is put, so no loop is wanted */

    return om_store_open(s, &c, err);
}

/* Runs @sql on the file, as another program would. */
static void edit(const char *path, const char *sql)
{
    sqlite3 *db = NULL;

    CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    CHECK_EQ(sqlite3_close(db), SQLITE_OK);
}

static int read_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *q = NULL;
    int n = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        n = sqlite3_column_int(q, 0);
    CHECK_EQ(sqlite3_finalize(q), SQLITE_OK);
    return n;
}

static size_t read_file(const char *path, uint8_t *out, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    ssize_t n = read(fd, out, max);
    CHECK(n >= 0 && close(fd) == 0);
    return (size_t)n;
}

static void write_file(const char *path, const uint8_t *p, size_t n, off_t at)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    CHECK(fd >= 0 && pwrite(fd, p, n, at) == (ssize_t)n && close(fd) == 0);
}

static void count_row(void *self, const struct om_store_peer *row OM_UNUSED)
{
    ++*(unsigned *)self;
}

OM_TEST(store_file_is_the_users_alone)
{
    static const char *const names[] = {"mesh.db", "mesh.db-wal", "mesh.db-shm"};
    char top[FOLDER_MAX], path[FOLDER_MAX + 16], link[FOLDER_MAX + 16];
    struct om_store *s = NULL;
    struct om_error err = {0};
    struct stat st;
    unsigned peers = 0;

    CHECK(folder_make(top));
    folder_at(path, top, "mesh.db");
    mode_t mask = umask(0);
    enum om_err e = try_open(&s, path, &err);
    (void)umask(mask);
    OM_TRY(e == OM_OK);
    OM_TRY(om_store_each_peer(s, count_row, &peers, &err) == OM_OK); /* makes the other two */
    for (size_t i = 0; i < OM_ARRAY_SIZE(names); i++) {
        folder_at(link, top, names[i]);
        CHECK_EQ(stat(link, &st), 0);
        CHECK_EQ(st.st_mode & 07777, 0600);
    }
    om_store_close(s);
    s = NULL;
    CHECK_EQ(chmod(path, 0640), 0);
    OM_TRY(try_open(&s, path, &err) == OM_E_STATE);
    CHECK(strstr(err.msg, "(mode 0640): chmod 600 ") && strstr(err.msg, path));
    CHECK_EQ(chmod(path, 0600), 0);
    folder_at(link, top, "link");
    CHECK_EQ(symlink("mesh.db", link), 0);
    OM_TRY(try_open(&s, link, &err) == OM_E_STATE);
    folder_at(link, top, "none/mesh.db");
    OM_TRY(try_open(&s, link, &err) == OM_E_MISSING);
    OM_TRY(try_open(&s, path, &err) == OM_OK);
out:
    om_store_close(s);
    folder_remove(top);
}

/* The head of the file, then a page in its middle: one is no database, the other a broken one. */
OM_TEST(store_refuses_a_damaged_file)
{
    static uint8_t was[65536], is[65536], junk[4096];
    static const off_t places[] = {0, 4096, 8192};
    char top[FOLDER_MAX], path[FOLDER_MAX + 16];
    struct om_store *s = NULL;
    struct om_error err = {0};
    unsigned peers = 0;

    CHECK(folder_make(top));
    folder_at(path, top, "mesh.db");
    OM_TRY(try_open(&s, path, &err) == OM_OK);
    om_store_close(s);
    s = NULL;
    edit(path, "INSERT INTO peer VALUES (zeroblob(32), zeroblob(32), 'ann', 5)");
    memset(junk, 0xa5, sizeof junk);
    size_t n = read_file(path, was, sizeof was);
    for (size_t i = 0; i < OM_ARRAY_SIZE(places); i++) {
        write_file(path, junk, sizeof junk, places[i]);
        size_t before = read_file(path, was, sizeof was);
        OM_TRY(try_open(&s, path, &err) == OM_E_PARSE);
        CHECK(strstr(err.msg, "damaged") && strstr(err.msg, "move it away") &&
              strstr(err.msg, path));
        CHECK_EQ(read_file(path, is, sizeof is), before);
        CHECK_MEM(is, was, before);
        CHECK_EQ(unlink(path), 0);
        OM_TRY(try_open(&s, path, &err) == OM_OK); /* moved away, it starts afresh */
        om_store_close(s);
        s = NULL;
        edit(path, "INSERT INTO peer VALUES (zeroblob(32), zeroblob(32), 'ann', 5)");
        CHECK_EQ(read_file(path, is, sizeof is), n);
    }
    OM_TRY(try_open(&s, path, &err) == OM_OK);
    OM_TRY(om_store_each_peer(s, count_row, &peers, &err) == OM_OK);
    CHECK_EQ(peers, 1);
    om_store_close(s);
    s = NULL;
    edit(path, "UPDATE peer SET name = printf('%.*c', 40, 'x')"); /* sound, but not by us */
    OM_TRY(try_open(&s, path, &err) == OM_OK);
    CHECK_ERR(om_store_each_peer(s, count_row, &peers, &err), OM_E_PARSE);
    CHECK(strstr(err.msg, "makes no sense") && peers == 1);
out:
    om_store_close(s);
    folder_remove(top);
}

OM_TEST(store_refuses_a_file_of_the_future)
{
    char top[FOLDER_MAX], path[FOLDER_MAX + 16];
    struct om_store *s = NULL;
    struct om_error err = {0};

    CHECK(folder_make(top));
    folder_at(path, top, "mesh.db");
    OM_TRY(try_open(&s, path, &err) == OM_OK);
    om_store_close(s);
    s = NULL;
    edit(path, "CREATE TABLE tomorrow (x); PRAGMA user_version = 99");
    OM_TRY(try_open(&s, path, &err) == OM_E_UNSUPPORTED);
    CHECK(strstr(err.msg, "version 99 of the file is newer") && strstr(err.msg, path));
    edit(path, "DROP TABLE tomorrow; PRAGMA user_version = 1"); /* and was left as it was */
    OM_TRY(try_open(&s, path, &err) == OM_OK);
out:
    om_store_close(s);
    folder_remove(top);
}

static const char *const steps[] = {
    "CREATE TABLE a (x INTEGER); INSERT INTO a SELECT x * 2 FROM old; DROP TABLE old",
    "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 7",
    "UPDATE a SET y = y + x",
};

OM_TEST(store_schema_migrates_step_by_step)
{
    struct om_error err;
    sqlite3 *db = NULL;

    for (int first = 1; first <= 3; first++) { /* a program that knew less wrote it */
        CHECK_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
        CHECK_EQ(
            sqlite3_exec(db, "CREATE TABLE old (x); INSERT INTO old VALUES (21)", NULL, NULL, NULL),
            SQLITE_OK);
        CHECK_OK(om_store_migrate(db, "x.db", steps, first, &err));
        CHECK_EQ(read_number(db, "PRAGMA user_version"), first);
        CHECK_OK(om_store_migrate(db, "x.db", steps, 3, &err));
        CHECK_OK(om_store_migrate(db, "x.db", steps, 3, &err)); /* nothing left to do */
        CHECK_EQ(read_number(db, "PRAGMA user_version"), 3);
        CHECK_EQ(read_number(db, "SELECT x FROM a"), 42);
        CHECK_EQ(read_number(db, "SELECT y FROM a"), 49);
        CHECK_ERR(om_store_migrate(db, "x.db", steps, 2, &err), OM_E_UNSUPPORTED);
        CHECK_EQ(sqlite3_close(db), SQLITE_OK);
    }
}

OM_TEST(store_schema_failed_step_changes_nothing)
{
    static const char *const bad[] = {"CREATE TABLE a (x)", "INSERT INTO nowhere VALUES (1)"};
    char top[FOLDER_MAX], path[FOLDER_MAX + 16];
    struct om_error err = {0};
    struct om_store *s = NULL;
    sqlite3 *db = NULL;

    CHECK(folder_make(top));
    folder_at(path, top, "mesh.db");
    edit(path, "CREATE TABLE mine (x); INSERT INTO mine VALUES (5)"); /* an artificial version 0 */
    CHECK_EQ(chmod(path, 0600), 0);
    CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
    enum om_err e = om_store_migrate(db, path, bad, 2, &err);
    CHECK_EQ(read_number(db, "PRAGMA user_version"), 0);
    CHECK_EQ(read_number(db, "SELECT count(*) FROM sqlite_schema"), 1);
    CHECK_EQ(sqlite3_close(db), SQLITE_OK);
    CHECK_ERR(e, OM_E_STATE);
    CHECK(strstr(err.msg, "cannot upgrade") && strstr(err.msg, "no such table: nowhere"));
    OM_TRY(try_open(&s, path, &err) == OM_OK); /* the real steps do */
    om_store_close(s);
    s = NULL;
    CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_EQ(read_number(db, "PRAGMA user_version"), 1);
    CHECK_EQ(read_number(db, "SELECT x FROM mine"), 5);
    CHECK_EQ(sqlite3_close(db), SQLITE_OK);
out:
    om_store_close(s);
    folder_remove(top);
}
