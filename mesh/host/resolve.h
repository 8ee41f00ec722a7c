/*
 * resolve.h - addresses of a host name, without stopping the loop
 *
 * What:  asks the system's resolver on libuv's pool; an address given as text is its own answer.
 * Why:   getaddrinfo() may take half a minute, in which no datagram would move.
 * Keeps: resolve_literals_answer_later_without_the_pool; resolve_localhost;
 *        resolve_unknown_says_why; resolve_cancelled_says_nothing.
 *
 * Source: getaddrinfo(3); RFC 8305 section 4 (families in turn).
 */
#ifndef OM_HOST_RESOLVE_H
#define OM_HOST_RESOLVE_H

#include <uv.h>

#include <omerta/addr.h>
#include <omerta/err.h>

enum { OM_RESOLVE_MAX = 8, OM_RESOLVE_HOST = 256 };

struct om_resolve;

/* @addrs: @count of them, lent; none: @why says what the resolver said. */
typedef void (*om_resolve_fn)(void *self, const struct om_addr *addrs, unsigned count,
                              const char *why);

/**
 * om_resolve() - ask for the addresses of a host
 * @out:   receives the question, which ends itself after @done
 * @loop:  of the caller
 * @host:  a name, or an address without brackets; copied
 * @port:  of every address
 * @done:  called once, later
 * @self:  its first argument
 *
 * Return: OM_OK, OM_E_RANGE for a name that is too long, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_resolve(struct om_resolve **out, uv_loop_t *loop, const char *host,
                               uint16_t port, om_resolve_fn done, void *self);

/** om_resolve_cancel() - nobody waits for @r any more: its done is not called. */
void om_resolve_cancel(struct om_resolve *r);

#endif
