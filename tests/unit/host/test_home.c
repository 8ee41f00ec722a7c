/* test_home.c - the folder that one daemon owns. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "host/home.h"

OM_TEST(home_makes_the_last_folder_only)
{
    char top[FOLDER_MAX], path[FOLDER_MAX + 16], deep[FOLDER_MAX + 16];
    struct om_home *h = NULL;
    struct om_error err;
    struct stat st;

    CHECK(folder_make(top));
    folder_at(path, top, "home");
    folder_at(deep, top, "none/home");
    OM_TRY(om_home_open(&h, path, false, &err) == OM_E_MISSING);
    CHECK(strstr(err.msg, path) != NULL);
    OM_TRY(om_home_open(&h, path, true, &err) == OM_OK);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0700);
    om_home_close(h);
    h = NULL;
    OM_TRY(om_home_open(&h, deep, true, &err) == OM_E_MISSING);
    OM_TRY(om_home_open(&h, "", true, &err) == OM_E_RANGE);
    OM_TRY(om_home_open(&h, path, true, &err) == OM_OK); /* one that is there is as good */
out:
    om_home_close(h);
    folder_remove(top);
}

OM_TEST(home_that_others_can_enter_is_refused)
{
    char top[FOLDER_MAX], wanted[FOLDER_MAX + 16];
    struct om_home *h = NULL;
    struct om_error err = {0};

    CHECK(folder_make(top));
    (void)snprintf(wanted, sizeof wanted, "chmod 700 %s", top);
    static const mode_t bad[] = {0701, 0710, 0755, 0777};
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        char mode[16];
        (void)snprintf(mode, sizeof mode, "mode %04o", (unsigned)bad[i]);
        CHECK_EQ(chmod(top, bad[i]), 0);
        OM_TRY(om_home_open(&h, top, true, &err) == OM_E_STATE);
        CHECK(strstr(err.msg, mode) && strstr(err.msg, wanted));
    }
    CHECK_EQ(chmod(top, 0700), 0); /* what the sentence says mends it */
    OM_TRY(om_home_open(&h, top, false, &err) == OM_OK);
out:
    om_home_close(h);
    folder_remove(top);
}

OM_TEST(home_of_somebody_else_is_refused)
{
    char top[FOLDER_MAX], path[FOLDER_MAX + 16], mine[FOLDER_MAX + 16], theirs[FOLDER_MAX + 16];
    struct om_home *h = NULL;
    struct om_error err = {0};

    if (geteuid() != 0)
        skip(); /* only root can give a file away */
    CHECK(folder_make(top));
    folder_at(path, top, "home");
    folder_at(mine, top, "mine");
    folder_at(theirs, top, "theirs");
    CHECK_EQ(mkdir(path, 0700), 0);
    CHECK_EQ(symlink("home", mine), 0);
    CHECK_EQ(symlink("home", theirs), 0);
    CHECK_EQ(lchown(theirs, 65534, 65534), 0);
    OM_TRY(om_home_open(&h, mine, true, &err) == OM_OK); /* a link of one's own is fine */
    om_home_close(h);
    h = NULL;
    OM_TRY(om_home_open(&h, theirs, true, &err) == OM_E_STATE);
    CHECK(strstr(err.msg, "symbolic link of user 65534") != NULL);
    CHECK_EQ(chown(path, 65534, 65534), 0);
    OM_TRY(om_home_open(&h, path, true, &err) == OM_E_STATE);
    CHECK(strstr(err.msg, "belongs to user 65534") != NULL);
    OM_TRY(om_home_open(&h, mine, true, &err) == OM_E_STATE);
out:
    om_home_close(h);
    folder_remove(top);
}

OM_TEST(home_second_daemon_learns_who_has_it)
{
    char top[FOLDER_MAX], wanted[FOLDER_MAX + 64];
    struct om_home *h = NULL, *second = NULL;
    struct om_error err = {0};
    struct stat st;

    CHECK(folder_make(top));
    OM_TRY(om_home_open(&h, top, true, &err) == OM_OK);
    OM_TRY(om_home_open(&second, top, true, &err) == OM_E_EXISTS);
    (void)snprintf(wanted, sizeof wanted, "home %s is in use by process %ld", top, (long)getpid());
    CHECK_STR(err.msg, wanted);
    CHECK(om_home_join(h, wanted, sizeof wanted, "lock"));
    CHECK_EQ(stat(wanted, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0600);
    om_home_close(h);
    h = NULL;
    OM_TRY(om_home_open(&second, top, true, &err) == OM_OK);
out:
    om_home_close(second);
    om_home_close(h);
    folder_remove(top);
}

OM_TEST(home_lock_of_a_dead_daemon_is_free)
{
    char top[FOLDER_MAX], byte = 0;
    struct om_home *h = NULL;
    struct om_error err = {0};
    int ready[2], status = 0;

    CHECK(folder_make(top));
    CHECK_EQ(pipe(ready), 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        byte = om_home_open(&h, top, true, &err) == OM_OK ? 'y' : 'n';
        if (write(ready[1], &byte, 1) == 1)
            (void)pause();
        _exit(0);
    }
    CHECK_EQ(read(ready[0], &byte, 1), 1);
    enum om_err while_alive = om_home_open(&h, top, true, &err);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(close(ready[0]) + close(ready[1]), 0);
    OM_TRY(byte == 'y' && while_alive == OM_E_EXISTS);
    OM_TRY(om_home_open(&h, top, true, &err) == OM_OK);
out:
    om_home_close(h);
    folder_remove(top);
}

OM_TEST(home_joins_names_and_makes_folders)
{
    char top[FOLDER_MAX], path[FOLDER_MAX + 16], logs[FOLDER_MAX + 16];
    struct om_home *h = NULL;
    struct om_error err = {0};
    struct stat st;

    CHECK(folder_make(top));
    folder_at(logs, top, "logs");
    OM_TRY(om_home_open(&h, top, true, &err) == OM_OK);
    CHECK_STR(om_home_path(h), top);
    CHECK(om_home_join(h, path, strlen(logs) + 1, "logs"));
    CHECK_STR(path, logs);
    CHECK(!om_home_join(h, path, strlen(logs), "logs"));
    CHECK_OK(om_home_sub(h, "logs", &err));
    CHECK_OK(om_home_sub(h, "logs", &err));
    CHECK_EQ(stat(logs, &st), 0);
    CHECK(S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0700);
    CHECK_EQ(chmod(logs, 0750), 0);
    CHECK_ERR(om_home_sub(h, "logs", &err), OM_E_STATE);
    CHECK(strstr(err.msg, "mode 0750") && strstr(err.msg, logs));
    CHECK_ERR(om_home_sub(h, "lock", &err), OM_E_STATE);
    CHECK_ERR(om_home_sub(h, "../x", &err), OM_E_RANGE);
    CHECK_ERR(om_home_sub(h, "..", &err), OM_E_RANGE);
out:
    om_home_close(h);
    folder_remove(top);
}
