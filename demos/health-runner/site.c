/* site.c - a child with two pipes. */
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

enum { READ_BYTES = 4096, END_STEP_MS = 20 };

#define ANSWER_PATIENCE OM_SEC(90)
#define END_PATIENCE    OM_SEC(20)

/* Only in the child. Ctrl-C at our terminal is for us: the agent's end is that of its input. */
static void become(const char *const *argv, int in, int out)
{
    char *words[OM_SITE_WORDS + 1] = {0};

    for (unsigned i = 0; i < OM_SITE_WORDS && argv[i]; i++)
        memcpy(&words[i], &argv[i], sizeof words[i]);
    (void)setpgid(0, 0);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)dup2(in, STDIN_FILENO);
    (void)dup2(out, STDOUT_FILENO);
    if (words[0]) {
        (void)execvp(words[0], words);
        (void)fprintf(stderr, "omerta-health: %s: %s\n", words[0], strerror(errno));
    }
    _exit(127);
}

enum om_err om_site_start(struct om_site *s, const char *name, const char *const *argv,
                          struct om_pulse *pulse, struct om_error *err)
{
    int down[2], up[2];
    json_t *hello;
    enum om_err e;

    *s = (struct om_site){.name = name, .to = -1, .from = -1, .pulse = pulse};
    /* An agent that is gone is an answer, not our end. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (pipe2(down, O_CLOEXEC) != 0)
        return om_fail(err, OM_E_STATE, "pipe: %s", strerror(errno));
    if (pipe2(up, O_CLOEXEC) != 0) {
        (void)close(down[0]);
        (void)close(down[1]);
        return om_fail(err, OM_E_STATE, "pipe: %s", strerror(errno));
    }
    s->pid = fork();
    if (s->pid == 0)
        become(argv, down[0], up[1]);
    (void)close(down[0]);
    (void)close(up[1]);
    s->to = down[1];
    s->from = up[0];
    if (s->pid < 0) {
        s->pid = 0;
        return om_fail(err, OM_E_STATE, "fork: %s", strerror(errno));
    }
    e = om_site_ask(s, json_pack("{s:s}", "do", "hello"), &hello, err);
    if (!e) {
        s->is_root = json_is_true(json_object_get(hello, "root"));
        json_decref(hello);
    }
    return e;
}

bool om_site_stop(struct om_site *s)
{
    om_time until = om_clock_now() + END_PATIENCE;
    int status = 0;
    pid_t pid = s->pid;

    if (s->to >= 0)
        (void)close(s->to);
    s->to = -1;
    s->pid = 0;
    while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0) {
        if (om_clock_now() >= until) {
            (void)kill(pid, SIGKILL);
            (void)waitpid(pid, &status, 0);
            break;
        }
        om_clock_wait(OM_MS(END_STEP_MS));
    }
    if (s->from >= 0)
        (void)close(s->from);
    s->from = -1;
    om_line_fini(&s->line);
    return status == 0;
}

static bool send_line(struct om_site *s, json_t *ask)
{
    char *text = json_dumps(ask, JSON_COMPACT | JSON_ENSURE_ASCII);
    size_t n = text ? strlen(text) : 0, at = 0;

    if (text)
        text[n++] = '\n'; /* over the zero at its end */
    while (at < n) {
        ssize_t wrote = write(s->to, text + at, n - at);
        if (wrote < 0 && errno != EINTR)
            break;
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    free(text);
    return n > 0 && at == n;
}

static json_t *receive(struct om_site *s, om_time until)
{
    uint8_t piece[READ_BYTES];
    struct om_bytes line;

    while (!om_line_next(&s->line, &line)) {
        ssize_t n;
        if (!om_pulse_wait(s->pulse, s->from, until))
            return NULL;
        n = read(s->from, piece, sizeof piece);
        if (n <= 0 || om_line_feed(&s->line, om_bytes(piece, (size_t)n)))
            return NULL;
    }
    return json_loadb((const char *)line.p, line.n, 0, NULL);
}

enum om_err om_site_ask(struct om_site *s, json_t *ask, json_t **out, struct om_error *err)
{
    json_t *reply = NULL;
    const char *why;

    if (out)
        *out = NULL;
    if (ask && send_line(s, ask))
        reply = receive(s, om_clock_now() + ANSWER_PATIENCE);
    json_decref(ask);
    if (!reply)
        return om_fail(err, OM_E_STATE, "%s: the agent (omerta-health --agent) does not answer",
                       s->name);
    why = json_string_value(json_object_get(reply, "error"));
    if (why) {
        (void)om_fail(err, OM_E_STATE, "%s: %s", s->name, why);
        json_decref(reply);
        return OM_E_STATE;
    }
    if (out)
        *out = reply;
    else
        json_decref(reply);
    return OM_OK;
}

/* As om_site_ask(), but for one field of the reply. */
static enum om_err ask_for(struct om_site *s, json_t *ask, const char *field, json_t **out,
                           struct om_error *err)
{
    json_t *reply;
    enum om_err e = om_site_ask(s, ask, &reply, err);

    if (out)
        *out = e ? NULL : json_incref(json_object_get(reply, field));
    if (!e)
        json_decref(reply);
    return e;
}

enum om_err om_site_rpc(struct om_site *s, const char *method, json_t *params, const char *undo,
                        json_t **out, struct om_error *err)
{
    return ask_for(s,
                   json_pack("{s:s,s:s,s:o*,s:s*}", "do", "rpc", "method", method, "params", params,
                             "undo", undo),
                   "result", out, err);
}

enum om_err om_site_run(struct om_site *s, const char *command, const char *undo, json_t **out,
                        struct om_error *err)
{
    json_t *ask = json_pack("{s:s,s:[s,s,s]}", "do", "run", "argv", "sh", "-c", command);

    if (ask && undo)
        (void)json_object_set_new(ask, "undo", json_pack("[s,s,s]", "sh", "-c", undo));
    return ask_for(s, ask, "out", out, err);
}

enum om_err om_site_back(struct om_site *s, unsigned down, struct om_error *err)
{
    return om_site_ask(s, json_pack("{s:s,s:i}", "do", "back", "down", (int)down), NULL, err);
}
