/* test_harness.c - the harness, run on tests that are wrong on purpose. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#if defined __SANITIZE_ADDRESS__
#define HAS_ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#else
#define HAS_ASAN 0
#endif
#else
#define HAS_ASAN 0
#endif

enum { TEXT_MAX = 16384, MANY = 5000 };

static char text[TEXT_MAX];

/* Called through a pointer, so that no compiler leaves the allocation out. */
static void *(*volatile get)(size_t) = malloc;

/* Runs the planted test @name of this program. Returns its exit code and leaves its words in
 * text. */
static int run(const char *mode, const char *name)
{
    int fds[2], status = 0;
    size_t n = 0;
    ssize_t got;

    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        execl("/proc/self/exe", "test_harness", "--only", name, mode, (char *)NULL);
        _exit(99);
    }
    close(fds[1]);
    while ((got = read(fds[0], text + n, TEXT_MAX - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(fds[0]);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool said(const char *words)
{
    return strstr(text, words) != NULL;
}

OM_PLANTED(planted_failed_check)
{
    CHECK_EQ(1, 2);
}

OM_PLANTED(planted_careful)
{
    char *a = get(1);
    char *b = a ? get(1) : NULL;

    OM_TRY(b);
out:
    free(b);
    free(a);
}

OM_PLANTED(planted_crash)
{
    volatile char *p = get(1);

    *p = 1;
    free((void *)(uintptr_t)p);
}

OM_PLANTED(planted_abort)
{
    void *p = get(1);

    OM_BUG_IF(!p);
    free(p);
}

OM_PLANTED(planted_leak)
{
    char *a = get(1);
    char *b = a ? get(1) : NULL;

    if (b)
        free(a); /* forgotten when b is missing */
    free(b);
}

OM_PLANTED(planted_leak_always)
{
    CHECK(get(1));
}

OM_PLANTED(planted_answer)
{
    void *p = get(1);

    CHECK(p);
    free(p);
}

OM_PLANTED(planted_last_of_many)
{
    for (int i = 0; i < MANY; i++) {
        volatile char *p = get(1);

        if (i == MANY - 1)
            *p = 1;
        free((void *)(uintptr_t)p);
    }
}

static void *volatile held;

/* Gives @p back; the compiler cannot know that, and so cannot leave its allocation out. */
static void *hold(void *p)
{
    held = p;
    return held;
}

OM_PLANTED(planted_allocators)
{
    void *aligned = NULL;

    free(hold(calloc(1, 1)));
    free(hold(strdup("a")));
    free(hold(strndup("ab", 1)));
    free(hold(aligned_alloc(64, 64)));
    if (posix_memalign(&aligned, 64, 64) == 0)
        free(hold(aligned));
    sodium_free(hold(sodium_malloc(16)));

    void *p = malloc(1), *q = realloc(p, 100);
    free(q ? NULL : p);
    p = q;
    q = reallocarray(p, 10, 100);
    free(q ? q : p);
}

OM_PLANTED(planted_foreign_memory)
{
    char *line = NULL;
    size_t room = 0;
    FILE *f = fmemopen((void *)(uintptr_t) "hello\n", 6, "r");

    CHECK(f);
    CHECK(getline(&line, &room, f) == 6); /* allocated inside libc, freed here */
    CHECK_EQ(fclose(f), 0);
    free(line);
}

OM_PLANTED(planted_overflow)
{
    volatile size_t past = 16;
    volatile char *p = get(16);

    CHECK(p);
    p[past] = 1;
    free((void *)(uintptr_t)p);
}

OM_TEST(harness_plain_fails_on_a_failed_check)
{
    CHECK(run(NULL, "planted_failed_check") != 0);
    CHECK(said("planted_failed_check"));
    CHECK_EQ(run(NULL, "planted_careful"), 0);
    CHECK(run(NULL, "planted_that_is_not_there") != 0);
}

OM_TEST(harness_oom_catches_a_crash)
{
    CHECK(run("--oom", "planted_crash") != 0);
    CHECK(said("planted_crash: allocation 1 failing"));
    CHECK_EQ(run(NULL, "planted_crash"), 0); /* with memory it is fine */
    CHECK_EQ(run("--oom", "planted_careful"), 0);
    CHECK(said("1 passed, 0 failed (2 allocations made to fail)"));
}

OM_TEST(harness_oom_catches_an_abort)
{
    CHECK(run("--oom", "planted_abort") != 0);
    CHECK(said("planted_abort: allocation 1 failing: signal 6"));
    CHECK(said("omerta: bug at")); /* the second run speaks */
}

OM_TEST(harness_oom_catches_a_leak)
{
    CHECK(run("--oom", "planted_leak") != 0);
    CHECK(said("planted_leak: allocation 2 failing: leaks allocation 1"));
}

OM_TEST(harness_oom_catches_a_leak_without_failure)
{
    CHECK(run("--oom", "planted_leak_always") != 0);
    CHECK(said("leaks allocation 1"));
}

OM_TEST(harness_oom_takes_a_failed_check_for_an_answer)
{
    CHECK_EQ(run("--oom", "planted_answer"), 0);
    CHECK(said("(1 allocations made to fail)"));
}

OM_TEST(harness_oom_wants_the_test_to_pass_first)
{
    CHECK(run("--oom", "planted_failed_check") != 0);
    CHECK(said("(none): the test fails"));
}

OM_TEST(harness_oom_probes_a_long_test_to_its_end)
{
    CHECK(run("--oom", "planted_last_of_many") != 0);
    CHECK(said("planted_last_of_many: allocation 5000 failing"));
}

OM_TEST(harness_oom_counts_every_allocator)
{
    CHECK_EQ(run("--oom", "planted_allocators"), 0);
    CHECK(said("(9 allocations made to fail)"));
}

OM_TEST(harness_oom_ignores_foreign_memory)
{
    CHECK_EQ(run("--oom", "planted_foreign_memory"), 0);
}

#if HAS_ASAN
OM_TEST(harness_sanitizers_see_hooked_memory)
{
    CHECK(run(NULL, "planted_overflow") != 0);
    CHECK(said("heap-buffer-overflow"));
    CHECK(run("--oom", "planted_overflow") != 0);
}
#endif
