/* test_cli_commands.c - whole commands against a daemon that answers from a list. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"

enum { TEXT_MAX = 4096, PATIENCE_S = 20 };

#define ANN "mfrggzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpjzxi4dtmj2a"
#define BOB "aaaagzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpjzxi4dtmj2a"
#define PEERS                                                                                      \
    "\"result\":{\"peers\":[{\"id\":\"" ANN "\",\"short\":\"mfrggzdfmz\",\"name\":\"ann\"},"       \
    "{\"id\":\"" BOB "\",\"short\":\"aaaagzdfmz\",\"name\":\"an\\u001b[2J\"}]}"

struct played {
    char folder[64];
    struct om_cli cli;
    pid_t pid;
    FILE *to, *problems;
};

/* In a process of its own: the n-th request gets the n-th answer, then the lines after it. */
static void serve(int listener, const char *const *answers)
{
    FILE *f = fdopen(accept(listener, NULL, NULL), "r+");
    char line[TEXT_MAX];

    alarm(PATIENCE_S);
    for (int id = 1; f && *answers && fgets(line, sizeof line, f); id++, answers++) {
        const char *events = strchr(*answers, '\n');
        int n = events ? (int)(events - *answers) : (int)strlen(*answers);

        (void)fseek(f, 0, SEEK_CUR);
        fprintf(f, "{\"jsonrpc\":\"2.0\",\"id\":%d,%.*s}\n%s", id, n, *answers,
                events ? events + 1 : "");
        (void)fflush(f);
        if (strstr(line, "\"stop\""))
            break;
    }
    while (f && !strstr(line, "\"stop\"") && fgets(line, sizeof line, f))
        ;
    _exit(0);
}

static void play(struct played *p, const char *const *answers, char **argv)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int argc = 0, listener;
    struct om_error err;

    memset(p, 0, sizeof *p);
    snprintf(p->folder, sizeof p->folder, "/tmp/om-cmd-XXXXXX");
    CHECK(mkdtemp(p->folder) != NULL);
    CHECK_OK(om_place_find(&p->cli.place, p->folder, &err));
    snprintf(at.sun_path, sizeof at.sun_path, "%s", p->cli.place.control);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(listener, (const struct sockaddr *)&at, sizeof at), 0);
    CHECK_EQ(listen(listener, 1), 0);
    p->pid = fork();
    CHECK(p->pid >= 0);
    if (p->pid == 0)
        serve(listener, answers);
    close(listener);
    while (argv[argc])
        argc++;
    CHECK_OK(
        om_args_parse(&p->cli.args, argc, argv, om_command_find(argv[1])->options, false, &err));
    p->to = tmpfile();
    p->problems = tmpfile();
    CHECK(p->to && p->problems);
    om_out_init(&p->cli.out, p->to, p->problems, p->cli.args.json, OM_COLOR_NEVER);
}

/* Runs it and leaves both outputs, one after the other, in @text. */
static enum om_exit run(struct played *p, char text[TEXT_MAX])
{
    enum om_exit e = om_command_find(p->cli.args.command)->run(&p->cli);
    size_t n;

    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    rewind(p->to);
    n = fread(text, 1, TEXT_MAX - 1, p->to);
    rewind(p->problems);
    n += fread(text + n, 1, TEXT_MAX - 1 - n, p->problems);
    text[n] = 0;
    (void)fclose(p->to);
    (void)fclose(p->problems);
    unlink(p->cli.place.control);
    rmdir(p->folder);
    return e;
}

OM_TEST(command_ping_shows_each_answer_and_the_sum)
{
    static const char *const answers[] = {
        PEERS,
        "\"result\":{}\n"
        "{\"method\":\"pong\",\"params\":{\"peer\":\"" BOB "\",\"seq\":1,\"rtt_ms\":9}}\n"
        "{\"method\":\"pong\",\"params\":{\"peer\":\"" ANN "\",\"seq\":1,\"rtt_ms\":2}}\n"
        "{\"method\":\"pong\",\"params\":{\"peer\":\"" ANN "\",\"seq\":2,\"rtt_ms\":null}}\n",
        NULL,
    };
    char *argv[] = {"omerta", "ping", "ann", "-c", "2", NULL};
    char text[TEXT_MAX];
    struct played p;

    play(&p, answers, argv);
    OM_TRY(run(&p, text) == OM_EXIT_OK);
    CHECK_STR(text, "mfrggzdfmz: seq=1 time=2.000 ms\nmfrggzdfmz: seq=2 no answer\n"
                    "--- mfrggzdfmz ---\n2 sent, 1 answered, 50% loss\n"
                    "rtt min/avg/max = 2.000/2.000/2.000 ms\n");
out:
    return;
}

OM_TEST(command_ping_without_answer_fails)
{
    static const char *const answers[] = {
        "\"result\":{}\n{\"method\":\"pong\",\"params\":{\"peer\":\"" ANN
        "\",\"seq\":1,\"rtt_ms\":null}}\n",
        "\"result\":{\"connected\":false,\"summary\":\"ann is not connected: \\u001bno\"}",
        NULL,
    };
    char *argv[] = {"omerta", "ping", ANN, "-c", "1", "--json", NULL};
    char text[TEXT_MAX];
    struct played p;

    play(&p, answers, argv);
    OM_TRY(run(&p, text) == OM_EXIT_FAILED);
    CHECK(strstr(text, "\"seq\":1,\"rtt_ms\":null}\n{\"") != NULL);
    CHECK(strstr(text, "\"event\":\"summary\"") != NULL);
    CHECK(strstr(text, "omerta: ann is not connected: \\x1bno\n") != NULL);
out:
    return;
}

OM_TEST(command_peers_escapes_their_names)
{
    static const char *const answers[] = {PEERS, NULL};
    char *argv[] = {"omerta", "peers", NULL};
    char text[TEXT_MAX];
    struct played p;

    play(&p, answers, argv);
    OM_TRY(run(&p, text) == OM_EXIT_OK);
    CHECK(strchr(text, '\033') == NULL);
    CHECK(strstr(text, "an\\x1b[2J") != NULL && strstr(text, "mfrggzdfmz ann") != NULL);
out:
    return;
}

OM_TEST(command_message_to_two_peers_is_refused)
{
    static const char *const answers[] = {
        "\"result\":{\"peers\":[{\"id\":\"" ANN "\",\"name\":\"x\"},{\"id\":\"" BOB
        "\",\"name\":\"x\"}]}",
        NULL,
    };
    char *argv[] = {"omerta", "message", "x", "hello", NULL};
    char text[TEXT_MAX];
    struct played p;

    play(&p, answers, argv);
    OM_TRY(run(&p, text) == OM_EXIT_USAGE);
    CHECK_STR(text, "omerta: \"x\" may be mfrggzdfmz (x), aaaagzdfmz (x)\n");
out:
    return;
}

/* What became of a message that was waited for, and what `omerta message --wait` makes of it. */
static enum om_exit wait_for_message(const char *answer, bool json, char text[TEXT_MAX])
{
    const char *answers[] = {answer, NULL};
    char *argv[] = {"omerta", "message", "--wait", ANN, "hello", json ? "--json" : NULL, NULL};
    struct played p;

    play(&p, answers, argv);
    return run(&p, text);
}

OM_TEST(command_message_waits_for_the_verdict)
{
    char text[TEXT_MAX];

    OM_TRY(wait_for_message("\"result\":{\"state\":\"delivered\",\"reason\":\"\"}", false, text) ==
           OM_EXIT_OK);
    CHECK_STR(text, "delivered\n");
    OM_TRY(wait_for_message("\"result\":{\"state\":\"rejected\",\"reason\":\"full\\u001b\"}", false,
                            text) == OM_EXIT_FAILED);
    CHECK_STR(text, "rejected\nomerta: the peer rejected the message (full\\x1b)\n");
    OM_TRY(wait_for_message("\"result\":{\"state\":\"failed\",\"reason\":\"\"}", false, text) ==
           OM_EXIT_FAILED);
    CHECK_STR(text, "failed\nomerta: the message was not delivered\n");
    OM_TRY(wait_for_message("\"result\":{\"state\":\"failed\"}", true, text) == OM_EXIT_FAILED);
    CHECK(strstr(text, "\"state\": \"failed\"") && strstr(text, "was not delivered\n"));
out:
    return;
}

OM_TEST(command_refused_says_why)
{
    static const char *const answers[] = {
        "\"error\":{\"code\":-32003,\"message\":\"port: want a number\"}", NULL};
    char *argv[] = {"omerta", "reload", NULL};
    char text[TEXT_MAX];
    struct played p;

    play(&p, answers, argv);
    OM_TRY(run(&p, text) == OM_EXIT_REFUSED);
    CHECK_STR(text, "omerta: port: want a number\n");
out:
    return;
}

OM_TEST(command_down_waits_until_it_is_gone)
{
    static const char *const answers[] = {"\"result\":{}", NULL};
    char *argv[] = {"omerta", "down", NULL};
    char text[TEXT_MAX];
    struct played p;

    play(&p, answers, argv);
    OM_TRY(run(&p, text) == OM_EXIT_OK);
    CHECK_STR(text, "omerta-meshd has stopped\n");
out:
    return;
}

OM_TEST(command_watch_goes_on_line_by_line)
{
    static const char *const answers[] = {
        "\"result\":{}\n{\"method\":\"event.gap\",\"params\":{\"lost\":3}}\n", NULL};
    char *argv[] = {"omerta", "watch", "--json", "-c", "1", NULL};
    char text[TEXT_MAX];
    struct played p;

    play(&p, answers, argv);
    OM_TRY(run(&p, text) == OM_EXIT_OK);
    CHECK_STR(text, "{\"event\":\"event.gap\",\"lost\":3}\n");
out:
    return;
}

OM_TEST(command_with_too_many_words_is_wrong_usage)
{
    static const char *const answers[] = {NULL};
    char *argv[] = {"omerta", "status", "now", NULL};
    char text[TEXT_MAX];
    struct played p;

    play(&p, answers, argv);
    CHECK_EQ(run(&p, text), OM_EXIT_USAGE);
    CHECK_STR(text, "omerta: status: unexpected \"now\" (see `omerta help status`)\n");
}
