/* store_read.c - the rows of mesh.db, at the start of a daemon. */
#include <limits.h>
#include <string.h>

#include "store_schema.h"
#include "store_state.h"

/* A query being read; the first row that makes no sense sticks. */
struct reader {
    struct om_store *s;
    sqlite3_stmt *q;
    int column;
    bool is_bad;
};

static enum om_err reader_open(struct reader *r, struct om_store *s, const char *sql,
                               struct om_error *err)
{
    *r = (struct reader){.s = s};
    if (s->is_saving)
        return om_fail(err, OM_E_STATE, "cannot read %.120s while a job writes to it", s->path);
    if (sqlite3_prepare_v2(s->db, sql, -1, &r->q, NULL) != SQLITE_OK)
        return om_store_fail(s->db, s->path, "read", err);
    return OM_OK;
}

static bool reader_next(struct reader *r)
{
    r->column = 0;
    return !r->is_bad && sqlite3_step(r->q) == SQLITE_ROW;
}

/* An error of the query is reported again by the reset. */
static enum om_err reader_close(struct reader *r, struct om_error *err)
{
    enum om_err e = OM_OK;

    if (sqlite3_reset(r->q) != SQLITE_OK)
        e = om_store_fail(r->s->db, r->s->path, "read", err);
    else if (r->is_bad)
        e = om_fail(
            err, OM_E_PARSE,
            "a row makes no sense; move the file away to start without what it knew: %.100s",
            r->s->path);
    (void)sqlite3_finalize(r->q);
    return e;
}

static int64_t get_number(struct reader *r, int64_t min, int64_t max)
{
    int64_t n = sqlite3_column_int64(r->q, r->column++);

    if (n < min || n > max)
        r->is_bad = true;
    return n;
}

static uint32_t get_u32(struct reader *r)
{
    return (uint32_t)get_number(r, 0, UINT32_MAX);
}

static struct om_wall get_wall(struct reader *r)
{
    return (struct om_wall){.unix_ms = get_number(r, INT64_MIN, INT64_MAX)};
}

static void get_bytes(struct reader *r, void *out, size_t n)
{
    const void *p = sqlite3_column_blob(r->q, r->column);

    if (p && (size_t)sqlite3_column_bytes(r->q, r->column) == n)
        memcpy(out, p, n);
    else
        r->is_bad = true;
    r->column++;
}

static struct om_id get_id(struct reader *r)
{
    struct om_id id = {{0}};

    get_bytes(r, id.b, sizeof id.b);
    return id;
}

static void get_name(struct reader *r, char out[static OM_NAME_MAX + 1])
{
    const char *text = (const char *)sqlite3_column_text(r->q, r->column++);
    size_t n = text ? strlen(text) : 0;

    if (!text || n > OM_NAME_MAX)
        r->is_bad = true;
    else
        memcpy(out, text, n + 1);
}

enum om_err om_store_each_network(struct om_store *s,
                                  void (*fn)(void *self, const struct om_store_network *),
                                  void *self, struct om_error *err)
{
    struct reader r;
    enum om_err e =
        reader_open(&r, s, "SELECT id, name, is_open, epoch FROM network ORDER BY id", err);

    if (e != OM_OK)
        return e;
    while (reader_next(&r)) {
        struct om_store_network row = {.id = get_id(&r)};
        get_name(&r, row.name);
        row.is_open = get_number(&r, 0, 1) != 0;
        row.epoch = get_u32(&r);
        if (!r.is_bad)
            fn(self, &row);
    }
    return reader_close(&r, err);
}

enum om_err om_store_each_peer(struct om_store *s,
                               void (*fn)(void *self, const struct om_store_peer *), void *self,
                               struct om_error *err)
{
    struct reader r;
    enum om_err e = reader_open(&r, s,
                                "SELECT network, id, name, last_seen_ms FROM peer"
                                " ORDER BY last_seen_ms DESC, network, id",
                                err);

    if (e != OM_OK)
        return e;
    while (reader_next(&r)) {
        struct om_store_peer row = {.network = get_id(&r)};
        row.id = get_id(&r);
        get_name(&r, row.name);
        row.last_seen = get_wall(&r);
        if (!r.is_bad)
            fn(self, &row);
    }
    return reader_close(&r, err);
}

enum om_err om_store_each_end(struct om_store *s,
                              void (*fn)(void *self, const struct om_store_end *), void *self,
                              struct om_error *err)
{
    struct reader r;
    enum om_err e = reader_open(&r, s,
                                "SELECT network, peer, ip, port, kind, rank, last_ok_ms"
                                " FROM endpoint ORDER BY network, peer, rank, ip, port",
                                err);

    if (e != OM_OK)
        return e;
    while (reader_next(&r)) {
        struct om_store_end row = {.network = get_id(&r)};
        row.peer = get_id(&r);
        get_bytes(&r, row.addr.ip, sizeof row.addr.ip);
        row.addr.port = (uint16_t)get_number(&r, 0, UINT16_MAX);
        row.kind = (uint8_t)get_number(&r, 0, UINT8_MAX);
        row.rank = get_u32(&r);
        row.last_ok = get_wall(&r);
        if (!r.is_bad)
            fn(self, &row);
    }
    return reader_close(&r, err);
}

enum om_err om_store_each_nat(struct om_store *s,
                              void (*fn)(void *self, const struct om_store_nat *), void *self,
                              struct om_error *err)
{
    struct reader r;
    enum om_err e = reader_open(&r, s,
                                "SELECT ours, theirs, plan, wins, losses, at_ms FROM nat_pair"
                                " ORDER BY ours, theirs, plan",
                                err);

    if (e != OM_OK)
        return e;
    while (reader_next(&r)) {
        struct om_store_nat row = {.ours = get_u32(&r)};
        row.theirs = get_u32(&r);
        row.plan = get_u32(&r);
        row.wins = get_u32(&r);
        row.losses = get_u32(&r);
        row.at = get_wall(&r);
        if (!r.is_bad)
            fn(self, &row);
    }
    return reader_close(&r, err);
}

enum om_err om_store_each_remember(struct om_store *s,
                                   void (*fn)(void *self, const struct om_act_remember *),
                                   void *self, struct om_error *err)
{
    struct reader r;
    enum om_err e = reader_open(&r, s,
                                "SELECT kind, network, peer, value FROM remember"
                                " ORDER BY kind, network, peer",
                                err);

    if (e != OM_OK)
        return e;
    while (reader_next(&r)) {
        struct om_act_remember row = {.kind =
                                          (enum om_remember)get_number(&r, 0, OM_REMEMBER_PEER)};
        row.network = get_id(&r);
        row.peer = get_id(&r);
        row.value = (uint64_t)get_number(&r, 0, INT64_MAX);
        if (!r.is_bad)
            fn(self, &row);
    }
    return reader_close(&r, err);
}

enum om_err om_store_each_record(struct om_store *s,
                                 void (*fn)(void *self, const struct om_store_record *), void *self,
                                 struct om_error *err)
{
    struct reader r;
    enum om_err e = reader_open(&r, s,
                                "SELECT network, peer, at_ms, bytes FROM record"
                                " ORDER BY at_ms DESC, network, peer",
                                err);

    if (e != OM_OK)
        return e;
    while (reader_next(&r)) {
        struct om_store_record row = {.network = get_id(&r)};
        row.peer = get_id(&r);
        row.at = get_wall(&r);
        row.bytes.p = sqlite3_column_blob(r.q, r.column); /* NULL when there are none */
        row.bytes.n = (size_t)sqlite3_column_bytes(r.q, r.column);
        if (!r.is_bad && row.bytes.n <= OM_STORE_RECORD_BYTES)
            fn(self, &row);
        else
            r.is_bad = true;
    }
    return reader_close(&r, err);
}
