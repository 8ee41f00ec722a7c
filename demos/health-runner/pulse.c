/* pulse.c - two sockets and a clock. */
#include "pulse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <omerta/wire.h>

#include "clock.h"
#include "interrupt.h"

enum { PROBE_BYTES = 8, PIECE_BYTES = 4096, CATCH_UP_STEP_MS = 20 };

void om_pulse_init(struct om_pulse *p)
{
    *p = (struct om_pulse){.udp = -1, .tcp = -1, .next = OM_NEVER};
}

static int connect_to(int type, uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    /* Only the connecting itself may wait. */
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

enum om_err om_pulse_open(struct om_pulse *p, uint16_t udp_port, uint16_t tcp_port,
                          struct om_error *err)
{
    p->udp = connect_to(SOCK_DGRAM, udp_port);
    p->tcp = connect_to(SOCK_STREAM, tcp_port);
    if (p->udp >= 0 && p->tcp >= 0) {
        (void)setsockopt(p->tcp, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        return OM_OK;
    }
    om_pulse_close(p);
    return om_fail(err, OM_E_STATE, "cannot connect to a forward of ours: %s", strerror(errno));
}

void om_pulse_close(struct om_pulse *p)
{
    if (p->udp >= 0)
        (void)close(p->udp);
    if (p->tcp >= 0)
        (void)close(p->tcp);
    om_series_fini(&p->series);
    om_pulse_init(p);
}

void om_pulse_begin(struct om_pulse *p, om_time interval)
{
    om_series_fini(&p->series);
    p->row++;
    p->began = p->next = om_clock_now();
    p->interval = interval;
}

void om_pulse_rest(struct om_pulse *p)
{
    p->next = OM_NEVER;
}

om_time om_pulse_now(const struct om_pulse *p)
{
    return om_clock_now() - p->began;
}

static void break_it(struct om_pulse *p, const char *why)
{
    p->is_broken = true;
    p->why = why;
}

/* What byte number @at of the connection is: no shift of the bytes goes unnoticed. */
static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at ^ at >> 8 ^ at >> 16);
}

static void say(struct om_pulse *p)
{
    uint8_t word[OM_PULSE_WORD];
    ssize_t n;

    if (p->is_broken || p->tcp < 0 || p->said - p->heard > OM_PULSE_AHEAD - OM_PULSE_WORD)
        return;
    for (unsigned i = 0; i < sizeof word; i++)
        word[i] = byte_at(p->said + i);
    n = send(p->tcp, word, sizeof word, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        p->said += (uint64_t)n;
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        break_it(p, "it was reset");
}

static void beat(struct om_pulse *p)
{
    uint8_t probe[PROBE_BYTES];
    struct om_wr w = om_wr(om_mut(probe, sizeof probe));

    om_wr_u32(&w, p->row);
    om_wr_u32(&w, p->series.count);
    /* One that does not leave is lost, as any may be. */
    if (om_series_sent(&p->series, om_pulse_now(p)))
        (void)!send(p->udp, probe, sizeof probe, MSG_DONTWAIT);
    say(p);
    /* Who was late does not catch up: a burst would be another pulse. */
    om_time now = om_clock_now();
    p->next = p->next + p->interval > now ? p->next + p->interval : now;
}

static void hear_answers(struct om_pulse *p)
{
    uint8_t probe[PROBE_BYTES];
    ssize_t n;

    while ((n = recv(p->udp, probe, sizeof probe, MSG_DONTWAIT)) >= 0) {
        struct om_rd r = om_rd(om_bytes(probe, (size_t)n));
        uint32_t row = om_rd_u32(&r), number = om_rd_u32(&r);
        if (om_rd_done(&r) && row == p->row)
            om_series_answered(&p->series, number, om_pulse_now(p));
    }
}

static void hear_words(struct om_pulse *p)
{
    uint8_t piece[PIECE_BYTES];
    ssize_t n = recv(p->tcp, piece, sizeof piece, MSG_DONTWAIT);

    if (n == 0)
        break_it(p, "it was ended");
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        break_it(p, "it was reset");
    for (ssize_t i = 0; i < n && !p->is_broken; i++) {
        if (p->heard == p->said || piece[i] != byte_at(p->heard))
            break_it(p, "a wrong byte came back");
        else
            p->heard++;
    }
}

bool om_pulse_wait(struct om_pulse *p, int fd, om_time until)
{
    while (!om_interrupt_came()) {
        struct pollfd fds[] = {
            {fd, POLLIN, 0}, {p->udp, POLLIN, 0}, {p->is_broken ? -1 : p->tcp, POLLIN, 0}};
        om_time now = om_clock_now();

        if (p->udp >= 0 && now >= p->next)
            beat(p);
        if (poll(fds, 3, om_clock_poll_ms(om_time_min(until, p->next))) > 0) {
            if (fds[1].revents)
                hear_answers(p);
            if (fds[2].revents)
                hear_words(p);
            if (fds[0].revents)
                return true;
        }
        if (om_clock_now() >= until)
            break;
    }
    return false;
}

void om_pulse_settle(struct om_pulse *p, om_time patience)
{
    om_time until = om_clock_now() + patience;

    om_pulse_rest(p);
    while (p->series.answered < p->series.count && om_clock_now() < until && !om_interrupt_came())
        (void)om_pulse_wait(p, -1, om_clock_now() + OM_MS(CATCH_UP_STEP_MS));
}

bool om_pulse_caught_up(struct om_pulse *p, om_time patience)
{
    om_time until = om_clock_now() + patience;
    uint64_t said = p->said;

    while (!p->is_broken && p->heard < said && om_clock_now() < until && !om_interrupt_came())
        (void)om_pulse_wait(p, -1, om_clock_now() + OM_MS(CATCH_UP_STEP_MS));
    return !p->is_broken && p->heard >= said;
}
