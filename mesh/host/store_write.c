/* store_write.c - the statements that save a put, and those that keep tables in bounds. */
#include "store_write.h"

#include "store_schema.h"

/* The greatest of each group stay; which of equals goes is settled by the key. ?3 is how many. */
#define TRIM(table, key, group, by)                                                                \
    "DELETE FROM " table " WHERE (" key ") IN (SELECT " key " FROM " table " WHERE " group         \
    " ORDER BY " by " DESC, " key " LIMIT -1 OFFSET ?3)"

enum statement {
    PUT_NETWORK,
    PUT_PEER,
    MEET_PEER,
    PUT_END,
    PUT_NAT,
    PUT_REMEMBER,
    PUT_RECORD,
    TRIM_PEERS,
    TRIM_ENDS,
    TRIM_NATS,
    TRIM_REMEMBERED,
    TRIM_RECORDS,
    FORGET_NETWORK,
    FORGET_PEERS,
    FORGET_RECORDS,
    STATEMENT_COUNT
};
static_assert((int)STATEMENT_COUNT == (int)OM_STORE_STATEMENTS, "room in the writer");

static const char *const sql[STATEMENT_COUNT] = {
    [PUT_NETWORK] = "INSERT OR REPLACE INTO network (id, name, is_open, epoch) VALUES (?,?,?,?)",
    /* REPLACE would delete the row first, and the addresses of the peer with it. */
    [PUT_PEER] = "INSERT INTO peer (network, id, name, last_seen_ms) VALUES (?,?,?,?) ON CONFLICT"
                 " DO UPDATE SET name = excluded.name, last_seen_ms = excluded.last_seen_ms",
    [MEET_PEER] = "INSERT OR IGNORE INTO peer (network, id, name, last_seen_ms) VALUES (?,?,'',?)",
    [PUT_END] = "INSERT OR REPLACE INTO endpoint (network, peer, ip, port, kind, rank, last_ok_ms)"
                " VALUES (?,?,?,?,?,?,?)",
    [PUT_NAT] = "INSERT OR REPLACE INTO nat_pair (ours, theirs, plan, wins, losses, at_ms)"
                " VALUES (?,?,?,?,?,?)",
    [PUT_REMEMBER] = "INSERT INTO remember (kind, network, peer, value) VALUES (?,?,?,?)"
                     " ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
    [PUT_RECORD] = "INSERT OR REPLACE INTO record (network, peer, bytes, at_ms) VALUES (?,?,?,?)",
    [TRIM_PEERS] = TRIM("peer", "network, id", "network = ?1", "last_seen_ms"),
    [TRIM_ENDS] =
        TRIM("endpoint", "network, peer, ip, port", "network = ?1 AND peer = ?2", "last_ok_ms"),
    [TRIM_NATS] = TRIM("nat_pair", "ours, theirs, plan", "true", "at_ms"),
    [TRIM_REMEMBERED] =
        TRIM("remember", "kind, network, peer", "kind = ?2 AND network = ?1", "value"),
    [TRIM_RECORDS] = TRIM("record", "network, peer", "network = ?1", "at_ms"),
    [FORGET_NETWORK] = "DELETE FROM network WHERE id = ?1",
    [FORGET_PEERS] = "DELETE FROM peer WHERE network = ?1",
    [FORGET_RECORDS] = "DELETE FROM record WHERE network = ?1",
};

/* A statement being filled in; the first error sticks. */
struct fill {
    sqlite3_stmt *q;
    int column;
    int rc;
};

static struct fill fill(struct om_store_writer *w, enum statement which)
{
    struct fill f = {.rc = SQLITE_OK};

    if (!w->statements[which])
        f.rc = sqlite3_prepare_v3(w->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                  &w->statements[which], NULL);
    f.q = w->statements[which];
    return f;
}

static void put_number(struct fill *f, int64_t n)
{
    if (f->rc == SQLITE_OK)
        f->rc = sqlite3_bind_int64(f->q, ++f->column, n);
}

/* The bytes stay where they are until the statement has run. */
static void put_bytes(struct fill *f, const void *p, size_t n)
{
    if (f->rc == SQLITE_OK)
        f->rc = sqlite3_bind_blob64(f->q, ++f->column, p, n, SQLITE_STATIC);
}

static void put_id(struct fill *f, const struct om_id *id)
{
    put_bytes(f, id->b, sizeof id->b);
}

static void put_text(struct fill *f, const char *text)
{
    if (f->rc == SQLITE_OK)
        f->rc = sqlite3_bind_text(f->q, ++f->column, text, -1, SQLITE_STATIC);
}

static int run(struct fill *f)
{
    if (f->rc != SQLITE_OK)
        return f->rc;
    int rc = sqlite3_step(f->q);
    (void)sqlite3_reset(f->q);
    (void)sqlite3_clear_bindings(f->q);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int save_network(struct om_store_writer *w, const struct om_store_network *row)
{
    struct fill f = fill(w, PUT_NETWORK);

    put_id(&f, &row->id);
    put_text(&f, row->name);
    put_number(&f, row->is_open);
    put_number(&f, row->epoch);
    return run(&f);
}

static int save_peer(struct om_store_writer *w, const struct om_store_peer *row)
{
    struct fill f = fill(w, PUT_PEER);

    put_id(&f, &row->network);
    put_id(&f, &row->id);
    put_text(&f, row->name);
    put_number(&f, row->last_seen.unix_ms);
    return run(&f);
}

static int save_end(struct om_store_writer *w, const struct om_store_end *row)
{
    struct fill f = fill(w, MEET_PEER);

    put_id(&f, &row->network);
    put_id(&f, &row->peer);
    put_number(&f, row->last_ok.unix_ms);
    int rc = run(&f);
    if (rc != SQLITE_OK)
        return rc;
    f = fill(w, PUT_END);
    put_id(&f, &row->network);
    put_id(&f, &row->peer);
    put_bytes(&f, row->addr.ip, sizeof row->addr.ip);
    put_number(&f, row->addr.port);
    put_number(&f, row->kind);
    put_number(&f, row->rank);
    put_number(&f, row->last_ok.unix_ms);
    return run(&f);
}

static int save_nat(struct om_store_writer *w, const struct om_store_nat *row)
{
    struct fill f = fill(w, PUT_NAT);

    put_number(&f, row->ours);
    put_number(&f, row->theirs);
    put_number(&f, row->plan);
    put_number(&f, row->wins);
    put_number(&f, row->losses);
    put_number(&f, row->at.unix_ms);
    return run(&f);
}

static int save_remember(struct om_store_writer *w, const struct om_act_remember *row)
{
    struct fill f = fill(w, PUT_REMEMBER);

    put_number(&f, (int64_t)row->kind);
    put_id(&f, &row->network);
    put_id(&f, &row->peer);
    put_number(&f, (int64_t)row->value);
    return run(&f);
}

static int save_record(struct om_store_writer *w, const struct om_store_record *row)
{
    struct fill f = fill(w, PUT_RECORD);

    put_id(&f, &row->network);
    put_id(&f, &row->peer);
    put_bytes(&f, row->bytes.p, row->bytes.n);
    put_number(&f, row->at.unix_ms);
    return run(&f);
}

static int forget(struct om_store_writer *w, const struct om_id *network)
{
    static const enum statement all[] = {FORGET_NETWORK, FORGET_PEERS, FORGET_RECORDS};
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i < OM_ARRAY_SIZE(all); i++) {
        struct fill f = fill(w, all[i]);
        put_id(&f, network);
        rc = run(&f);
    }
    return rc;
}

static int save(struct om_store_writer *w, const struct om_store_put *p)
{
    switch (p->kind) {
    case OM_STORE_NETWORK:
        return save_network(w, &p->network);
    case OM_STORE_PEER:
        return save_peer(w, &p->peer);
    case OM_STORE_END:
        return save_end(w, &p->end);
    case OM_STORE_NAT:
        return save_nat(w, &p->nat);
    case OM_STORE_REMEMBER:
        return save_remember(w, &p->remember);
    case OM_STORE_RECORD:
        return save_record(w, &p->record);
    case OM_STORE_FORGET:
        return forget(w, &p->forget);
    case OM_STORE_KIND_COUNT:
        break;
    }
    return SQLITE_OK;
}

/* What a put may have made too long: the rows of one network, or the addresses of one peer. */
struct group {
    enum statement trim;
    const struct om_id *network;
    const struct om_id *peer;
    int64_t kind;
    int64_t max;
};

static struct group group_of(const struct om_store_put *p)
{
    switch (p->kind) {
    case OM_STORE_PEER:
        return (struct group){TRIM_PEERS, &p->peer.network, NULL, 0, OM_STORE_PEERS_MAX};
    case OM_STORE_END:
        return (struct group){TRIM_ENDS, &p->end.network, &p->end.peer, 0, OM_STORE_ENDS_MAX};
    case OM_STORE_NAT:
        return (struct group){TRIM_NATS, NULL, NULL, 0, OM_STORE_NATS_MAX};
    case OM_STORE_REMEMBER:
        return (struct group){TRIM_REMEMBERED, &p->remember.network, NULL,
                              (int64_t)p->remember.kind, OM_STORE_PEERS_MAX};
    case OM_STORE_RECORD:
        return (struct group){TRIM_RECORDS, &p->record.network, NULL, 0, OM_STORE_PEERS_MAX};
    case OM_STORE_NETWORK:
    case OM_STORE_FORGET:
    case OM_STORE_KIND_COUNT:
        break;
    }
    return (struct group){.trim = STATEMENT_COUNT};
}

static bool same_id(const struct om_id *a, const struct om_id *b)
{
    return a == b || (a && b && om_id_equal(a, b));
}

static bool same_group(const struct group *a, const struct group *b)
{
    return a->trim == b->trim && a->kind == b->kind && same_id(a->network, b->network) &&
           same_id(a->peer, b->peer);
}

static int trim(struct om_store_writer *w, const struct group *g)
{
    struct fill f = fill(w, g->trim);

    if (g->network)
        put_id(&f, g->network);
    else
        put_number(&f, 0);
    if (g->peer)
        put_id(&f, g->peer);
    else
        put_number(&f, g->kind);
    put_number(&f, g->max);
    return run(&f);
}

/* After all of them, since neighbours tend to be of one group, which is then looked at once. An
 * address may have brought a peer along. */
static int trim_all(struct om_store_writer *w, const struct om_list *puts)
{
    struct group last = {.trim = STATEMENT_COUNT}, last_met = last;
    int rc = SQLITE_OK;

    for (struct om_link *l = om_list_first(puts); rc == SQLITE_OK && l; l = om_list_next(puts, l)) {
        const struct om_store_put *p = OM_CONTAINER_OF(l, struct om_store_put, link);
        struct group g = group_of(p);
        if (g.trim == STATEMENT_COUNT)
            continue;
        struct group met = {TRIM_PEERS, g.network, NULL, 0, OM_STORE_PEERS_MAX};
        if (p->kind == OM_STORE_END && !same_group(&met, &last_met)) {
            rc = trim(w, &met);
            last_met = met;
        }
        if (rc == SQLITE_OK && !same_group(&g, &last))
            rc = trim(w, &g);
        last = g;
    }
    return rc;
}

/* The log grows to megabytes before SQLite copies it into the file. On a full disk that is room
 * which the next attempt can have, unless the file has to grow too. */
static void make_room(sqlite3 *db)
{
    (void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

enum om_err om_store_write(struct om_store_writer *w, const struct om_list *puts, const char *path,
                           struct om_error *err)
{
    enum om_err e = OM_OK;
    int rc = sqlite3_exec(w->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    for (struct om_link *l = om_list_first(puts); rc == SQLITE_OK && l; l = om_list_next(puts, l))
        rc = save(w, OM_CONTAINER_OF(l, struct om_store_put, link));
    if (rc == SQLITE_OK)
        rc = trim_all(w, puts);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(w->db, "COMMIT", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        e = om_store_fail(w->db, path, "write to", err);
    if (!sqlite3_get_autocommit(w->db))
        (void)sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        make_room(w->db);
    return e;
}

void om_store_writer_fini(struct om_store_writer *w)
{
    for (size_t i = 0; i < OM_ARRAY_SIZE(w->statements); i++) {
        (void)sqlite3_finalize(w->statements[i]);
        w->statements[i] = NULL;
    }
}
