/* test_logfile.c - where log lines go, and what is put in front of them. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "logfile.h"

static struct om_wall noon(void)
{
    return (struct om_wall){1795255200123}; /* 2026-11-21 10:00:00.123 UTC */
}

/* One line of @level through @l. */
static void say(struct om_logfile *l, enum om_level level, const char *msg)
{
    struct om_log log = {.level = OM_LOG_TRACE, .sink = om_logfile_sink, .self = l};
    struct om_logline line;

    if (om_log_begin(&line, &log, level, "test", msg))
        om_log_end(&line);
}

OM_TEST(logfile_line_begins_with_the_time)
{
    struct om_logfile l;
    char text[256] = "", theirs[64];
    int pipes[2];

    CHECK_EQ(unsetenv("JOURNAL_STREAM"), 0);
    CHECK_EQ(pipe(pipes), 0);
    om_logfile_to_fd(&l, pipes[1], noon);
    CHECK_EQ(l.kind, OM_LOGFILE_PLAIN);
    say(&l, OM_LOG_WARN, "one two");
    CHECK(read(pipes[0], text, sizeof text - 1) > 0);
    CHECK_STR(text, "2026-11-21T10:00:00.123Z level=warn mod=test msg=\"one two\"\n");
    CHECK_EQ(close(pipes[0]), 0);
    CHECK_EQ(close(pipes[1]), 0);
    om_logfile_close(&l);
    /* Days of 60 years, leap years and the turn of a century among them, against libc's. */
    for (int64_t s = 915148799; s < 2808000000 + 915148799; s += 86399) {
        time_t t = (time_t)s;
        struct tm tm;

        CHECK(gmtime_r(&t, &tm) != NULL);
        CHECK(strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%S.007Z", &tm) > 0);
        CHECK_STR(om_wall_print((struct om_wall){s * 1000 + 7}, text), theirs);
    }
    CHECK_STR(om_wall_print((struct om_wall){0}, text), "1970-01-01T00:00:00.000Z");
    CHECK_STR(om_wall_print((struct om_wall){-1}, text), "1969-12-31T23:59:59.999Z");
    CHECK_STR(om_wall_print((struct om_wall){951782400000}, text), "2000-02-29T00:00:00.000Z");
    CHECK_STR(om_wall_print((struct om_wall){INT64_MIN}, text), "0000-01-01T00:00:00.000Z");
    CHECK_STR(om_wall_print((struct om_wall){INT64_MAX}, text), "9999-12-31T23:59:59.999Z");
}

OM_TEST(logfile_journal_gets_priorities)
{
    static const struct {
        enum om_level level;
        const char *says;
    } lines[] = {{OM_LOG_ERROR, "<3>level=error mod=test msg=m\n"},
                 {OM_LOG_WARN, "<4>level=warn mod=test msg=m\n"},
                 {OM_LOG_INFO, "<6>level=info mod=test msg=m\n"},
                 {OM_LOG_DEBUG, "<7>level=debug mod=test msg=m\n"},
                 {OM_LOG_TRACE, "<7>level=trace mod=test msg=m\n"}};
    struct om_logfile l;
    char id[64];
    struct stat st;
    int pipes[2];

    CHECK_EQ(pipe(pipes), 0);
    CHECK_EQ(fstat(pipes[1], &st), 0);
    snprintf(id, sizeof id, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    CHECK_EQ(setenv("JOURNAL_STREAM", id, 1), 0);
    om_logfile_to_fd(&l, pipes[1], noon);
    CHECK_EQ(l.kind, OM_LOGFILE_JOURNAL);
    for (size_t i = 0; i < OM_ARRAY_SIZE(lines); i++) {
        char text[256] = "";

        say(&l, lines[i].level, "m");
        CHECK(read(pipes[0], text, sizeof text - 1) > 0);
        CHECK_STR(text, lines[i].says);
    }
    CHECK_EQ(unsetenv("JOURNAL_STREAM"), 0);
    CHECK_EQ(close(pipes[0]), 0);
    CHECK_EQ(close(pipes[1]), 0);
}

OM_TEST(logfile_takes_the_journal_only_for_its_own_descriptor)
{
    static const char *const not_it[] = {"", ":", "1", "1:", ":1", "x:y", "1:1", "1:1x", NULL};
    struct om_logfile l;
    char id[64];
    struct stat st;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    CHECK_EQ(fstat(fd, &st), 0);
    for (int i = 0; not_it[i]; i++) {
        CHECK_EQ(setenv("JOURNAL_STREAM", not_it[i], 1), 0);
        om_logfile_to_fd(&l, fd, noon);
        CHECK_EQ(l.kind, OM_LOGFILE_PLAIN);
    }
    snprintf(id, sizeof id, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    CHECK_EQ(setenv("JOURNAL_STREAM", id, 1), 0);
    om_logfile_to_fd(&l, fd, noon);
    CHECK_EQ(l.kind, OM_LOGFILE_JOURNAL);
    CHECK_EQ(unsetenv("JOURNAL_STREAM"), 0);
    CHECK_EQ(close(fd), 0);
}

OM_TEST(logfile_rotates_and_reopens)
{
    char folder[] = "/tmp/logfile-XXXXXX", path[64], old[64], long_msg[OM_LOG_LINE * 2];
    struct om_logfile l;
    struct stat st;

    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(old, sizeof old, "%s/log.1", folder);
    CHECK_OK(om_logfile_to_file(&l, path, 4096, 1, noon, NULL));
    memset(long_msg, 'x', sizeof long_msg);
    long_msg[sizeof long_msg - 1] = 0;
    for (int i = 0; i < 10; i++)
        say(&l, OM_LOG_INFO, long_msg);
    CHECK_EQ(l.file.rotations, 3); /* three of the longest lines in a file */
    CHECK_EQ(stat(old, &st), 0);
    CHECK(st.st_size <= 4096);
    CHECK_EQ(unlink(old), 0);
    CHECK_EQ(rename(path, old), 0);
    CHECK_OK(om_logfile_reopen(&l, NULL));
    say(&l, OM_LOG_INFO, "m");
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_size, strlen("2026-11-21T10:00:00.123Z level=info mod=test msg=m\n"));
    CHECK_EQ(om_logfile_lost(&l), 0);
    om_logfile_close(&l);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(unlink(old), 0);
    CHECK_EQ(rmdir(folder), 0);
}

OM_TEST(logfile_counts_lines_it_could_not_write)
{
    struct om_logfile l;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    CHECK_EQ(unsetenv("JOURNAL_STREAM"), 0);
    om_logfile_to_fd(&l, fd, noon);
    say(&l, OM_LOG_INFO, "m");
    CHECK_EQ(om_logfile_lost(&l), 1);
    CHECK_EQ(close(fd), 0);
    l.kind = OM_LOGFILE_JOURNAL; /* untouched by what fails */
    CHECK(om_logfile_to_file(&l, "/nowhere/log", 0, 0, noon, NULL) != OM_OK);
    CHECK_EQ(l.kind, OM_LOGFILE_JOURNAL);
    CHECK_OK(om_logfile_to_file(&l, "/dev/full", 4096, 1, noon, NULL));
    say(&l, OM_LOG_INFO, "m");
    CHECK_EQ(om_logfile_lost(&l), 1);
    om_logfile_close(&l);
}
