/*
 * embed.c - the mesh inside of another program, with nothing but what libomerta-dev installs
 *
 *   embed                          says who and where it is, answers the first greeting, and ends
 *   embed ID@ADDRESS:PORT TEXT     greets that one, prints its answer, and ends
 *
 * What:  a node needs a socket, a clock, randomness and 32 secret bytes, all of which are its
 *        driver's: this is the smallest whole driver. plans/embedding.md goes through it.
 */
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <omerta/node.h>

#define CHANNEL "example.greeting" /* up to OM_CHANNEL_MAX bytes; "om." is the node's own */

enum { PATIENCE_S = 60, BLOCKS = 256, TEXT_MAX = 500 };

struct program {
    struct om_node *node;
    struct om_id network;
    int socket;
    const char *text; /* of who greets; NULL: of who answers */
    bool is_done;
};

static void fail(const char *what)
{
    fprintf(stderr, "embed: %s\n", what);
    exit(1);
}

/* The node's clock never goes back; that of the calendar is another, and is told apart. */
static om_time now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return OM_SEC(t.tv_sec) + t.tv_nsec / 1000;
}

static void fill(void *self, void *dst, size_t n)
{
    (void)self;
    if (getrandom(dst, n, 0) != (ssize_t)n)
        abort();
}

/* ---- what the node wants done ---- */

static void put_on_the_wire(struct program *p, const struct om_act_send *send)
{
    struct om_bytes bytes = om_sealed_bytes(send->dgram);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(send->via.remote.port)};

    memcpy(&to.sin_addr, send->via.remote.ip + 12, 4);
    /* One that does not leave is lost, as any may be on its way. */
    (void)!sendto(p->socket, bytes.p, bytes.n, 0, (struct sockaddr *)&to, sizeof to);
    om_node_sent(p->node, send->dgram);
}

static void take(struct program *p, const struct om_act_deliver *d)
{
    char answer[TEXT_MAX + 16];
    int n = snprintf(answer, sizeof answer, "you said: %.*s",
                     (int)(d->data.n < TEXT_MAX ? d->data.n : TEXT_MAX), (const char *)d->data.p);

    if (p->text) {
        printf("%.*s\n", (int)d->data.n, (const char *)d->data.p);
        p->is_done = true;
        if (om_node_close(p->node, now(), &d->network, &d->peer, OM_CLOSE_DONE, NULL) != OM_OK)
            fail("no goodbye");
        return;
    }
    if (om_node_send(p->node, now(), &d->network, &d->peer, CHANNEL, om_bytes(answer, (size_t)n)) !=
        OM_OK)
        fail("no answer could be sent");
}

static void drain(struct program *p)
{
    struct om_act act;

    while (om_node_next(p->node, &act))
        switch (act.kind) {
        case OM_ACT_SEND:
            put_on_the_wire(p, &act.send);
            break;
        case OM_ACT_DELIVER:
            if (strcmp(act.deliver.channel, CHANNEL) == 0)
                take(p, &act.deliver);
            break;
        case OM_ACT_EVENT:
            p->is_done |= act.event.kind == OM_EVENT_CLOSED;
            break;
        case OM_ACT_CALL: /* who calls waits until it hears something */
            (void)!om_node_refuse(p->node, now(), act.call.call, "not_here", NULL);
            break;
        default:
            /* What was asked for by nothing above, or what this program can do without: a real
             * one keeps OM_ACT_REMEMBER on disk, so that old handshakes stay refused. */
            break;
        }
}

/* ---- what happens to it ---- */

static void hear(struct program *p)
{
    uint8_t data[2048];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(p->socket, data, sizeof data, 0, (struct sockaddr *)&from, &size);
    struct om_dgram d = {.data = data, .len = n > 0 ? (size_t)n : 0};

    if (n <= 0)
        return;
    d.via.remote = om_addr_v4(ntohl(from.sin_addr.s_addr), ntohs(from.sin_port));
    om_node_input(p->node, now(), &d, 1);
    drain(p); /* the datagram's memory is the node's until here */
}

static void run(struct program *p)
{
    om_time end = now() + OM_SEC(PATIENCE_S);

    while (!p->is_done) {
        struct pollfd fd = {.fd = p->socket, .events = POLLIN};
        om_time at = om_time_min(om_node_deadline(p->node), end), left = at - now();

        if (now() >= end)
            fail("nobody there");
        if (poll(&fd, 1, left > 0 ? (int)(left / 1000) + 1 : 0) > 0)
            hear(p);
        om_node_tick(p->node, now());
        drain(p);
    }
}

/* ---- beginning and end ---- */

static struct om_addr open_socket(struct program *p)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;

    p->socket = socket(AF_INET, SOCK_DGRAM, 0);
    if (p->socket < 0 || bind(p->socket, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(p->socket, (struct sockaddr *)&at, &size) != 0)
        fail("no socket");
    return om_addr_v4(INADDR_LOOPBACK, ntohs(at.sin_port));
}

/* The network `default` is everybody's: a program of its own has another secret, or members. */
static void enter(struct program *p, struct om_pool *pool)
{
    uint8_t seed[32];
    struct timespec t;
    struct om_network_config net;
    struct om_error err;
    struct om_node_config config = {
        .home_seed = seed, .rng = {fill, NULL}, .pool = pool, .lock_secrets = true};

    fill(NULL, seed, sizeof seed); /* a real one keeps it: it is who the node is */
    clock_gettime(CLOCK_REALTIME, &t);
    config.wall.unix_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    om_limits_default(&config.limits);
    if (om_node_new(&p->node, &config, now(), &err) != OM_OK)
        fail(err.msg);
    om_network_default(&net);
    net.gossip = false; /* it knows whom it wants */
    if (om_node_join(p->node, &net, &err) != OM_OK)
        fail(err.msg);
    p->network = net.id;
}

static void greet(struct program *p, char *who)
{
    struct om_id peer;
    struct om_addr addr;
    struct om_error err;
    char *at = strchr(who, '@');

    if (!at)
        fail("want ID@ADDRESS:PORT");
    *at = '\0';
    if (om_id_parse(&peer, who, &err) != OM_OK || om_addr_parse(&addr, at + 1, 0, &err) != OM_OK)
        fail(err.msg);
    /* It waits in the node until there is a session, which this begins. */
    if (om_node_connect(p->node, now(), &p->network, &peer, &addr, 1) != OM_OK ||
        om_node_send(p->node, now(), &p->network, &peer, CHANNEL,
                     om_bytes(p->text, strlen(p->text))) != OM_OK)
        fail("no such peer");
    drain(p);
}

int main(int argc, char **argv)
{
    struct program p = {.text = argc == 3 ? argv[2] : NULL};
    struct om_pool *pool = om_pool_new(OM_BLOCK_BYTES, BLOCKS);
    struct om_addr here = open_socket(&p);
    char id[OM_ID_TEXT], addr[OM_ADDR_TEXT];

    if (!pool)
        fail("no memory");
    enter(&p, pool);
    if (p.text)
        greet(&p, argv[1]);
    else
        printf("%s@%s\n", om_id_print(om_node_id(p.node, &p.network), id),
               om_addr_print(&here, addr));
    fflush(stdout);
    run(&p);
    om_node_free(p.node);
    om_pool_free(pool);
    close(p.socket);
    return 0;
}
