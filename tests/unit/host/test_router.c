/* test_router.c - what a router is asked, and what its answer means. */
#include "harness.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/router_check.h"
#include "netns.h"

enum { NATPMP_PORT = 5351, PATIENCE_S = 20 };

/* In a process of its own: answers one question for the external address (RFC 6886 section 3.2)
 * with result @code and the address 192.0.2.7. */
static pid_t answer_once(uint8_t code)
{
    const uint8_t answer[12] = {0, 128, 0, code, 0, 0, 0, 9, 192, 0, 2, 7};
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(NATPMP_PORT),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_bound = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    pid_t pid = is_bound ? fork() : -1;
    uint8_t asked[16];

    if (pid == 0) {
        alarm(PATIENCE_S);
        if (recvfrom(fd, asked, sizeof asked, 0, (struct sockaddr *)&at, &n) == 2)
            (void)!sendto(fd, answer, sizeof answer, 0, (const struct sockaddr *)&at, n);
        _exit(0);
    }
    if (fd >= 0)
        close(fd);
    return pid;
}

static void ask(uint8_t code, struct router_answer *out)
{
    pid_t pid = answer_once(code);

    *out = (struct router_answer){.has_gateway = true};
    CHECK(pid > 0);
    router_natpmp(htonl(INADDR_LOOPBACK), out);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

OM_TEST(router_check_reads_a_nat_pmp_answer)
{
    const char *why = netns_enter();
    struct router_answer a;

    if (why)
        skip();
    ask(0, &a);
    CHECK(a.has_natpmp && !a.has_upnp);
    CHECK_STR(a.external, "192.0.2.7");
    ask(2, &a); /* not authorized */
    CHECK(!a.has_natpmp);
    CHECK_STR(a.external, "");
}

OM_TEST(router_check_without_a_route_asks_nobody)
{
    const char *why = netns_enter();
    struct router_answer a = {.has_natpmp = true, .external = "x"};

    if (why)
        skip();
    router_check(&a);
    CHECK(!a.has_gateway && !a.has_natpmp && !a.has_upnp);
    CHECK_STR(a.external, "");
}

OM_TEST(router_check_sentence_for_each_outcome)
{
    struct router_answer a = {.gateway = "10.0.0.1"};
    char text[ROUTER_SENTENCE];

    CHECK(!router_sentence(&a, text));
    CHECK_STR(text, "no IPv4 router to ask for port mappings: where no direct way is found, relays "
                    "will be used");
    a.has_gateway = true;
    CHECK(!router_sentence(&a, text));
    CHECK_STR(text, "10.0.0.1 answers neither NAT-PMP nor UPnP IGD, so it makes no port mappings: "
                    "where no direct way is found, relays will be used");
    a.has_natpmp = true;
    CHECK(router_sentence(&a, text));
    CHECK_STR(text, "10.0.0.1 makes port mappings by NAT-PMP; external address not told");
    a.has_upnp = true;
    (void)snprintf(a.external, sizeof a.external, "192.0.2.7");
    CHECK(router_sentence(&a, text));
    CHECK_STR(text,
              "10.0.0.1 makes port mappings by NAT-PMP and UPnP IGD; external address 192.0.2.7");
    a.has_natpmp = false;
    CHECK(router_sentence(&a, text));
    CHECK_STR(text, "10.0.0.1 makes port mappings by UPnP IGD; external address 192.0.2.7");
}
