/*
 * udp_rig.h - two ends of UDP on one loop, for the tests of the sockets
 *
 * What:  opens both with the same wishes, keeps length and sum of all that each hears, and lets
 *        sendmmsg() fail on demand.
 * Why:   the tests of what arrives and those of what goes wrong need the same two ends; loopback
 *        never fills a socket, and kernels that cannot segment are rare.
 */
#ifndef OM_TESTS_UDP_RIG_H
#define OM_TESTS_UDP_RIG_H

#include "harness.h"

#include <errno.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "host/udp_state.h"

enum { KEPT_MAX = 4096, DEADLINE_MS = 5000, LOOPBACK = 0x7f000001, PATTERN_BYTES = 70000 };

/* What sendmmsg() is to fail with, and when. */
static struct {
    int error;        /* 0: never */
    unsigned after;   /* so many calls go well first */
    unsigned times;   /* how often yet */
    bool only_joined; /* only when the first message is a run to be segmented */
} fault;

/** sendmmsg() - as libc's with @fd, @vmessages, @vlen, @flags, but for the fault. */
int sendmmsg(int fd, struct mmsghdr *vmessages, unsigned vlen, int flags)
{
    if (fault.error == 0 || fault.times == 0 ||
        (fault.only_joined && vmessages[0].msg_hdr.msg_iovlen < 2))
        return (int)syscall(SYS_sendmmsg, fd, vmessages, vlen, flags);
    if (fault.after > 0) {
        fault.after--;
        return (int)syscall(SYS_sendmmsg, fd, vmessages, vlen, flags);
    }
    fault.times--;
    errno = fault.error;
    return -1;
}

struct kept {
    size_t len;
    uint32_t sum;
    struct om_via via;
    bool is_multicast;
};

/* One end: what it heard, in order. */
struct end {
    struct om_udp *udp;
    struct kept kept[KEPT_MAX];
    unsigned count;
    unsigned widest; /* batch */
    unsigned writable;
    unsigned close_at; /* close in the batch that brings it to so many; 0: never */
};

struct rig {
    uv_loop_t loop;
    uv_timer_t deadline;
    bool is_late;
    struct end a, b;
    uint8_t pattern[PATTERN_BYTES];
};

/** sum_of() - what tells @n bytes at @p from others. */
static inline uint32_t sum_of(const uint8_t *p, size_t n)
{
    uint32_t h = 2166136261U; /* FNV-1a */

    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 16777619U;
    return h;
}

/** on_batch() - keep what struct end @self hears: @count datagrams at @batch. */
static inline void on_batch(void *self, struct om_dgram *batch, unsigned count)
{
    struct end *e = self;

    if (count > e->widest)
        e->widest = count;
    for (unsigned i = 0; i < count; i++) {
        struct kept k = {batch[i].len, sum_of(batch[i].data, batch[i].len), batch[i].via,
                         batch[i].is_multicast};

        if (e->count < KEPT_MAX)
            e->kept[e->count] = k;
        e->count++;
        memset(batch[i].data, 0, batch[i].len); /* it is lent for writing too */
    }
    if (e->close_at > 0 && e->count >= e->close_at) {
        om_udp_close(e->udp);
        e->udp = NULL;
    }
}

/** on_writable() - struct end @self may send again. */
static inline void on_writable(void *self)
{
    struct end *e = self;

    e->writable++;
}

/** on_late() - @t of a rig has fired. */
static inline void on_late(uv_timer_t *t)
{
    struct rig *r = t->data;

    r->is_late = true;
}

/** rig_config() - both families on any port of the loop of @r, heard by @e. */
static inline struct om_udp_config rig_config(struct rig *r, struct end *e)
{
    return (struct om_udp_config){.loop = &r->loop,
                                  .v4 = true,
                                  .v6 = true,
                                  .on_batch = on_batch,
                                  .on_writable = on_writable,
                                  .self = e};
}

/** rig_init() - an empty loop in @r. */
static inline void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    memset(&fault, 0, sizeof fault);
    for (size_t i = 0; i < sizeof r->pattern; i++)
        r->pattern[i] = (uint8_t)(i * 7 + i / 251);
    CHECK_EQ(uv_loop_init(&r->loop), 0);
    CHECK_EQ(uv_timer_init(&r->loop, &r->deadline), 0);
    r->deadline.data = r;
}

/** rig_open() - both ends of @r, @no_offload and @buffer_bytes as in struct om_udp_config. */
static inline enum om_err rig_open(struct rig *r, bool no_offload, unsigned buffer_bytes)
{
    struct om_udp_config c = rig_config(r, &r->a);
    enum om_err e;

    c.no_offload = no_offload;
    c.buffer_bytes = buffer_bytes;
    e = om_udp_open(&r->a.udp, &c, NULL);
    c.self = &r->b;
    if (e == OM_OK)
        e = om_udp_open(&r->b.udp, &c, NULL);
    return e;
}

/** rig_fini() - close what is open in @r; nothing may be left on the loop. */
static inline void rig_fini(struct rig *r)
{
    om_udp_close(r->a.udp);
    om_udp_close(r->b.udp);
    uv_close((uv_handle_t *)&r->deadline, NULL);
    (void)uv_run(&r->loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&r->loop), 0);
    memset(&fault, 0, sizeof fault);
}

/** rig_until() - run the loop of @r until *@counter is @count; false when that takes too long. */
static inline bool rig_until(struct rig *r, const unsigned *counter, unsigned count)
{
    r->is_late = false;
    (void)uv_timer_start(&r->deadline, on_late, DEADLINE_MS, 0);
    while (*counter < count && !r->is_late)
        (void)uv_run(&r->loop, UV_RUN_ONCE);
    (void)uv_timer_stop(&r->deadline);
    return *counter == count;
}

/** info_of() - the figures of @e. */
static inline struct om_udp_info info_of(const struct end *e)
{
    struct om_udp_info i;

    om_udp_info(e->udp, &i);
    return i;
}

/** to_v4() - the way to @e over IPv4. */
static inline struct om_via to_v4(const struct end *e)
{
    return (struct om_via){.remote = om_addr_v4(LOOPBACK, info_of(e).port)};
}

/** to_v6() - the way to @e over IPv6. */
static inline struct om_via to_v6(const struct end *e)
{
    struct om_via via = {.remote = {.port = info_of(e).port6}};

    via.remote.ip[15] = 1;
    return via;
}

/**
 * rig_send() - the @n datagrams at @o from end a of @r, all at once where the buffers are large
 *
 * A user without privilege gets small ones on most machines: then in parts, running the loop.
 */
static inline void rig_send(struct rig *r, const struct om_udp_out *o, unsigned n)
{
    unsigned part = info_of(&r->b).rcvbuf >= OM_UDP_BUFFER_BYTES ? n : 16;

    for (unsigned at = 0; at < n; at += part) {
        unsigned k = n - at < part ? n - at : part;

        CHECK_EQ(om_udp_send(r->a.udp, o + at, k), k);
        for (unsigned i = 0; part < n && i < 4; i++)
            (void)uv_run(&r->loop, UV_RUN_NOWAIT);
    }
}

#endif
