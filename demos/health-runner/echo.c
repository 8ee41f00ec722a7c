/* echo.c - sockets that never block. */
#include "echo.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 16, DATAGRAM_MAX = 1 << 16, TAKE_MAX = 256, RECEIVE_BYTES = 4 << 20 };

static uint8_t scratch[DATAGRAM_MAX];

void om_echo_init(struct om_echo *e)
{
    *e = (struct om_echo){.echo_tcp = -1, .echo_udp = -1, .sink_tcp = -1, .sink_udp = -1};
    for (unsigned i = 0; i < OM_ECHO_MAX; i++)
        e->calls[i].fd = -1;
}

/* A socket of @type at @address and *@port, which receives the one it got; -1 with errno. */
static int listen_at(const char *address, int type, uint16_t *port)
{
    struct addrinfo want = {.ai_family = AF_UNSPEC,
                            .ai_socktype = type,
                            .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE},
                    *at;
    struct sockaddr_in6 got = {0};
    const int buffer = RECEIVE_BYTES;
    int fd;

    if (getaddrinfo(address, "0", &want, &at) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    /* The port of both families is at the same place. */
    ((struct sockaddr_in *)(void *)at->ai_addr)->sin_port = htons(*port);
    fd = socket(at->ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && type == SOCK_DGRAM)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (fd >= 0 && (bind(fd, at->ai_addr, at->ai_addrlen) != 0 ||
                    (type == SOCK_STREAM && listen(fd, BACKLOG) != 0) ||
                    getsockname(fd, (struct sockaddr *)&got, &(socklen_t){sizeof got}) != 0)) {
        int why = errno;
        (void)close(fd);
        errno = why;
        fd = -1;
    }
    if (fd >= 0)
        *port = ntohs(got.sin6_port);
    freeaddrinfo(at);
    return fd;
}

/* One port for both protocols: the one that UDP got may be taken for TCP, so several are tried. */
static bool open_pair(const char *address, int *tcp, int *udp, uint16_t *port)
{
    for (unsigned tries = 0; tries < BACKLOG; tries++) {
        *port = 0;
        *udp = listen_at(address, SOCK_DGRAM, port);
        if (*udp < 0)
            return false;
        *tcp = listen_at(address, SOCK_STREAM, port);
        if (*tcp >= 0)
            return true;
        (void)close(*udp);
        *udp = -1;
    }
    return false;
}

enum om_err om_echo_open(struct om_echo *e, const char *address, struct om_error *err)
{
    if (open_pair(address, &e->echo_tcp, &e->echo_udp, &e->echo_port) &&
        open_pair(address, &e->sink_tcp, &e->sink_udp, &e->sink_port))
        return OM_OK;
    om_fail(err, OM_E_STATE, "cannot listen at %s: %s", address, strerror(errno));
    om_echo_close(e);
    return OM_E_STATE;
}

static void hang_up(struct om_echo_call *c)
{
    (void)close(c->fd);
    free(c->bytes);
    *c = (struct om_echo_call){.fd = -1};
}

void om_echo_close(struct om_echo *e)
{
    int fds[] = {e->echo_tcp, e->echo_udp, e->sink_tcp, e->sink_udp};

    for (unsigned i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    for (unsigned i = 0; i < OM_ECHO_MAX; i++)
        if (e->calls[i].fd >= 0)
            hang_up(&e->calls[i]);
    om_echo_init(e);
}

unsigned om_echo_polls(const struct om_echo *e, struct pollfd *out)
{
    int fds[] = {e->echo_tcp, e->echo_udp, e->sink_tcp, e->sink_udp};
    unsigned n = 0;

    for (unsigned i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            out[n++] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    for (unsigned i = 0; i < OM_ECHO_MAX; i++) {
        const struct om_echo_call *c = &e->calls[i];
        if (c->fd >= 0)
            out[n++] =
                (struct pollfd){.fd = c->fd, .events = (short)(c->to > c->from ? POLLOUT : POLLIN)};
    }
    return n;
}

static void answer(int fd)
{
    struct sockaddr_in6 from;

    for (unsigned i = 0; fd >= 0 && i < TAKE_MAX; i++) {
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(fd, scratch, sizeof scratch, 0, (struct sockaddr *)&from, &size);
        if (n < 0)
            return;
        (void)!sendto(fd, scratch, (size_t)n, 0, (struct sockaddr *)&from, size);
    }
}

static void swallow(struct om_echo *e)
{
    for (unsigned i = 0; e->sink_udp >= 0 && i < TAKE_MAX; i++) {
        ssize_t n = recv(e->sink_udp, scratch, sizeof scratch, 0);
        if (n < 0)
            return;
        e->sink_datagrams++;
        e->sink_udp_bytes += (uint64_t)n;
    }
}

static void accept_one(struct om_echo *e, int from, bool is_echo)
{
    int fd = from < 0 ? -1 : accept4(from, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    for (unsigned i = 0; i < OM_ECHO_MAX; i++) {
        struct om_echo_call *c = &e->calls[i];
        if (c->fd >= 0)
            continue;
        c->bytes = is_echo ? malloc(OM_ECHO_BYTES) : NULL;
        if (is_echo && !c->bytes)
            break;
        c->fd = fd;
        c->is_echo = is_echo;
        return;
    }
    (void)close(fd);
}

/* Reads or sends back once; false: it is over. */
static bool step(struct om_echo *e, struct om_echo_call *c)
{
    ssize_t n;

    if (!c->is_echo) {
        n = recv(c->fd, scratch, sizeof scratch, 0);
        e->sink_bytes += n > 0 ? (uint64_t)n : 0;
        return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
    }
    if (c->to == c->from) {
        n = recv(c->fd, c->bytes, OM_ECHO_BYTES, 0);
        c->from = 0;
        c->to = n > 0 ? (unsigned)n : 0;
    } else {
        n = send(c->fd, c->bytes + c->from, c->to - c->from, MSG_NOSIGNAL);
        c->from += n > 0 ? (unsigned)n : 0;
    }
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

void om_echo_run(struct om_echo *e)
{
    answer(e->echo_udp);
    swallow(e);
    accept_one(e, e->echo_tcp, true);
    accept_one(e, e->sink_tcp, false);
    for (unsigned i = 0; i < OM_ECHO_MAX; i++)
        if (e->calls[i].fd >= 0 && !step(e, &e->calls[i]))
            hang_up(&e->calls[i]);
}
