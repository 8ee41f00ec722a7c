/* udp_socket.c - libuv's UDP with addresses of the mesh. */
#include "tunnels/udp_socket.h"

#include <netinet/in.h>
#include <string.h>

enum { BATCH = 16, SLOT = 64 * 1024 }; /* libuv's own size of a slot */

static const struct sockaddr *sockaddr_of(struct sockaddr_storage *out, const struct om_addr *a)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

    memset(out, 0, sizeof *out);
    if (om_addr_is_v4(a)) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(a->port);
        memcpy(&v4->sin_addr, a->ip + 12, sizeof v4->sin_addr);
    } else {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(a->port);
        memcpy(&v6->sin6_addr, a->ip, sizeof v6->sin6_addr);
    }
    return (const struct sockaddr *)out;
}

int tunnel_udp_socket_init(uv_loop_t *loop, uv_udp_t *u)
{
    return uv_udp_init_ex(loop, u, AF_UNSPEC | UV_UDP_RECVMMSG);
}

bool tunnel_udp_socket_from(struct om_addr *out, const struct sockaddr *sa)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)sa;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;

    if (sa->sa_family == AF_INET) {
        *out = om_addr_v4(ntohl(v4->sin_addr.s_addr), ntohs(v4->sin_port));
        return true;
    }
    if (sa->sa_family != AF_INET6)
        return false;
    *out = (struct om_addr){.port = ntohs(v6->sin6_port)};
    memcpy(out->ip, &v6->sin6_addr, sizeof out->ip);
    return true;
}

static void on_alloc(uv_handle_t *h OM_UNUSED, size_t hint OM_UNUSED, uv_buf_t *buf)
{
    static char buffer[BATCH * SLOT]; /* of one socket at a time, and used at once */

    *buf = uv_buf_init(buffer, sizeof buffer);
}

int tunnel_udp_socket_bind(uv_udp_t *u, struct om_addr *at, uv_udp_recv_cb on_datagram)
{
    struct sockaddr_storage sa;
    int size = (int)sizeof sa, e = uv_udp_bind(u, sockaddr_of(&sa, at), 0);

    if (e == 0)
        e = uv_udp_recv_start(u, on_alloc, on_datagram);
    if (e == 0)
        e = uv_udp_getsockname(u, (struct sockaddr *)&sa, &size);
    if (e == 0)
        at->port = ntohs(((const struct sockaddr_in *)&sa)->sin_port);
    return e;
}

int tunnel_udp_socket_connect(uv_udp_t *u, const struct om_addr *to, uv_udp_recv_cb on_datagram)
{
    struct sockaddr_storage sa;
    int e = uv_udp_connect(u, sockaddr_of(&sa, to));

    return e == 0 ? uv_udp_recv_start(u, on_alloc, on_datagram) : e;
}

bool tunnel_udp_socket_send(uv_udp_t *u, const struct om_addr *to, struct om_bytes head,
                            struct om_bytes b)
{
    struct sockaddr_storage sa;
    uv_buf_t v[2] = {{.len = head.n}, {.len = b.n}};

    memcpy(&v[0].base, &head.p, sizeof v[0].base); /* libuv only reads, and knows no const */
    memcpy(&v[1].base, &b.p, sizeof v[1].base);
    return uv_udp_try_send(u, v, 2, to ? sockaddr_of(&sa, to) : NULL) >= 0;
}
