/* test_rotfile.c - files of lines that stay within their limit. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rotfile.h"

static char folder[64];
static char path[80];

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/rotfile-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/log", folder);
}

static void end(void)
{
    char name[96];

    (void)unlink(path);
    for (int i = 1; i < 5; i++) {
        snprintf(name, sizeof name, "%s.%d", path, i);
        (void)unlink(name);
    }
    CHECK_EQ(rmdir(folder), 0);
}

/* Bytes of "log" + @suffix; -1: not there. */
static long size_of(const char *suffix)
{
    char name[96];
    struct stat st;

    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &st) == 0 ? (long)st.st_size : -1;
}

static void spill(const char *text)
{
    FILE *f = fopen(path, "w");

    CHECK(f != NULL);
    CHECK(fputs(text, f) >= 0);
    CHECK_EQ(fclose(f), 0);
}

static void slurp(char *out, size_t n)
{
    FILE *f = fopen(path, "r");

    CHECK(f != NULL);
    out[fread(out, 1, n - 1, f)] = 0;
    CHECK_EQ(fclose(f), 0);
}

OM_TEST(rotfile_rotates_before_a_line_would_pass_the_limit)
{
    struct om_rotfile f;
    char line[1024];
    struct stat st;

    begin();
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = 0; /* with its newline, four fill 4096 exactly */
    CHECK_OK(om_rotfile_open(&f, path, 4096, 2, NULL));
    for (int i = 0; i < 4; i++)
        CHECK(om_rotfile_put(&f, "", line));
    CHECK_EQ(size_of(""), 4096);
    CHECK_EQ(size_of(".1"), -1);
    for (int i = 0; i < 9; i++)
        CHECK(om_rotfile_put(&f, "", line));
    CHECK_EQ(f.rotations, 3);
    CHECK_EQ(size_of(""), 1024);
    CHECK_EQ(size_of(".1"), 4096);
    CHECK_EQ(size_of(".2"), 4096);
    CHECK_EQ(size_of(".3"), -1);
    CHECK_EQ(f.lines, 13);
    CHECK_EQ(f.lost, 0);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    om_rotfile_close(&f);
    om_rotfile_close(&f);
    CHECK(!om_rotfile_put(&f, "", "too late"));
    CHECK_OK(om_rotfile_open(&f, path, 4096, 0, NULL)); /* keeps none: the next is the only one */
    for (int i = 0; i < 4; i++)
        CHECK(om_rotfile_put(&f, "", line));
    CHECK_EQ(size_of(""), 1024);
    CHECK_EQ(size_of(".3"), -1);
    om_rotfile_close(&f);
    end();
}

OM_TEST(rotfile_mends_a_line_cut_by_a_crash)
{
    struct om_rotfile f;
    char text[64];

    begin();
    spill("whole\nhalf");
    CHECK_OK(om_rotfile_open(&f, path, 0, 0, NULL));
    CHECK(om_rotfile_put(&f, "t ", "next"));
    om_rotfile_close(&f);
    slurp(text, sizeof text);
    CHECK_STR(text, "whole\nhalf\nt next\n");
    CHECK_OK(om_rotfile_open(&f, path, 0, 0, NULL)); /* nothing to mend: nothing added */
    CHECK_EQ(f.bytes, 18);
    om_rotfile_close(&f);
    CHECK_EQ(size_of(""), 18);
    end();
}

OM_TEST(rotfile_follows_a_file_that_was_moved_away)
{
    struct om_rotfile f;
    char away[96];

    begin();
    snprintf(away, sizeof away, "%s.1", path);
    CHECK_OK(om_rotfile_open(&f, path, 0, 0, NULL));
    CHECK(om_rotfile_put(&f, "", "one"));
    CHECK_EQ(rename(path, away), 0);
    CHECK(om_rotfile_put(&f, "", "two"));
    CHECK_EQ(size_of(".1"), 8);
    CHECK_OK(om_rotfile_reopen(&f, NULL));
    CHECK(om_rotfile_put(&f, "", "three"));
    CHECK_EQ(size_of(".1"), 8);
    CHECK_EQ(size_of(""), 6);
    om_rotfile_close(&f);
    end();
}

/* Run in a child: the limit of the file size would stay for the tests that follow. */
static int fill_up(void)
{
    struct rlimit limit = {100, 100};
    struct om_rotfile f;

    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
        om_rotfile_open(&f, path, 0, 0, NULL) != OM_OK)
        return 1;
    for (int i = 0; i < 5; i++)
        (void)om_rotfile_put(&f, "", "0123456789012345678901234567890123456789");
    if (f.lines != 2 || f.lost != 3 || f.bytes != 82)
        return 2;
    return om_rotfile_put(&f, "", "0123456789") ? 0 : 3;
}

OM_TEST(rotfile_counts_what_it_could_not_write)
{
    struct om_error err = {0};
    struct om_rotfile f;
    int status = 0;

    begin();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(fill_up());
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(size_of(""), 93); /* three whole lines, and nothing of the ones that did not fit */
    CHECK_ERR(om_rotfile_open(&f, "/nowhere/log", 0, 0, &err), OM_E_STATE);
    CHECK_STR(err.msg, "/nowhere/log: cannot be opened for lines: No such file or directory");
    CHECK(!om_rotfile_put(&f, "", "lost"));
    CHECK_EQ(f.lost, 1);
    CHECK_ERR(om_rotfile_open(&f, path, 100, 0, &err), OM_E_RANGE);
    CHECK_ERR(om_rotfile_open(&f, "", 0, 0, &err), OM_E_RANGE);
    CHECK_ERR(om_rotfile_reopen(&f, &err), OM_E_STATE);
    end();
}

OM_TEST(rotfile_follows_no_symbolic_link)
{
    struct om_rotfile f;
    char target[96];

    begin();
    snprintf(target, sizeof target, "%s.1", path);
    CHECK_EQ(symlink(target, path), 0);
    CHECK_ERR(om_rotfile_open(&f, path, 0, 0, NULL), OM_E_STATE);
    CHECK_EQ(size_of(".1"), -1);
    CHECK_EQ(unlink(path), 0);
    CHECK_OK(om_rotfile_open(&f, path, 0, 0, NULL));
    om_rotfile_close(&f);
    end();
}
