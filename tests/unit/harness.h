/*
 * harness.h - the few names every C test is written with
 *
 * What:  OM_TEST registers itself; CHECK_* are thin names over cmocka; main() is in harness.c.
 * Why:   a test file is then only tests. Two modes: plain (cmocka), and --oom, which runs each
 *        test again and again in a child process, each time with another allocation failing.
 * Keeps: harness_plain_fails_on_a_failed_check; harness_oom_catches_a_crash;
 *        harness_oom_catches_an_abort; harness_oom_catches_a_leak;
 *        harness_oom_catches_a_leak_without_failure;
 *        harness_oom_takes_a_failed_check_for_an_answer; harness_oom_wants_the_test_to_pass_first;
 *        harness_oom_probes_a_long_test_to_its_end;
 *        harness_sanitizers_see_hooked_memory.
 *
 * In --oom mode a failing CHECK after the injected failure is a fair answer (the code reported
 * the error); a crash, an abort, a sanitizer report or a hang is not. Write OM_TRY() around
 * steps that may run out of memory and release at "out:": then the harness also proves that
 * nothing leaked. To look into one test: test_x [--oom] --only NAME.
 */
#ifndef OM_TESTS_HARNESS_H
#define OM_TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <omerta/err.h>

struct om_test {
    const char *name;
    void (*run)(void **state);
    bool planted; /* wrong on purpose: runs only when named by --only */
    struct om_test *next;
};

/** om_test_register() - add @t, which must live as long as the program, to the tests of main(). */
void om_test_register(struct om_test *t);

/**
 * om_test_oom_hit() - has the harness made an allocation of this test fail?
 *
 * Return: true from that moment on; always false in plain mode.
 */
bool om_test_oom_hit(void);

#define OM_TEST_ENTRY(test_name, is_planted)                                                       \
    static void test_name(void **state);                                                           \
    static struct om_test test_name##_entry = {#test_name, test_name, is_planted, NULL};           \
    __attribute__((constructor)) static void test_name##_register(void)                            \
    {                                                                                              \
        om_test_register(&test_name##_entry);                                                      \
    }                                                                                              \
    static void test_name(void **state OM_UNUSED)

#define OM_TEST(test_name)    OM_TEST_ENTRY(test_name, false)
#define OM_PLANTED(test_name) OM_TEST_ENTRY(test_name, true)

#define CHECK(cond)             assert_true(cond)
#define CHECK_EQ(a, b)          assert_int_equal((a), (b))
#define CHECK_OK(e)             assert_string_equal(om_err_name(e), "OM_OK")
#define CHECK_ERR(e, code)      assert_string_equal(om_err_name(e), om_err_name(code))
#define CHECK_MEM(a, b, n)      assert_memory_equal((a), (b), (n))
#define CHECK_STR(a, b)         assert_string_equal((a), (b))
#define CHECK_MEM_DIFF(a, b, n) assert_memory_not_equal((a), (b), (n))

/* A step that may fail for want of memory: then go to out, else it must hold. */
#define OM_TRY(cond)                                                                               \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            if (om_test_oom_hit())                                                                 \
                goto out;                                                                          \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, #cond);                                      \
            abort(); /* not reached, but nothing in cmocka.h says so */                            \
        }                                                                                          \
    } while (0)

#endif
