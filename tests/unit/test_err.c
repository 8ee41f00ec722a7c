/* test_err.c - codes and sentences. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

OM_TEST(om_error_fits_its_buffer)
{
    struct om_error e;
    char longer[2 * OM_ERROR_MSG_MAX];

    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    CHECK_ERR(om_fail(&e, OM_E_RANGE, "%s", longer), OM_E_RANGE);
    CHECK_EQ(strlen(e.msg), OM_ERROR_MSG_MAX - 1);
    CHECK_ERR(om_fail(NULL, OM_E_FULL, "no out"), OM_E_FULL);
}

OM_TEST(om_error_names_every_code)
{
    for (unsigned c = 0; c < OM_ERR_COUNT; c++) {
        CHECK(strncmp(om_err_name((enum om_err)c), "OM_", 3) == 0);
        CHECK(om_err_text((enum om_err)c)[0] != '\0');
    }
    CHECK_STR(om_err_name((enum om_err)OM_ERR_COUNT), "OM_E_UNKNOWN");
    CHECK_STR(om_err_text((enum om_err) - 1), "unknown error");
}

OM_TEST(om_bug_says_where_and_aborts)
{
    char text[200] = "";
    int fds[2], status = 0;

    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        (void)signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        dup2(fds[1], STDERR_FILENO);
        om_bug("file.c", 7, "x > y");
    }
    close(fds[1]);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(read(fds[0], text, sizeof text - 1) > 0);
    close(fds[0]);
    CHECK(strncmp(text, "omerta: bug at file.c:7: x > y\n", 31) == 0);
}
