/*
 * metrics_server.h - Prometheus fetches the page of counters
 *
 * What:  HTTP on the Unix socket of the home, and on a loopback port when one is configured:
 *        GET /metrics.
 * Why:   a monitoring system scrapes; `curl --unix-socket` and node exporters can read it, too.
 * Shown: tests/system/test_metrics.py.
 *
 * Only this machine: the socket has mode 0600, the port is bound to 127.0.0.1.
 *
 * Full: OM_METRICS_CLIENTS connections at a time; further ones wait. Each ends after 10 s.
 *
 * Source: libmicrohttpd, driven by its epoll descriptor in the daemon's loop.
 */
#ifndef OM_MESHD_METRICS_SERVER_H
#define OM_MESHD_METRICS_SERVER_H

#include "state.h"

enum { OM_METRICS_CLIENTS = 16 };

struct metrics_server;

/** metrics_server_open() - serve the page of @d, by @out; false and @err when a socket cannot be
 *  had. */
bool metrics_server_open(struct metrics_server **out, struct om_daemon *d, struct om_error *err);

/** metrics_server_close() - hang up; @m, which may be NULL, is freed once the loop has run. */
void metrics_server_close(struct metrics_server *m);

#endif
