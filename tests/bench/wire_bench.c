/*
 * wire_bench.c - omerta-wire-bench: what one node carries to another over a real link
 *
 * omerta-wire-bench receive|send SECONDS RECEIVER_IP
 *
 * Two processes, in two network namespaces where wire.sh can make them. They take three turns:
 * bare sendmmsg() with UDP_SEGMENT, sealed datagrams on a channel, one stream. Each prints one line
 * of JSON a turn: what went or came, in what time, and its CPU time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <omerta/info.h>

#include "host/clock.h"
#include "host/entropy.h"
#include "host/pump.h"

enum {
    SIZE = 1000, /* of what a program sends at once, sealed or bare */
    PORT = 18100,
    BARE_PORT = 18101,
    RUN = 60,      /* datagrams of one bare UDP_SEGMENT message */
    RUNS = 8,      /* such messages of one sendmmsg() */
    WRITES = 64,   /* of the stream, under way at once */
    WRITE = 65536, /* bytes of each */
    GRACE_MS = 700,
    SEED_BYTES = 32
};

struct side {
    uv_loop_t loop;
    uv_timer_t end;
    struct om_pump *pump;
    struct om_network_config net;
    struct om_id peer;
    bool is_sender, is_up, is_over, is_asked;
    uint64_t call, written, released; /* bytes of the stream */
    uint64_t datagrams, bytes;
    om_time first, last;     /* of what came */
    double cpu;              /* at the first */
    uint64_t calls, wakeups; /* at the beginning */
};

static uint8_t data[WRITE];

static double cpu_now(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void die(const char *what)
{
    fprintf(stderr, "omerta-wire-bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void came(struct side *s, size_t bytes)
{
    s->last = om_clock_now();
    if (s->datagrams++ == 0) {
        s->first = s->last;
        s->cpu = cpu_now();
    }
    s->bytes += bytes;
}

/* Without sockets of a node both are zero. */
static void node_calls(const struct side *s, uint64_t *calls, uint64_t *wakeups)
{
    struct om_pump_info pump;
    struct om_udp_info udp;

    *calls = *wakeups = 0;
    if (!s->pump)
        return;
    om_pump_info(s->pump, &pump);
    om_udp_info(om_pump_udp(s->pump), &udp);
    *calls = s->is_sender ? udp.send_calls : udp.recv_calls;
    *wakeups = pump.wakeups;
}

static void report(const struct side *s, const char *what)
{
    double seconds = (double)(s->last - s->first) / 1e6, gb = (double)s->bytes / 1e9;
    uint64_t calls, wakeups;

    node_calls(s, &calls, &wakeups);
    printf("{\"what\": \"%s\", \"side\": \"%s\", \"seconds\": %.3f, \"bytes\": %llu, "
           "\"count\": %llu, \"gbit_per_s\": %.3f, \"cpu_s\": %.3f, \"calls\": %llu, "
           "\"wakeups\": %llu}\n",
           what, s->is_sender ? "send" : "receive", seconds, (unsigned long long)s->bytes,
           (unsigned long long)s->datagrams, seconds > 0 ? gb * 8 / seconds : 0, cpu_now() - s->cpu,
           (unsigned long long)(calls - s->calls), (unsigned long long)(wakeups - s->wakeups));
    (void)fflush(stdout);
}

/* Bare UDP. The receiver is done when nothing came for GRACE_MS after the first. */

static void bare_receive(struct side *s)
{
    static uint8_t bytes[16][65536];
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(BARE_PORT)};
    struct timeval patience = {.tv_sec = GRACE_MS / 1000, .tv_usec = GRACE_MS % 1000 * 1000};
    struct mmsghdr m[16];
    struct iovec iov[16];
    int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1, spare = OM_UDP_BUFFER_BYTES, n;

    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) != 0)
        die("bare socket");
    (void)setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &spare, sizeof spare) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &spare, sizeof spare);
    printf("{\"ready\": \"bare\"}\n");
    (void)fflush(stdout);
    do {
        for (int i = 0; i < 16; i++) {
            iov[i] = (struct iovec){bytes[i], sizeof bytes[i]};
            m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
        }
        n = recvmmsg(fd, m, 16, MSG_WAITFORONE, NULL);
        for (int i = 0; i < n; i++) {
            came(s, m[i].msg_len);
            s->datagrams += (m[i].msg_len + SIZE - 1) / SIZE - 1;
        }
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    } while (n > 0);
    (void)close(fd);
}

static void bare_send(struct side *s, const char *ip, double seconds)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(BARE_PORT)};
    char control[RUNS][CMSG_SPACE(sizeof(uint16_t))] = {{0}};
    struct iovec iov = {data, (size_t)SIZE * RUN};
    struct mmsghdr m[RUNS];
    uint16_t segment = SIZE;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    om_time end = om_clock_now() + (om_time)(seconds * 1e6);

    if (fd < 0 || inet_pton(AF_INET, ip, &name.sin_addr) != 1)
        die(ip);
    for (int i = 0; i < RUNS; i++) {
        m[i].msg_hdr = (struct msghdr){.msg_name = &name,
                                       .msg_namelen = sizeof name,
                                       .msg_iov = &iov,
                                       .msg_iovlen = 1,
                                       .msg_control = control[i],
                                       .msg_controllen = sizeof control[i]};
        struct cmsghdr *c = CMSG_FIRSTHDR(&m[i].msg_hdr);
        c->cmsg_level = SOL_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof segment);
        memcpy(CMSG_DATA(c), &segment, sizeof segment);
    }
    while (om_clock_now() < end) {
        int n = sendmmsg(fd, m, RUNS, 0);
        if (n < 0)
            die("sendmmsg");
        for (int i = 0; i < n; i++) {
            came(s, m[i].msg_len);
            s->datagrams += RUN - 1;
        }
    }
    (void)close(fd);
}

/* Nodes. */

/* How many datagrams the peer's queue has room for; more would push out the oldest. */
static unsigned room(const struct side *s)
{
    struct om_peer_info info;

    if (om_node_peer_info(om_pump_node(s->pump), om_clock_now(), &s->net.id, &s->peer, &info) !=
        OM_OK)
        return 0;
    return info.waiting < OM_WAITING_MAX ? OM_WAITING_MAX - info.waiting : 0;
}

/* As much as the node takes: until the path lets no more out, or no buffer is free. */
static void keep_posting(struct side *s)
{
    struct om_node *n = om_pump_node(s->pump);
    enum om_err e = OM_OK;

    for (unsigned left = room(s); e == OM_OK && left > OM_WAITING_MAX / 2; left = room(s)) {
        for (; e == OM_OK && left > 0; left--) {
            e = om_node_send(n, om_clock_now(), &s->net.id, &s->peer, "bench",
                             om_bytes(data, SIZE));
            if (e == OM_OK)
                came(s, SIZE);
        }
        om_pump_kick(s->pump);
    }
}

static void keep_writing(struct side *s)
{
    while (!s->is_over && s->written - s->released < (uint64_t)WRITES * WRITE) {
        if (om_node_write(om_pump_node(s->pump), om_clock_now(), s->call, om_bytes(data, WRITE)) !=
            OM_OK)
            return;
        s->written += WRITE;
        came(s, WRITE);
    }
}

static void on_call(struct side *s, uint64_t call)
{
    s->call = call;
    if (om_node_accept(om_pump_node(s->pump), om_clock_now(), call, om_bytes(NULL, 0)) != OM_OK)
        fprintf(stderr, "omerta-wire-bench: call not accepted\n");
}

static void on_stream(struct side *s, const struct om_act_stream *news)
{
    struct om_node *n = om_pump_node(s->pump);
    struct om_bytes b;

    if (s->is_sender) {
        s->released = news->released > s->released ? news->released : s->released;
        keep_writing(s);
        return;
    }
    while ((b = om_node_read(n, s->call, NULL)).n > 0) {
        came(s, b.n);
        om_node_consume(n, om_clock_now(), s->call, b.n);
    }
}

static void on_act(void *self, const struct om_act *act)
{
    struct side *s = self;

    switch (act->kind) {
    case OM_ACT_EVENT:
        s->is_up = s->is_up || act->event.kind == OM_EVENT_SESSION_UP;
        break;
    case OM_ACT_DELIVER:
        came(s, act->deliver.data.n);
        break;
    case OM_ACT_CALL:
        on_call(s, act->call.call);
        break;
    case OM_ACT_REPLY:
        s->is_asked = true;
        break;
    case OM_ACT_STREAM:
        on_stream(s, &act->stream);
        break;
    default:
        break;
    }
}

static void on_end(uv_timer_t *t)
{
    struct side *s = t->data;

    s->is_over = true;
}

static void run_for(struct side *s, double seconds)
{
    s->is_over = false;
    (void)uv_timer_start(&s->end, on_end, (uint64_t)(seconds * 1000), 0);
}

static struct om_pump *open_pump(struct side *s, const uint8_t *seed, uint16_t port)
{
    struct om_pump_config c = {
        .loop = &s->loop,
        .node = {.home_seed = seed, .rng = om_entropy(), .wall = om_clock_wall()},
        .udp = {.v4 = true, .port = port},
        .on_act = on_act,
        .self = s};
    struct om_pump *p;
    struct om_error err;

    om_limits_default(&c.node.limits);
    if (om_pump_open(&p, &c, &err) != OM_OK ||
        om_node_join(om_pump_node(p), &s->net, &err) != OM_OK) {
        fprintf(stderr, "omerta-wire-bench: %s\n", err.msg);
        exit(1);
    }
    return p;
}

/* The seeds are known, so each side knows the other's key without being told. */
static void open_side(struct side *s)
{
    uint8_t seeds[2][SEED_BYTES];
    struct om_pump *other;

    memset(seeds[0], 0x51, SEED_BYTES);
    memset(seeds[1], 0x52, SEED_BYTES);
    om_network_default(&s->net);
    s->net.gossip = false;
    if (uv_loop_init(&s->loop) != 0 || uv_timer_init(&s->loop, &s->end) != 0)
        die("loop");
    s->end.data = s;
    other = open_pump(s, seeds[!s->is_sender], 0);
    s->peer = *om_node_id(om_pump_node(other), &s->net.id);
    om_pump_close(other);
    (void)uv_run(&s->loop, UV_RUN_NOWAIT);
    s->pump = open_pump(s, seeds[s->is_sender], s->is_sender ? 0 : PORT);
}

static void begin(struct side *s)
{
    s->datagrams = s->bytes = 0;
    s->first = s->last = 0;
    s->cpu = cpu_now();
    node_calls(s, &s->calls, &s->wakeups);
}

/* Until nothing came for GRACE_MS after the first. */
static void receive(struct side *s, const char *what)
{
    begin(s);
    printf("{\"ready\": \"%s\"}\n", what);
    (void)fflush(stdout);
    while (s->datagrams == 0 || om_clock_now() - s->last < OM_MS(GRACE_MS)) {
        run_for(s, 0.5);
        (void)uv_run(&s->loop, UV_RUN_ONCE);
    }
    report(s, what);
}

static void connect_to(struct side *s, const char *ip)
{
    struct om_addr to;
    struct in_addr a;

    if (inet_pton(AF_INET, ip, &a) != 1)
        die(ip);
    to = om_addr_v4(ntohl(a.s_addr), PORT);
    if (om_node_connect(om_pump_node(s->pump), om_clock_now(), &s->net.id, &s->peer, &to, 1) !=
        OM_OK)
        die("connect");
    om_pump_kick(s->pump);
    run_for(s, 10);
    while (!s->is_up && !s->is_over)
        (void)uv_run(&s->loop, UV_RUN_ONCE);
    if (!s->is_up)
        die("no session in 10 s");
}

static void send_datagrams(struct side *s, double seconds)
{
    begin(s);
    run_for(s, seconds);
    while (!s->is_over) {
        keep_posting(s);
        (void)uv_run(&s->loop, UV_RUN_ONCE);
    }
    report(s, "datagrams");
    run_for(s, 2.0 * GRACE_MS / 1000); /* the other side sees that this turn is over */
    while (!s->is_over)
        (void)uv_run(&s->loop, UV_RUN_ONCE);
}

static void send_stream(struct side *s, double seconds)
{
    struct om_call_config c = {.method = "bench.sink", .priority = OM_BULK};

    run_for(s, 10);
    if (om_node_call(om_pump_node(s->pump), om_clock_now(), &s->net.id, &s->peer, &c, &s->call) !=
        OM_OK)
        die("call");
    om_pump_kick(s->pump);
    while (!s->is_asked && !s->is_over)
        (void)uv_run(&s->loop, UV_RUN_ONCE);
    begin(s);
    run_for(s, seconds);
    keep_writing(s);
    om_pump_kick(s->pump);
    while (!s->is_over)
        (void)uv_run(&s->loop, UV_RUN_ONCE);
    report(s, "stream");
    om_node_hang_up(om_pump_node(s->pump), om_clock_now(), s->call, 0);
    om_pump_kick(s->pump);
}

int main(int argc, char **argv)
{
    static struct side s;
    double seconds = argc == 4 ? strtod(argv[2], NULL) : 0;

    s.is_sender = argc == 4 && strcmp(argv[1], "send") == 0;
    if (seconds <= 0 || seconds > 3600 || (!s.is_sender && strcmp(argv[1], "receive") != 0)) {
        fprintf(stderr, "usage: omerta-wire-bench receive|send SECONDS RECEIVER_IP\n");
        return 2;
    }
    begin(&s);
    if (s.is_sender)
        bare_send(&s, argv[3], seconds);
    else
        bare_receive(&s);
    report(&s, "bare");
    open_side(&s);
    if (s.is_sender) {
        (void)usleep(2 * GRACE_MS * 1000); /* the receiver must see the end of the bare turn */
        connect_to(&s, argv[3]);
        send_datagrams(&s, seconds);
        send_stream(&s, seconds);
    } else {
        receive(&s, "datagrams");
        receive(&s, "stream");
    }
    om_pump_close(s.pump);
    uv_close((uv_handle_t *)&s.end, NULL);
    (void)uv_run(&s.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&s.loop) != 0;
}
