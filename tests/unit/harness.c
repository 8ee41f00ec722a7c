/*
 * harness.c - main() of every unit and model test: plain run, or --oom
 *
 * --oom runs each test once in a child process to count its allocations, then once per
 * allocation, in a child of its own, with that one failing.
 */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "alloc_hook.h"

enum {
    TESTS_MAX = 256,
    /* Of a test that allocates more: the first half, the rest spread out. A sanitizer makes each
     * four times as slow, and a few tests have most of them. */
    OOM_POINTS_MAX = OM_HAS_SANITIZER ? 400 : 2000,
    OOM_CPU_S = 20,  /* a child still computing then hangs */
    OOM_WALL_S = 300 /* one still waiting then hangs; the machine may be busy */
};

/* What a child leaves in shared memory for its parent. */
struct verdict {
    unsigned long allocations;
    unsigned long leak; /* number of a leaked allocation, 0 for none */
    bool returned;      /* the test came to its end: no failed check, no skip */
    bool failed;
};

static struct om_test *first, **last = &first;
static struct verdict *verdict;

/* cmocka catches these and calls them failed checks; here they must stay what they are. */
static const int fatal[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS};
static struct sigaction fatal_actions[OM_ARRAY_SIZE(fatal)];

void om_test_register(struct om_test *t)
{
    *last = t;
    last = &t->next;
}

bool om_test_oom_hit(void)
{
    return om_hook_hit();
}

static void oom_body(void **state)
{
    struct om_test *t = *state;
    void *none = NULL;

    for (size_t i = 0; i < OM_ARRAY_SIZE(fatal); i++)
        sigaction(fatal[i], &fatal_actions[i], NULL);
    t->run(&none);
    verdict->returned = true;
}

static void oom_child(struct om_test *t, unsigned long n, bool loud)
{
    struct CMUnitTest one[] = {{t->name, oom_body, NULL, NULL, t}};

    const struct itimerval cpu = {.it_value = {.tv_sec = OOM_CPU_S}};

    (void)setitimer(ITIMER_PROF, &cpu, NULL);
    alarm(OOM_WALL_S);
    if (!loud) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
            _exit(1);
    }
    om_hook_start(n);
    verdict->failed = _cmocka_run_group_tests("oom", one, 1, NULL, NULL) != 0;
    verdict->allocations = om_hook_count();
    if (verdict->returned)
        verdict->leak = om_hook_leak();
    _exit(0);
}

/* Runs @t with allocation @n failing. Returns the wait status of the child, or -1. */
static int oom_run(struct om_test *t, unsigned long n, bool loud)
{
    int status = 0;

    (void)fflush(NULL);
    *verdict = (struct verdict){0};
    pid_t pid = fork();
    if (pid == 0)
        oom_child(t, n, loud);
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("fork");
        return -1;
    }
    return status;
}

/* Runs @t with allocation @n failing, 0 for none, and says so when that goes wrong. */
static bool oom_probe(struct om_test *t, unsigned long n)
{
    char how[64] = "";
    int status = oom_run(t, n, false);

    if (status == -1)
        return false;
    if (WIFSIGNALED(status))
        (void)snprintf(how, sizeof how, "signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        (void)snprintf(how, sizeof how, "exit %d", WEXITSTATUS(status));
    else if (n == 0 && verdict->failed)
        (void)snprintf(how, sizeof how, "the test fails");
    else if (verdict->leak != 0)
        (void)snprintf(how, sizeof how, "leaks allocation %lu", verdict->leak);
    if (!how[0])
        return true;
    printf("not ok - %s: allocation %lu failing%s: %s\n", t->name, n, n ? "" : " (none)", how);
    (void)oom_run(t, n, true); /* once more, for its words */
    return false;
}

/* The allocation number of probe @i of @probes, among @total allocations. */
static unsigned long oom_point(unsigned long i, unsigned long probes, unsigned long total)
{
    unsigned long half = probes / 2;

    if (probes == total || i < half)
        return i + 1;
    return half + 1 + (i - half) * (total - half - 1) / (probes - half - 1);
}

/* Returns the number of allocations made to fail, or -1. */
static long oom_test(struct om_test *t)
{
    if (!oom_probe(t, 0))
        return -1;
    unsigned long total = verdict->allocations;
    unsigned long probes = total < OOM_POINTS_MAX ? total : OOM_POINTS_MAX;
    for (unsigned long i = 0; i < probes; i++)
        if (!oom_probe(t, oom_point(i, probes, total)))
            return -1;
    return (long)probes;
}

static int oom_main(struct om_test **tests, size_t count)
{
    unsigned passed = 0, failed = 0;
    long points = 0;

    for (size_t i = 0; i < OM_ARRAY_SIZE(fatal); i++)
        sigaction(fatal[i], NULL, &fatal_actions[i]);
    verdict =
        mmap(NULL, sizeof *verdict, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (verdict == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        long n = oom_test(tests[i]);
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

static int plain_main(const char *group, struct om_test **tests, size_t count)
{
    struct CMUnitTest units[TESTS_MAX];

    for (size_t i = 0; i < count; i++)
        units[i] = (struct CMUnitTest){tests[i]->name, tests[i]->run, NULL, NULL, NULL};
    return _cmocka_run_group_tests(group, units, count, NULL, NULL) != 0;
}

/* Usage: test_x [--oom] [--only NAME] */
int main(int argc, char **argv)
{
    struct om_test *tests[TESTS_MAX];
    const char *only = NULL;
    bool oom = false;
    size_t count = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--oom") == 0)
            oom = true;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
    }
    for (struct om_test *t = first; t; t = t->next) {
        if (only ? strcmp(t->name, only) != 0 : t->planted)
            continue;
        if (count == TESTS_MAX) {
            (void)fprintf(stderr, "more than %d tests in one file\n", TESTS_MAX);
            return 2;
        }
        tests[count++] = t;
    }
    if (count == 0 || sodium_init() < 0) {
        (void)fprintf(stderr, "no such test, or no libsodium\n");
        return 2;
    }
    return oom ? oom_main(tests, count) : plain_main(argv[0], tests, count);
}
