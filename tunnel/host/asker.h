/*
 * asker.h - a resolver library's channel in our loop
 *
 * What:  a channel of c-ares whose sockets and timeouts are the loop's.
 * Why:   a name must not stop the loop nor wait for a thread, and answers are wanted whole.
 * Keeps: dns_exit_asks_and_gives_the_whole_answer; dns_exit_gives_up_in_time.
 *
 * Source: ares_init_options(3), ares_send(3), ares_getaddrinfo(3), ares_process(3).
 */
#ifndef OM_TUNNEL_ASKER_H
#define OM_TUNNEL_ASKER_H

#include <ares.h>
#include <uv.h>

#include <omerta/addr.h>
#include <omerta/attr.h>
#include <omerta/bytes.h>
#include <omerta/err.h>

enum {
    OM_ASKER_TRY_MS = 1000, /* of the first try; each further one waits twice as long */
    OM_ASKER_TRIES = 3,
    OM_ASKER_UPSTREAMS_MAX = 16,
    OM_ASKER_EDNS = 1232 /* bytes of an answer over UDP */
};

struct om_asker;

struct om_asker_config {
    uv_loop_t *loop;
    int flags;                       /* ARES_FLAG_... */
    const struct om_addr *upstreams; /* copied; with none, as the system has them */
    unsigned count;                  /* at most OM_ASKER_UPSTREAMS_MAX */
};

/**
 * om_asker_open() - begin, with a look at the system's configuration
 * @out:     receives it
 * @config:  copied
 *
 * Return: OM_OK, OM_E_NO_MEM, or OM_E_STATE when the library cannot begin.
 */
OM_MUST enum om_err om_asker_open(struct om_asker **out, const struct om_asker_config *config);

/** om_asker_close() - end @a, freed once the loop has run: what waits for an answer is told
 *  ARES_EDESTRUCTION at once. Not from within an answer. NULL is fine. */
void om_asker_close(struct om_asker *a);

/** om_asker_send() - have @a send the message @query, copied; @done is called with @self, perhaps
 *  before this returns. */
void om_asker_send(struct om_asker *a, struct om_bytes query, ares_callback done, void *self);

/** om_asker_resolve() - have @a find the addresses of @host; @done is called with @self, perhaps
 *  before this returns. */
void om_asker_resolve(struct om_asker *a, const char *host, ares_addrinfo_callback done,
                      void *self);

#endif
