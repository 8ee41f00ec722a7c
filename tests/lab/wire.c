/*
 * wire.c - a cable that delays and loses, between two interfaces of one namespace
 *
 * usage: omerta-lab-wire [--delay MS] [--jitter MS] [--reorder] [--loss PERCENT] [--rate MBIT]
 *                        [--queue BYTES] [--seed N] [--nat "OUTSIDE KIND [PROPERTY...]"]
 *                        LEFT RIGHT
 *
 * What:  forwards every frame from LEFT to RIGHT and back. Two values with a comma between are for
 *        left to right, and for right to left. The delay is one way. It prints "ready" when it
 *        listens, and its counters as one line of JSON on SIGUSR1 and when SIGTERM or SIGINT ends
 *        it.
 * Why:   a bad network between real kernels, where netem is missing, and the same one again for
 *        the same seed; see wire_link.h. And NATs that no kernel has: with --nat the left side is
 *        inside one of the simulator's; see wire_nat.h.
 *
 * The interfaces must not hand over frames that a cable would not carry: ends that still cut
 * segments or sum checksums later are counted, as oversize and unfinished, and their frames
 * dropped. missed are frames that came faster than they were read; refused those the kernel did
 * not take. All four are 0 in a lab that is set up well and a machine that keeps up.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "wire_link.h"
#include "wire_nat.h"

enum {
    MTU_MAX = 1500,
    SLOT_BYTES = 2048,
    SLOTS = 16384,       /* of a receive ring, 32 MB: 200 ms at 1 Gb/s */
    SLOTS_NAT = 1024,    /* of a home's, of which a lab has dozens */
    BLOCK_BYTES = 65536, /* the kernel allocates the ring in such pieces */
    TAKE_MAX = 1024,     /* frames read before others are due */
    BATCH = 64,          /* frames for one system call */
    QUANTUM_US = 50,     /* frames that are due so close together leave together */
    QUANTUM_OF_DELAY = 16
};

/* One interface. */
struct end {
    const char *name;
    int fd;
    uint8_t *ring;
    unsigned next; /* slot that the kernel fills next */
    uint64_t oversize, unfinished, refused, missed;
};

/* From end[i] to end[1 - i] over link[i]. */
static struct end ends[2];
static struct wire_link links[2];
static struct wire_nat nat; /* inside is the left */
static bool has_nat;
static unsigned slots = SLOTS;
static volatile sig_atomic_t is_over, is_asked;
static uint64_t wakeups;

static void on_signal(int number)
{
    is_over |= number != SIGUSR1;
    is_asked |= number == SIGUSR1;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "wire: %s: %s\n", what, strerror(errno));
    exit(1);
}

static om_time now_is(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return OM_SEC(t.tv_sec) + t.tv_nsec / 1000;
}

static void set(const struct end *e, int level, int option, const void *value, size_t size)
{
    if (setsockopt(e->fd, level, option, value, (socklen_t)size) != 0)
        die(e->name);
}

static void end_open(struct end *e, const char *name)
{
    struct tpacket_req ring = {.tp_block_size = BLOCK_BYTES,
                               .tp_block_nr = slots / (BLOCK_BYTES / SLOT_BYTES),
                               .tp_frame_size = SLOT_BYTES,
                               .tp_frame_nr = slots};
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    struct packet_mreq promiscuous = {.mr_type = PACKET_MR_PROMISC};
    const int version = TPACKET_V2, yes = 1, buffer = 8 << 20;
    struct ifreq request = {0};

    e->name = name;
    e->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (e->fd < 0 || ioctl(e->fd, SIOCGIFMTU, &request) != 0)
        die(name);
    if (request.ifr_mtu > MTU_MAX) {
        (void)fprintf(stderr, "wire: %s: MTU above %d\n", name, MTU_MAX);
        exit(1);
    }
    set(e, SOL_PACKET, PACKET_VERSION, &version, sizeof version);
    set(e, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
    set(e, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes);
    /* Beyond the machine's bound where that is allowed: not in a user namespace. */
    if (setsockopt(e->fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer) != 0)
        set(e, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    set(e, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring);
    e->ring = mmap(NULL, (size_t)slots * SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, e->fd, 0);
    if (e->ring == MAP_FAILED)
        die(name);
    at.sll_ifindex = promiscuous.mr_ifindex = (int)if_nametoindex(name);
    set(e, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous);
    if (bind(e->fd, (struct sockaddr *)&at, sizeof at) != 0)
        die(name);
}

/* Offers a frame that came to ends[@side] to the link where it goes on, if it does. */
static void pass(unsigned side, struct om_mut frame)
{
    om_time now = now_is();
    enum wire_nat_way way = has_nat ? wire_nat_frame(&nat, now, side == 0, frame) : WIRE_NAT_ON;

    if (way != WIRE_NAT_DROP)
        (void)wire_link_offer(&links[way == WIRE_NAT_ON ? side : 1 - side], now, frame.p, frame.n);
}

/* Passes on what has come to ends[@side], each frame at a time when it had come; says how much. */
static unsigned take(unsigned side)
{
    struct end *e = &ends[side];
    unsigned count = 0;

    for (; count < TAKE_MAX; count++, e->next = (e->next + 1) % slots) {
        struct tpacket2_hdr *head = (void *)(e->ring + (size_t)e->next * SLOT_BYTES);
        unsigned status = __atomic_load_n(&head->tp_status, __ATOMIC_ACQUIRE);
        if (!(status & TP_STATUS_USER))
            break;
        if (head->tp_len > head->tp_snaplen || head->tp_len > WIRE_FRAME_MAX)
            e->oversize++;
        else if (status & TP_STATUS_CSUMNOTREADY)
            e->unfinished++;
        else
            pass(side, om_mut((uint8_t *)head + head->tp_mac, head->tp_snaplen));
        __atomic_store_n(&head->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    }
    return count;
}

/* Sends what is due on @l out of @e; returns how much. */
static unsigned deliver(struct end *e, struct wire_link *l, om_time now)
{
    unsigned count = 0;

    for (;;) {
        struct mmsghdr messages[BATCH];
        struct iovec pieces[BATCH];
        struct wire_frame *f = NULL;
        unsigned n = 0;
        int sent;

        while (n < BATCH && (f = wire_link_next(l, f, now)) != NULL) {
            pieces[n] = (struct iovec){f->bytes, f->len};
            messages[n] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[n], .msg_iovlen = 1}};
            n++;
        }
        if (n == 0)
            return count;
        sent = sendmmsg(e->fd, messages, n, 0);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0) {
            e->refused++;
            sent = 1; /* a cable that is pulled takes nothing: it is gone */
        }
        count += (unsigned)sent;
        while (sent-- > 0)
            wire_link_pop(l);
    }
}

/* Waits for a frame or until @at, or until @at in any case if @fds is NULL. */
static void wait_for(struct pollfd *fds, om_time now, om_time at, const sigset_t *mask)
{
    om_time span = at <= now ? 0 : at - now;
    struct timespec t = {span / OM_SEC(1), span % OM_SEC(1) * 1000};

    if (ppoll(fds, fds ? 2 : 0, at == OM_NEVER ? NULL : &t, mask) < 0 && errno != EINTR)
        die("ppoll");
    for (unsigned i = 0; fds && i < 2; i++) {
        if (fds[i].revents & POLLERR) {
            int why; /* asking clears it: an interface that is down comes back */
            (void)getsockopt(fds[i].fd, SOL_SOCKET, SO_ERROR, &why, &(socklen_t){sizeof why});
        }
    }
    wakeups++;
}

static void report_end(const char *name, struct end *e, const struct wire_link *l)
{
    const struct wire_counts *c = &l->counts;
    struct tpacket_stats kernel = {0};

    /* Asking sets it to 0. */
    (void)getsockopt(e->fd, SOL_PACKET, PACKET_STATISTICS, &kernel, &(socklen_t){sizeof kernel});
    e->missed += kernel.tp_drops;
    printf("\"%s\": {\"offered\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"control\": %" PRIu64
           ", \"lost\": %" PRIu64 ", \"queue_full\": %" PRIu64 ", \"no_room\": %" PRIu64
           ", \"delivered\": %" PRIu64 ", \"control_delivered\": %" PRIu64
           ", \"under_way\": %" PRIu64 ", \"oversize\": %" PRIu64 ", \"unfinished\": %" PRIu64
           ", \"missed\": %" PRIu64 ", \"refused\": %" PRIu64 "}, ",
           name, c->offered, c->bytes, c->control, c->lost, c->queue_full, c->no_room, c->delivered,
           c->control_delivered, c->offered - c->lost - c->queue_full - c->no_room - c->delivered,
           e->oversize, e->unfinished, e->missed, ends[e == &ends[0]].refused);
}

static void report_nat(void)
{
    printf("\"nat\": {");
    for (unsigned a = 0; a < SIM_NAT_ANSWERS; a++)
        printf("\"%s\": %" PRIu64 ", ", sim_nat_answer_name((enum sim_nat_answer)a),
               nat.box.counts[a]);
    printf("\"untranslated\": %" PRIu64 "}, ", nat.untranslated);
}

static void report(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    printf("{");
    report_end("left_to_right", &ends[0], &links[0]);
    report_end("right_to_left", &ends[1], &links[1]);
    if (has_nat)
        report_nat();
    printf("\"wakeups\": %" PRIu64 ", \"cpu_ms\": %ld}\n", wakeups,
           (long)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
               (long)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000);
    (void)fflush(stdout);
}

static void run(const sigset_t *mask)
{
    struct pollfd fds[2] = {{ends[0].fd, POLLIN, 0}, {ends[1].fd, POLLIN, 0}};
    om_time least = om_time_min(links[0].config.delay, links[1].config.delay);
    om_time quantum = om_time_min(least / QUANTUM_OF_DELAY, OM_US(QUANTUM_US));

    for (unsigned last = 0;;) {
        unsigned taken = 0, moved = 0;
        om_time now = 0;

        last += is_over != 0; /* what came before the signal is still forwarded */
        for (unsigned i = 0; i < 2; i++) {
            taken += take(i);
            now = now_is();
            moved += deliver(&ends[1 - i], &links[i], now);
        }
        bool is_end = last > 0 && (taken == 0 || last > slots / TAKE_MAX);
        if (is_asked || is_end)
            report();
        is_asked = 0;
        if (is_end)
            return;
        if (taken + moved > 0)
            wait_for(NULL, now, now + quantum, mask);
        else
            wait_for(fds, now,
                     om_time_min(wire_link_deadline(&links[0]), wire_link_deadline(&links[1])),
                     mask);
    }
}

/* One value for both directions, or two with a comma; false if it is none from 0 to @most. */
static bool read_pair(const char *text, double most, double out[2])
{
    char *end;

    out[0] = out[1] = strtod(text, &end);
    if (end != text && *end == ',') {
        text = end + 1;
        out[1] = strtod(text, &end);
    }
    return end != text && *end == 0 && out[0] >= 0 && out[0] <= most && out[1] >= 0 &&
           out[1] <= most;
}

/* Option @name with its @text; false if there is no such option or value. */
static bool read_option(struct wire_config config[2], const char *name, const char *text)
{
    double v[2];

    if (!read_pair(text, 1e9, v))
        return false;
    for (unsigned i = 0; i < 2; i++) {
        struct wire_config *c = &config[i];
        if (strcmp(name, "--delay") == 0)
            c->delay = (om_time)(v[i] * 1000);
        else if (strcmp(name, "--jitter") == 0)
            c->jitter = (om_time)(v[i] * 1000);
        else if (strcmp(name, "--loss") == 0)
            c->loss = v[i] / 100;
        else if (strcmp(name, "--rate") == 0)
            c->rate = (uint64_t)(v[i] * 1e6);
        else if (strcmp(name, "--queue") == 0)
            c->queue = (uint64_t)v[i];
        else if (strcmp(name, "--seed") == 0)
            c->seed = (uint64_t)v[i] * 2 + i; /* each direction has chances of its own */
        else
            return false;
    }
    return true;
}

/* False, with the reason said, if @text is no box. */
static bool open_box(const char *text, uint64_t seed)
{
    has_nat = wire_nat_init(&nat, text, seed);
    if (!has_nat)
        (void)fprintf(stderr, "wire: --nat \"%s\": wanted OUTSIDE KIND [PROPERTY...]\n", text);
    slots = SLOTS_NAT;
    return has_nat;
}

int main(int argc, char **argv)
{
    struct wire_config config[2] = {{.queue = 256 << 10, .seed = 2},
                                    {.queue = 256 << 10, .seed = 3}};
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t waiting, running;
    const char *box = NULL;
    int i = 1;

    for (; i < argc - 2; i++) {
        if (strcmp(argv[i], "--reorder") == 0)
            config[0].may_reorder = config[1].may_reorder = true;
        else if (strcmp(argv[i], "--nat") == 0)
            box = argv[++i];
        else if (read_option(config, argv[i], argv[i + 1]))
            i++;
        else
            break;
    }
    if (i != argc - 2) {
        (void)fprintf(stderr, "usage: wire [--delay MS] [--jitter MS] [--reorder] [--loss PERCENT] "
                              "[--rate MBIT] [--queue BYTES] [--seed N] "
                              "[--nat \"OUTSIDE KIND [PROPERTY...]\"] LEFT RIGHT\n");
        return 2;
    }
    if (box && !open_box(box, config[0].seed / 2))
        return 2;
    /* The signals come while it waits, and only then: none is overlooked. */
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGUSR1, &action, NULL);
    (void)sigemptyset(&running);
    (void)sigaddset(&running, SIGTERM);
    (void)sigaddset(&running, SIGINT);
    (void)sigaddset(&running, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &running, &waiting);
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    for (unsigned d = 0; d < 2; d++) {
        if (!wire_link_init(&links[d], &config[d]))
            die("memory");
        end_open(&ends[d], argv[i + (int)d]);
    }
    printf("ready\n");
    (void)fflush(stdout);
    run(&waiting);
    wire_link_fini(&links[0]);
    wire_link_fini(&links[1]);
    if (has_nat)
        wire_nat_fini(&nat);
    return 0;
}
