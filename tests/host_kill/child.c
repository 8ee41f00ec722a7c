/* child.c - puts numbers into the store until it is killed. */
#include "child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>
#include <uv.h>

#include <omerta/prng.h>

#include "host/store.h"

enum { WAITING_MAX = 48 };

struct writer {
    const struct child *c;
    struct om_store *store;
    struct om_prng prng;
    uint64_t next;
};

static atomic_int *write_open;

/* The linker puts this in the way of the store, so that the product need not know of the test.
 * NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*) */
int __real_sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **),
                        void *self, char **message);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **),
                        void *self, char **message);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **),
                        void *self, char **message)
{
    if (write_open && strncmp(sql, "BEGIN", 5) == 0)
        atomic_store(write_open, 1);
    int rc = __real_sqlite3_exec(db, sql, row, self, message);
    if (write_open && (strcmp(sql, "COMMIT") == 0 || strcmp(sql, "ROLLBACK") == 0))
        atomic_store(write_open, 0);
    return rc;
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */

static _Noreturn void stop(const char *why)
{
    (void)fprintf(stderr, "child: %s\n", why);
    _exit(1);
}

struct om_id child_slot(uint64_t n)
{
    return (struct om_id){{(uint8_t)(n % SLOTS >> 8), (uint8_t)(n % SLOTS)}};
}

static void acknowledge(const struct writer *w, uint64_t number)
{
    if (write(w->c->acks, &number, sizeof number) != (ssize_t)sizeof number)
        stop("the parent reads no more");
}

static void put_some(struct writer *w)
{
    uint64_t n = 1 + om_prng_below(&w->prng, WAITING_MAX);

    while (om_store_waiting(w->store) < n) {
        struct om_act_remember row = {OM_REMEMBER_PEER, {{7}}, child_slot(w->next), w->next};
        if (om_store_put_remember(w->store, &row, NULL) != OM_OK)
            stop("cannot put");
        if (w->c->is_lying)
            acknowledge(w, w->next);
        w->next++;
    }
}

static void on_saved(void *self, uint64_t up_to)
{
    struct writer *w = self;

    if (!w->c->is_lying)
        acknowledge(w, w->c->first + up_to - 1);
    put_some(w);
}

static void on_failed(void *self OM_UNUSED, const char *sentence)
{
    stop(sentence);
}

_Noreturn void child_run(const struct child *c)
{
    struct writer w = {.c = c, .next = c->first};
    uv_loop_t loop;
    struct om_store_config config = {&loop, c->path, on_saved, on_failed, &w};
    struct om_error err;

    om_prng_seed(&w.prng, c->seed);
    if (uv_loop_init(&loop) != 0)
        stop("no loop");
    if (om_store_open(&w.store, &config, &err) != OM_OK)
        stop(err.msg);
    write_open = c->write;
    put_some(&w);
    (void)uv_run(&loop, UV_RUN_DEFAULT); /* does not return: every job begets the next */
    stop("nothing left to do");
}
