/* cmd_ssh.c - nc, ssh, cp: a connection to a port of a peer, and OpenSSH through it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "child.h"
#include "commands.h"

enum { ANSWER_MAX = 4096, PIPE_BYTES = 64 * 1024, SSH_PORT = 22 };

/* One direction: bytes read from @from that @to has not taken yet. */
struct half {
    int from, to;
    bool is_eof, is_shut;
    size_t at, n;
    char bytes[PIPE_BYTES];
};

static enum om_exit failed(struct om_cli *cli, const char *what)
{
    om_out_error(&cli->out, "%s: %s", what, strerror(errno));
    return OM_EXIT_FAILED;
}

static int connect_data(const struct om_cli *cli)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(at.sun_path, cli->place.data, strlen(cli->place.data) + 1);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
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

/* Asks for the connection; on success @fd is it. */
static enum om_exit open_tunnel(struct om_cli *cli, const char *peer, uint64_t port, int *fd)
{
    json_t *words = om_cli_params(cli), *answer;
    char line[ANSWER_MAX], shown[OM_OUT_TEXT_MAX];
    json_error_t at;
    char *text;

    (void)json_object_set_new(words, "open", json_string("tcp"));
    (void)json_object_set_new(words, "peer", json_string(peer));
    (void)json_object_set_new(words, "port", json_integer((json_int_t)port));
    text = json_dumps(words, JSON_COMPACT);
    json_decref(words);
    *fd = connect_data(cli);
    if (*fd < 0) {
        free(text);
        om_out_error(&cli->out, "no daemon answers at %s: omerta up starts one", cli->place.data);
        return OM_EXIT_FAILED;
    }
    bool is_asked = text && write_all(*fd, text, strlen(text)) && write_all(*fd, "\n", 1);
    free(text);
    if (!is_asked || !read_answer(*fd, line)) {
        om_out_error(&cli->out, "the daemon hung up");
        return OM_EXIT_FAILED;
    }
    answer = json_loads(line, 0, &at);
    bool is_open = json_is_true(json_object_get(answer, "ok"));
    if (!is_open) {
        const char *message = json_string_value(json_object_get(answer, "message"));
        const char *error = json_string_value(json_object_get(answer, "error"));
        om_out_escape(shown, message && *message ? message : error ? error : "refused");
        om_out_error(&cli->out, "port %llu of %s: %s%s", (unsigned long long)port, peer,
                     error && strcmp(error, "not_allowed") == 0 ? "not exposed to us; " : "",
                     shown);
    }
    json_decref(answer);
    return is_open ? OM_EXIT_OK : OM_EXIT_FAILED;
}

/* Moves what can be moved; false when that end is gone. */
static bool move(struct half *h, short from_events, short to_events)
{
    if (h->n == 0 && !h->is_eof && (from_events & (POLLIN | POLLHUP | POLLERR))) {
        ssize_t r = read(h->from, h->bytes, sizeof h->bytes);
        h->is_eof = r == 0 || (r < 0 && errno != EINTR && errno != EAGAIN);
        h->n = r > 0 ? (size_t)r : 0;
        h->at = 0;
        to_events |= POLLOUT; /* it mostly takes them */
    }
    if (h->n > 0 && (to_events & (POLLOUT | POLLERR))) {
        ssize_t w = write(h->to, h->bytes + h->at, h->n);
        if (w < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        h->at += w > 0 ? (size_t)w : 0;
        h->n -= w > 0 ? (size_t)w : 0;
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

/* Standard input to the peer, what comes back to standard output, until both have ended. */
static enum om_exit splice(struct om_cli *cli, int fd)
{
    static struct half up, down;

    up = (struct half){.from = STDIN_FILENO, .to = fd};
    down = (struct half){.from = fd, .to = STDOUT_FILENO};
    while (!down.is_eof || down.n > 0) {
        struct pollfd p[] = {
            {.fd = watched(up.from, wanted_in(&up)), .events = POLLIN},
            {.fd = watched(up.to, wanted_out(&up)), .events = POLLOUT},
            {.fd = watched(down.from, wanted_in(&down)), .events = POLLIN},
            {.fd = watched(down.to, wanted_out(&down)), .events = POLLOUT},
        };
        if (poll(p, 4, -1) < 0 && errno != EINTR)
            return failed(cli, "poll");
        if (!move(&up, p[0].revents, p[1].revents)) {
            up.is_eof = up.is_shut = true; /* the peer wants no more; it may still say something */
            up.n = 0;
        }
        if (!move(&down, p[2].revents, p[3].revents))
            return failed(cli, "standard output");
        if (up.is_eof && up.n == 0 && !up.is_shut) {
            up.is_shut = true;
            (void)shutdown(fd, SHUT_WR);
        }
    }
    return OM_EXIT_OK;
}

enum om_exit om_cmd_nc(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 2, 2);
    char *end;
    int fd = -1;

    if (e)
        return e;
    unsigned long port = strtoul(cli->args.words[1], &end, 10);
    if (*end || port < 1 || port > 65535)
        return om_cli_usage(cli, "%s: want a port from 1 to 65535", cli->args.words[1]);
    (void)signal(SIGPIPE, SIG_IGN);
    e = open_tunnel(cli, cli->args.words[0], port, &fd);
    if (e == OM_EXIT_OK)
        e = splice(cli, fd);
    if (fd >= 0)
        (void)close(fd);
    return e;
}

/* OpenSSH's @program with our way there, then @words; returns only when it cannot be run. */
static enum om_exit run_ssh(struct om_cli *cli, const char *program)
{
    char self[OM_PATH_MAX], path[OM_PATH_MAX];
    static char proxy[3 * OM_PATH_MAX], known[OM_PATH_MAX + 64], key[OM_PATH_MAX + 64];
    const char *argv[OM_ARGS_WORDS_MAX + 24];
    unsigned n = 0;
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    if (!om_child_in_path(program, path)) {
        om_out_error(&cli->out, "%s is not installed: apt install openssh-client", program);
        return OM_EXIT_FAILED;
    }
    self[len > 0 ? len : 0] = '\0';
    /* The shell that OpenSSH starts reads this: only what we know is in it, quoted. */
    if (strchr(self, '\'') || strchr(cli->place.home, '\'')) {
        om_out_error(&cli->out, "%s: a path with a quote in it cannot be used here",
                     cli->place.home);
        return OM_EXIT_FAILED;
    }
    (void)snprintf(proxy, sizeof proxy, "ProxyCommand='%s' --home '%s' nc %%h %%p", self,
                   cli->place.home);
    (void)snprintf(known, sizeof known, "UserKnownHostsFile=\"%s/ssh/known_hosts\"",
                   cli->place.home);
    (void)snprintf(key, sizeof key, "%s/ssh/id_ed25519", cli->place.home);
    argv[n++] = path;
    argv[n++] = "-o";
    argv[n++] = proxy;
    argv[n++] = "-o";
    argv[n++] = known;
    argv[n++] = "-o"; /* the mesh has authenticated the machine; its host key is kept from now on */
    argv[n++] = "StrictHostKeyChecking=accept-new";
    if (access(key, R_OK) == 0) {
        argv[n++] = "-i";
        argv[n++] = key;
    }
    if (om_args_value(&cli->args, "port")) {
        argv[n++] = strcmp(program, "scp") == 0 ? "-P" : "-p";
        argv[n++] = om_args_value(&cli->args, "port");
    }
    if (om_args_has(&cli->args, "recursive"))
        argv[n++] = "-r";
    for (unsigned i = 0; i < cli->args.count; i++)
        argv[n++] = cli->args.words[i];
    argv[n] = NULL;
    char *args[OM_ARRAY_SIZE(argv)];
    memcpy(args, argv, sizeof args); /* execv() writes nothing, and knows no const */
    (void)execv(path, args);
    return failed(cli, path);
}

enum om_exit om_cmd_ssh(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 1, OM_ARGS_WORDS_MAX);

    return e ? e : run_ssh(cli, "ssh");
}

enum om_exit om_cmd_cp(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 2, OM_ARGS_WORDS_MAX);

    return e ? e : run_ssh(cli, "scp");
}
