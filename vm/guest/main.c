/*
 * main.c - omerta-guest-agent: runs jobs for the host over the virtio-serial port org.omerta.agent
 *
 * Both ways: lines of words with one space between them, ended by a newline. ID is the host's name
 * for a job, 1 to 32 of [A-Za-z0-9_-], not - first, used once. LEN bytes follow the line as they
 * are, so no word ever needs quoting; B64 is base64 in one word.
 *
 *   host                            guest
 *   hello ID                        hello ID 1 NAME LANGUAGES JOBS (version, image, IDs a,b or "-")
 *   run ID LANGUAGE LEN + program   out ID B64 / err ID B64 (as they come), at last exit ID STATUS
 *   cancel ID                       the job's exit: SIGTERM now, SIGKILL to what is left after 2 s
 *   put ID MODE LEN B64PATH + data  exit ID 0, or fail; the file is there whole or not at all
 *   get ID B64PATH                  out ID B64 ..., exit ID 0; or err ..., exit ID 1
 *   time ID SECONDS                 exit ID 0; the clock, seconds since 1970
 *   entropy ID LEN + bytes          exit ID 0; stirred into the kernel's pool
 *   anything else, or refused       fail ID REASON (the rest of the line, for people)
 *
 * "hello - 1 NAME LANGUAGES -" comes by itself when the agent starts. STATUS: the program's; 128
 * and a signal's number for one killed. A job has no standard input, the folder /work, and a
 * cgroup: its exit ends all it started. At most 16 at a time, 1 GiB a file. A host that reads
 * slowly slows the jobs' output, nothing is dropped; no line of the guest is longer than 32 KiB.
 *
 * A host that connects again sends a newline, then hello until it is answered; what comes before
 * may begin in the middle of a line. Jobs of a host that went away go on: their output waits in
 * the port and their pipes, so they stand still when those are full, and the next host hears the
 * rest. It finds their IDs in the answer to its hello, and may cancel them. A body that
 * its host did not end is forgotten, as is all that its order began, and nothing is said of it:
 * when the port tells that the host went away, and where a greeting comes within it, alone, and
 * again half a second later or more.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "job.h"
#include "order.h"
#include "port.h"
#include "reader.h"

enum {
    GONE_MS = 100, /* a port without a host is looked at so often: poll() would not wait */
    MS_US = 1000,
    S_US = 1000000,
    IMAGE_MAX = 512,
    POLL_PORT = 0,
    POLL_CHILD,
    POLL_JOBS,
    POLLS = POLL_JOBS + GUEST_JOBS * GUEST_PIPES
};

/* The body that comes. */
struct intake {
    struct guest_order order;
    struct guest_file file; /* of run and put; else its fd is -1 */
    struct guest_job *job;  /* of run; NULL: it is refused */
    const char *why;        /* it is refused */
    int entropy;            /* -1 */
};

struct agent {
    struct guest_port port;
    struct guest_reader reader;
    struct guest_jobs jobs;
    struct intake intake;
    char image[IMAGE_MAX]; /* NAME, of /etc/omerta/image */
    char languages[IMAGE_MAX];
    int child; /* tells of children that ended */
};

static om_time clock_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (om_time)t.tv_sec * S_US + t.tv_nsec / MS_US;
}

/* The word behind @key in @text. */
static void read_word(const char *text, const char *key, char out[static IMAGE_MAX])
{
    const char *at = strstr(text, key);
    size_t n = at ? strcspn(at + strlen(key), " \n") : 0;

    if (at)
        memcpy(out, at + strlen(key), n);
    out[n] = '\0';
    if (n == 0)
        (void)snprintf(out, IMAGE_MAX, "-");
}

static void read_image(struct agent *a)
{
    char text[IMAGE_MAX];
    int fd = open("/etc/omerta/image", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;

    if (fd >= 0)
        (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    read_word(text, "NAME=", a->image);
    read_word(text, "LANGUAGES=", a->languages);
}

/* What runs @language here; NULL when nothing does. */
static char *program_of(const struct agent *a, const char *language)
{
    static struct {
        const char *language;
        char path[20];
    } known[] = {{"sh", "/bin/sh"}, {"python", "/usr/bin/python3"}};
    size_t n = strlen(language);

    for (const char *at = a->languages; *at; at += strcspn(at, ","), at += *at == ',')
        for (unsigned i = 0; i < OM_ARRAY_SIZE(known); i++)
            if (strcspn(at, ",") == n && memcmp(at, language, n) == 0 &&
                strcmp(known[i].language, language) == 0)
                return known[i].path;
    return NULL;
}

static void hello(struct agent *a, const char *id)
{
    char list[GUEST_JOBS * GUEST_ID + 2] = "-";
    size_t n = 0;

    for (unsigned i = 0; i < GUEST_JOBS; i++)
        if (a->jobs.place[i].state != GUEST_JOB_FREE)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? "," : "",
                                  a->jobs.place[i].id);
    guest_port_say(&a->port, "hello %s 1 %s %s %s", id, a->image, a->languages, list);
}

static void begin_run(struct agent *a, struct intake *in)
{
    if (!program_of(a, in->order.language) || in->order.number > GUEST_PUT_MAX)
        return; /* its own sentence */
    in->job = guest_jobs_take(&a->jobs, in->order.id, &in->why);
    if (!in->job || guest_file_begin(&in->file, in->job->program, 0700))
        return;
    in->why = "no room for the program";
    guest_job_free(in->job);
    in->job = NULL;
}

/* The order that has a body: where that goes. */
static void begin(struct agent *a, const struct guest_order *o)
{
    struct intake *in = &a->intake;

    *in = (struct intake){.order = *o, .file = {.fd = -1}, .entropy = -1};
    if (o->kind == GUEST_RUN)
        begin_run(a, in);
    else if (o->kind == GUEST_ENTROPY)
        in->entropy = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
    else if (o->number > GUEST_PUT_MAX || !guest_file_begin(&in->file, o->path, o->mode))
        in->why = "no such place for a file";
    guest_reader_body(&a->reader, o->number);
}

static void add(struct intake *in, struct om_bytes bytes)
{
    if (in->file.fd >= 0)
        guest_file_add(&in->file, bytes);
    else if (in->entropy >= 0)
        (void)!write(in->entropy, bytes.p, bytes.n);
}

static void run(struct agent *a, struct intake *in)
{
    if (!in->job && !in->why)
        guest_port_say(&a->port, "fail %s this image runs %s", in->order.id, a->languages);
    else if (!in->job)
        guest_port_say(&a->port, "fail %s %s", in->order.id, in->why);
    else if (!guest_file_end(&in->file) ||
             !guest_job_run(in->job, program_of(a, in->order.language))) {
        guest_port_say(&a->port, "fail %s no room for the program", in->order.id);
        guest_job_free(in->job);
    }
}

/* The body is whole. */
static void finish(struct agent *a)
{
    struct intake *in = &a->intake;

    if (in->order.kind == GUEST_RUN)
        run(a, in);
    else if (!in->why && in->order.kind == GUEST_PUT && !guest_file_end(&in->file))
        guest_port_say(&a->port, "fail %s no room for the file", in->order.id);
    else if (in->why)
        guest_port_say(&a->port, "fail %s %s", in->order.id, in->why);
    else
        guest_port_say(&a->port, "exit %s 0", in->order.id);
    if (in->entropy >= 0)
        (void)close(in->entropy);
    in->order.kind = GUEST_NO_ORDER;
}

/* It never will be. */
static void drop(struct intake *in)
{
    guest_file_drop(&in->file);
    if (in->job)
        guest_job_free(in->job);
    if (in->entropy >= 0)
        (void)close(in->entropy);
    in->order.kind = GUEST_NO_ORDER;
}

static void give(struct agent *a, const struct guest_order *o)
{
    const char *why;
    struct guest_job *j = guest_jobs_take(&a->jobs, o->id, &why);

    if (j)
        guest_job_give(j, &a->port, o->path);
    else
        guest_port_say(&a->port, "fail %s %s", o->id, why);
}

static void cancel(struct agent *a, const struct guest_order *o)
{
    struct guest_job *j = guest_jobs_find(&a->jobs, o->id);

    if (j)
        guest_job_cancel(j, clock_now());
    else
        guest_port_say(&a->port, "fail %s no such job", o->id);
}

static void obey(struct agent *a, struct om_bytes line)
{
    struct guest_order o = guest_order_read(line);
    struct timespec t = {.tv_sec = (time_t)o.number};

    if (o.kind == GUEST_REFUSED)
        guest_port_say(&a->port, "fail %s %s", o.id, o.why);
    else if (o.kind == GUEST_HELLO)
        hello(a, o.id);
    else if (o.kind == GUEST_CANCEL)
        cancel(a, &o);
    else if (o.kind == GUEST_GET)
        give(a, &o);
    else if (o.kind == GUEST_TIME && clock_settime(CLOCK_REALTIME, &t) == 0)
        guest_port_say(&a->port, "exit %s 0", o.id);
    else if (o.kind == GUEST_TIME)
        guest_port_say(&a->port, "fail %s no time", o.id);
    else if (guest_order_has_body(&o)) {
        begin(a, &o);
        if (o.number == 0)
            finish(a);
    }
}

/* Does what came, while there is room for answers. */
static void work(struct agent *a)
{
    struct guest_item i;

    while (guest_port_takes_answer(&a->port) &&
           (i = guest_reader_next(&a->reader)).kind != GUEST_NOTHING) {
        if (i.kind == GUEST_LINE)
            obey(a, i.bytes);
        else if (i.kind == GUEST_LONG)
            guest_port_say(&a->port, "fail - a line that long");
        else if (i.kind == GUEST_CUT)
            drop(&a->intake);
        else
            add(&a->intake, i.bytes);
        if (i.kind == GUEST_BODY && a->reader.body == 0)
            finish(a);
    }
}

/* Until something happens, or is due. */
static void wait_for(struct agent *a, struct pollfd *polls)
{
    om_time now = clock_now(), at = a->port.is_gone ? now + OM_MS(GONE_MS) : OM_NEVER;
    int ms = -1;

    polls[POLL_PORT] = (struct pollfd){.fd = a->port.is_gone ? -1 : a->port.fd};
    if (guest_port_takes_answer(&a->port))
        polls[POLL_PORT].events = POLLIN;
    if (guest_port_has(&a->port))
        polls[POLL_PORT].events |= POLLOUT;
    polls[POLL_CHILD] = (struct pollfd){.fd = a->child, .events = POLLIN};
    for (unsigned i = 0; i < GUEST_JOBS; i++) {
        const struct guest_job *j = &a->jobs.place[i];
        guest_job_poll(j, &a->port, &polls[POLL_JOBS + i * GUEST_PIPES]);
        if (guest_port_takes_output(&a->port))
            at = om_time_min(at, guest_job_deadline(j));
        else
            at = om_time_min(at, j->kill_at);
    }
    if (at != OM_NEVER)
        ms = at <= now ? 0 : (int)((at - now + MS_US - 1) / MS_US);
    (void)poll(polls, POLLS, ms);
}

static void turn(struct agent *a)
{
    struct signalfd_siginfo told;
    struct pollfd polls[POLLS] = {{0}};
    size_t n;

    wait_for(a, polls);
    om_time now = clock_now();
    if (polls[POLL_PORT].revents || a->port.is_gone) {
        guest_port_look(&a->port);
        n = guest_port_read(&a->port, guest_reader_room(&a->reader));
        guest_reader_fed(&a->reader, now, n);
    }
    work(a);
    /* Only once all that it asked for is done. */
    if (a->port.is_gone && guest_port_takes_answer(&a->port)) {
        guest_reader_gone(&a->reader);
        work(a);
    }
    if (polls[POLL_CHILD].revents) {
        while (read(a->child, &told, sizeof told) > 0)
            continue;
        guest_jobs_reap(&a->jobs, now);
    }
    for (unsigned i = 0; i < GUEST_JOBS; i++)
        guest_job_pump(&a->jobs.place[i], &a->port, now, &polls[POLL_JOBS + i * GUEST_PIPES]);
    guest_port_flush(&a->port);
}

int main(void)
{
    static struct agent a;
    sigset_t child;
    int score;

    /* A guest without the port has no jobs; init would start this again and again. */
    if (!guest_port_open(&a.port))
        for (;;)
            (void)pause();
    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child, NULL);
    a.child = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
    read_image(&a);
    guest_jobs_init(&a.jobs);
    score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        (void)!write(score, "-900", 4);
        (void)close(score);
    }
    guest_yields(true);
    hello(&a, "-");
    for (;;)
        turn(&a);
}
