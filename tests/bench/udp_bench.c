/*
 * udp_bench.c - omerta-udp-bench: what the UDP sockets carry over loopback
 *
 * omerta-udp-bench [--seconds N]
 *
 * One thread sends a burst of 1,200-byte datagrams and receives it, again and again: our sockets
 * with offload, without, and bare sendmmsg() and recvmmsg(). They take turns, so that all meet the
 * same noise. A table, then one line of JSON.
 *
 * Loopback hands a run over whole and never cuts it, so what offload gains here is the most it can.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <omerta/attr.h>

#include "host/udp.h"

enum { SIZE = 1200, BURST = 512, CALL = 64, TURNS = 8, LOOPBACK = 0x7f000001, SPARE = 4 << 20 };

struct rival {
    const char *name;
    bool (*burst)(struct rival *r); /* sends and receives one; false: nothing goes any more */
    struct om_udp *from, *to;       /* ours */
    uv_loop_t *loop;
    int from_fd, to_fd; /* bare */
    struct sockaddr_in to_name;
    uint64_t sent, heard;
    uint64_t calls;
    double seconds, cpu;
};

static uint8_t payload[SIZE];

static double clock_of(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void on_batch(void *self, struct om_dgram *batch, unsigned count)
{
    struct rival *r = self;

    for (unsigned i = 0; i < count; i++)
        r->heard += batch[i].len == SIZE;
}

static bool our_burst(struct rival *r)
{
    static struct om_udp_out out[BURST];
    struct om_udp_info info;
    uint64_t want = r->heard + BURST;
    unsigned done = 0;

    om_udp_info(r->to, &info);
    for (unsigned i = 0; i < BURST; i++)
        out[i] = (struct om_udp_out){.via = {.remote = om_addr_v4(LOOPBACK, info.port)},
                                     .bytes = om_bytes(payload, SIZE)};
    while (done < BURST) {
        unsigned n = om_udp_send(r->from, out + done, BURST - done);

        if (n == 0)
            return false; /* loopback never makes one wait */
        done += n;
    }
    r->sent += BURST;
    for (int i = 0; i < BURST && r->heard < want; i++) /* what the kernel dropped never comes */
        (void)uv_run(r->loop, UV_RUN_NOWAIT);
    return true;
}

static bool bare_burst(struct rival *r)
{
    static uint8_t bytes[CALL][2048];
    struct mmsghdr m[CALL];
    struct iovec iov[CALL];
    int n;

    for (int i = 0; i < CALL; i++) {
        iov[i] = (struct iovec){payload, SIZE};
        m[i].msg_hdr = (struct msghdr){.msg_name = &r->to_name,
                                       .msg_namelen = sizeof r->to_name,
                                       .msg_iov = &iov[i],
                                       .msg_iovlen = 1};
    }
    for (int at = 0; at < BURST; at += n) {
        n = sendmmsg(r->from_fd, m, CALL, 0);
        r->calls++;
        if (n <= 0)
            return false;
        r->sent += (unsigned)n;
    }
    for (int i = 0; i < CALL; i++) {
        iov[i] = (struct iovec){bytes[i], sizeof bytes[i]};
        m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
    do {
        n = recvmmsg(r->to_fd, m, CALL, MSG_DONTWAIT, NULL);
        r->calls++;
        for (int i = 0; i < n; i++)
            r->heard += m[i].msg_len == SIZE;
    } while (n == CALL);
    return n >= 0 || errno == EAGAIN;
}

static void open_ours(struct rival *r, uv_loop_t *loop, bool no_offload)
{
    struct om_udp_config c = {.loop = loop,
                              .v4 = true,
                              .bind4 = om_addr_v4(LOOPBACK, 0),
                              .no_offload = no_offload,
                              .on_batch = on_batch,
                              .self = r};
    struct om_error err;

    r->loop = loop;
    r->burst = our_burst;
    if (om_udp_open(&r->from, &c, &err) != OM_OK || om_udp_open(&r->to, &c, &err) != OM_OK) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
}

static int bare_socket(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), spare = SPARE;

    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) != 0)
        die("bare socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &spare, sizeof spare) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &spare, sizeof spare);
    return fd;
}

static void open_bare(struct rival *r)
{
    socklen_t n = sizeof r->to_name;

    r->burst = bare_burst;
    r->from_fd = bare_socket();
    r->to_fd = bare_socket();
    if (getsockname(r->to_fd, (struct sockaddr *)&r->to_name, &n) != 0)
        die("getsockname");
}

static void take_turn(struct rival *r, double seconds)
{
    double start = clock_of(CLOCK_MONOTONIC), cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    double end = start + seconds;

    while (clock_of(CLOCK_MONOTONIC) < end) {
        if (!r->burst(r))
            die(r->name);
    }
    r->seconds += clock_of(CLOCK_MONOTONIC) - start;
    r->cpu += clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

static void count_calls(struct rival *r)
{
    struct om_udp_info from, to;

    om_udp_info(r->from, &from);
    om_udp_info(r->to, &to);
    r->calls = from.send_calls + to.recv_calls;
}

static void report(const struct rival *r, unsigned count)
{
    double bare = (double)r[count - 1].heard / r[count - 1].seconds;

    printf("%-24s %12s %8s %8s %12s %8s %7s\n", "1,200 bytes, loopback", "datagrams/s", "Gb/s",
           "lost", "cpu s per GB", "calls", "ratio");
    for (unsigned i = 0; i < count; i++) {
        double gb = (double)r[i].heard * SIZE / 1e9, per_s = (double)r[i].heard / r[i].seconds;

        printf("%-24s %12.0f %8.2f %7.2f%% %12.3f %8.3f %7.2f\n", r[i].name, per_s,
               gb * 8 / r[i].seconds, 100.0 * (double)(r[i].sent - r[i].heard) / (double)r[i].sent,
               r[i].cpu / gb, (double)r[i].calls / (double)r[i].heard, per_s / bare);
    }
    printf("{\"bench\": \"udp\", \"bytes\": %d, \"results\": [", SIZE);
    for (unsigned i = 0; i < count; i++)
        printf("%s{\"name\": \"%s\", \"seconds\": %.2f, \"sent\": %llu, \"received\": %llu, "
               "\"per_s\": %.0f, \"gbit_per_s\": %.3f, \"cpu_s_per_gb\": %.3f}",
               i > 0 ? ", " : "", r[i].name, r[i].seconds, (unsigned long long)r[i].sent,
               (unsigned long long)r[i].heard, (double)r[i].heard / r[i].seconds,
               (double)r[i].heard * SIZE * 8 / 1e9 / r[i].seconds,
               r[i].cpu / ((double)r[i].heard * SIZE / 1e9));
    printf("]}\n");
}

int main(int argc, char **argv)
{
    struct rival rivals[] = {
        {.name = "with offload"}, {.name = "without offload"}, {.name = "bare sendmmsg+recvmmsg"}};
    double seconds = 2;
    uv_loop_t loop;

    if (argc == 3 && strcmp(argv[1], "--seconds") == 0)
        seconds = strtod(argv[2], NULL);
    if ((argc != 1 && argc != 3) || seconds <= 0 || seconds > 3600) {
        fprintf(stderr, "%s: want [--seconds N], N up to 3600\n", argv[0]);
        return 2;
    }
    if (uv_loop_init(&loop) != 0)
        die("uv_loop_init");
    open_ours(&rivals[0], &loop, false);
    open_ours(&rivals[1], &loop, true);
    open_bare(&rivals[2]);
    for (unsigned turn = 0; turn < TURNS * OM_ARRAY_SIZE(rivals); turn++)
        take_turn(&rivals[turn % OM_ARRAY_SIZE(rivals)], seconds / TURNS);
    for (unsigned i = 0; i < 2; i++) {
        count_calls(&rivals[i]);
        om_udp_close(rivals[i].from);
        om_udp_close(rivals[i].to);
    }
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop);
    (void)close(rivals[2].from_fd);
    (void)close(rivals[2].to_fd);
    report(rivals, OM_ARRAY_SIZE(rivals));
    return 0;
}
