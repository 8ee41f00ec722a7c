/*
 * data.h - local programs talk to programs on other peers
 *
 * What:  a Unix socket; each connection says in one line of JSON what it wants to be: a stream to a
 *        peer, a listener for streams, one such stream, a channel of datagrams, a link, or a
 *        capture. One line comes back, and from then on the connection is that thing.
 * Why:   any language can open a Unix socket: this is how programs are built on the mesh.
 *
 * Nobody is let in from the mesh whom the listening program did not name.
 *
 * Full: OM_DATA_CONNS_MAX connections, OM_DATA_CAPTURES_MAX captures, OM_DATA_CALLS_MAX calls that
 * nobody took yet, of these OM_DATA_LISTENER_CALLS_MAX of one listener, so that one that takes none
 * stops no other; then a line that says so. A call that is not taken within DATA_TAKE_MS is
 * refused. Datagrams for a program that does not read are dropped, and so are frames for one above
 * DATA_CAPTURE_ROOM bytes, counted.
 *
 * Source: meshd/dist/man/omerta-data.7, which describes every line.
 */
#ifndef OM_DATA_DATA_H
#define OM_DATA_DATA_H

#include "state.h"

enum {
    OM_DATA_CONNS_MAX = 256,
    OM_DATA_CALLS_MAX = 64,
    OM_DATA_LISTENER_CALLS_MAX = 16,
    OM_DATA_CAPTURES_MAX = 8
};

#define OM_DATA_METHODS "app." /* calls whose method begins so are programs' */

struct data;

/** data_open() - listen for @d on its data socket, by @out; else false and @err. */
bool data_open(struct data **out, struct om_daemon *d, struct om_error *err);

/** data_close() - end every connection; @s is freed once the loop has run. */
void data_close(struct data *s);

/** data_call() - a peer calls a program of @s, or one that is not there: @call. */
void data_call(struct data *s, const struct om_act_call *call);

/** data_deliver() - a datagram @a arrived for channels of @s. */
void data_deliver(struct data *s, const struct om_act_deliver *a);

/** data_conns() - connections and joined streams of @s now. */
unsigned data_conns(const struct data *s);

#endif
