/*
 * loop.h - a libuv loop for one test, run until something happened
 *
 * What:  a loop, a folder, and a deadline that fails the test instead of hanging it.
 * Why:   these tests wait for real programs; how long depends on the machine, what comes does not.
 */
#ifndef OM_TESTS_VM_LOOP_H
#define OM_TESTS_VM_LOOP_H

#include <stdbool.h>
#include <uv.h>

#include "host/folder.h"

enum { LOOP_DEADLINE_MS = 60000 };

struct loop {
    uv_loop_t uv;
    uv_timer_t deadline;
    bool is_late;
    char top[FOLDER_MAX];
};

static inline void loop_on_deadline(uv_timer_t *t)
{
    struct loop *l = t->data;

    l->is_late = true;
}

/** loop_init() - make @l; Return: false when the machine has no room. */
static inline bool loop_init(struct loop *l)
{
    *l = (struct loop){.is_late = false};
    if (!folder_make(l->top) || uv_loop_init(&l->uv) != 0)
        return false;
    (void)uv_timer_init(&l->uv, &l->deadline);
    l->deadline.data = l;
    return true;
}

/** loop_until() - run @l until @done; Return: false when it took too long. */
static inline bool loop_until(struct loop *l, const bool *done)
{
    (void)uv_timer_start(&l->deadline, loop_on_deadline, LOOP_DEADLINE_MS, 0);
    while (!*done && !l->is_late)
        (void)uv_run(&l->uv, UV_RUN_ONCE);
    (void)uv_timer_stop(&l->deadline);
    return *done;
}

/** loop_fini() - let what was closed go, then end @l; Return: false when something is open. */
static inline bool loop_fini(struct loop *l)
{
    uv_close((uv_handle_t *)&l->deadline, NULL);
    (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    folder_remove(l->top);
    return uv_loop_close(&l->uv) == 0;
}

#endif
