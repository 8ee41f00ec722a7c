/* opener.c - send datagrams with a TTL from many sockets, and tell what comes of it. */
#include <stdio.h>
#include <stdlib.h>

#include "host/udp.h"

enum { EXIT_USAGE = 2 };

static void print_from(const char *what, uint32_t number, const struct om_addr *from)
{
    char text[OM_ADDR_TEXT];

    printf("%s %u %s\n", what, number, om_addr_print(from, text));
}

/* Sockets are counted from 1; 0 is the main one. */
static void on_batch(void *self, struct om_dgram *batch, unsigned count)
{
    (void)self;
    for (unsigned i = 0; i < count; i++) {
        uint32_t s = batch[i].via.socket;
        print_from("in", s >= OM_SOCKET_FIRST ? s - OM_SOCKET_FIRST + 1 : 0, &batch[i].via.remote);
    }
}

static void on_hop(void *self, unsigned ttl, const struct om_addr *router)
{
    (void)self;
    print_from("hop", ttl, router);
}

static bool send_all(struct om_udp *u, const struct om_addr *to, unsigned sockets, uint8_t ttl)
{
    for (uint32_t i = 0; i <= sockets; i++) {
        struct om_udp_out o = {.via = {.remote = *to, .socket = i ? OM_SOCKET_FIRST + i - 1 : 0},
                               .bytes = om_bytes("opener", 6),
                               .ttl = ttl};
        if (om_udp_send(u, &o, 1) != 1)
            return false;
    }
    return true;
}

/* Runs until it is killed. */
int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    struct om_udp_config c = {.loop = loop, .on_batch = on_batch, .on_hop = on_hop};
    struct om_udp_info info;
    struct om_error err;
    struct om_udp *u;
    struct om_addr to;

    if (argc != 4 || om_addr_parse(&to, argv[3], 0, &err) != OM_OK) {
        fprintf(stderr, "usage: omerta-lab-opener TTL SOCKETS ADDRESS:PORT\n");
        return EXIT_USAGE;
    }
    unsigned long ttl = strtoul(argv[1], NULL, 10), sockets = strtoul(argv[2], NULL, 10);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    c.v4 = om_addr_is_v4(&to);
    c.v6 = !c.v4;
    if (om_udp_open(&u, &c, &err) != OM_OK) {
        fprintf(stderr, "%s\n", err.msg);
        return EXIT_FAILURE;
    }
    om_udp_sockets(u, OM_SOCKET_FIRST, (unsigned)sockets, true);
    if (!send_all(u, &to, (unsigned)sockets, (uint8_t)ttl))
        return EXIT_FAILURE;
    om_udp_info(u, &info);
    printf("sent %u %u\n", (unsigned)info.datagrams_out, (unsigned)info.send_errors);
    return uv_run(loop, UV_RUN_DEFAULT);
}
