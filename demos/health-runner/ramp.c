/* ramp.c - paced datagrams, and sockets kept full. */
#include "ramp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"

enum {
    TICK_US = 1000,
    QUICK_STRIDE = 3,
    PIECE_BYTES = 1 << 16,
    LOSS_MOST = 20,
    POLL_MS = 20,
    BURST_MAX = 256
};

/* Until the sink has what is under way: through a queue of the mesh that may be a while. */
#define DRAIN   OM_SEC(30)
#define LATE    OM_MS(400)
#define OPENING OM_SEC(5)

struct sunk {
    double bytes, datagrams;
};

static bool ask_sink(struct om_run *r, struct om_result *res, struct sunk *out)
{
    struct om_error err;
    json_t *reply;

    if (!om_run_did(res, om_site_ask(&r->there, json_pack("{s:s}", "do", "sunk"), &reply, &err),
                    &err))
        return false;
    out->bytes = json_number_value(json_object_get(reply, "bytes"));
    out->datagrams = json_number_value(json_object_get(reply, "datagrams"));
    json_decref(reply);
    return true;
}

static int open_socket(const char *address, uint16_t port, int type)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    return fd;
}

/* Sends at @mbit for a step; how many datagrams left, and how long it took in @seconds. */
static unsigned send_step(struct om_run *r, int fd, unsigned mbit, double *seconds)
{
    static const uint8_t datagram[OM_RAMP_DATAGRAM];
    const double per_us = (double)mbit / (8.0 * OM_RAMP_DATAGRAM);
    const om_time began = om_clock_now(), end = began + OM_MS(OM_RAMP_STEP_MS);
    unsigned sent = 0, left = 0;

    for (om_time now = began; now < end && !om_interrupt_came(); now = om_clock_now()) {
        unsigned due = (unsigned)((double)(now - began) * per_us);
        /* Who was late for long does not catch up: a burst would be another rate. */
        if (due > sent + BURST_MAX)
            sent = due - BURST_MAX;
        for (; sent < due; sent++)
            left += send(fd, datagram, sizeof datagram, MSG_DONTWAIT) > 0;
        (void)om_pulse_wait(&r->pulse, -1, om_clock_now() + TICK_US);
    }
    *seconds = (double)(om_clock_now() - began) / 1e6;
    return left;
}

/* The first datagram opens a flow, and what comes before it is open may be dropped: until one came,
 * or a while passed, which the first step then tells. */
static void open_flow(struct om_run *r, struct om_result *res, int fd)
{
    static const uint8_t word[1];
    om_time until = om_clock_now() + OPENING;
    struct sunk before, now;

    if (!ask_sink(r, res, &before))
        return;
    do {
        (void)!send(fd, word, sizeof word, MSG_DONTWAIT);
        (void)om_pulse_wait(&r->pulse, -1, om_clock_now() + LATE);
    } while (ask_sink(r, res, &now) && now.datagrams <= before.datagrams &&
             om_clock_now() < until && !om_interrupt_came());
}

void om_ramp_udp(struct om_run *r, struct om_result *res, const char *address, uint16_t port)
{
    static const unsigned rates[] = {1, 2, 5, 10, 20, 50, 100, 200, 400, OM_RAMP_MBIT_MAX};
    const unsigned stride = r->set.is_quick ? QUICK_STRIDE : 1;
    int fd = open_socket(address, port, SOCK_DGRAM);
    double best = 0;

    res->offered_in = res->got_in = "Mbit/s";
    om_result_want(res, fd >= 0, "no datagram leaves for %s: %s", address, strerror(errno));
    if (fd >= 0)
        open_flow(r, res, fd);
    for (unsigned i = 0; fd >= 0 && i < sizeof rates / sizeof *rates && !om_interrupt_came();
         i += stride) {
        const double bits = 8.0 * OM_RAMP_DATAGRAM;
        struct sunk before, after;
        struct om_step step;
        double seconds;
        unsigned sent;

        if (!ask_sink(r, res, &before))
            break;
        sent = send_step(r, fd, rates[i], &seconds);
        (void)om_pulse_wait(&r->pulse, -1, om_clock_now() + LATE);
        if (!ask_sink(r, res, &after) || sent == 0)
            break;
        step.offered = sent * bits / seconds / 1e6;
        step.got = (after.datagrams - before.datagrams) * bits / seconds / 1e6;
        step.loss_percent = 100 * (1 - (after.datagrams - before.datagrams) / sent);
        om_result_step(res, step);
        if (step.loss_percent <= 1 && step.got > best)
            best = step.got;
        if (i == 0)
            om_result_want(res, step.loss_percent <= 0, "%.2f %% of 1 Mbit/s lost",
                           step.loss_percent);
        if (step.loss_percent > LOSS_MOST)
            break;
    }
    if (fd >= 0)
        (void)close(fd);
    om_result_figure(res, "best_mbit_per_s", best);
}

/* Keeps all of @fds full until @end or @most bytes; false: one broke. */
static bool fill(struct om_run *r, const int *fds, unsigned n, om_time end, uint64_t most,
                 uint64_t *sent)
{
    static const uint8_t piece[PIECE_BYTES];

    while (om_clock_now() < end && (most == 0 || *sent < most) && !om_interrupt_came()) {
        bool is_full = true;
        for (unsigned i = 0; i < n; i++) {
            size_t want =
                most && most - *sent < sizeof piece ? (size_t)(most - *sent) : PIECE_BYTES;
            ssize_t wrote = send(fds[i], piece, want, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (wrote < 0 && errno != EAGAIN && errno != EINTR)
                return false;
            *sent += wrote > 0 ? (uint64_t)wrote : 0;
            is_full &= wrote <= 0;
        }
        (void)om_pulse_wait(&r->pulse, -1, is_full ? om_clock_now() + TICK_US : om_clock_now());
    }
    return true;
}

double om_ramp_tcp(struct om_run *r, struct om_result *res, const char *address, uint16_t port,
                   unsigned streams, int ms, uint64_t most)
{
    int fds[OM_RAMP_STREAMS_MAX];
    struct sunk before, after;
    unsigned open = 0;
    uint64_t sent = 0;
    om_time began, until;
    bool lives;

    if (!ask_sink(r, res, &before))
        return 0;
    while (open < streams && (fds[open] = open_socket(address, port, SOCK_STREAM)) >= 0)
        open++;
    om_result_want(res, open == streams, "connection %u to %s: %s", open + 1, address,
                   strerror(errno));
    began = om_clock_now();
    lives = fill(r, fds, open, began + OM_MS(ms), most, &sent);
    om_result_want(res, lives, "a connection broke: %s", strerror(errno));
    until = om_clock_now() + DRAIN;
    while (ask_sink(r, res, &after) && after.bytes - before.bytes < (double)sent &&
           om_clock_now() < until && !om_interrupt_came())
        (void)om_pulse_wait(&r->pulse, -1, om_clock_now() + OM_MS(POLL_MS));
    double seconds = (double)(om_clock_now() - began) / 1e6;
    for (unsigned i = 0; i < open; i++)
        (void)close(fds[i]);
    om_result_want(res, after.bytes - before.bytes >= (double)sent && sent > 0,
                   "%.0f of %.0f bytes came", after.bytes - before.bytes, (double)sent);
    if (res->verdict != OM_VERDICT_HELD)
        return 0;
    double mbit = (double)sent * 8 / seconds / 1e6;
    res->offered_in = "connections";
    res->got_in = "Mbit/s";
    om_result_step(res, (struct om_step){streams, mbit, 0});
    return mbit;
}
