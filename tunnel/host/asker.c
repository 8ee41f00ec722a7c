/* asker.c - c-ares says which sockets it waits for and until when; the loop waits. */
#include "asker.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/list.h>

struct socket {
    struct om_link link;
    uv_poll_t poll;
    struct om_asker *asker;
    ares_socket_t fd;
};

struct om_asker {
    uv_loop_t *loop;
    ares_channel channel;
    uv_timer_t timer;
    struct om_list sockets;
};

static void on_socket_closed(uv_handle_t *h)
{
    free(h->data);
}

static void on_timer_closed(uv_handle_t *h)
{
    free(h->data);
}

static void on_timer(uv_timer_t *t);

/* The library has its say on when to look again after everything that it did. */
static void watch_time(struct om_asker *a)
{
    struct timeval tv;

    if (!ares_timeout(a->channel, NULL, &tv)) {
        (void)uv_timer_stop(&a->timer);
        return;
    }
    uint64_t ms = (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000 + 1;
    (void)uv_timer_start(&a->timer, on_timer, ms, 0);
}

static void on_timer(uv_timer_t *t)
{
    struct om_asker *a = t->data;

    ares_process_fd(a->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    watch_time(a);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
    struct socket *s = p->data;
    struct om_asker *a = s->asker;
    ares_socket_t fd = s->fd;

    /* After an error both ways are tried, so that the library hears of it. */
    ares_process_fd(a->channel, status < 0 || events & UV_READABLE ? fd : ARES_SOCKET_BAD,
                    status < 0 || events & UV_WRITABLE ? fd : ARES_SOCKET_BAD);
    watch_time(a);
}

static struct socket *find(const struct om_asker *a, ares_socket_t fd)
{
    for (struct om_link *l = om_list_first(&a->sockets); l; l = om_list_next(&a->sockets, l)) {
        struct socket *s = OM_CONTAINER_OF(l, struct socket, link);
        if (s->fd == fd)
            return s;
    }
    return NULL;
}

static struct socket *add(struct om_asker *a, ares_socket_t fd)
{
    struct socket *s = calloc(1, sizeof *s);

    if (!s || uv_poll_init(a->loop, &s->poll, fd) < 0) {
        free(s); /* nobody listens: the question ends by its time limit */
        return NULL;
    }
    s->asker = a;
    s->fd = fd;
    s->poll.data = s;
    om_list_push_back(&a->sockets, &s->link);
    return s;
}

static void on_state(void *self, ares_socket_t fd, int readable, int writable)
{
    struct om_asker *a = self;
    struct socket *s = find(a, fd);

    if (!readable && !writable) {
        if (!s)
            return;
        om_list_remove(&s->link);
        uv_close((uv_handle_t *)&s->poll, on_socket_closed);
        return;
    }
    if (!s)
        s = add(a, fd);
    if (s)
        (void)uv_poll_start(&s->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
                            on_poll);
}

static bool set_upstreams(struct om_asker *a, const struct om_addr *list, unsigned count)
{
    struct ares_addr_port_node nodes[OM_ASKER_UPSTREAMS_MAX];

    if (count == 0)
        return true;
    for (unsigned i = 0; i < count; i++) {
        const struct om_addr *from = &list[i];
        nodes[i] = (struct ares_addr_port_node){.next = i + 1 < count ? &nodes[i + 1] : NULL,
                                                .family = om_addr_is_v4(from) ? AF_INET : AF_INET6,
                                                .udp_port = from->port,
                                                .tcp_port = from->port};
        if (om_addr_is_v4(from))
            memcpy(&nodes[i].addr.addr4, from->ip + 12, 4);
        else
            memcpy(&nodes[i].addr.addr6, from->ip, 16);
    }
    return ares_set_servers_ports(a->channel, nodes) == ARES_SUCCESS;
}

enum om_err om_asker_open(struct om_asker **out, const struct om_asker_config *config)
{
    struct om_asker *a = calloc(1, sizeof *a);
    struct ares_options options = {.flags = config->flags,
                                   .timeout = OM_ASKER_TRY_MS,
                                   .tries = OM_ASKER_TRIES,
                                   .ednspsz = OM_ASKER_EDNS,
                                   .sock_state_cb = on_state,
                                   .sock_state_cb_data = a};

    if (!a)
        return OM_E_NO_MEM;
    a->loop = config->loop;
    om_list_init(&a->sockets);
    int e = ares_init_options(&a->channel, &options,
                              ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                  ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB);
    if (e == ARES_SUCCESS && !set_upstreams(a, config->upstreams, config->count)) {
        ares_destroy(a->channel);
        e = ARES_ENOMEM;
    }
    if (e != ARES_SUCCESS) {
        free(a);
        return e == ARES_ENOMEM ? OM_E_NO_MEM : OM_E_STATE;
    }
    a->timer.data = a;
    (void)uv_timer_init(config->loop, &a->timer);
    *out = a;
    return OM_OK;
}

void om_asker_close(struct om_asker *a)
{
    if (!a)
        return;
    ares_destroy(a->channel);
    uv_close((uv_handle_t *)&a->timer, on_timer_closed);
}

void om_asker_send(struct om_asker *a, struct om_bytes query, ares_callback done, void *self)
{
    ares_send(a->channel, query.p, (int)query.n, done, self);
    watch_time(a);
}

void om_asker_resolve(struct om_asker *a, const char *host, ares_addrinfo_callback done, void *self)
{
    static const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC,
                                                     .ai_socktype = SOCK_STREAM};

    ares_getaddrinfo(a->channel, host, NULL, &hints, done, self);
    watch_time(a);
}
