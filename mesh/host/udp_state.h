/*
 * udp_state.h - what udp.c, udp_in.c and udp_out.c share
 *
 * What:  the two sockets and their buffers.
 * Why:   opening, reading and writing are long enough each to have a file.
 */
#ifndef OM_HOST_UDP_STATE_H
#define OM_HOST_UDP_STATE_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "udp.h"

union udp_name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct udp_socket {
    struct om_udp *udp;
    uv_poll_t poll;
    int fd;                       /* -1: the machine lacks the family */
    bool is_v6, is_full, is_open; /* is_open: poll must be closed */
    uint32_t overflows;           /* as the kernel last said */
};

struct om_udp {
    uv_loop_t *loop;
    struct udp_socket sockets[2]; /* v4, v6 */
    unsigned closing;             /* handles that libuv still has */
    bool is_closed;
    void (*on_batch)(void *self, struct om_dgram *batch, unsigned count);
    void (*on_writable)(void *self);
    void *self;
    unsigned index[OM_UDP_INTERFACES], indices;
    struct om_udp_info info;
    uint8_t *in; /* owned: OM_UDP_SLOTS blocks of slot_bytes */
    size_t slot_bytes;
};

enum { OM_UDP_SLOTS = 16, OM_UDP_READS = 8, OM_UDP_PLAIN = 9216, OM_UDP_COALESCED = 65536 };

/** udp_name_of() - @a into @out as a socket of family @is_v6 wants it; its length. */
socklen_t udp_name_of(union udp_name *out, const struct om_addr *a, bool is_v6);

/** udp_addr_of() - the address that the kernel names by @n. */
struct om_addr udp_addr_of(const union udp_name *n);

/** udp_watch() - wait on @s for what is wanted now: always data, and room when it is full. */
void udp_watch(struct udp_socket *s);

/** udp_read() - hand over what arrived on @s, up to OM_UDP_READS batches. */
void udp_read(struct udp_socket *s);

#endif
