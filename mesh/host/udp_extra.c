/* udp_extra.c - sockets beside the main one: found by number, opened when used, closed. */
#include "udp_state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first of @u with a number of @number or above. */
static unsigned place_of(const struct om_udp *u, uint32_t number)
{
    unsigned low = 0, high = u->extra_count;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (u->extras[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add(struct om_udp *u, uint32_t number)
{
    unsigned at = place_of(u, number);
    struct udp_extra *x;

    if (at < u->extra_count && u->extras[at]->number == number)
        return;
    x = u->extra_count < OM_SOCKETS_MAX ? calloc(1, sizeof *x) : NULL;
    if (!x) {
        u->info.sockets_lost++;
        return;
    }
    x->number = number;
    x->v4 = (struct udp_family){.owner = u, .fd = -1, .number = number};
    x->v6 = (struct udp_family){.owner = u, .fd = -1, .number = number, .is_v6 = true};
    memmove(u->extras + at + 1, u->extras + at,
            (u->extra_count++ - at) * sizeof(struct udp_extra *));
    u->extras[at] = x;
}

static struct udp_extra *extra_of(struct udp_family *f)
{
    return f->is_v6 ? OM_CONTAINER_OF(f, struct udp_extra, v6)
                    : OM_CONTAINER_OF(f, struct udp_extra, v4);
}

static void extra_closed(uv_handle_t *h)
{
    struct udp_family *f = h->data;
    struct udp_extra *x = extra_of(f);
    struct om_udp *u = f->owner;

    if (--x->handles == 0)
        free(x);
    udp_handle_closed(u);
}

/* Whoever waits for it to be writable is told by the timer: it will never be. */
static void close_family(struct om_udp *u, struct udp_family *f)
{
    if (f->fd < 0)
        return;
    if (f->wants_write)
        udp_rest(u, NULL);
    f->wants_write = f->is_resting = false;
    uv_close((uv_handle_t *)&f->poll, extra_closed);
    (void)close(f->fd);
    f->fd = -1;
    u->info.sockets--;
}

static void drop(struct om_udp *u, struct udp_extra *x)
{
    if (x->handles == 0) {
        free(x);
        return;
    }
    close_family(u, &x->v4);
    close_family(u, &x->v6);
}

static void drop_many(struct om_udp *u, uint32_t first, unsigned count)
{
    unsigned at = place_of(u, first), to = at;

    while (to < u->extra_count && u->extras[to]->number - first < count)
        drop(u, u->extras[to++]);
    memmove(u->extras + at, u->extras + to, (u->extra_count - to) * sizeof(struct udp_extra *));
    u->extra_count -= to - at;
}

void om_udp_sockets(struct om_udp *u, uint32_t first, unsigned count, bool is_open)
{
    if (u->is_closed || first < OM_SOCKET_FIRST)
        return;
    if (!is_open)
        drop_many(u, first, count);
    for (unsigned i = 0; is_open && i < count; i++)
        add(u, first + i);
}

static void lose(struct om_udp *u, struct udp_family *f, const char *why)
{
    struct om_logline line;

    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
    f->is_lost = true;
    u->info.sockets_lost++;
    if (u->is_loss_said)
        return;
    u->is_loss_said = true;
    om_log_begin(&line, u->config.log, OM_LOG_WARN, "udp", "no further socket");
    om_log_str(&line, "why", why);
    om_log_u64(&line, "open", u->info.sockets);
    om_log_end(&line);
}

static void open_family(struct om_udp *u, struct udp_family *f)
{
    struct om_error err = {0};

    if (udp_sock_open(u, f, 0, &err) != OM_OK || f->fd < 0) {
        lose(u, f, err.msg[0] ? err.msg : "the machine has no such family any more");
        return;
    }
    if (!om_fds_leave(f->fd, OM_UDP_SPARE_FDS)) {
        lose(u, f, "too few descriptors (RLIMIT_NOFILE)");
        return;
    }
    if (udp_poll_start(u, f) != 0 && !f->poll.data) { /* a handle that was made does start */
        lose(u, f, "cannot wait for it");
        return;
    }
    extra_of(f)->handles++;
    u->info.sockets++;
}

struct udp_family *udp_extra_family(struct om_udp *u, const struct om_via *via)
{
    bool is_v4 = om_addr_is_v4(&via->remote);
    unsigned at = place_of(u, via->socket);
    struct udp_family *f;

    if (at == u->extra_count || u->extras[at]->number != via->socket ||
        (is_v4 ? u->v4.fd : u->v6.fd) < 0)
        return NULL;
    f = is_v4 ? &u->extras[at]->v4 : &u->extras[at]->v6;
    if (f->fd < 0 && !f->is_lost)
        open_family(u, f);
    return f->fd >= 0 ? f : NULL;
}

void udp_extra_rested(struct om_udp *u)
{
    for (unsigned i = 0; i < u->extra_count; i++) {
        if (u->extras[i]->v4.is_resting)
            udp_poll(u, &u->extras[i]->v4);
        if (u->extras[i]->v6.is_resting)
            udp_poll(u, &u->extras[i]->v6);
    }
}
