/*
 * main.c - omerta-store-kill: kill a daemon's store again and again, and look what is left
 *
 * Each round a child writes numbers into the same mesh.db and says which are saved. It is killed
 * after 1 to 20 ms of that; in three rounds of four the moment is one at which it has a transaction
 * open. Then every number it acknowledged must be there, and the file sound.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include <omerta/prng.h>

#include "../unit/host/folder.h"
#include "child.h"
#include "host/clock.h"
#include "host/store.h"

enum { FIRST_ACK_MS = 30000, SPIN_MS = 2000 };

struct test {
    char top[FOLDER_MAX];
    char path[FOLDER_MAX + 16];
    struct om_prng prng;
    atomic_int *write; /* shared with the child */
    bool is_lying;

    uint64_t acked[SLOTS]; /* greatest number acknowledged */
    uint64_t found[SLOTS]; /* what the file has */
    uint64_t top_number;   /* greatest of all of them */
    bool is_wrong;         /* a value that nobody put */
    unsigned kills, hits;
    uint64_t acks, lost;
};

static bool fail(const struct test *t, const char *what, const char *why)
{
    (void)fprintf(stderr, "kill %u: %s: %s (left in %s)\n", t->kills, what, why, t->top);
    return false;
}

static void note(struct test *t, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n <= to; n++)
        t->acked[n % SLOTS] = n;
    t->acks += to + 1 - from;
}

/* Reads acknowledgements until @deadline, or to the end when that is OM_NEVER. @next is the first
 * number not yet acknowledged. Returns false at the end of the pipe. */
static bool read_acks(struct test *t, int acks, uint64_t *next, om_time deadline)
{
    for (;;) {
        om_time left = deadline == OM_NEVER ? OM_SEC(3600) : deadline - om_clock_now();
        struct pollfd p = {.fd = acks, .events = POLLIN};
        struct timespec wait = {left / 1000000, (long)(left % 1000000) * 1000};
        uint64_t number;

        if (left <= 0 || ppoll(&p, 1, &wait, NULL) <= 0)
            return true;
        if (read(acks, &number, sizeof number) != (ssize_t)sizeof number)
            return false; /* its writes are of that size, and so whole */
        note(t, *next, number);
        *next = number + 1;
    }
}

/* In three rounds of four: until a transaction is open, and then up to 0.2 ms into it. */
static void choose_moment(struct test *t)
{
    om_time now = om_clock_now(), give_up = now + OM_MS(SPIN_MS);

    if (om_prng_below(&t->prng, 4) == 0)
        return;
    while (atomic_load(t->write) == 0 && now < give_up)
        now = om_clock_now();
    om_time until = now + (om_time)om_prng_below(&t->prng, 200);
    while (om_clock_now() < until && atomic_load(t->write) != 0)
        ;
}

static bool run_child(struct test *t)
{
    uint64_t next = t->top_number + 1, first = next;
    int acks[2], status = 0;

    if (pipe2(acks, O_CLOEXEC) != 0)
        return fail(t, "pipe", strerror(errno));
    atomic_store(t->write, 0);
    struct child c = {t->path, acks[1], next, om_prng_u64(&t->prng), t->is_lying, t->write};
    pid_t pid = fork();
    if (pid == 0)
        child_run(&c);
    (void)close(acks[1]);
    if (pid < 0)
        return fail(t, "fork", strerror(errno));

    struct pollfd ready = {.fd = acks[0], .events = POLLIN};
    bool is_alive = poll(&ready, 1, FIRST_ACK_MS) == 1;
    om_time deadline = om_clock_now() + OM_MS(1) + (om_time)om_prng_below(&t->prng, 19001);
    is_alive = is_alive && read_acks(t, acks[0], &next, deadline);
    if (is_alive)
        choose_moment(t);
    if (kill(pid, SIGKILL) != 0 || waitpid(pid, &status, 0) != pid)
        return fail(t, "kill", strerror(errno));
    t->kills++;
    if (atomic_load(t->write) != 0)
        t->hits++; /* it died before it could say that the transaction was over */
    (void)read_acks(t, acks[0], &next, OM_NEVER);
    (void)close(acks[0]);
    if (!is_alive || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        return fail(t, "the child", "stopped by itself");
    return next > first || fail(t, "the child", "acknowledged nothing");
}

static void see(void *self, const struct om_act_remember *row)
{
    struct test *t = self;
    size_t slot = (size_t)row->peer.b[0] << 8 | row->peer.b[1];

    if (row->kind != OM_REMEMBER_PEER || row->value % SLOTS != slot)
        t->is_wrong = true;
    else
        t->found[slot] = row->value;
}

static bool check_integrity(struct test *t)
{
    char first[128] = "no answer";
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;

    if (sqlite3_open_v2(t->path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW)
        (void)snprintf(first, sizeof first, "%s", (const char *)sqlite3_column_text(q, 0));
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
    return strcmp(first, "ok") == 0 || fail(t, "integrity_check", first);
}

static bool check_store(struct test *t)
{
    struct om_store_config config = {.path = t->path};
    struct om_store *s = NULL;
    struct om_error err;

    memset(t->found, 0, sizeof t->found);
    if (om_store_open(&s, &config, &err) != OM_OK)
        return fail(t, "open", err.msg);
    enum om_err e = om_store_each_remember(s, see, t, &err);
    om_store_close(s);
    if (e != OM_OK)
        return fail(t, "read", err.msg);
    if (t->is_wrong)
        return fail(t, "read", "a value that nobody put");
    for (size_t i = 0; i < SLOTS; i++) {
        if (t->found[i] < t->acked[i]) {
            t->lost++;
            if (!t->is_lying)
                (void)fprintf(stderr,
                              "kill %u: number %" PRIu64 " was acknowledged, found %" PRIu64 "\n",
                              t->kills, t->acked[i], t->found[i]);
        }
        if (t->top_number < t->acked[i])
            t->top_number = t->acked[i];
        if (t->top_number < t->found[i])
            t->top_number = t->found[i];
        t->acked[i] = t->found[i];
    }
    return check_integrity(t);
}

static bool read_count(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && end != text && !*end;
}

static int report(const struct test *t)
{
    bool is_fine = t->hits * 2 >= t->kills && (t->is_lying ? t->lost > 0 : t->lost == 0);

    printf("%u kills, %u hit an open write, %" PRIu64 " acknowledged values lost (of %" PRIu64
           " acknowledged%s)\n",
           t->kills, t->hits, t->lost, t->acks, t->is_lying ? " too early, to be caught" : "");
    return is_fine ? 0 : 1;
}

/* Usage: omerta-store-kill [--kills N] [--seed N] [--lie] */
int main(int argc, char **argv)
{
    static struct test t;
    uint64_t kills = 200, seed = 1;

    for (int i = 1; i < argc; i++) {
        uint64_t *to = strcmp(argv[i], "--kills") == 0  ? &kills
                       : strcmp(argv[i], "--seed") == 0 ? &seed
                                                        : NULL;
        if (strcmp(argv[i], "--lie") == 0) {
            t.is_lying = true;
        } else if (!to || ++i == argc || !read_count(argv[i], to)) {
            (void)fprintf(stderr, "usage: omerta-store-kill [--kills N] [--seed N] [--lie]\n");
            return 2;
        }
    }
    om_prng_seed(&t.prng, seed);
    t.write =
        mmap(NULL, sizeof *t.write, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (t.write == MAP_FAILED || !folder_make(t.top)) {
        perror("omerta-store-kill");
        return 1;
    }
    folder_at(t.path, t.top, "mesh.db");
    while (t.kills < kills)
        if (!run_child(&t) || !check_store(&t))
            return 1;
    folder_remove(t.top);
    return report(&t);
}
