/*
 * test_lwip.c - lwIP with our options: two interfaces back to back, in one process
 *
 * What:  a TCP connection from one interface's address to the other's carries 1 MiB each way.
 * Why:   it proves the options, the driven clock and the source that was fetched, before anything
 *        of ours stands on them.
 *
 * No sockets and no clock: frames wait in a ring, and time jumps to TCP's next tick whenever
 * the ring is empty.
 */
#include "harness.h"
#include "packet/cksum.h"

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

enum {
    TRANSFER_BYTES = 1024 * 1024,
    LINK_MTU = 1400,
    LINK_FRAMES_MAX = 8192, /* two windows of 1 MiB in frames of 1400, and their answers */
    PORT = 7,
    CHUNK_BYTES = 4096,
    LIMIT_MS = 600 * 1000 /* of virtual time; SYNs are given up before */
};

struct frame {
    struct pbuf *bytes;
    struct netif *to;
};

/* The wire between the two interfaces. */
struct link {
    struct netif end[2];
    struct frame queue[LINK_FRAMES_MAX];
    unsigned head, count, sent, dropped;
    unsigned drop_every; /* each n-th frame is lost; 0: none, 1: all */
};

/* One end of the connection. */
struct side {
    struct tcp_pcb *pcb;
    uint8_t salt; /* makes the two directions differ */
    uint32_t written, read;
    bool is_connected, is_finished;
    unsigned wrong_bytes;
    err_t error;
};

static struct link wire;
static struct side client, server;
static uint32_t now_ms, rand_state;

uint32_t om_lwip_rand(void)
{
    rand_state = rand_state * 1664525 + 1013904223; /* the test's alone: every run is the same */
    return rand_state;
}

uint16_t om_lwip_chksum(const void *data, int n)
{
    return lwip_htons((uint16_t)om_cksum_add(0, om_bytes(data, (size_t)n)));
}

static uint8_t expected(uint8_t salt, uint32_t at)
{
    return (uint8_t)(at * 131 + (at >> 8) * 7 + salt);
}

static err_t link_send(struct netif *from, struct pbuf *p)
{
    bool is_lost = wire.drop_every && (wire.sent + 1) % wire.drop_every == 0;

    wire.sent++;
    if (is_lost || wire.count == LINK_FRAMES_MAX) {
        wire.dropped++;
        return ERR_OK;
    }
    struct frame *f = &wire.queue[(wire.head + wire.count) % LINK_FRAMES_MAX];
    f->bytes = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
    f->to = from == &wire.end[0] ? &wire.end[1] : &wire.end[0];
    if (!f->bytes)
        return ERR_MEM;
    wire.count++;
    return ERR_OK;
}

static err_t link_send_v4(struct netif *from, struct pbuf *p, const ip4_addr_t *to OM_UNUSED)
{
    return link_send(from, p);
}

static err_t link_send_v6(struct netif *from, struct pbuf *p, const ip6_addr_t *to OM_UNUSED)
{
    return link_send(from, p);
}

static void link_deliver(void)
{
    struct frame f = wire.queue[wire.head];

    wire.head = (wire.head + 1) % LINK_FRAMES_MAX;
    wire.count--;
    if (f.to->input(f.bytes, f.to) != ERR_OK)
        pbuf_free(f.bytes);
}

static err_t end_init(struct netif *end)
{
    end->name[0] = 't';
    end->name[1] = 'n';
    end->mtu = LINK_MTU;
    end->output = link_send_v4;
    end->output_ip6 = link_send_v6;
    return ERR_OK;
}

static void address(ip_addr_t *out, int family, uint8_t host)
{
    if (family == 4)
        IP_ADDR4(out, 10, 0, 0, host);
    else
        IP_ADDR6(out, PP_HTONL(0xfd000000), 0, 0, lwip_htonl(host));
}

static void end_up(struct netif *end, uint8_t host)
{
    ip_addr_t v4, v6, mask;
    s8_t slot = -1;

    address(&v4, 4, host);
    address(&v6, 6, host);
    IP_ADDR4(&mask, 255, 255, 255, 0);
    CHECK(netif_add(end, ip_2_ip4(&v4), ip_2_ip4(&mask), NULL, NULL, end_init, ip_input) == end);
    CHECK_EQ(netif_add_ip6_address(end, ip_2_ip6(&v6), &slot), ERR_OK);
    netif_ip6_addr_set_state(end, slot, IP6_ADDR_PREFERRED);
    netif_set_link_up(end);
    netif_set_up(end);
}

static void setup(unsigned drop_every)
{
    static bool is_running;

    now_ms = 1000;
    rand_state = 7;
    if (!is_running)
        lwip_init();
    is_running = true;
    memset(&wire, 0, sizeof wire);
    memset(&client, 0, sizeof client);
    memset(&server, 0, sizeof server);
    client.salt = 1;
    server.salt = 2;
    wire.drop_every = drop_every;
    end_up(&wire.end[0], 1);
    end_up(&wire.end[1], 2);
}

static void write_more(struct side *s)
{
    uint8_t chunk[CHUNK_BYTES];

    while (s->written < TRANSFER_BYTES && s->pcb->snd_buf >= CHUNK_BYTES) {
        for (uint32_t i = 0; i < CHUNK_BYTES; i++)
            chunk[i] = expected(s->salt, s->written + i);
        if (tcp_write(s->pcb, chunk, CHUNK_BYTES, TCP_WRITE_FLAG_COPY) != ERR_OK)
            break; /* the queue is full: goes on in on_sent() */
        s->written += CHUNK_BYTES;
    }
    tcp_output(s->pcb);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb OM_UNUSED, u16_t n OM_UNUSED)
{
    write_more(arg);
    return ERR_OK;
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err OM_UNUSED)
{
    struct side *s = arg;
    const struct side *far = s == &client ? &server : &client;

    if (!p) {
        s->is_finished = true;
        return ERR_OK;
    }
    for (const struct pbuf *q = p; q; q = q->next)
        for (unsigned i = 0; i < q->len; i++)
            s->wrong_bytes += ((const uint8_t *)q->payload)[i] != expected(far->salt, s->read++);
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static void on_error(void *arg, err_t err)
{
    struct side *s = arg;

    s->error = err;
    s->pcb = NULL; /* lwIP has freed it */
}

static void side_start(struct side *s, struct tcp_pcb *pcb)
{
    s->pcb = pcb;
    s->is_connected = true;
    tcp_arg(pcb, s);
    tcp_recv(pcb, on_recv);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    write_more(s);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    CHECK_EQ(err, ERR_OK);
    side_start(arg, pcb);
    return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    CHECK_EQ(err, ERR_OK);
    side_start(arg, pcb);
    return ERR_OK;
}

/* Frames first; when none waits, time jumps to the next tick. True once @done holds. */
static bool run_until(bool (*done)(void))
{
    while (!done()) {
        if (wire.count) {
            link_deliver();
            continue;
        }
        if (now_ms > LIMIT_MS)
            return false;
        now_ms += TCP_TMR_INTERVAL;
        tcp_tmr();
    }
    return true;
}

static bool all_arrived(void)
{
    return client.read == TRANSFER_BYTES && server.read == TRANSFER_BYTES;
}

static bool both_finished(void)
{
    return client.is_finished && server.is_finished;
}

static bool client_failed(void)
{
    return client.error != ERR_OK;
}

/* Connects over @family; each interface's packets leave through it alone, never by a short cut. */
static struct tcp_pcb *open_connection(int family)
{
    ip_addr_t from, to;
    struct tcp_pcb *door = tcp_new_ip_type(IPADDR_TYPE_ANY);
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);

    address(&from, family, 1);
    address(&to, family, 2);
    CHECK(door && pcb);
    CHECK_EQ(tcp_bind(door, &to, PORT), ERR_OK);
    tcp_bind_netif(door, &wire.end[1]);
    door = tcp_listen(door);
    CHECK(door);
    tcp_arg(door, &server);
    tcp_accept(door, on_accept);

    CHECK_EQ(tcp_bind(pcb, &from, 0), ERR_OK);
    tcp_bind_netif(pcb, &wire.end[0]);
    client.pcb = pcb;
    tcp_arg(pcb, &client);
    tcp_err(pcb, on_error);
    CHECK_EQ(tcp_connect(pcb, &to, PORT, on_connected), ERR_OK);
    return door;
}

static void teardown(struct tcp_pcb *door)
{
    tcp_close(door);
    if (client.pcb)
        tcp_abort(client.pcb);
    if (server.pcb)
        tcp_abort(server.pcb);
    while (wire.count)
        link_deliver();
    for (unsigned i = 0; i < 2; i++)
        netif_remove(&wire.end[i]);
}

static void exchange(int family, unsigned drop_every)
{
    setup(drop_every);
    struct tcp_pcb *door = open_connection(family);

    CHECK(run_until(all_arrived));
    CHECK_EQ(client.wrong_bytes + server.wrong_bytes, 0);
    CHECK(wire.sent > 2 * TRANSFER_BYTES / LINK_MTU); /* by the wire, not by a short cut */
    CHECK(client.pcb->snd_wnd_max > UINT16_MAX);      /* windows are scaled */
    CHECK(!client.is_finished && !server.is_finished);
    CHECK_EQ(tcp_shutdown(client.pcb, 0, 1), ERR_OK);
    CHECK_EQ(tcp_shutdown(server.pcb, 0, 1), ERR_OK);
    CHECK(run_until(both_finished));
    CHECK_EQ(wire.dropped != 0, drop_every != 0);
    teardown(door);
}

OM_TEST(lwip_moves_bytes_both_ways_v4)
{
    exchange(4, 0);
}

OM_TEST(lwip_moves_bytes_both_ways_v6)
{
    exchange(6, 0);
}

OM_TEST(lwip_sends_lost_frames_again)
{
    exchange(4, 50);
}

OM_TEST(lwip_does_not_connect_over_a_dead_link)
{
    setup(1);
    struct tcp_pcb *door = open_connection(4);

    CHECK(run_until(client_failed));
    CHECK_EQ(client.error, ERR_ABRT);
    CHECK(!client.is_connected && !server.is_connected);
    CHECK(wire.sent > 1); /* it tried, and tried again */
    CHECK_EQ(wire.sent, wire.dropped);
    teardown(door);
}
