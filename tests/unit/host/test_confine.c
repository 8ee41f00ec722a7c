/* test_confine.c - what a confined process can still do, and what ends it. */
#include "harness.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "confine.h"
#include "host/udp.h"
#include "rotfile.h"
#include "sdnotify.h"

static char folder[64];

/* @run in a child, under the filter when @is_confined. Its wait status. */
static int in_child(int (*run)(void), bool is_confined)
{
    int status = -1;
    pid_t child = fork();

    CHECK(child >= 0);
    if (child == 0) {
        struct om_error err = {0};

        (void)alarm(30);
        if (is_confined && (om_confine_early(&err) != OM_OK || om_confine_drop(&err) != OM_OK ||
                            om_confine_seccomp(&err) != OM_OK)) {
            (void)fprintf(stderr, "%s\n", err.msg);
            _exit(100);
        }
        _exit(run());
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

static int early(void)
{
    struct rlimit core;
    char path[96];
    struct stat st;
    FILE *f;

    if (om_confine_early(NULL) != OM_OK || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return 1;
    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
        return 2;
    snprintf(path, sizeof path, "%s/file", folder);
    f = fopen(path, "w");
    if (!f || fclose(f) != 0 || stat(path, &st) != 0 || unlink(path) != 0)
        return 3;
    return (st.st_mode & 0777) == 0600 ? 0 : 4;
}

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/confine-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

OM_TEST(confine_early_leaves_no_dump_and_private_files)
{
    begin();
    CHECK_EQ(in_child(early, false), 0);
    CHECK_EQ(rmdir(folder), 0);
}

/* The line @name of /proc/self/status as a number in base 16. */
static unsigned long long status_of(const char *name)
{
    unsigned long long v = ~0ULL;
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0)
            v = strtoull(line + strlen(name), NULL, 16);
    if (f)
        (void)fclose(f);
    return v;
}

static int drop(void)
{
    if (om_confine_drop(NULL) != OM_OK)
        return 1;
    if (status_of("CapEff:") || status_of("CapPrm:") || status_of("CapInh:") ||
        status_of("CapAmb:"))
        return 2;
    if (geteuid() == 0 && status_of("CapBnd:"))
        return 3;
    return status_of("NoNewPrivs:") == 1 && om_confine_drop(NULL) == OM_OK ? 0 : 4;
}

OM_TEST(confine_drop_leaves_no_capability)
{
    CHECK_EQ(in_child(drop, false), 0);
}

static struct {
    bool has_timer, has_name, has_data;
    int failed;
    uv_timer_t timer;
    uv_udp_t udp;
    uv_udp_send_t send;
    uv_getaddrinfo_t name;
} work;

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    work.has_timer = true;
}

static void on_name(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
    (void)req;
    work.has_name = status == 0 && found;
    if (!work.has_name)
        work.failed = status;
    uv_freeaddrinfo(found);
}

static void on_room(uv_handle_t *h, size_t n, uv_buf_t *buf)
{
    static char room[64];

    (void)h;
    (void)n;
    *buf = uv_buf_init(room, sizeof room);
}

static void on_data(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                    unsigned flags)
{
    (void)flags;
    if (n == 2 && from && memcmp(buf->base, "hi", 2) == 0) {
        work.has_data = true;
        (void)uv_udp_recv_stop(udp);
    }
}

static bool runs_a_loop(void)
{
    struct sockaddr_in here;
    uv_buf_t hi = uv_buf_init((char[]){'h', 'i'}, 2);
    int n = sizeof here;
    uv_loop_t loop;

    if (uv_loop_init(&loop) != 0 || uv_ip4_addr("127.0.0.1", 0, &here) != 0 ||
        uv_timer_init(&loop, &work.timer) != 0 || uv_udp_init(&loop, &work.udp) != 0 ||
        uv_timer_start(&work.timer, on_timer, 1, 0) != 0 ||
        uv_udp_bind(&work.udp, (struct sockaddr *)&here, 0) != 0 ||
        uv_udp_getsockname(&work.udp, (struct sockaddr *)&here, &n) != 0 ||
        uv_udp_recv_start(&work.udp, on_room, on_data) != 0 ||
        uv_udp_send(&work.send, &work.udp, &hi, 1, (struct sockaddr *)&here, NULL) != 0 ||
        uv_getaddrinfo(&loop, &work.name, on_name, "localhost", NULL, NULL) != 0)
        return false;
    (void)uv_run(&loop, UV_RUN_DEFAULT); /* until all three are done */
    return work.has_timer && work.has_name && work.has_data;
}

static bool writes_a_store(void)
{
    char path[96];
    sqlite3 *db = NULL;
    bool done;

    snprintf(path, sizeof path, "%s/mesh.db", folder);
    done = sqlite3_open(path, &db) == SQLITE_OK &&
           sqlite3_exec(db,
                        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                        "CREATE TABLE t(a); INSERT INTO t VALUES (randomblob(100000));"
                        "PRAGMA wal_checkpoint(TRUNCATE);",
                        NULL, NULL, NULL) == SQLITE_OK;
    return sqlite3_close(db) == SQLITE_OK && done;
}

static bool writes_lines(void)
{
    struct om_rotfile f;
    char path[96];

    snprintf(path, sizeof path, "%s/log", folder);
    if (om_rotfile_open(&f, path, 4096, 1, NULL) != OM_OK)
        return false;
    while (f.rotations < 2)
        if (!om_rotfile_put(&f, "", "a line of forty bytes, give or take some"))
            return false;
    om_rotfile_close(&f);
    return true;
}

/* Two datagrams in one call, and both back in one, with the mark of congestion. */
static bool moves_datagrams(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char bytes[4] = "abc", control[2][64];
    struct iovec io[2] = {{bytes, 1}, {bytes + 1, 1}};
    struct mmsghdr out[2], in[2];
    socklen_t n = sizeof here;
    struct pollfd wait = {.events = POLLIN};
    int on = 1, bytes_wanted = 1 << 20, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done;

    memset(out, 0, sizeof out);
    memset(in, 0, sizeof in);
    for (int i = 0; i < 2; i++) {
        out[i].msg_hdr = (struct msghdr){
            .msg_name = &here, .msg_namelen = sizeof here, .msg_iov = &io[i], .msg_iovlen = 1};
        in[i].msg_hdr = (struct msghdr){.msg_iov = &io[i],
                                        .msg_iovlen = 1,
                                        .msg_control = control[i],
                                        .msg_controllen = sizeof control[i]};
    }
    wait.fd = fd;
    done = fd >= 0 && bind(fd, (struct sockaddr *)&here, sizeof here) == 0 &&
           getsockname(fd, (struct sockaddr *)&here, &n) == 0 &&
           setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes_wanted, sizeof bytes_wanted) == 0 &&
           sendmmsg(fd, out, 2, 0) == 2 && poll(&wait, 1, 5000) == 1 &&
           recvmmsg(fd, in, 2, MSG_WAITFORONE, NULL) >= 1;
    return close(fd) == 0 && done;
}

static void on_signal(uv_signal_t *h, int number)
{
    (void)number;
    (void)uv_signal_stop(h);
}

/* Locked memory, memory behind a descriptor, entropy, a reload, the service manager's socket. */
static bool does_the_rest(void)
{
    void *secret = sodium_malloc(32);
    int fd = memfd_create("buffer", MFD_CLOEXEC);
    char bytes[8];
    uv_signal_t hup;
    uv_loop_t loop;
    bool done = secret && fd >= 0 && close(fd) == 0 && getentropy(bytes, sizeof bytes) == 0 &&
                uv_loop_init(&loop) == 0 && uv_signal_init(&loop, &hup) == 0 &&
                uv_signal_start(&hup, on_signal, SIGHUP) == 0 && raise(SIGHUP) == 0 &&
                uv_run(&loop, UV_RUN_DEFAULT) == 0;

    sodium_free(secret);
    (void)setenv("NOTIFY_SOCKET", "@nobody-listens-here", 1);
    return done && !om_sdnotify("READY=1") && errno == ECONNREFUSED;
}

static void no_batch(void *self, struct om_dgram *batch, unsigned count)
{
    (void)self;
    (void)batch;
    (void)count;
}

static void no_hop(void *self, unsigned ttl, const struct om_addr *router)
{
    (void)self;
    (void)ttl;
    (void)router;
}

/* As hole punching does: a further socket, with a poll handle, and a datagram with a TTL. */
static bool sends_an_opener(void)
{
    struct om_udp_config c = {.v4 = true, .on_batch = no_batch, .on_hop = no_hop};
    struct om_udp_out o = {.via = {om_addr_v4(INADDR_LOOPBACK, 9), OM_SOCKET_FIRST, 0},
                           .bytes = om_bytes("opener", 6),
                           .ttl = 2};
    struct om_udp_info info;
    struct om_udp *u;
    uv_loop_t loop;

    c.loop = &loop;
    if (uv_loop_init(&loop) != 0 || om_udp_open(&u, &c, NULL) != OM_OK)
        return false;
    om_udp_sockets(u, OM_SOCKET_FIRST, 1, true);
    bool done = om_udp_send(u, &o, 1) == 1 && uv_run(&loop, UV_RUN_NOWAIT) != 0;
    om_udp_info(u, &info);
    om_udp_close(u);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop) == 0 && done && info.openers == 1 && info.sockets == 1;
}

static int daemon_work(void)
{
    uv_interface_address_t *interfaces;
    int count;

    if (!runs_a_loop()) {
        (void)fprintf(stderr, "timer %d, name %d (%s), data %d\n", work.has_timer, work.has_name,
                      work.failed ? uv_strerror(work.failed) : "", work.has_data);
        return 1;
    }
    if (!writes_a_store())
        return 2;
    if (!writes_lines())
        return 3;
    if (uv_interface_addresses(&interfaces, &count) != 0)
        return 4;
    uv_free_interface_addresses(interfaces, count);
    if (!moves_datagrams())
        return 5;
    if (!sends_an_opener())
        return 7;
    return does_the_rest() ? 0 : 6;
}

static int run_program(void)
{
    char *argv[] = {(char[]){"true"}, NULL};

    (void)execv("/bin/true", argv);
    return 1;
}

static int make_process(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    return child > 0 && waitpid(child, NULL, 0) == child ? 0 : 1;
}

static int signal_others(void)
{
    return kill(getppid(), 0) == 0 ? 0 : 1;
}

static int map_code(void)
{
    void *p =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p != MAP_FAILED ? 0 : 1;
}

static int listen_to_audit(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 9); /* NETLINK_AUDIT */

    return fd >= 0 || errno == EPROTONOSUPPORT ? 0 : 1;
}

static int try_uring(void)
{
    return syscall(SYS_io_uring_setup, 0, NULL) == -1 && errno == ENOSYS ? 0 : 1;
}

static int set_priority(void)
{
    return setpriority(PRIO_PROCESS, 0, 1) == -1 && errno == EPERM ? 0 : 1;
}

static void end(void)
{
    static const char *const names[] = {"mesh.db", "mesh.db-wal", "mesh.db-shm", "log", "log.1"};
    char path[96];

    for (size_t i = 0; i < OM_ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    CHECK_EQ(rmdir(folder), 0);
}

/* The reason is for who reads the output of the tests. */
static void need_seccomp(void)
{
    if (!om_confine_has_seccomp()) {
        print_message("skipped: no seccomp in this build or kernel\n");
        skip();
    }
}

OM_TEST(confine_lets_the_daemon_work)
{
    need_seccomp();
    begin();
    CHECK_EQ(in_child(daemon_work, true), 0);
    end();
}

OM_TEST(confine_kills_what_it_never_does)
{
    int (*const calls[])(void) = {run_program, make_process, signal_others, map_code,
                                  listen_to_audit};

    need_seccomp();
    for (size_t i = 0; i < OM_ARRAY_SIZE(calls); i++) {
        int status = in_child(calls[i], true);

        CHECK_EQ(in_child(calls[i], false), 0); /* that it can be done at all */
        CHECK(WIFSIGNALED(status));
        CHECK_EQ(WTERMSIG(status), SIGSYS);
    }
}

static uv_barrier_t ready;

static void *wait_and_signal(void *unused)
{
    (void)unused;
    (void)uv_barrier_wait(&ready); /* runs already */
    (void)uv_barrier_wait(&ready); /* and the filter is there */
    (void)kill(getppid(), 0);
    return NULL;
}

/* @is_confined by what it is given: the filter must reach a thread that was there before it. */
static int with_thread(bool is_confined)
{
    pthread_t thread;

    if (uv_barrier_init(&ready, 2) != 0 ||
        pthread_create(&thread, NULL, wait_and_signal, NULL) != 0)
        return 1;
    (void)uv_barrier_wait(&ready);
    if (is_confined && om_confine_seccomp(NULL) != OM_OK)
        return 2;
    (void)uv_barrier_wait(&ready);
    return pthread_join(thread, NULL);
}

static int thread_free(void)
{
    return with_thread(false);
}

static int thread_confined(void)
{
    return with_thread(true);
}

OM_TEST(confine_reaches_threads_that_run_already)
{
    int status;

    need_seccomp();
    CHECK_EQ(in_child(thread_free, false), 0);
    status = in_child(thread_confined, false);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGSYS);
}

OM_TEST(confine_refuses_quietly_what_libraries_only_try)
{
    need_seccomp();
    CHECK_EQ(in_child(try_uring, true), 0);
    CHECK_EQ(in_child(set_priority, true), 0);
}
