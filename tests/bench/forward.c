/*
 * forward.c - omerta-plain-forward: what a relay is measured beside
 *
 * omerta-plain-forward PORT ADDRESS ADDRESS_PORT
 *
 * A datagram that comes to PORT from ADDRESS goes to whoever else spoke last, and what comes from
 * anybody else goes to ADDRESS:ADDRESS_PORT: IPv4, as many as there are with one system call each
 * way, and nothing is looked at.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <sys/socket.h>

enum { BATCH = 64, SIZE = 2048, BUFFER = 4 << 20 };

static uint8_t room[BATCH][SIZE];
static struct iovec parts[BATCH];
static struct sockaddr_in names[BATCH];
static struct mmsghdr batch[BATCH];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int open_at(uint16_t port)
{
    const struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int size = BUFFER;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) != 0)
        die("bind");
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    return fd;
}

static unsigned receive(int fd)
{
    for (unsigned i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){room[i], SIZE};
        batch[i].msg_hdr = (struct msghdr){.msg_name = &names[i],
                                           .msg_namelen = sizeof names[i],
                                           .msg_iov = &parts[i],
                                           .msg_iovlen = 1};
    }
    int n = recvmmsg(fd, batch, BATCH, 0, NULL);
    return n > 0 ? (unsigned)n : 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in far = {.sin_family = AF_INET}, near = {.sin_family = AF_INET};

    if (argc != 4 || inet_pton(AF_INET, argv[2], &far.sin_addr) != 1) {
        fprintf(stderr, "usage: %s PORT ADDRESS ADDRESS_PORT\n", argv[0]);
        return 2;
    }
    far.sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10));
    struct pollfd p = {.fd = open_at((uint16_t)strtoul(argv[1], NULL, 10)), .events = POLLIN};
    while (poll(&p, 1, -1) > 0) {
        unsigned n = receive(p.fd);
        for (unsigned i = 0; i < n; i++) {
            bool is_far = names[i].sin_addr.s_addr == far.sin_addr.s_addr;
            if (!is_far)
                near = names[i];
            names[i] = is_far ? near : far;
            parts[i].iov_len = batch[i].msg_len;
        }
        if (n > 0)
            (void)sendmmsg(p.fd, batch, n, 0); /* what does not fit is lost, as on a wire */
    }
    return 1;
}
