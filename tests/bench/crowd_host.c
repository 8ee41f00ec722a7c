/*
 * crowd_host.c - omerta-crowd: many nodes in one process, all of which meet one daemon
 *
 * omerta-crowd [--quiet] COUNT PEER@IP:PORT
 *
 * Each node has an address of its own on the loopback, so the daemon's limits on initiations from
 * one source do not hold it up. With --quiet they do not gossip, so the daemon has that many peers
 * who know only it. Prints "up N" whenever the number of standing sessions changed, at most ten
 * times a second, and runs until its stdin ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <uv.h>

#include <omerta/info.h>

#include <arpa/inet.h>

#include "bootstrap.h"
#include "host/clock.h"
#include "host/entropy.h"
#include "host/pump.h"

enum { COUNT_MAX = 2000, SOCKET_BYTES = 128 << 10, SAY_MS = 100, FIRST_IP = 0x7f010001 };

struct one {
    struct om_pump *pump;
    uint8_t seed[32];
    bool is_up;
};

static struct one crowd[COUNT_MAX];
static struct om_bootstrap target;
static struct om_addr target_addr;
static unsigned up, said;

static void on_act(void *self, const struct om_act *act)
{
    struct one *o = self;

    if (act->kind == OM_ACT_EVENT && act->event.kind == OM_EVENT_SESSION_UP && !o->is_up &&
        om_id_equal(&act->event.peer, &target.peer)) {
        o->is_up = true;
        up++;
    }
}

static void fail(const char *what, const struct om_error *err)
{
    fprintf(stderr, "omerta-crowd: %s: %s\n", what, err->msg);
    exit(1);
}

/* As a daemon does: else nobody but the target could be reached, and all would ask it alone. */
static void announce(struct one *o, const struct om_network_config *net, uint32_t ip)
{
    struct om_announce a = {.end_count = 1};
    struct om_udp_info udp;

    om_udp_info(om_pump_udp(o->pump), &udp);
    a.ends[0] = om_addr_v4(ip, udp.port);
    if (om_node_announce(om_pump_node(o->pump), om_clock_now(), &net->id, &a) != OM_OK) {
        fprintf(stderr, "omerta-crowd: cannot announce\n");
        exit(1);
    }
}

static void add(struct one *o, uv_loop_t *loop, const struct om_network_config *net, uint32_t ip)
{
    struct om_rng rng = om_entropy();
    struct om_pump_config c = {
        .loop = loop,
        .node = {.home_seed = o->seed, .rng = rng, .wall = om_clock_wall()},
        .udp = {.v4 = true, .bind4 = om_addr_v4(ip, 0), .buffer_bytes = SOCKET_BYTES},
        .on_act = on_act,
        .self = o};
    struct om_error err = {0};

    rng.fill(rng.self, o->seed, sizeof o->seed);
    om_limits_default(&c.node.limits);
    if (om_pump_open(&o->pump, &c, &err) != OM_OK ||
        om_node_join(om_pump_node(o->pump), net, &err) != OM_OK)
        fail("node", &err);
    if (om_node_connect(om_pump_node(o->pump), om_clock_now(), &net->id, &target.peer, &target_addr,
                        1) != OM_OK)
        fail("connect", &err);
    if (net->gossip)
        announce(o, net, ip);
    om_pump_kick(o->pump);
}

static void on_say(uv_timer_t *t)
{
    (void)t;
    if (up != said) {
        said = up;
        printf("up %u\n", up);
        (void)fflush(stdout);
    }
}

static void on_stdin(uv_poll_t *handle, int status, int events)
{
    (void)handle;
    (void)status;
    (void)events;
    exit(0); /* whoever started us is done or gone; what we hold goes with us */
}

static void allow_many_files(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &r);
    }
}

int main(int argc, char **argv)
{
    bool is_quiet = argc == 4 && strcmp(argv[1], "--quiet") == 0;
    long count = argc == 3 + is_quiet ? strtol(argv[1 + is_quiet], NULL, 10) : 0;
    struct om_network_config net;
    struct om_error err = {0};
    struct in_addr ip;
    uv_loop_t loop;
    uv_poll_t input;
    uv_timer_t say;

    if (count < 1 || count > COUNT_MAX) {
        fprintf(stderr, "usage: omerta-crowd [--quiet] COUNT PEER@IP:PORT, COUNT up to %d\n",
                COUNT_MAX);
        return 2;
    }
    if (om_bootstrap_parse(&target, argv[2 + is_quiet], &err) != OM_OK)
        fail(argv[2 + is_quiet], &err);
    if (inet_pton(AF_INET, target.host, &ip) != 1) {
        fprintf(stderr, "omerta-crowd: %s: want an IPv4 address\n", target.host);
        return 2;
    }
    target_addr = om_addr_v4(ntohl(ip.s_addr), target.port);
    allow_many_files();
    om_network_default(&net);
    net.gossip = !is_quiet;
    if (uv_loop_init(&loop) != 0 || uv_poll_init(&loop, &input, 0) != 0 ||
        uv_poll_start(&input, UV_READABLE | UV_DISCONNECT, on_stdin) != 0 ||
        uv_timer_init(&loop, &say) != 0 || uv_timer_start(&say, on_say, SAY_MS, SAY_MS) != 0)
        fail("loop", &err);
    for (long i = 0; i < count; i++) {
        add(&crowd[i], &loop, &net, FIRST_IP + (uint32_t)i);
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    return uv_run(&loop, UV_RUN_DEFAULT);
}
