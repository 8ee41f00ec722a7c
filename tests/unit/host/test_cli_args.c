/* test_cli_args.c - the command line: options, near words, the seeds' name. */
#include "harness.h"

#include "args.h"
#include "ipc/nearest.h"
#include "seed.h"

static const struct om_option options[] = {
    {"count", "N", "how many", 'c'},
    {"wait", NULL, "until it is done", 'w'},
    {NULL, NULL, NULL, 0},
};

/* Parses the words after "omerta", the last one followed by NULL. */
static enum om_err parse(struct om_args *out, char **argv, struct om_error *err)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    return om_args_parse(out, argc, argv, options, false, err);
}

OM_TEST(args_options_may_stand_anywhere)
{
    char *argv[] = {"omerta", "--json", "--home", "/h",        "ping", "ann",
                    "-c",     "3",      "--wait", "--network", "home", NULL};
    struct om_error err;
    struct om_args a;
    uint64_t count;

    CHECK_STR(om_args_command(11, argv), "ping");
    CHECK_OK(parse(&a, argv, &err));
    CHECK_STR(a.command, "ping");
    CHECK_STR(a.home, "/h");
    CHECK_STR(a.network, "home");
    CHECK(a.json && !a.help);
    CHECK_EQ(a.count, 1);
    CHECK_STR(a.words[0], "ann");
    CHECK(om_args_has(&a, "wait"));
    CHECK_OK(om_args_number(&a, "count", 9, 10, &count, &err));
    CHECK_EQ(count, 3);
    CHECK_ERR(om_args_number(&a, "count", 9, 2, &count, &err), OM_E_RANGE);
    CHECK_OK(om_args_number(&a, "other", 9, 10, &count, &err));
    CHECK_EQ(count, 9);
}

/* As a script writes it whose variable is not set. */
OM_TEST(args_empty_value_is_none)
{
    char *apart[] = {"omerta", "ping", "--home", "", NULL};
    char *joined[] = {"omerta", "ping", "--home=", NULL};
    char *good[] = {"omerta", "ping", "--home=/", NULL};
    struct om_error err;
    struct om_args a;

    CHECK_ERR(parse(&a, apart, &err), OM_E_PARSE);
    CHECK_STR(err.msg, "--home wants a value: FOLDER");
    CHECK_ERR(parse(&a, joined, &err), OM_E_PARSE);
    CHECK_OK(parse(&a, good, &err));
}

OM_TEST(args_unknown_option_names_the_nearest)
{
    char *near[] = {"omerta", "ping", "--cuont", "3", NULL};
    char *common[] = {"omerta", "ping", "--jsno", NULL};
    char *far[] = {"omerta", "ping", "--everything", NULL};
    char *letter[] = {"omerta", "ping", "-z", NULL};
    char *color[] = {"omerta", "ping", "--color", "blue", NULL};
    char *cut[] = {"omerta", "ping", "--count", NULL};
    char *joined[] = {"omerta", "ping", "--wait=yes", NULL};
    struct om_error err;
    struct om_args a;

    CHECK_ERR(parse(&a, near, &err), OM_E_PARSE);
    CHECK_STR(err.msg, "unknown option --cuont: did you mean --count?");
    CHECK_ERR(parse(&a, common, &err), OM_E_PARSE);
    CHECK(strstr(err.msg, "--json?") != NULL);
    CHECK_ERR(parse(&a, far, &err), OM_E_PARSE);
    CHECK(strstr(err.msg, "did you mean") == NULL);
    CHECK_ERR(parse(&a, letter, &err), OM_E_PARSE);
    CHECK_ERR(parse(&a, color, &err), OM_E_PARSE);
    CHECK_ERR(parse(&a, cut, &err), OM_E_PARSE);
    CHECK_STR(err.msg, "--count wants a value: N");
    CHECK_ERR(parse(&a, joined, &err), OM_E_PARSE);
}

OM_TEST(args_dashes_end_the_options)
{
    char *argv[] = {"omerta", "message", "ann", "--", "--json", "-c", NULL};
    struct om_error err;
    struct om_args a;

    CHECK_OK(parse(&a, argv, &err));
    CHECK(!a.json);
    CHECK_EQ(a.count, 3);
    CHECK_STR(a.words[1], "--json");
    CHECK_STR(a.words[2], "-c");
}

OM_TEST(args_a_value_may_be_joined)
{
    char *argv[] = {"omerta", "--home=/x", "ping", "-c5", "--color=never", NULL};
    struct om_error err;
    struct om_args a;

    CHECK_STR(om_args_command(5, argv), "ping");
    CHECK_OK(parse(&a, argv, &err));
    CHECK_STR(a.home, "/x");
    CHECK_STR(om_args_value(&a, "count"), "5");
    CHECK_EQ(a.color, OM_COLOR_NEVER);
}

OM_TEST(nearest_counts_edits)
{
    CHECK_EQ(om_nearest_distance("", "abc"), 3);
    CHECK_EQ(om_nearest_distance("status", "status"), 0);
    CHECK_EQ(om_nearest_distance("stauts", "status"), 1);
    CHECK_EQ(om_nearest_distance("kitten", "sitting"), 3);
    CHECK(om_nearest_distance("a", "123456789012345678901234567890123") == SIZE_MAX);
}

OM_TEST(nearest_is_silent_when_nothing_is_near)
{
    struct om_nearest n;

    om_nearest_init(&n, "pong");
    om_nearest_try(&n, "status");
    CHECK(n.best == NULL);
    om_nearest_try(&n, "ping");
    om_nearest_try(&n, "pang");
    CHECK_STR(n.best, "ping");
    om_nearest_init(&n, "zz");
    om_nearest_try(&n, "up");
    CHECK(n.best == NULL);
}

OM_TEST(seed_words_are_translated)
{
    CHECK(om_seed_is("/usr/bin/omertad"));
    CHECK(!om_seed_is("/usr/bin/omerta"));
    CHECK_STR(om_seed_command("start", 0), "up");
    CHECK_STR(om_seed_command("stop", 0), "down");
    CHECK_STR(om_seed_command("status", 0), "status");
    CHECK_STR(om_seed_command("restart", 0), "down");
    CHECK_STR(om_seed_command("restart", 1), "up");
    CHECK(om_seed_command("restart", 2) == NULL);
    CHECK(om_seed_command("start", 1) == NULL);
    CHECK(om_seed_command("ping", 0) == NULL);
}

OM_TEST(args_of_some_end_at_the_first_word)
{
    char *argv[] = {"omerta", "ssh", "-c", "3", "ann", "--", "-n", "--", "ls"};
    struct om_error err;
    struct om_args a;

    CHECK_OK(om_args_parse(&a, 9, argv, options, true, &err));
    CHECK_EQ(a.given_count, 1);
    CHECK_EQ(a.count, 4);
    CHECK_STR(a.words[1], "-n");
    CHECK_STR(a.words[2], "--");
    CHECK_STR(a.words[3], "ls");
    argv[5] = "-x"; /* not known here */
    CHECK_OK(om_args_parse(&a, 9, argv, options, true, &err));
    CHECK_EQ(a.count, 5);
    CHECK_EQ(om_args_parse(&a, 9, argv, options, false, &err), OM_E_PARSE);
}

OM_TEST(args_of_a_machines_command_are_its_own)
{
    char *argv[] = {"omerta", "vm", "ssh", "-c", "3", "lab1", "--", "ls", "-x", "--", "-n"};
    struct om_error err;
    struct om_args a;

    CHECK_OK(om_args_parse(&a, 11, argv, options, false, &err));
    CHECK_EQ(a.given_count, 1);
    CHECK_EQ(a.count, 6);
    CHECK_STR(a.words[1], "lab1");
    CHECK_STR(a.words[3], "-x");
    CHECK_STR(a.words[4], "--");
    argv[2] = "list"; /* the control */
    argv[6] = "lab2";
    CHECK_EQ(om_args_parse(&a, 11, argv, options, false, &err), OM_E_PARSE);
}
