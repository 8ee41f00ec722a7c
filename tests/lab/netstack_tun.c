/*
 * netstack_tun.c - the stack behind a TUN device: echo, discard, or give, to whoever connects
 *
 * usage: netstack_tun [--mtu N] [--offload] [--report] NAME
 *
 * What:  opens the TUN device NAME and answers for every address behind it. TCP: port 7 echoes, 9
 *        discards, 19 gives until the other side has enough, 80 answers one HTTP request, 1 is
 *        refused, 2 unreachable, 3 prohibited, 4 never answered; all others are discarded. UDP is
 *        echoed. With --offload the kernel leaves out checksums and hands over 64 KiB at once (but
 *        datagrams that need fragments are lost then).
 * Why:   the kernel's TCP, curl and iperf3 are the other side that unit tests cannot be. This is a
 *        harness: it ends with an error on anything unexpected.
 *
 * SIGTERM or SIGINT end it; --report then prints the counters and the processor time.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <omerta/stack.h>
#include <omerta/stack_flow.h>

#include "tun.h"

enum {
    PORT_REFUSED = 1,
    PORT_UNREACHABLE = 2,
    PORT_PROHIBITED = 3,
    PORT_SILENT = 4,
    PORT_ECHO = 7,
    PORT_GIVE = 19,
    PORT_HTTP = 80,
    BATCH = 64, /* packets read before the answers are written */
    GIVE_BYTES = 256 * 1024
};

struct service {
    uint32_t flow; /* 0: none */
    uint16_t port;
    bool has_answered;
};

static struct om_stack *stack;
static struct service services[OM_FLOWS_MAX];
static bool has_offload;
static volatile sig_atomic_t is_over;
static int tun;
static uint64_t bytes_in, bytes_out;

static void stop(int signal_number OM_UNUSED)
{
    is_over = 1;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "netstack_tun: %s: %s\n", what, strerror(errno));
    exit(1);
}

static om_time now_is(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return OM_SEC(t.tv_sec) + t.tv_nsec / 1000;
}

static void fill(void *self OM_UNUSED, void *dst, size_t n)
{
    if (getrandom(dst, n, 0) != (ssize_t)n)
        die("getrandom");
}

/* The kernel is to take the TCP or UDP checksum of @packet as one that it fills in itself. */
static struct virtio_net_hdr offload_head(struct om_bytes packet)
{
    bool is_v6 = packet.p[0] >> 4 == 6;
    uint8_t protocol = packet.p[is_v6 ? 6 : 9];
    struct virtio_net_hdr head = {0};

    if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
        return head;
    head.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    head.csum_start = is_v6 ? 40 : 20;
    head.csum_offset = protocol == IPPROTO_TCP ? 16 : 6;
    return head;
}

static void packet_write(struct om_bytes packet)
{
    static uint8_t frame[sizeof(struct virtio_net_hdr) + 65536];

    if (has_offload) {
        struct virtio_net_hdr head = offload_head(packet);
        memcpy(frame, &head, sizeof head);
        memcpy(frame + sizeof head, packet.p, packet.n);
        packet = om_bytes(frame, sizeof head + packet.n);
    }
    if (write(tun, packet.p, packet.n) < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EIO)
        die("write");
}

static struct service *service_find(uint32_t flow)
{
    struct service *s = &services[flow % OM_FLOWS_MAX]; /* as the stack numbers them */
    return s->flow == flow ? s : NULL;
}

static void on_ask(const struct om_stack_act *act, om_time now)
{
    uint32_t flow;

    switch (act->to.port) {
    case PORT_REFUSED:
        om_stack_refuse(stack, now, act->ask, OM_REFUSE_RST);
        return;
    case PORT_UNREACHABLE:
        om_stack_refuse(stack, now, act->ask, OM_REFUSE_UNREACHABLE);
        return;
    case PORT_PROHIBITED:
        om_stack_refuse(stack, now, act->ask, OM_REFUSE_PROHIBITED);
        return;
    case PORT_SILENT:
        return;
    default:
        break;
    }
    if (om_stack_accept(stack, now, act->ask, &flow) != OM_OK)
        return;
    services[flow % OM_FLOWS_MAX] = (struct service){.flow = flow, .port = act->to.port};
}

/* Writes back what was read, and consumes only what was taken. */
static void echo(uint32_t flow, om_time now)
{
    for (;;) {
        struct om_bytes b = om_flow_read(stack, flow, NULL);
        size_t n = b.n ? om_flow_write(stack, now, flow, b) : 0;
        if (n == 0)
            return;
        bytes_in += n;
        bytes_out += n;
        om_flow_consume(stack, now, flow, n);
    }
}

static void discard(uint32_t flow, om_time now)
{
    size_t n = om_flow_waiting(stack, flow);

    bytes_in += n;
    om_flow_consume(stack, now, flow, n);
}

static void give(uint32_t flow, om_time now)
{
    static const uint8_t bytes[GIVE_BYTES];
    size_t n;

    do {
        n = om_flow_write(stack, now, flow, om_bytes(bytes, sizeof bytes));
        bytes_out += n;
    } while (n == sizeof bytes);
}

static void http(struct service *s, om_time now)
{
    static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

    discard(s->flow, now);
    if (s->has_answered)
        return;
    s->has_answered = true;
    if (om_flow_write(stack, now, s->flow, om_bytes(answer, sizeof answer - 1)) == 0)
        die("a small answer was not taken");
    om_flow_finish(stack, now, s->flow);
}

static void on_flow(const struct om_stack_act *act, om_time now)
{
    struct service *s = service_find(act->flow);
    bool is_end = false;

    if (!s)
        return;
    if (s->port == PORT_ECHO)
        echo(s->flow, now);
    else if (s->port == PORT_HTTP && (act->news & OM_FLOW_READABLE))
        http(s, now);
    else if (s->port != PORT_HTTP)
        discard(s->flow, now);
    if (s->port == PORT_GIVE)
        give(s->flow, now);
    (void)om_flow_read(stack, s->flow, &is_end);
    if ((is_end && om_flow_waiting(stack, s->flow) == 0) ||
        (act->news & (OM_FLOW_RESET | OM_FLOW_TIMEOUT | OM_FLOW_GONE))) {
        om_flow_close(stack, now, s->flow, false);
        s->flow = 0;
    }
}

static void drain(om_time now)
{
    static uint8_t copy[65536];
    struct om_stack_act act;

    while (om_stack_next(stack, &act)) {
        if (act.kind == OM_STACK_PACKET) {
            packet_write(act.bytes);
        } else if (act.kind == OM_STACK_ASK) {
            on_ask(&act, now);
        } else if (act.kind == OM_STACK_FLOW) {
            on_flow(&act, now);
        } else {
            memcpy(copy, act.bytes.p, act.bytes.n);
            if (om_stack_send(stack, now, act.port, &act.to, &act.from,
                              om_bytes(copy, act.bytes.n)) != OM_OK)
                die("a datagram could not be sent back");
        }
    }
}

static void read_packets(uint32_t port, om_time now)
{
    static uint8_t packet[sizeof(struct virtio_net_hdr) + 65536];
    size_t head = has_offload ? sizeof(struct virtio_net_hdr) : 0;

    for (unsigned i = 0; i < BATCH; i++) {
        ssize_t n = read(tun, packet, sizeof packet);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0)
            die("read");
        if ((size_t)n > head)
            om_stack_input(stack, now, port, om_bytes(packet + head, (size_t)n - head));
    }
}

static void run(uint32_t port)
{
    while (!is_over) {
        struct pollfd fd = {tun, POLLIN, 0};
        om_time now = now_is(), at = om_stack_deadline(stack);
        int wait_ms = at == OM_NEVER ? -1 : at <= now ? 0 : (int)((at - now + 999) / 1000);

        if (poll(&fd, 1, wait_ms) < 0 && errno != EINTR)
            die("poll");
        now = now_is();
        if (fd.revents & POLLIN)
            read_packets(port, now);
        if (om_stack_deadline(stack) <= now)
            om_stack_tick(stack, now);
        drain(now);
    }
}

static void report(void)
{
    const struct om_stack_counts *c = om_stack_counts(stack);
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    printf("packets in %" PRIu64 " out %" PRIu64 ", bytes in %" PRIu64 " out %" PRIu64
           ", malformed %" PRIu64 ", not for us %" PRIu64 ", asks %" PRIu64 ", out full %" PRIu64
           ", flows %u, user %ld.%03ld s, system %ld.%03ld s\n",
           c->packets_in, c->packets_out, bytes_in, bytes_out, c->malformed, c->not_for_us, c->asks,
           c->out_full, om_stack_flows(stack), (long)u.ru_utime.tv_sec,
           (long)u.ru_utime.tv_usec / 1000, (long)u.ru_stime.tv_sec,
           (long)u.ru_stime.tv_usec / 1000);
}

int main(int argc, char **argv)
{
    struct om_port_config config = {.kind = OM_PORT_IP, .mtu = 1500, .is_catch_all = true};
    struct sigaction action = {.sa_handler = stop};
    bool reports = false;
    uint32_t port;
    int i = 1;

    for (; i < argc - 1; i++) {
        if (strcmp(argv[i], "--mtu") == 0)
            config.mtu = (uint16_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--offload") == 0)
            has_offload = true;
        else if (strcmp(argv[i], "--report") == 0)
            reports = true;
        else
            break;
    }
    if (i != argc - 1) {
        (void)fprintf(stderr, "usage: netstack_tun [--mtu N] [--offload] [--report] NAME\n");
        return 2;
    }
    config.has_checksums = !has_offload;
    tun = tun_open(argv[i], has_offload ? TUN_IP_OFFLOAD : TUN_IP);
    if (tun < 0)
        die(argv[i]);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    if (om_stack_new(&stack, &(struct om_rng){fill, NULL}, now_is()) != OM_OK ||
        om_stack_port_add(stack, &config, &port) != OM_OK) {
        (void)fprintf(stderr, "netstack_tun: no stack: is the MTU 1280 to 65521?\n");
        return 1;
    }
    run(port);
    if (reports)
        report();
    om_stack_free(stack);
    return 0;
}
