/* test_cli_files.c - logs that turn over, homes that are removed, programs that are run. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "logfile.h"
#include "purge.h"

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    CHECK(f != NULL);
    (void)fputs(text, f);
    (void)fclose(f);
}

static bool is_there(const char *folder, const char *name)
{
    char path[256];
    struct stat s;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return lstat(path, &s) == 0;
}

OM_TEST(logfile_turns_over_at_its_size)
{
    char folder[] = "/tmp/om-log-XXXXXX", home[64];
    struct om_error err;

    CHECK(mkdtemp(folder) != NULL);
    snprintf(home, sizeof home, "%s/home", folder);
    for (int i = 0; i < OM_LOGFILE_KEPT + 2; i++) {
        int fd = -1;

        CHECK_OK(om_logfile_open(home, &fd, &err));
        CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
        CHECK_EQ(ftruncate(fd, OM_LOGFILE_BYTES_MAX - (i == 0)), 0);
        close(fd);
        if (i == 0) { /* one byte less: it goes on in the same file */
            CHECK_OK(om_logfile_open(home, &fd, &err));
            CHECK_EQ(write(fd, "x", 1), 1);
            close(fd);
        }
    }
    CHECK(is_there(home, "logs/meshd.log") && is_there(home, "logs/meshd.log.3"));
    CHECK(!is_there(home, "logs/meshd.log.4"));
    CHECK_OK(om_purge_remove(folder, &err));
}

OM_TEST(logfile_tail_gives_the_last_lines)
{
    char home[] = "/tmp/om-log-XXXXXX", *text = NULL;
    struct om_error err;
    int fd = -1;

    CHECK(mkdtemp(home) != NULL);
    CHECK_ERR(om_logfile_tail(home, 2, &text, &err), OM_E_MISSING);
    CHECK_OK(om_logfile_open(home, &fd, &err));
    CHECK_EQ(write(fd, "one\ntwo\nthree\n", 14), 14);
    close(fd);
    OM_TRY(om_logfile_tail(home, 2, &text, &err) == OM_OK);
    CHECK_STR(text, "two\nthree\n");
    free(text);
    OM_TRY(om_logfile_tail(home, 9, &text, &err) == OM_OK);
    CHECK_STR(text, "one\ntwo\nthree\n");
    free(text);
    OM_TRY(om_logfile_since(home, 4, &text, &err) == OM_OK);
    CHECK_STR(text, "two\nthree\n");
    free(text);
    OM_TRY(om_logfile_tail(home, 0, &text, &err) == OM_OK);
    CHECK_STR(text, "");
    free(text);
out:
    CHECK_OK(om_purge_remove(home, &err));
}

OM_TEST(purge_lists_and_removes_all_but_what_links_lead_to)
{
    char folder[] = "/tmp/om-purge-XXXXXX", home[64], link_path[96], outside[64];
    struct om_purge sum;
    struct om_error err;

    CHECK(mkdtemp(folder) != NULL);
    snprintf(home, sizeof home, "%s/home", folder);
    snprintf(outside, sizeof outside, "%s/outside", folder);
    snprintf(link_path, sizeof link_path, "%s/link", home);
    CHECK_EQ(mkdir(home, 0700), 0);
    CHECK_EQ(mkdir(outside, 0700), 0);
    write_file(outside, "kept", "kept");
    write_file(home, "config.json", "{}");
    CHECK_EQ(symlink(outside, link_path), 0);
    CHECK_OK(om_purge_list(home, NULL, &sum, &err));
    CHECK_EQ(sum.files, 2);
    CHECK_OK(om_purge_remove(home, &err));
    CHECK(!is_there(folder, "home"));
    CHECK(is_there(outside, "kept"));
    CHECK_OK(om_purge_remove(folder, &err));
}

OM_TEST(purge_refuses_what_is_no_home)
{
    char folder[] = "/tmp/om-purge-XXXXXX";
    struct om_purge sum;
    struct om_error err;

    CHECK(mkdtemp(folder) != NULL);
    write_file(folder, "thesis.tex", "years of work");
    CHECK_ERR(om_purge_list(folder, NULL, &sum, &err), OM_E_STATE);
    CHECK_ERR(om_purge_list("/", NULL, &sum, &err), OM_E_STATE);
    CHECK_ERR(om_purge_list("/tmp/om-no-such-folder", NULL, &sum, &err), OM_E_MISSING);
    CHECK_EQ(setenv("HOME", folder, 1), 0);
    write_file(folder, "config.json", "{}");
    CHECK_ERR(om_purge_list(folder, NULL, &sum, &err), OM_E_STATE);
    CHECK_EQ(unsetenv("HOME"), 0);
    CHECK_OK(om_purge_list(folder, NULL, &sum, &err));
    CHECK_OK(om_purge_remove(folder, &err));
}

OM_TEST(child_passes_the_exit_code_on)
{
    const char *seven[] = {"/bin/sh", "-c", "echo some words; exit 7", NULL};
    const char *killed[] = {"/bin/sh", "-c", "kill -9 $$", NULL};
    const char *nothing[] = {"/no/such/program", NULL};
    char text[5];

    CHECK_EQ(om_child_run(seven, true), 7);
    CHECK_EQ(om_child_read(seven, text, sizeof text), 7);
    CHECK_STR(text, "some");
    CHECK_EQ(om_child_run(killed, true), 128 + 9);
    CHECK_EQ(om_child_run(nothing, true), 127);
}

OM_TEST(child_is_found_in_the_path)
{
    char folder[] = "/tmp/om-child-XXXXXX", path[OM_PATH_MAX], program[64];
    struct om_error err;

    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "/no/such:%s", folder);
    CHECK_EQ(setenv("PATH", path, 1), 0);
    snprintf(program, sizeof program, "%s/prog", folder);
    write_file(folder, "prog", "#!/bin/sh\n");
    CHECK(!om_child_find("prog", path)); /* it cannot be run yet */
    CHECK_EQ(chmod(program, 0700), 0);
    CHECK(om_child_find("prog", path));
    CHECK_STR(path, program);
    CHECK_OK(om_purge_remove(folder, &err));
}
