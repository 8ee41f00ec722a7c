/* cmd_nc.c - nc: standard input and output, connected to a port of a peer. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omerta/text.h>

#include "commands.h"
#include "table.h"

enum { ANSWER_MAX = 4096, PIPE_BYTES = 256 * 1024, HEAD = 4 };

/* One direction: bytes read from @from that @to has not taken yet. */
struct half {
    int from, to;
    bool is_eof, is_shut;
    bool is_framed, is_ended; /* ended as the peer meant it */
    bool is_cut;              /* nobody takes the rest, after the other half was through */
    uint32_t head;            /* length of a frame, of which @head_n bytes have come */
    unsigned head_n;
    uint32_t frame; /* bytes of the frame that are still to come */
    uint64_t moved;
    size_t at, n;
    char bytes[PIPE_BYTES];
};

static enum om_exit failed(struct om_cli *cli, const char *what)
{
    om_out_error(&cli->out, "%s: %s", what, strerror(errno));
    return OM_EXIT_FAILED;
}

/* The line that comes back, without its end; what follows it belongs to the connection. */
static bool read_answer(int fd, char out[static ANSWER_MAX])
{
    for (size_t n = 0; n < ANSWER_MAX; n++) {
        ssize_t r = read(fd, out + n, 1);
        if (r < 0 && errno == EINTR) {
            n--;
            continue;
        }
        if (r <= 0)
            return false;
        if (out[n] == '\n') {
            out[n] = '\0';
            return true;
        }
    }
    return false;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, bytes, n);
        if (w < 0 && errno != EINTR)
            return false;
        bytes += w > 0 ? w : 0;
        n -= w > 0 ? (size_t)w : 0;
    }
    return true;
}

/* The daemon itself refuses by these; all other refusals are the peer's. */
static enum om_exit exit_of(const char *error)
{
    static const char *const ours[] = {"missing", "range", "parse", "bad_line", "full"};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(ours); i++)
        if (strcmp(error, ours[i]) == 0)
            return OM_EXIT_REFUSED;
    return OM_EXIT_FAILED;
}

static enum om_exit refused(struct om_cli *cli, const char *peer, long long port,
                            const json_t *answer)
{
    char shown[OM_OUT_TEXT_MAX], name[OM_SHOW_TEXT];
    const char *message = json_string_value(json_object_get(answer, "message"));
    const char *error = json_string_value(json_object_get(answer, "error"));

    error = error ? error : "refused";
    om_out_said(shown, message && *message ? message : error);
    if (exit_of(error) == OM_EXIT_REFUSED)
        om_out_error(&cli->out, "%s", shown);
    else
        om_out_error(&cli->out, "port %lld of %s: %s%s", port, om_text_show(name, peer),
                     strcmp(error, "not_allowed") == 0 ? "not exposed to us; " : "", shown);
    return exit_of(error);
}

/* Asks for the connection; on success @fd is it. */
static enum om_exit open_tunnel(struct om_cli *cli, const char *peer, long long port, int *fd,
                                bool *is_framed)
{
    json_t *words = om_cli_params(cli), *answer;
    char line[ANSWER_MAX];
    struct om_error err;
    json_error_t at;
    char *text;
    enum om_exit e = om_ask_connect(fd, cli->place.data, &err);

    if (e) {
        json_decref(words);
        om_out_error(&cli->out, "%s", err.msg);
        return e;
    }
    (void)json_object_set_new(words, "open", json_string("tcp"));
    (void)json_object_set_new(words, "peer", json_string(peer));
    (void)json_object_set_new(words, "port", json_integer(port));
    (void)json_object_set_new(words, "framed", json_true());
    text = json_dumps(words, JSON_COMPACT);
    json_decref(words);
    bool is_asked = text && write_all(*fd, text, strlen(text)) && write_all(*fd, "\n", 1);
    free(text);
    if (!is_asked || !read_answer(*fd, line)) {
        om_out_error(&cli->out, "the daemon hung up");
        return OM_EXIT_NO_DAEMON;
    }
    answer = json_loads(line, 0, &at);
    *is_framed = json_is_true(json_object_get(answer, "framed"));
    if (!json_is_true(json_object_get(answer, "ok")))
        e = refused(cli, peer, port, answer);
    json_decref(answer);
    return e;
}

/* Leaves in @h what the frames carry, together, so that it is written at once. */
static void unframe(struct half *h)
{
    size_t from = 0, to = 0;

    while (from < h->n && !h->is_ended) {
        size_t n = h->n - from < h->frame ? h->n - from : h->frame;
        if (h->frame > 0) {
            memmove(h->bytes + to, h->bytes + from, n);
            h->frame -= (uint32_t)n;
            from += n;
            to += n;
            continue;
        }
        h->head = h->head << 8 | (uint8_t)h->bytes[from++];
        if (++h->head_n < HEAD)
            continue;
        h->is_ended = h->head == 0;
        h->frame = h->head;
        h->head_n = 0;
        h->head = 0;
    }
    h->n = to;
    h->is_eof = h->is_eof || h->is_ended;
}

/* Moves what can be moved; false when that end is gone. */
static bool move(struct half *h, short from_events, short to_events)
{
    if (h->n == 0 && !h->is_eof && (from_events & (POLLIN | POLLHUP | POLLERR))) {
        ssize_t r = read(h->from, h->bytes, sizeof h->bytes);
        h->is_eof = r == 0 || (r < 0 && errno != EINTR && errno != EAGAIN);
        h->n = r > 0 ? (size_t)r : 0;
        h->at = 0;
        if (h->is_framed)
            unframe(h);
        to_events |= POLLOUT; /* it mostly takes them */
    }
    if (h->n > 0 && (to_events & (POLLOUT | POLLERR))) {
        ssize_t w = write(h->to, h->bytes + h->at, h->n);
        if (w < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        h->at += w > 0 ? (size_t)w : 0;
        h->n -= w > 0 ? (size_t)w : 0;
        h->moved += w > 0 ? (uint64_t)w : 0;
    }
    return true;
}

static short wanted_in(const struct half *h)
{
    return h->n == 0 && !h->is_eof ? POLLIN : 0;
}

static short wanted_out(const struct half *h)
{
    return h->n > 0 ? POLLOUT : 0;
}

static int watched(int fd, short events)
{
    return events ? fd : -1;
}

/* All of it is where it goes. */
static bool is_through(const struct half *h)
{
    return h->is_eof && h->n == 0;
}

/* As where inetd, or ssh, gives one for both ways: others may hold it for more than we do. */
static bool is_one_socket(int a, int b)
{
    struct stat x, y;

    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && S_ISSOCK(x.st_mode) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

/* The peer has said all: who reads our standard output is told, as they may end our standard input
 * for it. At a terminal that is the end of it, and when there was no proper one. */
static bool is_enough(struct half *down)
{
    if (!down->is_shut) {
        down->is_shut = true;
        if (is_one_socket(STDIN_FILENO, down->to))
            (void)shutdown(down->to, SHUT_WR);
        (void)close(down->to);
    }
    return isatty(STDIN_FILENO) || (down->is_framed && !down->is_ended);
}

/* What standard input says goes to the peer, or nowhere from now on. */
static void send_on(struct half *up, const struct pollfd p[2], bool is_answered)
{
    bool is_gone = is_answered && up->n == 0 && (p[1].revents & (POLLHUP | POLLERR)) &&
                   !(p[0].revents & POLLIN);

    if (is_gone || !move(up, p[0].revents, p[1].revents)) {
        up->is_cut = is_answered && up->n > 0;
        up->is_eof = up->is_shut = true; /* the peer wants no more; it may still say something */
        up->n = 0;
    }
    if (is_through(up) && !up->is_shut) {
        up->is_shut = true;
        (void)shutdown(up->to, SHUT_WR);
    }
}

/* Standard input to the peer, what comes back to standard output, until both have ended. */
static enum om_exit splice(struct om_cli *cli, struct half *up, struct half *down)
{
    while (!is_through(down) || !is_through(up)) {
        bool is_answered = is_through(down);
        if (is_answered && is_enough(down))
            break;
        struct pollfd p[] = {
            {.fd = watched(up->from, wanted_in(up)), .events = POLLIN},
            {.fd = is_answered ? up->to : watched(up->to, wanted_out(up)),
             .events = wanted_out(up)},
            {.fd = watched(down->from, wanted_in(down)), .events = POLLIN},
            {.fd = watched(down->to, wanted_out(down)), .events = POLLOUT},
        };
        if (poll(p, 4, -1) < 0 && errno != EINTR)
            return failed(cli, "poll");
        send_on(up, p, is_answered);
        if (!move(down, p[2].revents, p[3].revents))
            return failed(cli, "standard output");
    }
    return OM_EXIT_OK;
}

static enum om_exit cut(struct om_cli *cli, uint64_t sent, uint64_t received)
{
    char cell[OM_CELL_MAX], name[OM_SHOW_TEXT];
    bool is_upload = received == 0 && sent > 0;
    json_t *n = json_integer((json_int_t)(is_upload ? sent : received));

    om_out_error(&cli->out, "port %s of %s: cut after %s%s", cli->args.words[1],
                 om_text_show(name, cli->args.words[0]), is_upload ? "sending " : "",
                 om_table_cell(cell, OM_COLUMN_BYTES, n));
    json_decref(n);
    return OM_EXIT_FAILED;
}

enum om_exit om_cmd_nc(struct om_cli *cli)
{
    static struct half up, down;
    enum om_exit e = om_cli_words(cli, 2, 2);
    long long port;
    int fd = -1;

    if (!e)
        e = om_cli_port(cli, cli->args.words[1], &port);
    if (e)
        return e;
    (void)signal(SIGPIPE, SIG_IGN);
    e = open_tunnel(cli, cli->args.words[0], port, &fd, &down.is_framed);
    up.from = STDIN_FILENO;
    up.to = down.from = fd;
    down.to = STDOUT_FILENO;
    if (e == OM_EXIT_OK)
        e = splice(cli, &up, &down);
    if (e == OM_EXIT_OK && down.is_framed && (!down.is_ended || up.is_cut))
        e = cut(cli, up.moved, up.is_cut ? 0 : down.moved);
    if (fd >= 0)
        (void)close(fd);
    return e;
}
