/*
 * harness.c - main() of every unit and model test: plain run, or --oom
 *
 * The allocator is hooked by the linker (--wrap), so the product has no test code in it.
 */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

enum {
    TESTS_MAX = 256,
    OOM_POINTS_MAX = 2000, /* a test that allocates more often is probed at the first 2000 */
    OOM_SECONDS = 20       /* a child still running then hangs */
};

static struct om_test *first, **last = &first;
static unsigned long fail_at; /* 0 = never */
static unsigned long allocations;
static long live;

void om_test_register(struct om_test *t)
{
    *last = t;
    last = &t->next;
}

bool om_test_oom_hit(void)
{
    return fail_at != 0 && allocations >= fail_at;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

static bool must_fail(void)
{
    return ++allocations == fail_at;
}

void *__wrap_malloc(size_t n)
{
    void *p = must_fail() ? NULL : __real_malloc(n);
    live += p != NULL;
    return p;
}

void *__wrap_calloc(size_t n, size_t size)
{
    void *p = must_fail() ? NULL : __real_calloc(n, size);
    live += p != NULL;
    return p;
}

void *__wrap_realloc(void *old, size_t n)
{
    void *p = must_fail() ? NULL : __real_realloc(old, n);
    live += p != NULL && old == NULL;
    return p;
}

void __wrap_free(void *p)
{
    live -= p != NULL;
    __real_free(p);
}

/* Verdicts of a child: the allocation failed and all was well; there were fewer allocations. */
enum { CHILD_HIT = 40, CHILD_SPARED = 41, CHILD_LEAKED = 42 };

static int returned_cleanly;

static void oom_body(void **state)
{
    struct om_test *t = *state;
    void *none = NULL;

    t->run(&none);
    returned_cleanly = 1;
}

static void oom_child(struct om_test *t, unsigned long n)
{
    struct CMUnitTest one[] = {{t->name, oom_body, NULL, NULL, t}};

    alarm(OOM_SECONDS);
    if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
        _exit(1);
    live = 0;
    allocations = 0;
    fail_at = n;
    (void)_cmocka_run_group_tests("oom", one, 1, NULL, NULL);
    if (returned_cleanly && live != 0)
        _exit(CHILD_LEAKED);
    _exit(allocations >= n ? CHILD_HIT : CHILD_SPARED);
}

/* Runs @t with allocation 1, 2, 3 ... failing. Returns the number of points probed, or -1. */
static long oom_test(struct om_test *t)
{
    for (unsigned long n = 1; n <= OOM_POINTS_MAX; n++) {
        int status = 0;

        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0)
            oom_child(t, n);
        if (pid < 0 || waitpid(pid, &status, 0) != pid) {
            perror("fork");
            return -1;
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SPARED)
            return (long)n - 1;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != CHILD_HIT) {
            printf("not ok - %s: allocation %lu failing: %s %d\n", t->name, n,
                   WIFSIGNALED(status) ? "signal" : "exit",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            return -1;
        }
    }
    return OOM_POINTS_MAX;
}

static int oom_main(void)
{
    unsigned passed = 0, failed = 0;
    long points = 0;

    for (struct om_test *t = first; t; t = t->next) {
        long n = oom_test(t);
        if (n < 0) {
            failed++;
            continue;
        }
        passed++;
        points += n;
    }
    printf("%u passed, %u failed (%ld allocations made to fail)\n", passed, failed, points);
    return failed != 0;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[TESTS_MAX];
    size_t n = 0;

    if (sodium_init() < 0)
        return 1;
    if (argc > 1 && strcmp(argv[1], "--oom") == 0)
        return oom_main();
    for (struct om_test *t = first; t && n < TESTS_MAX; t = t->next)
        tests[n++] = (struct CMUnitTest){t->name, t->run, NULL, NULL, NULL};
    return _cmocka_run_group_tests(argv[0], tests, n, NULL, NULL);
}
