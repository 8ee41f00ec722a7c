/*
 * rogue_peer.c - omerta-rogue: a peer that does what no daemon of ours does
 *
 * omerta-rogue PEER@IP:PORT
 *
 * What:  one node that meets one daemon. It prints "self ID", "up" once they met, and obeys lines:
 *          call METHOD ARGS   asks the daemon; the call is never ended, nor given up
 *          answer TEXT        from now on calls are accepted, and TEXT is the one line said; but
 *                             of jobs nothing is ever said
 *          silence            from now on calls are accepted, and nothing is said
 *          stops              from now on calls are accepted, and what they bring is unwanted
 *        and tells "so" once that holds, "said N TEXT" for each line that came on call N, "ok N",
 *        "refused N TEXT", "over N" when the daemon gave up call N, "asked METHOD" for each call of
 *        the daemon's.
 * Why:   what a provider and a consumer bear of each other is tested with one that means ill.
 *
 * It ends with its stdin.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include <omerta/call.h>
#include <omerta/info.h>

#include <arpa/inet.h>

#include "bootstrap.h"
#include "host/clock.h"
#include "host/entropy.h"
#include "host/pump.h"
#include "node/call.h"

enum { LINE_BYTES = 4096, CALLS_MAX = 1024, ASK_S = 30, SOCKET_BYTES = 128 << 10 };

static struct om_bootstrap target;
static struct om_pump *pump;
static struct om_network_config net;
static uint64_t calls[CALLS_MAX];
static unsigned count;
static char text[LINE_BYTES]; /* what is answered; "": nothing */
static bool stops;

static void fail(const char *what, const struct om_error *err)
{
    fprintf(stderr, "omerta-rogue: %s: %s\n", what, err->msg);
    exit(1);
}

static unsigned number_of(uint64_t call)
{
    for (unsigned i = 0; i < count; i++)
        if (calls[i] == call)
            return i;
    return CALLS_MAX;
}

static void on_asked(const struct om_act_call *call)
{
    struct om_node *n = om_pump_node(pump);
    bool is_job = strcmp(call->method, "vm.job") == 0;
    uint64_t it = call->call;

    printf("asked %s\n", call->method);
    const struct node_call *c = node_call_find(n, it);
    if (stops && c) /* with the yes in one datagram: no program can ask for that */
        om_stream_stop(&c->peer->carrier->mux, c->stream, OM_CLOSE_CANCELLED);
    if (om_node_accept(n, om_clock_now(), it, om_bytes(NULL, 0)) != OM_OK)
        return;
    if (*text && !is_job)
        (void)!om_node_write(n, om_clock_now(), it, om_bytes(text, strlen(text)));
}

static void on_stream(const struct om_act_stream *s)
{
    struct om_node *n = om_pump_node(pump);
    unsigned i = number_of(s->call);
    struct om_bytes in;

    while (i < count && (in = om_node_read(n, s->call, NULL)).n > 0) {
        printf("said %u %.*s%s", i, (int)in.n, (const char *)in.p,
               in.p[in.n - 1] == '\n' ? "" : "\n"); /* what jobs say is no text */
        om_node_consume(n, om_clock_now(), s->call, in.n);
    }
    if (i < count && (s->news & (OM_CALL_RESET | OM_CALL_STOPPED)))
        printf("over %u\n", i);
}

static void on_act(void *self OM_UNUSED, const struct om_act *act)
{
    if (act->kind == OM_ACT_EVENT && act->event.kind == OM_EVENT_SESSION_UP)
        printf("up\n");
    else if (act->kind == OM_ACT_CALL)
        on_asked(&act->call);
    else if (act->kind == OM_ACT_REPLY && act->reply.is_ok)
        printf("ok %u\n", number_of(act->reply.call));
    else if (act->kind == OM_ACT_REPLY)
        printf("refused %u %.*s\n", number_of(act->reply.call), (int)act->reply.body.n,
               (const char *)act->reply.body.p);
    else if (act->kind == OM_ACT_STREAM)
        on_stream(&act->stream);
    (void)fflush(stdout);
}

static void ask(const char *method, const char *args)
{
    const struct om_call_config c = {.method = method,
                                     .args = om_bytes(args, strlen(args)),
                                     .priority = OM_NORMAL,
                                     .timeout = OM_SEC(ASK_S)};

    if (count == CALLS_MAX || om_node_call(om_pump_node(pump), om_clock_now(), &net.id,
                                           &target.peer, &c, &calls[count]) != OM_OK)
        printf("refused %u here\n", count);
    else
        count++;
    om_pump_kick(pump);
}

static void obey(char *line)
{
    char *args = strchr(line, ' ');

    if (args && strncmp(line, "call ", 5) == 0 && (args = strchr(args + 1, ' '))) {
        *args = '\0';
        ask(line + 5, args + 1);
    } else {
        if (strcmp(line, "silence") == 0)
            text[0] = '\0';
        else if (strcmp(line, "stops") == 0)
            stops = true;
        else if (strncmp(line, "answer ", 7) == 0)
            (void)snprintf(text, sizeof text, "%.4000s\n", line + 7);
        printf("so\n");
    }
    (void)fflush(stdout);
}

static void on_stdin(uv_poll_t *h OM_UNUSED, int status OM_UNUSED, int events OM_UNUSED)
{
    static char line[LINE_BYTES];
    static size_t n;
    ssize_t got = read(0, line + n, sizeof line - 1 - n);

    if (got <= 0)
        exit(0); /* whoever started us is done or gone */
    n += (size_t)got;
    for (char *end; (end = memchr(line, '\n', n));) {
        size_t whole = (size_t)(end - line) + 1;
        *end = '\0';
        obey(line);
        n -= whole;
        memmove(line, line + whole, n);
    }
}

int main(int argc, char **argv)
{
    static uint8_t seed[32];
    struct om_rng rng = om_entropy();
    struct om_error err = {0};
    char id[OM_ID_TEXT];
    struct in_addr ip;
    uv_loop_t loop;
    uv_poll_t input;

    if (argc != 2 || om_bootstrap_parse(&target, argv[1], &err) != OM_OK ||
        inet_pton(AF_INET, target.host, &ip) != 1) {
        fprintf(stderr, "usage: omerta-rogue PEER@IPV4:PORT\n");
        return 2;
    }
    rng.fill(rng.self, seed, sizeof seed);
    om_network_default(&net);
    if (uv_loop_init(&loop) != 0 || uv_poll_init(&loop, &input, 0) != 0 ||
        uv_poll_start(&input, UV_READABLE, on_stdin) != 0)
        fail("loop", &err);
    struct om_pump_config c = {
        .loop = &loop,
        .node = {.home_seed = seed, .rng = rng, .wall = om_clock_wall()},
        .udp = {.v4 = true, .bind4 = om_addr_v4(INADDR_LOOPBACK, 0), .buffer_bytes = SOCKET_BYTES},
        .on_act = on_act};
    struct om_addr to = om_addr_v4(ntohl(ip.s_addr), target.port);
    om_limits_default(&c.node.limits);
    if (om_pump_open(&pump, &c, &err) != OM_OK ||
        om_node_join(om_pump_node(pump), &net, &err) != OM_OK)
        fail("node", &err);
    if (om_node_connect(om_pump_node(pump), om_clock_now(), &net.id, &target.peer, &to, 1) != OM_OK)
        fail("connect", &err);
    printf("self %s\n", om_id_print(om_node_id(om_pump_node(pump), &net.id), id));
    (void)fflush(stdout);
    om_pump_kick(pump);
    return uv_run(&loop, UV_RUN_DEFAULT);
}
