/* test_store.c - what a daemon knows again after a restart. */
#include "harness.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "folder.h"
#include "host/store.h"

/* A store in a folder of its own, and what it said. */
struct desk {
    char top[FOLDER_MAX];
    char path[FOLDER_MAX + 16];
    uv_loop_t loop;
    struct om_store *store;
    struct om_error err;
    uint64_t up_to;
    unsigned saved, failed, closed;
    bool is_ordered; /* on_saved() never went back */
    bool is_saved;   /* what on_closed() said */
    char sentence[OM_ERROR_MSG_MAX];
};

static void on_saved(void *self, uint64_t up_to)
{
    struct desk *d = self;

    d->is_ordered = d->is_ordered && up_to > d->up_to;
    d->up_to = up_to;
    d->saved++;
}

static void on_failed(void *self, const char *sentence)
{
    struct desk *d = self;

    d->failed++;
    (void)snprintf(d->sentence, sizeof d->sentence, "%s", sentence);
}

static void on_closed(void *self, bool is_saved)
{
    struct desk *d = self;

    d->closed++;
    d->is_saved = is_saved;
}

static void desk_init(struct desk *d)
{
    *d = (struct desk){.is_ordered = true};
    CHECK(folder_make(d->top));
    folder_at(d->path, d->top, "mesh.db");
    CHECK_EQ(uv_loop_init(&d->loop), 0);
}

static enum om_err desk_open(struct desk *d)
{
    struct om_store_config c = {&d->loop, d->path, on_saved, on_failed, d};

    d->up_to = 0;
    return om_store_open(&d->store, &c, &d->err);
}

/* Until nothing is to be done; a job that never ended would be caught by the test's time limit. */
static void desk_run(struct desk *d)
{
    CHECK_EQ(uv_run(&d->loop, UV_RUN_DEFAULT), 0);
}

static void desk_close(struct desk *d)
{
    if (d->store)
        om_store_flush_close(d->store, on_closed);
    d->store = NULL;
    desk_run(d);
}

static void desk_fini(struct desk *d)
{
    desk_close(d);
    CHECK_EQ(uv_loop_close(&d->loop), 0);
    folder_remove(d->top);
}

static struct om_id id_of(uint32_t n)
{
    struct om_id id = {{(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};

    return id;
}

static struct om_act_remember value_of(uint32_t peer, uint64_t value)
{
    return (struct om_act_remember){OM_REMEMBER_PEER, id_of(7), id_of(peer), value};
}

/* Rows as lines of text, in the order they came. */
struct lines {
    char text[2048];
    size_t n;
    unsigned count;
    uint32_t last; /* first bytes of the last id */
};

static void add(struct lines *l, const char *fmt, ...) OM_PRINTF(2, 3);
static void add(struct lines *l, const char *fmt, ...)
{
    va_list ap;

    l->count++;
    va_start(ap, fmt);
    int n = vsnprintf(l->text + l->n, sizeof l->text - l->n, fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < sizeof l->text - l->n)
        l->n += (size_t)n;
}

static unsigned of(const struct om_id *id)
{
    return (unsigned)id->b[0] << 24 | (unsigned)id->b[1] << 16 | (unsigned)id->b[2] << 8 | id->b[3];
}

static void see_network(void *self, const struct om_store_network *row)
{
    add(self, "network %u %s %d %" PRIu32 "\n", of(&row->id), row->name, row->is_open, row->epoch);
}

static void see_peer(void *self, const struct om_store_peer *row)
{
    struct lines *l = self;

    l->last = of(&row->id);
    add(l, "peer %u %u %s %jd\n", of(&row->network), of(&row->id), row->name,
        (intmax_t)row->last_seen.unix_ms);
}

static void see_end(void *self, const struct om_store_end *row)
{
    char text[OM_ADDR_TEXT];

    add(self, "end %u %u %s %u %" PRIu32 " %jd\n", of(&row->network), of(&row->peer),
        om_addr_print(&row->addr, text), row->kind, row->rank, (intmax_t)row->last_ok.unix_ms);
}

static void see_nat(void *self, const struct om_store_nat *row)
{
    add(self, "nat %u %u %u %u %u %jd\n", row->ours, row->theirs, row->plan, row->wins, row->losses,
        (intmax_t)row->at.unix_ms);
}

static void see_remember(void *self, const struct om_act_remember *row)
{
    struct lines *l = self;

    l->last = of(&row->peer);
    add(l, "remember %d %u %u %ju\n", (int)row->kind, of(&row->network), of(&row->peer),
        (uintmax_t)row->value);
}

static void see_record(void *self, const struct om_store_record *row)
{
    add(self, "record %u %u %.*s %jd\n", of(&row->network), of(&row->peer), (int)row->bytes.n,
        row->bytes.n ? (const char *)row->bytes.p : "", (intmax_t)row->at.unix_ms);
}

static void see_all(struct desk *d, struct lines *l)
{
    *l = (struct lines){0};
    CHECK_OK(om_store_each_network(d->store, see_network, l, &d->err));
    CHECK_OK(om_store_each_peer(d->store, see_peer, l, &d->err));
    CHECK_OK(om_store_each_end(d->store, see_end, l, &d->err));
    CHECK_OK(om_store_each_nat(d->store, see_nat, l, &d->err));
    CHECK_OK(om_store_each_remember(d->store, see_remember, l, &d->err));
    CHECK_OK(om_store_each_record(d->store, see_record, l, &d->err));
}

static const char all_rows[] = "network 7 home 1 3\n"
                               "peer 7 21 bob 500\n"
                               "peer 7 20 ann 400\n"
                               "peer 7 22  90\n"
                               "end 7 20 192.0.2.1:80 2 1 390\n"
                               "end 7 20 [2001:db8::1]:80 1 9 380\n"
                               "end 7 22 192.0.2.1:80 2 1 90\n"
                               "nat 1 2 3 4 5 600\n"
                               "remember 0 0 0 60000\n"
                               "remember 1 7 20 123456\n"
                               "record 7 21 hello 700\n"
                               "record 7 20  650\n";

/* One of each, some of them twice. */
static bool put_all(struct om_store *s)
{
    struct om_store_network net = {id_of(7), "home", true, 3};
    struct om_store_peer ann = {id_of(7), id_of(20), "ann", {300}};
    struct om_store_peer bob = {id_of(7), id_of(21), "bob", {500}};
    struct om_store_end end = {id_of(7), id_of(20), om_addr_v4(0xc0000201, 80), 2, 1, {390}};
    struct om_store_end far = end, met = end;
    struct om_store_nat nat = {1, 2, 3, 4, 5, {600}};
    struct om_act_remember clock = {.kind = OM_REMEMBER_CLOCK, .value = 60000};
    struct om_act_remember stamp = value_of(20, 123456);
    struct om_store_record hello = {id_of(7), id_of(21), om_bytes("hello", 5), {700}};
    struct om_store_record empty = {id_of(7), id_of(20), om_bytes(NULL, 0), {650}};

    far.rank = 9;
    far.kind = 1;
    far.last_ok.unix_ms = 380;
    met.peer = id_of(22);
    met.last_ok.unix_ms = 90;
    if (om_addr_parse(&far.addr, "[2001:db8::1]:80", 0, NULL) != OM_OK ||
        om_store_put_network(s, &net, NULL) != OM_OK || om_store_put_peer(s, &ann, NULL) != OM_OK ||
        om_store_put_end(s, &far, NULL) != OM_OK || om_store_put_end(s, &end, NULL) != OM_OK ||
        om_store_put_end(s, &met, NULL) != OM_OK)
        return false;
    ann.last_seen.unix_ms = 400; /* seen again: the addresses stay */
    return om_store_put_peer(s, &bob, NULL) == OM_OK && om_store_put_peer(s, &ann, NULL) == OM_OK &&
           om_store_put_nat(s, &nat, NULL) == OM_OK &&
           om_store_put_remember(s, &clock, NULL) == OM_OK &&
           om_store_put_remember(s, &stamp, NULL) == OM_OK &&
           om_store_put_record(s, &hello, NULL) == OM_OK &&
           om_store_put_record(s, &empty, NULL) == OM_OK;
}

OM_TEST(store_gives_back_what_was_saved)
{
    struct desk d;
    struct lines seen;

    desk_init(&d);
    for (int round = 0; round < 2; round++) { /* the same again changes nothing */
        OM_TRY(desk_open(&d) == OM_OK);
        OM_TRY(put_all(d.store));
        CHECK_ERR(om_store_each_network(d.store, see_network, &seen, &d.err), OM_E_STATE);
        desk_run(&d);
        CHECK_EQ(d.up_to, 12);
        CHECK_EQ(om_store_waiting(d.store), 0);
        see_all(&d, &seen);
        CHECK_STR(seen.text, all_rows);
        desk_close(&d);
    }
    OM_TRY(desk_open(&d) == OM_OK);
    see_all(&d, &seen);
    CHECK_STR(seen.text, all_rows);
    CHECK_EQ(d.failed, 0);
out:
    desk_fini(&d);
}

OM_TEST(store_forgets_a_network)
{
    struct desk d;
    struct lines seen;
    struct om_id seven = id_of(7);
    struct om_store_network other = {id_of(8), "work", false, 1};
    struct om_store_peer eve = {id_of(8), id_of(20), "eve", {1}};

    desk_init(&d);
    OM_TRY(desk_open(&d) == OM_OK);
    OM_TRY(put_all(d.store));
    OM_TRY(om_store_put_network(d.store, &other, NULL) == OM_OK);
    OM_TRY(om_store_put_peer(d.store, &eve, NULL) == OM_OK);
    OM_TRY(om_store_forget_network(d.store, &seven, NULL) == OM_OK);
    desk_run(&d);
    see_all(&d, &seen);
    CHECK_STR(seen.text, "network 8 work 0 1\n"
                         "peer 8 20 eve 1\n"
                         "nat 1 2 3 4 5 600\n"
                         "remember 0 0 0 60000\n"
                         "remember 1 7 20 123456\n");
out:
    desk_fini(&d);
}

OM_TEST(store_acknowledges_in_order)
{
    struct desk d;
    struct om_act_remember row = value_of(1, 0);
    uint64_t seq = 0;

    desk_init(&d);
    OM_TRY(desk_open(&d) == OM_OK);
    for (unsigned i = 1; i <= 50; i++) {
        row.value = i;
        OM_TRY(om_store_put_remember(d.store, &row, &seq) == OM_OK);
        CHECK_EQ(seq, i);
        if (i % 7 == 0)
            (void)uv_run(&d.loop, UV_RUN_ONCE);
    }
    desk_run(&d);
    CHECK_EQ(d.up_to, 50);
    CHECK(d.is_ordered);
    CHECK(d.saved >= 2 && d.saved < 50); /* what came while a job ran was saved together */
out:
    desk_fini(&d);
}

OM_TEST(store_remembers_the_greatest)
{
    struct desk d;
    struct lines seen;
    static const uint64_t values[] = {5, 9, 7, INT64_MAX, 8};

    desk_init(&d);
    OM_TRY(desk_open(&d) == OM_OK);
    for (size_t i = 0; i < OM_ARRAY_SIZE(values); i++) {
        struct om_act_remember row = value_of(1, values[i]);
        OM_TRY(om_store_put_remember(d.store, &row, NULL) == OM_OK);
        desk_run(&d);
        see_all(&d, &seen);
        CHECK(i != 2 || strcmp(seen.text, "remember 1 7 1 9\n") == 0);
    }
    CHECK_STR(seen.text, "remember 1 7 1 9223372036854775807\n");
    struct om_act_remember over = value_of(1, (uint64_t)INT64_MAX + 1);
    CHECK_ERR(om_store_put_remember(d.store, &over, NULL), OM_E_RANGE);
    static const uint8_t big[OM_STORE_RECORD_BYTES + 1];
    struct om_store_record record = {id_of(7), id_of(1), om_bytes(big, sizeof big), {0}};
    CHECK_ERR(om_store_put_record(d.store, &record, NULL), OM_E_RANGE);
out:
    desk_fini(&d);
}

/* Nothing may be written to files beyond @bytes of their length, as on a full disk. */
static void limit_files(rlim_t bytes)
{
    struct rlimit r;

    CHECK(signal(SIGXFSZ, bytes == RLIM_INFINITY ? SIG_DFL : SIG_IGN) != SIG_ERR);
    CHECK_EQ(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes < r.rlim_max ? bytes : r.rlim_max;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &r), 0);
}

OM_TEST(store_keeps_what_could_not_be_saved)
{
    struct desk d;
    struct lines seen;
    struct om_act_remember first = value_of(1, 11), second = value_of(2, 22);

    desk_init(&d);
    OM_TRY(desk_open(&d) == OM_OK);
    OM_TRY(om_store_put_remember(d.store, &first, NULL) == OM_OK);
    desk_run(&d);
    CHECK_EQ(d.up_to, 1);
    limit_files(100);
    enum om_err e = om_store_put_remember(d.store, &second, NULL);
    (void)uv_run(&d.loop, UV_RUN_DEFAULT);
    om_store_retry(d.store);
    (void)uv_run(&d.loop, UV_RUN_DEFAULT);
    limit_files(RLIM_INFINITY);
    OM_TRY(e == OM_OK);
    CHECK_EQ(d.failed, 2);
    CHECK(strstr(d.sentence, "cannot write to") && strstr(d.sentence, d.path));
    CHECK_EQ(d.up_to, 1);
    CHECK_EQ(om_store_waiting(d.store), 1);
    see_all(&d, &seen);
    CHECK_STR(seen.text, "remember 1 7 1 11\n");
    om_store_retry(d.store);
    desk_run(&d);
    CHECK_EQ(d.up_to, 2);
    CHECK_EQ(om_store_waiting(d.store), 0);
    see_all(&d, &seen);
    CHECK_STR(seen.text, "remember 1 7 1 11\nremember 1 7 2 22\n");
out:
    desk_fini(&d);
}

OM_TEST(store_close_saves_what_waits)
{
    struct desk d;
    struct lines seen;
    struct om_act_remember row = value_of(1, 5), more = value_of(2, 6);

    desk_init(&d);
    OM_TRY(desk_open(&d) == OM_OK);
    OM_TRY(om_store_put_remember(d.store, &row, NULL) == OM_OK);  /* its job runs */
    OM_TRY(om_store_put_remember(d.store, &more, NULL) == OM_OK); /* waits */
    desk_close(&d);
    CHECK(d.closed == 1 && d.is_saved && d.up_to == 2);
    OM_TRY(desk_open(&d) == OM_OK);
    see_all(&d, &seen);
    CHECK_STR(seen.text, "remember 1 7 1 5\nremember 1 7 2 6\n");
    desk_close(&d); /* nothing to save: it closes all the same */
    CHECK(d.closed == 2 && d.is_saved);

    OM_TRY(desk_open(&d) == OM_OK);
    limit_files(100);
    more.value = 7;
    enum om_err e = om_store_put_remember(d.store, &more, NULL);
    desk_close(&d);
    limit_files(RLIM_INFINITY);
    OM_TRY(e == OM_OK);
    CHECK(d.closed == 3 && !d.is_saved && d.failed > 0);
    OM_TRY(desk_open(&d) == OM_OK);
    see_all(&d, &seen);
    CHECK_STR(seen.text, "remember 1 7 1 5\nremember 1 7 2 6\n");
    om_store_close(d.store); /* the way out of a start that failed */
    d.store = NULL;
    om_store_close(NULL);
out:
    desk_fini(&d);
}

OM_TEST(store_full_queue_is_busy)
{
    struct desk d;
    struct om_act_remember row = value_of(1, 1);
    uint64_t seq = 0;

    desk_init(&d);
    if (desk_open(&d) != OM_OK)
        goto out;
    for (unsigned i = 0; i < OM_STORE_QUEUE_MAX; i++)
        if (om_store_put_remember(d.store, &row, &seq) != OM_OK)
            break;
    OM_TRY(seq == OM_STORE_QUEUE_MAX);
    CHECK_EQ(om_store_waiting(d.store), OM_STORE_QUEUE_MAX); /* the loop did not run */
    CHECK_ERR(om_store_put_remember(d.store, &row, &seq), OM_E_BUSY);
    CHECK_EQ(seq, OM_STORE_QUEUE_MAX);
    desk_run(&d);
    CHECK_EQ(d.up_to, OM_STORE_QUEUE_MAX);
    OM_TRY(om_store_put_remember(d.store, &row, &seq) == OM_OK);
    CHECK_EQ(seq, OM_STORE_QUEUE_MAX + 1);
out:
    desk_fini(&d);
}

/* Rows 0 to @n - 1 by another way, so that a test can begin with tables that are nearly full. */
static void fill(const char *path, uint32_t n, const char *sql)
{
    struct om_id network = id_of(7);
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;

    CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    for (uint32_t i = 0; i < n; i++) {
        struct om_id id = id_of(i);
        CHECK_EQ(sqlite3_bind_blob(q, 1, network.b, sizeof network.b, SQLITE_STATIC), SQLITE_OK);
        CHECK_EQ(sqlite3_bind_blob(q, 2, id.b, sizeof id.b, SQLITE_STATIC), SQLITE_OK);
        CHECK_EQ(sqlite3_bind_int64(q, 3, 1000 + (int64_t)i), SQLITE_OK);
        CHECK_EQ(sqlite3_step(q), SQLITE_DONE);
        CHECK_EQ(sqlite3_reset(q), SQLITE_OK);
    }
    CHECK_EQ(sqlite3_finalize(q), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    CHECK_EQ(sqlite3_close(db), SQLITE_OK);
}

/* Puts rows @from to @to - 1, in more than one transaction. */
static bool put_rows(struct desk *d, uint32_t from, uint32_t to,
                     enum om_err (*fn)(struct om_store *, uint32_t))
{
    for (uint32_t i = from; i < to; i++)
        if (fn(d->store, i) != OM_OK)
            return false;
    desk_run(d);
    return true;
}

static enum om_err put_peer(struct om_store *s, uint32_t i)
{
    struct om_store_peer row = {id_of(7), id_of(i), "", {1000 + (int64_t)i}};

    return om_store_put_peer(s, &row, NULL);
}

static enum om_err put_stamp(struct om_store *s, uint32_t i)
{
    struct om_act_remember row = value_of(i, 1000 + i);

    return om_store_put_remember(s, &row, NULL);
}

static enum om_err put_record(struct om_store *s, uint32_t i)
{
    struct om_store_record row = {id_of(7), id_of(i), om_bytes("x", 1), {1000 + (int64_t)i}};

    return om_store_put_record(s, &row, NULL);
}

static enum om_err put_end(struct om_store *s, uint32_t i)
{
    struct om_store_end row = {id_of(7), id_of(9999), om_addr_v4(i, 80), 0, i, {9000 + (int64_t)i}};

    return om_store_put_end(s, &row, NULL);
}

static enum om_err put_nat(struct om_store *s, uint32_t i)
{
    struct om_store_nat row = {i, 0, 0, 1, 1, {(int64_t)i}};

    return om_store_put_nat(s, &row, NULL);
}

enum { FULL = OM_STORE_PEERS_MAX, MORE = 10 };

OM_TEST(store_bounds_its_tables)
{
    struct desk d;
    struct lines l = {0};

    desk_init(&d);
    OM_TRY(desk_open(&d) == OM_OK);
    desk_close(&d);
    fill(d.path, FULL, "INSERT INTO peer VALUES (?1, ?2, '', ?3)");
    fill(d.path, FULL, "INSERT INTO remember VALUES (1, ?1, ?2, ?3)");
    fill(d.path, FULL, "INSERT INTO record VALUES (?1, ?2, x'00', ?3)");
    OM_TRY(desk_open(&d) == OM_OK);
    OM_TRY(om_store_each_peer(d.store, see_peer, &l, &d.err) == OM_OK);
    CHECK(l.count == FULL && l.last == 0);
    l = (struct lines){0};
    OM_TRY(put_rows(&d, FULL, FULL + MORE, put_peer));
    OM_TRY(om_store_each_peer(d.store, see_peer, &l, &d.err) == OM_OK);
    CHECK(l.count == FULL &&
          l.last == MORE); /* the newest stayed, and this is the oldest of them */
    l = (struct lines){0};
    OM_TRY(put_rows(&d, 0, OM_STORE_ENDS_MAX + MORE, put_end));
    OM_TRY(om_store_each_end(d.store, see_end, &l, &d.err) == OM_OK);
    CHECK(l.count == OM_STORE_ENDS_MAX && strncmp(l.text, "end 7 9999 0.0.0.10:80 0 10 ", 28) == 0);
    l = (struct lines){0};
    OM_TRY(om_store_each_peer(d.store, see_peer, &l, &d.err) == OM_OK);
    CHECK(l.count == FULL && l.last == MORE + 1); /* the address brought its peer along */
    l = (struct lines){0};
    OM_TRY(put_rows(&d, 0, OM_STORE_NATS_MAX + MORE, put_nat));
    OM_TRY(om_store_each_nat(d.store, see_nat, &l, &d.err) == OM_OK);
    CHECK(l.count == OM_STORE_NATS_MAX && strncmp(l.text, "nat 10 ", 7) == 0);
    l = (struct lines){0};
    OM_TRY(put_rows(&d, FULL, FULL + MORE, put_stamp));
    OM_TRY(om_store_each_remember(d.store, see_remember, &l, &d.err) == OM_OK);
    CHECK(l.count == FULL && strncmp(l.text, "remember 1 7 10 1010\n", 21) == 0);
    l = (struct lines){0};
    OM_TRY(put_rows(&d, FULL, FULL + MORE, put_record));
    OM_TRY(om_store_each_record(d.store, see_record, &l, &d.err) == OM_OK);
    CHECK_EQ(l.count, FULL);
    CHECK_EQ(d.failed, 0);
out:
    desk_fini(&d);
}
