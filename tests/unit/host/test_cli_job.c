/* test_cli_job.c - what a job is given, and what is kept of it. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "job.h"

OM_TEST(job_words_are_quoted_for_the_shell)
{
    const char *const words[] = {"ls", "a b", "it's", "", "$HOME", "-x"};
    char *line = om_job_quote(words, 6);

    if (!line)
        return;
    CHECK(strcmp(line, "'ls' 'a b' 'it'\\''s' '' '$HOME' '-x'\n") == 0);
    free(line);
}

OM_TEST(job_artefacts_stay_in_their_folder)
{
    static struct om_job j;
    struct om_error err;

    om_job_init(&j);
    CHECK(om_job_add_output(&j, "/etc/../../a/b", &err));
    CHECK(strcmp(j.output[0].name, "b") == 0);
    CHECK(om_job_add_output(&j, "plain", &err));
    CHECK(!om_job_add_output(&j, "other/plain", &err)); /* two of that name */
    CHECK(!om_job_add_output(&j, "a/..", &err));
    CHECK(!om_job_add_output(&j, "a/.", &err));
    CHECK(!om_job_add_output(&j, "a/", &err));
    CHECK_EQ(j.outputs, 2);
    om_job_fini(&j);
}

static struct om_bytes text(const char *s)
{
    return om_bytes(s, strlen(s));
}

static bool holds(const char *folder, const char *name, const char *wanted)
{
    char path[512], got[64] = "";

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof got - 1);
    if (fd >= 0)
        (void)close(fd);
    return n >= 0 && strcmp(got, wanted) == 0;
}

OM_TEST(job_artefact_is_whole_or_not_there)
{
    static struct om_job j;
    char folder[FOLDER_MAX];
    struct om_error err;

    CHECK(folder_make(folder));
    om_job_init(&j);
    CHECK(om_job_open_folder(&j, folder, &err));
    CHECK(om_job_add_output(&j, "whole", &err) && om_job_add_output(&j, "broken", &err));
    CHECK(om_job_add_output(&j, "empty", &err) && om_job_add_output(&j, "cut", &err));
    CHECK(!om_job_take(&j, 1, text("not its turn")) && !om_job_filed(&j, 1, text("")));
    CHECK(om_job_take(&j, 0, text("ab")) && om_job_take(&j, 0, text("cd")));
    CHECK(!holds(folder, "whole", "abcd"));
    CHECK(om_job_filed(&j, 0, text("")));
    CHECK(holds(folder, "whole", "abcd"));
    CHECK(om_job_take(&j, 1, text("ab")) && om_job_filed(&j, 1, text("it went away")));
    CHECK(strcmp(j.output[1].failed, "it went away") == 0);
    CHECK(om_job_filed(&j, 2, text("")));
    CHECK(om_job_take(&j, 3, text("ab")));
    CHECK_EQ(j.missing, 1);
    om_job_fini(&j); /* and the last one never came to its end */
    CHECK(!om_job_take(&j, 0, text("x")));
    CHECK(holds(folder, "whole", "abcd") && holds(folder, "empty", ""));
    CHECK(!holds(folder, "broken", "ab") && !holds(folder, "cut", "ab"));
    folder_remove(folder);
}

static int exit_of(const char *end, long long status, unsigned missing)
{
    static struct om_job j;

    om_job_init(&j);
    j.has_ended = *end != '\0';
    (void)snprintf(j.end, sizeof j.end, "%s", end);
    j.status = status;
    j.missing = missing;
    return om_job_exit(&j, false);
}

OM_TEST(job_exit_code_says_how_it_ended)
{
    static struct om_job j;

    CHECK_EQ(exit_of("exited", 0, 0), 0);
    CHECK_EQ(exit_of("exited", 3, 0), 3);
    CHECK_EQ(exit_of("exited", 3, 1), 3);
    CHECK_EQ(exit_of("exited", 0, 1), 125);
    CHECK_EQ(exit_of("exited", 256, 0), 125);
    CHECK_EQ(exit_of("exited", -1, 0), 125);
    CHECK_EQ(exit_of("timeout", 0, 0), 124);
    CHECK_EQ(exit_of("lost", 0, 0), 125);
    CHECK_EQ(exit_of("", 0, 0), 125);
    CHECK_EQ(om_job_exit(&j, true), 130);
}
