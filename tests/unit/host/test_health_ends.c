/* test_health_ends.c - the agent, its ports, the pulse, and the report. */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "echo.h"
#include "plot.h"
#include "pulse.h"
#include "report.h"
#include "site.h"

enum { PATIENCE_MS = 10000 };

static int dial(int type, uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* Runs @e until @fd has something to say; what recv() then gives. */
static ssize_t hear(struct om_echo *e, int fd, void *buf, size_t n)
{
    struct pollfd fds[1 + OM_ECHO_FDS];

    for (int tries = 0; tries < PATIENCE_MS; tries++) {
        unsigned count = 1 + om_echo_polls(e, fds + 1);
        fds[0] = (struct pollfd){.fd = fd, .events = POLLIN};
        if (poll(fds, count, PATIENCE_MS) <= 0)
            return -2;
        if (fds[0].revents)
            return recv(fd, buf, n, MSG_DONTWAIT);
        om_echo_run(e);
    }
    return -2;
}

/* Runs @e until its sink has @bytes and @datagrams. */
static bool sinks(struct om_echo *e, uint64_t bytes, uint64_t datagrams)
{
    struct pollfd fds[OM_ECHO_FDS];

    while (e->sink_bytes < bytes || e->sink_datagrams < datagrams) {
        if (poll(fds, om_echo_polls(e, fds), PATIENCE_MS) <= 0)
            return false;
        om_echo_run(e);
    }
    return true;
}

OM_TEST(echo_sends_back_and_counts)
{
    struct om_echo e;
    struct om_error err;
    char buf[8];
    int udp = -1, tcp = -1, sink = -1, drop = -1;

    om_echo_init(&e);
    OM_TRY(om_echo_open(&e, "127.0.0.1", &err) == OM_OK);
    udp = dial(SOCK_DGRAM, e.echo_port);
    tcp = dial(SOCK_STREAM, e.echo_port);
    sink = dial(SOCK_STREAM, e.sink_port);
    drop = dial(SOCK_DGRAM, e.sink_port);
    CHECK(send(drop, "four", 4, 0) == 4 && send(sink, "three", 5, 0) == 5);
    CHECK(send(udp, "one", 3, 0) == 3);
    OM_TRY(hear(&e, udp, buf, sizeof buf) == 3);
    CHECK_MEM(buf, "one", 3);
    CHECK(send(tcp, "two", 3, 0) == 3);
    OM_TRY(hear(&e, tcp, buf, sizeof buf) == 3);
    CHECK_MEM(buf, "two", 3);
    CHECK(sinks(&e, 5, 1));
    CHECK(e.sink_bytes == 5 && e.sink_datagrams == 1 && e.sink_udp_bytes == 4);
out:
    om_echo_close(&e);
    for (int *fd = (int[]){udp, tcp, sink, drop, -2}; *fd != -2; fd++)
        if (*fd >= 0)
            (void)close(*fd);
}

OM_TEST(echo_beyond_its_room_hangs_up)
{
    int fds[OM_ECHO_MAX + 1];
    struct om_echo e;
    struct om_error err;
    unsigned n = 0;
    ssize_t last;
    char buf[4];

    om_echo_init(&e);
    OM_TRY(om_echo_open(&e, "127.0.0.1", &err) == OM_OK);
    for (; n <= OM_ECHO_MAX; n++) {
        fds[n] = dial(SOCK_STREAM, e.sink_port);
        CHECK(fds[n] >= 0 && send(fds[n], "1", 1, MSG_NOSIGNAL) == 1);
        if (n < OM_ECHO_MAX)
            CHECK(sinks(&e, n + 1, 0));
    }
    last = hear(&e, fds[OM_ECHO_MAX], buf, sizeof buf);
    CHECK(last == 0 || last == -1);       /* its end, or a reset */
    CHECK(send(fds[0], "on", 2, 0) == 2); /* the others go on */
    CHECK(sinks(&e, OM_ECHO_MAX + 2, 0));
out:
    while (n > 0)
        (void)close(fds[--n]);
    om_echo_close(&e);
}

/* A listener, and the pulse to it: both on the loopback. */
struct far {
    int udp, listener, tcp;
    struct om_pulse pulse;
};

static bool far_open(struct far *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint16_t ports[2];
    int *fds[] = {&f->udp, &f->listener};
    struct om_error err;

    om_pulse_init(&f->pulse);
    f->tcp = f->udp = f->listener = -1;
    for (unsigned i = 0; i < 2; i++) {
        struct sockaddr_in got;
        *fds[i] = socket(AF_INET, (i ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
        if (bind(*fds[i], (struct sockaddr *)&at, sizeof at) != 0 ||
            (i && listen(*fds[i], 1) != 0) ||
            getsockname(*fds[i], (struct sockaddr *)&got, &(socklen_t){sizeof got}) != 0)
            return false;
        ports[i] = ntohs(got.sin_port);
    }
    if (om_pulse_open(&f->pulse, ports[0], ports[1], &err))
        return false;
    f->tcp = accept(f->listener, NULL, NULL);
    return f->tcp >= 0;
}

static void far_close(struct far *f)
{
    om_pulse_close(&f->pulse);
    for (int *fd = (int[]){f->udp, f->listener, f->tcp, -2}; *fd != -2; fd++)
        if (*fd >= 0)
            (void)close(*fd);
}

/* One beat, whose datagram comes back, and whose word does as @word; false: there was no room. */
static bool beat(struct far *f, const char *word, size_t n)
{
    struct sockaddr_in from;
    uint8_t buf[64];

    (void)om_pulse_wait(&f->pulse, -1, om_clock_now());
    if (f->pulse.series.count == 0)
        return false;
    (void)om_pulse_wait(&f->pulse, f->udp, om_clock_now() + OM_MS(PATIENCE_MS));
    ssize_t got = recvfrom(f->udp, buf, sizeof buf, MSG_DONTWAIT, (struct sockaddr *)&from,
                           &(socklen_t){sizeof from});
    if (got > 0)
        (void)!sendto(f->udp, buf, (size_t)got, 0, (struct sockaddr *)&from, sizeof from);
    got = recv(f->tcp, buf, sizeof buf, 0);
    if (got > 0)
        (void)!send(f->tcp, word ? (const void *)word : buf, word ? n : (size_t)got, 0);
    return true;
}

OM_TEST(pulse_counts_answers)
{
    struct far f;

    OM_TRY(far_open(&f));
    om_pulse_begin(&f.pulse, OM_SEC(60));
    OM_TRY(beat(&f, NULL, 0));
    om_pulse_settle(&f.pulse, OM_MS(PATIENCE_MS));
    CHECK(om_pulse_caught_up(&f.pulse, OM_MS(PATIENCE_MS)));
    CHECK_EQ(f.pulse.series.count, 1);
    CHECK_EQ(f.pulse.series.answered, 1);
    CHECK(f.pulse.said == OM_PULSE_WORD && f.pulse.heard == OM_PULSE_WORD);
out:
    far_close(&f);
}

OM_TEST(pulse_connection_is_broken_by_a_wrong_byte)
{
    struct far f;

    OM_TRY(far_open(&f));
    om_pulse_begin(&f.pulse, OM_SEC(60));
    OM_TRY(beat(&f, "\0\1\2\3\4\5\6\6", OM_PULSE_WORD));
    CHECK(!om_pulse_caught_up(&f.pulse, OM_MS(PATIENCE_MS)));
    CHECK(f.pulse.is_broken && f.pulse.heard == OM_PULSE_WORD - 1);
out:
    far_close(&f);
}

OM_TEST(pulse_connection_is_broken_by_its_end)
{
    struct far f;

    OM_TRY(far_open(&f));
    om_pulse_begin(&f.pulse, OM_SEC(60));
    (void)om_pulse_wait(&f.pulse, -1, om_clock_now());
    (void)close(f.tcp);
    f.tcp = -1;
    CHECK(!om_pulse_caught_up(&f.pulse, OM_MS(PATIENCE_MS)));
    CHECK(f.pulse.is_broken);
out:
    far_close(&f);
}

OM_TEST(pulse_rests)
{
    struct far f;
    struct pollfd fd;

    OM_TRY(far_open(&f));
    om_pulse_begin(&f.pulse, OM_MS(1));
    om_pulse_rest(&f.pulse);
    (void)om_pulse_wait(&f.pulse, -1, om_clock_now() + OM_MS(20));
    fd = (struct pollfd){.fd = f.udp, .events = POLLIN};
    CHECK_EQ(poll(&fd, 1, 0), 0);
    om_pulse_begin(&f.pulse, OM_MS(1)); /* the control */
    (void)om_pulse_wait(&f.pulse, -1, om_clock_now());
    OM_TRY(f.pulse.series.count > 0);
    CHECK(om_pulse_wait(&f.pulse, f.udp, om_clock_now() + OM_MS(PATIENCE_MS)));
out:
    far_close(&f);
}

OM_TEST(site_without_an_agent_says_so)
{
    struct om_pulse pulse;
    struct om_site site;
    struct om_error err;

    om_pulse_init(&pulse);
    CHECK(om_site_start(&site, "nobody", (const char *const[]){"true", NULL}, &pulse, &err) ==
          OM_E_STATE);
    CHECK_STR(err.msg, "nobody: the agent (omerta-health --agent) does not answer");
    (void)om_site_stop(&site);
}

/* The agent itself, as a child; false: there is none, or it does not answer. */
static bool agent(struct om_site *site, struct om_pulse *pulse)
{
    struct om_error err;

    om_pulse_init(pulse);
    return om_site_start(
               site, "agent",
               (const char *const[]){OM_HEALTH_PROGRAM, "--agent", "--home", "/nowhere", NULL},
               pulse, &err) == OM_OK;
}

OM_TEST(agent_takes_back_at_the_end_of_its_input)
{
    char path[] = "/tmp/om-health-XXXXXX", make[128], take[128];
    int fd = mkstemp(path);
    struct om_pulse pulse;
    struct om_site site;
    struct om_error err;

    (void)close(fd);
    (void)snprintf(make, sizeof make, "mv %s %s.away", path, path);
    (void)snprintf(take, sizeof take, "mv %s.away %s", path, path);
    OM_TRY(agent(&site, &pulse));
    OM_TRY(om_site_run(&site, make, take, NULL, &err) == OM_OK);
    CHECK(access(path, F_OK) != 0);
    CHECK(om_site_stop(&site));
    CHECK(access(path, F_OK) == 0);
out:
    (void)om_site_stop(&site);
    (void)unlink(path);
}

OM_TEST(agent_says_what_a_command_said)
{
    struct om_pulse pulse;
    struct om_site site;
    struct om_error err;
    json_t *out = NULL;

    OM_TRY(agent(&site, &pulse));
    OM_TRY(om_site_run(&site, "echo hello", NULL, &out, &err) == OM_OK);
    CHECK_STR(json_string_value(out), "hello");
    OM_TRY(om_site_run(&site, "echo no; exit 3", NULL, NULL, &err) == OM_E_STATE);
    CHECK(strstr(err.msg, "exit 3: no") || om_test_oom_hit());
out:
    json_decref(out);
    (void)om_site_stop(&site);
}

OM_TEST(agent_refuses_what_it_does_not_know)
{
    struct om_pulse pulse;
    struct om_site site;
    struct om_error err;

    OM_TRY(agent(&site, &pulse));
    CHECK(om_site_ask(&site, json_pack("{s:s}", "do", "dance"), NULL, &err) == OM_E_STATE);
    CHECK(strstr(err.msg, "unknown question") || om_test_oom_hit());
    CHECK(om_site_rpc(&site, "status", NULL, NULL, NULL, &err) == OM_E_STATE);
    CHECK(strstr(err.msg, "no daemon answers") || om_test_oom_hit());
out:
    (void)om_site_stop(&site);
}

/* What @draw writes about @r, for free(). */
static char *drawn(void (*draw)(FILE *to, const struct om_result *r), const struct om_result *r)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);

    draw(to, r);
    (void)fclose(to);
    return text;
}

OM_TEST(plot_of_nothing_is_nothing)
{
    struct om_result r = {0};
    void (*const all[])(FILE *, const struct om_result *) = {om_plot_time, om_plot_histogram,
                                                             om_plot_ramp};

    for (unsigned i = 0; i < 3; i++) {
        char *text = drawn(all[i], &r);
        CHECK_STR(text, "");
        free(text);
    }
}

OM_TEST(plot_draws_every_probe_or_a_share)
{
    struct om_result r = {0};
    unsigned dots = 0;
    char *text = NULL;

    for (unsigned i = 0; i < 3 * OM_PLOT_POINTS; i++) {
        OM_TRY(om_series_sent(&r.series, OM_MS(i)));
        om_series_answered(&r.series, i, OM_MS(i + 1));
    }
    text = drawn(om_plot_time, &r);
    for (const char *p = text; (p = strstr(p, "h.1")) != NULL; p++)
        dots++;
    CHECK(dots > OM_PLOT_POINTS / 2 && dots <= OM_PLOT_POINTS);
out:
    free(text);
    om_result_fini(&r);
}

static char *page(const struct om_report *r)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);

    om_report_page(r, to);
    (void)fclose(to);
    return text;
}

/* A report about "<b>" with one phase that failed because of "a < b". */
static void fill(struct om_report *r)
{
    r->peer = "<b>";
    r->rows[0].phase = om_phase_find("5", 1);
    om_result_want(&r->rows[0].result, false, "a < b");
    r->rows[1].phase = om_phase_find("7", 1);
    r->count = 2;
}

OM_TEST(report_counts_verdicts)
{
    static struct om_report r;

    fill(&r);
    CHECK_EQ(om_report_count(&r, OM_VERDICT_FAILED), 1);
    CHECK_EQ(om_report_count(&r, OM_VERDICT_HELD), 1);
    CHECK_EQ(om_report_count(&r, OM_VERDICT_SKIPPED), 0);
    om_report_fini(&r);
}

OM_TEST(report_page_is_one_file)
{
    static struct om_report r;
    char *text;

    fill(&r);
    text = page(&r);
    CHECK(strncmp(text, "<!DOCTYPE html>", 15) == 0);
    CHECK(strstr(text, "</html>") != NULL);
    CHECK(!strstr(text, "<script") && !strstr(text, "src=") && !strstr(text, "http"));
    free(text);
    om_report_fini(&r);
}

OM_TEST(report_page_escapes)
{
    static struct om_report r;
    char *text;

    fill(&r);
    text = page(&r);
    CHECK(strstr(text, "&lt;b&gt;") && !strstr(text, "<b>"));
    CHECK(strstr(text, "a &lt; b") != NULL);
    free(text);
    om_report_fini(&r);
}
