/*
 * udp_state.h - what the files of the UDP sockets share
 *
 * What:  the object itself, the slots that recvmmsg fills and the messages that sendmmsg takes.
 * Why:   opening, receiving and sending are three nouns on one object; this is private to them.
 */
#ifndef OM_HOST_UDP_STATE_H
#define OM_HOST_UDP_STATE_H

#include <stdalign.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "udp.h"

enum {
    UDP_SLOTS_MAX = 64,       /* of one recvmmsg, each OM_UDP_WHOLE_MAX bytes ... */
    UDP_SLOTS_JOINED = 32,    /* ... or, with UDP_GRO, fewer of */
    UDP_JOINED_MAX = 65536,   /* bytes, which is what the kernel joins at most */
    UDP_SLOT_SHIFT = 1600,    /* between slots: at powers of two they would share cache lines */
    UDP_MESSAGES_MAX = 64,    /* of one sendmmsg */
    UDP_PIECES_MAX = 1024,    /* datagrams of one sendmmsg: UIO_MAXIOV, though for each message */
    UDP_QUEUED_ERRORS = 64,   /* read of one wake-up */
    UDP_ERRORS_IN_ROW_MAX = 8 /* wake-ups for nothing but an error before the socket rests */
};

static_assert((int)UDP_MESSAGES_MAX >= (int)OM_UDP_INTERFACES_MAX,
              "a multicast does not fit one call");
static_assert((int)UDP_PIECES_MAX >= (int)OM_UDP_SEGMENTS_MAX, "a run does not fit one call");

union udp_name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Room for UDP_SEGMENT and one packet information, or for all that is asked about a received one:
 * segment size, traffic class, overflow count. */
struct udp_control {
    alignas(struct cmsghdr) uint8_t bytes[128];
};

struct udp_family {
    struct om_udp *owner;
    uv_poll_t poll;
    int fd; /* -1: not there */
    bool is_v6;
    bool wants_write; /* on_writable is owed */
    bool is_resting;  /* not polled until the timer fires */
    bool is_lost;     /* it could not be opened; nobody tries again */
    bool hears;       /* of ICMP errors */
    uint32_t number;  /* 0: of the main socket */
    unsigned errors_in_row;
    uint32_t overflows; /* as the kernel last said; it wraps */
};

/* A further socket. Its memory goes when libuv is done with its handles. */
struct udp_extra {
    uint32_t number;
    unsigned handles;
    struct udp_family v4, v6;
};

/* A datagram that left with a TTL of its own. */
struct udp_opener {
    struct om_addr to;
    uint32_t socket;
    uint8_t ttl; /* 0: none, or it was heard of */
    uint64_t at; /* of libuv's clock */
};

/* What a router said. */
struct udp_hop {
    unsigned ttl;
    struct om_addr router;
};

struct udp_in {
    uint8_t *bytes;    /* slots x slot_bytes, touched only as far as traffic goes */
    size_t slot_bytes; /* of which UDP_SLOT_SHIFT are not used */
    unsigned slots;
    struct mmsghdr msgs[UDP_SLOTS_MAX];
    struct iovec iov[UDP_SLOTS_MAX];
    union udp_name names[UDP_SLOTS_MAX];
    struct udp_control controls[UDP_SLOTS_MAX];
    struct om_dgram batch[OM_UDP_BATCH_MAX];
    unsigned batched;
};

/* The messages of one sendmmsg. Message i carries the next takes[i] entries of the caller; the
 * copies of a multicast carry none but the last. */
struct udp_plan {
    struct udp_family *family; /* NULL: the first entry has no way out */
    unsigned count;
    unsigned pieces;
    unsigned takes[UDP_MESSAGES_MAX];
    struct mmsghdr msgs[UDP_MESSAGES_MAX];
    struct iovec iov[UDP_PIECES_MAX];
    union udp_name names[UDP_MESSAGES_MAX];
    struct udp_control controls[UDP_MESSAGES_MAX];
};

struct om_udp {
    struct om_udp_config config;
    struct udp_family v4, v6;
    struct udp_extra *extras[OM_SOCKETS_MAX]; /* by number */
    unsigned extra_count;
    bool is_loss_said;
    struct udp_opener openers[OM_UDP_OPENERS_MAX];
    unsigned opener_next; /* the place of the next, and of the oldest */
    uv_timer_t rest;
    unsigned handles; /* of libuv's, not yet closed */
    bool is_closed;
    bool owes_writable; /* when the timer fires */
    unsigned interfaces[OM_UDP_INTERFACES_MAX];
    unsigned interface_count;
    struct om_udp_info info;
    struct udp_in in;
    struct udp_plan plan;
};

/**
 * udp_in_init() - storage for receiving, and UDP_GRO where both sockets can
 * @u:  its sockets are open; gro of its info says whether UDP_GRO is wanted, and then what was got
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err udp_in_init(struct om_udp *u);

/** udp_in_fini() - free the storage of @u. */
void udp_in_fini(struct om_udp *u);

/** udp_in_read() - receive on family @f of @u, a bounded number of times; it may close @u. */
void udp_in_read(struct om_udp *u, struct udp_family *f);

/** udp_poll() - poll family @f of @u for what it wants now. */
void udp_poll(struct om_udp *u, struct udp_family *f);

/** udp_rest() - poll family @f of @u again after OM_UDP_REST_MS; NULL: only owe on_writable. */
void udp_rest(struct om_udp *u, struct udp_family *f);

/** udp_poll_start() - make the poll handle of @f of @u, and poll; 0, or what libuv says. */
int udp_poll_start(struct om_udp *u, struct udp_family *f);

/** udp_handle_closed() - a handle of @u is closed; with the last its memory goes. */
void udp_handle_closed(struct om_udp *u);

/** udp_extra_family() - the socket of @u that @via names, opened when it is not yet; or NULL. */
struct udp_family *udp_extra_family(struct om_udp *u, const struct om_via *via);

/** udp_extra_rested() - poll the further sockets of @u again that rest. */
void udp_extra_rested(struct om_udp *u);

/** udp_hops_sent() - an opener @o is about to leave over @f of @u. */
void udp_hops_sent(struct om_udp *u, struct udp_family *f, const struct om_udp_out *o);

/**
 * udp_hops_read() - empty the queue of errors of a socket, or much of it
 * @u:    the sockets
 * @f:    the one; it becomes deaf to errors when no opener of its is remembered
 * @out:  UDP_QUEUED_ERRORS, what routers said of openers
 *
 * Return: how many.
 */
unsigned udp_hops_read(struct om_udp *u, struct udp_family *f, struct udp_hop *out);

/**
 * udp_sock_open() - one bound socket with everything set
 * @u:       its config is read; gso of its info becomes false when this socket lacks it
 * @f:       is_v6 is set; fd is filled, -1 when the machine lacks the family
 * @port:    0: any
 * @err:     may be NULL
 *
 * Return: as om_udp_open(), without OM_E_UNSUPPORTED.
 */
OM_MUST enum om_err udp_sock_open(struct om_udp *u, struct udp_family *f, uint16_t port,
                                  struct om_error *err);

/** udp_sock_port() - the local port of socket @fd. */
uint16_t udp_sock_port(int fd);

#endif
