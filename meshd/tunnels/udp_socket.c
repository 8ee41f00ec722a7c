/* udp_socket.c - libuv's UDP with addresses of the mesh. */
#include "tunnels/udp_socket.h"

#include <netinet/in.h>
#include <string.h>

static int sockaddr_of(struct sockaddr_storage *out, const struct om_addr *a)
{
    char text[OM_IP_TEXT];

    (void)om_addr_ip_print(a->ip, text);
    return om_addr_is_v4(a) ? uv_ip4_addr(text, a->port, (struct sockaddr_in *)out)
                            : uv_ip6_addr(text, a->port, (struct sockaddr_in6 *)out);
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
    static char buffer[TUNNEL_UDP_MAX]; /* one datagram at a time, read at once */

    *buf = uv_buf_init(buffer, sizeof buffer);
}

int tunnel_udp_socket_bind(uv_udp_t *u, struct om_addr *at, uv_udp_recv_cb on_datagram)
{
    struct sockaddr_storage sa;
    int size = (int)sizeof sa, e = sockaddr_of(&sa, at);

    if (e == 0)
        e = uv_udp_bind(u, (const struct sockaddr *)&sa, 0);
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
    int e = sockaddr_of(&sa, to);

    if (e == 0)
        e = uv_udp_connect(u, (const struct sockaddr *)&sa);
    return e == 0 ? uv_udp_recv_start(u, on_alloc, on_datagram) : e;
}

bool tunnel_udp_socket_send(uv_udp_t *u, const struct om_addr *to, struct om_bytes head,
                            struct om_bytes b)
{
    struct sockaddr_storage sa;
    uv_buf_t v[2] = {{.len = head.n}, {.len = b.n}};

    memcpy(&v[0].base, &head.p, sizeof v[0].base); /* libuv only reads, and knows no const */
    memcpy(&v[1].base, &b.p, sizeof v[1].base);
    if (!to)
        return uv_udp_try_send(u, v, 2, NULL) >= 0;
    return sockaddr_of(&sa, to) == 0 && uv_udp_try_send(u, v, 2, (const struct sockaddr *)&sa) >= 0;
}
