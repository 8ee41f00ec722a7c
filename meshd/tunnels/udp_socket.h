/*
 * udp_socket.h - UDP sockets of tunnels
 *
 * What:  bind, connect and send with the addresses of the mesh; a datagram that does not go out at
 *        once is lost, as UDP allows. Reading ends with a call without datagram and sender, for
 *        what is done once for all that came; before that, nothing may close the socket.
 * Why:   forwards, associations and services have the same sockets on different ends of a flow.
 */
#ifndef OM_TUNNELS_UDP_SOCKET_H
#define OM_TUNNELS_UDP_SOCKET_H

#include <stdbool.h>

#include <uv.h>

#include <omerta/addr.h>
#include <omerta/bytes.h>

enum { TUNNEL_UDP_MAX = 65507 }; /* bytes of a datagram */

/** tunnel_udp_socket_init() - a new @u in @loop, which reads several datagrams at once; 0, or what
 *  libuv says. */
int tunnel_udp_socket_init(uv_loop_t *loop, uv_udp_t *u);

/** tunnel_udp_socket_bind() - bind the new @u to @at, whose port 0 becomes the one it got, and give
 *  its datagrams to @on_datagram; 0, or what libuv says. The caller closes @u in any case. */
int tunnel_udp_socket_bind(uv_udp_t *u, struct om_addr *at, uv_udp_recv_cb on_datagram);

/** tunnel_udp_socket_connect() - have the new @u take datagrams of @to alone, for @on_datagram; as
 *  tunnel_udp_socket_bind(). */
int tunnel_udp_socket_connect(uv_udp_t *u, const struct om_addr *to, uv_udp_recv_cb on_datagram);

/** tunnel_udp_socket_send() - @head and @b, as one datagram, leave @u for @to (NULL: where it is
 *  connected to); false: they do not. */
bool tunnel_udp_socket_send(uv_udp_t *u, const struct om_addr *to, struct om_bytes head,
                            struct om_bytes b);

/** tunnel_udp_socket_from() - the address of @sa in @out; false: of no family that is known. */
bool tunnel_udp_socket_from(struct om_addr *out, const struct sockaddr *sa);

#endif
