/* test_portmap_speak.c - NAT-PMP with a router that a child plays; UPnP without one. */
#include "harness.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <omerta/bytes.h>

#include "host/clock.h"
#include "host/gateway.h"
#include "host/portmap_natpmp.h"
#include "host/portmap_upnp.h"
#include "netns.h"

enum { PATIENCE_S = 20, REPLY_MAX = 16 };

/* What the router says: to the question for its address, and to a mapping; n 0: nothing. */
struct script {
    uint8_t address[REPLY_MAX], mapping[REPLY_MAX];
    size_t address_n, mapping_n;
};

static const struct script good = {
    .address = {0, 128, 0, 0, 0, 0, 0, 9, 11, 0, 0, 1},
    .address_n = 12,
    .mapping = {0, 129, 0, 0, 0, 0, 0, 9, 0x46, 0x52, 0x46, 0x52, 0, 0, 0x0e, 0x10},
    .mapping_n = 16};

static void play(int fd, const struct script *s)
{
    struct sockaddr_in from;
    uint8_t asked[REPLY_MAX];

    alarm(PATIENCE_S);
    for (;;) {
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(fd, asked, sizeof asked, 0, (struct sockaddr *)&from, &size);
        bool is_mapping = n == 12;
        size_t len = is_mapping ? s->mapping_n : s->address_n;
        if (len > 0)
            (void)!sendto(fd, is_mapping ? s->mapping : s->address, len, 0,
                          (const struct sockaddr *)&from, size);
    }
}

/* A router on the loopback; its pid. */
static pid_t start(const struct script *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(NATPMP_PORT),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_bound = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    pid_t pid = is_bound ? fork() : -1;

    if (pid == 0)
        play(fd, s);
    if (fd >= 0)
        close(fd);
    return pid;
}

static void put(enum om_portmap_act_kind kind, struct om_portmap_answer *out)
{
    struct portmap_question q = {
        .act = {.kind = kind, .how = OM_PORTMAP_NATPMP, .inner = 0x4652, .outer = 0x4652},
        .until = om_clock_now() + OM_SEC(PATIENCE_S)};

    q.act.life_s = OM_PORTMAP_LIFE_S;
    portmap_natpmp_at(htonl(INADDR_LOOPBACK), &q, out);
}

static enum om_portmap_result ask(const struct script *s, struct om_portmap_answer *out)
{
    pid_t pid = start(s);

    CHECK(pid > 0);
    put(OM_PORTMAP_ACT_ASK, out);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return out->result;
}

OM_TEST(portmap_natpmp_maps_and_removes)
{
    struct om_portmap_answer a;
    struct om_addr external = om_addr_v4(0x0b000001, 18002);
    const char *why = netns_enter();

    if (why)
        skip();
    CHECK_EQ(ask(&good, &a), OM_PORTMAP_MAPPED);
    CHECK(om_addr_equal(&a.external, &external) && a.life_s == 3600);
    pid_t pid = start(&good);
    CHECK(pid > 0);
    put(OM_PORTMAP_ACT_REMOVE, &a);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK_EQ(a.result, OM_PORTMAP_UNASKED); /* of a removal nothing is said */
    CHECK_STR(a.why, "it was called off");
}

OM_TEST(portmap_natpmp_reads_a_refusal)
{
    static const struct {
        uint8_t code;
        enum om_portmap_result result;
    } codes[] = {{1, OM_PORTMAP_REFUSED}, {2, OM_PORTMAP_REFUSED}, {3, OM_PORTMAP_REFUSED},
                 {4, OM_PORTMAP_REFUSED}, {5, OM_PORTMAP_REFUSED}, {77, OM_PORTMAP_REFUSED}};
    struct om_portmap_answer a;
    const char *why = netns_enter();

    if (why)
        skip();
    for (unsigned i = 0; i < OM_ARRAY_SIZE(codes); i++) {
        struct script s = good;
        s.mapping[3] = codes[i].code;
        CHECK_EQ(ask(&s, &a), codes[i].result);
        CHECK(a.why[0]);
    }
}

OM_TEST(portmap_natpmp_checks_what_was_mapped)
{
    struct om_portmap_answer a;
    struct script s = good;
    const char *why = netns_enter();

    if (why)
        skip();
    s.mapping[9] ^= 1; /* the inner port */
    CHECK_EQ(ask(&s, &a), OM_PORTMAP_ABSURD);
    s = good;
    s.mapping[1] = 130; /* TCP */
    CHECK_EQ(ask(&s, &a), OM_PORTMAP_ABSURD);
    s = good;
    s.mapping[10] = s.mapping[11] = 0; /* what this is worth, the machine decides */
    CHECK_EQ(ask(&s, &a), OM_PORTMAP_MAPPED);
    CHECK_EQ(a.external.port, 0);
}

OM_TEST(portmap_natpmp_silence_ends)
{
    struct om_portmap_answer a;
    struct script s = good;
    const char *why = netns_enter();

    if (why)
        skip();
    put(OM_PORTMAP_ACT_ASK, &a); /* nobody listens: an ICMP error */
    CHECK_EQ(a.result, OM_PORTMAP_SILENT);
    s.mapping_n = 0;
    om_time began = om_clock_now();
    CHECK_EQ(ask(&s, &a), OM_PORTMAP_SILENT);
    CHECK(om_clock_now() - began < OM_SEC(10));
}

OM_TEST(portmap_upnp_without_a_route_asks_nobody)
{
    struct portmap_question q = {.act = {.kind = OM_PORTMAP_ACT_ASK, .how = OM_PORTMAP_UPNP},
                                 .until = om_clock_now() + OM_SEC(PATIENCE_S)};
    struct om_portmap_answer a;
    const char *why = netns_enter();

    if (why)
        skip();
    portmap_upnp(&q, &a);
    if (om_test_oom_hit())
        return;
    CHECK_EQ(a.result, OM_PORTMAP_SILENT);
    CHECK_STR(a.why, "no IPv4 router");
    portmap_natpmp(&q, &a);
    CHECK_STR(a.why, "no IPv4 router");
}

OM_TEST(portmap_upnp_error_words)
{
    struct om_portmap_answer a;

    portmap_upnp_error(718, &a);
    CHECK_EQ(a.result, OM_PORTMAP_CONFLICT);
    portmap_upnp_error(606, &a);
    CHECK_EQ(a.result, OM_PORTMAP_REFUSED);
    CHECK(strstr(a.why, "606"));
    portmap_upnp_error(-3, &a);
    CHECK_EQ(a.result, OM_PORTMAP_SILENT);
    portmap_upnp_error(-1, &a);
    CHECK_EQ(a.result, OM_PORTMAP_ABSURD);
}

OM_TEST(gateway_is_that_of_the_best_route)
{
    const char *why = netns_enter();

    if (why)
        skip();
    CHECK_EQ(gateway_find(), 0);
    CHECK(netns_ip("link set va up") && netns_ip("link set vb up"));
    CHECK(netns_ip("addr add 10.0.0.2/24 dev va"));
    CHECK(netns_ip("route add default via 10.0.0.9 metric 20"));
    OM_TRY(gateway_find() == htonl(0x0a000009));
    CHECK(netns_ip("route add default via 10.0.0.1 metric 10"));
    OM_TRY(gateway_find() == htonl(0x0a000001));
out:;
}
