/* pump.c - datagrams in, actions out, one timer. */
#include "pump.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "entropy.h"

enum { OUT_AT_ONCE = 512 };

struct om_pump {
    uv_loop_t *loop;
    struct om_pool *pool;
    struct om_node *node;
    struct om_udp *udp;
    int timer_fd;
    uv_poll_t timer;
    om_time armed; /* when the timer will fire; OM_NEVER: it is off */
    void (*on_act)(void *self, const struct om_act *act);
    void *self;
    bool is_draining, is_full, is_closing;
    unsigned first, count; /* of out: those not sent yet */
    struct om_udp_out out[OM_PUMP_OUT];
    struct om_sealed *sealed[OM_PUMP_OUT];
    struct om_pump_info info;
};

static void give_back(struct om_pump *p, unsigned done)
{
    for (unsigned i = 0; i < done; i++)
        om_node_sent(p->node, p->sealed[p->first + i]);
    p->first += done;
    p->count -= done;
    if (p->count == 0)
        p->first = 0;
}

static void send_waiting(struct om_pump *p)
{
    while (p->count > 0 && !p->is_full) {
        unsigned done = om_udp_send(p->udp, p->out + p->first, p->count);
        p->is_full = done < p->count;
        p->info.stalls += p->is_full;
        give_back(p, done);
    }
}

/* One block of the pool each, so there is always room: at worst after moving them down. */
static void enqueue(struct om_pump *p, const struct om_act_send *s)
{
    if (p->first + p->count == OM_PUMP_OUT) {
        memmove(p->out, p->out + p->first, p->count * sizeof *p->out);
        memmove(p->sealed, p->sealed + p->first, p->count * sizeof(struct om_sealed *));
        p->first = 0;
    }
    unsigned at = p->first + p->count++;
    p->out[at] = (struct om_udp_out){
        .via = s->via, .bytes = om_sealed_bytes(s->dgram), .ttl = s->ttl, .is_alone = s->is_alone};
    p->sealed[at] = s->dgram;
    if (p->count >= OUT_AT_ONCE)
        send_waiting(p);
}

/* What was to be sent before they close goes before they close, unless the socket is full. */
static void change_sockets(struct om_pump *p, const struct om_act_sockets *s)
{
    send_waiting(p);
    om_udp_sockets(p->udp, s->first, s->count, s->is_open);
}

/* A timer that fires early costs one wake-up; setting it anew each time would cost a system call
 * per datagram. */
static void arm(struct om_pump *p)
{
    om_time at = om_node_deadline(p->node);
    struct itimerspec t = {0};

    if (p->armed <= at)
        return;
    if (at < 1)
        at = 1; /* zero would switch it off */
    t.it_value.tv_sec = at / 1000000;
    t.it_value.tv_nsec = at % 1000000 * 1000;
    if (timerfd_settime(p->timer_fd, TFD_TIMER_ABSTIME, &t, NULL) == 0)
        p->armed = at;
}

static void drain(struct om_pump *p)
{
    struct om_act act;

    if (p->is_draining)
        return; /* asked from within on_act(): the loop below goes on */
    p->is_draining = true;
    while (om_node_next(p->node, &act)) {
        if (act.kind == OM_ACT_SEND)
            enqueue(p, &act.send);
        else if (act.kind == OM_ACT_SOCKETS)
            change_sockets(p, &act.sockets);
        else
            p->on_act(p->self, &act);
    }
    send_waiting(p);
    p->is_draining = false;
    arm(p);
}

static void on_timer(uv_poll_t *handle, int status, int events)
{
    struct om_pump *p = handle->data;
    uint64_t expirations;

    if (status < 0 || !(events & UV_READABLE))
        return;
    p->info.wakeups++;
    p->info.timers++;
    (void)!read(p->timer_fd, &expirations, sizeof expirations); /* says only how often */
    p->armed = OM_NEVER;
    om_node_tick(p->node, om_clock_now());
    drain(p);
}

/* They were opened in place, some of them told a secret, and when the next come to lie there nobody
 * knows. */
static void wipe(const struct om_dgram *batch, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sodium_memzero(batch[i].data, batch[i].len);
}

static void on_batch(void *self, struct om_dgram *batch, unsigned count)
{
    om_pump_input(self, batch, count);
}

static void on_writable(void *self)
{
    struct om_pump *p = self;

    p->info.wakeups++;
    p->is_full = false;
    send_waiting(p);
    om_node_tick(p->node, om_clock_now());
    drain(p);
}

static void on_refused(void *self, const struct om_via *via, size_t bytes)
{
    struct om_pump *p = self;

    om_node_refused(p->node, om_clock_now(), via, bytes);
}

static void on_hop(void *self, unsigned ttl, const struct om_addr *router)
{
    struct om_pump *p = self;

    if (p->is_closing)
        return;
    om_node_hop(p->node, om_clock_now(), ttl, router);
    drain(p);
}

static void free_pump(struct om_pump *p)
{
    om_node_free(p->node);
    om_pool_free(p->pool);
    if (p->timer_fd >= 0)
        (void)close(p->timer_fd);
    free(p);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free_pump(handle->data);
}

static enum om_err open_timer(struct om_pump *p, struct om_error *err)
{
    p->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (p->timer_fd < 0)
        return om_fail(err, OM_E_UNSUPPORTED, "timerfd on CLOCK_BOOTTIME: %s", strerror(errno));
    int e = uv_poll_init(p->loop, &p->timer, p->timer_fd);
    if (e < 0)
        return om_fail(err, OM_E_UNSUPPORTED, "timer: %s", uv_strerror(e));
    p->timer.data = p;
    return OM_OK;
}

enum om_err om_pump_open(struct om_pump **out, const struct om_pump_config *config,
                         struct om_error *err)
{
    struct om_pump *p = calloc(1, sizeof *p);
    struct om_node_config node = config->node;
    struct om_udp_config udp = config->udp;

    if (!p)
        return om_fail(err, OM_E_NO_MEM, "no memory for the sockets");
    p->loop = config->loop;
    p->on_act = config->on_act;
    p->self = config->self;
    p->armed = OM_NEVER;
    p->timer_fd = -1;
    p->pool = om_pool_new(OM_BLOCK_BYTES, OM_PUMP_BLOCKS);
    enum om_err e = p->pool ? OM_OK : om_fail(err, OM_E_NO_MEM, "no memory for datagrams");
    node.pool = p->pool;
    if (e == OM_OK)
        e = om_node_new(&p->node, &node, om_clock_now(), err);
    if (e == OM_OK)
        e = open_timer(p, err);
    if (e != OM_OK) {
        free_pump(p);
        return e;
    }
    udp.loop = config->loop;
    udp.on_batch = on_batch;
    udp.on_writable = on_writable;
    udp.on_hop = on_hop;
    udp.on_refused = on_refused;
    udp.log = node.log;
    udp.self = p;
    e = om_udp_open(&p->udp, &udp, err);
    if (e != OM_OK || uv_poll_start(&p->timer, UV_READABLE, on_timer) < 0) {
        om_pump_close(p);
        return e != OM_OK ? e : om_fail(err, OM_E_UNSUPPORTED, "cannot wait for the timer");
    }
    *out = p;
    return OM_OK;
}

void om_pump_close(struct om_pump *p)
{
    p->is_closing = true;
    if (p->udp) {
        drain(p);
        om_udp_close(p->udp);
        give_back(p, p->count);
    }
    (void)uv_poll_stop(&p->timer);
    uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}

struct om_node *om_pump_node(struct om_pump *p)
{
    return p->node;
}

struct om_udp *om_pump_udp(struct om_pump *p)
{
    return p->udp;
}

void om_pump_kick(struct om_pump *p)
{
    drain(p);
}

void om_pump_trim(struct om_pump *p)
{
    om_pool_trim(p->pool);
    om_node_trim(p->node);
}

void om_pump_input(struct om_pump *p, struct om_dgram *batch, unsigned count)
{
    if (p->is_closing)
        return;
    bool is_within = p->is_draining; /* whoever drains has not come to what arrived now */
    p->info.wakeups++;
    om_node_input(p->node, om_clock_now(), batch, count);
    drain(p);
    if (!is_within && !p->is_closing)
        wipe(batch, count);
}

void om_pump_info(const struct om_pump *p, struct om_pump_info *out)
{
    *out = p->info;
    out->waiting = p->count;
    out->blocks = om_pool_live(p->pool);
}
