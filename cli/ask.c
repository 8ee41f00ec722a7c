/* ask.c - a blocking client of one connection. */
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"
#include "ipc/wiped.h"
#include "out.h"

enum { FIRST_BYTES = 4096 };

struct om_ask {
    json_t *events; /* array: those that came while an answer was awaited */
    char *line;
    size_t have, room; /* bytes read and not yet parsed; size of line */
    json_int_t last_id;
    bool (*show)(void *self, const json_t *event); /* NULL: events are kept */
    void *self;
    int fd;
};

/* Root may ask anybody's, but only whom the socket belongs to: it named that one's home. */
static bool is_ours(int fd, const char *path)
{
    struct ucred who;
    socklen_t n = sizeof who;
    struct stat s;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n))
        return false;
    return who.uid == geteuid() || who.uid == 0 ||
           (geteuid() == 0 && lstat(path, &s) == 0 && s.st_uid == who.uid);
}

static enum om_exit connect_to(int fd, const char *path, struct om_error *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof to.sun_path) {
        om_fail(err, OM_E_RANGE, "%s: too long for a Unix socket", path);
        return OM_EXIT_FAILED;
    }
    memcpy(to.sun_path, path, strlen(path) + 1);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to)) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            om_fail(err, OM_E_MISSING, "no daemon answers at %s: start one with `omerta up`", path);
        else
            om_fail(err, OM_E_STATE, "cannot reach the daemon at %s: %s", path, strerror(errno));
        return OM_EXIT_NO_DAEMON;
    }
    if (!is_ours(fd, path)) {
        om_fail(err, OM_E_STATE, "%s is served by another user: not talking to it", path);
        return OM_EXIT_FAILED;
    }
    return OM_EXIT_OK;
}

static enum om_exit no_memory(struct om_error *err)
{
    om_fail(err, OM_E_NO_MEM, "out of memory");
    return OM_EXIT_FAILED;
}

enum om_exit om_ask_connect(int *out, const char *socket_path, struct om_error *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    enum om_exit e = fd < 0 ? no_memory(err) : connect_to(fd, socket_path, err);

    if (e && fd >= 0)
        close(fd);
    *out = e ? -1 : fd;
    return e;
}

enum om_exit om_ask_open(struct om_ask **out, const char *socket_path, struct om_error *err)
{
    struct om_ask *a = calloc(1, sizeof *a);
    enum om_exit e;

    *out = NULL;
    if (!a)
        return no_memory(err);
    a->fd = -1;
    a->events = json_array();
    a->room = FIRST_BYTES;
    a->line = malloc(a->room);
    e = a->events && a->line ? om_ask_connect(&a->fd, socket_path, err) : no_memory(err);
    if (e) {
        om_ask_close(a);
        return e;
    }
    *out = a;
    return OM_EXIT_OK;
}

void om_ask_close(struct om_ask *a)
{
    if (!a)
        return;
    if (a->fd >= 0)
        close(a->fd);
    json_decref(a->events);
    om_wiped_free(a->line);
    free(a);
}

static enum om_exit gone(struct om_error *err)
{
    om_fail(err, OM_E_STATE, "the daemon closed the connection");
    return OM_EXIT_NO_DAEMON;
}

/* Wait for @what on the socket. */
static enum om_exit wait_for(struct om_ask *a, short what, om_time deadline, struct om_error *err)
{
    struct pollfd p = {.fd = a->fd, .events = what};
    int n;

    do
        n = poll(&p, 1, om_clock_poll_ms(deadline));
    while (n < 0 && errno == EINTR && !om_interrupt_came());
    if (n == 0 || om_interrupt_came()) {
        om_fail(err, OM_E_BUSY, "the daemon did not answer in time");
        return OM_EXIT_TIMEOUT;
    }
    return n < 0 ? gone(err) : OM_EXIT_OK;
}

static enum om_exit send_all(struct om_ask *a, const char *text, size_t n, om_time deadline,
                             struct om_error *err)
{
    while (n) {
        ssize_t sent = send(a->fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        enum om_exit e;

        if (sent > 0) {
            text += sent;
            n -= (size_t)sent;
        } else if (errno == EAGAIN || errno == EINTR) {
            e = wait_for(a, POLLOUT, deadline, err);
            if (e)
                return e;
        } else if (errno == EPIPE) {
            break; /* why it hung up may be there to be read; if not, reading says that it did */
        } else {
            return gone(err);
        }
    }
    return OM_EXIT_OK;
}

static enum om_exit read_more(struct om_ask *a, om_time deadline, struct om_error *err)
{
    enum om_exit e;
    ssize_t n;

    if (a->have == a->room) {
        char *more;

        if (a->room >= OM_ASK_FRAME_MAX) {
            om_fail(err, OM_E_RANGE, "the daemon sent a line of more than %d bytes",
                    OM_ASK_FRAME_MAX);
            return OM_EXIT_FAILED;
        }
        more = om_wiped_grow(a->line, a->have, a->room * 2);
        if (!more)
            return no_memory(err);
        a->line = more;
        a->room *= 2;
    }
    e = wait_for(a, POLLIN, deadline, err);
    if (e)
        return e;
    n = recv(a->fd, a->line + a->have, a->room - a->have, 0);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return OM_EXIT_OK;
    if (n <= 0)
        return gone(err);
    a->have += (size_t)n;
    return OM_EXIT_OK;
}

/* The next line as a JSON object. */
static enum om_exit next_message(struct om_ask *a, om_time deadline, json_t **out,
                                 struct om_error *err)
{
    size_t searched = 0;

    for (;;) {
        char *end = memchr(a->line + searched, '\n', a->have - searched);
        enum om_exit e;

        if (end) {
            size_t n = (size_t)(end - a->line);
            json_error_t why;

            *out = json_loadb(a->line, n, 0, &why);
            a->have -= n + 1;
            memmove(a->line, end + 1, a->have);
            if (json_is_object(*out))
                return OM_EXIT_OK;
            json_decref(*out);
            om_fail(err, OM_E_PARSE, "the daemon sent a line that is no JSON object");
            return OM_EXIT_FAILED;
        }
        searched = a->have;
        e = read_more(a, deadline, err);
        if (e)
            return e;
    }
}

/* A notification as {"event": KIND, ...}; takes @message; NULL: no memory. */
static json_t *event_of(json_t *message)
{
    json_t *params = json_object_get(message, "params");
    json_t *out = json_object();

    if (out && (json_object_set(out, "event", json_object_get(message, "method")) ||
                (json_is_object(params) && json_object_update_missing(out, params)))) {
        json_decref(out);
        out = NULL;
    }
    json_decref(message);
    return out;
}

static enum om_exit keep_event(struct om_ask *a, json_t *message, struct om_error *err)
{
    json_t *event = event_of(message);

    if (event && a->show && a->show(a->self, event)) {
        json_decref(event);
        return OM_EXIT_OK;
    }
    if (event && json_array_size(a->events) == OM_ASK_EVENTS_MAX)
        json_array_remove(a->events, 0);
    if (!event || json_array_append_new(a->events, event))
        return no_memory(err);
    return OM_EXIT_OK;
}

static bool is_event(const json_t *message)
{
    return json_is_string(json_object_get(message, "method"));
}

static enum om_exit take_answer(json_t *message, json_t **result, struct om_error *err)
{
    char said[OM_OUT_TEXT_MAX];
    json_t *error = json_object_get(message, "error");

    if (json_is_object(error)) {
        om_out_said(said, json_string_value(json_object_get(error, "message")));
        om_fail(err, OM_E_STATE, "%.*s", OM_ERROR_MSG_MAX - 1,
                *said ? said : "the daemon refused and gave no reason");
        json_decref(message);
        return OM_EXIT_REFUSED;
    }
    *result = json_incref(json_object_get(message, "result"));
    json_decref(message);
    if (*result)
        return OM_EXIT_OK;
    om_fail(err, OM_E_PARSE, "the daemon sent an answer without a result");
    return OM_EXIT_FAILED;
}

static enum om_exit send_request(struct om_ask *a, const char *method, json_t *params,
                                 om_time deadline, struct om_error *err)
{
    json_t *request = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", ++a->last_id,
                                "method", method, "params", params ? params : json_object());
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    enum om_exit e;

    json_decref(request);
    if (!text)
        return no_memory(err);
    e = send_all(a, text, strlen(text), deadline, err);
    if (!e)
        e = send_all(a, "\n", 1, deadline, err);
    om_wiped_free(text);
    return e;
}

static om_time deadline_of(om_time patience)
{
    return patience == OM_NEVER ? OM_NEVER : om_clock_now() + patience;
}

enum om_exit om_ask_call(struct om_ask *a, const char *method, json_t *params, om_time patience,
                         json_t **result, struct om_error *err)
{
    om_time deadline = deadline_of(patience);
    enum om_exit e = send_request(a, method, params, deadline, err);

    *result = NULL;
    while (!e) {
        json_t *message, *id;

        e = next_message(a, deadline, &message, err);
        if (e)
            break;
        id = json_object_get(message, "id");
        if (is_event(message))
            e = keep_event(a, message, err);
        else if (json_is_null(id) || json_integer_value(id) == a->last_id)
            return take_answer(message, result, err);
        else
            json_decref(message); /* of a question we gave up on */
    }
    return e;
}

void om_ask_show(struct om_ask *a, bool (*show)(void *self, const json_t *event), void *self)
{
    a->show = show;
    a->self = self;
}

enum om_exit om_ask_next_event(struct om_ask *a, om_time patience, json_t **out,
                               struct om_error *err)
{
    om_time deadline = deadline_of(patience);

    for (;;) {
        json_t *message;
        enum om_exit e;

        if (json_array_size(a->events)) {
            *out = json_incref(json_array_get(a->events, 0));
            json_array_remove(a->events, 0);
            return OM_EXIT_OK;
        }
        e = next_message(a, deadline, &message, err);
        if (e)
            return e;
        if (!is_event(message))
            json_decref(message);
        else if ((e = keep_event(a, message, err)) != OM_EXIT_OK)
            return e;
    }
}
