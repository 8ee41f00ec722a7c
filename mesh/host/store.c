/* store.c - open, queue, save on the pool, close. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_schema.h"
#include "store_state.h"

enum { BUSY_MS = 5000 /* somebody looks into the file with a tool of SQLite */ };

static const char before[] = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON";
static const char after[] = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                            "PRAGMA journal_size_limit = 4194304"; /* bytes, after a checkpoint */

/* Makes the file, since SQLite would leave its mode to the umask; -wal and -shm take after it. */
static enum om_err prepare_file(const char *path, struct om_error *err)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    enum om_err e = OM_OK;

    if (fd < 0)
        return om_fail(err, errno == ENOENT ? OM_E_MISSING : OM_E_STATE, "cannot open %.120s: %s",
                       path, strerror(errno));
    if (fstat(fd, &st) != 0)
        e = om_fail(err, OM_E_STATE, "cannot look at %.120s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        e = om_fail(err, OM_E_STATE, "want a regular file: %.120s", path);
    else if (st.st_uid != geteuid())
        e = om_fail(err, OM_E_STATE,
                    "file belongs to user %u, not to user %u who runs this: %.110s",
                    (unsigned)st.st_uid, (unsigned)geteuid(), path);
    else if ((st.st_mode & 077) != 0)
        e = om_fail(err, OM_E_STATE, "others can read the file (mode %04o): chmod 600 %.120s",
                    (unsigned)st.st_mode & 07777, path);
    (void)close(fd);
    return e;
}

/* The first row of a query, as text, is what is wanted. */
static int expect(sqlite3 *db, const char *query, const char *wanted, bool *is_so)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(db, query, -1, &q, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(q, 0) : NULL;
    *is_so = text && strcmp(text, wanted) == 0;
    (void)sqlite3_finalize(q);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static enum om_err set_up(sqlite3 *db, const char *path, struct om_error *err)
{
    int count;
    bool is_sound, is_wal;
    const char *const *steps = om_store_schema(&count);

    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, BUSY_MS);
    if (sqlite3_exec(db, before, NULL, NULL, NULL) != SQLITE_OK ||
        expect(db, "PRAGMA quick_check(1)", "ok", &is_sound) != SQLITE_OK)
        return om_store_fail(db, path, "read", err);
    if (!is_sound)
        return om_fail(err, OM_E_PARSE,
                       "damaged, nothing was changed; move it away to start without what it knew:"
                       " %.110s",
                       path);
    enum om_err e = om_store_migrate(db, path, steps, count, err);
    if (e != OM_OK)
        return e;
    if (expect(db, "PRAGMA journal_mode = WAL", "wal", &is_wal) != SQLITE_OK)
        return om_store_fail(db, path, "prepare", err);
    if (!is_wal)
        return om_fail(err, OM_E_STATE, "want a local filesystem, with shared memory, under %.110s",
                       path);
    if (sqlite3_exec(db, after, NULL, NULL, NULL) != SQLITE_OK)
        return om_store_fail(db, path, "prepare", err);
    return OM_OK;
}

enum om_err om_store_open(struct om_store **out, const struct om_store_config *c,
                          struct om_error *err)
{
    size_t n = strlen(c->path) + 1;
    enum om_err e = prepare_file(c->path, err);

    if (e != OM_OK)
        return e;
    struct om_store *s = calloc(1, sizeof *s + n);
    if (!s)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    s->config = *c;
    memcpy(s->path, c->path, n);
    s->config.path = s->path;
    s->job.data = s;
    om_list_init(&s->queued);
    om_list_init(&s->batch);
    if (sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        e = om_store_fail(s->db, s->path, "open", err);
    else
        e = set_up(s->db, s->path, err);
    s->writer.db = s->db;
    if (e != OM_OK) {
        om_store_close(s);
        return e;
    }
    *out = s;
    return OM_OK;
}

/* Frees the puts of a list and returns the number of the last one, 0 if there is none. */
static uint64_t drop(struct om_store *s, struct om_list *list)
{
    uint64_t seq = 0;
    struct om_link *next;

    for (struct om_link *l = om_list_first(list); l; l = next) {
        struct om_store_put *p = OM_CONTAINER_OF(l, struct om_store_put, link);
        next = om_list_next(list, l);
        seq = p->seq;
        om_list_remove(l);
        free(p);
        s->waiting--;
    }
    return seq;
}

static void close_file(struct om_store *s)
{
    om_store_writer_fini(&s->writer);
    OM_BUG_IF(sqlite3_close(s->db) != SQLITE_OK); /* a statement of ours is open */
    s->db = NULL;
}

void om_store_close(struct om_store *s)
{
    if (!s)
        return;
    OM_BUG_IF(s->is_saving);
    close_file(s);
    (void)drop(s, &s->batch);
    (void)drop(s, &s->queued);
    free(s);
}

/* On a thread of the pool. */
static void work(uv_work_t *job)
{
    struct om_store *s = job->data;

    s->result = OM_OK;
    if (!om_list_is_empty(&s->batch))
        s->result = om_store_write(&s->writer, &s->batch, s->path, &s->error);
    if (s->is_last)
        close_file(s); /* copies the log into the file, so it may take a while */
}

static void start(struct om_store *s);

static void finish(struct om_store *s)
{
    void (*on_closed)(void *, bool) = s->on_closed;
    void *self = s->config.self;
    bool is_saved = s->waiting == 0;

    s->is_saving = false;
    om_store_close(s);
    if (on_closed)
        on_closed(self, is_saved);
}

/* Back on the loop. Both callbacks may put or retry, and so start the next job, or begin to close;
 * the file being closed, none can be started. */
static void done(uv_work_t *job, int status OM_UNUSED)
{
    struct om_store *s = job->data;
    bool was_last = s->is_last, is_ok = s->result == OM_OK;
    uint64_t up_to = is_ok ? drop(s, &s->batch) : 0;

    s->is_saving = was_last;
    if (up_to != 0 && s->config.on_saved)
        s->config.on_saved(s->config.self, up_to);
    if (!is_ok && s->config.on_failed)
        s->config.on_failed(s->config.self, s->error.msg);
    if (was_last)
        finish(s);
    else if (!s->is_saving && (s->is_closing || (is_ok && s->waiting > 0)))
        start(s);
}

static void start(struct om_store *s)
{
    for (struct om_link *l = om_list_first(&s->queued); l; l = om_list_first(&s->queued)) {
        om_list_remove(l);
        om_list_push_back(&s->batch, l);
    }
    s->is_last = s->is_closing;
    s->is_saving = true;
    OM_BUG_IF(uv_queue_work(s->config.loop, &s->job, work, done) != 0);
}

void om_store_retry(struct om_store *s)
{
    if (!s->is_saving && s->waiting > 0)
        start(s);
}

void om_store_flush_close(struct om_store *s, void (*on_closed)(void *self, bool is_saved))
{
    OM_BUG_IF(s->is_closing);
    s->is_closing = true;
    s->on_closed = on_closed;
    if (!s->is_saving)
        start(s);
}

unsigned om_store_waiting(const struct om_store *s)
{
    return s->waiting;
}
