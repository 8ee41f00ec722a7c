/* job_run.c - the stream of a job: files and program to it, frames from it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>
#include <omerta/text.h>

#include "clock.h"
#include "interrupt.h"
#include "job.h"

enum { LINE_MAX_BYTES = 8192, SEND_BYTES = 64 * 1024, LOOK_MS = 1000 };

struct stream {
    struct om_cli *cli;
    struct om_job *job;
    int fd;
    unsigned at;       /* which input; the last is the program */
    uint64_t left;     /* bytes of it that were not read yet */
    size_t have, sent; /* bytes in @buf, and of these */
    bool is_sent, is_interrupted;
    om_time patience, heard; /* how long nothing may pass, and since when; the clock's */
    const char *broken;      /* what is wrong; NULL: nothing */
    char buf[SEND_BYTES];
    struct om_job_frames frames;
};

static uint64_t size_at(const struct stream *s)
{
    return s->at < s->job->inputs ? s->job->input[s->at].size : s->job->script_n;
}

/* Fills the buffer with what is to be sent next. */
static void fill(struct stream *s)
{
    while (s->left == 0) {
        if (s->at == s->job->inputs) {
            s->is_sent = true;
            return;
        }
        s->at++;
        s->left = size_at(s);
    }
    size_t n = s->left < sizeof s->buf ? (size_t)s->left : sizeof s->buf;
    if (s->at < s->job->inputs) {
        ssize_t r = read(s->job->input[s->at].fd, s->buf, n);
        if (r <= 0) {
            s->broken = "a file became shorter while it was sent";
            return;
        }
        n = (size_t)r;
    } else {
        memcpy(s->buf, s->job->script + (s->job->script_n - s->left), n);
    }
    s->left -= n;
    s->have = n;
    s->sent = 0;
}

static void send_more(struct stream *s)
{
    if (s->sent == s->have)
        fill(s);
    if (s->is_sent || s->broken)
        return;
    ssize_t n = send(s->fd, s->buf + s->sent, s->have - s->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
        s->sent += (size_t)n;
    else if (errno != EAGAIN && errno != EINTR)
        s->is_sent = true; /* nobody wants it; why, is still to be read */
}

/* Our user wants no more: the end of our direction says so, and the rest is still read. */
static void interrupt(struct stream *s)
{
    if (s->is_interrupted || !om_interrupt_came())
        return;
    s->is_interrupted = s->is_sent = true;
    (void)shutdown(s->fd, SHUT_WR);
    fprintf(stderr, "omerta: cancelling the job; once more ends at once\n");
}

static void pass_on(struct stream *s, FILE *to, const char *kind, struct om_bytes b)
{
    if (s->cli->out.json) {
        bool is_text = om_text_is_utf8(b);
        char *shown = is_text ? NULL : malloc(4 * b.n + 1);
        if (shown)
            (void)om_text_escape(shown, 4 * b.n + 1, b);
        json_t *o = json_pack("{s:s, s:o}", "event", kind, "text",
                              is_text ? json_stringn((const char *)b.p, b.n)
                                      : json_string(shown ? shown : ""));
        om_out_json_line(&s->cli->out, o);
        json_decref(o);
        free(shown);
        return;
    }
    for (size_t at = 0; at < b.n && !s->broken;) {
        ssize_t n = write(fileno(to), b.p + at, b.n - at);
        if (n < 0 && errno != EINTR)
            s->broken = "what it says cannot be written";
        at += n > 0 ? (size_t)n : 0;
        interrupt(s);
    }
}

static void show_filed(struct stream *s, unsigned index)
{
    const struct om_job_output *f = &s->job->output[index];

    if (s->cli->out.json) {
        json_t *o = json_pack("{s:s, s:s, s:I, s:s}", "event", "file", "name", f->name, "bytes",
                              (json_int_t)f->size, "error", f->failed);
        om_out_json_line(&s->cli->out, o);
        json_decref(o);
    } else if (*f->failed) {
        om_out_error(&s->cli->out, "%s: %s", f->name, f->failed);
    }
}

static void read_end(struct stream *s, struct om_bytes b)
{
    json_error_t at;
    json_t *o = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, &at);
    const char *end = json_string_value(json_object_get(o, "end"));
    const char *text = json_string_value(json_object_get(o, "text"));
    const json_t *status = json_object_get(o, "status");

    if (!end || !json_is_integer(status)) {
        s->broken = "the provider made no sense";
    } else {
        (void)om_text_escape(s->job->end, sizeof s->job->end, om_bytes(end, strlen(end)));
        if (text)
            (void)om_text_escape(s->job->text, sizeof s->job->text, om_bytes(text, strlen(text)));
        s->job->status = json_integer_value(status);
        s->job->has_ended = true;
    }
    json_decref(o);
}

static void hear(struct stream *s, const struct om_job_frame *f)
{
    bool is_good = true;

    switch (f->kind) {
    case OM_JOB_FRAME_OUT:
        pass_on(s, stdout, "out", f->bytes);
        break;
    case OM_JOB_FRAME_ERR:
        pass_on(s, stderr, "err", f->bytes);
        break;
    case OM_JOB_FRAME_FILE:
        is_good = om_job_take(s->job, f->index, f->bytes);
        break;
    case OM_JOB_FRAME_FILED:
        is_good = om_job_filed(s->job, f->index, f->bytes);
        if (is_good)
            show_filed(s, f->index);
        break;
    case OM_JOB_FRAME_CUT:
        om_out_error(&s->cli->out, "the job says more than its bound: the rest is not shown");
        break;
    case OM_JOB_FRAME_ENDED:
        read_end(s, f->bytes);
        break;
    }
    if (!is_good)
        s->broken = "the provider made no sense";
}

/* False when nothing more comes. */
static bool receive(struct stream *s)
{
    struct om_mut to = om_job_frames_space(&s->frames);
    struct om_job_frame f;
    ssize_t n = recv(s->fd, to.p, to.n, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0)
        return false;
    om_job_frames_came(&s->frames, (size_t)n);
    while (!s->broken && !s->job->has_ended && om_job_frames_next(&s->frames, &f))
        hear(s, &f);
    if (s->frames.is_bad)
        s->broken = "the provider made no sense";
    return !s->broken && !s->job->has_ended;
}

/* What the provider has for the job, for its end, and for artefacts: it says each of these ends. */
static om_time patience_of(const struct om_job *j)
{
    om_time time = OM_SEC(OM_JOB_TIME_S);

    if (j->timeout)
        (void)!om_duration_parse(&time, j->timeout, NULL);
    return time + OM_SEC(OM_JOB_SPARE_S) + (j->outputs ? OM_SEC(OM_JOB_GET_S) : 0);
}

static void flow(struct stream *s)
{
    bool is_going = true;

    s->left = size_at(s);
    s->patience = patience_of(s->job);
    s->heard = om_clock_now();
    while (is_going && !s->broken) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (!s->is_sent)
            p.events |= POLLOUT;
        int n = poll(&p, 1, LOOK_MS); /* an interrupt just before it is seen then */
        interrupt(s);
        if (n > 0)
            s->heard = om_clock_now();
        else if (om_clock_now() - s->heard > s->patience)
            s->broken = "the provider says nothing of the job, though its time is over";
        if (n > 0 && (p.revents & POLLOUT) && !s->is_sent)
            send_more(s);
        if (n > 0 && (p.revents & (POLLIN | POLLHUP | POLLERR)))
            is_going = receive(s);
    }
}

/* What the job is, for the first line; NULL: no memory. */
static json_t *words_of(const struct om_cli *cli, const char *vm, const struct om_job *j)
{
    json_t *inputs = json_array(), *outputs = json_array(), *words = om_cli_params(cli);
    json_t *job = json_pack("{s:s, s:I, s:s*, s:o, s:o}", "language", j->language, "script",
                            (json_int_t)j->script_n, "timeout", j->timeout, "inputs", inputs,
                            "artefacts", outputs);
    uint64_t most;

    for (unsigned i = 0; i < j->inputs; i++)
        (void)json_array_append_new(inputs, json_pack("{s:s, s:I, s:i}", "path", j->input[i].name,
                                                      "size", (json_int_t)j->input[i].size, "mode",
                                                      (int)j->input[i].mode));
    for (unsigned i = 0; i < j->outputs; i++)
        (void)json_array_append_new(outputs, json_string(j->output[i].path));
    if (j->output_max && om_size_parse(&most, j->output_max, NULL) == OM_OK)
        (void)json_object_set_new(job, "output_max", json_integer((json_int_t)most));
    (void)json_object_set_new(words, "open", json_string("job"));
    (void)json_object_set_new(words, "vm", json_string(vm));
    (void)json_object_set_new(words, "job", job);
    return words;
}

static bool send_line(int fd, json_t *words)
{
    char *text = words ? json_dumps(words, JSON_COMPACT) : NULL;
    size_t n = text ? strlen(text) : 0, at = 0;

    json_decref(words);
    if (text)
        text[n++] = '\n'; /* instead of the end */
    while (at < n) {
        ssize_t w = send(fd, text + at, n - at, MSG_NOSIGNAL);
        if (w < 0 && errno != EINTR)
            break;
        at += w > 0 ? (size_t)w : 0;
    }
    free(text);
    return n > 0 && at == n;
}

/* The line that comes back; what follows it is frames. */
static json_t *read_line(int fd)
{
    char line[LINE_MAX_BYTES];
    json_error_t at;
    size_t n = 0;

    while (n < sizeof line) {
        ssize_t r = recv(fd, line + n, 1, 0);
        if (r < 0 && errno == EINTR && !om_interrupt_came())
            continue;
        if (r <= 0)
            return NULL;
        if (line[n++] == '\n')
            return json_loadb(line, n, 0, &at);
    }
    return NULL;
}

/* The stream of the job; -1 after it was said why there is none. */
static int open_stream(struct om_cli *cli, const char *vm, const struct om_job *j)
{
    struct om_error err;
    char shown[OM_OUT_TEXT_MAX];
    int fd;

    if (om_ask_connect(&fd, cli->place.data, &err) != OM_EXIT_OK) {
        om_out_error(&cli->out, "%s", err.msg);
        return -1;
    }
    json_t *answer = send_line(fd, words_of(cli, vm, j)) ? read_line(fd) : NULL;
    if (!json_is_true(json_object_get(answer, "ok"))) {
        const char *why = json_string_value(json_object_get(answer, "message"));
        om_out_said(shown, why && *why ? why : "the daemon hung up");
        om_out_error(&cli->out, "%s", shown);
        (void)close(fd);
        fd = -1;
    }
    json_decref(answer);
    return fd;
}

int om_job_exit(const struct om_job *j, bool interrupted)
{
    if (interrupted)
        return OM_JOB_EXIT_INTERRUPTED;
    if (j->has_ended && strcmp(j->end, "timeout") == 0)
        return OM_JOB_EXIT_TIMEOUT;
    if (!j->has_ended || strcmp(j->end, "exited") != 0 || j->status < 0 || j->status > 255 ||
        (j->status == 0 && (j->missing > 0 || j->filed < j->outputs)))
        return OM_JOB_EXIT_FAILED;
    return (int)j->status;
}

static void say_end(struct om_cli *cli, const struct om_job *j, const struct stream *s, int code)
{
    if (cli->out.json) {
        json_t *o = json_pack("{s:s, s:s, s:I, s:s, s:i}", "event", "ended", "end",
                              j->has_ended ? j->end : "lost", "status", (json_int_t)j->status,
                              "text", s->broken ? s->broken : j->text, "exit", code);
        om_out_json_line(&cli->out, o);
        json_decref(o);
    }
    if (s->is_interrupted)
        return;
    if (s->broken)
        om_out_error(&cli->out, "%s", s->broken);
    else if (!j->has_ended)
        om_out_error(&cli->out, "the job was lost: its provider hung up");
    else if (strcmp(j->end, "timeout") == 0)
        om_out_error(&cli->out, "the job was ended: it took too long");
    else if (strcmp(j->end, "exited") != 0)
        om_out_error(&cli->out, "the job was %s%s%s", j->end, *j->text ? ": " : "", j->text);
}

int om_job_run(struct om_cli *cli, const char *vm, struct om_job *j)
{
    struct stream *s = calloc(1, sizeof *s);
    int code = OM_JOB_EXIT_FAILED, fd = s ? open_stream(cli, vm, j) : -1;

    if (fd >= 0) {
        s->cli = cli;
        s->job = j;
        s->fd = fd;
        om_job_frames_init(&s->frames);
        (void)fflush(stdout);
        flow(s);
        (void)close(fd);
        code = om_job_exit(j, s->is_interrupted);
        say_end(cli, j, s, s->broken ? OM_JOB_EXIT_FAILED : code);
        code = s->broken ? OM_JOB_EXIT_FAILED : code;
    } else if (om_interrupt_came()) {
        code = OM_JOB_EXIT_INTERRUPTED;
    }
    free(s);
    return code;
}
