/* metrics_server.c - libmicrohttpd in a libuv loop. */
#include "metrics_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <omerta/metrics.h>

#include "metrics_page.h"

enum { BACKLOG = 8, PATIENCE_S = 10, LISTENERS = 2 };

struct listener {
    struct metrics_server *server;
    struct MHD_Daemon *http;
    uv_poll_t poll;
    uv_timer_t timer;
};

struct metrics_server {
    struct om_daemon *d;
    struct listener listeners[LISTENERS];
    unsigned count, open_handles;
};

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type,
                              char *text, enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), text, mode);

    if (!r)
        return MHD_NO;
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    enum MHD_Result e = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return e;
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version OM_UNUSED,
                                  const char *body OM_UNUSED, size_t *body_size OM_UNUSED,
                                  void **state OM_UNUSED)
{
    static char elsewhere[] = "the counters are at /metrics\n", wrong[] = "want GET\n";
    struct metrics_server *m = self;

    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
        return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", wrong, MHD_RESPMEM_PERSISTENT);
    if (strcmp(url, "/metrics") != 0)
        return answer(c, MHD_HTTP_NOT_FOUND, "text/plain", elsewhere, MHD_RESPMEM_PERSISTENT);
    char *page = metrics_page(m->d);
    return page ? answer(c, MHD_HTTP_OK, OM_METRICS_CONTENT_TYPE, page, MHD_RESPMEM_MUST_FREE)
                : MHD_NO;
}

static void on_timer(uv_timer_t *t);

static void run(struct listener *l)
{
    unsigned MHD_LONG_LONG wait;

    (void)MHD_run(l->http);
    if (MHD_get_timeout(l->http, &wait) == MHD_YES)
        (void)uv_timer_start(&l->timer, on_timer, wait, 0);
    else
        (void)uv_timer_stop(&l->timer);
}

static void on_timer(uv_timer_t *t)
{
    run(t->data);
}

static void on_ready(uv_poll_t *p, int status OM_UNUSED, int events OM_UNUSED)
{
    run(p->data);
}

static bool add_listener(struct metrics_server *m, int fd)
{
    struct listener *l = &m->listeners[m->count];

    if (fd < 0)
        return false;
    l->server = m;
    l->http =
        MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, m, MHD_OPTION_LISTEN_SOCKET, fd,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)OM_METRICS_CLIENTS,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PATIENCE_S, MHD_OPTION_END);
    if (!l->http) {
        (void)close(fd);
        return false;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(l->http, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info || uv_poll_init(&m->d->loop, &l->poll, info->epoll_fd) < 0) {
        MHD_stop_daemon(l->http);
        return false;
    }
    (void)uv_timer_init(&m->d->loop, &l->timer); /* cannot fail */
    l->poll.data = l->timer.data = l;
    m->open_handles += 2;
    m->count++;
    (void)uv_poll_start(&l->poll, UV_READABLE, on_ready);
    return true;
}

/* The umask of om_confine_early() makes it 0600. */
static int listen_unix(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat st;

    memcpy(at.sun_path, path, strlen(path) + 1); /* om_place_find() saw to it that it fits */
    /* The home is ours alone, so a socket in it is what a killed daemon left. */
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        (void)unlink(path);
    if (fd >= 0 &&
        (bind(fd, (const struct sockaddr *)&at, sizeof at) < 0 || listen(fd, BACKLOG) < 0)) {
        int e = errno;
        (void)close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

static int listen_port(uint16_t port)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&at, sizeof at) < 0 || listen(fd, BACKLOG) < 0) {
        int e = errno;
        (void)close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

bool metrics_server_open(struct metrics_server **out, struct om_daemon *d, struct om_error *err)
{
    struct metrics_server *m = calloc(1, sizeof *m);
    uint16_t port = (uint16_t)d->config.metrics_port;

    if (!m) {
        (void)om_fail(err, OM_E_NO_MEM, "no memory for the metrics");
        return false;
    }
    m->d = d;
    *out = m;
    if (!add_listener(m, listen_unix(d->place.metrics))) {
        (void)om_fail(err, OM_E_STATE, "%.120s: metrics socket: %s", d->place.metrics,
                      errno == EADDRINUSE ? "something else is there; remove it" : strerror(errno));
        return false;
    }
    if (port != 0 && !add_listener(m, listen_port(port))) {
        (void)om_fail(err, errno == EADDRINUSE ? OM_E_EXISTS : OM_E_STATE,
                      "metrics.port: TCP port %u of 127.0.0.1: %s", port, strerror(errno));
        return false;
    }
    return true;
}

static void on_closed(uv_handle_t *h)
{
    struct listener *l = h->data;
    struct metrics_server *m = l->server;

    if (--m->open_handles == 0)
        free(m);
}

void metrics_server_close(struct metrics_server *m)
{
    if (!m)
        return;
    if (m->count == 0) {
        free(m);
        return;
    }
    (void)unlink(m->d->place.metrics);
    for (unsigned i = 0; i < m->count; i++) {
        struct listener *l = &m->listeners[i];
        (void)uv_poll_stop(&l->poll);
        MHD_stop_daemon(l->http);
        uv_close((uv_handle_t *)&l->poll, on_closed);
        uv_close((uv_handle_t *)&l->timer, on_closed);
    }
}
