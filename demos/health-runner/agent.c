/* agent.c - one loop over standard input and the ports. */
#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "command.h"
#include "echo.h"
#include "ipc/line.h"
#include "ipc/place.h"
#include "undo.h"

enum { READ_BYTES = 4096, PATH_BYTES = 1024 };

/* A message with its receipt takes as long as the way to the peer is gone. */
#define PATIENCE OM_SEC(60)

struct agent {
    const char *home;
    struct om_echo echo, at_address; /* at the loopback, and where "serve" named another */
    struct om_undo undo;
};

static json_t *failed(const char *why)
{
    return json_pack("{s:s}", "error", why);
}

/* One question to the daemon; a connection each, as a daemon may start anew meanwhile. */
static json_t *call(struct agent *a, const char *method, json_t *params)
{
    struct om_place place;
    struct om_error err;
    struct om_ask *ask;
    json_t *result = NULL;
    enum om_exit e;

    if (om_place_find(&place, a->home, &err)) {
        json_decref(params);
        return failed(err.msg);
    }
    if (om_ask_open(&ask, place.control, &err)) {
        json_decref(params);
        return failed(err.msg);
    }
    e = om_ask_call(ask, method, params, PATIENCE, &result, &err);
    om_ask_close(ask);
    return e ? failed(err.msg) : json_pack("{s:o}", "result", result);
}

static json_t *run(const json_t *argv)
{
    char out[OM_COMMAND_OUT];
    int code = om_command_run(argv, out);

    if (code == 0)
        return json_pack("{s:s}", "out", out);
    return json_pack(
        "{s:o}", "error",
        json_sprintf("%s: exit %d: %s", json_string_value(json_array_get(argv, 0)), code, out));
}

static bool take_back(void *self, const json_t *step)
{
    struct agent *a = self;
    json_t *argv = json_object_get(step, "argv"), *reply;
    const char *why;

    reply = argv ? run(argv)
                 : call(a, json_string_value(json_object_get(step, "method")),
                        json_incref(json_object_get(step, "params")));
    why = json_string_value(json_object_get(reply, "error"));
    if (why)
        (void)fprintf(stderr, "omerta-health: not taken back: %s\n", why);
    json_decref(reply);
    return !why;
}

static json_t *do_rpc(struct agent *a, const json_t *ask)
{
    const char *method = json_string_value(json_object_get(ask, "method"));
    const char *undo = json_string_value(json_object_get(ask, "undo"));
    json_t *reply, *id;

    if (!method)
        return failed("rpc: want a method");
    if (undo && !om_undo_has_room(&a->undo))
        return failed("too much is changed already");
    reply = call(a, method, json_deep_copy(json_object_get(ask, "params")));
    id = json_object_get(json_object_get(reply, "result"), "id");
    if (undo && id)
        om_undo_push(&a->undo, json_pack("{s:s,s:{s:O}}", "method", undo, "params", "id", id));
    return reply;
}

static json_t *do_run(struct agent *a, const json_t *ask)
{
    json_t *undo = json_object_get(ask, "undo"), *reply;

    if (undo && !om_undo_has_room(&a->undo))
        return failed("too much is changed already");
    reply = run(json_object_get(ask, "argv"));
    if (undo && !json_object_get(reply, "error"))
        om_undo_push(&a->undo, json_pack("{s:O}", "argv", undo));
    else if (undo)
        json_decref(run(undo)); /* of what was half done; of nothing it fails, and may */
    return reply;
}

static json_t *do_serve(struct agent *a, const json_t *ask)
{
    const char *address = json_string_value(json_object_get(ask, "address"));
    struct om_echo *e = address ? &a->at_address : &a->echo;
    struct om_error err;

    om_echo_close(e);
    if (om_echo_open(e, address ? address : "127.0.0.1", &err))
        return failed(err.msg);
    return json_pack("{s:i,s:i}", "echo", e->echo_port, "sink", e->sink_port);
}

static json_t *sunk(const struct agent *a)
{
    const struct om_echo *e = &a->echo, *f = &a->at_address;

    return json_pack(
        "{s:I,s:I,s:I}", "bytes", (json_int_t)e->sink_bytes + (json_int_t)f->sink_bytes,
        "datagrams", (json_int_t)e->sink_datagrams + (json_int_t)f->sink_datagrams,
        "datagram_bytes", (json_int_t)e->sink_udp_bytes + (json_int_t)f->sink_udp_bytes);
}

static json_t *answer(struct agent *a, const json_t *ask)
{
    const char *what = json_string_value(json_object_get(ask, "do"));
    json_int_t down = json_integer_value(json_object_get(ask, "down"));

    if (!what)
        return failed("want an object with \"do\"");
    if (strcmp(what, "hello") == 0)
        return json_pack("{s:b,s:i}", "root", geteuid() == 0, "pid", (int)getpid());
    if (strcmp(what, "rpc") == 0)
        return do_rpc(a, ask);
    if (strcmp(what, "run") == 0)
        return do_run(a, ask);
    if (strcmp(what, "serve") == 0)
        return do_serve(a, ask);
    if (strcmp(what, "sunk") == 0)
        return sunk(a);
    if (strcmp(what, "back") == 0)
        return om_undo_back(&a->undo, down > 0 ? (unsigned)down : 0, take_back, a)
                   ? failed("something could not be taken back")
                   : json_object();
    return failed("unknown question");
}

static void answer_line(struct agent *a, struct om_bytes line)
{
    json_t *ask = json_loadb((const char *)line.p, line.n, 0, NULL);
    json_t *reply = ask ? answer(a, ask) : failed("no JSON");

    if (!reply)
        reply = failed("out of memory");
    (void)json_object_set_new(reply, "steps", json_integer((json_int_t)a->undo.count));
    (void)json_dumpf(reply, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
    json_decref(reply);
    json_decref(ask);
}

/* Reads once from standard input and answers what is whole; false at its end. */
static bool listen_to(struct agent *a, struct om_line *line)
{
    uint8_t piece[READ_BYTES];
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
    struct om_bytes whole;

    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0 || om_line_feed(line, om_bytes(piece, (size_t)n)))
        return false;
    while (om_line_next(line, &whole))
        answer_line(a, whole);
    return true;
}

static void loop(struct agent *a)
{
    struct pollfd fds[1 + 2 * OM_ECHO_FDS];
    struct om_line line = {0};
    bool is_over = false;

    while (!is_over) {
        unsigned n = 1;

        fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
        n += om_echo_polls(&a->echo, fds + n);
        n += om_echo_polls(&a->at_address, fds + n);
        if (poll(fds, n, -1) < 0 && errno != EINTR)
            break;
        om_echo_run(&a->echo);
        om_echo_run(&a->at_address);
        is_over = fds[0].revents && !listen_to(a, &line);
    }
    om_line_fini(&line);
}

int om_agent_main(const char *home)
{
    struct agent a = {.home = home};
    const char *path = getenv("PATH");
    char longer[PATH_BYTES];
    unsigned left;

    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    /* What an ordinary user's lacks: where nft, ip and tc are. */
    (void)snprintf(longer, sizeof longer, "%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
    (void)setenv("PATH", longer, 1);
    om_echo_init(&a.echo);
    om_echo_init(&a.at_address);
    loop(&a);
    om_echo_close(&a.echo);
    om_echo_close(&a.at_address);
    left = om_undo_back(&a.undo, 0, take_back, &a);
    return left > 0;
}
