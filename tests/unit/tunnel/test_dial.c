/* test_dial.c - connecting to hosts, on the loopback. */
#include "harness.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tunnel/host/dial.h"

struct call {
    uv_loop_t loop;
    struct om_dial *dial;
    enum om_dial_result result;
    unsigned times;
};

/* A TCP port of 127.0.0.1, listening or not; -1 on failure. */
static int open_port(uint16_t *port, bool listens)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) < 0 ||
        (listens && listen(fd, 8) < 0) || getsockname(fd, (struct sockaddr *)&at, &n) < 0) {
        CHECK(false);
        return fd;
    }
    *port = ntohs(at.sin_port);
    return fd;
}

static void on_done(void *self, enum om_dial_result r, struct om_socket *socket)
{
    struct call *c = self;

    c->dial = NULL;
    c->result = r;
    c->times++;
    CHECK_EQ(r == OM_DIAL_OK, socket != NULL);
    if (socket)
        om_socket_close(socket, false);
}

/* Dials and runs to the end; how it went. */
static enum om_dial_result dial(const char *host, uint16_t port,
                                bool (*is_allowed)(const void *, const struct om_addr *))
{
    struct call c = {.result = OM_DIAL_FAILURE};
    const struct om_dial_config config = {.loop = &c.loop,
                                          .host = host,
                                          .port = port,
                                          .is_allowed = is_allowed,
                                          .done = on_done,
                                          .self = &c};

    OM_TRY(uv_loop_init(&c.loop) == 0);
    if (om_dial(&c.dial, &config) == OM_OK) {
        (void)uv_run(&c.loop, UV_RUN_DEFAULT);
        CHECK_EQ(c.times, 1);
    }
    CHECK_EQ(uv_loop_close(&c.loop), 0);
out:
    return c.result;
}

OM_TEST(dial_connects)
{
    uint16_t port = 0;
    int fd = open_port(&port, true);

    OM_TRY(dial("127.0.0.1", port, NULL) == OM_DIAL_OK);
out:
    (void)close(fd);
}

OM_TEST(dial_says_why_not)
{
    uint16_t port = 0, open = 0;
    int fd = open_port(&port, false), control = open_port(&open, true);

    OM_TRY(dial("127.0.0.1", open, NULL) == OM_DIAL_OK);
    OM_TRY(dial("127.0.0.1", port, NULL) == OM_DIAL_REFUSED);
    OM_TRY(dial("no-such-host.invalid", port, NULL) == OM_DIAL_NO_SUCH_HOST);
    CHECK_EQ(om_dial_result_of(om_dial_word(OM_DIAL_REFUSED)), OM_DIAL_REFUSED);
    CHECK_EQ(om_dial_result_of("nonsense"), OM_DIAL_FAILURE);
    CHECK(strstr(om_dial_text(OM_DIAL_REFUSED), "refused") != NULL);
out:
    (void)close(fd);
    (void)close(control);
}

/* localhost is ::1 first on most machines, where nobody listens here. */
OM_TEST(dial_takes_the_next_address)
{
    uint16_t port = 0;
    int fd = open_port(&port, true);

    OM_TRY(dial("localhost", port, NULL) == OM_DIAL_OK);
out:
    (void)close(fd);
}

static bool none(const void *rules OM_UNUSED, const struct om_addr *a)
{
    return om_addr_classify(a) == OM_ADDR_GLOBAL;
}

OM_TEST(dial_asks_the_rules)
{
    uint16_t port = 0;
    int fd = open_port(&port, true);

    OM_TRY(dial("127.0.0.1", port, NULL) == OM_DIAL_OK);
    OM_TRY(dial("127.0.0.1", port, none) == OM_DIAL_NOT_ALLOWED);
out:
    (void)close(fd);
}

static void fill(void *self OM_UNUSED, void *dst, size_t n)
{
    memset(dst, 7, n);
}

/* Nobody answers at its resolver's port; the control needs no resolver. */
OM_TEST(dial_asks_whom_it_is_told)
{
    struct call c = {.result = OM_DIAL_OK};
    uint16_t port = 0;
    int fd = open_port(&port, true);
    const struct om_addr nobody = om_addr_v4(INADDR_LOOPBACK, 9);
    struct om_dial_config config = {.loop = &c.loop, .port = port, .done = on_done, .self = &c};
    const struct om_dns_exit_config names = {
        .loop = &c.loop, .rng = {.fill = fill}, .upstreams = &nobody, .count = 1};
    static const struct {
        const char *host;
        enum om_dial_result want;
    } cases[] = {{"127.0.0.1", OM_DIAL_OK}, {"some.test", OM_DIAL_TIMEOUT}};

    for (size_t i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        OM_TRY(uv_loop_init(&c.loop) == 0);
        if (om_dns_exit_open(&config.names, &names) == OM_OK) {
            config.host = cases[i].host;
            c.dial = NULL;
            if (om_dial(&c.dial, &config) == OM_OK) {
                for (c.times = 0; c.times == 0;)
                    (void)uv_run(&c.loop, UV_RUN_ONCE);
                CHECK(c.result == cases[i].want || c.result == OM_DIAL_FAILURE);
            }
            om_dns_exit_close(config.names);
        }
        (void)uv_run(&c.loop, UV_RUN_DEFAULT);
        CHECK_EQ(uv_loop_close(&c.loop), 0);
    }
out:
    (void)close(fd);
}

OM_TEST(dial_leaves_descriptors)
{
    enum { LIMIT = 256 };
    struct call c = {.result = OM_DIAL_FAILURE};
    struct rlimit before, few;
    uint16_t port = 0;
    int fd = open_port(&port, true);
    struct om_dial_config config = {
        .loop = &c.loop, .host = "127.0.0.1", .port = port, .done = on_done, .self = &c};
    static const struct {
        unsigned reserve;
        enum om_dial_result want;
    } cases[] = {{LIMIT, OM_DIAL_BUSY}, {LIMIT / 2, OM_DIAL_OK}, {0, OM_DIAL_OK}};

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = LIMIT;
    OM_TRY(setrlimit(RLIMIT_NOFILE, &few) == 0);
    for (size_t i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        OM_TRY(uv_loop_init(&c.loop) == 0);
        config.reserve = cases[i].reserve;
        if (om_dial(&c.dial, &config) == OM_OK)
            (void)uv_run(&c.loop, UV_RUN_DEFAULT);
        CHECK_EQ(c.result, cases[i].want);
        CHECK_EQ(uv_loop_close(&c.loop), 0);
    }
    CHECK_EQ(c.times, OM_ARRAY_SIZE(cases));
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
out:
    (void)close(fd);
}

OM_TEST(dial_can_be_cancelled)
{
    struct call c = {.times = 0};
    uint16_t port = 0;
    int fd = open_port(&port, true);
    const struct om_dial_config config = {
        .loop = &c.loop, .host = "127.0.0.1", .port = port, .done = on_done, .self = &c};

    OM_TRY(uv_loop_init(&c.loop) == 0);
    if (om_dial(&c.dial, &config) == OM_OK) {
        om_dial_cancel(c.dial);
        (void)uv_run(&c.loop, UV_RUN_DEFAULT);
    }
    CHECK_EQ(c.times, 0);
    CHECK_EQ(uv_loop_close(&c.loop), 0);
out:
    (void)close(fd);
}
