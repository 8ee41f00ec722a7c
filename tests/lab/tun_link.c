/*
 * tun_link.c - a TUN or TAP device as a link of the daemon
 *
 * usage: tun_link tun|tap NAME SOCKET LINE
 *
 * What:  opens the device NAME, connects to the data socket SOCKET, says LINE, prints the line
 *        that comes back, and carries packets both ways until either side ends.
 * Why:   the kernel and its programs are then what is behind a link. This is a harness: it ends
 *        with an error on anything unexpected.
 *
 * Exit code 3: the daemon refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <omerta/wire.h>

#include "tun.h"

enum {
    HEAD = 4,
    PACKET_MAX = 65535,
    BATCH = 64,
    BUFFER = 1 << 20,
    LINE_MAX_BYTES = 4096,
    EXIT_REFUSED = 3
};

/* Bytes from @begin to @end wait. */
struct buffer {
    size_t begin, end;
    uint8_t bytes[BUFFER];
};

static int tun, daemon_socket;
static struct buffer to_daemon, from_daemon;

static void die(const char *what)
{
    (void)fprintf(stderr, "tun_link: %s: %s\n", what, strerror(errno));
    exit(1);
}

static bool is_later(void)
{
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
}

static void daemon_connect(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int bytes = BUFFER;

    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    daemon_socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (daemon_socket < 0 || connect(daemon_socket, (const struct sockaddr *)&a, sizeof a) != 0)
        die(path);
    (void)setsockopt(daemon_socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

/* Says what the connection is to be; the answer is printed. */
static void daemon_greet(const char *line)
{
    char answer[LINE_MAX_BYTES];
    size_t n = 0;

    if (write(daemon_socket, line, strlen(line)) != (ssize_t)strlen(line) ||
        write(daemon_socket, "\n", 1) != 1)
        die("write");
    while (n < sizeof answer - 1 && (n == 0 || answer[n - 1] != '\n'))
        if (read(daemon_socket, answer + n, 1) == 1) /* what follows the line is a frame */
            n++;
        else
            die("no answer");
    answer[n] = '\0';
    printf("%s", answer);
    (void)fflush(stdout);
    if (!strstr(answer, "\"ok\":true"))
        exit(EXIT_REFUSED);
    if (fcntl(daemon_socket, F_SETFL, O_NONBLOCK) != 0)
        die("fcntl");
}

/* Packets of the TUN become frames. */
static void tun_read(void)
{
    for (unsigned i = 0; i < BATCH && BUFFER - to_daemon.end >= HEAD + PACKET_MAX; i++) {
        uint8_t *at = to_daemon.bytes + to_daemon.end;
        ssize_t n = read(tun, at + HEAD, PACKET_MAX);
        if (n < 0 && is_later())
            return;
        if (n <= 0)
            die("TUN");
        struct om_wr w = om_wr(om_mut(at, HEAD));
        om_wr_u32(&w, (uint32_t)n);
        to_daemon.end += HEAD + (size_t)n;
    }
}

static void daemon_write(void)
{
    struct buffer *b = &to_daemon;
    ssize_t n = write(daemon_socket, b->bytes + b->begin, b->end - b->begin);

    if (n < 0 && !is_later())
        die("daemon");
    b->begin += n > 0 ? (size_t)n : 0;
    if (b->begin == b->end)
        b->begin = b->end = 0;
}

/* Frames become packets of the TUN, which drops what it has no room for. */
static void tun_write(void)
{
    struct buffer *b = &from_daemon;
    struct om_rd r = om_rd(om_bytes(b->bytes, b->end));

    while (om_rd_left(&r) >= HEAD) {
        struct om_rd ahead = r;
        size_t n = om_rd_u32(&ahead);
        if (n == 0 || n > PACKET_MAX) {
            errno = EPROTO;
            die("a frame's length");
        }
        if (om_rd_left(&ahead) < n)
            break;
        struct om_bytes packet = om_rd_bytes(&ahead, n);
        r = ahead;
        if (write(tun, packet.p, packet.n) < 0 && !is_later() && errno != EIO)
            die("TUN");
    }
    size_t left = om_rd_left(&r);
    memmove(b->bytes, b->bytes + b->end - left, left);
    b->end = left;
}

/* False at the end. */
static bool daemon_read(void)
{
    struct buffer *b = &from_daemon;
    ssize_t n = read(daemon_socket, b->bytes + b->end, BUFFER - b->end);

    if (n < 0 && !is_later())
        die("daemon");
    if (n > 0)
        b->end += (size_t)n;
    tun_write();
    return n != 0;
}

static void run(void)
{
    for (;;) {
        bool has_more = to_daemon.end > 0;
        struct pollfd fds[] = {{tun, has_more ? 0 : POLLIN, 0},
                               {daemon_socket, (short)(POLLIN | (has_more ? POLLOUT : 0)), 0}};

        if (poll(fds, OM_ARRAY_SIZE(fds), -1) < 0)
            die("poll");
        if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) && !daemon_read())
            return;
        if (fds[0].revents)
            tun_read();
        if (to_daemon.end > 0)
            daemon_write();
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        (void)fprintf(stderr, "usage: tun_link tun|tap NAME SOCKET LINE\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    tun = tun_open(argv[2], strcmp(argv[1], "tap") == 0 ? TUN_ETHER : TUN_IP);
    if (tun < 0)
        die(argv[2]);
    daemon_connect(argv[3]);
    daemon_greet(argv[4]);
    run();
    return 0;
}
