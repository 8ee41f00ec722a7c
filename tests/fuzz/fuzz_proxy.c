/*
 * fuzz_proxy.c - what a client says to a proxy port: any bytes
 *
 * The first byte says how the port is configured, in which pieces the bytes come and how their
 * wish ends: 1 asks for a password, 2 allows UDP, 4 for an answer that is not OK; the rest is the
 * size of a piece less one. The same bytes at once must lead to the same. They are then one
 * datagram of a UDP association too.
 */
#include <omerta/proxy.h>
#include <omerta/socks_udp.h>

#include "fuzz.h"

struct talk {
    struct om_proxy p;
    uint8_t out[2 * OM_PROXY_OUT_MAX];
    size_t out_n, used;
};

static void collect(struct talk *t)
{
    struct om_bytes out = om_proxy_output(&t->p);

    FUZZ_MUST(out.n <= sizeof t->out - t->out_n);
    memcpy(t->out + t->out_n, out.p, out.n);
    t->out_n += out.n;
    om_proxy_sent(&t->p, out.n);
}

static void check_target(const struct om_target *t)
{
    size_t n = strnlen(t->host, sizeof t->host);
    char ip[OM_IP_TEXT];

    FUZZ_MUST(n > 0 && n <= OM_TARGET_NAME_MAX);
    FUZZ_MUST(
        strspn(t->host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") == n);
    if (!t->is_name)
        FUZZ_MUST(strcmp(t->host, om_addr_ip_print(t->addr.ip, ip)) == 0);
    else
        FUZZ_MUST(!strchr(t->host, ':'));
}

static void check_same(const struct om_target *a, const struct om_target *b)
{
    FUZZ_MUST(a->is_name == b->is_name && om_addr_equal(&a->addr, &b->addr));
    FUZZ_MUST(strcmp(a->host, b->host) == 0);
}

/* The client is answered, and what it said ahead stays its tunnel's. */
static void answer(struct talk *t, uint8_t how)
{
    struct om_addr bound = om_addr_v4(0xc0000201, 80);

    check_target(&t->p.target);
    FUZZ_MUST(t->p.state != OM_PROXY_WANTS_UDP || t->p.config->allow_udp);
    FUZZ_MUST(t->p.state != OM_PROXY_WANTS_CONNECT || t->p.target.addr.port != 0);
    FUZZ_MUST(om_proxy_input(&t->p, om_bytes("x", 1)) == 0);
    om_proxy_answer(&t->p, how & 4 ? OM_PROXY_REFUSED : OM_PROXY_OK, &bound);
    FUZZ_MUST(t->p.state == (how & 4 ? OM_PROXY_FAILED : OM_PROXY_OPEN));
    FUZZ_MUST(om_proxy_input(&t->p, om_bytes("x", 1)) == (how & 4 ? 1 : 0));
    collect(t);
    FUZZ_MUST(t->out_n > 0);
}

static void feed(struct talk *t, const struct om_proxy_config *c, uint8_t how, struct om_bytes in,
                 size_t piece)
{
    *t = (struct talk){0};
    om_proxy_init(&t->p, c);
    for (size_t at = 0, n, used; at < in.n; at += n) {
        n = in.n - at < piece ? in.n - at : piece;
        used = om_proxy_input(&t->p, om_bytes(in.p + at, n));
        FUZZ_MUST(used <= n);
        t->used += used;
        collect(t);
        if (used < n)
            break;
    }
    FUZZ_MUST(t->p.state != OM_PROXY_OPEN);
    FUZZ_MUST((t->p.state == OM_PROXY_FAILED) == (t->p.why != NULL));
    FUZZ_MUST(t->p.state == OM_PROXY_WANTS_CONNECT || t->p.state == OM_PROXY_WANTS_UDP ||
              t->used == in.n);
    if (t->p.state == OM_PROXY_WANTS_CONNECT || t->p.state == OM_PROXY_WANTS_UDP)
        answer(t, how);
}

/* What is read of a datagram is read again from what is written of that. */
static void datagram(struct om_bytes in)
{
    uint8_t header[OM_SOCKS_UDP_HEADER_MAX];
    struct om_socks_udp u = {0};
    struct om_target to, again;
    struct om_bytes payload;

    if (!om_socks_udp_decode(&u, &to, &payload, in)) {
        FUZZ_MUST(u.fragments + u.malformed == 1);
        return;
    }
    FUZZ_MUST(payload.n < in.n);
    check_target(&to);
    size_t n = om_socks_udp_encode(om_mut(header, sizeof header), &to);
    FUZZ_MUST(n > 0 && om_socks_udp_decode(&u, &again, &payload, om_bytes(header, n)));
    FUZZ_MUST(u.fragments + u.malformed == 0 && payload.n == 0);
    check_same(&again, &to);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static struct talk pieces, whole; /* too big for a stack frame that is checked */
    struct om_proxy_config c = {0};

    if (size == 0)
        return 0;
    if (data[0] & 1)
        c.user = c.password = "a";
    c.allow_udp = (data[0] & 2) != 0;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    struct om_bytes in = om_bytes(copy, size - 1);
    feed(&pieces, &c, data[0], in, 1 + (data[0] >> 3));
    feed(&whole, &c, data[0], in, SIZE_MAX);
    FUZZ_MUST(pieces.p.state == whole.p.state && pieces.p.why == whole.p.why);
    FUZZ_MUST(pieces.used == whole.used && pieces.out_n == whole.out_n);
    FUZZ_MUST(memcmp(pieces.out, whole.out, whole.out_n) == 0);
    check_same(&pieces.p.target, &whole.p.target);
    om_proxy_fini(&pieces.p);
    om_proxy_fini(&whole.p);
    datagram(in);
    free(copy);
    return 0;
}
